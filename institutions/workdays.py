"""Working days (工作日): our own table first, then the State Council's published years.

Pure: the caller hands in the overrides, kept in the table `Holiday`. Published years come from the
chinesecalendar package; a year that is in neither counts Monday to Friday and says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from chinese_calendar.constants import holidays, workdays

NOT_ANNOUNCED = "节假日安排未公布"

_PUBLISHED = frozenset(day.year for day in holidays)
_ONE_DAY = dt.timedelta(days=1)


class WorkCalendar:
    """Which days are worked. `overrides` maps a day to True (worked) or False (off)."""

    def __init__(self, overrides: Mapping[dt.date, bool] | None = None) -> None:
        self._overrides = dict(overrides or {})
        self._own_years = {day.year for day in self._overrides}

    def is_workday(self, day: dt.date) -> bool:
        """Whether people are at work: overrides, then the published year, then the weekday."""
        if day in self._overrides:
            return self._overrides[day]
        weekday = day.weekday() < 5
        if day.year not in _PUBLISHED:
            return weekday
        return day in workdays or (weekday and day not in holidays)

    def add_workdays(self, day: dt.date, count: int) -> dt.date:
        """The `count`-th working day after `day`; before it for a negative count; 0 is `day`."""
        step = _ONE_DAY if count > 0 else -_ONE_DAY
        left = abs(count)
        while left:
            day += step
            left -= self.is_workday(day)
        return day

    def workdays_between(self, start: dt.date, end: dt.date) -> int:
        """Working days after `start` up to and with `end`; negative if `end` is earlier."""
        if end < start:
            return -self.workdays_between(end - _ONE_DAY, start - _ONE_DAY)
        return sum(
            self.is_workday(start + dt.timedelta(days=passed))
            for passed in range(1, (end - start).days + 1)
        )

    def announced(self, year: int) -> bool:
        """Whether the holidays of a year are known, published or entered in our table."""
        return year in _PUBLISHED or year in self._own_years

    def note(self, day: dt.date) -> str:
        """What to say beside a deadline in a year whose holidays are not known; '' otherwise."""
        return "" if self.announced(day.year) else NOT_ANNOUNCED
