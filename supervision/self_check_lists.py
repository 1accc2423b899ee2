"""Lists of 对照自查: columns, search, order, and the text for the chat group."""

from collections.abc import Sequence
from typing import ClassVar

from institutions import clock
from institutions.listing import Column, Listing, Tag
from supervision.lists import date_text, overdue_text
from supervision.models import SelfCheck
from supervision.self_check_forms import SelfCheckFilter

ANSWER_TONES = {"found": "warn", "similar": "warn", "none": "ok"}


def state_tag(row: SelfCheck) -> Tag:
    """待自查, or what was answered; an answer 无 that proved wrong is 自查不实."""
    if row.belied_by_id:
        return Tag("自查不实", "bad")
    if row.status == SelfCheck.Status.ASKED:
        return Tag("退回重查", "bad") if row.returned else Tag("待自查", "info")
    return Tag(row.get_answer_display(), ANSWER_TONES[row.answer])


def due_tag(row: SelfCheck) -> Tag:
    """The deadline with the days that are left, until it is answered."""
    day = date_text(row.due)
    if row.status != SelfCheck.Status.ASKED:
        return Tag(day, "muted")
    left = clock.days_left(row.due)
    if left < 0:
        return Tag(f"{day} 逾期{-left}天", "bad")
    return Tag(f"{day} 剩{left}天" if left else f"{day} 今天到期", "warn" if left <= 3 else "muted")


_ANSWER: Sequence[Column] = (
    Column("自查截止", due_tag, sort=("due",)),
    Column("自查结果", state_tag),
    Column("说明", "note"),
    Column("自查时间", lambda r: date_text(r.answered_on) if r.answered_at else "", shown=False),
    Column(
        "整改",
        lambda r: r.problem.rectification.get_status_display() if r.problem else "",
        url=lambda r: r.problem.rectification.get_absolute_url() if r.problem else "",
    ),
)


class SelfCheckList(Listing):
    title = "对照自查"
    search = ("spread__text", "institution__search", "note", "item__name")
    filters = SelfCheckFilter
    order: ClassVar[Sequence[str]] = ("-status", "due", "pk")
    columns: Sequence[Column] = (
        Column("问题", lambda r: str(r.spread)),
        Column("机构", "institution.known_as", sort=("institution__code",)),
        Column("服务项目", "item.short_name"),
        *_ANSWER,
    )

    @property
    def reminder(self) -> str:
        """The overdue rows of this list as text for the chat group."""
        return overdue_text(
            "自查催办",
            "以下举一反三自查已逾期",
            [(row, row.due) for row in self.found[:100] if row.is_overdue],
            "请登录系统，在“对照自查”里逐项选择有、无或类似。",
        )


class SpreadCheckList(SelfCheckList):
    """The self-checks of one spread, institution by institution."""

    title = "举一反三自查情况"
    order: ClassVar[Sequence[str]] = ("institution__code", "pk")
    columns: Sequence[Column] = (
        Column("机构", "institution.known_as", sort=("institution__code",)),
        *_ANSWER,
    )
