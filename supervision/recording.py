"""Recording on site: one line at a time, each saved by itself, by several members of a team at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import F, Q

from campaigns import rules
from campaigns.models import Clause
from institutions import clock
from institutions.models import Post, ServiceItem, StoredFile
from institutions.rounding import plain_text
from institutions.workflow import StaleState
from supervision.models import PhotoKey, Problem, Rectification, Visit, VisitLine

# What a deadline for rectification is when the recorder names none.
DUE_DAYS = 15
PREVIOUS = 20


def default_due() -> date:
    """Return the deadline that the form proposes: `DUE_DAYS` from today."""
    return clock.today() + timedelta(days=DUE_DAYS)


@dataclass(frozen=True)
class Place:
    """Which line of a visit is meant: a row, a clause's, an earlier problem's, or the one a phone named by `key`."""

    line: VisitLine | None = None
    clause: Clause | None = None
    earlier: Problem | None = None
    item: ServiceItem | None = None
    key: UUID | None = None

    def find(self, visit: Visit) -> VisitLine | None:
        """Return the line if it is there."""
        lines = visit.lines.all()
        if self.line is not None:
            return lines.filter(pk=self.line.pk).first()
        if self.clause is not None:
            return lines.filter(clause=self.clause).first()
        if self.earlier is not None:
            return lines.filter(earlier=self.earlier).first()
        return lines.filter(key=self.key).first() if self.key else None


def save_line(
    visit: Visit,
    *,
    by: Post,
    version: int,
    values: dict[str, Any],
    line: VisitLine | None = None,
    clause: Clause | None = None,
    earlier: Problem | None = None,
    item: ServiceItem | None = None,
    key: UUID | None = None,
    sent: UUID | None = None,
    tried: Collection[UUID] = (),
) -> VisitLine:
    """Save one line of the record: a clause's, that of an `earlier` problem, a free finding (`line`), or a new free one
    (`item`, `key`).

    `version` is that of the line as its author saw it, 0 for one not yet there. `sent` names this save: it is made
    once, however often it comes. `tried` names earlier saves of the same author that never got an answer: if one of
    them arrived after all, the line counts as seen. The visit is locked meanwhile, so that no line slips in after it
    is submitted; its own version stays, since members write different lines at once. The first author is kept. Raises
    PermissionDenied, StaleState (submitted meanwhile, or somebody changed the line).
    """
    if not visit.may_record(by):
        _refuse(visit, by)
    place = Place(line, clause, earlier, item, key)
    with transaction.atomic():
        lock(visit)
        found = place.find(visit)
        if found is None:
            if version:
                raise StaleState(visit, version)
            return _new_line(visit, by=by, values=values, place=place, sent=sent)
        if sent is not None and found.sent == sent:
            return found  # the same save, sent twice
        if key is not None and found.key == key and version == 0 and sent is None:
            return found  # the same new finding, sent twice
        seen = Q(version=version) | Q(sent__in=tried)
        rows = VisitLine.objects.filter(seen, pk=found.pk, visit=visit)
        changes = {**values, "sent": sent, "recorded_at": clock.now()}
        if not _update_once(rows, changes):
            raise StaleState(visit, version)
        found.refresh_from_db()
    return found


def _update_once(rows: models.QuerySet[VisitLine], changes: dict[str, Any]) -> int:
    try:
        with transaction.atomic():
            return rows.update(**changes, version=F("version") + 1)
    except IntegrityError:  # the name of this save belongs to another line
        return 0


def _new_line(visit, *, by, values, place: Place, sent) -> VisitLine:
    item = place.item
    if place.clause:
        item = place.clause.item
    if place.earlier:
        item = place.earlier.item
    try:
        with transaction.atomic():
            return visit.lines.create(
                clause=place.clause,
                earlier=place.earlier,
                item=item,
                key=place.key,
                sent=sent,
                author=by,
                **values,
            )
    except IntegrityError as error:
        raise StaleState(visit, 0) from error


def add_photos(
    line: VisitLine, *, files: Sequence[StoredFile], by: Post, key: UUID | None = None
) -> bool:
    """Attach photos to a line of a visit that is still being recorded.

    `key` names what a phone sends: it is taken once. Returns whether it was taken now.
    """
    if not line.visit.may_record(by):
        _refuse(line.visit, by)
    try:
        with transaction.atomic():
            lock(line.visit)
            if key is not None:
                PhotoKey.objects.create(line=line, key=key)
            line.files.add(*files)
    except IntegrityError:
        return False
    return True


def remove_line(line: VisitLine, *, by: Post, version: int) -> None:
    """Take back a free finding that turned out to be none; a clause's line is changed, not removed."""
    if not line.visit.may_record(by):
        _refuse(line.visit, by)
    if line.clause_id is not None:
        raise ValidationError("标准条款的记录请直接修改结果")
    with transaction.atomic():
        lock(line.visit)
        if not VisitLine.objects.filter(pk=line.pk, version=version).delete()[0]:
            raise StaleState(line.visit, version)


