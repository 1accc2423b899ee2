"""Figures added up: sums of numerators and denominators, never a mean of rates; who has reported and who has not."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.safestring import SafeString

from campaigns.models import Campaign, Series, SeriesValue
from campaigns.periods import Frequency, Period
from institutions import charts, clock
from institutions.models import Institution, Post

BACK = {"month": 12, "quarter": 8, "year": 5}


@dataclass(frozen=True)
class Total:
    """What the institutions in sight report together; `count` of them have."""

    numerator: Decimal | None = None
    denominator: Decimal | None = None
    count: int = 0

    def value(self, series: Series) -> Decimal | None:
        return series.value_of(self.numerator, self.denominator)

    def text(self, series: Series) -> str:
        return series.text_of(self.value(series))


NONE = Total()


@dataclass(frozen=True)
class Gap:
    """How far a value is from that of the year before and from its target."""

    series: Series
    now: Decimal | None
    before: Decimal | None

    @property
    def value(self) -> str:
        return self.series.text_of(self.now)

    @property
    def to_before(self) -> str:
        """提高 or 下降 against the same period of the year before; nothing where either is missing."""
        if self.now is None or self.before is None:
            return ""
        change = self.now - self.before
        if not change:
            return "与上年同期持平"
        return f"比上年同期{'提高' if change > 0 else '下降'}{self.series.gap_text(change)}"

    @property
    def to_target(self) -> str:
        """How much is missing to the target, or by how much it is passed."""
        met = self.series.meets(self.now)
        if met is None or self.now is None or self.series.target is None:
            return ""
        gap = self.now - self.series.target
        if not gap:
            return "达到目标"
        if met:
            return f"好于目标{self.series.gap_text(gap)}"
        return f"距目标还差{self.series.gap_text(gap)}"

    @property
    def better(self) -> bool | None:
        """Whether it moved the right way since the year before."""
        if self.now is None or self.before is None or self.now == self.before:
            return None
        return (self.now > self.before) == (self.series.direction == Series.Direction.UP)


def periods_q(periods: Iterable[Period]) -> Q:
    condition = Q(pk__in=[])
    for period in periods:
        condition |= Q(**period.key)
    return condition


def totals(
    values: QuerySet[SeriesValue], periods: Sequence[Period]
) -> dict[tuple[int, Period], Total]:
    """Add up the values by series and period, in one statement."""
    rows = (
        values.filter(periods_q(periods))
        .order_by()
        .values("series", "year", "quarter", "month")
        .annotate(n=Sum("numerator"), d=Sum("denominator"), c=Count("pk"))
    )
    return {
        (row["series"], Period(row["year"], row["quarter"], row["month"])): Total(
            row["n"], row["d"], row["c"]
        )
        for row in rows
    }


def current_periods() -> list[Period]:
    """Return the periods that are owed now: the last month, quarter and year that are over."""
    return [Period.last(frequency, clock.today()) for frequency in Frequency.values]


def measured(campaign: Campaign, post: Post) -> list[tuple[Series, Period, Gap]]:
    """Return the figures by which a campaign's goal is measured, each in its last period; two queries."""
    rows = list(Series.objects.visible_to(post).filter(campaign=campaign))
    current = current_periods()
    values = SeriesValue.objects.visible_to(post).filter(series__in=rows)
    found = totals(values, [*current, *(p.year_before() for p in current)]) if rows else {}
    lines = []
    for row in rows:
        period = Period.last(row.frequency, clock.today())
        now = found.get((row.pk, period), NONE).value(row)
        before = found.get((row.pk, period.year_before()), NONE).value(row)
        lines.append((row, period, Gap(row, now, before)))
    return lines


def choices(series: Series) -> list[Period]:
    """Return the periods of a series up to the running one, oldest first."""
    running = Period.holding(series.frequency, clock.today())
    found = [p for p in running.back(BACK[series.frequency]) if p.ends >= series.starts]
    return found or [running]


def reporting(series: Series, post: Post) -> QuerySet[Institution]:
    """Return the institutions in sight that report a figure."""
    through = Series.institutions.through.objects.filter(series=series)
    return Institution.objects.visible_to(post).filter(pk__in=through.values("institution"))


def expected(post: Post, series: Iterable[Series]) -> dict[int, int]:
    """Return how many institutions in sight report each series."""
    through = Series.institutions.through.objects.filter(
        series__in=[row.pk for row in series],
        institution__in=Institution.objects.visible_to(post),
    )
    return dict(
        through.order_by().values("series").annotate(n=Count("pk")).values_list("series", "n")  # type: ignore[misc]
    )


def missing(series: Series, period: Period, post: Post) -> list[Institution]:
    """Return who in sight has not reported this period."""
    if period.ends < series.starts:
        return []
    done = SeriesValue.objects.filter(series=series, **period.key)
    units = reporting(series, post).exclude(pk__in=done.values("institution"))
    return list(units.order_by("code"))


def trend(series: Series, values: QuerySet[SeriesValue], periods: Sequence[Period]) -> SafeString:
    """Draw the totals over the periods, with the target as a second line."""
    found = totals(values.filter(series=series), periods)
    lines = [
        charts.Series("合计", [found.get((series.pk, p), NONE).value(series) for p in periods])
    ]
    if series.target is not None:
        lines.append(charts.Series("目标", [series.target] * len(periods)))
    return charts.trend(
        "trend", f"{series.name}走势", [p.short for p in periods], lines, series.measure
    )


@dataclass(frozen=True)
class Coverage:
    """What one institution owes and has reported for one period."""

    institution: Institution
    owed: int
    done: int
    names: list[str]


def coverage(period: Period, post: Post) -> list[Coverage]:
    """Return what each institution in sight owes for a period over all figures in sight, in three statements."""
    series = {
        row.pk: row.name
        for row in Series.objects.visible_to(post).filter(
            frequency=period.frequency, starts__lte=period.ends
        )
    }
    units = {unit.pk: unit for unit in Institution.objects.visible_to(post).order_by("code")}
    through = Series.institutions.through.objects.filter(series__in=series)
    owes: dict[int, set[int]] = defaultdict(set)
    for pk, unit in through.values_list("series", "institution"):
        if unit in units:
            owes[unit].add(pk)
    done: dict[int, set[int]] = defaultdict(set)
    values = SeriesValue.objects.visible_to(post).filter(series__in=series, **period.key)
    for pk, unit in values.values_list("series", "institution"):
        done[unit].add(pk)
    return [
        Coverage(
            unit,
            len(owes[pk]),
            len(owes[pk] & done[pk]),
            [name for one, name in series.items() if one in owes[pk] - done[pk]],
        )
        for pk, unit in units.items()
        if owes[pk]
    ]
