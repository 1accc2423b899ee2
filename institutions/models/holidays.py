"""The bureau's own holidays as a calendar of working days."""

from datetime import date

from institutions.models.record import Holiday
from institutions.workdays import WorkCalendar


def work_calendar(*days: date) -> WorkCalendar:
    """Return the calendar with our own table's days of the years around `days`; one query."""
    years = range(min(days).year - 1, max(days).year + 2)
    ours = Holiday.objects.filter(day__year__gte=years[0], day__year__lte=years[-1])
    return WorkCalendar(dict(ours.values_list("day", "workday")))
