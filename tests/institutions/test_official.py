"""The layout of official papers (GB/T 9704-2012): measures, fonts and numbers in the .docx, and what a renderer makes of it."""

import io
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from docx import Document
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn
from hypothesis import given
from hypothesis import strategies as st

from institutions.official import Annex, Block, Level, Paper, balanced, blocks, write
from institutions.official.text import width
from institutions.official.word import TEXT_WIDTH, head_size, signing_indents

BODY = """为落实规范要求，我局对全区基层医疗卫生机构开展了季度质控督导，现将有关情况通报如下。
一、基本情况
本次督导共抽调专业技术人员十二人，采取查阅资料、系统核查、现场查看、电话核实等方式进行，覆盖全部服务项目和全部基层医疗卫生机构。
（一）得分情况。平均得分率为86.35%。
1. 健康档案管理较为规范。
二、下一步要求
请各单位对照问题清单逐项整改。"""
NARROW = Annex(
    "得分汇总表",
    ("序号", "机构名称", "得分率（%）", "名次"),
    [(str(n), f"示例卫生院{n}", "88.00", str(n)) for n in range(1, 61)],
    (4, 14, 6, 4),
)
WIDE = Annex(
    "问题清单",
    ("序号", "机构", "服务项目", "问题描述", "性质", "整改时限"),
    [
        (str(n), "示例卫生院", "高血压", "随访记录前后矛盾" * 4, "一般", "2023-10-20")
        for n in range(1, 28)
    ],
    (3, 8, 6, 24, 4, 6),
)
PAPER = Paper(
    office="示例区卫生健康局",
    mark="示例区卫生健康局文件",
    number="示卫健督〔2023〕3号",
    signer="局长",
    title="关于2023年第三季度国家基本公共卫生服务项目质控督导情况的通报",
    addressee="各有关医疗卫生机构：",
    day=date(2023, 9, 28),
    body=blocks(BODY),
    annexes=[NARROW, WIDE],
    printed_by="示例区卫生健康局办公室",
)


def opened(paper: Paper):
    return Document(io.BytesIO(write(paper)))


def paragraph(word, text):
    return next(p for p in word.paragraphs if p.text == text)


def face(run):
    return run._element.rPr.rFonts.get(qn("w:eastAsia")), run.font.size.pt


@pytest.mark.row("X10")
def test_page_lines_fonts_and_numbers_are_those_of_the_standard():
    word = opened(PAPER)
    page = word.sections[0]
    measures = (page.top_margin, page.bottom_margin, page.left_margin, page.right_margin)
    assert [round(m.mm) for m in measures] == [37, 35, 28, 26]
    assert (round(page.page_width.mm), round(page.page_height.mm)) == (210, 297)
    head = paragraph(word, "示例区卫生健康局文件")
    assert face(head.runs[0]) == ("方正小标宋简体", 44.0)
    assert head.runs[0].font.color.rgb == (255, 0, 0)
    assert round(head.paragraph_format.space_before.mm) == 35
    assert face(paragraph(word, "一、基本情况").runs[0]) == ("黑体", 16.0)
    second = paragraph(word, "（一）得分情况。平均得分率为86.35%。")
    assert [face(run) for run in second.runs] == [("楷体_GB2312", 16.0), ("仿宋_GB2312", 16.0)]
    body = paragraph(word, "1. 健康档案管理较为规范。")
    assert face(body.runs[0]) == ("仿宋_GB2312", 16.0)
    assert body.paragraph_format.line_spacing.pt == 28.8
    assert body._p.pPr.ind.get(qn("w:firstLineChars")) == "200"
    title = [p.text for p in word.paragraphs if p.runs and face(p.runs[0])[1] == 22]
    assert title[:2] == ["关于2023年第三季度国家基本公共卫生", "服务项目质控督导情况的通报"]
    assert word.settings.odd_and_even_pages_header_footer
    assert "PAGE" in page.footer._element.xml and "PAGE" in page.even_page_footer._element.xml
    assert 'w:eastAsia="zh-CN"' in word.styles.element.xml


def test_a_number_stands_left_of_its_signer_and_alone_in_the_middle():
    assert paragraph(opened(PAPER), "示卫健督〔2023〕3号\t签发人：局长")
    alone = paragraph(opened(replace(PAPER, signer="")), "示卫健督〔2023〕3号")
    assert alone.alignment == 1


def test_tables_repeat_their_head_and_keep_rows_whole_and_wide_ones_lie():
    word = opened(PAPER)
    assert [s.orientation for s in word.sections] == [
        WD_ORIENT.PORTRAIT,
        WD_ORIENT.PORTRAIT,
        WD_ORIENT.LANDSCAPE,
    ]
    for table, annex in zip(word.tables, (NARROW, WIDE), strict=True):
        assert [cell.text for cell in table.rows[0].cells] == list(annex.columns)
        assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
        assert len(table._tbl.tr_lst) == len(annex.rows) + 1
        assert all(tr.trPr.find(qn("w:cantSplit")) is not None for tr in table._tbl.tr_lst)
    texts = [p.text for p in word.paragraphs]
    assert "附件：1. 得分汇总表" in texts and "2. 问题清单" in texts
    assert "附件1" in texts and "附件2" in texts


