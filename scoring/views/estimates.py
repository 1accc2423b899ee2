"""The estimate: services and their costs, task numbers by institution, the split to the villages."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q, Sum
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from institutions import clock
from institutions.http import Request
from institutions.models import Event, Institution
from institutions.moves import refusals_said
from institutions.templatetags.portal import money
from scoring import estimating
from scoring.estimate_forms import NumbersForm, ServiceForm, SplitForm, year_of
from scoring.estimate_lists import EstimateList, ServiceList, state_tag
from scoring.models import WorkUnit

VIEW = "scoring.view_yearresult"
GET_POST = ["GET", "HEAD", "POST"]


def _crumb() -> tuple[str, str]:
    return "经费测算", reverse("scoring:estimate_list")


@require_safe
@permission_required(VIEW, raise_exception=True)
def estimate_list(request: Request) -> HttpResponse:
    """The institutions one step below, with the money of their task numbers."""
    year, here = year_of(request.GET.get("year", "")), request.post.institution
    units = (
        Institution.objects.visible_to(request.post)
        .open_on(clock.today())
        .filter(Q(parent=here) | Q(pk=here.pk))
        .exclude(kind__in=estimating.OFFICES)
    )
    listing = EstimateList(request, units, year)
    # A centre's numbers hold its clinics'; only a bureau adds up those below it.
    counted = listing.all_rows if here.is_bureau else listing.all_rows.filter(pk=here.pk)
    sums = counted.order_by().aggregate(whole=Sum("money"), villages=Sum("below_money"))
    services = WorkUnit.objects.visible_to(request.post).filter(year=year, bureau=here.bureau_id)
    url = f"{reverse('scoring:cost_list')}?year={year}"
    kpis = [
        {"label": f"{year}年测算经费", "value": money(sums["whole"] or 0), "unit": "元"},
        {"label": "其中已分解到村", "value": money(sums["villages"] or 0), "unit": "元"},
        {
            "label": "未核定成本的服务",
            "value": services.filter(cost__isnull=True).count(),
            "unit": f"项（共{services.count()}项）",
            "url": f"{url}&state=none",
        },
    ]
    context = {"kpis": kpis, "year": year, "has_services": services.exists()}
    return listing.response("scoring/estimate_list.html", context)


def _unit(request: Request, pk: int) -> Institution:
    rows = Institution.objects.visible_to(request.post).select_related("parent", "bureau")
    return get_object_or_404(rows, pk=pk)


@require_safe
@permission_required(VIEW, raise_exception=True)
def estimate_detail(request: Request, pk: int) -> HttpResponse:
    """One institution's estimate, service by service and clinic by clinic."""
    unit, year = _unit(request, pk), year_of(request.GET.get("year", ""))
    lines = estimating.lines_of(unit, year)
    below = (
        Institution.objects.visible_to(request.post)
        .filter(parent=unit)
        .exclude(kind__in=estimating.OFFICES)
    )
    clinics = list(estimating.with_money(below, year).order_by("code"))
    may_plan = estimating.may_plan(unit, request.post)
    context = {
        "unit": unit,
        "year": year,
        "lines": lines,
        "total": estimating.total(lines),
        "without_cost": [line.unit.name for line in lines if line.number and line.money is None],
        "clinics": [(clinic, state_tag(clinic)) for clinic in clinics],
        "may_plan": may_plan and bool(lines),
        "split": SplitForm() if may_plan and clinics and any(x.number for x in lines) else None,
        "events": Event.objects.of(unit)
        .filter(action="scoring.estimate.plan", data__year=year)
        .order_by("-seq")[:10],
        "crumbs": [_crumb()],
    }
    return render(request, "scoring/estimate_detail.html", context)


def _back(unit: Institution, year: int) -> HttpResponse:
    return redirect(f"{reverse('scoring:estimate_detail', args=[unit.pk])}?year={year}")


