"""The clock: a deadline is a date, inclusive; the date moves only on a demo."""

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from institutions import clock
from institutions.models import Installation


@pytest.mark.parametrize(
    ("utc", "day"),
    [
        ("2023-03-31T15:59:59", date(2023, 3, 31)),
        ("2023-03-31T16:00:00", date(2023, 4, 1)),
        ("2023-12-31T15:59:59", date(2023, 12, 31)),
        ("2023-12-31T16:00:00", date(2024, 1, 1)),
        ("2024-02-28T16:00:00", date(2024, 2, 29)),
    ],
)
def test_a_new_day_begins_at_midnight_in_shanghai(db, monkeypatch, utc, day):
    moment = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    assert clock.today() == day


def test_portal_today_has_no_effect_on_a_real_database(db, settings):
    settings.PORTAL_TODAY = date(2023, 11, 20)
    assert clock.today() != date(2023, 11, 20) and not clock.moved()
    with pytest.raises(RuntimeError, match="demo"), clock.at(date(2023, 3, 1)):
        pass


def test_portal_today_moves_a_demo(db, settings):
    settings.PORTAL_TODAY = date(2023, 11, 20)
    Installation.mark_demo()
    assert clock.today() == date(2023, 11, 20) and clock.moved()
    assert clock.days_left(date(2023, 11, 30)) == 10
    with clock.at(date(2023, 3, 1), hour=14):
        assert clock.now().isoformat() == "2023-03-01T14:00:00+08:00"
    assert clock.today() == date(2023, 11, 20)
