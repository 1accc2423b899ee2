"""The only source of today and now.

A demo is set in 2023: `PORTAL_TODAY` moves its date, and `at` lets the demo's year be lived through day by day. Both work
only on a database that is marked as a demo.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from institutions.models.record import Installation

SHANGHAI = ZoneInfo("Asia/Shanghai")

_moment: ContextVar[datetime | None] = ContextVar("moment", default=None)


def moved() -> bool:
    """Say whether the date shown is not the real one."""
    return settings.PORTAL_TODAY is not None and Installation.is_demo()


def now() -> datetime:
    """Return this moment, aware; on a moved clock the real time of day on the moved date."""
    if (moment := _moment.get()) is not None:
        return moment
    real = timezone.now()
    day = settings.PORTAL_TODAY
    if day is None or not Installation.is_demo():
        return real
    return real.astimezone(SHANGHAI).replace(year=day.year, month=day.month, day=day.day)


def today() -> date:
    """Return the date in Asia/Shanghai: a deadline is late from 00:00 of the day after it."""
    return now().astimezone(SHANGHAI).date()


def days_left(due: date) -> int:
    """Return the days until `due` (0 on the day itself, negative when late)."""
    return (due - today()) // timedelta(days=1)


@contextmanager
def at(day: date, hour: int = 9, minute: int = 0) -> Iterator[None]:
    """Live through a past day of the demo; refused on any other database."""
    if not Installation.is_demo():
        raise RuntimeError("the clock moves only on a demo database")
    token = _moment.set(datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI))
    try:
        yield
    finally:
        _moment.reset(token)
