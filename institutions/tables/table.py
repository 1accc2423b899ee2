"""What every kind of table shares: declared once, read whole, checked whole, written whole.

A kind is a subclass of `Table` (or of `ModelTable`, where one row of the file is one row of a model):

    class Funds(ModelTable):
        kind, label, purpose = "funds", "预拨金额", "各机构当年已预拨的金额。"
        model = Prepayment
        keyed = ("institution", "year")
        columns = (PLACE, YEAR, Column("预拨金额", "amount", decimal(2), required=True, numeric=True))
        import_perms = ("scoring.change_policy",)
        export_perm = "scoring.view_yearresult"

The way of a file: `plan` reads it (each cell: parser, then the table's `lookup` method; each row: `resolve`; all rows:
duplicates, `check_all`), compares it with what is there, and returns a `Plan`: every error, or every change. `commit`
compares again inside the transaction, writes in sets and leaves one event. Nothing is written by `plan`.

What a subclass may say:

- `prepare()`: load what the lookups need, in a number of queries that does not depend on the file;
- `resolve(row)`: check one row across its columns; `self.bad(row, header, reason)`, and go on;
- `check_all(rows)`: check the file as a set; for a fault of the whole file raise `Refusal`;
- `compare(rows)`: yield one `Change` a row, noting errors that show only beside what is there; it also sees the good rows
  of a file that is refused; `write(changes)`: write the new and the changed ones;
- `export(year)`: yield the values of a row, in the order of `columns`, as `sheets.write_csv` takes them.

Rows with a bad cell are in `self.broken`, so that a check over the file can tell "missing" from "wrong".
A column that is not in the file leaves what is there; an empty cell empties it.
"""

from __future__ import annotations

import hashlib
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, BinaryIO, ClassVar, NamedTuple, TypeVar

from django.db import IntegrityError, models, transaction

from institutions import audit
from institutions.models import Institution, Post, ServiceItem
from institutions.sheets import (
    BadCell,
    Refusal,
    code,
    match_headers,
    read_sheet,
    write_csv,
    write_xlsx,
    year,
)

Progress = Callable[[int], None]
Q_ = TypeVar("Q_", bound=models.QuerySet)

UNKNOWN_INSTITUTION = "没有这个机构，或不在本单位管辖范围内"
MAX_ERRORS = 10_000  # kept of one file; the rest is counted
BATCH = 500


