"""The arithmetic of one clause (条款): from a rule and its figures to points that add up by hand.

Pure functions without a database; docs/arithmetic.md tells the same in words. A rate is stored as
a share (``Decimal("0.9")`` for 90%), points are rounded half up to 0.01, and everything between
is exact.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import TypeVar

from institutions.rounding import (
    NumberRefused,
    half_up,
    parse_number,
    parse_rate,
    percent_text,
    plain_text,
    rate_text,
)

Number = TypeVar("Number", bound=Decimal | int)
ZERO = Decimal("0.00")
GRADE_SHARES: Mapping[str, Decimal] = {
    "A": Decimal(1),
    "B": Decimal("0.8"),
    "C": Decimal("0.6"),
    "D": Decimal(0),
}


class Method(StrEnum):
    """评分方法: how figures become points."""

    ATTAIN = "达标折算"
    REVERSE = "反向折算"
    YES_NO = "是否"
    STEPS = "分档"
    DEDUCT = "扣分"
    MANUAL = "手工"
    GRADE = "等级"
    SAMPLE = "抽查"


class RuleError(ValueError):
    """A rule or its figures cannot be taken; ``reason`` says why in Chinese."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Step:
    """One step (档): ``sign`` is one of ≥ ≤ > <, ``bound`` a share if ``is_rate``."""

    sign: str
    bound: Decimal
    is_rate: bool
    points: Decimal

    def holds(self, value: Fraction) -> bool:
        bound = Fraction(self.bound)
        return {
            "≥": value >= bound,
            "≤": value <= bound,
            ">": value > bound,
            "<": value < bound,
        }[self.sign]

    def __str__(self) -> str:
        return f"{self.sign}{_bound_text(self.bound, self.is_rate)} 得 {self.points:.2f}"


@dataclass(frozen=True)
class Rule:
    """The scoring rule of a clause; ``floor`` is of the same sort (rate or count) as ``target``."""

    method: Method
    full_marks: Decimal
    target: Decimal | None = None
    target_is_rate: bool = False
    floor: Decimal | None = None
    steps: tuple[Step, ...] = ()
    deduct_unit: Decimal | None = None
    below_zero: bool = False

    @cached_property
    def uses_rate(self) -> bool:
        """Whether the clause has a denominator."""
        if self.method is Method.STEPS:
            return any(step.is_rate for step in self.steps)
        return self.method is Method.SAMPLE or (self.method in _TARGETS and self.target_is_rate)

    @cached_property
    def wanted(self) -> tuple[str, ...]:
        """The figures the method reads, by field of ``Figures``; all must be given."""
        used = _USED[self.method]
        return used if self.uses_rate else tuple(name for name in used if name != "denominator")

    @cached_property
    def unused(self) -> tuple[str, ...]:
        """The figures that must be blank, by field of ``Figures``."""
        return tuple(name for name in _FIELDS if name not in self.wanted)


