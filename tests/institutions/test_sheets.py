"""Tables in and out: what is read is what a person sees, and a hostile file costs nothing."""

from __future__ import annotations

import datetime as dt
import io
import resource
import shutil
import subprocess
import time
import tracemalloc
import zipfile
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from institutions import sheets
from institutions.sheets import BadCell, Refusal, match_headers, read_sheet

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


def cell(xml: str, number_format: str = "", strings: str = "") -> sheets.SheetRow:
    """The row read from one cell of XML, in a number format given by id or code."""
    known = number_format.isdecimal() and number_format[0] != "0"
    code = (
        "" if known else f'<numFmts><numFmt numFmtId="200" formatCode="{number_format}"/></numFmts>'
    )
    xf = number_format if known else "200" if number_format else "0"
    styles = f"<styleSheet {NS}>{code}<cellXfs><xf numFmtId='0'/><xf numFmtId='{xf}'/></cellXfs></styleSheet>"
    xml = xml.replace("<c ", "<c s='1' ")
    rows = row(1, inline("A1", "值")) + row(2, xml, inline("B2", ""), inline("A3", ""))
    found = packed(parts(rows, styles=styles, strings=strings))
    return next(read_sheet(found, "a.xlsx").rows)


def csv_rows(content: str | bytes, encoding: str = "utf-8", **limits: int) -> list[sheets.SheetRow]:
    raw = content.encode(encoding) if isinstance(content, str) else content
    return list(read_sheet(io.BytesIO(raw), "a.csv", **limits).rows)


# --- CSV ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("gb18030", "GB18030"), ("utf-16", "UTF-16")],
)
def test_a_csv_in_any_usual_encoding_reads_alike(encoding, shown):
    content = "姓名,备注\r\n㐂𠮷,生僻字\r\n".encode(encoding)
    sheet = read_sheet(io.BytesIO(content), "表.CSV")
    assert sheet.encoding == shown
    assert sheet.headers == ["姓名", "备注"]
    assert next(sheet.rows).cells == {"姓名": "㐂𠮷", "备注": "生僻字"}


@pytest.mark.parametrize("encoding", ["utf-16-le", "big5", "shift-jis"])
def test_an_encoding_that_would_have_to_be_guessed_is_refused(encoding):
    with pytest.raises(Refusal):
        csv_rows("機構名稱,年度\r\n中心,2023\r\n".replace("機構", "機構"), encoding)


def test_rows_are_numbered_as_excel_shows_them():
    rows = csv_rows('代码,说明\r\n01,"两\r\n行"\r\n,\r\n\r\n02,好\r\n')
    assert [(r.number, r.cells["代码"]) for r in rows] == [(2, "01"), (5, "02")]
    assert rows[0].cells["说明"] == "两\r\n行"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "没有数据"),
        ("代码,数\r\n", "没有数据"),
        ("代码,数\r\n,\r\n", "没有数据"),
        ('代码,数\r\n01,"5\r\n02,6\r\n', "引号"),
        ('代码,数\r\n01,"5"6\r\n', "引号"),
        ("代码,代码\r\n1,2\r\n", "重复"),
        ("\r\n代码\r\n1\r\n", "表头"),
        ("代码\0,数\r\n1,2\r\n", "控制字符"),
        ("<html><table><tr><td>代码", "网页"),
        ("PK\x03\x04", "不是 CSV"),
        ("代码,数\r\n" + "01,5\r\n" * 11, "超过 10 行"),
        (",".join(f"列{i}" for i in range(101)) + "\r\n1\r\n", "超过 100 列"),
        ("代码,数\r\n1," + "长" * 1_000_001, "过长"),
        ('代码,数\r\n1,"' + "长\r\n" * 50_000, "引号"),
    ],
)
def test_a_faulty_csv_is_refused_with_the_reason(content, reason):
    with pytest.raises(Refusal, match=reason):
        csv_rows(content, max_rows=10)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("01", "只有 1 列，应有 2 列"),
        ("01,5,6", "没有表头"),
        ("0\0001,5", "控制字符"),
        ("0\x1b1,5", "控制字符"),
        ("0\u200b1,5", "控制字符"),
        ("0\u202e1,5", "控制字符"),
        ("01," + "长" * 1001, "超过 1000 个字"),
    ],
)
def test_a_faulty_row_names_itself(line, reason):
    (found,) = csv_rows(f"代码,数\r\n{line}\r\n")
    assert [reason in error.reason for error in found.errors] == [True]
    assert found.errors[0].row == 2


