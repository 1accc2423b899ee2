"""Showing things to everybody by decision, and hearing what they say: publications, objections, receipts, the throttle.

Source: 主动公开活动流程和结果，接受社会和群众监督 (中卫市优质服务基层行方案).
"""

import ipaddress
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

from campaigns.models import Objection, Publication, PublicAttempt
from institutions import audit, clock
from institutions.codes import mask_personal
from institutions.models import Institution, Post, StoredFile
from institutions.models.holidays import work_calendar
from institutions.notifying import notify, posts_at
from institutions.passwords import CODE_ALPHABET
from institutions.workflow import touch

VIEW = "campaigns.view_publication"
WRITE = "campaigns.write_publication"
DECIDE = "campaigns.decide_publication"
ANSWER = "campaigns.answer_objection"

# Working days in which an objection is answered.
ANSWER_WORKDAYS = 10
# Of an alphabet without look-alikes.
RECEIPT_LENGTH = 10
HOUR = timedelta(hours=1)
# An hour: from one address, and from all of them together (docs/public.md).
LIMITS = {"objection": (10, 200), "receipt": (20, 2000)}


class TooMany(Exception):
    """This client, or all together, have done that too often within the hour."""


def refuse_personal(text: str) -> None:
    """Refuse a text with a mobile or an identity number in it. Raises ValidationError."""
    plain = unicodedata.normalize("NFKC", text)
    if mask_personal(plain) != plain:
        raise ValidationError("请删去手机号码、身份证号")


# --- Publications ----------------------------------------------------------------------------------


def save_publication(
    row: Publication, *, by: Post, version: int = 0, files: Sequence[StoredFile] = ()
) -> None:
    """Keep a new draft, or change one; whoever saved last is its author. Raises PermissionDenied, StaleState."""
    with transaction.atomic():
        if row.pk is None:
            row.institution = row.supervisor = by.institution
        else:
            touch(row, version=version, editable=Publication.EDITABLE)
        _may_write(row, by)
        new = row.pk is None
        row.author = by
        row.save()
        row.files.add(*files)
        _record(row, by, "拟写公开内容" if new else "修改公开内容")


def _may_write(row: Publication, by: Post) -> None:
    if not by.has_perm(WRITE) or by.institution_id != row.institution_id:
        raise PermissionDenied("由拟稿的卫生健康行政部门办理")


def _record(row: Publication, by: Post, label: str, **data: Any) -> None:
    audit.record(
        "campaigns.publication.save",
        label,
        by=by,
        bureau=row.bureau_id,
        on=row,
        institution=row.institution,
        data={**data, "digest": contents_digest(row)},
    )


def contents_digest(row: Publication) -> str:
    """Return a digest of all that is shown: whoever asks later what stood there can prove it."""
    table = row.table or {}
    parts = [row.title, row.text, str(table.get("headers", "")), str(table.get("rows", ""))]
    return audit.digest([*parts, *sorted(row.files.values_list("sha256", flat=True))])


def set_table(row: Publication, table: dict[str, Any] | None, *, by: Post, version: int) -> None:
    """Freeze a table into a draft, or take it out. Raises PermissionDenied, StaleState, ValidationError."""
    _may_write(row, by)
    if table and table["money"] and row.kind != Publication.Kind.FUNDS:
        raise ValidationError("只有资金公示可以公布金额")
    with transaction.atomic():
        touch(row, version=version, editable=Publication.EDITABLE)
        row.table, row.author = table, by
        row.save(update_fields=["table", "author"])
        _record(
            row,
            by,
            "取数形成附表" if table else "去掉附表",
            rows=len(table["rows"]) if table else 0,
        )


def remove_file(row: Publication, file: StoredFile, *, by: Post, version: int) -> None:
    _may_write(row, by)
    with transaction.atomic():
        touch(row, version=version, editable=Publication.EDITABLE)
        row.files.remove(file)
        _record(row, by, f"删除附件{file.name}"[:40])


def start_replacement(old: Publication, *, by: Post) -> Publication:
    """Draft what will replace a published one, with its words and table; the old one stays until a leader decides.

    Raises PermissionDenied, ValidationError (not shown, or a draft of it is under way).
    """
    _may_write(old, by)
    if not old.is_shown:
        raise ValidationError("只有正在公开的内容可以替换")
    row = Publication(
        kind=old.kind,
        title=old.title,
        text=old.text,
        campaign=old.campaign,
        workdays=old.workdays,
        table=old.table,
        replaces=old,
    )
    try:
        save_publication(row, by=by, files=list(old.files.all()))
    except IntegrityError as error:
        raise ValidationError("替换它的新稿已经在办理") from error
    return row