@dataclass(frozen=True)
class Figures:
    """What was counted, one side (自评 or 核定) of a line; ``None`` is a blank cell."""

    numerator: Decimal | None = None
    denominator: Decimal | None = None
    points: Decimal | None = None
    deductions: Decimal | int | None = None
    grade: str | None = None
    genuine: Decimal | int | None = None
    verified: Decimal | int | None = None
    not_applicable: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a clause is worth: ``points`` is ``None`` while 未评 or when it does not apply."""

    points: Decimal | None
    full_marks: Decimal
    applicable: bool
    explanation: str

    @property
    def is_open(self) -> bool:
        """Whether it is 未评: applicable, and a figure is missing."""
        return self.applicable and self.points is None


_TARGETS = (Method.ATTAIN, Method.REVERSE)
_SIGNS = str.maketrans("＞＜≧≦：；％", "><≥≤:;%")
_STEP = re.compile(r"(>=|<=|[≥≤><])\s*([^:]+?)\s*:\s*(.+)")
_FIELDS = {
    "numerator": "分子",
    "denominator": "分母",
    "deductions": "扣分次数",
    "grade": "等级",
    "genuine": "真实份数",
    "verified": "核实份数",
}
_USED = {
    Method.ATTAIN: ("numerator", "denominator"),
    Method.REVERSE: ("numerator", "denominator"),
    Method.YES_NO: ("numerator",),
    Method.STEPS: ("numerator", "denominator"),
    Method.DEDUCT: ("deductions",),
    Method.MANUAL: (),
    Method.GRADE: ("grade",),
    Method.SAMPLE: ("numerator", "denominator", "genuine", "verified"),
}


# Reading a rule


def parse_target(text: str) -> tuple[Decimal, bool]:
    """Read 目标值 or 下限值: ``"90%"`` is ``(0.9, True)``, ``"12"`` is ``(12, False)``.

    A fraction without a percent sign (``0.9``) is more likely a rate than a count: refused.
    """
    plain = text.strip().translate(_SIGNS)
    try:
        if plain.endswith("%"):
            return parse_rate(plain), True
        count = parse_number(plain, places=2)
        if 0 < count < 1:
            parse_rate(plain)
    except NumberRefused as refused:
        raise RuleError(str(refused)) from refused
    return count, False


def parse_steps(text: str, full_marks: Decimal) -> tuple[Step, ...]:
    """Read 分档 like ``"≥90%:5;≥80%:3"`` or ``"≤1:2;≤2:1"``; full-width signs are accepted.

    Raises ``RuleError``: unreadable, more points than ``full_marks``, rates mixed with counts, or a
    step that can never be reached because one before it always holds first.
    """
    steps = tuple(_parse_step(part) for part in text.translate(_SIGNS).split(";") if part.strip())
    if not steps:
        raise RuleError("分档没有填写，例如 ≥90%:5;≥80%:3")
    reasons = _step_reasons(steps, full_marks)
    if reasons:
        raise RuleError(reasons[0])
    return steps


def read_rule(row: Mapping[str, str]) -> Rule:
    """Build the rule of a clause from the columns of a ``standard`` file and check it.

    ``row`` maps 评分方法 满分 目标值 下限值 分档 扣分单位 允许倒扣 to text; missing is blank.
    Raises ``RuleError`` with all reasons joined by ；.
    """
    cells = {name: (value or "").strip() for name, value in row.items()}
    method = _method(cells.get("评分方法", ""))
    full_marks = _number("满分", cells.get("满分", ""))
    target, target_is_rate = _optional_target("目标值", cells.get("目标值", ""))
    floor, floor_is_rate = _optional_target("下限值", cells.get("下限值", ""))
    if target is not None and floor is not None and target_is_rate != floor_is_rate:
        raise RuleError("目标值和下限值要么都是百分数，要么都是数量")
    steps = cells.get("分档", "")
    unit = cells.get("扣分单位", "")
    rule = Rule(
        method=method,
        full_marks=full_marks,
        target=target,
        target_is_rate=target_is_rate,
        floor=floor,
        steps=parse_steps(steps, full_marks) if steps else (),
        deduct_unit=_number("扣分单位", unit) if unit else None,
        below_zero=_yes("允许倒扣", cells.get("允许倒扣", "")),
    )
    reasons = check_rule(rule)
    if reasons:
        raise RuleError("；".join(reasons))
    return rule


def check_rule(rule: Rule) -> list[str]:
    """Return the Chinese reasons why ``rule`` cannot score a clause; empty when it can."""
    reasons = []
    if rule.full_marks <= 0 or half_up(rule.full_marks, 2) != rule.full_marks:
        reasons.append("满分必须大于 0，最多两位小数")
    if rule.method in _TARGETS:
        reasons += _target_reasons(rule)
    elif rule.target is not None and rule.method in (Method.DEDUCT, Method.STEPS):
        reasons.append(f"{rule.method}不用目标值")
    if rule.floor is not None and rule.method not in _TARGETS:
        reasons.append(f"{rule.method}不用下限值")
    if rule.method is Method.STEPS:
        reasons += (
            _step_reasons(rule.steps, rule.full_marks) if rule.steps else ["分档没有填写档次"]
        )
    elif rule.steps:
        reasons.append(f"{rule.method}不用分档")
    reasons += _deduct_reasons(rule)
    return reasons


def _target_reasons(rule: Rule) -> list[str]:
    if rule.target is None:
        return [f"{rule.method}没有填写目标值"]
    reasons = []
    if rule.target < 0 or (rule.method is Method.ATTAIN and rule.target == 0):
        reasons.append("目标值必须大于 0")
    if rule.target_is_rate and max(rule.target, rule.floor or 0) > 1:
        reasons.append("目标值和下限值不能超过 100%")
    if rule.floor is not None:
        if rule.floor < 0:
            reasons.append("下限值不能为负")
        if rule.method is Method.ATTAIN and rule.floor > rule.target:
            reasons.append("达标折算的下限值不能高于目标值")
        if rule.method is Method.REVERSE and rule.floor < rule.target:
            reasons.append("反向折算的下限值不能低于目标值")
    return reasons


def _deduct_reasons(rule: Rule) -> list[str]:
    if rule.method is Method.DEDUCT:
        if rule.deduct_unit is None:
            return ["扣分没有填写扣分单位"]
        if rule.deduct_unit <= 0 or half_up(rule.deduct_unit, 2) != rule.deduct_unit:
            return ["扣分单位必须大于 0，最多两位小数"]
        return []
    reasons = []
    if rule.deduct_unit is not None:
        reasons.append(f"{rule.method}不用扣分单位")
    if rule.below_zero:
        reasons.append("只有扣分可以允许倒扣")
    return reasons


def _step_reasons(steps: tuple[Step, ...], full_marks: Decimal) -> list[str]:
    reasons = []
    if len({step.is_rate for step in steps}) > 1:
        return ["分档要么都是百分数，要么都是数量"]
    for place, step in enumerate(steps, start=1):
        if step.points < 0 or step.points > full_marks:
            reasons.append(f"第 {place} 档的得分 {step.points} 不在 0 到满分 {full_marks} 之间")
        if any(_covers(earlier, step) for earlier in steps[: place - 1]):
            reasons.append(f"第 {place} 档永远用不到，它前面的档已经包含它")
    return reasons


def _covers(earlier: Step, later: Step) -> bool:
    """Whether every value at which ``later`` holds is taken by ``earlier`` already."""
    up = "≥>"
    if (earlier.sign in up) != (later.sign in up):
        return False
    if earlier.bound == later.bound:
        return earlier.sign in "≥≤" or later.sign in "><"
    return (earlier.bound < later.bound) == (earlier.sign in up)


def _parse_step(part: str) -> Step:
    match = _STEP.fullmatch(part.strip())
    if match is None:
        raise RuleError(f"「{part.strip()[:20]}」读不懂，分档要写成 ≥90%:5;≥80%:3")
    sign = match[1].replace(">=", "≥").replace("<=", "≤")
    bound, is_rate = parse_target(match[2])
    return Step(sign, bound, is_rate, _number("分档的得分", match[3]))


def _method(text: str) -> Method:
    try:
        return Method(text)
    except ValueError:
        known = "、".join(Method)
        raise RuleError(f"评分方法「{text[:20]}」不认识，可用：{known}") from None


def _number(column: str, text: str) -> Decimal:
    try:
        return parse_number(text, places=2)
    except NumberRefused as refused:
        raise RuleError(f"{column}：{refused}") from refused


def _optional_target(column: str, text: str) -> tuple[Decimal | None, bool]:
    if not text:
        return None, False
    try:
        return parse_target(text)
    except RuleError as error:
        raise RuleError(f"{column}：{error.reason}") from error


def _yes(column: str, text: str) -> bool:
    if text not in ("", "是", "否"):
        raise RuleError(f"{column}只能填是或否")
    return text == "是"


# Scoring a clause


def points(
    rule: Rule,
    figures: Figures,
    *,
    grade_shares: Mapping[str, Decimal] = GRADE_SHARES,
    numerator_name: str = "分子",
    denominator_name: str = "分母",
) -> Outcome:
    """Score one clause and tell how, in a Chinese line that can be checked by hand.

    ``rule`` must pass ``check_rule``. A missing figure is 未评, never full marks. Raises
    ``RuleError`` when the figures contradict each other, the rule, or points entered beside them.
    """
    names = (numerator_name or "分子", denominator_name or "分母")
    return _points(rule, figures, tuple(grade_shares.items()), names)


# Both sides of a line, and the lines of a file of scores, often say the same.
@lru_cache(maxsize=4096)
def _points(
    rule: Rule,
    figures: Figures,
    grade_shares: tuple[tuple[str, Decimal], ...],
    names: tuple[str, str],
) -> Outcome:
    entered = figures.points
    if figures.not_applicable:
        _refuse_points(entered, "不适用的条款不填得分")
        return Outcome(None, rule.full_marks, False, "不适用，不计入得分和满分")
    _refuse_unused(rule, figures)
    missing = _missing(rule, figures)
    if missing:
        if rule.method is not Method.MANUAL:
            _refuse_points(entered, f"填了得分 {entered}，但缺少{'、'.join(missing)}，无法核算")
        return Outcome(None, rule.full_marks, True, f"未评：缺少{'、'.join(missing)}")
    if rule.uses_rate and _nothing_due(rule, figures, names):
        _refuse_points(entered, f"填了得分 {entered}，但{names[1]}为 0，本条不适用")
        return Outcome(None, rule.full_marks, False, f"{names[1]}为 0，本条不适用")
    worth, how = _worth(rule, figures, dict(grade_shares), names)
    result = half_up(worth, 2)
    if entered is not None and entered != result:
        raise RuleError(f"填写的得分 {entered} 与按评分方法算出的 {result} 不一致（{how}{result}）")
    return Outcome(result, rule.full_marks, True, f"{how}{result}")


def total(outcomes: Iterable[Outcome]) -> tuple[Decimal, Decimal]:
    """Return the sums of points and of full marks over the clauses that apply.

    A clause that is 未评 counts with its full marks and no points. An item whose clauses may go
    below zero may be negative; a sheet may not, see ``sheet_total``.
    """
    applicable = [outcome for outcome in outcomes if outcome.applicable]
    gained = sum((outcome.points or ZERO for outcome in applicable), ZERO)
    return gained, sum((outcome.full_marks for outcome in applicable), ZERO)


def sheet_total(outcomes: Iterable[Outcome]) -> tuple[Decimal, Decimal]:
    """Return a whole sheet's points, not below 0, and its applicable full marks."""
    gained, full_marks = total(outcomes)
    return max(gained, ZERO), full_marks