def test_empty_columns_without_a_header_are_passed_over():
    (found,) = csv_rows("代码,,数,\r\n01,,5,\r\n")
    assert found.cells == {"代码": "01", "数": "5"}
    assert found.errors == ()


# --- XLSX --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("xml", "number_format", "shown"),
    [
        ("<c r='A2'><v>370306000000001</v></c>", "", "370306000000001"),
        ("<c r='A2'><v>85.5</v></c>", "", "85.5"),
        ("<c r='A2'><v>0.30000000000000004</v></c>", "", "0.3"),
        ("<c r='A2'><v>0.84999999999999998</v></c>", "9", "85%"),
        ("<c r='A2'><v>0.7038</v></c>", "0.00%", "70.38%"),
        ("<c r='A2'><v>1.4999999999999999E-2</v></c>", "10", "1.5%"),
        ("<c r='A2'><v>1</v></c>", "9", "100%"),
        ("<c r='A2'><v>7</v></c>", "0000", "0007"),
        ("<c r='A2'><v>1E3</v></c>", "", "1000"),
        ("<c r='A2'><v>-0</v></c>", "", "0"),
        ("<c r='A2'><v>45016</v></c>", "14", "2023-03-31"),
        ("<c r='A2'><v>45016</v></c>", "31", "2023-03-31"),
        ("<c r='A2'><v>45016</v></c>", "57", "2023-03-31"),
        (
            "<c r='A2'><v>45016</v></c>",
            "yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;;@",
            "2023-03-31",
        ),
        ("<c r='A2'><v>45016</v></c>", "[$-804]yyyy/m/d", "2023-03-31"),
        ("<c r='A2'><v>45016.354166666664</v></c>", "22", "2023-03-31 08:30"),
        ("<c r='A2'><v>12</v></c>", "0&quot; days&quot;", "12"),
        ("<c r='A2'><v>12</v></c>", "[Red]0", "12"),
        ("<c r='A2' t='d'><v>2023-03-31T00:00:00</v></c>", "", "2023-03-31"),
        ("<c r='A2' t='b'><v>1</v></c>", "", "是"),
        ("<c r='A2' t='b'><v>0</v></c>", "", "否"),
        ("<c r='A2' t='str'><v>_x005F_x0041_</v></c>", "", "_x0041_"),
        (
            "<c t='inlineStr'><is><r><t>一</t></r><r><t>二</t></r><rPh><t>yi</t></rPh></is></c>",
            "",
            "一二",
        ),
    ],
)
def test_a_cell_is_read_as_the_person_sees_it(xml, number_format, shown):
    found = cell(xml, number_format)
    assert found.cells["值"] == shown
    assert found.errors == ()


@pytest.mark.parametrize(
    ("xml", "number_format", "reason"),
    [
        ("<c r='A2'><f>1+1</f><v>2</v></c>", "", "请粘贴为数值"),
        ("<c r='A2'><f t='shared' si='0'/><v>2</v></c>", "", "请粘贴为数值"),
        ("<c r='A2' t='e'><v>#REF!</v></c>", "", "错误值"),
        ("<c r='A2'><v>370306199001010012</v></c>", "", "设为文本"),
        ("<c r='A2'><v>3.7030619900101E+17</v></c>", "", "设为文本"),
        ("<c r='A2'><v>1E309</v></c>", "", "有效的数字"),
        ("<c r='A2'><v>1E-999999999</v></c>", "", "有效的数字"),
        ("<c r='A2'><v>NaN</v></c>", "", "有效的数字"),
        ("<c r='A2'><v>abc</v></c>", "", "有效的数字"),
        ("<c r='A2'><v>99999999</v></c>", "14", "日期"),
        ("<c r='A2'><v>-1</v></c>", "14", "日期"),
    ],
)
def test_a_cell_without_a_value_of_its_own_is_an_error_of_its_row(xml, number_format, reason):
    (error,) = cell(xml, number_format).errors
    assert (error.row, error.column) == (2, "值")
    assert reason in error.reason


