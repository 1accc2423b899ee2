"""What if: a unit's year under other policy values, beside the year as it is; nothing of the year changes by trying.

A scenario is adopted by writing its values into the policy, all at once, by who may change it and before the freeze.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import cast

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from institutions import audit, clock
from institutions.models import Institution, Post
from scoring import policies, rules, year_end
from scoring.models import Scenario, YearResult
from scoring.year_end import Inputs, YearRefused

# What does not change a table that is computed: windows and months, points made from grades, proposals.
NOT_TRIED = frozenset(
    {"等级分", "反弹期", "签收期", "申诉期", "第二人复核", "自评偏差线", "自评偏差扣分"}
)
COMPARED = ("score", "rank", "grade", "due_amount", "approved_amount", "top_up")


def tried_keys() -> list[str]:
    """Return the keys of the policy that a scenario may change, in the order of the policy."""
    return [key for key in rules.POLICY_KEYS if key not in NOT_TRIED]


@dataclass(frozen=True)
class Change:
    """One institution whose year would be another one: the result as it is, and as it would be."""

    before: YearResult
    after: YearResult

    @property
    def institution(self) -> Institution:
        return self.before.institution

    @property
    def difference(self) -> Decimal:
        """How much more (or less) it would get, in yuan."""
        return self.after.approved_amount - self.before.approved_amount


@dataclass(frozen=True)
class Comparison:
    """Only the institutions for which something changes, in the order of the table as it would be."""

    changes: list[Change]
    institutions: int
    approved_before: Decimal
    approved_after: Decimal
    inputs: str

    @property
    def difference(self) -> Decimal:
        return self.approved_after - self.approved_before

    def count(self, field: str) -> int:
        return sum(getattr(c.before, field) != getattr(c.after, field) for c in self.changes)


def with_policy(inputs: Inputs, changes: Mapping[str, str]) -> Inputs:
    """Return the inputs under changed policy values; read again only where another method needs other facts.

    Raises YearRefused with the reason where the values make no policy.
    """
    rows = {**inputs.policy_rows, **changes}
    try:
        policy = rules.policy_from(rows, inputs.year)
    except rules.ScoringError as error:
        raise YearRefused([error.reason]) from error
    same = (policy.method, policy.composition) == (
        inputs.policy.method,
        inputs.policy.composition,
    )
    if not same:
        return year_end.read_inputs(inputs.unit, inputs.year, changes)
    return replace(inputs, policy_rows=rows, policy=policy)


def compare(unit: Institution, year: int, changes: Mapping[str, str]) -> Comparison:
    """Compute a unit's year as it is and under `changes`, in memory. Raises YearRefused."""
    inputs = year_end.read_inputs(unit, year)
    before = {row.institution.code: row for row in year_end.rows_from(inputs)}
    after = year_end.rows_from(with_policy(inputs, changes))
    moved = [
        Change(before[row.institution.code], row)
        for row in after
        if any(getattr(before[row.institution.code], f) != getattr(row, f) for f in COMPARED)
    ]
    return Comparison(
        moved,
        len(after),
        sum((row.approved_amount for row in before.values()), Decimal("0.00")),
        sum((row.approved_amount for row in after), Decimal("0.00")),
        inputs.digest(),
    )


def may_try(unit: Institution, post: Post) -> bool:
    return policies.may_write(unit, post)


def save(
    unit: Institution, year: int, name: str, changes: Mapping[str, str], *, by: Post
) -> Scenario:
    """Keep a scenario with its author and the hash of what it was computed from.

    Raises PermissionDenied, ValidationError (nothing changed, a value or the year cannot be computed, the name exists).
    """
    if not may_try(unit, by):
        raise PermissionDenied("测算方案由结算方有权修改政策的岗位拟定")
    now = policies.written_rows(unit, year)
    real = {
        key: value
        for key, value in changes.items()
        if key in rules.POLICY_KEYS and value and value != now.get(key)
    }
    if not real:
        raise ValidationError("请至少改动一项政策")
    try:
        digest = compare(unit, year, real).inputs
    except YearRefused as refused:
        raise ValidationError(refused.reasons[:10]) from refused
    try:
        with transaction.atomic():
            row = Scenario.objects.create(
                bureau_id=cast(int, unit.bureau_id),
                institution=unit,
                year=year,
                name=name,
                changes=real,
                inputs=digest,
                author=by,
            )
            _tell("try", "保存测算方案", row, by)
    except IntegrityError as error:
        raise ValidationError("本年度已有同名方案") from error
    return row


def adopt(row: Scenario, *, by: Post) -> None:
    """Write the scenario's values into the policy; refused after the freeze, and when adopted already."""
    unit = row.institution
    with transaction.atomic():
        held = Scenario.objects.select_for_update().get(pk=row.pk)
        if held.adopted_at is not None:
            raise ValidationError("这个方案已经采用")
        seen = policies.own_rows(unit, row.year)
        policies.write_all(unit, row.year, held.changes, by=by, seen=seen)
        held.adopted_at, held.adopted_by = clock.now(), by
        held.save(update_fields=["adopted_at", "adopted_by"])
        _tell("adopt", "采用测算方案", held, by)


def remove(row: Scenario, *, by: Post) -> None:
    """Delete a scenario of one's own that was not adopted; the trail keeps what it said."""
    if not may_try(row.institution, by):
        raise PermissionDenied("测算方案由结算方删除")
    with transaction.atomic():
        held = Scenario.objects.select_for_update().get(pk=row.pk)
        if held.adopted_at is not None:
            raise ValidationError("已经采用的方案不能删除")
        _tell("drop", "删除测算方案", held, by)
        held.delete()


def _tell(verb: str, label: str, row: Scenario, by: Post) -> None:
    audit.record(
        f"scoring.scenario.{verb}",
        label,
        by=by,
        bureau=row.bureau_id,
        on=row.institution,
        institution=row.institution,
        note=f"{row.year} 年，{row.name}",
        data={"year": row.year, "name": row.name, "changes": row.changes, "inputs": row.inputs},
    )
