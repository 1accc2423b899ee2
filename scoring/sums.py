"""The sums of a sheet: of a section from its lines, of a sheet from its lines, on both sides, by one function.

Stored beside what they sum, so that a list never adds up lines; written in the transaction that changes a line, under
the lock of the sheet (`hold_sheet`), so that two people on two sections both end in the right total.
"""

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Greatest

from institutions.fields import FixedField
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
    ids = sorted(sheet_ids)
    whole: dict[int, dict[str, Decimal]] = {}
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        sections = ScoreSection._base_manager.filter(sheet__in=batch)
        if section_id is not None:
            sections = sections.filter(pk=section_id)
        sections.update(**{field: _sum_of(field, "section") for field in _FIELDS})
        sheets = ScoreSheet._base_manager.filter(pk__in=batch)
        # `self_full` and `full` are sums of what is never negative.
        sheets.update(**{field: Greatest(_sum_of(field, "sheet"), NOTHING) for field in _FIELDS})
        whole |= {row.pop("pk"): row for row in sheets.values("pk", *_FIELDS)}
    return whole


BATCH = 2000
NOTHING = Value(ZERO, FixedField())
_FIELDS = ("self_points", "self_full", "points", "full")


def _sum_of(field: str, owner: str) -> Coalesce:
    """The sum of a field over the lines of a section or sheet, to be stored by the database itself."""
    lines = ScoreLine._base_manager.filter(**{owner: OuterRef("pk")}).order_by().values(owner)
    return Coalesce(Subquery(lines.annotate(whole=Sum(field)).values("whole")), NOTHING)
