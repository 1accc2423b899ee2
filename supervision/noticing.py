"""Writing, issuing, receiving and withdrawing notices. A number is taken in the transaction that issues, so none is lost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from campaigns.models import Campaign
from institutions import audit, clock, files, official
from institutions.models import Institution, Post, StoredFile
from institutions.notifying import notify, posts_at
from institutions.official import Annex
from institutions.roles import Role
from institutions.workflow import touch
from supervision.models import (
    Notice,
    NoticeRecipient,
    NoticeRegister,
    Rectification,
    SupervisionRound,
    Visit,
)
from supervision.notice_papers import as_table, file_name, paper_of

WRITE = "supervision.write_notice"
ISSUE = "supervision.issue_notice"
RECEIVE = "supervision.receive_notice"
TEXT_FIELDS = ("word", "title", "addressee", "body", "due", "signer")


@dataclass
class Draft:
    """What a notice begins with; composed from the data of the floor that knows them."""

    kind: str
    title: str
    body: str
    addressee: str = ""
    annexes: Sequence[Annex] = ()
    recipients: Sequence[Institution] = ()
    due: date | None = None
    origin: str = ""
    campaign: Campaign | None = None
    round: SupervisionRound | None = None
    visit: Visit | None = None
    rectifications: Sequence[Rectification] = field(default_factory=list)


def may_write(post: Post) -> bool:
    """Say whether this post writes notices: it supervises somebody, and sees all items of his."""
    below = Institution.objects.supervised_by(post.institution)
    return post.has_perm(WRITE) and post.item_ids is None and below.exists()


def draft(content: Draft, *, by: Post) -> Notice:
    """Keep a first text, with the 机关代字 and signer of the last notice of its kind. Raises PermissionDenied."""
    if not may_write(by):
        raise PermissionDenied("通报通知由督导单位拟写")
    with transaction.atomic():
        notice = _new(content, by)
        audit.record(
            "supervision.notice.draft",
            f"拟写{notice.get_kind_display()}",
            by=by,
            bureau=notice.bureau_id,
            on=notice,
            institution=notice.institution,
            note=content.origin,
        )
    return notice


def _new(content: Draft, by: Post) -> Notice:
    notice = Notice(
        institution=by.institution,
        supervisor=by.institution,
        author=by,
        kind=content.kind,
        word=_last_word(by.institution, content.kind),
        title=content.title[:200],
        addressee=content.addressee[:200],
        body=content.body,
        due=content.due,
        tables=[as_table(annex) for annex in content.annexes],
        origin=content.origin[:160],
        campaign=content.campaign,
        round=content.round,
        visit=content.visit,
        signer=_usual_signer(by),
    )
    notice.save()
    notice.rectifications.set(content.rectifications)
    _address(notice, content.recipients)
    return notice


def _last_word(office: Institution, kind: str) -> str:
    """Return the 机关代字 last used for this kind, else for any notice of the office."""
    used = Notice.objects.filter(institution=office).exclude(word="").order_by("-pk")
    words = used.values_list("word", flat=True)
    return words.filter(kind=kind).first() or words.first() or ""


def signers(office: Institution) -> Any:
    """Return the posts that may sign for an office: its leader or head, in office."""
    return Post.objects.held().filter(institution=office, role__in=(Role.LEADER, Role.HEAD))


def _usual_signer(by: Post) -> Post | None:
    posts = signers(by.institution).order_by("pk")
    return posts.filter(pk=by.pk).first() or posts.first()


def _address(notice: Notice, units: Iterable[Institution]) -> None:
    wanted = {unit.pk for unit in units}
    notice.recipients.exclude(institution__in=wanted).delete()
    known = set(notice.recipients.values_list("institution", flat=True))
    NoticeRecipient.objects.bulk_create(
        NoticeRecipient(notice=notice, institution_id=pk) for pk in sorted(wanted - known)
    )


def save(
    notice: Notice,
    *,
    by: Post,
    version: int,
    units: Iterable[Institution],
    tables: Sequence[dict[str, Any]],
    **fields: Any,
) -> None:
    """Keep the text of a draft, its recipients and the annexes that stay. Raises PermissionDenied, StaleState."""
    if not notice.may("drop", by):
        raise PermissionDenied("拟稿由发文单位修改")
    with transaction.atomic():
        touch(notice, version=version, editable=Notice.EDITABLE)
        for name in TEXT_FIELDS:
            setattr(notice, name, fields[name])
        notice.tables = list(tables)
        notice.save(update_fields=[*TEXT_FIELDS, "tables"])
        _address(notice, units)
        audit.record(
            "supervision.notice.save",
            "修改拟稿",
            by=by,
            bureau=notice.bureau_id,
            on=notice,
            institution=notice.institution,
            data={"sha256": audit.digest([notice.title, notice.body, notice.tables])},
        )


def issue(notice: Notice, *, by: Post, version: int) -> None:
    """Number, freeze and send a draft; a notice that it withdraws ends in the same transaction.

    Raises what `Workflow._move` raises; nothing of it is left then, neither number nor file.
    """
    stored: list[StoredFile] = []
    try:
        with transaction.atomic():
            _issue(notice, by, version, stored)
    except BaseException:
        for file in stored:
            file.path.unlink(missing_ok=True)
        # The row in memory was moved before the transaction was undone.
        notice.refresh_from_db()
        raise


def _issue(notice: Notice, by: Post, version: int, stored: list[StoredFile]) -> None:
    # Held first, so that what is frozen is what stands there: the text of exactly this version.
    held = Notice.objects.select_for_update(of=("self",)).select_related("institution", "signer")
    fresh = held.get(pk=notice.pk)
    day, moment = clock.today(), clock.now()
    signer = fresh.signer.title if fresh.signer else ""
    number = 0
    numbered: dict[str, Any] = {}
    if fresh.word and fresh.is_draft and fresh.version == version:
        number = next_number(fresh.institution, year=day.year, word=fresh.word)
        text = f"{fresh.word}〔{day.year}〕{number}号"
        content = official.write(paper_of(fresh, number=text, day=day, signer=signer))
        fresh.number, fresh.year = number, day.year
        file = files.keep(
            content,
            name=file_name(fresh),
            kind="docx",
            content_type=official.CONTENT_TYPE,
            by=by,
        )
        stored.append(file)
        numbered = {
            "number": number,
            "year": day.year,
            "paper": file,
            "sha256": file.sha256,
            "signer_title": signer,
        }
    notice._move(
        "issue",
        by=by,
        version=version,
        note=fresh.number_text,
        data={"number": number, "sha256": numbered.get("sha256", "")},
        issued_on=day,
        issued_at=moment,
        **numbered,
    )
    if fresh.withdraws_id:
        old = Notice.objects.get(pk=fresh.withdraws_id)
        old._move("withdraw", by=by, version=old.version, note=f"依据 {fresh.number_text}")
    told = posts_at(notice.recipients.values_list("institution", flat=True), RECEIVE)
    notify(told, f"请签收：{notice.title}", url=notice.get_absolute_url())


def drop(notice: Notice, *, by: Post, version: int) -> None:
    """Give up a draft; it has taken no number."""
    notice._move("drop", by=by, version=version)


def next_number(office: Institution, *, year: int, word: str) -> int:
    """Take the next number of a register; must run in the transaction that uses it, so that none is lost."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a number is taken in the transaction that uses it")
    NoticeRegister.objects.get_or_create(institution=office, year=year, word=word)
    row = NoticeRegister.objects.select_for_update().get(institution=office, year=year, word=word)
    row.last += 1
    row.save(update_fields=["last"])
    return row.last


