from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from institutions.http import Request
from scoring import raising
from scoring.models import ScoreSheet
from scoring.raising_forms import RaiseForm


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("supervision.add_problem", raise_exception=True)
def sheet_raise(request: Request, pk: int) -> HttpResponse:
    """Choose the clauses that lost points and hand them out as problems."""
    sheets = ScoreSheet.objects.visible_to(request.post).select_related(
        "institution__region", "supervisor", "evaluation", "author"
    )
    sheet = get_object_or_404(sheets, pk=pk)
    if not raising.may_raise(sheet, request.post):
        raise PermissionDenied("扣分由督导方转为问题")
    form = RaiseForm(request.POST or None, sheet=sheet)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = raising.raise_problems(
                sheet,
                lines=[int(line) for line in given["lines"]],
                severity=given["severity"],
                due=given["due"],
                by=request.post,
            )
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(request, f"已转为 {len(made)} 个问题并交办整改")
            listed = reverse("supervision:rectification_list")
            return redirect(f"{listed}?institution={sheet.institution_id}")
    context = {
        "form": form,
        "sheet": sheet,
        "shown": sheet.evaluation.is_shown,
        "crumbs": [(f"{sheet.institution.known_as}评分表", sheet.get_absolute_url())],
    }
    return render(request, "scoring/sheet_raise.html", context)
