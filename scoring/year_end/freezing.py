"""The deeds of a year's end: computed, confirmed by a second person, frozen; each by whom it may."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from institutions import audit, clock
from institutions.audit import Actor
from institutions.models import Institution, Post
from scoring import rules
from scoring.models import YearResult
from scoring.year_end.computing import compute
from scoring.year_end.inputs import YearRefused, read_inputs


def second_head(unit: Institution) -> str:
    """Say how a centre comes to a second person, given by the system administrator above; a bureau has leaders enough."""
    if unit.is_bureau:
        return ""
    return (
        "只有一位机构负责人的，请上级系统管理员给另一人（如分管副职）增设本机构的“机构负责人”任职，"
        "再由他办理"
    )


def may_settle(unit: Institution, post: Post) -> bool:
    """Say whether `post` settles this unit: its own, by the right to."""
    return post.has_perm("scoring.settle_year") and post.acts_for(unit.pk)


def may_freeze(unit: Institution, post: Post) -> bool:
    return post.has_perm("scoring.freeze_year") and post.acts_for(unit.pk)


def settle(
    unit: Institution, year: int, *, by: Post | Actor, freeze: bool = False
) -> list[YearResult]:
    """Compute and write the unit's year-end table; rows of an earlier run that is not frozen are replaced.

    Raises YearRefused (nothing is written then), also where the table is frozen: that is never computed again.
    """
    if isinstance(by, Post) and not may_settle(unit, by):
        raise PermissionDenied("年终结果由结算方计算")
    with transaction.atomic():
        # One settlement of a unit at a time; what it reads is what it writes under.
        Institution.objects.select_for_update().get(pk=unit.pk)
        before = YearResult.objects.filter(unit=unit, year=year)
        if before.filter(frozen_at__isnull=False).exists():
            raise YearRefused([f"{unit.name} {year} 年终表已定稿，不能重新计算"])
        rows = compute(unit, year)
        now, post = clock.now(), by if isinstance(by, Post) else by.post
        for row in rows:
            row.settled_at, row.settled_by = now, post
            if freeze:
                row.frozen_at, row.frozen_by = now, post
        before.delete()
        YearResult.objects.bulk_create(rows, batch_size=2000)
        _tell("settle", "计算年终结果", unit, year, rows, by)
        if freeze:
            _tell("freeze", "年终结果定稿", unit, year, rows, by)
    return rows


def may_confirm(unit: Institution, post: Post) -> bool:
    able = post.has_perm("scoring.settle_year") or post.has_perm("scoring.freeze_year")
    return able and post.acts_for(unit.pk)


def confirm(unit: Institution, year: int, *, by: Post, seen: str) -> int:
    """Confirm the table that was seen, by another person than who computed it (第二人复核); who confirms does not freeze.

    Raises YearRefused as `freeze` does.
    """
    if not may_confirm(unit, by):
        raise PermissionDenied("年终结果由结算方复核")
    with transaction.atomic():
        rows = _held(unit, year)
        _refuse_unfit(unit, year, rows, seen)
        _refuse_same(unit, rows[0].settled_by, by, "计算和复核应由两个人办理，请由另一人复核")
        YearResult.objects.filter(pk__in=[row.pk for row in rows]).update(
            confirmed_at=clock.now(), confirmed_by=by
        )
        _tell("confirm", "复核年终结果", unit, year, rows, by)
    return len(rows)


def _held(unit: Institution, year: int) -> list[YearResult]:
    """Lock the unit and return its table."""
    Institution.objects.select_for_update().get(pk=unit.pk)
    return list(
        YearResult.objects.filter(unit=unit, year=year)
        .select_related("settled_by", "confirmed_by", "institution")
        .order_by("position")
    )


def freeze(unit: Institution, year: int, *, by: Post, seen: str) -> int:
    """Freeze the table that was seen (its inputs' hash); by another person than who computed it.

    Raises YearRefused when there is no table, it is frozen, it or its inputs changed, or the same person settled it.
    """
    if not may_freeze(unit, by):
        raise PermissionDenied("年终结果由结算方负责人定稿")
    with transaction.atomic():
        rows = _held(unit, year)
        policy = _refuse_unfit(unit, year, rows, seen)
        _refuse_same(unit, rows[0].settled_by, by, "计算和定稿应由两个人办理，请由另一位负责人定稿")
        if policy.second_reader:
            if rows[0].confirmed_by is None:
                raise YearRefused(["按政策，年终表先由第二人复核，再定稿"])
            _refuse_same(
                unit, rows[0].confirmed_by, by, "复核和定稿应由两个人办理，请由另一位负责人定稿"
            )
        YearResult.objects.filter(pk__in=[row.pk for row in rows]).update(
            frozen_at=clock.now(), frozen_by=by
        )
        _tell("freeze", "年终结果定稿", unit, year, rows, by)
    return len(rows)


def _refuse_unfit(unit: Institution, year: int, rows: list[YearResult], seen: str) -> rules.Policy:
    """Refuse a table that is not there, frozen, or not what was seen and is computed now; return its policy."""
    if not rows:
        raise YearRefused([f"{unit.name} {year} 年还没有计算年终结果"])
    if any(row.is_frozen for row in rows):
        raise YearRefused([f"{unit.name} {year} 年终表已经定稿"])
    if rows[0].inputs != seen:
        raise YearRefused(["年终表已被重新计算，请核对后再办理"])
    inputs = read_inputs(unit, year)
    if inputs.digest() != seen:
        raise YearRefused(["计算之后评分、加减分、人口、预拨或政策有变化，请重新计算后再定稿"])
    return inputs.policy


def _refuse_same(unit: Institution, earlier: Post | None, by: Post, reason: str) -> None:
    if earlier and (earlier.pk == by.pk or (by.user_id and earlier.user_id == by.user_id)):
        raise YearRefused([reason, *filter(None, [second_head(unit)])])


def _tell(
    verb: str, label: str, unit: Institution, year: int, rows: list[YearResult], by: Post | Actor
) -> None:
    content = [[r.institution.code, str(r.score), r.rank, str(r.approved_amount)] for r in rows]
    audit.record(
        f"scoring.year.{verb}",
        label,
        by=by,
        bureau=unit.bureau_id,
        on=unit,
        institution=unit,
        note=f"{year} 年，机构 {len(rows)} 家",
        data={
            "year": year,
            "count": len(rows),
            "digest": audit.digest(content),
            "inputs": rows[0].inputs if rows else "",
        },
    )
