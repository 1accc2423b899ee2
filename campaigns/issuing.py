"""Issuing a campaign, its receipt, what is added later, and its end."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse

from campaigns.drafting import RUNNING, claim, place_task
from campaigns.models import Campaign, Recipient, Report, Task
from institutions import audit, clock
from institutions.models import Institution, Post
from institutions.notifying import notify, posts_at


def issue(campaign: Campaign, *, by: Post, version: int) -> list[Report]:
    """Issue the paper: one report per task and institution, and a note to each recipient.

    From here the text, phases and table stand as printed. Raises what `Workflow._move` raises, and ValidationError
    for a task that names an institution the paper is not sent to.
    """
    recipients = list(
        campaign.recipients.values_list("institution", flat=True).order_by("institution")
    )
    tasks = list(campaign.tasks.prefetch_related("institutions"))
    owed = [(task, unit) for task in tasks for unit in task.institutions.all()]
    for task, unit in owed:
        if unit.pk not in recipients:
            raise ValidationError(f"任务“{task}”的责任单位{unit}不在主送机构中")
    with transaction.atomic():
        campaign._move(
            "issue",
            by=by,
            version=version,
            data={
                "recipients": len(recipients),
                "reports": len(owed),
                "sha256": audit.digest([recipients, [(t.pk, u.pk) for t, u in owed]]),
            },
        )
        reports = _owe(campaign, owed, by)
        _tell(campaign, recipients, f"请签收：{campaign.cited}")
    return reports


def _owe(campaign: Campaign, owed: Iterable[tuple[Task, Institution]], by: Post) -> list[Report]:
    return Report.objects.bulk_create(
        Report(
            bureau_id=cast(int, unit.bureau_id),
            institution=unit,
            supervisor_id=campaign.institution_id,
            author=by,
            task=task,
            due=task.due,
        )
        for task, unit in owed
    )


def _tell(campaign: Campaign, institutions: Iterable[int], text: str, *, url: str = "") -> None:
    notify(
        posts_at(institutions, "campaigns.receive_campaign"),
        text,
        url=url or campaign.get_absolute_url(),
    )


def receive(campaign: Campaign, *, by: Post) -> bool:
    """Confirm receipt for the post's institution; False when that had been done before.

    Raises PermissionDenied for an institution the paper was not sent to.
    """
    recipient = Recipient.objects.filter(campaign=campaign, institution=by.institution).first()
    if recipient is None or campaign.is_draft or not by.has_perm("campaigns.receive_campaign"):
        raise PermissionDenied("本单位不是这份文件的主送机构")
    with transaction.atomic():
        waiting = Recipient.objects.filter(pk=recipient.pk, received_at__isnull=True)
        if not waiting.update(received_at=clock.now(), received_by=by):
            return False
        audit.record(
            "campaigns.campaign.receive",
            "签收",
            by=by,
            bureau=campaign.bureau_id,
            on=campaign,
            institution=by.institution,
        )
    return True


def address(
    campaign: Campaign, institutions: Iterable[Institution], *, by: Post, version: int
) -> int:
    """Put institutions on the list of recipients; returns how many are new. After issue they are told at once."""
    known = set(campaign.recipients.values_list("institution", flat=True))
    new = [row for row in institutions if row.pk not in known and row.pk != campaign.institution_id]
    if not new:
        return 0
    with transaction.atomic():
        claim(
            campaign,
            "主送机构",
            by=by,
            version=version,
            states=RUNNING,
            data={"added": len(new), "sha256": audit.digest(row.code for row in new)},
        )
        Recipient.objects.bulk_create(Recipient(campaign=campaign, institution=r) for r in new)
        if not campaign.is_draft:
            ids = [row.pk for row in new]
            _tell(campaign, ids, f"请签收：{campaign.cited}")
    return len(new)


def add_task(task: Task, *, by: Post, version: int, institutions, **chosen: Any) -> list[Report]:
    """Add a task to an issued campaign and give each of its institutions its report."""
    campaign = task.campaign
    with transaction.atomic():
        _claim_task(campaign, f"任务（增加“{task.name}”）", by, version)
        place_task(task, institutions=institutions, **chosen)
        return _add_reports(campaign, task, list(institutions), by)


def add_institutions(
    task: Task, institutions: Iterable[Institution], *, by: Post, version: int
) -> list[Report]:
    """Give more institutions an issued task; those that have it already are left alone."""
    campaign = task.campaign
    has = set(task.institutions.values_list("pk", flat=True))
    new = [row for row in institutions if row.pk not in has]
    with transaction.atomic():
        _claim_task(campaign, f"任务（“{task.name}”增加责任单位）", by, version)
        task.institutions.add(*new)
        return _add_reports(campaign, task, new, by)


def _claim_task(campaign: Campaign, what: str, by: Post, version: int) -> None:
    issued = frozenset({Campaign.Status.ISSUED})
    perm = "campaigns.change_task"
    claim(campaign, what, by=by, version=version, states=issued, perm=perm)


def _add_reports(
    campaign: Campaign, task: Task, units: Sequence[Institution], by: Post
) -> list[Report]:
    known = set(campaign.recipients.values_list("institution", flat=True))
    for unit in units:
        if unit.pk not in known:
            raise ValidationError(f"{unit}不在主送机构中，请先补充主送")
    reports = _owe(campaign, [(task, unit) for unit in units], by)
    url = reverse("campaigns:report_list") + f"?task={task.pk}"
    text = f"新任务：{task.name}，{task.due.month}月{task.due.day}日前报送"
    _tell(campaign, [unit.pk for unit in units], text, url=url)
    return reports


def close(campaign: Campaign, *, by: Post, version: int) -> None:
    """End the campaign once every phase is confirmed."""
    campaign._move("close", by=by, version=version)
