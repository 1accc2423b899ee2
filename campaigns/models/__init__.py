"""What is asked: campaigns with their paper, phases and tasks; the standards by which work is measured."""

from campaigns.models.breakthrough import (
    BreakthroughItem,
    BreakthroughQuota,
    BreakthroughRound,
    BreakthroughSubmission,
)
from campaigns.models.campaign import Campaign, Passage, Phase, Recipient, SupervisionFocus
from campaigns.models.group import Group, Member, Profession
from campaigns.models.plan import Plan, PlanCall, PlanKind, PlanLine, PlanVersion
from campaigns.models.standard import Clause, PublishedError, Standard
from campaigns.models.task import Report, Task
from campaigns.models.work_log import WorkLog

__all__ = [
    "BreakthroughItem",
    "BreakthroughQuota",
    "BreakthroughRound",
    "BreakthroughSubmission",
    "Campaign",
    "Clause",
    "Group",
    "Member",
    "Passage",
    "Phase",
    "Plan",
    "PlanCall",
    "PlanKind",
    "PlanLine",
    "PlanVersion",
    "Profession",
    "PublishedError",
    "Recipient",
    "Report",
    "Standard",
    "SupervisionFocus",
    "Task",
    "WorkLog",
]
