from collections.abc import Iterator
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from institutions.http import Request
from scoring import costing, exporting
from scoring.models import YearResult
from scoring.papers import line_view
from scoring.policies import grade_shares

HEADERS = [
    "机构代码",
    "机构名称",
    "年度",
    "季度",
    "服务项目",
    "条款代码",
    "条款名称",
    "满分",
    "得分",
    "扣分",
    "影响经费（元）",
    "扣分理由",
    "核定人",
    "补回后年终得分",
    "补回后核定金额",
]


def line_url(line) -> str:
    """Return where a line stands on its sheet."""
    return f"{reverse('scoring:sheet_detail', args=[line.sheet_id])}#l{line.pk}"


def shown(cost: costing.Cost, shares: Any) -> dict[str, Any]:
    """Return one lost clause with everything it opens down to."""
    line = cost.line
    problem = line.problem
    return {
        "cost": cost,
        "view": line_view(line, shares),
        "url": line_url(line),
        "quarter": f"第{cost.quarter}季度" if cost.quarter else line.sheet.evaluation.name,
        "problem": problem,
        "rectification": getattr(problem, "rectification", None) if problem else None,
    }


@require_safe
@permission_required("scoring.view_yearresult", raise_exception=True)
def year_costs(request: Request, pk: int) -> HttpResponse | StreamingHttpResponse:
    """Every lost clause of an institution's year with what it costs, dearest first."""
    row = get_object_or_404(
        YearResult.objects.visible_to(request.post).select_related(
            "institution", "unit__bureau", "settled_by", "frozen_by"
        ),
        pk=pk,
    )
    costs = costing.costs_of(row, request.post)
    quarter = request.GET.get("quarter", "")
    rows = [one for one in costs.rows if quarter in ("", str(one.quarter))]
    if exporting.wanted(request):
        return exporting.answer(
            request,
            f"扣分影响经费-{row.institution.code}-{row.year}",
            HEADERS,
            _lines(row, rows),
            note=f"{row.institution.code} {row.year}，{len(rows)} 条",
        )
    shares = grade_shares(row.unit, row.year) if rows else {}
    return render(
        request,
        "scoring/year_costs.html",
        {
            "row": row,
            "costs": costs,
            "lines": [shown(one, shares) for one in rows],
            "quarter": quarter,
            "quarters": sorted({one.quarter for one in costs.rows}),
            "lost": sum((one.lost for one in rows), costing.ZERO),
        },
    )


def _lines(row: YearResult, rows: list[costing.Cost]) -> Iterator[list[Any]]:
    for one in rows:
        line = one.line
        yield [
            row.institution.code,
            row.institution.name,
            row.year,
            one.quarter or "专项",
            line.section.title,
            line.clause.code,
            line.clause.name,
            line.full,
            one.points,
            one.lost,
            one.yuan,
            line.reason,
            str(line.section.verifier or ""),
            one.year_score,
            one.approved,
        ]
