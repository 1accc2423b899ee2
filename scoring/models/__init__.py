"""What it is worth: evaluations, score sheets, the year-end table and its money."""

from scoring.models.evaluation import Evaluation, ScoreLine, ScoreSection, ScoreSheet
from scoring.models.year import (
    Adjustment,
    PlannedWork,
    PolicyEntry,
    Prepayment,
    Workload,
    WorkUnit,
    YearResult,
)

__all__ = [
    "Adjustment",
    "Evaluation",
    "PlannedWork",
    "PolicyEntry",
    "Prepayment",
    "ScoreLine",
    "ScoreSection",
    "ScoreSheet",
    "WorkUnit",
    "Workload",
    "YearResult",
]
