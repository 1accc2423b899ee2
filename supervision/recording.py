"""Recording on site: one line at a time, each saved by itself, by several members of a team at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F

from campaigns.models import Clause
from institutions import clock
from institutions.models import Post, ServiceItem, StoredFile
from institutions.workflow import StaleState
from supervision.models import Problem, Visit, VisitLine

# What a deadline for rectification is when the recorder names none.
DUE_DAYS = 15
PREVIOUS = 20


def default_due() -> date:
    """Return the deadline that the form proposes: `DUE_DAYS` from today."""
    return clock.today() + timedelta(days=DUE_DAYS)


def save_line(
    visit: Visit,
    *,
    by: Post,
    version: int,
    values: dict[str, Any],
    line: VisitLine | None = None,
    clause: Clause | None = None,
    item: ServiceItem | None = None,
    key: UUID | None = None,
) -> VisitLine:
    """Save one line of the record: a clause's (`clause`), a free finding (`line`), or a new free one (`item`, `key`).

    `version` is that of the line as its author saw it, 0 for one not yet there. The visit is locked meanwhile, so that
    no line slips in after it is submitted; its own version stays, since members write different lines at once. The
    first author is kept. Raises PermissionDenied, StaleState (submitted meanwhile, or somebody changed the line).
    """
    if not visit.may_record(by):
        _refuse(visit, by)
    with transaction.atomic():
        lock(visit)
        if line is None and clause is not None:
            line = visit.lines.filter(clause=clause).first()
        if line is None and key is not None:
            line = visit.lines.filter(key=key).first()
            if line is not None and version == 0:
                return line  # the same new finding, sent twice
        if line is None:
            if version:
                raise StaleState(visit, version)
            return _new_line(visit, by=by, values=values, clause=clause, item=item, key=key)
        seen = VisitLine.objects.filter(pk=line.pk, visit=visit, version=version)
        if not seen.update(**values, version=F("version") + 1, recorded_at=clock.now()):
            raise StaleState(visit, version)
        line.refresh_from_db()
    return line


def _new_line(visit, *, by, values, clause, item, key) -> VisitLine:
    try:
        with transaction.atomic():
            return visit.lines.create(
                clause=clause,
                item=clause.item if clause else item,
                key=key,
                author=by,
                **values,
            )
    except IntegrityError as error:
        raise StaleState(visit, 0) from error


def add_photos(line: VisitLine, *, files: Sequence[StoredFile], by: Post) -> None:
    """Attach photos to a line of a visit that is still being recorded."""
    if not line.visit.may_record(by):
        _refuse(line.visit, by)
    with transaction.atomic():
        lock(line.visit)
        line.files.add(*files)


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


LINE_FIELDS = ("found", "text", "method", "category", "severity", "due")


@dataclass
class Entry:
    """One line of the paper: a clause with what was recorded to it, a free finding, or room for one (`key`).

    `typed` and `errors` carry what was sent and refused, so that nothing typed is lost.
    """

    clause: Clause | None = None
    line: VisitLine | None = None
    item: ServiceItem | None = None
    key: UUID | None = None
    photos: list[StoredFile] = field(default_factory=list)
    typed: dict[str, Any] | None = None
    errors: dict[str, list[str]] = field(default_factory=dict)

    @property
    def anchor(self) -> str:
        if self.clause:
            return f"clause-{self.clause.pk}"
        return f"line-{self.line.pk}" if self.line else f"new-{self.item.pk if self.item else 0}"

    @property
    def version(self) -> int:
        return self.line.version if self.line else 0

    @property
    def values(self) -> dict[str, Any]:
        """What the form shows: as typed, as saved, or proposed."""
        if self.typed is not None:
            return self.typed
        given: dict[str, Any] = {
            name: getattr(self.line, name) if self.line else "" for name in LINE_FIELDS
        }
        due = given["due"] or default_due()
        return {**given, "due": due.isoformat()}


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
        if line.clause_id is None or line.clause_id in by_clause:
            section = found.setdefault(line.item_id, Section(line.item))
            section.entries.append(
                Entry(line.clause, line, line.item, photos=photos.get(line.pk, []))
            )
    return sorted(found.values(), key=lambda s: (s.item is None, s.item.code if s.item else ""))


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
            if refused is not None and entry.anchor == refused.anchor:
                entry.typed = {name: refused.data.get(name, "") for name in LINE_FIELDS}
                entry.errors = refused.errors
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
