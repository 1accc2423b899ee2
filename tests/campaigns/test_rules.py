import csv
from dataclasses import replace
from decimal import Decimal as D
from fractions import Fraction as F
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import campaigns
from campaigns.rules import (
    Figures,
    Method,
    Rule,
    RuleError,
    check_rule,
    parse_steps,
    parse_target,
    points,
    read_rule,
    score,
    sheet_total,
    total,
)

DATA = Path(campaigns.__file__).parent / "data"
STANDARDS = ["standard-2023.csv", "standard-2023-village.csv"]

ATTAIN = Rule(Method.ATTAIN, D("2.00"), D("0.9"), True)
FLOORED = Rule(Method.ATTAIN, D(4), D("0.62"), True, floor=D("0.4"))
COUNTED = Rule(Method.ATTAIN, D(1), D(12))
REVERSE = Rule(Method.REVERSE, D(2), D("0.01"), True, floor=D("0.05"))
REVERSE_COUNT = Rule(Method.REVERSE, D(1), D(1), floor=D(5))
NONE_ALLOWED = Rule(Method.REVERSE, D(3), D(0))
YES_NO = Rule(Method.YES_NO, D(3))
STEPS = Rule(Method.STEPS, D(5), steps=parse_steps("≥90%:5;≥80%:3", D(5)))
DELAY = Rule(Method.STEPS, D(2), steps=parse_steps("≤1:2;≤2:1", D(2)))
DEDUCT = Rule(Method.DEDUCT, D(2), deduct_unit=D("0.5"))
BELOW = replace(DEDUCT, below_zero=True)
MANUAL = Rule(Method.MANUAL, D(3))
GRADED = Rule(Method.GRADE, D("2.5"))
SAMPLE = Rule(Method.SAMPLE, D(8))


def fig(numerator=None, denominator=None, **more):
    """Figures from plain numbers or their text."""
    more = {name: value if name == "grade" else D(value) for name, value in more.items()}
    return Figures(
        None if numerator is None else D(numerator),
        None if denominator is None else D(denominator),
        **more,
    )


def sample(right, drawn, genuine, verified):
    return fig(right, drawn, genuine=genuine, verified=verified)


@pytest.mark.parametrize(
    ("rule", "figures", "expected"),
    [
        (ATTAIN, fig(850, 1000), "1.89"),
        (ATTAIN, fig(900, 1000), "2.00"),
        (ATTAIN, fig(899, 1000), "2.00"),  # 1.9978 rounds up: the printed points, not the verdict
        (ATTAIN, fig(0, 1000), "0.00"),
        (ATTAIN, fig(1000, 1000), "2.00"),
        (FLOORED, fig(399, 1000), "0.00"),
        (FLOORED, fig(400, 1000), "2.58"),
        (FLOORED, fig(620, 1000), "4.00"),
        (COUNTED, fig(7), "0.58"),
        (COUNTED, fig(12), "1.00"),
        (COUNTED, fig(30), "1.00"),
        (REVERSE, fig(1, 100), "2.00"),
        (REVERSE, fig(0, 100), "2.00"),
        (REVERSE, fig(2, 100), "1.00"),
        (REVERSE, fig(5, 100), "0.40"),
        (REVERSE, fig(6, 100), "0.00"),
        (REVERSE_COUNT, fig(3), "0.33"),
        (REVERSE_COUNT, fig(6), "0.00"),
        (NONE_ALLOWED, fig(0), "3.00"),
        (NONE_ALLOWED, fig(1), "0.00"),
        (YES_NO, fig(1), "3.00"),
        (YES_NO, fig(0), "0.00"),
        (STEPS, fig(90, 100), "5.00"),
        (STEPS, fig(899, 1000), "3.00"),
        (STEPS, fig(79, 100), "0.00"),
        (DELAY, fig(1), "2.00"),
        (DELAY, fig(2), "1.00"),
        (DELAY, fig(3), "0.00"),
        (DEDUCT, fig(deductions=0), "2.00"),
        (DEDUCT, fig(deductions=3), "0.50"),
        (DEDUCT, fig(deductions=5), "0.00"),
        (BELOW, fig(deductions=5), "-0.50"),
        (MANUAL, fig(points="0"), "0.00"),
        (MANUAL, fig(points="3"), "3.00"),
        (GRADED, fig(grade="A"), "2.50"),
        (GRADED, fig(grade=" b "), "2.00"),
        (GRADED, fig(grade="Ｃ"), "1.50"),
        (GRADED, fig(grade="D"), "0.00"),
        (SAMPLE, sample(8, 10, 9, 10), "5.76"),
        (SAMPLE, sample(10, 10, 3, 3), "8.00"),
        (SAMPLE, sample(10, 10, 0, 0), "0.00"),
        (SAMPLE, sample(0, 10, 5, 5), "0.00"),
    ],
)
def test_points_at_the_borders_of_each_method(rule, figures, expected):
    assert check_rule(rule) == []
    outcome = points(rule, figures)
    assert str(outcome.points) == expected
    assert outcome.applicable
    assert not outcome.is_open
    assert outcome.explanation.endswith(f"= {expected}")
    again = points(rule, replace(figures, points=outcome.points))
    assert again.points == outcome.points


