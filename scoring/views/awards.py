"""Awards in money: the year's rates, proposals by them, what was decided and paid."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_http_methods, require_safe

from institutions import clock
from institutions.http import Request
from institutions.models import Event
from scoring import awarding
from scoring.models import AwardRate, Payment
from scoring.money_forms import AwardForm, PaymentForm, RateForm
from scoring.money_lists import AwardList
from scoring.views.money_form import money_form
from supervision.models import Sanction

VIEW = "scoring.view_yearresult"
GET_POST = ["GET", "HEAD", "POST"]
CRUMBS = [("奖励", reverse_lazy("scoring:award_list"))]


def _awards(request: Request):
    rows = Sanction.objects.visible_to(request.post).filter(
        kind=Sanction.Kind.REWARD, amount__isnull=False
    )
    return rows.select_related("institution__bureau", "supervisor", "author", "decided_by")


def _year(request: Request) -> int:
    text = request.GET.get("year", "")
    usable = text.isascii() and text.isdigit() and len(text) == 4
    return int(text) if usable else clock.today().year


@require_safe
@permission_required(VIEW, raise_exception=True)
def award_list(request: Request) -> HttpResponse:
    year, post = _year(request), request.post
    context = {
        "year": year,
        "rates": awarding.rates(post.institution.bureau_id, year),
        "may_rate": post.institution.is_bureau and post.has_perm("scoring.change_policy"),
        "may_propose": post.institution.is_bureau and post.has_perm("supervision.propose_sanction"),
    }
    return AwardList(request, _awards(request)).response("scoring/award_list.html", context)


@require_http_methods(GET_POST)
@permission_required("scoring.change_policy", raise_exception=True)
def award_rate(request: Request, year: int, kind: str) -> HttpResponse:
    """Write what one kind of award is worth in a year."""
    if not request.post.institution.is_bureau:
        raise PermissionDenied("奖励标准由卫生健康行政部门规定")
    if kind not in AwardRate.Kind.values or not 2009 <= year <= 2100:
        raise Http404
    rate = awarding.rate_of(request.post.institution, year, kind)
    form = RateForm(request.POST or None, initial={"amount": rate.amount, "basis": rate.basis})
    back = f"{reverse('scoring:award_list')}?year={year}"
    if form.is_bound and form.is_valid():
        awarding.set_rate(year, kind, by=request.post, **form.cleaned_data)
        messages.success(request, f"已保存{year}年“{rate.label}”的奖励标准")
        return redirect(back)
    return money_form(
        request,
        form,
        f"{year}年奖励标准：{rate.label}",
        "只影响以后提出的奖励，已提出的按当时的标准。",
        back=back,
        crumbs=CRUMBS,
    )


@require_http_methods(GET_POST)
@permission_required("supervision.propose_sanction", raise_exception=True)
def award_create(request: Request) -> HttpResponse:
    """Put an award before the leaders."""
    if not request.post.institution.is_bureau:
        raise PermissionDenied("按标准奖励由卫生健康行政部门提出")
    form = AwardForm(
        request.POST or None,
        request.FILES or None,
        post=request.post,
        initial={"year": clock.today().year},
    )
    if form.is_bound and form.is_valid():
        given = {k: v for k, v in form.cleaned_data.items() if k != "files"}
        try:
            row = awarding.propose(by=request.post, files=form.stored, **given)
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, f"已提出奖励 {row.amount} 元，等待领导决定")
            return redirect("scoring:award_detail", row.pk)
    return money_form(
        request,
        form,
        "提出奖励",
        "金额按当年奖励标准；领导在奖惩台账决定后由财务拨付。不得评优的机构不能奖励。",
        submit="提出奖励",
        back=reverse("scoring:award_list"),
        crumbs=CRUMBS,
    )


@require_safe
@permission_required(VIEW, raise_exception=True)
def award_detail(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(_awards(request), pk=pk)
    payments = Payment.objects.visible_to(request.post).filter(award=row).order_by("day", "pk")
    paid = awarding.paid(row)
    context = {
        "row": row,
        "payments": payments,
        "paid": paid,
        "left": (row.amount or 0) - paid,
        "may_pay": row.status == Sanction.Status.DECIDED
        and awarding.may_pay(row, request.post)
        and paid != row.amount,
        "history": Event.objects.of(row).order_by("-seq"),
        "crumbs": CRUMBS,
    }
    return render(request, "scoring/award_detail.html", context)


@require_http_methods(GET_POST)
@permission_required("scoring.prepare_settlement", raise_exception=True)
def award_pay(request: Request, pk: int) -> HttpResponse:
    """Book a payment of a decided award."""
    row = get_object_or_404(_awards(request), pk=pk)
    if not awarding.may_pay(row, request.post):
        raise PermissionDenied("奖励由决定方财务拨付")
    left = (row.amount or 0) - awarding.paid(row)
    form = PaymentForm(request.POST or None, left=left)
    if form.is_bound and form.is_valid():
        try:
            awarding.pay(row, by=request.post, **form.cleaned_data)
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, "已登记拨付")
            return redirect("scoring:award_detail", row.pk)
    back = reverse("scoring:award_detail", args=[row.pk])
    context = {
        "form": form,
        "title": f"拨付奖励：{row.institution.known_as}",
        "lead": f"奖励 {row.amount} 元，余 {left} 元。可以分次登记。",
        "cancel_url": back,
        "crumbs": [*CRUMBS, (str(row), back)],
    }
    return render(
        request, "scoring/payment_form.html", context, status=422 if form.is_bound else 200
    )
