"""The campaign's paper as a Word file."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from campaigns.campaign_paper import campaign_paper
from campaigns.models import Campaign
from institutions import files, official
from institutions.http import Request


@require_safe
@permission_required("campaigns.view_campaign", raise_exception=True)
def campaign_document(request: Request, pk: int) -> HttpResponse:
    rows = Campaign.objects.visible_to(request.post).select_related("institution")
    campaign = get_object_or_404(rows, pk=pk)
    return files.download(
        official.write(campaign_paper(campaign, request.post)),
        name=f"{campaign.number} {campaign.title}.docx".strip(),
        content_type=official.CONTENT_TYPE,
    )
