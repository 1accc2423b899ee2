"""优质服务基层行, the rules: when a unit may apply, which level its grades reach, what is missing, what its level is.

Which shares make a level is data of the standard (campaigns/capability.py). docs/capability.md tells it for people.
"""

import calendar
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from campaigns.capability import Level, judge, still_missing
from institutions import clock
from institutions.models import Institution, Kind
from scoring.models import CapabilityLine, CapabilityReview, CapabilityRound, ReviewLevel
from scoring.models.capability import Grade

ORDER = (ReviewLevel.BELOW, ReviewLevel.BASIC, ReviewLevel.RECOMMENDED)
# 社区卫生服务站和村卫生室服务能力标准参照社区卫生服务中心、乡镇卫生院的相关标准执行.
REFERS_TO: dict[str, str] = {Kind.STATION: Kind.COMMUNITY, Kind.CLINIC: Kind.TOWNSHIP}


def earliest_application(started: date, months: int) -> date:
    """Return the first day on which `months` of self-evaluation are over.

    The day of the start is the first day; the months are over on the day of the same number, or, where that month has
    none, on its last day (民法典第二百零二条: 没有对应日的，月末日为期间的最后一日): 8月31日 + 6个月 = 2月28日.
    """
    index = started.year * 12 + started.month - 1 + months
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(started.day, last))


@dataclass(frozen=True)
class Standing:
    """What grades come to: the level, how many of each grade, and for each level what it still needs."""

    level: ReviewLevel
    counts: Mapping[str, int]
    missing: Mapping[ReviewLevel, Sequence[str]]
    open: int

    def reaches(self, level: str) -> bool:
        return ORDER.index(self.level) >= ORDER.index(ReviewLevel(level))

    @property
    def next(self) -> tuple[ReviewLevel, Sequence[str]] | None:
        """The level above the one reached, with what it still needs; None at the top."""
        place = ORDER.index(self.level) + 1
        if place == len(ORDER) or ORDER[place] not in self.missing:
            return None
        return ORDER[place], self.missing[ORDER[place]]


def level_named(name: str) -> ReviewLevel | None:
    return next((level for level in ReviewLevel if level.label == name), None)


def stand(
    levels: Sequence[Level], grades: Mapping[str, str], core: Collection[str] = ()
) -> Standing:
    """Say which level the grades (clause code → A…D, N for 不适用, "" for none yet) reach.

    不适用 leaves the denominator. A level counts only when those below it are reached as well.
    """
    applying = {code: grade for code, grade in grades.items() if grade != Grade.NONE}
    reached, missing, climbing = ReviewLevel.BELOW, {}, True
    for verdict in judge(levels, applying, core):
        level = level_named(verdict.level.name)
        if level is None:
            continue
        climbing = climbing and verdict.reached
        if climbing:
            reached = level
        missing[level] = still_missing(verdict.level, applying, core)
    return Standing(
        level=reached,
        counts={g: sum(given == g for given in grades.values()) for g in Grade.values},
        missing=missing,
        open=sum(not given for given in grades.values()),
    )


def stand_of(
    review: CapabilityReview, lines: Iterable[CapabilityLine], side: str = "grade"
) -> Standing:
    """Judge one side of the lines (each with its clause): `grade`, `review_grade`, or `reviewed`, what counts now."""
    rows = list(lines)
    grades = {line.clause.code: getattr(line, side) for line in rows}
    return stand(review.levels, grades, {line.clause.code for line in rows if line.clause.core})


def lower(one: str, other: str) -> ReviewLevel:
    return min(ReviewLevel(one), ReviewLevel(other), key=ORDER.index)


def referred_kinds(institution: Institution) -> set[str]:
    """The kinds whose standard a unit is measured by: its own; a clinic's or station's is that of its kind of centre."""
    return {*institution.kinds, *(REFERS_TO[k] for k in institution.kinds if k in REFERS_TO)}


def level_of(institutions: Iterable[Institution | int], year: int) -> dict[int, ReviewLevel]:
    """Return for each institution (by id) the level that holds in a year: the latest settled in that year or before.

    Missing is who has never had a result. Closing a year settles whoever had to take part and has no level as below
    (`capability_register.close`); a level reached in an earlier year stays until a later review settles another. One query.
    """
    wanted = {one.pk if isinstance(one, Institution) else one for one in institutions}
    rows = CapabilityReview.objects.filter(institution__in=wanted, round__year__lte=year)
    rows = rows.exclude(level="").order_by("round__year", "level_on", "pk")
    return {unit: ReviewLevel(level) for unit, level in rows.values_list("institution", "level")}


def required_ids(round: CapabilityRound) -> set[int]:
    """Return who must take part: every township and community centre below who runs the round, by what it acts as too."""
    day = min(clock.today(), date(round.year, 12, 31))
    rows = (
        Institution.objects.filter(path__startswith=round.institution.path)
        .open_on(day)
        .order_by()
        .values_list("pk", "kind", "also_kinds")
    )
    centres = set(REFERS_TO.values())
    return {pk for pk, kind, also in rows if centres & {kind, *also}}
