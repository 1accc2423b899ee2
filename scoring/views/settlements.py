"""Settlement sheets from draft to payment, objections, the list of payments, allocations to clinics, awards."""

from functools import partial
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from institutions import files
from institutions.http import Request, posted_version
from institutions.models import Event
from institutions.moves import AskForm, moves_for_template, press, refusals_said
from institutions.workflow import StaleState
from scoring import rules, settling
from scoring.models import Payment, Settlement, SettlementObjection, YearResult
from scoring.money_forms import ObjectionForm, PaymentForm, UpholdForm
from scoring.money_lists import PaymentList, SettlementList, sheet_tag

VIEW = "scoring.view_yearresult"
GET_POST = ["GET", "HEAD", "POST"]
CRUMBS = [("结算单", reverse_lazy("scoring:settlement_list"))]


def _sheets(request: Request):
    return Settlement.objects.visible_to(request.post).with_all()


@require_safe
@permission_required(VIEW, raise_exception=True)
def settlement_list(request: Request) -> HttpResponse:
    listing = SettlementList(request, _sheets(request))
    frozen = []
    unit = request.post.institution
    acts = request.post.has_perm(settling.PREPARE) or request.post.has_perm(settling.CONFIRM)
    if acts:
        frozen = _years(request)
    context = {"frozen": frozen, "unit": unit, "sums": settling.totals(listing.found)}
    return listing.response("scoring/settlement_list.html", context)


def _years(request: Request) -> list[dict]:
    """Return the frozen years of one's own unit with what can be done with all their sheets."""
    post = request.post
    results = YearResult.objects.visible_to(post).filter(
        unit=post.institution_id, frozen_at__isnull=False
    )
    counts: dict[int, dict] = {}
    for year, status in results.order_by().values_list("year", "settlement__status"):
        one = counts.setdefault(year, {"year": year, "new": 0, "draft": 0, "published": 0})
        one["new"] += status is None
        if status in one:
            one[status] += 1
    prepares = post.has_perm(settling.PREPARE)
    confirms = post.has_perm(settling.CONFIRM)
    years = [
        {
            **one,
            "prepare": prepares and one["new"],
            "publish": prepares and one["draft"],
            "confirm": confirms and one["published"],
        }
        for one in counts.values()
    ]
    return sorted(
        (one for one in years if one["prepare"] or one["publish"] or one["confirm"]),
        key=lambda one: -one["year"],
    )


def _year_posted(request: Request) -> int:
    text = request.POST.get("year", "")
    if not (text.isascii() and text.isdigit() and len(text) == 4):
        raise Http404
    return int(text)


@require_POST
@permission_required("scoring.prepare_settlement", raise_exception=True)
def settlement_prepare(request: Request) -> HttpResponse:
    year = _year_posted(request)
    with refusals_said(request):
        count = settling.prepare(request.post.institution, year, by=request.post)
        messages.success(request, f"已拟制 {count} 份结算单，核对后公示")
    return redirect(f"{reverse('scoring:settlement_list')}?year={year}")


def _all(request: Request, name: str, word: str) -> HttpResponse:
    year = _year_posted(request)
    done, refused = settling.move_all(name, request.post.institution, year, by=request.post)
    if done:
        messages.success(request, f"已{word} {done} 份")
    for reason in refused[:20]:
        messages.warning(request, reason)
    return redirect(f"{reverse('scoring:settlement_list')}?year={year}")


@require_POST
@permission_required("scoring.prepare_settlement", raise_exception=True)
def settlement_publish_all(request: Request) -> HttpResponse:
    return _all(request, "publish", "公示")


@require_POST
@permission_required("scoring.confirm_settlement", raise_exception=True)
def settlement_confirm_all(request: Request) -> HttpResponse:
    return _all(request, "confirm", "确认")


