from copy import copy
from functools import partial

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import FileResponse, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from institutions import files
from institutions.http import Request, posted_version
from institutions.models import Event
from institutions.moves import moves_for_template, press, refusals_said
from institutions.workflow import Side, StaleState
from scoring import appealing, correcting, filling, pictures, raising, verifying
from scoring.filling import SELF, VERIFIED
from scoring.forms import LineFilesForm, LineForm
from scoring.lists import SheetList, sheet_tag
from scoring.models import Appeal, ScoreLine, ScoreSection, ScoreSheet
from scoring.papers import line_view, section_view, sheet_progress
from scoring.policies import grade_shares

STALE = "他人刚保存过本项内容，您填写的还没有保存。请记下填写内容，刷新页面核对后再保存。"


def _sheets(request: Request):
    return ScoreSheet.objects.visible_to(request.post).select_related(
        "institution__region", "supervisor__bureau", "evaluation__standard", "author__user"
    )


def _sections(request: Request):
    return ScoreSection.objects.visible_to(request.post).select_related(
        "institution__region",
        "supervisor__bureau",
        "item",
        "verifier__institution",
        "sheet__evaluation",
        "author__user",
    )


def _lines(request: Request):
    return ScoreLine.objects.visible_to(request.post).select_related(
        "clause",
        "sheet__evaluation",
        "section__institution__region",
        "section__supervisor__bureau",
        "section__sheet__evaluation",
        "section__author__user",
    )


def _lines_of(request: Request, sheet: ScoreSheet, **more):
    return (
        _lines(request)
        .filter(sheet=sheet, **more)
        .prefetch_related("files")
        .order_by("section__position", "clause__position")
    )


def _wants_json(request: Request) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


@require_safe
@permission_required("scoring.view_sheet", raise_exception=True)
def sheet_list(request: Request) -> HttpResponse:
    rows = ScoreSheet.objects.visible_to(request.post).select_related("institution", "evaluation")
    return SheetList(request, rows).response("scoring/sheet_list.html")


# --- One sheet ----------------------------------------------------------------------------------------


@require_safe
@permission_required("scoring.view_sheet", raise_exception=True)
def sheet_detail(request: Request, pk: int) -> HttpResponse:
    sheets = _sheets(request).select_related("evaluation__supervisor", "reader__institution")
    sheet = get_object_or_404(sheets, pk=pk)
    return render(request, "scoring/sheet_detail.html", _detail(request, sheet))


def _detail(request: Request, sheet: ScoreSheet, pressed=None) -> dict:
    post = request.post
    shown = sheet.shows_verified_to(post)
    sections = list(_sections(request).filter(sheet=sheet).order_by("position"))
    lines: dict[int, list[ScoreLine]] = {}
    for line in _lines_of(request, sheet):
        lines.setdefault(line.section_id, []).append(line)
    shares = grade_shares(sheet.supervisor, sheet.year)
    verified = shown and sheet.status == ScoreSheet.Status.VERIFIED
    past = list(pictures.shown_sheets(sheet.institution_id, post)) if verified else []
    before = [s for s in past if (s.year, s.quarter) < (sheet.year, sheet.quarter)]
    previous = before[-1] if before and sheet.quarter else None
    changes = pictures.changes_from(previous, sections) if verified else {}
    # The same clause a quarter ago, by its code: an edition in between may have dropped or renamed it.
    earlier = (
        {
            line.clause.code: line
            for line in ScoreLine.objects.visible_to(post)
            .filter(sheet=previous, full__gt=0)
            .select_related("clause")
        }
        if previous and verified
        else {}
    )
    corrections = list(correcting.corrections_of(sheet, post)) if sheet.is_final else []
    views = [
        section_view(
            section,
            lines.get(section.pk, []),
            shares,
            post,
            shown=shown or section.stands_on(Side.ASKS, post),
            change=changes.get(section.pk),
            before=earlier,
        )
        for section in sections
    ]
    return {
        "sheet": sheet,
        "evaluation": sheet.evaluation,
        "tag": sheet_tag(sheet),
        "shown": shown,
        "sections": views,
        "unread": shown
        and sheet.status == ScoreSheet.Status.VERIFIED
        and sheet.read_at is None
        and not sheet.evaluation.is_shown
        and sheet.evaluation.needs_reader,
        "may_fill": filling.may_fill(sheet, post),
        "may_raise": sheet.evaluation.is_shown and raising.may_raise(sheet, post),
        "progress": sheet_progress(lines),
        "radar": pictures.radar_of(sheet, sections) if verified else None,
        "trend": pictures.trend_of(past),
        "previous": previous,
        "difference": sheet.score - previous.score if verified and previous else None,
        # Once it is public nothing can be done with a sheet, and no button says so.
        "moves": []
        if sheet.evaluation.is_shown
        else moves_for_template(
            sheet,
            post,
            url=lambda name: reverse(f"scoring:sheet_{name}", args=[sheet.pk]),
            pressed=pressed,
        ),
        "may_correct": correcting.may_correct(sheet, post),
        "corrections": corrections,
        "corrected": _corrected(sheet, corrections),
        "may_appeal": appealing.may_appeal(sheet, post),
        "appeals": Appeal.objects.visible_to(post)
        .filter(line__sheet=sheet)
        .select_related("line__clause", "institution")
        .order_by("pk"),
        "events": Event.objects.of(sheet).order_by("-seq")[:20],
    }


