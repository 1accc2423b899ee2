"""Tasks: what is asked, of whom, and who has done what."""

from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns import drafting, duties, issuing, passing_on
from campaigns.models import Campaign, PlanLine, Report, Task
from campaigns.summary import Counts, by_region, counts_of, reached
from campaigns.task_forms import MoreUnitsForm, TaskForm
from campaigns.task_lists import TaskList, TaskReportList, with_progress
from campaigns.views.drafting import GET_POST, frame, own_campaign
from institutions import audit, clock, sheets
from institutions.http import Request, posted_version
from institutions.moves import refusals_said

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CHANGE = "campaigns.change_task"
VIEW = "campaigns.view_task"


@require_safe
@permission_required(VIEW, raise_exception=True)
def task_list(request: Request) -> HttpResponseBase:
    """All tasks in sight, by programme, objective, leader or department; construction projects with their stage."""
    rows = with_progress(Task.objects.visible_to(request.post), request.post)
    rows = rows.select_related("campaign").prefetch_related("leaders", "departments")
    return TaskList(request, rows).response("campaigns/task_list.html")


@require_safe
@permission_required(VIEW, raise_exception=True)
def duty_matrix(request: Request, pk: int) -> HttpResponse:
    """Who owes what of a campaign: tasks by units, by lead departments, or by leaders; with `format=xlsx` as a file."""
    rows = Campaign.objects.visible_to(request.post).select_related("institution")
    campaign = get_object_or_404(rows, pk=pk)
    by = request.GET.get("by", "unit")
    table = duties.matrix(campaign, request.post, by if by in duties.BY else "unit")
    may_export = request.post.has_perm("institutions.export_table")
    if request.GET.get("format") == "xlsx" and may_export:
        return _export_duties(request, campaign, table)
    context = {
        "campaign": campaign,
        "table": table,
        "choices": list(duties.BY.items()),
        "crumbs": [
            ("活动", reverse("campaigns:campaign_list")),
            (campaign, campaign.get_absolute_url()),
        ],
    }
    return render(request, "campaigns/duty_matrix.html", context)


def _export_duties(request: Request, campaign: Campaign, table: duties.Matrix) -> HttpResponse:
    with transaction.atomic():
        audit.record(
            "portal.export",
            "导出责任矩阵",
            by=request.post,
            bureau=request.post.institution.bureau_id,
            on=campaign,
            note=table.corner,
        )
    name = quote(f"责任矩阵-{campaign.name}-{clock.today():%Y%m%d}.xlsx")
    response = HttpResponse(content_type=XLSX)
    sheets.write_xlsx(table.lines(), table.headers, response, title="责任矩阵")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    return response


@require_safe
@permission_required(VIEW, raise_exception=True)
def task_detail(request: Request, pk: int) -> HttpResponseBase:
    rows = Task.objects.visible_to(request.post).select_related(
        "campaign__institution", "phase", "item", "receiver", "passes_on__task__campaign"
    )
    task = get_object_or_404(rows, pk=pk)
    reports = Report.objects.visible_to(request.post).filter(task=task)
    reports = reports.select_related("institution", "department", "task")
    counts = counts_of(reports)
    campaign = task.campaign
    owns = request.post.acts_for(campaign.institution_id)
    receives = request.post.acts_for(task.receiver_id or campaign.institution_id)
    follows = owns or receives
    waiting = reports.open().order_by("institution__code") if follows and counts.total else []
    return TaskReportList(request, reports, task).response(
        "campaigns/task_detail.html",
        {
            "task": task,
            "campaign": campaign,
            "counts": counts,
            "done": bool(counts.total) and counts.accepted == counts.total,
            "owns": owns,
            "may_edit": owns and campaign.is_draft and request.post.has_perm(CHANGE),
            "may_add": owns
            and campaign.status == Campaign.Status.ISSUED
            and request.post.has_perm(CHANGE),
            "next": _next_action(task, counts) if receives else None,
            "waiting": waiting[:60],
            "regions": by_region(reports) if counts.total else [],
            "reached": reached(task, reports) if counts.total else None,
            "plan_lines": PlanLine.objects.visible_to(request.post).filter(task=task).count(),
            "crumbs": [
                ("活动", reverse("campaigns:campaign_list")),
                (campaign, campaign.get_absolute_url()),
            ],
        },
    )


