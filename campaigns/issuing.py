"""Issuing a campaign, its receipt, what is added later, and its end."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse

from campaigns.drafting import RUNNING, claim, place_task
from campaigns.models import Campaign, Recipient, Report, Task
from institutions import audit, clock
from institutions.models import Department, Institution, Kind, Post, Region
from institutions.notifying import notify, posts_at


def issue(campaign: Campaign, *, by: Post, version: int) -> list[Report]:
    """Issue the paper: one report per task and responsible unit or department, and a note to each recipient.

    From here the text, phases and table stand as printed. Raises what `Workflow._move` raises, and ValidationError
    for a task that names an institution the paper is not sent to, to answer or to receive the reports.
    """
    rows = list(campaign.recipients.order_by("institution", "pk"))
    known = {row.institution_id for row in rows if row.sort == Recipient.Sort.UNIT}
    tasks = list(
        campaign.tasks.select_related("receiver").prefetch_related(
            "institutions", "unit_departments"
        )
    )
    owed = [owing for task in tasks for owing in _owing(task)]
    for task, unit, department in owed:
        if department is None and unit.pk not in known:
            raise ValidationError(f"任务“{task}”的责任单位{unit}不在主送机构中")
        if unit.pk == task.receiver_id:
            raise ValidationError(f"任务“{task}”由{unit}收集汇总，不能又是责任单位")
    for task in tasks:
        if task.receiver and task.receiver_id not in known:
            raise ValidationError(f"任务“{task}”的报送至{task.receiver}不在主送机构中")
    with transaction.atomic():
        campaign._move(
            "issue",
            by=by,
            version=version,
            data={
                "recipients": len(rows),
                "reports": len(owed),
                "sha256": audit.digest(
                    [
                        [(r.institution_id, r.department_id, r.region_id) for r in rows],
                        [(t.pk, u.pk, d and d.pk) for t, u, d in owed],
                    ]
                ),
            },
        )
        reports = _owe(campaign, owed, by)
        _tell_recipients(campaign, rows)
    return reports


Owing = tuple[Task, Institution, Department | None]


def _owing(task: Task) -> list[Owing]:
    """Return who owes a report for a task: its units, and its departments by their bureau."""
    units: list[Owing] = [(task, unit, None) for unit in task.institutions.all()]
    departments = task.unit_departments.select_related("institution")
    return units + [(task, row.institution, row) for row in departments]


def _owe(campaign: Campaign, owed: Iterable[Owing], by: Post) -> list[Report]:
    return Report.objects.bulk_create(
        Report(
            bureau_id=cast(int, unit.bureau_id),
            institution=unit,
            department=department,
            supervisor_id=task.receiver_id or campaign.institution_id,
            author=by,
            task=task,
            due=task.due,
        )
        for task, unit, department in owed
    )


def _tell(campaign: Campaign, institutions: Iterable[int], text: str, *, url: str = "") -> None:
    notify(
        posts_at(institutions, "campaigns.receive_campaign"),
        text,
        url=url or campaign.get_absolute_url(),
    )


def _tell_recipients(campaign: Campaign, rows: Iterable[Recipient]) -> None:
    """Ask each recipient once to confirm; of the bureau's own posts those of the departments addressed."""
    rows = list(rows)
    text = f"请签收：{campaign.cited}"
    departments = {row.department_id for row in rows if row.department_id}
    _tell(campaign, {row.institution_id for row in rows if not row.department_id}, text)
    if departments:
        notify(_posts_of(departments, campaign), text, url=campaign.get_absolute_url())


def _posts_of(departments: Iterable[int], campaign: Campaign) -> list[int]:
    posts = Post.objects.filter(
        pk__in=posts_at([campaign.institution_id], "campaigns.receive_campaign"),
        department__in=departments,
    )
    return list(posts.values_list("pk", flat=True))


def receive(campaign: Campaign, *, by: Post) -> bool:
    """Confirm receipt for the post's institution, department, or street's area; False when that had been done before.

    Raises PermissionDenied for a post that none of the recipients' receipt is for.
    """
    own = Recipient.objects.filter(campaign=campaign).confirmed_by(by)
    if campaign.is_draft or not by.has_perm("campaigns.receive_campaign") or not own.exists():
        raise PermissionDenied("本单位不是这份文件的主送机构")
    with transaction.atomic():
        waiting = own.filter(received_at__isnull=True)
        # By their ids: an update has no joins to look into.
        chosen = Recipient.objects.filter(pk__in=list(waiting.values_list("pk", flat=True)))
        confirmed = chosen.filter(received_at__isnull=True).update(
            received_at=clock.now(), received_by=by
        )
        if not confirmed:
            return False
        audit.record(
            "campaigns.campaign.receive",
            "签收",
            by=by,
            bureau=campaign.bureau_id,
            on=campaign,
            institution=by.institution,
            data={"recipients": confirmed},
        )
    return True


