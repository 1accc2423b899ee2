"""Pinyin initials, so that 周村区卫生健康局 is found by typing zcqwsjkj."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from pypinyin import Style, lazy_pinyin


@lru_cache(maxsize=65_536)
def initials(text: str) -> str:
    """The first letter of each character's reading, in lower case; Latin letters and digits stay.

    Readings go by phrase (重庆 is cq). Everything else, such as brackets and blanks, is left out.
    """
    plain = unicodedata.normalize("NFKC", text).lower()
    letters = "".join(lazy_pinyin(plain, style=Style.FIRST_LETTER, errors="default"))
    return "".join(letter for letter in letters if letter.isascii() and letter.isalnum())
