"""Lists of money: dated entries, settlement sheets, payments, allocations, awards, and everything side by side."""

from collections.abc import Sequence
from typing import Any

import django_filters
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    FilteredRelation,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    When,
)
from django.db.models.functions import Coalesce
from django.urls import reverse

from institutions import clock
from institutions.fields import FixedField
from institutions.forms import ScopedFilterSet
from institutions.http import Request
from institutions.listing import Column, Listing, Tag
from institutions.models import Institution, StaffMember
from institutions.templatetags.portal import money
from scoring.models import (
    Allocation,
    Distribution,
    MoneyEntry,
    Payment,
    Settlement,
    SettlementObjection,
)
from supervision.models import Sanction

TONES = {"draft": "muted", "published": "info", "confirmed": "warn", "paid": "ok"}


def sheet_tag(row: Settlement) -> Tag:
    return Tag(row.get_status_display(), TONES[row.status])


def _yuan(name: str) -> Any:
    def show(row: Any) -> str:
        value = getattr(row, name)
        return "—" if value is None else money(value)

    return show


class YearFilters(ScopedFilterSet):
    year = django_filters.NumberFilter(label="年度", max_value=2100)


class EntryFilters(YearFilters):
    kind = django_filters.ChoiceFilter(label="类别", choices=MoneyEntry.Kind.choices)
    payer = django_filters.ChoiceFilter(label="付款方", choices=MoneyEntry.Payer.choices)

    class Meta:
        model = MoneyEntry
        fields = ("year", "kind", "payer")


class EntryList(Listing):
    title = "经费分笔登记"
    search = ("institution__search", "voucher", "note")
    filters = EntryFilters
    order = ("-day", "-pk")
    columns: Sequence[Column] = (
        Column("机构", "institution.known_as", sort=("institution__code",)),
        Column("机构代码", "institution.code", shown=False),
        Column("年度", "year", sort=("year",), numeric=True),
        Column("类别", "get_kind_display"),
        Column("付款方", lambda r: r.get_payer_display() or "—"),
        Column("日期", "day", sort=("day",)),
        Column("金额（元）", "amount", sort=("amount",), numeric=True),
        Column("凭证号", "voucher"),
        Column("说明", "note"),
        Column("登记人", lambda r: str(r.author or "")),
    )


