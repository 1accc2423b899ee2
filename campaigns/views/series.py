"""Followed figures: the list, one figure with its trend, the form of a period, who has not reported."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from campaigns import figures, following
from campaigns.models import Series, SeriesValue
from campaigns.periods import Frequency, Period
from campaigns.series_forms import AdoptForm, FillForm, PeriodForm, SeriesForm
from campaigns.series_lists import SeriesList, SeriesValueList
from institutions import clock
from institutions.http import Request
from institutions.moves import refusals_said

VIEW = "campaigns.view_series"
GET_POST = ["GET", "HEAD", "POST"]


@require_safe
@permission_required(VIEW, raise_exception=True)
def series_list(request: Request) -> HttpResponse:
    rows = Series.objects.visible_to(request.post)
    return SeriesList(request, rows).response("campaigns/series_list.html")


@require_safe
@permission_required(VIEW, raise_exception=True)
def series_detail(request: Request, pk: int) -> HttpResponse:
    rows = Series.objects.visible_to(request.post).select_related("bureau", "item", "campaign")
    series = get_object_or_404(rows, pk=pk)
    offered = figures.choices(series)
    last = Period.last(series.frequency, clock.today())
    form = PeriodForm(request.GET, offered, last if last in offered else offered[-1])
    period = form.chosen
    values = SeriesValue.objects.visible_to(request.post)
    family = list(
        Series.objects.visible_to(request.post).filter(
            family=series.family, bureau=series.bureau_id, frequency=series.frequency
        )
    )
    before = period.year_before()
    totals = figures.totals(values.filter(series__in=family), [period, before])
    now = totals.get((series.pk, period), figures.NONE)
    listing = SeriesValueList(
        request,
        values.filter(series=series, **period.key).select_related("institution", "series"),
    )
    missing = figures.missing(series, period, request.post)
    return listing.response(
        "campaigns/series_detail.html",
        {
            "series": series,
            "period": period,
            "periods": form,
            "total": now,
            "value": now.text(series),
            "gap": figures.Gap(
                series,
                now.value(series),
                totals.get((series.pk, before), figures.NONE).value(series),
            ),
            "family": [
                (row, totals.get((row.pk, period), figures.NONE), _text(row, totals, period))
                for row in family
            ],
            "chart": figures.trend(series, values, offered),
            "missing": missing,
            "may_edit": request.post.acts_for(series.bureau_id)
            and request.post.has_perm(following.CHANGE),
            "owes": any(unit.pk == request.post.institution_id for unit in missing)
            and request.post.has_perm(following.FILL),
            "crumbs": [("监测指标", reverse("campaigns:series_list"))],
        },
    )


def _text(row: Series, totals: Any, period: Period) -> str:
    return totals.get((row.pk, period), figures.NONE).text(row)


@require_http_methods(GET_POST)
@permission_required(following.CHANGE, raise_exception=True)
def series_create(request: Request) -> HttpResponse:
    bureau = request.post.institution
    starts = clock.today().replace(month=1, day=1)
    return _edit(request, Series(bureau=bureau, starts=starts))


@require_http_methods(GET_POST)
@permission_required(following.CHANGE, raise_exception=True)
def series_edit(request: Request, pk: int) -> HttpResponse:
    rows = Series.objects.visible_to(request.post).select_related("bureau")
    series = get_object_or_404(rows, pk=pk)
    if not request.post.acts_for(series.bureau_id):
        raise PermissionDenied("监测指标由设立的行政部门维护")
    return _edit(request, series)


def _edit(request: Request, series: Series) -> HttpResponse:
    new = series.pk is None
    form = SeriesForm(request.POST or None, instance=series, post=request.post)
    if form.is_bound and form.is_valid():
        made = form.save(commit=False)
        following.save_series(made, by=request.post, institutions=form.cleaned_data["units"])
        messages.success(request, f"已保存“{made.name}”")
        return redirect(made)
    context = {
        "form": form,
        "new": new,
        "back": reverse("campaigns:series_list") if new else series.get_absolute_url(),
        "crumbs": [("监测指标", reverse("campaigns:series_list"))],
    }
    return render(request, "campaigns/series_form.html", context)


@require_http_methods(GET_POST)
@permission_required(following.CHANGE, raise_exception=True)
def series_adopt(request: Request) -> HttpResponse:
    """Follow whole groups of the figures that the papers name."""
    form = AdoptForm(request.POST or None, post=request.post)
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        with refusals_said(request):
            made = following.adopt(
                given["families"],
                by=request.post,
                starts=given["starts"],
                institutions=given["units"],
            )
            messages.success(request, f"已选用 {len(made)} 项指标，填报机构从现在起可以填写")
            return redirect("campaigns:series_list")
    context = {"form": form, "crumbs": [("监测指标", reverse("campaigns:series_list"))]}
    return render(request, "campaigns/series_adopt.html", context)


def _offered() -> list[Period]:
    """The periods that a unit may fill in: the running ones and some that are over, of each frequency."""
    today = clock.today()
    counts = {"year": 2, "quarter": 4, "month": 6}
    return [
        period
        for frequency, count in counts.items()
        for period in Period.holding(frequency, today).back(count)
    ]


@require_http_methods(GET_POST)
@permission_required(following.FILL, raise_exception=True)
def series_fill(request: Request) -> HttpResponse:
    """The figures of one's own unit for one period, on one form."""
    post = request.post
    unit = post.institution
    given = request.POST if request.method == "POST" else request.GET
    offered = _offered()
    periods = PeriodForm(given, offered, Period.last(Frequency.MONTH, clock.today()))
    period = periods.chosen
    values = following.values_of(unit, period)
    form = FillForm(
        request.POST if request.method == "POST" else None,
        series=following.owed(unit, period),
        values=values,
        before=following.values_of(unit, period.before()),
    )
    if form.is_bound and form.is_valid():
        try:
            changed = following.fill(
                unit, period, form.given, by=post, mark=request.POST.get("mark", "")
            )
        except ValidationError as refused:
            form.add_error(None, refused.message)
        else:
            said = f"已保存{period}的 {changed} 项指标" if changed else "没有改动"
            messages.success(request, said)
            return redirect(f"{reverse('campaigns:series_fill')}?period={period.code}")
    context = {
        "form": form,
        "period": period,
        "periods": periods,
        "mark": following.seen(values),
        "unit": unit,
        "done": len(values),
        "crumbs": [("监测指标", reverse("campaigns:series_list"))],
    }
    return render(request, "campaigns/series_fill.html", context)


@require_safe
@permission_required(VIEW, raise_exception=True)
def series_coverage(request: Request) -> HttpResponse:
    """Who in sight has not reported a period, over all figures."""
    offered = _offered()
    periods = PeriodForm(request.GET, offered, Period.last(Frequency.MONTH, clock.today()))
    rows = figures.coverage(periods.chosen, request.post)
    context = {
        "period": periods.chosen,
        "periods": periods,
        "rows": rows,
        "late": [row for row in rows if row.names],
        "crumbs": [("监测指标", reverse("campaigns:series_list"))],
    }
    return render(request, "campaigns/series_coverage.html", context)
