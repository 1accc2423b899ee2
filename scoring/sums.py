"""The sums of a sheet: of a section from its lines, of a sheet from its lines, on both sides, by one function.

Stored beside what they sum, so that a list never adds up lines; written in the transaction that changes a line, under
the lock of the sheet (`hold_sheet`), so that two people on two sections both end in the right total.
"""

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from institutions.workflow import StaleState
from scoring.models import ScoreLine, ScoreSection, ScoreSheet

ZERO = Decimal("0.00")


def hold_sheet(sheet_id: int, *, statuses: Iterable[str], row: Any = None) -> ScoreSheet:
    """Lock a sheet for this transaction, if it is in one of the statuses; else raise `StaleState` of `row`."""
    sheets = ScoreSheet._base_manager.select_for_update(of=("self",))
    sheet = (
        sheets.select_related("evaluation", "institution", "supervisor")
        .filter(pk=sheet_id, status__in=list(statuses))
        .first()
    )
    if sheet is None:
        raise StaleState(row or ScoreSheet._base_manager.get(pk=sheet_id))
    return sheet


def add_up(sheet_id: int, section_id: int | None = None) -> dict[str, Decimal]:
    """Write the sums of one section (None: of all) and of its sheet; return the sheet's."""
    return add_up_all([sheet_id], section_id)[sheet_id]


def add_up_all(
    sheet_ids: Collection[int], section_id: int | None = None
) -> dict[int, dict[str, Decimal]]:
    """Write the sums of many sheets and their sections in sets; return those of the sheets.

    A section may be negative where its clauses may; a sheet may not (docs/arithmetic.md).
    """
    lines = ScoreLine._base_manager.filter(sheet__in=sheet_ids).order_by()
    rows: list[dict[str, Any]] = [
        dict(row) for row in lines.values("sheet", "section").annotate(**_SUMS)
    ]
    by_section = {row["section"]: _sums(row) for row in rows}
    whole = {pk: dict.fromkeys(_FIELDS, ZERO) for pk in sheet_ids}
    for row in rows:
        for field, value in _sums(row).items():
            whole[row["sheet"]][field] += value
    for sums in whole.values():
        for side in ("self_points", "points"):
            sums[side] = max(sums[side], ZERO)
    sections = ScoreSection._base_manager.filter(sheet__in=sheet_ids)
    if section_id is not None:
        sections = sections.filter(pk=section_id)
    changed = [_with(section, by_section.get(section.pk, {})) for section in sections]
    ScoreSection._base_manager.bulk_update(changed, _FIELDS, batch_size=BATCH)
    sheets = ScoreSheet._base_manager.filter(pk__in=sheet_ids)
    ScoreSheet._base_manager.bulk_update(
        [_with(sheet, whole[sheet.pk]) for sheet in sheets], _FIELDS, batch_size=BATCH
    )
    return whole


BATCH = 500
_FIELDS = ("self_points", "self_full", "points", "full")
_SUMS = {f"sum_{field}": Sum(field) for field in _FIELDS}


def _sums(row: dict[str, Any]) -> dict[str, Decimal]:
    return {field: row.get(f"sum_{field}") or ZERO for field in _FIELDS}


def _with(row: Any, sums: dict[str, Decimal]) -> Any:
    for field, value in sums.items():
        setattr(row, field, value)
    return row
