"""What waits for a post on this floor: papers, reports, plans, breakthrough items, decisions."""

from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet
from django.urls import reverse

from campaigns.check_forms import state_q
from campaigns.forms import WEEK
from campaigns.models import (
    BreakthroughSubmission,
    Gap,
    Objection,
    Passage,
    Plan,
    Preparation,
    Publication,
    Recipient,
    Report,
    Secondment,
    Series,
    WorkLog,
)
from campaigns.models.breakthrough import own_q
from campaigns.models.campaign import confirmed_q
from institutions import clock
from institutions.models import Post, StaffMember
from institutions.work import WorkLine


def work_for(post: Post) -> list[WorkLine]:
    """Return the lines with something in them, each linked to exactly its rows; at most fourteen queries."""
    lines = _receipts(post)
    if post.has_perm("campaigns.write_report"):
        lines += _reports_to_write(post)
    if post.has_perm("campaigns.fill_series"):
        lines += _figures_to_fill(post)
    if post.has_perm("campaigns.review_report"):
        lines += _reports_to_review(post)
    if post.has_perm("campaigns.change_campaign"):
        lines += _passages(post)
    if post.has_perm("campaigns.write_breakthrough"):
        lines += _breakthroughs(post)
    if post.has_perm("campaigns.write_plan") or post.has_perm("campaigns.review_plan"):
        lines += _plans(post)
    if post.has_perm("campaigns.write_log"):
        lines += _follow_ups(post)
    if post.has_perm("campaigns.write_plan") or post.has_perm("campaigns.review_plan"):
        lines += _gaps(post) + _secondments(post)
    if post.has_perm("institutions.keep_staff"):
        lines += _staff(post)
    if post.has_perm("campaigns.prepare_check"):
        lines += _preparations(post)
    if post.has_perm("campaigns.answer_objection"):
        lines += _objections(post)
    if post.has_perm("campaigns.view_publication"):
        lines += _publications(post)
    return [line for line in lines if line.count]


def _staff(post: Post) -> list[WorkLine]:
    """Newcomers without training, and general practitioners who are not registered yet."""
    counts = StaffMember.objects.visible_to(post).aggregate(
        untrained=Count("pk", filter=_of(StaffMember.objects.untrained())),
        unregistered=Count("pk", filter=_of(StaffMember.objects.to_register())),
    )
    url = reverse("institutions:staff_list")
    return [
        WorkLine(
            "人员未岗前培训",
            f"{url}?state=untrained",
            counts["untrained"],
            hint="培训后登记工作日志，勾选参训人员",
        ),
        WorkLine(
            "全科医师待加注或注册",
            f"{url}?state=unregistered",
            counts["unregistered"],
            hint="督促办理，办好后在人员名册填注册日期",
        ),
    ]


def _of(rows: QuerySet) -> Q:
    return Q(pk__in=rows.order_by().values("pk"))


def _gaps(post: Post) -> list[WorkLine]:
    here, this_year = post.institution_id, clock.today().year
    planned = Q(institution=here, status=Gap.Status.PLANNED)
    counts = Gap.objects.visible_to(post).aggregate(
        overdue=Count("pk", filter=planned & Q(year__lt=this_year)),
        now=Count("pk", filter=planned & Q(year=this_year)),
        asked=Count("pk", filter=Q(supervisor=here, status=Gap.Status.DONE)),
    )
    url = reverse("campaigns:gap_list")
    lines = []
    if post.has_perm("campaigns.write_plan"):
        lines += [
            WorkLine(
                "短板过期未补齐", f"{url}?scope=own&when=overdue", counts["overdue"], "overdue"
            ),
            WorkLine("今年应补齐的短板", f"{url}?scope=own&when=now", counts["now"]),
        ]
    if post.has_perm("campaigns.review_plan"):
        lines.append(WorkLine("短板补齐待确认", f"{url}?scope=asked&status=done", counts["asked"]))
    return lines


def _secondments(post: Post) -> list[WorkLine]:
    here, S = post.institution_id, Secondment.Status
    own = Q(institution=here)
    counts = Secondment.objects.visible_to(post).aggregate(
        returned=Count("pk", filter=own & Q(status=S.RETURNED)),
        over=Count("pk", filter=own & Q(status=S.APPROVED, ends__lt=clock.today())),
        asked=Count("pk", filter=Q(supervisor=here, status=S.APPLIED)),
    )
    url = reverse("campaigns:secondment_list")
    lines = []
    if post.has_perm("campaigns.write_plan"):
        lines += [
            WorkLine(
                "进修申请被退回",
                f"{url}?scope=own&status=returned",
                counts["returned"],
                "returned",
            ),
            WorkLine("进修已结束，请登记成效", f"{url}?scope=own&when=over", counts["over"]),
        ]
    if post.has_perm("campaigns.review_plan"):
        lines.append(
            WorkLine("进修申请待审批", f"{url}?scope=asked&status=applied", counts["asked"])
        )
    return lines