def test_a_table_of_many_columns_takes_smaller_letters():
    many = Annex("表", [f"列{n}" for n in range(18)], [["9.70"] * 18], [2.5] * 18)
    assert many.is_wide and many.size == 10.5
    assert not NARROW.is_wide and NARROW.size == 12.0


def test_the_same_paper_is_the_same_bytes():
    first = write(PAPER)
    assert write(PAPER) == first
    with zipfile.ZipFile(io.BytesIO(first)) as package:
        assert {member.date_time for member in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@given(st.text(max_size=60))
def test_any_pasted_text_makes_a_document(text):
    """python-docx refuses control characters: they are left out, everything else is kept."""
    said = Annex("表", ("甲",), [(text,)])
    paper = replace(PAPER, body=[Block(Level.TEXT, text=text)], annexes=[said], title=text or "题")
    assert Document(io.BytesIO(write(paper)))


@given(st.integers(1, 60))
def test_a_red_head_of_any_length_stands_on_one_line(count):
    size, scale = head_size("卫" * count)
    assert count * size * scale / 100 <= TEXT_WIDTH
    assert size >= 22 and (scale == 100 or size == 22)


@given(st.text(alphabet="关于二三季度卫生服务项目的通报2023年、《》", min_size=1, max_size=80))
def test_a_title_is_broken_without_losing_a_sign(title):
    parts = balanced(title)
    assert "".join(parts).replace(" ", "") == title.replace(" ", "")
    assert all(width(part) <= 40 for part in parts)


def test_years_and_words_are_not_torn_between_lines():
    assert balanced("王村卫生院国家基本公共卫生服务项目问题复查销号单") == [
        "王村卫生院国家基本公共卫生",
        "服务项目问题复查销号单",
    ]
    assert balanced("整改通知书") == ["整改通知书"]


def test_a_seal_stands_over_a_date_four_characters_from_the_edge():
    assert signing_indents("示例区卫生健康局", "2023年9月28日") == (3.25, 4.0)
    office, day = signing_indents("示例省示例市示例区卫生健康委员会", "2023年9月28日")
    assert office >= 1 and day > 4


def test_levels_are_read_from_plain_text():
    read = blocks("一、总体情况\r\n（一）加强领导。各单位要重视。\n\n　1. 档案\n普通一段。")
    assert [(b.level, b.head, b.text) for b in read] == [
        (Level.FIRST, "一、总体情况", ""),
        (Level.SECOND, "（一）加强领导。", "各单位要重视。"),
        (Level.TEXT, "", "1. 档案"),
        (Level.TEXT, "", "普通一段。"),
    ]


# --- As a renderer sees it --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The paper printed by LibreOffice: the text of each page, as lines with their places in points."""
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice is not installed")
    from pypdf import PdfReader

    folder: Path = tmp_path_factory.mktemp("print")
    (folder / "paper.docx").write_bytes(write(PAPER))
    profile = f"-env:UserInstallation=file://{folder / 'profile'}"
    command = ["soffice", "--headless", profile, "--convert-to", "pdf", "--outdir", str(folder)]
    subprocess.run(
        [*command, str(folder / "paper.docx")], check=True, capture_output=True, timeout=180
    )
    return PdfReader(folder / "paper.pdf").pages


def words(page):
    """Return each piece of text with its place: x from the left, y from the top, in millimetres."""
    found = []
    height = float(page.mediabox.height)

    def visit(text, matrix, place, font, size):
        if text.strip():
            x = matrix[0] * place[4] + matrix[4]
            y = matrix[3] * place[5] + matrix[5]
            found.append((text.strip(), x / 72 * 25.4, (height - y) / 72 * 25.4))

    page.extract_text(visitor_text=visit)
    return found


@pytest.mark.row("X10")
def test_printed_the_red_head_stands_on_one_line_and_the_table_head_on_every_page(pages):
    first = pages[0].extract_text()
    assert "示例区卫生健康局文件" in first.splitlines()[0].replace(" ", "")
    top = min(y for _, _, y in words(pages[0]))
    assert (
        72 <= top <= 92
    )  # its upper edge 37 + 35 mm below the edge of the sheet, its foot below that
    sizes = [(round(float(p.mediabox.width)), round(float(p.mediabox.height))) for p in pages]
    assert sizes[0] == (595, 842) and sizes[-1] == (842, 595)
    tables = [p.extract_text() for p in pages]
    narrow = [text for text in tables if "示例卫生院" in text and "得分率" in text]
    wide = [text for text in tables if "随访记录" in text]
    assert len(narrow) >= 2 and all("机构名称" in text for text in narrow)
    assert len(wide) >= 2 and all("问题描述" in text for text in wide)
    assert len(pages) == 2 + len(narrow) + len(wide)
    for number, page in enumerate(pages, 1):
        assert re.search(rf"—\s*{number}\s*—", page.extract_text()), number
        left = [x for _, x, y in words(page) if y < 240]
        assert min(left) >= 24


def test_printed_a_full_line_holds_28_characters(pages):
    text = pages[0].extract_text()
    chapter = text[text.index("本次督导") :]
    assert len(chapter.splitlines()[0].strip()) in (26, 27)  # two more are the indent