def lock(visit: Visit) -> None:
    """Hold the visit until the transaction ends; StaleState when it is no longer being recorded."""
    if (
        not Visit.objects.select_for_update()
        .filter(pk=visit.pk, status__in=Visit.EDITABLE)
        .exists()
    ):
        raise StaleState(visit, visit.version)


def _refuse(visit: Visit, post: Post) -> None:
    if visit.status not in Visit.EDITABLE:
        raise StaleState(visit, visit.version)
    raise PermissionDenied("督导记录由督导组填写")


LINE_FIELDS = (
    "found",
    "text",
    "method",
    "category",
    "severity",
    "due",
    "numerator",
    "denominator",
    "points",
    "follow",
)
_NUMBERS = ("numerator", "denominator", "points")
# Methods whose points follow from a numerator (and a denominator): only these are asked for on site.
COMPUTED = (rules.Method.ATTAIN, rules.Method.REVERSE, rules.Method.STEPS)


def values_of(line: VisitLine | None) -> dict[str, Any]:
    """Return what the form of a line shows, as texts: what is saved, or a proposal for a new one."""
    given: dict[str, Any] = {name: getattr(line, name) if line else "" for name in LINE_FIELDS}
    for name in _NUMBERS:
        given[name] = plain_text(given[name]) if given[name] not in (None, "") else ""
    due = given["due"] or default_due()
    return {**given, "due": due.isoformat()}


@dataclass
class Entry:
    """One line of the paper: a clause with what was recorded to it, a free finding, or room for one (`key`).

    `typed` and `errors` carry what was sent and refused, so that nothing typed is lost.
    """

    clause: Clause | None = None
    line: VisitLine | None = None
    item: ServiceItem | None = None
    key: UUID | None = None
    earlier: Problem | None = None
    photos: list[StoredFile] = field(default_factory=list)
    typed: dict[str, Any] | None = None
    errors: dict[str, list[str]] = field(default_factory=dict)

    @property
    def anchor(self) -> str:
        if self.clause:
            return f"clause-{self.clause.pk}"
        if self.earlier:
            return f"earlier-{self.earlier.pk}"
        return f"line-{self.line.pk}" if self.line else f"new-{self.item.pk if self.item else 0}"

    @property
    def version(self) -> int:
        return self.line.version if self.line else 0

    @property
    def values(self) -> dict[str, Any]:
        """What the form shows: as typed, as saved, or proposed."""
        if self.typed is not None:
            return self.typed
        values = values_of(self.line)
        if self.earlier and self.line is None:
            # What a recurrence begins with: the words of the problem it repeats.
            return {
                **values,
                "text": self.earlier.text,
                "severity": self.earlier.severity,
                "category": self.earlier.category,
            }
        return values

    @property
    def asks_figures(self) -> bool:
        return self.clause is not None and self.clause.rule.method in COMPUTED

    @property
    def asks_denominator(self) -> bool:
        return self.clause is not None and self.clause.rule.uses_rate

    @property
    def results(self) -> list[tuple[str, str]]:
        """The results to choose from; a closed problem that is there again has come back."""
        if self.earlier is None:
            return list(VisitLine.Found.choices)
        closed = self.earlier.rectification.status == Rectification.Status.CLOSED
        return [
            choice
            for choice in VisitLine.Follow.choices
            if not (closed and choice[0] == VisitLine.Follow.STILL)
        ]


class Refused(Protocol):
    """A line that was sent and could not be saved."""

    data: Any
    errors: Any
    anchor: str


@dataclass
class Section:
    """The lines of one service item; `item` is None for what belongs to none."""

    item: ServiceItem | None
    entries: list[Entry] = field(default_factory=list)
    new: Entry | None = None

    @property
    def label(self) -> str:
        return str(self.item) if self.item else "综合管理"

    @property
    def recorded(self) -> int:
        return sum(entry.line is not None for entry in self.entries)


