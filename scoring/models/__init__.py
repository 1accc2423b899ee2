"""What it is worth: evaluations, score sheets, the year-end table and its money."""

from scoring.models.appeal import Appeal
from scoring.models.distribution import Distribution, StaffShare, StaffWork
from scoring.models.evaluation import Evaluation, ScoreLine, ScoreSection, ScoreSheet
from scoring.models.money import AwardRate, MoneyEntry, Payment
from scoring.models.settlement import Objection, Settlement
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
    "ColumnMapping",
    "Distribution",
    "Evaluation",
    "MoneyEntry",
    "Objection",
    "Payment",
    "PlannedWork",
    "Prepayment",
    "ScoreLine",
    "ScoreSection",
    "ScoreSheet",
    "Settlement",
    "StaffShare",
    "StaffWork",
    "WorkUnit",
    "Workload",
    "WorkloadReport",
    "YearResult",
]
