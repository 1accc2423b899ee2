"""The event chain: written in the transaction of the deed, sealed link by link, verified on demand.

Each bureau has a chain of its own, so that writers of different bureaus do not wait for one another. A link is the
HMAC, under a key that is not in the database, of the link before it and of all fields of the event. Whoever can write
rows can therefore neither change, insert, swap nor remove one without `verify` finding it; the removal of the newest
ones is found by the heads exported each day (`export_heads`).
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import models, transaction

from institutions import clock
from institutions.models import ChainHead, Event, Institution, Post

# What a link seals, in this order.
SEALED = (
    "bureau_id",
    "seq",
    "at",
    "post_id",
    "who",
    "address",
    "action",
    "label",
    "subject",
    "subject_id",
    "subject_text",
    "institution_text",
    "before",
    "after",
    "note",
    "data",
)


@dataclass(frozen=True)
class Actor:
    """Who acts: a post, or the command line with the operating system's user."""

    post: Post | None
    name: str
    address: str = ""


def actor(post: Post | None, *, name: str = "", address: str = "") -> Actor:
    if post is None:
        return Actor(None, name or "系统", address)
    if post.user is None:
        said = f"{post} ·（空缺）"
    elif post.user.name == post.title:  # an account that bears no person's name
        said = f"{post}（{post.user.username}）"
    else:
        said = f"{post} · {post.user.name}（{post.user.username}）"
    return Actor(post, said[:120], address or getattr(post, "address", ""))


def _seal(previous: str, event: Event) -> str:
    values = {name: getattr(event, name) for name in SEALED}
    values["at"] = event.at.astimezone(UTC).isoformat(timespec="microseconds")
    text = json.dumps([previous, values], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hmac.new(settings.AUDIT_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def record(
    action: str,
    label: str,
    *,
    by: Post | Actor | None,
    bureau: Institution | int | None,
    on: models.Model | None = None,
    institution: Institution | None = None,
    before: str = "",
    after: str = "",
    note: str = "",
    data: dict[str, Any] | None = None,
    at: datetime | None = None,
) -> Event:
    """Add one event to the bureau's chain; must run in the transaction of what it tells of."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("an event belongs in the transaction of its deed")
    who = by if isinstance(by, Actor) else actor(by)
    bureau_id = bureau.pk if isinstance(bureau, Institution) else bureau
    ChainHead.objects.get_or_create(key=bureau_id or 0)
    head = ChainHead.objects.select_for_update().get(key=bureau_id or 0)
    event = Event(
        bureau_id=bureau_id,
        seq=head.seq + 1,
        at=at or clock.now(),
        post=who.post,
        who=who.name,
        address=who.address,
        action=action,
        label=label,
        subject=on._meta.label_lower if on is not None else "",
        subject_id=on.pk if on is not None else None,
        subject_text=str(on)[:200] if on is not None else "",
        institution_text=institution.name if institution else "",
        before=before,
        after=after,
        note=note,
        data=data or {},
    )
    event.mac = _seal(head.mac, event)
    event.save(force_insert=True)
    ChainHead.objects.filter(pk=head.pk).update(seq=event.seq, mac=event.mac)
    return event


def digest(rows: Iterable[Any]) -> str:
    """Return the sha256 of a set of rows, for the one event of a deed over many."""
    sha = hashlib.sha256()
    for row in rows:
        sha.update(json.dumps(row, ensure_ascii=False, sort_keys=True, default=str).encode())
        sha.update(b"\n")
    return sha.hexdigest()


@dataclass(frozen=True)
class Break:
    """A place where a chain does not hold."""

    bureau_id: int | None
    seq: int
    reason: str

    def __str__(self) -> str:
        return f"记录链 {self.bureau_id or 0} 第 {self.seq} 条：{self.reason}"


def verify(
    heads: dict[int, tuple[int, str]] | None = None, *, keys: Iterable[int] | None = None
) -> Iterator[Break]:
    """Walk every chain, or those of `keys`, and yield each break.

    `heads` (key → seq, mac) are those exported earlier; a key is the bureau's id, 0 for the chain of no bureau.
    """
    for key in sorted(chains() | set(heads or {}) if keys is None else keys):
        yield from _verify_chain(key, (heads or {}).get(key))


def chains() -> set[int]:
    """Return the keys of all chains: those with a head, and those that have lost theirs."""
    written = Event.objects.order_by().values_list("bureau", flat=True).distinct()
    return set(ChainHead.objects.values_list("key", flat=True)) | {k or 0 for k in written}


def _verify_chain(key: int, anchor: tuple[int, str] | None) -> Iterator[Break]:
    bureau_id = key or None
    previous, expected, found_anchor = "", 1, anchor is None
    for event in Event.objects.filter(bureau=bureau_id).order_by("seq").iterator(chunk_size=2000):
        if event.seq != expected:
            yield Break(bureau_id, expected, f"缺失或顺序不对（下一条是第 {event.seq} 条）")
            expected = event.seq
        if not hmac.compare_digest(event.mac, _seal(previous, event)):
            yield Break(bureau_id, event.seq, "内容与链码不符")
        if anchor and event.seq == anchor[0]:
            found_anchor = True
            if event.mac != anchor[1]:
                yield Break(bureau_id, event.seq, "与导出的链头不符")
        previous, expected = event.mac, expected + 1
    if not found_anchor and anchor:
        yield Break(bureau_id, anchor[0], "导出过的链头已不存在：末尾的记录被删除")
    head = ChainHead.objects.filter(key=key).first()
    if head is None or (head.seq, head.mac) != (expected - 1, previous):
        yield Break(bureau_id, expected - 1, "链头与最后一条记录不符")


def heads() -> dict[int, tuple[int, str]]:
    """Return key → (seq, mac) of every chain, to be kept outside the database."""
    return {head.key: (head.seq, head.mac) for head in ChainHead.objects.order_by("key")}
