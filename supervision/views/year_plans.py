"""The plan of a year: what a body intends, how far it is, which institutions are not yet covered."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Prefetch, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from institutions import clock
from institutions.http import Request, posted_version
from institutions.models import Event
from institutions.moves import AskForm, moves_for_template, press, refusals_said
from institutions.workflow import Side
from supervision import assigning, coverage, risk, year_planning
from supervision.bodies import supervises
from supervision.lists import status_tag
from supervision.models import PlannedRound, SupervisionRound, YearPlan
from supervision.planning_forms import PlannedRoundForm, PolicyForm, YearPlanForm
from supervision.planning_lists import CoverageList, YearPlanList, plan_tag

GET_POST = ["GET", "HEAD", "POST"]
VIEW = "supervision.view_round"
CHANGE = "supervision.change_round"
CRUMBS = [("年度督导计划", reverse_lazy("supervision:year_plan_list"))]
# Institutions named on the plan's page; the rest stand in the list.
NAMED = 60


def _plans(request: Request):
    return YearPlan.objects.visible_to(request.post).select_related("institution", "author")


def _plan(request: Request, pk: int) -> YearPlan:
    return get_object_or_404(_plans(request), pk=pk)


def _own_plan(request: Request, pk: int) -> YearPlan:
    plan = _plan(request, pk)
    if not plan.stands_on(Side.ASKS, request.post):
        raise PermissionDenied("督导计划由制定单位修改")
    return plan


def _entry(request: Request, pk: int) -> PlannedRound:
    rows = PlannedRound.objects.visible_to(request.post).select_related("plan__institution")
    entry = get_object_or_404(rows, pk=pk)
    if not entry.plan.stands_on(Side.ASKS, request.post):
        raise PermissionDenied("督导计划由制定单位修改")
    return entry


def crumbs_of(plan: YearPlan) -> list[tuple[Any, Any]]:
    return [*CRUMBS, (str(plan), plan.get_absolute_url())]


@require_safe
@permission_required(VIEW, raise_exception=True)
def year_plan_list(request: Request) -> HttpResponse:
    seen = PlannedRound.objects.visible_to(request.post).order_by().values("pk")
    rows = _plans(request).annotate(entry_count=Count("entries", filter=Q(entries__in=seen)))
    return YearPlanList(request, rows).response(
        "supervision/year_plan_list.html", {"may_create": supervises(request.post)}
    )


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def year_plan_create(request: Request) -> HttpResponse:
    if not supervises(request.post):
        raise PermissionDenied("督导计划由有下级机构的单位或牵头单位制定")
    form = YearPlanForm(request.POST or None, initial={"year": clock.today().year})
    if request.method == "POST" and form.is_valid():
        try:
            plan = year_planning.make_plan(form.instance, by=request.post)
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(request, "已拟定。下一步：安排全年的督导轮次，再印发")
            return redirect(plan)
    return render(request, "supervision/year_plan_form.html", {"form": form, "crumbs": CRUMBS})


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def year_plan_edit(request: Request, pk: int) -> HttpResponse:
    """The least counts and the weights of risk."""
    plan = _own_plan(request, pk)
    version = posted_version(request) if request.method == "POST" else plan.version
    form = PolicyForm(request.POST or None, instance=plan)
    if request.method == "POST" and form.is_valid():
        try:
            year_planning.change_policy(plan, by=request.post, version=version)
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(request, "已保存，原来的要求和权重留在办理记录里")
            return redirect(plan)
    return render(
        request,
        "supervision/year_plan_form.html",
        {"form": form, "plan": plan, "version": version, "crumbs": crumbs_of(plan)},
    )


@require_safe
@permission_required(VIEW, raise_exception=True)
def year_plan_detail(request: Request, pk: int) -> HttpResponse:
    return _detail(request, _plan(request, pk))


@require_POST
@permission_required(CHANGE, raise_exception=True)
def year_plan_issue(request: Request, pk: int) -> HttpResponse:
    plan = _plan(request, pk)
    form = press(request, plan, "issue", done="已印发")
    return redirect(plan) if form is None else _detail(request, plan, pressed=form)


@require_safe
@permission_required(VIEW, raise_exception=True)
def year_plan_coverage(request: Request, pk: int) -> HttpResponse:
    plan = _plan(request, pk)
    if not plan.shows_work_to(request.post):
        raise PermissionDenied("督导次数由制定计划的单位掌握")
    rows = coverage.coverage(plan, request.post)
    return CoverageList(request, rows).response(
        "supervision/year_plan_coverage.html", {"plan": plan, "crumbs": crumbs_of(plan)}
    )


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def planned_create(request: Request, pk: int) -> HttpResponse:
    plan = _own_plan(request, pk)
    return _entry_form(request, PlannedRound(plan=plan))


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def planned_edit(request: Request, pk: int) -> HttpResponse:
    return _entry_form(request, _entry(request, pk))


def _entry_form(request: Request, entry: PlannedRound) -> HttpResponse:
    plan = entry.plan
    version = posted_version(request) if request.method == "POST" else plan.version
    form = PlannedRoundForm(request.POST or None, instance=entry, post=request.post)
    if request.method == "POST" and form.is_valid():
        try:
            year_planning.store_entry(
                form.instance,
                items=form.cleaned_data["items"],
                institutions=form.cleaned_data["institutions"],
                by=request.post,
                version=version,
            )
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(request, "已保存")
            return redirect(plan)
    return render(
        request,
        "supervision/planned_form.html",
        {
            "form": form,
            "plan": plan,
            "entry": entry,
            "version": version,
            "crumbs": crumbs_of(plan),
        },
    )


@require_POST
@permission_required(CHANGE, raise_exception=True)
def planned_remove(request: Request, pk: int) -> HttpResponse:
    entry = _entry(request, pk)
    plan = entry.plan
    with refusals_said(request):
        year_planning.remove_entry(entry, by=request.post, version=posted_version(request))
        messages.success(request, "已去掉")
    return redirect(plan)


@require_POST
@permission_required(CHANGE, raise_exception=True)
def planned_start(request: Request, pk: int) -> HttpResponse:
    """Make the round that the plan provides for."""
    entry = _entry(request, pk)
    with refusals_said(request):
        round = assigning.start_planned(entry, by=request.post)
        messages.success(request, "已拟定轮次。下一步：安排督导组，或随机抽取")
        return redirect(round)
    return redirect(entry.plan)


def _detail(request: Request, plan: YearPlan, *, pressed: AskForm | None = None) -> HttpResponse:
    post = request.post
    owns = post.has_perm(CHANGE) and plan.stands_on(Side.ASKS, post)
    inside = plan.shows_work_to(post)
    made = SupervisionRound.objects.visible_to(post).order_by("pk")
    entries = (
        PlannedRound.objects.visible_to(post)
        .filter(plan=plan)
        .select_related("standard")
        .prefetch_related("items", Prefetch("rounds", queryset=made, to_attr="made"))
        .annotate(unit_count=Count("institutions", distinct=True))
        .order_by("starts", "pk")
    )
    context: dict[str, Any] = {
        "plan": plan,
        "status": plan_tag(plan),
        "entries": [
            {"entry": entry, "made": [(round, status_tag(round)) for round in entry.made]}
            for entry in entries
        ],
        "owns": owns,
        "inside": inside,
        "moves": moves_for_template(
            plan,
            post,
            url=lambda name: reverse(f"supervision:year_plan_{name}", args=[plan.pk]),
            pressed=pressed,
        ),
        "crumbs": CRUMBS,
    }
    if inside:
        lacking = coverage.coverage(plan, post).filter(state__in=["behind", "short"])
        counts = coverage.counts(plan, post)
        context |= {
            "counts": counts,
            "total": sum(counts.values()),
            "lacking": list(lacking.order_by("-missing", "code")[:NAMED]),
            "lacking_count": counts["behind"] + counts["short"],
            "weights": [(kind.label, plan.weights[kind.name], kind.rule) for kind in risk.KINDS],
            "history": Event.objects.of(plan).order_by("-seq"),
        }
    return render(request, "supervision/year_plan_detail.html", context)
