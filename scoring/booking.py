"""Deciding what takes points or all money from a year: the decision and its entry in the year-end are one deed."""

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from institutions.models import Post
from scoring import adjusting
from scoring.models import Adjustment
from supervision.models import Sanction

KINDS = {Sanction.Kind.CUT: Adjustment.Kind.DEDUCTION, Sanction.Kind.VETO: Adjustment.Kind.VETO}


def decide(row: Sanction, *, by: Post, version: int, note: str) -> None:
    """Decide a sanction; 扣减经费 and 一票否决 are entered in the year-end, unless it is frozen (ValidationError)."""
    try:
        with transaction.atomic():
            row.decide(by=by, version=version, note=note)
            if row.kind in Sanction.BOOKED:
                adjusting.refuse_frozen(row.institution, row.year)
                booked = Adjustment.objects.create(
                    bureau_id=row.bureau_id,
                    institution=row.institution,
                    year=row.year,
                    kind=KINDS[Sanction.Kind(row.kind)],
                    points=row.points or Decimal(0),
                    reason=row.reason[:200],
                    basis=f"奖惩决定：{row.get_kind_display()}",
                    sanction=row,
                )
                adjusting.tell("adjust", "登记加减分", booked, by)
    except IntegrityError as error:
        raise ValidationError("同一事由的加减分已经登记，请先核对加减分") from error


def revoke(row: Sanction, *, by: Post, version: int, note: str) -> None:
    """Revoke a decision, and take its entry out of the year-end, unless the year is frozen (ValidationError)."""
    with transaction.atomic():
        row.revoke(by=by, version=version, note=note)
        booked = Adjustment.objects.filter(sanction=row).select_related("institution").first()
        if booked is not None:
            adjusting.refuse_frozen(booked.institution, row.year)
            adjusting.tell("withdraw", "撤销加减分", booked, by, note=note)
            booked.delete()
