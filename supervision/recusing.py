"""Recusal (回避): who may not visit whom, by employment and by declared ties."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import cast

from django.db.models import Q

from institutions.models import Institution, Post
from supervision.models import Expert, ExpertTie


def conflict(post: Post, institution: Institution, supervisor: Institution) -> str:
    """Return why `post` may not visit `institution` for `supervisor` (回避), or nothing.

    A member never visits his own employer, what it belongs to, or what belongs to it. The supervisor's own posts are
    no outsiders: a bureau visits its hospitals and a centre its clinics by their office.
    """
    if post.institution_id == supervisor.pk:
        return ""
    return employed(str(post), post.institution, institution)


def employed(who: str, employer: Institution, institution: Institution) -> str:
    """Return why somebody employed there may not visit `institution`, or nothing."""
    if employer.pk == institution.pk:
        return f"{who}是{institution.known_as}的人员，应当回避"
    if institution.path.startswith(employer.path) or employer.path.startswith(institution.path):
        return f"{who}的单位与{institution.known_as}有隶属关系，应当回避"
    return ""


def declared(
    posts: Iterable[Post], institutions: Iterable[Institution], on: date | None = None
) -> list[str]:
    """Return the declared ties in force that stand between these posts and institutions; one statement."""
    units = list(institutions)
    ties = (
        ExpertTie.objects.in_force(on)
        .filter(expert__post__in=[post.pk for post in posts])
        .select_related("expert__post__institution", "institution")
    )
    return [
        f"{tie.expert.post}与{unit.known_as}有回避关系（{tie.reason}），应当回避"
        for tie in ties
        for unit in units
        if unit.path.startswith(tie.institution.path)
    ]


def barred_by_ties(
    posts: Sequence[Post], units: Sequence[Institution], on: date
) -> dict[int, dict[str, str]]:
    """Return, by post, the codes of the institutions to which it has a declared tie on `on`, with why; one statement."""
    found: dict[int, dict[str, str]] = {}
    known = {post.pk: post for post in posts}
    ties = ExpertTie.objects.in_force(on).filter(expert__post__in=known)
    for tie in ties.select_related("expert", "institution"):
        post = known[cast(int, tie.expert.post_id)]
        for unit in units:
            if unit.path.startswith(tie.institution.path):
                reason = f"{post}与{unit.known_as}有回避关系（{tie.reason}），应当回避"
                found.setdefault(post.pk, {})[unit.code] = reason
    return found


def barred(
    experts: Sequence[Expert], units: Sequence[Institution], supervisor: Institution, on: date
) -> dict[str, dict[str, str]]:
    """Return, by the code of each expert, the codes of the institutions he must not visit, with the reason.

    `experts` bear their employer and post; ties are those in force on `on`. One statement.
    """
    ties: dict[int, list[ExpertTie]] = {}
    found = ExpertTie.objects.in_force(on).filter(Q(expert__in=[e.pk for e in experts]))
    for tie in found.select_related("institution"):
        ties.setdefault(tie.expert_id, []).append(tie)
    return {
        expert.code: {
            unit.code: reason
            for unit in units
            if (reason := _barred(expert, unit, supervisor, ties.get(expert.pk, [])))
        }
        for expert in experts
    }


def _barred(
    expert: Expert, unit: Institution, supervisor: Institution, ties: Sequence[ExpertTie]
) -> str:
    if expert.post and (reason := conflict(expert.post, unit, supervisor)):
        return reason
    elsewhere = expert.employer if expert.employer_id != supervisor.pk else None
    if elsewhere and (reason := employed(expert.title, elsewhere, unit)):
        return reason
    for tie in ties:
        if unit.path.startswith(tie.institution.path):
            return f"{expert.title}与{unit.known_as}有回避关系（{tie.reason}），应当回避"
    return ""