def _corrected(sheet: ScoreSheet, corrections: list) -> ScoreSheet | None:
    """Return the sheet as the year counts it, where there are corrections."""
    if not corrections:
        return None
    counted = copy(sheet)
    correcting.correct_in_memory([counted])
    return counted


def _press(request: Request, pk: int, name: str, deed) -> HttpResponse:
    sheet = get_object_or_404(_sheets(request), pk=pk)
    refused = press(request, sheet, name, deed=partial(deed, sheet))
    if refused is None:
        return redirect("scoring:sheet_detail", pk)
    return render(request, "scoring/sheet_detail.html", _detail(request, sheet, refused))


@require_POST
@permission_required("scoring.submit_sheet", raise_exception=True)
def sheet_submit(request: Request, pk: int) -> HttpResponse:
    sheet = get_object_or_404(_sheets(request), pk=pk)
    press(request, sheet, "submit", deed=partial(filling.submit, sheet))
    # Refused: back to where it can be put right, with the reasons.
    refused = sheet.status in ScoreSheet.EDITABLE
    return redirect("scoring:sheet_fill" if refused else "scoring:sheet_detail", pk)


@require_POST
@permission_required("scoring.verify_sheet", raise_exception=True)
def sheet_send_back(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "send_back", verifying.send_back)


@require_POST
@permission_required("scoring.verify_sheet", raise_exception=True)
def sheet_verify(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "verify", verifying.verify)


@require_POST
@permission_required("scoring.verify_sheet", raise_exception=True)
def sheet_read(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "read", verifying.read)


@require_POST
@permission_required("scoring.verify_sheet", raise_exception=True)
def sheet_reopen(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "reopen", verifying.reopen)


# --- The institution's side -----------------------------------------------------------------------------


@require_safe
@permission_required("scoring.fill_sheet", raise_exception=True)
def sheet_fill(request: Request, pk: int) -> HttpResponse:
    sheet = get_object_or_404(_sheets(request), pk=pk)
    if not request.post.acts_for(sheet.institution_id):
        raise PermissionDenied("自评由本机构填写")
    if not filling.may_fill(sheet, request.post):
        return redirect(sheet)
    return _fill_page(request, sheet)


def _fill_page(
    request: Request,
    sheet: ScoreSheet,
    typed: LineForm | None = None,
    status: int = 200,
    files_error: tuple[int, str] = (0, ""),
) -> HttpResponse:
    shares = grade_shares(sheet.supervisor, sheet.year)
    lines: dict[int, list[ScoreLine]] = {}
    for line in _lines_of(request, sheet):
        lines.setdefault(line.section_id, []).append(line)
    groups = []
    for section in _sections(request).filter(sheet=sheet).order_by("position"):
        own = lines.get(section.pk, [])
        shown = [
            line_view(
                line,
                shares,
                form=typed
                if typed and typed.line.pk == line.pk
                else LineForm(line, SELF, verified=False),
                files_error=files_error[1] if files_error[0] == line.pk else "",
            )
            for line in own
        ]
        groups.append(
            {
                "section": section,
                "lines": shown,
                "filled": sum(line.is_filled for line in own),
                "total": len(own),
            }
        )
    context = {
        "sheet": sheet,
        "evaluation": sheet.evaluation,
        "groups": groups,
        "missing": [
            line
            for own in lines.values()
            for line in own
            if not line.is_filled or (line.self_na and not line.self_note)
        ],
        "progress": sheet_progress(lines),
        "moves": moves_for_template(
            sheet,
            request.post,
            url=lambda name: reverse(f"scoring:sheet_{name}", args=[sheet.pk]),
        ),
    }
    return render(request, "scoring/sheet_fill.html", context, status=status)


