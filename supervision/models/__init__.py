"""What was seen: rounds and visits, problems, and their rectification."""

from supervision.models.complaint import Complaint
from supervision.models.draw import Draw
from supervision.models.expert import Expert, ExpertTie
from supervision.models.problem import Problem, ProgressNote, Rectification, Source
from supervision.models.record_check import RecordCheck, RecordSample
from supervision.models.reminder import Reminder
from supervision.models.sanction import Sanction
from supervision.models.signature import VisitSignature
from supervision.models.survey import ResidentSurvey
from supervision.models.visit import (
    Method,
    PhotoKey,
    Severity,
    SupervisionRound,
    Visit,
    VisitLine,
)
from supervision.models.visit_policy import VisitPolicy
from supervision.models.year_plan import PlannedRound, YearPlan

__all__ = [
    "Complaint",
    "Draw",
    "Expert",
    "ExpertTie",
    "Method",
    "PhotoKey",
    "PlannedRound",
    "Problem",
    "ProgressNote",
    "RecordCheck",
    "RecordSample",
    "Rectification",
    "Reminder",
    "ResidentSurvey",
    "Sanction",
    "Severity",
    "Source",
    "SupervisionRound",
    "Visit",
    "VisitLine",
    "VisitPolicy",
    "VisitSignature",
    "YearPlan",
]
