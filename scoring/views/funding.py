"""The funding year: standard and prepayments, the methods side by side, the 财政补齐 and what was paid in."""

from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from institutions import audit, clock, sheets
from institutions.http import Request
from institutions.models import Institution
from scoring import comparing, funding, policies, rules, unit_year
from scoring.models import MoneyEntry
from scoring.money_forms import EntryForm
from scoring.money_lists import EntryList, OutcomeList
from scoring.unit_year import UnitYear
from scoring.year_end import YearRefused

VIEW = "scoring.view_yearresult"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
YUAN = ["已预拨", *comparing.LABELS, "实际工作成本", "任务测算经费"]


@require_safe
@permission_required(VIEW, raise_exception=True)
def funding_year(request: Request) -> HttpResponse:
    """One unit's funding year: what is given by which rule, with every method beside the chosen one."""
    asked = unit_year.chosen(request)
    if asked is None:
        return render(request, "scoring/funding_year.html", {"asked": None})
    found, refused = None, []
    try:
        found = comparing.compare(asked.unit, asked.year)
    except YearRefused as error:
        refused = error.reasons
    if found is not None and not asked.whole:
        _only_own(request, found)
    if request.GET.get("format") == "xlsx" and found is not None and asked.whole:
        return _export(request, asked, found)
    return render(
        request,
        "scoring/funding_year.html",
        {
            "asked": asked,
            "found": found,
            "refused": refused[:20],
            "heads": [
                (label, found is not None and place == found.chosen)
                for place, label in enumerate(comparing.LABELS)
            ],
            "policy": _policy(asked),
            "services": comparing.services(asked.unit, asked.year) if asked.whole else [],
            "prepaid": _prepaid(request, asked, found),
            "may_enter": request.post.has_perm("scoring.settle_year")
            and request.post.acts_for(asked.unit.pk),
        },
    )


def _only_own(request: Request, found: comparing.Comparison) -> None:
    """A clinic sees its own line, not its neighbours' nor sums that hold them."""
    seen = set(Institution.objects.visible_to(request.post).values_list("pk", flat=True))
    found.lines = [line for line in found.lines if line.institution.pk in seen]


def _policy(asked: UnitYear) -> rules.Policy | None:
    try:
        return policies.policy_of(asked.unit, asked.year)
    except rules.ScoringError:
        return None


def _prepaid(
    request: Request, asked: UnitYear, found: comparing.Comparison | None
) -> list[tuple[Any, Any, Any]]:
    """Return institution, sum, and dated entries, with what of the sum has no day yet."""
    if found is None:
        return []
    entries = funding.prepaid_by_institution(asked.unit, asked.year)
    return [
        (line, own, line.prepaid - sum(entry.amount for entry in own))
        for line in found.lines
        if (own := entries.get(line.institution.pk, [])) or line.prepaid
    ]


def _export(request: Request, asked: UnitYear, found: comparing.Comparison) -> HttpResponse:
    if not request.post.has_perm("institutions.export_table"):
        raise PermissionDenied("本岗位不能导出")
    with transaction.atomic():
        audit.record(
            "portal.export",
            "导出经费年度",
            by=request.post,
            bureau=request.post.institution.bureau_id,
            note=f"{asked.unit.code} {asked.year}",
        )
    response = HttpResponse(content_type=XLSX)
    sheets.write_xlsx(
        comparing.export_rows(found),
        comparing.HEADERS,
        response,
        title="方法比较",
        numeric=YUAN,
        text=["机构代码"],
    )
    name = quote(f"经费年度-{asked.unit.code}-{asked.year}.xlsx")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    return response


@require_safe
@permission_required(VIEW, raise_exception=True)
def entry_list(request: Request) -> HttpResponse:
    rows = MoneyEntry.objects.visible_to(request.post).select_related(
        "institution", "author__institution"
    )
    return EntryList(request, rows).response("scoring/entry_list.html")


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("scoring.settle_year", raise_exception=True)
def entry_create(request: Request) -> HttpResponse:
    """Book a prepayment, or what a finance office paid in."""
    initial = {
        name: request.GET[name] for name in ("institution", "year", "kind") if name in request.GET
    }
    initial.setdefault("year", str(clock.today().year))
    form = EntryForm(request.POST or None, post=request.post, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            row = funding.enter(by=request.post, **form.cleaned_data)
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, f"已登记{row.get_kind_display()} {row.amount} 元")
            return redirect("scoring:entry_list")
    context = {
        "form": form,
        "cancel_url": reverse("scoring:entry_list"),
        "crumbs": [("经费年度", reverse("scoring:funding_year"))],
    }
    return render(request, "scoring/entry_form.html", context, status=422 if form.is_bound else 200)


@require_safe
@permission_required(VIEW, raise_exception=True)
def top_up_year(request: Request) -> HttpResponse:
    """What the finance offices owe for the year and what they paid in."""
    asked = unit_year.chosen(request)
    rows = funding.top_ups(asked.unit, asked.year, request.post) if asked else []
    names = ("county", "town", "left")
    sums = {name: sum((getattr(row, name) for row in rows), funding.ZERO) for name in names}
    due = sum((row.result.top_up for row in rows), funding.ZERO)
    may_enter = (
        asked is not None
        and request.post.has_perm("scoring.settle_year")
        and request.post.acts_for(asked.unit.pk)
    )
    context = {"asked": asked, "rows": rows, "sums": sums, "due": due, "may_enter": may_enter}
    return render(request, "scoring/top_up_year.html", context)


@require_safe
@permission_required(VIEW, raise_exception=True)
def outcome_list(request: Request) -> HttpResponse:
    """Evaluation, money, pay and people side by side."""
    text = request.GET.get("year", "")
    year = int(text) if text.isascii() and text.isdigit() and len(text) == 4 else None
    year = year or clock.today().year
    units = (
        Institution.objects.visible_to(request.post)
        .open_on(clock.today())
        .exclude(kind__in=("bureau", "street"))
    )
    listing = OutcomeList(request, units, year)
    return listing.response("scoring/outcome_list.html", {"year": year})