class Place(NamedTuple):
    """An institution as the lookups need it; models would cost four times the memory."""

    pk: int
    code: str
    name: str
    kind: str
    also_kinds: tuple[str, ...]
    parent_id: int | None
    path: str
    bureau_id: int | None
    opened: date | None
    closed: date | None

    def open_on(self, day: date) -> bool:
        return (self.opened is None or self.opened <= day) and (
            self.closed is None or self.closed > day
        )

    @property
    def kinds(self) -> tuple[str, ...]:
        return (self.kind, *self.also_kinds)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Scope:
    """On whose behalf a table goes in or out: what lies outside the unit's subtree does not exist for it.

    `unit` is None only for the first import into an empty database. `actor.post` is None on the command line without
    `--as`: then the subtree of the unit is all that limits.
    """

    unit: Institution | None
    actor: audit.Actor
    reading: bool = False  # for an export: all that the post sees, by mandates too

    @classmethod
    def of(cls, post: Post, *, reading: bool = False) -> Scope:
        return cls(post.institution, audit.actor(post), reading)

    @property
    def post(self) -> Post | None:
        return self.actor.post

    def institutions(self) -> models.QuerySet[Institution]:
        if self.unit is None:
            return Institution.objects.none()
        if self.reading and self.post:
            return Institution.objects.visible_to(self.post)
        rows = Institution.objects.under(self.unit)
        return rows.filter(pk__in=Institution.objects.visible_to(self.post)) if self.post else rows

    def limit(self, rows: Q_, institution_path: str = "institution") -> Q_:
        """Return the rows of a scoped model that the unit, and the post where there is one, may see."""
        if self.unit is None:
            return rows.none()
        if self.post is not None:
            rows = rows.visible_to(self.post)  # type: ignore[attr-defined]
            if self.reading:
                return rows
        return rows.filter(**{f"{institution_path}__path__startswith": self.unit.path})

    @cached_property
    def places(self) -> dict[str, Place]:
        """The institutions in scope by code, in one query."""
        found = self.institutions().values_list(*Place._fields).order_by("code")
        return {
            row[1]: Place(*row)._replace(also_kinds=tuple(row[4]))
            for row in found.iterator(chunk_size=2000)
        }

    @cached_property
    def items(self) -> dict[str, ServiceItem]:
        """The service items by everything they are called: code, names of all editions, short name, aliases."""
        found: dict[str, ServiceItem] = {}
        for item in ServiceItem.objects.select_related("parent").order_by("-code"):
            called = [item.name, item.short_name, *item.aliases, *item.names.values()]
            found.update((_plain(word), item) for word in called)
        by_code = {_plain(item.code): item for item in found.values()}
        return {**found, **by_code}

    def find_place(self, text: str) -> Place:
        if text not in self.places:
            raise ValueError(UNKNOWN_INSTITUTION)
        return self.places[text]

    def find_item(self, text: str) -> ServiceItem:
        if found := self.items.get(_plain(text)):
            return found
        short = f"0{text}"
        hint = f"，是否应为“{short}”？请把单元格设为文本" if _plain(short) in self.items else ""
        raise ValueError(f"没有这个服务项目，应为代码 01 至 12、07a、07b，或项目名称{hint}")


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().lower()


@dataclass(frozen=True)
class Column:
    """One column: `parse` makes a value of the text, `lookup` names a method of the table that makes it a thing.

    `blank` is what an empty cell means; `show` writes a value as `sheets.write_csv` takes it.
    """

    header: str
    name: str
    parse: Callable[[str], Any]
    required: bool = False
    blank: Any = None
    lookup: str = ""
    show: Callable[[Any], Any] = lambda value: value
    help: str = ""
    example: str = ""
    numeric: bool = False

    def text(self, value: Any) -> str:
        """A value as a person reads it in a list of changes or errors."""
        shown = None if value is None else self.show(value)
        if shown is None:
            return ""
        return ("是" if shown else "否") if isinstance(shown, bool) else str(shown)


def code_of(thing: Any) -> str:
    return "" if thing is None else thing.code


def joined(values: Iterable[str]) -> str:
    return ";".join(values)


PLACE = Column(
    "机构代码",
    "institution",
    code(32),
    required=True,
    lookup="find_place",
    show=code_of,
    help="机构表里的代码",
    example="ZC-QNL",
)
YEAR = Column("年度", "year", year, required=True, help="四位数字", example="2023")


@dataclass(slots=True)
class Row:
    """A row of the file: its number in Excel and its values by column name."""

    number: int
    values: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


@dataclass(slots=True)
class Change:
    """What a row would do: `state` is new, changed or unchanged; `diffs` are header, old, new as shown."""

    row: Row
    state: str
    name: str
    diffs: list[tuple[str, str, str]] = field(default_factory=list)
    old: Any = None

    @property
    def number(self) -> int:
        return self.row.number


@dataclass
class Plan:
    """All that a file would do, or all that is wrong with it; never both."""

    name: str
    sha256: str
    rows: list[Row]
    errors: list[BadCell]
    error_count: int
    notes: list[str]
    changes: list[Change] = field(default_factory=list)
    unchanged: int = 0

    @property
    def ok(self) -> bool:
        return not self.error_count

    @property
    def new(self) -> list[Change]:
        return [c for c in self.changes if c.state == "new"]

    @property
    def changed(self) -> list[Change]:
        return [c for c in self.changes if c.state == "changed"]

    @cached_property
    def digest(self) -> str:
        """Equal for two plans that would do the same."""
        return audit.digest([c.state, c.number, c.name, c.diffs] for c in self.changes)

    def __str__(self) -> str:
        if not self.ok:
            return f"有 {self.error_count} 处错误，什么也没有写入"
        if not self.changes:
            return f"没有变化（{self.unchanged} 行与现有数据一致）"
        counts = (len(self.new), len(self.changed), self.unchanged)
        return "新增 {} 行，修改 {} 行，没有变化 {} 行".format(*counts)


