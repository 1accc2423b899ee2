"""Read the first sheet of a .xlsx as the texts a person sees, row by row, in bounded memory.

Why not openpyxl, which writes our files: it believes the sheet's own size (a 1.7 KB file took 6
GB), keeps every shared string whatever its length, expands shared formulas, and reads a cell in one
of the built-in Chinese date formats (numbers 27 to 36 and 50 to 58 of ECMA-376, part 1, 18.8.30) as
a bare number.
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import IO, NamedTuple

from institutions.archives import BROKEN, CHUNK, DAMAGED, Refusal, feed, strict_parser

MAX_CELLS_IN_A_ROW = 16_384  # Excel's own
MAX_STRINGS_LENGTH = 50_000_000  # characters of all shared strings together
LARGEST_EXACT = 10**15  # Excel keeps 15 digits, the rest become zeros

FORMULA = "是公式，请复制后“选择性粘贴—数值”（请粘贴为数值）"
ERROR_VALUE = "是错误值，请改正后再导入"
TOO_MANY_DIGITS = "数字超过 15 位会丢失末位，请把单元格设为文本后重新填写"
NOT_A_NUMBER = "不是有效的数字"
NOT_A_DATE = "不是有效日期，应为 2023-03-31 这样的日期"

_DATES = {14, 15, 16, 17, 22, *range(27, 32), *range(34, 37), *range(50, 55), 57, 58}
_TIMES = {18, 19, 20, 21, 32, 33, 45, 46, 47, 55, 56}
_LITERALS = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=[\"']([A-Z0-9:]{1,20})")
_FILLED = re.compile(rb"<(?:\w+:)?(?:v|is)[\s>]")


class CellText(NamedTuple):
    """What a cell shows, and why it cannot be used, if so."""

    text: str
    problem: str = ""


class RawRow(NamedTuple):
    """A row with something in it: its number in Excel and its cells by column, from 0."""

    number: int
    cells: dict[int, CellText]


@dataclass
class _Workbook:
    sheets: list[tuple[str, str, str]] = field(default_factory=list)  # name, relation, state
    epoch: dt.datetime = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a cell has no time zone
    relations: dict[str, str] = field(default_factory=dict)
    strings: list[str] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)  # by style number: kind of number


def open_sheet(
    package: zipfile.ZipFile, *, max_columns: int, max_length: int
) -> tuple[Iterator[RawRow], list[str]]:
    """The rows of the first visible sheet and notes for the person, such as sheets not read.

    `package` comes from `archives.open_package`. Raises `Refusal`, also while rows are read.
    """
    book = _read_workbook(package)
    parts = [
        (name, book.relations[relation])
        for name, relation, state in book.sheets
        if state == "visible" and book.relations.get(relation) in package.namelist()
    ]
    if not parts:
        raise Refusal("文件里没有可读的工作表。")
    (first, path), others = parts[0], parts[1:]
    if found := _search(package, path, _MERGED):
        raise Refusal(f"工作表“{first}”里有合并单元格 {found}，请取消合并、逐行填写后再导入。")
    notes = []
    if ignored := [name for name, other in others if _search(package, other, _FILLED)]:
        notes.append(f"只读取第一个工作表“{first}”，未读取：{'、'.join(ignored)}。")
    book.strings = _read_strings(package, max_length)
    book.formats = _read_formats(package)
    reader = _SheetReader(book, max_columns, max_length)
    return reader.rows(package, path), notes


def _search(package: zipfile.ZipFile, path: str, pattern: re.Pattern[bytes]) -> str:
    """The first match in a part, searched in pieces; '' if there is none."""
    rest = b""
    with package.open(path) as part:
        while piece := _read(part):
            if match := pattern.search(rest + piece):
                return (match[1] if pattern.groups else match[0]).decode()
            rest = piece[-200:]
    return ""


def _read_workbook(package: zipfile.ZipFile) -> _Workbook:
    book = _Workbook()

    def on_workbook(name: str, given: dict[str, str]) -> None:
        local = _local(name)
        if local == "workbookPr" and given.get("date1904") in ("1", "true"):
            book.epoch = dt.datetime(1904, 1, 1)  # noqa: DTZ001
        elif local == "sheet":
            relation = next((v for k, v in given.items() if _local(k) == "id"), "")
            book.sheets.append((given.get("name", ""), relation, given.get("state", "visible")))

    def on_relation(name: str, given: dict[str, str]) -> None:
        if _local(name) == "Relationship" and given.get("Type", "").endswith("/worksheet"):
            target = given.get("Target", "")
            path = target[1:] if target.startswith("/") else f"xl/{target}"
            book.relations[given.get("Id", "")] = path

    _scan(package, "xl/workbook.xml", on_workbook)
    _scan(package, "xl/_rels/workbook.xml.rels", on_relation)
    return book


def _read_formats(package: zipfile.ZipFile) -> list[str]:
    """For each style of a cell what its number is: 'date', 'percent', '000' (as wide) or ''."""
    codes: dict[str, str] = {}
    kinds: list[str] = []
    inside = False

    def on_start(name: str, given: dict[str, str]) -> None:
        nonlocal inside
        local = _local(name)
        if local == "numFmt":
            codes[given.get("numFmtId", "")] = given.get("formatCode", "")
        elif local in ("cellXfs", "cellStyles", "dxfs"):
            inside = local == "cellXfs"
        elif local == "xf" and inside:
            number = given.get("numFmtId", "0")
            kinds.append(_kind_of_number(number, codes.get(number, "")))

    if "xl/styles.xml" in package.namelist():
        _scan(package, "xl/styles.xml", on_start)
    return kinds


def _kind_of_number(number: str, code: str) -> str:
    known = int(number) if number.isdecimal() else 0
    if known in _DATES or known in _TIMES:
        return "date"
    if known in (9, 10):
        return "percent"
    shape = _LITERALS.sub("", code.split(";")[0])
    if "%" in shape:
        return "percent"
    if re.search("[dmyhs]", shape, re.IGNORECASE) and shape.lower() != "general":
        return "date"
    return shape if re.fullmatch("0{2,15}", shape) else ""


def _read_strings(package: zipfile.ZipFile, max_length: int) -> list[str]:
    """The shared strings; one that is too long is kept only so far that it shows."""
    strings: list[str] = []
    pieces: list[str] = []
    length = total = phonetic = 0
    collecting = False

    def on_start(name: str, _: dict[str, str]) -> None:
        nonlocal length, phonetic, collecting
        local = _local(name)
        if local == "si":
            pieces.clear()
            length = 0
        elif local == "rPh":
            phonetic += 1
        elif local == "t":
            collecting = not phonetic

    def on_text(text: str) -> None:
        nonlocal length, total
        if collecting and length <= max_length:
            pieces.append(text)
            length += len(text)
            total += len(text)
            if total > MAX_STRINGS_LENGTH:
                raise Refusal("表格内容过多，请拆分后再导入。")

    def on_end(name: str) -> None:
        nonlocal phonetic, collecting
        local = _local(name)
        if local == "si":
            strings.append(_unescape("".join(pieces)))
        elif local == "rPh":
            phonetic -= 1
        elif local == "t":
            collecting = False

    if "xl/sharedStrings.xml" in package.namelist():
        _scan(package, "xl/sharedStrings.xml", on_start, on_text, on_end)
    return strings


class _SheetReader:
    """Turns the elements of one sheet into rows; holds one row at a time."""

    def __init__(self, book: _Workbook, max_columns: int, max_length: int) -> None:
        self.book = book
        self.max_columns = max_columns
        self.max_length = max_length
        self.ready: list[RawRow] = []
        self.columns: dict[str, int] = {}
        self.number = 0
        self.cells: dict[int, CellText] = {}
        self.seen = 0
        self.column = -1
        self.kind = self.style = ""
        self.pieces: list[str] = []
        self.length = 0
        self.formula = self.collecting = self.phonetic = self.in_cell = False

    def rows(self, package: zipfile.ZipFile, path: str) -> Iterator[RawRow]:
        parser = strict_parser()
        parser.StartElementHandler = self.on_start
        parser.EndElementHandler = self.on_end
        parser.CharacterDataHandler = self.on_text
        with package.open(path) as part:
            while piece := _read(part):
                feed(parser, piece, last=False)
                yield from self.ready
                self.ready.clear()
        feed(parser, b"", last=True)
        yield from self.ready

    def on_start(self, name: str, given: dict[str, str]) -> None:
        local = _local(name)
        if local == "c":
            self.start_cell(given)
        elif local == "row":
            self.start_row(given.get("r"))
        elif self.in_cell:
            if local == "f":
                self.formula = True
            elif local == "rPh":
                self.phonetic = True
            elif local in ("v", "t"):
                self.collecting = not self.phonetic

    def start_row(self, given: str | None) -> None:
        number = int(given) if given and given.isdecimal() else self.number + 1
        if number <= self.number:
            raise Refusal("文件已损坏：行号不连续，请重新另存一份再上传。")
        self.number = number
        self.cells = {}
        self.seen = 0
        self.column = -1

    def start_cell(self, given: dict[str, str]) -> None:
        self.seen += 1
        if self.seen > MAX_CELLS_IN_A_ROW:
            raise Refusal(f"第{self.number}行的列数过多，请删除多余的列。")
        self.column = self.column_of(given.get("r", ""))
        self.kind = given.get("t", "n")
        self.style = given.get("s", "0")
        self.pieces.clear()
        self.length = 0
        self.formula = self.collecting = self.phonetic = False
        self.in_cell = True

    def column_of(self, reference: str) -> int:
        letters = reference.rstrip("0123456789")
        if not letters:
            return self.column + 1
        if letters not in self.columns:
            if not _REFERENCE.fullmatch(reference):
                raise Refusal("文件已损坏：单元格位置不正常，请重新另存一份再上传。")
            index = 0
            for letter in letters:
                index = index * 26 + ord(letter) - 64
            self.columns[letters] = index - 1
        return self.columns[letters]

    def on_text(self, text: str) -> None:
        if self.collecting and self.length <= self.max_length:
            self.pieces.append(text)
            self.length += len(text)

    def on_end(self, name: str) -> None:
        local = _local(name)
        if local == "row":
            if self.cells:
                self.ready.append(RawRow(self.number, self.cells))
            self.cells = {}
        elif local == "c" and self.in_cell:
            self.in_cell = False
            self.end_cell()
        elif local in ("v", "t"):
            self.collecting = False
        elif local == "rPh":
            self.phonetic = False

    def end_cell(self) -> None:
        cell = self.read_cell("".join(self.pieces))
        if not cell.text and not cell.problem:
            return
        if self.column >= self.max_columns:
            raise Refusal(f"表格超过 {self.max_columns} 列，请删除多余的列。")
        self.cells[self.column] = cell

    def read_cell(self, raw: str) -> CellText:
        if self.formula:
            return CellText(_unescape(raw), FORMULA)
        if self.kind == "n":
            return _number(raw, self.kind_of_style(), self.book.epoch)
        if self.kind == "s":
            return CellText(self.shared(raw))
        if self.kind == "b":
            return CellText({"1": "是", "0": "否"}.get(raw, raw))
        if self.kind == "e":
            return CellText(raw, ERROR_VALUE)
        if self.kind == "d":
            return CellText(raw.removesuffix("T00:00:00").replace("T", " "))
        return CellText(_unescape(raw))

    def kind_of_style(self) -> str:
        number = int(self.style) if self.style.isdecimal() else 0
        return self.book.formats[number] if number < len(self.book.formats) else ""

    def shared(self, raw: str) -> str:
        if not raw:
            return ""
        if not raw.isdecimal() or int(raw) >= len(self.book.strings):
            raise Refusal("文件已损坏：文字表不完整，请重新另存一份再上传。")
        return self.book.strings[int(raw)]


def _number(raw: str, kind: str, epoch: dt.datetime) -> CellText:
    """A stored number as it is shown: 15 significant digits, never a binary artefact."""
    if not raw:
        return CellText("")
    try:
        value = Decimal(raw) if len(raw) <= 40 else Decimal("NaN")
    except InvalidOperation:
        return CellText(raw, NOT_A_NUMBER)
    if not value.is_finite() or abs(value.adjusted()) > 300:
        return CellText(raw[:40], NOT_A_NUMBER)
    if abs(value) >= LARGEST_EXACT:
        return CellText(raw, TOO_MANY_DIGITS)
    value = Decimal(f"{float(value):.15g}")
    if kind == "date":
        return _date(value, epoch)
    if kind == "percent":
        return CellText(f"{_plain(value * 100)}%")
    text = _plain(value)
    return CellText(text.zfill(len(kind)) if kind and text.isdecimal() else text)


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _date(value: Decimal, epoch: dt.datetime) -> CellText:
    """Excel's serial number as 2023-03-31, with the time where there is one."""
    try:
        moment = epoch + dt.timedelta(days=float(value))
    except OverflowError:
        return CellText(_plain(value), NOT_A_DATE)
    if value < 0:
        return CellText(_plain(value), NOT_A_DATE)
    moment = (moment + dt.timedelta(seconds=30)).replace(second=0, microsecond=0)
    if value < 1:
        return CellText(f"{moment:%H:%M}")
    if (moment.hour, moment.minute) == (0, 0):
        return CellText(moment.date().isoformat())
    return CellText(f"{moment:%Y-%m-%d %H:%M}")


def _scan(
    package: zipfile.ZipFile,
    path: str,
    on_start: Callable[[str, dict[str, str]], None],
    on_text: Callable[[str], None] | None = None,
    on_end: Callable[[str], None] | None = None,
) -> None:
    if path not in package.namelist():
        raise Refusal("文件已损坏：缺少必要的部件，请重新另存一份再上传。")
    parser = strict_parser()
    parser.StartElementHandler = on_start
    parser.CharacterDataHandler = on_text
    parser.EndElementHandler = on_end
    with package.open(path) as part:
        while piece := _read(part):
            feed(parser, piece, last=False)
    feed(parser, b"", last=True)


def _read(part: IO[bytes]) -> bytes:
    try:
        return part.read(CHUNK)
    except BROKEN as error:
        raise Refusal(DAMAGED) from error


def _unescape(text: str) -> str:
    """Office writes a control character as _x000D_, and a literal one as _x005F_x000D_."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def _local(name: str) -> str:
    return name.rpartition(":")[2] if ":" in name else name
