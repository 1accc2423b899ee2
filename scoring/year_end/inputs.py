"""What a unit's year is computed from: read in sets, hashed whole.

Everything a row was computed from goes into one hash, so that anybody can see whether the inputs have changed since.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from campaigns.models import Standard
from institutions.models import Institution, Population
from scoring import rules
from scoring.correcting import correct_in_memory
from scoring.models import Adjustment, Evaluation, Prepayment, ScoreSection, ScoreSheet, Workload
from scoring.parts import Parts, read_parts
from scoring.policies import written_rows
from scoring.rules import QUARTERS, ScoringError

ZERO = Decimal("0.00")
T = TypeVar("T")
# The policy as it was first hashed. What was added later is hashed where it is decided otherwise than by default, so that
# a new rule nobody uses leaves every hash as it was.
FIRST_FIELDS = frozenset(
    {
        "sheets_due",
        "quarter_weights",
        "bonus_cap",
        "full_line",
        "pay_line",
        "ratio_base",
        "per_capita",
        "share",
        "method",
        "pool",
        "quality_rule",
        "quality_threshold",
        "grade_lines",
        "grade_shares",
        "rebound_months",
        "sign_days",
        "appeal_days",
    }
)


class YearRefused(Exception):
    """A year cannot be settled; `reasons` say why in Chinese, one for each thing to put right."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = list(reasons)
        super().__init__("；".join(self.reasons))


@dataclass
class Inputs:
    """All that a unit's year is computed from; codes, never ids, so that two databases hash alike."""

    unit: Institution
    year: int
    policy_rows: dict[str, str]
    policy: rules.Policy
    institutions: dict[str, Institution] = field(default_factory=dict)
    sheets: dict[str, dict[int, ScoreSheet]] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    adjustments: dict[str, list[Adjustment]] = field(default_factory=dict)
    prepaid: dict[str, Decimal] = field(default_factory=dict)
    work: list[dict[str, Any]] = field(default_factory=list)
    corrected: dict[int, Decimal] = field(default_factory=dict)
    parts: Parts | None = None

    @property
    def by_equivalents(self) -> bool:
        return self.policy.method == rules.BY_EQUIVALENTS

    @property
    def by_work(self) -> bool:
        return self.policy.method in (rules.BY_EQUIVALENTS, rules.BY_PRICE)

    def digest(self) -> str:
        """Return the sha256 over every input as canonical JSON."""
        content = {
            "unit": self.unit.code,
            "year": self.year,
            "policy": self._policy_hashed(),
            "institutions": [
                {
                    "code": code,
                    "kind": one.kind,
                    "also": sorted(one.also_kinds),
                    "opened": str(one.opened or ""),
                    "closed": str(one.closed or ""),
                    "people": self.people.get(code),
                    "prepaid": str(self.prepaid.get(code, ZERO)),
                    "sheets": {
                        str(quarter): [str(sheet.score), str(sheet.points), str(sheet.full)]
                        for quarter, sheet in sorted(self.sheets.get(code, {}).items())
                    },
                    "adjustments": sorted(
                        [a.kind, str(a.points), a.reason, a.basis]
                        for a in self.adjustments.get(code, [])
                    ),
                    **({"parts": self.parts.facts(code)} if self.parts else {}),
                }
                for code, one in sorted(self.institutions.items())
            ],
            "work": [{key: str(value) for key, value in row.items()} for row in self.work],
        }
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def _policy_hashed(self) -> dict[str, str]:
        default = {entry.field: entry.default for entry in rules.POLICY_KEYS.values()}
        keys = {entry.field: key for key, entry in rules.POLICY_KEYS.items()}
        hashed = {}
        for name, value in vars(self.policy).items():
            if name not in FIRST_FIELDS:
                text = default[name]
                usual = None if text is None else rules.parse_policy_value(keys[name], text)
                if value == usual:
                    continue
            hashed[name] = str(value)
        return hashed


def open_quarters(institution: Institution, year: int) -> list[int]:
    """Return the quarters in which the institution was open on any day."""
    quarters = []
    for quarter in QUARTERS:
        first = date(year, 3 * quarter - 2, 1)
        after = date(year + 1, 1, 1) if quarter == 4 else date(year, 3 * quarter + 1, 1)
        begun = institution.opened is None or institution.opened < after
        still = institution.closed is None or institution.closed > first
        if (
            begun
            and still
            and (institution.opened is None or institution.opened != institution.closed)
        ):
            quarters.append(quarter)
    return quarters


