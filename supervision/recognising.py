"""Recognising at entry: what has been there before (反弹), and what a self-check had denied (自查不实).

Both work in sets, in a number of statements that does not depend on how many problems are entered: they run inside
`handing_out.hand_out`, which every way in uses (visit, daily finding, import, sheet, self-check).
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from institutions.models import Pairing
from institutions.notifying import notify
from institutions.policy import DEFAULTS, numbers
from supervision.models import Problem, SelfCheck, Source

if TYPE_CHECKING:
    from supervision.handing_out import NewProblem

BATCH = 500
_FIELDS = ("pk", "institution", "item", "category", "clause__code", "found_on", "occurrence")


@dataclass(frozen=True)
class Before:
    """The latest earlier problem of the same sort at the same place."""

    pk: int
    found_on: date
    occurrence: int


def earlier(problems: Sequence[NewProblem]) -> list[Before | None]:
    """Return for each problem what it recurs from: same institution, and same clause, or same item and category.

    Within the bureau's 反弹期 before the finding; withdrawn ones do not count, nor does one list within itself. The
    clause counts by its code under the same item, so that a new year's edition does not hide what came back.
    """
    windows = _windows(problems)
    starts = [months_before(row.found_on, windows[_policy_of(row)]) for row in problems]
    if not problems:
        return []
    known: dict[tuple[Any, ...], list[Before]] = defaultdict(list)
    for row in _known(problems, min(starts), max(row.found_on for row in problems)):
        pk, institution, item, category, clause, found_on, occurrence = row
        for key in _keys(institution, item, category, clause):
            known[key].append(Before(pk, found_on, occurrence))
    return [
        _named(row) or _latest(known, row, start)
        for row, start in zip(problems, starts, strict=True)
    ]


def _named(row: NewProblem) -> Before | None:
    if row.recurs_from is None:
        return None
    return Before(row.recurs_from.pk, row.recurs_from.found_on, row.recurs_from.occurrence)


def _latest(known: dict, row: NewProblem, start: date) -> Before | None:
    found = [
        before
        for key in _keys(
            row.institution.pk,
            row.item.pk if row.item else None,
            row.category,
            row.clause.code if row.clause else None,
        )
        for before in known.get(key, ())
        if start <= before.found_on <= row.found_on
    ]
    return max(found, key=lambda before: (before.found_on, before.pk), default=None)


def _keys(
    institution: int, item: int | None, category: str, clause: str | None
) -> Iterator[tuple[Any, ...]]:
    """Yield by what a problem is the same as another; one without clause and category is like no other."""
    if clause:
        yield (institution, item, "clause", clause)
    if category:
        yield (institution, item, "category", category)


def _known(problems: Sequence[NewProblem], first: date, last: date) -> Iterator[tuple]:
    units = sorted({row.institution.pk for row in problems})
    for start in range(0, len(units), BATCH):
        yield from (
            Problem.objects.filter(
                institution__in=units[start : start + BATCH], found_on__range=(first, last)
            )
            .exclude(rectification__status="withdrawn")
            .order_by()
            .values_list(*_FIELDS)
        )


def _policy_of(row: NewProblem) -> tuple[int, int]:
    return (row.institution.bureau_id or 0, row.found_on.year)


def _windows(problems: Sequence[NewProblem]) -> dict[tuple[int, int], int]:
    asked = {_policy_of(row) for row in problems}
    written = numbers("反弹期", {b for b, _ in asked}, {y for _, y in asked})
    return {key: written.get(key, DEFAULTS["反弹期"]) for key in asked}


def months_before(day: date, months: int) -> date:
    """Return the same day `months` earlier, the last day of its month where that month is shorter."""
    whole = day.year * 12 + day.month - 1 - months
    year, month = divmod(whole, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def tell_leaders(made: Iterable[Problem]) -> None:
    """Tell the leaders linked to the institutions (挂包领导) how many of their problems came back."""
    counts: dict[int, int] = defaultdict(int)
    for problem in made:
        if problem.recurs_from_id:
            counts[problem.institution_id] += 1
    if not counts:
        return
    listed = reverse("supervision:problem_list")
    for pairing in (
        Pairing.objects.in_force().filter(institution__in=counts).select_related("institution")
    ):
        pk = pairing.institution_id
        notify(
            [pairing.post_id],
            f"您挂包的{pairing.institution.known_as}有 {counts[pk]} 个问题反弹",
            url=f"{listed}?institution={pk}&recurring=on",
        )


def mark_belied(made: Sequence[Problem]) -> None:
    """Mark the answers 无 that these findings contradict: found here by supervisors, not by the institution itself."""
    found: dict[tuple[Any, ...], Problem] = {}
    for problem in made:
        if problem.source != Source.SELF:
            clause = problem.clause.code if problem.clause else None
            for key in _keys(problem.institution_id, problem.item_id, problem.category, clause):
                found.setdefault(key, problem)
    if not found:
        return
    denied = SelfCheck.objects.filter(
        institution__in={key[0] for key in found}, answer=SelfCheck.Answer.NONE, belied_by=None
    ).select_related("spread__clause")
    changed = []
    for check in denied:
        clause = check.spread.clause.code if check.spread.clause else None
        for key in _keys(check.institution_id, check.item_id, check.spread.category, clause):
            later = found.get(key)
            # On the day of the answer itself, what the visitors found had been there.
            if later and check.answered_on <= later.found_on:
                check.belied_by = later
                changed.append(check)
                break
    SelfCheck.objects.bulk_update(changed, ["belied_by"], batch_size=BATCH)