class Table(ABC):
    """A kind of table; see the head of this module for what a subclass says."""

    kind: ClassVar[str]
    label: ClassVar[str]
    purpose: ClassVar[str] = ""
    columns: ClassVar[Sequence[Column]]
    keyed: ClassVar[Sequence[str]] = ()  # the columns by which a row is known; no two rows agree
    import_perms: ClassVar[Sequence[str]] = ()  # any of them, besides institutions.import_table
    export_perm: ClassVar[str] = ""
    importable: ClassVar[bool] = True
    do_not_call_in_templates: ClassVar[bool] = True  # a template takes a class for a function

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.errors: list[BadCell] = []
        self.error_count = 0
        self.rows: list[Row] = []
        self.broken: list[Row] = []
        self.given: set[str] = {c.header for c in self.columns}
        self.notes: list[str] = []
        self.founded: Institution | None = None  # the top bureau, when this file makes it

    # --- What a kind may say ----------------------------------------------------------------------

    def prepare(self) -> None:
        """Load what the lookups need."""

    def resolve(self, row: Row) -> None:
        """Check one row across its columns."""

    def check_all(self, rows: list[Row]) -> None:
        """Check the rows without bad cells as a set."""

    @abstractmethod
    def compare(self, rows: list[Row]) -> Iterator[Change]:
        """Yield one change a row."""

    @abstractmethod
    def write(self, changes: list[Change]) -> None:
        """Write the new and the changed ones."""

    @abstractmethod
    def export(self, year: int | None) -> Iterator[Sequence[Any]]:
        """Yield the values of a row, in the order of `columns`."""

    def write_csv(self, year: int | None) -> Iterator[bytes]:
        return write_csv(self.export(year), self.headers())

    def write_xlsx(self, year: int | None, stream: BinaryIO) -> None:
        numeric = [column.header for column in self.columns if column.numeric]
        write_xlsx(self.export(year), self.headers(), stream, title=self.label, numeric=numeric)

    def title(self, row: Row) -> str:
        """What the row is about, for a person."""
        return "，".join(
            str(row[n]) if isinstance(row[n], Place) else self.column(n).text(row[n])
            for n in self.keyed
        )

    # --- Who may ----------------------------------------------------------------------------------

    @classmethod
    def may_import(cls, post: Post) -> bool:
        return (
            cls.importable
            and post.has_perm("institutions.import_table")
            and any(post.has_perm(perm) for perm in cls.import_perms)
        )

    @classmethod
    def may_export(cls, post: Post) -> bool:
        return post.has_perm("institutions.export_table") and post.has_perm(cls.export_perm)

    # --- Reading ----------------------------------------------------------------------------------

    @classmethod
    def headers(cls) -> list[str]:
        return [column.header for column in cls.columns]

    @classmethod
    def column(cls, name: str) -> Column:
        return next(column for column in cls.columns if column.name == name)

    def find_place(self, text: str) -> Place:
        return self.scope.find_place(text)

    def find_item(self, text: str) -> ServiceItem:
        return self.scope.find_item(text)

    def find_items(self, texts: list[str]) -> list[ServiceItem]:
        found = [self.scope.find_item(text) for text in texts]
        if len({item.pk for item in found}) < len(found):
            raise ValueError("同一个服务项目写了两次")
        return sorted(found, key=code_of)

    def plan(self, stream: BinaryIO, name: str, *, progress: Progress | None = None) -> Plan:
        """Read and check a file and say what it would do. Raises `Refusal` for a fault of the whole file."""
        if not self.importable:
            raise Refusal(f"“{self.label}”只能导出，不能导入。")
        stream.seek(0)
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
        sheet = read_sheet(stream, name)
        required = [c.header for c in self.columns if c.required]
        self.given = set(match_headers(sheet.headers, self.headers(), required))
        self.prepare()
        seen: dict[Any, int] = {}
        for line in sheet.rows:
            row = self._take(line.number, line.cells, line.errors)
            self._check_twice(row, seen)
            if progress and (len(self.rows) + len(self.broken)) % BATCH == 0:
                progress(len(self.rows) + len(self.broken))
        self.check_all(self.rows)
        plan = Plan(name, sha256, self.rows, self.errors, self.error_count, [*sheet.notes])
        self._compare(plan)
        plan.notes += self.notes
        return plan

    def _take(self, number: int, cells: dict[str, str], faults: Sequence[BadCell]) -> Row:
        row = Row(number, {})
        faulty = {fault.column for fault in faults}
        for fault in faults:
            self._add(fault)
        for column in self.columns:
            text = cells.get(column.header, "").strip()
            if column.header in faulty:
                continue
            if not text:
                if column.required:
                    self._add(BadCell(number, column.header, "", "不能为空"))
                else:
                    row.values[column.name] = column.blank
                continue
            try:
                value = column.parse(text)
                row.values[column.name] = (
                    getattr(self, column.lookup)(value) if column.lookup else value
                )
            except ValueError as error:
                self._add(BadCell(number, column.header, text, str(error)))
        if faults or len(row.values) < len(self.columns):
            self.broken.append(row)
        else:
            before = self.error_count
            self.resolve(row)
            (self.rows if self.error_count == before else self.broken).append(row)
        return row

    def _check_twice(self, row: Row, seen: dict[Any, int]) -> None:
        """Two rows of one key: the second is refused and names the first."""
        if not self.keyed or any(name not in row.values for name in self.keyed):
            return
        key = self.key(row)
        if (first := seen.setdefault(key, row.number)) != row.number:
            headers = "、".join(self.column(name).header for name in self.keyed)
            self.bad(row, self.column(self.keyed[0]).header, f"与第{first}行重复（{headers}相同）")

    def key(self, row: Row) -> Any:
        return tuple(row[name] for name in self.keyed)

    def bad(self, row: Row, header: str, reason: str) -> None:
        """Note an error of a cell; its value is shown as the file would say it."""
        column = next((c for c in self.columns if c.header == header), None)
        value = column.text(row.values.get(column.name)) if column else ""
        self._add(BadCell(row.number, header, value, reason))

    def _add(self, error: BadCell) -> None:
        self.error_count += 1
        if len(self.errors) < MAX_ERRORS:
            self.errors.append(error)

    # --- Writing ----------------------------------------------------------------------------------

    def _compare(self, plan: Plan) -> None:
        for change in self.compare(plan.rows):
            if change.state == "unchanged":
                plan.unchanged += 1
            else:
                plan.changes.append(change)
        self.errors.sort(key=lambda error: error.row)
        plan.errors, plan.error_count = self.errors, self.error_count
        if not plan.ok:
            plan.changes = []

    def commit(self, plan: Plan) -> None:
        """Write a plan whole, with one event. Raises `Refusal` when the data has changed since it was made."""
        if not plan.ok:
            raise Refusal("文件有错误，什么也没有写入。")
        if not plan.changes:
            return
        try:
            with transaction.atomic():
                self._lock()
                now = Plan(plan.name, plan.sha256, plan.rows, [], 0, [])
                self._compare(now)
                if now.digest != plan.digest:
                    raise Refusal("数据刚刚有了变化，什么也没有写入，请重新核对后再导入。")
                self.write(now.changes)
                self._record(now)
        except IntegrityError as error:
            raise Refusal("有人同时修改了这些数据，什么也没有写入，请重新导入。") from error

    def _lock(self) -> None:
        """Two imports of one unit go one after the other (SQLite has one writer anyway)."""
        if self.scope.unit is not None:
            list(Institution.objects.select_for_update(no_key=True).filter(pk=self.scope.unit.pk))

    def _record(self, plan: Plan) -> None:
        unit = self.scope.unit or self.founded
        audit.record(
            f"portal.import_{self.kind}",
            f"导入{self.label}",
            by=self.scope.actor,
            bureau=unit.bureau_id if unit else None,
            institution=unit,
            note=f"{plan.name[:80]}：{plan}",
            data={
                "kind": self.kind,
                "new": len(plan.new),
                "changed": len(plan.changed),
                "unchanged": plan.unchanged,
                "sha256": plan.sha256,
                "digest": plan.digest,
            },
        )


