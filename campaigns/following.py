"""Following figures: which ones, by whom, and what an institution reports for a period."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from importlib import resources
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from campaigns.models import Series, SeriesValue
from campaigns.periods import Frequency, Period
from institutions import audit, clock
from institutions.models import Institution, Post, ServiceItem

CHANGE = "campaigns.change_series"
FILL = "campaigns.fill_series"
Pair = tuple[Decimal, Decimal | None]
KEY = ["series", "institution", "year", "quarter", "month"]


def library() -> Iterator[dict[str, str]]:
    """Read the figures that the papers name, ready to be followed (campaigns/data/figures.csv)."""
    text = resources.files("campaigns").joinpath("data/figures.csv").read_text("utf-8")
    return csv.DictReader(text.splitlines())


def families() -> list[str]:
    """Return the groups of the library in its own order."""
    return list(dict.fromkeys(row["组别"] for row in library()))


def _own(bureau: Institution, by: Post) -> None:
    if not by.has_perm(CHANGE) or not by.acts_for(bureau.pk):
        raise PermissionDenied("监测指标由设立的行政部门维护")


def save_series(series: Series, *, by: Post, institutions: Sequence[Institution]) -> None:
    """Set up or change a figure and who reports it."""
    with transaction.atomic():
        _own(series.bureau, by)
        new = series.pk is None
        series.save()
        series.institutions.set(institutions)
        audit.record(
            "campaigns.series.save",
            "新增监测指标" if new else "修改监测指标",
            by=by,
            bureau=series.bureau.bureau_id,
            on=series,
            data={"institutions": len(institutions)},
        )


def adopt(
    chosen: Sequence[str], *, by: Post, starts: date, institutions: Sequence[Institution]
) -> list[Series]:
    """Follow all figures of the chosen groups of the library; codes already in use are left alone."""
    bureau = by.institution
    kinds = {label: value for value, label in Series.Kind.choices}
    frequencies = {label: value for value, label in Frequency.choices}
    directions = {label: value for value, label in Series.Direction.choices}
    with transaction.atomic():
        _own(bureau, by)
        used = set(Series.objects.filter(bureau=bureau).values_list("code", flat=True))
        items = {item.code: item for item in ServiceItem.objects.all()}
        made = [
            Series(
                bureau=bureau,
                code=row["指标代码"],
                name=row["指标名称"],
                family=row["组别"],
                position=position,
                kind=kinds[row["类型"]],
                unit=row["单位"],
                numerator_name=row["分子"],
                denominator_name=row["分母"],
                frequency=frequencies[row["频率"]],
                direction=directions[row["方向"]],
                target=Decimal(row["目标值"]) if row["目标值"] else None,
                starts=starts,
                item=items.get(row["服务项目"]),
                basis=row["依据"],
            )
            for position, row in enumerate(library(), 1)
            if row["组别"] in chosen and row["指标代码"] not in used
        ]
        if not made:
            raise ValidationError("所选各组的指标都已经在监测")
        Series.objects.bulk_create(made)
        through = Series.institutions.through
        through.objects.bulk_create(
            [
                through(series_id=series.pk, institution_id=unit.pk)
                for series in made
                for unit in institutions
            ],
            batch_size=500,
        )
        audit.record(
            "campaigns.series.adopt",
            "选用常用指标",
            by=by,
            bureau=bureau.bureau_id,
            institution=bureau,
            note="、".join(chosen)[:200],
            data={"series": len(made), "institutions": len(institutions)},
        )
    return made


def owed(institution: Institution, period: Period) -> list[Series]:
    """Return the figures that the institution reports for a period, in order."""
    rows = Series.objects.filter(
        institutions=institution, frequency=period.frequency, starts__lte=period.ends
    )
    return list(rows.order_by("family", "position", "code", "pk"))


def values_of(institution: Institution, period: Period) -> dict[int, SeriesValue]:
    """Return what the institution has reported for a period, by series id."""
    rows = SeriesValue.objects.filter(institution=institution, **period.key)
    return {row.series_id: row for row in rows.select_related("series")}


def seen(values: Mapping[int, SeriesValue]) -> str:
    """Return a mark of what stood there when a form was shown."""
    return audit.digest(
        [pk, str(row.numerator), str(row.denominator)] for pk, row in sorted(values.items())
    )[:16]


def fill(
    institution: Institution,
    period: Period,
    given: Mapping[int, Pair | None],
    *,
    by: Post,
    mark: str = "",
) -> int:
    """Keep the figures of one period; None takes one back. Returns how many have changed.

    Raises ValidationError when the period is not yet begun, or when somebody of the unit has saved since `mark`.
    """
    if not by.has_perm(FILL) or not by.acts_for(institution.pk):
        raise PermissionDenied("由填报机构填写")
    if period.starts > clock.today():
        raise ValidationError("这个统计期还没有开始")
    with transaction.atomic():
        # Two people of one unit go one after the other.
        list(Institution.objects.select_for_update(no_key=True).filter(pk=institution.pk))
        stored = values_of(institution, period)
        if mark and mark != seen(stored):
            raise ValidationError("本单位刚刚有人保存过这一期，请核对下面的数后再保存")
        own = {series.pk for series in owed(institution, period)}
        changed = {
            pk: pair for pk, pair in given.items() if pk in own and pair != _pair(stored.get(pk))
        }
        if not changed:
            return 0
        gone = [pk for pk, pair in changed.items() if pair is None]
        SeriesValue.objects.filter(institution=institution, series__in=gone, **period.key).delete()
        write(
            SeriesValue(
                series_id=pk,
                institution=institution,
                numerator=pair[0],
                denominator=pair[1],
                entered_by=by,
                entered_at=clock.now(),
                **period.key,
            )
            for pk, pair in changed.items()
            if pair is not None
        )
        audit.record(
            "campaigns.series.fill",
            "填报监测指标",
            by=by,
            bureau=institution.bureau_id,
            on=institution,
            institution=institution,
            note=str(period),
            data={
                "period": period.code,
                "changed": len(changed),
                "digest": audit.digest(
                    [pk, pair and [str(x) for x in pair]] for pk, pair in sorted(changed.items())
                ),
            },
        )
    return len(changed)


def write(rows: Any) -> None:
    """Insert or update values in sets; the unique key decides."""
    SeriesValue.objects.bulk_create(
        list(rows),
        batch_size=500,
        update_conflicts=True,
        unique_fields=KEY,
        update_fields=["numerator", "denominator", "entered_by", "entered_at"],
    )


def _pair(row: SeriesValue | None) -> Pair | None:
    return None if row is None else (row.numerator, row.denominator)
