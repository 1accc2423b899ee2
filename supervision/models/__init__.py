"""What was seen: rounds and visits, problems, their rectification, and what others find at home."""

from supervision.models.complaint import Complaint
from supervision.models.effect import EffectCheck
from supervision.models.extension import Extension
from supervision.models.problem import Problem, ProgressNote, Rectification, Source
from supervision.models.reminder import Reminder
from supervision.models.sanction import Sanction
from supervision.models.self_check import SelfCheck, Spread
from supervision.models.tags import Aspect, KeyGroup
from supervision.models.visit import Severity, SupervisionRound, Visit, VisitLine

__all__ = [
    "Aspect",
    "Complaint",
    "EffectCheck",
    "Extension",
    "KeyGroup",
    "Problem",
    "ProgressNote",
    "Rectification",
    "Reminder",
    "Sanction",
    "SelfCheck",
    "Severity",
    "Source",
    "Spread",
    "SupervisionRound",
    "Visit",
    "VisitLine",
]
