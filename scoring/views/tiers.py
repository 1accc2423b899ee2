"""Centre → clinics: the quarterly allocation, drawn up, changed while a draft, final."""

from functools import partial

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from institutions import clock
from institutions.http import Request, posted_version
from institutions.models import Event
from institutions.moves import moves_for_template, press, refusals_said
from institutions.rounding import half_up
from scoring import allocating
from scoring.models import Allocation, AllocationPart
from scoring.money_forms import AllocationForm, PoolForm
from scoring.money_lists import AllocationList
from scoring.views.money_form import money_form

VIEW = "scoring.view_yearresult"
CRUMBS = [("季度分配", reverse_lazy("scoring:allocation_list"))]


def _rows(request: Request):
    return Allocation.objects.visible_to(request.post).select_related(
        "institution__region", "supervisor__bureau", "author"
    )


@require_safe
@permission_required(VIEW, raise_exception=True)
def allocation_list(request: Request) -> HttpResponse:
    unit = request.post.institution
    context = {
        "may_create": unit.is_centre and allocating.may_allocate(unit, request.post),
    }
    return AllocationList(request, _rows(request)).response("scoring/allocation_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("scoring.settle_year", raise_exception=True)
def allocation_create(request: Request) -> HttpResponse:
    unit = request.post.institution
    if not unit.is_centre:
        raise PermissionDenied("季度分配由中心（卫生院）负责人办理")
    form = AllocationForm(request.POST or None, initial={"year": clock.today().year})
    if form.is_bound and form.is_valid():
        try:
            row = allocating.allocate(by=request.post, **form.cleaned_data)
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, "已按核定当量和质量算出各卫生室的份额，核对后定稿")
            return redirect(row)
    return money_form(
        request,
        form,
        "季度分配",
        "填写本季度分给村卫生室（站）的钱，按核定工作量、当量系数和质量系数分到分。",
        submit="计算",
        back=reverse("scoring:allocation_list"),
        crumbs=CRUMBS,
    )


@require_safe
@permission_required(VIEW, raise_exception=True)
def allocation_detail(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(_rows(request), pk=pk)
    parts = list(
        AllocationPart.objects.visible_to(request.post)
        .filter(allocation=row)
        .select_related("institution")
        .order_by("institution__code")
    )
    whole = request.post.reach.covers(row.institution)
    price = allocating.price(row) if whole else None
    draft = row.status == Allocation.Status.DRAFT and row.may("finalise", request.post)
    context = {
        "row": row,
        "parts": parts,
        "whole": whole,
        "total": sum((part.amount for part in parts), allocating.Decimal("0.00")),
        "difference": row.difference,
        "price": half_up(price, 4) if price is not None else None,
        "form": PoolForm(initial={"pool": row.pool, "basis": row.basis}) if draft else None,
        "moves": moves_for_template(
            row, request.post, url=lambda name: reverse(f"scoring:allocation_{name}", args=[row.pk])
        ),
        "history": Event.objects.of(row).order_by("-seq"),
        "crumbs": CRUMBS,
    }
    return render(request, "scoring/allocation_detail.html", context)


@require_POST
@permission_required("scoring.settle_year", raise_exception=True)
def allocation_change(request: Request, pk: int) -> HttpResponse:
    """Split anew, by a changed pool or by work verified since."""
    row = get_object_or_404(_rows(request), pk=pk)
    if not row.may("finalise", request.post):
        raise PermissionDenied("季度分配由本中心办理")
    form = PoolForm(request.POST)
    if not form.is_valid():
        for reasons in form.errors.values():
            messages.error(request, "；".join(reasons))
        return redirect(row)
    with refusals_said(request):
        allocating.change(
            row, by=request.post, version=posted_version(request), **form.cleaned_data
        )
        messages.success(request, "已重新计算")
    return redirect(row)


@require_POST
@permission_required("scoring.settle_year", raise_exception=True)
def allocation_finalise(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(_rows(request), pk=pk)
    press(request, row, "finalise", deed=partial(allocating.finalise, row), done="已定稿")
    return redirect(row)
