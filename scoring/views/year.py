from urllib.parse import quote

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from institutions import audit, charts, clock, sheets
from institutions.http import Request
from institutions.models import Event, Institution, Post
from institutions.policy import text_of
from scoring import adjusting, costing, opening, pictures, policies, rules, superior, year_end
from scoring.forms import AdjustmentForm, PolicyForm
from scoring.lists import AdjustmentList
from scoring.models import Adjustment, ScoreSection, YearResult
from scoring.policies import grade_shares
from scoring.views.costs import shown


def _number(text: str | None, default: int) -> int:
    usable = text and text.isascii() and text.isdigit() and len(text) == 4
    return int(text) if usable else default


def _unit_asked(request: Request, units: list[Institution]) -> Institution | None:
    code = request.GET.get("unit", "")
    if not code:
        return units[0] if units else None
    return next((unit for unit in units if unit.code == code), None)


def _years_offered(request: Request, unit: Institution) -> list[int]:
    return year_end.years_in_sight(request.post, unit) or [clock.today().year]


@require_safe
@permission_required("scoring.view_yearresult", raise_exception=True)
def year_list(request: Request) -> HttpResponse | StreamingHttpResponse:
    units = year_end.units_in_sight(request.post)
    unit = _unit_asked(request, units)
    if unit is None:
        if request.GET.get("unit"):
            raise Http404
        return render(request, "scoring/year_list.html", {"units": []})
    years = _years_offered(request, unit)
    year = _number(request.GET.get("year"), years[0])
    rows = year_end.results_in_sight(request.post, unit, year)
    wanted = request.GET.get("format", "")
    if wanted in ("csv", "xlsx") and request.post.has_perm("institutions.export_table"):
        return _export(request, unit, year, rows, wanted)
    lines = [
        {
            "row": row,
            "quarters": [year_end.quarter_cell(row, quarter) for quarter in rules.QUARTERS],
            "mine": row.institution_id == request.post.institution_id,
        }
        for row in rows
    ]
    first = rows[0] if rows else None
    return render(
        request,
        "scoring/year_list.html",
        {
            "units": units,
            "unit": unit,
            "years": sorted({*years, year}, reverse=True),
            "year": year,
            "lines": lines,
            "first": first,
            "warnings": [
                (row.institution.known_as, row.details["warnings"])
                for row in rows
                if row.details.get("warnings")
            ],
            "totals": _totals(rows) if len(rows) > 1 else None,
            "unassessed": opening.unassessed(unit, year)
            if year_end.may_settle(unit, request.post)
            else [],
            "superior": [
                one
                for one in superior.scores_of([r.institution for r in rows], year, request.post)
                if one.below
            ],
            "rankings": _rankings(rows, request.post),
            "grades": _grades(rows),
            "may_settle": year_end.may_settle(unit, request.post)
            and not (first and first.is_frozen),
            "may_freeze": year_end.may_freeze(unit, request.post)
            and first is not None
            and not first.is_frozen,
            "same_person": first is not None
            and first.settled_by is not None
            and first.settled_by.user_id == request.post.user_id,
            "second_head": year_end.second_head(unit),
            "may_confirm": first is not None
            and not first.is_frozen
            and first.confirmed_at is None
            and year_end.may_confirm(unit, request.post)
            and text_of(unit, year, "第二人复核") == "是",
            "events": Event.objects.of(unit)
            .filter(action__startswith="scoring.year.", data__year=year)
            .order_by("-seq")[:10],
            "query": f"unit={quote(unit.code)}&year={year}",
        },
    )


def _totals(rows: list[YearResult]) -> dict:
    fields = ("due_amount", "approved_amount", "top_up", "prepaid", "balance")
    return {field: sum(getattr(row, field) for row in rows) for field in fields}


def _grades(rows: list[YearResult]) -> list[tuple[str, int]]:
    return [(grade, sum(row.grade == grade for row in rows)) for grade in rules.GRADES]


