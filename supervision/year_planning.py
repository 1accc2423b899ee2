"""Making and keeping a body's plan of the year: its rounds, its least counts, its weights of risk."""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from institutions import audit
from institutions.models import Institution, Post, ServiceItem
from institutions.workflow import Side, touch
from supervision.bodies import leads, supervises
from supervision.models import PlannedRound, YearPlan

POLICY = (
    "least_comprehensive",
    "least_special",
    "weight_score",
    "weight_overdue",
    "weight_recurring",
    "weight_gap",
    "weight_days",
    "weight_volume",
)


def make_plan(plan: YearPlan, *, by: Post) -> YearPlan:
    """Begin the plan of the post's own body for a year, with last year's least counts and weights where there are any.

    Raises PermissionDenied (supervises nobody), ValidationError (the year has one).
    """
    if not supervises(by):
        raise PermissionDenied("督导计划由有下级机构的单位或牵头单位制定")
    plan.institution = plan.supervisor = by.institution
    plan.author, plan.led = by, leads(by)
    with transaction.atomic():
        Institution.objects.select_for_update().get(pk=by.institution_id)
        own = YearPlan.objects.filter(institution=by.institution, led=plan.led)
        if own.filter(year=plan.year).exists():
            raise ValidationError({"year": f"{plan.year}年已有督导计划"})
        if before := own.filter(year=plan.year - 1).first():
            for name in POLICY:
                setattr(plan, name, getattr(before, name))
        plan.save()
        _record(plan, "add", "拟定督导计划", by)
    return plan


def change_policy(plan: YearPlan, *, by: Post, version: int) -> None:
    """Store other least counts or weights; the event keeps what they were and what they are."""
    _refuse_stranger(plan, by)
    if not sum(plan.weights.values()):
        raise ValidationError("权重不能全部为 0")
    with transaction.atomic():
        before = YearPlan.objects.get(pk=plan.pk)
        touch(plan, version=version, editable=YearPlan.EDITABLE)
        plan.save(update_fields=POLICY)
        _record(
            plan,
            "change_policy",
            "调整次数要求和权重",
            by,
            before=_policy_text(before),
            after=_policy_text(plan),
            data={name: [getattr(before, name), getattr(plan, name)] for name in POLICY},
        )


def _policy_text(plan: YearPlan) -> str:
    weights = "/".join(str(weight) for weight in plan.weights.values())
    return f"{plan.least_comprehensive}+{plan.least_special}次 {weights}"[:40]


def store_entry(
    entry: PlannedRound,
    *,
    items: Iterable[ServiceItem],
    institutions: Iterable[Institution],
    by: Post,
    version: int,
) -> PlannedRound:
    """Put a round into the plan, or change one from which no round was made yet, under the plan's version."""
    plan = entry.plan
    _refuse_stranger(plan, by)
    if not plan.year == entry.starts.year == entry.ends.year:
        raise ValidationError(f"时间应在{plan.year}年内")
    with transaction.atomic():
        new = entry.pk is None
        touch(plan, version=version, editable=YearPlan.EDITABLE)
        if not new and entry.rounds.exists():
            raise ValidationError("已按此项组织督导，不能再改")
        entry.save()
        entry.items.set(items)
        entry.institutions.set(institutions)
        _record(plan, "change", f"{'增加' if new else '修改'}计划轮次", by, note=_said(entry))
    return entry


def remove_entry(entry: PlannedRound, *, by: Post, version: int) -> None:
    """Take a round out of the plan; refused once a round was made from it."""
    _refuse_stranger(entry.plan, by)
    with transaction.atomic():
        touch(entry.plan, version=version, editable=YearPlan.EDITABLE)
        if entry.rounds.exists():
            raise ValidationError("已按此项组织督导，不能去掉")
        _record(entry.plan, "change", "去掉计划轮次", by, note=_said(entry))
        entry.delete()


def _said(entry: PlannedRound) -> str:
    return f"{entry.name}（{entry.get_type_display()}，{entry.starts} 至 {entry.ends}）"


def _refuse_stranger(plan: YearPlan, post: Post) -> None:
    if not post.has_perm("supervision.change_round") or not plan.stands_on(Side.ASKS, post):
        raise PermissionDenied("督导计划由制定单位修改")


def _record(plan: YearPlan, verb: str, label: str, by: Post, **more) -> None:
    audit.record(
        f"supervision.yearplan.{verb}",
        label,
        by=by,
        bureau=plan.bureau_id,
        on=plan,
        institution=plan.institution,
        **more,
    )
