"""The lists of the campaigns floor: columns, search, order."""

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse

from campaigns.forms import CampaignFilter
from campaigns.models import Campaign, Recipient, Report, Standard
from campaigns.passage_forms import PassageFilter
from campaigns.recipient_forms import ReceiptFilter
from campaigns.report_forms import ReportFilter
from campaigns.standard_forms import StandardFilter
from institutions import clock
from institutions.listing import Column, Listing, Tag
from institutions.models import Post
from institutions.templatetags.portal import date_cn, points, time_cn

CAMPAIGN_TONES = {"draft": "warn", "issued": "info", "closed": "muted"}
REPORT_TONES = {"open": "info", "submitted": "warn", "returned": "bad", "accepted": "ok"}
STANDARD_TONES = {"draft": "warn", "published": "ok", "replaced": "muted"}


def campaign_tag(row: Campaign) -> Tag:
    return Tag(row.get_status_display(), CAMPAIGN_TONES[row.status])


def report_tag(row: Report) -> Tag:
    return Tag(row.get_status_display(), REPORT_TONES[row.status])


def standard_tag(row: Standard) -> Tag:
    return Tag(row.get_status_display(), STANDARD_TONES[row.status])


def time_tag(row: Report) -> Tag:
    """Say how a report stands with its deadline."""
    if row.status in Report.OPEN:
        left = clock.days_left(row.due)
        if left < 0:
            return Tag(f"逾期{-left}天", "bad")
        return Tag("今天到期" if left == 0 else f"剩{left}天", "warn" if left <= 3 else "muted")
    return Tag("逾期报送", "bad") if row.was_late else Tag("按时报送", "ok")


def with_receipts(rows: QuerySet[Campaign], post: Post) -> QuerySet[Campaign]:
    """Annotate how many recipients in sight there are (`sent`) and have confirmed (`received`)."""
    seen = Recipient.objects.visible_to(post).filter(campaign=OuterRef("pk")).order_by()
    each = seen.values("campaign").annotate(n=Count("pk")).values("n")
    done = (
        seen.filter(received_at__isnull=False)
        .values("campaign")
        .annotate(n=Count("pk"))
        .values("n")
    )
    return rows.annotate(sent=Coalesce(Subquery(each), 0), received=Coalesce(Subquery(done), 0))


class CampaignList(Listing):
    title = "活动"
    columns = (
        Column("活动", "name", sort=("name",)),
        Column("文号", "number", sort=("number",)),
        Column("印发单位", "institution.known_as"),
        Column("印发日期", lambda c: date_cn(c.issued_on), sort=("issued_on",)),
        Column("当前阶段", lambda c: str(c.current_phase or "—")),
        Column("签收", lambda c: f"{c.received}/{c.sent}", numeric=True),
        Column("状态", campaign_tag, sort=("status",)),
    )
    search = ("name", "title", "number")
    filters = CampaignFilter
    order = ("-issued_on", "-pk")


class ReportList(Listing):
    title = "任务报送"
    columns = (
        Column("任务", "task.name"),
        Column("机构", "unit_name", sort=("institution__code",)),
        Column("活动", "task.campaign.name"),
        Column("阶段", lambda r: r.task.phase.name if r.task.phase else "—"),
        Column("完成时限", lambda r: date_cn(r.due), sort=("due",)),
        Column("状态", report_tag, sort=("status",)),
        Column("时限情况", time_tag),
        Column("报送时间", lambda r: time_cn(r.submitted_at), shown=False),
        Column("完成情况", "text", shown=False),
        Column("完成", "value_text", shown=False),
        Column("报送至", "supervisor.known_as", shown=False),
    )
    search = ("task__name", "institution__search", "department__name")
    filters = ReportFilter
    order = ("due", "pk")


class ReceiptList(Listing):
    title = "签收情况"
    columns = (
        Column("主送对象", "name", sort=("institution__code",)),
        Column("类别", "sort_label"),
        Column("活动", "campaign.name"),
        Column("文号", "campaign.number"),
        Column(
            "签收",
            lambda r: Tag("已签收", "ok") if r.received_at else Tag("未签收", "warn"),
        ),
        Column("签收时间", lambda r: time_cn(r.received_at)),
        Column("签收人", lambda r: str(r.received_by) if r.received_by else "—"),
    )
    search = ("institution__search", "department__name", "region__name", "campaign__name")
    filters = ReceiptFilter
    order = ("-campaign__issued_on", "campaign__pk", "institution__code", "pk")

    def row_url(self, row: Recipient) -> str:
        return row.campaign.get_absolute_url()


class PassageList(Listing):
    """Passages of which nobody has said what they became."""

    title = "尚未落实到任务的条文"
    columns = (
        Column("条文", lambda p: f"{p.heading}{p.text}"[:80]),
        Column("序号", "position", numeric=True),
        Column("活动", "campaign.name"),
        Column("状态", lambda p: campaign_tag(p.campaign)),
    )
    search = ("heading", "text")
    filters = PassageFilter
    order = ("campaign__pk", "position", "pk")

    def row_url(self, row) -> str:
        return reverse("campaigns:passage_edit", args=[row.pk])


class StandardList(Listing):
    title = "评价标准"
    columns = (
        Column("标准名称", "name", sort=("name",)),
        Column("年度", "year", sort=("year",), numeric=True),
        Column("版次", "edition", numeric=True),
        Column("用途", "get_purpose_display", sort=("purpose",)),
        Column("适用机构", lambda s: "、".join(s.kind_labels)),
        Column("总分", lambda s: points(s.full_marks) if not s.is_draft else "—", numeric=True),
        Column("制定单位", "bureau.known_as"),
        Column("状态", standard_tag, sort=("status",)),
    )
    search = ("name", "code")
    filters = StandardFilter
    order = ("-year", "code", "-edition", "-pk")
