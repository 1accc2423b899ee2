"""Effect checks (问效): after closing, whether it has held; what has come back is handed out anew."""

from collections.abc import Sequence
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from institutions import audit, clock
from institutions.models import Post, StoredFile
from institutions.workflow import Side, touch
from supervision.handing_out import NewProblem, hand_out
from supervision.models import EffectCheck, Rectification, Source

CLOSED = frozenset({Rectification.Status.CLOSED})
# From this long after closing a duty that nobody has looked at again is listed as 待问效.
WAIT = timedelta(days=30)


def may_check(row: Rectification, post: Post) -> bool:
    """Say whether this post looks after the effect, once it is closed: who asks, and is not of the institution."""
    return (
        post.has_perm("supervision.verify_rectification")
        and post.institution_id != row.institution_id
        and row.stands_on(Side.ASKS, post)
    )


def check_effect(
    row: Rectification,
    *,
    on: date,
    result: str,
    note: str,
    due: date | None = None,
    files: Sequence[StoredFile] = (),
    by: Post,
    version: int,
) -> EffectCheck:
    """Write down whether the closed duty has held; 反复 hands the problem out again, until `due`.

    Raises PermissionDenied, StaleState, ValidationError (a date before closing or to come; 反复 without a deadline).
    """
    if not may_check(row, by):
        raise PermissionDenied("问效由督导方进行")
    if row.closed_at and on < row.closed_at.astimezone(clock.SHANGHAI).date():
        raise ValidationError("回访日期不能早于销号日期")
    if on > clock.today():
        raise ValidationError("回访日期不能晚于今天")
    back = result == EffectCheck.Result.BACK
    if back and (due is None or due < clock.today()):
        raise ValidationError("反复的问题要重新交办，请填写今天以后的整改时限")
    with transaction.atomic():
        touch(row, version=version, editable=CLOSED)
        check = EffectCheck.objects.create(
            rectification=row, checked_on=on, result=result, note=note, author=by, at=clock.now()
        )
        check.files.add(*files)
        audit.record(
            "supervision.rectification.effect",
            f"问效：{check.get_result_display()}",
            by=by,
            bureau=row.bureau_id,
            on=row,
            institution=row.institution,
            note=note,
            data={"files": [[f.name, f.sha256] for f in files]} if files else None,
        )
        if back and due is not None:
            _hand_out_again(row, on=on, due=due, note=note, by=by, files=files)
    return check


def _hand_out_again(
    row: Rectification, *, on: date, due: date, note: str, by: Post, files: Sequence[StoredFile]
) -> None:
    old = row.problem
    again = NewProblem(
        institution=row.institution,
        source=Source.DAILY,
        year=on.year,
        item=old.item,
        clause=old.clause,
        category=old.category,
        severity=old.severity,
        text=f"{old.text}（问效发现反复：{note}）",
        groups=old.groups,
        aspects=old.aspects,
        found_on=on,
        due=due,
        found_by=by,
        origin="问效",
        campaign=old.campaign,
        recurs_from=old,
        files=tuple(files),
    )
    hand_out([again], by=by)
