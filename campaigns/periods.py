"""The periods a figure is followed by: a year, a quarter or a month, without a null in its key."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from django.db import models

MONTHS = {"month": 1, "quarter": 3, "year": 12}


class Frequency(models.TextChoices):
    MONTH = "month", "每月"
    QUARTER = "quarter", "每季度"
    YEAR = "year", "每年"


@dataclass(frozen=True, order=True)
class Period:
    """A year (quarter and month 0), a quarter (month 0) or a month (quarter 0)."""

    year: int
    quarter: int = 0
    month: int = 0

    @classmethod
    def holding(cls, frequency: str, day: date) -> "Period":
        """Return the period of that frequency in which `day` lies."""
        if frequency == Frequency.MONTH:
            return cls(day.year, 0, day.month)
        if frequency == Frequency.QUARTER:
            return cls(day.year, (day.month + 2) // 3)
        return cls(day.year)

    @classmethod
    def last(cls, frequency: str, today: date) -> "Period":
        """Return the last period that is over: the one that is owed."""
        return cls.holding(frequency, today).before()

    @classmethod
    def read(cls, text: str) -> "Period":
        """Read `2023`, `2023Q3` or `2023M10`. Raises ValueError."""
        found = re.fullmatch(r"(20[0-9]{2})(?:Q([1-4])|M(0[1-9]|1[0-2]))?", text, re.ASCII)
        if not found:
            raise ValueError("没有这个统计期")
        return cls(int(found[1]), int(found[2] or 0), int(found[3] or 0))

    @property
    def frequency(self) -> str:
        if self.month:
            return Frequency.MONTH
        return Frequency.QUARTER if self.quarter else Frequency.YEAR

    @property
    def code(self) -> str:
        if self.month:
            return f"{self.year}M{self.month:02}"
        return f"{self.year}Q{self.quarter}" if self.quarter else f"{self.year}"

    @property
    def key(self) -> dict[str, int]:
        """The fields of a row that say its period."""
        return {"year": self.year, "quarter": self.quarter, "month": self.month}

    @property
    def ends(self) -> date:
        month = self.month or self.quarter * 3 or 12
        return date(self.year, month, monthrange(self.year, month)[1])

    @property
    def starts(self) -> date:
        length = MONTHS[self.frequency]
        return date(self.year, self.ends.month - length + 1, 1)

    @property
    def short(self) -> str:
        """The label at the axis of a picture: 23年10月."""
        return str(self).removeprefix("20")

    def before(self) -> "Period":
        """Return the period before this one."""
        first = self.starts
        day = date(first.year - (first.month == 1), (first.month - 2) % 12 + 1, 1)
        return Period.holding(self.frequency, day)

    def year_before(self) -> "Period":
        """Return the same period of the year before (上年同期)."""
        return Period(self.year - 1, self.quarter, self.month)

    def back(self, count: int) -> list["Period"]:
        """Return `count` periods up to this one, oldest first."""
        found = [self]
        while len(found) < count:
            found.append(found[-1].before())
        return found[::-1]

    def __str__(self) -> str:
        if self.month:
            return f"{self.year}年{self.month}月"
        return f"{self.year}年{self.quarter}季度" if self.quarter else f"{self.year}年"
