"""What was seen: rounds and visits, problems, their rectification, and what others find at home."""

from supervision.models.complaint import Complaint
from supervision.models.draw import Draw
from supervision.models.effect import EffectCheck
from supervision.models.expert import Expert, ExpertTie
from supervision.models.extension import Extension
from supervision.models.notice import Notice, NoticeRecipient, NoticeRegister
from supervision.models.problem import Problem, ProgressNote, Rectification, Source
from supervision.models.record_check import RecordCheck, RecordSample
from supervision.models.reminder import Reminder
from supervision.models.sanction import Sanction
from supervision.models.self_check import SelfCheck, Spread
from supervision.models.signature import VisitSignature
from supervision.models.survey import ResidentSurvey
from supervision.models.tags import Aspect, KeyGroup
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
    "Aspect",
    "Complaint",
    "Draw",
    "EffectCheck",
    "Expert",
    "ExpertTie",
    "Extension",
    "KeyGroup",
    "Method",
    "Notice",
    "NoticeRecipient",
    "NoticeRegister",
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
    "SelfCheck",
    "Severity",
    "Source",
    "Spread",
    "SupervisionRound",
    "Visit",
    "VisitLine",
    "VisitPolicy",
    "VisitSignature",
    "YearPlan",
]
