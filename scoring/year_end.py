"""The year-end table of a unit: quarters → year → rank → grade → money, computed in sets, written once, then frozen.

A bureau settles the institutions it supervises itself, a centre its clinics, by the same rules (docs/arithmetic.md).
Everything a row was computed from goes into one hash, so that anybody can see whether the inputs have changed since.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q

from campaigns.models import Standard
from institutions import audit, clock
from institutions.audit import Actor
from institutions.models import Institution, Population, Post
from institutions.rounding import percent_text, plain_text
from scoring import rules
from scoring.correcting import correct_in_memory
from scoring.models import (
    Adjustment,
    Evaluation,
    Prepayment,
    ScoreSection,
    ScoreSheet,
    Workload,
    YearResult,
)
from scoring.parts import Parts, read_parts
from scoring.policies import written_rows
from scoring.publishing import group_of
from scoring.rules import QUARTERS, ScoringError

ZERO = Decimal("0.00")
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
# The words of the explanation, by key of the policy, in the order of the table.
FORMULA_OF_AMOUNT = (
    "应拨金额 = 服务人口 {people} × 人均标准 {per_capita} × 承担比例 {share} = {due}"
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


# --- Reading, in sets -------------------------------------------------------------------------------


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
    ids = [one.pk for one in inputs.institutions.values()]
    inputs.people = dict(
        Population.objects.filter(institution__in=ids, year=year).values_list(
            "institution__code", "residents"
        )
    )
    inputs.prepaid = dict(
        Prepayment.objects.filter(institution__in=ids, year=year).values_list(
            "institution__code", "amount"
        )
    )
    adjustments = Adjustment.objects.filter(institution__in=ids, year=year)
    for one in adjustments.select_related("institution").order_by("pk"):
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
    finals = {s.pk: s for own in inputs.sheets.values() for s in own.values()}
    sums: dict[tuple[int, int], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    sections = ScoreSection.objects.filter(sheet__in=finals, item__isnull=False)
    for pk, sheet_id, item, whole, points, full in sections.values_list(
        "pk", "sheet_id", "item_id", "item__parent_id", "points", "full"
    ):
        # A part (07a, 07b) counts for its whole (07) as well.
        for one in (item, whole):
            if one is not None:
                both = sums[sheet_id, one]
                both[0] += points + inputs.corrected.get(pk, ZERO)
                both[1] += full
    work = []
    rows = Workload.objects.filter(
        institution__in=codes, year=inputs.year, approved__isnull=False
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
        sheet = inputs.sheets[codes[unit]].get(quarter)
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


# --- Computing --------------------------------------------------------------------------------------


@dataclass
class _Row:
    """One institution on its way through the computation."""

    institution: Institution
    quarters: rules.QuarterScore
    bonus: Decimal
    deduction: Decimal
    vetoed: bool
    score: Decimal
    combined: rules.Combined | None = None

    @property
    def base(self) -> Decimal:
        """What bonus and deduction are added to: the parts combined, the quarters where there are no others."""
        return self.combined.score if self.combined else self.quarters.score


def compute(unit: Institution, year: int) -> list[YearResult]:
    """Return the unit's year-end table, unsaved, in table order; raises YearRefused."""
    return rows_from(read_inputs(unit, year))


def rows_from(inputs: Inputs) -> list[YearResult]:
    """Compute the table from its inputs: pure but for reading the rows handed in."""
    rows = _score_all(inputs)
    amounts, told = _pay(inputs, rows)
    digest = inputs.digest()
    placed = rules.rank(
        rules.Standing(code, group_of(row.institution, inputs.unit), row.score, row.vetoed)
        for code, row in rows.items()
    )
    results = []
    for position, one in enumerate(placed, start=1):
        code = one.standing.code
        results.append(
            _result(inputs, rows[code], one, position, amounts[code], told[code], digest)
        )
    return results


