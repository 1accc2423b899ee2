from decimal import Decimal as D
from fractions import Fraction as F

import pytest
from hypothesis import given
from hypothesis import strategies as st

from institutions.rounding import (
    NumberRefused,
    half_up,
    parse_number,
    parse_rate,
    parse_whole,
    percent_text,
    rate_text,
    split,
)

weights = st.dictionaries(
    st.text("ABC123", min_size=1, max_size=4),
    st.fractions(min_value=0, max_value=10**6, max_denominator=10**4),
    min_size=1,
    max_size=12,
).filter(lambda parts: any(parts.values()))


@pytest.mark.parametrize(
    ("value", "places", "expected"),
    [
        (D("2.665"), 2, "2.67"),
        (D("2.675"), 2, "2.68"),
        (D("-2.665"), 2, "-2.67"),
        (D("0.005"), 2, "0.01"),
        (D("0.0049999"), 2, "0.00"),
        (D("-0.004"), 2, "0.00"),
        (F(1, 3), 4, "0.3333"),
        (F(2, 3), 0, "1"),
        (F(1, 200), 2, "0.01"),
        (7, 2, "7.00"),
        (D("99999999999999999999999999999999.995"), 2, "100000000000000000000000000000000.00"),
    ],
)
def test_half_goes_away_from_zero(value, places, expected):
    assert str(half_up(value, places)) == expected


@pytest.mark.parametrize("value", [1.5, True, "1.5", None])
def test_only_exact_numbers_are_rounded(value):
    with pytest.raises(TypeError):
        half_up(value, 2)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_none_is_not_rounded(value):
    with pytest.raises(ValueError, match="有限"):
        half_up(D(value), 2)


@given(st.fractions(-(10**15), 10**15, max_denominator=10**6), st.integers(0, 6))
def test_rounding_is_never_further_than_half_a_unit_and_is_symmetric(value, places):
    rounded = half_up(value, places)
    assert abs(F(rounded) - value) * 2 * 10**places <= 1
    assert half_up(-value, places) == -rounded
    assert rounded.as_tuple().exponent == -places


def test_the_pool_goes_to_the_largest_remainder_and_ties_to_the_smaller_code():
    assert split(D("100.00"), {"B": 1, "A": 1, "C": 1}) == {
        "B": D("33.33"),
        "A": D("33.34"),
        "C": D("33.33"),
    }
    assert split(D("0.01"), {"b": 1, "B": 1}) == {"b": D("0.00"), "B": D("0.01")}
    assert split(D(10), {"X": 2, "Y": 1}, places=0) == {"X": 7, "Y": 3}


@given(st.integers(0, 10**12), weights)
def test_the_parts_add_up_and_none_is_a_unit_off(cents, shares):
    total = D(cents).scaleb(-2)
    parts = split(total, shares)
    assert sum(map(F, parts.values())) == F(total)
    whole = sum(shares.values())
    for key, part in parts.items():
        assert abs(F(part) - F(total) * shares[key] / whole) < F(1, 100)
        assert shares[key] or part == 0


@given(st.integers(0, 10**9), weights)
def test_more_weight_never_gets_less_and_the_order_of_rows_does_not_matter(cents, shares):
    total = D(cents).scaleb(-2)
    parts = split(total, shares)
    assert parts == split(total, dict(reversed(shares.items())))
    for one, share in shares.items():
        for other, less in shares.items():
            assert share <= less or parts[one] >= parts[other]


@pytest.mark.parametrize(
    ("total", "shares", "reason"),
    [
        (D(1), {}, "合计为 0"),
        (D(1), {"A": 0, "B": F(0)}, "合计为 0"),
        (D(1), {"A": 2, "B": -1}, "不能为负"),
        (D(-1), {"A": 1}, "不能为负"),
        (D("0.001"), {"A": 1}, "2 位小数"),
    ],
)
def test_a_split_that_cannot_add_up_is_refused(total, shares, reason):
    with pytest.raises(ValueError, match=reason):
        split(total, shares)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", "12"),
        (" 0012.50 ", "12.5"),
        ("１２．５", "12.5"),
        ("+3", "3"),
        ("0", "0"),
        ("-0", "0"),
        ("999999999999.9999", "999999999999.9999"),
        ("1.000000", "1"),
    ],
)
def test_a_plain_number_is_read(text, expected):
    assert str(parse_number(text)) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "没有填写"),
        ("   ", "没有填写"),
        ("NaN", "不是数字"),
        ("inf", "不是数字"),
        ("-Infinity", "不是数字"),
        ("1e309", "不是数字"),
        ("1E5", "不是数字"),
        ("1_000", "不是数字"),
        ("1,000", "千位分隔符"),
        ("1，000", "千位分隔符"),
        ("0x10", "不是数字"),
        ("١٢", "不是数字"),
        ("१२", "不是数字"),
        ("²", "不是数字"),
        ("十二", "不是数字"),
        ("1.", "不是数字"),
        (".5", "不是数字"),
        ("1.2.3", "不是数字"),
        ("--1", "不是数字"),
        ("1 2", "不是数字"),
        ("-1", "不能为负"),
        ("－1", "不能为负"),
        ("85%", "百分数"),
        ("1000000000000", "太大"),
        ("9" * 5000, "太大"),
        ("0.00001", "小数最多 4 位"),
    ],
)
def test_a_hostile_or_doubtful_number_is_refused_with_a_reason(text, reason):
    with pytest.raises(NumberRefused, match=reason) as refused:
        parse_number(text)
    assert len(str(refused.value)) < 80


def test_signs_and_whole_numbers():
    assert parse_number("−2.5", signed=True) == D("-2.5")
    assert parse_whole("4.0") == 4
    with pytest.raises(NumberRefused, match="必须是整数"):
        parse_whole("4.5")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("85%", "0.85"), ("８５％", "0.85"), (" 33.33% ", "0.3333"), ("0%", "0"), ("100%", "1")],
)
def test_a_rate_is_a_percentage(text, expected):
    assert parse_rate(text) == D(expected)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0.85", "例如 85%"),
        ("85", "例如 85%"),
        ("0.8534", r"例如 85\.34%"),
        ("1", "例如 1%"),
        ("101%", "不能超过 100%"),
        ("33.333%", "小数最多 2 位"),
        ("-5%", "不能为负"),
        ("%", "没有填写"),
        ("NaN%", "不是数字"),
        ("85%%", "百分数"),
        ("", "没有填写"),
    ],
)
def test_what_could_be_something_else_than_a_rate_is_refused(text, reason):
    with pytest.raises(NumberRefused, match=reason):
        parse_rate(text)


@given(st.integers(0, 10000))
def test_a_written_rate_is_read_back(hundredths_of_percent):
    rate = D(hundredths_of_percent).scaleb(-4)
    assert parse_rate(rate_text(rate)) == rate


@pytest.mark.parametrize(
    ("value", "expected"),
    [(F(19, 27), "70.37%"), (F(70375, 100000), "70.38%"), (D(1), "100.00%"), (0, "0.00%")],
)
def test_a_ratio_is_printed_with_two_places(value, expected):
    assert percent_text(value) == expected
