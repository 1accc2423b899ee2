"""What is asked: campaigns with their paper, phases and tasks; the standards by which work is measured."""

from campaigns.models.breakthrough import (
    BreakthroughItem,
    BreakthroughQuota,
    BreakthroughRound,
    BreakthroughSubmission,
)
from campaigns.models.campaign import Campaign, Passage, Phase, Recipient, SupervisionFocus
from campaigns.models.census import Census, CensusCount
from campaigns.models.check import Preparation, SuperiorCheck
from campaigns.models.gap import Gap
from campaigns.models.group import Group, Member, Profession
from campaigns.models.plan import Plan, PlanCall, PlanKind, PlanLine, PlanVersion
from campaigns.models.publication import Objection, Publication, PublicAttempt, frozen_table
from campaigns.models.secondment import Secondment
from campaigns.models.series import Series, SeriesValue
from campaigns.models.standard import Clause, PublishedError, Standard
from campaigns.models.target import Contribution, Target, TargetPart
from campaigns.models.task import Report, Task
from campaigns.models.work_log import WorkLog

__all__ = [
    "BreakthroughItem",
    "BreakthroughQuota",
    "BreakthroughRound",
    "BreakthroughSubmission",
    "Campaign",
    "Census",
    "CensusCount",
    "Clause",
    "Contribution",
    "Gap",
    "Group",
    "Member",
    "Objection",
    "Passage",
    "Phase",
    "Plan",
    "PlanCall",
    "PlanKind",
    "PlanLine",
    "PlanVersion",
    "Preparation",
    "Profession",
    "PublicAttempt",
    "Publication",
    "PublishedError",
    "Recipient",
    "Report",
    "Secondment",
    "Series",
    "SeriesValue",
    "Standard",
    "SuperiorCheck",
    "SupervisionFocus",
    "Target",
    "TargetPart",
    "Task",
    "WorkLog",
    "frozen_table",
]