@pytest.mark.row("X06")
def test_the_explanation_can_be_checked_by_hand():
    named = {"numerator_name": "规范管理人数", "denominator_name": "已管理人数"}
    assert points(ATTAIN, fig(850, 1000), **named).explanation == (
        "规范管理人数 850 ÷ 已管理人数 1000 = 85.00%，目标 90%，得分 = 2.00 × 85.00% ÷ 90% = 1.89"
    )
    # a third has no two decimals, so the quotient itself stands in the formula
    assert points(ATTAIN, fig(1, 3), **named).explanation == (
        "规范管理人数 1 ÷ 已管理人数 3 ≈ 33.33%，目标 90%，得分 = 2.00 × 1 ÷ 3 ÷ 90% = 0.74"
    )
    assert "÷ (1 ÷ 30) = 0.60" in points(REVERSE, fig(1, 30)).explanation
    assert points(DEDUCT, fig(deductions=5)).explanation == (
        "得分 = 2.00 − 0.50 × 5 = -0.50，扣完为止，得分 = 0.00"
    )
    assert points(SAMPLE, sample(8, 10, 9, 10)).explanation == (
        "规范份数 8 ÷ 抽查份数 10，真实份数 9 ÷ 核实份数 10，"
        "得分 = 8.00 × (9 ÷ 10) × (8 ÷ 10) = 5.76"
    )


@pytest.mark.parametrize(
    ("rule", "figures"),
    [
        (ATTAIN, fig()),
        (ATTAIN, fig(5)),
        (ATTAIN, fig(None, 5)),
        (YES_NO, fig()),
        (STEPS, fig()),
        (DEDUCT, fig()),
        (MANUAL, fig()),
        (GRADED, fig()),
        (SAMPLE, fig(5, 5)),
        (SAMPLE, fig(5, 5, genuine=5)),
    ],
)
def test_a_blank_figure_is_unrated_and_never_full_marks(rule, figures):
    outcome = points(rule, figures)
    assert outcome.points is None
    assert outcome.is_open
    assert outcome.explanation.startswith("未评：缺少")


@pytest.mark.parametrize(
    ("rule", "figures"),
    [
        (ATTAIN, fig(0, 0)),
        (REVERSE, fig(0, 0)),
        (STEPS, fig(0, 0)),
        (SAMPLE, sample(0, 0, 0, 0)),
        (SAMPLE, replace(sample(5, 5, 0, 0), not_applicable=True)),
        (MANUAL, Figures(not_applicable=True)),
        (GRADED, Figures(not_applicable=True)),
    ],
)
def test_nothing_due_leaves_both_the_points_and_the_full_marks(rule, figures):
    outcome = points(rule, figures)
    assert outcome.points is None
    assert not outcome.applicable
    assert not outcome.is_open
    assert total([outcome]) == (0, 0)


