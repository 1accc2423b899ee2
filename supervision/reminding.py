"""The daily run of 催办: writes each fallen step once and tells whom it concerns.

Safe to run twice, and after days without a run: a step's day follows from the deadline, so what was missed is made up for
with its own date, and what was handed in meanwhile was settled when it was handed in (`Rectification._move`).
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from urllib.parse import urlencode

from django.db import transaction
from django.urls import reverse

from institutions import clock
from institutions.models import Installation, Pairing, Post
from institutions.models.holidays import work_calendar
from institutions.notifying import notify_each
from institutions.roles import ROLE_PERMISSIONS, Role
from supervision import deadlines
from supervision.models import Rectification, Reminder

BATCH = 500
# No calendar has a longer holiday: three working days lie within it.
HORIZON = timedelta(days=20)
ANSWER = "supervision.answer_rectification"
VERIFY = "supervision.verify_rectification"
ANSWERING = tuple(role for role, perms in ROLE_PERMISSIONS.items() if ANSWER in perms)
VERIFYING = tuple(role for role, perms in ROLE_PERMISSIONS.items() if VERIFY in perms)
# 局主要领导: the leader whose title begins so; 副局长 and 党组成员 do not.
HEADS = ("局长", "主任", "党组书记", "党委书记")


@dataclass(frozen=True)
class Sent:
    """What one run did: steps written, posts told."""

    steps: int = 0
    posts: int = 0


def remind() -> Sent:
    """Write and send the steps that have fallen by today; a second run on the same day finds nothing."""
    today = clock.today()
    steps, told = 0, set()
    for pks in _batches(_due(today)):
        with transaction.atomic():
            # One run at a time, so that a step is sent by the run that writes it.
            list(Installation.objects.select_for_update().filter(pk=1))
            written = _write(pks, today)
            told |= _tell(written)
        steps += len(written)
    return Sent(steps, len(told))


def _due(today: date) -> Iterator[int]:
    return (
        Rectification.objects.filter(
            status__in=Rectification.WITH_INSTITUTION, due__lte=today + HORIZON
        )
        .order_by("pk")
        .values_list("pk", flat=True)
        .iterator()
    )


def _batches(pks: Iterator[int]) -> Iterator[tuple[int, ...]]:
    # Read to the end first: the batches write to what the reading would still be on.
    found = iter(tuple(pks))
    while batch := tuple(islice(found, BATCH)):
        yield batch


def _write(pks: tuple[int, ...], today: date) -> list[Reminder]:
    """Return the reminders written now, of rows that the institution still has."""
    rows = list(
        Rectification.objects.filter(pk__in=pks, status__in=Rectification.WITH_INSTITUTION)
        .select_for_update(of=("self",))
        .select_related("institution__region", "problem", "item")
        .order_by("pk")
    )
    if not rows:
        return []
    sent: dict[tuple, set[str]] = defaultdict(set)
    for pk, turn, due, step in Reminder.objects.filter(rectification__in=rows).values_list(
        "rectification", "turn", "due", "step"
    ):
        sent[pk, turn, due].add(step)
    calendar = work_calendar(min(row.due for row in rows), max(row.due for row in rows), today)
    moment = clock.now()
    fallen = []
    for row in rows:
        known = sent[row.pk, row.returns, row.due]
        for fell, on in deadlines.owed(row.due, row.since, today, calendar, known):
            one = Reminder.of(row, fell, on)
            one.sent_at = moment
            fallen.append(one)
    return Reminder.objects.bulk_create(fallen, batch_size=BATCH)


def _tell(written: list[Reminder]) -> set[int]:
    """Keep who was told at each step and leave each post one note a step; return the posts."""
    circle = _Circle([one.rectification for one in written])
    through, notes = [], defaultdict(list)
    for one in written:
        for pk in sorted(circle.of(one.rectification, deadlines.BY_CODE[one.step].told)):
            through.append(Reminder.posts.through(reminder_id=one.pk, post_id=pk))
            notes[pk, one.step].append(one)
    Reminder.posts.through.objects.bulk_create(through, batch_size=BATCH)
    notify_each(
        (pk, _text(step, [one.rectification for one in ones]), _url(step, ones))
        for (pk, step), ones in notes.items()
    )
    return {pk for pk, _ in notes}


def _text(step: str, rows: list[Rectification]) -> str:
    label = deadlines.BY_CODE[step].label
    if len(rows) > 1:
        return f"整改催办（{label}）：{len(rows)}项整改未完成，请督促办理"
    row = rows[0]
    return f"整改催办（{label}）：{row.institution.known_as}，{row.problem}，时限{row.due:%Y-%m-%d}"


def _url(step: str, ones: list[Reminder]) -> str:
    if len(ones) == 1:
        return ones[0].rectification.get_absolute_url()
    when = "week" if deadlines.BY_CODE[step].offset <= 0 else "overdue"
    return f"{reverse('supervision:rectification_list')}?{urlencode({'when': when})}"


class _Circle:
    """Who hears of the rectifications of one batch, by their part; a handful of queries whatever the batch."""

    def __init__(self, rows: list[Rectification]) -> None:
        units = {row.institution_id for row in rows}
        supervisors = {row.supervisor_id for row in rows}
        bureaus = {row.bureau_id for row in rows}
        held = Post.objects.held().select_related("institution")
        self.at_unit = _by_institution(held.filter(institution__in=units, role__in=ANSWERING))
        # A centre over its clinics; at a bureau the office has its own list.
        self.above = _by_institution(
            held.filter(institution__in=supervisors - bureaus, role__in=VERIFYING)
        )
        self.leads = defaultdict(list)
        for post in held.filter(institution__bureau__in=bureaus, role=Role.LEAD):
            self.leads[post.institution.bureau_id].append(post)
        near = units | {row.institution.parent_id for row in rows if row.institution.parent_id}
        self.linked = defaultdict(set)
        for unit, pk in (
            Pairing.objects.in_force()
            .filter(institution__in=near, post__in=Post.objects.held())
            .values_list("institution", "post")
        ):
            self.linked[unit].add(pk)
        leaders = defaultdict(list)
        for post in held.filter(institution__in=bureaus, role=Role.LEADER):
            leaders[post.institution_id].append(post)
        self.heads = {unit: _heads(posts) for unit, posts in leaders.items()}

    def of(self, row: Rectification, parts: tuple[str, ...]) -> set[int]:
        found: set[int] = set()
        for part in parts:
            found |= getattr(self, f"_{part}")(row)
        return found

    def _institution(self, row: Rectification) -> set[int]:
        return self.at_unit[row.institution_id]

    def _leads(self, row: Rectification) -> set[int]:
        asking = {
            post.pk
            for post in self.leads[row.bureau_id]
            if post.asks_of(row.institution, row.supervisor_id, row.item_id)
        }
        return asking | self.above[row.supervisor_id]

    def _linked(self, row: Rectification) -> set[int]:
        above = row.institution.parent_id
        return self.linked[row.institution_id] | (self.linked[above] if above else set())

    def _heads(self, row: Rectification) -> set[int]:
        return self.heads.get(row.bureau_id, set())


def _by_institution(posts) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for post in posts:
        found[post.institution_id].add(post.pk)
    return found


def _heads(leaders: list[Post]) -> set[int]:
    """Return the head of the bureau, or all its leaders where no title tells."""
    heads = {p.pk for p in leaders if p.title.startswith(HEADS)}
    return heads or {p.pk for p in leaders}
