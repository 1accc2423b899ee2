"""What this floor tells on pages composed of several: an institution's story, a campaign's or a phase's board."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from django.db.models import Count, Q
from django.urls import reverse

from campaigns.models import Campaign, Phase
from institutions import clock
from institutions.models import Institution, Post
from supervision.models import Problem, Rectification, Visit

# Institutions named on a board; the rest stand in the list behind its figures.
NAMED = 50
LATEST = 5


@dataclass
class Counts:
    """Rectifications by status; `overdue` are those with the institution after their deadline."""

    assigned: int = 0
    signed: int = 0
    applied: int = 0
    returned: int = 0
    closed: int = 0
    overdue: int = 0
    recurring: int = 0

    @property
    def open(self) -> int:
        return self.assigned + self.signed + self.applied + self.returned

    @property
    def total(self) -> int:
        return self.open + self.closed


@dataclass
class InstitutionCounts(Counts):
    name: str = ""
    url: str = ""


@dataclass
class RectificationCounts(Counts):
    """Of one campaign or phase, with the institutions that have most to do first; `url` lists all."""

    url: str = ""
    institutions: list[InstitutionCounts] = field(default_factory=list)


@dataclass
class InstitutionSummary:
    counts: Counts
    url: str
    last_visit: Visit | None
    problems: list[Problem]


def _by_status() -> dict[str, Count]:
    statuses = ("assigned", "signed", "applied", "returned", "closed")
    late = Q(status__in=Rectification.WITH_INSTITUTION, due__lt=clock.today())
    return {
        **{status: Count("pk", filter=Q(status=status)) for status in statuses},
        "overdue": Count("pk", filter=late),
    }


def rectification_counts(
    post: Post, *, campaign: Campaign | None = None, phase: Phase | None = None
) -> RectificationCounts:
    """Return how far the rectifications of a campaign or a phase are, as far as `post` sees them; two queries."""
    rows = Rectification.objects.visible_to(post).order_by()
    listed = reverse("supervision:rectification_list")
    if phase is not None:
        rows, url = rows.filter(problem__phase=phase), f"{listed}?phase={phase.pk}"
    elif campaign is not None:
        rows, url = rows.filter(problem__campaign=campaign), f"{listed}?campaign={campaign.pk}"
    else:
        raise ValueError("a campaign or a phase")
    counts = RectificationCounts(url=url, **rows.aggregate(**_by_status()))
    if counts.total:
        grouped = rows.values(
            "institution", "institution__name", "institution__short_name"
        ).annotate(**_by_status(), n=Count("pk", filter=Q(status__in=Rectification.OPEN)))
        most = grouped.order_by("-n", "institution__code")[:NAMED]
        for row in cast(Iterable[dict[str, Any]], most):
            row.pop("n")
            pk, name = row.pop("institution"), row.pop("institution__name")
            name = row.pop("institution__short_name") or name
            counts.institutions.append(
                InstitutionCounts(name=name, url=f"{url}&institution={pk}", **row)
            )
    return counts


def summary_for(institution: Institution, post: Post) -> InstitutionSummary:
    """Return the figures, the last visit and the latest problems of an institution; three queries."""
    rows = Rectification.objects.visible_to(post).filter(institution=institution).order_by()
    visits = Visit.objects.visible_to(post).filter(institution=institution)
    return InstitutionSummary(
        counts=Counts(
            **rows.aggregate(
                **_by_status(),
                recurring=Count("pk", filter=Q(problem__recurs_from__isnull=False)),
            )
        ),
        url=f"{reverse('supervision:rectification_list')}?institution={institution.pk}",
        last_visit=visits.filter(visited_on__isnull=False)
        .select_related("round", "institution", "lead__institution")
        .order_by("-visited_on", "-pk")
        .first(),
        problems=list(
            Problem.objects.visible_to(post)
            .filter(institution=institution)
            .select_related("item", "rectification")
            .order_by("-found_on", "-pk")[:LATEST]
        ),
    )