@pytest.mark.parametrize(
    ("rule", "figures", "reason"),
    [
        (ATTAIN, fig(5, 4), "分子 5 大于分母 4"),
        (ATTAIN, fig(1, 0), "大于"),
        (SAMPLE, sample(11, 10, 1, 1), "大于"),
        (ATTAIN, fig(-1, 4), "不能是 -1"),
        (ATTAIN, fig("NaN", 4), "不能是 NaN"),
        (ATTAIN, fig("Infinity", "Infinity"), "不能是"),
        (COUNTED, fig(-1), "不能是 -1"),
        (COUNTED, fig("1.5"), "必须是整数"),
        (COUNTED, fig(5, 12), "不填分母"),
        (ATTAIN, fig(5, 12, deductions=1), "不填扣分次数"),
        (YES_NO, fig(2), "1（是）或 0（否）"),
        (YES_NO, fig("0.5"), "1（是）或 0（否）"),
        (DEDUCT, fig(deductions="1.5"), "必须是整数"),
        (DEDUCT, fig(deductions=-1), "不能是 -1"),
        (DEDUCT, fig(3), "不填分子"),
        (MANUAL, fig(points="3.01"), "不在 0 到满分 3"),
        (MANUAL, fig(points="-0.01"), "不在 0 到满分 3"),
        (MANUAL, fig(points="1.005"), "两位小数"),
        (GRADED, fig(grade="E"), "等级「E」不认识"),
        (SAMPLE, sample(5, 10, 6, 5), "真实份数 6 大于核实份数 5"),
        (SAMPLE, sample("4.5", 10, 5, 5), "必须是整数"),
        (ATTAIN, fig(850, 1000, points="1.90"), r"填写的得分 1\.90 与.*算出的 1\.89 不一致"),
        (ATTAIN, fig(points="2"), "缺少分子、分母"),
        (ATTAIN, fig(0, 0, points="2"), "不适用"),
        (ATTAIN, replace(fig(points="2"), not_applicable=True), "不适用"),
    ],
)
def test_figures_that_contradict_are_refused_in_chinese(rule, figures, reason):
    with pytest.raises(RuleError, match=reason):
        points(rule, figures)


def test_the_shares_of_grades_are_policy():
    shares = {"A": D(1), "B": D("0.9"), "C": D("0.5"), "D": D(0)}
    assert points(GRADED, fig(grade="B"), grade_shares=shares).points == D("2.25")


# Properties, against an oracle that knows only fractions

counts = st.integers(0, 5000)
marks = st.integers(1, 100000).map(lambda hundredths: D(hundredths).scaleb(-2))
shares = st.integers(1, 10000).map(lambda parts: D(parts).scaleb(-4))


