"""Bonus, deduction and veto: recorded by who supervises the institution, withdrawn with a reason, until the year is frozen."""

from decimal import Decimal
from typing import cast

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from institutions import audit
from institutions.models import Institution, Post
from institutions.notifying import notify, posts_at
from scoring.models import Adjustment, YearResult


def may_adjust(institution: Institution, post: Post) -> bool:
    return post.has_perm("scoring.settle_year") and institution.parent_id == post.institution_id


def adjust(
    *,
    by: Post,
    institution: Institution,
    year: int,
    kind: str,
    points: Decimal,
    reason: str,
    basis: str = "",
) -> Adjustment:
    """Record one adjustment; raises ValidationError when it is there already or the year is frozen."""
    if not may_adjust(institution, by):
        raise PermissionDenied("加减分由机构的督导方登记")
    with transaction.atomic():
        refuse_frozen(institution, year)
        row = Adjustment(
            institution=institution,
            year=year,
            kind=kind,
            points=points,
            reason=reason,
            basis=basis,
            bureau_id=cast(int, institution.bureau_id),
        )
        row.full_clean(exclude=["bureau"])
        row.save()
        tell("adjust", "登记加减分", row, by)
        notify(
            posts_at([institution.pk], "scoring.view_yearresult"),
            f"{year}年登记了{row.get_kind_display()}：{reason}",
            url="/scoring/adjustments/",
        )
    return row


def withdraw(row: Adjustment, *, by: Post, note: str) -> None:
    """Take an adjustment back with a reason; the trail keeps both."""
    if not may_adjust(row.institution, by):
        raise PermissionDenied("加减分由机构的督导方撤销")
    if row.sanction_id is not None:
        raise ValidationError("这一条由奖惩决定产生，请领导在奖惩台账撤销决定")
    if not note.strip():
        raise ValidationError("请写明撤销的理由")
    with transaction.atomic():
        refuse_frozen(row.institution, row.year)
        tell("withdraw", "撤销加减分", row, by, note=note.strip())
        row.delete()


def refuse_frozen(institution: Institution, year: int) -> None:
    """Raise ValidationError where the institution's year is frozen."""
    if YearResult.objects.filter(
        institution=institution, year=year, frozen_at__isnull=False
    ).exists():
        raise ValidationError(f"{institution.name} {year} 年终结果已定稿，不能再加减分")


def tell(verb: str, label: str, row: Adjustment, by: Post, note: str = "") -> None:
    """Write into the trail what was done to an adjustment."""
    audit.record(
        f"scoring.adjustment.{verb}",
        label,
        by=by,
        bureau=row.bureau_id,
        on=row,
        institution=row.institution,
        note=note or row.reason,
        data={"kind": row.kind, "points": str(row.points), "basis": row.basis},
    )
