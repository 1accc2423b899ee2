"""The lists of this floor: rounds, visits, problems, and the 整改台账."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import django_filters
from django import forms
from django.db import models
from django.db.models import Case, Q, When

from campaigns.models import Campaign, Phase, Task
from institutions import clock
from institutions.forms import ScopedFilterSet
from institutions.http import Request
from institutions.listing import Cell, Column, Heading, Line, Listing, Tag
from institutions.models import Institution, Post, ServiceItem
from institutions.models.institution import CLINIC_KINDS
from institutions.roles import Role
from supervision.models import Problem, Rectification, Severity, Source, SupervisionRound, Visit

TONES = {
    "draft": "muted",
    "issued": "info",
    "closed": "ok",
    "planned": "info",
    "submitted": "warn",
    "confirmed": "ok",
    "objected": "bad",
    "cancelled": "muted",
    "assigned": "warn",
    "signed": "info",
    "applied": "info",
    "returned": "bad",
    "withdrawn": "muted",
}
SEVERITY_TONES: dict[str, str] = {
    Severity.MINOR: "muted",
    Severity.MAJOR: "warn",
    Severity.FRAUD: "bad",
}
WEEK = timedelta(days=7)


def status_tag(row: Any) -> Tag:
    return Tag(row.get_status_display(), TONES[row.status])


def severity_tag(problem: Problem) -> Tag:
    return Tag(problem.get_severity_display(), SEVERITY_TONES[problem.severity])


def date_text(day: Any) -> str:
    return f"{day:%Y-%m-%d}" if day else ""


def span_text(starts: Any, ends: Any) -> str:
    return date_text(starts) if starts == ends else f"{date_text(starts)} 至 {date_text(ends)}"


class HiddenFilter(django_filters.ModelChoiceFilter):
    """A filter that only links use: one row by its key, within what is in sight."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, widget=forms.HiddenInput, **kwargs)


class UnitFilterSet(ScopedFilterSet):
    """Filters by a unit and what stands below it, by an institution itself, and by whose side one is on."""

    unit = django_filters.ModelChoiceFilter(
        label="机构（含下级）", queryset=Institution.objects.all(), method="under"
    )
    institution = HiddenFilter(queryset=Institution.objects.all())
    scope = django_filters.ChoiceFilter(
        label="范围", choices=[("own", "本单位的"), ("asked", "本单位督导的")], method="by_side"
    )

    def __init__(self, data=None, queryset=None, *, request, **kwargs):
        super().__init__(data, queryset, request=request, **kwargs)
        self.post = request.post
        fields = self.form.fields
        near = Q(parent=self.post.institution_id) | Q(parent=self.post.institution.bureau_id)
        fields["unit"].queryset = fields["unit"].queryset.filter(near)
        if self.post.institution.kind in CLINIC_KINDS:
            # It supervises nobody: all it sees is its own.
            del fields["scope"], fields["unit"]

    def under(self, queryset, name, value):
        return queryset.filter(institution__path__startswith=value.path)

    def by_side(self, queryset, name, value):
        return queryset.filter(side_q(self.post, value))


def side_q(post: Post, side: str) -> Q:
    """Return the condition on working rows: one's own institution's, or those it asks for.

    A lead agency asks for its items wherever it has a mandate, so for it all rows in sight but its own.
    """
    own = Q(institution=post.institution_id)
    if side == "own":
        return own
    return ~own if post.role == Role.LEAD else Q(supervisor=post.institution_id) & ~own


class RoundFilter(ScopedFilterSet):
    class Meta:
        model = SupervisionRound
        fields = ("year", "type", "status")


class RoundList(Listing):
    title = "督导轮次"
    search = ("name",)
    filters = RoundFilter
    order = ("-starts", "-pk")
    columns: Sequence[Column] = (
        Column("名称", "name", sort=("name",)),
        Column("类型", "get_type_display", sort=("type",)),
        Column("时期", "period", sort=("year", "quarter")),
        Column("组织单位", "supervisor.known_as"),
        Column("开始", lambda r: date_text(r.starts), sort=("starts",)),
        Column("截止", lambda r: date_text(r.ends), sort=("ends",)),
        Column("督导机构数", "visit_count", numeric=True),
        Column("已完成", "done_count", numeric=True),
        Column("状态", status_tag, sort=("status",)),
    )


