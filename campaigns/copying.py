"""Copying a campaign into a new year: the same paper, a year later, as a draft to be gone through before its issue."""

import re
from calendar import isleap
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from campaigns.models import Campaign, Passage, Phase, Recipient, Standard, SupervisionFocus, Task
from institutions import audit, clock
from institutions.models import Holiday, Institution, Post
from institutions.workdays import WorkCalendar

PERM = "campaigns.change_campaign"
ONE_DAY = timedelta(days=1)
_YEAR = re.compile(r"(?<!\d)(20\d\d)(?=\s*(?:年|[〕\]]))")
_DAY = re.compile(r"(?<!\d)(\d{1,2})(\s*)月(\s*)(\d{1,2})(\s*)日")


@dataclass
class Shift:
    """Moves days and words by whole years. `days` remembers where each day of the paper went, for its text."""

    years: int
    calendar: WorkCalendar
    days: dict[tuple[int, int], date] = field(default_factory=dict)

    def deadline(self, day: date) -> date:
        """The same day of the other year, or the last working day before it."""
        moved = self.same_day(day)
        while not self.calendar.is_workday(moved):
            moved -= ONE_DAY
        return self._remember(day, moved)

    def beginning(self, day: date, before: tuple[date, date] | None) -> date:
        """The same day of the other year; where it followed right on a deadline (old, moved), it does so again."""
        moved = self.same_day(day)
        if before is not None and day == before[0] + ONE_DAY:
            moved = before[1] + ONE_DAY
        return self._remember(day, moved)

    def same_day(self, day: date) -> date:
        year = day.year + self.years
        is_leap_day = (day.month, day.day) == (2, 29)
        return day.replace(year=year, day=28 if is_leap_day and not isleap(year) else day.day)

    def _remember(self, old: date, new: date) -> date:
        self.days.setdefault((old.month, old.day), new)
        return new

    def words(self, text: str) -> str:
        """Raise every year of a text, and write the paper's own deadlines as they have been moved."""
        text = _YEAR.sub(lambda m: str(int(m[1]) + self.years), text)
        return _DAY.sub(self._day, text)

    def _day(self, match: re.Match[str]) -> str:
        moved = self.days.get((int(match[1]), int(match[4])))
        if moved is None:
            return match[0]
        return f"{moved.month}{match[2]}月{match[3]}{moved.day}{match[5]}日"


def shift_by(years: int) -> Shift:
    """Return a shift that knows the holidays of the portal's own calendar. One query."""
    own = Holiday.objects.values_list("day", "workday")
    return Shift(years, WorkCalendar(dict(own)))


def copy(source: Campaign, *, year: int, number: str, issued_on: date, by: Post) -> Campaign:
    """Draft the campaign of `year` after `source`: phases, tasks, table, recipients and passages, moved by the years.

    Institutions that are closed by now are left out. What a passage became points to the copies; a standard to the one
    of the new year that follows it, if there is one. Raises PermissionDenied for another bureau's post.
    """
    if not by.has_perm(PERM) or not by.acts_for(source.institution_id):
        raise PermissionDenied("只有拟稿单位可以沿用自己的活动")
    if year == source.year:
        raise ValidationError("请填写另一个年度")
    shift = shift_by(year - source.year)
    with transaction.atomic():
        maker = _Copier(source, shift, by)
        campaign = maker.head(year, number, issued_on)
        maker.everything(campaign)
        audit.record(
            "campaigns.campaign.copy",
            "沿用到新年度",
            by=by,
            bureau=campaign.bureau_id,
            on=campaign,
            institution=campaign.institution,
            after=campaign.status,
            data={"from": source.number, "left_out": maker.left_out},
        )
    return campaign


