"""The one way in and out for tables: CSV and XLSX, read and written in a stream.

In: `read_sheet` gives headers and rows of text, whatever the file; `match_headers` says whether the
headers are those of the kind; the parsers below turn a text into a value or say in Chinese what
would be right. Out: `write_csv` and `write_xlsx`, with our own escaping of formulas. Formats:
docs/files.md.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import difflib
import io
import itertools
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, BinaryIO, TypeVar

from institutions.archives import OLE_MAGIC, ZIP_MAGIC, Refusal, open_package
from institutions.codes import mask_personal
from institutions.workbooks import CellText, RawRow, open_sheet

__all__ = [
    "BadCell",
    "Refusal",
    "Sheet",
    "SheetRow",
    "boolean",
    "choice",
    "code",
    "date",
    "decimal",
    "integer",
    "many",
    "match_headers",
    "quarter",
    "rate",
    "read_sheet",
    "text",
    "write_csv",
    "write_xlsx",
    "year",
]

T = TypeVar("T")
Parser = Callable[[str], T]

MAX_BYTES = 50_000_000
MAX_ROWS = 200_000
MAX_COLUMNS = 100
MAX_LENGTH = 1_000  # characters of a cell
MAX_LINE = 1_000_000  # characters of a line of CSV

# --- What is read ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class BadCell:
    """One thing wrong in a file: the row as numbered in Excel, column, value and reason."""

    row: int
    column: str
    value: str
    reason: str

    def __str__(self) -> str:
        where = f"第{self.row}行" + (f" “{self.column}”" if self.column else "")
        shown = mask_personal(self.value)
        shown = shown if len(shown) <= 40 else shown[:40] + "…"
        return f"{where} “{_visible(shown)}”：{self.reason}" if shown else f"{where}：{self.reason}"


@dataclass(frozen=True)
class SheetRow:
    """A row that holds something: its cells by header, as text; `errors` name the unusable ones."""

    number: int
    cells: dict[str, str]
    errors: tuple[BadCell, ...] = ()


@dataclass
class Sheet:
    """A table being read: `rows` can be gone through once; `notes` are for the person."""

    headers: list[str]
    rows: Iterator[SheetRow]
    encoding: str
    notes: list[str] = field(default_factory=list)


def read_sheet(
    stream: BinaryIO,
    name: str,
    *,
    max_rows: int = MAX_ROWS,
    max_columns: int = MAX_COLUMNS,
    max_length: int = MAX_LENGTH,
) -> Sheet:
    """Open a CSV or XLSX file, named as the person named it, for reading row by row.

    `stream` must be seekable. Cells come as texts: what Excel shows, dates as 2023-03-31, rates as
    `85%`, 是/否. Whole-file faults raise `Refusal`, some only while `rows` are read; a fault of a
    cell is in `SheetRow.errors`.
    """
    suffix = name.rpartition(".")[2].lower() if "." in name else ""
    size = stream.seek(0, 2)
    stream.seek(0)
    start = stream.read(512)
    stream.seek(0)
    if not size:
        raise Refusal("文件是空的，没有数据。")
    if size > MAX_BYTES:
        raise Refusal(f"文件超过 {MAX_BYTES // 1_000_000} MB，请拆分后再导入。")
    _refuse_other_types(suffix, start)
    if suffix == "xlsx":
        package = open_package(stream, "xlsx", pictures=False)
        raw, notes = open_sheet(package, max_columns=max_columns, max_length=max_length)
        return _sheet(raw, "XLSX", notes, max_rows, max_length, pad=True)
    encoding = _detect(stream)
    raw = _csv_rows(stream, encoding, max_columns)
    label = {"utf-8-sig": "UTF-8", "gb18030": "GB18030", "utf-16": "UTF-16"}[encoding]
    sheet = _sheet(raw, label, [], max_rows, max_length, pad=False)
    if encoding == "gb18030":
        _refuse_guess(sheet.headers)
    return sheet


def match_headers(
    headers: Sequence[str], known: Collection[str], required: Collection[str]
) -> list[str]:
    """The headers of a file that are filled, all of them known, none twice, none required missing.

    An empty header is passed over: a value below one is an error of its row. Raises `Refusal`
    naming every fault.
    """
    filled = [header for header in headers if header]
    faults = []
    for header in filled:
        if header not in known:
            near = difflib.get_close_matches(header, known, n=1, cutoff=0.5)
            hint = f"（是否应为“{near[0]}”？）" if near else ""
            faults.append(f"不认识的列“{_visible(header[:40])}”{hint}")
    faults += [f"缺少必填的列“{header}”" for header in required if header not in filled]
    if twice := _repeated(filled):
        faults.append(f"重复的列“{'”“'.join(twice)}”")
    if faults:
        raise Refusal("表头不符：" + "；".join(faults[:20]) + "。")
    return filled


def _repeated(headers: Sequence[str]) -> list[str]:
    return [h for i, h in enumerate(headers) if h and h in headers[:i]]


def _refuse_other_types(suffix: str, start: bytes) -> None:
    if suffix not in ("csv", "xlsx"):
        raise Refusal(f"文件类型不符：不支持 .{suffix[:10]}，请另存为 .xlsx 或 .csv 后再导入。")
    if start.startswith(OLE_MAGIC):
        raise Refusal(
            "文件类型不符：这是旧版 Excel（.xls）或加密的文件，请取消密码并另存为 .xlsx。"
        )
    if suffix == "csv" and start.startswith((ZIP_MAGIC, b"%PDF", b"\x89PNG", b"\xff\xd8\xff")):
        raise Refusal("文件类型不符：内容不是 CSV，请用 Excel 或 WPS 另存后再导入。")
    if start.removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"<":
        raise Refusal("文件类型不符：内容是网页，不是表格，请用 Excel 或 WPS 打开后另存为 .xlsx。")


def _detect(stream: BinaryIO) -> str:
    """The encoding of the whole file, strictly: nothing is guessed and no character replaced."""
    start = stream.read(4)
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        candidates = ["utf-16"]
    else:
        candidates = ["utf-8-sig", "gb18030"]
    for encoding in candidates:
        stream.seek(0)
        decoder = codecs.getincrementaldecoder(encoding)("strict")
        try:
            while piece := stream.read(1 << 16):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeError:
            continue
        stream.seek(0)
        return encoding
    raise Refusal("编码无法识别，请在 Excel 或 WPS 里另存为“CSV UTF-8”或 .xlsx 后再导入。")


def _refuse_guess(headers: Iterable[str]) -> None:
    """Big5 and Shift-JIS can pass as GB18030; the headers then are no everyday characters."""
    try:
        "".join(headers).replace("～", "").encode("gb2312")
    except UnicodeEncodeError as error:
        raise Refusal("编码无法识别，请另存为“CSV UTF-8”或 .xlsx 后再导入。") from error


def _csv_rows(stream: BinaryIO, encoding: str, max_columns: int) -> Iterator[RawRow]:
    lines = io.TextIOWrapper(stream, encoding=encoding, errors="strict", newline="")
    try:
        reader = csv.reader(_lines(lines), strict=True)
        for number in itertools.count(1):
            try:
                record = next(reader, None)
            except csv.Error as error:
                raise Refusal(f"第{number}行的引号没有成对，请检查后再导入。") from error
            if record is None:
                return
            while record and len(record) > max_columns and not record[-1].strip():
                record.pop()
            if len(record) > max_columns:
                raise Refusal(f"表格超过 {max_columns} 列，请删除多余的列。")
            cells = {column: CellText(_unguard(value)) for column, value in enumerate(record)}
            yield RawRow(number, cells)
    finally:
        if not lines.closed:
            lines.detach()


def _lines(lines: io.TextIOWrapper) -> Iterator[str]:
    while line := lines.readline(MAX_LINE):
        if len(line) == MAX_LINE:
            raise Refusal("有一行过长，不像正常的表格。")
        yield line


def _sheet(
    raw: Iterator[RawRow],
    encoding: str,
    notes: list[str],
    max_rows: int,
    max_length: int,
    *,
    pad: bool,
) -> Sheet:
    """Take the header off and see that something follows it. `pad`: short rows are normal."""
    head = next(raw, None)
    if head is None or head.number != 1 or not any(c.text.strip() for c in head.cells.values()):
        raise Refusal("第一行应为表头，现在是空的。")
    width = max(head.cells) + 1
    headers = []
    for column in range(width):
        cell = head.cells.get(column, CellText(""))
        if cell.problem or _unusable(cell.text, 100):
            raise Refusal(f"表头第{column + 1}列{cell.problem or _unusable(cell.text, 100)}。")
        headers.append(cell.text.strip())
    if twice := _repeated(headers):
        raise Refusal(f"表头不符：重复的列“{'”“'.join(twice)}”。")
    while headers and not headers[-1]:
        headers.pop()
    rows = _rows(raw, headers, max_rows, max_length, pad=pad, width=width)
    first = next(rows, None)
    if first is None:
        raise Refusal("表头下面没有数据。")
    return Sheet(headers, itertools.chain([first], rows), encoding, notes)


def _rows(
    raw: Iterator[RawRow],
    headers: list[str],
    max_rows: int,
    max_length: int,
    *,
    pad: bool,
    width: int,
) -> Iterator[SheetRow]:
    seen = 0
    for number, cells in raw:
        if not any(cell.problem or cell.text.strip() for cell in cells.values()):
            continue
        seen += 1
        if seen > max_rows:
            raise Refusal(f"超过 {max_rows} 行，请拆分后再导入。")
        errors = []
        for column, cell in cells.items():
            header = headers[column] if column < len(headers) else ""
            if reason := cell.problem or _unusable(cell.text, max_length):
                errors.append(BadCell(number, header or f"第{column + 1}列", cell.text, reason))
            elif not header and cell.text.strip():
                reason = "这一列没有表头，请补上表头或清空"
                errors.append(BadCell(number, f"第{column + 1}列", cell.text, reason))
        if not pad and len(cells) < len(headers):
            reason = f"只有 {len(cells)} 列，应有 {width} 列"
            errors.append(BadCell(number, "", "", reason))
        empty = CellText("")
        texts = {h: cells.get(i, empty).text for i, h in enumerate(headers) if h}
        yield SheetRow(number, texts, tuple(errors))


_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ufffd\ud800-\udfff]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def _unusable(value: str, max_length: int) -> str:
    if len(value) > max_length:
        return f"超过 {max_length} 个字"
    if _CONTROL.search(value) or _INVISIBLE.search(value):
        return "含有看不见的控制字符，请删除后重新填写"
    return ""


def _visible(value: str) -> str:
    value = _INVISIBLE.sub("□", _CONTROL.sub("□", value))
    return re.sub(r"\s+", " ", value)


# --- What a text means -----------------------------------------------------------------------------

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_THOUSANDS = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
_DATE = re.compile(
    r"([0-9]{4})(?:([-/.])([0-9]{1,2})\2([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})日)", re.ASCII
)
_SEPARATORS = re.compile("[;；、]")


def _narrow(value: str) -> str:
    """Full-width digits, letters and signs as ASCII; unlike NFKC it leaves ① and Ⅻ as they are."""
    value = value.translate(_FULL_WIDTH).strip()
    if not value:
        raise ValueError("不能为空")
    return value


def text(max_length: int = MAX_LENGTH) -> Parser[str]:
    """Words, kept exactly but for blanks at the ends; rare characters stay what they are."""

    def parse(value: str) -> str:
        value = value.strip()
        if not value:
            raise ValueError("不能为空")
        if reason := _unusable(value, max_length):
            raise ValueError(reason)
        return value

    return parse


def code(max_length: int = 50) -> Parser[str]:
    """A code: ASCII letters, digits and . _ / : # ( ) + -, beginning with a letter or digit."""

    def parse(value: str) -> str:
        value = _narrow(value)
        if len(value) > max_length:
            raise ValueError(f"代码超过 {max_length} 个字符")
        if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._/:#()+-]*", value):
            raise ValueError("代码应由字母和数字组成，中间不留空格")
        return value

    return parse


