"""What waits for a post on this floor: to assess oneself, to verify, to publish, to close."""

from datetime import timedelta
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.urls import reverse

from institutions import clock
from institutions.models import Kind, Post
from institutions.roles import Role
from institutions.work import WorkLine
from scoring import capability_work
from scoring.forms import to_read
from scoring.models import Appeal, Evaluation, ScoreSection, ScoreSheet
from scoring.money_work import money_lines

WEEK = timedelta(days=7)


def work_for(post: Post) -> list[WorkLine]:
    """Return the lines with something in them, each linked to exactly its rows; at most seven queries."""
    lines: list[WorkLine] = []
    if post.has_perm("scoring.fill_sheet"):
        lines += _to_fill(post)
    if post.has_perm("scoring.verify_sheet"):
        lines += _to_verify(post)
    if post.has_perm("scoring.publish_evaluation"):
        lines += _to_publish(post)
    if post.has_perm("scoring.write_appeal") or post.has_perm("scoring.decide_appeal"):
        lines += _appeals(post)
    lines += money_lines(post)
    lines += capability_work.work_for(post)
    return [line for line in lines if line.count]


def _listed(name: str, **query: str) -> str:
    return f"{reverse(f'scoring:{name}_list')}?{urlencode(query)}"


def _to_fill(post: Post) -> list[WorkLine]:
    today = clock.today()
    filling = Q(status__in=ScoreSheet.EDITABLE)
    n = (
        ScoreSheet.objects.visible_to(post)
        .filter(institution=post.institution_id, evaluation__status=Evaluation.Status.OPEN)
        .aggregate(
            returned=Count("pk", filter=Q(status=ScoreSheet.Status.RETURNED)),
            overdue=Count("pk", filter=filling & Q(evaluation__self_due__lt=today)),
            week=Count("pk", filter=filling & Q(evaluation__self_due__range=(today, today + WEEK))),
            open=Count("pk", filter=filling),
            waiting=Count("pk", filter=Q(status=ScoreSheet.Status.SUBMITTED)),
        )
    )

    def url(**query: str) -> str:
        return _listed("sheet", mine="own", **query)

    return [
        WorkLine(
            "自评被退回",
            url(status="returned"),
            n["returned"],
            "returned",
            "按退回意见修改后重新提交",
        ),
        WorkLine("自评已逾期", url(when="overdue"), n["overdue"], "overdue"),
        WorkLine("自评七日内到期", url(when="week"), n["week"], "due"),
        WorkLine("请完成自评", url(when="open"), n["open"], hint="逐条填写，填完提交"),
        WorkLine("自评等待核定", url(status="submitted"), n["waiting"], "waiting"),
    ]


def _to_verify(post: Post) -> list[WorkLine]:
    """A supervisor's own sheets as a whole; a lead agency, which sees no whole sheet, by its sections."""
    sheets = ScoreSheet.objects.visible_to(post).filter(
        status=ScoreSheet.Status.SUBMITTED, evaluation__status=Evaluation.Status.OPEN
    )
    late = Q(evaluation__verify_due__lt=clock.today())
    if post.role == Role.LEAD:
        sections = ScoreSection.objects.visible_to(post).filter(
            status=ScoreSection.Status.OPEN, sheet__in=sheets
        )
        asked = sections.filter(supervisor__kind=Kind.BUREAU)
        others = asked.exclude(institution=post.institution_id)
        count = others.order_by().values("sheet").distinct().count()
        url = _listed("sheet", mine="items", status="submitted")
        return [WorkLine("请核定牵头项目", url, count, hint="打开评分表，逐项核定")]
    n = (
        sheets.filter(supervisor=post.institution_id)
        .exclude(institution=post.institution_id)
        .aggregate(late=Count("pk", filter=late), all=Count("pk"))
    )
    return [
        WorkLine("核定已逾期", _listed("sheet", mine="below", when="late"), n["late"], "overdue"),
        WorkLine(
            "请核定自评",
            _listed("sheet", mine="below", status="submitted"),
            n["all"],
            hint="对照自评逐项核定",
        ),
        WorkLine(
            "请复核核定结果",
            _listed("sheet", mine="read"),
            to_read(ScoreSheet.objects.visible_to(post), post).count(),
            hint="由核定人以外的另一人复核，全部复核后才能公布",
        ),
    ]


def _appeals(post: Post) -> list[WorkLine]:
    mine = post.institution_id
    n = (
        Appeal.objects.visible_to(post)
        .filter(status=Appeal.Status.SUBMITTED)
        .aggregate(
            asked=Count("pk", filter=Q(supervisor=mine) & ~Q(institution=mine)),
            own=Count("pk", filter=Q(institution=mine)),
        )
    )
    asked = _listed("appeal", side="asked", status="submitted")
    own = _listed("appeal", side="own", status="submitted")
    lines = [WorkLine("申诉等待答复", own, n["own"], "waiting")]
    if post.has_perm("scoring.decide_appeal"):
        lines.append(WorkLine("请答复申诉", asked, n["asked"], hint="核对理由和佐证，逐条答复"))
    return lines


def _to_publish(post: Post) -> list[WorkLine]:
    own = Evaluation.objects.visible_to(post).filter(supervisor=post.institution_id)
    unfinished = ScoreSheet.objects.exclude(status=ScoreSheet.Status.VERIFIED)
    n = own.aggregate(
        draft=Count("pk", filter=Q(status=Evaluation.Status.DRAFT)),
        ready=Count(
            "pk",
            filter=Q(status=Evaluation.Status.OPEN)
            & ~Q(pk__in=unfinished.order_by().values("evaluation")),
        ),
        closing=Count(
            "pk",
            filter=Q(status=Evaluation.Status.PUBLISHED, appeal_until__lt=clock.today()),
        ),
    )
    lines = [
        WorkLine("评价可以公布", _listed("evaluation", when="ready"), n["ready"]),
        WorkLine("申诉期满，请定稿", _listed("evaluation", when="closing"), n["closing"]),
    ]
    if post.has_perm("scoring.change_evaluation"):
        lines.append(
            WorkLine("拟定的评价待启动", _listed("evaluation", status="draft"), n["draft"])
        )
    return lines
