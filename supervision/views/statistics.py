from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from institutions.charts import Bar, bar, ranking
from institutions.http import Request
from supervision.lists import RectificationList
from supervision.models import Rectification
from supervision.statistics import Line, statistics
from supervision.views.rectifications import CRUMBS

RANKED = 20


@require_safe
@permission_required("supervision.view_rectification", raise_exception=True)
def rectification_statistics(request: Request) -> HttpResponse:
    """How well the loop closes, over the rows that the filters of the ledger find."""
    rows = Rectification.objects.visible_to(request.post)
    listing = RectificationList(request, rows)
    found = statistics(listing.found)
    listed = reverse("supervision:rectification_list")
    query = request.GET.copy()
    query.pop("format", None)
    kept = f"{query.urlencode()}&" if query else ""

    def table(title: str, first: str, lines: list[Line]) -> dict:
        return {
            "title": title,
            "first": first,
            "lines": [
                {
                    "line": line,
                    "url": f"{listed}?{kept}{line.query}" if line.query else "",
                    "bar": bar(line.closing_rate),
                }
                for line in lines
            ],
        }

    ranked = sorted(
        (line for line in found.by_institution if line.closing_rate is not None),
        key=lambda line: (-(line.closing_rate or 0), -line.total),
    )[:RANKED]
    bars = [
        Bar(
            rank=1 + sum((other.closing_rate or 0) > (line.closing_rate or 0) for other in ranked),
            label=line.label,
            value=line.closing_rate,
            url=f"{listed}?{kept}{line.query}",
        )
        for line in ranked
    ]
    whole = found.whole
    return render(
        request,
        "supervision/rectification_statistics.html",
        {
            "page": listing,
            "form": listing.form,
            "listing": {"rows": []},
            "whole": whole,
            "kpis": [
                {"label": "交办", "value": whole.total, "url": f"{listed}?{query.urlencode()}"},
                {"label": "销号率", "value": whole.closing_rate, "unit": "%"},
                {"label": "按时率", "value": whole.on_time_rate, "unit": "%",
                 "note": f"{whole.on_time}/{whole.done} 项按时申请销号"},
                {"label": "平均用时", "value": whole.days, "unit": "天", "note": "交办到销号"},
                {"label": "按时签收率", "value": whole.signing_rate, "unit": "%"},
                {"label": "已逾期", "value": whole.overdue, "url": f"{listed}?{kept}when=overdue",
                 "tone": "bad" if whole.overdue else ""},
                {"label": "反弹", "value": whole.recurring,
                 "url": f"{listed}?{kept}matter=recurring",
                 "tone": "bad" if whole.recurring else ""},
            ],
            "ageing": [
                {"label": label, "count": count, "url": f"{listed}?{kept}when={code}"}
                for label, code, count in found.ageing
            ],
            "ageing_total": sum(count for _, _, count in found.ageing),
            "ranking": ranking("各机构销号率", bars, value_label="销号率（%）") if bars else "",
            "tables": [
                table("按服务项目", "服务项目", found.by_item),
                table("按机构", "机构", found.by_institution),
                table("按来源", "来源", found.by_source),
                table("按严重程度", "严重程度", found.by_severity),
                table("按重点人群", "重点人群", found.by_group),
            ],
            "crumbs": CRUMBS,
        },
    )  # fmt: skip
