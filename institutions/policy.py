"""What a bureau decides for a year and floors below scoring go by."""

from collections.abc import Iterable

from institutions.models import Institution, PolicyEntry

# What holds where the bureau has written nothing; the same as in scoring/rules.py, which also says what may be written.
DEFAULTS = {"反弹期": 12, "签收期": 3}


def numbers(key: str, bureaus: Iterable[int], years: Iterable[int]) -> dict[tuple[int, int], int]:
    """Return (bureau, year) → number, as written by the bureaus; ask with `DEFAULTS[key]` for the rest. One query."""
    found = PolicyEntry.objects.filter(
        institution__in=set(bureaus), year__in=set(years), key=key
    ).values_list("institution", "year", "value")
    return {(bureau, year): int(text) for bureau, year, text in found if text.isdecimal()}


def text_of(unit: Institution, year: int, key: str) -> str:
    """Return what is written for a key: the unit's own value, else its bureau's, else nothing. One query."""
    rows = PolicyEntry.objects.filter(
        institution__in={unit.pk, unit.bureau_id}, year=year, key=key
    ).values_list("institution", "value")
    found = dict(rows)
    return found.get(unit.pk) or found.get(unit.bureau_id or 0) or ""
