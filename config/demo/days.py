"""The year as it is lived: deeds are planned on their days and done in the order of time, so the trail reads true."""

import heapq
from collections.abc import Callable
from datetime import date, timedelta
from itertools import count

from config.demo import chance
from institutions import clock
from institutions.workdays import WorkCalendar

Deed = Callable[[], object]
_CALENDAR = WorkCalendar()


def workday(day: date, after: int = 0) -> date:
    """Return the first working day at or after `day`, then `after` working days on."""
    while not _CALENDAR.is_workday(day):
        day += timedelta(days=1)
    return _CALENDAR.add_workdays(day, after)


class Year:
    """What is still to happen; a deed may plan further ones. What would lie past `until` never happens."""

    def __init__(self, until: date) -> None:
        self.until = until
        self._waiting: list[tuple[date, int, int, int, Deed]] = []
        self._numbers = count()

    def on(self, day: date, deed: Deed, *, hour: int | None = None) -> None:
        """Plan a deed for a working day at or after `day`; without an hour some time in office hours."""
        number = next(self._numbers)
        hour = chance.between(9, 16, day, number) if hour is None else hour
        minute = chance.between(0, 59, day, number, "minute")
        heapq.heappush(self._waiting, (workday(day), hour, minute, number, deed))

    def after(self, workdays: int, deed: Deed) -> None:
        """Plan what follows from today's deed: so many working days later, so never before it."""
        self.on(workday(clock.today(), workdays), deed)

    def live(self) -> int:
        """Do everything planned, each at its time; return how many deeds were done."""
        done = 0
        while self._waiting:
            day, hour, minute, _, deed = heapq.heappop(self._waiting)
            if day <= self.until:
                with clock.at(day, hour, minute):
                    deed()
                done += 1
        return done
