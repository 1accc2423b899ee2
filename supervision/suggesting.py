"""Whom to visit next by risk: the figures of this floor, the list, and the round made from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Max

from institutions import clock
from institutions.models import Institution, Population, Post, ServiceItem
from institutions.workflow import Side
from supervision import assigning, risk
from supervision.coverage import DONE
from supervision.models import (
    PlannedRound,
    Problem,
    Rectification,
    SupervisionRound,
    Visit,
    YearPlan,
)

# Within which a problem that came back counts.
RECURRING_DAYS = 365
# Beyond this many institutions a list is no longer chosen from by eye.
MOST = 500


@dataclass(frozen=True)
class Score:
    """What the floor above knows of an institution's last verified score (see `risk.Figures`)."""

    score: Decimal | None = None
    gap: Decimal | None = None


@dataclass(frozen=True)
class Suggestion:
    institution: Institution
    terms: list[risk.Term]
    total: Decimal
    suggested: bool = False


@dataclass(frozen=True)
class Chosen:
    """The officer's list beside the suggested one, and why they differ."""

    units: Sequence[Institution]
    suggestions: Sequence[Suggestion]
    reason: str = ""
    added: list[str] = field(init=False)
    dropped: list[str] = field(init=False)

    def __post_init__(self) -> None:
        chosen = {unit.pk for unit in self.units}
        proposed = {row.institution.pk for row in self.suggestions if row.suggested}
        object.__setattr__(self, "added", [u.known_as for u in self.units if u.pk not in proposed])
        object.__setattr__(
            self,
            "dropped",
            [
                row.institution.known_as
                for row in self.suggestions
                if row.suggested and row.institution.pk not in chosen
            ],
        )


def figures(
    units: Sequence[Institution], post: Post, scores: Mapping[int, Score]
) -> dict[int, risk.Figures]:
    """Return by institution what the formula takes, as far as `post` sees it; four statements."""
    ids = [unit.pk for unit in units]
    today = clock.today()
    since = today - timedelta(days=RECURRING_DAYS)
    overdue = dict(
        Rectification.objects.visible_to(post)
        .filter(institution__in=ids)
        .overdue()
        .order_by()
        .values_list("institution")
        .annotate(n=Count("pk"))
    )
    recurring = dict(
        Problem.objects.visible_to(post)
        .filter(institution__in=ids, recurs_from__isnull=False, found_on__gte=since)
        .order_by()
        .values_list("institution")
        .annotate(n=Count("pk"))
    )
    last = dict(
        Visit.objects.visible_to(post)
        .filter(institution__in=ids, status__in=DONE)
        .order_by()
        .values_list("institution")
        .annotate(on=Max("visited_on"))
    )
    people: dict[int, int] = dict(
        Population.objects.filter(institution__in=ids, year__lte=today.year)
        .order_by("year")
        .values_list("institution", "residents")
    )
    return {
        pk: risk.Figures(
            score=scores.get(pk, Score()).score,
            gap=scores.get(pk, Score()).gap,
            overdue=overdue.get(pk, 0),
            recurring=recurring.get(pk, 0),
            days=(today - last[pk]).days if last.get(pk) else None,
            residents=people.get(pk),
        )
        for pk in ids
    }


def suggest(
    plan: YearPlan,
    units: Sequence[Institution],
    post: Post,
    *,
    scores: Mapping[int, Score],
    count: int,
) -> list[Suggestion]:
    """Return all institutions by risk, the highest first; the first `count` are suggested."""
    known = figures(units, post, scores)
    most = max((f.residents or 0 for f in known.values()), default=0)
    rows = []
    for unit in units:
        found = risk.terms(known[unit.pk], plan.weights, most)
        rows.append(Suggestion(unit, found, risk.total(found)))
    rows.sort(key=lambda row: (-row.total, row.institution.code))
    return [replace(row, suggested=place < count) for place, row in enumerate(rows)]


def make_round(
    plan: YearPlan,
    chosen: Chosen,
    *,
    name: str,
    type: str,
    starts: date,
    ends: date,
    items: Sequence[ServiceItem] = (),
    entry: PlannedRound | None = None,
    by: Post,
) -> SupervisionRound:
    """Make a draft round for the chosen institutions; what was suggested and why it was changed is kept with it.

    Raises PermissionDenied (another body's plan), ValidationError (nobody chosen, a changed list without a reason).
    """
    if not plan.stands_on(Side.ASKS, by):
        raise PermissionDenied("由计划的制定单位办理")
    if not chosen.units:
        raise ValidationError("请至少选择一个机构")
    if (chosen.added or chosen.dropped) and not chosen.reason.strip():
        raise ValidationError({"reason": "名单与建议不一致，请写明理由"})
    round = SupervisionRound(
        name=name,
        type=type,
        year=plan.year,
        quarter=entry.quarter if entry else 0,
        standard=entry.standard if entry else None,
        starts=starts,
        ends=ends,
        planned=entry,
        selection=_snapshot(plan, chosen),
    )
    note = f"按风险建议选定 {len(chosen.units)} 家"
    if chosen.added or chosen.dropped:
        note += f"；增加：{'、'.join(chosen.added) or '无'}；去掉：{'、'.join(chosen.dropped) or '无'}；理由：{chosen.reason}"
    return assigning.store_round(
        round, items=items, institutions=chosen.units, by=by, note=note[:500]
    )


def _snapshot(plan: YearPlan, chosen: Chosen) -> dict[str, Any]:
    units = {unit.pk for unit in chosen.units}
    return {
        "kind": "risk",
        "on": str(clock.today()),
        "weights": plan.weights,
        "added": chosen.added,
        "dropped": chosen.dropped,
        "reason": chosen.reason,
        "rows": [
            {
                "code": row.institution.code,
                "name": row.institution.known_as,
                "total": str(row.total),
                "suggested": row.suggested,
                "chosen": row.institution.pk in units,
                "terms": [[t.label, t.said, str(t.points)] for t in row.terms],
            }
            for row in chosen.suggestions
            if row.suggested or row.institution.pk in units
        ],
    }
