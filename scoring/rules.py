"""The arithmetic above the sheet: quarters, year, rank, grade, and the money of 拨付.

Pure functions without a database; docs/arithmetic.md tells the same in words. Scores are 0…100
with two places, shares are ``Decimal`` (``Decimal("0.25")`` for 25%), money is yuan with two
places, ratios stay exact until an amount is rounded half up.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal, Inexact, localcontext
from fractions import Fraction
from typing import Any

from institutions.rounding import (
    NumberRefused,
    half_up,
    parse_number,
    parse_rate,
    parse_whole,
    percent_text,
    split,
)

ZERO = Decimal("0.00")
QUARTERS = (1, 2, 3, 4)
GRADES = ("优秀", "良好", "合格", "不合格")
BY_RATIO = "比例法"
BY_EQUIVALENTS = "当量法"
BY_PRICE = "单价法"
QUALITY_ALWAYS = "全额"
QUALITY_BELOW = "低于阈值"
# What a year's score may be made of (年终构成); without a rule of its own it is the quarters alone.
QUARTERLY, SPECIAL, DAILY, SATISFACTION = PARTS = ("季度", "年度专项", "日常", "群众满意度")
DAILY_WORDS = ("严重", "反弹", "逾期", "未销号")

PER_CAPITA = {
    2017: Decimal(50),
    2019: Decimal(69),
    2020: Decimal(74),
    2021: Decimal(79),
    2022: Decimal(84),
    2023: Decimal(89),
    2024: Decimal(94),
    2025: Decimal(99),
}
"""人均财政补助标准 in yuan; a year that no notice at hand confirms has no default."""


class ScoringError(ValueError):
    """A policy or a result cannot be made; ``reason`` says why in Chinese."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


# The policy of a bureau for a year


@dataclass(frozen=True)
class PolicyKey:
    """One 项 of the policy table: its field in ``Policy``, how it is read, and what to write."""

    field: str
    parse: Callable[[str], Any]
    default: str | None
    hint: str


@dataclass(frozen=True)
class Policy:
    """What a bureau has decided for a year; shares are 0…1, money is yuan."""

    sheets_due: int
    quarter_weights: tuple[Decimal, ...]
    bonus_cap: Decimal
    full_line: Decimal
    pay_line: Decimal
    ratio_base: Decimal
    per_capita: Decimal
    share: Decimal
    method: str
    pool: Decimal | None
    quality_rule: str
    quality_threshold: Decimal
    grade_lines: tuple[Decimal, ...]
    grade_shares: Mapping[str, Decimal]
    rebound_months: int
    sign_days: int
    appeal_days: int
    composition: Mapping[str, Decimal]
    daily_points: Mapping[str, Decimal]
    second_reader: bool
    gap_line: Decimal | None
    gap_points: Decimal | None

    @property
    def is_combined(self) -> bool:
        """Whether the year's score has parts beside the quarters."""
        return tuple(self.composition) != (QUARTERLY,)

    village_share: Decimal | None = None


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        number = parse_whole(text)
        if not low <= number <= high:
            raise NumberRefused(f"「{number}」不在 {low} 到 {high} 之间")
        return number

    return parse


def _score_line(text: str) -> Decimal:
    number = parse_number(text, places=2)
    if number > 100:
        raise NumberRefused(f"「{number}」不在 0 到 100 之间")
    return number


def _positive(text: str) -> Decimal:
    number = parse_number(text, places=2)
    if number == 0:
        raise NumberRefused("必须大于 0")
    return number


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise NumberRefused(f"「{text[:20]}」不认识，只能填{'或'.join(words)}")
        return text

    return parse


def _parts(text: str, count: int) -> list[str]:
    parts = [part.strip() for part in re.split("[;；、]", text.strip())]
    if len(parts) != count:
        raise NumberRefused(f"要有 {count} 个值，用分号隔开")
    return parts


def _weights(text: str) -> tuple[Decimal, ...]:
    weights = tuple(parse_rate(part) for part in _parts(text, 4))
    if sum(weights) != 1:
        raise NumberRefused(f"四个权重合计是 {percent_text(sum(weights, ZERO))}，必须是 100%")
    return weights


def _named(text: str, names: Sequence[str]) -> dict[str, str]:
    """Read ``名:值;名:值`` in the order of ``names``; unknown and repeated names are refused."""
    found: dict[str, str] = {}
    for part in re.split("[;；、]", text.strip()):
        name, mark, value = part.strip().replace("：", ":").partition(":")
        if not mark or name not in names:
            raise NumberRefused(f"「{part.strip()[:20]}」不认识，名称可用：{'、'.join(names)}")
        if name in found:
            raise NumberRefused(f"「{name}」写了两次")
        found[name] = value.strip()
    return {name: found[name] for name in names if name in found}


