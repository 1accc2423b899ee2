"""What a lost clause costs in yuan: the year computed again with the points of that one clause given back.

All lost clauses of an institution's year are read in one statement and computed in memory from the result's own policy
and figures; nothing else of the unit is computed again but, under 当量法, the split of the pool. Each cost stands by
itself: clauses given back together may cost more or less than the sum, since lines and caps cut in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import F, Q, Sum

from campaigns.rules import score
from institutions.models import Post
from institutions.rounding import half_up, split
from scoring import rules, year_end
from scoring.correcting import correct_in_memory, points_shifted, shifts
from scoring.models import ScoreLine, ScoreSection, ScoreSheet, YearResult
from scoring.parts import mean
from scoring.year_end import Inputs, YearRefused

ZERO = Decimal("0.00")
COUNTED = ("定稿", "缺考")


@dataclass(frozen=True)
class Cost:
    """One lost clause: the points, what the year would be with them, and the difference in yuan."""

    line: ScoreLine
    quarter: int
    lost: Decimal
    points: Decimal
    sheet_score: Decimal
    year_score: Decimal
    approved: Decimal
    yuan: Decimal
    steps: Sequence[str]


@dataclass
class Costs:
    """The lost clauses of a year, dearest first; `reason` says why nothing can be computed."""

    rows: list[Cost] = field(default_factory=list)
    reason: str = ""

    @property
    def lost(self) -> Decimal:
        return sum((row.lost for row in self.rows), ZERO)


# What a year needs to be computed again: its money by (year's score, changed line), and the score before.
Pay = Callable[[Decimal, "_Lost"], Decimal]


@dataclass(frozen=True)
class _Lost:
    line: ScoreLine
    sheet: ScoreSheet
    points: Decimal
    lost: Decimal
    raw: Decimal


@dataclass(frozen=True)
class _Year:
    """The figures of one result that a change of a sheet runs through."""

    row: YearResult
    policy: rules.Policy
    scores: Mapping[int, Decimal | None]
    due: tuple[int, ...]
    parts: Mapping[str, Decimal | None]
    specials: Sequence[ScoreSheet]
    bonus: Decimal

    def base(self, scores: Mapping[int, Decimal | None], special: Decimal | None) -> Decimal:
        quarterly = rules.quarter_score(scores, self.policy.quarter_weights, self.due).score
        if not self.parts:
            return quarterly
        parts = {**self.parts, rules.QUARTERLY: quarterly}
        if special is not None:
            parts[rules.SPECIAL] = special
        return rules.combine(parts, self.policy.composition).score

    def with_sheet(self, sheet: ScoreSheet, worth: Decimal) -> Decimal:
        """Return 年终得分 where one sheet is worth another 得分率."""
        special = None
        scores = self.scores
        if sheet.quarter:
            scores = {**scores, sheet.quarter: worth}
        else:
            special = mean(
                [worth if one.pk == sheet.pk else one.score or ZERO for one in self.specials]
            )
        return rules.year_score(
            self.base(scores, special), self.bonus, self.row.deduction, self.policy.bonus_cap
        )


def costs_of(row: YearResult, post: Post) -> Costs:
    """Return what each lost clause of a result costs, of those in sight; a fixed number of statements."""
    try:
        year = _year_of(row)
        lost = _lost_lines(year, post)
        pay = _pay_of(year, lost) if lost else None
    except YearRefused as refused:
        return Costs(reason="；".join(refused.reasons[:3]))
    except rules.ScoringError as error:
        return Costs(reason=error.reason)
    if pay is None:
        return Costs()
    rows = [_cost(year, one, pay) for one in lost]
    rows.sort(key=lambda one: (-one.yuan, -one.lost, one.quarter, one.line.clause.code))
    return Costs(rows)


def _year_of(row: YearResult) -> _Year:
    details = row.details
    policy = rules.policy_from(
        {k: v for k, v in details.get("policy", {}).items() if k in rules.POLICY_KEYS}, row.year
    )
    quarters = details.get("quarters", [])
    parts: dict[str, Decimal | None] = {}
    special_ids: list[int] = []
    for part in details.get("parts", []):
        if "不计" not in part["state"]:
            parts[part["name"]] = Decimal(part["score"]) if part["score"] else None
        special_ids += part["sheets"]
    specials = list(ScoreSheet.objects.filter(pk__in=special_ids)) if special_ids else []
    correct_in_memory(specials)
    return _Year(
        row,
        policy,
        {p["quarter"]: Decimal(p["score"]) if p["score"] else None for p in quarters},
        tuple(p["quarter"] for p in quarters if p["state"] in COUNTED),
        parts,
        specials,
        Decimal(details.get("bonus_sum", row.bonus)),
    )


def _lost_lines(year: _Year, post: Post) -> list[_Lost]:
    details = year.row.details
    ids = [part["sheet"] for part in details.get("quarters", []) if part["state"] == "定稿"]
    ids += [sheet.pk for sheet in year.specials]
    if not ids:
        return []
    lines = list(
        ScoreLine.objects.visible_to(post)
        .filter(
            Q(points__lt=F("full")) | Q(corrections__isnull=False),
            sheet__in=ids,
            na=False,
            full__gt=0,
            points__isnull=False,
        )
        .distinct()
        .select_related(
            "clause",
            "sheet__evaluation",
            "section__item__parent",
            "section__verifier__institution",
            "problem__rectification",
        )
        .prefetch_related("files")
    )
    raw = {
        sheet: points or ZERO
        for sheet, points in ScoreSection.objects.filter(sheet__in=ids)
        .order_by()
        .values_list("sheet")
        .annotate(Sum("points"))
    }
    now = points_shifted(lines)
    by_sheet = shifts({line.sheet for line in lines})[0]
    found = []
    for line in lines:
        points = now[line.pk]
        if points < line.full:
            whole = raw[line.sheet_id] + by_sheet.get(line.sheet_id, ZERO)
            found.append(_Lost(line, line.sheet, points, line.full - points, whole))
    return found


def _cost(year: _Year, one: _Lost, pay: Pay) -> Cost:
    row = year.row
    worth = score(max(one.raw + one.lost, ZERO), one.sheet.full)
    would = year.with_sheet(one.sheet, worth)
    approved = pay(would, one)
    yuan = approved - row.approved_amount
    quarter = one.sheet.quarter
    name = f"第{quarter}季度" if quarter else one.sheet.evaluation.name
    before = score(max(one.raw, ZERO), one.sheet.full)
    steps = [
        f"{name}得分 = ({max(one.raw, ZERO)} + {one.lost}) ÷ {one.sheet.full} × 100 = {worth}"
        f"（原 {before}）",
        f"年终得分 {row.score} → {would}",
        _money_words(year, would, approved),
        f"影响经费 = {approved} − {row.approved_amount} = {yuan}",
    ]
    return Cost(one.line, quarter, one.lost, one.points, worth, would, approved, yuan, steps)


def _money_words(year: _Year, would: Decimal, approved: Decimal) -> str:
    """Say how the money follows from the score, and why it does not move where it does not."""
    row, policy = year.row, year.policy
    if row.vetoed:
        return "一票否决，核定金额仍为 0"
    if policy.method != rules.BY_RATIO:
        return f"按{policy.method}重新结算，核定金额 {row.approved_amount} → {approved}"
    share = rules.ratio_text(rules.ratio(would, False, policy))
    if would < policy.pay_line:
        return f"仍低于拨付线 {policy.pay_line}，不拨付"
    if row.score >= policy.full_line:
        return f"已达到全额线 {policy.full_line}，全额拨付，不受影响"
    return f"核定金额 = 应拨 {row.due_amount} × {share} = {approved}"


# --- Money ------------------------------------------------------------------------------------------


def _pay_of(year: _Year, lost: Sequence[_Lost]) -> Pay:
    row, policy = year.row, year.policy
    if policy.method == rules.BY_RATIO:

        def by_ratio(would: Decimal, one: _Lost) -> Decimal:
            share = rules.ratio(would, row.vetoed, policy)
            return half_up(Fraction(row.due_amount) * share, 2)

        return by_ratio
    inputs = year_end.read_inputs(row.unit, row.year)
    if inputs.digest() != row.inputs:
        raise YearRefused(
            ["计算之后评分、工作量、人口或政策有变化，重新计算年终结果后才能算出影响"]
        )
    qualities = _Qualities(year, inputs, lost)
    if policy.method == rules.BY_EQUIVALENTS:
        return _by_equivalents(year, inputs, qualities)
    return _by_itself(year, inputs, qualities)


class _Qualities:
    """The quality of an institution's work rows where one line has its points back."""

    def __init__(self, year: _Year, inputs: Inputs, lost: Sequence[_Lost]) -> None:
        code = year.row.institution.code
        self.rows = [row for row in inputs.work if row["code"] == code]
        self.sheets = {sheet.quarter: sheet for sheet in inputs.sheets[code].values()}
        self.sums: dict[tuple[int, str], list[Decimal]] = {}
        sections = ScoreSection.objects.filter(
            sheet__in=[sheet.pk for sheet in self.sheets.values()], item__isnull=False
        )
        for section in sections.select_related("item__parent"):
            for item in _items(section):
                both = self.sums.setdefault((section.sheet_id, item), [ZERO, ZERO])
                both[0] += section.points + inputs.corrected.get(section.pk, ZERO)
                both[1] += section.full

    def with_line(self, one: _Lost) -> list[dict[str, Any]]:
        """Return the rows of work as they would be; the others as they are."""
        quarter = one.sheet.quarter
        named = _items(one.line.section) if one.line.section.item else ()
        return [
            {**row, "quality": self._quality(row, one, named)} if row["quarter"] == quarter else row
            for row in self.rows
        ]

    def _quality(self, row: Mapping[str, Any], one: _Lost, named: Sequence[str]) -> Decimal:
        points, full = self.sums.get((one.sheet.pk, row["item"]), [ZERO, ZERO])
        if full > 0:
            return (
                rules.quality(points + one.lost, full) if row["item"] in named else row["quality"]
            )
        return rules.quality(max(one.raw + one.lost, ZERO), one.sheet.full)


