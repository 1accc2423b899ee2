"""What waits for a post on this floor: papers to receive, reports to write, to review, passages to link."""

from urllib.parse import urlencode

from django.db.models import Count, Q
from django.urls import reverse

from campaigns.forms import WEEK
from campaigns.models import Passage, Recipient, Report
from institutions import clock
from institutions.models import Post
from institutions.work import WorkLine


def work_for(post: Post) -> list[WorkLine]:
    """Return the lines with something in them, each linked to exactly its rows; at most four queries."""
    lines = _receipts(post)
    if post.has_perm("campaigns.write_report"):
        lines += _reports_to_write(post)
    if post.has_perm("campaigns.review_report"):
        lines += _reports_to_review(post)
    if post.has_perm("campaigns.change_campaign"):
        lines += _passages(post)
    return [line for line in lines if line.count]


def _reports(**query: str) -> str:
    return f"{reverse('campaigns:report_list')}?{urlencode(query)}"


def _receipts(post: Post) -> list[WorkLine]:
    may_receive = post.has_perm("campaigns.receive_campaign")
    may_issue = post.has_perm("campaigns.change_campaign")
    if not may_receive and not may_issue:
        return []
    here = post.institution_id
    counts = (
        Recipient.objects.visible_to(post)
        .waiting()
        .aggregate(
            own=Count("pk", filter=Q(institution=here)),
            asked=Count("pk", filter=Q(campaign__institution=here)),
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
        .filter(open_, institution=post.institution_id)
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


def _reports_to_review(post: Post) -> list[WorkLine]:
    n = (
        Report.objects.visible_to(post)
        .filter(supervisor=post.institution_id)
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
