"""The calendar of visits: a month at a time, by institution or by who goes."""

from datetime import date, timedelta

from django.contrib.auth.decorators import permission_required
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from institutions import clock
from institutions.http import Request
from institutions.models import Institution, Post
from supervision import diary
from supervision.forms import at_hand
from supervision.models import Visit
from supervision.planning_forms import CalendarForm, this_month
from supervision.views.visits import CRUMBS

# A month of more visits than this is looked at by institution or person.
MOST = 400


@require_safe
@permission_required("supervision.view_visit", raise_exception=True)
def visit_calendar(request: Request) -> HttpResponse:
    post = request.post
    seen = Visit.objects.visible_to(post).exclude(status=Visit.Status.CANCELLED)
    ids = seen.order_by().values("pk")
    people = Q(led_visits__in=ids) | Q(joined_visits__in=ids)
    asked = {"month": this_month(), **{k: v for k, v in request.GET.items() if v}}
    form = CalendarForm(
        asked,
        institutions=Institution.objects.visible_to(post),
        members=Post.objects.visible_to(post)
        .filter(people)
        .select_related("institution")
        .order_by("institution__code", "pk")
        .distinct(),
    )
    units, chosen = form.fields["institution"], asked.get("institution", "")
    chosen = chosen if chosen.isascii() and chosen.isdigit() else None
    units.choices = [("", "全部"), *at_hand(units.queryset, post, chosen)[1:]]
    form.is_valid()
    first = _first(form.cleaned_data.get("month", ""))
    start, end = diary.month_bounds(first)
    rows = (
        seen.filter(
            Q(visited_on__range=(start, end))
            | Q(visited_on__isnull=True, starts__lte=end, ends__gte=start)
        )
        .select_related("institution", "round", "lead__institution")
        .prefetch_related("members__institution")
        .order_by("starts", "institution__code", "pk")
    )
    unit, member = form.cleaned_data.get("institution"), form.cleaned_data.get("member")
    visits = list(rows[: MOST + 1])
    cut = len(visits) > MOST
    if cut and (unit or member):
        visits = list(_chosen(rows, unit, member)[: MOST + 1])
        cut = len(visits) > MOST
    weeks = diary.weeks(first, visits[:MOST])
    for week in weeks:
        for day in week:
            # Clashes are found before the choice is made, so that the other visit of a clash may be another unit's.
            day.entries = [entry for entry in day.entries if _wanted(entry.visit, unit, member)]
    days = [day for week in weeks for day in week if day.entries]
    return render(
        request,
        "supervision/visit_calendar.html",
        {
            "form": form,
            "first": first,
            "weeks": weeks,
            "days": days,
            "clashes": sum(bool(entry.clashes) for day in days for entry in day.entries),
            "cut": cut,
            "most": MOST,
            "today": clock.today(),
            "previous": f"{start - timedelta(days=1):%Y-%m}",
            "next": f"{end + timedelta(days=1):%Y-%m}",
            "crumbs": CRUMBS,
        },
    )


def _first(month: str) -> date:
    month = month or this_month()
    return date(int(month[:4]), int(month[5:]), 1)


def _chosen(rows: QuerySet[Visit], unit: Institution | None, member: Post | None):
    if unit:
        rows = rows.filter(institution__path__startswith=unit.path)
    if member:
        rows = rows.filter(Q(lead=member) | Q(pk__in=member.joined_visits.values("pk")))
    return rows


def _wanted(visit: Visit, unit: Institution | None, member: Post | None) -> bool:
    if unit and not visit.institution.path.startswith(unit.path):
        return False
    return not member or member == visit.lead or member in visit.members.all()