def _score_all(inputs: Inputs) -> dict[str, _Row]:
    rows, reasons = {}, []
    for code, institution in sorted(inputs.institutions.items()):
        scores = {quarter: sheet.score for quarter, sheet in inputs.sheets[code].items()}
        own = inputs.adjustments.get(code, [])
        bonus = sum((a.points for a in own if a.kind == Adjustment.Kind.BONUS), ZERO)
        deduction = sum((a.points for a in own if a.kind == Adjustment.Kind.DEDUCTION), ZERO)
        due = open_quarters(institution, inputs.year)
        combined = None
        try:
            quarters = rules.quarter_score(scores, inputs.policy.quarter_weights, due)
            if inputs.parts:
                group = group_of(institution, inputs.unit)
                parts = inputs.parts.scores(code, group, quarters.score, inputs.policy)
                combined = rules.combine(parts, inputs.policy.composition)
        except ScoringError as error:
            reasons.append(f"{institution.name}（{code}）：{error.reason}")
            continue
        rows[code] = _Row(
            institution,
            quarters,
            min(bonus, inputs.policy.bonus_cap),
            deduction,
            any(a.kind == Adjustment.Kind.VETO for a in own),
            rules.year_score(
                combined.score if combined else quarters.score,
                bonus,
                deduction,
                inputs.policy.bonus_cap,
            ),
            combined,
        )
    if reasons:
        raise YearRefused(reasons)
    return rows


def _pay(
    inputs: Inputs, rows: Mapping[str, _Row]
) -> tuple[Mapping[str, rules.Amounts], Mapping[str, list[str]]]:
    """Return the amounts by code, and the sentences that tell how they came about."""
    policy = inputs.policy
    if inputs.by_equivalents:
        return _pay_by_equivalents(inputs, rows)
    if inputs.policy.method == rules.BY_PRICE:
        return _pay_by_price(inputs, rows)
    amounts = {
        code: rules.settle_by_ratio(
            inputs.people[code], policy, row.score, row.vetoed, inputs.prepaid.get(code, ZERO)
        )
        for code, row in rows.items()
    }
    told = {}
    for code, paid in amounts.items():
        told[code] = [
            FORMULA_OF_AMOUNT.format(
                people=inputs.people[code],
                per_capita=plain_text(policy.per_capita),
                share=percent_text(policy.share),
                due=paid.due,
            ),
            _ratio_words(rows[code], policy),
            _approved_words(rows[code], paid, policy),
            _top_up_words(rows[code], paid),
            _balance_words(paid),
        ]
    return amounts, told


def _pay_by_equivalents(
    inputs: Inputs, rows: Mapping[str, _Row]
) -> tuple[Mapping[str, rules.Amounts], Mapping[str, list[str]]]:
    policy = inputs.policy
    work = [
        rules.Work(row["code"], row["quantity"], row["coefficient"], row["quality"])
        for row in inputs.work
    ]
    try:
        settled = rules.settle_by_equivalents(
            rows,
            work,
            policy,
            vetoed=[code for code, row in rows.items() if row.vetoed],
            prepaid=inputs.prepaid,
        )
    except ScoringError as error:
        raise YearRefused([error.reason]) from error
    told: dict[str, list[str]] = {code: [] for code in rows}
    for row in inputs.work:
        factor = rules.applied_quality(row["quality"], policy)
        told[row["code"]].append(
            f"第{row['quarter']}季度 {row['name']}：核定数量 {plain_text(row['quantity'])} × 当量系数 "
            f"{plain_text(row['coefficient'])} × 质量系数 {factor:.4f}"
        )
    for code, paid in settled.amounts.items():
        told[code].append(
            f"应拨金额 = 资金池 {policy.pool:.2f} 按有效当量分配，本机构 "
            f"{rules.half_up(settled.equivalents[code], 4)} ÷ 合计 {rules.half_up(settled.whole, 4)}，"
            f"得 {paid.due}"
        )
        held = "一票否决，核定金额 0.00，扣下部分不分给其他机构" if rows[code].vetoed else ""
        told[code].append(held or f"核定金额 = 应拨金额 = {paid.approved}")
        told[code].append(_balance_words(paid))
    return settled.amounts, told


