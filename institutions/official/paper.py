"""What an official paper says, without a word of how it looks. All lengths of text are counted in full-width characters."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

PORTRAIT = 40  # characters of 小四 across a portrait page, columns a little tighter than asked for


class Level(Enum):
    """The structure of a body: 一、 / （一） / 1. and plain text; FLUSH is text without indent."""

    FIRST = 1
    SECOND = 2
    TEXT = 0
    FLUSH = -1


@dataclass(frozen=True)
class Block:
    """One paragraph: `head` stands in the font of the level, `text` runs on in the font of the body."""

    level: Level
    head: str = ""
    text: str = ""


@dataclass(frozen=True)
class Annex:
    """附件: a titled table. `widths` are in characters of a cell, one per column; wide tables lie across the page."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[int] = ()
    note: str = ""

    @property
    def column_widths(self) -> tuple[int, ...]:
        """The widths asked for, else by the longest cell, at least 3 and at most 22 characters."""
        if len(self.widths) == len(self.columns):
            return tuple(self.widths)
        found = []
        for number, label in enumerate(self.columns):
            cells = [len(label), *(len(row[number]) for row in self.rows)]
            found.append(min(22, max(3, *cells)))
        return tuple(found)

    @property
    def is_wide(self) -> bool:
        return sum(self.column_widths) + len(self.columns) > PORTRAIT


@dataclass(frozen=True)
class Paper:
    """公文. `mark` is the red head (发文机关标志); empty where a paper bears none."""

    office: str
    title: str
    day: date
    body: Sequence[Block]
    mark: str = ""
    number: str = ""
    signer: str = ""
    addressee: str = ""
    annexes: Sequence[Annex] = ()
    signatures: Sequence[str] = ()
    copies_to: str = ""
    printed_by: str = ""
    sealed: bool = field(default=True)

    @property
    def day_text(self) -> str:
        return f"{self.day.year}年{self.day.month}月{self.day.day}日"

    @property
    def annex_list(self) -> list[str]:
        """附件说明: one annex stands alone, several are numbered in half-width figures."""
        titles = [annex.title for annex in self.annexes]
        return titles if len(titles) < 2 else [f"{n}. {t}" for n, t in enumerate(titles, 1)]

    def annex_name(self, number: int) -> str:
        return "附件" if len(self.annexes) < 2 else f"附件{number}"
