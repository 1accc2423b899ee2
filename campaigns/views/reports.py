"""Reports: what an institution owes for a task, from writing to acceptance."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from campaigns import passing_on, reporting
from campaigns.lists import ReportList, report_tag, time_tag
from campaigns.models import Campaign, Report
from campaigns.report_forms import ReportForm
from institutions import files
from institutions.http import Request, posted_version
from institutions.models import Event, Post
from institutions.moves import AskForm, moves_for_template, press, refusals_said
from institutions.workflow import Side

WRITE = "campaigns.write_report"
REVIEW = "campaigns.review_report"


def _report(request: Request, pk: int) -> Report:
    rows = Report.objects.visible_to(request.post).select_related(
        "institution__region",
        "department",
        "supervisor",
        "author",
        "task__campaign",
        "task__phase",
        "task__item",
    )
    return get_object_or_404(rows, pk=pk)


@require_safe
@permission_required("campaigns.view_report", raise_exception=True)
def report_list(request: Request) -> HttpResponse:
    rows = Report.objects.visible_to(request.post).select_related(
        "institution", "department", "supervisor", "task__campaign", "task__phase"
    )
    return ReportList(request, rows).response("campaigns/report_list.html")


@require_safe
@permission_required("campaigns.view_report", raise_exception=True)
def report_detail(request: Request, pk: int) -> HttpResponse:
    return _page(request, _report(request, pk))


def _page(
    request: Request,
    report: Report,
    *,
    form: ReportForm | None = None,
    pressed: AskForm | None = None,
) -> HttpResponse:
    post = request.post
    writes = (
        report.status in Report.EDITABLE
        and post.has_perm(WRITE)
        and report.stands_on(Side.ANSWERS, post)
    )
    if writes and form is None:
        form = ReportForm(instance=report, post=post)
    moves = moves_for_template(report, post, url=lambda name: _url(report, name), pressed=pressed)
    task = report.task
    context = {
        "report": report,
        "task": task,
        "campaign": task.campaign,
        "tag": report_tag(report),
        "time": time_tag(report),
        "form": form if writes else None,
        # Handing in goes with the form, so that what was typed goes along.
        "moves": [move for move in moves if move.name != "submit"],
        "files": [
            {"name": f.name, "size": f.size, "key": f.key, "url": _file_url(report, f)}
            for f in report.files.all()
        ],
        "history": Event.objects.of(report),
        "is_open": report.status in Report.OPEN,
        "asks": report.stands_on(Side.ASKS, post) and post.has_perm(REVIEW),
        "below": _below(report, post) if report.institution.is_bureau else None,
        "crumbs": [
            ("任务报送", reverse("campaigns:report_list")),
            (task, task.get_absolute_url()),
        ],
    }
    return render(request, "campaigns/report_detail.html", context)


def _below(report: Report, post: Post) -> dict[str, Any] | None:
    """What became of a task that a bureau received: the reports of its own units, their sum, how to issue it on."""
    if report.department_id is not None:
        return None
    rows = passing_on.reports_below(report, post)
    owns = post.acts_for(report.institution_id) and report.status in Report.OPEN
    issues = owns and post.has_perm("campaigns.change_task")
    campaigns = Campaign.objects.visible_to(post).filter(institution=report.institution)
    return {
        "rows": rows,
        "sum": passing_on.summed(report, rows),
        "levels": passing_on.level_lines(rows),
        "may_take_over": owns and bool(rows) and post.has_perm(WRITE),
        "may_issue": issues,
        "campaigns": campaigns.exclude(status=Campaign.Status.CLOSED) if issues else [],
    }


@require_POST
@permission_required(WRITE, raise_exception=True)
def report_take_over(request: Request, pk: int) -> HttpResponse:
    """Write the sum of the units' accepted reports into the bureau's own report."""
    report = _report(request, pk)
    with refusals_said(request):
        total = passing_on.take_over(report, by=request.post, version=posted_version(request))
        messages.success(request, f"已采用 {total.accepted} 家的合计，请核对后报送")
    return redirect(report)


def _url(report: Report, name: str) -> str:
    return reverse(f"campaigns:report_{name}", args=[report.pk])


def _file_url(report: Report, file: Any) -> str:
    return reverse("campaigns:report_file", args=[report.pk, file.key])


@require_POST
@permission_required(WRITE, raise_exception=True)
def report_save(request: Request, pk: int) -> HttpResponse:
    """Keep what was written; with `then=submit` hand it in as well."""
    report = _report(request, pk)
    if not report.stands_on(Side.ANSWERS, request.post):
        raise PermissionDenied("由报送单位填写")
    form = ReportForm(request.POST, request.FILES, instance=report, post=request.post)
    if not form.is_valid():
        return _page(request, report, form=form)
    # The form has written on its instance; what is kept goes by the deed, on the row as stored.
    report = _report(request, pk)
    reporting.save(
        report, by=request.post, version=posted_version(request), files=form.stored, **form.told
    )
    if request.POST.get("then") != "submit":
        messages.success(request, "已保存，还没有报送")
        return redirect(report)
    with refusals_said(request, "已保存，但还不能报送："):
        report.submit(by=request.post, version=report.version)
        messages.success(request, "已报送，等待审核")
    return redirect(report)


@require_POST
@permission_required(WRITE, raise_exception=True)
def report_submit(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "submit", "已报送，等待审核")


@require_POST
@permission_required(WRITE, raise_exception=True)
def report_recall(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "recall", "已撤回，改好后请再次报送")


@require_POST
@permission_required(REVIEW, raise_exception=True)
def report_accept(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "accept", "已采纳")


@require_POST
@permission_required(REVIEW, raise_exception=True)
def report_send_back(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "send_back", "已退回，报送单位会收到通知")


def _press(request: Request, pk: int, name: str, done: str) -> HttpResponse:
    report = _report(request, pk)
    form = press(request, report, name, done=done)
    if form is not None:
        return _page(request, report, pressed=form)
    return redirect(report)


@require_safe
@permission_required("campaigns.view_report", raise_exception=True)
def report_file(request: Request, pk: int, key: str) -> HttpResponse:
    return files.serve(_report(request, pk).files, key)


@require_POST
@permission_required(WRITE, raise_exception=True)
def report_file_remove(request: Request, pk: int, key: str) -> HttpResponse:
    report = _report(request, pk)
    file = get_object_or_404(report.files.all(), key=key)
    reporting.remove_file(report, file, by=request.post, version=posted_version(request))
    messages.success(request, f"已删除“{file.name}”")
    return redirect(report)
