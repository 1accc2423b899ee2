from urllib.parse import urlencode

from django.contrib.auth.decorators import permission_required
from django.urls import reverse
from django.views.decorators.http import require_safe

from institutions import clock
from institutions.http import Request
from institutions.models import Institution
from scoring import honesty
from scoring.honesty_lists import HonestyList


@require_safe
@permission_required("scoring.view_sheet", raise_exception=True)
def honesty_list(request: Request):
    """Self-assessed against verified, by institution and item, with what the policy would deduct."""
    post = request.post
    year = _number(request.GET.get("year"), 4) or honesty.last_year(post) or clock.today().year
    quarter = _number(request.GET.get("quarter"), 1)
    sections = honesty.sections_shown(post, year, quarter or None)
    wanted = _number(request.GET.get("item"), 9)
    if wanted:
        sections = sections.filter(item=wanted)
    rows = Institution.objects.visible_to(post).filter(
        pk__in=sections.order_by().values("institution")
    )
    policy, found = None, []
    if post.has_perm("scoring.settle_year"):
        policy, found = honesty.proposals(post.institution, year, post)
    return HonestyList(request, rows, year, quarter).response(
        "scoring/honesty_list.html",
        {
            "year": year,
            "quarter": quarter,
            "policy": policy,
            "proposals": [(one, _adjust_url(one, year)) for one in found],
        },
    )


def _number(text: str | None, digits: int) -> int:
    usable = text and text.isascii() and text.isdigit() and len(text) <= digits
    return int(text) if usable and text else 0


def _adjust_url(one: honesty.Proposal, year: int) -> str:
    query = {
        "institution": one.institution.pk,
        "year": year,
        "kind": "deduction",
        "points": str(one.points),
        "reason": one.reason,
        "basis": "绩效政策：自评偏差线、自评偏差扣分",
    }
    return f"{reverse('scoring:adjustment_create')}?{urlencode(query)}"
