"""What this floor tells on an institution's page: quarters, ranks, the year, the items of the last sheet."""

from dataclasses import dataclass

from django.utils.safestring import SafeString

from institutions.models import Institution, Post
from scoring import pictures
from scoring.models import CapabilityReview, ScoreSection, ScoreSheet, YearResult

SHEETS = 8


@dataclass(frozen=True)
class ScoreSummary:
    """Newest first; only what `post` may see: nothing verified before it is published to him."""

    sheets: list[ScoreSheet]
    open: list[ScoreSheet]
    years: list[YearResult]
    radar: SafeString | None
    trend: SafeString | None
    capability: list[CapabilityReview]


def summary_for(institution: Institution, post: Post) -> ScoreSummary | None:
    """Return the scores of an institution as `post` may see them; at most seven queries."""
    sheets = list(pictures.shown_sheets(institution, post))
    current = list(
        ScoreSheet.objects.visible_to(post)
        .filter(institution=institution, evaluation__status="open")
        .select_related("evaluation", "institution", "supervisor")
        .order_by("-year", "-quarter", "-pk")[:SHEETS]
    )
    years = []
    if post.has_perm("scoring.view_yearresult"):
        results = YearResult.objects.visible_to(post).filter(institution=institution)
        years = list(results.select_related("unit").order_by("-year")[:5])
    capability = list(
        CapabilityReview.objects.visible_to(post)
        .filter(institution=institution)
        .select_related("round", "institution")
        .order_by("-round__year")[:3]
    )
    if not (sheets or current or years or capability):
        return None
    radar = None
    if sheets:
        last = sheets[-1]
        sections = ScoreSection.objects.visible_to(post).filter(sheet=last)
        parts = list(sections.select_related("item", "institution__region").order_by("position"))
        radar = pictures.radar_of(last, parts)
    return ScoreSummary(
        sheets=sheets[::-1][:SHEETS],
        open=current,
        years=years,
        radar=radar,
        trend=pictures.trend_of(sheets),
        capability=capability,
    )