class _Copier:
    """Copies the parts in the order in which they name one another."""

    def __init__(self, source: Campaign, shift: Shift, by: Post) -> None:
        self.source, self.shift, self.by = source, shift, by
        self.open = set(Institution.objects.open_on(clock.today()).values_list("pk", flat=True))
        self.left_out: list[str] = []
        self.phases: dict[int, Phase] = {}
        self.tasks: dict[int, Task] = {}
        self.focuses: dict[int, SupervisionFocus] = {}

    def head(self, year: int, number: str, issued_on: date) -> Campaign:
        source, words = self.source, self.shift.words
        # The dates first: the words are written by them.
        self.moved = self._dates(issued_on)
        campaign = Campaign(
            institution=source.institution,
            supervisor=source.supervisor,
            author=self.by,
            name=words(source.name)[:120],
            title=words(source.title)[:200],
            number=number,
            year=year,
            issued_on=issued_on,
            signer=source.signer,
            salutation=source.salutation,
            issuer=source.issuer,
            guideline=words(source.guideline),
            basis=words(source.basis),
            goals=words(source.goals),
            parent=source.parent,
            copied_from=source,
        )
        campaign.save()
        return campaign

    def _dates(self, issued_on: date) -> dict[int, tuple[date | None, date]]:
        """Move the phases' days; returns start and end by the phase's id."""
        moved: dict[int, tuple[date | None, date]] = {}
        before: tuple[date, date] | None = None
        for phase in self.source.phases.all():
            starts = self.shift.beginning(phase.starts, before) if phase.starts else None
            ends = self.shift.deadline(phase.ends)
            if starts is not None and ends < starts:
                ends = starts
            moved[phase.pk] = (starts, ends)
            before = (phase.ends, ends)
        for task in self.source.tasks.all():
            self.shift.deadline(task.due)
        old = self.source.issued_on
        self.shift.days.setdefault((old.month, old.day), issued_on)
        return moved

    def everything(self, campaign: Campaign) -> None:
        self._phases(campaign)
        self._recipients(campaign)
        self._focuses(campaign)
        self._tasks(campaign)
        self._passages(campaign)

    def _phases(self, campaign: Campaign) -> None:
        for old in self.source.phases.all():
            starts, ends = self.moved[old.pk]
            self.phases[old.pk] = Phase.objects.create(
                campaign=campaign,
                institution=campaign.institution,
                supervisor=campaign.supervisor,
                author=self.by,
                position=old.position,
                name=self.shift.words(old.name),
                starts=starts,
                ends=ends,
                text=self.shift.words(old.text),
            )

    def _recipients(self, campaign: Campaign) -> None:
        sent = self.source.recipients.select_related("institution").order_by("pk")
        self.left_out = [r.institution.code for r in sent if r.institution_id not in self.open]
        Recipient.objects.bulk_create(
            Recipient(
                campaign=campaign,
                institution=r.institution,
                department_id=r.department_id,
                region_id=r.region_id,
            )
            for r in sent
            if r.institution_id in self.open
        )

    def _still(self, institutions: Iterable[Institution]) -> list[Institution]:
        return [row for row in institutions if row.pk in self.open]

    def _focuses(self, campaign: Campaign) -> None:
        for old in self.source.focuses.prefetch_related("institutions", "items"):
            row = SupervisionFocus.objects.create(
                campaign=campaign,
                position=old.position,
                names=old.names,
                text=self.shift.words(old.text),
            )
            row.institutions.set(self._still(old.institutions.all()))
            row.items.set(old.items.all())
            self.focuses[old.pk] = row

    def _tasks(self, campaign: Campaign) -> None:
        related = ("institutions", "departments", "leaders", "unit_departments")
        for old in self.source.tasks.prefetch_related(*related):
            phase = self.phases.get(old.phase_id) if old.phase_id else None
            due = self.shift.deadline(old.due)
            row = Task.objects.create(
                campaign=campaign,
                phase=phase,
                position=old.position,
                name=self.shift.words(old.name)[:120],
                text=self.shift.words(old.text),
                area=old.area,
                kind=old.kind,
                done_by=old.done_by,
                item_id=old.item_id,
                goal=old.goal,
                unit=old.unit,
                covers=old.covers,
                objectives=old.objectives,
                programme=self.shift.words(old.programme),
                receiver_id=old.receiver_id if old.receiver_id in self.open else None,
                due=min(due, phase.ends)
                if phase and old.phase and old.due <= old.phase.ends
                else due,
            )
            row.institutions.set(self._still(old.institutions.all()))
            row.departments.set(old.departments.all())
            row.unit_departments.set(old.unit_departments.all())
            row.leaders.set(old.leaders.all())
            self.tasks[old.pk] = row

    def _passages(self, campaign: Campaign) -> None:
        following = dict(
            Standard.objects.filter(year=campaign.year, previous__isnull=False)
            .order_by("edition")
            .values_list("previous", "pk")
        )
        # Plans, targets, groups and rounds of the old year stay with it; figures are followed on.
        for old in self.source.passages.prefetch_related(*Passage.LINKS):
            row = Passage.objects.create(
                campaign=campaign,
                position=old.position,
                heading=self.shift.words(old.heading)[:120],
                text=self.shift.words(old.text),
                became=old.became,
                nothing=old.nothing,
            )
            copies: dict[str, dict[int, Any]] = {
                "phases": self.phases,
                "tasks": self.tasks,
                "focuses": self.focuses,
            }
            for name, known in copies.items():
                getattr(row, name).set([known[r.pk] for r in getattr(old, name).all()])
            row.series.set(old.series.all())
            row.standards.set([following.get(s.pk, s.pk) for s in old.standards.all()])
