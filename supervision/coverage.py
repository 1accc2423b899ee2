"""How often each institution was visited in a year, against the least counts of the body's plan."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Case, Count, F, IntegerField, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Greatest

from institutions import clock
from institutions.models import Institution, Post
from supervision.bodies import leads, units_of
from supervision.models import SupervisionRound, Visit, YearPlan

DONE = (Visit.Status.SUBMITTED, Visit.Status.CONFIRMED, Visit.Status.OBJECTED)
STATES = {
    "behind": "落后于进度",
    "short": "未安排够",
    "arranged": "已安排",
    "covered": "已达标",
}


def due_by_now(least: int, year: int) -> int:
    """Return how many of the year's visits belong to the quarters that are over; all of them after the year."""
    today = clock.today()
    if today.year != year:
        return least if today.year > year else 0
    return least * ((today.month - 1) // 3) // 4


def with_times(units: QuerySet[Institution], plan: YearPlan) -> QuerySet[Any]:
    """Annotate institutions with visits made and still planned, and with `state`, one of `STATES`.

    综合督导 counts rounds of the types 季度质控 and 交叉检查, 专项督导 those of 年度专项 (C34, D23: the least counts of a
    year); a visit counts for the body that supervised it once its record is submitted.
    """
    whole, special = SupervisionRound.COMPREHENSIVE, SupervisionRound.SPECIAL_ONLY
    rows = units.annotate(
        done=_times(plan, whole, DONE),
        planned=_times(plan, whole, (Visit.Status.PLANNED,)),
        special_done=_times(plan, special, DONE),
        special_planned=_times(plan, special, (Visit.Status.PLANNED,)),
    )
    lacks = {
        "missing": Greatest(Value(plan.least_comprehensive) - F("done"), Value(0))
        + Greatest(Value(plan.least_special) - F("special_done"), Value(0)),
    }
    late = When(done__lt=due_by_now(plan.least_comprehensive, plan.year), then=Value("behind"))
    late_special = When(
        special_done__lt=due_by_now(plan.least_special, plan.year), then=Value("behind")
    )
    covered = When(
        done__gte=plan.least_comprehensive,
        special_done__gte=plan.least_special,
        then=Value("covered"),
    )
    return (
        rows.annotate(
            all=F("done") + F("planned"), all_special=F("special_done") + F("special_planned")
        )
        .annotate(**lacks)
        .annotate(
            state=Case(
                covered,
                late,
                late_special,
                When(
                    all__gte=plan.least_comprehensive,
                    all_special__gte=plan.least_special,
                    then=Value("arranged"),
                ),
                default=Value("short"),
            )
        )
    )


def coverage(plan: YearPlan, post: Post) -> QuerySet[Any]:
    """Return the institutions of the plan's body as `post` sees them, with their counts."""
    if plan.led and leads(post):
        units = units_of(post, plan.institution)
    elif plan.led:
        # Looked at by whoever stands above the lead agency: the bureau's institutions, which it does not pass.
        units = Institution.objects.visible_to(post).open_on(clock.today())
        units = units.filter(parent=plan.bureau_id).exclude(pk=plan.institution_id)
    else:
        units = Institution.objects.visible_to(post).open_on(clock.today())
        units = units.filter(parent=plan.institution_id)
    return with_times(units.exclude(kind__in=("bureau", "street")), plan)


def counts(plan: YearPlan, post: Post) -> dict[str, int]:
    """Return how many institutions are in each state; one statement."""
    found = coverage(plan, post).order_by().values_list("state").annotate(n=Count("pk"))
    return {**dict.fromkeys(STATES, 0), **dict(found)}


def _times(plan: YearPlan, types: Iterable[str], statuses: Iterable[str]) -> Coalesce:
    rows = (
        Visit.objects.filter(
            institution=OuterRef("pk"),
            supervisor=plan.institution_id,
            round__year=plan.year,
            round__type__in=sorted(types),
            status__in=statuses,
        )
        .order_by()
        .values("institution")
        .annotate(n=Count("pk"))
    )
    return Coalesce(Subquery(rows.values("n"), output_field=IntegerField()), 0)