def _composition(text: str) -> dict[str, Decimal]:
    parts = {name: parse_rate(value) for name, value in _named(text, PARTS).items()}
    if sum(parts.values()) != 1:
        raise NumberRefused(f"各部分合计是 {percent_text(sum(parts.values(), ZERO))}，必须是 100%")
    if not parts.get(QUARTERLY):
        raise NumberRefused("年终得分离不开季度得分，季度的占比必须大于 0")
    return {name: share for name, share in parts.items() if share > 0}


def _daily(text: str) -> dict[str, Decimal]:
    given = {name: _score_line(value) for name, value in _named(text, DAILY_WORDS).items()}
    return {name: given.get(name, ZERO) for name in DAILY_WORDS}


def _yes(text: str) -> bool:
    return _one_of("是", "否")(text) == "是"


def _lines(text: str) -> tuple[Decimal, ...]:
    lines = tuple(_score_line(part) for part in _parts(text, 3))
    if not lines[0] > lines[1] > lines[2]:
        raise NumberRefused("三条等次线必须从高到低")
    return lines


def _shares(text: str) -> dict[str, Decimal]:
    shares = [parse_rate(part) for part in _parts(text, 4)]
    if shares != sorted(shares, reverse=True):
        raise NumberRefused("A、B、C、D 的比例必须从高到低")
    return dict(zip("ABCD", shares, strict=True))


POLICY_KEYS: Mapping[str, PolicyKey] = {
    "考核次数": PolicyKey("sheets_due", _whole(1, 12), "4", "全年应有的定稿评分表份数，例如 4"),
    "季度权重": PolicyKey(
        "quarter_weights", _weights, "25%;25%;25%;25%", "四个季度的权重，合计 100%"
    ),
    "加分上限": PolicyKey("bonus_cap", _score_line, "5", "加分合计最多计多少分，例如 5"),
    "全额线": PolicyKey("full_line", _score_line, "90", "达到这个分数全额拨付，例如 90"),
    "拨付线": PolicyKey("pay_line", _score_line, "60", "低于这个分数不拨付，例如 60"),
    "比例基数": PolicyKey("ratio_base", _positive, "100", "得分除以它就是拨付比例，例如 100"),
    "人均标准": PolicyKey("per_capita", _positive, None, "人均财政补助标准（元），例如 89"),
    "承担比例": PolicyKey("share", parse_rate, "100%", "本级承担的比例，例如 100%"),
    "结算方式": PolicyKey(
        "method",
        _one_of(BY_RATIO, BY_EQUIVALENTS, BY_PRICE),
        BY_RATIO,
        "比例法、当量法或单价法",
    ),
    "资金池": PolicyKey("pool", _positive, None, "当量法要分配的总额（元），例如 150000.00"),
    "修正方式": PolicyKey(
        "quality_rule",
        _one_of(QUALITY_ALWAYS, QUALITY_BELOW),
        QUALITY_ALWAYS,
        "全额（质量系数一律相乘）或低于阈值（低于修正阈值才相乘）",
    ),
    "修正阈值": PolicyKey("quality_threshold", parse_rate, "85%", "质量系数的阈值，例如 85%"),
    "等次线": PolicyKey("grade_lines", _lines, "90;80;60", "优秀、良好、合格的分数线"),
    "等级分": PolicyKey("grade_shares", _shares, "100%;80%;60%;0%", "A、B、C、D 各得满分的比例"),
    "反弹期": PolicyKey("rebound_months", _whole(1, 120), "12", "多少个月内再犯算反弹，例如 12"),
    "签收期": PolicyKey("sign_days", _whole(1, 30), "3", "交办后几个工作日内签收，例如 3"),
    "申诉期": PolicyKey(
        "appeal_days",
        _whole(1, 60),
        "5",
        "结果公布（结算单公示）后多少个工作日内可以提出异议，例如 5",
    ),
    "村级占比": PolicyKey(
        "village_share",
        parse_rate,
        None,
        "中心的经费里属于村卫生室（站）的比例，例如 40%；不填表示不划分",
    ),
    "年终构成": PolicyKey(
        "composition",
        _composition,
        "季度:100%",
        "年终得分由哪几部分合成，合计 100%，例如 季度:70%;年度专项:20%;日常:5%;群众满意度:5%",
    ),
    "日常扣分": PolicyKey(
        "daily_points",
        _daily,
        "严重:5;反弹:3;逾期:2;未销号:1",
        "日常部分从 100 分里每个问题扣多少，例如 严重:5;反弹:3;逾期:2;未销号:1",
    ),
    "第二人复核": PolicyKey(
        "second_reader",
        _yes,
        "否",
        "是：核定后由另一人复核，全部复核后才能公布，年终表也先复核再定稿；或否",
    ),
    "自评偏差线": PolicyKey(
        "gap_line", _positive, None, "全年自评比核定高出多少个百分点就建议扣分，例如 5"
    ),
    "自评偏差扣分": PolicyKey(
        "gap_points", _positive, None, "超过自评偏差线时建议扣多少分，由经办决定，例如 1"
    ),
}