def address(
    campaign: Campaign,
    institutions: Iterable[Institution],
    *,
    by: Post,
    version: int,
    departments: Iterable[Department] = (),
    regions: Iterable[Region] = (),
) -> int:
    """Put institutions, departments, villages and streets on the list of recipients; returns how many are new.

    After issue they are told at once. A village or street is confirmed by the street office of its area, or by the
    bureau itself where the portal has none.
    """
    new = _new_recipients(campaign, institutions, departments, regions)
    if not new:
        return 0
    with transaction.atomic():
        claim(
            campaign,
            "主送机构",
            by=by,
            version=version,
            states=RUNNING,
            data={"added": len(new), "sha256": audit.digest(row.name for row in new)},
        )
        Recipient.objects.bulk_create(new)
        if not campaign.is_draft:
            _tell_recipients(campaign, new)
    return len(new)


def _new_recipients(
    campaign: Campaign,
    institutions: Iterable[Institution],
    departments: Iterable[Department],
    regions: Iterable[Region],
) -> list[Recipient]:
    rows = list(campaign.recipients.all())
    known = {(row.sort, row.department_id or row.region_id or row.institution_id) for row in rows}
    sorts = Recipient.Sort
    new = [
        Recipient(campaign=campaign, institution=row)
        for row in institutions
        if (sorts.UNIT, row.pk) not in known and row.pk != campaign.institution_id
    ]
    new += [
        Recipient(campaign=campaign, institution_id=row.institution_id, department=row)
        for row in departments
        if (sorts.DEPARTMENT, row.pk) not in known
    ]
    offices = _street_offices(campaign)
    new += [
        Recipient(
            campaign=campaign,
            institution=_office_of(row, offices) or campaign.institution,
            region=row,
        )
        for row in regions
        if (sorts.REGION, row.pk) not in known
    ]
    return new


def _street_offices(campaign: Campaign) -> dict[str, Institution]:
    """Return the street offices below the campaign's bureau by the path of their region."""
    rows = Institution.objects.under(campaign.institution).open_on(clock.today())
    return {
        row.region.path: row
        for row in rows.filter(kind=Kind.STREET).select_related("region")
        if row.region
    }


def _office_of(region: Region, offices: dict[str, Institution]) -> Institution | None:
    """Return the office of the smallest area around a region."""
    around = [path for path in offices if region.path.startswith(path)]
    return offices[max(around, key=len)] if around else None


def add_task(task: Task, *, by: Post, version: int, **chosen: Any) -> list[Report]:
    """Add a task to an issued campaign and give each of its units and departments its report."""
    campaign = task.campaign
    with transaction.atomic():
        _claim_task(campaign, f"任务（增加“{task.name}”）", by, version)
        place_task(task, **chosen)
        return _add_reports(campaign, _owing(task), task, by)


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
        return _add_reports(campaign, [(task, unit, None) for unit in new], task, by)


def _claim_task(campaign: Campaign, what: str, by: Post, version: int) -> None:
    issued = frozenset({Campaign.Status.ISSUED})
    perm = "campaigns.change_task"
    claim(campaign, what, by=by, version=version, states=issued, perm=perm)


def _add_reports(campaign: Campaign, owed: Sequence[Owing], task: Task, by: Post) -> list[Report]:
    known = set(campaign.recipients.units().values_list("institution", flat=True))
    units = [unit for _, unit, department in owed if department is None]
    for unit in units:
        if unit.pk not in known:
            raise ValidationError(f"{unit}不在主送机构中，请先补充主送")
        if unit.pk == task.receiver_id:
            raise ValidationError(f"这项任务由{unit}收集汇总，不能又是责任单位")
    if task.receiver and task.receiver_id not in known:
        raise ValidationError(f"{task.receiver}不在主送机构中，请先补充主送")
    reports = _owe(campaign, owed, by)
    url = reverse("campaigns:report_list") + f"?task={task.pk}"
    text = f"新任务：{task.name}，{task.due.month}月{task.due.day}日前报送"
    _tell(campaign, [unit.pk for unit in units], text, url=url)
    departments = [department.pk for _, _, department in owed if department]
    if departments:
        notify(_posts_of(departments, campaign), text, url=url)
    return reports


def close(campaign: Campaign, *, by: Post, version: int) -> None:
    """End the campaign once every phase is confirmed."""
    campaign._move("close", by=by, version=version)
