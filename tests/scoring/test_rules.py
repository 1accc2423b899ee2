from dataclasses import replace
from decimal import Decimal as D
from fractions import Fraction as F

import pytest
from hypothesis import given
from hypothesis import strategies as st

from institutions import policy
from scoring.rules import (
    POLICY_KEYS,
    ScoringError,
    Standing,
    Work,
    applied_quality,
    grade,
    parse_policy_value,
    policy_from,
    quality,
    quarter_score,
    rank,
    ranking_group,
    ratio,
    ratio_text,
    settle_by_equivalents,
    settle_by_ratio,
    year_score,
)

POLICY = policy_from({}, 2023)
QUARTER = D("0.25")
EVEN = (QUARTER,) * 4
ALL = {1, 2, 3, 4}
scores = st.integers(0, 10000).map(lambda hundredths: D(hundredths).scaleb(-2))


def oracle(value):
    """Round half up to hundredths by integer division alone (not negative)."""
    return F((value * 200 + 1) // 2, 100)


# Policy


def test_the_policy_has_the_keys_and_defaults_of_the_format():
    assert list(POLICY_KEYS) == [
        "考核次数",
        "季度权重",
        "加分上限",
        "全额线",
        "拨付线",
        "比例基数",
        "人均标准",
        "承担比例",
        "结算方式",
        "资金池",
        "修正方式",
        "修正阈值",
        "等次线",
        "等级分",
        "反弹期",
        "签收期",
        "申诉期",  # beyond the format: how long results may be objected to
        "村级占比",  # beyond the format: what of a centre's money is its clinics'
        "年终构成",  # beyond the format, without effect unless written: docs/arithmetic.md
        "日常扣分",
        "第二人复核",
        "自评偏差线",
        "自评偏差扣分",
    ]
    assert POLICY.sheets_due == 4
    assert POLICY.quarter_weights == EVEN
    assert POLICY.bonus_cap == 5
    assert (POLICY.full_line, POLICY.pay_line, POLICY.ratio_base) == (90, 60, 100)
    assert (POLICY.per_capita, POLICY.share, POLICY.method) == (89, 1, "比例法")
    assert POLICY.pool is None and POLICY.village_share is None
    assert (POLICY.quality_rule, POLICY.quality_threshold) == ("全额", D("0.85"))
    assert POLICY.grade_lines == (90, 80, 60)
    assert POLICY.grade_shares == {"A": 1, "B": D("0.8"), "C": D("0.6"), "D": 0}
    assert (POLICY.rebound_months, POLICY.sign_days) == (12, 3)
    # The floor below goes by the same numbers where nothing is written.
    assert {"反弹期": POLICY.rebound_months, "签收期": POLICY.sign_days} == policy.DEFAULTS


@pytest.mark.row("C05")
@pytest.mark.parametrize(
    ("year", "yuan"),
    [
        (2017, 50),
        (2019, 69),
        (2020, 74),
        (2021, 79),
        (2022, 84),
        (2023, 89),
        (2024, 94),
        (2025, 99),
    ],
)
def test_the_per_capita_standard_of_a_year(year, yuan):
    assert policy_from({}, year).per_capita == yuan


@pytest.mark.parametrize("year", [2016, 2018, 2026])
def test_a_year_without_a_per_capita_standard_is_refused_unless_written(year):
    with pytest.raises(ScoringError, match=f"{year} 年没有默认的人均标准"):
        policy_from({}, year)
    assert policy_from({"人均标准": "55.50"}, year).per_capita == D("55.50")


def test_a_centre_overrides_its_bureau_key_by_key():
    bureau = {"全额线": "95", "资金池": "1000"}
    own = {"资金池": "150000.00", "结算方式": "当量法"}
    policy = policy_from({**bureau, **own}, 2023)
    assert (policy.full_line, policy.pool, policy.method) == (95, 150000, "当量法")


@pytest.mark.parametrize(
    ("key", "text", "reason"),
    [
        ("考核次数", "0", "不在 1 到 12"),
        ("考核次数", "四", "不是数字"),
        ("季度权重", "25%;25%;25%", "要有 4 个值"),
        ("季度权重", "25%;25%;25%;24%", r"合计是 99\.00%，必须是 100%"),
        ("季度权重", "0.25;0.25;0.25;0.25", "例如 25%"),
        ("加分上限", "101", "不在 0 到 100"),
        ("全额线", "-1", "不能为负"),
        ("拨付线", "60%", "百分数"),
        ("比例基数", "0", "必须大于 0"),
        ("人均标准", "", "没有填写"),
        ("人均标准", "1e3", "不是数字"),
        ("承担比例", "0.8", "例如 80%"),
        ("结算方式", "按人头", "只能填比例法或当量法或单价法"),
        ("资金池", "0.00", "必须大于 0"),
        ("资金池", "0.001", "小数最多 2 位"),
        ("修正方式", "不修正", "只能填全额或低于阈值"),
        ("修正阈值", "120%", "不能超过 100%"),
        ("等次线", "60;80;90", "从高到低"),
        ("等级分", "60%;80%;100%;0%", "从高到低"),
        ("反弹期", "0", "不在 1 到 120"),
        ("满分线", "90", "项「满分线」不认识"),
    ],
)
def test_a_policy_value_that_cannot_be_meant_is_refused_with_a_hint(key, text, reason):
    with pytest.raises(ScoringError, match=reason):
        parse_policy_value(key, text)
    with pytest.raises(ScoringError, match=reason):
        policy_from({key: text}, 2023)


def test_chinese_separators_and_full_width_digits_are_read():
    policy = policy_from({"季度权重": "１０％；20%、30%;40%", "等次线": "95；85；70"}, 2023)
    assert policy.quarter_weights == (D("0.1"), D("0.2"), D("0.3"), D("0.4"))
    assert policy.grade_lines == (95, 85, 70)


def test_the_pay_line_cannot_be_above_the_full_line():
    with pytest.raises(ScoringError, match="拨付线 95 不能高于全额线 90"):
        policy_from({"拨付线": "95"}, 2023)


# Quarters and year


@pytest.mark.row("A35", "X07")
def test_quarters_are_weighed_and_the_sum_is_written_out():
    got = quarter_score({1: D(90), 2: D("85.5"), 3: D(80), 4: D("92.33")}, EVEN, ALL)
    assert got.score == D("86.96")
    assert got.absent == ()
    assert got.explanation == (
        "90.00 × 25.00% + 85.50 × 25.00% + 80.00 × 25.00% + 92.33 × 25.00% = 86.96"
    )


@pytest.mark.row("C34")
def test_a_due_quarter_without_a_final_sheet_counts_nothing_and_is_named():
    got = quarter_score({1: D(80), 2: None, 3: D(80)}, EVEN, ALL)
    assert (got.score, got.absent) == (D("40.00"), (2, 4))
    assert "0.00（缺考） × 25.00%" in got.explanation


def test_weight_nought_is_not_due():
    weights = (D(0), D("0.5"), D("0.5"), D(0))
    got = quarter_score({1: D(10), 2: D(80), 3: D(90)}, weights, ALL)
    assert (got.score, got.absent) == (D("85.00"), ())


def test_the_weights_of_an_institution_opened_in_the_year_are_rescaled():
    weights = (D("0.1"), D("0.2"), D("0.3"), D("0.4"))
    got = quarter_score({3: D(90), 4: D(80)}, weights, {3, 4})
    assert (got.score, got.absent) == (D("84.29"), ())
    assert got.explanation == "(90.00 × 30.00% + 80.00 × 40.00%) ÷ 70.00% = 84.29"
    assert quarter_score({3: D(90)}, weights, {3, 4}).absent == (4,)


def test_no_quarter_due_is_no_score():
    with pytest.raises(ScoringError, match="没有应考核的季度"):
        quarter_score({}, EVEN, set())
    with pytest.raises(ScoringError, match="没有应考核的季度"):
        quarter_score({1: D(90)}, (D(0), D(1), D(0), D(0)), {1})


@given(
    st.dictionaries(st.integers(1, 4), st.none() | scores),
    st.lists(st.integers(0, 50), min_size=4, max_size=4).filter(any),
    st.sets(st.integers(1, 4), min_size=1),
)
def test_the_quarterly_score_agrees_with_the_oracle(given_scores, raw, due):
    weights = [D(part) for part in raw]
    counted = [q for q in due if raw[q - 1]]
    if not counted:
        return
    gained = sum(F(given_scores.get(q) or 0) * raw[q - 1] for q in counted)
    got = quarter_score(given_scores, weights, due)
    assert F(got.score) == oracle(gained / sum(raw[q - 1] for q in counted))
    assert 0 <= got.score <= 100
    assert set(got.absent) == {q for q in counted if given_scores.get(q) is None}


@pytest.mark.parametrize(
    ("quarterly", "bonus", "deduction", "expected"),
    [
        ("86.96", "2", "1.5", "87.46"),
        ("86.96", "9", "0", "91.96"),
        ("98", "5", "0", "100.00"),
        ("98", "5", "4", "99.00"),
        ("1", "0", "3", "0.00"),
    ],
)
def test_the_bonus_is_capped_and_the_year_stays_within_a_hundred(
    quarterly, bonus, deduction, expected
):
    assert str(year_score(D(quarterly), D(bonus), D(deduction), D(5))) == expected


def test_bonus_and_deduction_are_written_positive():
    with pytest.raises(ScoringError, match="写成正数"):
        year_score(D(80), D(0), D(-1), D(5))


@pytest.mark.parametrize(
    ("score", "veto", "word"),
    [
        ("90", False, "优秀"),
        ("89.99", False, "良好"),
        ("80", False, "良好"),
        ("79.99", False, "合格"),
        ("60", False, "合格"),
        ("59.99", False, "不合格"),
        ("100", True, "不合格"),
    ],
)
def test_grades_at_their_lines(score, veto, word):
    assert grade(D(score), veto, POLICY.grade_lines) == word


# Ranks


def test_equal_scores_share_a_rank_and_vetoed_ones_come_last():
    rows = [
        Standing("C", 1, D("85.50")),
        Standing("V2", 1, D("70.00"), veto=True),
        Standing("B", 1, D("85.5")),
        Standing("A", 1, D("92")),
        Standing("V1", 1, D("99"), veto=True),
        Standing("D", 1, D("60")),
        Standing("V3", 1, D("70"), veto=True),
        Standing("Z", 0, D("10")),
    ]
    assert [(row.standing.code, row.rank) for row in rank(rows)] == [
        ("Z", 1),
        ("A", 1),
        ("B", 2),
        ("C", 2),
        ("D", 4),
        ("V1", 5),
        ("V2", 6),
        ("V3", 6),
    ]
    assert rank([]) == []


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5).map(D), st.booleans()), max_size=30))
def test_a_rank_is_one_more_than_the_number_of_better_ones(raw):
    rows = [Standing(f"{n:03d}", *row) for n, row in enumerate(raw)]
    for row in rank(rows):
        one = row.standing
        better = [
            other
            for other in rows
            if other.group == one.group and (other.veto, -other.score) < (one.veto, -one.score)
        ]
        assert row.rank == len(better) + 1