def oracle(value):
    """Round half up to hundredths by integer division alone."""
    return F((value * 200 + 1) // 2, 100)


@st.composite
def rated(draw):
    lower = draw(st.integers(1, 5000))
    return draw(st.integers(0, lower)), lower


@given(marks, shares, rated())
def test_attainment_agrees_with_the_oracle(full, target, figures):
    upper, lower = figures
    got = points(Rule(Method.ATTAIN, full, target, True), fig(upper, lower)).points
    ratio = F(upper, lower)
    expected = F(full) if ratio >= F(target) else F(full) * ratio / F(target)
    assert F(got) == oracle(expected)
    assert 0 <= got <= full


@given(marks, shares, shares, rated())
def test_reversed_attainment_agrees_with_the_oracle(full, one, other, figures):
    target, floor = min(one, other), max(one, other)
    upper, lower = figures
    got = points(Rule(Method.REVERSE, full, target, True, floor), fig(upper, lower)).points
    ratio = F(upper, lower)
    if ratio <= F(target):
        expected = F(full)
    else:
        expected = F(0) if ratio > F(floor) else F(full) * F(target) / ratio
    assert F(got) == oracle(expected)
    assert 0 <= got <= full


@given(marks, shares, st.integers(1, 300), st.data())
def test_one_more_done_never_costs_points(full, target, lower, data):
    upper = data.draw(st.integers(0, lower - 1))
    up = Rule(Method.ATTAIN, full, target, True, floor=target / 2)
    down = Rule(Method.REVERSE, full, target, True)
    assert points(up, fig(upper, lower)).points <= points(up, fig(upper + 1, lower)).points
    assert points(down, fig(upper, lower)).points >= points(down, fig(upper + 1, lower)).points


@given(marks, rated(), rated())
def test_a_sample_is_worth_truth_times_conformity(full, right, genuine):
    got = points(Rule(Method.SAMPLE, full), sample(*right, *genuine)).points
    assert F(got) == oracle(F(full) * F(*right) * F(*genuine))
    assert 0 <= got <= full


@given(marks, marks, st.integers(0, 50), st.booleans())
def test_deductions_stop_at_zero_unless_they_may_go_below(full, unit, times, below):
    rule = Rule(Method.DEDUCT, full, deduct_unit=unit, below_zero=below)
    got = points(rule, fig(deductions=times)).points
    left = F(full) - F(unit) * times
    assert F(got) == (left if below else max(left, F(0)))
    assert got <= full


@given(marks, st.lists(st.tuples(shares, shares), min_size=1, max_size=5), rated())
def test_steps_give_the_points_of_the_first_that_holds(full, raw, figures):
    bounds = sorted({bound for bound, _ in raw}, reverse=True)
    gains = [oracle(F(full) * F(share)) for _, share in raw]
    text = ";".join(
        f"≥{bound * 100:f}%:{D(gain.numerator) / gain.denominator:f}"
        for bound, gain in zip(bounds, gains, strict=False)
    )
    rule = Rule(Method.STEPS, full, steps=parse_steps(text, full))
    ratio = F(*figures)
    held = [g for bound, g in zip(bounds, gains, strict=False) if ratio >= F(bound)]
    assert F(points(rule, fig(*figures)).points) == (held[0] if held else 0)


# Sheets


def test_a_sheet_adds_up_the_rounded_points_of_the_clauses_that_apply():
    outcomes = [
        points(ATTAIN, fig(850, 1000)),
        points(GRADED, fig(grade="B")),
        points(MANUAL, fig()),
        points(SAMPLE, sample(0, 0, 0, 0)),
    ]
    assert total(outcomes) == (D("3.89"), D("7.50"))


@given(st.lists(st.tuples(marks, shares), min_size=1, max_size=8), marks, st.integers(0, 8))
def test_a_clause_that_does_not_apply_changes_nothing_wherever_it_stands(lines, full, place):
    outcomes = [
        points(Rule(Method.MANUAL, one), fig(points=D(int(F(one) * F(share) * 100)) / 100))
        for one, share in lines
    ]
    left_out = points(Rule(Method.ATTAIN, full, D("0.9"), True), fig(0, 0))
    assert not left_out.applicable
    with_it = [*outcomes[:place], left_out, *outcomes[place:]]
    assert sheet_total(with_it) == sheet_total(outcomes)
    gained, whole = sheet_total(outcomes)
    by_hand = sum(F(outcome.points or 0) for outcome in outcomes)
    assert F(gained) == by_hand and F(whole) == sum(F(one) for one, _ in lines)


@given(marks, st.integers(0, 20), st.data())
def test_points_never_fall_when_the_figures_get_better(full, worse, data):
    """By deductions, grades and checked records; 达标 and 反向 have a test of their own."""
    better = data.draw(st.integers(0, worse))
    rule = Rule(Method.DEDUCT, full, deduct_unit=D("0.5"))
    assert points(rule, fig(deductions=better)).points >= points(rule, fig(deductions=worse)).points
    grades = [points(Rule(Method.GRADE, full), fig(grade=g)).points for g in "ABCD"]
    assert grades == sorted(grades, reverse=True)
    right = data.draw(st.integers(0, 19))
    once = points(Rule(Method.SAMPLE, full), sample(right, 20, 9, 10)).points
    assert points(Rule(Method.SAMPLE, full), sample(right + 1, 20, 9, 10)).points >= once


def test_an_item_may_be_negative_and_a_sheet_may_not():
    outcomes = [points(BELOW, fig(deductions=9))]
    assert total(outcomes) == (D("-2.50"), D("2.00"))
    assert sheet_total(outcomes) == (D("0.00"), D("2.00"))


@pytest.mark.parametrize(
    ("gained", "full", "expected"),
    [
        ("89.995", "100", "90.00"),
        ("270", "300", "90.00"),
        ("1", "3", "33.33"),
        ("101", "100", "100.00"),
        ("-3", "100", "0.00"),
    ],
)
def test_the_score_is_a_share_of_what_applies(gained, full, expected):
    assert str(score(D(gained), D(full))) == expected


def test_a_sheet_without_an_applicable_clause_has_no_score():
    with pytest.raises(RuleError, match="没有适用的条款"):
        score(D(0), D(0))


# Reading rules


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90%", (D("0.9"), True)), ("９０％", (D("0.9"), True)), ("12", (D(12), False))],
)
def test_a_target_is_a_rate_or_a_count(text, expected):
    assert parse_target(text) == expected