def submit(row: Publication, *, by: Post, version: int) -> None:
    """Put a draft before the bureau's leaders."""
    with transaction.atomic():
        row._move("submit", by=by, version=version)
        leaders = posts_at([row.institution_id], DECIDE)
        notify(leaders, f"请决定是否公开：{row.title}", url=row.get_absolute_url())


def discard(row: Publication, *, by: Post, version: int) -> None:
    row._move("discard", by=by, version=version)


def send_back(row: Publication, *, by: Post, version: int, note: str) -> None:
    with transaction.atomic():
        row._move("send_back", by=by, version=version, note=note, opinion=note)
        _tell_author(row, f"公开内容被退回修改：{row.title}")


def publish(row: Publication, *, by: Post, version: int) -> None:
    """Show it to everybody from today; what it replaces goes in the same transaction."""
    today = clock.today()
    ends = None
    if row.workdays:
        ends = work_calendar(today).add_workdays(today, row.workdays)
    with transaction.atomic():
        row._move(
            "publish",
            by=by,
            version=version,
            published_on=today,
            ends=ends,
            decided_by=by,
            opinion="",
            data={"digest": contents_digest(row)},
        )
        old = row.replaces
        if old is not None:
            old._move(
                "supersede",
                by=by,
                version=old.version,
                removed_on=today,
                note=f"由“{row.title}”替换",
            )
        _tell_author(row, f"已发布：{row.title}")


def withdraw(row: Publication, *, by: Post, version: int, note: str) -> None:
    """Take it down; its address tells the day and the reason, nothing else."""
    refuse_personal(note)
    with transaction.atomic():
        row._move(
            "withdraw", by=by, version=version, note=note, opinion=note, removed_on=clock.today()
        )
        _tell_author(row, f"已撤下：{row.title}")


def _tell_author(row: Publication, text: str) -> None:
    if row.author is not None:
        notify([row.author], text, url=row.get_absolute_url())


# --- What anybody may read --------------------------------------------------------------------------


def showing_bureaus() -> QuerySet[Institution]:
    """Return the bureaus that show something today."""
    shown = Publication.objects.shown().order_by().values("institution")
    return Institution.objects.filter(pk__in=shown).order_by("code")


def shown_by(code: str) -> QuerySet[Publication]:
    """Return what a bureau shows today, the newest first; nothing for any other code."""
    rows = Publication.objects.shown().filter(institution__code=code)
    return rows.select_related("institution").order_by("-published_on", "-pk")


def decided(code: str) -> QuerySet[Publication]:
    """Return what a bureau shows or has shown: the latter only says that it is gone."""
    S = Publication.Status
    rows = Publication.objects.filter(
        institution__code=code, status__in=(S.PUBLISHED, S.REPLACED, S.WITHDRAWN)
    )
    return rows.select_related("institution")


def successor(row: Publication) -> Publication | None:
    """Return the published one that took the place of `row`."""
    found = row.followers.filter(published_on__isnull=False).select_related("institution")
    return found.first()


# --- Objections -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Received:
    """What became of one sending: the receipt number is told this once; empty when the same form came again."""

    objection: Objection
    receipt: str


def new_receipt() -> str:
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(RECEIPT_LENGTH))


def receipt_digest(typed: str) -> str:
    """Return how a receipt number is kept: upper case, without blanks and hyphens, under the portal's key."""
    plain = unicodedata.normalize("NFKC", typed).upper()
    plain = "".join(sign for sign in plain if sign.isalnum())
    return salted_hmac("campaigns.objection.receipt", plain, algorithm="sha256").hexdigest()


def client_digest(address: str) -> str:
    """Return the client an address stands for, unreadable: an IPv6 host counts with its /64."""
    try:
        ip = ipaddress.ip_address(address)
        if ip.version == 6:
            address = str(ipaddress.ip_network(f"{ip}/64", strict=False))
    except ValueError:
        address = "unknown"
    return salted_hmac("campaigns.public.client", address, algorithm="sha256").hexdigest()[:32]