def test_ranking_groups():
    def group(kind, *also, parent="B"):
        return ranking_group(kind, also, bureau="B", parent=parent)

    town = group("乡镇卫生院")
    assert town == group("社区卫生服务中心") == group("妇幼保健院", "社区卫生服务中心")
    assert town.label == "乡镇卫生院、社区卫生服务中心"
    assert group("村卫生室", parent="X") == group("社区卫生服务站", parent="X")
    assert group("村卫生室", parent="X") != group("村卫生室", parent="Y")
    assert group("医院") != group("妇幼保健院")
    assert town < group("村卫生室", parent="X") < group("村卫生室", parent="Y") < group("医院")


# 比例法


@pytest.mark.row("C07", "C08", "C09")
@pytest.mark.parametrize(
    ("score", "veto", "approved", "top_up", "printed"),
    [
        ("92", False, "2670000.00", "0.00", "100.00%"),
        ("90", False, "2670000.00", "0.00", "100.00%"),
        ("89.99", False, "2402733.00", "267267.00", "89.99%"),
        ("85.50", False, "2282850.00", "387150.00", "85.50%"),
        ("60", False, "1602000.00", "1068000.00", "60.00%"),
        ("59.99", False, "0.00", "2670000.00", "0.00%"),
        ("92", True, "0.00", "0.00", "0.00%"),
    ],
)
def test_thirty_thousand_people_at_eighty_nine_yuan(score, veto, approved, top_up, printed):
    got = settle_by_ratio(30000, POLICY, D(score), veto, D("1000000"))
    assert str(got.due) == "2670000.00"
    assert (str(got.approved), str(got.top_up)) == (approved, top_up)
    assert ratio_text(got.ratio) == printed
    assert got.balance == D(approved) - 1000000


