"""The re-check of all records: what is set, what an institution reports day by day, and how far everybody is."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet

from campaigns.models import Census, CensusCount
from institutions import audit, clock
from institutions.models import Institution, Post, ServiceItem

CHANGE = "campaigns.change_census"
FILL = "campaigns.fill_census"
NUMBERS = ("total", "checked", "faulty", "corrected")


def save_census(
    census: Census,
    *,
    by: Post,
    items: Sequence[ServiceItem],
    institutions: Sequence[Institution],
) -> None:
    """Set up or change a re-check: which items, which institutions, until when."""
    if not by.has_perm(CHANGE) or not by.acts_for(census.bureau_id):
        raise PermissionDenied("档案复核由部署的行政部门维护")
    with transaction.atomic():
        new = census.pk is None
        census.save()
        census.items.set(items)
        census.institutions.set(institutions)
        audit.record(
            "campaigns.census.save",
            "部署档案复核" if new else "修改档案复核",
            by=by,
            bureau=census.bureau.bureau_id,
            on=census,
            data={"items": len(items), "institutions": len(institutions)},
        )


def latest(counts: Iterable[CensusCount]) -> dict[tuple[int, int], CensusCount]:
    """Return the last count of each institution and item; `counts` come in the order of their days."""
    return {(row.institution_id, row.item_id): row for row in counts}


def seen(row: CensusCount | None) -> str:
    """Return a mark of what stood there when a form was shown."""
    if row is None:
        return "-"
    return audit.digest([row.on, *(getattr(row, name) for name in NUMBERS), row.faults])[:16]


def last_of(census: Census, institution: Institution, item: ServiceItem) -> CensusCount | None:
    rows = CensusCount.objects.filter(census=census, institution=institution, item=item)
    return rows.order_by("-on", "-pk").first()


def report(
    census: Census,
    institution: Institution,
    item: ServiceItem,
    *,
    by: Post,
    on: date,
    numbers: Mapping[str, int],
    faults: Mapping[str, int],
    mark: str,
) -> CensusCount:
    """Keep how far the institution is on a day; a second report of one day replaces the first.

    Raises ValidationError for a day outside the re-check or before the last report, and when somebody of the unit has
    reported since `mark`.
    """
    if not by.has_perm(FILL) or not by.acts_for(institution.pk):
        raise PermissionDenied("由复核机构填报")
    if not census.institutions.filter(pk=institution.pk).exists():
        raise PermissionDenied("本单位不在这次复核范围内")
    if on > clock.today() or on < census.starts:
        raise ValidationError("截至日期应在复核开始之后、今天之前（含今天）")
    with transaction.atomic():
        list(Institution.objects.select_for_update(no_key=True).filter(pk=institution.pk))
        last = last_of(census, institution, item)
        if seen(last) != mark:
            raise ValidationError("本单位刚刚有人填报过，请核对后再保存")
        if last is not None and on < last.on:
            raise ValidationError(f"不能早于上一次填报的截至日期 {last.on}")
        row, _ = CensusCount.objects.update_or_create(
            census=census,
            institution=institution,
            item=item,
            on=on,
            defaults={
                **numbers,
                "faults": {name: number for name, number in faults.items() if number},
                "entered_by": by,
                "entered_at": clock.now(),
            },
        )
        audit.record(
            "campaigns.census.report",
            "填报档案复核",
            by=by,
            bureau=institution.bureau_id,
            on=census,
            institution=institution,
            note=f"{item.short_name}，截至 {on}",
            data={**numbers, "faults": row.faults},
        )
    return row


@dataclass
class Sum:
    """Records added up; `faults` by category."""

    total: int = 0
    checked: int = 0
    faulty: int = 0
    corrected: int = 0
    faults: Counter = field(default_factory=Counter)

    def add(self, row: CensusCount) -> None:
        for name in NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(row, name))
        self.faults.update(row.faults)


@dataclass
class Standing:
    """One institution: its last count of each item, in the order of the items, and what they come to."""

    institution: Institution
    counts: list[CensusCount | None]
    sum: Sum

    @property
    def is_complete(self) -> bool:
        return all(row is not None and row.is_complete for row in self.counts)

    @property
    def lacks(self) -> int:
        """How many items have no report at all."""
        return sum(row is None for row in self.counts)


@dataclass
class Progress:
    """The re-check in sight of a post: institutions, the whole, and its growth day by day."""

    items: list[ServiceItem]
    standings: list[Standing]
    sum: Sum
    growth: list[tuple[date, Sum]]

    @property
    def behind(self) -> list[Standing]:
        return [row for row in self.standings if not row.is_complete]


def progress(
    census: Census, institutions: Sequence[Institution], counts: QuerySet[CensusCount]
) -> Progress:
    """Put together who stands where; `counts` are those in sight, read once in the order of their days."""
    items = list(census.items.order_by("code"))
    known = {unit.pk for unit in institutions}
    wanted = {item.pk for item in items}
    rows = [
        row
        for row in counts.order_by("on", "pk")
        if row.institution_id in known and row.item_id in wanted
    ]
    last = latest(rows)
    standings = []
    whole = Sum()
    for unit in institutions:
        own = [last.get((unit.pk, item.pk)) for item in items]
        sum_ = Sum()
        for row in own:
            if row is not None:
                sum_.add(row)
                whole.add(row)
        standings.append(Standing(unit, own, sum_))
    return Progress(items, standings, whole, _growth(rows))


def _growth(rows: Sequence[CensusCount]) -> list[tuple[date, Sum]]:
    """What stood at the end of each day with a report, over all institutions and items."""
    standing: dict[Any, CensusCount] = {}
    found: dict[date, Sum] = {}
    for row in rows:
        standing[row.institution_id, row.item_id] = row
        total = Sum()
        for one in standing.values():
            total.add(one)
        found[row.on] = total
    return list(found.items())