@require_POST
@permission_required("scoring.fill_sheet", raise_exception=True)
def line_save(request: Request, pk: int) -> HttpResponse:
    line = get_object_or_404(_lines(request), pk=pk)
    form = LineForm(line, SELF, verified=False, data=request.POST)
    return _save(request, line, form, filling.fill_line, _fill_page)


def _save(request: Request, line: ScoreLine, form: LineForm, deed, page) -> HttpResponse:
    """Save one line and answer as asked: JSON for the script, else the page at that line."""
    as_json = _wants_json(request)
    try:
        if form.is_valid():
            try:
                saved = deed(
                    line, form.cleaned_data, by=request.post, version=posted_version(request)
                )
            except ValidationError as refused:
                form.add_error(None, refused.messages)
    except StaleState:
        if as_json:
            return JsonResponse({"message": f"未保存：{STALE}"}, status=409)
        form.add_error(None, STALE)
        return page(request, line.sheet, form, status=409)
    if form.errors:
        if as_json:
            return JsonResponse({"errors": form.errors}, status=400)
        return page(request, line.sheet, form, status=400)
    if as_json:
        return JsonResponse(_answer(line, saved, verified=deed is verifying.judge_line))
    messages.success(request, f"已保存：{line.clause.code} {saved.outcome.explanation}")
    back = (
        reverse("scoring:section_verify", args=[line.section_id])
        if deed is verifying.judge_line
        else reverse("scoring:sheet_fill", args=[line.sheet_id])
    )
    return redirect(f"{back}#l{line.pk}")


def _answer(line: ScoreLine, saved: filling.Saved, *, verified: bool) -> dict:
    """Return what portal.js takes: the section's version, the line's points, the sums of the page."""
    scored, section = saved.outcome, saved.section
    points = "—" if scored.points is None else f"{scored.points:.2f}"
    rows = ScoreLine.objects.of(line)
    left = rows.unjudged() if verified else rows.unfilled()
    open_sections = list(left.values_list("section", flat=True))
    counts = rows.counts(line.section_id)
    side = "points" if verified else "self_points"
    full = "full" if verified else "self_full"
    owed = verified and line.loses and not line.reason
    return {
        "version": saved.version,
        "line": {
            "points": points,
            "how": scored.explanation,
            "owed": "还要填写扣分理由" if owed else "",
        },
        "totals": {
            "points": f"{saved.totals[side]:.2f}",
            "full": f"{saved.totals[full]:.2f}",
            "done": str(counts["sheet"] - len(open_sections)),
            f"section-{section.pk}-points": f"{getattr(section, side):.2f}",
            f"section-{section.pk}-full": f"{getattr(section, full):.2f}",
            f"section-{section.pk}-done": str(
                counts["section"] - open_sections.count(line.section_id)
            ),
        },
    }


@require_POST
@permission_required("scoring.fill_sheet", raise_exception=True)
def line_attach(request: Request, pk: int) -> HttpResponse:
    line = get_object_or_404(_lines(request), pk=pk)
    form = LineFilesForm(request.POST, request.FILES, post=request.post)
    if not request.post.acts_for(line.section.institution_id):
        raise PermissionDenied("佐证材料由本机构上传")
    if not form.is_valid():
        sheet = get_object_or_404(_sheets(request), pk=line.sheet_id)
        return _fill_page(
            request, sheet, status=400, files_error=(pk, "；".join(form.errors["files"]))
        )
    filling.attach(line, form.stored, by=request.post, version=posted_version(request))
    messages.success(request, f"{line.clause.code}：已上传 {len(form.stored)} 个文件")
    return redirect(f"{reverse('scoring:sheet_fill', args=[line.sheet_id])}#l{line.pk}")


@require_POST
@permission_required("scoring.fill_sheet", raise_exception=True)
def line_detach(request: Request, pk: int, key) -> HttpResponse:
    line = get_object_or_404(_lines(request), pk=pk)
    filling.detach(line, key, by=request.post, version=posted_version(request))
    messages.success(request, f"{line.clause.code}：已移除文件")
    return redirect(f"{reverse('scoring:sheet_fill', args=[line.sheet_id])}#l{line.pk}")


@require_safe
@permission_required("scoring.view_sheet", raise_exception=True)
def line_file(request: Request, pk: int, key) -> FileResponse:
    line = get_object_or_404(_lines(request), pk=pk)
    return files.serve(line.files, key)


# --- The supervisor's side ------------------------------------------------------------------------------


