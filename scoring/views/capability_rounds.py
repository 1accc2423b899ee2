"""One year of 优质服务基层行: the register, its deadlines and targets, the lists reported up, spot checks, the end."""

from functools import partial
from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from institutions import audit, sheets
from institutions.http import Request
from institutions.models import Event
from institutions.moves import moves_for_template, press, refusals_said
from scoring import capability_filling as filling
from scoring import capability_register as register
from scoring import capability_reviewing as reviewing
from scoring.capability import required_ids
from scoring.capability_forms import ReportForm, RoundForm, SpotForm
from scoring.capability_lists import RegisterList
from scoring.models import CapabilityDraw, CapabilityReport, CapabilityReview, CapabilityRound
from scoring.models.capability import CHANGE, FILL, REVIEW
from scoring.views.capability import CRUMBS, GET_POST, VIEW
from supervision.lots import new_seed


def _round(request: Request, pk: int) -> CapabilityRound:
    rows = CapabilityRound.objects.visible_to(request.post).select_related(
        "institution__bureau", "supervisor", "campaign", "group", "author__user"
    )
    return get_object_or_404(rows, pk=pk)


@require_safe
@permission_required(VIEW, raise_exception=True)
def capability_round(request: Request, pk: int) -> HttpResponse:
    round = _round(request, pk)
    post = request.post
    required = required_ids(round)
    listing = RegisterList(request, round, required)
    if request.GET.get("format"):
        return listing.response("scoring/capability_round.html")
    own = (
        CapabilityReview.objects.visible_to(post)
        .filter(round=round, institution=post.institution_id)
        .select_related("institution", "round")
        .first()
    )
    areas = register.areas(round, post, required) if post.institution.is_bureau else []
    group = round.group
    reports = list(
        CapabilityReport.objects.visible_to(post)
        .filter(round=round)
        .select_related("institution", "author__institution", "round")
    )
    return listing.response(
        "scoring/capability_round.html",
        {
            "round": round,
            "standards": round.standards.order_by("code"),
            "areas": areas,
            "missing": [unit for area in areas for unit in area.missing],
            "required": sum(area.required for area in areas),
            "begun": sum(area.begun for area in areas),
            "own": own,
            "own_required": post.institution_id in required,
            "may_start": filling.may_start(round, post),
            "reported": next(
                (x for x in reversed(reports) if x.institution_id == post.institution_id), None
            ),
            "met": register.deadlines_met(
                round, post, register.reported_by([round])[round.pk], own
            ),
            "reports": reports,
            "aims": register.aims(round, post),
            "draws": CapabilityDraw.objects.visible_to(post).filter(round=round, review=None),
            "lacking": group.missing_professions if group else [],
            "may_edit": round.is_open
            and post.has_perm(CHANGE)
            and post.acts_for(round.institution_id),
            "may_report": register.may_report(round, post),
            "may_spot": round.is_open
            and post.has_perm(REVIEW)
            and post.acts_for(round.institution_id),
            "moves": moves_for_template(
                round, post, url=lambda name: reverse(f"scoring:capability_{name}", args=[pk])
            ),
            "history": Event.objects.of(round).order_by("-seq"),
            "crumbs": CRUMBS,
        },
    )


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def capability_round_create(request: Request) -> HttpResponse:
    if not request.post.institution.is_bureau:
        raise PermissionDenied("活动由卫生健康行政部门组织")
    return _edit(request, None)


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def capability_round_edit(request: Request, pk: int) -> HttpResponse:
    round = _round(request, pk)
    if not request.post.acts_for(round.institution_id):
        raise PermissionDenied("活动由组织它的行政部门维护")
    return _edit(request, round)


def _edit(request: Request, round: CapabilityRound | None) -> HttpResponse:
    form = RoundForm(request.POST or None, instance=round, post=request.post)
    if request.method == "POST" and form.is_valid():
        made = form.save(commit=False)
        try:
            register.save_round(made, list(form.cleaned_data["standards"]), by=request.post)
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, f"已保存{made.name}")
            return redirect(made)
    back = round.get_absolute_url() if round else reverse("scoring:capability_list")
    return _page(
        request,
        form,
        title="修改活动年度" if round else "建立活动年度",
        lead="辖区内所有注册的乡镇卫生院和社区卫生服务中心都列入名册，村卫生室和社区卫生服务站可自愿参加。",
        submit="保存",
        back=back,
    )


