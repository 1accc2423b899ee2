"""What was seen: rounds and visits, problems, and their rectification."""

from supervision.models.complaint import Complaint
from supervision.models.draw import Draw
from supervision.models.expert import Expert, ExpertTie
from supervision.models.notice import Notice, NoticeRecipient, NoticeRegister
from supervision.models.problem import Problem, ProgressNote, Rectification, Source
from supervision.models.reminder import Reminder
from supervision.models.sanction import Sanction
from supervision.models.visit import Severity, SupervisionRound, Visit, VisitLine
from supervision.models.year_plan import PlannedRound, YearPlan

__all__ = [
    "Complaint",
    "Draw",
    "Expert",
    "ExpertTie",
    "Notice",
    "NoticeRecipient",
    "NoticeRegister",
    "PlannedRound",
    "Problem",
    "ProgressNote",
    "Rectification",
    "Reminder",
    "Sanction",
    "Severity",
    "Source",
    "SupervisionRound",
    "Visit",
    "VisitLine",
    "YearPlan",
]
