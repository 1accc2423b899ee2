from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required, permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import FileResponse, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from institutions import clock, files
from institutions.http import Request, posted_version
from institutions.models import Event, Post
from institutions.moves import AskForm, moves_for_template, press, refusals_said
from institutions.templatetags.portal import time_cn
from institutions.workflow import StaleState
from supervision import assigning, recording, signing, submitting
from supervision.forms import LineForm, PhotoForm, PhotoPlaceForm, SubmitForm, TeamForm
from supervision.lists import VisitList, status_tag
from supervision.models import Method, Problem, Severity, Visit, VisitLine
from supervision.models.problem import CATEGORIES

CRUMBS = [("现场督导", reverse_lazy("supervision:visit_list"))]


def visit_rows(post: Post):
    found = (
        VisitLine.objects.visible_to(post)
        .filter(visit=OuterRef("pk"), found="problem")
        .order_by()
        .values("visit")
        .annotate(n=Count("pk"))
    )
    return (
        Visit.objects.visible_to(post)
        .select_related(
            "institution",
            "supervisor",
            "author",
            "lead__institution",
            "round__standard",
            "round__supervisor",
            "round__campaign",
        )
        .annotate(
            problem_count=Coalesce(Subquery(found.values("n"), output_field=IntegerField()), 0)
        )
    )


@require_safe
@permission_required("supervision.view_visit", raise_exception=True)
def visit_list(request: Request) -> HttpResponse:
    return VisitList(request, visit_rows(request.post)).response("supervision/visit_list.html")