def sections(visit: Visit) -> list[Section]:
    """Return the paper to record on, by item: the clauses for the visit's items, then free findings. Five queries."""
    items = visit_items(visit)
    wanted = {item.pk for item in items}
    clauses: list[Clause] = []
    if visit.round.standard:
        leaves = visit.round.standard.clauses.leaves().select_related("item", "parent")
        clauses = [
            c
            for c in leaves
            if not wanted or c.item_id in wanted or (c.item and c.item.parent_id in wanted)
        ]
    lines = list(visit.lines.select_related("author__institution", "item", "clause"))
    photos = _photos(lines)
    by_clause = {line.clause_id: line for line in lines if line.clause_id}
    found: dict[int | None, Section] = {item.pk: Section(item) for item in items}
    for clause in clauses:
        line = by_clause.pop(clause.pk, None)
        section = found.setdefault(clause.item_id, Section(clause.item))
        own = photos.get(line.pk, []) if line else []
        section.entries.append(Entry(clause, line, photos=own))
    for line in lines:
        if line.earlier_id is not None:
            continue
        if line.clause_id is None or line.clause_id in by_clause:
            section = found.setdefault(line.item_id, Section(line.item))
            section.entries.append(
                Entry(line.clause, line, line.item, photos=photos.get(line.pk, []))
            )
    return sorted(found.values(), key=lambda s: (s.item is None, s.item.code if s.item else ""))


def anchor(line: VisitLine) -> str:
    """Return the place of a saved line on the page (`Entry.anchor`)."""
    if line.clause_id:
        return f"clause-{line.clause_id}"
    return f"earlier-{line.earlier_id}" if line.earlier_id else f"line-{line.pk}"


def rechecked(visit: Visit) -> list[Entry]:
    """Return what was recorded to earlier problems. Two queries."""
    lines = list(
        visit.lines.filter(earlier__isnull=False).select_related(
            "author__institution", "item", "earlier__rectification"
        )
    )
    photos = _photos(lines)
    return [
        Entry(line=line, item=line.item, earlier=line.earlier, photos=photos.get(line.pk, []))
        for line in lines
    ]


def visit_items(visit: Visit) -> list[ServiceItem]:
    """Return the items of the visit, else those of the round; empty means all of them."""
    return list(visit.items.all()) or list(visit.round.items.all())


def paper(visit: Visit, refused: Refused | None = None) -> list[Section]:
    """Return the sections with room for a new finding in each, and what was refused in its place."""
    found = sections(visit)
    if not found:
        found.append(Section(None))
    for section in found:
        section.new = Entry(item=section.item, key=uuid4())
        for entry in [*section.entries, section.new]:
            _keep_typed(entry, refused)
    return found


def _keep_typed(entry: Entry, refused: Refused | None) -> None:
    if refused is not None and entry.anchor == refused.anchor:
        entry.typed = {name: refused.data.get(name, "") for name in LINE_FIELDS}
        entry.errors = refused.errors


def rechecks(visit: Visit, post: Post, refused: Refused | None = None) -> list[Entry]:
    """Return the earlier problems to look at again, each with what was recorded to it. Four queries."""
    lines = list(
        visit.lines.filter(earlier__isnull=False).select_related(
            "author__institution", "item", "earlier__item", "earlier__rectification"
        )
    )
    photos = _photos(lines)
    by_problem = {line.earlier_id: line for line in lines}
    found = []
    for problem in previous_problems(visit, post):
        line = by_problem.pop(problem.pk, None)
        own = photos.get(line.pk, []) if line else []
        found.append(Entry(line=line, item=problem.item, earlier=problem, photos=own))
    # Looked at, but meanwhile out of the list: withdrawn, or pushed out by newer ones.
    for line in by_problem.values():
        entry = Entry(line=line, item=line.item, earlier=line.earlier)
        found.append(replace(entry, photos=photos.get(line.pk, [])))
    for entry in found:
        _keep_typed(entry, refused)
    return found


def _photos(lines: Sequence[VisitLine]) -> dict[int, list[StoredFile]]:
    through = VisitLine.files.through.objects.filter(visitline__in=[line.pk for line in lines])
    grouped: dict[int, list[StoredFile]] = {}
    for row in through.select_related("storedfile").order_by("pk"):
        grouped.setdefault(row.visitline_id, []).append(row.storedfile)
    return grouped


def previous_problems(visit: Visit, post: Post) -> list[Problem]:
    """Return the institution's earlier problems on the visit's items, open ones first, then the latest closed."""
    rows = Problem.objects.visible_to(post).filter(institution=visit.institution_id)
    if items := [item.pk for item in visit_items(visit)]:
        rows = rows.filter(item__in=items)
    rows = rows.exclude(visit_line__visit=visit).exclude(rectification__status="withdrawn")
    return list(
        rows.select_related("item", "rectification").order_by(
            F("rectification__closed_at").desc(nulls_first=True), "rectification__due", "-pk"
        )[:PREVIOUS]
    )