def integer(min: int = 0, max: int = 10**12) -> Parser[int]:
    """A whole number in ASCII or full-width digits, without separators."""

    def parse(value: str) -> int:
        value = _narrow(value)
        if not re.fullmatch("-?[0-9]{1,15}", value):
            raise ValueError(_why_no_number(value, "应为整数，如 12"))
        number = int(value)
        if value[0] == "-" and (number == 0 or min >= 0):
            raise ValueError("不能为负数")
        _check_range(number, min, max)
        return number

    return parse


def decimal(
    places: int,
    min: Decimal | int | None = 0,
    max: Decimal | int | None = None,
) -> Parser[Decimal]:
    """A decimal number with at most so many places; never a float, never an exponent."""

    def parse(value: str) -> Decimal:
        value = _narrow(value)
        if not re.fullmatch(r"-?[0-9]{1,13}(\.[0-9]{1,20})?", value):
            raise ValueError(_why_no_number(value, "应为数字，如 85.5"))
        number = Decimal(value)
        if number != round(number, places):
            raise ValueError(f"小数位超限，最多 {places} 位小数")
        if value[0] == "-" and (number == 0 or (min is not None and min >= 0)):
            raise ValueError("不能为负数")
        _check_range(number, min, max)
        return round(number, places)

    return parse


