"""Awards in money: a rate table a bureau and year, the proposal and decision of the 奖惩台账, paid by the list of payments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Sum

from institutions import audit
from institutions.models import Institution, Post, StoredFile
from scoring import settling
from scoring.models import AwardRate, Payment
from supervision import sanctioning
from supervision.models import Sanction

Kind = AwardRate.Kind
ZERO = Decimal("0.00")
# 二七卫计〔2018〕29号: 获得国家、省优秀社区卫生服务中心给予50万、30万元奖励.
PAPER = "二七卫计〔2018〕29号"
DEFAULTS = {Kind.NATIONAL: Decimal("500000.00"), Kind.PROVINCIAL: Decimal("300000.00")}
GROUNDS = {
    Kind.NATIONAL: "国家、省优秀",
    Kind.PROVINCIAL: "国家、省优秀",
    Kind.NUMBER: "数量",
    Kind.QUALITY: "质量",
    Kind.SATISFACTION: "群众满意度",
}


@dataclass(frozen=True)
class Rate:
    """What one kind of award is worth in a year; `amount` None: the bureau has not set it."""

    kind: str
    label: str
    amount: Decimal | None
    basis: str
    own: bool


def rates(bureau: Institution | int | None, year: int) -> list[Rate]:
    """Return the rate table of a bureau's year: its own rows over the paper's; one query."""
    own = {row.kind: row for row in AwardRate.objects.filter(institution=bureau, year=year)}
    return [
        Rate(kind, str(kind.label), own[kind].amount, own[kind].basis, True)
        if kind in own
        else Rate(
            kind, str(kind.label), DEFAULTS.get(kind), PAPER if kind in DEFAULTS else "", False
        )
        for kind in Kind
    ]


def rate_of(bureau: Institution | int | None, year: int, kind: str) -> Rate:
    return next(rate for rate in rates(bureau, year) if rate.kind == kind)


def set_rate(year: int, kind: str, *, by: Post, amount: Decimal, basis: str) -> None:
    """Write what the bureau gives for a kind of award in a year."""
    if not (by.has_perm("scoring.change_policy") and by.institution.is_bureau):
        raise PermissionDenied("奖励标准由卫生健康行政部门规定")
    with transaction.atomic():
        before = rate_of(by.institution, year, kind)
        row, _ = AwardRate.objects.update_or_create(
            institution=by.institution,
            year=year,
            kind=kind,
            defaults={"amount": amount, "basis": basis, "bureau_id": by.institution_id},
        )
        audit.record(
            "scoring.award.rate",
            f"{year} 年奖励标准：{row.get_kind_display()}",
            by=by,
            bureau=row.bureau_id,
            on=row,
            institution=by.institution,
            before=str(before.amount or ""),
            after=str(amount),
            note=basis,
        )


def propose(
    institution: Institution,
    *,
    by: Post,
    year: int,
    kind: str,
    reason: str,
    files: Sequence[StoredFile] = (),
) -> Sanction:
    """Put an award before the leaders, with the amount of the table; who is barred from awards gets none."""
    rate = rate_of(institution.bureau_id, year, kind)
    if rate.amount is None:
        raise ValidationError(f"{year} 年“{rate.label}”还没有规定奖励金额")
    return sanctioning.propose(
        institution,
        by=by,
        kind=Sanction.Kind.REWARD,
        year=year,
        reason=f"{rate.label}：{reason}（标准：{rate.basis}）",
        grounds=GROUNDS[Kind(kind)],
        amount=rate.amount,
        files=files,
    )


def paid(award: Sanction) -> Decimal:
    return Payment.objects.filter(award=award).aggregate(n=Sum("amount"))["n"] or ZERO


def may_pay(award: Sanction, post: Post) -> bool:
    return post.has_perm(settling.PREPARE) and post.acts_for(award.supervisor_id)


def pay(
    award: Sanction, *, by: Post, day: date, amount: Decimal, voucher: str, note: str = ""
) -> Payment:
    """Book one payment of a decided award, never beyond its amount; refused while the institution is barred."""
    if not may_pay(award, by):
        raise PermissionDenied("奖励由决定方财务拨付")
    if amount < 0 and not note:
        raise ValidationError("更正（负数）请写明原因")
    with transaction.atomic():
        row = Sanction.objects.select_for_update(of=("self",)).get(pk=award.pk)
        if row.status != Sanction.Status.DECIDED or row.amount is None or not row.is_reward:
            raise ValidationError("只有已决定的奖励可以拨付")
        if amount > 0 and (bar := sanctioning.barred(award.institution)):
            raise ValidationError(f"该机构不得评优：{bar.get_kind_display()}（{bar.year}年）")
        before = paid(row)
        if not 0 <= before + amount <= row.amount:
            raise ValidationError(f"奖励 {row.amount} 元，已拨 {before} 元")
        payment = Payment.objects.create(
            bureau_id=row.bureau_id,
            institution=award.institution,
            year=row.year,
            award=row,
            day=day,
            amount=amount,
            voucher=voucher,
            note=note,
            author=by,
        )
        settling.tell(payment, "拨付奖励", by)
    return payment
