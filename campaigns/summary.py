"""How far a campaign is, and what an institution owes it: figures for pages, in a constant number of queries."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q

from campaigns.models import Campaign, Phase, Recipient, Report, SupervisionFocus, Task
from institutions import clock
from institutions.models import Institution, Post


@dataclass
class Counts:
    """Reports by status; `overdue` are those among open and returned whose deadline has passed."""

    open: int = 0
    submitted: int = 0
    returned: int = 0
    accepted: int = 0
    overdue: int = 0

    @property
    def total(self) -> int:
        return self.open + self.submitted + self.returned + self.accepted

    def add(self, status: str, number: int, overdue: int) -> None:
        setattr(self, status, getattr(self, status) + number)
        self.overdue += overdue


@dataclass
class TaskProgress:
    task: Task
    counts: Counts = field(default_factory=Counts)


@dataclass
class PhaseProgress:
    """One phase with its tasks; `phase` is None for tasks that belong to no phase."""

    phase: Phase | None
    counts: Counts = field(default_factory=Counts)
    tasks: list[TaskProgress] = field(default_factory=list)


@dataclass
class CampaignProgress:
    """`sent` and `received` count the recipients in sight of the post that asks."""

    sent: int
    received: int
    phases: list[PhaseProgress]
    counts: Counts

    @property
    def waiting(self) -> int:
        return self.sent - self.received


def campaign_progress(campaign: Campaign, post: Post) -> CampaignProgress:
    """Return receipts, and reports by status per phase and task, as far as `post` sees them; four queries."""
    receipts = (
        Recipient.objects.visible_to(post)
        .filter(campaign=campaign)
        .aggregate(sent=Count("pk"), received=Count("received_at"))
    )
    phases = {phase.pk: PhaseProgress(phase) for phase in campaign.phases.all()}
    tasks: dict[int, tuple[PhaseProgress, TaskProgress]] = {}
    loose = PhaseProgress(None)
    for task in Task.objects.visible_to(post).filter(campaign=campaign):
        task.campaign = campaign
        group = phases[task.phase_id] if task.phase_id else loose
        group.tasks.append(TaskProgress(task))
        tasks[task.pk] = (group, group.tasks[-1])
    total = Counts()
    for task_id, status, number, overdue in _by_status(campaign, post):
        if task_id in tasks:
            group, line = tasks[task_id]
            for counts in (total, group.counts, line.counts):
                counts.add(status, number, overdue)
    groups = [*phases.values(), loose] if loose.tasks else list(phases.values())
    return CampaignProgress(receipts["sent"], receipts["received"], groups, total)


def _by_status(campaign: Campaign, post: Post):
    late = Q(status__in=Report.OPEN, due__lt=clock.today())
    rows = Report.objects.visible_to(post).filter(task__campaign=campaign).order_by()
    return (
        rows.values("task", "status")
        .annotate(n=Count("pk"), late=Count("pk", filter=late))
        .values_list("task", "status", "n", "late")
    )


def counts_of(rows) -> Counts:
    """Return the counts of a queryset of reports, in one query."""
    late = Q(status__in=Report.OPEN, due__lt=clock.today())
    counts = Counts()
    grouped = (
        rows.order_by().values("status").annotate(n=Count("pk"), late=Count("pk", filter=late))
    )
    for row in grouped:
        counts.add(row["status"], row["n"], row["late"])
    return counts


def summary_for(institution: Institution, post: Post) -> dict[str, Any]:
    """Return what the campaigns floor tells on an institution's page; five queries.

    `receipts` (of campaigns that are not closed), `counts` of its reports, `open_reports` (the next five),
    `focuses` (its rows in the tables of 督导重点).
    """
    reports = Report.objects.visible_to(post).filter(institution=institution)
    running = ~Q(campaign__status=Campaign.Status.CLOSED)
    return {
        "receipts": list(
            Recipient.objects.visible_to(post)
            .units()
            .filter(running, institution=institution)
            .select_related("campaign", "received_by")
            .order_by("-campaign__issued_on", "pk")[:10]
        ),
        "counts": counts_of(reports),
        "open_reports": list(
            reports.open().select_related("task__campaign", "institution").order_by("due", "pk")[:5]
        ),
        "focuses": list(
            SupervisionFocus.objects.visible_to(post)
            .filter(running, institutions=institution)
            .select_related("campaign")
            .prefetch_related("items")[:10]
        ),
    }
