"""Inside one institution: money to its staff by work and quality. The head keeps it, each person sees his own line."""

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
from institutions.moves import moves_for_template, press
from scoring import distributing
from scoring.distribution_forms import DistributionForm, ShareForm
from scoring.models import Distribution, StaffShare
from scoring.money_forms import PoolForm
from scoring.views.money_form import money_form
from scoring.workload_lists import DistributionList

VIEW = "scoring.view_distribution"
KEEP = "scoring.distribute"
CRUMBS = [("绩效分配", reverse_lazy("scoring:distribution_list"))]


def _rows(request: Request):
    return Distribution.objects.visible_to(request.post).select_related(
        "institution__region", "supervisor__bureau", "author"
    )


@require_safe
@permission_required(VIEW, raise_exception=True)
def distribution_list(request: Request) -> HttpResponse:
    context = {"may_begin": distributing.may_begin(request.post)}
    rows = _rows(request)
    return DistributionList(request, rows).response("scoring/distribution_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(KEEP, raise_exception=True)
def distribution_create(request: Request) -> HttpResponse:
    form = DistributionForm(request.POST or None, initial={"year": clock.today().year})
    if form.is_bound and form.is_valid():
        try:
            row = distributing.begin(by=request.post, **form.cleaned_data)
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, "已按人员名册列出在岗人员，请逐人填写工作量")
            return redirect(row)
    return money_form(
        request,
        form,
        "新的绩效分配",
        "按每个人的工作量 × 当量系数 × 质量系数把总额分到人，分到分。人员取自人员名册。",
        submit="列出人员",
        back=reverse("scoring:distribution_list"),
        crumbs=CRUMBS,
    )


@require_safe
@permission_required(VIEW, raise_exception=True)
def distribution_detail(request: Request, pk: int) -> HttpResponse:
    """The head sees every line, a person his own, an office the total."""
    row = get_object_or_404(_rows(request), pk=pk)
    shares = list(
        StaffShare.objects.visible_to(request.post)
        .filter(distribution=row)
        .select_related("member", "post__institution")
        .prefetch_related("works__work_unit")
        .order_by("member__name", "pk")
    )
    keeps = row.may("confirm", request.post)
    difference = row.difference
    draft = keeps and row.status == Distribution.Status.DRAFT
    context = {
        "row": row,
        "lines": [(share, distributing.told(share)) for share in shares],
        "people": row.shares.count(),
        "keeps": keeps,
        "difference": difference,
        "given": row.pool + difference,
        "form": PoolForm(initial={"pool": row.pool, "basis": row.basis}) if draft else None,
        "moves": moves_for_template(
            row,
            request.post,
            url=lambda name: reverse(f"scoring:distribution_{name}", args=[row.pk]),
        ),
        "history": Event.objects.of(row).order_by("-seq") if keeps else [],
        "crumbs": CRUMBS,
    }
    return render(request, "scoring/distribution_detail.html", context)


@require_POST
@permission_required(KEEP, raise_exception=True)
def distribution_change(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(_rows(request), pk=pk)
    if not row.may("confirm", request.post):
        raise PermissionDenied("绩效分配由本机构负责人办理")
    form = PoolForm(request.POST)
    if form.is_valid():
        distributing.change(
            row, by=request.post, version=posted_version(request), **form.cleaned_data
        )
        messages.success(request, "已重新分配")
    else:
        for reasons in form.errors.values():
            messages.error(request, "；".join(reasons))
    return redirect(row)


@require_POST
@permission_required(KEEP, raise_exception=True)
def distribution_take_in(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(_rows(request), pk=pk)
    if not row.may("confirm", request.post):
        raise PermissionDenied("绩效分配由本机构负责人办理")
    count = distributing.take_in(row, by=request.post, version=posted_version(request))
    messages.success(request, f"已加入 {count} 人")
    return redirect(row)


def _press(request: Request, pk: int, name: str, done: str, deed=None) -> HttpResponse:
    row = get_object_or_404(_rows(request), pk=pk)
    form = press(request, row, name, deed=partial(deed, row) if deed else None, done=done)
    if form is not None:
        for reasons in form.errors.values():
            messages.error(request, "；".join(reasons))
    return redirect(row)


@require_POST
@permission_required(KEEP, raise_exception=True)
def distribution_confirm(request: Request, pk: int) -> HttpResponse:
    done = "已确认，有账号的人员可以看到自己的一行"
    return _press(request, pk, "confirm", done, distributing.confirm)


@require_POST
@permission_required(KEEP, raise_exception=True)
def distribution_reopen(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "reopen", "已退回草案")


@require_POST
@permission_required(KEEP, raise_exception=True)
def distribution_freeze(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "freeze", "已冻结")


def _share(request: Request, pk: int) -> StaffShare:
    rows = StaffShare.objects.visible_to(request.post).select_related(
        "member", "distribution__institution__region", "distribution__supervisor__bureau"
    )
    share = get_object_or_404(rows, pk=pk)
    if not share.distribution.may("confirm", request.post):
        raise PermissionDenied("绩效分配由本机构负责人办理")
    return share


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(KEEP, raise_exception=True)
def share_edit(request: Request, pk: int) -> HttpResponse:
    """One person's quality factor and work."""
    share = _share(request, pk)
    row = share.distribution
    if row.status != Distribution.Status.DRAFT:
        messages.error(request, "已确认的分配不能再改，请先退回草案")
        return redirect(row)
    form = ShareForm(request.POST or None, share=share, units=distributing.services(row))
    if form.is_bound and form.is_valid():
        try:
            distributing.save_share(
                share,
                by=request.post,
                version=posted_version(request),
                post=form.cleaned_data["post"],
                quality=form.cleaned_data["quality"],
                numbers=form.numbers,
            )
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, f"已保存{share.member}的工作量")
            return redirect(row)
    context = {
        "form": form,
        "share": share,
        "row": row,
        "crumbs": [*CRUMBS, (str(row), row.get_absolute_url())],
    }
    return render(request, "scoring/share_form.html", context, status=422 if form.is_bound else 200)


@require_POST
@permission_required(KEEP, raise_exception=True)
def share_drop(request: Request, pk: int) -> HttpResponse:
    share = _share(request, pk)
    row = share.distribution
    distributing.drop(share, by=request.post, version=posted_version(request))
    messages.success(request, "已移出这次分配")
    return redirect(row)