@pytest.mark.row("C26")
def test_a_veto_takes_all_of_the_years_money_and_is_not_topped_up():
    got = settle_by_ratio(1234, POLICY, D(100), True, D("5000.00"))
    assert (got.approved, got.top_up, got.balance) == (0, 0, D("-5000.00"))


def test_the_ratio_is_exact_and_only_printed_rounded():
    policy = replace(POLICY, ratio_base=D(90))
    got = settle_by_ratio(100000, policy, D("63.34"), False)
    assert got.ratio == F(6334, 9000)
    assert ratio_text(got.ratio) == "70.38%"
    assert got.approved == D("6263622.22")
    assert ratio(D("89.99"), False, replace(policy, ratio_base=D(60))) == 1


def test_the_share_of_the_payer_is_applied_before_rounding():
    policy = replace(POLICY, share=D("0.3333"), per_capita=D("89.50"))
    assert settle_by_ratio(7, policy, D(95), False).due == D("208.81")


def test_a_negative_population_is_refused():
    with pytest.raises(ScoringError, match="服务人口不能为负"):
        settle_by_ratio(-1, POLICY, D(90), False)


@pytest.mark.row("C10")
@given(st.integers(0, 2_000_000), scores, st.booleans(), st.sampled_from([60, 90, 100]))
def test_paid_and_topped_up_make_what_is_due(people, score, veto, base):
    policy = replace(POLICY, ratio_base=D(base))
    got = settle_by_ratio(people, policy, score, veto)
    due = people * 89
    assert got.due == due
    assert 0 <= got.approved <= got.due
    assert got.approved + got.top_up == (0 if veto else due)
    if veto or score < 60:
        assert got.approved == 0
    else:
        share = F(1) if score >= 90 else min(F(1), F(score) / base)
        assert F(got.approved) == oracle(due * share)


