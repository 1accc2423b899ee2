"""Publishing a standard: from then on it never changes; a correction is a new edition that replaces it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from campaigns.capability import check_levels
from campaigns.models import Clause, Standard
from campaigns.rules import RuleError, check_rule
from institutions import audit, clock
from institutions.models import Post
from institutions.rounding import plain_text as points
from institutions.workflow import StaleState

PERM = "campaigns.change_standard"


@dataclass(frozen=True)
class Fault:
    """One reason why a draft cannot be published, with the clause it is found in, if it is one's."""

    reason: str
    clause: Clause | None = None

    def __str__(self) -> str:
        return f"{self.clause.code}：{self.reason}" if self.clause else self.reason


def faults(standard: Standard) -> list[str]:
    """Return, in Chinese, why the draft cannot be published yet; empty when it can."""
    clauses = list(standard.clauses.select_related("parent"))
    return [str(fault) for fault in found_faults(standard, clauses)]


def found_faults(standard: Standard, clauses: Sequence[Clause]) -> list[Fault]:
    """Return what keeps a draft with these clauses from being published, each with its clause. No queries."""
    found = [] if clauses else [Fault("还没有任何条款，请增加条款或导入")]
    if not standard.kinds:
        found.append(Fault("没有填写适用机构类别"))
    if standard.edition > 1 and standard.previous_id and not standard.reason:
        found.append(Fault("没有填写修订理由"))
    for clause in clauses:
        if clause.is_leaf:
            found += [Fault(reason, clause) for reason in _rule_faults(clause)]
    found += _sum_faults(clauses) + _total_faults(standard, clauses)
    if standard.is_capability and standard.levels:
        found += [Fault(reason) for reason in check_levels(standard.levels)]
        found += [
            Fault("能力标准的条款按等级评定", clause)
            for clause in clauses
            if clause.is_leaf and clause.method != "grade"
        ]
    return found


def _rule_faults(clause: Clause) -> list[str]:
    try:
        return check_rule(clause.rule)
    except RuleError as error:
        return [error.reason]
    except KeyError:
        return ["没有评分方法"]


def sums_below(clauses: Sequence[Clause]) -> dict[int, Decimal]:
    """Return the full marks of the clauses right below each heading, by the heading's id."""
    sums: dict[int, Decimal] = defaultdict(Decimal)
    for clause in clauses:
        if clause.parent_id:
            sums[clause.parent_id] += clause.full_marks
    return sums


def total_of(clauses: Sequence[Clause]) -> Decimal:
    """Return the marks of the clauses at the top."""
    return sum((c.full_marks for c in clauses if c.parent_id is None), Decimal(0))


def _sum_faults(clauses: Sequence[Clause]) -> list[Fault]:
    sums = sums_below(clauses)
    return [
        Fault(
            f"满分 {points(clause.full_marks)}，下级条款合计 {points(sums[clause.pk])}，"
            f"相差 {points(abs(clause.full_marks - sums[clause.pk]))}",
            clause,
        )
        for clause in clauses
        if not clause.is_leaf and sums[clause.pk] != clause.full_marks
    ]


def _total_faults(standard: Standard, clauses: Sequence[Clause]) -> list[Fault]:
    wanted, total = standard.wanted_marks, total_of(clauses)
    if wanted is None or not clauses or wanted == total:
        return []
    told = (
        f"总分应为 {points(wanted)}，条款合计 {points(total)}，相差 {points(abs(wanted - total))}"
    )
    return [Fault(told)]


def publish(standard: Standard, *, by: Post) -> None:
    """Publish a draft; the published edition of the same code is replaced.

    Raises PermissionDenied (another bureau's), ValidationError (all faults), StaleState (not a draft any more).
    """
    if not by.has_perm(PERM) or not by.acts_for(standard.bureau_id):
        raise PermissionDenied("评价标准由制定单位发布")
    if not standard.is_draft:
        raise StaleState(standard)
    with transaction.atomic():
        # Locked, so that no clause slips in between the check and the publication.
        Standard.objects.select_for_update().get(pk=standard.pk)
        reasons = faults(standard)
        if reasons:
            raise ValidationError(reasons)
        tops = standard.clauses.filter(parent__isnull=True).values_list("full_marks", flat=True)
        total = sum(tops, Decimal(0))
        moment = clock.now()
        since = standard.in_force_from or clock.today()
        drafts = Standard.objects.filter(pk=standard.pk, status=Standard.Status.DRAFT)
        if not drafts.update(
            status=Standard.Status.PUBLISHED,
            published_at=moment,
            full_marks=total,
            in_force_from=since,
        ):
            raise StaleState(standard)
        replaced = Standard.objects.filter(
            bureau=standard.bureau_id, code=standard.code, status=Standard.Status.PUBLISHED
        ).exclude(pk=standard.pk)
        editions = list(replaced.values_list("edition", flat=True))
        replaced.update(status=Standard.Status.REPLACED)
        audit.record(
            "campaigns.standard.publish",
            "发布标准",
            by=by,
            bureau=standard.bureau_id,
            on=standard,
            institution=standard.bureau,
            before=Standard.Status.DRAFT,
            after=Standard.Status.PUBLISHED,
            note=standard.reason,
            data={
                "full_marks": str(total),
                "replaced": editions,
                "in_force_from": since.isoformat(),
                "sha256": audit.digest(_sealed(standard)),
            },
        )
    standard.status, standard.published_at = Standard.Status.PUBLISHED, moment
    standard.full_marks, standard.in_force_from = total, since


def _sealed(standard: Standard):
    names = (
        "code",
        "parent__code",
        "item__code",
        "name",
        "method",
        "full_marks",
        "target",
        "floor",
        "steps",
        "deduct_unit",
        "below_zero",
        "core",
    )
    return standard.clauses.order_by("position").values_list(*names)
