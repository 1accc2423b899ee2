"""Which institutions to visit next: a sum of terms, each a weight times a level between 0 and 1, all of it shown.

Pure. The idea is HNQIS' next visit from score class and volume, with what a bureau knows besides: overdue and
recurring problems, the gap between self-check and verified score, and how long nobody has been there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from institutions.rounding import half_up

# Where a term reaches its full weight.
OVERDUE = 5
RECURRING = 3
GAP = 20
DAYS = 180


@dataclass(frozen=True)
class Figures:
    """What is known of one institution; None where nothing is.

    `score` is the last verified score (0 to 100), `gap` self-assessed minus verified 得分率 in percentage points, `days`
    those since the last visit, `residents` the people served.
    """

    score: Decimal | None = None
    gap: Decimal | None = None
    overdue: int = 0
    recurring: int = 0
    days: int | None = None
    residents: int | None = None


@dataclass(frozen=True)
class Kind:
    name: str
    label: str
    weight: int  # the default, of 100 in all
    rule: str


KINDS = (
    Kind("score", "上次得分", 30, "（100－得分）÷100；没有得分的按一半"),
    Kind("overdue", "逾期整改", 20, f"逾期未整改的问题数÷{OVERDUE}，最多算 1"),
    Kind("recurring", "反弹问题", 15, f"一年内的反弹问题数÷{RECURRING}，最多算 1"),
    Kind("gap", "自评虚高", 15, f"自评得分率高出核定的百分点÷{GAP}，最多算 1"),
    Kind("days", "距上次督导", 10, f"天数÷{DAYS}，最多算 1；没有督导过的算 1"),
    Kind("volume", "服务人口", 10, "服务人口÷本表最多的服务人口"),
)
DEFAULTS: Mapping[str, int] = {kind.name: kind.weight for kind in KINDS}


@dataclass(frozen=True)
class Term:
    """One term of an institution: `said` is the figure in words, `points` = weight × level, to one decimal."""

    label: str
    said: str
    level: Decimal
    weight: int
    points: Decimal


def terms(figures: Figures, weights: Mapping[str, int], most_residents: int) -> list[Term]:
    """Return the terms in the order of `KINDS`; their points add up to the institution's risk."""
    levels = _levels(figures, most_residents)
    return [
        Term(
            kind.label,
            levels[kind.name][0],
            half_up(levels[kind.name][1], 2),
            weights[kind.name],
            half_up(levels[kind.name][1] * weights[kind.name], 1),
        )
        for kind in KINDS
    ]


def total(found: list[Term]) -> Decimal:
    return sum((term.points for term in found), Decimal(0))


def _levels(f: Figures, most: int) -> dict[str, tuple[str, Fraction]]:
    score = Fraction(1, 2) if f.score is None else 1 - Fraction(f.score) / 100
    gap = Fraction(0) if f.gap is None else Fraction(f.gap) / GAP
    days = Fraction(1) if f.days is None else Fraction(f.days, DAYS)
    volume = Fraction(f.residents or 0, most) if most else Fraction(0)
    return {
        "score": ("没有得分" if f.score is None else f"{f.score}分", _between(score)),
        "overdue": (f"{f.overdue}个", _between(Fraction(f.overdue, OVERDUE))),
        "recurring": (f"{f.recurring}个", _between(Fraction(f.recurring, RECURRING))),
        "gap": ("没有自评" if f.gap is None else f"{f.gap}个百分点", _between(gap)),
        "days": ("没有督导过" if f.days is None else f"{f.days}天", _between(days)),
        "volume": ("不详" if f.residents is None else f"{f.residents}人", _between(volume)),
    }


def _between(level: Fraction) -> Fraction:
    return min(max(level, Fraction(0)), Fraction(1))
