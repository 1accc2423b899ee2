from functools import partial
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from institutions import files
from institutions.http import Request, posted_version
from institutions.models import Event
from institutions.moves import AskForm, moves_for_template, press
from institutions.workflow import StaleState
from scoring import appealing
from scoring.appeal_forms import AnswerForm, AppealForm
from scoring.appeal_lists import AppealList, appeal_tag
from scoring.filling import VERIFIED
from scoring.forms import LineForm
from scoring.models import Appeal, ScoreLine
from scoring.papers import line_view
from scoring.policies import grade_shares

CRUMBS = [("申诉", reverse_lazy("scoring:appeal_list"))]


def _appeals(request: Request):
    return Appeal.objects.visible_to(request.post).select_related(
        "institution",
        "supervisor__bureau",
        "author__institution",
        "decided_by__institution",
        "evaluation",
        "item",
        "line__clause",
        "line__sheet__evaluation",
        "line__section",
    )


@require_safe
@permission_required("scoring.view_sheet", raise_exception=True)
def appeal_list(request: Request) -> HttpResponse:
    return AppealList(request, _appeals(request)).response("scoring/appeal_list.html")


@require_safe
@permission_required("scoring.view_sheet", raise_exception=True)
def appeal_detail(request: Request, pk: int) -> HttpResponse:
    return _detail(request, get_object_or_404(_appeals(request), pk=pk))


@require_safe
@permission_required("scoring.view_sheet", raise_exception=True)
def appeal_file(request: Request, pk: int, key: UUID) -> FileResponse:
    row = get_object_or_404(Appeal.objects.visible_to(request.post), pk=pk)
    return files.serve(row.files, str(key))


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("scoring.write_appeal", raise_exception=True)
def appeal_create(request: Request, pk: int) -> HttpResponse:
    """Object to one line of one's own published sheet."""
    line = get_object_or_404(
        ScoreLine.objects.visible_to(request.post).select_related(
            "clause",
            "section__item",
            "sheet__evaluation",
            "sheet__institution",
            "sheet__supervisor",
        ),
        pk=pk,
    )
    if not request.post.acts_for(line.sheet.institution_id):
        raise PermissionDenied("申诉由被评价机构的负责人提出")
    if not appealing.may_appeal(line.sheet, request.post):
        messages.error(request, "不在申诉期内，不能提出申诉")
        return redirect(line.sheet)
    form = AppealForm(request.POST or None, request.FILES or None, post=request.post)
    if request.method == "POST" and form.is_valid():
        try:
            row = appealing.appeal(
                line, by=request.post, reason=form.cleaned_data["reason"], files=form.stored
            )
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, "申诉已提出，等待答复")
            return redirect(row)
    shares = grade_shares(line.sheet.supervisor, line.sheet.year)
    return render(
        request,
        "scoring/appeal_form.html",
        {"form": form, "view": line_view(line, shares), "sheet": line.sheet},
        status=422 if form.is_bound else 200,
    )


@require_POST
@permission_required("scoring.write_appeal", raise_exception=True)
def appeal_withdraw(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(_appeals(request), pk=pk)
    press(request, row, "withdraw", done="申诉已撤回")
    return redirect(row)


@require_POST
@permission_required("scoring.decide_appeal", raise_exception=True)
def appeal_reject(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(_appeals(request), pk=pk)
    form = press(request, row, "reject", deed=partial(appealing.reject, row), done="已答复机构")
    return redirect(row) if form is None else _detail(request, row, pressed=form)


@require_POST
@permission_required("scoring.decide_appeal", raise_exception=True)
def appeal_uphold(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(_appeals(request), pk=pk)
    version = posted_version(request)
    if not row.may("uphold", request.post):
        raise PermissionDenied("申诉由督导方答复")
    if row.status not in Appeal.OPEN or row.version != version:
        raise StaleState(row, version)
    answer = AnswerForm(request.POST)
    figures = LineForm(row.line, VERIFIED, verified=True, data=request.POST)
    if answer.is_valid() and figures.is_valid():
        try:
            points = appealing.uphold(
                row,
                by=request.post,
                version=version,
                note=answer.cleaned_data["opinion"],
                values=figures.cleaned_data,
            )
        except ValidationError as refused:
            figures.add_error(None, refused.messages)
        else:
            messages.success(request, f"已采纳，得分改为 {points}，名次已重新排定")
            return redirect(row)
    return _detail(request, row, answer=answer, figures=figures)


def _detail(
    request: Request,
    row: Appeal,
    *,
    pressed: AskForm | None = None,
    answer: AnswerForm | None = None,
    figures: LineForm | None = None,
) -> HttpResponse:
    post = request.post
    line = row.line
    decides = row.status in Appeal.OPEN and row.may("uphold", post)
    moves = moves_for_template(
        row,
        post,
        url=lambda name: reverse(f"scoring:appeal_{name}", args=[row.pk]),
        pressed=pressed,
    )
    return render(
        request,
        "scoring/appeal_detail.html",
        {
            "row": row,
            "tag": appeal_tag(row),
            "view": line_view(line, grade_shares(row.supervisor, line.sheet.year)),
            "files": [
                {
                    "name": file.name,
                    "size": file.size,
                    "url": reverse("scoring:appeal_file", args=[row.pk, file.key]),
                }
                for file in row.files.all()
            ],
            # Upholding asks for figures: its form stands on the page, not behind a button.
            "moves": [move for move in moves if move.name != "uphold"],
            "answer": (answer or AnswerForm()) if decides else None,
            "figures": figures or LineForm(line, VERIFIED, verified=True),
            "history": Event.objects.of(row).order_by("-seq"),
            "crumbs": CRUMBS,
        },
        status=422 if answer is not None else 200,
    )
