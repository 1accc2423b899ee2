"""What a route may be: a page, a record, a form or deed whose state decides, a move, or open to all."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Page:
    """A page without a record: `allowed` get it, all others are refused."""

    allowed: set[str]
    method: str = "get"
    args: tuple[Any, ...] = ()
    # Without naming a year and a unit there is nothing to act on: 404 for those allowed.
    empty: bool = False


@dataclass(frozen=True)
class Record:
    """A page of one record: `allowed` roles that may read it (canaries.may_read) and stand right get it."""

    rows: str
    kind: str
    allowed: set[str]
    stands: Callable[[str, str, str], bool] = lambda persona, code, item: True
    args: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Guarded(Record):
    """A form or a deed of one record whose state decides what the right people get; all others are refused."""

    methods: tuple[str, ...] = ("get", "post")


@dataclass(frozen=True)
class Move(Record):
    """A POST on one record: 409 for whoever may make it, since the version posted never matches."""

    data: dict[str, str] = field(default_factory=dict)


KEY = "00000000-0000-4000-8000-000000000000"
OPEN = "a page for people who are not logged in"
OWN = "a page about oneself: its rows are found by the user or post alone"
