"""What is asked: campaigns with their paper, phases and tasks; the standards by which work is measured."""

from campaigns.models.breakthrough import (
    BreakthroughItem,
    BreakthroughQuota,
    BreakthroughRound,
    BreakthroughSubmission,
)
from campaigns.models.campaign import Campaign, Passage, Phase, Recipient, SupervisionFocus
from campaigns.models.standard import Clause, PublishedError, Standard
from campaigns.models.task import Report, Task

__all__ = [
    "BreakthroughItem",
    "BreakthroughQuota",
    "BreakthroughRound",
    "BreakthroughSubmission",
    "Campaign",
    "Clause",
    "Passage",
    "Phase",
    "PublishedError",
    "Recipient",
    "Report",
    "Standard",
    "SupervisionFocus",
    "Task",
]