def _items(section: ScoreSection) -> tuple[str, ...]:
    """The codes of a section's item, and of the whole of which it is a part (07a counts for 07)."""
    item = section.item
    if item is None:
        return ()
    return (item.code, item.parent.code) if item.parent else (item.code,)


def _by_equivalents(year: _Year, inputs: Inputs, qualities: _Qualities) -> Pay:
    policy, code, pool = year.policy, year.row.institution.code, year.policy.pool
    sums = dict.fromkeys(inputs.institutions, Fraction(0))
    for row in inputs.work:
        sums[row["code"]] += _equivalents(row, policy)
    known: dict[Fraction, Decimal] = {}

    def pay(would: Decimal, one: _Lost) -> Decimal:
        if year.row.vetoed or pool is None:
            return ZERO
        own = sum((_equivalents(row, policy) for row in qualities.with_line(one)), Fraction(0))
        if own not in known:
            changed = {**sums, code: own}
            known[own] = split(pool, changed)[code] if any(changed.values()) else ZERO
        return known[own]

    return pay


def _equivalents(row: Mapping[str, Any], policy: rules.Policy) -> Fraction:
    factor = rules.applied_quality(row["quality"], policy)
    return Fraction(row["quantity"]) * Fraction(row["coefficient"]) * Fraction(factor)


def _by_itself(year: _Year, inputs: Inputs, qualities: _Qualities) -> Pay:
    """A method that pays each institution from its own figures alone: settle this one again by itself."""
    code = year.row.institution.code
    alone = replace(inputs, institutions={code: inputs.institutions[code]})
    scored = year_end.score_all(alone)[code]

    def pay(would: Decimal, one: _Lost) -> Decimal:
        again = replace(alone, work=qualities.with_line(one))
        amounts, _ = year_end.pay(again, {code: replace(scored, score=would)})
        return amounts[code].approved

    return pay