def _rankings(rows: list[YearResult], post: Post) -> list:
    if len(rows) < 2:
        return []
    groups: dict[str, list[YearResult]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    return [
        charts.ranking(
            f"{group}年终得分",
            [
                charts.Bar(
                    row.rank,
                    row.institution.known_as + ("（一票否决）" if row.vetoed else ""),
                    row.score,
                    row.get_absolute_url(),
                    row.institution_id == post.institution_id,
                )
                for row in members
            ],
        )
        for group, members in groups.items()
    ]


def _export(
    request: Request, unit: Institution, year: int, rows: list[YearResult], wanted: str
) -> HttpResponse | StreamingHttpResponse:
    with transaction.atomic():
        audit.record(
            "portal.export",
            "导出年终表",
            by=request.post,
            bureau=request.post.institution.bureau_id,
            note=f"{unit.code} {year}，{len(rows)} 行",
        )
    name = f"年终表-{unit.code}-{year}.{wanted}"
    lines = year_end.export_rows(rows)
    if wanted == "csv":
        response: HttpResponse | StreamingHttpResponse = StreamingHttpResponse(
            sheets.write_csv(lines, year_end.HEADERS), content_type="text/csv; charset=utf-8"
        )
    else:
        response = HttpResponse(
            content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        )
        sheets.write_xlsx(
            lines,
            year_end.HEADERS,
            response,
            title="年终表",
            percent=["拨付比例"],
            text=["机构代码"],
        )
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return response


@require_safe
@permission_required("scoring.view_yearresult", raise_exception=True)
def year_detail(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(
        YearResult.objects.visible_to(request.post).select_related(
            "institution", "unit__bureau", "settled_by", "confirmed_by", "frozen_by"
        ),
        pk=pk,
    )
    costs = costing.costs_of(row, request.post)
    shares = grade_shares(row.unit, row.year) if costs.rows else {}
    quarters = [
        {
            **part,
            "url": reverse("scoring:sheet_detail", args=[part["sheet"]]) if part["sheet"] else "",
        }
        for part in row.details.get("quarters", [])
    ]
    members = YearResult.objects.visible_to(request.post).filter(
        unit=row.unit_id, year=row.year, group=row.group
    )
    return render(
        request,
        "scoring/year_detail.html",
        {
            "row": row,
            "details": row.details,
            "quarters": quarters,
            "items": _items_of(row, request.post),
            "superior": superior.scores_of([row.institution], row.year, request.post),
            "costs": costs,
            "dearest": [shown(one, shares) for one in costs.rows[:5]],
            "policy": list(row.details.get("policy", {}).items()),
            "in_group": members.count() if request.post.acts_for(row.unit_id) else None,
            "back": f"{reverse('scoring:year_list')}?unit={quote(row.unit.code)}&year={row.year}",
        },
    )


def _items_of(row: YearResult, post: Post) -> list[dict]:
    """Return item × quarter with the 得分率 of each, opening the item on its sheet; one statement."""
    sheets = {p["sheet"]: p["quarter"] for p in row.details.get("quarters", []) if p["sheet"]}
    sections = ScoreSection.objects.visible_to(post).filter(sheet__in=sheets)
    table: dict[str, dict] = {}
    for section in sections.select_related("item").order_by("position", "sheet__quarter"):
        name = pictures.short(section)
        cells = table.setdefault(name, {"name": name, "cells": dict.fromkeys(rules.QUARTERS)})
        cells["cells"][sheets[section.sheet_id]] = {
            "rate": pictures.share(section.points, section.full),
            "url": section.get_absolute_url(),
        }
    return [{**one, "cells": list(one["cells"].items())} for one in table.values()]


def _unit_posted(request: Request) -> tuple[Institution, int]:
    """Return the unit and the year of a posted deed; a unit out of sight is 404."""
    code, text = request.POST.get("unit", ""), request.POST.get("year", "")
    unit = get_object_or_404(
        Institution.objects.visible_to(request.post).select_related("bureau"), code=code
    )
    year = _number(text, 0)
    if not year:
        raise Http404
    return unit, year


def _back(unit: Institution, year: int) -> HttpResponse:
    return redirect(f"{reverse('scoring:year_list')}?unit={quote(unit.code)}&year={year}")


@require_POST
@permission_required("scoring.settle_year", raise_exception=True)
def year_settle(request: Request) -> HttpResponse:
    unit, year = _unit_posted(request)
    try:
        rows = year_end.settle(unit, year, by=request.post)
    except year_end.YearRefused as refused:
        for reason in refused.reasons[:20]:
            messages.error(request, reason)
    else:
        messages.success(request, f"已计算 {len(rows)} 家机构；核对后由另一位负责人定稿")
    return _back(unit, year)


@require_POST
@permission_required("scoring.view_yearresult", raise_exception=True)
def year_confirm(request: Request) -> HttpResponse:
    if not (
        request.post.has_perm("scoring.settle_year") or request.post.has_perm("scoring.freeze_year")
    ):
        raise PermissionDenied("年终结果由结算方复核")
    unit, year = _unit_posted(request)
    try:
        count = year_end.confirm(
            unit, year, by=request.post, seen=request.POST.get("inputs", "")[:64]
        )
    except year_end.YearRefused as refused:
        for reason in refused.reasons[:20]:
            messages.error(request, reason)
    else:
        messages.success(request, f"已复核 {count} 家机构；由另一位负责人定稿")
    return _back(unit, year)


@require_POST
@permission_required("scoring.freeze_year", raise_exception=True)
def year_freeze(request: Request) -> HttpResponse:
    unit, year = _unit_posted(request)
    try:
        count = year_end.freeze(
            unit, year, by=request.post, seen=request.POST.get("inputs", "")[:64]
        )
    except year_end.YearRefused as refused:
        for reason in refused.reasons[:20]:
            messages.error(request, reason)
    else:
        messages.success(request, f"{year} 年终表已定稿，{count} 家机构")
    return _back(unit, year)


# --- Bonus, deduction, veto -----------------------------------------------------------------------------


@require_safe
@permission_required("scoring.view_yearresult", raise_exception=True)
def adjustment_list(request: Request) -> HttpResponse:
    rows = Adjustment.objects.visible_to(request.post).select_related("institution")
    return AdjustmentList(request, rows).response("scoring/adjustment_list.html")


@require_http_methods(["GET", "POST"])
@permission_required("scoring.settle_year", raise_exception=True)
def adjustment_create(request: Request) -> HttpResponse:
    # What a page proposes (自评偏差) comes filled in, to be decided here.
    names = ("institution", "year", "kind", "points", "reason", "basis")
    given = {name: request.GET[name][:200] for name in names if name in request.GET}
    form = AdjustmentForm(request.POST or None, post=request.post, initial=given)
    if request.method == "POST" and form.is_valid():
        try:
            adjusting.adjust(by=request.post, **form.cleaned_data)
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, "已登记；重新计算年终结果后生效")
            return redirect("scoring:adjustment_list")
    return render(request, "scoring/adjustment_form.html", {"form": form})


@require_http_methods(["GET", "POST"])
@permission_required("scoring.settle_year", raise_exception=True)
def adjustment_withdraw(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(
        Adjustment.objects.visible_to(request.post).select_related("institution"), pk=pk
    )
    if not adjusting.may_adjust(row.institution, request.post):
        raise PermissionDenied("加减分由机构的督导方撤销")
    error = ""
    if request.method == "POST":
        try:
            adjusting.withdraw(row, by=request.post, note=request.POST.get("note", "")[:500])
        except ValidationError as refused:
            error = "；".join(refused.messages)
        else:
            messages.success(request, "已撤销；重新计算年终结果后生效")
            return redirect("scoring:adjustment_list")
    context = {"row": row, "error": error}
    return render(request, "scoring/adjustment_withdraw.html", context)


# --- Policy -----------------------------------------------------------------------------------------------


@require_safe
@permission_required("scoring.view_yearresult", raise_exception=True)
def policy_list(request: Request) -> HttpResponse:
    unit, year = request.post.institution, _number(request.GET.get("year"), clock.today().year)
    if not unit.is_bureau and not unit.is_centre and unit.parent:
        # A clinic reads the policy it is paid by.
        unit = unit.parent
    own, written = policies.own_rows(unit, year), policies.written_rows(unit, year)
    lines = []
    for key, entry in rules.POLICY_KEYS.items():
        default = entry.default
        if key == "人均标准" and year in rules.PER_CAPITA:
            default = str(rules.PER_CAPITA[year])
        source = "本单位" if key in own else "上级局" if key in written else "默认"
        value = written.get(key, default)
        lines.append(
            {
                "key": key,
                "value": value or "未填写",
                "source": source if value else "必要时填写",
                "hint": entry.hint,
                "url": f"{reverse('scoring:policy_edit', args=[year, key])}",
            }
        )
    return render(
        request,
        "scoring/policy_list.html",
        {
            "unit": unit,
            "year": year,
            "years": range(clock.today().year + 1, 2016, -1),
            "lines": lines,
            "may_write": policies.may_write(unit, request.post),
            "events": Event.objects.of(unit)
            .filter(action="scoring.policy", data__year=year)
            .order_by("-seq")[:30],
        },
    )


@require_http_methods(["GET", "POST"])
@permission_required("scoring.change_policy", raise_exception=True)
def policy_edit(request: Request, year: int, key: str) -> HttpResponse:
    unit = request.post.institution
    if key not in rules.POLICY_KEYS or not 2009 <= year <= 2100:
        raise Http404
    own = policies.own_rows(unit, year).get(key, "")
    form = PolicyForm(key, own, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            policies.write(
                unit,
                year,
                key,
                form.cleaned_data["value"],
                by=request.post,
                seen=form.cleaned_data["seen"],
            )
        except ValidationError as refused:
            form.add_error("value", refused.messages)
        else:
            messages.success(request, f"已保存：{key}；已计算的年终结果需要重新计算")
            return redirect(f"{reverse('scoring:policy_list')}?year={year}")
    back = f"{reverse('scoring:policy_list')}?year={year}"
    context = {"form": form, "unit": unit, "year": year, "key": key, "back": back}
    return render(request, "scoring/policy_form.html", context)
