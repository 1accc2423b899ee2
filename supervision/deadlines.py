"""When a rectification that is not handed in is reminded of, and who hears of it (docs/reminders.md says it for people).

Pure: the caller hands in the calendar. A step falls on a day that follows from the deadline alone; it is owed while the
institution has the rectification, once for each deadline, and again after each return. Each step also tells those of the
steps before it: 机构 → 条线牵头和直接督导方 → 挂包领导 → 局主要领导 (周卫健字〔2023〕13号: 交办有回应、落实有动静、办事有效率).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from institutions.workdays import WorkCalendar

INSTITUTION, LEADS, LINKED, HEADS = "institution", "leads", "linked", "heads"


@dataclass(frozen=True)
class Step:
    """One step: `offset` working days after the deadline (negative: before it), and whom it reaches."""

    code: str
    label: str
    offset: int
    told: tuple[str, ...]

    def day(self, due: date, calendar: WorkCalendar) -> date:
        return calendar.add_workdays(due, self.offset)


STEPS = (
    Step("before", "到期前3个工作日", -3, (INSTITUTION,)),
    Step("due", "到期当日", 0, (INSTITUTION,)),
    Step("late3", "逾期3个工作日", 3, (INSTITUTION, LEADS)),
    Step("late7", "逾期7个工作日", 7, (INSTITUTION, LEADS, LINKED)),
    Step("late15", "逾期15个工作日", 15, (INSTITUTION, LEADS, LINKED, HEADS)),
)
BY_CODE = {step.code: step for step in STEPS}


def owed(
    due: date, since: date, today: date, calendar: WorkCalendar, sent: Iterable[str] = ()
) -> list[tuple[Step, date]]:
    """Return the steps that have fallen by `today` and are not in `sent`, each with its day, earliest first.

    `since` is the day on which the institution got the rectification with this deadline: the step before the deadline is
    spared where it would fall on that day or earlier, for handing out was a reminder by itself.
    """
    known = set(sent)
    fallen = []
    for step in STEPS:
        if step.code in known:
            continue
        on = step.day(due, calendar)
        if on <= today and (step.offset >= 0 or on > since):
            fallen.append((step, on))
    return fallen
