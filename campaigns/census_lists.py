"""The lists of the re-check of records."""

from fractions import Fraction

from django.db.models import QuerySet

from campaigns.census_forms import CensusFilter
from campaigns.models import Census, CensusCount
from campaigns.models.census import FAULTS
from campaigns.rechecking import Sum, latest
from institutions import clock
from institutions.http import Request
from institutions.listing import Column, Listing, Tag
from institutions.rounding import percent_text
from institutions.templatetags.portal import date_cn


def share(part: int, whole: int) -> str:
    return percent_text(Fraction(part, whole)) if whole else "—"


class CensusList(Listing):
    title = "档案复核"
    search = ("name",)
    filters = CensusFilter
    order = ("-starts", "-pk")

    def __init__(self, request: Request, rows: QuerySet[Census]) -> None:
        super().__init__(request, rows)
        sums: dict[int, Sum] = {}
        counts = CensusCount.objects.visible_to(request.post).filter(census__in=rows)
        by_census: dict[int, list[CensusCount]] = {}
        for row in counts.order_by("on", "pk"):
            by_census.setdefault(row.census_id, []).append(row)
        for census, found in by_census.items():
            sums[census] = Sum()
            for row in latest(found).values():
                sums[census].add(row)
        self.sums = sums
        self.columns = (
            Column("复核", "name", sort=("name",)),
            Column("部署单位", "bureau.known_as"),
            Column("活动", lambda c: c.campaign.name if c.campaign else "—"),
            Column("开始", lambda c: date_cn(c.starts), sort=("starts",)),
            Column("完成时限", lambda c: date_cn(c.due), sort=("due",)),
            Column("时间", _time),
            Column("档案总数", lambda c: self._sum(c).total, numeric=True),
            Column("已复核", lambda c: self._sum(c).checked, numeric=True, shown=False),
            Column(
                "复核率",
                lambda c: share(self._sum(c).checked, self._sum(c).total),
                numeric=True,
            ),
            Column("有问题", lambda c: self._sum(c).faulty, numeric=True),
            Column(
                "改正率",
                lambda c: share(self._sum(c).corrected, self._sum(c).faulty),
                numeric=True,
            ),
        )

    def _sum(self, census: Census) -> Sum:
        return self.sums.get(census.pk, Sum())


def _time(census: Census) -> Tag:
    today = clock.today()
    if today < census.starts:
        return Tag("未开始", "muted")
    return Tag("进行中", "info") if today <= census.due else Tag("已过时限", "muted")


class CensusCountList(Listing):
    """The last counts of a re-check, an institution and item a row; exports hold the faults by category."""

    title = "档案复核进度"
    search = ("institution__search",)
    order = ("institution__code", "item__code", "pk")
    columns = (
        Column("机构", "institution.name", sort=("institution__code", "item__code")),
        Column("项目", "item.short_name", sort=("item__code",)),
        Column("截至", lambda c: date_cn(c.on), sort=("on",)),
        Column("档案总数", "total", sort=("total",), numeric=True),
        Column("已复核", "checked", sort=("checked",), numeric=True),
        Column("复核率", lambda c: share(c.checked, c.total), numeric=True),
        Column("有问题", "faulty", sort=("faulty",), numeric=True),
        Column("已改正", "corrected", numeric=True),
        Column("改正率", lambda c: share(c.corrected, c.faulty), numeric=True),
        Column(
            "状态",
            lambda c: Tag("已完成", "ok") if c.is_complete else Tag("未完成", "warn"),
        ),
        Column(
            "问题分类",
            lambda c: "、".join(f"{name}{c.faults[name]}" for name in FAULTS if name in c.faults),
            shown=False,
        ),
    )

    def row_url(self, row: CensusCount) -> str:
        return row.institution.get_absolute_url()