class SettlementFilters(YearFilters):
    status = django_filters.ChoiceFilter(label="状态", choices=Settlement.Status.choices)
    side = django_filters.ChoiceFilter(
        label="范围", choices=[("own", "本机构的"), ("asked", "由我方结算的")], method="by_side"
    )
    when = django_filters.ChoiceFilter(
        label="情况",
        choices=[
            ("objection", "异议待答复"),
            ("open", "可以提出异议"),
            ("ready", "可以确认"),
            ("topay", "待拨付"),
            ("negative", "结转下年"),
        ],
        method="by_when",
    )

    class Meta:
        model = Settlement
        fields = ("year", "status", "side", "when")

    def __init__(self, data: Any = None, queryset: Any = None, *, request: Any, **kwargs: Any):
        super().__init__(data, queryset, request=request, **kwargs)
        self.post = request.post

    def by_side(self, queryset: Any, name: str, value: str) -> Any:
        column = "institution" if value == "own" else "supervisor"
        return queryset.filter(**{column: self.post.institution_id})

    def by_when(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(when(value))


def when(state: str) -> Q:
    """Return the condition of what is to be done with a sheet; the home page counts by the same."""
    published = Q(status=Settlement.Status.PUBLISHED)
    objected = Exists(
        SettlementObjection.objects.filter(
            settlement=OuterRef("pk"), status__in=SettlementObjection.OPEN
        )
    )
    today = clock.today()
    return {
        "objection": published & Q(objected),
        "open": published & Q(objections_until__gte=today),
        "ready": published & Q(objections_until__lt=today) & ~Q(objected),
        "topay": Q(status=Settlement.Status.CONFIRMED, due__gt=F("paid")),
        "negative": Q(due__lt=F("paid")),
    }[state]


class SettlementList(Listing):
    title = "结算单"
    search = ("institution__search",)
    filters = SettlementFilters
    order = ("-year", "institution__code", "pk")
    columns: Sequence[Column] = (
        Column("机构", "institution.known_as", sort=("institution__code",)),
        Column("机构代码", "institution.code", shown=False),
        Column("年度", "year", sort=("year",), numeric=True),
        Column("期初结转", _yuan("opening"), numeric=True),
        Column("核定金额", _yuan("approved"), sort=("approved",), numeric=True),
        Column("异议更正", "correction", numeric=True, shown=False),
        Column("扣减", "deducted", numeric=True, shown=False),
        Column("已预拨", _yuan("prepaid"), numeric=True),
        Column("本年结算", _yuan("due"), sort=("due",), numeric=True),
        Column("已拨付", _yuan("paid"), sort=("paid",), numeric=True),
        Column("余额", _yuan("left"), numeric=True),
        Column("状态", sheet_tag, sort=("status",)),
    )


class PaymentFilters(YearFilters):
    since = django_filters.DateFilter(label="日期从", field_name="day", lookup_expr="gte")
    until = django_filters.DateFilter(label="到", field_name="day", lookup_expr="lte")
    purpose = django_filters.ChoiceFilter(
        label="用途", choices=[("settlement", "结算"), ("award", "奖励")], method="by_purpose"
    )

    class Meta:
        model = Payment
        fields = ("year", "since", "until", "purpose")

    def by_purpose(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(**{f"{value}__isnull": False})


def _for(row: Payment) -> str:
    if row.award is not None:
        return f"{row.year}年奖励"
    return f"{row.year}年{'收回' if row.amount < 0 else '结算'}"


class PaymentList(Listing):
    """拨付单: what the finance office pays out by, with vouchers."""

    title = "拨付单"
    search = ("institution__search", "voucher", "note")
    filters = PaymentFilters
    order = ("-day", "-pk")
    columns: Sequence[Column] = (
        Column("机构", "institution.name", sort=("institution__code",)),
        Column("机构代码", "institution.code", shown=False),
        Column("用途", _for),
        Column("日期", "day", sort=("day",)),
        Column("金额（元）", "amount", sort=("amount",), numeric=True),
        Column("凭证号", "voucher"),
        Column("说明", "note"),
        Column("登记人", lambda r: str(r.author or "")),
    )

    def row_url(self, row: Payment) -> str:
        of = row.settlement or row.award
        return of.get_absolute_url() if of else ""


class AllocationFilters(YearFilters):
    class Meta:
        model = Allocation
        fields = ("year",)


class AllocationList(Listing):
    title = "季度分配"
    search = ("institution__search", "basis")
    filters = AllocationFilters
    order = ("-year", "-quarter", "institution__code", "pk")
    columns: Sequence[Column] = (
        Column("中心（卫生院）", "institution.known_as", sort=("institution__code",)),
        Column("期间", lambda r: f"{r.year}年第{r.quarter}季度", sort=("year", "quarter")),
        Column("资金池（元）", _yuan("pool"), sort=("pool",), numeric=True),
        Column("资金来源", "basis"),
        Column(
            "状态",
            lambda r: Tag(r.get_status_display(), "ok" if r.status == "final" else "muted"),
        ),
    )


class AwardFilters(YearFilters):
    class Meta:
        model = Sanction
        fields = ("year",)


class AwardList(Listing):
    """Rewards with an amount, from proposal to payment."""

    title = "奖励"
    search = ("institution__search", "reason")
    filters = AwardFilters
    order = ("-year", "-pk")

    def __init__(self, request: Request, rows: QuerySet[Sanction]) -> None:
        paid = Payment.objects.filter(award=OuterRef("pk")).order_by().values("award")
        super().__init__(
            request,
            rows.annotate(
                paid=Subquery(paid.annotate(n=Sum("amount")).values("n"), output_field=FixedField())
            ),
        )

    columns: Sequence[Column] = (
        Column("机构", "institution.known_as", sort=("institution__code",)),
        Column("机构代码", "institution.code", shown=False),
        Column("年度", "year", sort=("year",), numeric=True),
        Column("情形", "grounds"),
        Column("事由", lambda r: r.reason[:60]),
        Column("奖励金额（元）", _yuan("amount"), sort=("amount",), numeric=True),
        Column("已拨付（元）", lambda r: money(r.paid or 0), numeric=True),
        Column("状态", lambda r: award_tag(r)),
    )

    def row_url(self, row: Sanction) -> str:
        return reverse("scoring:award_detail", args=[row.pk])


def award_tag(row: Any) -> Tag:
    if row.status != Sanction.Status.DECIDED:
        return Tag(row.get_status_display(), "warn" if row.status == "proposed" else "muted")
    if (row.paid or 0) == row.amount:
        return Tag("已付清", "ok")
    return Tag("部分拨付" if row.paid else "已决定，待拨付", "info")


def _count(found: QuerySet[StaffMember]) -> Coalesce:
    """How many staff an institution (the outer row) has of those found."""
    counted = found.values("institution").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


class OutcomeFilters(ScopedFilterSet):
    """The year is read by the view; institutions are searched by the words."""

    year = django_filters.NumberFilter(label="年度", method="skip", max_value=2100)

    class Meta:
        model = Institution
        fields: tuple[str, ...] = ()


class OutcomeList(Listing):
    """Evaluation, money, pay and people of an institution side by side (中卫: 与财政补助投入、绩效工资政策、人才队伍建设相结合).

    What weighs most comes first: the vetoed, then the others by rank, last those without a result.
    """

    title = "综合运用表"
    search = ("search",)
    filters = OutcomeFilters
    order = ("weight", "place_or_0", "code")

    def __init__(self, request: Request, rows: QuerySet[Institution], year: int) -> None:
        result = FilteredRelation(
            "yearresults",
            condition=Q(yearresults__year=year, yearresults__unit=F("parent")),
        )
        sheet = Settlement.objects.filter(
            institution=OuterRef("pk"), supervisor=OuterRef("parent"), year=year
        ).exclude(status=Settlement.Status.DRAFT)
        pay = (
            Distribution.objects.filter(institution=OuterRef("pk"), year=year)
            .exclude(status=Distribution.Status.DRAFT)
            .order_by()
            .values("institution")
        )
        award = (
            Payment.objects.filter(institution=OuterRef("pk"), year=year, award__isnull=False)
            .order_by()
            .values("institution")
        )
        staff = StaffMember.objects.filter(institution=OuterRef("pk")).order_by()
        fixed = FixedField()
        super().__init__(
            request,
            rows.annotate(
                result=result,
                score=F("result__score"),
                grade=F("result__grade"),
                place=F("result__rank"),
                approved=F("result__approved_amount"),
                weight=Case(
                    When(result__vetoed=True, then=0), When(result__vetoed=False, then=1), default=2
                ),
                place_or_0=Coalesce("result__rank", 0),
                settled=Subquery(sheet.values("due")[:1], output_field=fixed),
                paid=Subquery(sheet.values("paid")[:1], output_field=fixed),
                awarded=Subquery(
                    award.annotate(n=Sum("amount")).values("n"), output_field=FixedField()
                ),
                pay=Subquery(pay.annotate(n=Sum("pool")).values("n"), output_field=FixedField()),
                staff_count=_count(staff.in_service()),
                registered=_count(staff.in_service().filter(gp_registered__isnull=False)),
                talents=_count(staff.backbone()),
            ),
        )
        self.columns = (
            Column("机构", "name", sort=("code",)),
            Column("机构代码", "code", shown=False),
            Column("年度", lambda r: year, shown=False),
            Column("年终得分", lambda r: "—" if r.score is None else r.score, numeric=True),
            Column("等次", lambda r: r.grade or "—"),
            Column("名次", lambda r: r.place or "—", numeric=True),
            Column("核定金额", _yuan("approved"), numeric=True),
            Column("本年结算", _yuan("settled"), numeric=True),
            Column("已拨付", _yuan("paid"), numeric=True),
            Column("奖励", _yuan("awarded"), numeric=True),
            Column("绩效分配到人", _yuan("pay"), numeric=True),
            Column("在岗人员", "staff_count", numeric=True),
            Column("全科注册", "registered", numeric=True),
            Column("人才骨干", "talents", numeric=True),
        )

    def row_url(self, row: Institution) -> str:
        return reverse("institution_detail", args=[row.pk])
