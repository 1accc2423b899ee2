"""Lists of plans: columns, search, order."""

from django.urls import reverse

from campaigns.models import Plan, PlanCall
from campaigns.plan_forms import PlanFilter
from institutions import clock
from institutions.listing import Column, Listing, Tag
from institutions.templatetags.portal import date_cn, time_cn

PLAN_TONES = {
    "open": "info",
    "submitted": "warn",
    "returned": "bad",
    "accepted": "ok",
    "revising": "info",
}


def plan_tag(row: Plan) -> Tag:
    return Tag(row.get_status_display(), PLAN_TONES[row.status])


def plan_time_tag(row: Plan) -> Tag:
    """Say how a plan stands with its deadline: the first version counts."""
    if row.edition:
        return Tag("逾期上报", "bad") if row.was_late else Tag("按时上报", "ok")
    left = clock.days_left(row.due)
    if left < 0:
        return Tag(f"逾期{-left}天未报", "bad")
    return Tag("今天到期" if left == 0 else f"剩{left}天", "warn" if left <= 3 else "muted")


_STATE = (
    Column("时限", lambda p: date_cn(p.due), sort=("due",)),
    Column("状态", plan_tag, sort=("status",)),
    Column("时限情况", plan_time_tag),
    Column("版次", lambda p: f"第{p.edition}版" if p.edition else "—", sort=("edition",)),
    Column("上报时间", lambda p: time_cn(p.submitted_at), shown=False),
    Column("审核意见", "opinion", shown=False),
)


class PlanList(Listing):
    title = "计划方案"
    columns = (
        Column("计划方案", "call.name"),
        Column("机构", "institution.known_as", sort=("institution__code",)),
        Column("类型", "call.get_kind_display", sort=("call__kind",)),
        *_STATE,
    )
    search = ("call__name", "institution__search")
    filters = PlanFilter
    order = ("-due", "call_id", "institution__code", "pk")


class CallPlanList(Listing):
    """The plans of one call, institution by institution."""

    title = "计划方案上报情况"
    columns = (Column("机构", "institution.name", sort=("institution__code",)), *_STATE)
    search = ("institution__search",)
    order = ("institution__code", "pk")


class PlanCallList(Listing):
    title = "计划方案要求"
    columns = (
        Column("名称", "name", sort=("name",)),
        Column("类型", "get_kind_display", sort=("kind",)),
        Column("年度", "year", sort=("year",), numeric=True),
        Column("时限", lambda c: date_cn(c.due), sort=("due",)),
        Column("应报", "asked", numeric=True),
        Column("已报", "handed_in", numeric=True),
        Column("已通过", "accepted", numeric=True),
        Column(
            "未报",
            lambda c: c.asked - c.handed_in,
            numeric=True,
            url=lambda c: f"{reverse('campaigns:plan_list')}?call={c.pk}&status=open",
        ),
    )
    search = ("name",)
    order = ("-due", "-pk")

    def row_url(self, row: PlanCall) -> str:
        return row.get_absolute_url()
