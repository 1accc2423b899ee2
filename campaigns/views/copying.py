"""Copying a campaign into a new year, and what differs from the one it was copied from."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from campaigns import copying
from campaigns.comparing import compare_campaigns
from campaigns.copy_forms import CopyCampaignForm
from campaigns.models import Campaign
from campaigns.views.drafting import CHANGE, GET_POST, frame, own_campaign
from institutions.http import Request


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def campaign_copy(request: Request, pk: int) -> HttpResponse:
    """Ask for the new year's number and day; the rest is moved by the years."""
    source = own_campaign(request, pk, draft=False)
    if source.is_draft:
        raise PermissionDenied("拟稿还没有印发，直接修改即可")
    shift = copying.shift_by(1)
    initial = {
        "year": source.year + 1,
        "number": shift.words(source.number),
        "issued_on": shift.deadline(source.issued_on),
    }
    form = CopyCampaignForm(request.POST or None, source=source, initial=initial)
    if form.is_bound and form.is_valid():
        campaign = copying.copy(source, by=request.post, **form.cleaned_data)
        messages.success(request, "已生成新年度的拟稿，请对照差别逐项核对后再印发")
        return redirect("campaigns:campaign_difference", campaign.pk)
    return render(request, "campaigns/campaign_copy.html", frame(source, form=form))


@require_safe
@permission_required("campaigns.view_campaign", raise_exception=True)
def campaign_difference(request: Request, pk: int) -> HttpResponse:
    """Show what differs from the campaign that this one was copied from, part by part."""
    campaigns = Campaign.objects.visible_to(request.post)
    campaign = get_object_or_404(campaigns, pk=pk)
    if not request.post.acts_for(campaign.institution_id):
        raise PermissionDenied("只有拟稿单位核对与上年的差别")
    source = campaigns.filter(pk=campaign.copied_from_id).first()
    if source is None:
        raise Http404
    context = frame(campaign, source=source, sections=compare_campaigns(source, campaign))
    return render(request, "campaigns/campaign_difference.html", context)
