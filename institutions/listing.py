"""A list as people use it: filter, search, sort, page, and export what is seen. All of it stands in the address."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import quote

from django.core.exceptions import BadRequest, ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from institutions import audit, clock, sheets
from institutions.http import Request

PAGE = 25
# Counting stops here; beyond it pages are stepped through by key, at the same cost however deep.
COUNTED = 1000


@dataclass(frozen=True)
class Tag:
    """A state as the screen shows it: a word, with a tone for colour and symbol."""

    text: str
    tone: str = "muted"

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Column:
    """One column: `value` is an attribute path or a function of the row; `sort` names non-null database fields."""

    label: str
    value: str | Callable[[Any], Any]
    sort: Sequence[str] = ()
    numeric: bool = False
    url: Callable[[Any], str] | None = None
    shown: bool = True  # False: only in exports

    def of(self, row: Any) -> Any:
        if callable(self.value):
            return self.value(row)
        for name in self.value.split("."):
            row = getattr(row, name, None)
            if callable(row):
                row = row()
        return row


@dataclass(frozen=True)
class Heading:
    label: str
    numeric: bool
    sort_url: str
    sorted: str


@dataclass(frozen=True)
class Cell:
    value: Any
    label: str
    numeric: bool
    url: str
    tag: Tag | None

    @property
    def on_one_line(self) -> bool:
        """A date and a short word (优秀) are not broken."""
        return isinstance(self.value, date) or (isinstance(self.value, str) and len(self.value) < 5)


@dataclass(frozen=True)
class Line:
    url: str
    cells: list[Cell]
    row: Any


class Listing:
    """One list page. Subclass it in an app's `lists.py`; give it the rows in sight, get the answer.

    `search` names text fields (`institution__search` also knows pinyin initials); `filters` is a django-filter
    FilterSet whose choices start from what is in sight (`ScopedFilterSet`); `order` must end in a unique field.
    """

    title: ClassVar[str] = ""
    columns: Sequence[Column] = ()
    search: ClassVar[Sequence[str]] = ()
    filters: ClassVar[type | None] = None
    order: ClassVar[Sequence[str]] = ("pk",)

    def __init__(self, request: Request, rows: models.QuerySet) -> None:
        self.request = request
        self.query = request.GET
        self.all_rows = rows

    # --- What is asked for ------------------------------------------------------------------------

    @cached_property
    def filterset(self):
        if self.filters is None:
            return None
        return self.filters(self.query or None, queryset=self.all_rows, request=self.request)

    @property
    def form(self):
        return self.filterset.form if self.filterset is not None else None

    @cached_property
    def found(self) -> models.QuerySet:
        """The rows that pass filter and search, sorted."""
        rows = self.all_rows
        if self.filterset is not None and self.filterset.is_valid():
            rows = self.filterset.qs
        words = self.query.get("q", "").strip().lower()[:60]
        for word in words.split():
            condition = Q()
            for name in self.search:
                condition |= Q(**{f"{name}__icontains": word})
            rows = rows.filter(condition)
        return rows.order_by(*self._order)

    @cached_property
    def _sorted(self) -> tuple[int, bool] | None:
        text = self.query.get("sort", "")
        number = text.removeprefix("-")
        if not number.isascii() or not number.isdigit() or int(number) >= len(self.columns):
            return None
        if not self.columns[int(number)].sort:
            return None
        return int(number), text.startswith("-")

    @property
    def _order(self) -> list[str]:
        if self._sorted is None:
            return list(self.order)
        number, down = self._sorted
        chosen = [f"-{f}" if down else f for f in self.columns[number].sort]
        return [*chosen, "-pk" if down else "pk"]

    # --- A page of it -----------------------------------------------------------------------------

    @cached_property
    def count(self) -> int:
        """The number of rows found, at most COUNTED + 1."""
        return self.found.order_by()[: COUNTED + 1].count()

    @property
    def count_text(self) -> str:
        return f"共 {self.count} 条" if self.count <= COUNTED else f"超过 {COUNTED} 条"

    @cached_property
    def number(self) -> int:
        text = self.query.get("page", "1")
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1
        return max(1, min(number, -(-min(self.count, COUNTED) // PAGE) or 1))

    @cached_property
    def after(self) -> list[Any] | None:
        """The sort key of the last row of the page before, where the list is stepped through by key."""
        text = self.query.get("after", "")
        if not text:
            return None
        try:
            values = json.loads(text)
        except ValueError as error:
            raise BadRequest("翻页参数不对") from error
        if not isinstance(values, list) or len(values) != len(self._order):
            raise BadRequest("翻页参数不对")
        return values

    @cached_property
    def page_rows(self) -> list[Any]:
        if self.after is not None:
            try:
                return self._rows_after(self.after)
            except (ValueError, TypeError, OverflowError, ValidationError) as error:
                raise BadRequest("翻页参数不对") from error
        start = (self.number - 1) * PAGE
        return list(self.found[start : start + PAGE + 1])

    def _rows_after(self, values: list[Any]) -> list[Any]:
        """Return the rows behind a key: those equal to it but for the last field, then but for the last two, and so on.

        Each step is one seek in an index, on both databases; one OR over all steps would read what lies before the key.
        """
        rows: list[Any] = []
        for place in reversed(range(len(values))):
            equal = dict(zip(self._order[:place], values, strict=False))
            same = {name.lstrip("-"): value for name, value in equal.items()}
            name = self._order[place]
            side = "lt" if name.startswith("-") else "gt"
            behind = {f"{name.lstrip('-')}__{side}": values[place]}
            rows += self.found.filter(**same, **behind)[: PAGE + 1 - len(rows)]
            if len(rows) > PAGE:
                break
        return rows

    @property
    def has_next(self) -> bool:
        return len(self.page_rows) > PAGE

    @property
    def has_previous(self) -> bool:
        return self.after is not None or self.number > 1

    @property
    def prev_url(self) -> str:
        if self.after is not None:
            return self._url(page=None, after=None)
        return self._url(page=self.number - 1, after=None)

    @property
    def next_url(self) -> str:
        if self.after is None and self.number * PAGE < COUNTED:
            return self._url(page=self.number + 1, after=None)
        last = self.page_rows[PAGE - 1]
        values = [_plain(_value(last, name.lstrip("-"))) for name in self._order]
        return self._url(page=None, after=json.dumps(values, separators=(",", ":")))

    def _url(self, **changes: Any) -> str:
        query = self.query.copy()
        for name, value in changes.items():
            if value is None:
                query.pop(name, None)
            else:
                query[name] = str(value)
        return f"?{query.urlencode()}"

    # --- As the templates want it -------------------------------------------------------------------

    @property
    def headings(self) -> list[Heading]:
        shown = []
        for number, column in enumerate(self.columns):
            if not column.shown:
                continue
            state, url = "", ""
            if column.sort:
                down = False
                if self._sorted and self._sorted[0] == number:
                    state = "desc" if self._sorted[1] else "asc"
                    down = state == "asc"
                url = self._url(sort=f"-{number}" if down else number, page=None, after=None)
            shown.append(Heading(column.label, column.numeric, url, state))
        return shown

    @cached_property
    def rows(self) -> list[Line]:
        return [self._line(row) for row in self.page_rows[:PAGE]]

    def _line(self, row: Any) -> Line:
        cells = []
        for column in self.columns:
            if column.shown:
                value = column.of(row)
                tag = value if isinstance(value, Tag) else None
                url = column.url(row) if column.url else ""
                cells.append(Cell(value, column.label, column.numeric, url, tag))
        return Line(self.row_url(row), cells, row)

    def row_url(self, row: Any) -> str:
        return row.get_absolute_url() if hasattr(row, "get_absolute_url") else ""

    @property
    def table(self) -> dict[str, Any]:
        """What `_table.html` and `_filters.html` take as `listing`."""
        return {
            "columns": self.headings,
            "rows": self.rows,
            "csv_url": self._url(format="csv", page=None, after=None),
            "xlsx_url": self._url(format="xlsx", page=None, after=None),
        }

    # --- Answers ------------------------------------------------------------------------------------

    def response(self, template: str, context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Return the page, or the export when one is asked for and the post may export."""
        wanted = self.query.get("format", "")
        if wanted in ("csv", "xlsx") and self.request.post.has_perm("institutions.export_table"):
            return self._export(wanted)
        return render(
            self.request,
            template,
            {"listing": self.table, "page": self, "form": self.form, **(context or {})},
        )

    def _export(self, wanted: str) -> HttpResponseBase:
        with transaction.atomic():
            audit.record(
                "portal.export",
                f"导出{self.title}",
                by=self.request.post,
                bureau=self.request.post.institution.bureau_id,
                note=self._url(format=None, page=None, after=None),
            )
        headers = [column.label for column in self.columns]
        name = f"{self.title}-{clock.today():%Y%m%d}.{wanted}"
        if wanted == "csv":
            response: Any = StreamingHttpResponse(
                sheets.write_csv(self._export_rows(), headers),
                content_type="text/csv; charset=utf-8",
            )
        else:
            response = HttpResponse(
                content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            )
            sheets.write_xlsx(self._export_rows(), headers, response, title=self.title)
        response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
        return response

    def _export_rows(self) -> Iterator[list[Any]]:
        for row in self.found.iterator(chunk_size=2000):
            yield [str(v) if isinstance(v := column.of(row), Tag) else v for column in self.columns]


def _value(row: Any, path: str) -> Any:
    for name in path.split("__"):
        row = getattr(row, name)
    return row


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | str | bool) else str(value)
