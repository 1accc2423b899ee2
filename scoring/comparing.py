"""The methods of a funding year side by side: what every institution would get by each, beside what its work costs.

Computed by the year-end itself (`year_end.rows_from`) from the same inputs under another policy, so that the chosen column is
the year-end table to the cent. 钱随事走: the last columns are what the verified work and the task numbers cost.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.db.models import ExpressionWrapper, F, Sum

from institutions.fields import FixedField
from institutions.models import Institution
from institutions.rounding import half_up
from scoring import rules, year_end
from scoring.models import PlannedWork, Workload, WorkUnit
from scoring.year_end import Inputs, YearRefused

ZERO = Decimal("0.00")
# label, method, 修正方式 (None: the policy's own)
METHODS = (
    (rules.BY_RATIO, rules.BY_RATIO, None),
    ("当量法（全额）", rules.BY_EQUIVALENTS, rules.QUALITY_ALWAYS),
    ("当量法（低于阈值）", rules.BY_EQUIVALENTS, rules.QUALITY_BELOW),
    (rules.BY_PRICE, rules.BY_PRICE, None),
)
LABELS = tuple(label for label, _, _ in METHODS)


@dataclass
class Line:
    """One institution: its amount by each method (None where the method cannot be computed), and its costs."""

    institution: Institution
    people: int | None
    prepaid: Decimal
    amounts: list[Decimal | None]
    chosen: Decimal | None
    worked: Decimal  # Σ 核定数量 × 单位成本
    planned: Decimal | None  # Σ 任务数 × 单位成本

    @property
    def differences(self) -> list[Decimal | None]:
        """Each method's amount less the chosen one's."""
        return [
            None if one is None or self.chosen is None else one - self.chosen
            for one in self.amounts
        ]

    @property
    def cells(self) -> list[tuple[str, Decimal | None, Decimal | None]]:
        """Each method by name with its amount and the difference."""
        return list(zip(LABELS, self.amounts, self.differences, strict=True))


@dataclass
class Service:
    """One service of the list: what was planned and done in the unit's reach, and what that costs and earns."""

    unit: WorkUnit
    planned: int
    done: Decimal

    @property
    def cost(self) -> Decimal | None:
        return None if self.unit.cost is None else half_up(self.done * self.unit.cost, 2)

    @property
    def earned(self) -> Decimal | None:
        """By price, before quality."""
        return None if self.unit.price is None else half_up(self.done * self.unit.price, 2)


@dataclass
class Comparison:
    """All of it; `refused` says by method why it cannot be computed."""

    unit: Institution
    year: int
    policy: rules.Policy
    chosen: int
    lines: list[Line] = field(default_factory=list)
    refused: dict[str, list[str]] = field(default_factory=dict)
    # What 当量法 is tried with where the policy names no pool: the same money, split by work.
    assumed_pool: Decimal | None = None

    @property
    def totals(self) -> list[Decimal | None]:
        return [
            None
            if LABELS[place] in self.refused
            else sum((line.amounts[place] or ZERO for line in self.lines), ZERO)
            for place in range(len(METHODS))
        ]

    @property
    def worked(self) -> Decimal:
        return sum((line.worked for line in self.lines), ZERO)

    @property
    def planned(self) -> Decimal:
        return sum((line.planned or ZERO for line in self.lines), ZERO)

    @property
    def prepaid(self) -> Decimal:
        return sum((line.prepaid for line in self.lines), ZERO)


