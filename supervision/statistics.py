"""How well the loop closes: closing rate, on-time rate, mean days, 反弹, by item, institution, source and group.

Every figure is counted by the database over the rows a list has found, in a constant number of statements. Rates are
exact shares; a share of nothing is None. What was withdrawn counts nowhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.functions import TruncDate

from institutions import clock
from institutions.rounding import half_up
from supervision.ageing import BUCKETS
from supervision.models import KeyGroup, Rectification, Severity, Source
from supervision.models.tags import tagged

NAMED = 100  # institutions named in the table; the rest are in the list behind it
_CLOSED = Q(status=Rectification.Status.CLOSED)
_DONE = Q(status__in=[Rectification.Status.APPLIED, Rectification.Status.CLOSED])


@dataclass(frozen=True)
class Line:
    """The figures of one group. `on_time` of `done`: applied for closing by the deadline; `days`: from 交办 to 销号."""

    label: str
    query: str
    total: int = 0
    closed: int = 0
    done: int = 0
    on_time: int = 0
    overdue: int = 0
    recurring: int = 0
    signed: int = 0
    signed_on_time: int = 0
    extended: int = 0
    days: Decimal | None = None

    @property
    def open(self) -> int:
        return self.total - self.closed

    @property
    def closing_rate(self) -> Decimal | None:
        return share(self.closed, self.total)

    @property
    def on_time_rate(self) -> Decimal | None:
        return share(self.on_time, self.done)

    @property
    def signing_rate(self) -> Decimal | None:
        return share(self.signed_on_time, self.signed)

    @property
    def recurrence_rate(self) -> Decimal | None:
        return share(self.recurring, self.total)


def share(part: int, whole: int) -> Decimal | None:
    """Return part of whole in percent, rounded to 0.1; None of nothing."""
    return half_up(Decimal(part) * 100 / whole, 1) if whole else None


def _figures(within: Q | None = None, prefix: str = "") -> dict[str, Any]:
    """Return the aggregates of one line, of the rows `within` that hold."""
    within = within or Q()
    applied = TruncDate("applied_at", tzinfo=clock.SHANGHAI)
    signed = TruncDate("signed_at", tzinfo=clock.SHANGHAI)
    waited = ExpressionWrapper(F("closed_at") - F("assigned_at"), output_field=DurationField())
    late = Q(status__in=Rectification.WITH_INSTITUTION, due__lt=clock.today())
    conditions = {
        "total": Q(pk__isnull=False),
        "closed": _CLOSED,
        "done": _DONE,
        "on_time": _DONE & Q(due__gte=applied),
        "overdue": late,
        "recurring": Q(problem__recurs_from__isnull=False),
        "signed": Q(signed_at__isnull=False, sign_due__isnull=False),
        "signed_on_time": Q(sign_due__gte=signed),
        "extended": Q(due__gt=F("original_due")),
    }
    figures: dict[str, Any] = {
        f"{prefix}{name}": Count("pk", filter=within & condition)
        for name, condition in conditions.items()
    }
    return {**figures, f"{prefix}waited": Avg(waited, filter=within & _CLOSED)}


def _line(label: str, query: str, row: dict[str, Any]) -> Line:
    waited: timedelta | None = row.pop("waited")
    days = None if waited is None else half_up(Decimal(waited.total_seconds()) / 86400, 1)
    return Line(label, query, days=days, **{name: row[name] for name in _NAMES})


_NAMES = (
    "total",
    "closed",
    "done",
    "on_time",
    "overdue",
    "recurring",
    "signed",
    "signed_on_time",
    "extended",
)


@dataclass(frozen=True)
class Statistics:
    """All the tables of the page; `ageing` is (label, code, number) of what institutions have in hand."""

    whole: Line
    by_item: list[Line]
    by_institution: list[Line]
    by_source: list[Line]
    by_severity: list[Line]
    by_group: list[Line]
    ageing: list[tuple[str, str, int]]


def statistics(rows: QuerySet[Rectification]) -> Statistics:
    """Count the rows of a list, whatever it has found; seven statements."""
    rows = rows.exclude(status=Rectification.Status.WITHDRAWN).order_by()
    sources = dict(Source.choices)
    severities = dict(Severity.choices)
    today = clock.today()
    ageing = rows.aggregate(**{b.code: Count("pk", filter=b.q(today)) for b in BUCKETS})
    return Statistics(
        whole=_line("合计", "", rows.aggregate(**_figures())),
        by_item=_grouped(
            rows,
            ("item", "item__code", "item__short_name"),
            order=("item__code",),
            label=lambda r: r["item__short_name"] or "综合管理",
            query=lambda r: f"item={r['item']}" if r["item"] else "",
        ),
        by_institution=_grouped(
            rows,
            ("institution", "institution__code", "institution__name", "institution__short_name"),
            order=("-total", "institution__code"),
            label=lambda r: r["institution__short_name"] or r["institution__name"],
            query=lambda r: f"institution={r['institution']}",
        ),
        by_source=_grouped(
            rows,
            ("problem__source",),
            order=("problem__source",),
            label=lambda r: str(sources[r["problem__source"]]),
            query=lambda r: f"source={r['problem__source']}",
        ),
        by_severity=_grouped(
            rows,
            ("problem__severity",),
            order=("problem__severity",),
            label=lambda r: str(severities[r["problem__severity"]]),
            query=lambda r: f"severity={r['problem__severity']}",
        ),
        by_group=_by_group(rows),
        ageing=[(b.label, b.code, ageing[b.code]) for b in BUCKETS],
    )


def _grouped(
    rows: QuerySet,
    names: Sequence[str],
    *,
    order: Sequence[str],
    label: Callable[[dict], str],
    query: Callable[[dict], str],
) -> list[Line]:
    found = rows.values(*names).annotate(**_figures()).order_by(*order)[:NAMED]
    return [_line(label(row), query(row), dict(row)) for row in found]


def _by_group(rows: QuerySet) -> list[Line]:
    """Count by key group; a problem of two groups counts in both, so this does not add up to the whole."""
    figures: dict[str, Any] = {}
    for group in KeyGroup:
        figures |= _figures(tagged("problem__groups", group.value), f"{group.value}_")
    found = rows.aggregate(**figures)
    lines = []
    for group in KeyGroup:
        row = {name: found[f"{group.value}_{name}"] for name in (*_NAMES, "waited")}
        if row["total"]:
            lines.append(_line(str(group.label), f"group={group.value}", row))
    return lines