def _reports(**query: str) -> str:
    return f"{reverse('campaigns:report_list')}?{urlencode(query)}"


def _receipts(post: Post) -> list[WorkLine]:
    may_receive = post.has_perm("campaigns.receive_campaign")
    may_issue = post.has_perm("campaigns.change_campaign")
    if not may_receive and not may_issue:
        return []
    own_rows = confirmed_q(post)
    counts = (
        Recipient.objects.visible_to(post)
        .waiting()
        .aggregate(
            own=Count("pk", filter=own_rows),
            asked=Count("pk", filter=Q(campaign__institution=post.institution_id) & ~own_rows),
        )
    )
    url = reverse("campaigns:receipt_list")
    lines = []
    if may_receive:
        own = f"{url}?scope=own&state=waiting"
        lines.append(WorkLine("请签收文件", own, counts["own"], hint="打开文件，读后点“签收”"))
    if may_issue:
        asked = f"{url}?scope=asked&state=waiting"
        lines.append(WorkLine("等待机构签收", asked, counts["asked"], "waiting"))
    return lines


def _reports_to_write(post: Post) -> list[WorkLine]:
    today = clock.today()
    open_ = Q(status__in=Report.OPEN)
    n = (
        Report.objects.visible_to(post)
        .own(post)
        .filter(open_)
        .aggregate(
            returned=Count("pk", filter=Q(status=Report.Status.RETURNED)),
            overdue=Count("pk", filter=Q(due__lt=today)),
            week=Count("pk", filter=Q(due__range=(today, today + WEEK))),
            later=Count("pk", filter=Q(due__gt=today + WEEK)),
        )
    )
    return [
        WorkLine(
            "任务报送被退回",
            _reports(scope="own", status="returned"),
            n["returned"],
            "returned",
            "按审核意见改好后再报送",
        ),
        WorkLine("任务逾期未报", _reports(scope="own", when="overdue"), n["overdue"], "overdue"),
        WorkLine("任务七日内到期", _reports(scope="own", when="week"), n["week"], "due"),
        WorkLine("任务待报送", _reports(scope="own", when="later"), n["later"]),
    ]


def _figures_to_fill(post: Post) -> list[WorkLine]:
    count = Series.objects.visible_to(post).missing_at(post.institution).count()
    url = f"{reverse('campaigns:series_list')}?state=missing"
    return [WorkLine("监测指标待填报", url, count, hint="上一个统计期还没有填的指标")]


def _reports_to_review(post: Post) -> list[WorkLine]:
    n = (
        Report.objects.visible_to(post)
        .asked(post)
        .exclude(status=Report.Status.ACCEPTED)
        .aggregate(
            submitted=Count("pk", filter=Q(status=Report.Status.SUBMITTED)),
            overdue=Count("pk", filter=Q(status__in=Report.OPEN, due__lt=clock.today())),
        )
    )
    return [
        WorkLine("任务报送待审核", _reports(scope="asked", status="submitted"), n["submitted"]),
        WorkLine(
            "机构逾期未报任务", _reports(scope="asked", when="overdue"), n["overdue"], "waiting"
        ),
    ]


def _passages(post: Post) -> list[WorkLine]:
    rows = Passage.objects.visible_to(post).open_to(post).unlinked()
    url = reverse("campaigns:passage_list")
    return [
        WorkLine("文件条文尚未落实", url, rows.count(), hint="说明每条形成了什么，或为何无需落实")
    ]


def _breakthroughs(post: Post) -> list[WorkLine]:
    """What is to be handed in, to be judged, and to be brought forward; one query."""
    today = clock.today()
    rows = BreakthroughSubmission.objects.visible_to(post)
    own = own_q(post)
    asked = Q(supervisor=post.institution_id) & ~own
    open_ = Q(status__in=BreakthroughSubmission.OPEN)
    late = Q(round__due__lt=today)
    n = rows.aggregate(
        returned=Count("pk", filter=own & Q(status=BreakthroughSubmission.Status.RETURNED)),
        overdue=Count("pk", filter=own & open_ & late),
        due=Count("pk", filter=own & open_ & ~late),
        delayed=Count("pk", filter=own & Q(pk__in=rows.delayed().values("pk"))),
        submitted=Count("pk", filter=asked & Q(status=BreakthroughSubmission.Status.SUBMITTED)),
        missing=Count("pk", filter=asked & open_ & late),
    )
    lines = [
        WorkLine(
            "突破事项被退回",
            _submissions(scope="own", status="returned"),
            n["returned"],
            "returned",
            "按审核意见改好后再报送",
        ),
        WorkLine(
            "突破事项逾期未报", _submissions(scope="own", when="overdue"), n["overdue"], "overdue"
        ),
        WorkLine("突破事项待报送", _submissions(scope="own", when="due"), n["due"]),
        WorkLine(
            "突破事项逾期未完成",
            _submissions(scope="own", when="delayed"),
            n["delayed"],
            "overdue",
            "更新进展，写明逾期原因",
        ),
    ]
    if post.has_perm("campaigns.review_breakthrough"):
        lines += [
            WorkLine(
                "突破事项待审核", _submissions(scope="asked", status="submitted"), n["submitted"]
            ),
            WorkLine(
                "单位逾期未报突破事项",
                _submissions(scope="asked", when="overdue"),
                n["missing"],
                "waiting",
            ),
        ]
    return lines