def score(gained: Decimal, full_marks: Decimal) -> Decimal:
    """Return 得分率: points ÷ applicable full marks × 100, within 0…100, rounded to 0.01.

    Raises ``RuleError`` for a sheet without any applicable clause.
    """
    if full_marks <= 0:
        raise RuleError("没有适用的条款，不能计算得分率")
    share = Fraction(gained) / Fraction(full_marks)
    return half_up(min(max(share, Fraction(0)), Fraction(1)) * 100, 2)


def _worth(
    rule: Rule, figures: Figures, grade_shares: Mapping[str, Decimal], names: tuple[str, str]
) -> tuple[Fraction, str]:
    """Dispatch to the method; return the exact points and the explanation up to the result."""
    match rule.method:
        case Method.ATTAIN:
            return _attain(rule, *_measure(rule, figures, names))
        case Method.REVERSE:
            return _reverse(rule, *_measure(rule, figures, names))
        case Method.STEPS:
            return _steps(rule, *_measure(rule, figures, names))
        case Method.YES_NO:
            return _yes_no(rule, figures, names[0])
        case Method.DEDUCT:
            return _deduct(rule, figures)
        case Method.MANUAL:
            return _manual(rule, figures)
        case Method.GRADE:
            return _grade(rule, figures, grade_shares)
        case Method.SAMPLE:
            return _sample(rule, figures, names)


