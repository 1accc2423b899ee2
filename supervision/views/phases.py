from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from campaigns.models import Phase
from institutions.http import Request, posted_version
from supervision.phases import confirm_phase, rows_in_the_way, what_stands_in_the_way


@require_POST
@permission_required("campaigns.confirm_phase", raise_exception=True)
def phase_confirm(request: Request, pk: int) -> HttpResponse:
    """Confirm the phase, or show what is still open with links to exactly those rows."""
    phases = Phase.objects.visible_to(request.post).select_related(
        "campaign", "institution", "supervisor", "author"
    )
    phase = get_object_or_404(phases, pk=pk)
    try:
        confirm_phase(phase, by=request.post, version=posted_version(request))
    except ValidationError as refused:
        return render(
            request,
            "supervision/phase_obstacles.html",
            {
                "phase": phase,
                "reason": refused.messages[0],
                "obstacles": what_stands_in_the_way(phase, request.post),
                "pending": rows_in_the_way(phase, request.post),
                "crumbs": [(phase.campaign.name, phase.campaign.get_absolute_url())],
            },
            status=409,
        )
    messages.success(request, f"已确认“{phase}”完成")
    return redirect(phase)
