"""Lists of tasks and of one task's reports: columns, filters, order."""

from collections.abc import Callable

import django_filters
from django import forms
from django.db.models import Count, Q, QuerySet

from campaigns.forms import MOST
from campaigns.lists import report_tag, time_tag
from campaigns.models import Report, Task
from campaigns.passing_on import checked_of, levels_of
from institutions.forms import ScopedFilterSet
from institutions.listing import Column, Listing, Tag
from institutions.models import Post
from institutions.templatetags.portal import date_cn, time_cn


def with_progress(rows: QuerySet[Task], post: Post) -> QuerySet[Task]:
    """Annotate how many reports in sight there are, accepted, and of projects started and finished."""
    seen = Q(reports__in=Report.objects.visible_to(post))

    def count(**more: str) -> Count:
        return Count("reports", filter=seen & Q(**more), distinct=True)

    return rows.annotate(
        owed=count(),
        accepted=count(reports__status=Report.Status.ACCEPTED),
        started=count(reports__stage=Report.Stage.STARTED),
        finished=count(reports__stage=Report.Stage.FINISHED),
    )


class TaskFilter(ScopedFilterSet):
    campaign = django_filters.NumberFilter(widget=forms.HiddenInput, max_value=MOST)
    year = django_filters.NumberFilter(field_name="campaign__year", label="年度", max_value=9999)
    kind = django_filters.ChoiceFilter(choices=Task.Kind.choices, label="类型")
    area = django_filters.ChoiceFilter(label="任务领域")
    programme = django_filters.ChoiceFilter(label="所属工程")
    objectives = django_filters.ChoiceFilter(
        choices=Task.Objective.choices, label="目标类别", lookup_expr="contains"
    )
    # By a link from the leader's page and the like.
    leaders = django_filters.NumberFilter(widget=forms.HiddenInput, max_value=MOST)
    departments = django_filters.NumberFilter(widget=forms.HiddenInput, max_value=MOST)

    class Meta:
        model = Task
        fields: list[str] = []

    def __init__(self, data=None, queryset=None, *, request, **kwargs):
        super().__init__(data, queryset, request=request, **kwargs)
        used = Task.objects.visible_to(request.post).order_by()
        words = list(used.values_list("area", "programme").distinct())
        for place, name in enumerate(("area", "programme")):
            offered = sorted({pair[place] for pair in words} - {""})
            self.form.fields[name].choices = [(word, word) for word in offered]


class TaskList(Listing):
    title = "任务"
    columns = (
        Column("任务", "name", sort=("name",)),
        Column("任务领域", "area", sort=("area",)),
        Column("类型", "get_kind_display", sort=("kind",)),
        Column("完成时限", lambda t: date_cn(t.due), sort=("due",)),
        Column("目标", lambda t: t.goal_text or "—"),
        Column("责任领导", lambda t: "、".join(p.title for p in t.leaders.all()) or "—"),
        Column("牵头科室", lambda t: "、".join(d.name for d in t.departments.all()) or "—"),
        Column("已采纳", lambda t: f"{t.accepted}/{t.owed}" if t.owed else "—", numeric=True),
        Column("项目进度", lambda t: _stages(t)),
        Column("所属工程", lambda t: t.programme or "—"),
        Column("目标类别", lambda t: "、".join(t.objective_labels), shown=False),
        Column("活动", "campaign.name", shown=False),
        Column("年度", "campaign.year", shown=False),
    )
    search = ("name", "area", "programme", "campaign__name", "leaders__title", "departments__name")
    filters = TaskFilter
    order = ("-campaign__issued_on", "campaign_id", "position", "pk")


def _stages(task: Task) -> str:
    """How many projects of a construction task are under way, in words."""
    if task.kind != Task.Kind.CONSTRUCTION:
        return "—"
    parts = {"已开工": task.started, "已完工": task.finished}  # type: ignore[attr-defined]
    return "，".join(f"{label}{n}个" for label, n in parts.items() if n) or "前期"


def reached_tag(row: Report) -> Tag | str:
    """Say whether a report reaches the task's target."""
    match row.reached:
        case None:
            return "—"
        case True:
            return Tag("达到目标", "ok")
    return Tag("未达目标", "warn")


def _at_level(code: str) -> Callable[[Report], int]:
    """Return a function that counts the units of a report at a level."""
    return lambda row: levels_of(row).get(code, 0)


_UNIT = Column(
    "机构",
    lambda r: r.department.name if r.department else r.institution.name,
    sort=("institution__code",),
)
_STATE = (
    Column("状态", report_tag, sort=("status",)),
    Column("时限情况", time_tag),
    Column("报送时间", lambda r: time_cn(r.submitted_at)),
    Column("完成情况", "text", shown=False),
)
_CHECKED = (
    Column("单位数", lambda r: checked_of(r)[0], numeric=True),
    Column("已自查", lambda r: checked_of(r)[1], numeric=True),
    *(
        Column(label, _at_level(code), numeric=True)
        for code, label in reversed(Report.Level.choices)
    ),
    Column("问题数", lambda r: "—" if r.problems is None else r.problems, numeric=True),
)
_VALUE = (
    Column("完成", lambda r: r.value_text or "—", numeric=True),
    Column("目标", reached_tag),
)


class TaskReportList(Listing):
    """One task's reports, institution by institution; the columns follow from how the task is counted."""

    title = "任务完成情况"
    search = ("institution__search", "department__name")
    order = ("institution__code", "pk")

    def __init__(self, request, rows: QuerySet, task: Task) -> None:
        super().__init__(request, rows)
        if task.done_by == Task.DoneBy.CHECK:
            self.columns = (_UNIT, *_CHECKED, *_STATE)
        elif task.goal_value is not None or task.done_by in Report.COUNTED:
            self.columns = (_UNIT, *_VALUE, *_STATE)
        elif task.kind == Task.Kind.CONSTRUCTION:
            self.columns = (_UNIT, Column("项目进度", "get_stage_display"), *_STATE)
        else:
            self.columns = (_UNIT, *_STATE)
