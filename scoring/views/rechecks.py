from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from institutions.http import Request
from institutions.models import Event
from institutions.moves import refusals_said
from scoring import rechecking
from scoring.models import Evaluation, Recheck, RecheckLine, ScoreLine
from scoring.recheck_forms import DrawForm, RecheckLineForm


def _rechecks(request: Request):
    return Recheck.objects.visible_to(request.post).select_related(
        "institution", "evaluation__supervisor", "author__institution"
    )


@require_POST
@permission_required("scoring.recheck_evaluation", raise_exception=True)
def recheck_draw(request: Request, pk: int) -> HttpResponse:
    """Draw sheets of a centre's evaluation."""
    evaluation = get_object_or_404(
        Evaluation.objects.visible_to(request.post).select_related("supervisor"), pk=pk
    )
    form = DrawForm(request.POST)
    if not form.is_valid():
        # Who may not draw is refused before what was typed is judged.
        if not rechecking.may_recheck(evaluation, request.post):
            raise PermissionDenied("抽查复核由上级局进行")
        messages.error(request, "请填写要抽查的份数")
        return redirect(evaluation)
    with refusals_said(request):
        row = rechecking.draw(evaluation, form.cleaned_data["number"], by=request.post)
        messages.success(request, "已抽取，中心已收到通知；请逐份复核条款")
        return redirect(row)
    return redirect(evaluation)


@require_safe
@permission_required("scoring.view_sheet", raise_exception=True)
def recheck_detail(request: Request, pk: int) -> HttpResponse:
    return _page(request, get_object_or_404(_rechecks(request), pk=pk))


def _page(request: Request, row: Recheck, form: RecheckLineForm | None = None) -> HttpResponse:
    may = rechecking.may_recheck(row.evaluation, request.post)
    sheets = {sheet.institution.code: sheet for sheet in row.sheets.select_related("institution")}
    ordered = [sheets[code] for code in row.drawn if code in sheets]
    lines = list(
        RecheckLine.objects.visible_to(request.post)
        .filter(recheck=row)
        .select_related("line__clause", "author__institution", "correction")
        .order_by("line__clause__position")
    )
    found, whole = rechecking.deviations(ordered, lines)
    return render(
        request,
        "scoring/recheck_detail.html",
        {
            "row": row,
            "sheets": found,
            "whole": whole,
            "may": may,
            "replays": rechecking.replays(row),
            "form": (form or RecheckLineForm(_clauses(request, row))) if may else None,
            "events": Event.objects.of(row).order_by("-seq")[:20],
        },
        status=422 if form is not None else 200,
    )


def _clauses(request: Request, row: Recheck):
    return (
        ScoreLine.objects.visible_to(request.post)
        .filter(sheet__rechecks=row, points__isnull=False, full__gt=0)
        .select_related("clause", "section", "sheet__institution")
        .order_by("sheet__institution__code", "section__position", "clause__position")
    )


@require_POST
@permission_required("scoring.recheck_evaluation", raise_exception=True)
def recheck_note(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(_rechecks(request), pk=pk)
    if not rechecking.may_recheck(row.evaluation, request.post):
        raise PermissionDenied("抽查复核由上级局进行")
    form = RecheckLineForm(_clauses(request, row), request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            rechecking.note_line(
                row, given["line"], given["points"], by=request.post, reason=given["reason"]
            )
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, "已登记复核得分")
            return redirect(row)
    return _page(request, row, form)


@require_POST
@permission_required("scoring.recheck_evaluation", raise_exception=True)
def recheck_feed_back(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(_rechecks(request), pk=pk)
    with refusals_said(request):
        rechecking.feed_back(row, by=request.post)
        messages.success(request, "复核结果已反馈给中心")
    return redirect(row)


@require_POST
@permission_required("scoring.recheck_evaluation", raise_exception=True)
def recheck_correct(request: Request, pk: int) -> HttpResponse:
    found = get_object_or_404(
        RecheckLine.objects.visible_to(request.post).select_related(
            "recheck__evaluation__supervisor",
            "recheck__institution",
            "line__clause",
            "line__section__item",
            "line__section__verifier",
            "line__sheet__evaluation",
            "line__sheet__supervisor",
            "line__sheet__institution",
        ),
        pk=pk,
    )
    with refusals_said(request):
        rechecking.order_correction(found, by=request.post)
        messages.success(request, "已责成更正；年终按更正后的得分计算")
    return redirect(found.recheck)
