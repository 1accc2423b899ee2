"""Passwords and activation codes: the two profiles, and what both refuse.

`mlps` (default) follows GB/T 22239-2019 8.1.4.1 a: 8 characters, 3 of 4 classes, 90 days, last 5
refused. `asvs` follows OWASP ASVS 5.0 6.2.1 to 6.2.12: 12 characters, no classes, no rotation. Both
refuse words that are easily guessed, in Chinese habit: pinyin, initials of the bureau, years,
keyboard rows. Setting `PASSWORD_PROFILE`.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.crypto import constant_time_compare, salted_hmac

MAX_AGE = dt.timedelta(days=90)
KEPT = 5
DEFAULT_PROFILE = "mlps"

# No 0 O 1 I L, 2 Z, 5 S, 8 B: what is read from paper or a phone must be typed without doubt.
CODE_ALPHABET = "34679ACDEFGHJKMNPQRTUVWXY"
CODE_GROUPS = 4
CODE_GROUP_LENGTH = 4

_CLASSES = ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]")
_LEET = str.maketrans({"@": "a", "$": "s", "0": "o", "1": "l", "3": "e", "5": "s", "!": "i"})
_WORD_LIST = """
    admin administrator root user test guest demo welcome login mima password passwd pass passw
    wsj wsjkj wjw wjj wsjk wswjh jkj weijian weijianju weishengju weishengjian jiankang jiankangju
    gonggongweisheng gongwei gwdd gwjd dudao ducha jixiao kaohe yiyuan weishengyuan weishengshi
    weishengzhan fuyou fybj fybjy jikong jkzx cdc yisheng cunyi zhongguo china woaini woaizhongguo
    aini wohenhao qwer qwerty qwertyuiop asdf asdfgh asdfghjkl zxcv zxcvbn zxcvbnm qaz qazwsx wsx
    edc qazwsxedc qweasd qweasdzxc qwe asd zxc abc abcd abcde abcdef abcdefg aabbcc aaa iloveyou
    nihao dearbook xiaoming wang zhang chen
"""
_WORDS = frozenset(_WORD_LIST.split())
_RUNS = ("01234567890", "09876543210", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl")
_ROWS = ("1qaz2wsx3edc4rfv5tgb6yhn", "147258369", "159357", "5201314", "1314520", "112233445566")


def profile() -> str:
    """The profile in force: `mlps` or `asvs`."""
    return getattr(settings, "PASSWORD_PROFILE", DEFAULT_PROFILE)


def validators(profile: str = DEFAULT_PROFILE) -> list[dict[str, Any]]:
    """The list for `AUTH_PASSWORD_VALIDATORS`. Raises `ValueError` for an unknown profile."""
    if profile not in ("mlps", "asvs"):
        raise ValueError(f"PASSWORD_PROFILE is {profile!r}, must be 'mlps' or 'asvs'")
    here = "institutions.passwords."
    mlps = profile == "mlps"
    rules: list[dict[str, Any]] = [
        {"NAME": f"{here}LengthValidator", "OPTIONS": {"min_length": 8 if mlps else 12}},
        {"NAME": f"{here}WordsValidator"},
    ]
    if mlps:
        rules.insert(1, {"NAME": f"{here}ClassesValidator"})
        rules.append({"NAME": f"{here}HistoryValidator"})
    return rules


def expired(user: Any, today: dt.date) -> bool:
    """Whether the password must be changed now; never under `asvs`.

    From the 91st day after `user.password_set_on`; a password whose day is not known has expired.
    """
    if profile() != "mlps":
        return False
    return user.password_set_on is None or today - user.password_set_on > MAX_AGE


class LengthValidator:
    """At least so many characters, at most 128 (each is hashed)."""

    def __init__(self, min_length: int = 8, max_length: int = 128) -> None:
        self.min_length = min_length
        self.max_length = max_length

    def validate(self, password: str, user: Any = None) -> None:
        if len(password) < self.min_length:
            raise ValidationError(
                f"密码太短，至少 {self.min_length} 位。", code="password_too_short"
            )
        if len(password) > self.max_length:
            raise ValidationError(
                f"密码太长，最多 {self.max_length} 位。", code="password_too_long"
            )

    def get_help_text(self) -> str:
        return f"至少 {self.min_length} 位。"


class ClassesValidator:
    """Three of: lower case, upper case, digits, signs (GB/T 22239-2019 8.1.4.1 a)."""

    def __init__(self, needed: int = 3) -> None:
        self.needed = needed

    def validate(self, password: str, user: Any = None) -> None:
        if sum(bool(re.search(kind, password)) for kind in _CLASSES) < self.needed:
            raise ValidationError(self.get_help_text(), code="password_too_simple")

    def get_help_text(self) -> str:
        return f"小写字母、大写字母、数字、符号四类中至少用 {self.needed} 类。"


class WordsValidator:
    """Not a common password, a run of keys, or a known word with digits and signs around it."""

    def validate(self, password: str, user: Any = None) -> None:
        plain = unicodedata.normalize("NFKC", password).lower()
        if _is_common(plain) or len(set(plain)) < 4:
            raise ValidationError("这个密码太常见，容易被猜到。", code="password_too_common")
        for word in _own_words(user):
            if len(word) >= 4 and (word in plain or word[::-1] in plain):
                raise ValidationError(
                    "密码里不要有姓名、用户名、手机号或单位名称（含拼音）。",
                    code="password_too_similar",
                )
            if len(word) >= 2 and _core(plain) == word:
                raise ValidationError(
                    "密码不能只是姓名或单位的拼音加数字。", code="password_too_similar"
                )

    def get_help_text(self) -> str:
        return "不用常见密码、连续的键，也不用姓名、手机号、单位名称及其拼音。"


class HistoryValidator:
    """Not one of the last five: the present one and `user.password_history`, newest first."""

    def validate(self, password: str, user: Any = None) -> None:
        from django.contrib.auth.hashers import check_password  # settings load this module

        hashes = list(getattr(user, "password_history", None) or [])[:KEPT]
        current = getattr(user, "password", "")
        if current and current not in hashes:
            hashes.insert(0, current)
        if any(check_password(password, known) for known in hashes[:KEPT]):
            raise ValidationError(self.get_help_text(), code="password_used_before")

    def get_help_text(self) -> str:
        return f"不能与最近 {KEPT} 次用过的密码相同。"


def _is_common(plain: str) -> bool:
    core, common = _core(plain), _common()
    if plain in common or core in _WORDS or (len(core) >= 4 and core in common):
        return True
    letters = re.sub("[^a-z0-9]", "", plain)
    rest = letters
    for run in (*_ROWS, *_runs()):
        rest = rest.replace(run, "")
    return len(letters) >= 4 and len(rest) <= 2


def _core(plain: str) -> str:
    """What is left of p@ssw0rd2026! : the letters, common swaps of letters undone."""
    plain = re.sub("(19|20)[0-9]{2}", "", plain)
    plain = re.sub("^[^a-z]+|[^a-z]+$", "", plain)
    return re.sub("[^a-z]", "", plain.translate(_LEET))


@cache
def _runs() -> tuple[str, ...]:
    """Pieces of four keys that follow each other, forwards and backwards."""
    lines = [line for run in _RUNS for line in (run, run[::-1])]
    return tuple({line[i : i + 4] for line in lines for i in range(len(line) - 3)})


@cache
def _common() -> frozenset[str]:
    """Django's 20,000 most common passwords."""
    from django.contrib.auth.password_validation import CommonPasswordValidator

    return frozenset(CommonPasswordValidator().passwords)


