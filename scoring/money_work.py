"""What waits for a post about workload and money; counted by the same conditions as the lists behind the numbers."""

from urllib.parse import urlencode

from django.db.models import Count, Q
from django.urls import reverse

from institutions import clock
from institutions.models import Post
from institutions.work import WorkLine
from scoring.models import Settlement, WorkloadReport
from scoring.money_lists import when


def money_lines(post: Post) -> list[WorkLine]:
    """Return the lines of workload and settlement; one query each, none for whom they do not concern."""
    lines: list[WorkLine] = []
    if post.has_perm("scoring.declare_workload") or post.has_perm("scoring.verify_workload"):
        lines += _workload(post)
    if post.has_perm("scoring.view_yearresult"):
        lines += _settlement(post)
    return lines


def _url(name: str, **query: str) -> str:
    return f"{reverse(f'scoring:{name}_list')}?{urlencode(query)}"


def _workload(post: Post) -> list[WorkLine]:
    own = Q(institution=post.institution_id)
    asked = Q(supervisor=post.institution_id) & ~own
    n = (
        WorkloadReport.objects.visible_to(post)
        .order_by()
        .aggregate(
            returned=Count("pk", filter=own & Q(status="returned")),
            draft=Count("pk", filter=own & Q(status="draft")),
            overdue=Count("pk", filter=own & Q(status="draft", due__lt=clock.today())),
            asked=Count("pk", filter=asked & Q(status="submitted")),
        )
    )
    lines = []
    if post.has_perm("scoring.declare_workload"):
        group = "overdue" if n["overdue"] else "todo"
        lines = [
            WorkLine(
                "工作量被退回",
                _url("workload", side="own", status="returned"),
                n["returned"],
                "returned",
            ),
            WorkLine(
                "请申报工作量", _url("workload", side="own", status="draft"), n["draft"], group
            ),
        ]
    if post.has_perm("scoring.verify_workload"):
        url = _url("workload", side="asked", status="submitted")
        lines.append(WorkLine("请核定工作量", url, n["asked"], hint="对照抽查结果逐项核定"))
    return lines


def _settlement(post: Post) -> list[WorkLine]:
    own = Q(institution=post.institution_id)
    mine = Q(supervisor=post.institution_id)
    wanted = {
        "objection": mine & when("objection"),
        "ready": mine & when("ready"),
        "topay": mine & when("topay"),
        "open": own & when("open"),
    }
    n = (
        Settlement.objects.visible_to(post)
        .order_by()
        .aggregate(**{name: Count("pk", filter=found) for name, found in wanted.items()})
    )
    lines = []
    if post.has_perm("scoring.write_appeal"):
        url = _url("settlement", side="own", when="open")
        lines.append(WorkLine("结算单公示中，可以提出异议", url, n["open"], "waiting"))
    if post.has_perm("scoring.prepare_settlement"):
        asked = _url("settlement", side="asked", when="objection")
        pay = _url("settlement", side="asked", when="topay")
        lines += [
            WorkLine("请答复结算异议", asked, n["objection"]),
            WorkLine("结算单待拨付", pay, n["topay"]),
        ]
    if post.has_perm("scoring.confirm_settlement"):
        url = _url("settlement", side="asked", when="ready")
        lines.append(WorkLine("公示期满，请确认结算单", url, n["ready"]))
    return lines