def _why_no_number(value: str, otherwise: str) -> str:
    if _THOUSANDS.fullmatch(value):
        return "数字里不要千分位逗号"
    if value.endswith("%"):
        return f"不是比率，不要百分号，{otherwise}"
    return f"不是有效的数字，{otherwise}" if not re.fullmatch(r"-?[0-9.]+", value) else otherwise


def _check_range(number: Any, low: Any, high: Any) -> None:
    if low is not None and number < low:
        raise ValueError(f"不能小于 {low}")
    if high is not None and number > high:
        raise ValueError(f"不能大于 {high}")


def rate(value: str) -> Decimal:
    """A share written `85%`, from 0% to 100%, as 0.85; a bare 0.85 or 85 is never guessed at."""
    value = _narrow(value)
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        shown = _percent(Decimal(value)) if Decimal(value) <= 1 else f"{value}%"
        raise ValueError(f"应写成百分数，如 {shown}")
    if not (match := re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,20})?) ?%", value)):
        raise ValueError("应为百分数，如 85%")
    number = Decimal(match[1])
    if number > 100:
        raise ValueError("不能大于 100%")
    if number != round(number, 2):
        raise ValueError("小数位超限，百分数最多 2 位小数")
    return round(number / 100, 4)


def _percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f}%"