def parse_policy_value(key: str, text: str) -> Any:
    """Read one 值 of the policy table; raise ``ScoringError`` naming the key and a good value."""
    entry = POLICY_KEYS.get(key)
    if entry is None:
        raise ScoringError(f"项「{key[:20]}」不认识，可用：{'、'.join(POLICY_KEYS)}")
    try:
        return entry.parse(text.strip())
    except NumberRefused as refused:
        raise ScoringError(f"{key}：{refused}（{entry.hint}）") from refused


def policy_from(rows: Mapping[str, str], year: int) -> Policy:
    """Build the policy of ``year`` from written rows (项 → 值) over the defaults.

    A centre's policy is its bureau's rows overridden by its own: ``{**bureau, **own}``. Raises
    ``ScoringError`` for an unknown or unreadable row, a year without 人均标准, and lines that
    contradict each other.
    """
    for key in rows:
        if key not in POLICY_KEYS:
            parse_policy_value(key, rows[key])
    values: dict[str, Any] = {}
    for key, entry in POLICY_KEYS.items():
        text = rows.get(key, entry.default)
        values[entry.field] = None if text is None else parse_policy_value(key, text)
    if values["per_capita"] is None:
        if year not in PER_CAPITA:
            raise ScoringError(f"{year} 年没有默认的人均标准，请在政策里填写「人均标准」")
        values["per_capita"] = PER_CAPITA[year]
    policy = Policy(**values)
    if policy.pay_line > policy.full_line:
        raise ScoringError(f"拨付线 {policy.pay_line} 不能高于全额线 {policy.full_line}")
    return policy


# From quarters to the year


@dataclass(frozen=True)
class QuarterScore:
    """季度得分, the due quarters written 缺考, and a line that can be checked by hand."""

    score: Decimal
    absent: tuple[int, ...]
    explanation: str


def quarter_score(
    scores: Mapping[int, Decimal | None],
    weights: Sequence[Decimal],
    due: Collection[int],
) -> QuarterScore:
    """Weigh the quarters' scores; ``due`` are the quarters with a day on which it was open.

    A quarter of weight 0 is not due. A due quarter without a final sheet (``None`` or no key)
    counts 0 and is 缺考; the weights of the quarters due are rescaled to 100 %. Raises
    ``ScoringError`` when no quarter is due.
    """
    counted = [q for q in QUARTERS if q in due and weights[q - 1] > 0]
    whole = sum((Fraction(weights[q - 1]) for q in counted), Fraction(0))
    if not counted:
        raise ScoringError("全年没有应考核的季度，不能计算季度得分")
    absent = tuple(q for q in counted if scores.get(q) is None)
    gained = Fraction(0)
    terms = []
    for q in counted:
        points = scores.get(q)
        gained += Fraction(points or 0) * Fraction(weights[q - 1])
        shown = "0.00（缺考）" if points is None else f"{half_up(points, 2)}"
        terms.append(f"{shown} × {percent_text(weights[q - 1])}")
    result = half_up(gained / whole, 2)
    rescaled = "" if whole == 1 else f" ÷ {percent_text(whole)}"
    formula = " + ".join(terms)
    shown_sum = f"({formula})" if rescaled and len(terms) > 1 else formula
    return QuarterScore(result, absent, f"{shown_sum}{rescaled} = {result}")


@dataclass(frozen=True)
class Combined:
    """The score before bonus and deduction, the parts missed (0 points) and those nobody had."""

    score: Decimal
    absent: tuple[str, ...]
    dropped: tuple[str, ...]
    explanation: str


