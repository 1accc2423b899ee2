"""Many at once: signing for, or closing, what a list has found; all of it or nothing, with one event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F

from institutions import audit, clock
from institutions.models import Post
from supervision.models import Rectification

MOST = 500


@dataclass(frozen=True)
class Refused:
    """A row that stands in the way of a deed over many, and why."""

    row: Rectification
    reason: str

    def __str__(self) -> str:
        return f"{self.row}：{self.reason}"


def rows_of(pks: Sequence[int]):
    """Return the rows with all that is needed to say who may move them, in one statement."""
    return (
        Rectification.objects.filter(pk__in=list(pks)[: MOST + 1])
        .select_related("institution__region", "supervisor", "author", "problem", "item")
        .order_by("pk")
    )


def sign_many(seen: Mapping[int, int], *, by: Post) -> int:
    """Sign for many (一并签收). `seen` maps a row to the version it was seen in. Raises ValidationError, PermissionDenied."""
    return _move_many("sign", seen, by=by, changes={"signed_at": clock.now()})


def close_many(seen: Mapping[int, int], *, note: str = "", by: Post) -> int:
    """Verify and close many (批量销号), each under the rule of a single one; returns how many.

    Raises ValidationError naming every row that cannot be closed, and then closes none.
    """
    changes = {"closed_at": clock.now(), "verifier": by, "opinion": note}
    return _move_many("close", seen, by=by, note=note, changes=changes)


def _move_many(
    name: str, seen: Mapping[int, int], *, by: Post, changes: Mapping[str, object], note: str = ""
) -> int:
    move = Rectification.MOVES[name]
    if not by.has_perm(move.perm):
        raise PermissionDenied(f"{move.label}不由本岗位办理")
    if not seen:
        raise ValidationError("请至少选择一项")
    if len(seen) > MOST:
        raise ValidationError(f"一次最多办理 {MOST} 项")
    with transaction.atomic():
        rows = list(rows_of(list(seen)).select_for_update(of=("self",)))
        if len(rows) != len(seen):
            raise ValidationError("有的整改已不存在，请刷新页面")
        if refused := [
            Refused(row, reason) for row in rows if (reason := _why_not(row, name, seen, by))
        ]:
            raise ValidationError([str(one) for one in refused])
        moved = Rectification.objects.filter(pk__in=list(seen), status__in=move.sources).update(
            status=move.target, version=F("version") + 1, **changes
        )
        if moved != len(rows):
            raise ValidationError("有的整改刚刚有了变化，请刷新页面")
        single = rows[0] if len(rows) == 1 else None
        audit.record(
            f"supervision.rectification.{name}",
            move.label if single else f"批量{move.label}",
            by=by,
            bureau=single.bureau_id if single else by.institution.bureau_id,
            on=single,
            institution=single.institution if single else None,
            before="、".join(sorted(move.sources)),
            after=move.target,
            note=note if single else "；".join(filter(None, [f"共 {len(rows)} 项", note])),
            data={
                "count": len(rows),
                "digest": audit.digest([row.pk, row.version, row.due] for row in rows),
            },
        )
    return len(rows)


def _why_not(row: Rectification, name: str, seen: Mapping[int, int], by: Post) -> str:
    move = Rectification.MOVES[name]
    if not row.may(name, by):
        return "不由本岗位办理"
    if row.status not in move.sources:
        return f"现在是“{row.get_status_display()}”"
    return "内容刚刚有了变化" if row.version != seen[row.pk] else ""
