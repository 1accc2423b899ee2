"""Ageing (账龄): how long an open duty is overdue, in steps that a list can be filtered by and a table can count."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q

from institutions import clock
from supervision.models import Rectification


@dataclass(frozen=True)
class Bucket:
    """One step: days overdue from `low` to `high`, both inclusive; None is without end. Negative days are still left."""

    code: str
    label: str
    low: int | None
    high: int | None

    def q(self, today: date) -> Q:
        """Return the condition on rectifications that the institution still has in hand."""
        condition = Q(status__in=Rectification.WITH_INSTITUTION)
        if self.low is not None:
            condition &= Q(due__lte=today - timedelta(days=self.low))
        if self.high is not None:
            condition &= Q(due__gte=today - timedelta(days=self.high))
        return condition


BUCKETS = (
    Bucket("later", "七日以后到期", None, -8),
    Bucket("week", "七日内到期", -7, 0),
    Bucket("late7", "逾期1至7天", 1, 7),
    Bucket("late30", "逾期8至30天", 8, 30),
    Bucket("late90", "逾期31至90天", 31, 90),
    Bucket("late", "逾期90天以上", 91, None),
)


def in_bucket(code: str) -> Q:
    """Return the condition of the step with that code."""
    bucket = next(bucket for bucket in BUCKETS if bucket.code == code)
    return bucket.q(clock.today())
