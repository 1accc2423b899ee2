"""Lists of the work log: entries, coverage by unit, newcomers' training."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.urls import reverse

from campaigns.log_forms import LogFilter, StaffFilter
from campaigns.models import Task, WorkLog
from institutions.listing import Column, Listing, Tag
from institutions.models import Institution, Post, StaffMember
from institutions.rounding import half_up
from institutions.staffing import KEEP_STAFF, keeps
from institutions.templatetags.portal import date_cn

LOG_TONES = {"recorded": "muted", "selected": "info", "recommended": "ok"}


def log_tag(row: WorkLog) -> Tag:
    return Tag(row.get_status_display(), LOG_TONES[row.status])


def follow_up_tag(row: WorkLog) -> Tag | str:
    if row.followed_up_on:
        return Tag("已落实", "ok")
    if row.follow_up_due is None:
        return "—"
    late = row.days_late
    return Tag(f"逾期{late}天未落实", "bad") if late > 0 else Tag("待落实", "warn")


def label_tag(row: WorkLog) -> Tag | str:
    if row.kind != WorkLog.Kind.PUBLICITY:
        return "—"
    return Tag("未明示", "bad") if row.lacks_label else Tag("已明示", "ok")


def effect(row: WorkLog) -> str:
    """Say how many passed of those tested, and the share: 38/40（95%）."""
    if not row.tested or row.passed is None:
        return "—"
    share = half_up(Fraction(row.passed * 100, row.tested), 0)
    return f"{row.passed}/{row.tested}（{share}%）"


class LogList(Listing):
    title = "工作日志"
    columns = (
        Column("主题", "subject", sort=("subject",)),
        Column("类型", "get_kind_display", sort=("kind",)),
        Column("日期", lambda r: date_cn(r.day), sort=("day",)),
        Column("机构", "institution.known_as", sort=("institution__code",)),
        Column("参加人数", "participants", numeric=True),
        Column("测试合格", effect),
        Column("落实", follow_up_tag),
        Column("宣传标识", label_tag),
        Column("状态", log_tag, shown=False),
        Column("地点", "place", shown=False),
        Column("主持或带队", "host", shown=False),
        Column("对象", "targets", shown=False),
        Column("宣传方式", "get_channel_display", shown=False),
        Column("督查形式", "get_manner_display", shown=False),
        Column("涉及方面", "aspect", shown=False),
        Column("平台网址", "platform", shown=False),
        Column("内容", "text", shown=False),
        Column("优化前的流程", "flow_before", shown=False),
        Column("优化后的流程", "flow_after", shown=False),
        Column("新流程启用日期", lambda r: date_cn(r.flow_from), shown=False),
        Column("议定事项或建议", "decisions", shown=False),
        Column("落实时限", lambda r: date_cn(r.follow_up_due), shown=False),
        Column("落实情况", "follow_up", shown=False),
        Column("活动", lambda r: r.campaign.name if r.campaign else "", shown=False),
        Column("任务", lambda r: r.task.name if r.task else "", shown=False),
        Column("项目", lambda r: r.item.name if r.item else "", shown=False),
    )
    search = ("subject", "text", "decisions", "aspect", "institution__search")
    filters = LogFilter
    order = ("-day", "-pk")


def units_of(post: Post, wanted: str, on: Any) -> QuerySet[Institution]:
    """Return the units a post asks about: its own and those directly below, or `all` below; street offices left out."""
    rows = Institution.objects.visible_to(post).open_on(on).exclude(kind__in=["street", "bureau"])
    here = post.institution_id
    return rows if wanted == "all" else rows.filter(Q(parent=here) | Q(pk=here))


def counted(post: Post, asked: Mapping[str, Any]) -> QuerySet[WorkLog]:
    """Return the entries in sight that count: of the kind, in the period, of the campaign, channel and target."""
    rows = WorkLog.objects.visible_to(post).filter(
        kind=asked["kind"], day__range=(asked["since"], asked["until"])
    )
    if asked.get("campaign"):
        rows = rows.filter(campaign=asked["campaign"])
    if asked.get("channel"):
        rows = rows.filter(channel=asked["channel"])
    if asked.get("manner"):
        rows = rows.filter(manner=asked["manner"])
    if asked.get("target"):
        rows = rows.filter(targets__contains=asked["target"])
    return rows


def with_coverage(units: QuerySet[Institution], logs: QuerySet[WorkLog]) -> QuerySet[Institution]:
    """Annotate each unit with its own entries (`own`, `people`, `last`) and those it took part in (`joined`)."""
    own = logs.filter(institution=OuterRef("pk")).order_by().values("institution")
    through: QuerySet[Any] = WorkLog.units.through.objects.all()
    joined = (
        through.filter(institution=OuterRef("pk"), worklog__in=logs.order_by().values("pk"))
        .order_by()
        .values("institution")
    )
    return units.annotate(
        own=Coalesce(Subquery(own.annotate(n=Count("pk")).values("n")), 0),
        people=Coalesce(Subquery(own.annotate(n=Sum("participants")).values("n")), 0),
        last=Subquery(own.annotate(n=Max("day")).values("n")),
        joined=Coalesce(Subquery(joined.annotate(n=Count("pk")).values("n")), 0),
    ).annotate(times=F("own") + F("joined"))


class CoverageList(Listing):
    """Which units have it in the period and which have not; made for one question (`CoverageForm`)."""

    title = "工作覆盖情况"
    columns = (
        Column("机构", "name", sort=("code",)),
        Column("机构类别", "get_kind_display", sort=("kind",)),
        Column("本单位登记", "own", sort=("own",), numeric=True),
        Column("参加上级", "joined", sort=("joined",), numeric=True),
        Column("参加人次", "people", sort=("people",), numeric=True),
        Column("最近一次", lambda u: date_cn(u.last)),
        Column("情况", lambda u: Tag("有", "ok") if u.times else Tag("没有", "bad")),
    )
    search = ("search",)
    order = ("times", "code")

    def row_url(self, row: Any) -> str:
        kind = self.query.get("kind", WorkLog.Kind.TRAINING)
        return f"{reverse('campaigns:log_list')}?kind={kind}&q={row.code}" if row.own else ""


def with_checks(tasks: QuerySet[Task], post: Post) -> QuerySet[Task]:
    """Annotate each task with how often it was checked in each form (`check_service` …), in all, and when last."""
    logs = WorkLog.objects.visible_to(post).filter(kind=WorkLog.Kind.CHECK, task=OuterRef("pk"))
    of_task = logs.order_by().values("task")

    def number(rows: QuerySet[Any]) -> Coalesce:
        return Coalesce(Subquery(rows.annotate(n=Count("pk")).values("n")), 0)

    return tasks.annotate(
        **{f"check_{m}": number(of_task.filter(manner=m)) for m in WorkLog.Manner.values},
        checked=number(of_task),
        last=Subquery(of_task.annotate(n=Max("day")).values("n")),
    )


class TaskCheckList(Listing):
    """The tasks of a campaign and in which of the four forms their progress was checked."""

    title = "任务督查情况"
    columns = (
        Column("任务", "name", sort=("position",)),
        *(
            Column(
                label,
                f"check_{value}",
                sort=(f"check_{value}",),
                numeric=True,
                url=lambda t, m=value: _checks_url(t, m) if getattr(t, f"check_{m}") else "",
            )
            for value, label in WorkLog.Manner.choices
        ),
        Column("最近一次", lambda t: date_cn(t.last)),
        Column("情况", lambda t: Tag("已督查", "ok") if t.checked else Tag("没有督查", "bad")),
    )
    search = ("name",)
    order = ("checked", "position", "pk")


def _checks_url(task: Task, manner: str) -> str:
    kind = WorkLog.Kind.CHECK
    return f"{reverse('campaigns:log_list')}?kind={kind}&manner={manner}&task={task.pk}"


TRAINED = {
    "never": Tag("未培训", "bad"),
    "after": Tag("到岗后才培训", "warn"),
    "ok": Tag("岗前已培训", "ok"),
}


def with_training(rows: QuerySet[StaffMember]) -> QuerySet[StaffMember]:
    """Annotate `trained_state` of staff in service who have a day of arrival: never, after or ok."""
    return rows.filter(joined__isnull=False, left__isnull=True).annotate(
        trained_state=Case(
            When(trained__isnull=True, then=Value("never")),
            When(Q(trained__gt=F("joined")), then=Value("after")),
            default=Value("ok"),
            output_field=CharField(),
        )
    )


class StaffTrainingList(Listing):
    """Newcomers and whether they were trained before they started, the latest first."""

    title = "新进人员岗前培训"
    columns = (
        Column("姓名", "name", sort=("name",)),
        Column("机构", "institution.known_as", sort=("institution__code",)),
        Column("岗位", "title", sort=("title",)),
        Column("到岗日期", lambda s: date_cn(s.joined), sort=("joined",)),
        Column("岗前培训日期", lambda s: date_cn(s.trained)),
        Column("情况", lambda s: TRAINED[s.trained_state], sort=("trained_state",)),
    )
    search = ("name", "title", "institution__search")
    filters = StaffFilter
    order = ("-joined", "pk")

    def row_url(self, row: StaffMember) -> str:
        may = keeps(self.request.post, row.institution, KEEP_STAFF)
        return reverse("institutions:staff_edit", args=[row.pk]) if may else ""
