"""Exact decimal arithmetic: one rounding, one way to split, one way to read a number.

Pure functions without a database. Points and money are ``Decimal`` with a fixed number of
places, ratios are ``Fraction`` until they are rounded; a ``float`` never enters.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

Exact = Decimal | Fraction | int

MAX_DIGITS = 12
"""Digits before the point: with four places the integer in the database stays below 2**63."""

_PLAIN = str.maketrans("０１２３４５６７８９．％＋－−", "0123456789.%+--")
_DIGITS = frozenset("0123456789")


class NumberRefused(ValueError):
    """A written number cannot be taken; ``str(error)`` is the Chinese reason."""


def exact(value: Exact) -> Fraction:
    """Return ``value`` as a fraction; raise ``TypeError`` for a float, ``ValueError`` for NaN."""
    if isinstance(value, bool) or not isinstance(value, Decimal | Fraction | int):
        raise TypeError(f"exact number expected, not {type(value).__name__}")
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError("数值必须是有限的数")
    return value if isinstance(value, Fraction) else Fraction(value)


def half_up(value: Exact, places: int) -> Decimal:
    """Round half up, away from zero for negatives, to exactly ``places`` decimals.

    Works on the exact value, so a fraction is rounded once and a long number is not cut to the
    28 digits of the decimal context. Zero has no sign.
    """
    fraction = exact(value)
    units = (2 * abs(fraction.numerator) * 10**places + fraction.denominator) // (
        2 * fraction.denominator
    )
    return _from_units(-units if fraction < 0 else units, places)


def split(total: Decimal, weights: Mapping[str, Exact], places: int = 2) -> dict[str, Decimal]:
    """Split ``total`` in proportion to ``weights``; the parts add up to it exactly.

    Largest remainder: every part is rounded down, then the units left over go one each to the
    largest remainders, ties to the smaller key in ASCII order. Raises ``ValueError`` with a
    Chinese reason for a negative total or weight, a total finer than ``places``, or no weight.
    """
    units = exact(total) * 10**places
    if units < 0:
        raise ValueError("分配总额不能为负")
    if units.denominator != 1:
        raise ValueError(f"分配总额最多 {places} 位小数")
    shares = {key: exact(weight) for key, weight in weights.items()}
    if any(share < 0 for share in shares.values()):
        raise ValueError("分配权重不能为负")
    whole = sum(shares.values(), Fraction(0))
    if whole == 0:
        raise ValueError("分配权重合计为 0，无法分配")
    parts: dict[str, int] = {}
    remainders: dict[str, Fraction] = {}
    for key, share in shares.items():
        part = units * share / whole
        parts[key] = part.numerator // part.denominator
        remainders[key] = part - parts[key]
    left = units.numerator - sum(parts.values())
    for key in sorted(parts, key=lambda key: (-remainders[key], key))[:left]:
        parts[key] += 1
    return {key: _from_units(part, places) for key, part in parts.items()}


def parse_number(text: str, *, places: int = 4, signed: bool = False) -> Decimal:
    """Read a plain number as people write it: digits, at most one point, full width accepted.

    At most ``MAX_DIGITS`` digits before the point and ``places`` behind it (zeros at the end do
    not count). Raises ``NumberRefused``: exponents, NaN and infinity, underscores, thousands
    separators, digits of other scripts and, unless ``signed``, a minus sign are refused.
    """
    plain = text.strip().translate(_PLAIN)
    if not plain:
        raise NumberRefused("没有填写数字")
    if plain.endswith("%"):
        raise NumberRefused(f"「{_shown(text)}」是百分数，这里要填数字")
    if "," in plain or "，" in plain:
        raise NumberRefused(f"「{_shown(text)}」含逗号，请去掉千位分隔符")
    negative = plain.startswith("-")
    whole, point, behind = plain.lstrip("+-").partition(".")
    signs = len(plain) - len(plain.lstrip("+-"))
    if signs > 1 or not whole or (point and not behind) or not _DIGITS.issuperset(whole + behind):
        raise NumberRefused(f"「{_shown(text)}」不是数字，请只填 0–9 和小数点")
    whole, behind = whole.lstrip("0") or "0", behind.rstrip("0")
    if len(whole) > MAX_DIGITS:
        raise NumberRefused(f"「{_shown(text)}」太大，整数部分最多 {MAX_DIGITS} 位")
    if len(behind) > places:
        limit = f"小数最多 {places} 位" if places else "必须是整数"
        raise NumberRefused(f"「{_shown(text)}」{limit}")
    number = Decimal(f"{whole}.{behind}" if behind else whole)
    if negative and number and not signed:
        raise NumberRefused(f"「{_shown(text)}」不能为负")
    return -number if negative and number else number


def parse_whole(text: str) -> int:
    """Read a whole number that is not negative; raise ``NumberRefused``."""
    return int(parse_number(text, places=0))


def parse_rate(text: str, *, at_most: Decimal = Decimal(1)) -> Decimal:
    """Read a rate written as a percentage: ``"85%"`` is ``Decimal("0.85")``.

    At most two decimals before the sign, so that a rate fits ten-thousandths. A bare ``0.85`` or
    ``85`` could be either, so it is refused with the spelling that is probably meant.
    """
    plain = text.strip().translate(_PLAIN)
    if not plain.endswith("%"):
        number = parse_number(text)
        meant = number * 100 if number < 1 else number
        raise NumberRefused(f"「{_shown(text)}」要写成百分数，例如 {plain_text(meant)}%")
    rate = parse_number(plain[:-1], places=2) / 100
    if rate > at_most:
        raise NumberRefused(f"「{_shown(text)}」不能超过 {rate_text(at_most)}")
    return rate


def plain_text(value: Decimal) -> str:
    """Write a number without exponent and without zeros at its end: ``2.50`` is ``2.5``."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rate_text(value: Decimal) -> str:
    """Write a stored rate as people do: ``Decimal("0.85")`` is ``85%``."""
    return f"{plain_text(value * 100)}%"


def percent_text(value: Exact) -> str:
    """Write a ratio with two decimals, rounded half up: ``Fraction(19, 27)`` is ``70.37%``."""
    return f"{half_up(exact(value) * 100, 2)}%"


def _from_units(units: int, places: int) -> Decimal:
    # Read from text: exact at any length, where arithmetic is cut to the digits of the context.
    return Decimal(f"{units}E-{places}")


def _shown(text: str) -> str:
    """The refused text as an error may show it: short and on one line."""
    line = " ".join(text.split())
    return line if len(line) <= 20 else f"{line[:20]}…"
