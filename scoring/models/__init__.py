"""What it is worth: evaluations, score sheets, the year-end table and its money."""

from scoring.models.appeal import Appeal
from scoring.models.capability import (
    CapabilityDraw,
    CapabilityLine,
    CapabilityReport,
    CapabilityReview,
    CapabilityRound,
    CapabilityStep,
    CapabilityUse,
    ReviewLevel,
)
from scoring.models.correction import Correction
from scoring.models.evaluation import Evaluation, ScoreLine, ScoreSection, ScoreSheet
from scoring.models.recheck import Recheck, RecheckLine
from scoring.models.scenario import Scenario
from scoring.models.year import (
    Adjustment,
    PlannedWork,
    Prepayment,
    Workload,
    WorkUnit,
    YearResult,
)

__all__ = [
    "Adjustment",
    "Appeal",
    "CapabilityDraw",
    "CapabilityLine",
    "CapabilityReport",
    "CapabilityReview",
    "CapabilityRound",
    "CapabilityStep",
    "CapabilityUse",
    "Correction",
    "Evaluation",
    "PlannedWork",
    "Prepayment",
    "Recheck",
    "RecheckLine",
    "ReviewLevel",
    "Scenario",
    "ScoreLine",
    "ScoreSection",
    "ScoreSheet",
    "WorkUnit",
    "Workload",
    "YearResult",
]
