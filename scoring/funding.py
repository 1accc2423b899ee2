"""The funding year: prepayments with their days, and what the finance offices pay in for the 财政补齐 of a year.

The table `funds` keeps saying one sum an institution and year (已预拨); entries here give that sum its days. What was
imported without days can be entered later as part of it. Entries are only added: a mistake is a negative one with its reason.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Sum

from institutions import audit
from institutions.models import Institution, Post
from institutions.notifying import notify, posts_at
from scoring.models import MoneyEntry, Prepayment, YearResult

ZERO = Decimal("0.00")
Kind = MoneyEntry.Kind


def may_enter(institution: Institution, post: Post) -> bool:
    """Say whether `post` books money of this institution: a post of its supervisor that settles."""
    return post.has_perm("scoring.settle_year") and institution.parent_id == post.institution_id


def enter(
    institution: Institution,
    *,
    by: Post,
    year: int,
    kind: str,
    day: date,
    amount: Decimal,
    voucher: str,
    payer: str = "",
    note: str = "",
    in_total: bool = False,
) -> MoneyEntry:
    """Book one movement of money. `in_total`: a prepayment that the year's imported sum already holds.

    Raises PermissionDenied, and ValidationError: a sum below nought, more than the 财政补齐 owed, a frozen year.
    """
    if not may_enter(institution, by):
        raise PermissionDenied("经费由机构的上级登记")
    if amount < 0 and not note:
        raise ValidationError("更正（负数）请写明原因")
    row = MoneyEntry(
        institution=institution,
        year=year,
        kind=kind,
        payer=payer if kind == Kind.TOP_UP else "",
        day=day,
        amount=amount,
        voucher=voucher,
        note=note,
        author=by,
        bureau_id=institution.bureau_id or institution.pk,
    )
    with transaction.atomic():
        # One entry of an institution after the other: the sums below are those it adds to.
        Institution.objects.select_for_update().get(pk=institution.pk)
        if kind == Kind.PREPAID:
            _add_prepaid(row, in_total)
        else:
            _check_top_up(row)
        row.save()
        audit.record(
            "scoring.money.enter",
            f"登记{row.get_kind_display()}",
            by=by,
            bureau=row.bureau_id,
            on=row,
            institution=institution,
            note=f"{year} 年，{amount} 元，凭证 {voucher}" + (f"，{note}" if note else ""),
            data={"kind": kind, "payer": row.payer, "amount": str(amount), "day": str(day)},
        )
        notify(
            posts_at([institution.pk], "scoring.view_yearresult"),
            f"{year}年登记了{row.get_kind_display()} {amount} 元",
            url="/scoring/funding/entries/",
        )
    return row


def entered(institution: Institution, year: int, kind: str) -> Decimal:
    """Return the sum of the dated entries of one kind, in yuan."""
    rows = MoneyEntry.objects.filter(institution=institution, year=year, kind=kind)
    return rows.aggregate(whole=Sum("amount"))["whole"] or ZERO


def _add_prepaid(row: MoneyEntry, in_total: bool) -> None:
    frozen = YearResult.objects.filter(
        institution=row.institution, year=row.year, frozen_at__isnull=False
    )
    if frozen.exists():
        raise ValidationError(f"{row.year} 年终结果已定稿，预拨不能再改")
    before = entered(row.institution, row.year, Kind.PREPAID)
    total = Prepayment.objects.filter(institution=row.institution, year=row.year).first()
    known = total.amount if total else ZERO
    if before + row.amount < 0:
        raise ValidationError(f"更正后分笔合计为负（已登记 {before} 元）")
    if in_total:
        if before + row.amount > known:
            raise ValidationError(f"合计 {known} 元里没有日期的只有 {known - before} 元")
        return
    Prepayment.objects.update_or_create(
        institution=row.institution,
        year=row.year,
        defaults={"amount": known + row.amount, "bureau_id": row.bureau_id},
    )


def _check_top_up(row: MoneyEntry) -> None:
    result = YearResult.objects.filter(
        institution=row.institution, unit=row.institution.parent_id, year=row.year
    ).first()
    if result is None or not result.is_frozen:
        raise ValidationError(f"{row.year} 年终结果还没有定稿，不知道应补齐多少")
    after = entered(row.institution, row.year, Kind.TOP_UP) + row.amount
    if after < 0:
        raise ValidationError("更正后到账合计为负")
    if after > result.top_up:
        raise ValidationError(f"应补齐 {result.top_up} 元，登记后为 {after} 元，超过了")


@dataclass
class TopUp:
    """One institution's 财政补齐: owed by the frozen result, paid in by each office; `left` is still owed."""

    result: YearResult
    county: Decimal = ZERO
    town: Decimal = ZERO
    entries: list[MoneyEntry] = field(default_factory=list)

    @property
    def left(self) -> Decimal:
        return self.result.top_up - self.county - self.town


def top_ups(unit: Institution, year: int, post: Post) -> list[TopUp]:
    """Return the 财政补齐 of a unit's frozen year, for the institutions that `post` may see; two queries."""
    results = (
        YearResult.objects.visible_to(post)
        .filter(unit=unit, year=year, frozen_at__isnull=False)
        .select_related("institution")
        .order_by("position")
    )
    rows = {result.institution_id: TopUp(result) for result in results}
    entries = MoneyEntry.objects.visible_to(post).filter(
        institution__in=rows, year=year, kind=Kind.TOP_UP
    )
    for entry in entries.order_by("day", "pk"):
        row = rows[entry.institution_id]
        row.entries.append(entry)
        setattr(row, entry.payer, getattr(row, entry.payer) + entry.amount)
    return [row for row in rows.values() if row.result.top_up or row.entries]


def prepaid_by_institution(unit: Institution, year: int) -> dict[int, list[MoneyEntry]]:
    """Return the dated prepayments of a unit's institutions; one query."""
    found: dict[int, list[MoneyEntry]] = defaultdict(list)
    entries = MoneyEntry.objects.filter(institution__parent=unit, year=year, kind=Kind.PREPAID)
    for entry in entries.order_by("day", "pk"):
        found[entry.institution_id].append(entry)
    return found