def compare(unit: Institution, year: int) -> Comparison:
    """Compute a unit's year by every method. Raises YearRefused when there is nothing to compute at all."""
    inputs = year_end.read_inputs(unit, year, all_methods=True)
    policy = inputs.policy
    chosen = next(
        place
        for place, (_, method, rule) in enumerate(METHODS)
        if method == policy.method and rule in (None, policy.quality_rule)
    )
    found = Comparison(unit, year, policy, chosen)
    columns: list[dict[str, Decimal]] = []
    for place, (label, method, _) in enumerate(METHODS):
        columns.append(_amounts(inputs, place, found))
        if method == rules.BY_RATIO and policy.pool is None and label not in found.refused:
            found.assumed_pool = sum(columns[place].values(), ZERO) or None
            inputs.policy = replace(policy, pool=found.assumed_pool)
    worked, planned = _costs(unit, year)
    for code, one in sorted(inputs.institutions.items()):
        amounts = [column.get(code) for column in columns]
        found.lines.append(
            Line(
                one,
                inputs.people.get(code),
                inputs.prepaid.get(code, ZERO),
                amounts,
                amounts[chosen],
                worked.get(one.pk, ZERO),
                planned.get(one.pk),
            )
        )
    return found


def _amounts(inputs: Inputs, place: int, found: Comparison) -> dict[str, Decimal]:
    label, method, rule = METHODS[place]
    policy = replace(inputs.policy, method=method, quality_rule=rule or inputs.policy.quality_rule)
    lacking = sorted(set(inputs.institutions) - set(inputs.people))
    if method == rules.BY_RATIO and lacking:
        names = "、".join(inputs.institutions[code].known_as for code in lacking[:5])
        found.refused[label] = [f"没有填写服务人口：{names}"]
        return {}
    if method == rules.BY_PRICE and not inputs.work:
        found.refused[label] = ["没有核定的工作量"]
        return {}
    try:
        results = year_end.rows_from(replace(inputs, policy=policy))
    except YearRefused as refused:
        found.refused[label] = refused.reasons
        return {}
    return {row.institution.code: row.approved_amount for row in results}


def _costs(unit: Institution, year: int) -> tuple[dict[int, Decimal], dict[int, Decimal]]:
    """Return by institution what its verified work and its task numbers cost; two queries."""
    worked: dict[int, Decimal] = {}
    rows = Workload.objects.filter(
        institution__parent=unit,
        year=year,
        approved__isnull=False,
        work_unit__cost__isnull=False,
    )
    for pk, done, cost in rows.values_list("institution", "approved", "work_unit__cost"):
        if done is not None and cost is not None:
            worked[pk] = worked.get(pk, Decimal(0)) + done * cost
    money = ExpressionWrapper(F("number") * F("work_unit__cost"), output_field=FixedField())
    planned = (
        PlannedWork.objects.filter(institution__parent=unit, year=year)
        .order_by()
        .values("institution")
        .annotate(whole=Sum(money))
        .values_list("institution", "whole")
    )
    return (
        {pk: half_up(whole, 2) for pk, whole in worked.items()},
        {pk: whole for pk, whole in planned if whole is not None},
    )


def services(unit: Institution, year: int) -> list[Service]:
    """Return the services of the bureau's list with what the unit's institutions planned and did; three queries."""
    planned = dict(
        PlannedWork.objects.filter(institution__parent=unit, year=year)
        .order_by()
        .values_list("work_unit")
        .annotate(n=Sum("number"))
    )
    done = dict(
        Workload.objects.filter(institution__parent=unit, year=year, approved__isnull=False)
        .order_by()
        .values_list("work_unit")
        .annotate(n=Sum("approved"))
    )
    units = WorkUnit.objects.filter(institution=unit.bureau_id, year=year).select_related("item")
    return [
        Service(one, planned.get(one.pk, 0), done.get(one.pk, ZERO))
        for one in units.order_by("code")
    ]


HEADERS = [
    "机构代码",
    "机构名称",
    "服务人口",
    "已预拨",
    *LABELS,
    "所用方法",
    "实际工作成本",
    "任务测算经费",
]


def export_rows(found: Comparison) -> Iterator[list[Any]]:
    """Yield the comparison by HEADERS, with the totals last."""
    used = LABELS[found.chosen]
    for line in found.lines:
        yield [
            line.institution.code,
            line.institution.name,
            line.people,
            line.prepaid,
            *line.amounts,
            used,
            line.worked,
            line.planned,
        ]
    yield ["", "合计", None, found.prepaid, *found.totals, used, found.worked, found.planned]
