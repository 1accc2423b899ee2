"""The table `series_values`: what institutions report for the followed figures, one row a figure, institution and period."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.db import models

from campaigns import following
from campaigns.models import Series, SeriesValue
from campaigns.periods import Frequency, Period
from institutions import clock, sheets
from institutions.rounding import plain_text
from institutions.tables import PLACE, YEAR, Change, Column, ModelTable, Row, code_of

NUMBER = sheets.decimal(2, 0, 10**11)
BLANK = {"month": (False, True), "quarter": (True, False), "year": (False, False)}


def _plain(value: Decimal) -> Decimal:
    return Decimal(plain_text(value))


class SeriesValueTable(ModelTable):
    """Figures of a period: a month for a monthly one, a quarter for a quarterly one, neither for a yearly one."""

    kind = "series_values"
    label = "监测指标数值"
    purpose = "各机构每期填报的监测指标；每月的填月份，每季度的填季度，每年的都不填。"
    model = SeriesValue
    keyed = ("series", "institution", "year", "quarter", "month")
    columns = (
        Column(
            "指标代码",
            "series",
            sheets.code(32),
            required=True,
            lookup="find_series",
            show=code_of,
            help="监测指标里的代码",
            example="QY-LN",
        ),
        PLACE,
        YEAR,
        Column(
            "季度",
            "quarter",
            sheets.quarter,
            blank=0,
            show=lambda v: v or None,
            help="每季度填报的指标写 1 至 4",
            example="3",
        ),
        Column(
            "月份",
            "month",
            sheets.integer(1, 12),
            blank=0,
            show=lambda v: v or None,
            help="每月填报的指标写 1 至 12",
        ),
        Column("分子", "numerator", NUMBER, required=True, numeric=True, show=_plain, example="85"),
        Column(
            "分母",
            "denominator",
            NUMBER,
            numeric=True,
            show=_plain,
            help="比率、平均数必填，数量不填",
            example="100",
        ),
    )
    import_perms = (following.FILL, following.CHANGE)
    export_perm = "campaigns.view_series"

    def prepare(self) -> None:
        """Load the figures of the bureaus the unit works under, and who reports each."""
        unit = self.scope.unit
        owners = unit.path.strip("/").split("/") if unit else []
        found = Series.objects.filter(bureau__code__in=owners).select_related("bureau")
        # The nearest bureau's figure goes before one of the same code above it.
        self.series = {row.code: row for row in sorted(found, key=lambda s: len(s.bureau.path))}
        through = Series.institutions.through.objects.filter(
            series__in=[row.pk for row in self.series.values()]
        )
        self.reporters = set(through.values_list("series", "institution"))

    def find_series(self, text: str) -> Series:
        if text not in self.series:
            raise ValueError("没有这个监测指标")
        return self.series[text]

    def resolve(self, row: Row) -> None:
        series, place = row["series"], row["institution"]
        if (series.pk, place.pk) not in self.reporters:
            self.bad(row, "机构代码", f"“{series.name}”不由这个机构填报")
        quarterly, monthly = BLANK[series.frequency]
        for header, name, wanted in (("季度", "quarter", quarterly), ("月份", "month", monthly)):
            if bool(row[name]) != wanted:
                often = str(Frequency(series.frequency).label)
                self.bad(row, header, f"{often}填报的指标{'要填' if wanted else '不填'}{header}")
                return
        if Period(row["year"], row["quarter"], row["month"]).starts > clock.today():
            self.bad(row, "年度", "这个统计期还没有开始")
        self._check_numbers(row, series)

    def _check_numbers(self, row: Row, series: Series) -> None:
        below = row["denominator"]
        if series.has_denominator and below is None:
            self.bad(row, "分母", "不能为空")
        elif not series.has_denominator and below is not None:
            self.bad(row, "分母", "数量指标不填分母")
        elif series.kind == Series.Kind.SHARE and row["numerator"] > below:
            self.bad(row, "分子", "比率的分子不能大于分母")

    def in_scope(self) -> models.QuerySet:
        return super().in_scope().select_related("series", "institution")

    def stored_key(self, obj: Any) -> Any:
        return (obj.series, obj.institution_id, obj.year, obj.quarter, obj.month)

    def write(self, changes: list[Change]) -> None:
        following.write(
            SeriesValue(
                **self.attributes(change), entered_by=self.scope.post, entered_at=clock.now()
            )
            for change in changes
        )

    def export(self, year: int | None) -> Iterator[Sequence[Any]]:
        rows = self.in_scope()
        if year is not None:
            rows = rows.filter(year=year)
        order = ("institution__code", "series__code", "year", "quarter", "month", "pk")
        for obj in rows.order_by(*order).iterator(chunk_size=2000):
            yield [
                None if (value := self.stored(obj, c.name)) is None else c.show(value)
                for c in self.columns
            ]