@require_http_methods(GET_POST)
@permission_required(estimating.PERM, raise_exception=True)
def estimate_edit(request: Request, pk: int) -> HttpResponse:
    unit = _unit(request, pk)
    if not estimating.may_plan(unit, request.post):
        raise PermissionDenied("任务数由本机构或其上级分解")
    given = request.POST if request.method == "POST" else request.GET
    year = year_of(given.get("year", ""))
    numbers = estimating.numbers_of(unit, year)
    form = NumbersForm(
        request.POST if request.method == "POST" else None,
        units=estimating.services(unit, year),
        numbers=numbers,
    )
    if form.is_bound and form.is_valid():
        mark = request.POST.get("mark", "")
        try:
            estimating.plan(unit, year, form.given, by=request.post, mark=mark)
        except ValidationError as refused:
            form.add_error(None, refused.message)
        else:
            messages.success(request, f"已保存{unit.known_as}{year}年任务数")
            return _back(unit, year)
    url = f"{reverse('scoring:estimate_detail', args=[unit.pk])}?year={year}"
    context = {
        "form": form,
        "unit": unit,
        "year": year,
        "mark": estimating.seen(numbers),
        "cancel_url": url,
        "crumbs": [_crumb(), (unit.known_as, url)],
    }
    return render(request, "scoring/estimate_form.html", context)


@require_POST
@permission_required(estimating.PERM, raise_exception=True)
def estimate_split(request: Request, pk: int) -> HttpResponse:
    unit, year = _unit(request, pk), year_of(request.POST.get("year", ""))
    if not estimating.may_plan(unit, request.post):
        raise PermissionDenied("任务数由本机构或其上级分解")
    form = SplitForm(request.POST)
    if not form.is_valid():
        messages.error(request, "比例应在 1% 至 100% 之间")
        return _back(unit, year)
    with refusals_said(request):
        count = estimating.split_to_villages(
            unit, year, form.cleaned_data["percent"], by=request.post
        )
        messages.success(request, f"已按服务人口分解到 {count} 家村卫生室（站）")
    return _back(unit, year)


# --- Services and their costs -----------------------------------------------------------------------


@require_safe
@permission_required(VIEW, raise_exception=True)
def cost_list(request: Request) -> HttpResponse:
    rows = WorkUnit.objects.visible_to(request.post).select_related("item", "institution")
    may_write = request.post.institution.is_bureau and request.post.has_perm(estimating.PERM)
    context = {"may_write": may_write, "crumbs": [_crumb()]}
    return ServiceList(request, rows).response("scoring/cost_list.html", context)


@require_http_methods(GET_POST)
@permission_required(estimating.PERM, raise_exception=True)
def cost_create(request: Request) -> HttpResponse:
    if not request.post.institution.is_bureau:
        raise PermissionDenied("服务清单和成本由卫生健康行政部门维护")
    return _cost_form(request, WorkUnit(year=clock.today().year))


@require_http_methods(GET_POST)
@permission_required(estimating.PERM, raise_exception=True)
def cost_edit(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(WorkUnit.objects.visible_to(request.post), pk=pk)
    if not request.post.acts_for(row.institution_id):
        raise PermissionDenied("由设立清单的卫生健康行政部门维护")
    return _cost_form(request, row)


def _cost_form(request: Request, row: WorkUnit) -> HttpResponse:
    form = ServiceForm(request.POST or None, instance=row, post=request.post)
    back = reverse("scoring:cost_list")
    if form.is_bound and form.is_valid():
        estimating.save_service(form.save(commit=False), by=request.post)
        messages.success(request, f"已保存“{form.instance.name}”")
        return redirect(f"{back}?year={form.instance.year}")
    context = {
        "form": form,
        "row": row,
        "cancel_url": back,
        "crumbs": [_crumb(), ("服务成本", back)],
    }
    return render(request, "scoring/cost_form.html", context)
