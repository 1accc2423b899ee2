"""Centre → clinics: a quarter's pool split by verified equivalents and quality, to the cent, by the rule of 当量法."""

from decimal import Decimal
from fractions import Fraction

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from institutions import audit
from institutions.models import Institution, Post
from institutions.notifying import notify, posts_at
from institutions.rounding import plain_text, split
from institutions.workflow import touch
from scoring import rules, year_end
from scoring.models import Allocation, AllocationPart
from scoring.policies import written_rows
from scoring.year_end import Inputs, YearRefused

SETTLE = "scoring.settle_year"


def may_allocate(unit: Institution, post: Post) -> bool:
    """Say whether `post` splits the money of this centre: its own, and it has clinics below."""
    return post.has_perm(SETTLE) and post.acts_for(unit.pk) and not unit.is_bureau


def weights(
    unit: Institution, year: int, quarter: int
) -> tuple[dict[Institution, Decimal], dict[str, list[str]]]:
    """Return the effective equivalents of a quarter by clinic, and by 机构代码 how they came about.

    Quality is that of the service item on the clinic's own sheet of the quarter. Raises YearRefused.
    """
    rows = written_rows(unit, year)
    try:
        inputs = Inputs(unit, year, rows, rules.policy_from(rows, year))
    except rules.ScoringError as error:
        raise YearRefused([error.reason]) from error
    year_end.read_sheets(inputs)
    told: dict[str, list[str]] = {code: [] for code in inputs.institutions}
    sums = dict.fromkeys(inputs.institutions, Decimal(0))
    for row in year_end.read_work(inputs):
        if row["quarter"] != quarter:
            continue
        factor = rules.applied_quality(row["quality"], inputs.policy)
        # 2 + 4 + 4 places: a product of decimals this short is exact.
        weight = row["quantity"] * row["coefficient"] * factor
        sums[row["code"]] += weight
        told[row["code"]].append(
            f"{row['name']}：核定数量 {plain_text(row['quantity'])} × 当量系数 "
            f"{plain_text(row['coefficient'])} × 质量系数 {factor:.4f} = {plain_text(weight)}"
        )
    return {inputs.institutions[code]: weight for code, weight in sums.items()}, told


def allocate(*, by: Post, year: int, quarter: int, pool: Decimal, basis: str) -> Allocation:
    """Draw up the allocation of a quarter. Raises ValidationError: no verified work, one is there already."""
    unit = by.institution
    if not may_allocate(unit, by):
        raise PermissionDenied("季度分配由中心（卫生院）负责人办理")
    row = Allocation(
        institution=unit,
        supervisor=unit,
        author=by,
        year=year,
        quarter=quarter,
        pool=pool,
        basis=basis,
    )
    try:
        with transaction.atomic():
            row.save()
            _split(row)
            _record("allocate", "拟制季度分配", row, by)
    except IntegrityError as error:
        raise ValidationError(f"{year} 年第 {quarter} 季度已经有分配") from error
    return row


def change(row: Allocation, *, by: Post, version: int, pool: Decimal, basis: str) -> None:
    """Change the pool of a draft and split it anew by the work as it is verified now."""
    if not row.may("finalise", by):
        raise PermissionDenied("季度分配由本中心办理")
    with transaction.atomic():
        touch(row, version=version, editable=Allocation.OPEN)
        row.pool, row.basis = pool, basis
        Allocation.objects.filter(pk=row.pk).update(pool=pool, basis=basis)
        row.parts.all().delete()
        _split(row)
        _record("change", "重新计算季度分配", row, by)


def finalise(row: Allocation, *, by: Post, version: int) -> None:
    with transaction.atomic():
        row.finalise(by=by, version=version)
        notify(
            posts_at(row.parts.values_list("institution", flat=True), "scoring.view_yearresult"),
            f"{row.year}年第{row.quarter}季度经费分配已定，请查看本机构的一份",
            url=row.get_absolute_url(),
        )


def _split(row: Allocation) -> None:
    try:
        weighed, told = weights(row.institution, row.year, row.quarter)
    except YearRefused as refused:
        raise ValidationError(refused.reasons) from refused
    by_code = {unit.code: weight for unit, weight in weighed.items()}
    if not sum(by_code.values()):
        raise ValidationError(f"{row.year} 年第 {row.quarter} 季度还没有核定的工作量，不能分配")
    shares = split(row.pool, by_code)
    AllocationPart.objects.bulk_create(
        AllocationPart(
            bureau_id=row.bureau_id,
            institution=unit,
            year=row.year,
            allocation=row,
            weight=plain_text(weight),
            amount=shares[unit.code],
            told=told[unit.code],
        )
        for unit, weight in weighed.items()
    )


def price(row: Allocation) -> Fraction | None:
    """Yuan for one equivalent, for display."""
    whole = sum((Fraction(part.weight) for part in row.parts.all()), Fraction(0))
    return Fraction(row.pool) / whole if whole else None


def _record(verb: str, label: str, row: Allocation, by: Post) -> None:
    parts = [[p.institution.code, str(p.amount)] for p in row.parts.select_related("institution")]
    audit.record(
        f"scoring.allocation.{verb}",
        label,
        by=by,
        bureau=row.bureau_id,
        on=row,
        institution=row.institution,
        note=f"资金池 {row.pool} 元，{len(parts)} 家",
        data={"pool": str(row.pool), "count": len(parts), "digest": audit.digest(parts)},
    )
