"""The lists of the notices, and of who has confirmed receipt."""

from collections.abc import Sequence

from institutions.listing import Column, Listing, Tag
from institutions.templatetags.portal import time_cn
from supervision.lists import date_text
from supervision.models import Notice, NoticeRecipient
from supervision.notice_forms import NoticeFilter, NoticeReceiptFilter

TONES = {"draft": "warn", "issued": "ok", "withdrawn": "bad", "dropped": "muted"}


def notice_tag(notice: Notice) -> Tag:
    return Tag(notice.get_status_display(), TONES[notice.status])


class NoticeList(Listing):
    title = "通报通知"
    search = ("title", "word", "institution__search")
    filters = NoticeFilter
    order = ("-pk",)
    columns: Sequence[Column] = (
        Column("标题", "title"),
        Column("种类", "get_kind_display", sort=("kind",)),
        Column("文号", "number_text"),
        Column("发文机关", "institution.known_as"),
        Column("成文日期", lambda n: date_text(n.issued_on) or None),
        Column(
            "已签收",
            lambda n: f"{n.received}/{n.sent}" if n.status in Notice.SHOWN else "—",
        ),
        Column("状态", notice_tag, sort=("status",)),
    )


class NoticeReceiptList(Listing):
    title = "通报通知签收情况"
    search = ("institution__search", "notice__title")
    filters = NoticeReceiptFilter
    order = ("-notice__pk", "institution__code", "pk")
    columns: Sequence[Column] = (
        Column("机构", "institution.name", sort=("institution__code",)),
        Column("文件", "notice.title"),
        Column("文号", "notice.number_text"),
        Column("签收", lambda r: Tag("已签收", "ok") if r.received_at else Tag("未签收", "warn")),
        Column("签收时间", lambda r: time_cn(r.received_at)),
        Column("签收人", lambda r: r.received_by.title if r.received_by else "—"),
    )

    def row_url(self, row: NoticeRecipient) -> str:
        return row.notice.get_absolute_url()
