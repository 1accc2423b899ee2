"""An empty workbook to fill in: the header on the first sheet, what each column means on the second."""

from typing import BinaryIO

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from institutions.tables.table import Table

ROWS = 500  # rows prepared as text, so that Excel keeps the zeros in front of a code
HINTS = ("列", "必填", "填写说明", "示例")


def write_template(table: type[Table], stream: BinaryIO) -> None:
    """Write the workbook of a kind into `stream`; only its first sheet is read when it comes back."""
    book = Workbook()
    sheet = book.active
    sheet.title = table.label
    sheet.freeze_panes = "A2"
    for number, column in enumerate(table.columns, start=1):
        letter = get_column_letter(number)
        sheet.column_dimensions[letter].width = max(12, 2 * len(column.header) + 4)
        head = sheet.cell(1, number, column.header)
        head.font = Font(bold=True, color="A8201A" if column.required else None)
        if not column.numeric:
            for row in range(2, ROWS + 2):
                sheet.cell(row, number).number_format = "@"
    _write_hints(book.create_sheet("填写说明"), table)
    book.save(stream)


def _write_hints(sheet, table: type[Table]) -> None:
    sheet.append(HINTS)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for column in table.columns:
        needed = "必填" if column.required else "可不填"
        sheet.append([column.header, needed, column.help, column.example])
    for letter, width in zip("ABCD", (18, 10, 60, 30), strict=True):
        sheet.column_dimensions[letter].width = width
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            cell.number_format = "@"
            cell.data_type = "s"
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.append([])
    sheet.append([table.purpose])
