"""能力标准 (优质服务基层行): which shares of the grades A, B, C make 基本标准 and 推荐标准.

The table is data of the standard (`Standard.levels`), since each province hands out its own. A level holds when enough of
the clauses that apply have at least each grade, and every core clause has at least the grade asked of core clauses.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from itertools import pairwise
from typing import Any

from institutions.rounding import NumberRefused, half_up, parse_number, plain_text

GRADES = "ABCD"
# The columns of the table: at least this share of clauses has the grade or a better one.
SHARES = ("C", "B", "A")
NAMES = ("基本标准", "推荐标准")


@dataclass(frozen=True)
class Level:
    """达标规则 of one level: `shares` maps a grade to the least percentage, `core` is what core clauses need."""

    name: str
    shares: Mapping[str, Decimal]
    core: str = ""

    def stored(self) -> dict[str, Any]:
        shares = {grade: plain_text(self.shares[grade]) for grade in SHARES}
        return {"name": self.name, "shares": shares, "core": self.core}


@dataclass(frozen=True)
class Verdict:
    """Whether a level is reached, and what each condition came to."""

    level: Level
    reasons: Sequence[str]

    @property
    def reached(self) -> bool:
        return not self.reasons


def read_levels(stored: Sequence[Mapping[str, Any]]) -> list[Level]:
    """Return the levels of `Standard.levels`. Raises ValueError with the reason for anything else."""
    levels = []
    for row in stored:
        try:
            shares = {grade: _share(row["shares"][grade]) for grade in SHARES}
            levels.append(Level(str(row["name"]).strip(), shares, str(row.get("core", ""))))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("达标规则缺少栏目") from error
    return levels


def _share(text: Any) -> Decimal:
    try:
        return parse_number(str(text), places=2)
    except NumberRefused as refused:
        raise ValueError(f"达标规则的比例“{str(text)[:20]}”：{refused}") from refused


def check_levels(stored: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return, in Chinese, what is wrong with a table of levels; empty when it can be used."""
    try:
        levels = read_levels(stored)
    except ValueError as error:
        return [str(error)]
    reasons = []
    if len({level.name for level in levels}) != len(levels) or not all(x.name for x in levels):
        reasons.append("达标规则的名称不能空着，也不能重复")
    for level in levels:
        reasons += [f"{level.name}：{reason}" for reason in _level_reasons(level)]
    for lower, higher in pairwise(levels):
        if any(higher.shares[grade] < lower.shares[grade] for grade in SHARES):
            reasons.append(f"{higher.name}的比例不能低于{lower.name}")
    return reasons


def _level_reasons(level: Level) -> list[str]:
    reasons = []
    if any(not 0 <= share <= 100 for share in level.shares.values()):
        reasons.append("比例应在 0 到 100 之间")
    if not level.shares["C"] >= level.shares["B"] >= level.shares["A"]:
        reasons.append("C 及以上的比例不能低于 B 及以上的，B 及以上的不能低于 A 的")
    if level.core not in ("", "A", "B", "C"):
        reasons.append("核心条款的最低等级只能是 A、B、C 或不要求")
    return reasons


def judge(
    levels: Sequence[Level], grades: Mapping[str, str], core: Collection[str] = ()
) -> list[Verdict]:
    """Say of each level whether the grades (by clause code, those that apply) reach it, and if not, why.

    A clause without a grade counts as not reached. Shares are compared exactly, shown to 0.01.
    """
    return [Verdict(level, _missing(level, grades, core)) for level in levels]


def _missing(level: Level, grades: Mapping[str, str], core: Collection[str]) -> list[str]:
    if not grades:
        return ["没有适用的条款"]
    reasons = []
    for grade in SHARES:
        good = sum(_at_least(given, grade) for given in grades.values())
        if good * 100 < level.shares[grade] * len(grades):
            share = half_up(Decimal(good) * 100 / len(grades), 2)
            word = "A" if grade == "A" else f"{grade} 及以上"
            need = plain_text(level.shares[grade])
            reasons.append(f"{word} {good} 条，占 {plain_text(share)}%，不足 {need}%")
    weak = [c for c in sorted(core) if c in grades and not _at_least(grades[c], level.core)]
    if level.core and weak:
        reasons.append(f"核心条款 {'、'.join(weak)} 未达到 {level.core}")
    return reasons


def _at_least(given: str, grade: str) -> bool:
    return given in GRADES and given != "" and (not grade or given <= grade)


def still_missing(level: Level, grades: Mapping[str, str], core: Collection[str] = ()) -> list[str]:
    """Say in Chinese what a level still needs: so many clauses more of a grade, and which core clauses are too low.

    Empty exactly when `judge` says that the level is reached.
    """
    if not grades:
        return ["没有适用的条款"]
    found = []
    for grade in SHARES:
        good = sum(_at_least(given, grade) for given in grades.values())
        exact = level.shares[grade] * len(grades) / 100
        need = int(exact.to_integral_value(ROUND_CEILING))
        if good < need:
            word = "A" if grade == "A" else f"{grade} 及以上"
            found.append(f"{word}还差 {need - good} 条（至少 {need} 条，现有 {good} 条）")
    if level.core:
        weak = [c for c in sorted(core) if c in grades and not _at_least(grades[c], level.core)]
        if named := [f"{code}（现为 {grades[code] or '未评'}）" for code in weak]:
            found.append(f"核心条款至少 {level.core}：{'、'.join(named)}")
    return found
