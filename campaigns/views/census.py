"""The re-check of records: the list, one re-check institution by item, and the report of one's own unit."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from campaigns import rechecking
from campaigns.census_forms import CensusForm, CountForm
from campaigns.census_lists import CensusCountList, CensusList, share
from campaigns.models import Campaign, Census, CensusCount
from campaigns.models.census import FAULTS
from institutions import charts, clock
from institutions.http import Request
from institutions.models import Institution, ServiceItem
from institutions.rounding import half_up

VIEW = "campaigns.view_census"
GET_POST = ["GET", "HEAD", "POST"]
CUTS = (40, 60, 80, 100)


@require_safe
@permission_required(VIEW, raise_exception=True)
def census_list(request: Request) -> HttpResponse:
    rows = Census.objects.visible_to(request.post).select_related("bureau", "campaign")
    return CensusList(request, rows).response("campaigns/census_list.html")


def _census(request: Request, pk: int) -> Census:
    rows = Census.objects.visible_to(request.post).select_related("bureau", "campaign")
    return get_object_or_404(rows, pk=pk)


@require_safe
@permission_required(VIEW, raise_exception=True)
def census_detail(request: Request, pk: int) -> HttpResponse:
    census = _census(request, pk)
    post = request.post
    units = list(Institution.objects.visible_to(post).filter(censuses=census).order_by("code"))
    counts = CensusCount.objects.visible_to(post).filter(census=census)
    progress = rechecking.progress(census, units, counts)
    newest = counts.filter(institution=OuterRef("institution"), item=OuterRef("item"))
    rows = counts.filter(
        pk=Subquery(newest.order_by("-on", "-pk").values("pk")[:1])
    ).select_related("institution", "item")
    whole = progress.sum
    reports = any(unit.pk == post.institution_id for unit in units)
    return CensusCountList(request, rows).response(
        "campaigns/census_detail.html",
        {
            "census": census,
            "campaign": Campaign.objects.visible_to(post).filter(pk=census.campaign_id).first(),
            "progress": progress,
            "whole": whole,
            "checked": share(whole.checked, whole.total),
            "corrected": share(whole.corrected, whole.faulty),
            "faults": [(name, whole.faults[name]) for name in FAULTS if whole.faults[name]],
            "heat": _heat(progress) if units else None,
            "growth": _growth(progress),
            "may_fill": reports and post.has_perm(rechecking.FILL),
            "may_edit": post.acts_for(census.bureau_id) and post.has_perm(rechecking.CHANGE),
            "late": census.due < clock.today(),
            "crumbs": [("档案复核", reverse("campaigns:census_list"))],
        },
    )


def _heat(progress: rechecking.Progress) -> Any:
    rows = [
        charts.HeatRow(
            standing.institution.known_as,
            [None if row is None else _percent(row.checked, row.total) for row in standing.counts],
        )
        for standing in progress.standings
    ]
    names = [item.short_name for item in progress.items]
    return charts.heatmap("heat", "复核率（%）：机构与服务项目", names, rows, CUTS)


def _growth(progress: rechecking.Progress) -> Any:
    days = progress.growth[-24:]
    if len(days) < 2:
        return None
    return charts.trend(
        "growth",
        "复核进度（%）",
        [f"{day.month}-{day.day}" for day, _ in days],
        [
            charts.Series("复核率", [_percent(sum_.checked, sum_.total) for _, sum_ in days]),
            charts.Series("改正率", [_percent(sum_.corrected, sum_.faulty) for _, sum_ in days]),
        ],
        "%",
    )


def _percent(part: int, whole: int) -> Decimal | None:
    return half_up(Fraction(part * 100, whole), 2) if whole else None


@require_http_methods(GET_POST)
@permission_required(rechecking.CHANGE, raise_exception=True)
def census_create(request: Request) -> HttpResponse:
    today = clock.today()
    return _edit(request, Census(bureau=request.post.institution, starts=today))


@require_http_methods(GET_POST)
@permission_required(rechecking.CHANGE, raise_exception=True)
def census_edit(request: Request, pk: int) -> HttpResponse:
    census = _census(request, pk)
    if not request.post.acts_for(census.bureau_id):
        raise PermissionDenied("档案复核由部署的行政部门维护")
    return _edit(request, census)


def _edit(request: Request, census: Census) -> HttpResponse:
    new = census.pk is None
    form = CensusForm(request.POST or None, instance=census, post=request.post)
    if form.is_bound and form.is_valid():
        made = form.save(commit=False)
        rechecking.save_census(
            made,
            by=request.post,
            items=list(form.cleaned_data["items"]),
            institutions=form.cleaned_data["units"],
        )
        messages.success(request, f"已保存“{made.name}”，复核机构现在可以填报")
        return redirect(made)
    context = {
        "form": form,
        "new": new,
        "back": reverse("campaigns:census_list") if new else census.get_absolute_url(),
        "crumbs": [("档案复核", reverse("campaigns:census_list"))],
    }
    return render(request, "campaigns/census_form.html", context)


@require_http_methods(GET_POST)
@permission_required(rechecking.FILL, raise_exception=True)
def census_fill(request: Request, pk: int) -> HttpResponse:
    """How far one's own unit is with one item; the others stand beside it."""
    census = _census(request, pk)
    unit = request.post.institution
    if not census.institutions.visible_to(request.post).filter(pk=unit.pk).exists():
        raise PermissionDenied("本单位不在这次复核范围内")
    counts = CensusCount.objects.visible_to(request.post).filter(census=census, institution=unit)
    standing = rechecking.progress(census, [unit], counts)
    item = _item(request, standing)
    last = standing.standings[0].counts[standing.items.index(item)]
    form = CountForm(request.POST if request.method == "POST" else None, initial=_initial(last))
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        try:
            rechecking.report(
                census,
                unit,
                item,
                by=request.post,
                on=given["on"],
                numbers={name: given[name] for name in rechecking.NUMBERS},
                faults=form.faults,
                mark=request.POST.get("mark", ""),
            )
        except ValidationError as refused:
            form.add_error(None, refused.message)
        else:
            messages.success(request, f"已保存“{item.short_name}”的复核进度")
            return redirect(f"{reverse('campaigns:census_fill', args=[census.pk])}?item={item.pk}")
    context = {
        "census": census,
        "unit": unit,
        "item": item,
        "form": form,
        "mark": rechecking.seen(last),
        "last": last,
        "items": list(zip(standing.items, standing.standings[0].counts, strict=True)),
        "crumbs": [
            ("档案复核", reverse("campaigns:census_list")),
            (census, census.get_absolute_url()),
        ],
    }
    return render(request, "campaigns/census_fill.html", context)


def _item(request: Request, standing: rechecking.Progress) -> ServiceItem:
    """Return the item asked for; else the first that is not complete; else the first."""
    given = request.POST if request.method == "POST" else request.GET
    chosen = [item for item in standing.items if str(item.pk) == given.get("item")]
    if chosen:
        return chosen[0]
    pairs = zip(standing.items, standing.standings[0].counts, strict=True)
    behind = [item for item, row in pairs if row is None or not row.is_complete]
    return (behind or standing.items)[0]


def _initial(last: CensusCount | None) -> dict[str, int]:
    if last is None:
        return {}
    numbers = {name: getattr(last, name) for name in rechecking.NUMBERS}
    faults = {f"fault{n}": last.faults[f] for n, f in enumerate(FAULTS) if f in last.faults}
    return numbers | faults
