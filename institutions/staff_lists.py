"""Lists of people and means: the roster, the talent pool by unit, yearly capacity, partners and studios."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Count, F, FilteredRelation, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.urls import reverse

from institutions import clock
from institutions.forms import ScopedFilterSet
from institutions.http import Request
from institutions.listing import Column, Listing, Tag
from institutions.models import Capacity, Cooperation, Institution, Kind, Population, StaffMember
from institutions.models.institution import (
    ASKED_OF_CENTRES,
    ASKED_OF_CLINICS,
    CENTRE_KINDS,
    CLINIC_KINDS,
    lacking,
)
from institutions.staff_forms import OFFICES, StaffFilter
from institutions.staffing import KEEP_STAFF, keeps
from institutions.templatetags.portal import date_cn


def training_tag(row: StaffMember) -> Tag | str:
    if row.left:
        return Tag("已离岗", "muted")
    if row.joined is None:
        return "—"
    if row.trained is None:
        return Tag("未培训", "bad")
    return Tag("岗前已培训", "ok") if row.trained <= row.joined else Tag("到岗后才培训", "warn")


def gp_tag(row: StaffMember) -> Tag | str:
    if row.gp_qualified is None:
        return "—"
    if row.gp_registered:
        return Tag("已注册", "ok")
    waited = (clock.today() - row.gp_qualified).days
    return Tag(f"待注册（已{waited}天）", "warn" if waited < 90 else "bad")


class StaffList(Listing):
    title = "人员名册"
    columns = (
        Column("姓名", "name", sort=("name",)),
        Column("机构", "institution.known_as", sort=("institution__code",)),
        Column("岗位", "title", sort=("title",)),
        Column("主要项目", lambda r: r.item.short_name if r.item else "—"),
        Column("到岗日期", lambda r: date_cn(r.joined)),
        Column("岗前培训", training_tag),
        Column("全科医学专业", gp_tag),
        Column("骨干能力", lambda r: "、".join(r.skills) or "—"),
        Column("岗前培训日期", lambda r: r.trained, shown=False),
        Column("离岗日期", lambda r: r.left, shown=False),
        Column("全科医师培训", "get_gp_route_display", shown=False),
        Column("合格或结业日期", lambda r: r.gp_qualified, shown=False),
        Column("注册日期", lambda r: r.gp_registered, shown=False),
    )
    search = ("name", "title", "institution__search")
    filters = StaffFilter
    order = ("institution__code", "name", "pk")

    def row_url(self, row: StaffMember) -> str:
        may = keeps(self.request.post, row.institution, KEEP_STAFF)
        return reverse("institutions:staff_edit", args=[row.pk]) if may else ""


class SkillList(Listing):
    """Units and how many of each skill they have; who has none of one stands out."""

    title = "骨干人才覆盖"
    columns = (
        Column("机构", "name", sort=("code",)),
        Column("在岗", "people", sort=("people",), numeric=True),
        *(
            Column(label, f"n_{name}", sort=(f"n_{name}",), numeric=True)
            for name, label in StaffMember.SKILLS.items()
        ),
        Column(
            "缺少",
            lambda r: (
                Tag("、".join(missing), "warn")
                if (
                    missing := [
                        label
                        for name, label in StaffMember.SKILLS.items()
                        if not getattr(r, f"n_{name}")
                    ]
                )
                else Tag("四项都有", "ok")
            ),
        ),
    )
    search = ("search",)
    order = ("code",)

    def row_url(self, row: Institution) -> str:
        return f"{reverse('institutions:staff_list')}?state=backbone&unit={row.pk}"

    @staticmethod
    def rows_of(units: QuerySet[Institution]) -> QuerySet[Institution]:
        here = Q(staff__isnull=False, staff__left__isnull=True)
        return units.annotate(
            people=Count("staff", filter=here),
            **{
                f"n_{name}": Count("staff", filter=here & Q(**{f"staff__{name}": True}))
                for name in StaffMember.SKILLS
            },
        )


# --- Capacity ---------------------------------------------------------------------------------------


def _empty(name: str) -> Q:
    field = Capacity._meta.get_field(name)
    return Q(**{f"cap__{name}__isnull": True}) if field.null else Q(**{f"cap__{name}": ""})


def _any_empty(names: tuple[str, ...]) -> Q:
    found = Q(pk__in=[])
    for name in names:
        found |= _empty(name)
    return found


# A year's row that lacks something asked of its kind (`lacking` says what).
INCOMPLETE = (
    Q(kind__in=CENTRE_KINDS) & _any_empty(ASKED_OF_CENTRES)
    | Q(kind__in=CLINIC_KINDS) & _any_empty(ASKED_OF_CLINICS)
    | ~Q(kind__in=[*CENTRE_KINDS, *CLINIC_KINDS]) & _any_empty(("beds", "posts", "staffed"))
)
SHOWN = (*ASKED_OF_CENTRES, "premises", "pay")


class Shown:
    """The values of a year as they stand on a row of the list, under the names of the model."""

    def __init__(self, row: Any) -> None:
        self.row = row

    def __getattr__(self, name: str) -> Any:
        return getattr(self.row, f"cap_{name}")


def with_capacity(units: QuerySet[Institution], year: int) -> QuerySet[Institution]:
    """Put the capacity and population of a year beside each institution."""
    return units.annotate(
        cap=FilteredRelation("capacities", condition=Q(capacities__year=year)),
        people=FilteredRelation("populations", condition=Q(populations__year=year)),
    ).annotate(
        cap_pk=F("cap__pk"),
        residents=F("people__residents"),
        n_beds=Coalesce(F("cap__beds"), Value(0)),
        n_posts=Coalesce(F("cap__posts"), Value(0)),
        n_staffed=Coalesce(F("cap__staffed"), Value(0)),
        n_residents=Coalesce(F("people__residents"), Value(0)),
        **{f"cap_{name}": F(f"cap__{name}") for name in SHOWN},
    )


def capacity_tag(row: Any) -> Tag:
    if row.cap_pk is None:
        return Tag("未填报", "bad")
    missing = lacking(row.kind, Shown(row))
    return Tag(f"缺{len(missing)}项", "warn") if missing else Tag("齐全", "ok")


def _missing_text(row: Any) -> str:
    return "" if row.cap_pk is None else "、".join(lacking(row.kind, Shown(row)))


def _label(choices: Any, value: str | None) -> str:
    return str(choices(value).label) if value else "—"


class CapacityFilter(ScopedFilterSet):
    year = django_filters.NumberFilter(label="年度", method="skip", max_value=2100)
    kind = django_filters.ChoiceFilter(choices=Kind.choices, label="机构类别")
    under = django_filters.ModelChoiceFilter(
        label="上级机构（含下级）", queryset=Institution.objects.all(), method="below"
    )
    state = django_filters.ChoiceFilter(
        choices=[("none", "未填报"), ("some", "有缺项"), ("full", "齐全")],
        label="填报",
        method="by_state",
    )
    capability = django_filters.ChoiceFilter(
        choices=[(word, word) for word in Capacity.CAPABILITIES],
        label="能开展",
        method="by_capability",
    )
    lacks = django_filters.ChoiceFilter(
        choices=[(word, word) for word in Capacity.CAPABILITIES],
        label="不能开展",
        method="by_lack",
    )
    traditional = django_filters.ChoiceFilter(
        choices=Capacity.Traditional.choices, label="中医馆", field_name="cap__traditional"
    )
    premises = django_filters.ChoiceFilter(
        choices=Capacity.Premises.choices, label="房屋产权", field_name="cap__premises"
    )

    class Meta:
        model = Institution
        fields: list[str] = []

    def __init__(self, data=None, queryset=None, *, request, **kwargs):
        super().__init__(data, queryset, request=request, **kwargs)
        own = request.post.institution
        field = self.form.fields["under"]
        field.queryset = field.queryset.filter(parent=own).exclude(
            kind__in=[*CLINIC_KINDS, *OFFICES]
        )
        field = self.form.fields["kind"]
        field.choices = [c for c in field.choices if c[0] not in OFFICES]
        self.form.fields["year"].widget = forms.NumberInput(attrs={"min": 2009, "max": 2100})

    def below(self, queryset, name, value):
        return queryset.filter(path__startswith=value.path)

    def by_state(self, queryset, name, value):
        if value == "none":
            return queryset.filter(cap__isnull=True)
        there = queryset.filter(cap__isnull=False)
        return there.filter(INCOMPLETE) if value == "some" else there.exclude(INCOMPLETE)

    def by_capability(self, queryset, name, value):
        return queryset.filter(cap__capabilities__contains=value)

    def by_lack(self, queryset, name, value):
        there = queryset.filter(cap__isnull=False)
        return there.exclude(cap__capabilities__contains=value)


class CapacityList(Listing):
    title = "服务能力"
    search = ("search",)
    filters = CapacityFilter
    order = ("path", "pk")

    def __init__(self, request: Request, rows: QuerySet[Institution], year: int) -> None:
        super().__init__(request, with_capacity(rows, year))
        self.year = year
        self.columns = (
            Column("机构", "name", sort=("code",)),
            Column("机构代码", "code", shown=False),
            Column("机构类别", "get_kind_display", sort=("kind",)),
            Column("年度", lambda r: year, shown=False),
            Column("服务人口", lambda r: r.residents, sort=("n_residents",), numeric=True),
            Column("服务半径（米）", "cap_radius", numeric=True),
            Column("床位", "cap_beds", sort=("n_beds",), numeric=True),
            Column("编制", "cap_posts", sort=("n_posts",), numeric=True),
            Column("在岗", "cap_staffed", sort=("n_staffed",), numeric=True),
            Column("中医馆", lambda r: _label(Capacity.Traditional, r.cap_traditional)),
            Column("房屋产权", lambda r: _label(Capacity.Premises, r.cap_premises)),
            Column("填报", capacity_tag),
            Column("缺项", _missing_text, shown=False),
            Column("岗位设置", "cap_positions", shown=False),
            Column("设备数", "cap_devices", shown=False),
            Column("财政补助（元）", "cap_subsidy", shown=False),
            Column("绩效工资政策", "cap_pay", shown=False),
            Column("功能任务", "cap_functions", shown=False),
            Column("能开展的服务", "cap_capabilities", shown=False),
            Column("地理位置", "cap_location", shown=False),
            Column("交通条件", "cap_traffic", shown=False),
        )

    def row_url(self, row: Institution) -> str:
        return f"{reverse('institutions:capacity_detail', args=[row.pk])}?year={self.year}"

    def counts(self) -> dict[str, int]:
        """Count over all in sight: units, what is missing, 中医馆 of centres, public ownership of clinics."""
        centre, clinic = Q(kind__in=CENTRE_KINDS), Q(kind__in=CLINIC_KINDS)
        return self.all_rows.order_by().aggregate(
            total=Count("pk"),
            none=Count("pk", filter=Q(cap__isnull=True)),
            some=Count("pk", filter=Q(cap__isnull=False) & INCOMPLETE),
            centres=Count("pk", filter=centre),
            built=Count("pk", filter=centre & Q(cap__traditional="built")),
            clinics=Count("pk", filter=clinic),
            public=Count("pk", filter=clinic & Q(cap__premises="public")),
        )


def population_of(institution: Institution, year: int) -> Population | None:
    rows = Population.objects.filter(institution=institution, year__lte=year)
    return rows.order_by("-year").first()


class CooperationFilter(ScopedFilterSet):
    kind = django_filters.ChoiceFilter(choices=Cooperation.Kind.choices, label="类别")
    level = django_filters.ChoiceFilter(choices=Cooperation.Level.choices, label="单位等级")
    state = django_filters.ChoiceFilter(
        choices=[("now", "有效"), ("over", "已到期")], label="协议", method="by_state"
    )

    class Meta:
        model = Cooperation
        fields: list[str] = []

    def by_state(self, queryset, name, value):
        today = clock.today()
        return queryset.in_force(today) if value == "now" else queryset.filter(ends__lt=today)


def agreement_tag(row: Cooperation) -> Tag:
    today = clock.today()
    if row.ends and row.ends < today:
        return Tag("已到期", "bad")
    if row.starts > today:
        return Tag("未开始", "muted")
    if row.ends and (row.ends - today).days <= 60:
        return Tag("即将到期", "warn")
    return Tag("有效", "ok")


class CooperationList(Listing):
    title = "合作与工作站"
    columns = (
        Column("机构", "institution.known_as", sort=("institution__code",)),
        Column("类别", "get_kind_display", sort=("kind",)),
        Column("合作或派出单位", "partner", sort=("partner",)),
        Column("等级", "get_level_display", sort=("level",)),
        Column("名称", lambda r: r.title or "—"),
        Column("起始", lambda r: date_cn(r.starts), sort=("starts",)),
        Column("截止", lambda r: date_cn(r.ends)),
        Column("协议", agreement_tag),
        Column("新增服务项目", lambda r: r.services or "—"),
        Column("规范管理", "rules", shown=False),
    )
    search = ("partner", "title", "services", "institution__search")
    filters = CooperationFilter
    order = ("institution__code", "kind", "-starts", "pk")

    def row_url(self, row: Cooperation) -> str:
        return reverse("institutions:capacity_detail", args=[row.institution_id])