def _own_words(user: Any) -> Iterator[str]:
    """What a stranger would try first for this person: name, login, phone, place of work.

    From the user's `username`, `name` and `phone`, from `password_words()` where the user has it
    (names of institutions), and from the setting `PASSWORD_CONTEXT_WORDS` (the county, the portal).
    """
    given: list[str] = [
        str(getattr(user, field, "") or "") for field in ("username", "name", "phone")
    ]
    more = getattr(user, "password_words", None)
    given += [str(word) for word in (more() if callable(more) else ())]
    given += getattr(settings, "PASSWORD_CONTEXT_WORDS", [])
    yield from dict.fromkeys(_spellings(given))


def _spellings(words: Iterable[str]) -> Iterator[str]:
    from pypinyin import lazy_pinyin  # loaded by who sets a password, not by the settings

    from institutions.pinyin import initials

    for word in words:
        plain = unicodedata.normalize("NFKC", word).strip().lower()
        if not plain:
            continue
        yield plain
        if not plain.isascii():
            yield initials(plain)
            yield "".join(lazy_pinyin(plain, errors="ignore"))
        elif plain.isdecimal() and len(plain) >= 8:
            yield from (plain[-6:], plain[-4:] * 2)


def new_activation_code() -> str:
    """A code for first sign-in, used once: 4 groups of 4, 74 bits, such as 3FKA-97QT-XMHC-D4PW."""
    letters = CODE_GROUPS * CODE_GROUP_LENGTH
    code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(letters))
    return "-".join(code[i : i + CODE_GROUP_LENGTH] for i in range(0, letters, CODE_GROUP_LENGTH))


def hash_code(code: str) -> str:
    """What is stored of an activation code: 64 hexadecimal digits, keyed by `SECRET_KEY`.

    Blanks, hyphens, case and full-width letters do not matter. No slow hash: the code is random and
    long.
    """
    plain = re.sub(r"[\s\-–—_]", "", unicodedata.normalize("NFKC", code)).upper()
    return salted_hmac("institutions.activation_code", plain, algorithm="sha256").hexdigest()


def check_code(code: str, stored: str) -> bool:
    """Whether a typed code is the stored one, compared in constant time; '' never is."""
    return bool(stored) and constant_time_compare(hash_code(code), stored)
