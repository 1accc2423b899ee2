"""Unit → staff: the money of a period given to the people of one institution by work and quality, to the cent.

Equivalents of a line = Σ quantity × 当量系数 × 质量系数 of the person (二七卫计〔2018〕29号: 将考核结果与医务人员个人收入挂钩，体现多劳多得、优劳优酬).
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from institutions import audit
from institutions.models import Institution, Kind, Post, StaffMember
from institutions.notifying import notify
from institutions.rounding import plain_text, split
from institutions.workflow import touch
from scoring.models import Distribution, StaffShare, StaffWork, WorkUnit
from scoring.models.distribution import KEEP

OFFICES = (Kind.BUREAU, Kind.STREET)
EDITABLE = frozenset({Distribution.Status.DRAFT})


def may_begin(post: Post) -> bool:
    return post.has_perm(KEEP) and post.institution.kind not in OFFICES


def begin(*, by: Post, year: int, quarter: int, pool: Decimal, basis: str) -> Distribution:
    """Begin a distribution with everybody on the roster, taking over quality and account from the last one."""
    unit = by.institution
    if not may_begin(by):
        raise PermissionDenied("绩效分配由本机构负责人办理")
    members = list(StaffMember.objects.filter(institution=unit).in_service())
    if not members:
        raise ValidationError("名册里没有在岗人员，请先在人员名册登记")
    row = Distribution(
        institution=unit,
        supervisor=unit.parent or unit,
        author=by,
        year=year,
        quarter=quarter,
        pool=pool,
        basis=basis,
    )
    try:
        with transaction.atomic():
            row.save()
            _add(row, members)
            _record("begin", "拟制绩效分配", row, by)
    except IntegrityError as error:
        raise ValidationError(f"{year} 年{row.get_quarter_display()}已经有分配") from error
    return row


def _add(row: Distribution, members: Iterable[StaffMember]) -> None:
    accounts = dict(
        StaffShare.objects.filter(distribution__institution=row.institution_id, post__isnull=False)
        .order_by("pk")
        .values_list("member", "post")
    )
    StaffShare.objects.bulk_create(
        StaffShare(distribution=row, member=member, post_id=accounts.get(member.pk))
        for member in members
    )


def take_in(row: Distribution, *, by: Post, version: int) -> int:
    """Add to a draft whoever is on the roster and not in it yet; return how many."""
    _claim(row, by)
    with transaction.atomic():
        touch(row, version=version, editable=EDITABLE)
        there = row.shares.values("member")
        roster = StaffMember.objects.filter(institution=row.institution_id).in_service()
        missing = list(roster.exclude(pk__in=there))
        _add(row, missing)
        _split(row)
        _record("take_in", "加入人员", row, by)
    return len(missing)


def services(row: Distribution) -> list[WorkUnit]:
    units = WorkUnit.objects.filter(institution=row.bureau_id, year=row.year, coefficient__gt=0)
    return list(units.select_related("item").order_by("code"))


def save_share(
    share: StaffShare,
    *,
    by: Post,
    version: int,
    post: Post | None,
    quality: Decimal,
    numbers: Mapping[int, Decimal | None],
) -> None:
    """Write one person's work and quality and split the money anew; `numbers` by service id, None: nothing done.

    Raises PermissionDenied, StaleState, ValidationError (an account of another institution, or one that has a line).
    """
    row = share.distribution
    _claim(row, by)
    if post is not None and post.institution_id != row.institution_id:
        raise ValidationError("只能对应本机构的任职")
    with transaction.atomic():
        touch(row, version=version, editable=EDITABLE)
        if post and row.shares.filter(post=post).exclude(pk=share.pk).exists():
            raise ValidationError("这个任职已经对应了另一位人员")
        StaffShare.objects.filter(pk=share.pk).update(post=post, quality=quality)
        known = {unit.pk for unit in services(row)}
        share.works.all().delete()
        StaffWork.objects.bulk_create(
            StaffWork(share=share, work_unit_id=pk, quantity=number)
            for pk, number in numbers.items()
            if number and pk in known
        )
        _split(row)
        _record("share", "填写人员工作量", row, by)


def change(row: Distribution, *, by: Post, version: int, pool: Decimal, basis: str) -> None:
    """Change what is distributed and split it anew."""
    _claim(row, by)
    with transaction.atomic():
        touch(row, version=version, editable=EDITABLE)
        row.pool, row.basis = pool, basis
        Distribution.objects.filter(pk=row.pk).update(pool=pool, basis=basis)
        _split(row)
        _record("change", "修改分配总额", row, by)


def confirm(row: Distribution, *, by: Post, version: int) -> None:
    """Confirm it, and tell everybody who has an account."""
    with transaction.atomic():
        row.confirm(by=by, version=version)
        posts = row.shares.filter(post__isnull=False).values_list("post", flat=True)
        notify(
            list(posts),
            f"{row.year}年{row.get_quarter_display()}绩效分配已确认，请查看自己的一行",
            url=row.get_absolute_url(),
        )


def _claim(row: Distribution, by: Post) -> None:
    if not row.may("confirm", by):
        raise PermissionDenied("绩效分配由本机构负责人办理")


def _split(row: Distribution) -> None:
    """Split the money by the lines' equivalents; ties go by the roster. Nothing done by anybody: nothing given yet."""
    shares = list(row.shares.order_by("pk"))
    sums = dict.fromkeys((share.pk for share in shares), Decimal(0))
    works = StaffWork.objects.filter(share__distribution=row)
    for pk, quantity, coefficient in works.values_list(
        "share", "quantity", "work_unit__coefficient"
    ):
        sums[pk] += quantity * coefficient
    # 2 + 4 + 4 places: exact.
    weighed = {share.pk: sums[share.pk] * share.quality for share in shares}
    given = {}
    if any(weighed.values()):
        parts = split(row.pool, {f"{pk:012d}": weight for pk, weight in weighed.items()})
        given = {int(key): part for key, part in parts.items()}
    for share in shares:
        share.weight = plain_text(weighed[share.pk])
        share.amount = given.get(share.pk, Decimal(0))
    StaffShare.objects.bulk_update(shares, ["weight", "amount"])


