"""The annex 区卫生健康系统落实突破事项汇总表: one table for the screen, for paper and as XLSX."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from campaigns.models import BreakthroughItem, BreakthroughRound, BreakthroughSubmission
from campaigns.models.breakthrough import standing
from institutions import clock
from institutions.templatetags.portal import date_cn

TITLE = "区卫生健康系统落实突破事项汇总表"
# Heading and width in characters; together as wide as a landscape A4 page.
COLUMNS = (
    ("序号", 6),
    ("突破事项名称", 20),
    ("具体内容", 34),
    ("措施", 34),
    ("完成时限", 14),
    ("分管责任人", 13),
    ("责任科室", 18),
)
HEADERS = tuple(label for label, _ in COLUMNS)
FORMULA_SIGNS = ("=", "+", "-", "@")


@dataclass(frozen=True)
class Summary:
    """The table as it is printed: who hands it in, the day (None: left to be written by hand), rows, 注明."""

    unit: str
    day: date | None
    rows: Sequence[Sequence[str | int]]
    note: str

    @property
    def day_text(self) -> str:
        if self.day is None:
            return "时间：    年  月  日"
        return f"时间：{self.day.year}年{self.day.month}月{self.day.day}日"


def of_district(round_: BreakthroughRound, items: Iterable[BreakthroughItem]) -> Summary:
    """Return the bureau's table of all accepted items; 责任科室 names the unit, which the columns do not."""
    ordered = sorted(items, key=lambda item: standing(item.submission.institution))
    rows = [_row(n, item, with_unit=True) for n, item in enumerate(ordered, start=1)]
    return Summary(round_.institution.name, clock.today(), rows, round_.note)


def of_unit(submission: BreakthroughSubmission, items: Iterable[BreakthroughItem]) -> Summary:
    """Return the table as one unit hands it in, dated by its latest hand-in."""
    at = submission.submitted_at
    handed_in = at is not None and submission.status not in BreakthroughSubmission.OPEN
    day = at.astimezone(clock.SHANGHAI).date() if at and handed_in else None
    rows = [_row(n, item) for n, item in enumerate(items, start=1)]
    name = submission.unit_name if submission.department else submission.institution.name
    return Summary(name, day, rows, submission.round.note)


def _row(number: int, item: BreakthroughItem, *, with_unit: bool = False) -> list[str | int]:
    office = item.office
    if with_unit:
        submission = item.submission
        place = submission.unit_name
        office = office if office.startswith(place) else f"{place} {office}"
    return [
        number,
        item.name,
        item.content,
        item.measures,
        date_cn(item.due),
        item.person,
        office,
    ]


def write_xlsx(summary: Summary, stream: BinaryIO) -> None:
    """Write the table as the annex prints it: title, 填报单位 and 时间, seven bordered columns, 注明; landscape A4."""
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import Alignment, Border, Font, Side
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.properties import PageSetupProperties

    book = Workbook()
    sheet = book.active
    sheet.title = "汇总表"
    last = get_column_letter(len(COLUMNS))
    thin = Side(style="thin")
    border = Border(left=thin, right=thin, top=thin, bottom=thin)

    def put(row: int, column: int, value: str | int, *, bold: bool = False, size: int = 11):
        cell = sheet.cell(row=row, column=column)
        if isinstance(value, int):
            cell.value = value
        else:
            cell.value = ILLEGAL_CHARACTERS_RE.sub("", value.replace("\r", ""))
            # A text that looks like a formula stays a text, also after it is edited.
            cell.data_type = "s"
            cell.quotePrefix = value.lstrip().startswith(FORMULA_SIGNS)
        cell.font = Font(name="宋体", size=size, bold=bold)
        return cell

    put(1, 1, TITLE, bold=True, size=18).alignment = Alignment("center", "center")
    sheet.merge_cells(f"A1:{last}1")
    sheet.row_dimensions[1].height = 32
    put(2, 1, f"填报单位：{summary.unit}").alignment = Alignment("left", "center")
    sheet.merge_cells("A2:D2")
    put(2, 5, summary.day_text).alignment = Alignment("right", "center")
    sheet.merge_cells(f"E2:{last}2")
    sheet.row_dimensions[2].height = 22
    for place, (label, width) in enumerate(COLUMNS, start=1):
        cell = put(3, place, label, bold=True)
        cell.alignment = Alignment("center", "center", wrap_text=True)
        cell.border = border
        sheet.column_dimensions[get_column_letter(place)].width = width
    # A form without entries still has a line to write in.
    for number, values in enumerate(summary.rows or [[""] * len(COLUMNS)], start=4):
        for place, value in enumerate(values, start=1):
            cell = put(number, place, value)
            middle = place in (1, 5, 6, 7)
            cell.alignment = Alignment("center" if middle else "left", "center", wrap_text=True)
            cell.border = border
        sheet.row_dimensions[number].height = _height(values)
    foot = sheet.max_row + 1
    put(foot, 1, summary.note).alignment = Alignment("left", "top", wrap_text=True)
    sheet.merge_cells(f"A{foot}:{last}{foot}")
    sheet.row_dimensions[foot].height = 48
    sheet.print_title_rows = "3:3"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_options.horizontalCentered = True
    book.save(stream)


def _height(values: Sequence[str | int]) -> int:
    """Return the height of a row in points: Excel does not fit wrapped text by itself on opening."""
    lines = 1
    for value, (_, width) in zip(values, COLUMNS, strict=True):
        room = max(1, width // 2)
        lines = max(lines, sum(-(-len(line) // room) or 1 for line in str(value).split("\n")))
    return min(400, max(24, lines * 15 + 6))