def combine(parts: Mapping[str, Decimal | None], composition: Mapping[str, Decimal]) -> Combined:
    """Weigh the parts of the year by 年终构成.

    A part of ``None`` was missed: it counts 0 and is 缺考. A part without a key was not held at
    all: it is left out, and the other shares are rescaled to 100 %.
    """
    counted = {name: share for name, share in composition.items() if name in parts}
    whole = sum((Fraction(share) for share in counted.values()), Fraction(0))
    if whole == 0:
        raise ScoringError("年终构成的各部分都没有得分，不能计算")
    gained = sum(
        (Fraction(parts[name] or 0) * Fraction(share) for name, share in counted.items()),
        Fraction(0),
    )
    terms = [
        f"{name} {'0.00（缺考）' if parts[name] is None else half_up(parts[name] or 0, 2)}"
        f" × {percent_text(share)}"
        for name, share in counted.items()
    ]
    result = half_up(gained / whole, 2)
    formula = " + ".join(terms)
    if whole != 1:
        formula = f"({formula})" if len(terms) > 1 else formula
        formula += f" ÷ {percent_text(whole)}"
    return Combined(
        result,
        tuple(name for name in counted if parts[name] is None),
        tuple(name for name in composition if name not in parts),
        f"{formula} = {result}",
    )


def daily_score(found: Mapping[str, int], points: Mapping[str, Decimal]) -> Decimal:
    """Return 日常: 100 minus the policy's points for each problem counted, not below 0."""
    lost = sum((Fraction(points[word]) * count for word, count in found.items()), Fraction(0))
    return half_up(max(Fraction(100) - lost, Fraction(0)), 2)


def year_score(
    quarterly: Decimal, bonus: Decimal, deduction: Decimal, bonus_cap: Decimal
) -> Decimal:
    """Return 年终得分: quarterly + capped bonus − deduction (written positive), within 0…100."""
    if bonus < 0 or deduction < 0:
        raise ScoringError("加分和扣分都写成正数")
    result = Fraction(quarterly) + Fraction(min(bonus, bonus_cap)) - Fraction(deduction)
    return half_up(min(max(result, Fraction(0)), Fraction(100)), 2)


def grade(score: Decimal, veto: bool, lines: Sequence[Decimal]) -> str:
    """Return 等次: ``lines`` are the lower bounds of 优秀, 良好, 合格; a veto is 不合格."""
    if veto:
        return GRADES[-1]
    for word, line in zip(GRADES, lines, strict=False):
        if score >= line:
            return word
    return GRADES[-1]


# Ranks

TOWN_KINDS = ("乡镇卫生院", "社区卫生服务中心")
VILLAGE_KINDS = ("村卫生室", "社区卫生服务站")
OTHER_KINDS = (
    "医院",
    "妇幼保健院",
    "疾控中心",
    "卫生监督机构",
    "精神病医院",
    "街道办事处",
    "卫生健康行政部门",
)


@dataclass(frozen=True, order=True)
class Group:
    """排名组: sorts by ``place`` and the ``owner``'s 机构代码, never by its Chinese ``label``."""

    place: int
    owner: str
    label: str = field(compare=False)


def ranking_group(kind: str, also: Collection[str], *, bureau: str, parent: str) -> Group:
    """Return the group an institution is ranked in; ``bureau`` and ``parent`` are codes.

    Township and community centres of one bureau compete together, by 机构类别 or 兼任类别;
    clinics and stations under the same parent together; every other kind by itself.
    """
    if any(one in TOWN_KINDS for one in (kind, *also)):
        return Group(0, bureau, "、".join(TOWN_KINDS))
    if kind in VILLAGE_KINDS:
        return Group(1, parent, "、".join(VILLAGE_KINDS))
    return Group(2 + OTHER_KINDS.index(kind), bureau, kind)


@dataclass(frozen=True)
class Standing:
    """One institution to rank: ``group`` is anything that sorts, ``code`` is 机构代码."""

    code: str
    group: Any
    score: Decimal
    veto: bool = False


@dataclass(frozen=True)
class Ranked:
    """A standing with its 名次 within the group."""

    rank: int
    standing: Standing


def table_order(ranked: Ranked) -> tuple[Any, int, str]:
    """Sort key of the official table: group, rank, 机构代码 in ASCII order."""
    return ranked.standing.group, ranked.rank, ranked.standing.code