def test_shared_strings_are_read_without_their_phonetics():
    strings = f"<sst {NS}><si><t>周村</t><rPh sb='0' eb='1'><t>zhou</t></rPh></si></sst>"
    assert cell("<c r='A2' t='s'><v>0</v></c>", strings=strings).cells["值"] == "周村"


def test_other_sheets_with_data_are_named_and_hidden_columns_are_read():
    book = Workbook()
    book.active.title = "填报"
    book.active.append(["代码", "数"])
    book.active.append(["01", 5])
    book.active.column_dimensions["B"].hidden = True
    book.create_sheet("说明").append(["请按季度填写"])
    book.create_sheet("空表")
    stream = io.BytesIO()
    book.save(stream)
    sheet = read_sheet(stream, "a.xlsx")
    assert sheet.notes == ["只读取第一个工作表“填报”，未读取：说明。"]
    assert [r.cells for r in sheet.rows] == [{"代码": "01", "数": "5"}]


def test_merged_cells_are_refused_by_their_range():
    after = '<mergeCells count="1"><mergeCell ref="A2:A3"/></mergeCells>'
    with pytest.raises(Refusal, match="合并单元格 A2:A3"):
        read_sheet(packed(parts(GOOD, after=after)), "a.xlsx")


def test_what_libreoffice_saves_is_read(tmp_path: Path):
    office = shutil.which("soffice")
    if not office:
        pytest.skip("LibreOffice is not installed")
    (tmp_path / "t.csv").write_text("代码,日期,比例\r\n007,2023-03-31,85%\r\n", encoding="utf-8")
    subprocess.run(
        [
            office, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless",
            "--infilter=CSV:44,34,76,1,1/2", "--convert-to", "xlsx", "--outdir", str(tmp_path),
            str(tmp_path / "t.csv"),
        ],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    with (tmp_path / "t.xlsx").open("rb") as stream:
        (found,) = read_sheet(stream, "t.xlsx").rows
    assert found.cells == {"代码": "007", "日期": "2023-03-31", "比例": "85%"}


# --- Hostile files -----------------------------------------------------------------------------------


def _sheet_with(**more: str) -> dict[str, str | bytes]:
    return parts(GOOD, **more)


def _and(**extra: str | bytes) -> dict[str, str | bytes]:
    return parts(GOOD) | {name.replace("__", "/"): content for name, content in extra.items()}


def _encrypted() -> io.BytesIO:
    """The flag of encryption set in every local and central header."""
    raw = bytearray(packed(parts(GOOD)).getvalue())
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = raw.find(magic)
        while start >= 0:
            raw[start + offset] |= 1
            start = raw.find(magic, start + 4)
    return io.BytesIO(bytes(raw))


def _many_members() -> io.BytesIO:
    return packed(parts(GOOD) | {f"xl/worksheets/s{i}.xml": "<a/>" for i in range(10_000)})


def _with_relation(kind: str) -> dict[str, str | bytes]:
    return parts(GOOD) | {
        "xl/worksheets/_rels/sheet1.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="x" Type="{RELS}/{kind}" Target="http://x" TargetMode="External"/>'
        "</Relationships>"
    }


DOCTYPE = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
BIG = 150_000_000


def _bomb() -> io.BytesIO:
    return packed(parts(HEAD + row(2, inline("A2", "a" * BIG))))


HOSTILE = {
    "bomb: a cell of 150 MB": (_bomb, "压缩比异常"),
    "a thousand members": (_many_members, "过多"),
    "encrypted zip": (_encrypted, "加密"),
    "DOCTYPE in the workbook": (lambda: packed(_sheet_with(prolog=DOCTYPE)), "DOCTYPE"),
    "DOCTYPE in the strings": (
        lambda: packed(_sheet_with(strings=f"{DOCTYPE}<sst {NS}><si><t>&b;</t></si></sst>")),
        "DOCTYPE",
    ),
    "DOCTYPE in UTF-16": (
        lambda: packed(_and(xl__styles=b"") | {"xl/styles.xml": f"{DOCTYPE}<a/>".encode("utf-16")}),
        "DOCTYPE|不该出现",
    ),
    "macro content type": (
        lambda: packed(
            _sheet_with(content_type="application/vnd.ms-excel.sheet.macroEnabled.main+xml")
        ),
        "宏",
    ),
    "macro part": (lambda: packed(parts(GOOD) | {"xl/vbaProject.bin": b"x"}), "宏"),
    "old macro sheet": (lambda: packed(parts(GOOD) | {"xl/macrosheets/s.xml": "<a/>"}), "宏"),
    "OLE object": (lambda: packed(parts(GOOD) | {"xl/embeddings/oleObject1.bin": b"x"}), "嵌入"),
    "nested zip": (lambda: packed(parts(GOOD) | {"xl/media/a.png": b"PK\x03\x04x"}), "图片"),
    "nested zip elsewhere": (lambda: packed(parts(GOOD) | {"xl/a.dat": b"PK\x03\x04x"}), "嵌入"),
    "picture": (lambda: packed(parts(GOOD) | {"xl/media/a.png": b"\x89PNG"}), "图片"),
    "external link": (lambda: packed(parts(GOOD) | {"xl/externalLinks/e.xml": "<a/>"}), "链接"),
    "external relation": (lambda: packed(_with_relation("image")), "链接"),
    "path upwards": (lambda: packed(parts(GOOD) | {"xl/../../x.xml": "<a/>"}), "路径"),
    "absolute path": (lambda: packed(parts(GOOD) | {"/etc/x.xml": "<a/>"}), "路径"),
    "foreign folder": (lambda: packed(parts(GOOD) | {"word/document.xml": "<a/>"}), "部件"),
    "a program inside": (lambda: packed(parts(GOOD) | {"xl/run.exe": b"MZ"}), "嵌入|部件"),
    "same part twice": (lambda: packed(parts(GOOD) | {"XL/workbook.xml": "<workbook/>"}), "重名"),
    "no workbook": (lambda: packed({"[Content_Types].xml": "<Types/>"}), "不是 .xlsx"),
    "a document": (
        lambda: packed(_sheet_with(content_type="wordprocessingml.document.main+xml")),
        "不是",
    ),
    "not XML": (lambda: packed(parts(GOOD) | {"xl/workbook.xml": "workbook"}), "损坏"),
    "broken sheet": (lambda: packed(parts(GOOD + "<row")), "损坏"),
    "tail after the zip": (
        lambda: io.BytesIO(packed(parts(GOOD)).getvalue() + b"<html>"),
        "类型不符",
    ),
    "head before the zip": (lambda: io.BytesIO(b"MZ" + packed(parts(GOOD)).getvalue()), "类型不符"),
    "cut short": (lambda: io.BytesIO(packed(parts(GOOD)).getvalue()[:-30]), "类型不符"),
    "renamed html": (lambda: io.BytesIO(b"<html><table>"), "网页"),
    "renamed csv": (lambda: io.BytesIO("代码,数\r\n1,2".encode()), "类型不符"),
    "renamed xls": (lambda: io.BytesIO(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600), "旧版"),
    "empty": (io.BytesIO, "没有数据"),
    "header only": (lambda: packed(parts(HEAD)), "没有数据"),
    "formula in the header": (
        lambda: packed(parts(row(1, "<c r='A1'><f>1</f><v>1</v></c>") + row(2, inline("A2", "1")))),
        "表头",
    ),
    "rows out of order": (lambda: packed(parts(GOOD + row(2, inline("A2", "x")))), "行号"),
    "row beyond the limit": (
        lambda: packed(parts(HEAD + "".join(row(n, inline(f"A{n}", "1")) for n in range(2, 60)))),
        "超过 50 行",
    ),
    "column XFD": (lambda: packed(parts(HEAD + row(2, inline("XFD2", "x")))), "列"),
    "no such cell": (lambda: packed(parts(HEAD + row(2, inline("ZZZZ2", "x")))), "损坏"),
    "a row of endless cells": (
        lambda: packed(parts(HEAD + row(2, "<c r='A2'><v>1</v></c>" * 30_000))),
        "列数过多",
    ),
    "no such string": (
        lambda: packed(parts(HEAD + row(2, "<c r='A2' t='s'><v>9</v></c>"))),
        "文字表",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_workbook_is_refused_quickly_and_cheaply(case):
    build, reason = HOSTILE[case]
    stream = build()
    tracemalloc.start()
    started = time.process_time()
    try:
        with pytest.raises(Refusal, match=reason):
            list(read_sheet(stream, "a.xlsx", max_rows=50).rows)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert time.process_time() - started < 5
    assert peak < 30_000_000


def test_what_unpacks_to_too_much_in_all_is_refused(monkeypatch):
    monkeypatch.setattr("institutions.archives.MAX_INFLATED", 1_000)
    with pytest.raises(Refusal, match="解压后过大"):
        read_sheet(packed(parts(GOOD)), "a.xlsx")


@pytest.mark.parametrize("dimension", ["A1:XFD1048576", "A1:XFD2000", "x"])
def test_the_size_a_sheet_claims_is_not_believed(dimension):
    before = f'<dimension ref="{dimension}"/>'
    rows = GOOD + row(1048576, inline("A1048576", "末"))
    started = time.process_time()
    found = list(read_sheet(packed(parts(rows, before=before)), "a.xlsx").rows)
    assert [r.number for r in found] == [2, 1048576]
    assert time.process_time() - started < 1


def test_a_cell_that_does_not_pack_suspiciously_well_is_still_cut_off():
    """Twenty million characters at a believable ratio are never held in memory."""
    import random

    block = "".join(random.Random(1).choices("abcdefgh", k=40_000))
    stream = packed(parts(HEAD + row(2, inline("A2", block * 500))))
    tracemalloc.start()
    (found,) = read_sheet(stream, "a.xlsx").rows
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "超过 1000 个字" in found.errors[0].reason
    assert peak < 5_000_000


@pytest.mark.parametrize(
    "name", ["a.xls", "a.xlsm", "a.xlsb", "a.ods", "a.html", "a.txt", "xlsx", "a"]
)
def test_other_kinds_of_files_are_refused_by_name(name):
    with pytest.raises(Refusal, match="文件类型不符"):
        read_sheet(packed(parts(GOOD)), name)


def test_memory_stays_flat_over_many_rows():
    """Five times the rows: the same peak, on both ways in."""

    def peak(count: int, name: str) -> int:
        stream = io.BytesIO()
        rows = ([f"{i:06}", i] for i in range(count))
        if name.endswith("csv"):
            for piece in sheets.write_csv(rows, ["代码", "数"]):
                stream.write(piece)
        else:
            sheets.write_xlsx(rows, ["代码", "数"], stream)
        tracemalloc.start()
        assert sum(1 for _ in read_sheet(stream, name).rows) == count
        _, found = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return found

    for name in ("a.csv", "a.xlsx"):
        assert peak(10_000, name) < 1.5 * peak(2_000, name) + 500_000


# --- Headers -----------------------------------------------------------------------------------------

KNOWN = ["机构代码", "机构名称", "年度", "常住人口"]


def test_headers_may_come_in_any_order_with_blanks_between():
    assert match_headers(["年度", "", "机构代码"], KNOWN, ["机构代码"]) == ["年度", "机构代码"]


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        (["机构代码", "常住人囗"], ["常住人囗", "是否应为“常住人口”"]),
        (["年度"], ["缺少必填的列“机构代码”"]),
        (["机构代码", "年度", "年度"], ["重复的列“年度”"]),
        (["机构代码", "id", "score"], ["“id”", "“score”"]),
        (["id"], ["“id”", "缺少必填的列“机构代码”"]),
    ],
)
def test_wrong_headers_are_all_named(headers, words):
    with pytest.raises(Refusal) as refusal:
        match_headers(headers, KNOWN, ["机构代码"])
    assert all(word in str(refusal.value) for word in words)


# --- Values ------------------------------------------------------------------------------------------

ACCEPTED = [
    (sheets.text(10), "  生僻字㐂𠮷 ", "生僻字㐂𠮷"),
    (sheets.text(), "第一行\n第二行", "第一行\n第二行"),
    (sheets.code(10), "０７ａ", "07a"),
    (sheets.code(20), "370306-01.2", "370306-01.2"),
    (sheets.integer(), "１２", 12),
    (sheets.integer(), "0012", 12),
    (sheets.integer(-5), "-5", -5),
    (sheets.decimal(2), "85.5", Decimal("85.50")),
    (sheets.decimal(2), "1.500", Decimal("1.50")),
    (sheets.decimal(2, min=None), "-3.25", Decimal("-3.25")),
    (sheets.rate, "85%", Decimal("0.85")),
    (sheets.rate, "７０．３８％", Decimal("0.7038")),
    (sheets.rate, "0%", Decimal(0)),
    (sheets.rate, "100%", Decimal(1)),
    (sheets.boolean, "是", True),
    (sheets.boolean, " 否 ", False),
    (sheets.date, "2023-03-31", dt.date(2023, 3, 31)),
    (sheets.date, "2023/3/31", dt.date(2023, 3, 31)),
    (sheets.date, "2023.3.31", dt.date(2023, 3, 31)),
    (sheets.date, "2023年3月31日", dt.date(2023, 3, 31)),
    (sheets.date, "２０２４年２月２９日", dt.date(2024, 2, 29)),
    (sheets.choice({"省": 1, "市": 2}), "市", 2),
    (sheets.many(sheets.code()), "01;02；03、04", ["01", "02", "03", "04"]),
    (sheets.many(sheets.code()), "01; ;02;", ["01", "02"]),
    (sheets.year, "2023", 2023),
    (sheets.quarter, "４", 4),
]


@pytest.mark.parametrize(("parser", "value", "expected"), ACCEPTED)
def test_a_text_becomes_its_value(parser, value, expected):
    found = parser(value)
    assert found == expected and type(found) is type(expected)


NUMBERS_NEVER = ["", " ", "NaN", "sNaN", "inf", "-inf", "1e309", "1E+999999", "1_000", "一百", "Ⅻ", "٣", "①",
                 "--1", "+1", "0x1F", "1,000", "1 000", "-0", "9" * 400, "=1", "½", "1.2.3", "½"]  # fmt: skip
REFUSED = [
    *((sheets.integer(), value, "") for value in NUMBERS_NEVER),
    *((sheets.decimal(2), value, "") for value in NUMBERS_NEVER),
    *((sheets.rate, value, "") for value in NUMBERS_NEVER),
    (sheets.integer(), "12.9", "应为整数"),
    (sheets.integer(), "12.0", "应为整数"),
    (sheets.integer(), "-5", "负数"),
    (sheets.integer(1, 4), "5", "不能大于 4"),
    (sheets.integer(), "1,000", "千分位"),
    (sheets.decimal(2), "1.005", "小数位超限"),
    (sheets.decimal(2), "85%", "不要百分号"),
    (sheets.decimal(2, max=100), "100.01", "不能大于 100"),
    (sheets.decimal(2), "99999999999999.99", ""),
    (sheets.rate, "0.85", "如 85%"),
    (sheets.rate, "85", "如 85%"),
    (sheets.rate, "1", "如 100%"),
    (sheets.rate, "100.5%", "不能大于 100%"),
    (sheets.rate, "85.123%", "小数位超限"),
    (sheets.rate, "-5%", "百分数"),
    (sheets.boolean, "有", "是或否"),
    (sheets.boolean, "√", "是或否"),
    (sheets.boolean, "yes", "是或否"),
    (sheets.boolean, "1", "是或否"),
    (sheets.date, "3/1/2026", "2023-03-31"),
    (sheets.date, "1/3/26", "2023-03-31"),
    (sheets.date, "2026-02-30", "不是有效日期"),
    (sheets.date, "2026-13-01", "不是有效日期"),
    (sheets.date, "2023/3-31", "不是有效日期"),
    (sheets.date, "20230331", "不是有效日期"),
    (sheets.date, "2023-03-31 08:30", "不是有效日期"),
    (sheets.date, "二〇二三年三月三十一日", "不是有效日期"),
    (sheets.date, "٢٠٢٣-٠٣-٣١", "不是有效日期"),
    (sheets.date, "0001-01-01", "1990"),
    (sheets.date, "9999-12-31", "2100"),
    (sheets.text(3), "一二三四", "超过 3 个字"),
    (sheets.text(), "a\0b", "控制字符"),
    (sheets.text(), "　", "不能为空"),
    (sheets.code(), "01 02", "代码"),
    (sheets.code(), "=1", "代码"),
    (sheets.code(3), "1234", "超过 3"),
    (sheets.choice({"省": 1, "市": 2, "区": 3}), "县", "省、市、区"),
    (sheets.many(sheets.code()), "01;01", "重复"),
    (sheets.many(sheets.code()), ";", "不能为空"),
    (sheets.year, "23", "四位"),
    (sheets.year, "2008", "年度"),
    (sheets.year, "2101", "年度"),
    (sheets.quarter, "5", "季度"),
    (sheets.quarter, "第一季度", "季度"),
]  # fmt: skip


@pytest.mark.parametrize(("parser", "value", "reason"), REFUSED)
def test_a_doubtful_text_is_refused_in_chinese(parser, value, reason):
    with pytest.raises(ValueError, match=reason or None) as refusal:
        parser(value)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in str(refusal.value))


