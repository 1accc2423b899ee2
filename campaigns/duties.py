"""责任矩阵: who owes what of a campaign, as one table of tasks by units, departments or leaders."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Prefetch, prefetch_related_objects
from django.urls import reverse

from campaigns.models import Campaign, Phase, Report, Task
from campaigns.summary import CampaignProgress, Counts, TaskProgress
from institutions import clock
from institutions.models import Institution, Post

BY = {"unit": "责任科室单位", "department": "牵头科室", "leader": "责任领导"}
TONES = {"open": "info", "submitted": "warn", "returned": "bad", "accepted": "ok"}


@dataclass(frozen=True)
class Duty:
    """One cell: what a row has to do with a task; `tone` empty where it has nothing to do with it."""

    text: str = ""
    tone: str = ""
    url: str = ""


@dataclass(frozen=True)
class Column:
    """One task, as the head of its column."""

    name: str
    due: date
    url: str


@dataclass
class Row:
    label: str
    url: str = ""
    duties: list[Duty] = field(default_factory=list)

    @property
    def cells(self) -> list[Duty]:
        return self.duties


@dataclass
class Matrix:
    by: str
    columns: list[Column]
    rows: list[Row]

    @property
    def corner(self) -> str:
        return BY[self.by]

    @property
    def headers(self) -> list[str]:
        """The heads of the exported table: each task with its deadline."""
        return [
            self.corner,
            *(f"{c.name}（{c.due.month}月{c.due.day}日前）" for c in self.columns),
        ]

    def lines(self) -> Iterator[list[str]]:
        for row in self.rows:
            yield [row.label, *(duty.text for duty in row.duties)]

    @property
    def paired(self) -> list[tuple[Row, list[tuple[Column, Duty]]]]:
        """Each row with its cells and their columns, as the page prints them."""
        return [(row, list(zip(self.columns, row.duties, strict=True))) for row in self.rows]


def matrix(campaign: Campaign, post: Post, by: str) -> Matrix:
    """Return the matrix of a campaign as far as `post` sees it; at most six queries whatever its size."""
    units = Prefetch("institutions", Institution.objects.visible_to(post))
    tasks = list(
        Task.objects.visible_to(post)
        .filter(campaign=campaign)
        .prefetch_related("leaders", "departments", "unit_departments", units)
    )
    reports = list(
        Report.objects.visible_to(post)
        .filter(task__campaign=campaign)
        .select_related("institution", "department")
        .order_by("institution__code", "pk")
    )
    columns = [Column(task.name, task.due, task.get_absolute_url()) for task in tasks]
    rows = _by_unit(tasks, reports) if by == "unit" else _by_head(tasks, reports, by)
    return Matrix(by, columns, rows)


def _by_unit(tasks: list[Task], reports: list[Report]) -> list[Row]:
    """Rows of units, then of the bureau's own departments; before the issue nobody has a report yet."""
    given: dict[tuple[bool, Any], dict[int, Duty]] = {}
    rows: dict[tuple[bool, Any], Row] = {}
    for task in tasks:
        for unit in task.institutions.all():
            key = (False, unit.code)
            rows.setdefault(key, Row(unit.known_as, unit.get_absolute_url()))
            given.setdefault(key, {})[task.pk] = Duty("待印发", "muted")
        for department in task.unit_departments.all():
            key = (True, department.name)
            rows.setdefault(key, Row(department.name))
            given.setdefault(key, {})[task.pk] = Duty("待印发", "muted")
    for report in reports:
        own = report.department
        key = (True, own.name) if own else (False, report.institution.code)
        url = "" if own else report.institution.get_absolute_url()
        rows.setdefault(key, Row(report.unit_name, url))
        given.setdefault(key, {})[report.task_id] = _duty(report)
    for key, row in rows.items():
        row.duties = [given[key].get(task.pk, Duty()) for task in tasks]
    return [rows[key] for key in sorted(rows)]


def _duty(report: Report) -> Duty:
    if report.is_overdue:
        return Duty(f"逾期{-clock.days_left(report.due)}天", "bad", report.get_absolute_url())
    return Duty(report.get_status_display(), TONES[report.status], report.get_absolute_url())


def _by_head(tasks: list[Task], reports: list[Report], by: str) -> list[Row]:
    """Rows of those who lead: how many of a task's reports are accepted, and how many are late."""
    counts: dict[int, Counts] = {task.pk: Counts() for task in tasks}
    for report in reports:
        if report.task_id in counts:
            counts[report.task_id].add(report.status, 1, int(report.is_overdue))
    heads: dict[int, Row] = {}
    led: dict[int, set[int]] = {}
    for task in tasks:
        for pk, row in _leaders(task) if by == "leader" else _departments(task):
            heads.setdefault(pk, row)
            led.setdefault(pk, set()).add(task.pk)
    for pk, row in heads.items():
        row.duties = [
            _led(task, counts[task.pk]) if task.pk in led[pk] else Duty() for task in tasks
        ]
    return sorted(heads.values(), key=lambda row: row.label)


def _leaders(task: Task) -> Iterator[tuple[int, Row]]:
    for post in task.leaders.all():
        yield post.pk, Row(post.title, reverse("leader_page", args=[post.pk]))


def _departments(task: Task) -> Iterator[tuple[int, Row]]:
    for department in task.departments.all():
        yield department.pk, Row(department.name)


def _led(task: Task, counts: Counts) -> Duty:
    if not counts.total:
        return Duty("牵头", "info", task.get_absolute_url())
    late = f"，逾期{counts.overdue}" if counts.overdue else ""
    done = counts.accepted == counts.total
    tone = "bad" if counts.overdue else "ok" if done else "info"
    return Duty(f"已采纳{counts.accepted}/{counts.total}{late}", tone, task.get_absolute_url())


@dataclass
class Area:
    """任务领域: its tasks in the order of the paper; `answering` is who answers for all of them, if they agree."""

    name: str
    answering: str = ""
    lines: list[tuple[TaskProgress, Phase | None]] = field(default_factory=list)


def by_area(progress: CampaignProgress) -> list[Area]:
    """Return the tasks of a campaign by area; four queries for who answers."""
    lines = [(line, group.phase) for group in progress.phases for line in group.tasks]
    lines.sort(key=lambda pair: pair[0].task.position)
    related = ("leaders", "departments", "unit_departments", "institutions")
    prefetch_related_objects([line.task for line, _ in lines], *related)
    areas: dict[str, Area] = {}
    for line, phase in lines:
        area = areas.setdefault(line.task.area, Area(line.task.area))
        area.lines.append((line, phase))
    for area in areas.values():
        said = {line.task.answering for line, _ in area.lines}
        area.answering = said.pop() if len(said) == 1 else ""
    return list(areas.values())
