"""Passwords by both profiles, and the codes that stand in for a first one."""

from __future__ import annotations

import datetime as dt
import math
from types import SimpleNamespace

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import (
    get_password_validators,
    password_validators_help_texts,
    validate_password,
)
from django.core.exceptions import ValidationError

from institutions import passwords

TODAY = dt.date(2023, 11, 20)


def person(**more: object) -> SimpleNamespace:
    given = {
        "username": "fuyouke01",
        "name": "基妇科经办人",
        "phone": "13800138000",
        "password": "",
    }
    words = {"password_words": lambda: ["周村区卫生健康局", "北郊镇卫生院"]}
    return SimpleNamespace(**given | words | more)


def reasons(password: str, profile: str = "mlps", user: object = None) -> list[str]:
    rules = get_password_validators(passwords.validators(profile))
    try:
        validate_password(password, user or person(), rules)
    except ValidationError as error:
        return error.messages
    return []


@pytest.mark.parametrize(
    "password", ["Tuqi#7mawo", "竹林 Qfz47-rn", "9hK!vex2", "x" * 3 + "K7#mvqzj"]
)
def test_a_good_password_passes(password):
    assert reasons(password) == []


@pytest.mark.parametrize("password", ["correct horse battery staple", "竹林里有三只安静的大熊猫呀"])
def test_asvs_asks_for_length_and_for_no_classes(password):
    assert reasons(password, "asvs") == []
    assert reasons("9hK!vex2", "asvs") == ["密码太短，至少 12 位。"]


@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("9hK!vex", "至少 8 位"),
        ("K7#m" * 33, "最多 128 位"),
        ("tuqimawo", "至少用 3 类"),
        ("tuqi47mawo", "至少用 3 类"),
        ("Password1!", "太常见"),
        ("P@ssw0rd2026", "太常见"),
        ("Admin@123", "太常见"),
        ("Wsj@2026", "太常见"),
        ("Wjw#20231120", "太常见"),
        ("Weishengju#1", "太常见"),
        ("1qaz@WSX", "太常见"),
        ("Qwer1234!", "太常见"),
        ("Abcd1234!", "太常见"),
        ("Abc@123456", "太常见"),
        ("Aa1!Aa1!aa", "太常见"),
        ("5201314Aa!", "太常见"),
        ("Fuyouke01#X", "姓名、用户名"),
        ("Xy#13800138000", "姓名、用户名"),
        ("Zcqwsjkj@2026", "单位"),
        ("Aa1!周村区卫生健康局", "单位"),
        ("Bjzwsy#2023", "单位"),
        ("Zhoucunquweishengjiankangju#1", "单位"),
    ],
)
def test_a_poor_password_is_refused_in_chinese(password, word):
    assert any(word in reason for reason in reasons(password))


def test_the_words_of_the_county_come_from_the_settings(settings):
    settings.PASSWORD_CONTEXT_WORDS = ["王村"]
    assert reasons("Wangcun#2023x")
    assert reasons("Xuecun#7q2023") == []


def test_both_profiles_refuse_what_is_guessed_first():
    for profile in ("mlps", "asvs"):
        assert reasons("Password2026!", profile)
        assert reasons("Zhoucunquweishengjiankangju#1", profile)


def test_the_last_five_passwords_are_refused_and_the_sixth_is_not():
    used = [f"Tuqi#{n}mawo" for n in range(7)]
    hashes = [make_password(word) for word in used]
    user = person(password=hashes[6], password_history=hashes[5::-1])
    assert [bool(reasons(word, user=user)) for word in used] == [False, False, *[True] * 5]
    assert reasons(used[6], "asvs", user) == ["密码太短，至少 12 位。"]


@pytest.mark.parametrize(
    ("profile", "set_on", "expected"),
    [
        ("mlps", TODAY - dt.timedelta(days=90), False),
        ("mlps", TODAY - dt.timedelta(days=91), True),
        ("mlps", None, True),
        ("asvs", TODAY - dt.timedelta(days=900), False),
        ("asvs", None, False),
    ],
)
def test_a_password_is_changed_after_ninety_days_only_under_mlps(
    settings, profile, set_on, expected
):
    settings.PASSWORD_PROFILE = profile
    assert passwords.expired(person(password_set_on=set_on), TODAY) is expected


def test_the_help_texts_are_chinese_sentences():
    for profile in ("mlps", "asvs"):
        texts = password_validators_help_texts(
            get_password_validators(passwords.validators(profile))
        )
        assert all(text.endswith("。") and not text.isascii() for text in texts)


def test_an_unknown_profile_stops_the_start():
    with pytest.raises(ValueError, match="PASSWORD_PROFILE"):
        passwords.validators("none")


def test_an_activation_code_is_long_random_and_typed_without_doubt():
    codes = {passwords.new_activation_code() for _ in range(2_000)}
    assert len(codes) == 2_000
    letters = {letter for code in codes for letter in code} - {"-"}
    assert not letters & set("0O1IL2Z5S8B")
    assert {tuple(map(len, code.split("-"))) for code in codes} == {(4, 4, 4, 4)}
    assert 16 * math.log2(len(letters)) >= 60


def test_a_code_is_recognised_however_it_is_typed_and_no_other_is():
    code = passwords.new_activation_code()
    stored = passwords.hash_code(code)
    assert code not in stored and len(stored) == 64
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in code)
    for typed in (code, code.lower(), code.replace("-", ""), f" {code.replace('-', ' ')} ", wide):
        assert passwords.check_code(typed, stored)
    assert not passwords.check_code(passwords.new_activation_code(), stored)
    assert not passwords.check_code("", stored)
    assert not passwords.check_code("", "")
