"""Lists of gaps and secondments."""

from campaigns.gap_forms import GapFilter, SecondmentFilter
from campaigns.models import Gap, Secondment
from institutions import clock
from institutions.listing import Column, Listing, Tag
from institutions.templatetags.portal import date_cn

TONES = {"planned": "muted", "done": "info", "confirmed": "ok"}
SECONDED = {
    "applied": "info",
    "returned": "bad",
    "approved": "ok",
    "withdrawn": "muted",
    "finished": "ok",
}


def gap_tag(row: Gap) -> Tag:
    if row.is_overdue:
        return Tag("过期未补齐", "bad")
    return Tag(row.get_status_display(), TONES[row.status])


class GapList(Listing):
    title = "补短板清单"
    columns = (
        Column("差距（短板）", "text", sort=("text",)),
        Column("机构", "institution.known_as", sort=("institution__code",)),
        Column("方面", "get_aspect_display", sort=("aspect",)),
        Column("对照的标准", "basis", shown=False),
        Column("补齐措施", "measure", shown=False),
        Column("计划年度", lambda r: f"{r.year}年", sort=("year",)),
        Column("责任岗位", "person", sort=("person",)),
        Column("状态", gap_tag),
        Column("完成日期", lambda r: r.finished_on, shown=False),
        Column("完成情况", "result", shown=False),
    )
    search = ("text", "measure", "person", "institution__search")
    filters = GapFilter
    order = ("institution__code", "year", "aspect", "pk")


def secondment_tag(row: Secondment) -> Tag:
    today = clock.today()
    if row.status == Secondment.Status.APPROVED:
        if row.ends < today:
            return Tag("待登记成效", "warn")
        return Tag("进修中" if row.starts <= today else "已批准", "ok")
    return Tag(row.get_status_display(), SECONDED[row.status])


class SecondmentList(Listing):
    title = "进修选派"
    columns = (
        Column("选派人员", "member.name", sort=("member__name",)),
        Column("岗位", "member.title"),
        Column("机构", "institution.known_as", sort=("institution__code",)),
        Column("接收医院", "host", sort=("host",)),
        Column("专业或科室", "subject", sort=("subject",)),
        Column("起始", lambda r: date_cn(r.starts), sort=("starts",)),
        Column("截止", lambda r: date_cn(r.ends), sort=("ends",)),
        Column("状态", secondment_tag),
        Column("申请理由", "reason", shown=False),
        Column("审批意见", "opinion", shown=False),
        Column("学习成效", "result", shown=False),
    )
    search = ("member__name", "host", "subject", "institution__search")
    filters = SecondmentFilter
    order = ("-starts", "-pk")