def rank(standings: Iterable[Standing]) -> list[Ranked]:
    """Rank within each group, in table order: equal scores share a rank, the next is skipped.

    Vetoed ones come after all others of the group, among themselves by score.
    """
    groups: dict[Any, list[Standing]] = {}
    for standing in standings:
        groups.setdefault(standing.group, []).append(standing)
    result = []
    for members in groups.values():
        merits = sorted(_merit(standing) for standing in members)
        first = {merit: place for place, merit in reversed(list(enumerate(merits, start=1)))}
        result += [Ranked(first[_merit(standing)], standing) for standing in members]
    return sorted(result, key=table_order)


def _merit(standing: Standing) -> tuple[bool, Decimal]:
    return standing.veto, -standing.score


# Money


@dataclass(frozen=True)
class Amounts:
    """The money of one institution in yuan; ``ratio`` is ``None`` under 当量法."""

    due: Decimal
    ratio: Fraction | None
    approved: Decimal
    top_up: Decimal
    prepaid: Decimal

    @property
    def balance(self) -> Decimal:
        """应补退: what is still to pay, negative when it is to be paid back."""
        return half_up(Fraction(self.approved) - Fraction(self.prepaid), 2)


def ratio(score: Decimal, veto: bool, policy: Policy) -> Fraction:
    """Return the exact 拨付比例 within 0…1: full line, pay line and base are the policy's."""
    if veto or score < policy.pay_line:
        return Fraction(0)
    if score >= policy.full_line:
        return Fraction(1)
    return min(Fraction(1), Fraction(score) / Fraction(policy.ratio_base))


def ratio_text(value: Fraction | None) -> str:
    """Print a ratio like ``70.38%``; empty under 当量法."""
    return "" if value is None else percent_text(value)


def settle_by_ratio(
    population: int, policy: Policy, score: Decimal, veto: bool, prepaid: Decimal = ZERO
) -> Amounts:
    """比例法: population × per capita × share, paid by the exact ratio of the year's score.

    What the ratio withholds is the 财政补齐 owed by district and town; under a veto it is 0.
    """
    if population < 0:
        raise ScoringError("服务人口不能为负")
    due = half_up(population * Fraction(policy.per_capita) * Fraction(policy.share), 2)
    share = ratio(score, veto, policy)
    approved = half_up(Fraction(due) * share, 2)
    top_up = ZERO if veto else half_up(Fraction(due) - Fraction(approved), 2)
    return Amounts(due, share, approved, top_up, half_up(prepaid, 2))


def quality(points: Decimal, full_marks: Decimal) -> Decimal:
    """Return 质量系数: points ÷ applicable full marks within 0…1, rounded to four places."""
    if full_marks <= 0:
        raise ScoringError("没有适用的条款，不能计算质量系数")
    share = Fraction(points) / Fraction(full_marks)
    return half_up(min(max(share, Fraction(0)), Fraction(1)), 4)


def applied_quality(value: Decimal, policy: Policy) -> Decimal:
    """Return the factor that is multiplied: under 低于阈值 a quality at or above it counts 1."""
    if policy.quality_rule == QUALITY_BELOW and value >= policy.quality_threshold:
        return Decimal(1)
    return value


@dataclass(frozen=True)
class Work:
    """One row of workload: 核定数量, 当量系数 and the quality of its item in its quarter."""

    code: str
    quantity: Decimal
    coefficient: Decimal
    quality: Decimal


@dataclass(frozen=True)
class PoolSettlement:
    """当量法: the money and the effective equivalents by 机构代码, and the sum of them all."""

    amounts: Mapping[str, Amounts]
    equivalents: Mapping[str, Fraction]
    whole: Fraction

    @property
    def unit_price(self) -> Fraction:
        """Yuan for one equivalent, exact; for display only."""
        due = sum((Fraction(amounts.due) for amounts in self.amounts.values()), Fraction(0))
        return due / self.whole


def settle_by_equivalents(
    codes: Iterable[str],
    work: Iterable[Work],
    policy: Policy,
    *,
    vetoed: Collection[str] = (),
    prepaid: Mapping[str, Decimal] | None = None,
) -> PoolSettlement:
    """当量法: split the policy's pool by effective equivalents, exact to the cent.

    ``codes`` are all institutions settled, also those without work. A vetoed one's part is
    withheld and not given to the others. Raises ``ScoringError`` without a pool, without any
    equivalents, and for work of an institution that is not among ``codes``.
    """
    if policy.pool is None:
        raise ScoringError("当量法没有填写资金池，不能结算")
    sums = _weigh(codes, work, policy)
    whole = sum(sums.values(), Fraction(0))
    if whole == 0:
        raise ScoringError("所有机构的有效当量都是 0，不能分配资金池")
    given = prepaid or {}
    amounts = {}
    for code, due in split(policy.pool, sums).items():
        approved = ZERO if code in vetoed else due
        amounts[code] = Amounts(due, None, approved, ZERO, half_up(given.get(code, ZERO), 2))
    return PoolSettlement(amounts, sums, whole)


