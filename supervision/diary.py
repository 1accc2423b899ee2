"""The visits of a month by day, with the days on which somebody or some institution has two."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from supervision.models import Visit

# A plan longer than this is a period in which a day is still to be chosen: it stands on its first day, and clashes
# with nothing.
PERIOD_DAYS = 5


@dataclass
class Entry:
    """A visit on one day. `clashes` say in Chinese who or what is planned twice on it."""

    visit: Visit
    period: bool = False
    clashes: list[str] = field(default_factory=list)


@dataclass
class Day:
    date: date
    inside: bool
    entries: list[Entry] = field(default_factory=list)


def days_of(visit: Visit) -> tuple[list[date], bool]:
    """Return the days of a visit, and whether it is only a period: the day it was made, else those planned."""
    if visit.visited_on:
        return [visit.visited_on], False
    length = (visit.ends - visit.starts).days + 1
    if length > PERIOD_DAYS:
        return [visit.starts], True
    return [visit.starts + timedelta(days=n) for n in range(length)], False


def month_bounds(first: date) -> tuple[date, date]:
    """Return the first and the last day of the month of `first`."""
    following = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    return first.replace(day=1), following - timedelta(days=1)


def weeks(first: date, visits: Iterable[Visit]) -> list[list[Day]]:
    """Return the weeks of a month, Monday first, with its visits; `visits` bear lead, members and institution."""
    start, end = month_bounds(first)
    by_day = by_days(visits)
    monday = start - timedelta(days=start.weekday())
    rows = []
    while monday <= end:
        days = [monday + timedelta(days=n) for n in range(7)]
        rows.append(
            [
                Day(
                    day,
                    day.month == start.month,
                    by_day.get(day, []) if start <= day <= end else [],
                )
                for day in days
            ]
        )
        monday += timedelta(days=7)
    return rows


def by_days(visits: Iterable[Visit]) -> dict[date, list[Entry]]:
    """Return the visits by day, each with its clashes on it."""
    found: dict[date, list[Entry]] = defaultdict(list)
    for visit in visits:
        days, period = days_of(visit)
        for day in days:
            found[day].append(Entry(visit, period))
    for entries in found.values():
        _mark([entry for entry in entries if not entry.period])
    return dict(found)


def _mark(entries: Sequence[Entry]) -> None:
    """Note on each entry the people and the institution that another entry of the day has too."""
    held: dict[tuple[str, int], list[Entry]] = defaultdict(list)
    names: dict[tuple[str, int], str] = {}
    for entry in entries:
        visit = entry.visit
        for post in {visit.lead, *visit.members.all()}:
            held["post", post.pk].append(entry)
            names["post", post.pk] = f"{post}当天安排了 {{n}} 次"
        held["unit", visit.institution_id].append(entry)
        names["unit", visit.institution_id] = f"{visit.institution.known_as}当天有 {{n}} 次督导"
    for key, sharing in held.items():
        if len(sharing) > 1:
            for entry in sharing:
                entry.clashes.append(names[key].format(n=len(sharing)))
    for entry in entries:
        entry.clashes.sort()