def _attain(rule: Rule, value: Fraction, formula: str, told: str) -> tuple[Fraction, str]:
    goal = _given(rule.target)
    target = _bound_text(goal, rule.target_is_rate)
    if rule.floor is not None and value < Fraction(rule.floor):
        floor = _bound_text(rule.floor, rule.target_is_rate)
        return Fraction(0), f"{told}，低于下限 {floor}，得分 = "
    if value >= Fraction(goal):
        return Fraction(rule.full_marks), f"{told}，达到目标 {target}，得分 = "
    worth = Fraction(rule.full_marks) * value / Fraction(goal)
    return worth, f"{told}，目标 {target}，得分 = {rule.full_marks:.2f} × {formula} ÷ {target} = "


def _reverse(rule: Rule, value: Fraction, formula: str, told: str) -> tuple[Fraction, str]:
    goal = _given(rule.target)
    target = _bound_text(goal, rule.target_is_rate)
    if value <= Fraction(goal):
        return Fraction(rule.full_marks), f"{told}，不高于目标 {target}，得分 = "
    if rule.floor is not None and value > Fraction(rule.floor):
        floor = _bound_text(rule.floor, rule.target_is_rate)
        return Fraction(0), f"{told}，高于下限 {floor}，得分 = "
    worth = Fraction(rule.full_marks) * Fraction(goal) / value
    divisor = f"({formula})" if "÷" in formula else formula
    return worth, f"{told}，目标 {target}，得分 = {rule.full_marks:.2f} × {target} ÷ {divisor} = "


