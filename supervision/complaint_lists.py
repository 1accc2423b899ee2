"""Lists of complaints: one by one, and added up by institution and month."""

from fractions import Fraction
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.urls import reverse

from institutions import clock
from institutions.http import Request
from institutions.listing import Column, Listing, Tag
from institutions.models import Institution, Post
from institutions.rounding import half_up
from supervision.complaint_forms import ComplaintFilter
from supervision.lists import date_text
from supervision.models import Complaint

TONES = {
    "handed": "warn",
    "answered": "info",
    "returned": "bad",
    "closed": "ok",
    "withdrawn": "muted",
}
SATISFIED = {"yes": "ok", "no": "bad", "unknown": "muted"}


def complaint_tag(row: Complaint) -> Tag:
    return Tag(row.get_status_display(), TONES[row.status])


def complaint_time_tag(row: Complaint) -> Tag | str:
    """Say how it stands with its last day: the first answer counts."""
    if row.status == Complaint.Status.WITHDRAWN:
        return "—"
    if row.answered_on:
        return Tag("按时答复", "ok") if row.in_time else Tag("逾期答复", "bad")
    left = clock.days_left(row.due)
    if left < 0:
        return Tag(f"逾期{-left}天", "bad")
    return Tag("今天到期" if left == 0 else f"剩{left}天", "warn" if left <= 1 else "muted")


def satisfied_tag(row: Complaint) -> Tag | str:
    if row.status != Complaint.Status.CLOSED:
        return "—"
    return Tag(row.get_satisfied_display(), SATISFIED[row.satisfied])


class ComplaintList(Listing):
    title = "投诉办理"
    columns = (
        Column("工单编号", "number", sort=("number",)),
        Column("机构", "institution.known_as", sort=("institution__code",)),
        Column("反映内容", lambda c: c.text[:40]),
        Column("收到日期", lambda c: date_text(c.received_on), sort=("received_on",)),
        Column("时限", lambda c: date_text(c.due), sort=("due",)),
        Column("时限情况", complaint_time_tag),
        Column("状态", complaint_tag, sort=("status",)),
        Column("回访", satisfied_tag),
        Column("渠道", "get_channel_display", shown=False),
        Column("类型", "get_kind_display", shown=False),
        Column("问题类别", "category", shown=False),
        Column("服务项目", lambda c: c.item.name if c.item else "", shown=False),
        Column("反映内容全文", "text", shown=False),
        Column("承办岗位", "handler", shown=False),
        Column("办理情况和答复", "answer", shown=False),
        Column("首次答复日期", lambda c: date_text(c.answered_on), shown=False),
        Column("办结日期", lambda c: date_text(c.closed_on), shown=False),
    )
    search = ("number", "text", "category", "institution__search")
    filters = ComplaintFilter
    order = ("-received_on", "-pk")


def counts(prefix: str = "") -> dict[str, Q]:
    """Return what is counted of complaints, found behind `prefix`: "judged" count for "in time", being answered or overdue."""

    def q(**asked: Any) -> Q:
        return Q(**{f"{prefix}{name}": value for name, value in asked.items()})

    closed = q(status=Complaint.Status.CLOSED)
    return {
        "total": q(pk__isnull=False),
        "open": q(status__in=Complaint.OPEN),
        "settled": closed,
        "timely": q(answered_on__lte=F(f"{prefix}due")),
        "judged": q(answered_on__isnull=False) | q(due__lt=clock.today()),
        "yes": closed & q(satisfied="yes"),
        "no": closed & q(satisfied="no"),
    }


def counted(post: Post, year: int) -> QuerySet[Complaint]:
    """Return the complaints in sight that count for a year: those that were not withdrawn."""
    rows = Complaint.objects.visible_to(post).filter(received_on__year=year)
    return rows.exclude(status=Complaint.Status.WITHDRAWN)


def totals(rows: QuerySet[Complaint]) -> dict[str, int]:
    """Return the counts of complaints, in one query."""
    return rows.aggregate(**{name: Count("pk", filter=of) for name, of in counts().items()})


def by_institution(post: Post, year: int) -> QuerySet[Institution]:
    """Return the institutions with complaints in a year, with their counts and `m1` to `m12` by month."""
    wanted = counts("complaints__")
    wanted |= {f"m{month}": Q(complaints__received_on__month=month) for month in range(1, 13)}
    rows = Institution.objects.visible_to(post).filter(complaints__in=counted(post, year))
    return rows.annotate(
        **{name: Count("complaints", filter=of, distinct=True) for name, of in wanted.items()}
    )


def rate(part: int, whole: int) -> str:
    """Return a share in per cent with at most one decimal; a dash where nothing counts."""
    return f"{half_up(Fraction(part * 100, whole), 1)}%" if whole else "—"


def rates(row: Any) -> tuple[str, str]:
    """Return the rates on time and of satisfaction of a row of counts."""
    return rate(row["timely"], row["judged"]), rate(row["yes"], row["yes"] + row["no"])


class ComplaintStatistics(Listing):
    """Institutions with their complaints of one year, month by month."""

    title = "投诉统计"
    search = ("search",)
    order = ("-total", "code")

    def __init__(self, request: Request, year: int) -> None:
        super().__init__(request, by_institution(request.post, year))
        self.year = year
        self.columns = (
            Column("机构", "known_as", sort=("code",)),
            Column("合计", "total", sort=("total",), numeric=True),
            Column("未办结", "open", sort=("open",), numeric=True),
            Column("按时答复率", lambda u: rates(vars(u))[0], numeric=True),
            Column("满意率", lambda u: rates(vars(u))[1], numeric=True),
            *(Column(f"{month}月", f"m{month}", numeric=True) for month in range(1, 13)),
        )

    def row_url(self, row: Any) -> str:
        asked = f"institution={row.pk}&since={self.year}-01-01&until={self.year}-12-31"
        return f"{reverse('supervision:complaint_list')}?{asked}"
