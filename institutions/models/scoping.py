"""Which rows a post may see: said once, denied by default.

A post reaches institutions by `Grant`s: its own subtree, its street's region, and its mandates. Each scoped model says
where a row's institution and service item are found; nothing else decides what is in sight.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import models
from django.db.models import Q

from institutions.roles import ADMINISTRATORS, Role

if TYPE_CHECKING:
    from institutions.models.people import Post

NOTHING = Q(pk__in=[])


@dataclass(frozen=True)
class Grant:
    """Institutions that a post reaches, and the service items it reaches there (None: all of them).

    `bureaus` holds the ids of the bureaus in a bureau's subtree: working rows carry their bureau, and an equality in
    front of the sort key keeps a list at constant cost whatever the size of the table.
    """

    path: str = ""
    region_path: str = ""
    bureaus: tuple[int, ...] = ()
    institutions: tuple[int, ...] = ()
    items: frozenset[int] | None = None

    def institutions_q(self, prefix: str = "") -> Q:
        """Return the condition on institutions, whose fields are found behind `prefix` ("" or "x__")."""
        if self.region_path:
            return Q(**{f"{prefix}region__path__startswith": self.region_path})
        return Q(**{f"{prefix}path__startswith": self.path})

    def rows_q(self, *, institution_path: str, item_path: str | None, bureau_path: str | None) -> Q:
        """Return the condition on the rows of a working table; no rows if it knows no items and the grant is limited."""
        if self.items is not None and item_path is None:
            return NOTHING
        if self.bureaus and bureau_path:
            rows = Q(**{f"{bureau_path}__in": self.bureaus})
        elif self.institutions:
            rows = Q(**{f"{institution_path}__in": self.institutions})
        else:
            rows = self.institutions_q(f"{institution_path}__")
        if self.items is not None:
            rows &= Q(**{f"{item_path}__in": self.items})
        return rows


@dataclass(frozen=True)
class Reach:
    """All that a post reaches now."""

    role: str
    grants: tuple[Grant, ...] = field(default_factory=tuple)

    def institutions_q(self, prefix: str = "") -> Q:
        condition = NOTHING
        for grant in self.grants:
            condition |= grant.institutions_q(prefix)
        return condition

    def rows_q(self, *, institution_path: str, item_path: str | None, bureau_path: str | None) -> Q:
        condition = NOTHING
        for grant in self.grants:
            condition |= grant.rows_q(
                institution_path=institution_path, item_path=item_path, bureau_path=bureau_path
            )
        return condition

    def covers(self, institution: Any, item_id: int | None = None) -> bool:
        """Say whether `institution` (and, where the grant is limited, the item) is within reach."""
        return any(
            (
                institution.region_id is not None
                and institution.region.path.startswith(grant.region_path)
                if grant.region_path
                else institution.path.startswith(grant.path)
            )
            and (grant.items is None or item_id in grant.items)
            for grant in self.grants
        )


class ScopedQuerySet(models.QuerySet):
    """Rows that follow from the institutions and items a post reaches.

    A model says where they are found by subclassing: `institution_path`, `item_path` (None: rows that no item-limited
    post may see) and, for a working table, `bureau_path`. A model narrows further by calling `super()`.
    """

    institution_path: ClassVar[str]
    item_path: ClassVar[str | None]
    bureau_path: ClassVar[str | None] = None
    # Administrators look after accounts and reference data and see no work; the auditor sees all of it.
    hidden_from: ClassVar[frozenset[str]] = ADMINISTRATORS - {Role.AUDITOR}

    def visible_to(self, post: "Post | None") -> Self:
        """Return the rows that `post` may see; none without a post in office."""
        if post is None or post.role in self.hidden_from:
            return self.none()
        return self.filter(
            post.reach.rows_q(
                institution_path=self.institution_path,
                item_path=self.item_path,
                bureau_path=self.bureau_path,
            )
        )


class WorkQuerySet(ScopedQuerySet):
    """Rows of a working table: they carry `institution`, `item` and the `bureau` they were made under."""

    institution_path = "institution"
    item_path: ClassVar[str | None] = "item"
    bureau_path = "bureau"


class PublishedByBureauQuerySet(ScopedQuerySet):
    """What a `bureau` keeps for all: known to everybody who works under it, and to those above it."""

    institution_path = "bureau"
    item_path = None
    # Which of them those below may know; the bureau itself, and those above, see its drafts too.
    published: ClassVar[Q] = Q()

    def visible_to(self, post: "Post | None") -> Self:
        if post is None or post.role in self.hidden_from:
            return self.none()
        above = {code for grant in post.reach.grants for code in grant.path.split("/") if code}
        above |= set(post.institution.path.strip("/").split("/"))
        rows = Q(bureau__code__in=above) & self.published
        if post.institution.is_bureau:
            rows |= Q(bureau__path__startswith=post.institution.path)
        return self.filter(rows)


def ids(rows: Iterable[Any]) -> tuple[int, ...]:
    return tuple(sorted(rows))
