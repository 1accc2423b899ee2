"""From an evaluation to its 通报."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from institutions.http import Request
from institutions.moves import refusals_said
from scoring.bulletins import evaluation_bulletin
from scoring.models import Evaluation
from supervision import noticing


@require_POST
@permission_required(noticing.WRITE, raise_exception=True)
def evaluation_notice(request: Request, pk: int) -> HttpResponse:
    """Compose the 通报 and go on to its text."""
    rows = Evaluation.objects.visible_to(request.post).select_related(
        "supervisor", "standard", "campaign"
    )
    evaluation = get_object_or_404(rows, pk=pk)
    if not request.post.acts_for(evaluation.supervisor_id):
        raise PermissionDenied("通报由组织评价的单位拟写")
    with refusals_said(request):
        notice = noticing.draft(evaluation_bulletin(evaluation, by=request.post), by=request.post)
        messages.success(request, "已按评价数据拟写通报，请核对、修改后印发")
        return redirect("supervision:notice_edit", notice.pk)
    return redirect(evaluation)
