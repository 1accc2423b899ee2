from functools import partial

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from institutions import clock
from institutions.http import Request, posted_version
from institutions.models import Event
from institutions.moves import moves_for_template, press
from scoring import opening, pictures, publishing, rechecking
from scoring.forms import EvaluationForm
from scoring.lists import EvaluationList, evaluation_tag, sheet_tag
from scoring.models import Evaluation, Recheck, ScoreSheet
from scoring.recheck_forms import DrawForm


def _evaluations(request: Request):
    return Evaluation.objects.visible_to(request.post).select_related(
        "institution__region", "supervisor", "standard", "campaign", "author__user"
    )


@require_safe
@permission_required("scoring.view_evaluation", raise_exception=True)
def evaluation_list(request: Request) -> HttpResponse:
    post = request.post
    asks = post.institution.is_bureau and post.has_perm("scoring.change_evaluation")
    behind = opening.centres_behind(post, clock.today()) if asks else []
    return EvaluationList(request, _evaluations(request)).response(
        "scoring/evaluation_list.html", {"behind": behind}
    )


@require_http_methods(["GET", "POST"])
@permission_required("scoring.change_evaluation", raise_exception=True)
def evaluation_create(request: Request) -> HttpResponse:
    form = EvaluationForm(request.POST or None, post=request.post)
    if request.method == "POST" and form.is_valid():
        fields = dict(form.cleaned_data)
        chosen = list(fields.pop("institutions")) or opening.candidates(
            request.post.institution, fields["standard"], fields["starts"]
        )
        try:
            evaluation = opening.create(by=request.post, institutions=chosen, **fields)
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, f"已拟定，被评价机构 {len(chosen)} 家；核对后请启动评价")
            return redirect(evaluation)
    return render(request, "scoring/evaluation_form.html", {"form": form})


@require_http_methods(["GET", "POST"])
@permission_required("scoring.change_evaluation", raise_exception=True)
def evaluation_edit(request: Request, pk: int) -> HttpResponse:
    evaluation = get_object_or_404(_evaluations(request), pk=pk)
    if evaluation.status != Evaluation.Status.DRAFT or not evaluation.may("open", request.post):
        raise PermissionDenied("评价启动后不能再改")
    form = EvaluationForm(request.POST or None, instance=evaluation, post=request.post)
    if request.method == "POST" and form.is_valid():
        fields = dict(form.cleaned_data)
        chosen = list(fields.pop("institutions")) or opening.candidates(
            request.post.institution, fields["standard"], fields["starts"]
        )
        try:
            opening.change(
                evaluation,
                by=request.post,
                version=posted_version(request),
                institutions=chosen,
                **fields,
            )
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, "已保存")
            return redirect(evaluation)
    context = {"form": form, "evaluation": evaluation}
    return render(request, "scoring/evaluation_form.html", context)


@require_safe
@permission_required("scoring.view_evaluation", raise_exception=True)
def evaluation_detail(request: Request, pk: int) -> HttpResponse:
    evaluation = get_object_or_404(_evaluations(request), pk=pk)
    return render(request, "scoring/evaluation_detail.html", _detail(request, evaluation))


def _detail(request: Request, evaluation: Evaluation, pressed=None) -> dict:
    sheets = list(
        ScoreSheet.objects.visible_to(request.post)
        .filter(evaluation=evaluation)
        .select_related("institution", "supervisor")
        .order_by("institution__code")
    )
    for sheet in sheets:
        sheet.evaluation = evaluation
    reads = evaluation.status == Evaluation.Status.OPEN and evaluation.needs_reader
    shown = [sheet for sheet in sheets if sheet.shows_verified_to(request.post)]
    lines = [
        {
            "sheet": sheet,
            "tag": sheet_tag(sheet),
            "shown": sheet.shows_verified_to(request.post),
            "unread": reads
            and sheet.status == ScoreSheet.Status.VERIFIED
            and sheet.read_at is None
            and sheet.shows_verified_to(request.post),
            "mine": sheet.institution_id == request.post.institution_id,
        }
        for sheet in sheets
    ]
    return {
        "evaluation": evaluation,
        "tag": evaluation_tag(evaluation),
        "lines": lines,
        "verified": sum(s.status == ScoreSheet.Status.VERIFIED for s in sheets),
        "submitted": sum(s.status == ScoreSheet.Status.SUBMITTED for s in sheets),
        "heat": pictures.heat_of(evaluation, shown),
        "rankings": pictures.rankings_of(shown, request.post),
        "rechecks": Recheck.objects.visible_to(request.post)
        .filter(evaluation=evaluation)
        .select_related("author__institution"),
        "draw_form": DrawForm()
        if evaluation.is_shown and rechecking.may_recheck(evaluation, request.post)
        else None,
        "may_edit": evaluation.status == Evaluation.Status.DRAFT
        and evaluation.may("open", request.post),
        "moves": moves_for_template(
            evaluation,
            request.post,
            url=lambda name: reverse(f"scoring:evaluation_{name}", args=[evaluation.pk]),
            pressed=pressed,
        ),
        "events": Event.objects.of(evaluation).order_by("-seq")[:20],
    }


def _press(request: Request, pk: int, name: str, deed) -> HttpResponse:
    evaluation = get_object_or_404(_evaluations(request), pk=pk)
    refused = press(request, evaluation, name, deed=partial(deed, evaluation))
    if refused is None:
        return redirect("scoring:evaluation_detail", pk)
    context = _detail(request, evaluation, refused)
    return render(request, "scoring/evaluation_detail.html", context)


@require_POST
@permission_required("scoring.change_evaluation", raise_exception=True)
def evaluation_open(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "open", opening.open_evaluation)


@require_POST
@permission_required("scoring.publish_evaluation", raise_exception=True)
def evaluation_publish(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "publish", publishing.publish)


@require_POST
@permission_required("scoring.publish_evaluation", raise_exception=True)
def evaluation_finalise(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "finalise", publishing.finalise)
