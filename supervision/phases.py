"""The gate of a phase: it is confirmed only when nothing that belongs to it is still open (全部问题整改到位)."""

from dataclasses import dataclass
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse

from campaigns.models import Phase, Report
from institutions.models import Post
from supervision.models import Rectification

SHOWN = 100  # rows named one by one; the rest is in the lists that the counts lead to


@dataclass(frozen=True)
class Obstacle:
    """What stands in the way: how many of which, and the list that shows exactly those."""

    label: str
    url: str
    count: int

    def __str__(self) -> str:
        return f"{self.label} {self.count} 项"


def what_stands_in_the_way(phase: Phase, post: Post) -> list[Obstacle]:
    """Return what keeps `phase` from being confirmed: open rectifications and reports not accepted. Two queries.

    Counts all rows of the phase, whatever part of them `post` may see: the gate is the phase's, not the reader's.
    """
    rectifications = Rectification.objects.open().filter(problem__phase=phase).count()
    reports = Report.objects.filter(task__phase=phase).exclude(status=Report.Status.ACCEPTED)
    found = [
        Obstacle(
            "未销号的整改",
            f"{reverse('supervision:rectification_list')}?phase={phase.pk}&status=open",
            rectifications,
        ),
        Obstacle(
            "未采纳的任务报送",
            f"{reverse('campaigns:report_list')}?phase={phase.pk}&status=pending",
            reports.count(),
        ),
    ]
    return [obstacle for obstacle in found if obstacle.count]


@dataclass(frozen=True)
class Pending:
    """One row that stands in the way: whose it is, what, how it stands, until when."""

    sort: str
    institution: str
    text: str
    state: str
    due: date
    url: str


def rows_in_the_way(phase: Phase, post: Post) -> list[Pending]:
    """Return the open rows of a phase that `post` may see, the earliest due first, at most SHOWN of each sort. Two queries."""
    duties = Rectification.objects.visible_to(post).open().filter(problem__phase=phase)
    duties = duties.select_related("institution", "problem").order_by("due", "pk")[:SHOWN]
    reports = Report.objects.visible_to(post).filter(task__phase=phase)
    reports = reports.exclude(status=Report.Status.ACCEPTED).select_related("institution", "task")
    found = [
        Pending(
            "整改",
            duty.institution.known_as,
            duty.problem.text,
            duty.get_status_display(),
            duty.due,
            duty.get_absolute_url(),
        )
        for duty in duties
    ]
    found += [
        Pending(
            "任务报送",
            report.institution.known_as,
            report.task.name,
            report.get_status_display(),
            report.due,
            report.get_absolute_url(),
        )
        for report in reports.order_by("due", "pk")[:SHOWN]
    ]
    return sorted(found, key=lambda row: row.due)


def confirm_phase(phase: Phase, *, by: Post, version: int) -> None:
    """Confirm the phase as complete. Raises ValidationError naming what is still open, PermissionDenied, StaleState."""
    if not phase.may("confirm", by):
        raise PermissionDenied("阶段由组织活动的单位确认完成")
    with transaction.atomic():
        # Held until the end: problems handed out to this phase meanwhile wait for it (handing_out) and are refused.
        Phase.objects.select_for_update().filter(pk=phase.pk).first()
        if phase.status == Phase.Status.OPEN and (stuck := what_stands_in_the_way(phase, by)):
            raise ValidationError("还不能确认阶段完成：" + "、".join(str(o) for o in stuck))
        phase._move("confirm", by=by, version=version)
