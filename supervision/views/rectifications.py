from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_POST, require_safe

from institutions import files, staffing
from institutions.http import Request, posted_version
from institutions.models import Event, Post
from institutions.moves import AskForm, moves_for_template, press
from institutions.workflow import Side, StaleState
from supervision import rectifying
from supervision.forms import MeasuresForm, NoteForm
from supervision.lists import RectificationList, severity_tag, status_tag
from supervision.models import ProgressNote, Rectification
from supervision.views.problems import problem_files

CRUMBS = [("整改台账", reverse_lazy("supervision:rectification_list"))]


def rectifications(post: Post):
    return Rectification.objects.visible_to(post).select_related(
        "institution",
        "supervisor",
        "item",
        "author",
        "verifier__institution",
        "problem__visit_line__visit__round",
        "problem__phase",
        "problem__clause",
        "problem__found_by__institution",
    )


@require_safe
@permission_required("supervision.view_rectification", raise_exception=True)
def rectification_list(request: Request) -> HttpResponse:
    rows = Rectification.objects.visible_to(request.post).select_related(
        "institution", "item", "problem", "verifier__institution"
    )
    listing = RectificationList(request, rows)
    overdue = request.GET.get("when") == "overdue"
    reminder = listing.reminder if overdue and not request.GET.get("format") else ""
    return listing.response(
        "supervision/rectification_list.html", {"reminder": reminder, "overdue": overdue}
    )


@require_safe
@permission_required("supervision.view_rectification", raise_exception=True)
def rectification_detail(request: Request, pk: int) -> HttpResponse:
    return _detail(request, get_object_or_404(rectifications(request.post), pk=pk))


@require_safe
@permission_required("supervision.view_rectification", raise_exception=True)
def rectification_file(request: Request, pk: int, key: UUID) -> FileResponse:
    row = get_object_or_404(Rectification.objects.visible_to(request.post), pk=pk)
    return files.serve(row.files, str(key))


@require_safe
@permission_required("supervision.view_rectification", raise_exception=True)
def note_file(request: Request, pk: int, key: UUID) -> FileResponse:
    note = get_object_or_404(ProgressNote.objects.visible_to(request.post), pk=pk)
    return files.serve(note.files, str(key))


@require_POST
@permission_required("supervision.answer_rectification", raise_exception=True)
def rectification_save(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(rectifications(request.post), pk=pk)
    version = _writing(request, row)
    form = MeasuresForm(request.POST, request.FILES, post=request.post)
    if not form.is_valid():
        return _detail(request, row, measures=form)
    given = form.cleaned_data
    if blocked := staffing.untrained_named(row.institution_id, [given["person"]]):
        form.add_error("person", staffing.refusal(blocked))
        return _detail(request, row, measures=form)
    rectifying.save_measures(
        row,
        measures=given["measures"],
        leader=given["leader"],
        person=given["person"],
        files=form.stored,
        by=request.post,
        version=version,
    )
    messages.success(request, "已保存")
    return redirect(row)


@require_POST
@permission_required("supervision.answer_rectification", raise_exception=True)
def rectification_note(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(rectifications(request.post), pk=pk)
    version = _writing(request, row)
    form = NoteForm(request.POST, request.FILES, post=request.post)
    if not form.is_valid():
        return _detail(request, row, note=form)
    text = form.cleaned_data["text"]
    rectifying.add_note(row, text=text, files=form.stored, by=request.post, version=version)
    messages.success(request, "已填报进展")
    return redirect(row)


@require_POST
@permission_required("supervision.answer_rectification", raise_exception=True)
def rectification_sign(request: Request, pk: int) -> HttpResponse:
    return _pressed(request, pk, "sign", done="已签收，请填写整改措施和责任人")


@require_POST
@permission_required("supervision.answer_rectification", raise_exception=True)
def rectification_apply(request: Request, pk: int) -> HttpResponse:
    return _pressed(request, pk, "apply", done="已申请销号，等待复核")


@require_POST
@permission_required("supervision.verify_rectification", raise_exception=True)
def rectification_close(request: Request, pk: int) -> HttpResponse:
    return _pressed(request, pk, "close", done="已销号")


@require_POST
@permission_required("supervision.verify_rectification", raise_exception=True)
def rectification_send_back(request: Request, pk: int) -> HttpResponse:
    return _pressed(request, pk, "send_back", done="已退回整改")


@require_POST
@permission_required("supervision.verify_rectification", raise_exception=True)
def rectification_withdraw(request: Request, pk: int) -> HttpResponse:
    return _pressed(request, pk, "withdraw")


def _writing(request: Request, row: Rectification) -> int:
    """Return the posted version, before anything uploaded is looked at: a stranger stores nothing."""
    version = posted_version(request)
    if not row.stands_on(Side.ANSWERS, request.post):
        raise PermissionDenied("整改情况由被督导机构填写")
    if row.status not in Rectification.EDITABLE or row.version != version:
        raise StaleState(row, version)
    return version


def _pressed(request: Request, pk: int, name: str, *, done: str = "") -> HttpResponse:
    row = get_object_or_404(rectifications(request.post), pk=pk)
    form = press(request, row, name, done=done)
    return redirect(row) if form is None else _detail(request, row, pressed=form)


def _detail(
    request: Request,
    row: Rectification,
    *,
    pressed: AskForm | None = None,
    measures: MeasuresForm | None = None,
    note: NoteForm | None = None,
) -> HttpResponse:
    post = request.post
    initial = {"measures": row.measures, "leader": row.leader, "person": row.person}
    notes = list(row.progress.select_related("author__institution").prefetch_related("files"))
    refused = any(form is not None for form in (measures, note))
    return render(
        request,
        "supervision/rectification_detail.html",
        {
            "row": row,
            "problem": row.problem,
            "status": status_tag(row),
            "severity": severity_tag(row.problem),
            "late": row.is_overdue,
            "running": row.status in Rectification.WITH_INSTITUTION,
            "evidence": _files(row.files.all(), "rectification_file", row.pk),
            "problem_files": problem_files(row.problem),
            "reminders": row.reminders.prefetch_related("posts__institution"),
            "notes": [(n, _files(n.files.all(), "note_file", n.pk)) for n in notes],
            "may_write": rectifying.may_write(row, post),
            "answers": row.stands_on(Side.ANSWERS, post),
            "measures": measures or MeasuresForm(post=post, initial=initial),
            "note": note or NoteForm(post=post),
            "moves": moves_for_template(
                row,
                post,
                url=lambda name: reverse(f"supervision:rectification_{name}", args=[row.pk]),
                pressed=pressed,
            ),
            "history": Event.objects.of(row).order_by("-seq"),
            "crumbs": CRUMBS,
        },
        status=422 if refused else 200,
    )


def _files(rows, name: str, pk: int) -> list[dict]:
    return [
        {
            "name": file.name,
            "size": file.size,
            "url": reverse(f"supervision:{name}", args=[pk, file.key]),
        }
        for file in rows
    ]
