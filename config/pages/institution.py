"""An institution's whole story on one page: who it is, what it owes, what was found, what it scored."""

from django.contrib.auth.decorators import permission_required
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from campaigns.gapping import summary_for as gap_summary
from campaigns.summary import summary_for as campaign_summary
from institutions import clock
from institutions.http import Request
from institutions.models import Institution
from institutions.staffing import resources_of
from institutions.summary import profile_for
from scoring.summary import summary_for as scoring_summary
from supervision.summary import summary_for as supervision_summary


@require_safe
@permission_required("institutions.view_institution", raise_exception=True)
def institution_detail(request: Request, pk: int):
    institution = get_object_or_404(
        Institution.objects.visible_to(request.post).select_related("parent", "bureau", "region"),
        pk=pk,
    )
    post = request.post
    context = {"institution": institution, "profile": profile_for(institution, post)}
    if not institution.is_bureau:
        context["resources"] = resources_of(institution, post, clock.today())
        if post.has_perm("campaigns.view_plan"):
            context["gaps"] = gap_summary(institution, post)
    if post.has_perm("campaigns.view_report"):
        context["tasks"] = campaign_summary(institution, post)
    if post.has_perm("supervision.view_rectification"):
        context["supervision"] = supervision_summary(institution, post)
    if post.has_perm("scoring.view_sheet"):
        context["scores"] = scoring_summary(institution, post)
    return render(request, "config/institution_detail.html", context)
