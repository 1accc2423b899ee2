"""Working days: our table first, then the published years, then the plain week."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from institutions.workdays import NOT_ANNOUNCED, WorkCalendar

DAYS = st.dates(dt.date(2018, 1, 1), dt.date(2099, 1, 1))


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("when", "worked"),
    [
        ("2023-01-27", False),  # Spring Festival, a Friday
        ("2023-01-28", True),  # worked in exchange, a Saturday
        ("2023-09-29", False),  # Mid-Autumn
        ("2023-10-07", True),
        ("2023-11-20", True),
        ("2023-11-19", False),
        ("2020-01-31", False),  # the Spring Festival prolonged that year
        ("2060-10-01", True),  # a Friday nobody has announced anything about
    ],
)
def test_a_published_year_knows_its_holidays_and_its_worked_weekends(when, worked):
    assert WorkCalendar({}).is_workday(day(when)) is worked


def test_our_own_table_comes_first():
    calendar = WorkCalendar({day("2023-11-20"): False, day("2023-11-19"): True})
    assert not calendar.is_workday(day("2023-11-20"))
    assert calendar.is_workday(day("2023-11-19"))


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        ("2023-09-28", 5, "2023-10-11"),  # over the eight days of October
        ("2023-11-20", 0, "2023-11-20"),
        ("2023-11-18", 0, "2023-11-18"),
        ("2023-11-17", 1, "2023-11-20"),
        ("2023-11-20", -1, "2023-11-17"),
    ],
)
def test_a_term_in_working_days_ends_where_people_count_it(start, count, end):
    assert WorkCalendar().add_workdays(day(start), count) == day(end)


def test_a_year_not_announced_says_so_until_our_table_has_it():
    assert WorkCalendar().note(day("2060-05-01")) == NOT_ANNOUNCED == "节假日安排未公布"
    assert WorkCalendar().note(day("2023-05-01")) == ""
    entered = WorkCalendar({day("2060-10-01"): False})
    assert entered.announced(2060) and entered.note(day("2060-05-01")) == ""


@given(DAYS, st.integers(-60, 60))
def test_counting_back_gives_the_days_that_were_added(start, count):
    calendar = WorkCalendar()
    end = calendar.add_workdays(start, count)
    if calendar.is_workday(start) or count >= 0:
        assert calendar.workdays_between(start, end) == count
    assert count == 0 or calendar.is_workday(end)
