"""The sums of a sheet: of a section from its lines, of a sheet from its lines, on both sides, by one function.

Stored beside what they sum, so that a list never adds up lines; written in the transaction that changes a line, under
the lock of the sheet (`hold_sheet`), so that two people on two sections both end in the right total.
"""

from collections.abc import Iterable
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
    """Write the sums of one section (None: of all) and of its sheet; return the sheet's.

    A section may be negative where its clauses may; a sheet may not (docs/arithmetic.md).
    """
    lines = ScoreLine._base_manager.filter(sheet=sheet_id)
    by_section = {
        row["section"]: row for row in lines.order_by().values("section").annotate(**_SUMS)
    }
    sections = ScoreSection._base_manager.filter(sheet=sheet_id)
    if section_id is not None:
        sections = sections.filter(pk=section_id)
    changed = list(sections)
    for section in changed:
        for field, value in _sums(by_section.get(section.pk, {})).items():
            setattr(section, field, value)
    ScoreSection._base_manager.bulk_update(changed, list(_FIELDS))
    whole = {
        field: sum((_sums(row)[field] for row in by_section.values()), ZERO) for field in _FIELDS
    }
    for side in ("self_points", "points"):
        whole[side] = max(whole[side], ZERO)
    ScoreSheet._base_manager.filter(pk=sheet_id).update(**whole)
    return whole


_FIELDS = ("self_points", "self_full", "points", "full")
_SUMS = {f"sum_{field}": Sum(field) for field in _FIELDS}


def _sums(row: dict[str, Any]) -> dict[str, Decimal]:
    return {field: row.get(f"sum_{field}") or ZERO for field in _FIELDS}