def read_inputs(
    unit: Institution,
    year: int,
    changes: Mapping[str, str] | None = None,
    *,
    all_methods: bool = False,
) -> Inputs:
    """Read what the year of a unit is computed from: a fixed number of statements.

    `changes` are policy values tried out instead of those in force (项 → 值). `all_methods` reads the work whatever the
    method, with its prices, and lets a population be missing.

    Raises YearRefused: a policy that cannot be read, a year without any sheet, no population.
    """
    rows = {**written_rows(unit, year), **(changes or {})}
    try:
        inputs = Inputs(unit, year, rows, rules.policy_from(rows, year))
    except ScoringError as error:
        raise YearRefused([error.reason]) from error
    read_sheets(inputs)
    inputs.corrected = correct_in_memory(
        [sheet for own in inputs.sheets.values() for sheet in own.values()]
    )
    if inputs.policy.is_combined:
        inputs.parts = read_parts(unit, year, inputs.institutions, inputs.policy)
    # By whom they are below: a list of 21,000 keys is read more slowly than the rows of those without a sheet.
    people = Population.objects.filter(institution__parent=unit, year=year).order_by()
    inputs.people = _known(inputs, people.values_list("institution__code", "residents"))
    prepaid = Prepayment.objects.filter(institution__parent=unit, year=year).order_by()
    inputs.prepaid = _known(inputs, prepaid.values_list("institution__code", "amount"))
    adjustments = Adjustment.objects.filter(institution__parent=unit, year=year)
    for one in adjustments.select_related("institution").order_by("pk"):
        if one.institution.code in inputs.institutions:
            inputs.adjustments.setdefault(one.institution.code, []).append(one)
    if inputs.by_work or all_methods:
        inputs.work = read_work(inputs, prices=all_methods)
    else:
        without = sorted(set(inputs.institutions) - set(inputs.people))
        if without:
            raise YearRefused(
                f"{inputs.institutions[code].name}（{code}）没有填写 {year} 年的服务人口"
                for code in without
            )
    return inputs


def _known(inputs: Inputs, pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    """Return by code what belongs to an institution that is settled."""
    return {code: value for code, value in pairs if code in inputs.institutions}


def read_sheets(inputs: Inputs) -> None:
    """Take the unit's own sheets of 季度评价; each institution with one is settled, final ones count."""
    sheets = (
        ScoreSheet.objects.filter(
            supervisor=inputs.unit,
            institution__parent=inputs.unit,
            year=inputs.year,
            quarter__gte=1,
            evaluation__standard__purpose=Standard.Purpose.QUARTERLY,
        )
        .exclude(evaluation__status=Evaluation.Status.DRAFT)
        .order_by("institution__code", "quarter", "pk")
    )
    # One object an institution and an evaluation, not one a sheet.
    institutions = Institution.objects.filter(parent=inputs.unit).in_bulk()
    evaluations = Evaluation.objects.filter(pk__in=sheets.order_by().values("evaluation")).in_bulk()
    twice = []
    for sheet in sheets:
        sheet.institution = institutions[sheet.institution_id]
        sheet.evaluation = evaluations[sheet.evaluation_id]
        code = sheet.institution.code
        inputs.institutions.setdefault(code, sheet.institution)
        own = inputs.sheets.setdefault(code, {})
        if sheet.is_final:
            if sheet.quarter in own:
                twice.append(f"{sheet.institution.name}第{sheet.quarter}季度有两份定稿评分表")
            own[sheet.quarter] = sheet
    if not inputs.institutions:
        raise YearRefused([f"{inputs.unit.name} {inputs.year} 年没有任何评分表，不能计算年终结果"])
    if twice:
        raise YearRefused(twice)


def read_work(inputs: Inputs, *, prices: bool = False) -> list[dict[str, Any]]:
    """Return the verified workload with the quality of its item on that quarter's sheet.

    Prices only where they decide, or are asked for: a frozen 当量法 year hashes as before.
    """
    priced = prices or inputs.policy.method == rules.BY_PRICE
    codes = {one.pk: code for code, one in inputs.institutions.items()}
    finals = {s.pk for own in inputs.sheets.values() for s in own.values()}
    sums: dict[tuple[int, int], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    sections = ScoreSection.objects.filter(
        sheet__supervisor=inputs.unit, sheet__year=inputs.year, item__isnull=False
    ).order_by()
    for pk, sheet_id, item, whole, points, full in sections.values_list(
        "pk", "sheet_id", "item_id", "item__parent_id", "points", "full"
    ).iterator(chunk_size=2000):
        if sheet_id not in finals:
            continue
        # A part (07a, 07b) counts for its whole (07) as well.
        for one in (item, whole):
            if one is not None:
                both = sums[sheet_id, one]
                both[0] += points + inputs.corrected.get(pk, ZERO)
                both[1] += full
    work = []
    rows = Workload.objects.filter(
        institution__parent=inputs.unit, year=inputs.year, approved__isnull=False
    ).order_by("institution__code", "quarter", "work_unit__code")
    for (
        unit,
        quarter,
        service,
        name,
        item_code,
        item_id,
        quantity,
        coefficient,
        price,
    ) in rows.values_list(
        "institution_id",
        "quarter",
        "work_unit__code",
        "work_unit__name",
        "work_unit__item__code",
        "work_unit__item_id",
        "approved",
        "work_unit__coefficient",
        "work_unit__price",
    ):
        if unit not in codes:
            continue
        sheet = inputs.sheets.get(codes[unit], {}).get(quarter)
        worth = Decimal("0.0000")
        if sheet is not None:
            points, full = sums[sheet.pk, item_id]
            if full <= 0:
                points, full = sheet.points, sheet.full
            worth = rules.quality(points, full)
        work.append(
            {
                "code": codes[unit],
                "quarter": quarter,
                "service": service,
                "name": name,
                "item": item_code,
                "quantity": quantity,
                "coefficient": coefficient,
                "quality": worth,
                **({"price": price} if priced else {}),
            }
        )
    return work