def boolean(value: str) -> bool:
    """是 or 否, nothing else."""
    return choice({"是": True, "否": False})(value)


def date(value: str) -> dt.date:
    """2023-03-31, 2023/3/31, 2023.3.31 or 2023年3月31日, from 1990 to 2100; never 3/1/2026."""
    value = _narrow(value)
    match = _DATE.fullmatch(value)
    if not match:
        raise ValueError("不是有效日期，应为 2023-03-31 这样的日期")
    try:
        found = dt.date(int(match[1]), int(match[3] or match[5]), int(match[4] or match[6]))
    except ValueError as error:
        raise ValueError("不是有效日期，应为 2023-03-31 这样的日期") from error
    if not 1990 <= found.year <= 2100:
        raise ValueError("日期应在 1990 年至 2100 年之间")
    return found


def choice(mapping: Mapping[str, T]) -> Parser[T]:
    """One of the words given, as the value it stands for."""

    def parse(value: str) -> T:
        value = value.strip()
        if not value:
            raise ValueError("不能为空")
        if value in mapping:
            return mapping[value]
        if len(mapping) <= 15:
            raise ValueError(
                f"应为{'、'.join(mapping)}之一" if len(mapping) > 2 else f"应为{'或'.join(mapping)}"
            )
        near = difflib.get_close_matches(value, mapping, n=1, cutoff=0.5)
        raise ValueError("不认识这个值" + (f"，是否应为“{near[0]}”？" if near else ""))

    return parse


def many(parser: Parser[T]) -> Parser[list[T]]:
    """Several values in one cell, separated by ; or ； or 、, in their order, none twice."""

    def parse(value: str) -> list[T]:
        found: list[T] = []
        for part in _SEPARATORS.split(value):
            if not part.strip():
                continue
            item = parser(part)
            if item in found:
                raise ValueError(f"“{part.strip()}”重复")
            found.append(item)
        if not found:
            raise ValueError("不能为空")
        return found

    return parse


def year(value: str) -> int:
    """Four digits, from 2009, when the programme began, to 2100."""
    value = _narrow(value)
    if not re.fullmatch("[0-9]{4}", value) or not 2009 <= int(value) <= 2100:
        raise ValueError("年度应为四位数字，如 2023")
    return int(value)


def quarter(value: str) -> int:
    """1, 2, 3 or 4."""
    value = _narrow(value)
    if not re.fullmatch("[1-4]", value):
        raise ValueError("季度应为 1、2、3 或 4")
    return int(value)


# --- What is written -------------------------------------------------------------------------------

# Blanks and control characters in front do not stop a spreadsheet from seeing the sign behind them.
_GUARDED = re.compile(
    "'*[\\s\x00-\x20\u200b-\u200f\u202a-\u202e\u2060\ufeff]*[=+\\-@＝＋－＠]"
    "|'*[\\s\u200b-\u200f\u202a-\u202e\u2060\ufeff]*[\t\r\n\x00]"
)
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def _guard(value: str) -> str:
    """A leading ' before text that would run as a formula, and before text that looks guarded."""
    return f"'{value}" if _GUARDED.match(value) else value


