from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from institutions.http import Request
from scoring import correcting
from scoring.correction_forms import CorrectionForm
from scoring.models import ScoreLine
from scoring.papers import line_view
from scoring.policies import grade_shares


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("scoring.publish_evaluation", raise_exception=True)
def line_correct(request: Request, pk: int) -> HttpResponse:
    """Enter what a line of a final sheet counts from now on; the sheet itself stays."""
    line = get_object_or_404(
        ScoreLine.objects.visible_to(request.post).select_related(
            "clause",
            "section__item",
            "section__verifier",
            "sheet__evaluation",
            "sheet__institution",
            "sheet__supervisor__bureau",
        ),
        pk=pk,
    )
    if not request.post.acts_for(line.sheet.supervisor_id):
        raise PermissionDenied("定稿后的更正由督导方作出")
    if not correcting.may_correct(line.sheet, request.post):
        messages.error(request, "评价定稿以后才能更正；定稿前请重新核定或按申诉办理")
        return redirect(line.sheet)
    now = correcting.points_now(line)
    form = CorrectionForm(now, line.full, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            correcting.correct(line, by=request.post, **form.cleaned_data)
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, "已更正；重新计算年终结果后生效，机构已收到通知")
            return redirect(line.sheet)
    shares = grade_shares(line.sheet.supervisor, line.sheet.year)
    return render(
        request,
        "scoring/correction_form.html",
        {"form": form, "view": line_view(line, shares), "sheet": line.sheet, "now": now},
        status=422 if form.is_bound else 200,
    )
