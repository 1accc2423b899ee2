"""Money as arithmetic: every tier's parts are its pool, against an oracle in fractions; prices; amounts in capitals."""

import random
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from institutions.rounding import split
from scoring import rules
from scoring.rules import ScoringError, Work, capitals, settle_by_price, two_tiers

CENT = Fraction(1, 100)
cents = st.integers(1, 10**12)
# Zeros, ties and one member come up often.
weight = st.one_of(
    st.just(Decimal(0)),
    st.sampled_from([Decimal(1), Decimal("2.5")]),
    st.integers(0, 10**9).map(lambda n: Decimal(n).scaleb(-6)),
)


def oracle(pool: Fraction, weights: dict[str, Fraction]) -> dict[str, Fraction]:
    """Largest remainder said otherwise: give a cent at a time to whoever is furthest below his exact part."""
    whole = sum(weights.values())
    exact = {key: pool * one / whole for key, one in weights.items()}
    given = {key: part // CENT * CENT for key, part in exact.items()}
    while sum(given.values()) < pool:
        first = max(sorted(given), key=lambda key: exact[key] - given[key])
        given[first] += CENT
    return given


@pytest.mark.row("A26", "X08")
@settings(max_examples=2000, deadline=None)
@given(cents, st.lists(weight, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_the_parts_of_any_pool_are_the_pool_in_any_order(pool, weights, shuffler):
    if not any(weights):
        weights[0] = Decimal(1)
    by_code = {f"ZC-{place:02d}": one for place, one in enumerate(weights)}
    amount = Decimal(pool).scaleb(-2)
    parts = split(amount, by_code)
    assert sum(parts.values()) == amount, "0.00 yuan off"
    expected = oracle(Fraction(amount), {key: Fraction(one) for key, one in by_code.items()})
    assert {key: Fraction(part) for key, part in parts.items()} == expected
    assert all(not part for key, part in parts.items() if not by_code[key])
    mixed = list(by_code.items())
    shuffler.shuffle(mixed)
    assert split(amount, dict(mixed)) == parts, "the order of rows is irrelevant"


@settings(max_examples=500, deadline=None)
@given(st.integers(-(10**12), 10**12), st.integers(0, 10_000))
def test_the_two_tiers_of_a_centre_are_its_amount(amount, share):
    whole, rate = Decimal(amount).scaleb(-2), Decimal(share).scaleb(-4)
    own, village = two_tiers(whole, rate)
    assert own + village == whole
    assert abs(Fraction(village) - Fraction(whole) * Fraction(rate)) <= CENT
    assert (own >= 0 and village >= 0) if amount >= 0 else (own <= 0 and village <= 0)


def test_four_tenths_go_to_the_villages():
    assert two_tiers(Decimal("100.01"), Decimal("0.4")) == (Decimal("60.01"), Decimal("40.00"))


@pytest.mark.row("D29")
def test_by_price_a_service_earns_its_price_times_quality_rounded_once():
    policy = rules.policy_from({"结算方式": "单价法"}, 2023)
    work = [
        Work("A", Decimal("10"), Decimal("8.33"), Decimal("0.9000")),
        Work("A", Decimal("3"), Decimal("118.50"), Decimal("0.3333")),
        Work("B", Decimal("1"), Decimal("8.33"), Decimal("1")),
    ]
    paid = settle_by_price("AB", work, policy, vetoed=["B"], prepaid={"A": Decimal("100")})
    # 74.97 + 118.48815 = 193.45815
    assert (paid["A"].due, paid["A"].approved, paid["A"].balance) == (
        Decimal("193.46"),
        Decimal("193.46"),
        Decimal("93.46"),
    )
    assert (paid["B"].due, paid["B"].approved, paid["B"].top_up) == (Decimal("8.33"), 0, 0)
    below = rules.policy_from({"结算方式": "单价法", "修正方式": "低于阈值"}, 2023)
    # Nine tenths is not below 85 %: only the other line is corrected. 83.30 + 118.48815
    assert settle_by_price("AB", work, below)["A"].due == Decimal("201.79")
    mixed = random.Random(1).sample(work, len(work))
    assert settle_by_price("BA", mixed, policy)["A"].due == Decimal("193.46")
    with pytest.raises(ScoringError, match="不在结算名单"):
        settle_by_price("A", work, policy)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "人民币零元整"),
        ("0.05", "人民币伍分"),
        ("1409.50", "人民币壹仟肆佰零玖元伍角整"),
        ("6007.14", "人民币陆仟零柒元壹角肆分"),
        ("16409.02", "人民币壹万陆仟肆佰零玖元零贰分"),
        ("325.04", "人民币叁佰贰拾伍元零肆分"),
        ("10005.03", "人民币壹万零伍元零叁分"),
        ("2670000.00", "人民币贰佰陆拾柒万元整"),
        ("100010000", "人民币壹亿零壹万元整"),
        ("-12.30", "人民币负壹拾贰元叁角整"),
    ],
)
def test_amounts_in_capitals_as_on_vouchers(amount, text):
    assert capitals(Decimal(amount)) == text


VALUES = {word: value for value, word in enumerate("零壹贰叁肆伍陆柒捌玖")}


def read_capitals(text: str) -> Decimal:
    """Read capitals back, by a reader of its own."""
    text = text.removeprefix("人民币")
    sign = -1 if text.startswith("负") else 1
    total = section = digit = Decimal(0)
    places = {"仟": 1000, "佰": 100, "拾": 10}
    for letter in text.removeprefix("负").removesuffix("整"):
        if letter in VALUES:
            digit = Decimal(VALUES[letter])
        elif letter in places:
            section, digit = section + digit * places[letter], Decimal(0)
        elif letter in "万亿":
            total += (section + digit) * (10**4 if letter == "万" else 10**8)
            section = digit = Decimal(0)
        elif letter == "元":
            total, section, digit = total + section + digit, Decimal(0), Decimal(0)
        else:
            total += digit / (10 if letter == "角" else 100)
            digit = Decimal(0)
    return sign * total


@settings(max_examples=1000, deadline=None)
@given(st.integers(-(10**14) + 1, 10**14 - 1))
def test_capitals_read_back_are_the_amount(amount):
    value = Decimal(amount).scaleb(-2)
    text = capitals(value)
    assert read_capitals(text) == value and "零零" not in text


def test_what_capitals_cannot_say_is_refused():
    for bad in ("0.001", "1000000000000"):
        with pytest.raises(ValueError, match="金额"):
            capitals(Decimal(bad))