def settle_by_price(
    codes: Iterable[str],
    work: Iterable[Work],
    policy: Policy,
    *,
    vetoed: Collection[str] = (),
    prepaid: Mapping[str, Decimal] | None = None,
) -> Mapping[str, Amounts]:
    """单价法: Σ 核定数量 × 单价 × quality, each institution's sum rounded to the cent once.

    ``Work.coefficient`` is the price in yuan (二七卫计〔2018〕29号: 确定各项服务补助或购买服务支付标准，按照服务数量和质量拨付).
    A vetoed one is due its sum and gets nothing. Raises ``ScoringError`` for negative work and for work of an
    institution that is not among ``codes``.
    """
    sums = _weigh(codes, work, policy)
    given = prepaid or {}
    amounts = {}
    for code, whole in sums.items():
        due = half_up(whole, 2)
        approved = ZERO if code in vetoed else due
        amounts[code] = Amounts(due, None, approved, ZERO, half_up(given.get(code, ZERO), 2))
    return amounts


def _weigh(codes: Iterable[str], work: Iterable[Work], policy: Policy) -> dict[str, Fraction]:
    """Return Σ quantity × coefficient (or price) × applied quality by 机构代码, exact."""
    sums = dict.fromkeys(codes, Decimal(0))
    # Far more digits than the products have: a sum of decimals is exact then, and many times as quick as fractions.
    with localcontext(Context(prec=200, traps=[Inexact])):
        for row in work:
            if row.code not in sums:
                raise ScoringError(f"工作量里的机构 {row.code} 不在结算名单中")
            if row.quantity < 0 or row.coefficient < 0:
                raise ScoringError(f"机构 {row.code} 的工作量、当量系数和单价不能为负")
            factor = applied_quality(row.quality, policy)
            sums[row.code] += row.quantity * row.coefficient * factor
    return {code: Fraction(whole) for code, whole in sums.items()}


def two_tiers(amount: Decimal, share: Decimal) -> tuple[Decimal, Decimal]:
    """Return what of a centre's amount is its own and what is its clinics': the two add up to it exactly."""
    parts = split(abs(amount), {"own": 1 - Fraction(share), "village": Fraction(share)})
    sign = -1 if amount < 0 else 1
    return sign * parts["own"], sign * parts["village"]


_CAPITALS = "零壹贰叁肆伍陆柒捌玖"


def capitals(amount: Decimal) -> str:
    """Write yuan in Chinese capitals, as on vouchers (正确填写票据和结算凭证的基本规定): 人民币壹万零伍元零叁分.

    Raises ``ValueError`` from 10¹² yuan on and for more than two places.
    """
    if half_up(amount, 2) != amount:
        raise ValueError("金额最多两位小数")
    cents = int(abs(amount) * 100)
    yuan, rest = divmod(cents, 100)
    if yuan >= 10**12:
        raise ValueError("金额太大")
    jiao, fen = divmod(rest, 10)
    text = f"{_whole_capitals(yuan)}元" if yuan else ""
    if not rest:
        text = f"{text or '零元'}整"
    else:
        if jiao:
            text += f"{_CAPITALS[jiao]}角"
        elif yuan:
            text += "零"
        text += f"{_CAPITALS[fen]}分" if fen else "整"
    return f"人民币{'负' if amount < 0 else ''}{text}"


def _whole_capitals(number: int) -> str:
    """Group by ten thousands; a gap of any length is one 零."""
    text, gap = "", False
    for place, unit in ((10**8, "亿"), (10**4, "万"), (1, "")):
        group = number // place % 10**4
        if not group:
            gap = bool(text)
            continue
        if text and (gap or group < 1000):
            text += "零"
        text += _group_capitals(group) + unit
        gap = False
    return text


def _group_capitals(group: int) -> str:
    text, gap = "", False
    for place, unit in ((1000, "仟"), (100, "佰"), (10, "拾"), (1, "")):
        digit = group // place % 10
        if not digit:
            gap = bool(text)
            continue
        text += ("零" if gap else "") + _CAPITALS[digit] + unit
        gap = False
    return text