@require_safe
@permission_required("supervision.view_visit", raise_exception=True)
def visit_detail(request: Request, pk: int) -> HttpResponse:
    return _detail(request, get_object_or_404(visit_rows(request.post), pk=pk))


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("supervision.change_round", raise_exception=True)
def visit_edit(request: Request, pk: int) -> HttpResponse:
    visit = get_object_or_404(visit_rows(request.post), pk=pk)
    if visit.supervisor_id != request.post.institution_id:
        raise PermissionDenied("督导由组织本轮督导的单位安排")
    version = posted_version(request) if request.method == "POST" else visit.version
    form = TeamForm(
        request.POST or None,
        post=request.post,
        round=visit.round,
        visit=visit,
        initial={
            "lead": visit.lead_id,
            "members": visit.members.all(),
            "items": visit.items.all(),
            "starts": visit.starts,
            "ends": visit.ends,
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            assigning.change_visit(visit, by=request.post, version=version, **form.cleaned_data)
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(request, "已保存")
            return redirect(visit)
    crumbs = [*CRUMBS, (str(visit), visit.get_absolute_url())]
    return render(
        request,
        "supervision/visit_form.html",
        {"form": form, "round": visit.round, "visit": visit, "version": version, "crumbs": crumbs},
    )


@require_safe
@permission_required("supervision.record_visit", raise_exception=True)
def visit_record(request: Request, pk: int) -> HttpResponse:
    """The paper on site, on a phone: last time's problems, then clause by clause."""
    visit = get_object_or_404(visit_rows(request.post), pk=pk)
    if not visit.may_record(request.post):
        if visit.status in Visit.EDITABLE:
            raise PermissionDenied("督导记录由督导组填写")
        return redirect(visit)
    return _paper(request, visit)


@login_not_required
@require_safe
def visit_offline(request: Request) -> HttpResponse:
    """The shell that a phone keeps for the record page: the same for everybody, with nothing in it."""
    return render(request, "supervision/visit_offline.html")


@require_POST
@permission_required("supervision.record_visit", raise_exception=True)
def line_save(request: Request, pk: int) -> HttpResponse:
    """Save one line; answers the script with JSON and a plain form with a way back to the line."""
    visit = get_object_or_404(visit_rows(request.post), pk=pk)
    json = _asks_json(request)
    form = LineForm(request.POST, visit=visit, post=request.post)
    if not form.is_valid():
        if json:
            return JsonResponse({"errors": form.errors}, status=400)
        return _paper(request, visit, refused=form, status=422)
    try:
        line = recording.save_line(
            visit,
            by=request.post,
            version=posted_version(request),
            values=form.values,
            sent=form.cleaned_data["sent"],
            tried=form.cleaned_data["tried"],
            **form.place,
        )
    except StaleState:
        if json:
            return _conflict(visit, recording.Place(**form.place))
        raise
    if json:
        return JsonResponse(
            {"version": line.version, "line": _told(line), "totals": _totals(visit)}
        )
    messages.success(request, "已保存")
    return redirect(
        f"{reverse('supervision:visit_record', args=[visit.pk])}#{recording.anchor(line)}"
    )


def _asks_json(request: Request) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def _told(line: VisitLine) -> dict[str, str]:
    """What the page says beside a saved line."""
    worth = f"得 {line.points} 分" if line.points is not None else ""
    return {"author": f"{line.author}记录", "worth": worth}


def _conflict(visit: Visit, place: recording.Place) -> JsonResponse:
    """Tell the script that somebody else was first: with the other text, so that the person may choose."""
    visit.refresh_from_db(fields=["status"])
    if visit.status not in Visit.EDITABLE:
        text = "未保存：督导记录已提交，不能再改"
        return JsonResponse({"message": text, "closed": True}, status=409)
    line = place.find(visit)
    text = "未保存：他人已修改本条，请选择保留哪一个"
    theirs = None
    if line is not None:
        theirs = {
            "version": line.version,
            "values": recording.values_of(line),
            "result": line.result,
            "text": line.text,
            "told": f"{line.author}，{time_cn(line.recorded_at)}",
        }
    return JsonResponse({"message": text, "theirs": theirs}, status=409)


@require_POST
@permission_required("supervision.record_visit", raise_exception=True)
def line_photo(request: Request, pk: int) -> HttpResponse:
    """Add photos to a line; what a phone sends a second time under the same key is answered, not kept again."""
    visit = get_object_or_404(visit_rows(request.post), pk=pk)
    if not visit.may_record(request.post):
        raise PermissionDenied("督导记录由督导组填写")
    place = PhotoPlaceForm(request.POST, visit=visit)
    line = place.place.find(visit) if place.is_valid() else None
    errors = [] if line else ["请先选择结果，再添加照片"]
    key = place.cleaned_data.get("key")
    if line and not (key and line.photo_keys.filter(key=key).exists()):
        form = PhotoForm(request.POST, request.FILES, post=request.post)
        if form.is_valid():
            recording.add_photos(line, files=form.stored, by=request.post, key=key)
            if not _asks_json(request):
                messages.success(request, f"已添加 {len(form.stored)} 个文件")
        errors = [error for found in form.errors.values() for error in found]
    if _asks_json(request):
        if errors:
            return JsonResponse({"errors": {"files": errors}}, status=400)
        return JsonResponse({"photos": _photos(line)})
    for error in errors:
        messages.error(request, error)
    return redirect(f"{reverse('supervision:visit_record', args=[visit.pk])}#{place.anchor}")


def _photos(line: VisitLine) -> list[dict[str, str]]:
    return [
        {"name": file.name, "url": reverse("supervision:line_file", args=[line.pk, file.key])}
        for file in line.files.order_by("pk")
    ]


@require_POST
@permission_required("supervision.record_visit", raise_exception=True)
def line_remove(request: Request, pk: int) -> HttpResponse:
    lines = VisitLine.objects.visible_to(request.post).select_related("visit__round")
    line = get_object_or_404(lines, pk=pk)
    with refusals_said(request):
        recording.remove_line(line, by=request.post, version=posted_version(request))
        messages.success(request, "已删除")
    return redirect("supervision:visit_record", line.visit_id)


@require_safe
@permission_required("supervision.view_visit", raise_exception=True)
def line_file(request: Request, pk: int, key: UUID) -> FileResponse:
    line = get_object_or_404(VisitLine.objects.visible_to(request.post), pk=pk)
    return files.serve(line.files, str(key))


@require_safe
@permission_required("supervision.view_visit", raise_exception=True)
def visit_file(request: Request, pk: int, key: UUID) -> FileResponse:
    visit = get_object_or_404(Visit.objects.visible_to(request.post), pk=pk)
    return files.serve(visit.files, str(key))


@require_POST
@permission_required("supervision.record_visit", raise_exception=True)
def visit_submit(request: Request, pk: int) -> HttpResponse:
    visit = get_object_or_404(visit_rows(request.post), pk=pk)
    version = posted_version(request)
    if not visit.may("submit", request.post):
        raise PermissionDenied("督导记录由组长提交")
    if visit.status not in Visit.EDITABLE or visit.version != version:
        raise StaleState(visit, version)
    form = SubmitForm(request.POST, request.FILES, post=request.post)
    if form.is_valid():
        try:
            problems = submitting.submit_visit(
                visit,
                by=request.post,
                version=version,
                visited_on=form.cleaned_data["visited_on"],
                summary=form.cleaned_data["summary"],
                files=form.stored,
            )
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(request, f"已提交，交办问题 {len(problems)} 个。请与机构核对后签字")
            return redirect("supervision:visit_feedback", visit.pk)
    return _paper(request, visit, submit=form, status=422)


@require_POST
@permission_required("supervision.answer_visit", raise_exception=True)
def visit_agree(request: Request, pk: int) -> HttpResponse:
    def deed(visit: Visit) -> Callable[..., None]:
        return lambda *, by, version: signing.agree(visit, by=by, version=version)

    return _pressed(request, pk, "agree", deed=deed, done="已确认督导记录")


@require_POST
@permission_required("supervision.answer_visit", raise_exception=True)
def visit_object(request: Request, pk: int) -> HttpResponse:
    def deed(visit: Visit) -> Callable[..., None]:
        return lambda *, by, version, note: signing.object_to(
            visit, by=by, version=version, note=note
        )

    return _pressed(request, pk, "object", deed=deed, done="已提出异议，等待督导方处理")


@require_POST
@permission_required("supervision.confirm_visit", raise_exception=True)
def visit_settle(request: Request, pk: int) -> HttpResponse:
    return _pressed(request, pk, "settle")


@require_POST
@permission_required("supervision.confirm_visit", raise_exception=True)
def visit_cancel(request: Request, pk: int) -> HttpResponse:
    def deed(visit: Visit) -> Callable[..., None]:
        return lambda *, by, version, note: assigning.cancel_visit(
            visit, by=by, version=version, note=note
        )

    return _pressed(request, pk, "cancel", deed=deed)


@require_POST
@permission_required("supervision.confirm_visit", raise_exception=True)
def visit_reschedule(request: Request, pk: int) -> HttpResponse:
    def deed(visit: Visit) -> Callable[..., None]:
        return lambda *, by, version, note, date: assigning.reschedule_visit(
            visit, by=by, version=version, note=note, date=date
        )

    return _pressed(request, pk, "reschedule", deed=deed, done="已改期，督导组成员已收到通知")


def _pressed(request: Request, pk: int, name: str, *, deed=None, done: str = "") -> HttpResponse:
    visit = get_object_or_404(visit_rows(request.post), pk=pk)
    form = press(request, visit, name, deed=deed and deed(visit), done=done)
    return redirect(visit) if form is None else _detail(request, visit, pressed=form)


def _totals(visit: Visit) -> dict[str, int]:
    found = list(visit.lines.values_list("found", flat=True))
    return {"recorded": len(found), "problems": found.count("problem")}


def _paper(
    request: Request,
    visit: Visit,
    *,
    refused: LineForm | None = None,
    submit: SubmitForm | None = None,
    status: int = 200,
) -> HttpResponse:
    if not visit.may_record(request.post):
        raise PermissionDenied("督导记录由督导组填写")
    sections = recording.paper(visit, refused)
    initial = {"visited_on": min(max(visit.starts, clock.today()), clock.today())}
    return render(
        request,
        "supervision/visit_record.html",
        {
            "visit": visit,
            "sections": sections,
            "rechecks": recording.rechecks(visit, request.post, refused),
            "totals": _totals(visit),
            "clauses": sum(1 for s in sections for e in s.entries if e.clause),
            "submit": submit or SubmitForm(post=request.post, initial=initial),
            "may_submit": visit.may("submit", request.post),
            "methods": Method.choices,
            "severities": Severity.choices,
            "categories": CATEGORIES,
            "refused": refused,
            "crumbs": [*CRUMBS, (visit.institution.known_as, visit.get_absolute_url())],
        },
        status=status,
    )


def _detail(request: Request, visit: Visit, *, pressed: AskForm | None = None) -> HttpResponse:
    post = request.post
    buttons = moves_for_template(
        visit,
        post,
        url=lambda name: reverse(f"supervision:visit_{name}", args=[visit.pk]),
        pressed=pressed,
    )
    found = Problem.objects.visible_to(post).filter(visit_line__visit=visit)
    return render(
        request,
        "supervision/visit_detail.html",
        {
            "visit": visit,
            "status": status_tag(visit),
            "sections": recording.sections(visit),
            "rechecked": recording.rechecked(visit),
            "items": recording.visit_items(visit),
            "members": visit.members.select_related("institution"),
            "problems": found.select_related("item", "rectification"),
            "files": [
                {
                    "name": f.name,
                    "size": f.size,
                    "url": reverse("supervision:visit_file", args=[visit.pk, f.key]),
                }
                for f in visit.files.all()
            ],
            # Submitting is done where the record is written.
            "moves": [b for b in buttons if b.name != "submit"],
            "may_record": visit.may_record(post),
            "may_edit": post.has_perm("supervision.change_round")
            and visit.supervisor_id == post.institution_id
            and visit.status in Visit.EDITABLE,
            "history": Event.objects.of(visit).order_by("-seq"),
            "crumbs": CRUMBS,
        },
    )