def _pay_by_price(
    inputs: Inputs, rows: Mapping[str, _Row]
) -> tuple[Mapping[str, rules.Amounts], Mapping[str, list[str]]]:
    """单价法: every service that was done must have its price."""
    without = sorted({row["name"] for row in inputs.work if row["price"] is None})
    if without:
        raise YearRefused([f"单价法：{name}没有核定单价" for name in without])
    policy = inputs.policy
    amounts = rules.settle_by_price(
        rows,
        [
            rules.Work(row["code"], row["quantity"], row["price"], row["quality"])
            for row in inputs.work
        ],
        policy,
        vetoed=[code for code, row in rows.items() if row.vetoed],
        prepaid=inputs.prepaid,
    )
    told: dict[str, list[str]] = {code: [] for code in rows}
    for row in inputs.work:
        factor = rules.applied_quality(row["quality"], policy)
        told[row["code"]].append(
            f"第{row['quarter']}季度 {row['name']}：核定数量 {plain_text(row['quantity'])} × 单价 "
            f"{row['price']:.2f} × 质量系数 {factor:.4f}"
        )
    for code, paid in amounts.items():
        told[code].append(f"应拨金额 = 以上各行之和，四舍五入到分，得 {paid.due}")
        held = "一票否决，核定金额 0.00" if rows[code].vetoed else ""
        told[code].append(held or f"核定金额 = 应拨金额 = {paid.approved}")
        told[code].append(_balance_words(paid))
    return amounts, told


def _ratio_words(row: _Row, policy: rules.Policy) -> str:
    share = rules.ratio_text(rules.ratio(row.score, row.vetoed, policy))
    if row.vetoed:
        return f"拨付比例：一票否决，{share}"
    if row.score >= policy.full_line:
        return f"拨付比例：{row.score} 达到全额线 {plain_text(policy.full_line)}，{share}"
    if row.score < policy.pay_line:
        return f"拨付比例：{row.score} 低于拨付线 {plain_text(policy.pay_line)}，{share}"
    return f"拨付比例 = {row.score} ÷ 比例基数 {plain_text(policy.ratio_base)} = {share}"


def _approved_words(row: _Row, paid: rules.Amounts, policy: rules.Policy) -> str:
    """The quotient itself where the ratio is one: the printed ratio is rounded, the amount is not made from it."""
    proportional = not row.vetoed and policy.pay_line <= row.score < policy.full_line
    if proportional and row.score < policy.ratio_base:
        factor = f"{row.score} ÷ {plain_text(policy.ratio_base)}"
    else:
        factor = rules.ratio_text(paid.ratio)
    return f"核定金额 = {paid.due} × {factor} = {paid.approved}"


def _top_up_words(row: _Row, paid: rules.Amounts) -> str:
    if row.vetoed:
        return "财政补齐：一票否决，不补齐，0.00"
    return f"财政补齐 = {paid.due} − {paid.approved} = {paid.top_up}"


def _balance_words(paid: rules.Amounts) -> str:
    return f"应补退 = {paid.approved} − 已预拨 {paid.prepaid} = {paid.balance}"


def _result(
    inputs: Inputs,
    row: _Row,
    place: rules.Ranked,
    position: int,
    paid: rules.Amounts,
    told: list[str],
    digest: str,
) -> YearResult:
    code, policy = row.institution.code, inputs.policy
    own = inputs.sheets[code]
    result = YearResult(
        bureau_id=cast(int, inputs.unit.bureau_id),
        unit=inputs.unit,
        institution=row.institution,
        year=inputs.year,
        position=position,
        population=inputs.people.get(code),
        quarters=row.quarters.score,
        bonus=row.bonus,
        deduction=row.deduction,
        score=row.score,
        rank=place.rank,
        group=place.standing.group.label,
        grade=rules.grade(row.score, row.vetoed, policy.grade_lines),
        vetoed=row.vetoed,
        per_capita=policy.per_capita,
        due_amount=paid.due,
        ratio=rules.ratio_text(paid.ratio),
        approved_amount=paid.approved,
        top_up=paid.top_up,
        prepaid=paid.prepaid,
        balance=paid.balance,
        inputs=digest,
    )
    for quarter in QUARTERS:
        setattr(result, f"quarter{quarter}", own[quarter].score if quarter in own else None)
    result.details = _details(inputs, row, told)
    return result


