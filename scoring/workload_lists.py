"""The reports of workload, for both sides; the distributions."""

from collections.abc import Sequence
from typing import Any

import django_filters
from django.db.models import Count, QuerySet

from institutions.forms import ScopedFilterSet
from institutions.http import Request
from institutions.listing import Column, Listing, Tag
from institutions.models import Kind
from institutions.templatetags.portal import money
from scoring.models import Distribution, WorkloadReport

TONES = {"draft": "muted", "submitted": "warn", "returned": "bad", "verified": "ok"}


def report_tag(row: WorkloadReport) -> Tag:
    return Tag(row.get_status_display(), TONES[row.status])


class WorkloadFilters(ScopedFilterSet):
    year = django_filters.NumberFilter(label="年度", max_value=2100)
    quarter = django_filters.ChoiceFilter(
        label="季度", choices=[(n, f"第{n}季度") for n in (1, 2, 3, 4)]
    )
    kind = django_filters.ChoiceFilter(
        label="机构类别", choices=Kind.choices, field_name="institution__kind"
    )
    status = django_filters.ChoiceFilter(label="状态", choices=WorkloadReport.Status.choices)
    side = django_filters.ChoiceFilter(
        label="范围", choices=[("own", "本机构的"), ("asked", "由我方核定的")], method="by_side"
    )

    class Meta:
        model = WorkloadReport
        fields = ("year", "quarter", "kind", "status", "side")

    def __init__(self, data: Any = None, queryset: Any = None, *, request: Any, **kwargs: Any):
        super().__init__(data, queryset, request=request, **kwargs)
        self.post = request.post

    def by_side(self, queryset: Any, name: str, value: str) -> Any:
        column = "institution" if value == "own" else "supervisor"
        return queryset.filter(**{column: self.post.institution_id})


class WorkloadList(Listing):
    title = "工作量申报"
    search = ("institution__search",)
    filters = WorkloadFilters
    order = ("-year", "-quarter", "institution__code", "pk")
    columns: Sequence[Column] = (
        Column("机构", "institution.known_as", sort=("institution__code",)),
        Column("机构代码", "institution.code", shown=False),
        Column("机构类别", "institution.get_kind_display", sort=("institution__kind",)),
        Column("期间", lambda r: f"{r.year}年第{r.quarter}季度", sort=("year", "quarter")),
        Column("申报截止", lambda r: r.due or "—"),
        Column("核定方", "supervisor.known_as"),
        Column("状态", report_tag, sort=("status",)),
    )


def coverage(rows: QuerySet[WorkloadReport]) -> list[dict[str, Any]]:
    """Return by kind of institution how many reports there are and how many are verified (当量法覆盖三类机构)."""
    counts: dict[str, dict[str, Any]] = {}
    for kind, status, n in (
        rows.order_by().values_list("institution__kind", "status").annotate(n=Count("pk"))
    ):
        one = counts.setdefault(kind, {"kind": Kind(kind).label, "all": 0, "verified": 0})
        one["all"] += n
        one["verified"] += n if status == WorkloadReport.Status.VERIFIED else 0
    return [counts[kind] for kind in Kind.values if kind in counts]


class DistributionFilters(ScopedFilterSet):
    year = django_filters.NumberFilter(label="年度", max_value=2100)
    status = django_filters.ChoiceFilter(label="状态", choices=Distribution.Status.choices)

    class Meta:
        model = Distribution
        fields = ("year", "status")


class DistributionList(Listing):
    """Totals by institution and period; no page of an office names a person."""

    title = "绩效分配"
    search = ("institution__search",)
    filters = DistributionFilters
    order = ("-year", "-quarter", "institution__code", "pk")

    def __init__(self, request: Request, rows: QuerySet[Distribution]) -> None:
        super().__init__(request, rows.annotate(people=Count("shares")))

    columns: Sequence[Column] = (
        Column("机构", "institution.known_as", sort=("institution__code",)),
        Column("机构代码", "institution.code", shown=False),
        Column("期间", lambda r: f"{r.year}年{r.get_quarter_display()}", sort=("year", "quarter")),
        Column("分配总额（元）", lambda r: money(r.pool), sort=("pool",), numeric=True),
        Column("人数", "people", numeric=True),
        Column("依据", "basis"),
        Column(
            "状态",
            lambda r: Tag(
                r.get_status_display(),
                {"draft": "muted", "confirmed": "info", "frozen": "ok"}[r.status],
            ),
        ),
    )
