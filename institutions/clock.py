"""The only source of today and now.

A demo is set in 2023: `PORTAL_TODAY` moves its date, and only on a database that is marked as a demo.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from institutions.models.record import Installation

SHANGHAI = ZoneInfo("Asia/Shanghai")


def moved() -> bool:
    """Say whether the date shown is not the real one."""
    return settings.PORTAL_TODAY is not None and Installation.is_demo()


def now() -> datetime:
    """Return this moment, aware; on a moved clock the real time of day on the moved date."""
    real = timezone.now()
    if not moved():
        return real
    local = real.astimezone(SHANGHAI)
    return local.replace(
        year=settings.PORTAL_TODAY.year,
        month=settings.PORTAL_TODAY.month,
        day=settings.PORTAL_TODAY.day,
    )


def today() -> date:
    """Return the date in Asia/Shanghai: a deadline is late from 00:00 of the day after it."""
    return settings.PORTAL_TODAY if moved() else timezone.now().astimezone(SHANGHAI).date()


def days_left(due: date) -> int:
    """Return the days until `due` (0 on the day itself, negative when late)."""
    return (due - today()) // timedelta(days=1)
