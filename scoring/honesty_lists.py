"""自评核定偏差 as a list: institutions down, service items across."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import django_filters
from django.db import models
from django.urls import reverse

from institutions.forms import ScopedFilterSet
from institutions.http import Request
from institutions.listing import PAGE, Column, Listing
from institutions.models import Institution, Kind, ServiceItem
from scoring import honesty


class HonestyFilters(ScopedFilterSet):
    year = django_filters.NumberFilter(label="年度", method="skip")
    quarter = django_filters.ChoiceFilter(
        label="季度", choices=[(n, f"第{n}季度") for n in (1, 2, 3, 4)], method="skip"
    )
    item = django_filters.ModelChoiceFilter(
        label="服务项目", queryset=ServiceItem.objects.all(), method="skip"
    )
    kind = django_filters.ChoiceFilter(label="机构类别", choices=Kind.choices)

    class Meta:
        model = Institution
        fields = ("kind",)


class HonestyList(Listing):
    title = "自评核定偏差"
    search = ("search", "code")
    filters = HonestyFilters
    order = ("code",)

    def __init__(self, request: Request, rows: models.QuerySet, year: int, quarter: int) -> None:
        super().__init__(request, rows)
        self.sections = honesty.sections_shown(request.post, year, quarter or None)
        self.year = year

    @cached_property
    def items(self) -> list[tuple[int | None, str]]:
        """The items that have sections in sight, the chosen one alone where one is chosen."""
        rows = self.sections.order_by().values_list("item", "item__code", "item__short_name")
        wanted = self.query.get("item", "")
        if wanted.isascii() and wanted.isdigit():
            rows = rows.filter(item=int(wanted))
        found = sorted(rows.distinct(), key=lambda row: (row[0] is None, row[1] or ""))
        return [(pk, name or "综合") for pk, _, name in found]

    @cached_property
    def gaps(self) -> honesty.Gaps:
        """Of the page, or of all that is found where a table is asked for."""
        if self.query.get("format"):
            return honesty.gaps_of(self.sections, self.found.order_by().values("pk"))
        return honesty.gaps_of(self.sections, [row.pk for row in self.page_rows[:PAGE]])

    @property
    def columns(self) -> Sequence[Column]:  # type: ignore[override]
        def of_item(item: int | None) -> Any:
            return lambda row: honesty.gap_tag(self.gaps.by_item.get((row.pk, item)))

        return (
            Column(
                "机构",
                "known_as",
                url=lambda row: reverse("institution_detail", args=[row.pk]),
            ),
            Column("机构代码", "code", sort=("code",), shown=False),
            Column("合计", lambda row: honesty.gap_tag(self.gaps.whole.get(row.pk))),
            Column("走势", lambda row: self.gaps.trend(row.pk)),
            *(Column(name, of_item(pk)) for pk, name in self.items),
        )

    def row_url(self, row: Institution) -> str:
        return f"{reverse('scoring:sheet_list')}?q={row.code}&year={self.year}"
