"""The lists of the institutions floor."""

from datetime import datetime

import django_filters
from django import forms
from django.db.models import (
    Case,
    Count,
    Exists,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils import timezone

from institutions import clock
from institutions.forms import DateInput, ScopedFilterSet
from institutions.listing import Column, Listing, Tag
from institutions.models import (
    Event,
    Institution,
    Job,
    Kind,
    Notification,
    Population,
    Post,
    Region,
    Responsibility,
    ServiceItem,
)
from institutions.roles import Role

# --- Service items -----------------------------------------------------------------------------------------


class ItemFilters(ScopedFilterSet):
    key_group = django_filters.ChoiceFilter(
        label="重点人群", choices=[("1", "重点人群的项目"), ("0", "其他项目")], method="by_group"
    )

    class Meta:
        model = ServiceItem
        fields: list[str] = []

    def by_group(self, rows, name, value):
        return rows.filter(key_group=value == "1")


class ItemList(Listing):
    """The items, all free to every resident: which are for the key groups, who delivers and who leads them."""

    title = "服务项目"
    search = ("name", "short_name", "code")
    filters = ItemFilters
    order = ("code", "pk")
    columns = (
        Column("服务项目", "name", sort=("code",)),
        Column("代码", "code", sort=("code",)),
        Column("重点人群", lambda i: Tag("重点人群", "info") if i.key_group else "—"),
        Column("收费", lambda i: "免费"),
        Column("承担机构", "delivering", sort=("delivering",), numeric=True),
        Column("牵头机构", lambda i: "、".join(r.institution.known_as for r in i.led) or "—"),
    )

    def row_url(self, row: ServiceItem) -> str:
        return ""


def items_for(post: Post) -> QuerySet[ServiceItem]:
    """Return the service items, each with how many institutions in sight deliver it and who leads it."""
    duties = Responsibility.objects.visible_to(post)
    delivered = duties.filter(item=OuterRef("pk"), duty="delivers").order_by().values("item")
    led = duties.filter(duty="leads").select_related("institution")
    return ServiceItem.objects.annotate(
        delivering=Coalesce(Subquery(delivered.annotate(n=Count("pk")).values("n")), 0)
    ).prefetch_related(Prefetch("responsibility_set", led, to_attr="led"))


# --- Institutions ------------------------------------------------------------------------------------------


class InstitutionFilters(ScopedFilterSet):
    """Choices stay few however large the area: the regions and institutions one step below the post's own."""

    kind = django_filters.ChoiceFilter(label="机构类别", choices=Kind.choices)
    region = django_filters.ModelChoiceFilter(
        label="行政区划", queryset=Region.objects.none(), method="in_region"
    )
    under = django_filters.ModelChoiceFilter(
        label="上级机构（含各级下级）", queryset=Institution.objects.all(), method="below"
    )
    parent = django_filters.NumberFilter(widget=forms.HiddenInput, max_value=2**62)
    state = django_filters.ChoiceFilter(
        label="状态", choices=[("open", "启用"), ("closed", "停用")], method="in_state"
    )

    class Meta:
        model = Institution
        fields = ["kind", "region", "under", "parent", "state"]

    def __init__(self, data=None, queryset=None, *, request, **kwargs):
        super().__init__(data, queryset, request=request, **kwargs)
        own = request.post.institution
        self.form.fields["region"].queryset = Region.objects.filter(parent=own.region_id)
        below = Institution.objects.filter(parent=OuterRef("pk"))
        under = self.form.fields["under"]
        under.queryset = under.queryset.filter(Q(parent=own) | Q(pk=own.pk)).filter(Exists(below))

    def in_region(self, rows, name, region):
        return rows.filter(region__path__startswith=region.path)

    def below(self, rows, name, institution):
        return rows.filter(path__startswith=institution.path).exclude(pk=institution.pk)

    def in_state(self, rows, name, state):
        today = clock.today()
        return rows.open_on(today) if state == "open" else rows.exclude(pk__in=rows.open_on(today))


class InstitutionList(Listing):
    title = "机构"
    search = ("search",)
    filters = InstitutionFilters
    order = ("path", "pk")
    columns = (
        Column("机构名称", "name", sort=["name"]),
        Column("机构代码", "code", sort=["code"]),
        Column("机构类别", "get_kind_display", sort=["kind"]),
        Column("上级机构", lambda row: row.parent.known_as if row.parent else None),
        Column("行政区划", "region.name"),
        Column("服务人口", lambda row: row.residents, numeric=True),
        Column("人口年度", lambda row: row.population_year, numeric=True, shown=False),
        Column(
            "下级机构",
            lambda row: row.below or None,
            numeric=True,
            url=lambda row: f"?parent={row.pk}" if row.below else "",
        ),
        Column("状态", lambda row: institution_state(row)),
        Column("隶属", "get_affiliation_display", shown=False),
        Column("统一社会信用代码", "uscc", shown=False),
    )

    @staticmethod
    def rows_of(institutions: QuerySet) -> QuerySet:
        """Add the latest population and the number of institutions directly below."""
        population = Population.objects.filter(
            institution=OuterRef("pk"), year__lte=clock.today().year
        ).order_by("-year")
        below = (
            Institution.objects.order_by()
            .filter(parent=OuterRef("pk"))
            .values("parent")
            .annotate(n=Count("pk"))
        )
        return institutions.select_related("parent", "region").annotate(
            residents=Subquery(population.values("residents")[:1]),
            population_year=Subquery(population.values("year")[:1]),
            below=Coalesce(Subquery(below.values("n")), 0),
        )


def institution_state(row: Institution) -> Tag:
    if row.open_on(clock.today()):
        return Tag("启用", "ok")
    ended = row.closed is not None and row.closed <= clock.today()
    return Tag("停用", "muted") if ended else Tag("未启用", "warn")


# --- Posts ---------------------------------------------------------------------------------------------------

POST_STATES = [
    ("active", "在任"),
    ("waiting", "待激活"),
    ("off", "账号停用"),
    ("vacant", "空缺"),
    ("coming", "未到任"),
    ("over", "已离任"),
]


def post_state(post: Post) -> Tag:
    """Return the state of a post and of the login that holds it."""
    today = clock.today()
    if post.ends is not None and post.ends < today:
        return Tag("已离任", "muted")
    if post.starts is not None and post.starts > today:
        return Tag("未到任", "muted")
    if post.user is None:
        return Tag("空缺", "warn")
    if not post.user.may_log_in:
        return Tag("账号停用", "bad")
    if post.user.password_set_on is None or post.user.activation_hash:
        return Tag("待激活", "warn")
    return Tag("在任", "ok")


class PostFilters(ScopedFilterSet):
    role = django_filters.ChoiceFilter(label="角色", choices=Role.choices)
    kind = django_filters.ChoiceFilter(
        label="机构类别", field_name="institution__kind", choices=Kind.choices
    )
    state = django_filters.ChoiceFilter(label="状态", choices=POST_STATES, method="in_state")
    institution = django_filters.NumberFilter(widget=forms.HiddenInput, max_value=2**62)

    class Meta:
        model = Post
        fields = ["role", "kind", "state", "institution"]

    def in_state(self, rows, name, state):
        today = clock.today()
        if state == "over":
            return rows.filter(ends__lt=today)
        if state == "coming":
            return rows.not_ended().filter(starts__gt=today)
        rows = rows.in_office()
        off = Q(user__is_active=False) | Q(user__expires__lt=today)
        waiting = Q(user__password_set_on__isnull=True) | ~Q(user__activation_hash="")
        if state == "vacant":
            return rows.filter(user__isnull=True)
        if state == "off":
            return rows.filter(off)
        rows = rows.filter(user__isnull=False).exclude(off)
        return rows.filter(waiting) if state == "waiting" else rows.exclude(waiting)


class PostList(Listing):
    title = "任职与账号"
    search = ("institution__search", "title", "user__name", "user__username")
    filters = PostFilters
    order = ("institution__path", "pk")
    columns = (
        Column("职务", "title", sort=["title"]),
        Column("机构", "institution.name", sort=["institution__path"]),
        Column("科室", "department.name", shown=False),
        Column("角色", "get_role_display", sort=["role"]),
        Column("任职人", "user.name"),
        Column("用户名", "user.username"),
        Column("状态", post_state),
        Column("最近登录", lambda post: _moment(post.user.last_login if post.user else None)),
        Column("任职起", "starts", shown=False),
        Column("任职止", "ends", shown=False),
    )


def _moment(value: datetime | None) -> str | None:
    """Return a moment as lists and their exports show it, in Shanghai time."""
    return timezone.localtime(value).strftime("%Y-%m-%d %H:%M") if value else None


# --- Events ---------------------------------------------------------------------------------------------------

EVENT_GROUPS = [
    ("session.", "登录与会话"),
    ("account.", "账号"),
    ("post.", "任职"),
    ("reference.", "基础数据"),
    ("portal.", "导入导出"),
    ("audit.", "审计"),
    ("campaigns.", "活动任务"),
    ("supervision.", "督导整改"),
    ("scoring.", "绩效评价"),
]


class EventFilters(ScopedFilterSet):
    group = django_filters.ChoiceFilter(
        label="类别", field_name="action", lookup_expr="startswith", choices=EVENT_GROUPS
    )
    who = django_filters.CharFilter(label="操作人", field_name="who", lookup_expr="icontains")
    institution = django_filters.CharFilter(
        label="机构", field_name="institution_text", lookup_expr="icontains"
    )
    since = django_filters.DateFilter(
        label="起始日期", field_name="at", lookup_expr="date__gte", widget=DateInput
    )
    until = django_filters.DateFilter(
        label="截止日期", field_name="at", lookup_expr="date__lte", widget=DateInput
    )

    class Meta:
        model = Event
        fields = ["group", "who", "institution", "since", "until"]


class EventList(Listing):
    title = "操作记录"
    search = ("who", "label", "subject_text", "note")
    filters = EventFilters
    order = ("-at", "-pk")
    columns = (
        Column("时间", lambda event: _moment(event.at), sort=["at"]),
        Column("操作人", "who"),
        Column("动作", "label"),
        Column("对象", lambda event: event.subject_text or None),
        Column("机构", lambda event: event.institution_text or None),
        Column("变化", "change"),
        Column("说明", lambda event: event.note or None),
        Column("地址", lambda event: event.address or None),
        Column("序号", "seq", numeric=True, shown=False),
        Column("动作代码", "action", shown=False),
        Column("记录链", lambda event: event.bureau_id or 0, numeric=True, shown=False),
        Column("链码", "mac", shown=False),
    )


# --- Jobs and notifications -----------------------------------------------------------------------------------

_JOB_TONES = {
    Job.State.STAGED: "warn",
    Job.State.QUEUED: "info",
    Job.State.RUNNING: "info",
    Job.State.DONE: "ok",
    Job.State.FAILED: "bad",
}


def job_state(job: Job) -> Tag:
    return Tag(job.get_state_display(), _JOB_TONES.get(Job.State(job.state), "muted"))


class JobFilters(ScopedFilterSet):
    state = django_filters.ChoiceFilter(label="状态", choices=Job.State.choices)

    class Meta:
        model = Job
        fields = ["state"]


class JobList(Listing):
    title = "后台任务"
    search = ("title",)
    filters = JobFilters
    order = ("-pk",)
    columns = (
        Column("名称", "title", sort=["title"]),
        Column("代表机构", "unit.name"),
        Column("状态", job_state),
        Column("进度", lambda job: f"{job.done} / {job.total}" if job.total else None),
        Column("发起时间", lambda job: _moment(job.created_at), sort=["created_at"]),
        Column("完成时间", lambda job: _moment(job.finished_at)),
    )


class NotificationList(Listing):
    title = "通知"
    search = ("text",)
    order = ("unread_first", "-pk")
    columns = (
        Column("内容", "text"),
        Column("时间", lambda row: _moment(row.created_at)),
        Column("已读时间", lambda row: _moment(row.read_at)),
    )

    @staticmethod
    def unread_first(rows: QuerySet[Notification]) -> QuerySet[Notification]:
        """Sort by a number: where nulls stand differs between the databases."""
        return rows.annotate(
            unread_first=Case(
                When(read_at__isnull=True, then=Value(0)),
                default=Value(1),
                output_field=IntegerField(),
            )
        )
