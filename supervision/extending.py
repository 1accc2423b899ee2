"""Extensions (延期): asked for by the institution with its reason, decided by who supervises it, at most twice."""

from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from institutions import audit, clock
from institutions.models import Post
from institutions.notifying import notify, posts_at
from institutions.workflow import Side, touch
from supervision.models import Extension, Rectification

ANSWER = "supervision.answer_rectification"
DECIDE = "supervision.verify_rectification"
WAITING = "上一次延期申请还没有审批"
USED_UP = "已经申请过两次延期，不能再申请"


def may_decide(row: Rectification, post: Post) -> bool:
    """Say whether this post decides the row's extensions."""
    return post.has_perm(DECIDE) and row.stands_on(Side.ASKS, post)


def why_not(row: Rectification) -> str:
    """Return why no extension can be asked for now, or nothing. One query."""
    if row.status not in Rectification.EDITABLE:
        return "签收后、申请销号前才能申请延期"
    counted = [e for e in row.extensions.all() if e.status != Extension.Status.LAPSED]
    if any(e.status == Extension.Status.ASKED for e in counted):
        return WAITING
    return USED_UP if len(counted) >= Extension.MOST else ""


def ask(row: Rectification, *, reason: str, wished: date, by: Post, version: int) -> Extension:
    """Ask for a later deadline. Raises PermissionDenied, StaleState, ValidationError."""
    if not by.has_perm(ANSWER) or not row.stands_on(Side.ANSWERS, by):
        raise PermissionDenied("延期由被督导机构申请")
    if not reason.strip():
        raise ValidationError("请写明延期理由")
    if wished <= row.due or wished < clock.today():
        raise ValidationError("申请延至的日期要晚于现在的整改时限，也不能早于今天")
    with transaction.atomic():
        touch(row, version=version, editable=Rectification.EDITABLE)
        if reason_against := why_not(row):
            raise ValidationError(reason_against)
        number = row.extensions.exclude(status=Extension.Status.LAPSED).count() + 1
        made = row.extensions.create(
            number=number,
            reason=reason,
            due_before=row.due,
            wished=wished,
            asked_by=by,
            asked_at=clock.now(),
        )
        _record(row, "ask", "申请延期", before=row.due, after=wished, note=reason, by=by)
        notify(
            posts_at([row.supervisor_id], DECIDE),
            f"{row.institution.known_as}申请整改延期至{wished:%Y年%-m月%-d日}",
            url=row.get_absolute_url(),
        )
    return made


def grant(extension: Extension, *, due: date, note: str = "", by: Post, version: int) -> None:
    """Grant a request, for the date wished or another one: the deadline moves. Raises as `ask` does."""
    row = _decided_by(extension, by)
    if due <= extension.due_before or due < clock.today():
        raise ValidationError("同意延至的日期要晚于原时限，也不能早于今天")
    with transaction.atomic():
        touch(row, version=version, editable=Rectification.EDITABLE)
        _decide(extension, Extension.Status.GRANTED, due=due, note=note, by=by)
        # What had fallen under the deadline that ends here is on record; from today on the new one counts.
        row.reminders.settle(row, clock.today())
        Rectification.objects.filter(pk=row.pk).update(due=due, since=clock.today())
        _record(row, "grant", "同意延期", before=row.due, after=due, note=note, by=by)
        row.due = due
        _tell(row, f"延期申请已同意，整改时限延至{due:%Y年%-m月%-d日}")


def refuse(extension: Extension, *, note: str, by: Post, version: int) -> None:
    """Refuse a request with a reason: the deadline stays. Raises as `ask` does."""
    row = _decided_by(extension, by)
    if not note.strip():
        raise ValidationError("请写明不同意的理由")
    with transaction.atomic():
        touch(row, version=version, editable=Rectification.EDITABLE)
        _decide(extension, Extension.Status.REFUSED, due=None, note=note, by=by)
        _record(row, "refuse", "不同意延期", before=row.due, after=row.due, note=note, by=by)
        _tell(row, "延期申请未获同意，请按原时限整改")


def _decided_by(extension: Extension, post: Post) -> Rectification:
    row = extension.rectification
    if not may_decide(row, post):
        raise PermissionDenied("延期由督导方审批")
    return row


def _decide(extension: Extension, status: str, *, due: date | None, note: str, by: Post) -> None:
    waiting = Extension.objects.filter(pk=extension.pk, status=Extension.Status.ASKED)
    done = waiting.update(
        status=status, due=due, opinion=note, decided_by=by, decided_at=clock.now()
    )
    if not done:
        raise ValidationError("这次延期申请已经审批过")
    extension.status, extension.due, extension.opinion = status, due, note


def _record(
    row: Rectification, verb: str, label: str, *, before: date, after: date, note: str, by: Post
) -> None:
    audit.record(
        f"supervision.extension.{verb}",
        label,
        by=by,
        bureau=row.bureau_id,
        on=row,
        institution=row.institution,
        before=f"{before:%Y-%m-%d}",
        after=f"{after:%Y-%m-%d}",
        note=note,
    )


def _tell(row: Rectification, text: str) -> None:
    notify(posts_at([row.institution_id], ANSWER), text, url=row.get_absolute_url())
