"""Gap lists with their three-year plan, and secondments."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns import gapping, seconding
from campaigns.gap_forms import GapForm, SecondmentForm
from campaigns.gap_lists import GapList, SecondmentList, gap_tag, secondment_tag
from campaigns.models import Gap, Secondment
from campaigns.models.gap import YEARS
from institutions import clock, files
from institutions.http import Request, posted_version
from institutions.models import Event, Institution
from institutions.moves import AskForm, moves_for_template, press

VIEW = "campaigns.view_plan"
WRITE = "campaigns.write_plan"
REVIEW = "campaigns.review_plan"
GET_POST = ["GET", "HEAD", "POST"]


def _gap_crumb() -> tuple[str, str]:
    return "补短板清单", reverse("campaigns:gap_list")


def _plan(request: Request) -> int:
    """Return the first year of the plan asked for; else the latest in sight."""
    text = request.GET.get("plan", "")
    if text.isascii() and text.isdigit() and len(text) == 4:
        return int(text)
    years = gapping.plans_in_sight(request.post)
    return years[0] if years else clock.today().year


@require_safe
@permission_required(VIEW, raise_exception=True)
def gap_list(request: Request) -> HttpResponse:
    """One plan: by aspect and year, who has entered nothing, and every line."""
    first = _plan(request)
    rows = Gap.objects.visible_to(request.post).filter(first_year=first)
    return GapList(request, rows.select_related("institution")).response(
        "campaigns/gap_list.html",
        {
            "progress": gapping.progress(request.post, first),
            "last": first + YEARS - 1,
            "may_write": request.post.has_perm(WRITE) and not request.post.institution.is_bureau,
            "crumbs": [],
        },
    )


@require_safe
@permission_required(VIEW, raise_exception=True)
def gap_plan(request: Request, pk: int) -> HttpResponse:
    """The gap list of one institution as a paper to print."""
    rows = Institution.objects.visible_to(request.post).select_related("bureau")
    unit = get_object_or_404(rows, pk=pk)
    gaps = Gap.objects.visible_to(request.post).filter(institution=unit)
    last = gaps.order_by("-first_year").values_list("first_year", flat=True).first()
    given = request.GET.get("plan", "")
    first = _plan(request) if given else last or clock.today().year
    chosen = gaps.filter(first_year=first).order_by("year", "pk")
    groups: dict[str, list[Gap]] = {label: [] for _, label in Gap.Aspect.choices}
    for gap in chosen:
        groups[gap.get_aspect_display()].append(gap)
    context = {
        "unit": unit,
        "first": first,
        "last": first + YEARS - 1,
        "groups": [(name, found) for name, found in groups.items() if found],
        "none": [name for name, found in groups.items() if not found],
        "crumbs": [_gap_crumb()],
    }
    return render(request, "campaigns/gap_plan.html", context)


@require_http_methods(GET_POST)
@permission_required(WRITE, raise_exception=True)
def gap_create(request: Request) -> HttpResponse:
    if request.post.institution.is_bureau:
        raise PermissionDenied("短板由各机构自己查找登记")
    first = _plan(request)
    year = clock.today().year
    if not first <= year < first + YEARS:
        first = year
    form = GapForm(
        request.POST or None,
        request.FILES or None,
        instance=Gap(),
        post=request.post,
        initial={"first_year": first, "year": year},
    )
    if form.is_bound and form.is_valid():
        gap = gapping.enter(form.save(commit=False), by=request.post, files=form.stored)
        messages.success(request, "已登记，补齐后上传材料，点“已补齐，请确认”")
        return redirect(gap)
    context = {"form": form, "gap": None, "crumbs": [_gap_crumb()], "cancel_url": _gap_crumb()[1]}
    return render(request, "campaigns/gap_form.html", context)


def _gap(request: Request, pk: int) -> Gap:
    rows = Gap.objects.visible_to(request.post).select_related(
        "institution__region", "supervisor", "author"
    )
    return get_object_or_404(rows, pk=pk)


def _own_gap(request: Request, pk: int) -> Gap:
    gap = _gap(request, pk)
    if not request.post.acts_for(gap.institution_id):
        raise PermissionDenied("由本机构办理")
    return gap


@require_http_methods(GET_POST)
@permission_required(WRITE, raise_exception=True)
def gap_edit(request: Request, pk: int) -> HttpResponse:
    gap = _own_gap(request, pk)
    if gap.status not in Gap.EDITABLE:
        raise PermissionDenied("已经报请确认，退回后才能修改")
    form = GapForm(request.POST or None, request.FILES or None, instance=gap, post=request.post)
    if form.is_bound and form.is_valid():
        gapping.change(
            form.save(commit=False),
            by=request.post,
            version=posted_version(request),
            files=form.stored,
        )
        messages.success(request, "已保存")
        return redirect(gap)
    url = gap.get_absolute_url()
    context = {
        "form": form,
        "gap": gap,
        "crumbs": [_gap_crumb(), (gap.text, url)],
        "cancel_url": url,
    }
    return render(request, "campaigns/gap_form.html", context)


@require_safe
@permission_required(VIEW, raise_exception=True)
def gap_detail(request: Request, pk: int) -> HttpResponse:
    return _gap_page(request, _gap(request, pk))


def _gap_page(request: Request, gap: Gap, *, pressed: AskForm | None = None) -> HttpResponse:
    post = request.post
    writes = post.acts_for(gap.institution_id) and post.has_perm(WRITE)
    context = {
        "gap": gap,
        "tag": gap_tag(gap),
        "moves": moves_for_template(
            gap,
            post,
            url=lambda name: reverse(f"campaigns:gap_{name}", args=[gap.pk]),
            pressed=pressed,
        ),
        "may_edit": writes and gap.status in Gap.EDITABLE,
        "files": [
            {
                "name": file.name,
                "size": file.size,
                "key": file.key,
                "url": reverse("campaigns:gap_file", args=[gap.pk, file.key]),
            }
            for file in gap.files.all()
        ],
        "history": Event.objects.of(gap),
        "crumbs": [_gap_crumb()],
    }
    return render(request, "campaigns/gap_detail.html", context)


@require_POST
@permission_required(WRITE, raise_exception=True)
def gap_finish(request: Request, pk: int) -> HttpResponse:
    return _press_gap(request, pk, "finish", "已报请主管部门确认")


@require_POST
@permission_required(REVIEW, raise_exception=True)
def gap_confirm(request: Request, pk: int) -> HttpResponse:
    return _press_gap(request, pk, "confirm", "已确认补齐")


@require_POST
@permission_required(REVIEW, raise_exception=True)
def gap_send_back(request: Request, pk: int) -> HttpResponse:
    return _press_gap(request, pk, "send_back", "已退回，机构会收到通知")


def _press_gap(request: Request, pk: int, name: str, done: str) -> HttpResponse:
    gap = _gap(request, pk)
    form = press(request, gap, name, done=done)
    return redirect(gap) if form is None else _gap_page(request, gap, pressed=form)


@require_safe
@permission_required(VIEW, raise_exception=True)
def gap_file(request: Request, pk: int, key: str) -> HttpResponse:
    return files.serve(_gap(request, pk).files, key)


@require_POST
@permission_required(WRITE, raise_exception=True)
def gap_file_remove(request: Request, pk: int, key: str) -> HttpResponse:
    gap = _own_gap(request, pk)
    file = get_object_or_404(gap.files.all(), key=key)
    gapping.remove_file(gap, file, by=request.post, version=posted_version(request))
    messages.success(request, f"已删除“{file.name}”")
    return redirect(gap)


# --- Secondments ------------------------------------------------------------------------------------


def _secondment_crumb() -> tuple[str, str]:
    return "进修选派", reverse("campaigns:secondment_list")


@require_safe
@permission_required(VIEW, raise_exception=True)
def secondment_list(request: Request) -> HttpResponse:
    rows = Secondment.objects.visible_to(request.post).select_related("institution", "member")
    may_apply = request.post.has_perm(WRITE) and not request.post.institution.is_bureau
    return SecondmentList(request, rows).response(
        "campaigns/secondment_list.html", {"may_apply": may_apply, "crumbs": []}
    )


@require_http_methods(GET_POST)
@permission_required(WRITE, raise_exception=True)
def secondment_create(request: Request) -> HttpResponse:
    if request.post.institution.is_bureau:
        raise PermissionDenied("由选派人员的机构申请")
    form = SecondmentForm(request.POST or None, instance=Secondment(), post=request.post)
    if form.is_bound and form.is_valid():
        row = seconding.apply(form.save(commit=False), by=request.post)
        messages.success(request, "已申请，等待主管部门审批")
        return redirect(row)
    return _secondment_form(request, form, [_secondment_crumb()])


def _secondment_form(request: Request, form: SecondmentForm, crumbs: list[Any]) -> HttpResponse:
    context = {
        "form": form,
        "row": form.instance,
        "crumbs": crumbs,
        "cancel_url": crumbs[-1][1],
    }
    return render(request, "campaigns/secondment_form.html", context)


def _secondment(request: Request, pk: int) -> Secondment:
    rows = Secondment.objects.visible_to(request.post).select_related(
        "institution__region", "supervisor", "author", "member"
    )
    return get_object_or_404(rows, pk=pk)


@require_http_methods(GET_POST)
@permission_required(WRITE, raise_exception=True)
def secondment_edit(request: Request, pk: int) -> HttpResponse:
    row = _secondment(request, pk)
    if not request.post.acts_for(row.institution_id) or row.status not in Secondment.EDITABLE:
        raise PermissionDenied("由申请机构在批准前修改")
    form = SecondmentForm(request.POST or None, instance=row, post=request.post)
    if form.is_bound and form.is_valid():
        seconding.change(form.save(commit=False), by=request.post, version=posted_version(request))
        messages.success(request, "已保存，等待审批")
        return redirect(row)
    return _secondment_form(
        request, form, [_secondment_crumb(), (str(row), row.get_absolute_url())]
    )


@require_safe
@permission_required(VIEW, raise_exception=True)
def secondment_detail(request: Request, pk: int) -> HttpResponse:
    return _secondment_page(request, _secondment(request, pk))


def _secondment_page(
    request: Request, row: Secondment, *, pressed: AskForm | None = None
) -> HttpResponse:
    post = request.post
    context = {
        "row": row,
        "tag": secondment_tag(row),
        "moves": moves_for_template(
            row,
            post,
            url=lambda name: reverse(f"campaigns:secondment_{name}", args=[row.pk]),
            pressed=pressed,
        ),
        "asks": post.acts_for(row.supervisor_id) and post.has_perm(REVIEW),
        "may_edit": post.acts_for(row.institution_id)
        and post.has_perm(WRITE)
        and row.status in Secondment.EDITABLE,
        "over": row.status == Secondment.Status.APPROVED and row.ends < clock.today(),
        "history": Event.objects.of(row),
        "crumbs": [_secondment_crumb()],
    }
    return render(request, "campaigns/secondment_detail.html", context)


@require_POST
@permission_required(REVIEW, raise_exception=True)
def secondment_approve(request: Request, pk: int) -> HttpResponse:
    return _press_secondment(request, pk, "approve", "已批准，申请机构会收到通知")


@require_POST
@permission_required(REVIEW, raise_exception=True)
def secondment_send_back(request: Request, pk: int) -> HttpResponse:
    return _press_secondment(request, pk, "send_back", "已退回，申请机构会收到通知")


@require_POST
@permission_required(WRITE, raise_exception=True)
def secondment_reapply(request: Request, pk: int) -> HttpResponse:
    return _press_secondment(request, pk, "reapply", "已再次申请，等待审批")


@require_POST
@permission_required(WRITE, raise_exception=True)
def secondment_withdraw(request: Request, pk: int) -> HttpResponse:
    return _press_secondment(request, pk, "withdraw", "已撤回申请")


@require_POST
@permission_required(WRITE, raise_exception=True)
def secondment_finish(request: Request, pk: int) -> HttpResponse:
    return _press_secondment(request, pk, "finish", "已登记学习成效")


def _press_secondment(request: Request, pk: int, name: str, done: str) -> HttpResponse:
    row = _secondment(request, pk)
    form = press(request, row, name, done=done)
    return redirect(row) if form is None else _secondment_page(request, row, pressed=form)
