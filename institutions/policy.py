"""Whole numbers that a bureau decides for a year and that floors below scoring go by."""

from collections.abc import Iterable

from institutions.models import PolicyEntry

# What holds where the bureau has written nothing; the same as in scoring/rules.py, which also says what may be written.
DEFAULTS = {"反弹期": 12, "签收期": 3}


def numbers(key: str, bureaus: Iterable[int], years: Iterable[int]) -> dict[tuple[int, int], int]:
    """Return (bureau, year) → number, as written by the bureaus; ask with `DEFAULTS[key]` for the rest. One query."""
    found = PolicyEntry.objects.filter(
        institution__in=set(bureaus), year__in=set(years), key=key
    ).values_list("institution", "year", "value")
    return {(bureau, year): int(text) for bureau, year, text in found if text.isdecimal()}
