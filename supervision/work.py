"""What waits for a post on this floor: to put right, to verify, to visit, to confirm."""

from urllib.parse import urlencode

from django.db.models import Count, Q
from django.urls import reverse

from institutions import clock
from institutions.models import Post
from institutions.work import WorkLine
from supervision.bodies import leads
from supervision.complaint_forms import time_q
from supervision.coverage import coverage
from supervision.lists import WEEK, side_q, team_q
from supervision.models import Complaint, Rectification, Sanction, Visit, YearPlan

# Whoever goes on visits, answers them or settles objections.
VISITING = frozenset(
    {"supervision.record_visit", "supervision.answer_visit", "supervision.confirm_visit"}
)


def work_for(post: Post) -> list[WorkLine]:
    """Return the lines with something in them, each linked to exactly its rows; a query a line or two."""
    lines = []
    if post.has_perm("supervision.answer_rectification"):
        lines += _to_put_right(post)
    if post.has_perm("supervision.verify_rectification"):
        lines += _to_verify(post)
    if post.permissions & VISITING:
        lines += _visits(post)
    if post.has_perm("supervision.change_round"):
        lines += _to_cover(post)
    if post.has_perm("supervision.decide_sanction"):
        lines += _to_decide(post)
    if post.has_perm("supervision.answer_complaint") or post.has_perm(
        "supervision.close_complaint"
    ):
        lines += _complaints(post)
    return [line for line in lines if line.count]


def _listed(name: str, **query: str) -> str:
    return f"{reverse(f'supervision:{name}_list')}?{urlencode(query)}"


def _to_put_right(post: Post) -> list[WorkLine]:
    today = clock.today()
    mine = Q(status__in=Rectification.WITH_INSTITUTION)
    n = (
        Rectification.objects.visible_to(post)
        .open()
        .filter(side_q(post, "own"))
        .aggregate(
            returned=Count("pk", filter=Q(status="returned")),
            overdue=Count("pk", filter=mine & Q(due__lt=today)),
            week=Count("pk", filter=mine & Q(due__range=(today, today + WEEK))),
            assigned=Count("pk", filter=Q(status="assigned")),
            signed=Count("pk", filter=Q(status="signed")),
            applied=Count("pk", filter=Q(status="applied")),
        )
    )

    def url(**query: str) -> str:
        return _listed("rectification", scope="own", **query)

    return [
        WorkLine(
            "整改被退回",
            url(status="returned"),
            n["returned"],
            "returned",
            "按复核意见继续整改，再申请销号",
        ),
        WorkLine("整改已逾期", url(when="overdue"), n["overdue"], "overdue"),
        WorkLine("整改七日内到期", url(when="week"), n["week"], "due"),
        WorkLine("请签收整改", url(status="assigned"), n["assigned"], hint="打开问题，点“签收”"),
        WorkLine(
            "正在整改", url(status="signed"), n["signed"], hint="填写措施、上传佐证后申请销号"
        ),
        WorkLine("整改等待上级复核", url(status="applied"), n["applied"], "waiting"),
    ]


def _to_verify(post: Post) -> list[WorkLine]:
    late = Q(status__in=Rectification.WITH_INSTITUTION, due__lt=clock.today())
    n = (
        Rectification.objects.visible_to(post)
        .open()
        .filter(side_q(post, "asked"))
        .aggregate(
            applied=Count("pk", filter=Q(status="applied")), overdue=Count("pk", filter=late)
        )
    )
    applied = _listed("rectification", scope="asked", status="applied")
    overdue = _listed("rectification", scope="asked", when="overdue")
    return [
        WorkLine("整改待复核", applied, n["applied"], hint="核对措施和佐证，销号或退回"),
        WorkLine("机构逾期未整改", overdue, n["overdue"], "waiting", "可复制催办文字发工作群"),
    ]


def _to_decide(post: Post) -> list[WorkLine]:
    rows = Sanction.objects.visible_to(post).filter(
        status=Sanction.Status.PROPOSED, supervisor=post.institution_id
    )
    url = _listed("sanction", status="proposed", scope="asked")
    return [WorkLine("奖惩待决定", url, rows.count(), hint="核对事实和依据，同意或不予采纳")]


def _to_cover(post: Post) -> list[WorkLine]:
    """Institutions that this year's issued plan still owes a visit which nobody has arranged."""
    plan = YearPlan.objects.filter(
        institution=post.institution_id,
        year=clock.today().year,
        led=leads(post),
        status=YearPlan.Status.ISSUED,
    ).first()
    if plan is None or post.item_ids is not None:
        return []
    count = coverage(plan, post).filter(state__in=["behind", "short"]).count()
    url = f"{reverse('supervision:year_plan_coverage', args=[plan.pk])}?state=lacking"
    hint = "今年的督导次数还没有做够、也没有安排够"
    return [WorkLine("督导次数不足的机构", url, count, hint=hint)]


def _visits(post: Post) -> list[WorkLine]:
    n = Visit.objects.visible_to(post).aggregate(
        to_make=Count("pk", filter=Q(status="planned") & team_q(post)),
        submitted=Count("pk", filter=Q(status="submitted") & side_q(post, "own")),
        objected=Count("pk", filter=Q(status="objected") & side_q(post, "asked")),
        waiting=Count("pk", filter=Q(status="submitted") & side_q(post, "asked")),
    )
    lines = []
    if post.has_perm("supervision.record_visit"):
        url = _listed("visit", mine="on", status="planned")
        lines.append(WorkLine("请到现场督导", url, n["to_make"], hint="现场用手机逐条记录"))
    if post.has_perm("supervision.answer_visit"):
        own = _listed("visit", scope="own", status="submitted")
        lines.append(WorkLine("请确认督导记录", own, n["submitted"], hint="核对后确认，或提出异议"))
    if post.has_perm("supervision.confirm_visit"):
        objected = _listed("visit", scope="asked", status="objected")
        waiting = _listed("visit", scope="asked", status="submitted")
        lines.append(WorkLine("机构对督导有异议", objected, n["objected"]))
        lines.append(WorkLine("督导记录等机构确认", waiting, n["waiting"], "waiting"))
    return lines


def _complaints(post: Post) -> list[WorkLine]:
    """What is to be answered, and what others owe; one query."""
    own, asked = side_q(post, "own"), side_q(post, "asked")
    n = Complaint.objects.visible_to(post).aggregate(
        returned=Count("pk", filter=own & Q(status="returned")),
        **{
            name: Count("pk", filter=own & Q(status="handed") & time_q(name))
            for name in ("overdue", "soon", "later")
        },
        answered=Count("pk", filter=asked & Q(status="answered")),
        missing=Count("pk", filter=asked & time_q("overdue")),
    )

    def line(label: str, count: str, group: str = "todo", **query: str) -> WorkLine:
        return WorkLine(label, _listed("complaint", **query), n[count], group)

    lines = []
    if post.has_perm("supervision.answer_complaint"):
        mine = {"scope": "own", "status": "handed"}
        lines += [
            line("投诉被退回重办", "returned", "returned", scope="own", status="returned"),
            line("投诉逾期未答复", "overdue", "overdue", **mine, when="overdue"),
            line("投诉三日内要答复", "soon", "due", **mine, when="soon"),
            line("投诉待答复", "later", **mine, when="later"),
        ]
    if post.has_perm("supervision.close_complaint"):
        lines += [
            line("投诉答复待审核", "answered", scope="asked", status="answered"),
            line("机构逾期未答复投诉", "missing", "waiting", scope="asked", when="overdue"),
        ]
    return lines