@given(st.text(max_size=40))
def test_no_text_makes_a_parser_fail_otherwise(value):
    for parser in (
        sheets.text(), sheets.code(), sheets.integer(), sheets.decimal(2), sheets.rate, sheets.boolean,
        sheets.date, sheets.choice({"a": 1}), sheets.many(sheets.date), sheets.year, sheets.quarter,
    ):  # fmt: skip
        with suppress(ValueError):
            parser(value)


def test_a_bad_cell_says_where_what_and_why():
    with pytest.raises(ValueError, match="日期") as error:
        sheets.date("2023-02-30")
    bad = BadCell(5, "整改时限", "2023-02-30", str(error.value))
    assert str(bad) == "第5行 “整改时限” “2023-02-30”：不是有效日期，应为 2023-03-31 这样的日期"


@pytest.mark.parametrize(
    ("value", "hidden"),
    [("11010519491231002X", "1231002"), ("13800138000", "0013"), ("手机1380013800", "0013")],
)
def test_a_bad_cell_does_not_repeat_personal_numbers(value, hidden):
    shown = str(BadCell(2, "手机号", value, "电话号码不正确"))
    assert hidden not in shown and "****" in shown


# --- Out ---------------------------------------------------------------------------------------------

PAYLOADS = [
    lead + sign + "HYPERLINK(\"http://x\",1)"
    for lead in ("", " ", "　", "'", "''", " \u200b")
    for sign in ("=", "==", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "\t=", "\0")
]  # fmt: skip


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_text_runs_as_a_formula(payload):
    written = b"".join(sheets.write_csv([[payload]], ["文本"])).decode("utf-8-sig")
    field = written.split("\r\n", 1)[1].lstrip('"')
    assert field.startswith("'")
    stream = io.BytesIO()
    sheets.write_xlsx([[payload]], ["文本"], stream)
    cell = load_workbook(stream).active["A2"]
    assert cell.data_type == "s"
    assert cell.quotePrefix