@require_POST
@permission_required(FILL, raise_exception=True)
def capability_start(request: Request, pk: int) -> HttpResponse:
    round = _round(request, pk)
    with refusals_said(request):
        review = filling.start(round, by=request.post)
        messages.success(
            request, f"自评开始，{filling.said(filling.earliest(review))}起可以申请审核"
        )
        return redirect("scoring:capability_fill", review.pk)
    return redirect(round)


@require_POST
@permission_required(CHANGE, raise_exception=True)
def capability_close(request: Request, pk: int) -> HttpResponse:
    round = _round(request, pk)
    press(request, round, "close", deed=partial(register.close, round), done="本年度已结束")
    return redirect(round)


# --- Reporting up -------------------------------------------------------------------------------------


@require_http_methods(GET_POST)
@permission_required(register.REPORT, raise_exception=True)
def capability_report_up(request: Request, pk: int) -> HttpResponse:
    """Show the list as it would go up, with what is unfinished, and hand it up."""
    round = _round(request, pk)
    post = request.post
    if not register.may_report(round, post):
        raise PermissionDenied("名单由县（区）和组织活动的行政部门上报")
    form = ReportForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = register.report_up(round, by=post, opinion=form.cleaned_data["opinion"])
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, f"已上报，共 {len(made.rows)} 家")
            return redirect(made)
    return _page(
        request,
        form,
        title="上报复核情况" if post.acts_for(round.institution_id) else "上报自查情况",
        lead="下面的名单按今天的情况上报，上报后留存，不再改动；以后有变化的再次上报。",
        submit="上报",
        back=round.get_absolute_url(),
        hindrances=register.hindrances(round, post.institution),
        columns=register.COLUMNS,
        rows=register.reported_units(round, post.institution),
    )


@require_safe
@permission_required(VIEW, raise_exception=True)
def capability_report(request: Request, pk: int) -> HttpResponse:
    rows = CapabilityReport.objects.visible_to(request.post).select_related(
        "round__institution", "institution", "author__institution"
    )
    report = get_object_or_404(rows, pk=pk)
    if request.GET.get("format") == "xlsx" and request.post.has_perm("institutions.export_table"):
        return _xlsx(request, report)
    return render(
        request,
        "scoring/capability_report.html",
        {
            "report": report,
            "round": report.round,
            "columns": register.COLUMNS,
            "rows": report.rows,
            "sound": audit.digest(report.rows) == report.digest,
            "crumbs": [*CRUMBS, (report.round.name, report.round.get_absolute_url())],
        },
    )


def _xlsx(request: Request, report: CapabilityReport) -> HttpResponse:
    with transaction.atomic():
        audit.record(
            "portal.export",
            "导出上报名单",
            by=request.post,
            bureau=request.post.institution.bureau_id,
            on=report,
        )
    response = HttpResponse(
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    sheets.write_xlsx(report.rows, register.COLUMNS, response, title="上报名单")
    name = f"{report}.xlsx"
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return response


# --- Spot checks --------------------------------------------------------------------------------------


@require_http_methods(GET_POST)
@permission_required(REVIEW, raise_exception=True)
def capability_spot(request: Request, pk: int) -> HttpResponse:
    round = _round(request, pk)
    if not request.post.acts_for(round.institution_id):
        raise PermissionDenied("抽查复核由组织活动的行政部门进行")
    most = (
        CapabilityReview.objects.visible_to(request.post)
        .filter(round=round, status__in=("confirmed", "final"))
        .count()
    )
    form = SpotForm(request.POST or None, most=most)
    if request.method == "POST" and form.is_valid():
        try:
            drawn = reviewing.draw_units(
                round, seed=new_seed(), by=request.post, **form.cleaned_data
            )
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            names = "、".join(review.institution.known_as for review in drawn)
            messages.success(request, f"已抽取 {len(drawn)} 家：{names}")
            return redirect(round)
    return _page(
        request,
        form,
        title="抽查复核",
        lead="从已认定的机构中随机抽取，按原来的标准再核查；达不到的，等次相应调整并写明条款。",
        submit="抽取",
        back=round.get_absolute_url(),
    )


def _page(request: Request, form: Any, *, title: str, lead: str, **more: Any) -> HttpResponse:
    return render(
        request,
        "scoring/capability_form.html",
        {"form": form, "title": title, "lead": lead, "crumbs": CRUMBS, **more},
        status=422 if form.is_bound else 200,
    )
