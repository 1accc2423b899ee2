"""Campaigns as everybody sees them: the list, the paper, its receipt, its issue and its end."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from campaigns import duties, issuing
from campaigns.lists import CampaignList, PassageList, ReceiptList, campaign_tag, with_receipts
from campaigns.models import (
    BreakthroughRound,
    Campaign,
    Passage,
    Phase,
    Recipient,
    SupervisionFocus,
)
from campaigns.summary import CampaignProgress, campaign_progress
from institutions import charts, clock, files
from institutions.http import Request
from institutions.models import Event, Post
from institutions.moves import moves_for_template, press

SHOWN = 40  # institutions named on the page; the rest is a list of its own


@require_safe
@permission_required("campaigns.view_campaign", raise_exception=True)
def campaign_list(request: Request) -> HttpResponse:
    rows = with_receipts(Campaign.objects.visible_to(request.post), request.post)
    rows = rows.select_related("institution").prefetch_related("phases")
    return CampaignList(request, rows).response("campaigns/campaign_list.html")


@require_safe
@permission_required("campaigns.view_campaign", raise_exception=True)
def campaign_detail(request: Request, pk: int) -> HttpResponse:
    rows = Campaign.objects.visible_to(request.post).select_related("institution", "parent")
    campaign = get_object_or_404(rows, pk=pk)
    return render(request, "campaigns/campaign_detail.html", _page(campaign, request.post))


def _page(campaign: Campaign, post: Post) -> dict[str, Any]:
    progress = campaign_progress(campaign, post)
    phases = [group.phase for group in progress.phases if group.phase]
    passages = list(_passages(campaign, post))
    owns = post.acts_for(campaign.institution_id)
    recipients = Recipient.objects.visible_to(post).filter(campaign=campaign)
    recipients = recipients.select_related("institution", "department", "region", "received_by")
    own = list(recipients.confirmed_by(post))
    unsigned = [row for row in own if row.received_at is None]
    return {
        "campaign": campaign,
        "tag": campaign_tag(campaign),
        "owns": owns,
        "may_edit": owns and campaign.is_draft and post.has_perm("campaigns.change_campaign"),
        "may_link": owns
        and campaign.status != Campaign.Status.CLOSED
        and post.has_perm("campaigns.change_campaign"),
        "may_add_task": owns
        and campaign.status != Campaign.Status.CLOSED
        and post.has_perm("campaigns.change_task"),
        "moves": moves_for_template(
            campaign,
            post,
            url=lambda name: reverse(f"campaigns:campaign_{name}", args=[campaign.pk]),
        ),
        "progress": progress,
        "areas": duties.by_area(progress),
        "kpis": _kpis(campaign, progress),
        "gantt": _gantt(campaign, phases),
        "has_tasks": any(group.tasks for group in progress.phases),
        "passages": passages,
        "unlinked": sum(not passage.is_linked for passage in passages),
        "focuses": SupervisionFocus.objects.visible_to(post)
        .filter(campaign=campaign)
        .prefetch_related("institutions", "items"),
        "waiting": recipients.filter(received_at__isnull=True)[:SHOWN],
        "mine": own[0] if own else None,
        "unsigned": unsigned,
        "may_receive": bool(unsigned) and post.has_perm("campaigns.receive_campaign"),
        "breakthrough": BreakthroughRound.objects.visible_to(post)
        .filter(campaign=campaign)
        .first(),
        "children": Campaign.objects.visible_to(post)
        .filter(parent=campaign)
        .select_related("institution"),
        "files": [
            {"name": f.name, "size": f.size, "url": _file_url(campaign, f), "key": f.key}
            for f in campaign.files.all()
        ],
        "history": Event.objects.of(campaign) if owns else None,
        "crumbs": [("活动", reverse("campaigns:campaign_list"))],
    }


def _file_url(campaign: Campaign, file) -> str:
    return reverse("campaigns:campaign_file", args=[campaign.pk, file.key])


def _passages(campaign: Campaign, post: Post):
    """The passages with what each became, as far as the post may see that."""
    return Passage.objects.visible_to(post).filter(campaign=campaign).with_links(post)


def _kpis(campaign: Campaign, progress: CampaignProgress) -> list[dict[str, Any]]:
    receipts = f"{reverse('campaigns:receipt_list')}?campaign={campaign.pk}"
    reports = f"{reverse('campaigns:report_list')}?campaign={campaign.pk}"
    counts = progress.counts
    return [
        {
            "label": "已签收",
            "value": f"{progress.received}/{progress.sent}",
            "unit": "家",
            "url": receipts,
            "tone": "ok" if progress.received == progress.sent else "warn",
        },
        {"label": "待报送", "value": counts.open, "url": f"{reports}&status=open"},
        {"label": "待审核", "value": counts.submitted, "url": f"{reports}&status=submitted"},
        {"label": "已退回", "value": counts.returned, "url": f"{reports}&status=returned"},
        {"label": "已采纳", "value": counts.accepted, "url": f"{reports}&status=accepted"},
        {
            "label": "逾期未报",
            "value": counts.overdue,
            "url": f"{reports}&when=overdue",
            "tone": "bad" if counts.overdue else "ok",
        },
    ]


def _gantt(campaign: Campaign, phases: list[Phase]):
    """Draw the phases; one without a start begins with the paper, where that is earlier."""
    if not phases:
        return ""
    spans = [
        charts.Span(p.name, p.starts or min(campaign.issued_on, p.ends), p.ends, p.state)
        for p in phases
    ]
    return charts.phases(f"phases-{campaign.pk}", "活动阶段", spans, clock.today())


@require_POST
@permission_required("campaigns.issue_campaign", raise_exception=True)
def campaign_issue(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "issue", issuing.issue, "已印发，主送机构可以签收了")


@require_POST
@permission_required("campaigns.issue_campaign", raise_exception=True)
def campaign_close(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "close", issuing.close, "活动已结束")


def _press(
    request: Request, pk: int, name: str, deed: Callable[..., Any], done: str
) -> HttpResponse:
    campaign = get_object_or_404(Campaign.objects.visible_to(request.post), pk=pk)

    def act(**answers: Any) -> Any:
        return deed(campaign, **answers)

    press(request, campaign, name, deed=act, done=done)
    return redirect(campaign)


@require_POST
@permission_required("campaigns.receive_campaign", raise_exception=True)
def campaign_receive(request: Request, pk: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign.objects.visible_to(request.post), pk=pk)
    if issuing.receive(campaign, by=request.post):
        messages.success(request, "已签收")
    else:
        messages.info(request, "本单位此前已经签收，无需再签")
    return redirect(campaign)


@require_safe
@permission_required("campaigns.view_campaign", raise_exception=True)
def campaign_file(request: Request, pk: int, key: str) -> HttpResponse:
    campaign = get_object_or_404(Campaign.objects.visible_to(request.post), pk=pk)
    return files.serve(campaign.files, key)


@require_safe
@permission_required("campaigns.view_campaign", raise_exception=True)
def receipt_list(request: Request) -> HttpResponse:
    rows = Recipient.objects.visible_to(request.post).exclude(
        campaign__status=Campaign.Status.DRAFT
    )
    rows = rows.select_related(
        "campaign", "institution", "department", "region", "received_by__institution"
    )
    return ReceiptList(request, rows).response("campaigns/receipt_list.html")


@require_safe
@permission_required("campaigns.change_campaign", raise_exception=True)
def passage_list(request: Request) -> HttpResponse:
    rows = Passage.objects.visible_to(request.post).open_to(request.post).unlinked()
    return PassageList(request, rows.select_related("campaign")).response(
        "campaigns/passage_list.html"
    )
