"""The work log: what units did, who has done nothing of a kind, which cases are recommended upwards."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns import work_logging
from campaigns.log_forms import MEANT, CoverageForm, FollowUpForm, WorkLogForm
from campaigns.log_lists import (
    CoverageList,
    LogList,
    StaffTrainingList,
    TaskCheckList,
    counted,
    effect,
    follow_up_tag,
    label_tag,
    log_tag,
    units_of,
    with_checks,
    with_coverage,
    with_training,
)
from campaigns.models import Campaign, Task, WorkLog
from institutions import clock, files
from institutions.http import Request, posted_version
from institutions.listing import Tag
from institutions.models import Event, StaffMember
from institutions.moves import AskForm, moves_for_template, press

VIEW = "campaigns.view_log"
WRITE = "campaigns.write_log"
SELECT = "campaigns.select_case"
GET_POST = ["GET", "HEAD", "POST"]


def _crumb() -> tuple[str, str]:
    return "工作日志", reverse("campaigns:log_list")


@require_safe
@permission_required(VIEW, raise_exception=True)
def log_list(request: Request) -> HttpResponse:
    rows = WorkLog.objects.visible_to(request.post).select_related(
        "institution", "campaign", "task", "item"
    )
    return LogList(request, rows).response("campaigns/log_list.html")


@require_http_methods(GET_POST)
@permission_required(WRITE, raise_exception=True)
def log_create(request: Request) -> HttpResponse:
    """Choose the kind (`?kind=`), then enter."""
    kind = request.GET.get("kind", "")
    if kind not in WorkLog.Kind.values:
        chosen = [(value, WorkLog.Kind(value).label, said) for value, said in MEANT.items()]
        context = {"kinds": chosen, "crumbs": [_crumb()]}
        return render(request, "campaigns/log_kinds.html", context)
    log = WorkLog(kind=kind)
    form = WorkLogForm(
        request.POST or None,
        request.FILES or None,
        instance=log,
        post=request.post,
        initial={"day": clock.today()},
    )
    if form.is_bound and form.is_valid():
        log = work_logging.enter(
            form.save(commit=False),
            by=request.post,
            units=form.chosen_units or [],
            trainees=form.chosen_trainees or [],
            files=form.stored,
        )
        messages.success(request, "已登记")
        return redirect(log)
    context = {"form": form, "log": log, "crumbs": [_crumb()], "cancel_url": _crumb()[1]}
    return render(request, "campaigns/log_form.html", context)


def _log(request: Request, pk: int) -> WorkLog:
    rows = WorkLog.objects.visible_to(request.post).select_related(
        "institution__region", "supervisor", "author", "campaign", "phase", "task", "item"
    )
    return get_object_or_404(rows, pk=pk)


def _own_log(request: Request, pk: int) -> WorkLog:
    log = _log(request, pk)
    if not request.post.acts_for(log.institution_id):
        raise PermissionDenied("由登记单位办理")
    return log


@require_http_methods(GET_POST)
@permission_required(WRITE, raise_exception=True)
def log_edit(request: Request, pk: int) -> HttpResponse:
    log = _own_log(request, pk)
    if log.status not in WorkLog.EDITABLE:
        raise PermissionDenied("已入选的案例不能再改")
    form = WorkLogForm(request.POST or None, request.FILES or None, instance=log, post=request.post)
    if form.is_bound and form.is_valid():
        work_logging.change(
            form.save(commit=False),
            by=request.post,
            version=posted_version(request),
            units=form.chosen_units,
            trainees=form.chosen_trainees,
            files=form.stored,
        )
        messages.success(request, "已保存")
        return redirect(log)
    crumbs = [_crumb(), (log.subject, log.get_absolute_url())]
    context = {"form": form, "log": log, "crumbs": crumbs, "cancel_url": log.get_absolute_url()}
    return render(request, "campaigns/log_form.html", context)


@require_safe
@permission_required(VIEW, raise_exception=True)
def log_detail(request: Request, pk: int) -> HttpResponse:
    return _page(request, _log(request, pk))


def _page(
    request: Request,
    log: WorkLog,
    *,
    pressed: AskForm | None = None,
    follow_up: FollowUpForm | None = None,
) -> HttpResponse:
    post = request.post
    writes = post.acts_for(log.institution_id) and post.has_perm(WRITE)
    if follow_up is None and writes and log.decisions and log.followed_up_on is None:
        follow_up = FollowUpForm(initial={"on": clock.today()}, auto_id="id_follow_up_%s")
    moves = []
    if log.is_case:
        moves = moves_for_template(log, post, url=lambda name: _url(log, name), pressed=pressed)
    context = {
        "log": log,
        "tag": log_tag(log),
        "label": _shown(label_tag(log)),
        "follow_up_tag": _shown(follow_up_tag(log)),
        "effect": effect(log),
        "units": list(log.units.all()),
        "trainees": list(log.trainees.select_related("institution")),
        "moves": moves,
        "form": follow_up,
        "may_edit": writes and log.status in WorkLog.EDITABLE,
        "files": [
            {
                "name": file.name,
                "size": file.size,
                "key": file.key,
                "is_image": file.is_image,
                "url": reverse("campaigns:log_file", args=[log.pk, file.key]),
            }
            for file in log.files.all()
        ],
        "history": Event.objects.of(log),
        "crumbs": [_crumb()],
    }
    return render(request, "campaigns/log_detail.html", context)


def _shown(tag: Tag | str) -> Tag | None:
    return tag if isinstance(tag, Tag) else None


def _url(log: WorkLog, name: str) -> str:
    return reverse(f"campaigns:log_{name}", args=[log.pk])


@require_POST
@permission_required(WRITE, raise_exception=True)
def log_follow_up(request: Request, pk: int) -> HttpResponse:
    """Say when and how what was decided was carried out."""
    log = _own_log(request, pk)
    form = FollowUpForm(request.POST, auto_id="id_follow_up_%s")
    if not form.is_valid():
        return _page(request, log, follow_up=form)
    work_logging.follow_up(
        log, by=request.post, version=posted_version(request), **form.cleaned_data
    )
    messages.success(request, "已登记落实情况")
    return redirect(log)


@require_POST
@permission_required(SELECT, raise_exception=True)
def log_select(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "select", "已遴选为示范案例")


@require_POST
@permission_required(SELECT, raise_exception=True)
def log_unselect(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "unselect", "已取消遴选")


@require_POST
@permission_required(SELECT, raise_exception=True)
def log_recommend(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "recommend", "已向上级推荐")


def _press(request: Request, pk: int, name: str, done: str) -> HttpResponse:
    log = _log(request, pk)
    form = press(request, log, name, done=done)
    if form is not None:
        return _page(request, log, pressed=form)
    return redirect(log)


@require_safe
@permission_required(VIEW, raise_exception=True)
def log_file(request: Request, pk: int, key: str) -> HttpResponse:
    return files.serve(_log(request, pk).files, key)


@require_POST
@permission_required(WRITE, raise_exception=True)
def log_file_remove(request: Request, pk: int, key: str) -> HttpResponse:
    log = _own_log(request, pk)
    file = get_object_or_404(log.files.all(), key=key)
    work_logging.remove_file(log, file, by=request.post, version=posted_version(request))
    messages.success(request, f"已删除“{file.name}”")
    return redirect(log)


# --- Who has and who has not -----------------------------------------------------------------------


@require_safe
@permission_required(VIEW, raise_exception=True)
def log_coverage(request: Request) -> HttpResponse:
    """Per kind of work and period: which units have it, how often, and which have none."""
    question = CoverageForm(request.GET, post=request.post)
    asked: dict[str, Any] = {}
    units = units_of(request.post, "direct", clock.today()).none()
    if question.is_valid():
        asked = question.cleaned_data
        units = units_of(request.post, asked["units"], clock.today())
    logs = counted(request.post, asked) if asked else WorkLog.objects.visible_to(None)
    rows = with_coverage(units, logs)
    each = list(rows.order_by("code").values_list("name", "times"))
    missing = [name for name, times in each if not times]
    totals = {"total": len(each), "covered": len(each) - len(missing)}
    match asked.get("state"):
        case "missing":
            rows = rows.filter(times=0)
        case "covered":
            rows = rows.filter(times__gt=0)
    return CoverageList(request, rows).response(
        "campaigns/log_coverage.html",
        {
            "question": question,
            "kind": WorkLog.Kind(asked["kind"]).label if asked else "",
            "asked": asked,
            "totals": totals,
            "missing": missing[:60],
            "cut": len(missing) > 60,
            "crumbs": [_crumb()],
        },
    )


@require_safe
@permission_required("campaigns.view_campaign", raise_exception=True)
def log_checks(request: Request, pk: int) -> HttpResponse:
    """Which tasks of a campaign were checked in which of the four forms, and which in none."""
    campaign = get_object_or_404(Campaign.objects.visible_to(request.post), pk=pk)
    tasks = Task.objects.visible_to(request.post).filter(campaign=campaign)
    rows = with_checks(tasks.select_related("campaign"), request.post)
    each = list(rows.order_by("position").values_list("name", "checked"))
    missing = [name for name, times in each if not times]
    return TaskCheckList(request, rows).response(
        "campaigns/log_checks.html",
        {
            "campaign": campaign,
            "total": len(each),
            "checked": len(each) - len(missing),
            "missing": missing,
            "crumbs": [_crumb(), (campaign.name, campaign.get_absolute_url())],
        },
    )


@require_safe
@permission_required(VIEW, raise_exception=True)
def log_staff(request: Request) -> HttpResponse:
    """Newcomers, and whether they were trained before they started."""
    rows = with_training(StaffMember.objects.visible_to(request.post).select_related("institution"))
    counts = rows.order_by().aggregate(
        never=Count("pk", filter=Q(trained_state="never")),
        after=Count("pk", filter=Q(trained_state="after")),
        ok=Count("pk", filter=Q(trained_state="ok")),
    )
    here = reverse("campaigns:log_staff")
    kpis = [
        {
            "label": "未培训",
            "value": counts["never"],
            "unit": "人",
            "tone": "bad",
            "state": "never",
        },
        {"label": "到岗后才培训", "value": counts["after"], "unit": "人", "state": "after"},
        {"label": "岗前已培训", "value": counts["ok"], "unit": "人", "tone": "ok", "state": "ok"},
    ]
    for kpi in kpis:
        kpi["url"] = f"{here}?state={kpi.pop('state')}"
    return StaffTrainingList(request, rows).response(
        "campaigns/log_staff.html", {"kpis": kpis, "crumbs": [_crumb()]}
    )
