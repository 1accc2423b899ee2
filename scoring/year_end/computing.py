"""From the inputs to the rows of the year-end table: scores, ranks, grades, amounts, and the words that explain them.

Nothing is written here, and what is read comes in by `Inputs`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from institutions.models import Institution
from institutions.rounding import percent_text, plain_text
from scoring import rules
from scoring.models import Adjustment, ScoreSheet, YearResult
from scoring.publishing import group_of
from scoring.rules import QUARTERS, ScoringError
from scoring.year_end.inputs import FIRST_FIELDS, Inputs, YearRefused, open_quarters, read_inputs

ZERO = Decimal("0.00")
FORMULA_OF_AMOUNT = (
    "应拨金额 = 服务人口 {people} × 人均标准 {per_capita} × 承担比例 {share} = {due}"
)


@dataclass
class YearRow:
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
    rows = score_all(inputs)
    amounts, told = pay(inputs, rows)
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


def score_all(inputs: Inputs) -> dict[str, YearRow]:
    """Score each institution of the year by its code; raises YearRefused naming each that cannot be."""
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
        rows[code] = YearRow(
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


def pay(
    inputs: Inputs, rows: Mapping[str, YearRow]
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
    inputs: Inputs, rows: Mapping[str, YearRow]
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
    inputs: Inputs, rows: Mapping[str, YearRow]
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


def _ratio_words(row: YearRow, policy: rules.Policy) -> str:
    share = rules.ratio_text(rules.ratio(row.score, row.vetoed, policy))
    if row.vetoed:
        return f"拨付比例：一票否决，{share}"
    if row.score >= policy.full_line:
        return f"拨付比例：{row.score} 达到全额线 {plain_text(policy.full_line)}，{share}"
    if row.score < policy.pay_line:
        return f"拨付比例：{row.score} 低于拨付线 {plain_text(policy.pay_line)}，{share}"
    return f"拨付比例 = {row.score} ÷ 比例基数 {plain_text(policy.ratio_base)} = {share}"


def _approved_words(row: YearRow, paid: rules.Amounts, policy: rules.Policy) -> str:
    """The quotient itself where the ratio is one: the printed ratio is rounded, the amount is not made from it."""
    proportional = not row.vetoed and policy.pay_line <= row.score < policy.full_line
    if proportional and row.score < policy.ratio_base:
        factor = f"{row.score} ÷ {plain_text(policy.ratio_base)}"
    else:
        factor = rules.ratio_text(paid.ratio)
    return f"核定金额 = {paid.due} × {factor} = {paid.approved}"


def _top_up_words(row: YearRow, paid: rules.Amounts) -> str:
    if row.vetoed:
        return "财政补齐：一票否决，不补齐，0.00"
    return f"财政补齐 = {paid.due} − {paid.approved} = {paid.top_up}"


def _balance_words(paid: rules.Amounts) -> str:
    return f"应补退 = {paid.approved} − 已预拨 {paid.prepaid} = {paid.balance}"


def _result(
    inputs: Inputs,
    row: YearRow,
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


def _details(inputs: Inputs, row: YearRow, told: list[str]) -> dict[str, Any]:
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


def _combined_details(inputs: Inputs, row: YearRow) -> dict[str, Any]:
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


def _limits(row: YearRow) -> str:
    whole = row.base + row.bonus - row.deduction
    return "" if whole == row.score else f"（计算值 {whole}，限在 0 到 100 之间）"


def _state(
    quarter: int,
    own: Mapping[int, ScoreSheet],
    row: YearRow,
    due: list[int],
    policy: rules.Policy,
) -> str:
    if policy.quarter_weights[quarter - 1] == 0:
        return "权重为 0，不计"
    if quarter not in due:
        return "本季度未开业或已停用，不计"
    return "定稿" if quarter in own else "缺考"