@require_safe
@permission_required(VIEW, raise_exception=True)
def settlement_detail(request: Request, pk: int) -> HttpResponse:
    return _detail(request, get_object_or_404(_sheets(request), pk=pk))


def _detail(
    request: Request,
    row: Settlement,
    *,
    answered: tuple[int, UpholdForm] | None = None,
    pressed: tuple[int, AskForm] | None = None,
    status: int = 200,
) -> HttpResponse:
    post = request.post
    objections = [
        {
            "row": one,
            "files": [
                {
                    "name": file.name,
                    "size": file.size,
                    "url": reverse("scoring:objection_file", args=[one.pk, file.key]),
                }
                for file in one.files.all()
            ],
            "moves": [
                move
                for move in moves_for_template(
                    one,
                    post,
                    url=lambda name, key=one.pk: reverse(f"scoring:objection_{name}", args=[key]),
                    pressed=pressed[1] if pressed and pressed[0] == one.pk else None,
                )
                if move.name != "uphold"
            ],
            "uphold": (answered[1] if answered and answered[0] == one.pk else UpholdForm())
            if one.status in SettlementObjection.OPEN and one.may("uphold", post)
            else None,
        }
        for one in SettlementObjection.objects.visible_to(post)
        .filter(settlement=row)
        .select_related("author__institution", "decided_by__institution", "institution__region")
        .select_related("supervisor__bureau")
        .prefetch_related("files")
    ]
    return render(
        request,
        "scoring/settlement_detail.html",
        {
            "row": row,
            "tag": sheet_tag(row),
            "steps": settling.steps(row),
            "capitals": rules.capitals(row.due),
            "carried": settling.carried(row),
            "payments": Payment.objects.visible_to(post)
            .filter(settlement=row)
            .select_related("author__institution")
            .order_by("day", "pk"),
            "objections": objections,
            "may_object": settling.may_object(row, post)
            and not any(one["row"].status in SettlementObjection.OPEN for one in objections),
            "may_pay": settling.may_pay(row, post),
            "moves": moves_for_template(
                row,
                post,
                url=lambda name: reverse(f"scoring:settlement_{name}", args=[row.pk]),
            ),
            "another": settling.left_to_another(row, post),
            "history": Event.objects.of(row).order_by("-seq"),
            "crumbs": CRUMBS,
        },
        status=status,
    )


def _press(request: Request, pk: int, name: str, deed, done: str) -> HttpResponse:
    row = get_object_or_404(_sheets(request), pk=pk)
    press(request, row, name, deed=partial(deed, row), done=done)
    return redirect(row)


@require_POST
@permission_required("scoring.prepare_settlement", raise_exception=True)
def settlement_publish(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "publish", settling.publish, "已公示，机构可以提出异议")


@require_POST
@permission_required("scoring.confirm_settlement", raise_exception=True)
def settlement_confirm(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "confirm", settling.confirm, "已确认，可以拨付")


@require_POST
@permission_required("scoring.prepare_settlement", raise_exception=True)
def settlement_finish(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "finish", settling.finish, "已结清")


@require_http_methods(GET_POST)
@permission_required("scoring.prepare_settlement", raise_exception=True)
def settlement_pay(request: Request, pk: int) -> HttpResponse:
    """Book a payment of one sheet."""
    row = get_object_or_404(_sheets(request), pk=pk)
    if not row.may("finish", request.post):
        raise PermissionDenied("拨付由结算方财务登记")
    if not settling.may_pay(row, request.post):
        messages.error(request, "只有已确认、未结清的结算单可以登记拨付")
        return redirect(row)
    back = row.due < 0
    form = PaymentForm(request.POST or None, left=abs(row.left), back=back)
    if form.is_bound and form.is_valid():
        try:
            settling.pay(row, by=request.post, **form.cleaned_data)
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, "已登记收回" if back else "已登记拨付")
            return redirect(row)
    context = {
        "form": form,
        "title": f"{'登记收回' if back else '登记拨付'}：{row}",
        "lead": f"本年结算 {row.due} 元，已办理 {row.paid} 元，余 {row.left} 元。可以分次登记。",
        "cancel_url": row.get_absolute_url(),
        "crumbs": [*CRUMBS, (str(row), row.get_absolute_url())],
    }
    return render(
        request, "scoring/payment_form.html", context, status=422 if form.is_bound else 200
    )


