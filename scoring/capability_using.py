"""结果运用: what a level brings, in the words of the paper, and its decision for one unit by a leader.

中卫市方案四（四）（五）: commendation for who stands out; tilts from 基本标准 and from 推荐标准 on; below, unit and head are not
recommended for awards. What finance, pay and posts make of a level is theirs (`scoring.capability.level_of`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from institutions import audit, clock
from institutions.models import Post
from institutions.notifying import notify, posts_at
from scoring import booking
from scoring.models import CapabilityReview, CapabilityUse, ReviewLevel
from scoring.models.capability import FILL
from supervision import sanctioning
from supervision.models import Sanction

DECIDE = "scoring.decide_capability"
Kind = CapabilityUse.Kind
BELOW_BASIC = "未达到基本标准"


@dataclass(frozen=True)
class Consequence:
    """One class of the rule table: for which levels, which measures, which sentence of the paper, which kind of ledger entry."""

    levels: frozenset[str]
    measures: Sequence[str]
    text: str
    ledger: str = ""


CONSEQUENCES: Mapping[str, Consequence] = {
    Kind.BASIC: Consequence(
        frozenset({ReviewLevel.BASIC, ReviewLevel.RECOMMENDED}),
        ("项目资金安排", "设备配备", "人员培训", "评优评先"),
        "对达到基本标准以上的乡镇卫生院、社区卫生服务中心，将在项目资金安排、设备配备、人员培训、评优评先等方面"
        "给予一定政策倾斜。",
    ),
    Kind.RECOMMENDED: Consequence(
        frozenset({ReviewLevel.RECOMMENDED}),
        ("特色科室建设", "医疗技术准入", "专业技术岗位占比", "表彰奖励"),
        "对达到推荐标准以上的乡镇卫生院、社区卫生服务中心，将在特色科室建设、医疗技术准入、专业技术岗位占比、"
        "表彰奖励等方面给予一定政策倾斜。",
    ),
    Kind.EXCLUSION: Consequence(
        frozenset({ReviewLevel.BELOW}),
        ("机构不推荐参加评优评先、表彰奖励", "负责人不推荐参加评优评先、表彰奖励"),
        "对未达到基本标准及以上的基层医疗卫生机构及其负责人，今后一律不推荐参加自治区级评优评先、表彰奖励等。",
        Sanction.Kind.NO_AWARDS,
    ),
    Kind.COMMENDATION: Consequence(
        frozenset({ReviewLevel.BASIC, ReviewLevel.RECOMMENDED}),
        ("通报表扬",),
        "对活动中表现突出的乡镇卫生院和社区卫生服务中心进行通报表扬。",
        Sanction.Kind.COMMENDATION,
    ),
}


def level_for(review: CapabilityReview) -> str:
    """Return the level that consequences follow: the settled one."""
    return review.level if review.is_settled else ""


def due_kinds(review: CapabilityReview) -> list[str]:
    """Return the classes that the level of a review has and that are not decided yet."""
    decided = set(review.uses.values_list("kind", flat=True))
    level = level_for(review)
    return [k for k, rule in CONSEQUENCES.items() if level in rule.levels and k not in decided]


def may_decide(review: CapabilityReview, post: Post) -> bool:
    return post.has_perm(DECIDE) and post.acts_for(review.round.institution_id)


def decide(
    review: CapabilityReview, *, measures: Mapping[str, Sequence[str]], note: str, by: Post
) -> list[CapabilityUse]:
    """Decide the consequences of a level; `measures` maps each class to what of it is chosen.

    Commendation and exclusion go into the ledger (奖惩台账), where exclusion bars unit and head from awards
    (`sanctioning.barred`); a level reached lifts what an earlier exclusion barred. Raises PermissionDenied,
    ValidationError.
    """
    if not may_decide(review, by):
        raise PermissionDenied("结果运用由组织活动的行政部门领导决定")
    if not note.strip():
        raise ValidationError("请写明决定意见")
    try:
        with transaction.atomic():
            held = (
                CapabilityReview.objects.select_for_update(of=("self",))
                .select_related("round__institution", "institution")
                .get(pk=review.pk)
            )
            due = due_kinds(held)
            for kind, chosen in measures.items():
                if kind not in due:
                    raise ValidationError(f"{Kind(kind).label}不适用于现在的等次，或已经决定")
                if not chosen or not set(chosen) <= set(CONSEQUENCES[kind].measures):
                    raise ValidationError(f"{Kind(kind).label}：请选择措施")
            if not measures:
                raise ValidationError("请至少选择一类结果运用")
            if level_for(held) != ReviewLevel.BELOW:
                _lift_bar(held, by)
            made = [_use(held, kind, chosen, note, by) for kind, chosen in measures.items()]
            audit.record(
                "scoring.capabilityreview.decide",
                "决定结果运用",
                by=by,
                bureau=held.bureau_id,
                on=held,
                institution=held.institution,
                note=note,
                data={use.kind: use.measures for use in made},
            )
            words = "、".join(use.get_kind_display() for use in made)
            notify(
                posts_at([held.institution_id], FILL),
                f"{held.round.year}年能力评审结果运用：{words}",
                url=held.get_absolute_url(),
            )
    except IntegrityError as error:
        raise ValidationError("这一类已经决定") from error
    return made


def _use(
    review: CapabilityReview, kind: str, chosen: Sequence[str], note: str, by: Post
) -> CapabilityUse:
    rule, level = CONSEQUENCES[kind], ReviewLevel(level_for(review))
    entry = None
    if rule.ledger:
        excluded = kind == Kind.EXCLUSION
        entry = sanctioning.enter_decided(
            review.institution,
            by=by,
            kind=rule.ledger,
            year=review.round.year,
            grounds=BELOW_BASIC if excluded else "活动中表现突出",
            reason=f"{review.round.name}：{level.label}。{rule.text}",
            opinion=note,
            person="机构负责人" if excluded else "",
        )
    return CapabilityUse.objects.create(
        review=review,
        kind=kind,
        level=level,
        measures=list(chosen),
        note=note,
        decided_on=clock.today(),
        decided_by=by,
        sanction=entry,
    )


def _lift_bar(review: CapabilityReview, by: Post) -> None:
    """Revoke what an exclusion of an earlier result barred: the unit has reached the standard since."""
    rows = Sanction.objects.in_force().filter(
        institution=review.institution,
        kind=Sanction.Kind.NO_AWARDS,
        grounds=BELOW_BASIC,
        supervisor=by.institution,
    )
    for row in rows.select_related("institution", "supervisor", "author"):
        label = ReviewLevel(review.level).label
        booking.revoke(row, by=by, version=row.version, note=f"{review.round.year}年已达到{label}")
