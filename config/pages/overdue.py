"""What is overdue, unit by unit, over all floors; the phases that have run out; the next checks from above."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.db.models import Count, F, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from campaigns.check_lists import coming_checks, left_tag, ready_tag
from campaigns.models import Phase, Plan, Preparation, Report
from institutions import clock
from institutions.http import Request
from institutions.listing import Column, Listing
from institutions.models import Institution, Post
from supervision.models import Complaint, Rectification, SelfCheck

NAMED = 20  # phases
CHECKS = 3
# name, label, model, list, how that list is asked for the overdue ones
KINDS: tuple[tuple[str, str, Any, str, str], ...] = (
    ("late_reports", "任务报送", Report, "campaigns:report_list", "when"),
    ("late_plans", "计划方案", Plan, "campaigns:plan_list", "when"),
    ("late_preparations", "迎检准备", Preparation, "campaigns:preparation_list", "state"),
    ("late_duties", "问题整改", Rectification, "supervision:rectification_list", "when"),
    ("late_self_checks", "对照自查", SelfCheck, "supervision:self_check_list", "when"),
    ("late_complaints", "投诉办理", Complaint, "supervision:complaint_list", "when"),
)


def late_units(post: Post) -> QuerySet[Institution]:
    """Return the institutions in sight at which something in sight is overdue, with the counts by kind and `late`."""
    counts = {}
    for name, _, model, _, _ in KINDS:
        each = (
            model.objects.visible_to(post)
            .overdue()
            .filter(institution=OuterRef("pk"))
            .order_by()
            .values("institution")
            .annotate(n=Count("pk"))
            .values("n")
        )
        counts[name] = Coalesce(Subquery(each), 0, output_field=IntegerField())
    rows = Institution.objects.visible_to(post).annotate(**counts)
    total = sum((F(name) for name, *_ in KINDS[1:]), start=F(KINDS[0][0]))
    return rows.annotate(late=total).filter(late__gt=0)


def _link(name: str, listed: str, asked: str) -> Callable[[Any], str]:
    """Return what links a number to exactly its rows; nothing of nothing."""
    return lambda unit: (
        f"{reverse(listed)}?institution={unit.pk}&{asked}=overdue" if getattr(unit, name) else ""
    )


class OverdueList(Listing):
    title = "逾期一览"
    columns = (
        Column("机构", "known_as", sort=("code",)),
        Column("逾期合计", "late", sort=("late",), numeric=True),
        *(
            Column(label, name, sort=(name,), numeric=True, url=_link(name, listed, asked))
            for name, label, _, listed, asked in KINDS
        ),
    )
    search = ("search",)
    order = ("-late", "code")


@require_safe
@permission_required("campaigns.view_report", raise_exception=True)
def overdue_list(request: Request) -> HttpResponseBase:
    """Compose the page: units with what is late there, phases past their end, the nearest checks."""
    post = request.post
    phases = (
        Phase.objects.visible_to(post)
        .filter(status=Phase.Status.OPEN, ends__lt=clock.today(), campaign__status="issued")
        .select_related("campaign")
        .order_by("ends", "pk")
    )
    return OverdueList(request, late_units(post)).response(
        "config/overdue_list.html",
        {
            "phases": list(phases[:NAMED]),
            "checks": [
                (check, left_tag(check), ready_tag(check)) for check in coming_checks(post, CHECKS)
            ],
        },
    )
