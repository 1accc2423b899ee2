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
from scoring.models.distribution import Distribution, StaffShare, StaffWork
from scoring.models.evaluation import Evaluation, ScoreLine, ScoreSection, ScoreSheet
from scoring.models.money import AwardRate, MoneyEntry, Payment
from scoring.models.recheck import Recheck, RecheckLine
from scoring.models.scenario import Scenario
from scoring.models.settlement import Settlement, SettlementObjection
from scoring.models.tiers import Allocation, AllocationPart
from scoring.models.workload import ColumnMapping, WorkloadReport
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
    "Allocation",
    "AllocationPart",
    "Appeal",
    "AwardRate",
    "CapabilityDraw",
    "CapabilityLine",
    "CapabilityReport",
    "CapabilityReview",
    "CapabilityRound",
    "CapabilityStep",
    "CapabilityUse",
    "ColumnMapping",
    "Correction",
    "Distribution",
    "Evaluation",
    "MoneyEntry",
    "Payment",
    "PlannedWork",
    "Prepayment",
    "Recheck",
    "RecheckLine",
    "ReviewLevel",
    "Scenario",
    "ScoreLine",
    "ScoreSection",
    "ScoreSheet",
    "Settlement",
    "SettlementObjection",
    "StaffShare",
    "StaffWork",
    "WorkUnit",
    "Workload",
    "WorkloadReport",
    "YearResult",
]
