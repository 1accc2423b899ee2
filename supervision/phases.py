"""The gate of a phase: it is confirmed only when nothing that belongs to it is still open (全部问题整改到位)."""

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse

from campaigns.models import Phase, Report
from institutions.models import Post
from supervision.models import Rectification


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