def told(share: StaffShare) -> list[str]:
    """Return how a line came about, service by service."""
    lines = [
        f"{work.work_unit.name}：{plain_text(work.quantity)} × {plain_text(work.work_unit.coefficient)}"
        f" × 质量系数 {plain_text(share.quality)} = "
        f"{plain_text(work.quantity * work.work_unit.coefficient * share.quality)}"
        for work in share.works.all()
    ]
    return lines or ["没有填写工作量"]


def drop(share: StaffShare, *, by: Post, version: int) -> None:
    """Take a person out of a draft."""
    row = share.distribution
    _claim(row, by)
    with transaction.atomic():
        touch(row, version=version, editable=EDITABLE)
        share.delete()
        _split(row)
        _record("drop", "移出人员", row, by)


def _record(verb: str, label: str, row: Distribution, by: Post) -> None:
    """The trail holds counts and a digest, no names."""
    lines = [[pk, str(amount)] for pk, amount in row.shares.values_list("member", "amount")]
    audit.record(
        f"scoring.distribution.{verb}",
        label,
        by=by,
        bureau=row.bureau_id,
        on=row,
        institution=row.institution,
        note=f"总额 {row.pool} 元，{len(lines)} 人",
        data={"pool": str(row.pool), "count": len(lines), "digest": audit.digest(lines)},
    )


def pay_total(institution: Institution, year: int) -> Decimal:
    """Return what was given to the staff of an institution in a year, drafts left out."""
    rows = Distribution.objects.filter(institution=institution, year=year)
    return sum((r.pool for r in rows.exclude(status="draft")), Decimal("0.00"))
