"""Whom to visit next: scores from one floor, problems and visits from the next, the officer's choice on top."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from institutions import clock
from institutions.http import Request
from institutions.workflow import Side
from scoring.risk import last_scores
from supervision import risk, suggesting
from supervision.bodies import units_of
from supervision.models import YearPlan
from supervision.planning_forms import RiskRoundForm
from supervision.views.year_plans import crumbs_of

# Suggested where nobody says how many.
COUNT = 5


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("supervision.change_round", raise_exception=True)
def visit_suggestion(request: Request, pk: int) -> HttpResponse:
    """Show every institution with its terms, the riskiest suggested; make a round of those that are chosen."""
    post = request.post
    plan = get_object_or_404(YearPlan.objects.visible_to(post).select_related("institution"), pk=pk)
    if not plan.stands_on(Side.ASKS, post):
        raise PermissionDenied("由计划的制定单位办理")
    count = _count(request)
    rows = units_of(post, plan.institution).order_by("code")
    units = list(rows[: suggesting.MOST])
    suggestions = suggesting.suggest(
        plan, units, post, scores=last_scores(units, post, plan.year), count=count
    )
    form = RiskRoundForm(
        request.POST or None, post=post, plan=plan, units=rows, initial={"starts": clock.today()}
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = suggesting.make_round(
                plan,
                suggesting.Chosen(list(given["units"]), suggestions, given["reason"]),
                by=post,
                **{
                    name: given[name]
                    for name in ("name", "type", "starts", "ends", "items", "entry")
                },
            )
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(request, "已拟定轮次。下一步：安排督导组，或随机抽取")
            return redirect(made)
    ticked = set(request.POST.getlist("units")) if request.method == "POST" else None
    return render(
        request,
        "config/visit_suggestion.html",
        {
            "plan": plan,
            "form": form,
            "count": count,
            "kinds": [(kind, plan.weights[kind.name]) for kind in risk.KINDS],
            "rows": [
                (row, str(row.institution.pk) in ticked if ticked is not None else row.suggested)
                for row in suggestions
            ],
            "crumbs": crumbs_of(plan),
        },
    )


def _count(request: Request) -> int:
    text = request.POST.get("count") or request.GET.get("count", "")
    return (
        min(int(text), suggesting.MOST)
        if text.isascii() and text.isdigit() and len(text) < 5
        else COUNT
    )
