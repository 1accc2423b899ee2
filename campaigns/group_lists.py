"""The list of working groups."""

from campaigns.group_forms import GroupFilter
from campaigns.models import Group
from institutions.listing import Column, Listing, Tag
from institutions.templatetags.portal import date_cn


def group_tag(row: Group) -> Tag:
    return Tag(row.get_status_display(), "ok" if row.status == Group.Status.ACTIVE else "muted")


def roster(row: Group) -> str:
    """The members in words, for the export."""
    return "；".join(f"{m.get_duty_display()}：{m.title}" for m in row.members.all())


class GroupList(Listing):
    title = "工作组织"
    columns = (
        Column("名称", "name", sort=("name",)),
        Column("类型", "get_kind_display", sort=("kind",)),
        Column("单位", "institution.known_as", sort=("institution__code",)),
        Column("成立日期", lambda g: date_cn(g.set_up_on), sort=("set_up_on",)),
        Column("成员", "size", sort=("size",), numeric=True),
        Column("状态", group_tag, sort=("status",)),
        Column("办公室设在", "office", shown=False),
        Column("名单", roster, shown=False),
    )
    search = ("name", "institution__search")
    filters = GroupFilter
    order = ("institution__code", "kind", "pk")