def _details(inputs: Inputs, row: _Row, told: list[str]) -> dict[str, Any]:
    """Return what the page of one result prints: every number with where it is from."""
    code, policy = row.institution.code, inputs.policy
    own = inputs.sheets[code]
    adjustments = inputs.adjustments.get(code, [])
    raw = sum((a.points for a in adjustments if a.kind == Adjustment.Kind.BONUS), ZERO)
    warnings = []
    if len(own) < policy.sheets_due:
        warnings.append(f"全年定稿 {len(own)} 份评分表，少于考核次数 {policy.sheets_due}")
    warnings += [f"第{quarter}季度缺考，按 0 分计" for quarter in row.quarters.absent]
    due = open_quarters(row.institution, inputs.year)
    combined = _combined_details(inputs, row)
    warnings += combined.pop("warnings", [])
    return {
        **combined,
        "quarters": [
            {
                "quarter": quarter,
                "sheet": own[quarter].pk if quarter in own else None,
                "score": str(own[quarter].score) if quarter in own else "",
                "weight": percent_text(policy.quarter_weights[quarter - 1]),
                "state": _state(quarter, own, row, due, policy),
            }
            for quarter in QUARTERS
        ],
        "absent": list(row.quarters.absent),
        "quarter_formula": row.quarters.explanation,
        "adjustments": [
            {
                "kind": a.get_kind_display(),
                "points": str(a.points),
                "reason": a.reason,
                "basis": a.basis,
            }
            for a in adjustments
        ],
        "bonus_sum": str(raw),
        "score_formula": f"{row.base} + {row.bonus} − {row.deduction} = {row.score}" + _limits(row),
        "amounts": told,
        "method": policy.method,
        "policy": {
            key: inputs.policy_rows.get(key) or entry.default or str(getattr(policy, entry.field))
            for key, entry in rules.POLICY_KEYS.items()
            if inputs.policy_rows.get(key)
            or (entry.field in FIRST_FIELDS and getattr(policy, entry.field) is not None)
        },
        "own_policy": sorted(inputs.policy_rows),
        "warnings": warnings,
    }


def _combined_details(inputs: Inputs, row: _Row) -> dict[str, Any]:
    """Return the parts of the year with where each is from; nothing where the quarters are all of it."""
    if inputs.parts is None or row.combined is None:
        return {}
    code, policy = row.institution.code, inputs.policy
    group = group_of(row.institution, inputs.unit)
    scores = inputs.parts.scores(code, group, row.quarters.score, policy)
    told = inputs.parts.told(code, policy)
    specials = inputs.parts.specials.get(code, [])
    warnings = [f"{name}缺考，按 0 分计" for name in row.combined.absent]
    warnings += [f"全年没有{name}，按其余部分折算" for name in row.combined.dropped]
    return {
        "parts": [
            {
                "name": name,
                "score": "" if scores.get(name) is None else str(scores[name]),
                "weight": percent_text(share),
                "state": "缺考"
                if name in row.combined.absent
                else "没有开展，不计"
                if name in row.combined.dropped
                else "",
                "told": told.get(name, ""),
                "sheets": [sheet.pk for sheet in specials] if name == rules.SPECIAL else [],
            }
            for name, share in policy.composition.items()
        ],
        "combined_formula": row.combined.explanation,
        "warnings": warnings,
    }


def _limits(row: _Row) -> str:
    whole = row.base + row.bonus - row.deduction
    return "" if whole == row.score else f"（计算值 {whole}，限在 0 到 100 之间）"


def _state(
    quarter: int,
    own: Mapping[int, ScoreSheet],
    row: _Row,
    due: list[int],
    policy: rules.Policy,
) -> str:
    if policy.quarter_weights[quarter - 1] == 0:
        return "权重为 0，不计"
    if quarter not in due:
        return "本季度未开业或已停用，不计"
    return "定稿" if quarter in own else "缺考"


