"""Lists of checks from above and of what is prepared for them."""

from typing import Any

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse

from campaigns.check_forms import CheckFilter, PreparationFilter
from campaigns.models import Preparation, SuperiorCheck
from institutions import clock
from institutions.listing import Column, Listing, Tag
from institutions.models import Post
from institutions.rounding import plain_text
from institutions.templatetags.portal import date_cn


def with_preparations(rows: QuerySet[SuperiorCheck], post: Post) -> QuerySet[SuperiorCheck]:
    """Annotate `lines` and `ready`: how many preparations in sight there are, and how many are done."""
    seen = (
        Preparation.objects.visible_to(post)
        .filter(superior_check=OuterRef("pk"))
        .order_by()
        .values("superior_check")
    )

    def number(of: Q | None) -> Coalesce:
        counted = seen.annotate(n=Count("pk", filter=of)).values("n")
        return Coalesce(Subquery(counted), 0, output_field=IntegerField())

    return rows.annotate(lines=number(None), ready=number(Q(done_on__isnull=False)))


def coming_checks(post: Post, limit: int) -> list[SuperiorCheck]:
    """Return the next checks in sight with `lines` and `ready`, the nearest first; one query."""
    rows = with_preparations(SuperiorCheck.objects.visible_to(post).coming(), post)
    return list(rows.order_by("day", "pk")[:limit])


def left_tag(row: SuperiorCheck) -> Tag:
    left = row.days_left
    if left < 0:
        return Tag("已过", "muted")
    return Tag("今天" if left == 0 else f"还有{left}天", "warn" if left <= 14 else "info")


def ready_tag(row: Any) -> Tag | str:
    if not row.lines:
        return "—"
    tone = "ok" if row.ready == row.lines else "warn"
    return Tag(f"{row.ready}/{row.lines}", tone)


def score_text(row: SuperiorCheck) -> str:
    if row.score is None:
        return "—"
    full = f"/{plain_text(row.full)}" if row.full is not None else ""
    return f"{plain_text(row.score)}{full}"


class CheckList(Listing):
    title = "上级检查"
    columns = (
        Column("检查", "name", sort=("name",)),
        Column("级别", "get_level_display", sort=("level",)),
        Column("日期", "day_text", sort=("day",)),
        Column("倒计时", left_tag),
        Column("准备完成", ready_tag),
        Column("得分", score_text, numeric=True),
        Column("登记单位", "bureau.known_as", shown=False),
        Column("检查内容和要求", "text", shown=False),
        Column("检查结果", "result", shown=False),
    )
    search = ("name", "text", "result")
    filters = CheckFilter
    order = ("-day", "-pk")


def preparation_tag(row: Preparation) -> Tag:
    if row.done_on:
        late = row.done_on > row.due
        return Tag("逾期完成" if late else "已完成", "warn" if late else "ok")
    left = clock.days_left(row.due)
    if left < 0:
        return Tag(f"逾期{-left}天", "bad")
    return Tag("今天到期" if left == 0 else f"剩{left}天", "warn" if left <= 3 else "muted")


_LINE = (
    Column("准备什么", "text", sort=("text",)),
    Column("责任单位", "institution.known_as", sort=("institution__code",)),
    Column("科室、岗位", "who"),
    Column("时限", lambda r: date_cn(r.due), sort=("due",)),
    Column("情况", preparation_tag),
    Column("完成日期", lambda r: date_cn(r.done_on), shown=False),
    Column("完成情况", "note", shown=False),
)


class PreparationList(Listing):
    title = "迎检准备"
    columns = (
        *_LINE[:1],
        Column("上级检查", "superior_check.name", url=lambda r: _check_url(r)),
        *_LINE[1:],
    )
    search = ("text", "duty", "superior_check__name", "institution__search")
    filters = PreparationFilter
    order = ("due", "pk")


class CheckPreparationList(Listing):
    """The list of one check, on its page."""

    title = "迎检准备清单"
    columns = _LINE
    search = ("text", "duty", "institution__search")
    order = ("due", "pk")


def _check_url(row: Preparation) -> str:
    return reverse("campaigns:check_detail", args=[row.superior_check_id])
