from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from institutions import clock
from institutions.http import Request
from institutions.models import Event
from institutions.moves import refusals_said
from scoring import exporting, policies, rules, trying
from scoring.models import Scenario
from scoring.scenario_forms import ScenarioForm
from scoring.scenario_lists import ScenarioList, scenario_tag
from scoring.year_end import YearRefused

CRUMBS = [("测算方案", reverse_lazy("scoring:scenario_list"))]
HEADERS = [
    "机构代码",
    "机构名称",
    "现年终得分",
    "方案年终得分",
    "现名次",
    "方案名次",
    "现等次",
    "方案等次",
    "现核定金额",
    "方案核定金额",
    "差额",
]


def _scenarios(request: Request):
    return Scenario.objects.visible_to(request.post).select_related(
        "institution__bureau", "author__institution", "adopted_by__institution"
    )


@require_safe
@permission_required("scoring.view_yearresult", raise_exception=True)
def scenario_list(request: Request):
    return ScenarioList(request, _scenarios(request)).response("scoring/scenario_list.html")


@require_http_methods(["GET", "POST"])
@permission_required("scoring.change_policy", raise_exception=True)
def scenario_create(request: Request) -> HttpResponse:
    unit = request.post.institution
    text = request.GET.get("year", "")
    year = int(text) if text.isascii() and text.isdigit() and len(text) == 4 else None
    year = year or clock.today().year
    now = policies.written_rows(unit, year)
    if "人均标准" not in now and year in rules.PER_CAPITA:
        now["人均标准"] = str(rules.PER_CAPITA[year])
    form = ScenarioForm(now, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            row = trying.save(unit, year, form.cleaned_data["name"], form.changes, by=request.post)
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            return redirect(row)
    return render(
        request,
        "scoring/scenario_form.html",
        {
            "form": form,
            "unit": unit,
            "year": year,
            "years": range(clock.today().year + 1, 2016, -1),
            "crumbs": CRUMBS,
        },
        status=422 if form.is_bound else 200,
    )


@require_safe
@permission_required("scoring.view_yearresult", raise_exception=True)
def scenario_detail(request: Request, pk: int) -> HttpResponse | StreamingHttpResponse:
    row = get_object_or_404(_scenarios(request), pk=pk)
    comparison, reasons = None, []
    try:
        comparison = trying.compare(row.institution, row.year, row.changes)
    except YearRefused as refused:
        reasons = refused.reasons[:20]
    if comparison and exporting.wanted(request):
        return exporting.answer(
            request,
            f"测算方案-{row.institution.code}-{row.year}",
            HEADERS,
            _lines(comparison),
            note=f"{row.institution.code} {row.year} {row.name}，{len(comparison.changes)} 行",
        )
    now = policies.written_rows(row.institution, row.year)
    frozen = policies.is_frozen(row.institution, row.year)
    may_write = policies.may_write(row.institution, request.post)
    back = reverse("scoring:year_list")
    return render(
        request,
        "scoring/scenario_detail.html",
        {
            "row": row,
            "tag": scenario_tag(row),
            "comparison": comparison,
            "reasons": reasons,
            "ranks": comparison.count("rank") if comparison else 0,
            "grades": comparison.count("grade") if comparison else 0,
            "policy": [
                {"key": key, "now": _in_force(key, now, row.year), "value": value}
                for key, value in row.changed
            ],
            "moved_on": comparison is not None and comparison.inputs != row.inputs,
            "frozen": frozen,
            "may_adopt": may_write and not frozen and row.adopted_at is None,
            "may_remove": may_write and row.adopted_at is None,
            "year_url": f"{back}?unit={quote(row.institution.code)}&year={row.year}",
            "events": Event.objects.of(row.institution)
            .filter(
                action__startswith="scoring.scenario.", data__year=row.year, data__name=row.name
            )
            .order_by("-seq")[:10],
            "crumbs": CRUMBS,
        },
    )


def _in_force(key: str, now: dict[str, str], year: int) -> str:
    if key == "人均标准" and key not in now and year in rules.PER_CAPITA:
        return str(rules.PER_CAPITA[year])
    return now.get(key) or rules.POLICY_KEYS[key].default or "未填写"


def _lines(found: trying.Comparison) -> Iterator[list[Any]]:
    for one in found.changes:
        yield [
            one.institution.code,
            one.institution.name,
            one.before.score,
            one.after.score,
            one.before.rank,
            one.after.rank,
            one.before.grade,
            one.after.grade,
            one.before.approved_amount,
            one.after.approved_amount,
            one.difference,
        ]


@require_POST
@permission_required("scoring.change_policy", raise_exception=True)
def scenario_adopt(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(_scenarios(request), pk=pk)
    with refusals_said(request):
        trying.adopt(row, by=request.post)
        messages.success(request, "方案已写入绩效政策；请重新计算年终结果")
    return redirect(row)


@require_POST
@permission_required("scoring.change_policy", raise_exception=True)
def scenario_remove(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(_scenarios(request), pk=pk)
    with refusals_said(request):
        trying.remove(row, by=request.post)
        messages.success(request, f"已删除：{row.name}")
        return redirect("scoring:scenario_list")
    return redirect(row)
