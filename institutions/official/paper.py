"""What an official paper says, without a word of how it looks. All lengths of text are counted in full-width characters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum

ACROSS, ACROSS_WIDE = 156, 225  # mm of text on a page, and on one that lies
SIZES = (12.0, 10.5, 9.0, 7.5)  # 小四, 五号, 小五, 六号 in points, for the cells of a table
CELL_MARGINS = 5.6  # points, both sides of a cell together
POINT = 72 / 25.4  # of a millimetre


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
    widths: Sequence[float] = ()
    note: str = ""

    @property
    def column_widths(self) -> tuple[float, ...]:
        """The widths asked for, else by the longest cell, at least 3 and at most 22 characters."""
        if len(self.widths) == len(self.columns):
            return tuple(self.widths)
        found = []
        for number, label in enumerate(self.columns):
            cells = [len(label), *(len(row[number]) for row in self.rows)]
            found.append(min(22, max(3, *cells)))
        return tuple(found)

    def fits(self, size: float, across: float) -> bool:
        """Say whether every column gets the width it asks for in letters of `size` points, in `across` mm."""
        asked = sum(self.column_widths) * size + len(self.columns) * CELL_MARGINS
        return asked <= across * POINT

    @property
    def is_wide(self) -> bool:
        """Whether it lies across the page: it would need letters smaller than 五号 to stand."""
        return not self.fits(SIZES[1], ACROSS)

    @property
    def size(self) -> float:
        """The largest size of letters that fits."""
        across = ACROSS_WIDE if self.is_wide else ACROSS
        return next((size for size in SIZES if self.fits(size, across)), SIZES[-1])


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
