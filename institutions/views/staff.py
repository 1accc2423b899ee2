"""People and means of institutions: the roster, the talent pool, the yearly capacity, partners and studios."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from institutions import clock, staffing
from institutions.http import Request
from institutions.listing import Listing
from institutions.models import Capacity, Cooperation, Event, Institution, StaffMember
from institutions.models.institution import CENTRE_KINDS, lacking
from institutions.staff_forms import OFFICES, CapacityForm, CooperationForm, StaffForm
from institutions.staff_lists import (
    CapacityList,
    CooperationList,
    SkillList,
    StaffList,
    agreement_tag,
    population_of,
)

GET_POST = ["GET", "HEAD", "POST"]
VIEW_STAFF = "institutions.view_staffmember"
VIEW_CAPACITY = "institutions.view_capacity"


def _staff_crumb() -> tuple[str, str]:
    return "人员名册", reverse("institutions:staff_list")


def _capacity_crumb() -> tuple[str, str]:
    return "服务能力", reverse("institutions:capacity_list")


@require_safe
@permission_required(VIEW_STAFF, raise_exception=True)
def staff_list(request: Request) -> HttpResponse:
    rows = StaffMember.objects.visible_to(request.post).select_related("institution", "item")
    here = reverse("institutions:staff_list")
    n = rows.in_service().aggregate(
        service=Count("pk"),
        untrained=Count("pk", filter=Q(joined__isnull=False, trained__isnull=True)),
        unregistered=Count("pk", filter=Q(gp_qualified__isnull=False, gp_registered__isnull=True)),
        backbone=Count("pk", filter=Q(pk__in=rows.backbone().order_by().values("pk"))),
    )
    kpis = [
        {"label": label, "value": n[state], "unit": "人", "url": f"{here}?state={state}", **tone}
        for state, label, tone in (
            ("service", "在岗人员", {}),
            ("untrained", "未岗前培训", {"tone": "bad"} if n["untrained"] else {}),
            ("unregistered", "全科待注册", {"tone": "warn"} if n["unregistered"] else {}),
            ("backbone", "骨干人才", {}),
        )
    ]
    return StaffList(request, rows).response("institutions/staff_list.html", {"kpis": kpis})


@require_safe
@permission_required(VIEW_STAFF, raise_exception=True)
def staff_skills(request: Request) -> HttpResponse:
    """The talent pool: which unit has how many of each of the four skills."""
    units = (
        Institution.objects.visible_to(request.post)
        .open_on(clock.today())
        .filter(Q(kind__in=CENTRE_KINDS) | Q(staff__isnull=False))
        .exclude(kind__in=OFFICES)
        .distinct()
    )
    rows = SkillList.rows_of(Institution.objects.visible_to(request.post).filter(pk__in=units))
    here = reverse("institutions:staff_list")
    each = list(rows.values_list(*(f"n_{name}" for name in StaffMember.SKILLS)))
    kpis = [
        {
            "label": label,
            "value": f"{sum(bool(row[number]) for row in each)}/{len(each)}",
            "unit": "家有",
            "url": f"{here}?skill={name}",
            "note": f"{sum(row[number] for row in each)} 人",
        }
        for number, (name, label) in enumerate(StaffMember.SKILLS.items())
    ]
    context = {"kpis": kpis, "crumbs": [_staff_crumb()]}
    return SkillList(request, rows).response("institutions/staff_skills.html", context)


@require_http_methods(GET_POST)
@permission_required(staffing.KEEP_STAFF, raise_exception=True)
def staff_create(request: Request) -> HttpResponse:
    return _staff_form(request, StaffMember())


@require_http_methods(GET_POST)
@permission_required(staffing.KEEP_STAFF, raise_exception=True)
def staff_edit(request: Request, pk: int) -> HttpResponse:
    rows = StaffMember.objects.visible_to(request.post).select_related("institution", "item")
    member = get_object_or_404(rows, pk=pk)
    if not staffing.keeps(request.post, member.institution, staffing.KEEP_STAFF):
        raise PermissionDenied("由本机构或其上级维护")
    return _staff_form(request, member)


def _staff_form(request: Request, member: StaffMember) -> HttpResponse:
    form = StaffForm(request.POST or None, instance=member, post=request.post)
    if form.is_bound and form.is_valid():
        staffing.save_member(form.save(commit=False), by=request.post)
        messages.success(request, f"已保存“{form.instance.name}”")
        return redirect("institutions:staff_list")
    context = {
        "form": form,
        "member": member,
        "history": Event.objects.of(member) if member.pk else None,
        "crumbs": [_staff_crumb()],
        "cancel_url": _staff_crumb()[1],
    }
    return render(request, "institutions/staff_form.html", context)


# --- Capacity ---------------------------------------------------------------------------------------


def _year(request: Request) -> int:
    given = request.POST if request.method == "POST" else request.GET
    text = given.get("year", "")
    usable = text.isascii() and text.isdigit() and len(text) == 4 and 2009 <= int(text) <= 2100
    return int(text) if usable else clock.today().year


@require_safe
@permission_required(VIEW_CAPACITY, raise_exception=True)
def capacity_list(request: Request) -> HttpResponse:
    """One year of all institutions in sight, and what is missing."""
    year = _year(request)
    units = (
        Institution.objects.visible_to(request.post)
        .open_on(clock.today())
        .exclude(kind__in=OFFICES)
    )
    listing = CapacityList(request, units, year)
    n = listing.counts()
    here = f"{reverse('institutions:capacity_list')}?year={year}"
    kpis: list[dict[str, Any]] = [
        {
            "label": f"{year}年未填报",
            "value": n["none"],
            "unit": f"家（共{n['total']}家）",
            "url": f"{here}&state=none",
            "tone": "bad" if n["none"] else "ok",
        },
        {"label": "有缺项", "value": n["some"], "unit": "家", "url": f"{here}&state=some"},
    ]
    if n["centres"]:
        kpis.append(_share("中医馆已建成", n["built"], n["centres"], f"{here}&traditional=built"))
    if n["clinics"]:
        kpis.append(
            _share("村卫生室产权公有", n["public"], n["clinics"], f"{here}&premises=public")
        )
    return listing.response("institutions/capacity_list.html", {"kpis": kpis, "year": year})


def _share(label: str, part: int, whole: int, url: str) -> dict[str, Any]:
    return {
        "label": label,
        "value": f"{part}/{whole}",
        "unit": "家",
        "note": f"占 {(200 * part + whole) // (2 * whole)}%",
        "url": url,
    }


def _unit(request: Request, pk: int) -> Institution:
    rows = Institution.objects.visible_to(request.post).select_related("parent", "bureau")
    return get_object_or_404(rows, pk=pk)


@require_safe
@permission_required(VIEW_CAPACITY, raise_exception=True)
def capacity_detail(request: Request, pk: int) -> HttpResponse:
    unit, year = _unit(request, pk), _year(request)
    rows = list(
        Capacity.objects.visible_to(request.post)
        .filter(institution=unit)
        .select_related("institution")
        .order_by("-year")[:10]
    )
    row = next((r for r in rows if r.year == year), None)
    cooperations = Cooperation.objects.visible_to(request.post).filter(institution=unit)
    context = {
        "unit": unit,
        "year": year,
        "row": row,
        "rows": rows,
        "lacking": lacking(unit.kind, row) if row else [],
        "able": row.capabilities.split("、") if row and row.capabilities else [],
        "unable": [
            w for w in Capacity.CAPABILITIES if row and w not in row.capabilities.split("、")
        ],
        "population": population_of(unit, year),
        "cooperations": [(one, agreement_tag(one)) for one in cooperations],
        "may_edit": staffing.keeps(request.post, unit, staffing.FILL_CAPACITY)
        and unit.kind not in OFFICES,
        "history": Event.objects.of(row) if row else None,
        "crumbs": [_capacity_crumb()],
    }
    return render(request, "institutions/capacity_detail.html", context)


@require_http_methods(GET_POST)
@permission_required(staffing.FILL_CAPACITY, raise_exception=True)
def capacity_edit(request: Request, pk: int) -> HttpResponse:
    unit, year = _unit(request, pk), _year(request)
    if not staffing.keeps(request.post, unit, staffing.FILL_CAPACITY) or unit.kind in OFFICES:
        raise PermissionDenied("由本机构或其上级填报")
    found = Capacity.objects.visible_to(request.post).filter(institution=unit)
    row = found.filter(year=year).first()
    copied = None
    if row is None:
        # Most of it is as it was: start from the last year that is there.
        copied = found.filter(year__lt=year).order_by("-year").first()
        row = copied or Capacity(institution=unit)
        if copied:
            row.pk, row._state.adding = None, True
            row.subsidy = row.traditional_on = None
        row.year = year
    form = CapacityForm(request.POST or None, instance=row)
    if form.is_bound and form.is_valid():
        staffing.save_capacity(form.save(commit=False), by=request.post)
        missing = form.instance.lacking
        said = f"，还缺：{'、'.join(missing)}" if missing else "，没有缺项"
        messages.success(request, f"已保存{unit.known_as}{year}年服务能力{said}")
        return redirect(f"{reverse('institutions:capacity_detail', args=[unit.pk])}?year={year}")
    back = reverse("institutions:capacity_detail", args=[unit.pk])
    context = {
        "form": form,
        "unit": unit,
        "year": year,
        "copied": copied is not None,
        "cancel_url": back,
        "crumbs": [_capacity_crumb(), (unit.known_as, back)],
    }
    return render(request, "institutions/capacity_form.html", context)


# --- Partners and studios ---------------------------------------------------------------------------


@require_safe
@permission_required(VIEW_CAPACITY, raise_exception=True)
def cooperation_list(request: Request) -> HttpResponse:
    rows = Cooperation.objects.visible_to(request.post).select_related("institution")
    listing: Listing = CooperationList(request, rows)
    return listing.response("institutions/cooperation_list.html", {"crumbs": [_capacity_crumb()]})


@require_http_methods(GET_POST)
@permission_required(staffing.FILL_CAPACITY, raise_exception=True)
def cooperation_create(request: Request) -> HttpResponse:
    return _cooperation_form(request, Cooperation())


@require_http_methods(GET_POST)
@permission_required(staffing.FILL_CAPACITY, raise_exception=True)
def cooperation_edit(request: Request, pk: int) -> HttpResponse:
    rows = Cooperation.objects.visible_to(request.post).select_related("institution")
    row = get_object_or_404(rows, pk=pk)
    if not staffing.keeps(request.post, row.institution, staffing.FILL_CAPACITY):
        raise PermissionDenied("由本机构或其上级维护")
    return _cooperation_form(request, row)


def _cooperation_form(request: Request, row: Cooperation) -> HttpResponse:
    form = CooperationForm(request.POST or None, instance=row, post=request.post)
    if form.is_bound and form.is_valid():
        staffing.save_cooperation(form.save(commit=False), by=request.post)
        messages.success(request, f"已保存“{form.instance}”")
        return redirect("institutions:capacity_detail", form.instance.institution_id)
    back = reverse("institutions:cooperation_list")
    context = {
        "form": form,
        "row": row,
        "cancel_url": back,
        "crumbs": [_capacity_crumb(), ("合作与工作站", back)],
    }
    return render(request, "institutions/cooperation_form.html", context)
