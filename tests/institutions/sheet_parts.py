"""A small real workbook, part by part, as tests of reading build and spoil it."""

from __future__ import annotations

import io
import zipfile

NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
MAIN = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"


def parts(rows: str = "", **more: str) -> dict[str, str | bytes]:
    """The parts of a small real workbook; `rows` is the inside of its sheetData."""
    given = {
        "content_type": MAIN,
        "prolog": "",
        "before": "",
        "after": "",
        "styles": f"<styleSheet {NS}><cellXfs><xf numFmtId='0'/></cellXfs></styleSheet>",
        "strings": "",
    } | more
    found: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Override'
        f' PartName="/xl/workbook.xml" ContentType="{given["content_type"]}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"/>',
        "xl/workbook.xml": f'{given["prolog"]}<workbook {NS} xmlns:r="{RELS}"><sheets>'
        '<sheet name="表一" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{RELS}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>",
        "xl/styles.xml": given["styles"],
        "xl/worksheets/sheet1.xml": f"<worksheet {NS}>{given['before']}<sheetData>{rows}"
        f"</sheetData>{given['after']}</worksheet>",
    }
    if given["strings"]:
        found["xl/sharedStrings.xml"] = given["strings"]
    return found


def packed(found: dict[str, str | bytes]) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in found.items():
            package.writestr(name, content)
    return buffer


def inline(reference: str, value: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t>{value}</t></is></c>'


def row(number: int, *cells: str) -> str:
    return f'<row r="{number}">{"".join(cells)}</row>'


HEAD = row(1, inline("A1", "代码"), inline("B1", "数"))
GOOD = HEAD + row(2, inline("A2", "01"), '<c r="B2"><v>5</v></c>')
