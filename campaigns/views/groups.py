"""Working groups: rosters as the papers print them, and which villages nobody looks after."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns import grouping
from campaigns.group_forms import GroupForm, MemberForm
from campaigns.group_lists import GroupList, group_tag
from campaigns.log_forms import below
from campaigns.models import Group, Member
from institutions import clock, files
from institutions.http import Request, posted_version
from institutions.models import Event
from institutions.moves import moves_for_template, press

VIEW = "campaigns.view_group"
WRITE = "campaigns.write_group"
GET_POST = ["GET", "HEAD", "POST"]


def _crumb() -> tuple[str, str]:
    return "工作组织", reverse("campaigns:group_list")


@require_safe
@permission_required(VIEW, raise_exception=True)
def group_list(request: Request) -> HttpResponse:
    rows = (
        Group.objects.visible_to(request.post)
        .select_related("institution")
        .prefetch_related("members")
        .annotate(size=Count("members"))
    )
    organised = Group.objects.visible_to(request.post).filter(
        kind=Group.Kind.TASKFORCE, status=Group.Status.ACTIVE
    )
    without = below(request.post).exclude(pk__in=organised.order_by().values("institution"))
    return GroupList(request, rows).response(
        "campaigns/group_list.html", {"without": list(without[:60])}
    )


@require_http_methods(GET_POST)
@permission_required(WRITE, raise_exception=True)
def group_create(request: Request) -> HttpResponse:
    form = GroupForm(
        request.POST or None,
        request.FILES or None,
        post=request.post,
        initial={"set_up_on": clock.today()},
    )
    if form.is_bound and form.is_valid():
        group = grouping.set_up(form.save(commit=False), by=request.post, files=form.stored)
        messages.success(request, "已建立，请增加成员")
        return redirect(group)
    context = {"form": form, "crumbs": [_crumb()], "cancel_url": _crumb()[1]}
    return render(request, "campaigns/group_form.html", context)


def _group(request: Request, pk: int) -> Group:
    rows = Group.objects.visible_to(request.post).select_related(
        "institution__region", "supervisor", "author", "campaign", "region"
    )
    return get_object_or_404(rows, pk=pk)


def _own_group(request: Request, pk: int) -> Group:
    group = _group(request, pk)
    if not request.post.acts_for(group.institution_id):
        raise PermissionDenied("由建立单位办理")
    return group


@require_http_methods(GET_POST)
@permission_required(WRITE, raise_exception=True)
def group_edit(request: Request, pk: int) -> HttpResponse:
    group = _own_group(request, pk)
    form = GroupForm(request.POST or None, request.FILES or None, instance=group, post=request.post)
    if form.is_bound and form.is_valid():
        grouping.change(
            form.save(commit=False),
            by=request.post,
            version=posted_version(request),
            files=form.stored,
        )
        messages.success(request, "已保存")
        return redirect(group)
    crumbs = [_crumb(), (group.name, group.get_absolute_url())]
    context = {"form": form, "group": group, "crumbs": crumbs, "cancel_url": crumbs[-1][1]}
    return render(request, "campaigns/group_form.html", context)


@require_safe
@permission_required(VIEW, raise_exception=True)
def group_detail(request: Request, pk: int) -> HttpResponse:
    group = _group(request, pk)
    members = list(group.members.select_related("region"))
    by_duty: dict[str, list[Member]] = {label: [] for label in Member.Duty.labels}
    for member in members:
        by_duty[member.get_duty_display()].append(member)
    villages = group.villages().count()
    gaps = grouping.uncovered(group) if villages else []
    writes = request.post.acts_for(group.institution_id) and request.post.has_perm(WRITE)
    moves = moves_for_template(
        group,
        request.post,
        url=lambda name: reverse(f"campaigns:group_{name}", args=[group.pk]),
    )
    context: dict[str, Any] = {
        "group": group,
        "tag": group_tag(group),
        "roster": [(label, rows) for label, rows in by_duty.items() if rows],
        "size": len(members),
        "missing": group.missing_professions,
        "villages": villages,
        "covered": villages - len(gaps),
        "gaps": gaps,
        "may_edit": writes and group.status in Group.EDITABLE,
        "moves": moves,
        "files": [
            {
                "name": file.name,
                "size": file.size,
                "url": reverse("campaigns:group_file", args=[group.pk, file.key]),
            }
            for file in group.files.all()
        ],
        "history": Event.objects.of(group),
        "crumbs": [_crumb()],
    }
    return render(request, "campaigns/group_detail.html", context)


@require_POST
@permission_required(WRITE, raise_exception=True)
def group_dissolve(request: Request, pk: int) -> HttpResponse:
    group = _group(request, pk)
    press(request, group, "dissolve", done="已撤销")
    return redirect(group)


@require_http_methods(GET_POST)
@permission_required(WRITE, raise_exception=True)
def member_create(request: Request, pk: int) -> HttpResponse:
    group = _own_group(request, pk)
    form = MemberForm(request.POST or None, group=group, post=request.post)
    if form.is_bound and form.is_valid():
        member = grouping.add_member(
            group, form.save(commit=False), by=request.post, version=posted_version(request)
        )
        messages.success(request, f"已增加{member}")
        return redirect(group)
    crumbs = [_crumb(), (group.name, group.get_absolute_url())]
    context = {"form": form, "group": group, "crumbs": crumbs, "cancel_url": crumbs[-1][1]}
    return render(request, "campaigns/member_form.html", context)


@require_POST
@permission_required(WRITE, raise_exception=True)
def member_remove(request: Request, pk: int) -> HttpResponse:
    rows = Member.objects.visible_to(request.post).select_related("group__institution")
    member = get_object_or_404(rows, pk=pk)
    group = member.group
    grouping.remove_member(group, member, by=request.post, version=posted_version(request))
    messages.success(request, "已去掉")
    return redirect(group)


@require_safe
@permission_required(VIEW, raise_exception=True)
def group_file(request: Request, pk: int, key: str) -> HttpResponse:
    return files.serve(_group(request, pk).files, key)
