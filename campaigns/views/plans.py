"""Plans: what units must hand in, from the call to the version that is accepted."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns import planning
from campaigns.models import Plan, PlanCall
from campaigns.plan_forms import PlanCallForm, PlanForm, PlanLineFormSet
from campaigns.plan_lists import CallPlanList, PlanCallList, PlanList, plan_tag, plan_time_tag
from institutions import clock, files, staffing
from institutions.http import Request, posted_version
from institutions.models import Event
from institutions.moves import AskForm, moves_for_template, press, refusals_said

CALL = "campaigns.call_plan"
VIEW = "campaigns.view_plan"
WRITE = "campaigns.write_plan"
REVIEW = "campaigns.review_plan"
GET_POST = ["GET", "HEAD", "POST"]


def _list_crumb() -> tuple[str, str]:
    return "计划方案", reverse("campaigns:plan_list")


@require_safe
@permission_required(VIEW, raise_exception=True)
def plan_list(request: Request) -> HttpResponse:
    rows = Plan.objects.visible_to(request.post).select_related("institution", "call")
    return PlanList(request, rows).response("campaigns/plan_list.html")


# --- What is asked ---------------------------------------------------------------------------------


@require_safe
@permission_required(VIEW, raise_exception=True)
def plan_call_list(request: Request) -> HttpResponse:
    """The calls in sight with how many plans in sight they have."""
    plans = Q(plans__in=Plan.objects.visible_to(request.post).order_by().values("pk"))
    rows = PlanCall.objects.visible_to(request.post).annotate(
        asked=Count("plans", filter=plans),
        handed_in=Count("plans", filter=plans & Q(plans__edition__gte=1)),
        accepted=Count("plans", filter=plans & Q(plans__status=Plan.Status.ACCEPTED)),
    )
    crumbs = [_list_crumb()]
    return PlanCallList(request, rows).response("campaigns/plan_call_list.html", {"crumbs": crumbs})


@require_http_methods(GET_POST)
@permission_required(CALL, raise_exception=True)
def plan_call_create(request: Request) -> HttpResponse:
    form = PlanCallForm(
        request.POST or None, post=request.post, initial={"year": clock.today().year}
    )
    if form.is_bound and form.is_valid():
        call = form.save(commit=False)
        made = planning.ask(call, form.chosen, by=request.post)
        messages.success(request, f"已要求 {len(made)} 家机构上报“{call.name}”")
        return redirect(call)
    return _call_form(request, form, [_list_crumb()])


def _call(request: Request, pk: int) -> PlanCall:
    rows = PlanCall.objects.visible_to(request.post).select_related("institution", "campaign")
    return get_object_or_404(rows, pk=pk)


@require_http_methods(GET_POST)
@permission_required(CALL, raise_exception=True)
def plan_call_edit(request: Request, pk: int) -> HttpResponse:
    """Change the words and the deadline of a call, and ask more institutions."""
    call = _call(request, pk)
    if not request.post.acts_for(call.institution_id):
        raise PermissionDenied("由要求上报的单位办理")
    due = call.due
    form = PlanCallForm(request.POST or None, instance=call, post=request.post)
    if form.is_bound and form.is_valid():
        call = form.save(commit=False)
        made = planning.change(call, form.chosen, by=request.post, moved=call.due != due)
        messages.success(request, f"已保存{f'，增加 {len(made)} 家机构' if made else ''}")
        return redirect(call)
    return _call_form(request, form, [_list_crumb(), (call.name, call.get_absolute_url())])


def _call_form(request: Request, form: PlanCallForm, crumbs: list[Any]) -> HttpResponse:
    context = {"form": form, "crumbs": crumbs, "cancel_url": crumbs[-1][1]}
    return render(request, "campaigns/plan_call_form.html", context)


@require_safe
@permission_required(VIEW, raise_exception=True)
def plan_call_detail(request: Request, pk: int) -> HttpResponse:
    call = _call(request, pk)
    plans = Plan.objects.visible_to(request.post).filter(call=call)
    plans = plans.select_related("institution")
    counts = plans.order_by().aggregate(
        total=Count("pk"),
        handed_in=Count("pk", filter=Q(edition__gte=1)),
        late=Count("pk", filter=Q(pk__in=plans.late().order_by().values("pk"))),
        waiting=Count("pk", filter=Q(status=Plan.Status.SUBMITTED)),
        accepted=Count("pk", filter=Q(status=Plan.Status.ACCEPTED)),
    )
    owns = request.post.acts_for(call.institution_id)
    return CallPlanList(request, plans).response(
        "campaigns/plan_call_detail.html",
        {
            "call": call,
            "counts": counts,
            "missing": list(plans.filter(edition=0).order_by("institution__code")[:60]),
            "done": counts["handed_in"] == counts["total"],
            "owns": owns,
            "may_edit": owns and request.post.has_perm(CALL),
            "crumbs": [_list_crumb()],
        },
    )


# --- What is handed in -----------------------------------------------------------------------------


def _plan(request: Request, pk: int) -> Plan:
    rows = Plan.objects.visible_to(request.post).select_related(
        "institution__region", "supervisor", "author", "call__campaign"
    )
    return get_object_or_404(rows, pk=pk)


@require_safe
@permission_required(VIEW, raise_exception=True)
def plan_detail(request: Request, pk: int) -> HttpResponse:
    return _page(request, _plan(request, pk))


def _page(
    request: Request,
    plan: Plan,
    *,
    form: PlanForm | None = None,
    lines: Any = None,
    pressed: AskForm | None = None,
) -> HttpResponse:
    post = request.post
    answers = post.acts_for(plan.institution_id) and post.has_perm(WRITE)
    writes = answers and plan.status in Plan.EDITABLE
    if writes:
        form = form or PlanForm(instance=plan, post=post)
        if plan.call.has_lines and lines is None:
            lines = PlanLineFormSet(queryset=plan.lines.all())
    moves = moves_for_template(plan, post, url=lambda name: _url(plan, name), pressed=pressed)
    versions = plan.versions.select_related("author__institution").prefetch_related("files")
    context = {
        "plan": plan,
        "call": plan.call,
        "tag": plan_tag(plan),
        "time": plan_time_tag(plan),
        "form": form if writes else None,
        "lines": lines if writes else None,
        # Handing in goes with the form, so that what was typed goes along.
        "moves": [move for move in moves if move.name != "submit"],
        "files": _file_rows(plan, plan.files.all()) if writes else [],
        "versions": [
            {"row": version, "files": _file_rows(plan, version.files.all())} for version in versions
        ],
        "history": Event.objects.of(plan),
        "asks": post.acts_for(plan.supervisor_id) and post.has_perm(REVIEW),
        "crumbs": [_list_crumb(), (plan.call.name, plan.call.get_absolute_url())],
    }
    return render(request, "campaigns/plan_detail.html", context)


def _url(plan: Plan, name: str) -> str:
    return reverse(f"campaigns:plan_{name}", args=[plan.pk])


def _file_rows(plan: Plan, rows: Any) -> list[dict[str, Any]]:
    return [
        {
            "name": file.name,
            "size": file.size,
            "key": file.key,
            "url": reverse("campaigns:plan_file", args=[plan.pk, file.key]),
        }
        for file in rows
    ]


@require_POST
@permission_required(WRITE, raise_exception=True)
def plan_save(request: Request, pk: int) -> HttpResponse:
    """Keep what was written; with `then=submit` hand it in as well."""
    plan = _plan(request, pk)
    if not request.post.acts_for(plan.institution_id):
        raise PermissionDenied("由上报单位填写")
    form = PlanForm(request.POST, request.FILES, instance=plan, post=request.post)
    lines = None
    if plan.call.has_lines:
        lines = PlanLineFormSet(request.POST, queryset=plan.lines.all())
    if not form.is_valid() or (lines is not None and not lines.is_valid()):
        return _page(request, plan, form=form, lines=lines)
    named = [line.cleaned_data.get("person", "") for line in lines.forms] if lines else []
    if blocked := staffing.untrained_named(plan.institution_id, named):
        form.add_error(None, staffing.refusal(blocked))
        return _page(request, plan, form=form, lines=lines)
    changed = lines.save(commit=False) if lines is not None else []
    planning.save(
        plan,
        by=request.post,
        version=posted_version(request),
        text=form.cleaned_data["text"],
        files=form.stored,
        lines=changed,
        gone=lines.deleted_objects if lines is not None else [],
    )
    if request.POST.get("then") != "submit":
        messages.success(request, "已保存，还没有上报")
        return redirect(plan)
    with refusals_said(request, "已保存，但还不能上报："):
        plan.submit(by=request.post, version=plan.version)
        messages.success(request, f"已上报第{plan.edition}版，等待审核")
    return redirect(plan)


@require_POST
@permission_required(WRITE, raise_exception=True)
def plan_submit(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "submit", "已上报，等待审核")


@require_POST
@permission_required(WRITE, raise_exception=True)
def plan_recall(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "recall", "已撤回，改好后请再次上报")


@require_POST
@permission_required(REVIEW, raise_exception=True)
def plan_accept(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "accept", "已审核通过")


@require_POST
@permission_required(REVIEW, raise_exception=True)
def plan_send_back(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "send_back", "已退回，上报单位会收到通知")


@require_POST
@permission_required(WRITE, raise_exception=True)
def plan_revise(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "revise", "请修订后重新上报，已通过的版本仍然保留")


def _press(request: Request, pk: int, name: str, done: str) -> HttpResponse:
    plan = _plan(request, pk)
    form = press(request, plan, name, done=done)
    if form is not None:
        return _page(request, plan, pressed=form)
    return redirect(plan)


@require_safe
@permission_required(VIEW, raise_exception=True)
def plan_file(request: Request, pk: int, key: str) -> HttpResponse:
    return files.serve(_plan(request, pk).all_files, key)


@require_POST
@permission_required(WRITE, raise_exception=True)
def plan_file_remove(request: Request, pk: int, key: str) -> HttpResponse:
    plan = _plan(request, pk)
    file = get_object_or_404(plan.files.all(), key=key)
    planning.remove_file(plan, file, by=request.post, version=posted_version(request))
    messages.success(request, f"已删除“{file.name}”，已上报的版本仍保留它")
    return redirect(plan)
