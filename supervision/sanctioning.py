"""Proposing a penalty or a reward: the ladder is climbed step by step, and who is barred from awards gets none."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from institutions import audit, clock
from institutions.models import Institution, Post, StoredFile
from institutions.notifying import notify, posts_at
from supervision.models import Problem, Sanction

PROPOSE = "supervision.propose_sanction"
Kind = Sanction.Kind


def may_propose(institution: Institution, post: Post) -> bool:
    return post.has_perm(PROPOSE) and institution.parent_id == post.institution_id


def ladder_of(institution: Institution) -> list[Sanction]:
    """Return the steps of the ladder in force at an institution, in their order; the newest of each."""
    rows = Sanction.objects.in_force().filter(institution=institution, kind__in=Sanction.LADDER)
    newest = {row.kind: row for row in rows.order_by("pk")}
    return [newest[kind] for kind in Sanction.LADDER if kind in newest]


def barred(institution: Institution) -> Sanction | None:
    """Return the decision that keeps the institution, and its head, off award lists, if one is in force."""
    kinds = (Kind.NO_AWARDS, Kind.DISQUALIFICATION, Kind.VETO)
    return Sanction.objects.in_force().filter(institution=institution, kind__in=kinds).first()


def step_before(institution: Institution, kind: str) -> Sanction | None:
    """Return the decision on which a step of the ladder builds; raises ValidationError where it is missing.

    扣减经费 needs a 限期整改 whose last day is over (整改后仍不达标的).
    """
    place = Sanction.LADDER.index(Kind(kind))
    if place == 0:
        return None
    before = Sanction.LADDER[place - 1]
    found = (
        Sanction.objects.in_force()
        .filter(institution=institution, kind=before)
        .exclude(followers__status__in=(Sanction.Status.PROPOSED, Sanction.Status.DECIDED))
        .order_by("-pk")
        .first()
    )
    if found is None:
        raise ValidationError(f"{Kind(kind).label}之前须先有已决定的“{before.label}”")
    if kind == Kind.CUT and found.due and found.due >= clock.today():
        raise ValidationError(f"限期整改至{found.due:%Y年%-m月%-d日}，期满仍不达标的才能扣减经费")
    return found


def propose(
    institution: Institution,
    *,
    by: Post,
    kind: str,
    year: int,
    reason: str,
    grounds: str = "",
    person: str = "",
    problem: Problem | None = None,
    due: date | None = None,
    points: Decimal | None = None,
    amount: Decimal | None = None,
    files: Sequence[StoredFile] = (),
) -> Sanction:
    """Put a penalty or a reward before the leaders. Raises PermissionDenied, ValidationError (with the reason)."""
    if not may_propose(institution, by):
        raise PermissionDenied("奖惩由机构的督导方提出")
    if kind in Sanction.REWARDS and (bar := barred(institution)):
        raise ValidationError(
            f"{institution.known_as}及其负责人不得推荐评优：{bar.get_kind_display()}（{bar.year}年）"
        )
    if kind == Kind.REFERRAL and not by.institution.is_bureau:
        raise ValidationError("移送纪检由卫生健康行政部门提出")
    row = Sanction(
        institution=institution,
        supervisor=by.institution,
        author=by,
        kind=kind,
        year=year,
        reason=reason,
        grounds=grounds,
        person=person,
        problem=problem,
        previous=step_before(institution, kind) if kind in Sanction.LADDER else None,
        due=due if kind == Kind.DEADLINE else None,
        points=points if kind == Kind.CUT else None,
        amount=amount if kind in (Kind.REWARD, Kind.CUT) else None,
    )
    try:
        with transaction.atomic():
            row.save()
            row.files.add(*files)
            audit.record(
                "supervision.sanction.propose",
                "提出奖惩",
                by=by,
                bureau=row.bureau_id,
                on=row,
                institution=institution,
                after=row.status,
                note=reason,
                data=row.data(),
            )
            notify(
                posts_at([by.institution_id], "supervision.decide_sanction"),
                f"请决定：拟对{institution.known_as}{row.get_kind_display()}",
                url=row.get_absolute_url(),
            )
    except IntegrityError as error:
        raise ValidationError("同样的处理已经提出，请先办理") from error
    return row


def enter_decided(
    institution: Institution,
    *,
    by: Post,
    kind: str,
    year: int,
    grounds: str,
    reason: str,
    opinion: str,
    person: str = "",
) -> Sanction:
    """Put what a leader has decided on other grounds (a review of capability) straight into the ledger of his bureau.

    For kinds that build on no step before. Raises PermissionDenied, ValidationError (barred from awards).
    """
    at = by.institution
    if not by.has_perm("supervision.decide_sanction") or not (
        at.is_bureau and institution.path.startswith(at.path)
    ):
        raise PermissionDenied("奖惩由机构的上级行政部门领导决定")
    if kind in Sanction.LADDER or kind in Sanction.BOOKED:
        raise ValidationError(f"{Kind(kind).label}须先提出再决定")
    if kind in Sanction.REWARDS and (bar := barred(institution)):
        raise ValidationError(
            f"{institution.known_as}及其负责人不得推荐评优：{bar.get_kind_display()}（{bar.year}年）"
        )
    with transaction.atomic():
        row = Sanction.objects.create(
            institution=institution,
            supervisor=at,
            author=by,
            kind=kind,
            year=year,
            grounds=grounds,
            reason=reason,
            person=person,
            status=Sanction.Status.DECIDED,
            decided_at=clock.now(),
            decided_by=by,
            opinion=opinion,
        )
        audit.record(
            "supervision.sanction.enter",
            "登记奖惩决定",
            by=by,
            bureau=row.bureau_id,
            on=row,
            institution=institution,
            after=row.status,
            note=opinion,
            data=row.data(),
        )
    return row
