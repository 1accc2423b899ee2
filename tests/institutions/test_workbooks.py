"""Workbooks coming in: what is read is what a person sees, and a hostile file costs nothing."""

from __future__ import annotations

import io
import resource
import shutil
import subprocess
import time
import tracemalloc
from pathlib import Path

import pytest
from openpyxl import Workbook

from institutions import sheets
from institutions.sheets import Refusal, read_sheet
from tests.institutions.sheet_parts import GOOD, HEAD, NS, PACKAGE, RELS, inline, packed, parts, row


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


def test_the_tests_themselves_stay_small():
    """The largest file built here is 150 MB before packing; the process stays under 1.5 GB."""
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1_500_000
