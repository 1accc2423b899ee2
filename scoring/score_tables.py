"""得分汇总表 (institution × item, a quarter or a year) and the table for 事业单位绩效考核, row by row.

Only results that the post may see; sections are read in the order of the rows, so that a table of any length is written
with as much memory as one row takes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.db.models import Min, Q, QuerySet

from campaigns.models import Standard
from institutions.models import Institution, Post
from scoring.models import Evaluation, ScoreSection, ScoreSheet, YearResult
from scoring.pictures import share
from supervision.models import Sanction

ZERO = Decimal("0.00")
Key = tuple[int | None, str]


@dataclass
class ScoreRow:
    """One institution: points and full marks by column, and of the whole."""

    institution: Institution
    cells: dict[Key, list[Decimal]] = field(default_factory=dict)
    points: Decimal = ZERO
    full: Decimal = ZERO
    rank: int | None = None
    sheet: int | None = None

    @property
    def rate(self) -> Decimal | None:
        return share(self.points, self.full)


def sections_of(
    post: Post, unit: Institution, year: int, quarter: int = 0
) -> QuerySet[ScoreSection]:
    """Return the sections of a unit's verified quarterly sheets whose result `post` may see."""
    sections = ScoreSection.objects.visible_to(post).filter(
        sheet__supervisor=unit,
        sheet__institution__parent=unit,
        sheet__year=year,
        sheet__quarter__gte=1,
        sheet__status=ScoreSheet.Status.VERIFIED,
        sheet__evaluation__standard__purpose=Standard.Purpose.QUARTERLY,
    )
    if quarter:
        sections = sections.filter(sheet__quarter=quarter)
    if not post.institution.is_bureau:
        public = [Evaluation.Status.PUBLISHED, Evaluation.Status.FINAL]
        sections = sections.filter(
            Q(sheet__evaluation__status__in=public) | Q(supervisor=post.institution_id)
        )
    return sections


def columns_of(sections: QuerySet[ScoreSection]) -> list[tuple[Key, str]]:
    """Return the columns in the order of the standard: an item, or a section without one by its title."""
    rows = (
        sections.order_by()
        .values_list("item", "item__short_name", "title")
        .annotate(place=Min("position"))
        .order_by("place", "title")
    )
    found: dict[Key, str] = {}
    for item, short, title, _ in rows:
        found.setdefault((item, "" if item else title), short or title)
    return list(found.items())


def score_rows(sections: QuerySet[ScoreSection]) -> Iterator[ScoreRow]:
    """Yield one row for each institution, by 机构代码."""
    ordered = (
        sections.select_related("sheet__institution")
        .order_by("sheet__institution__code", "sheet__quarter", "sheet", "position")
        .iterator(chunk_size=2000)
    )
    for _, own in groupby(ordered, key=lambda section: section.sheet.institution_id):
        row: ScoreRow | None = None
        for section in own:
            sheet = section.sheet
            row = row or ScoreRow(sheet.institution)
            key = (section.item_id, "" if section.item_id else section.title)
            cell = row.cells.setdefault(key, [ZERO, ZERO])
            cell[0] += section.points
            cell[1] += section.full
            if row.sheet != sheet.pk:
                row.sheet, row.rank = sheet.pk, sheet.rank
                row.points += sheet.points
                row.full += sheet.full
        if row is not None:
            yield row


def score_headers(columns: Sequence[tuple[Key, str]]) -> list[str]:
    names: list[str] = []
    for _, name in columns:
        names += [f"{name}得分", f"{name}得分率"]
    return [
        "机构代码",
        "机构名称",
        "机构类别",
        *names,
        "得分合计",
        "适用满分",
        "得分率",
        "名次",
    ]


def score_lines(
    rows: Iterator[ScoreRow], columns: Sequence[tuple[Key, str]], quarter: int
) -> Iterator[list[Any]]:
    """Yield the table by `score_headers`; a year has no rank of its own here, it stands in the year-end table."""
    for row in rows:
        cells: list[Any] = []
        for key, _ in columns:
            points, full = row.cells.get(key, (None, None))
            cells += [points, share(points, full)]
        yield [
            row.institution.code,
            row.institution.name,
            row.institution.get_kind_display(),
            *cells,
            row.points,
            row.full,
            row.rate,
            row.rank if quarter else None,
        ]


# --- 事业单位绩效考核 ---------------------------------------------------------------------------------


def sanctions_of(post: Post, year: int, institutions: Sequence[int]) -> Mapping[int, list[str]]:
    """Return by institution the penalties and rewards in force of the year, as far as `post` may see them."""
    rows = Sanction.objects.visible_to(post).in_force()
    found: dict[int, list[str]] = {}
    for row in rows.filter(year=year, institution__in=institutions).order_by("pk"):
        found.setdefault(row.institution_id, []).append(row.get_kind_display())
    return found


def performance_headers(columns: Sequence[tuple[Key, str]]) -> list[str]:
    return [
        "序号",
        "机构代码",
        "机构名称",
        "机构类别",
        *(f"{name}得分率" for _, name in columns),
        "季度得分",
        "加分",
        "扣分",
        "年终得分",
        "名次",
        "排名组",
        "等次",
        "一票否决",
        "奖惩",
    ]


def performance_lines(
    results: Sequence[YearResult],
    rates: Mapping[int, ScoreRow],
    sanctions: Mapping[int, list[str]],
    columns: Sequence[tuple[Key, str]],
) -> Iterator[list[Any]]:
    """Yield the evaluation table of the year by `performance_headers`, in the order of the year-end table."""
    for row in results:
        own = rates.get(row.institution_id)
        yield [
            row.position,
            row.institution.code,
            row.institution.name,
            row.institution.get_kind_display(),
            *(share(*own.cells[key]) if own and key in own.cells else None for key, _ in columns),
            row.quarters,
            row.bonus,
            row.deduction,
            row.score,
            row.rank,
            row.group,
            row.grade,
            row.vetoed,
            "；".join(sanctions.get(row.institution_id, ())),
        ]
