"""Lists of the estimate."""

from typing import Any

from django.db.models import QuerySet, Value
from django.db.models.functions import Coalesce
from django.urls import reverse

from institutions.fields import FixedField
from institutions.http import Request
from institutions.listing import Column, Listing, Tag
from institutions.models import Institution
from institutions.templatetags.portal import money
from scoring.estimate_forms import EstimateFilter, ServiceFilter
from scoring.estimating import with_money
from scoring.models import WorkUnit


class EstimateList(Listing):
    """Institutions with the money of their numbers, and of what their clinics have of them."""

    title = "经费测算"
    search = ("search",)
    filters = EstimateFilter
    order = ("code",)

    def __init__(self, request: Request, rows: QuerySet[Institution], year: int) -> None:
        zero = Value(0, output_field=FixedField())
        super().__init__(
            request, with_money(rows, year).annotate(sorted_money=Coalesce("money", zero))
        )
        self.year = year
        self.columns = (
            Column("机构", "name", sort=("code",)),
            Column("机构代码", "code", shown=False),
            Column("机构类别", "get_kind_display", sort=("kind",)),
            Column("年度", lambda r: year, shown=False),
            Column(
                "测算经费（元）", lambda r: _yuan(r.money), sort=("sorted_money",), numeric=True
            ),
            Column("其中已分解到村（元）", lambda r: _yuan(r.below_money), numeric=True),
            Column("情况", state_tag),
        )

    def row_url(self, row: Institution) -> str:
        return f"{reverse('scoring:estimate_detail', args=[row.pk])}?year={self.year}"


def _yuan(value: Any) -> str:
    return "—" if value is None else money(value)


def state_tag(row: Any) -> Tag | str:
    if row.money is None:
        return Tag("没有任务数", "warn")
    if row.below_money is None:
        return Tag("已测算", "ok")
    if row.below_money > row.money:
        return Tag("分解超出", "bad")
    return Tag("已全部分解", "ok") if row.below_money == row.money else Tag("部分分解到村", "info")


class ServiceList(Listing):
    title = "服务成本"
    columns = (
        Column("服务", "name", sort=("name",)),
        Column("年度", "year", sort=("year",)),
        Column("服务代码", "code", sort=("code",)),
        Column("服务项目", "item.short_name", sort=("item__code",)),
        Column("单位", "unit"),
        Column("单位成本（元）", lambda r: _yuan(r.cost), numeric=True),
        Column("当量系数", lambda r: f"{r.coefficient:f}", numeric=True),
        Column("单价（元）", lambda r: _yuan(r.price), numeric=True),
    )
    search = ("name", "code")
    filters = ServiceFilter
    order = ("-year", "code", "pk")

    def row_url(self, row: WorkUnit) -> str:
        owned = row.institution_id == self.request.post.institution_id
        may = owned and self.request.post.has_perm("scoring.change_policy")
        return reverse("scoring:cost_edit", args=[row.pk]) if may else ""
