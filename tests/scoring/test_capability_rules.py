"""The rules of 优质服务基层行 without a database: months, levels, what is missing."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.capability import judge, read_levels
from config.demo.sheets import CAPABILITY_LEVELS
from scoring.capability import ORDER, earliest_application, lower, stand
from scoring.models import ReviewLevel

LEVELS = read_levels(CAPABILITY_LEVELS)
CODES = [f"{chapter}.{n}" for chapter in (1, 2, 3, 4) for n in range(1, 6)]
GRADES = st.lists(st.sampled_from(["A", "B", "C", "D", "N", ""]), min_size=20, max_size=20).map(
    lambda found: dict(zip(CODES, found, strict=True))
)
CORE = st.sets(st.sampled_from(CODES), max_size=6)
BETTER = {"": "D", "D": "C", "C": "B", "B": "A"}


@pytest.mark.row("E20")
@pytest.mark.parametrize(
    ("started", "months", "first"),
    [
        (date(2018, 10, 10), 6, date(2019, 4, 10)),
        (date(2018, 8, 31), 6, date(2019, 2, 28)),  # February has no 31st
        (date(2019, 8, 31), 6, date(2020, 2, 29)),  # a leap year
        (date(2018, 8, 30), 6, date(2019, 2, 28)),
        (date(2018, 8, 28), 6, date(2019, 2, 28)),
        (date(2018, 12, 31), 6, date(2019, 6, 30)),
        (
            date(2019, 2, 28),
            6,
            date(2019, 8, 28),
        ),  # the number of the day, not the end of the month
        (date(2019, 6, 30), 6, date(2019, 12, 30)),
        (date(2019, 6, 15), 0, date(2019, 6, 15)),
        (date(2019, 7, 1), 18, date(2021, 1, 1)),
    ],
)
def test_months_end_on_the_day_of_the_same_number_or_the_last_of_the_month(started, months, first):
    assert earliest_application(started, months) == first


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(0, 36))
def test_a_later_start_never_means_an_earlier_application(started, months):
    first = earliest_application(started, months)
    assert first <= earliest_application(started + timedelta(days=1), months)
    assert timedelta(28 * months) <= first - started <= timedelta(31 * months)


@given(GRADES, CORE, st.sampled_from(CODES))
def test_raising_a_grade_never_lowers_the_level(grades, core, code):
    before = stand(LEVELS, grades, core)
    if grades[code] not in BETTER:
        return
    after = stand(LEVELS, {**grades, code: BETTER[grades[code]]}, core)
    assert ORDER.index(after.level) >= ORDER.index(before.level)


@given(GRADES, CORE)
def test_what_is_missing_is_empty_exactly_when_the_level_is_reached(grades, core):
    applying = {code: grade for code, grade in grades.items() if grade != "N"}
    standing = stand(LEVELS, grades, core)
    for verdict in judge(LEVELS, applying, core):
        level = next(x for x in ReviewLevel if x.label == verdict.level.name)
        assert verdict.reached == (not standing.missing[level])
    reached = [level for level in ORDER[1:] if not standing.missing[level]]
    # The rules of the example grow with the level, so that what is reached has no gap.
    assert standing.level == (reached[-1] if reached else ReviewLevel.BELOW)


@given(GRADES, CORE)
def test_a_clause_that_does_not_apply_changes_nothing(grades, core):
    standing = stand(LEVELS, grades, core)
    more = stand(LEVELS, {**grades, "9.9": "N"}, core | {"9.9"})
    assert (more.level, more.missing) == (standing.level, standing.missing)


def test_what_is_missing_is_counted_and_named():
    grades = {**dict.fromkeys(CODES, "B"), "1.1": "D", "1.2": "C", "1.3": ""}
    standing = stand(LEVELS, grades, {"1.1", "1.2", "1.3"})
    assert standing.level == ReviewLevel.BELOW and standing.open == 1
    assert standing.missing[ReviewLevel.BASIC] == [
        "A还差 2 条（至少 2 条，现有 0 条）",
        "核心条款至少 C：1.1（现为 D）、1.3（现为 未评）",
    ]
    assert (
        "C 及以上还差 1 条（至少 19 条，现有 18 条）" in standing.missing[ReviewLevel.RECOMMENDED]
    )
    assert any("1.2（现为 C）" in what for what in standing.missing[ReviewLevel.RECOMMENDED])
    assert standing.next[0] == ReviewLevel.BASIC
    assert stand(LEVELS, {}, ()).level == ReviewLevel.BELOW


def test_the_lower_of_two_levels():
    assert lower("recommended", "basic") == lower("basic", "recommended") == "basic"
    assert lower("basic", "below") == "below"
