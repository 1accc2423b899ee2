"""Taking personal data out of the database when their time is over: record numbers and phones of residents, name and
phone of whoever objected to what a bureau published.

What was found or said stays; who it was is gone. The period is the supervisor's (`VisitPolicy.keep_days`), counted from
the day of the draw, the survey or the objection.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db import transaction
from django.db.models import QuerySet

from campaigns.disclosing import forget_attempts, purge_contacts
from campaigns.models import Objection
from institutions import audit, clock
from institutions.models import Institution
from supervision.models import RecordCheck, RecordSample, ResidentSurvey
from supervision.surveying import policy_of


@dataclass(frozen=True)
class Purged:
    """How many rows lost their personal data."""

    records: int = 0
    surveys: int = 0
    objections: int = 0


def purge() -> Purged:
    """Blank what is past its period; one event for each supervisor. Running it again changes nothing."""
    forget_attempts()
    records = surveys = objections = 0
    samples = RecordSample.objects.filter(purged_at=None)
    entries = ResidentSurvey.objects.filter(purged_at=None)
    units: set[int] = set()
    for rows in (samples, entries):
        units.update(rows.order_by().values_list("visit__supervisor", flat=True).distinct())
    heard = Objection.objects.filter(purged_at=None).order_by()
    units.update(heard.values_list("institution", flat=True).distinct())
    for unit in Institution.objects.filter(pk__in=units).order_by("pk"):
        done = _purge_of(unit, samples, entries)
        records += done.records
        surveys += done.surveys
        objections += done.objections
    return Purged(records, surveys, objections)


def _purge_of(
    unit: Institution, samples: QuerySet[RecordSample], entries: QuerySet[ResidentSurvey]
) -> Purged:
    last = clock.today() - timedelta(days=policy_of(unit).keep_days)
    before = datetime.combine(last, time.min, clock.SHANGHAI)
    with transaction.atomic():
        due = list(
            samples.filter(visit__supervisor=unit, drawn_at__lt=before).values_list("pk", flat=True)
        )
        asked = entries.filter(visit__supervisor=unit, at__lt=before)
        records = RecordCheck.objects.filter(sample__in=due).update(number="", phone="")
        RecordSample.objects.filter(pk__in=due).update(purged_at=clock.now())
        surveys = ResidentSurvey.objects.filter(pk__in=list(asked.values_list("pk", flat=True)))
        surveyed = surveys.update(phone="", purged_at=clock.now())
        objections = purge_contacts(unit, before=before)
        if due or surveyed or objections:
            audit.record(
                "supervision.personal.purge",
                "清除到期的档案编号和电话",
                by=None,
                bureau=unit.bureau_id,
                institution=unit,
                data={"samples": len(due), "records": records, "surveys": surveyed}
                | ({"objections": objections} if objections else {}),
            )
    return Purged(records, surveyed, objections)
