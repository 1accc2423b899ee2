"""The lists of 突破事项: who hands in, and how far each is."""

from collections.abc import Sequence

from django.db.models import Count, Q, QuerySet

from campaigns.breakthrough_forms import SubmissionFilter, UnitFilter
from campaigns.models import BreakthroughItem, BreakthroughRound, BreakthroughSubmission
from institutions import clock
from institutions.listing import Column, Listing, Tag
from institutions.templatetags.portal import date_cn, time_cn

ROUND_TONES = {"draft": "warn", "issued": "info"}
TONES = {"open": "info", "submitted": "warn", "returned": "bad", "accepted": "ok"}


def round_tag(row: BreakthroughRound) -> Tag:
    return Tag(row.get_status_display(), ROUND_TONES[row.status])


def submission_tag(row: BreakthroughSubmission) -> Tag:
    return Tag(row.get_status_display(), TONES[row.status])


def time_tag(row: BreakthroughSubmission) -> Tag:
    """Say how a submission stands with its day; what was returned after it is not late a second time."""
    if row.first_submitted_at:
        return Tag("逾期报送", "bad") if row.was_late else Tag("按时报送", "ok")
    left = clock.days_left(row.round.due)
    if left < 0:
        return Tag(f"逾期{-left}天", "bad")
    return Tag("今天到期" if left == 0 else f"剩{left}天", "warn" if left <= 3 else "muted")


def progress_tag(item: BreakthroughItem) -> Tag:
    if item.progress == BreakthroughItem.Progress.DONE:
        return Tag(item.get_progress_display(), "ok")
    return Tag("逾期未完成", "bad") if item.is_delayed else Tag(item.get_progress_display(), "info")


def with_items(rows: QuerySet[BreakthroughSubmission]) -> QuerySet[BreakthroughSubmission]:
    """Annotate the number of items (`n`), of those done (`done`) and past their day (`behind`)."""
    done = Q(items__progress=BreakthroughItem.Progress.DONE)
    behind = Q(items__due__lt=clock.today(), items__progress=BreakthroughItem.Progress.DOING)
    return rows.annotate(
        n=Count("items"), done=Count("items", filter=done), behind=Count("items", filter=behind)
    )


def _progress(row) -> Tag | str:
    if row.status != BreakthroughSubmission.Status.ACCEPTED:
        return "—"
    if row.behind:
        return Tag(f"完成{row.done}/{row.n}，逾期{row.behind}", "bad")
    return Tag(f"完成{row.done}/{row.n}", "ok" if row.done == row.n else "info")


class SubmissionList(Listing):
    """Give it rows with `with_items`."""

    title = "突破事项报送情况"
    columns: Sequence[Column] = (
        Column("填报单位", "unit_name"),
        Column("填报", "round.name"),
        Column("应填报", lambda s: f"{s.span}项", numeric=True),
        Column("已填", lambda s: f"{s.n}项", numeric=True),
        Column("报送时限", lambda s: date_cn(s.round.due), sort=("round__due",)),
        Column("状态", submission_tag, sort=("status",)),
        Column("时限情况", time_tag),
        Column("进展", _progress),
        Column("报送时间", lambda s: time_cn(s.submitted_at), shown=False),
        Column("审核意见", "opinion", shown=False),
    )
    search = ("institution__search", "department__name")
    filters = SubmissionFilter
    order = ("-round__due", "institution__code", "pk")


class RoundSubmissionList(SubmissionList):
    """One round's submissions, unit by unit."""

    title = "突破事项报送进度"
    filters = UnitFilter
    columns: Sequence[Column] = tuple(
        column for column in SubmissionList.columns if column.label != "填报"
    )