def _next_action(task: Task, counts: Counts) -> dict[str, str]:
    """Say what the bureau does next about a task, with the list to do it on."""
    url = f"{reverse('campaigns:report_list')}?campaign={task.campaign_id}&task={task.pk}"
    if task.campaign.is_draft:
        return {"text": "活动还在拟稿，印发后各责任单位会收到这项任务。"}
    if not counts.total:
        return {"text": "这项任务没有责任单位报送，由牵头科室落实。"}
    if counts.submitted:
        text = f"有 {counts.submitted} 份报送等待审核。"
        return {"text": text, "url": f"{url}&status=submitted", "action": "去审核"}
    if counts.overdue:
        text = f"有 {counts.overdue} 家逾期未报，请催办。"
        return {"text": text, "url": f"{url}&when=overdue", "action": "看逾期名单"}
    if counts.accepted == counts.total:
        return {"text": "各责任单位都已完成，不需要再办理。"}
    left = clock.days_left(task.due)
    return {"text": f"还有 {counts.open + counts.returned} 家没有报送，距时限 {left} 天。"}


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def task_create(request: Request, pk: int) -> HttpResponse:
    """Add a task: to a draft, or to an issued campaign, whose institutions then get their reports at once."""
    campaign = own_campaign(request, pk, draft=False)
    if campaign.status == Campaign.Status.CLOSED:
        raise PermissionDenied("活动已结束，不能再增加任务")
    above = request.GET.get("report", "")
    if not above:
        return _task_page(request, Task(campaign=campaign))
    received = Report.objects.visible_to(request.post).select_related("task", "institution")
    report = get_object_or_404(received, pk=above if above.isdecimal() and len(above) < 10 else 0)
    try:
        task = passing_on.start(campaign, report, request.post)
    except ValidationError as refused:
        messages.error(request, refused.message)
        return redirect(report)
    return _task_page(request, task)


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def task_edit(request: Request, pk: int) -> HttpResponse:
    return _task_page(request, _own_task(request, pk))


@require_POST
@permission_required(CHANGE, raise_exception=True)
def task_delete(request: Request, pk: int) -> HttpResponse:
    task = _own_task(request, pk)
    campaign = task.campaign
    drafting.delete_task(task, by=request.post, version=posted_version(request))
    messages.success(request, f"已删除任务“{task.name}”")
    return redirect(campaign)


def _own_task(request: Request, pk: int, *, draft: bool = True) -> Task:
    task = get_object_or_404(Task.objects.visible_to(request.post), pk=pk)
    task.campaign = own_campaign(request, task.campaign_id, draft=draft)
    return task


def _task_page(request: Request, task: Task) -> HttpResponse:
    campaign = task.campaign
    form = TaskForm(request.POST or None, instance=task, post=request.post)
    if form.is_bound and form.is_valid():
        late = task.pk is None and not campaign.is_draft
        deed = issuing.add_task if late else drafting.save_task
        made = form.save(commit=False)
        with refusals_said(request):
            deed(made, by=request.post, version=posted_version(request), **form.chosen)
            messages.success(request, _said(made, late, form.chosen))
            return redirect(campaign if campaign.is_draft else made)
        return redirect(campaign)
    return render(request, "campaigns/task_form.html", frame(campaign, form=form, task=task))


def _said(task: Task, late: bool, chosen: dict[str, Any]) -> str:
    if late:
        units = len(chosen["institutions"]) + len(chosen["unit_departments"])
        return f"已增加任务“{task.name}”，{units} 家责任单位已收到"
    return f"已保存任务“{task.name}”"


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def task_extend(request: Request, pk: int) -> HttpResponse:
    """Give an issued task to more institutions."""
    task = _own_task(request, pk, draft=False)
    if request.method != "POST" and task.campaign.status != Campaign.Status.ISSUED:
        raise PermissionDenied("只有已印发、未结束的活动可以增加责任单位")
    form = MoreUnitsForm(request.POST or None, task=task, post=request.post)
    if form.is_bound and form.is_valid():
        units = form.cleaned_data["institutions"]
        with refusals_said(request):
            made = issuing.add_institutions(
                task, list(units), by=request.post, version=posted_version(request)
            )
            messages.success(request, f"已增加 {len(made)} 家责任单位")
        return redirect(task)
    context = frame(task.campaign, form=form, task=task)
    return render(request, "campaigns/task_extend.html", context)
