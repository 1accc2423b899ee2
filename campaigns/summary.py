"""How far a campaign is, and what an institution owes it: figures for pages, in a constant number of queries."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from django.db.models import Count, Q

from campaigns.models import Campaign, Phase, Recipient, Report, SupervisionFocus, Task
from institutions import clock
from institutions.models import Institution, Post
from institutions.rounding import percent_text


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


@dataclass(frozen=True)
class RegionProgress:
    """How many of a region's units have their report accepted; `missing` have not handed it in."""

    name: str
    total: int
    accepted: int
    missing: int


def by_region(rows) -> list[RegionProgress]:
    """Return the progress of a queryset of reports by the region of the units, in one query."""
    open_ = Q(status__in=Report.OPEN)
    grouped = (
        rows.order_by("institution__region__code")
        .values("institution__region__code", "institution__region__name")
        .annotate(
            total=Count("pk"),
            accepted=Count("pk", filter=Q(status=Report.Status.ACCEPTED)),
            missing=Count("pk", filter=open_),
        )
    )
    return [
        RegionProgress(
            row["institution__region__name"] or "未填区划",
            row["total"],
            row["accepted"],
            row["missing"],
        )
        for row in grouped
    ]


@dataclass
class Reached:
    """What the accepted reports of a task come to: `text` in words, `units` that reach the target."""

    text: str = ""
    units: int = 0


def reached(task: Task, rows) -> Reached:
    """Return what the accepted reports in `rows` come to together; one query, none where nothing is counted."""
    if task.done_by not in Report.COUNTED:
        return Reached()
    done = list(rows.filter(status=Report.Status.ACCEPTED).order_by())
    for row in done:
        row.task = task
    units = sum(row.reached is True for row in done)
    match task.done_by:
        case Task.DoneBy.NUMBER:
            return Reached(f"合计 {sum(row.number or 0 for row in done)}{task.unit}", units)
        case Task.DoneBy.PERCENT:
            part = sum(row.numerator or 0 for row in done)
            whole = sum(row.denominator or 0 for row in done)
            if not whole:
                return Reached(units=units)
            return Reached(f"合计 {percent_text(Fraction(part, whole))}（{part}/{whole}）", units)
    covered = sum(len(row.covered) for row in done)
    return Reached(f"已覆盖 {covered} / {len(done) * len(task.covers)}", units)


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