def withdraw(notice: Notice, *, by: Post, version: int, note: str) -> Notice:
    """Draft the paper that withdraws an issued one; that one stands until the other is issued.

    Raises PermissionDenied, StaleState, and ValidationError when such a paper is drafted already.
    """
    if not notice.may("withdraw", by):
        raise PermissionDenied("由发文单位撤回")
    if notice.withdrawals.exclude(status=Notice.Status.DROPPED).exists():
        raise ValidationError("撤回这份文件的通知已经拟写，请在拟稿中印发")
    name = f"《{notice.title}》（{notice.number_text}）"
    content = Draft(
        kind=Notice.Kind.RECALL,
        title=f"关于撤回{notice.number_text}文件的通知",
        addressee=notice.addressee,
        body=f"经研究，决定撤回{name}，自本通知印发之日起停止执行。\n撤回原因：{note}",
        recipients=[row.institution for row in notice.recipients.select_related("institution")],
        origin=notice.number_text,
        campaign=notice.campaign,
    )
    with transaction.atomic():
        touch(notice, version=version, editable=frozenset({Notice.Status.ISSUED}))
        made = _new(content, by)
        made.word = notice.word
        made.withdraws = notice
        made.save(update_fields=["word", "withdraws"])
        audit.record(
            "supervision.notice.recall",
            "拟写撤回通知",
            by=by,
            bureau=notice.bureau_id,
            on=notice,
            institution=notice.institution,
            note=note,
        )
    return made


def receive(notice: Notice, *, by: Post) -> bool:
    """Confirm receipt for the post's institution; False when that had been done before.

    Raises PermissionDenied for an institution it was not sent to.
    """
    row = notice.recipients.filter(institution=by.institution_id).first()
    if row is None or notice.status not in Notice.SHOWN or not by.has_perm(RECEIVE):
        raise PermissionDenied("本单位不是这份文件的主送机构")
    with transaction.atomic():
        waiting = NoticeRecipient.objects.filter(pk=row.pk, received_at__isnull=True)
        if not waiting.update(received_at=clock.now(), received_by=by):
            return False
        audit.record(
            "supervision.notice.receive",
            "签收",
            by=by,
            bureau=notice.bureau_id,
            on=notice,
            institution=by.institution,
        )
    return True
