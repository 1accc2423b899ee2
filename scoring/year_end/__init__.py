"""The year-end table of a unit: quarters → year → rank → grade → money, computed in sets, written once, then frozen.

A bureau settles the institutions it supervises itself, a centre its clinics, by the same rules (docs/arithmetic.md).
"""

from scoring.year_end.computing import compute, pay, rows_from, score_all
from scoring.year_end.freezing import (
    confirm,
    freeze,
    may_confirm,
    may_freeze,
    may_settle,
    second_head,
    settle,
)
from scoring.year_end.inputs import Inputs, YearRefused, read_inputs, read_sheets, read_work
from scoring.year_end.table import (
    HEADERS,
    export_rows,
    quarter_cell,
    results_in_sight,
    units_in_sight,
    years_in_sight,
)

__all__ = [
    "HEADERS",
    "Inputs",
    "YearRefused",
    "compute",
    "confirm",
    "export_rows",
    "freeze",
    "may_confirm",
    "may_freeze",
    "may_settle",
    "pay",
    "quarter_cell",
    "read_inputs",
    "read_sheets",
    "read_work",
    "results_in_sight",
    "rows_from",
    "score_all",
    "second_head",
    "settle",
    "units_in_sight",
    "years_in_sight",
]
