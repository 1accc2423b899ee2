"""Asking units for their plans, and what a unit writes before it hands its plan in."""

from collections.abc import Iterable, Sequence

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse

from campaigns.models import Plan, PlanCall, PlanLine, Task
from institutions import audit
from institutions.models import Institution, Post, StoredFile
from institutions.notifying import notify, posts_at
from institutions.workflow import touch


def ask(call: PlanCall, institutions: Iterable[Institution], *, by: Post) -> list[Plan]:
    """Ask these units for a plan: one for each, told at once. Where a plan says who answers, its tasks stand in it."""
    _claim_call(by, by.institution_id)
    call.bureau_id = call.institution_id = by.institution_id
    call.author = by
    with transaction.atomic():
        call.save()
        return _give(call, list(institutions), by, "要求上报计划方案")


def change(
    call: PlanCall, institutions: Iterable[Institution], *, by: Post, moved: bool
) -> list[Plan]:
    """Save a changed call and ask more units; `moved` carries a new deadline to the plans that are still owed."""
    _claim_call(by, call.institution_id)
    with transaction.atomic():
        call.save()
        if moved:
            call.plans.filter(status__in=Plan.OWED).update(due=call.due)
        return _give(call, list(institutions), by, "修改计划方案要求")


def _claim_call(by: Post, institution_id: int) -> None:
    if not by.has_perm("campaigns.call_plan") or not by.acts_for(institution_id):
        raise PermissionDenied("由要求上报的单位办理")


def _give(call: PlanCall, units: list[Institution], by: Post, label: str) -> list[Plan]:
    plans = Plan.objects.bulk_create(
        Plan(
            bureau_id=unit.bureau_id or unit.pk,
            institution=unit,
            supervisor_id=call.institution_id,
            author=by,
            call=call,
            due=call.due,
        )
        for unit in units
    )
    if call.has_lines and call.campaign is not None:
        _list_tasks(call, plans)
    ids = [unit.pk for unit in units]
    audit.record(
        "campaigns.plancall.ask",
        label,
        by=by,
        bureau=call.bureau_id,
        on=call,
        institution=by.institution,
        data={"plans": len(ids), "due": str(call.due), "sha256": audit.digest(ids)},
    )
    text = f"请上报：{call.name}，{call.due.month}月{call.due.day}日前"
    url = f"{reverse('campaigns:plan_list')}?call={call.pk}"
    notify(posts_at(ids, "campaigns.write_plan"), text, url=url)
    return plans


def _list_tasks(call: PlanCall, plans: Sequence[Plan]) -> None:
    of_unit = {plan.institution_id: plan for plan in plans}
    rows = Task.institutions.through.objects.filter(
        task__campaign=call.campaign, institution__in=list(of_unit)
    )
    PlanLine.objects.bulk_create(
        PlanLine(
            plan=of_unit[row.institution_id],
            task=row.task,
            position=row.task.position,
            text=row.task.name,
        )
        for row in rows.select_related("task").order_by("task__position")
    )


def save(
    plan: Plan,
    *,
    by: Post,
    version: int,
    text: str,
    files: Sequence[StoredFile] = (),
    lines: Sequence[PlanLine] = (),
    gone: Sequence[PlanLine] = (),
) -> None:
    """Keep what was written so far; it is handed in by `submit`. StaleState when it is no longer as `by` saw it."""
    with transaction.atomic():
        _claim(plan, by, version)
        plan.text = text
        plan.save(update_fields=["text"])
        plan.files.add(*files)
        for line in gone:
            line.delete()
        last = plan.lines.count()
        for line in lines:
            if line.pk is None:
                last += 1
                line.plan, line.position = plan, last
            line.save()


def remove_file(plan: Plan, file: StoredFile, *, by: Post, version: int) -> None:
    """Take a file out of the draft; versions that were handed in keep it."""
    with transaction.atomic():
        _claim(plan, by, version)
        plan.files.remove(file)
        audit.record(
            "campaigns.plan.remove_file",
            "删除文件",
            by=by,
            bureau=plan.bureau_id,
            on=plan,
            institution=plan.institution,
            note=file.name,
            data={"sha256": file.sha256},
        )


def _claim(plan: Plan, by: Post, version: int) -> None:
    if not by.has_perm("campaigns.write_plan") or not by.acts_for(plan.institution_id):
        raise PermissionDenied("由上报单位填写")
    touch(plan, version=version, editable=Plan.EDITABLE)
