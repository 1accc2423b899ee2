"""What 优质服务基层行 waits for, for each side: to evaluate oneself, to review, to report, to check again, to decide."""

from datetime import timedelta
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.urls import reverse

from institutions import clock
from institutions.models import Post
from institutions.work import WorkLine
from scoring.capability import required_ids
from scoring.capability_using import DECIDE
from scoring.models import CapabilityReview, CapabilityRound
from scoring.models.capability import FILL, REVIEW

Status = CapabilityReview.Status
WEEK = timedelta(days=7)


def work_for(post: Post) -> list[WorkLine]:
    """Return the lines with something in them; two queries for a unit, one for a bureau."""
    if post.institution.is_bureau:
        if post.has_perm(REVIEW):
            return _to_review(post)
        return _to_decide(post) if post.has_perm(DECIDE) else []
    return _to_evaluate(post) if post.has_perm(FILL) else []


def _listed(**query: str) -> str:
    return f"{reverse('scoring:capability_list')}?{urlencode(query)}"


def _to_evaluate(post: Post) -> list[WorkLine]:
    today = clock.today()
    lines = []
    begun = {
        review.round_id: review
        for review in CapabilityReview.objects.visible_to(post).filter(
            institution=post.institution_id, round__status=CapabilityRound.Status.OPEN
        )
    }
    for round in CapabilityRound.objects.visible_to(post).open().select_related("institution")[:5]:
        review = begun.get(round.pk)
        group = (
            "overdue"
            if round.self_due < today
            else "due"
            if round.self_due <= today + WEEK
            else "todo"
        )
        if review is None:
            if post.institution_id in required_ids(round):
                url = round.get_absolute_url()
                lines.append(WorkLine("请开始能力自评", url, 1, group, f"{round.name}，尽早开始"))
        elif review.status == Status.RETURNED:
            lines.append(WorkLine("能力评审被退回", review.get_absolute_url(), 1, "returned"))
        elif review.status == Status.SELF:
            hint = f"{round.self_due:%Y-%m-%d}前完成自查"
            lines.append(WorkLine("请完成能力自评", review.get_absolute_url(), 1, group, hint))
        elif review.status in (Status.APPLIED, Status.PASSED, Status.REPORTED, Status.CHECKING):
            lines.append(WorkLine("能力评审等待审核", review.get_absolute_url(), 1, "waiting"))
    return lines


def _to_review(post: Post) -> list[WorkLine]:
    mine = Q(supervisor=post.institution_id, round__status=CapabilityRound.Status.OPEN)
    wanted = {
        "applied": ("请审核能力评审申请", "逐条核对后通过或退回"),
        "passed": ("审核通过，请上报", "在活动年度页面上报名单"),
        "reported": ("请抽取条款复核", "打开评审，抽取后逐条复核"),
        "checking": ("请完成能力复核", "抽中的条款逐条复核"),
        "confirmed": ("请上报或登记省级结果", "上报后按省级通报登记"),
    }
    n = (
        CapabilityReview.objects.visible_to(post)
        .filter(mine)
        .aggregate(**{state: Count("pk", filter=Q(status=state)) for state in wanted})
    )
    return [
        WorkLine(label, _listed(side="asked", status=state), n[state], hint=hint)
        for state, (label, hint) in wanted.items()
    ]


def _to_decide(post: Post) -> list[WorkLine]:
    rows = CapabilityReview.objects.visible_to(post).filter(
        round__institution=post.institution_id,
        status__in=CapabilityReview.SETTLED,
        uses__isnull=True,
    )
    return [
        WorkLine(
            "请决定评审结果运用",
            _listed(side="undecided"),
            rows.count(),
            hint="按等次选择政策倾斜、表扬或不推荐评优",
        )
    ]
