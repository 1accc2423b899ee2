"""From the frozen year to money in the bank: settlement sheets, their publication and objections, payments, the carry-over.

期初结转 is what a negative sheet of the year before left unreturned (先预拨、后结算: 扣回或抵扣下年). Everything a sheet says
comes from the frozen result, last year's sheet, decided sanctions in yuan and upheld objections; nothing is typed over.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet, Sum

from institutions import audit, clock
from institutions.models import Institution, Post, StoredFile
from institutions.notifying import notify, posts_at
from institutions.rounding import rate_text
from scoring import rules, year_end
from scoring.models import Payment, Settlement, SettlementObjection, YearResult
from scoring.policies import policy_of
from scoring.publishing import appeal_deadline
from supervision.models import Sanction

PREPARE = "scoring.prepare_settlement"
CONFIRM = "scoring.confirm_settlement"
OBJECT = "scoring.write_appeal"
ZERO = Decimal("0.00")
Status = Settlement.Status


def may_prepare(unit: Institution, post: Post) -> bool:
    return post.has_perm(PREPARE) and post.acts_for(unit.pk)


def prepare(unit: Institution, year: int, *, by: Post) -> int:
    """Draw up the sheets of a unit's frozen year that are not there yet; return how many.

    Raises ValidationError: the year is not frozen, its policy cannot be read, last year's sheets are not confirmed.
    """
    if not may_prepare(unit, by):
        raise PermissionDenied("结算单由结算方财务拟制")
    with transaction.atomic():
        Institution.objects.select_for_update().get(pk=unit.pk)
        results = YearResult.objects.filter(unit=unit, year=year, frozen_at__isnull=False)
        if not results.exists():
            raise ValidationError(f"{unit.name} {year} 年终表还没有定稿，不能拟制结算单")
        new = list(results.filter(settlement=None).select_related("institution"))
        before = _last_year(unit, year)
        try:
            share = policy_of(unit, year).village_share
        except rules.ScoringError as error:
            raise ValidationError(error.reason) from error
        cuts = _cuts(unit, year)
        sheets = [
            _sheet(unit, result, by, before.get(result.institution_id, ZERO), share, cuts)
            for result in new
        ]
        Settlement.objects.bulk_create(sheets, batch_size=500)
        if sheets:
            audit.record(
                "scoring.settlement.prepare",
                "拟制结算单",
                by=by,
                bureau=unit.bureau_id,
                on=unit,
                institution=unit,
                note=f"{year} 年，{len(sheets)} 份",
                data={
                    "year": year,
                    "count": len(sheets),
                    "digest": audit.digest([s.institution.code, str(s.due)] for s in sheets),
                },
            )
    return len(sheets)


def _last_year(unit: Institution, year: int) -> dict[int, Decimal]:
    """Return by institution what is carried over: the negative rest of last year's confirmed sheets."""
    last = Settlement.objects.filter(supervisor=unit, year=year - 1)
    waiting = last.exclude(status__in=Settlement.DECIDED).select_related("institution")
    if names := [sheet.institution.known_as for sheet in waiting[:10]]:
        raise ValidationError(f"{year - 1} 年结算单还没有确认：{'、'.join(names)}")
    return {sheet.institution_id: min(sheet.left, ZERO) for sheet in last}


def _cuts(unit: Institution, year: int) -> dict[int, Decimal]:
    """Return by institution the yuan that decided 扣减经费 takes besides its points."""
    rows = Sanction.objects.in_force().filter(
        supervisor=unit, year=year, kind=Sanction.Kind.CUT, amount__isnull=False
    )
    sums = rows.order_by().values("institution").annotate(whole=Sum("amount"))
    return dict(sums.values_list("institution", "whole"))


def _sheet(
    unit: Institution,
    result: YearResult,
    by: Post,
    opening: Decimal,
    share: Decimal | None,
    cuts: dict[int, Decimal],
) -> Settlement:
    sheet = Settlement(
        bureau_id=unit.bureau_id or unit.pk,
        institution=result.institution,
        supervisor=unit,
        author=by,
        year=result.year,
        result=result,
        opening=opening,
        approved=result.approved_amount,
        # What a veto has taken whole is not taken again.
        deducted=ZERO if result.vetoed else cuts.get(result.institution_id, ZERO),
        prepaid=result.prepaid,
    )
    sheet.add_up()
    if share is not None and result.institution.is_centre:
        sheet.village_share = rate_text(share)
        sheet.own_part, sheet.village_part = rules.two_tiers(sheet.approved, share)
    return sheet


# --- Publishing, confirming ---------------------------------------------------------------------------


def publish(row: Settlement, *, by: Post, version: int) -> None:
    """Publish a sheet; objections are taken for as many working days as appeals (申诉期 of the policy)."""
    with transaction.atomic():
        until = appeal_deadline(clock.today(), row.supervisor, row.year)
        row._move(
            "publish", by=by, version=version, published_at=clock.now(), objections_until=until
        )
        notify(
            posts_at([row.institution_id], OBJECT),
            f"{row.year}年结算单已公示，{until:%-m月%-d日}前可以提出异议",
            url=row.get_absolute_url(),
        )