def _unguard(value: str) -> str:
    return value[1:] if value.startswith("'") and _GUARDED.match(value) else value


def write_csv(rows: Iterable[Sequence[object]], headers: Sequence[str]) -> Iterator[bytes]:
    """A table as CSV in pieces: UTF-8 with BOM, CRLF. Texts are guarded, numbers stay numbers.

    Values may be str, int, Decimal, bool (是/否), date, datetime (naive, as shown) or None; a float
    is refused.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    yield codecs.BOM_UTF8
    for row in itertools.chain([headers], rows):
        writer.writerow([_csv_cell(value) for value in row])
        if buffer.tell() > 1 << 15:
            yield buffer.getvalue().encode("utf-8", "replace")
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode("utf-8", "replace")


def _csv_cell(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _ILLEGAL.sub("", _guard(_shown(value)))


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float):
        raise TypeError("a figure in a table is an int or a Decimal, never a float")
    return str(value)


def write_xlsx(
    rows: Iterable[Sequence[object]],
    headers: Sequence[str],
    stream: BinaryIO,
    *,
    title: str = "数据",
    numeric: Collection[str] = (),
    percent: Collection[str] = (),
    text: Collection[str] = (),
) -> None:
    """A table as XLSX into `stream`, row by row: bold frozen header, widths, texts that cannot run.

    Columns named in `numeric` and `percent` hold numbers even where a value comes as text (`85.50`,
    `85%`); those in `text` hold texts even where a value is a number, such as codes. Otherwise the
    value's type decides. A Decimal in a percent column is the share: 0.7038 is shown as 70.38%.
    """
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\']", " ", title).strip()[:31] or "数据")
    sheet.freeze_panes = "A2"
    columns = list(headers)
    for index, header in enumerate(columns, start=1):
        width = sum(2 if ord(letter) > 255 else 1 for letter in header)
        sheet.column_dimensions[get_column_letter(index)].width = max(10, min(40, width + 4))
    bold = Font(bold=True)
    head = [WriteOnlyCell(sheet, value=header) for header in columns]
    for cell in head:
        cell.data_type = "s"
        cell.font = bold
    sheet.append(head)
    hints = [
        "percent" if h in percent else "numeric" if h in numeric else "text" if h in text else ""
        for h in columns
    ]
    try:
        for row in rows:
            pairs = zip(row, hints, strict=True)
            sheet.append([_xlsx_cell(sheet, value, hint) for value, hint in pairs])
    finally:
        sheet.close()
    book.save(stream)


def _xlsx_cell(sheet: Any, value: object, hint: str) -> Any:
    from openpyxl.cell import WriteOnlyCell

    number = None if hint == "text" else _number(value, hint)
    if number is None:
        return _text_cell(sheet, _shown(value))
    if isinstance(number, int) and hint != "percent":
        return number
    cell = WriteOnlyCell(sheet, value=number)
    if hint == "percent":
        cell.number_format = "0.00%"
    elif isinstance(number, Decimal):
        places = -min(0, int(number.as_tuple().exponent))
        cell.number_format = "0." + "0" * places if places else "0"
    return cell


def _number(value: object, hint: str) -> int | Decimal | None:
    """The number a value is, or stands for where the column says so; None for a text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal):
        return value if -(10**15) < value < 10**15 else None
    if isinstance(value, str) and hint and re.fullmatch(r"-?[0-9]{1,13}(\.[0-9]+)?%?", value):
        if value.endswith("%"):
            return Decimal(value[:-1]) / 100 if hint == "percent" else None
        return Decimal(value) if hint == "numeric" else None
    return None


def _text_cell(sheet: Any, value: str) -> Any:
    from openpyxl.cell import WriteOnlyCell

    plain = re.sub("_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", _ILLEGAL.sub("", value))
    plain = plain.replace("\r", "_x000D_")
    guarded = bool(_GUARDED.match(value))
    if not guarded and not plain.startswith(("#", "=")):
        return (
            plain or None
        )  # openpyxl takes = for a formula and #N/A for an error, all else as it is
    cell = WriteOnlyCell(sheet, value=plain)
    cell.data_type = "s"
    cell.quotePrefix = guarded
    return cell
