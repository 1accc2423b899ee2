"""A task received from above: issued on to the bureau's own units, and their accepted reports summed up for the bureau's."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from campaigns.models import Campaign, Report, Task
from campaigns.reporting import claim
from institutions import audit
from institutions.models import Post


@dataclass
class Sum:
    """What the units below have reached together. Only accepted reports count; `waiting` are handed in, not judged yet.

    `covered` holds what every unit has covered, `levels` how many units find themselves at each level.
    """

    units: int = 0
    accepted: int = 0
    waiting: int = 0
    overdue: int = 0
    number: int = 0
    numerator: int = 0
    denominator: int = 0
    problems: int = 0
    covered: list[str] = field(default_factory=list)
    levels: dict[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return f"辖区共{self.units}家，已采纳{self.accepted}家报送。"


def check(task: Task, report: Report, by: Post) -> None:
    """Raise PermissionDenied or ValidationError when `task` may not pass on what `report` answers."""
    if not by.acts_for(report.institution_id) or not by.institution.is_bureau:
        raise PermissionDenied("只有收到任务的卫生健康行政部门可以转下达")
    if task.campaign.institution_id != report.institution_id:
        raise PermissionDenied("只能在本单位的活动中转下达")
    if report.status not in Report.OPEN:
        raise ValidationError("上级任务已经报送，不能再转下达；要补充，请先撤回报送")


def start(campaign: Campaign, report: Report, by: Post) -> Task:
    """Return an unsaved task of `campaign` that asks of its own units what the received task asks."""
    above = report.task
    task = Task(
        campaign=campaign,
        passes_on=report,
        name=above.name,
        text=above.text,
        area=above.area,
        kind=above.kind,
        done_by=above.done_by,
        item=above.item,
        due=report.due,
        goal=above.goal if above.done_by == Task.DoneBy.PERCENT else None,
        unit=above.unit,
        covers=above.covers,
        objectives=above.objectives,
        programme=above.programme,
    )
    check(task, report, by)
    return task


def reports_below(report: Report, post: Post) -> Sequence[Report]:
    """Return the reports of the units to which the received task was issued on, as far as `post` sees them."""
    rows = Report.objects.visible_to(post).filter(task__passes_on=report)
    rows = rows.select_related("institution__region", "department", "task")
    return list(rows.order_by("institution__code", "pk"))


def summed(report: Report, rows: Sequence[Report]) -> Sum:
    """Return the sum of `rows`, the reports below `report`."""
    total = Sum(units=len(rows))
    accepted = [row for row in rows if row.status == Report.Status.ACCEPTED]
    total.accepted = len(accepted)
    total.waiting = sum(row.status == Report.Status.SUBMITTED for row in rows)
    total.overdue = sum(row.is_overdue for row in rows)
    for row in accepted:
        total.number += row.number or 0
        total.numerator += row.numerator or 0
        total.denominator += row.denominator or 0
        total.problems += row.problems or 0
        for code, n in levels_of(row).items():
            total.levels[code] = total.levels.get(code, 0) + n
    if accepted:
        total.covered = [
            name for name in report.task.covers if all(name in row.covered for row in accepted)
        ]
    return total


def levels_of(row: Report) -> dict[str, int]:
    """Return how many units a report counts at each level: itself, or those a bureau took over."""
    return row.sums.get("levels") or ({row.level: 1} if row.level else {})


def level_lines(rows: Sequence[Report]) -> list[tuple[str, int]]:
    """Return (level, number of units) over accepted reports, from the highest level down; none without a self-check."""
    counts: dict[str, int] = {}
    for row in rows:
        if row.status == Report.Status.ACCEPTED:
            for code, n in levels_of(row).items():
                counts[code] = counts.get(code, 0) + n
    order = reversed(Report.Level.choices)
    return [(label, counts[code]) for code, label in order if code in counts]


def checked_of(row: Report) -> tuple[int, int]:
    """Return how many units a report stands for, and how many of them have checked themselves."""
    if row.sums:
        return row.sums.get("units", 0), row.sums.get("checked", 0)
    return 1, int(bool(row.level))


def take_over(report: Report, *, by: Post, version: int) -> Sum:
    """Write the sum of the accepted reports below into the bureau's own report, as far as its task asks for it.

    What was written in words stays. Raises ValidationError as long as no report below is accepted.
    """
    with transaction.atomic():
        claim(report, by, version)
        total = summed(report, reports_below(report, by))
        if not total.accepted:
            raise ValidationError("下级单位还没有采纳的报送，没有可以采用的合计")
        _write(report, total)
        audit.record(
            "campaigns.report.take_over",
            "采用下级合计",
            by=by,
            bureau=report.bureau_id,
            on=report,
            institution=report.institution,
            data={**report.sums, "value": report.value_text},
        )
    return total


def _write(report: Report, total: Sum) -> None:
    match report.task.done_by:
        case Task.DoneBy.NUMBER:
            report.number = total.number
        case Task.DoneBy.PERCENT if total.denominator:
            report.numerator, report.denominator = total.numerator, total.denominator
        case Task.DoneBy.COVERAGE:
            report.covered = total.covered
        case Task.DoneBy.CHECK:
            report.problems = total.problems
    report.sums = {"units": total.units, "checked": total.accepted, "levels": total.levels}
    report.text = report.text or total.text
    report.save()
