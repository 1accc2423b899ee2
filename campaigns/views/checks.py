"""Checks from above: the calendar, one check with its list of preparations, and what became of each."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns import preparing
from campaigns.check_forms import CheckForm, FinishForm, PreparationForm, ResultForm
from campaigns.check_lists import (
    CheckList,
    CheckPreparationList,
    PreparationList,
    left_tag,
    preparation_tag,
    score_text,
    with_preparations,
)
from campaigns.models import Preparation, SuperiorCheck
from institutions import clock, files
from institutions.http import Request, posted_version
from institutions.models import Event

VIEW = "campaigns.view_check"
GET_POST = ["GET", "HEAD", "POST"]


def _crumb() -> tuple[str, str]:
    return "上级检查", reverse("campaigns:check_list")


@require_safe
@permission_required(VIEW, raise_exception=True)
def check_list(request: Request) -> HttpResponse:
    rows = with_preparations(SuperiorCheck.objects.visible_to(request.post), request.post)
    return CheckList(request, rows.select_related("bureau")).response(
        "campaigns/check_list.html", {"year": clock.today().year}
    )


@require_safe
@permission_required(VIEW, raise_exception=True)
def check_calendar(request: Request) -> HttpResponse:
    """The twelve months of a year with what is expected in each."""
    text = request.GET.get("year", "")
    year = int(text) if text.isascii() and text.isdigit() and len(text) == 4 else clock.today().year
    rows = SuperiorCheck.objects.visible_to(request.post).filter(day__year=year)
    months: dict[int, list[Any]] = {number: [] for number in range(1, 13)}
    for row in with_preparations(rows, request.post).order_by("day", "pk"):
        months[row.day.month].append((row, left_tag(row)))
    today = clock.today()
    context = {
        "year": year,
        "months": months,
        "current": today.month if today.year == year else 0,
        "crumbs": [_crumb()],
    }
    return render(request, "campaigns/check_calendar.html", context)


def _check(request: Request, pk: int) -> SuperiorCheck:
    rows = SuperiorCheck.objects.visible_to(request.post).select_related("bureau")
    return get_object_or_404(rows, pk=pk)


def _own_check(request: Request, pk: int) -> SuperiorCheck:
    check = _check(request, pk)
    if not request.post.acts_for(check.bureau_id):
        raise PermissionDenied("由登记检查的行政部门办理")
    return check


@require_safe
@permission_required(VIEW, raise_exception=True)
def check_detail(request: Request, pk: int) -> HttpResponse:
    check = _check(request, pk)
    lines = Preparation.objects.visible_to(request.post).filter(superior_check=check)
    listing = CheckPreparationList(request, lines.select_related("institution", "department"))
    every = list(lines.values_list("done_on", "due"))
    ready = sum(done is not None for done, _ in every)
    late = sum(done is None and due < clock.today() for done, due in every)
    owns = request.post.acts_for(check.bureau_id) and request.post.has_perm(preparing.CHANGE)
    mine = lines.of(request.post).to_do() if request.post.has_perm(preparing.PREPARE) else ()
    return listing.response(
        "campaigns/check_detail.html",
        {
            "check": check,
            "tag": left_tag(check),
            "score": score_text(check),
            "items": check.items.all(),
            "units": check.institutions.all(),
            "total": len(every),
            "ready": ready,
            "late": late,
            "mine": list(mine),
            "may_edit": owns,
            "history": Event.objects.of(check) if owns else None,
            "crumbs": [_crumb()],
        },
    )


@require_http_methods(GET_POST)
@permission_required(preparing.CHANGE, raise_exception=True)
def check_create(request: Request) -> HttpResponse:
    return _edit(request, SuperiorCheck(bureau=request.post.institution))


@require_http_methods(GET_POST)
@permission_required(preparing.CHANGE, raise_exception=True)
def check_edit(request: Request, pk: int) -> HttpResponse:
    return _edit(request, _own_check(request, pk))


def _edit(request: Request, check: SuperiorCheck) -> HttpResponse:
    new = check.pk is None
    form = CheckForm(request.POST or None, instance=check, post=request.post)
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        preparing.save_check(
            form.save(commit=False),
            by=request.post,
            version=0 if new else posted_version(request),
            items=given["items"],
            institutions=given["institutions"],
            like=given.get("like"),
        )
        messages.success(request, "已登记，请列出要准备什么" if new else "已保存")
        return redirect(check)
    back = _crumb()[1] if new else check.get_absolute_url()
    context = {"form": form, "check": check, "cancel_url": back, "crumbs": [_crumb()]}
    return render(request, "campaigns/check_form.html", context)


@require_http_methods(GET_POST)
@permission_required(preparing.CHANGE, raise_exception=True)
def check_result(request: Request, pk: int) -> HttpResponse:
    """What the check found, once it is over."""
    check = _own_check(request, pk)
    form = ResultForm(request.POST or None, instance=check)
    if form.is_bound and form.is_valid():
        version = posted_version(request)
        preparing.record_result(check, by=request.post, version=version, **form.cleaned_data)
        messages.success(request, "已登记检查结果")
        return redirect(check)
    crumbs = [_crumb(), (check.name, check.get_absolute_url())]
    context = {"form": form, "check": check, "crumbs": crumbs}
    return render(request, "campaigns/check_result.html", context)


# --- What is to be prepared ------------------------------------------------------------------------


@require_safe
@permission_required(VIEW, raise_exception=True)
def preparation_list(request: Request) -> HttpResponse:
    rows = Preparation.objects.visible_to(request.post).select_related(
        "superior_check", "institution", "department"
    )
    return PreparationList(request, rows).response(
        "campaigns/preparation_list.html", {"crumbs": [_crumb()]}
    )


def _line(request: Request, pk: int) -> Preparation:
    rows = Preparation.objects.visible_to(request.post).select_related(
        "superior_check__bureau", "institution", "department", "done_by"
    )
    return get_object_or_404(rows, pk=pk)


@require_safe
@permission_required(VIEW, raise_exception=True)
def preparation_detail(request: Request, pk: int) -> HttpResponse:
    return _page(request, _line(request, pk))


def _page(request: Request, line: Preparation, form: FinishForm | None = None) -> HttpResponse:
    post, check = request.post, line.superior_check
    answers = post.acts_for(line.institution_id) and post.has_perm(preparing.PREPARE)
    if form is None and answers and line.done_on is None:
        form = FinishForm(post=post, initial={"on": clock.today()})
    context = {
        "line": line,
        "check": check,
        "tag": preparation_tag(line),
        "form": form,
        "may_resume": answers and line.done_on is not None,
        "may_edit": post.acts_for(check.bureau_id) and post.has_perm(preparing.CHANGE),
        "files": [
            {
                "name": file.name,
                "size": file.size,
                "url": reverse("campaigns:preparation_file", args=[line.pk, file.key]),
            }
            for file in line.files.all()
        ],
        "history": Event.objects.of(line),
        "crumbs": [_crumb(), (check.name, check.get_absolute_url())],
    }
    return render(request, "campaigns/preparation_detail.html", context)


@require_http_methods(GET_POST)
@permission_required(preparing.CHANGE, raise_exception=True)
def preparation_create(request: Request, pk: int) -> HttpResponse:
    check = _own_check(request, pk)
    return _edit_line(request, Preparation(superior_check=check))


@require_http_methods(GET_POST)
@permission_required(preparing.CHANGE, raise_exception=True)
def preparation_edit(request: Request, pk: int) -> HttpResponse:
    line = _line(request, pk)
    if not request.post.acts_for(line.superior_check.bureau_id):
        raise PermissionDenied("由登记检查的行政部门办理")
    return _edit_line(request, line)


def _edit_line(request: Request, line: Preparation) -> HttpResponse:
    new, check = line.pk is None, line.superior_check
    form = PreparationForm(
        request.POST or None,
        instance=line,
        post=request.post,
        initial={"due": check.day} if new else None,
    )
    if form.is_bound and form.is_valid():
        version = 0 if new else posted_version(request)
        preparing.save_line(form.save(commit=False), by=request.post, version=version)
        messages.success(request, f"已保存“{line.text}”")
        if "more" in request.POST:
            return redirect("campaigns:preparation_create", check.pk)
        return redirect(check)
    crumbs = [_crumb(), (check.name, check.get_absolute_url())]
    context = {"form": form, "line": line, "check": check, "crumbs": crumbs}
    return render(request, "campaigns/preparation_form.html", context)


@require_POST
@permission_required(preparing.CHANGE, raise_exception=True)
def preparation_remove(request: Request, pk: int) -> HttpResponse:
    line = _line(request, pk)
    check = line.superior_check
    preparing.remove_line(line, by=request.post, version=posted_version(request))
    messages.success(request, "已删除")
    return redirect(check)


@require_POST
@permission_required(preparing.PREPARE, raise_exception=True)
def preparation_finish(request: Request, pk: int) -> HttpResponse:
    line = _line(request, pk)
    if not request.post.acts_for(line.institution_id):
        raise PermissionDenied("由责任单位办理")
    form = FinishForm(request.POST, request.FILES, post=request.post)
    if not form.is_valid():
        return _page(request, line, form)
    preparing.finish(
        line,
        by=request.post,
        version=posted_version(request),
        on=form.cleaned_data["on"],
        note=form.cleaned_data["note"],
        files=form.stored,
    )
    messages.success(request, "已登记完成")
    return redirect(line.superior_check)


@require_POST
@permission_required(preparing.PREPARE, raise_exception=True)
def preparation_resume(request: Request, pk: int) -> HttpResponse:
    line = _line(request, pk)
    preparing.resume(line, by=request.post, version=posted_version(request))
    messages.success(request, "已撤回，办好后请再登记完成")
    return redirect(line)


@require_safe
@permission_required(VIEW, raise_exception=True)
def preparation_file(request: Request, pk: int, key: str) -> HttpResponse:
    return files.serve(_line(request, pk).files, key)