def test_numbers_stay_numbers():
    rows = [[Decimal("-85.50"), -3, "85.50", "70.38%", "007", 10**17]]
    headers = ["分", "次", "金额", "比例", "代码", "长"]
    written = b"".join(sheets.write_csv(rows, headers)).decode("utf-8-sig")
    assert written.split("\r\n")[1] == "-85.50,-3,85.50,70.38%,007,100000000000000000"
    stream = io.BytesIO()
    sheets.write_xlsx(rows, headers, stream, numeric=["金额"], percent=["比例"])
    cells = load_workbook(stream).active[2]
    assert [c.value for c in cells] == [-85.5, -3, 85.5, 0.7038, "007", "100000000000000000"]
    assert [c.number_format for c in cells[:4]] == ["0.00", "General", "0.00", "0.00%"]


def test_a_float_is_never_written():
    with pytest.raises(TypeError):
        b"".join(sheets.write_csv([[0.1]], ["数"]))
    with pytest.raises(TypeError):
        sheets.write_xlsx([[0.1]], ["数"], io.BytesIO())


def test_xlsx_has_a_bold_frozen_header_and_a_title():
    stream = io.BytesIO()
    sheets.write_xlsx([["01"]], ["机构代码"], stream, title="2023年/年终[表]")
    sheet = load_workbook(stream).active
    assert sheet.title == "2023年 年终 表"
    assert sheet.freeze_panes == "A2"
    assert sheet["A1"].font.bold


