from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_POST, require_safe

from institutions import clock, files, staffing
from institutions.http import Request, posted_version
from institutions.listing import Tag
from institutions.models import Event, Post
from institutions.moves import AskForm, moves_for_template, press
from institutions.workflow import Side, StaleState
from supervision import checking_effect, extending, rectifying
from supervision.bodies import units_of
from supervision.forms import MeasuresForm, NoteForm
from supervision.lists import RectificationList, severity_tag, status_tag
from supervision.models import EffectCheck, Extension, ProgressNote, Rectification
from supervision.rectification_forms import EffectForm, ExtensionForm, GrantForm, RefuseForm
from supervision.views.problems import problem_files

CLOSE = "supervision.verify_rectification"
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
        "problem__clause__item",
        "problem__found_by__institution",
    )


@require_safe
@permission_required("supervision.view_rectification", raise_exception=True)
def rectification_list(request: Request) -> HttpResponse:
    rows = Rectification.objects.visible_to(request.post).select_related(
        "institution", "item", "problem", "verifier__institution"
    )
    listing = RectificationList(request, rows)
    overdue = request.GET.get("when") in ("overdue", "unsigned")
    reminder = listing.reminder if overdue and not request.GET.get("format") else ""
    context = {
        "reminder": reminder,
        "overdue": overdue,
        "may_close": request.post.has_perm(CLOSE) and units_of(request.post).exists(),
    }
    return listing.response("supervision/rectification_list.html", context)


@require_safe
@permission_required("supervision.view_rectification", raise_exception=True)
def rectification_detail(request: Request, pk: int) -> HttpResponse:
    return detail_page(request, get_object_or_404(rectifications(request.post), pk=pk))


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
        return detail_page(request, row, measures=form)
    given = form.cleaned_data
    if blocked := staffing.untrained_named(row.institution_id, [given["person"]]):
        form.add_error("person", staffing.refusal(blocked))
        return detail_page(request, row, measures=form)
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
        return detail_page(request, row, note=form)
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
    return redirect(row) if form is None else detail_page(request, row, pressed=form)


def detail_page(
    request: Request,
    row: Rectification,
    *,
    pressed: AskForm | None = None,
    measures: MeasuresForm | None = None,
    note: NoteForm | None = None,
    extension: ExtensionForm | None = None,
    grant: GrantForm | None = None,
    refuse: RefuseForm | None = None,
    effect: EffectForm | None = None,
) -> HttpResponse:
    """Answer with the page of a rectification; a form that was refused is shown again with what was typed."""
    post = request.post
    answers = row.stands_on(Side.ANSWERS, post)
    extensions = list(
        row.extensions.select_related("asked_by__institution", "decided_by__institution")
    )
    asked = next((e for e in extensions if e.status == Extension.Status.ASKED), None)
    may_ask = rectifying.may_write(row, post)
    may_decide = asked is not None and extending.may_decide(row, post)
    checks = list(row.effect_checks.select_related("author__institution").prefetch_related("files"))
    may_check = row.status == Rectification.Status.CLOSED and checking_effect.may_check(row, post)
    initial = {"measures": row.measures, "leader": row.leader, "person": row.person}
    notes = list(row.progress.select_related("author__institution").prefetch_related("files"))
    given = (measures, note, extension, grant, refuse, effect)
    refused = any(form is not None for form in given)
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
            "answers": answers,
            "steps": steps(row, notes, checks),
            "extensions": extensions,
            "extension": extension or (ExtensionForm(row=row) if may_ask else None),
            "extension_against": _why_no_extension(row, extensions) if may_ask else "",
            "asked": asked if may_decide else None,
            "grant": grant
            or (GrantForm(row=row, initial={"due": asked.wished}) if asked else None),
            "refuse": refuse or RefuseForm(),
            "checks": [(c, _files(c.files.all(), "effect_file", c.pk)) for c in checks],
            "effect": effect or (EffectForm(row=row, post=post) if may_check else None),
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


def _why_no_extension(row: Rectification, extensions: list[Extension]) -> str:
    """As `extending.why_not`, from what the page has read already."""
    counted = [e for e in extensions if e.status != Extension.Status.LAPSED]
    if any(e.status == Extension.Status.ASKED for e in counted):
        return extending.WAITING
    return extending.USED_UP if len(counted) >= Extension.MOST else ""


def steps(
    row: Rectification, notes: list[ProgressNote], checks: list[EffectCheck]
) -> list[dict[str, Any]]:
    """Return the four steps of a matter that was handed over: answered, moving, on time, effective, each with its state.

    "交办有回应、落实有动静、办事有效率、问效有机制" (周卫健字〔2023〕13号).
    """
    signed, done = row.signed_on, row.done_on
    if signed:
        on_time = row.sign_due is None or signed <= row.sign_due
        answered = ("ok" if on_time else "warn", f"{signed:%Y-%m-%d}签收")
    else:
        answered = (
            "bad" if row.is_unsigned else "muted",
            "逾期未签收" if row.is_unsigned else "待签收",
        )
    moving = (
        ("ok", f"填报进展{len(notes)}次，最近{notes[-1].at.astimezone(clock.SHANGHAI):%Y-%m-%d}")
        if notes
        else ("ok", "已填写整改措施")
        if row.measures
        else ("muted", "还没有填报")
    )
    if done:
        days = (done - row.assigned_at.astimezone(clock.SHANGHAI).date()).days
        late = done > row.due
        swift = ("warn" if late else "ok", f"{days}天完成，{'逾期' if late else '按时'}")
    else:
        swift = ("bad", "已逾期") if row.is_overdue else ("muted", "整改中")
    last = checks[-1] if checks else None
    effect = (
        ("ok" if last.result == EffectCheck.Result.HOLDS else "bad", last.get_result_display())
        if last
        else ("muted", "销号后回访")
    )
    names = ("交办有回应", "落实有动静", "办事有效率", "问效有机制")
    states = (answered, moving, swift, effect)
    return [
        {"name": name, "tag": Tag(text, tone)}
        for name, (tone, text) in zip(names, states, strict=True)
    ]