class VisitFilter(UnitFilterSet):
    status = django_filters.ChoiceFilter(label="状态", choices=Visit.Status.choices)
    round = HiddenFilter(queryset=SupervisionRound.objects.all())
    mine = django_filters.BooleanFilter(
        label="只看我参加的", method="joined", widget=forms.CheckboxInput
    )

    class Meta:
        model = Visit
        fields = ("status", "unit", "institution", "round", "mine", "scope")

    def joined(self, queryset, name, value):
        return queryset.filter(team_q(self.post)) if value else queryset


def team_q(post: Post) -> Q:
    """Return the condition on visits that one makes: on the team, and the round is issued."""
    team = Visit.members.through.objects.filter(post=post).values("visit")
    return (Q(lead=post) | Q(pk__in=team)) & ~Q(round__status=SupervisionRound.Status.DRAFT)


class VisitList(Listing):
    title = "现场督导"
    search = ("institution__search", "round__name")
    filters = VisitFilter
    order = ("-starts", "-pk")
    columns: Sequence[Column] = (
        Column("机构", "institution.known_as", sort=("institution__code",)),
        Column("轮次", "round.name"),
        Column("组长", lambda v: str(v.lead)),
        Column("计划", lambda v: span_text(v.starts, v.ends), sort=("starts",)),
        Column("督导日期", lambda v: date_text(v.visited_on) or None),
        Column("发现问题", "problem_count", numeric=True),
        Column("状态", status_tag, sort=("status",)),
    )


class TeamList(VisitList):
    """The visits of one round, on its page."""

    title = "督导安排"
    columns: Sequence[Column] = tuple(
        column for column in VisitList.columns if column.label != "轮次"
    )


class ProblemFilter(UnitFilterSet):
    source = django_filters.ChoiceFilter(label="来源", choices=Source.choices)
    year = django_filters.NumberFilter(label="年度")
    item = django_filters.ModelChoiceFilter(label="服务项目", queryset=ServiceItem.objects.all())
    severity = django_filters.ChoiceFilter(label="性质", choices=Severity.choices)
    objective = django_filters.ChoiceFilter(label="目标类别", choices=Task.Objective.choices)

    class Meta:
        model = Problem
        fields = ("source", "year", "item", "severity", "objective", "unit", "institution", "scope")


class ProblemList(Listing):
    title = "问题清单"
    search = ("text", "category", "institution__search", "item__name")
    filters = ProblemFilter
    order = ("-found_on", "-pk")
    columns: Sequence[Column] = (
        Column("问题描述", lambda p: str(p)),
        Column("机构", "institution.known_as", sort=("institution__code",)),
        Column("服务项目", "item.short_name"),
        Column("来源", "get_source_display", sort=("source",)),
        Column("年度", "year", sort=("year",), shown=False),
        Column("性质", severity_tag, sort=("severity",)),
        Column("问题类别", "category", shown=False),
        Column("目标类别", "get_objective_display", shown=False),
        Column("条款", lambda p: str(p.clause) if p.clause else "", shown=False),
        Column("发现日期", lambda p: date_text(p.found_on), sort=("found_on",)),
        Column(
            "整改",
            lambda p: status_tag(p.rectification) if hasattr(p, "rectification") else None,
        ),
        Column("问题全文", "text", shown=False),
    )


class RectificationFilter(UnitFilterSet):
    status = django_filters.ChoiceFilter(
        label="状态",
        choices=[("open", "未销号"), *Rectification.Status.choices],
        method="in_status",
    )
    when = django_filters.ChoiceFilter(
        label="时限", choices=[("overdue", "已逾期"), ("week", "七日内到期")], method="by_time"
    )
    source = django_filters.ChoiceFilter(
        label="来源", field_name="problem__source", choices=Source.choices
    )
    item = django_filters.ModelChoiceFilter(label="服务项目", queryset=ServiceItem.objects.all())
    phase = django_filters.ModelChoiceFilter(
        label="活动阶段",
        field_name="problem__phase",
        queryset=Phase.objects.select_related("campaign").order_by("-pk"),
    )
    campaign = HiddenFilter(field_name="problem__campaign", queryset=Campaign.objects.all())

    class Meta:
        model = Rectification
        fields = (
            "status",
            "when",
            "source",
            "item",
            "unit",
            "scope",
            "phase",
            "campaign",
            "institution",
        )

    def in_status(self, queryset, name, value):
        return queryset.open() if value == "open" else queryset.filter(status=value)

    def by_time(self, queryset, name, value):
        if value == "overdue":
            return queryset.overdue()
        today = clock.today()
        return queryset.filter(
            status__in=Rectification.WITH_INSTITUTION, due__range=(today, today + WEEK)
        )