class ModelTable(Table):
    """A table whose rows are the rows of one model, known by `keyed` (unique together in the database too)."""

    model: ClassVar[type[models.Model]]

    def existing(self, rows: list[Row]) -> dict[Any, Any]:
        """Return what is there in scope by key, in one query; narrowed to the years of the file."""
        found = self.in_scope()
        if "year" in self.keyed:
            found = found.filter(year__in={row["year"] for row in rows})
        return {self.stored_key(obj): obj for obj in found.iterator(chunk_size=2000)}

    def in_scope(self) -> models.QuerySet:
        return self.scope.limit(self.model._default_manager.all())

    def stored_key(self, obj: Any) -> Any:
        return tuple(
            getattr(obj, f"{n}_id") if n == "institution" else getattr(obj, n) for n in self.keyed
        )

    def key(self, row: Row) -> Any:
        return tuple(row[n].pk if isinstance(row[n], Place) else row[n] for n in self.keyed)

    def compare(self, rows: list[Row]) -> Iterator[Change]:
        found = self.existing(rows)
        for row in rows:
            yield self.change(row, found.get(self.key(row)))

    def change(self, row: Row, old: Any) -> Change:
        """Compare one row with what is there, column by column."""
        diffs = []
        for column in self.columns:
            if column.name in self.keyed or column.header not in self.given:
                continue
            now = row[column.name]
            before = column.blank if old is None else self.stored(old, column.name)
            if now != before:
                diffs.append((column.header, column.text(before), column.text(now)))
        state = "new" if old is None else "changed" if diffs else "unchanged"
        return Change(row, state, self.title(row), diffs, old)

    def stored(self, obj: Any, name: str) -> Any:
        """The value of a column in a row of the model."""
        return getattr(obj, name)

    def attributes(self, change: Change) -> dict[str, Any]:
        """The fields of the model for one row; a column that the file does not have keeps what is there."""
        fields: dict[str, Any] = {}
        for column in self.columns:
            value = change.row[column.name]
            if change.old is not None and column.header not in self.given:
                value = self.stored(change.old, column.name)
            if isinstance(value, Place):
                fields[f"{column.name}_id"] = value.pk
            else:
                fields[column.name] = value
        return fields

    def write(self, changes: list[Change]) -> None:
        """Insert or update in sets; the unique key decides, so that a row is never doubled."""
        rows = [self.model(**self.attributes(change)) for change in changes]
        self.model._default_manager.bulk_create(
            rows,
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=list(self.keyed),
            update_fields=[c.name for c in self.columns if c.name not in self.keyed],
        )

    def export(self, year: int | None) -> Iterator[Sequence[Any]]:
        rows = self.in_scope().select_related("institution")
        if year is not None:
            rows = rows.filter(year=year)
        for obj in rows.order_by("institution__code", *self.keyed[1:]).iterator(chunk_size=2000):
            yield [
                None if (value := self.stored(obj, c.name)) is None else c.show(value)
                for c in self.columns
            ]