def _steps(rule: Rule, value: Fraction, formula: str, told: str) -> tuple[Fraction, str]:
    for place, step in enumerate(rule.steps, start=1):
        if step.holds(value):
            bound = f"{step.sign}{_bound_text(step.bound, step.is_rate)}"
            return Fraction(step.points), f"{told}，符合第 {place} 档（{bound}），得分 = "
    return Fraction(0), f"{told}，各档都不符合，得分 = "


def _yes_no(rule: Rule, figures: Figures, name: str) -> tuple[Fraction, str]:
    answer = _given(figures.numerator)
    if answer not in (0, 1):
        raise RuleError(f"是否只能填 1（是）或 0（否），不能是 {_figure(answer)}")
    label = "" if name == "分子" else f"{name}："
    if answer == 1:
        return Fraction(rule.full_marks), f"{label}是，得分 = "
    return Fraction(0), f"{label}否，得分 = "


def _deduct(rule: Rule, figures: Figures) -> tuple[Fraction, str]:
    unit = _given(rule.deduct_unit)
    times = _count("扣分次数", figures.deductions)
    left = Fraction(rule.full_marks) - Fraction(unit) * times
    how = f"得分 = {rule.full_marks:.2f} − {unit:.2f} × {times} = "
    if left < 0 and not rule.below_zero:
        return Fraction(0), f"{how}{half_up(left, 2)}，扣完为止，得分 = "
    return left, how


def _manual(rule: Rule, figures: Figures) -> tuple[Fraction, str]:
    entered = _given(figures.points)
    if half_up(entered, 2) != entered:
        raise RuleError(f"得分 {entered} 最多两位小数")
    if not 0 <= entered <= rule.full_marks:
        raise RuleError(f"得分 {entered} 不在 0 到满分 {rule.full_marks} 之间")
    return Fraction(entered), f"手工评分（满分 {rule.full_marks:.2f}），得分 = "


def _grade(
    rule: Rule, figures: Figures, grade_shares: Mapping[str, Decimal]
) -> tuple[Fraction, str]:
    written = (figures.grade or "").strip()
    letter = written.translate(str.maketrans("ＡＢＣＤ", "ABCD")).upper()
    if letter not in grade_shares:
        raise RuleError(f"等级「{written[:20]}」不认识，可用：{'、'.join(grade_shares)}")
    share = grade_shares[letter]
    how = f"等级 {letter} 得 {rate_text(share)}，"
    how += f"得分 = {rule.full_marks:.2f} × {rate_text(share)} = "
    return Fraction(rule.full_marks) * Fraction(share), how