def confirm(row: Settlement, *, by: Post, version: int) -> None:
    """Confirm a sheet after its publication: by another person than who drew it up, with no objection open."""
    with transaction.atomic():
        row._move(
            "confirm",
            by=by,
            version=version,
            confirmed_at=clock.now(),
            confirmed_by=by,
            data={"due": str(row.due)},
        )
        notify(
            posts_at([row.institution_id], OBJECT),
            f"{row.year}年结算单已确认：{row.due} 元",
            url=row.get_absolute_url(),
        )


def left_to_another(row: Settlement, post: Post) -> str:
    """Say to a post that confirms for its unit why not this sheet, and what to do (docs/money.md); or nothing.

    A bureau has leaders beside its finance office. A centre's head draws up and confirms, so that it needs two heads,
    and the second one is given by the system administrator above (accounts.grantable).
    """
    if not (post.has_perm(CONFIRM) and post.acts_for(row.supervisor_id)) or row.may(
        "confirm", post
    ):
        return ""
    if row.supervisor.is_bureau:
        return "拟制和确认应由两个人办理，请由另一位局领导确认"
    hint = year_end.second_head(row.supervisor)
    return f"拟制和确认应由两个人办理，请由本机构另一位机构负责人登录后确认。{hint}"


def move_all(name: str, unit: Institution, year: int, *, by: Post) -> tuple[int, list[str]]:
    """Publish or confirm all sheets of a unit's year that can be; return how many, and why the others cannot."""
    deed = {"publish": publish, "confirm": confirm}[name]
    move = Settlement.MOVES[name]
    if not (by.has_perm(move.perm) and by.acts_for(unit.pk)):
        raise PermissionDenied(f"{move.label}由结算方办理")
    rows = Settlement.objects.filter(supervisor=unit, year=year, status__in=move.sources)
    done = 0
    refused: list[str] = []
    others: dict[str, list[str]] = {}
    with transaction.atomic():
        for row in rows.with_all().order_by("institution__code"):
            try:
                with transaction.atomic():
                    deed(row, by=by, version=row.version)
            except ValidationError as error:
                refused.append(f"{row.institution.known_as}：{'；'.join(error.messages)}")
            except PermissionDenied as denied:
                reason = left_to_another(row, by) or str(denied)
                others.setdefault(reason, []).append(row.institution.known_as)
            else:
                done += 1
    for reason, names in others.items():
        many = f"等 {len(names)} 家" if len(names) > 3 else ""
        refused.insert(0, f"{'、'.join(names[:3])}{many}：{reason}")
    return done, refused


def finish(row: Settlement, *, by: Post, version: int) -> None:
    """Close a sheet with nothing left to pay; what is negative goes into the next year's sheet."""
    row._move("finish", by=by, version=version, paid_at=clock.now(), data={"left": str(row.left)})


# --- Objections -----------------------------------------------------------------------------------------


def may_object(row: Settlement, post: Post) -> bool:
    """Say whether `post` may object today; the last day is inclusive."""
    return (
        post.has_perm(OBJECT)
        and post.acts_for(row.institution_id)
        and row.status == Status.PUBLISHED
        and not row.period_over
    )


def object_to(
    row: Settlement, *, by: Post, reason: str, files: Sequence[StoredFile] = ()
) -> SettlementObjection:
    """Object to a published sheet; raises ValidationError when the period is over or one objection is open."""
    if not (by.has_perm(OBJECT) and by.acts_for(row.institution_id)):
        raise PermissionDenied("异议由被结算机构的负责人提出")
    if not may_object(row, by):
        raise ValidationError("不在公示期内，不能提出异议")
    objection = SettlementObjection(
        institution=row.institution,
        supervisor=row.supervisor,
        author=by,
        settlement=row,
        reason=reason,
    )
    try:
        with transaction.atomic():
            objection.save()
            objection.files.add(*files)
            audit.record(
                "scoring.objection.submit",
                "提出结算异议",
                by=by,
                bureau=row.bureau_id,
                on=row,
                institution=row.institution,
                note=reason,
                data={"files": [[f.name, f.sha256] for f in files]},
            )
            notify(
                posts_at([row.supervisor_id], PREPARE),
                f"{row.institution.known_as}对{row.year}年结算单提出异议",
                url=row.get_absolute_url(),
            )
    except IntegrityError as error:
        raise ValidationError("上一条异议还没有答复") from error
    return objection


def withdraw(row: SettlementObjection, *, by: Post, version: int) -> None:
    row._move("withdraw", by=by, version=version)


def uphold(
    row: SettlementObjection, *, by: Post, version: int, note: str, correction: Decimal
) -> None:
    """Accept an objection: the sheet gets a correction of so many yuan, and is published anew for its whole period."""
    with transaction.atomic():
        sheet = Settlement.objects.select_for_update(of=("self",)).get(pk=row.settlement_id)
        if sheet.status != Status.PUBLISHED:
            raise ValidationError("结算单已经确认，不能再更正")
        _answer("uphold", row, by=by, version=version, note=note, correction=correction)
        sheet.correction += correction
        sheet.add_up()
        Settlement.objects.filter(pk=sheet.pk).update(
            correction=sheet.correction,
            due=sheet.due,
            objections_until=appeal_deadline(clock.today(), row.supervisor, sheet.year),
            version=F("version") + 1,
        )


