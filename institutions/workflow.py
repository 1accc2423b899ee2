"""Moving a record from one status to the next: checked, raced safely, and always recorded.

`MOVES` of a model is the one truth: buttons, guard, trail and documentation read it. Each row names the `institution`
that answers and the `supervisor` that asks, so that nobody acts on both sides of one record.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.db.models import F

from institutions import audit, clock
from institutions.models import Institution, Post
from institutions.models.scoping import WorkQuerySet


class Side(Enum):
    """Which side of the record makes a move."""

    ANSWERS = "answers"  # a post of the institution itself
    ASKS = "asks"  # a post of the supervisor, or one with a mandate over institution and item
    SECOND = "second"  # one who asks, not of the institution, and not the author


@dataclass(frozen=True)
class Need:
    """A named condition of a move: `field` is asked for in the form, or `holds` is true of the row."""

    reason: str
    field: str = ""
    holds: Callable[[Any], bool] | None = None


NOTE = Need("请写明理由或意见", field="note")
DATE = Need("请填写日期", field="date")


@dataclass(frozen=True)
class Move:
    """One permitted step: from any of `sources` to `target`, by a post with `perm` on that side."""

    label: str
    sources: frozenset[str]
    target: str
    perm: str
    side: Side
    needs: tuple[Need, ...] = ()
    tone: str = ""  # primary or danger, for the button
    confirm: str = ""  # a sentence to agree to first


@dataclass(frozen=True)
class Offer:
    """A move as a button: who may press it now, or why not yet."""

    name: str
    move: Move
    reason: str = ""

    @property
    def label(self) -> str:
        return self.move.label

    @property
    def tone(self) -> str:
        return self.move.tone

    @property
    def asks(self) -> list[str]:
        return [need.field for need in self.move.needs if need.field]


class StaleState(Exception):
    """The record is no longer as the actor saw it; nothing was saved."""

    def __init__(self, row: models.Model, seen: int | None = None) -> None:
        super().__init__(str(row))
        self.row = row
        self.seen = seen


class Workflow(models.Model):
    """A row with a status that only its verbs change. Children add `status` choices, `item` and their own fields."""

    MOVES: ClassVar[dict[str, Move]] = {}
    OPEN: ClassVar[frozenset[str]] = frozenset()

    bureau = models.ForeignKey(Institution, models.PROTECT, related_name="+", editable=False)
    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="机构", related_name="%(class)ss"
    )
    supervisor = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="督导方", related_name="+"
    )
    author = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="经办", related_name="+", editable=False
    )
    status = models.CharField("状态", max_length=12)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = WorkQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args, **kwargs):
        if self._state.adding and self.bureau_id is None:
            self.bureau_id = self.institution.bureau_id
        super().save(*args, **kwargs)

    @property
    def work_item_id(self) -> int | None:
        return getattr(self, "item_id", None)

    def stands_on(self, side: Side, post: Post) -> bool:
        """Say whether `post` stands on that side of this row."""
        if side is Side.ANSWERS:
            return post.acts_for(self.institution_id)
        if post.institution_id == self.institution_id and self.institution_id != self.supervisor_id:
            return False
        if not post.asks_of(self.institution, self.supervisor_id, self.work_item_id):
            return False
        return side is Side.ASKS or (
            post.institution_id != self.institution_id
            and post.pk != self.author_id
            and (self.author is None or post.user_id != self.author.user_id)
        )

    def may(self, name: str, post: Post | None) -> bool:
        """Say whether `post` is the one to make this move, whatever the status and the needs."""
        move = self.MOVES[name]
        return post is not None and post.has_perm(move.perm) and self.stands_on(move.side, post)

    def moves_for(self, post: Post | None) -> list[Offer]:
        """Return the moves that `post` may make from here, each with the reason that still stands in its way."""
        offers = []
        for name, move in self.MOVES.items():
            if self.status in move.sources and self.may(name, post):
                unmet = next((n.reason for n in move.needs if n.holds and not n.holds(self)), "")
                offers.append(Offer(name, move, unmet))
        return offers

    def _move(
        self,
        name: str,
        *,
        by: Post,
        version: int,
        note: str = "",
        data: dict[str, Any] | None = None,
        **changes: Any,
    ) -> None:
        """Make one move: guard, compare-and-swap on status and version, event; all in one transaction.

        Raises PermissionDenied (not on that side), ValidationError (a need is not met), StaleState (lost the race).
        """
        move = self.MOVES[name]
        if not self.may(name, by):
            raise PermissionDenied(f"{move.label}不由本岗位办理")
        if self.status not in move.sources or self.version != version:
            raise StaleState(self, version)
        for need in move.needs:
            given = need.holds(self) if need.holds else {"note": note, **changes}.get(need.field)
            if not given:
                raise ValidationError(need.reason)
        with transaction.atomic():
            # Compare-and-swap: of two people acting on the same state, one wins.
            seen = type(self)._base_manager.filter(
                pk=self.pk, version=version, status__in=move.sources
            )
            if not seen.update(**changes, status=move.target, version=F("version") + 1):
                raise StaleState(self, version)
            audit.record(
                f"{self._meta.label_lower}.{name}",
                move.label,
                by=by,
                bureau=self.bureau_id,
                on=self,
                institution=self.institution,
                before=self.status,
                after=move.target,
                note=note,
                data=data,
            )
        for field, value in {**changes, "status": move.target, "version": version + 1}.items():
            setattr(self, field, value)

    def _decide(
        self,
        name: str,
        *,
        by: Post,
        version: int,
        note: str = "",
        data: dict[str, Any] | None = None,
        **changes: Any,
    ) -> None:
        """Make a move that gives an answer: the note stays on the row as `opinion`, with `decided_at`.

        Who decided is on the trail; a row that has a `decided_by` keeps it too. Raises as `_move` does.
        """
        if hasattr(self, "decided_by_id"):
            changes["decided_by"] = by
        changes |= {"opinion": note, "decided_at": clock.now()}
        self._move(name, by=by, version=version, note=note, data=data, **changes)


def touch(row: Any, *, version: int, editable: frozenset[str]) -> None:
    """Claim an editable row for saving something inside it: bumps its version or raises `StaleState`.

    Must run in the transaction that saves the line, so that a line is saved only under the version its author saw.
    """
    seen = type(row)._base_manager.filter(pk=row.pk, version=version, status__in=editable)
    if not seen.update(version=F("version") + 1):
        raise StaleState(row, version)
    row.version = version + 1
