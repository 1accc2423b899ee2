"""The board of a campaign and of a phase: receipts and reports from one floor, rectification from the next."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from campaigns.figures import measured
from campaigns.models import Campaign, Phase
from campaigns.summary import Counts, campaign_progress
from config.pages.programme import feedback
from institutions import clock
from institutions.charts import Span, phases
from institutions.http import Request
from institutions.models import Post
from supervision.models import Problem
from supervision.phases import rows_in_the_way, what_stands_in_the_way
from supervision.summary import RectificationCounts, rectification_counts


@require_safe
@permission_required("campaigns.view_campaign", raise_exception=True)
def campaign_board(request: Request, pk: int):
    campaign = get_object_or_404(
        Campaign.objects.visible_to(request.post).select_related("bureau"), pk=pk
    )
    progress = campaign_progress(campaign, request.post)
    rectified = rectification_counts(request.post, campaign=campaign)
    return render(
        request,
        "config/campaign_board.html",
        {
            "campaign": campaign,
            "progress": progress,
            "kpis": kpis(campaign, progress.sent, progress.received, progress.counts, rectified),
            "phases": timeline(campaign.phases.all()),
            "picture": picture(campaign),
            "rectified": rectified,
            "feedback": feedback(
                Problem.objects.visible_to(request.post).filter(campaign=campaign),
                f"{reverse('supervision:rectification_list')}?campaign={campaign.pk}",
            ),
            "figures": measured(campaign, request.post),
        },
    )


@require_safe
@permission_required("campaigns.view_campaign", raise_exception=True)
def phase_board(request: Request, pk: int):
    phase = get_object_or_404(
        Phase.objects.visible_to(request.post).select_related("campaign", "institution"), pk=pk
    )
    progress = campaign_progress(phase.campaign, request.post)
    mine = next(p for p in progress.phases if p.phase == phase)
    confirmable = phase.status in Phase.MOVES["confirm"].sources and phase.may(
        "confirm", request.post
    )
    return render(
        request,
        "config/phase_board.html",
        {
            "phase": phase,
            "progress": mine,
            "rectified": rectification_counts(request.post, phase=phase),
            "confirmable": confirmable,
            "obstacles": what_stands_in_the_way(phase, request.post) if confirmable else [],
            "pending": rows_in_the_way(phase, request.post)
            if phase.status == Phase.Status.OPEN
            else [],
        },
    )


def campaign_kpis(campaign: Campaign, post: Post) -> list[dict[str, Any]]:
    """Return the figures of a campaign as tiles, each linked to its rows."""
    progress = campaign_progress(campaign, post)
    rectified = rectification_counts(post, campaign=campaign)
    return kpis(campaign, progress.sent, progress.received, progress.counts, rectified)


def kpis(
    campaign: Campaign, sent: int, received: int, reports: Counts, rectified: RectificationCounts
) -> list[dict[str, Any]]:
    listed = f"{reverse('campaigns:report_list')}?campaign={campaign.pk}"
    duties = f"{reverse('supervision:rectification_list')}?campaign={campaign.pk}"
    return [
        {
            "label": "已签收文件",
            "value": received,
            "unit": f"/ {sent} 家",
            "url": f"{reverse('campaigns:receipt_list')}?campaign={campaign.pk}",
            "tone": "ok" if received == sent else "warn",
        },
        {
            "label": "已采纳任务报送",
            "value": reports.accepted,
            "unit": f"/ {reports.total} 项",
            "url": listed,
            "note": f"逾期未报 {reports.overdue} 项" if reports.overdue else "",
            "tone": "bad" if reports.overdue else "ok",
        },
        {
            "label": "已销号问题",
            "value": rectified.closed,
            "unit": f"/ {rectified.total} 个",
            "url": duties,
            "note": f"逾期 {rectified.overdue} 个" if rectified.overdue else "",
            "tone": "bad" if rectified.overdue else "ok",
        },
    ]


def timeline(rows: Iterable[Phase]) -> list[dict[str, Any]]:
    """Return phases as `_timeline.html` draws them."""
    return [
        {
            "name": phase.name,
            "start": phase.starts,
            "end": phase.ends,
            "state": phase.state,
            "note": _days(phase),
            "url": phase.get_absolute_url(),
        }
        for phase in rows
    ]


def _days(phase: Phase) -> str:
    left = clock.days_left(phase.ends)
    if phase.state == "now":
        return f"剩 {left} 天" if left else "今天截止"
    return f"已过 {-left} 天" if phase.state == "late" else ""


def picture(campaign: Campaign) -> Any:
    spans = [
        Span(
            label=phase.name,
            start=phase.starts or min(campaign.issued_on, phase.ends),
            end=phase.ends,
            state=phase.state,
            note="",
        )
        for phase in campaign.phases.all()
    ]
    return phases(f"c{campaign.pk}", "阶段安排", spans, clock.today()) if spans else ""
