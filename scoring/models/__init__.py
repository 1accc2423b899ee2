"""What it is worth: evaluations, score sheets, the year-end table and its money."""

from scoring.models.appeal import Appeal
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
    "Appeal",
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
