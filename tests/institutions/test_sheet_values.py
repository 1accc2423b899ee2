"""The texts of cells become values, or are refused in words."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from institutions import sheets
from institutions.sheets import BadCell

ACCEPTED = [
    (sheets.text(10), "  生僻字㐂𠮷 ", "生僻字㐂𠮷"),
    (sheets.text(), "第一行\n第二行", "第一行\n第二行"),
    (sheets.code(10), "０７ａ", "07a"),
    (sheets.code(20), "370306-01.2", "370306-01.2"),
    (sheets.integer(), "１２", 12),
    (sheets.integer(), "0012", 12),
    (sheets.integer(-5), "-5", -5),
    (sheets.decimal(2), "85.5", Decimal("85.50")),
    (sheets.decimal(2), "1.500", Decimal("1.50")),
    (sheets.decimal(2, min=None), "-3.25", Decimal("-3.25")),
    (sheets.rate, "85%", Decimal("0.85")),
    (sheets.rate, "７０．３８％", Decimal("0.7038")),
    (sheets.rate, "0%", Decimal(0)),
    (sheets.rate, "100%", Decimal(1)),
    (sheets.boolean, "是", True),
    (sheets.boolean, " 否 ", False),
    (sheets.date, "2023-03-31", dt.date(2023, 3, 31)),
    (sheets.date, "2023/3/31", dt.date(2023, 3, 31)),
    (sheets.date, "2023.3.31", dt.date(2023, 3, 31)),
    (sheets.date, "2023年3月31日", dt.date(2023, 3, 31)),
    (sheets.date, "２０２４年２月２９日", dt.date(2024, 2, 29)),
    (sheets.choice({"省": 1, "市": 2}), "市", 2),
    (sheets.many(sheets.code()), "01;02；03、04", ["01", "02", "03", "04"]),
    (sheets.many(sheets.code()), "01; ;02;", ["01", "02"]),
    (sheets.year, "2023", 2023),
    (sheets.quarter, "４", 4),
]


@pytest.mark.parametrize(("parser", "value", "expected"), ACCEPTED)
def test_a_text_becomes_its_value(parser, value, expected):
    found = parser(value)
    assert found == expected and type(found) is type(expected)


NUMBERS_NEVER = ["", " ", "NaN", "sNaN", "inf", "-inf", "1e309", "1E+999999", "1_000", "一百", "Ⅻ", "٣", "①",
                 "--1", "+1", "0x1F", "1,000", "1 000", "-0", "9" * 400, "=1", "½", "1.2.3", "½"]  # fmt: skip
REFUSED = [
    *((sheets.integer(), value, "") for value in NUMBERS_NEVER),
    *((sheets.decimal(2), value, "") for value in NUMBERS_NEVER),
    *((sheets.rate, value, "") for value in NUMBERS_NEVER),
    (sheets.integer(), "12.9", "应为整数"),
    (sheets.integer(), "12.0", "应为整数"),
    (sheets.integer(), "-5", "负数"),
    (sheets.integer(1, 4), "5", "不能大于 4"),
    (sheets.integer(), "1,000", "千分位"),
    (sheets.decimal(2), "1.005", "小数位超限"),
    (sheets.decimal(2), "85%", "不要百分号"),
    (sheets.decimal(2, max=100), "100.01", "不能大于 100"),
    (sheets.decimal(2), "99999999999999.99", ""),
    (sheets.rate, "0.85", "如 85%"),
    (sheets.rate, "85", "如 85%"),
    (sheets.rate, "1", "如 100%"),
    (sheets.rate, "100.5%", "不能大于 100%"),
    (sheets.rate, "85.123%", "小数位超限"),
    (sheets.rate, "-5%", "百分数"),
    (sheets.boolean, "有", "是或否"),
    (sheets.boolean, "√", "是或否"),
    (sheets.boolean, "yes", "是或否"),
    (sheets.boolean, "1", "是或否"),
    (sheets.date, "3/1/2026", "2023-03-31"),
    (sheets.date, "1/3/26", "2023-03-31"),
    (sheets.date, "2026-02-30", "不是有效日期"),
    (sheets.date, "2026-13-01", "不是有效日期"),
    (sheets.date, "2023/3-31", "不是有效日期"),
    (sheets.date, "20230331", "不是有效日期"),
    (sheets.date, "2023-03-31 08:30", "不是有效日期"),
    (sheets.date, "二〇二三年三月三十一日", "不是有效日期"),
    (sheets.date, "٢٠٢٣-٠٣-٣١", "不是有效日期"),
    (sheets.date, "0001-01-01", "1990"),
    (sheets.date, "9999-12-31", "2100"),
    (sheets.text(3), "一二三四", "超过 3 个字"),
    (sheets.text(), "a\0b", "控制字符"),
    (sheets.text(), "　", "不能为空"),
    (sheets.code(), "01 02", "代码"),
    (sheets.code(), "=1", "代码"),
    (sheets.code(3), "1234", "超过 3"),
    (sheets.choice({"省": 1, "市": 2, "区": 3}), "县", "省、市、区"),
    (sheets.many(sheets.code()), "01;01", "重复"),
    (sheets.many(sheets.code()), ";", "不能为空"),
    (sheets.year, "23", "四位"),
    (sheets.year, "2008", "年度"),
    (sheets.year, "2101", "年度"),
    (sheets.quarter, "5", "季度"),
    (sheets.quarter, "第一季度", "季度"),
]  # fmt: skip


@pytest.mark.parametrize(("parser", "value", "reason"), REFUSED)
def test_a_doubtful_text_is_refused_in_chinese(parser, value, reason):
    with pytest.raises(ValueError, match=reason or None) as refusal:
        parser(value)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in str(refusal.value))


@given(st.text(max_size=40))
def test_no_text_makes_a_parser_fail_otherwise(value):
    for parser in (
        sheets.text(), sheets.code(), sheets.integer(), sheets.decimal(2), sheets.rate, sheets.boolean,
        sheets.date, sheets.choice({"a": 1}), sheets.many(sheets.date), sheets.year, sheets.quarter,
    ):  # fmt: skip
        with suppress(ValueError):
            parser(value)


def test_a_bad_cell_says_where_what_and_why():
    with pytest.raises(ValueError, match="日期") as error:
        sheets.date("2023-02-30")
    bad = BadCell(5, "整改时限", "2023-02-30", str(error.value))
    assert str(bad) == "第5行 “整改时限” “2023-02-30”：不是有效日期，应为 2023-03-31 这样的日期"


@pytest.mark.parametrize(
    ("value", "hidden"),
    [("11010519491231002X", "1231002"), ("13800138000", "0013"), ("手机1380013800", "0013")],
)
def test_a_bad_cell_does_not_repeat_personal_numbers(value, hidden):
    shown = str(BadCell(2, "手机号", value, "电话号码不正确"))
    assert hidden not in shown and "****" in shown
