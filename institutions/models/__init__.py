"""Who there is, who may see what, and the record of what happened."""

from institutions.models.cooperation import Cooperation
from institutions.models.institution import (
    Affiliation,
    Capacity,
    Department,
    Institution,
    Kind,
    Population,
    Responsibility,
    ServiceItem,
    StaffMember,
)
from institutions.models.people import Mandate, Pairing, Post, User
from institutions.models.record import (
    AppendOnlyError,
    ChainHead,
    Event,
    Holiday,
    Installation,
    Job,
    Notification,
    PortalSession,
    StoredFile,
)
from institutions.models.region import Region
from institutions.models.scoping import Reach, ScopedQuerySet

__all__ = [
    "Affiliation",
    "AppendOnlyError",
    "Capacity",
    "ChainHead",
    "Cooperation",
    "Department",
    "Event",
    "Holiday",
    "Installation",
    "Institution",
    "Job",
    "Kind",
    "Mandate",
    "Notification",
    "Pairing",
    "Population",
    "PortalSession",
    "Post",
    "Reach",
    "Region",
    "Responsibility",
    "ScopedQuerySet",
    "ServiceItem",
    "StaffMember",
    "StoredFile",
    "User",
]
