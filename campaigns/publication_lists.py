"""Lists of what is shown to everybody and of what came in about it."""

from campaigns.models import Objection, Publication
from campaigns.publication_forms import ObjectionFilter, PublicationFilter
from institutions import clock
from institutions.listing import Column, Listing, Tag
from institutions.templatetags.portal import date_cn

TONES = {
    "draft": "warn",
    "submitted": "warn",
    "published": "ok",
    "replaced": "muted",
    "withdrawn": "bad",
    "discarded": "muted",
}


def publication_tag(row: Publication) -> Tag:
    return Tag(row.get_status_display(), TONES[row.status])


def period_text(row: Publication) -> str:
    """The period as it is or will be: its days once published, else its length."""
    if row.workdays is None:
        return "—"
    if row.published_on is None:
        return f"发布后{row.workdays}个工作日"
    return f"{date_cn(row.published_on)}至{date_cn(row.ends)}（{row.workdays}个工作日）"


class PublicationList(Listing):
    title = "信息公开"
    columns = (
        Column("标题", "title", sort=("title",)),
        Column("类别", "get_kind_display", sort=("kind",)),
        Column("状态", publication_tag, sort=("status",)),
        Column("发布日期", lambda p: date_cn(p.published_on), sort=("published_on",)),
        Column("公示期", period_text, sort=("ends",)),
        Column("待答复意见", "owed", numeric=True),
        Column("单位", "institution.known_as", shown=False),
        Column("正文", "text", shown=False),
        Column("撤下日期", lambda p: date_cn(p.removed_on), shown=False),
    )
    search = ("title", "text")
    filters = PublicationFilter
    order = ("-pk",)


def objection_tag(row: Objection) -> Tag:
    return Tag(row.get_status_display(), "warn" if row.status in Objection.OPEN else "ok")


def objection_time_tag(row: Objection) -> Tag:
    if row.answered_on:
        late = row.answered_on > row.due
        return Tag("逾期答复" if late else "按时答复", "bad" if late else "ok")
    left = clock.days_left(row.due)
    if left < 0:
        return Tag(f"逾期{-left}天", "bad")
    return Tag("今天到期" if left == 0 else f"剩{left}天", "warn" if left <= 3 else "muted")


class ObjectionList(Listing):
    """Without name and phone: those are shown one by one, by an act that is written down."""

    title = "公众意见"
    columns = (
        Column("意见", lambda o: o.text[:40]),
        Column("公开内容", "publication.title", sort=("publication__title",)),
        Column("收到", lambda o: date_cn(o.received_at), sort=("received_at",)),
        Column("时限", lambda o: date_cn(o.due), sort=("due",)),
        Column("时限情况", objection_time_tag),
        Column("状态", objection_tag, sort=("status",)),
        Column("意见全文", "text", shown=False),
        Column("答复", "answer", shown=False),
        Column("答复日期", lambda o: date_cn(o.answered_on), shown=False),
    )
    search = ("text", "answer", "publication__title")
    filters = ObjectionFilter
    order = ("-status", "due", "pk")
