"""The leaders of a bureau: their linked institutions (挂包), what is overdue there, their tasks and their own visits."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.db.models import Count, Max, Prefetch, Q, QuerySet
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from campaigns.models import Campaign, Plan, Report, Task, WorkLog
from campaigns.task_lists import with_progress
from institutions import clock
from institutions.http import Request
from institutions.models import Institution, Kind, Pairing, Post
from institutions.pairing import PERM
from institutions.roles import Role
from institutions.work import WorkLine
from supervision.models import Rectification, Visit

LATEST = 10


@dataclass(frozen=True)
class Linked:
    """One institution of a leader with what is overdue there, and when he was there last."""

    institution: Institution
    since: date | None
    reports: int
    rectifications: int
    plans: int
    visited_on: date | None

    @property
    def overdue(self) -> int:
        return self.reports + self.rectifications + self.plans


def leaders(post: Post) -> QuerySet[Post]:
    """Return the leaders in sight, with their links in force that are in sight."""
    links = Pairing.objects.visible_to(post).in_force().select_related("institution")
    return (
        Post.objects.visible_to(post)
        .in_office()
        .filter(role=Role.LEADER)
        .select_related("institution", "department")
        .prefetch_related(Prefetch("pairings", links.order_by("institution__code"), "links"))
    )


def work_for(post: Post) -> list[WorkLine]:
    """Return the line of a leader at whose institutions something is overdue; four queries, none for others."""
    if post.role != Role.LEADER:
        return []
    links = Pairing.objects.visible_to(post).in_force().filter(post=post)
    count = sum(overdue_at(links.values_list("institution", flat=True), post).values())
    url = f"{reverse('leader_page', args=[post.pk])}#linked"
    hint = "打开看是哪家、哪一项，到现场督促"
    return [WorkLine("挂包联系机构逾期", url, count, "overdue", hint)]


@require_safe
@permission_required("campaigns.view_report", raise_exception=True)
def leader_list(request: Request):
    """All leaders in sight with their institutions; those of the bureau that no leader is linked to."""
    post = request.post
    rows = list(leaders(post).order_by("institution__code", "pk"))
    linked = {link.institution_id for row in rows for link in row.links}
    below = Institution.objects.visible_to(post).filter(
        parent=post.institution_id, parent__kind=Kind.BUREAU
    )
    free = below.open_on(clock.today()).exclude(kind__in=[Kind.BUREAU, Kind.STREET])
    overdue = overdue_at(linked, post)
    return render(
        request,
        "config/leader_list.html",
        {
            "leaders": [(row, sum(overdue[x.institution_id] for x in row.links)) for row in rows],
            "free": [row for row in free if row.pk not in linked],
            "may_pair": post.has_perm(PERM),
        },
    )


@require_safe
@permission_required("campaigns.view_report", raise_exception=True)
def leader_page(request: Request, pk: int):
    post = request.post
    leader = get_object_or_404(leaders(post), pk=pk)
    linked = linked_institutions(leader, post)
    tasks = with_progress(Task.objects.visible_to(post).filter(leaders=leader), post)
    tasks = tasks.exclude(campaign__status=Campaign.Status.DRAFT).select_related("campaign")
    return render(
        request,
        "config/leader_page.html",
        {
            "leader": leader,
            "linked": linked,
            "overdue": sum(row.overdue for row in linked),
            "tasks": tasks.order_by("-campaign__issued_on", "position")[:60],
            "visits": visits_of(leader, post)
            .select_related("institution", "round")
            .order_by("-starts", "-pk")[:LATEST],
            "field_days": WorkLog.objects.visible_to(post)
            .filter(author=leader, kind=WorkLog.Kind.FIELD)
            .prefetch_related("units")
            .order_by("-day", "-pk")[:LATEST],
            "may_pair": post.has_perm(PERM) and post.acts_for(leader.institution_id),
            "is_own": leader.pk == post.pk,
            "kpis": _kpis(linked),
            "crumbs": [("挂包领导", reverse("leader_list"))],
        },
    )


def _kpis(linked: Iterable[Linked]) -> list[dict[str, Any]]:
    rows = list(linked)
    counted = {
        "逾期未报任务": sum(row.reports for row in rows),
        "逾期整改": sum(row.rectifications for row in rows),
        "逾期计划方案": sum(row.plans for row in rows),
    }
    return [
        {"label": "联系机构", "value": len(rows), "unit": "家", "url": "#linked"},
        *(
            {"label": label, "value": n, "url": "#linked", "tone": "bad" if n else "ok"}
            for label, n in counted.items()
        ),
    ]


def visits_of(leader: Post, post: Post) -> QuerySet[Visit]:
    """Return the visits in sight that the leader led or took part in."""
    took_part = Q(lead=leader) | Q(members=leader)
    return Visit.objects.visible_to(post).filter(took_part).distinct()


def linked_institutions(leader: Post, post: Post) -> list[Linked]:
    """Return the leader's institutions, those with most overdue first; four queries."""
    places = [link.institution_id for link in leader.links]  # type: ignore[attr-defined]
    reports = _counted(Report.objects.visible_to(post).overdue(), places)
    duties = _counted(Rectification.objects.visible_to(post).overdue(), places)
    plans = _counted(Plan.objects.visible_to(post).overdue(), places)
    seen = dict(
        visits_of(leader, post)
        .filter(institution__in=places)
        .order_by()
        .values("institution")
        .annotate(last=Max("visited_on"))
        .values_list("institution", "last")
    )
    rows = [
        Linked(
            link.institution,
            link.starts,
            reports.get(link.institution_id, 0),
            duties.get(link.institution_id, 0),
            plans.get(link.institution_id, 0),
            seen.get(link.institution_id),
        )
        for link in leader.links  # type: ignore[attr-defined]
    ]
    return sorted(rows, key=lambda row: (-row.overdue, row.institution.code))


def overdue_at(places: Iterable[int], post: Post) -> dict[int, int]:
    """Return how much is overdue at each of these institutions: reports, rectifications and plans; three queries."""
    chosen = list(places)
    total = dict.fromkeys(chosen, 0)
    for rows in (
        Report.objects.visible_to(post).overdue(),
        Rectification.objects.visible_to(post).overdue(),
        Plan.objects.visible_to(post).overdue(),
    ):
        for pk, n in _counted(rows, chosen).items():
            total[pk] += n
    return total


def _counted(rows: QuerySet, places: list[int]) -> dict[int, int]:
    chosen = rows.filter(institution__in=places).order_by().values("institution")
    return dict(chosen.annotate(n=Count("pk")).values_list("institution", "n"))