def reject(row: SettlementObjection, *, by: Post, version: int, note: str) -> None:
    with transaction.atomic():
        _answer("reject", row, by=by, version=version, note=note)


def _answer(
    name: str, row: SettlementObjection, *, by: Post, version: int, note: str, **more: Any
) -> None:
    data = {key: str(value) for key, value in more.items()}
    row._decide(name, by=by, version=version, note=note, data=data, **more)
    word = "已采纳" if name == "uphold" else "未予采纳"
    notify(
        posts_at([row.institution_id], OBJECT),
        f"结算异议{word}，请看答复意见",
        url=row.get_absolute_url(),
    )


# --- Payments -------------------------------------------------------------------------------------------


def may_pay(row: Settlement, post: Post) -> bool:
    return row.may("finish", post) and row.status == Status.CONFIRMED and row.due != 0


def pay(
    row: Settlement, *, by: Post, day: date, amount: Decimal, voucher: str, note: str = ""
) -> Payment:
    """Book one payment of a confirmed sheet: money out, or for a negative sheet money back; never beyond what is due.

    `amount` is positive; a negative one corrects an earlier entry and says why. The last one closes the sheet.
    """
    if not row.may("finish", by):
        raise PermissionDenied("拨付由结算方财务登记")
    if amount < 0 and not note:
        raise ValidationError("更正（负数）请写明原因")
    with transaction.atomic():
        sheet = (
            Settlement.objects.select_for_update(of=("self",))
            .select_related("institution__region", "supervisor__bureau", "author")
            .get(pk=row.pk)
        )
        if sheet.status != Status.CONFIRMED:
            raise ValidationError("只有已确认、未结清的结算单可以登记拨付")
        if Settlement.objects.filter(
            supervisor=sheet.supervisor_id, institution=sheet.institution_id, year__gt=sheet.year
        ).exists():
            raise ValidationError("余额已经结转到下年结算单，请在下年办理")
        signed = -amount if sheet.due < 0 else amount
        after = sheet.paid + signed
        if not min(sheet.due, ZERO) <= after <= max(sheet.due, ZERO):
            raise ValidationError(f"还应{'收回' if sheet.due < 0 else '拨付'} {abs(sheet.left)} 元")
        payment = Payment.objects.create(
            bureau_id=sheet.bureau_id,
            institution=sheet.institution,
            year=sheet.year,
            settlement=sheet,
            day=day,
            amount=signed,
            voucher=voucher,
            note=note,
            author=by,
        )
        Settlement.objects.filter(pk=sheet.pk).update(paid=after, version=F("version") + 1)
        sheet.paid, sheet.version = after, sheet.version + 1
        tell(payment, "收回结算款" if signed < 0 and amount > 0 else "登记拨付", by)
        if sheet.left == 0:
            finish(sheet, by=by, version=sheet.version)
    return payment


def tell(payment: Payment, label: str, by: Post) -> None:
    """Write a payment into the trail and let the institution know."""
    audit.record(
        "scoring.payment.enter",
        label,
        by=by,
        bureau=payment.bureau_id,
        on=payment.settlement or payment.award,
        institution=payment.institution,
        note=f"{payment.amount} 元，凭证 {payment.voucher}"
        + (f"，{payment.note}" if payment.note else ""),
        data={"amount": str(payment.amount), "day": str(payment.day), "payment": payment.pk},
    )
    notify(
        posts_at([payment.institution_id], OBJECT),
        f"{label} {payment.amount} 元，凭证 {payment.voucher}",
        url=payment.settlement.get_absolute_url() if payment.settlement else "",
    )


# --- The sheet as rows ----------------------------------------------------------------------------------


def steps(row: Settlement) -> list[tuple[str, Decimal, str]]:
    """Return the lines of a sheet: label, signed yuan, and where it comes from. Their sum is 本年结算."""
    lines = [("期初结转", row.opening, f"{row.year - 1} 年结算单余额" if row.opening else "无")]
    lines.append(("核定金额", row.approved, f"{row.year} 年终结果"))
    if row.correction:
        lines.append(("异议更正", row.correction, "采纳的异议"))
    if row.deducted:
        lines.append(("扣减", -row.deducted, "已决定的扣减经费"))
    lines.append(("已预拨", -row.prepaid, "预拨登记"))
    return lines


def carried(row: Settlement) -> Decimal:
    """Return what of a negative sheet goes into the next year: 0 or less."""
    return min(row.left, ZERO) if row.status in Settlement.DECIDED else ZERO


def totals(rows: QuerySet[Settlement]) -> dict[str, Decimal]:
    """Return the sums of the amounts of sheets; one query."""
    names = ("opening", "approved", "correction", "deducted", "prepaid", "due", "paid")
    found = rows.order_by().aggregate(**{f"sum_{name}": Sum(name) for name in names})
    return {name: found[f"sum_{name}"] or ZERO for name in names}
