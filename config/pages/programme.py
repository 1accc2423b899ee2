"""A year of the programme on one page: its money, what was set in motion, how it was checked."""

from fractions import Fraction
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.db.models import Count, Q, Sum
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from campaigns.check_lists import score_text
from campaigns.models import Campaign, SuperiorCheck, WorkLog
from institutions import clock
from institutions.http import Request
from institutions.models import Institution, Post
from institutions.rounding import half_up
from scoring.models import Evaluation, PolicyEntry, Prepayment, YearResult
from supervision.models import Problem, Source, SupervisionRound, Visit

FIRST = 2009  # the programme began
NAMED = 40


@require_safe
@permission_required("campaigns.view_campaign", raise_exception=True)
def programme_year(request: Request) -> HttpResponse:
    """Compose the year that is asked for (`?year=`) from what the floors hold and the post may see."""
    text = request.GET.get("year", "")
    today = clock.today()
    year = int(text) if text.isascii() and text.isdigit() and len(text) == 4 else today.year
    year = min(max(year, FIRST), today.year + 1)
    post = request.post
    bureau = post.institution.bureau or post.institution
    return render(
        request,
        "config/programme_year.html",
        {
            "year": year,
            "bureau": bureau,
            "money": _money(post, bureau, year),
            "campaigns": list(
                Campaign.objects.visible_to(post)
                .filter(year=year)
                .exclude(status=Campaign.Status.DRAFT)
                .select_related("institution")[:NAMED]
            ),
            "deployed": _deployed(post, year),
            "checks": [
                (check, score_text(check))
                for check in SuperiorCheck.objects.visible_to(post)
                .filter(day__year=year)
                .order_by("day", "pk")[:NAMED]
            ],
            "evaluations": _evaluations(post, bureau, year),
            "supervised": _supervised(post, year),
            "feedback": feedback(
                Problem.objects.visible_to(post).filter(year=year),
                f"{reverse('supervision:problem_list')}?year={year}",
            ),
        },
    )


def _money(post: Post, bureau: Institution, year: int) -> list[dict[str, Any]] | None:
    """What was allotted, paid in advance and approved; None for who may not know of money."""
    if not post.has_perm("scoring.view_yearresult"):
        return None
    policy = PolicyEntry.objects.visible_to(post).filter(institution=bureau, year=year)
    per_head = policy.filter(key="人均标准").values_list("value", flat=True).first()
    paid = Prepayment.objects.visible_to(post).filter(institution__parent=bureau, year=year)
    table = YearResult.objects.visible_to(post).filter(unit=bureau, year=year)
    sums = table.aggregate(due=Sum("due_amount"), approved=Sum("approved_amount"), n=Count("pk"))
    advance = paid.aggregate(sum=Sum("amount"), n=Count("pk"))
    lines = [
        {"label": "人均财政补助标准", "value": f"{per_head} 元" if per_head else "", "money": None},
        {"label": f"已预拨（{advance['n']}家）", "money": advance["sum"]},
        {"label": f"应拨（{sums['n']}家）", "money": sums["due"]},
        {"label": "按评价结果核定", "money": sums["approved"]},
    ]
    return [line for line in lines if line.get("value") or line["money"] is not None]


def _deployed(post: Post, year: int) -> list[dict[str, Any]]:
    """How often it was deployed, trained and checked, each linked to its entries in the work log."""
    kinds = ("dispatch", "training", "check", "field")
    rows = WorkLog.objects.visible_to(post).filter(day__year=year, kind__in=kinds)
    counts = dict(rows.order_by().values_list("kind").annotate(n=Count("pk")))
    listed = f"{reverse('campaigns:log_list')}?since={year}-01-01&until={year}-12-31"
    return [
        {
            "label": WorkLog.Kind(kind).label,
            "value": counts.get(kind, 0),
            "unit": "次",
            "url": f"{listed}&kind={kind}",
        }
        for kind in kinds
    ]


def _evaluations(post: Post, bureau: Institution, year: int) -> list[Any]:
    """The evaluations of one's bureau with how many were scored and, once they are public, their mean."""
    rows = (
        Evaluation.objects.visible_to(post)
        .filter(year=year, institution=bureau)
        .exclude(status=Evaluation.Status.DRAFT)
        .annotate(units=Count("sheets"), sum=Sum("sheets__score"), scored=Count("sheets__score"))
        .order_by("quarter", "pk")[:NAMED]
    )
    public = (Evaluation.Status.PUBLISHED, Evaluation.Status.FINAL)
    return [
        (row, half_up(Fraction(row.sum) / row.scored, 2))
        if row.scored and row.status in public
        else (row, None)
        for row in rows
    ]


def _supervised(post: Post, year: int) -> list[dict[str, Any]]:
    rounds = SupervisionRound.objects.visible_to(post).filter(year=year).exclude(status="draft")
    visits = Visit.objects.visible_to(post).filter(visited_on__year=year)
    return [
        {
            "label": "督导轮次",
            "value": rounds.count(),
            "unit": "轮",
            "url": f"{reverse('supervision:round_list')}?year={year}",
        },
        {
            "label": "现场督导",
            "value": visits.exclude(status=Visit.Status.PLANNED).count(),
            "unit": "家次",
            "url": reverse("supervision:visit_list"),
        },
    ]


def feedback(problems: Any, listed: str) -> list[dict[str, Any]]:
    """Return problems by source, those of a level above first: how many there are, how many are closed.

    `listed` is the address of the list that holds them, with its query.
    """
    closed = Count("pk", filter=Q(rectification__status="closed"))
    counts = {
        row["source"]: row
        for row in problems.exclude(rectification__status="withdrawn")
        .order_by()
        .values("source")
        .annotate(n=Count("pk"), closed=closed)
    }
    return [
        {
            "label": source.label,
            "total": counts[source.value]["n"],
            "closed": counts[source.value]["closed"],
            "url": f"{listed}&source={source.value}",
        }
        for source in Source
        if source.value in counts
    ]