def _sample(rule: Rule, figures: Figures, names: tuple[str, str]) -> tuple[Fraction, str]:
    right_name = "规范份数" if names[0] == "分子" else names[0]
    drawn_name = "抽查份数" if names[1] == "分母" else names[1]
    right = _count(right_name, figures.numerator)
    drawn = _count(drawn_name, figures.denominator)
    genuine = _count("真实份数", figures.genuine)
    verified = _count("核实份数", figures.verified)
    if genuine > verified:
        raise RuleError(f"真实份数 {genuine} 大于核实份数 {verified}")
    told = f"{right_name} {right} ÷ {drawn_name} {drawn}，真实份数 {genuine} ÷ 核实份数 {verified}"
    if verified == 0:
        return Fraction(0), f"{told}，没有核实到任何一份，得分 = "
    worth = Fraction(rule.full_marks) * Fraction(genuine, verified) * Fraction(right, drawn)
    formula = f"{rule.full_marks:.2f} × ({genuine} ÷ {verified}) × ({right} ÷ {drawn})"
    return worth, f"{told}，得分 = {formula} = "


def _measure(rule: Rule, figures: Figures, names: tuple[str, str]) -> tuple[Fraction, str, str]:
    """Return r, how it stands in a formula, and the sentence that says where it comes from."""
    upper = _given(figures.numerator)
    if not rule.uses_rate:
        whole = all(bound == bound.to_integral_value() for bound in _bounds(rule))
        number = _count(names[0], upper) if whole else _not_negative(names[0], upper)
        text = _figure(number)
        return Fraction(number), text, f"{names[0]} {text}"
    lower = _given(figures.denominator)
    ratio = Fraction(upper) / Fraction(lower)
    quotient = f"{_figure(upper)} ÷ {_figure(lower)}"
    # A ratio that two decimals cannot say is left as a quotient, so the line still adds up.
    is_exact = (ratio * 10000).denominator == 1
    sign = "=" if is_exact else "≈"
    told = f"{names[0]} {_figure(upper)} ÷ {names[1]} {_figure(lower)}"
    told += f" {sign} {percent_text(ratio)}"
    return ratio, percent_text(ratio) if is_exact else quotient, told


def _nothing_due(rule: Rule, figures: Figures, names: tuple[str, str]) -> bool:
    """Refuse n > d and negatives; tell whether d = 0, which makes the clause not applicable."""
    upper = _not_negative(names[0], figures.numerator)
    lower = _not_negative(names[1], figures.denominator)
    if upper > lower:
        raise RuleError(f"{names[0]} {_figure(upper)} 大于{names[1]} {_figure(lower)}")
    return lower == 0


def _bounds(rule: Rule) -> list[Decimal]:
    if rule.method is Method.STEPS:
        return [step.bound for step in rule.steps]
    return [bound for bound in (rule.target, rule.floor) if bound is not None]


def _missing(rule: Rule, figures: Figures) -> list[str]:
    if rule.method is Method.MANUAL:
        return ["得分"] if figures.points is None else []
    return [_FIELDS[name] for name in rule.wanted if _blank(getattr(figures, name))]


def _refuse_unused(rule: Rule, figures: Figures) -> None:
    """A figure the method does not read would be silently ignored, so it is refused."""
    unused = [_FIELDS[name] for name in rule.unused if not _blank(getattr(figures, name))]
    if unused:
        raise RuleError(f"按「{rule.method}」评分的本条不填{'、'.join(unused)}")


def _blank(value: object) -> bool:
    return value is None or value == ""


def _given(value: Number | None) -> Number:
    """What ``check_rule`` and ``_missing`` have made sure of, said to the type checker."""
    if value is None:
        raise RuleError("评分规则不完整，不能评分")
    return value


def _refuse_points(entered: Decimal | None, reason: str) -> None:
    if entered is not None:
        raise RuleError(reason)


def _not_negative(name: str, value: Decimal | int | None) -> Decimal:
    number = Decimal(_given(value))
    if not number.is_finite() or number < 0:
        raise RuleError(f"{name}不能是 {_figure(number)}")
    return number


def _count(name: str, value: Decimal | int | None) -> int:
    number = _not_negative(name, value)
    if number != number.to_integral_value():
        raise RuleError(f"{name}必须是整数，不能是 {_figure(number)}")
    return int(number)


def _figure(value: Decimal | int) -> str:
    return plain_text(Decimal(value))


def _bound_text(value: Decimal, is_rate: bool) -> str:
    return rate_text(value) if is_rate else plain_text(value)