@require_safe
@permission_required("scoring.verify_sheet", raise_exception=True)
def section_verify(request: Request, pk: int) -> HttpResponse:
    section = get_object_or_404(_sections(request), pk=pk)
    if not verifying.may_verify(section, request.post):
        raise PermissionDenied("本项由督导方或牵头单位核定")
    return _verify_page(request, section)


def _verify_page(
    request: Request,
    section: ScoreSection,
    typed: LineForm | None = None,
    status: int = 200,
    reasons: list[str] | None = None,
) -> HttpResponse:
    sheet = get_object_or_404(_sheets(request), pk=section.sheet_id)
    shares = grade_shares(sheet.supervisor, sheet.year)
    editable = (
        section.status == ScoreSection.Status.OPEN and sheet.status == ScoreSheet.Status.SUBMITTED
    )
    own = list(_lines_of(request, sheet, section=section))
    lines = [
        line_view(
            line,
            shares,
            form=typed
            if typed and typed.line.pk == line.pk
            else LineForm(line, VERIFIED, verified=True),
        )
        for line in own
    ]
    around = list(
        _sections(request)
        .filter(sheet=sheet)
        .order_by("position")
        .values_list("pk", "title", "status", "position")
    )
    place = next(i for i, row in enumerate(around) if row[0] == section.pk)
    context = {
        "sheet": sheet,
        "evaluation": sheet.evaluation,
        "section": section,
        "lines": lines,
        "editable": editable,
        "reasons": reasons or [],
        "missing": [
            (line, "扣分理由" if line.is_judged else "核定")
            for line in own
            if editable and (not line.is_judged or (line.loses and not line.reason))
        ],
        "done": sum(line.is_judged for line in own),
        "previous": around[place - 1] if place else None,
        "next": around[place + 1] if place + 1 < len(around) else None,
        "open_left": sum(row[2] == ScoreSection.Status.OPEN for row in around),
        "moves": moves_for_template(
            section,
            request.post,
            url=lambda name: reverse(f"scoring:section_{name}", args=[section.pk]),
        ),
    }
    return render(request, "scoring/section_verify.html", context, status=status)


@require_POST
@permission_required("scoring.verify_sheet", raise_exception=True)
def section_line_save(request: Request, pk: int) -> HttpResponse:
    line = get_object_or_404(_lines(request), pk=pk)
    form = LineForm(line, VERIFIED, verified=True, data=request.POST)

    def page(request: Request, sheet: ScoreSheet, typed: LineForm, status: int) -> HttpResponse:
        section = get_object_or_404(_sections(request), pk=line.section_id)
        return _verify_page(request, section, typed, status=status)

    return _save(request, line, form, verifying.judge_line, page)


@require_POST
@permission_required("scoring.verify_sheet", raise_exception=True)
def section_adopt(request: Request, pk: int) -> HttpResponse:
    section = get_object_or_404(_sections(request), pk=pk)
    wanted = request.POST.get("line", "")
    one = [int(wanted)] if wanted.isascii() and wanted.isdigit() else None
    with refusals_said(request):
        count = verifying.adopt(
            section, by=request.post, version=posted_version(request), line_ids=one
        )
        messages.success(request, f"已照自评填入 {count} 条，请逐条核对；扣分的条款请填写理由")
    anchor = f"#l{one[0]}" if one else ""
    return redirect(f"{reverse('scoring:section_verify', args=[pk])}{anchor}")


@require_POST
@permission_required("scoring.verify_sheet", raise_exception=True)
def section_finish(request: Request, pk: int) -> HttpResponse:
    section = get_object_or_404(_sections(request), pk=pk)
    try:
        verifying.finish(section, by=request.post, version=posted_version(request))
    except ValidationError as refused:
        return _verify_page(request, section, status=400, reasons=refused.messages)
    messages.success(request, f"{section.title}：本项核定完毕")
    following = (
        _sections(request)
        .filter(sheet=section.sheet_id, status=ScoreSection.Status.OPEN)
        .order_by("position")
    )
    for other in following:
        if verifying.may_verify(other, request.post):
            return redirect("scoring:section_verify", other.pk)
    return redirect("scoring:sheet_detail", section.sheet_id)


@require_POST
@permission_required("scoring.verify_sheet", raise_exception=True)
def section_resume(request: Request, pk: int) -> HttpResponse:
    section = get_object_or_404(_sections(request), pk=pk)
    with refusals_said(request):
        verifying.resume(section, by=request.post, version=posted_version(request))
    return redirect("scoring:section_verify", pk)
