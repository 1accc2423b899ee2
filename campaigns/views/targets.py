"""Targets: the list, one target with its progress, and what an institution brings to it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns import pursuing
from campaigns.models import Campaign, Contribution, Target
from campaigns.target_forms import ContributionForm, TargetForm
from campaigns.target_lists import ContributionList, TargetList, contribution_tag
from institutions import charts, clock, files
from institutions.http import Request, posted_version
from institutions.models import Event
from institutions.moves import AskForm, moves_for_template, press, refusals_said

VIEW = "campaigns.view_target"
CONFIRM = "campaigns.confirm_target"
GET_POST = ["GET", "HEAD", "POST"]


@require_safe
@permission_required(VIEW, raise_exception=True)
def target_list(request: Request) -> HttpResponse:
    rows = Target.objects.visible_to(request.post).select_related("bureau")
    return TargetList(request, rows).response("campaigns/target_list.html")


def _target(request: Request, pk: int) -> Target:
    rows = Target.objects.visible_to(request.post).select_related("bureau", "campaign")
    return get_object_or_404(rows.prefetch_related("parts"), pk=pk)


@require_safe
@permission_required(VIEW, raise_exception=True)
def target_detail(request: Request, pk: int) -> HttpResponse:
    target = _target(request, pk)
    post = request.post
    rows = Contribution.objects.visible_to(post).filter(target=target)
    rows = rows.select_related("institution__region", "bureau", "target")
    listed = list(rows.order_by("institution__code"))
    progress = pursuing.progress(target, listed)
    own = next((row for row in listed if post.acts_for(row.institution_id)), None)
    return ContributionList(request, rows).response(
        "campaigns/target_detail.html",
        {
            "target": target,
            "campaign": Campaign.objects.visible_to(post).filter(pk=target.campaign_id).first(),
            "progress": progress,
            "picture": _picture(target, progress, listed),
            "own": own,
            "may_fill": own is not None and post.has_perm(pursuing.FILL),
            "may_edit": post.acts_for(target.bureau_id) and post.has_perm(pursuing.CHANGE),
            "crumbs": [("目标任务", reverse("campaigns:target_list"))],
        },
    )


def _picture(target: Target, progress: pursuing.Progress, rows: list[Contribution]) -> Any:
    """The areas, or the units where numbers are added, as bars against the goal."""
    if target.counts_units:
        named = [(group.label, group.done, group.goal or group.units) for group in progress.groups]
        top = 100 if target.kind == Target.Kind.SHARE else max([n for _, _, n in named], default=1)
    else:
        named = [
            (row.institution.known_as, row.amount if row.is_confirmed else None, 0) for row in rows
        ]
        top = max([target.goal or 1, *(n for _, n, _ in named if n is not None)])
    ordered = sorted(named, key=lambda one: (one[1] is None, -(one[1] or 0)))
    bars = [charts.Bar(place, label, n) for place, (label, n, _) in enumerate(ordered, 1)]
    word = "占比（%）" if target.kind == Target.Kind.SHARE else f"已确认（{target.unit}）"
    return charts.ranking(f"{target.name}：进度", bars, top or 1, word) if bars else None


@require_http_methods(GET_POST)
@permission_required(pursuing.CHANGE, raise_exception=True)
def target_create(request: Request) -> HttpResponse:
    today = clock.today()
    return _edit(request, Target(bureau=request.post.institution, starts=today))


@require_http_methods(GET_POST)
@permission_required(pursuing.CHANGE, raise_exception=True)
def target_edit(request: Request, pk: int) -> HttpResponse:
    target = _target(request, pk)
    if not request.post.acts_for(target.bureau_id):
        raise PermissionDenied("目标任务由下达的行政部门维护")
    return _edit(request, target)


def _edit(request: Request, target: Target) -> HttpResponse:
    new = target.pk is None
    form = TargetForm(request.POST or None, instance=target, post=request.post)
    if form.is_bound and form.is_valid():
        made = form.save(commit=False)
        units = form.cleaned_data["units"]
        try:
            pursuing.save_target(made, by=request.post, institutions=units, parts=form.parts)
        except ValidationError as refused:
            form.add_error("institutions", refused.message)
        else:
            messages.success(request, f"已保存“{made.name}”，{len(units)} 家单位要完成")
            return redirect(made)
    context = {
        "form": form,
        "new": new,
        "back": reverse("campaigns:target_list") if new else target.get_absolute_url(),
        "crumbs": [("目标任务", reverse("campaigns:target_list"))],
    }
    return render(request, "campaigns/target_form.html", context)


def _contribution(request: Request, pk: int) -> Contribution:
    rows = Contribution.objects.visible_to(request.post).select_related(
        "institution__region", "supervisor", "author", "target__campaign", "bureau"
    )
    return get_object_or_404(rows, pk=pk)


@require_safe
@permission_required(VIEW, raise_exception=True)
def contribution_detail(request: Request, pk: int) -> HttpResponse:
    return _page(request, _contribution(request, pk))


def _page(
    request: Request,
    row: Contribution,
    *,
    form: ContributionForm | None = None,
    pressed: AskForm | None = None,
) -> HttpResponse:
    post = request.post
    writes = (
        row.status in Contribution.EDITABLE
        and post.has_perm(pursuing.FILL)
        and post.acts_for(row.institution_id)
    )
    if writes and form is None:
        form = ContributionForm(instance=row, post=post)
    moves = moves_for_template(
        row,
        post,
        url=lambda name: reverse(f"campaigns:contribution_{name}", args=[row.pk]),
        pressed=pressed,
    )
    context = {
        "row": row,
        "target": row.target,
        "tag": contribution_tag(row),
        "form": form if writes else None,
        "moves": [move for move in moves if move.name != "report"],
        "files": [
            {
                "name": f.name,
                "size": f.size,
                "url": reverse("campaigns:contribution_file", args=[row.pk, f.key]),
            }
            for f in row.files.all()
        ],
        "history": Event.objects.of(row),
        "asks": post.acts_for(row.supervisor_id) and post.has_perm(CONFIRM),
        "crumbs": [
            ("目标任务", reverse("campaigns:target_list")),
            (row.target, row.target.get_absolute_url()),
        ],
    }
    return render(request, "campaigns/contribution_detail.html", context)


@require_POST
@permission_required(pursuing.FILL, raise_exception=True)
def contribution_save(request: Request, pk: int) -> HttpResponse:
    """Keep what was written; with `then=report` hand it in as well."""
    row = _contribution(request, pk)
    if not request.post.acts_for(row.institution_id):
        raise PermissionDenied("由填报单位填写")
    version = posted_version(request)
    form = ContributionForm(request.POST, request.FILES, instance=row, post=request.post)
    if not form.is_valid():
        return _page(request, row, form=form)
    pursuing.save(row, by=request.post, version=version, files=form.stored, **form.given)
    if request.POST.get("then") != "report":
        messages.success(request, "已保存，还没有上报")
        return redirect(row)
    with refusals_said(request, "已保存，但还不能上报："):
        row.report(by=request.post, version=row.version)
        messages.success(request, f"已上报，等待{row.supervisor.known_as}确认")
    return redirect(row)


@require_POST
@permission_required(pursuing.FILL, raise_exception=True)
def contribution_report(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "report", "已上报，等待确认")


@require_POST
@permission_required(pursuing.FILL, raise_exception=True)
def contribution_recall(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "recall", "已撤回，改好后请再次上报")


@require_POST
@permission_required(pursuing.FILL, raise_exception=True)
def contribution_renew(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "renew", "请更新数据后重新上报")


@require_POST
@permission_required(CONFIRM, raise_exception=True)
def contribution_confirm(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "confirm", "已确认，计入合计")


@require_POST
@permission_required(CONFIRM, raise_exception=True)
def contribution_send_back(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "send_back", "已退回，填报单位会收到通知")


def _press(request: Request, pk: int, name: str, done: str) -> HttpResponse:
    row = _contribution(request, pk)
    form = press(request, row, name, done=done)
    if form is not None:
        return _page(request, row, pressed=form)
    return redirect(row)


@require_safe
@permission_required(VIEW, raise_exception=True)
def contribution_file(request: Request, pk: int, key: str) -> HttpResponse:
    return files.serve(_contribution(request, pk).files, key)