@given(st.integers(0, 2_000_000), scores, scores)
def test_a_better_score_never_earns_less(people, one, other):
    low, high = sorted([one, other])
    worse, better = (settle_by_ratio(people, POLICY, score, False) for score in (low, high))
    assert worse.approved <= better.approved


# 当量法


def pool(yuan, **more):
    return replace(POLICY, method="当量法", pool=D(yuan), **more)


WORK = [Work("A", D(1000), D(1), D("0.9000")), Work("B", D(600), D(1), D(1))]


@pytest.mark.row("D12", "D29", "A26")
def test_equivalents_are_corrected_by_quality():
    got = settle_by_equivalents("AB", WORK, pool(150000), prepaid={"A": D("40000.00")})
    assert got.equivalents == {"A": 900, "B": 600}
    assert got.unit_price == 100
    first, second = got.amounts["A"], got.amounts["B"]
    assert (str(first.due), str(second.due)) == ("90000.00", "60000.00")
    assert (first.balance, second.balance) == (D("50000.00"), D("60000.00"))
    assert (first.ratio, first.top_up, ratio_text(first.ratio)) == (None, 0, "")


def test_only_a_quality_below_the_threshold_corrects():
    policy = pool(150000, quality_rule="低于阈值")
    got = settle_by_equivalents("AB", WORK, policy)
    assert (got.amounts["A"].due, got.amounts["B"].due) == (D("93750.00"), D("56250.00"))
    assert applied_quality(D("0.8500"), policy) == 1
    assert applied_quality(D("0.8499"), policy) == D("0.8499")
    assert applied_quality(D("0.9"), POLICY) == D("0.9")


