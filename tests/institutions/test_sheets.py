"""Tables in and out: CSV read as a person sees it, headers, and what is written."""

from __future__ import annotations

import io
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from institutions import sheets
from institutions.sheets import Refusal, match_headers, read_sheet
from tests.institutions.sheet_parts import GOOD, packed, parts


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