@require_http_methods(GET_POST)
@permission_required("scoring.write_appeal", raise_exception=True)
def settlement_object(request: Request, pk: int) -> HttpResponse:
    """Object to one's own published sheet."""
    row = get_object_or_404(_sheets(request), pk=pk)
    if not request.post.acts_for(row.institution_id):
        raise PermissionDenied("异议由被结算机构的负责人提出")
    if not settling.may_object(row, request.post):
        messages.error(request, "不在公示期内，不能提出异议")
        return redirect(row)
    form = ObjectionForm(request.POST or None, request.FILES or None, post=request.post)
    if form.is_bound and form.is_valid():
        try:
            settling.object_to(
                row, by=request.post, reason=form.cleaned_data["reason"], files=form.stored
            )
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, "异议已提出，等待答复")
            return redirect(row)
    context = {"form": form, "row": row, "crumbs": CRUMBS}
    return render(
        request, "scoring/objection_form.html", context, status=422 if form.is_bound else 200
    )


def _objection(request: Request, pk: int) -> SettlementObjection:
    rows = SettlementObjection.objects.visible_to(request.post).select_related(
        "institution__region", "supervisor__bureau", "author", "settlement__institution"
    )
    return get_object_or_404(rows, pk=pk)


@require_safe
@permission_required(VIEW, raise_exception=True)
def objection_file(request: Request, pk: int, key: UUID) -> FileResponse:
    row = get_object_or_404(SettlementObjection.objects.visible_to(request.post), pk=pk)
    return files.serve(row.files, str(key))


@require_POST
@permission_required("scoring.write_appeal", raise_exception=True)
def objection_withdraw(request: Request, pk: int) -> HttpResponse:
    row = _objection(request, pk)
    press(request, row, "withdraw", deed=partial(settling.withdraw, row), done="异议已撤回")
    return redirect(row)


@require_POST
@permission_required("scoring.prepare_settlement", raise_exception=True)
def objection_reject(request: Request, pk: int) -> HttpResponse:
    row = _objection(request, pk)
    form = press(request, row, "reject", deed=partial(settling.reject, row), done="已答复机构")
    if form is None:
        return redirect(row)
    sheet = get_object_or_404(_sheets(request), pk=row.settlement_id)
    return _detail(request, sheet, pressed=(row.pk, form), status=422)


@require_POST
@permission_required("scoring.prepare_settlement", raise_exception=True)
def objection_uphold(request: Request, pk: int) -> HttpResponse:
    row = _objection(request, pk)
    version = posted_version(request)
    if not row.may("uphold", request.post):
        raise PermissionDenied("异议由结算方答复")
    if row.status not in SettlementObjection.OPEN or row.version != version:
        raise StaleState(row, version)
    form = UpholdForm(request.POST)
    if form.is_valid():
        try:
            settling.uphold(
                row,
                by=request.post,
                version=version,
                note=form.cleaned_data["opinion"],
                correction=form.cleaned_data["correction"],
            )
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, "已采纳并更正，结算单重新公示")
            return redirect(row)
    sheet = get_object_or_404(_sheets(request), pk=row.settlement_id)
    return _detail(request, sheet, answered=(row.pk, form), status=422)


@require_safe
@permission_required(VIEW, raise_exception=True)
def payment_list(request: Request) -> HttpResponse:
    rows = Payment.objects.visible_to(request.post).select_related(
        "institution", "settlement__institution", "award__institution", "author__institution"
    )
    return PaymentList(request, rows).response("scoring/payment_list.html")