@pytest.mark.parametrize("text", ["0.9", "", "九成", "90%%", "1e3", "101%"])
def test_a_doubtful_target_is_refused(text):
    with pytest.raises(RuleError):
        parse_target(text)


def test_steps_are_read_with_full_width_signs():
    wide = parse_steps("≥９０％：５；＞80%:3;", D(5))
    assert [str(step) for step in wide] == ["≥90% 得 5.00", ">80% 得 3.00"]
    assert parse_steps(">=90%:5;<=10%:3", D(5))[1].sign == "≤"
    assert parse_steps("≧2：1", D(1)) == parse_steps("≥2:1", D(1))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "没有填写"),
        ("90%:5", "读不懂"),
        ("≥90%", "读不懂"),
        ("≥90%:6", "不在 0 到满分"),
        ("≥90%:5;≥80:3", "要么都是百分数"),
        ("≥80%:3;≥90%:5", "第 2 档永远用不到"),
        ("≤2:1;≤1:2", "第 2 档永远用不到"),
        ("≥80%:3;>80%:5", "第 2 档永远用不到"),
        ("≥0.9:5", "例如 90%"),
        ("≥90%:五", "不是数字"),
        ("≥90%:-1", "不能为负"),
    ],
)
def test_steps_that_cannot_work_are_refused(text, reason):
    with pytest.raises(RuleError, match=reason):
        parse_steps(text, D(5))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"评分方法": "达标折算"}, "没有填写目标值"),
        ({"评分方法": "达标折算", "目标值": "0"}, "目标值必须大于 0"),
        ({"评分方法": "达标折算", "目标值": "0%"}, "目标值必须大于 0"),
        ({"评分方法": "达标折算", "目标值": "90%", "下限值": "60"}, "要么都是百分数"),
        ({"评分方法": "达标折算", "目标值": "60%", "下限值": "90%"}, "不能高于目标值"),
        ({"评分方法": "反向折算", "目标值": "5%", "下限值": "1%"}, "不能低于目标值"),
        ({"评分方法": "分档"}, "分档没有填写"),
        ({"评分方法": "扣分"}, "没有填写扣分单位"),
        ({"评分方法": "扣分", "扣分单位": "0"}, "扣分单位必须大于 0"),
        ({"评分方法": "手工", "允许倒扣": "是"}, "只有扣分可以允许倒扣"),
        ({"评分方法": "手工", "允许倒扣": "Y"}, "只能填是或否"),
        ({"评分方法": "是否", "分档": "≥1:1"}, "不用分档"),
        ({"评分方法": "是否", "扣分单位": "1"}, "不用扣分单位"),
        ({"评分方法": "手工", "下限值": "1"}, "不用下限值"),
        ({"评分方法": "扣分", "扣分单位": "1", "目标值": "5"}, "不用目标值"),
        ({"评分方法": "按比例"}, "不认识"),
        ({"评分方法": "手工", "满分": "0"}, "满分必须大于 0"),
        ({"评分方法": "手工", "满分": "满分"}, "满分：「满分」不是数字"),
    ],
)
def test_a_rule_that_cannot_score_is_refused_in_chinese(row, reason):
    with pytest.raises(RuleError, match=reason):
        read_rule({"满分": "5", **row})