def throttle(kind: str, address: str) -> None:
    """Raise `TooMany` when the hour's measure of the client or of all is full; counts nothing."""
    since = clock.now() - HOUR
    each, together = LIMITS[kind]
    rows = PublicAttempt.objects.filter(kind=kind, at__gt=since)
    own = rows.filter(client=client_digest(address))
    if own[:each].count() >= each or rows[:together].count() >= together:
        raise TooMany


def count_attempt(kind: str, address: str) -> None:
    """Count one attempt, and forget those of yesterday."""
    forget_attempts()
    PublicAttempt.objects.create(kind=kind, client=client_digest(address), at=clock.now())


def forget_attempts() -> None:
    """Delete what no measure counts any more."""
    PublicAttempt.objects.filter(at__lt=clock.now() - 24 * HOUR).delete()


def receive(
    publication: Publication,
    *,
    key: UUID,
    address: str,
    text: str,
    name: str = "",
    phone: str = "",
) -> Received:
    """Take in an objection within the period and tell those who answer.

    `key` is the form's: the same form sent twice is one objection. Raises ValidationError (period over, a number in the
    text), TooMany.
    """
    refuse_personal(text)
    if (known := Objection.objects.filter(key=key).first()) is not None:
        return Received(known, "")
    if not publication.takes_objections:
        raise ValidationError("公示期已过，不再接收意见")
    throttle("objection", address)
    receipt, today = new_receipt(), clock.today()
    row = Objection(
        institution=publication.institution,
        supervisor=publication.institution,
        publication=publication,
        text=text,
        name=name,
        phone=phone,
        key=key,
        receipt=receipt_digest(receipt),
        due=work_calendar(today).add_workdays(today, ANSWER_WORKDAYS),
    )
    try:
        with transaction.atomic():
            count_attempt("objection", address)
            row.save()
            audit.record(
                "campaigns.objection.receive",
                "收到意见",
                by=audit.Actor(None, "社会公众"),
                bureau=row.bureau_id,
                on=row,
                institution=row.institution,
            )
            notify(
                _answering(publication),
                f"收到对“{publication.title}”的意见，请在时限内答复",
                url=row.get_absolute_url(),
            )
    except IntegrityError:
        # The same form from two windows at once: the other one was first.
        return Received(Objection.objects.get(key=key), "")
    return Received(row, receipt)


def _answering(publication: Publication) -> list[int]:
    """The post that wrote the publication while somebody holds it, else all that may answer."""
    able = posts_at([publication.institution_id], ANSWER)
    return [publication.author_id] if publication.author_id in able else able


def look_up(receipt: str, *, address: str) -> Objection | None:
    """Return the objection of a receipt number, or nothing; wrong numbers are counted. Raises TooMany."""
    throttle("receipt", address)
    found = (
        Objection.objects.filter(receipt=receipt_digest(receipt))
        .select_related("publication__institution")
        .first()
    )
    if found is None:
        count_attempt("receipt", address)
    return found


def reply(row: Objection, *, by: Post, version: int, answer: str) -> None:
    """Answer once; whoever holds the receipt reads it. Raises ValidationError (empty, personal numbers)."""
    if not answer.strip():
        raise ValidationError("请填写答复")
    refuse_personal(answer)
    row._move("reply", by=by, version=version, answer=answer, answered_on=clock.today())


def may_reveal(row: Objection, post: Post) -> bool:
    return post.has_perm(ANSWER) and post.acts_for(row.institution_id) and row.has_contact


def reveal(row: Objection, *, by: Post) -> None:
    """Write down that name and phone are looked at. Raises PermissionDenied."""
    if not may_reveal(row, by):
        raise PermissionDenied("称呼和电话只由答复的岗位查看")
    with transaction.atomic():
        audit.record(
            "campaigns.objection.reveal",
            "查看提意见人的称呼和电话",
            by=by,
            bureau=row.bureau_id,
            on=row,
            institution=row.institution,
        )


def purge_contacts(bureau: Institution, *, before: Any) -> int:
    """Blank name and phone of objections received before a moment; returns how many had either."""
    rows = Objection.objects.filter(
        institution=bureau, received_at__lt=before, purged_at__isnull=True
    )
    named = rows.exclude(name="", phone="").count()
    rows.update(name="", phone="", purged_at=clock.now())
    return named