def test_the_part_of_a_vetoed_one_is_withheld_and_not_given_to_the_others():
    got = settle_by_equivalents("ABC", WORK, pool(150000), vetoed={"A"})
    assert (got.amounts["A"].due, got.amounts["A"].approved) == (D("90000.00"), 0)
    assert got.amounts["A"].top_up == 0
    assert got.amounts["B"].approved == D("60000.00")
    assert got.amounts["C"].approved == 0


@pytest.mark.parametrize(
    ("points", "full", "expected"),
    [("2", "3", "0.6667"), ("-1", "3", "0.0000"), ("4", "3", "1.0000"), ("1", "20000", "0.0001")],
)
def test_quality_has_four_places_within_one(points, full, expected):
    assert str(quality(D(points), D(full))) == expected


def test_what_cannot_be_split_is_refused():
    with pytest.raises(ScoringError, match="没有填写资金池"):
        settle_by_equivalents("AB", WORK, replace(POLICY, method="当量法"))
    with pytest.raises(ScoringError, match="都是 0"):
        settle_by_equivalents("AB", [], pool(1))
    with pytest.raises(ScoringError, match="不在结算名单中"):
        settle_by_equivalents("A", WORK, pool(1))
    with pytest.raises(ScoringError, match="不能为负"):
        settle_by_equivalents("A", [Work("A", D(-1), D(1), D(1))], pool(1))
    with pytest.raises(ScoringError, match="没有适用的条款"):
        quality(D(0), D(0))


works = st.builds(
    Work,
    st.sampled_from("ABCDE"),
    st.integers(0, 10**6).map(D),
    st.integers(1, 100000).map(lambda n: D(n).scaleb(-4)),
    st.integers(0, 10000).map(lambda n: D(n).scaleb(-4)),
)


@given(
    st.lists(works, max_size=20),
    st.integers(1, 10**11).map(lambda cents: D(cents).scaleb(-2)),
    st.sets(st.sampled_from("ABCDE")),
)
def test_the_pool_is_given_to_the_cent(rows, yuan, vetoed):
    sums = dict.fromkeys("ABCDE", F(0))
    for row in rows:
        sums[row.code] += F(row.quantity) * F(row.coefficient) * F(row.quality)
    if not any(sums.values()):
        with pytest.raises(ScoringError):
            settle_by_equivalents("ABCDE", rows, pool(yuan), vetoed=vetoed)
        return
    got = settle_by_equivalents("ABCDE", rows, pool(yuan), vetoed=vetoed)
    assert sum(amounts.due for amounts in got.amounts.values()) == yuan
    for code, amounts in got.amounts.items():
        assert abs(F(amounts.due) - F(yuan) * sums[code] / sum(sums.values())) < F(1, 100)
        assert amounts.approved == (0 if code in vetoed else amounts.due)
