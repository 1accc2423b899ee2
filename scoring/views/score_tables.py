from typing import Any
from urllib.parse import quote

from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from institutions import clock
from institutions.http import Request
from institutions.models import Institution
from scoring import exporting, score_tables, year_end
from scoring.pictures import share

PAGE = 100


def _asked(request: Request) -> tuple[list[Institution], Institution | None, list[int], int]:
    """Return the units and years offered, and those asked for; a unit out of sight is 404."""
    units = year_end.units_in_sight(request.post)
    code = request.GET.get("unit", "")
    unit = next((one for one in units if one.code == code), None) if code else None
    if code and unit is None:
        raise Http404
    unit = unit or (units[0] if units else None)
    if unit is None:
        return units, None, [], 0
    years = year_end.years_in_sight(request.post, unit) or [clock.today().year]
    text = request.GET.get("year", "")
    year = int(text) if text.isascii() and text.isdigit() and len(text) == 4 else years[0]
    return units, unit, sorted({*years, year}, reverse=True), year


@require_safe
@permission_required("scoring.view_sheet", raise_exception=True)
def score_summary(request: Request) -> HttpResponse | StreamingHttpResponse:
    """得分汇总表: institutions down, items across, of a quarter or the whole year."""
    units, unit, years, year = _asked(request)
    if unit is None:
        return render(request, "scoring/score_summary.html", {"units": []})
    text = request.GET.get("quarter", "")
    quarter = int(text) if text in ("1", "2", "3", "4") else 0
    sections = score_tables.sections_of(request.post, unit, year, quarter)
    columns = score_tables.columns_of(sections)
    if exporting.wanted(request):
        rows = score_tables.score_rows(sections)
        return exporting.answer(
            request,
            f"得分汇总表-{unit.code}-{year}{f'-{quarter}季度' if quarter else ''}",
            score_tables.score_headers(columns),
            score_tables.score_lines(rows, columns, quarter),
            note=f"{unit.code} {year} {quarter or '全年'}",
        )
    page, rows = _page(request, sections)
    return render(
        request,
        "scoring/score_summary.html",
        {
            "units": units,
            "unit": unit,
            "years": years,
            "year": year,
            "quarter": quarter,
            "columns": [name for _, name in columns],
            "lines": [_line(row, columns, quarter) for row in rows],
            "page": page,
            "query": f"unit={quote(unit.code)}&year={year}"
            + (f"&quarter={quarter}" if quarter else ""),
        },
    )


def _page(request: Request, sections: Any) -> tuple[Any, list[score_tables.ScoreRow]]:
    ids = sections.order_by().values("institution")
    found = Institution.objects.visible_to(request.post).filter(pk__in=ids).order_by("code")
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    own = sections.filter(institution__in=[one.pk for one in page])
    return page, list(score_tables.score_rows(own))


def _line(row: score_tables.ScoreRow, columns: Any, quarter: int) -> dict[str, Any]:
    cells = []
    for key, name in columns:
        points, full = row.cells.get(key, (None, None))
        cells.append({"name": name, "points": points, "full": full, "rate": share(points, full)})
    return {"row": row, "cells": cells, "rank": row.rank if quarter else None}


@require_safe
@permission_required("scoring.view_yearresult", raise_exception=True)
def performance_table(request: Request) -> HttpResponse | StreamingHttpResponse:
    """The year's results as the basis of 事业单位绩效考核: to be printed, signed, or taken as a table."""
    units, unit, years, year = _asked(request)
    if unit is None:
        return render(request, "scoring/performance_table.html", {"units": []})
    results = year_end.results_in_sight(request.post, unit, year)
    ids = [row.institution_id for row in results]
    sections = score_tables.sections_of(request.post, unit, year).filter(institution__in=ids)
    columns = score_tables.columns_of(sections) if results else []
    rates = {row.institution.pk: row for row in score_tables.score_rows(sections)}
    sanctions = score_tables.sanctions_of(request.post, year, ids)
    if exporting.wanted(request):
        return exporting.answer(
            request,
            f"事业单位绩效考核评价表-{unit.code}-{year}",
            score_tables.performance_headers(columns),
            score_tables.performance_lines(results, rates, sanctions, columns),
            note=f"{unit.code} {year}，{len(results)} 行",
        )
    lines = []
    for row in results:
        own = rates.get(row.institution_id)
        cells = [
            {"name": name, "rate": share(*own.cells[key]) if own and key in own.cells else None}
            for key, name in columns
        ]
        lines.append(
            {"row": row, "cells": cells, "sanctions": sanctions.get(row.institution_id, [])}
        )
    return render(
        request,
        "scoring/performance_table.html",
        {
            "units": units,
            "unit": unit,
            "years": years,
            "year": year,
            "columns": [name for _, name in columns],
            "lines": lines,
            "first": results[0] if results else None,
            "query": f"unit={quote(unit.code)}&year={year}",
        },
    )
