"""The lists of the followed figures."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from campaigns import figures
from campaigns.models import Series, SeriesValue
from campaigns.periods import Period
from campaigns.series_forms import SeriesFilter
from institutions import clock
from institutions.http import Request
from institutions.listing import Column, Listing, Tag
from institutions.rounding import plain_text
from institutions.templatetags.portal import time_cn


class SeriesList(Listing):
    """Each figure with its last period that is over: the total in sight, and how many have reported."""

    title = "监测指标"
    search = ("name", "code", "family")
    filters = SeriesFilter
    order = ("family", "position", "code", "pk")

    def __init__(self, request: Request, rows: QuerySet[Series]) -> None:
        super().__init__(request, rows)
        today = clock.today()
        values = SeriesValue.objects.visible_to(request.post)
        current = figures.current_periods()
        self.totals = figures.totals(values, [*current, *(p.year_before() for p in current)])
        self.expected = figures.expected(request.post, rows)
        self.columns = (
            Column("指标", "name", sort=("name",)),
            Column("组别", "family", sort=("family", "position")),
            Column("代码", "code", shown=False),
            Column("频率", "get_frequency_display", sort=("frequency",)),
            Column("统计期", lambda s: str(Period.last(s.frequency, today))),
            Column("合计分子", lambda s: self._total(s).numerator, shown=False),
            Column("合计分母", lambda s: self._total(s).denominator, shown=False),
            Column("合计", lambda s: self._total(s).text(s), numeric=True),
            Column("目标", lambda s: s.target_text, numeric=True),
            Column("达标", self._met),
            Column("与目标的差距", lambda s: self._gap(s).to_target or "—", shown=False),
            Column("与上年的差距", lambda s: self._gap(s).to_before or "—"),
            Column("填报", self._coverage),
        )

    def _total(self, series: Series) -> figures.Total:
        period = Period.last(series.frequency, clock.today())
        return self.totals.get((series.pk, period), figures.NONE)

    def _gap(self, series: Series) -> figures.Gap:
        before = Period.last(series.frequency, clock.today()).year_before()
        old = self.totals.get((series.pk, before), figures.NONE)
        return figures.Gap(series, self._total(series).value(series), old.value(series))

    def _met(self, series: Series) -> Any:
        met = series.meets(self._total(series).value(series))
        return "—" if met is None else Tag("达标", "ok") if met else Tag("未达标", "bad")

    def _coverage(self, series: Series) -> Any:
        expected = self.expected.get(series.pk, 0)
        if not expected:
            return "—"
        if Period.last(series.frequency, clock.today()).ends < series.starts:
            return Tag("尚未开始", "muted")
        count = self._total(series).count
        return Tag(f"{count}/{expected}", "ok" if count >= expected else "warn")


class SeriesValueList(Listing):
    """One figure and period, institution by institution."""

    columns = (
        Column("机构", "institution.name", sort=("institution__code",)),
        Column("分子", lambda v: plain_text(v.numerator), sort=("numerator",), numeric=True),
        Column(
            "分母",
            lambda v: "—" if v.denominator is None else plain_text(v.denominator),
            numeric=True,
        ),
        Column("数值", lambda v: v.series.text_of(v.value), numeric=True),
        Column("达标", lambda v: _met(v)),
        Column("填报时间", lambda v: time_cn(v.entered_at)),
    )
    search = ("institution__search",)
    order = ("institution__code", "pk")
    title = "监测指标数值"

    def row_url(self, row: SeriesValue) -> str:
        return reverse("institution_detail", args=[row.institution_id])


def _met(row: SeriesValue) -> Any:
    met = row.series.meets(row.value)
    return "—" if met is None else Tag("达标", "ok") if met else Tag("未达标", "bad")