def test_a_rule_is_read_from_the_columns_of_a_standard():
    row = {"评分方法": "达标折算", "满分": "4", "目标值": "62%", "下限值": "40%"}
    assert read_rule(row) == FLOORED
    assert (
        read_rule({"评分方法": "扣分", "满分": "2", "扣分单位": "0.5", "允许倒扣": "是"}) == BELOW
    )


# The standards that come with the portal


def clauses(name):
    with (DATA / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def leaves(name):
    rows = clauses(name)
    parents = {row["上级条款代码"] for row in rows}
    return [row for row in rows if row["条款代码"] not in parents]


@pytest.mark.parametrize("name", STANDARDS)
def test_a_demo_standard_adds_up_to_one_hundred_at_every_level(name):
    rows = clauses(name)
    assert sum(D(row["满分"]) for row in leaves(name)) == 100
    by_code = {row["条款代码"]: row for row in rows}
    assert len(by_code) == len(rows)
    seen = {""}
    children = {}
    for row in rows:
        assert row["上级条款代码"] in seen, "a clause comes after its parent"
        seen.add(row["条款代码"])
        children.setdefault(row["上级条款代码"], []).append(D(row["满分"]))
    for code, marks_below in children.items():
        assert not code or sum(marks_below) == D(by_code[code]["满分"])
    assert {row["满分"] for row in rows if not row["上级条款代码"]} >= {"10"}


@pytest.mark.parametrize("name", STANDARDS)
def test_every_clause_of_a_demo_standard_can_be_scored_and_says_how(name):
    for row in leaves(name):
        rule = read_rule(row)
        assert row["考核方式"]
        assert len(row["评分办法"]) > 10
        assert bool(row["分母名称"]) == rule.uses_rate, row["条款代码"]
        if rule.method in (Method.ATTAIN, Method.REVERSE, Method.STEPS):
            assert row["分子名称"]
        if rule.target is not None or rule.steps:
            told = row["评分办法"]
            assert "来源" in told or "示例" in told, row["条款代码"]


def test_the_demo_standards_use_every_method_and_every_service_item():
    rows = leaves(STANDARDS[0])
    assert {Method(row["评分方法"]) for row in rows} == set(Method)
    assert {row["服务项目"][:2] for row in rows} - {""} == {f"{n:02d}" for n in range(1, 13)}
    core = [row for row in rows if row["核心条款"] == "是"]
    assert core
    top = {row["条款代码"]: row["满分"] for row in clauses(STANDARDS[0])}
    assert [top[code] for code in "ABCD"] == ["10", "10", "70", "10"]


def test_every_service_item_of_the_demo_standards_is_known():
    items = Path(__file__).parents[2] / "institutions" / "data" / "items.csv"
    with items.open(encoding="utf-8", newline="") as handle:
        known = list(csv.DictReader(handle))
    codes = [item["项目代码"] for item in known]
    assert sorted(codes) == sorted([f"{n:02d}" for n in range(1, 13)] + ["07a", "07b"])
    used = {row["服务项目"] for name in STANDARDS for row in clauses(name)} - {""}
    assert used <= set(codes)
    names = {}
    for item in known:
        words = {item["名称2017"], item["名称2023"], *item["别名"].split(";")}
        for word in words:
            assert names.setdefault(word, item["项目代码"]) == item["项目代码"], word
        assert len(item["别名"].split(";")) == len(set(item["别名"].split(";")))
        assert item["重点人群"] in "是否"
