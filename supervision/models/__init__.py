"""What was seen: rounds and visits, problems, and their rectification."""

from supervision.models.problem import Problem, ProgressNote, Rectification
from supervision.models.visit import SupervisionRound, Visit, VisitLine

__all__ = [
    "Problem",
    "ProgressNote",
    "Rectification",
    "SupervisionRound",
    "Visit",
    "VisitLine",
]