# --- Writing ----------------------------------------------------------------------------------------


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
        _refuse_same(rows[0].settled_by, by, "计算和复核应由两个人办理，请由另一人复核")
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
        _refuse_same(rows[0].settled_by, by, "计算和定稿应由两个人办理，请由另一位负责人定稿")
        if policy.second_reader:
            if rows[0].confirmed_by is None:
                raise YearRefused(["按政策，年终表先由第二人复核，再定稿"])
            _refuse_same(rows[0].confirmed_by, by, "复核和定稿应由两个人办理，请由另一位负责人定稿")
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


def _refuse_same(earlier: Post | None, by: Post, reason: str) -> None:
    if earlier and (earlier.pk == by.pk or (by.user_id and earlier.user_id == by.user_id)):
        raise YearRefused([reason])


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


# --- Going out --------------------------------------------------------------------------------------

HEADERS = [
    "序号",
    "机构代码",
    "机构名称",
    "机构类别",
    "服务人口",
    "第一季度",
    "第二季度",
    "第三季度",
    "第四季度",
    "季度得分",
    "加分",
    "扣分",
    "年终得分",
    "名次",
    "排名组",
    "等次",
    "一票否决",
    "人均标准",
    "应拨金额",
    "拨付比例",
    "核定金额",
    "财政补齐",
    "已预拨",
    "应补退",
]


def quarter_cell(row: YearResult, quarter: int) -> Decimal | str | None:
    """Return what stands in a quarter's column: the score, 缺考, or nothing where it was not due."""
    score = getattr(row, f"quarter{quarter}")
    if score is None and quarter in row.details.get("absent", ()):
        return "缺考"
    return score


def export_rows(results: Iterable[YearResult]) -> Iterator[list[Any]]:
    """Yield the rows of `year_end` by HEADERS, in the order given; institutions fetched with them."""
    for row in results:
        yield [
            row.position,
            row.institution.code,
            row.institution.name,
            row.institution.get_kind_display(),
            row.population,
            *(quarter_cell(row, quarter) for quarter in QUARTERS),
            row.quarters,
            row.bonus,
            row.deduction,
            row.score,
            row.rank,
            row.group,
            row.grade,
            row.vetoed,
            row.per_capita,
            row.due_amount,
            row.ratio,
            row.approved_amount,
            row.top_up,
            row.prepaid,
            row.balance,
        ]


MAX_UNITS = 200


def units_in_sight(post: Post) -> list[Institution]:
    """Return whose tables a post may look for: its own institution's first, at most MAX_UNITS."""
    tables = YearResult.objects.visible_to(post).order_by().values("unit")
    sheets = ScoreSheet.objects.visible_to(post).order_by().values("supervisor")
    found = Institution.objects.filter(Q(pk__in=tables) | Q(pk__in=sheets)).select_related("bureau")
    units = list(found.order_by("code")[:MAX_UNITS])
    return sorted(units, key=lambda unit: (unit.pk != post.institution_id, unit.code))


def years_in_sight(post: Post, unit: Institution) -> list[int]:
    """Return the years of a unit with a table or sheets, newest first."""
    tables = YearResult.objects.visible_to(post).filter(unit=unit)
    sheets = ScoreSheet.objects.visible_to(post).filter(supervisor=unit)
    years = {year for rows in (tables, sheets) for year in _years(rows)}
    return sorted(years, reverse=True)


def _years(rows: Any) -> Iterable[int]:
    return rows.order_by().values_list("year", flat=True).distinct()


def results_in_sight(post: Post, unit: Institution, year: int) -> list[YearResult]:
    """Return the rows of a unit's table that a post may see, in table order."""
    rows = YearResult.objects.visible_to(post).filter(unit=unit, year=year)
    return list(
        rows.select_related("institution", "settled_by", "confirmed_by", "frozen_by").order_by(
            "position", "pk"
        )
    )