def _plans(post: Post) -> list[WorkLine]:
    today, here = clock.today(), post.institution_id
    own, asked = Q(institution=here), Q(supervisor=here)
    owed = Q(status=Plan.Status.OPEN)
    n = Plan.objects.visible_to(post).aggregate(
        returned=Count("pk", filter=own & Q(status=Plan.Status.RETURNED)),
        overdue=Count("pk", filter=own & owed & Q(due__lt=today)),
        week=Count("pk", filter=own & owed & Q(due__range=(today, today + WEEK))),
        later=Count("pk", filter=own & owed & Q(due__gt=today + WEEK)),
        submitted=Count("pk", filter=asked & Q(status=Plan.Status.SUBMITTED)),
        missing=Count("pk", filter=asked & owed & Q(due__lt=today)),
    )

    def line(label: str, count: int, group: str = "todo", **query: str) -> WorkLine:
        url = f"{reverse('campaigns:plan_list')}?{urlencode(query)}"
        return WorkLine(label, url, count, group)

    lines = []
    if post.has_perm("campaigns.write_plan"):
        mine = {"scope": "own", "status": "open"}
        lines += [
            line("计划方案被退回", n["returned"], "returned", scope="own", status="returned"),
            line("计划方案逾期未报", n["overdue"], "overdue", **mine, when="overdue"),
            line("计划方案七日内到期", n["week"], "due", **mine, when="week"),
            line("计划方案待上报", n["later"], **mine, when="later"),
        ]
    if post.has_perm("campaigns.review_plan"):
        theirs = {"scope": "asked", "status": "open", "when": "overdue"}
        lines += [
            line("计划方案待审核", n["submitted"], scope="asked", status="submitted"),
            line("机构逾期未报计划方案", n["missing"], "waiting", **theirs),
        ]
    return lines


def _submissions(**query: str) -> str:
    return f"{reverse('campaigns:breakthrough_list')}?{urlencode(query)}"


def _follow_ups(post: Post) -> list[WorkLine]:
    rows = WorkLog.objects.visible_to(post).filter(institution=post.institution_id)
    url = f"{reverse('campaigns:log_list')}?scope=own&follow_up=overdue"
    hint = "打开日志，登记落实情况"
    return [WorkLine("议定事项逾期未落实", url, rows.overdue().count(), "overdue", hint)]


def _preparations(post: Post) -> list[WorkLine]:
    n = (
        Preparation.objects.visible_to(post)
        .of(post)
        .aggregate(
            **{name: Count("pk", filter=state_q(name)) for name in ("overdue", "week", "later")}
        )
    )

    def line(label: str, state: str, group: str = "todo") -> WorkLine:
        url = f"{reverse('campaigns:preparation_list')}?scope=own&state={state}"
        return WorkLine(label, url, n[state], group, "准备好后登记完成，附上材料")

    return [
        line("迎检准备逾期未完成", "overdue", "overdue"),
        line("迎检准备七日内到期", "week", "due"),
        line("迎检准备事项", "later"),
    ]


def _objections(post: Post) -> list[WorkLine]:
    rows = Objection.objects.visible_to(post).filter(institution=post.institution_id).owed()
    late = Q(due__lt=clock.today())
    n = rows.aggregate(late=Count("pk", filter=late), left=Count("pk", filter=~late))
    url = reverse("campaigns:objection_list")
    hint = "公开内容收到的意见，核实后答复"
    return [
        WorkLine("异议逾期未答复", f"{url}?state=overdue", n["late"], "overdue", hint),
        WorkLine("待答复的异议", f"{url}?state=later", n["left"], hint=hint),
    ]


def _publications(post: Post) -> list[WorkLine]:
    """Drafts that came back, and what waits for a decision."""
    own = Publication.objects.visible_to(post).filter(institution=post.institution_id)
    returned = Q(status=Publication.Status.DRAFT, author=post) & ~Q(opinion="")
    n = own.aggregate(
        returned=Count("pk", filter=returned),
        waiting=Count("pk", filter=Q(status=Publication.Status.SUBMITTED)),
    )
    url = reverse("campaigns:publication_list")
    lines = []
    if post.has_perm("campaigns.write_publication"):
        lines.append(
            WorkLine("公开内容被退回修改", f"{url}?status=returned", n["returned"], "returned")
        )
    if post.has_perm("campaigns.decide_publication"):
        hint = "看正文和附表，同意发布或退回"
        lines.append(WorkLine("公开内容待决定", f"{url}?status=submitted", n["waiting"], hint=hint))
    return lines
