"""Numbers given by the state: what they must look like, and how they are shown.

统一社会信用代码 (GB 32100-2015) and resident numbers are checked by python-stdnum; so is the table of
divisions (GB/T 2260, province to county, with the years a name was in use).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import NamedTuple

from stdnum.cn import ric, uscc
from stdnum.exceptions import InvalidChecksum, InvalidLength, ValidationError

NONE_YET = "暂无"

# Where python-stdnum 2.2 is wrong: rows out of use that carry no year, and Hangzhou's districts of
# 2021.
_OUT_OF_USE = {"422900", "422921", "429001"}
_MISSING = {"330113": "[2021-]临平区", "330114": "[2021-]钱塘区"}

_REGISTRATION = re.compile(r"[0-9A-Z]{9}[0-9]{8}[A-Z][0-9]{4}|[0-9]{12}")
_RESIDENT = re.compile(r"(?<![0-9A-Za-z])([1-9][0-9]{3})[0-9]{11,13}([0-9Xx])(?![0-9A-Za-z])")
_PHONE = re.compile(r"(?<![0-9])(1[3-9][0-9])[0-9]{3,4}([0-9]{4})(?![0-9])")
_LINE = re.compile(r'^(?P<indent> *)(?P<code>[0-9]+) (?:province|county)="(?P<names>[^"]*)"')
_NAME = re.compile(r"\[(?P<since>[0-9]*)-(?P<until>[0-9]*)\](?P<name>.+)")


class RegionName(NamedTuple):
    """A division of GB/T 2260; the years are when this name was valid, None where unlimited."""

    code: str  # six digits
    name: str
    level: str  # 省, 市 or 县
    parent_code: str  # '' for a province
    since: int | None
    until: int | None  # the last year; None while in use


def check_uscc(text: str) -> str:
    """A 统一社会信用代码 in its plain form. Raises `ValueError` with a Chinese reason."""
    try:
        return uscc.validate(text)
    except InvalidLength as error:
        raise ValueError("统一社会信用代码应为 18 位") from error
    except InvalidChecksum as error:
        raise ValueError("统一社会信用代码的校验位不对，请核对原件") from error
    except ValidationError as error:
        raise ValueError("统一社会信用代码应为 18 位数字和大写字母，不含 I、O、S、V、Z") from error


def check_registration(text: str) -> str:
    """A 医疗机构登记号 in its plain form, or 暂无. Raises `ValueError`.

    22 characters: organisation 9 (provisional ones begin PDY), division 6, economic type 2,
    kind 1 letter and 3 digits, management 1 (WS 218-2002). Old small units have 12 digits.
    """
    plain = re.sub(r"[\s-]", "", text).upper()
    if plain == NONE_YET:
        return NONE_YET
    if not _REGISTRATION.fullmatch(plain):
        raise ValueError("医疗机构登记号应为 22 位（早期为 12 位数字），没有的填“暂无”")
    return plain


def check_resident_id(text: str) -> str:
    """An 18 digit resident number whose check digit and birth date hold. Raises `ValueError`."""
    plain = re.sub(r"\s", "", text).upper()
    try:
        if len(plain) != 18 or not re.fullmatch("[0-9]{17}[0-9X]", plain):
            raise InvalidLength
        if plain[-1] != ric.calc_check_digit(plain):
            raise InvalidChecksum
        ric.get_birth_date(plain)
    except (ValidationError, ValueError) as error:
        raise ValueError("身份证号不正确，应为 18 位且校验位相符") from error
    return plain


def check_phone(text: str) -> str:
    """A mobile or fixed number, digits and one hyphen. Raises `ValueError`."""
    plain = re.sub(r"\s", "", text)
    if not re.fullmatch(r"1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8}", plain):
        raise ValueError("电话号码不正确，手机号应为 11 位，座机如 0533-6195000")
    return plain


def mask_phone(text: str) -> str:
    """138****0000 for a mobile; the last four digits of any other number are hidden."""
    if match := _PHONE.fullmatch(text):
        return f"{match[1]}****{match[2]}"
    return text[:-4] + "****" if len(text) > 4 else "*" * len(text)


def mask_resident_id(text: str) -> str:
    """The first four and the last character of a resident number, the rest hidden."""
    return f"{text[:4]}{'*' * max(0, len(text) - 5)}{text[-1:]}"


def mask_personal(text: str) -> str:
    """Text with everything that looks like a resident or mobile number hidden, right or wrong."""
    text = _RESIDENT.sub(lambda match: mask_resident_id(match[0]), text)
    return _PHONE.sub(lambda match: f"{match[1]}****{match[2]}", text)


def regions(*, include_former: bool = False) -> Iterator[RegionName]:
    """The divisions from province to county, in order of their codes, parents first.

    In use only, each code once. With `include_former` also abolished and earlier names: then a code
    may come several times, told apart by its years and name. A county run by its province has the
    province as parent.
    """
    current = {row.code for row in _all_names() if row.until is None}
    for row in _all_names():
        if row.until is None or include_former:
            yield row._replace(parent_code=_parent(row.code, current))


def _parent(code: str, current: set[str]) -> str:
    if code.endswith("0000"):
        return ""
    city = f"{code[:4]}00"
    return city if city != code and city in current else f"{code[:2]}0000"


@cache
def _all_names() -> tuple[RegionName, ...]:
    found: list[RegionName] = []
    province = ""
    source = resources.files("stdnum.cn").joinpath("loc.dat")
    for line in source.read_text(encoding="utf-8").splitlines():
        if not (match := _LINE.match(line)):
            continue
        if not match["indent"]:
            province = match["code"]
            continue
        if (code := province + match["code"]) not in _OUT_OF_USE:
            found.extend(_names(code, match["names"]))
    known = {row.code for row in found}
    for code, names in _MISSING.items():
        found.extend(_names(code, names) if code not in known else ())
    return tuple(sorted(found, key=lambda row: (row.code, row.since or 0)))


def _names(code: str, names: str) -> Iterator[RegionName]:
    level = "省" if code.endswith("0000") else "市" if code.endswith("00") else "县"
    for part in names.split(","):
        match = _NAME.fullmatch(part)
        name = match["name"] if match else part
        since = int(match["since"]) if match and match["since"] else None
        until = int(match["until"]) if match and match["until"] else None
        yield RegionName(code, name, level, "", since, until)