def due_tag(row: Rectification) -> Tag:
    """The deadline with the days that are left, while the institution has it."""
    day = date_text(row.due)
    if row.status not in Rectification.WITH_INSTITUTION:
        return Tag(day, "muted")
    left = clock.days_left(row.due)
    if left < 0:
        return Tag(f"{day} 逾期{-left}天", "bad")
    if left == 0:
        return Tag(f"{day} 今天到期", "warn")
    return Tag(f"{day} 剩{left}天", "warn" if left <= 3 else "muted")


class RectificationList(Listing):
    """整改台账. The export has the eighteen columns used in practice, in their order."""

    title = "整改台账"
    search = ("institution__search", "problem__text", "person", "item__name")
    filters = RectificationFilter
    # What is still open first: that is what the list is opened for.
    order = ("settled", "due", "pk")
    columns: Sequence[Column] = (
        Column("序号", lambda r: "", shown=False),
        Column("来源", lambda r: r.problem.get_source_display(), sort=("problem__source",)),
        Column("发现日期", lambda r: date_text(r.problem.found_on), shown=False),
        Column("机构", "institution.known_as", sort=("institution__code",)),
        Column("项目", "item.short_name"),
        Column("问题", "problem.text", shown=False),
        Column("性质", lambda r: severity_tag(r.problem)),
        Column("措施", "measures", shown=False),
        Column("责任领导", "leader", shown=False),
        Column("责任人", lambda r: r.person or None),
        Column("时限", due_tag, sort=("due",)),
        Column("进展", lambda r: latest_note(r), shown=False),
        Column("完成日期", lambda r: date_text(r.done_on), shown=False),
        Column("佐证", lambda r: "、".join(f.name for f in r.files.all()), shown=False),
        Column("复核人", lambda r: str(r.verifier) if r.verifier else "", shown=False),
        Column("复核意见", "opinion", shown=False),
        Column("状态", status_tag, sort=("status",)),
        Column("是否反弹", lambda r: "是" if r.problem.recurs_from_id else "否", shown=False),
    )

    # On the screen the problem names the row; it stands first there and keeps its place in the export.
    problem = Column("问题", lambda r: str(r.problem))

    def __init__(self, request: Request, rows: models.QuerySet) -> None:
        done = Q(status__in=(Rectification.Status.CLOSED, Rectification.Status.WITHDRAWN))
        super().__init__(request, rows.annotate(settled=Case(When(done, then=1), default=0)))

    @property
    def headings(self) -> list[Heading]:
        return [Heading(self.problem.label, False, "", ""), *super().headings]

    def _line(self, row: Any) -> Line:
        line = super()._line(row)
        first = Cell(self.problem.of(row), self.problem.label, False, "", None)
        return Line(line.url, [first, *line.cells], row)

    def _export_rows(self) -> Iterator[list[Any]]:
        self.found = self.found.prefetch_related("files", "progress")
        due = [column.label for column in self.columns].index("时限")
        for number, row in enumerate(super()._export_rows(), start=1):
            row[0] = number
            row[due] = row[due].split(" ")[0]  # the date alone: days left change by the day
            yield row

    @property
    def reminder(self) -> str:
        """The overdue rows of this list as text for the chat group, which is how it reaches a village doctor."""
        rows = [row for row in self.found[:100] if row.is_overdue]
        if not rows:
            return ""
        today = clock.today()
        lines = [
            f"【整改催办】截至{today.year}年{today.month}月{today.day}日，以下问题整改已逾期："
        ]
        for number, row in enumerate(rows, start=1):
            item = f"（{row.item.short_name}）" if row.item else ""
            lines.append(
                f"{number}. {row.institution.known_as}{item}：{row.problem}，"
                f"时限{row.due.month}月{row.due.day}日，已逾期{-clock.days_left(row.due)}天"
            )
        return "\n".join([*lines, "请尽快完成整改，在系统填写措施、上传佐证并申请销号。"])


def latest_note(row: Rectification) -> str:
    notes = list(row.progress.all())
    return notes[-1].text if notes else ""
