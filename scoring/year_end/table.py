"""The year-end table as it goes out, and whose tables a post may see."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from django.db.models import Q

from institutions.models import Institution, Post
from scoring.models import ScoreSheet, YearResult
from scoring.rules import QUARTERS

HEADERS = [
    "序号",
    "机构代码",
    "机构名称",
    "机构类别",
    "服务人口",
    "第一季度",
    "第二季度",
    "第三季度",
    "第四季度",
    "季度得分",
    "加分",
    "扣分",
    "年终得分",
    "名次",
    "排名组",
    "等次",
    "一票否决",
    "人均标准",
    "应拨金额",
    "拨付比例",
    "核定金额",
    "财政补齐",
    "已预拨",
    "应补退",
]


def quarter_cell(row: YearResult, quarter: int) -> Decimal | str | None:
    """Return what stands in a quarter's column: the score, 缺考, or nothing where it was not due."""
    score = getattr(row, f"quarter{quarter}")
    if score is None and quarter in row.details.get("absent", ()):
        return "缺考"
    return score


def export_rows(results: Iterable[YearResult]) -> Iterator[list[Any]]:
    """Yield the rows of `year_end` by HEADERS, in the order given; institutions fetched with them."""
    for row in results:
        yield [
            row.position,
            row.institution.code,
            row.institution.name,
            row.institution.get_kind_display(),
            row.population,
            *(quarter_cell(row, quarter) for quarter in QUARTERS),
            row.quarters,
            row.bonus,
            row.deduction,
            row.score,
            row.rank,
            row.group,
            row.grade,
            row.vetoed,
            row.per_capita,
            row.due_amount,
            row.ratio,
            row.approved_amount,
            row.top_up,
            row.prepaid,
            row.balance,
        ]


MAX_UNITS = 200


def units_in_sight(post: Post) -> list[Institution]:
    """Return whose tables a post may look for: its own institution's first, at most MAX_UNITS."""
    tables = YearResult.objects.visible_to(post).order_by().values("unit")
    sheets = ScoreSheet.objects.visible_to(post).order_by().values("supervisor")
    found = Institution.objects.filter(Q(pk__in=tables) | Q(pk__in=sheets)).select_related("bureau")
    units = list(found.order_by("code")[:MAX_UNITS])
    return sorted(units, key=lambda unit: (unit.pk != post.institution_id, unit.code))


def years_in_sight(post: Post, unit: Institution) -> list[int]:
    """Return the years of a unit with a table or sheets, newest first."""
    tables = YearResult.objects.visible_to(post).filter(unit=unit)
    sheets = ScoreSheet.objects.visible_to(post).filter(supervisor=unit)
    years = {year for rows in (tables, sheets) for year in _years(rows)}
    return sorted(years, reverse=True)


def _years(rows: Any) -> Iterable[int]:
    return rows.order_by().values_list("year", flat=True).distinct()


def results_in_sight(post: Post, unit: Institution, year: int) -> list[YearResult]:
    """Return the rows of a unit's table that a post may see, in table order."""
    rows = YearResult.objects.visible_to(post).filter(unit=unit, year=year)
    return list(
        rows.select_related("institution", "settled_by", "confirmed_by", "frozen_by").order_by(
            "position", "pk"
        )
    )