def test_csv_begins_with_a_mark_ends_lines_with_crlf_and_streams():
    pieces = sheets.write_csv(([str(i)] for i in range(100_000)), ["数"])
    first = next(pieces)
    assert first == b"\xef\xbb\xbf"
    assert all(len(piece) < 50_000 for piece in pieces)


WORDS = st.text(
    st.characters(blacklist_categories=["Cs", "Cc", "Cf", "Cn", "Co"])
    | st.sampled_from("='+-@＝\t\n,\""),
    max_size=20,
).filter(lambda value: not sheets._unusable(value, 1000))
FIGURES = st.decimals(-(10**9), 10**9, places=2).map(lambda number: number + 0)


@given(st.lists(st.tuples(WORDS, FIGURES, st.booleans(), st.dates()), min_size=1, max_size=5))
def test_what_is_written_is_read_again_unchanged(rows):
    rows = [(f"{i}", *values) for i, values in enumerate(rows)]
    headers = ["序号", "文本", "数", "真假", "日期"]
    stream = io.BytesIO()
    sheets.write_xlsx(rows, headers, stream)
    for name, source in (
        ("a.csv", io.BytesIO(b"".join(sheets.write_csv(rows, headers)))),
        ("a.xlsx", stream),
    ):
        found = list(read_sheet(source, name).rows)
        assert [r.cells["文本"] for r in found] == [r[1] for r in rows]
        assert [Decimal(r.cells["数"]) for r in found] == [r[2] for r in rows]
        assert [sheets.boolean(r.cells["真假"]) for r in found] == [r[3] for r in rows]
        assert [r.cells["日期"] for r in found] == [r[4].isoformat() for r in rows]


@given(st.binary(max_size=200), st.integers(0, 10_000), st.sampled_from(["a.csv", "a.xlsx"]))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(noise, position, name):
    stream = io.BytesIO()
    if name == "a.csv":
        stream.write("代码,数\r\n01,5\r\n".encode() * 20)
    else:
        stream = packed(parts(GOOD))
    raw = bytearray(stream.getvalue())
    position %= len(raw)
    raw[position : position + len(noise)] = noise
    with suppress(Refusal):
        list(read_sheet(io.BytesIO(bytes(raw)), name).rows)


def test_the_tests_themselves_stay_small():
    """The largest file built here is 150 MB before packing; the process stays under 1.5 GB."""
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1_500_000
