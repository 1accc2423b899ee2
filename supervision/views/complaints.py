"""Complaints (12345): registered, handed to the institution, answered, closed; and what they add up to."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from institutions import clock, files
from institutions.http import Request, posted_version
from institutions.models import Event
from institutions.moves import AskForm, moves_for_template, press
from institutions.workdays import WorkCalendar
from institutions.workflow import StaleState
from supervision.complaining import ADD, register
from supervision.complaint_forms import CloseForm, ComplaintForm, ReplyForm
from supervision.complaint_lists import (
    ComplaintList,
    ComplaintStatistics,
    complaint_tag,
    complaint_time_tag,
    counted,
    rates,
    satisfied_tag,
    totals,
)
from supervision.models import Complaint

VIEW = "supervision.view_complaint"
WORKDAYS = 5  # usual time for an answer to the hotline


def _crumb() -> tuple[str, str]:
    return "投诉办理", reverse("supervision:complaint_list")


@require_safe
@permission_required(VIEW, raise_exception=True)
def complaint_list(request: Request) -> HttpResponse:
    rows = Complaint.objects.visible_to(request.post).select_related("institution", "item")
    return ComplaintList(request, rows).response("supervision/complaint_list.html")


@require_safe
@permission_required(VIEW, raise_exception=True)
def complaint_statistics(request: Request) -> HttpResponse:
    """One year by institution and month, with the rates on time and of satisfaction."""
    text = request.GET.get("year", "")
    year = int(text) if text.isascii() and text.isdigit() and len(text) == 4 else clock.today().year
    sums = totals(counted(request.post, year))
    timely, content = rates(sums)
    listed = f"{_crumb()[1]}?since={year}-01-01&until={year}-12-31"
    kpis = [
        {"label": "收到", "value": sums["total"], "unit": "件", "url": listed},
        {"label": "办结", "value": sums["settled"], "unit": "件", "url": f"{listed}&status=closed"},
        {
            "label": "按时答复率",
            "value": timely,
            "url": f"{listed}&when=late",
            "note": "点开看逾期的",
        },
        {
            "label": "满意率",
            "value": content,
            "url": f"{listed}&satisfied=no",
            "note": "点开看不满意的",
        },
    ]
    return ComplaintStatistics(request, year).response(
        "supervision/complaint_statistics.html",
        {"year": year, "kpis": kpis, "crumbs": [_crumb()]},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(ADD, raise_exception=True)
def complaint_create(request: Request) -> HttpResponse:
    today = clock.today()
    due = WorkCalendar().add_workdays(today, WORKDAYS)
    form = ComplaintForm(
        request.POST or None,
        request.FILES or None,
        post=request.post,
        initial={"received_on": today, "due": due},
    )
    if form.is_bound and form.is_valid():
        row = register(form.save(commit=False), by=request.post, files=form.stored)
        messages.success(request, "已登记，机构会收到通知")
        return redirect(row)
    context = {"form": form, "crumbs": [_crumb()], "cancel_url": _crumb()[1]}
    return render(request, "supervision/complaint_form.html", context)


def _complaint(request: Request, pk: int) -> Complaint:
    rows = Complaint.objects.visible_to(request.post).select_related(
        "institution__region", "supervisor", "author", "item"
    )
    return get_object_or_404(rows, pk=pk)


@require_safe
@permission_required(VIEW, raise_exception=True)
def complaint_detail(request: Request, pk: int) -> HttpResponse:
    return _page(request, _complaint(request, pk))


def _page(
    request: Request,
    row: Complaint,
    *,
    form: Form | None = None,
    pressed: AskForm | None = None,
) -> HttpResponse:
    post = request.post
    moves = moves_for_template(row, post, url=lambda name: _url(row, name), pressed=pressed)
    own = {move.name: move for move in moves if move.name in ("reply", "close")}
    if form is None and "reply" in own:
        form = ReplyForm(post=post, initial={"answer": row.answer, "handler": row.handler})
    elif form is None and "close" in own:
        form = CloseForm()
    context = {
        "row": row,
        "tag": complaint_tag(row),
        "time": complaint_time_tag(row),
        "satisfied": satisfied_tag(row),
        "form": form,
        "asked": next(iter(own.values()), None),
        "moves": [move for move in moves if move.name not in own],
        "files": [
            {
                "name": file.name,
                "size": file.size,
                "url": reverse("supervision:complaint_file", args=[row.pk, file.key]),
            }
            for file in row.files.all()
        ],
        "history": Event.objects.of(row),
        "crumbs": [_crumb()],
    }
    return render(request, "supervision/complaint_detail.html", context)


def _url(row: Complaint, name: str) -> str:
    return reverse(f"supervision:complaint_{name}", args=[row.pk])


@require_POST
@permission_required("supervision.answer_complaint", raise_exception=True)
def complaint_reply(request: Request, pk: int) -> HttpResponse:
    form = ReplyForm(request.POST, request.FILES, post=request.post)
    return _given(request, pk, "reply", form, "已提交答复，等待审核")


@require_POST
@permission_required("supervision.close_complaint", raise_exception=True)
def complaint_close(request: Request, pk: int) -> HttpResponse:
    return _given(request, pk, "close", CloseForm(request.POST), "已办结")


def _given(request: Request, pk: int, name: str, form: Any, done: str) -> HttpResponse:
    """Make a move that has a form of its own."""
    row = _complaint(request, pk)
    if not row.may(name, request.post):
        raise PermissionDenied(f"{row.MOVES[name].label}不由本岗位办理")
    version = posted_version(request)
    if row.status not in row.MOVES[name].sources or row.version != version:
        raise StaleState(row, version)
    if not form.is_valid():
        return _page(request, row, form=form)
    answers = dict(form.cleaned_data)
    if "files" in answers:
        answers["files"] = form.stored
    getattr(row, name)(by=request.post, version=version, **answers)
    messages.success(request, done)
    return redirect(row)


@require_POST
@permission_required("supervision.close_complaint", raise_exception=True)
def complaint_send_back(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "send_back", "已退回重办，机构会收到通知")


@require_POST
@permission_required("supervision.close_complaint", raise_exception=True)
def complaint_withdraw(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "withdraw", "已作废")


def _press(request: Request, pk: int, name: str, done: str) -> HttpResponse:
    row = _complaint(request, pk)
    form = press(request, row, name, done=done)
    if form is not None:
        return _page(request, row, pressed=form)
    return redirect(row)


@require_safe
@permission_required(VIEW, raise_exception=True)
def complaint_file(request: Request, pk: int, key: str) -> HttpResponse:
    return files.serve(_complaint(request, pk).files, key)
