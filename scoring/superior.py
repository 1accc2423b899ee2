"""Checks from above in an institution's year: their scores, and below 90 the accountability to propose.

街道公卫工作意见（2018年）: 对迎接上级考核出现问题、考核成绩达不到90分的，要严肃追究责任.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse

from campaigns.models import SuperiorCheck
from institutions.models import Institution, Post
from scoring.pictures import share
from supervision import sanctioning
from supervision.models import Sanction

LINE = Decimal(90)
GROUNDS = "上级考核低于90分"


@dataclass(frozen=True)
class SuperiorScore:
    """One scored check of one institution: 得分率, whether it is below the line, and what follows for this post."""

    check: SuperiorCheck
    institution: Institution
    rate: Decimal
    sanction: Sanction | None = None
    propose_url: str = ""

    @property
    def below(self) -> bool:
        return self.rate < LINE


def scores_of(institutions: Sequence[Institution], year: int, post: Post) -> list[SuperiorScore]:
    """Return the scored checks of a year of the institutions given, the lowest first; three statements."""
    named = {one.pk: one for one in institutions}
    links = SuperiorCheck.institutions.through.objects.filter(
        institution__in=named,
        superiorcheck__in=SuperiorCheck.objects.visible_to(post)
        .filter(day__year=year, score__isnull=False)
        .values("pk"),
    ).select_related("superiorcheck")
    proposed: dict[tuple[int, str], Sanction] = {}
    for row in (
        Sanction.objects.visible_to(post)
        .filter(
            institution__in=named,
            year=year,
            kind=Sanction.Kind.ACCOUNTABILITY,
            grounds=GROUNDS,
            status__in=(Sanction.Status.PROPOSED, Sanction.Status.DECIDED),
        )
        .order_by("pk")
    ):
        proposed[row.institution_id, row.grounds] = row
    found = []
    for link in links:
        check, one = link.superiorcheck, named[link.institution_id]
        rate = share(check.score, check.full or Decimal(100)) or Decimal("0.00")
        sanction = proposed.get((one.pk, GROUNDS))
        may = rate < LINE and sanction is None and sanctioning.may_propose(one, post)
        url = _propose_url(check, one, year, rate) if may else ""
        found.append(SuperiorScore(check, one, rate, sanction, url))
    return sorted(found, key=lambda one: (one.rate, one.institution.code, one.check.pk))


def _propose_url(check: SuperiorCheck, one: Institution, year: int, rate: Decimal) -> str:
    query = {
        "institution": one.pk,
        "kind": Sanction.Kind.ACCOUNTABILITY.value,
        "year": year,
        "grounds": GROUNDS,
        "person": "机构负责人",
        "reason": f"{check.day_text}{check.get_level_display()}检查“{check.name}”得分率 {rate}%，低于 90 分。",
    }
    return f"{reverse('supervision:sanction_create')}?{urlencode(query)}"
