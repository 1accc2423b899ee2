"""Publishing a standard: from then on it never changes; a correction is a new edition that replaces it."""

from collections import defaultdict
from decimal import Decimal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from campaigns.models import Clause, Standard
from campaigns.rules import RuleError, check_rule
from institutions import audit, clock
from institutions.models import Post
from institutions.workflow import StaleState

PERM = "campaigns.change_standard"


def faults(standard: Standard) -> list[str]:
    """Return, in Chinese, why the draft cannot be published yet; empty when it can."""
    clauses = list(standard.clauses.select_related("parent"))
    reasons = [] if clauses else ["还没有任何条款，请先导入"]
    if not standard.kinds:
        reasons.append("没有填写适用机构类别")
    for clause in clauses:
        if clause.is_leaf:
            reasons += [f"{clause.code}：{reason}" for reason in _rule_faults(clause)]
    return reasons + _sum_faults(clauses)


def _rule_faults(clause: Clause) -> list[str]:
    try:
        return check_rule(clause.rule)
    except RuleError as error:
        return [error.reason]
    except KeyError:
        return ["没有评分方法"]


def _sum_faults(clauses: list[Clause]) -> list[str]:
    sums: dict[int, Decimal] = defaultdict(Decimal)
    for clause in clauses:
        if clause.parent_id:
            sums[clause.parent_id] += clause.full_marks
    return [
        f"{clause.code}：满分 {clause.full_marks}，下级条款合计 {sums[clause.pk]}，两者不等"
        for clause in clauses
        if not clause.is_leaf and sums[clause.pk] != clause.full_marks
    ]


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
        drafts = Standard.objects.filter(pk=standard.pk, status=Standard.Status.DRAFT)
        if not drafts.update(
            status=Standard.Status.PUBLISHED, published_at=moment, full_marks=total
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
            data={
                "full_marks": str(total),
                "replaced": editions,
                "sha256": audit.digest(_sealed(standard)),
            },
        )
    standard.status, standard.published_at = Standard.Status.PUBLISHED, moment
    standard.full_marks = total


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
