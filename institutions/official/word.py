"""A paper as a Word document in the layout of GB/T 9704-2012.

Fonts are named, not embedded: Word and WPS at the office have them. The same paper gives the same bytes each
time, so that its sha256 means something.
"""

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from docx import Document
from docx.document import Document as Word
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.table import WD_ALIGN_VERTICAL, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH as ALIGN
from docx.enum.text import WD_LINE_SPACING, WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.section import Section
from docx.shared import Length, Mm, Pt, RGBColor
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from institutions.official.paper import (
    ACROSS,
    ACROSS_WIDE,
    CELL_MARGINS,
    POINT,
    Annex,
    Block,
    Level,
    Paper,
)
from institutions.official.text import balanced, one_line, sayable, width

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

LATIN = "Times New Roman"
BODY, BLACK, KAI, SONG, TITLE = "仿宋_GB2312", "黑体", "楷体_GB2312", "宋体", "方正小标宋简体"
SIZE_2, SIZE_3, SIZE_4, SIZE_NOTE = 22, 16, 14, 12  # 二号, 三号, 四号, 小四 in points
LINE = 28.8  # 22 lines in 225 mm
TEXT_WIDTH = ACROSS * POINT  # points between the margins of a portrait page
HEAD_LARGEST, HEAD_SMALLEST = 52.0, 22.0
RED = RGBColor(0xFF, 0, 0)
EPOCH = (1980, 1, 1, 0, 0, 0)


def write(paper: Paper) -> bytes:
    """Return the paper as the bytes of a .docx; what a document cannot hold (control characters) is left out."""
    word = Document()
    _set_up(word, paper)
    _page(word.sections[0])
    _head(word, paper)
    _title(word, paper.title)
    if paper.addressee:
        _paragraph(word, paper.addressee, indent=0)
    for number, block in enumerate(paper.body, 1):
        last = _block(word, block)
        if number == len(paper.body):
            # A page with nothing but the signature is not allowed.
            _kept(last)
    _annex_list(word, paper)
    _signing(word, paper)
    for number, annex in enumerate(paper.annexes, 1):
        _annex(word, annex, paper.annex_name(number))
    _imprint(word, paper)
    return _packed(word)


# --- The document ---------------------------------------------------------------------------------


def _set_up(word: Word, paper: Paper) -> None:
    core = word.core_properties
    core.author = core.last_modified_by = one_line(paper.office)
    core.title, core.comments = one_line(paper.title), ""
    core.created = core.modified = datetime(
        paper.day.year, paper.day.month, paper.day.day, tzinfo=UTC
    )
    word.settings.odd_and_even_pages_header_footer = True
    normal = word.styles["Normal"]
    normal.font.name, normal.font.size = LATIN, Pt(SIZE_3)
    normal.element.rPr.rFonts.set(qn("w:eastAsia"), BODY)
    # Without it Word sets the punctuation of traditional Chinese.
    defaults = word.styles.element.find(f".//{qn('w:rPrDefault')}/{qn('w:rPr')}")
    language = defaults.find(qn("w:lang"))
    if language is None:
        language = OxmlElement("w:lang")
        defaults.append(language)
    language.set(qn("w:val"), "en-US")
    language.set(qn("w:eastAsia"), "zh-CN")


def _page(section: Section, *, wide: bool = False) -> None:
    """A4: 37 mm above, 28 mm on the left, so 156 by 225 mm of text; turned, the binding edge is above."""
    if wide:
        section.orientation = WD_ORIENT.LANDSCAPE
        section.page_width, section.page_height = Mm(297), Mm(210)
        section.top_margin, section.right_margin = Mm(28), Mm(37)
        section.bottom_margin, section.left_margin = Mm(26), Mm(35)
        section.footer_distance = Mm(13)
    else:
        section.orientation = WD_ORIENT.PORTRAIT
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.top_margin, section.bottom_margin = Mm(37), Mm(35)
        section.left_margin, section.right_margin = Mm(28), Mm(26)
        section.footer_distance = Mm(22)
    section.footer.is_linked_to_previous = section.even_page_footer.is_linked_to_previous = False
    _page_number(section.footer.paragraphs[0], ALIGN.RIGHT)
    _page_number(section.even_page_footer.paragraphs[0], ALIGN.LEFT)


def _page_number(paragraph: Paragraph, side: ALIGN) -> None:
    """— 1 — in 四号, one character from the outer edge: on the right of odd pages, on the left of even ones."""
    paragraph.alignment = side
    _indent(paragraph, SIZE_4, **({"right": 1} if side == ALIGN.RIGHT else {"left": 1}))
    _run(paragraph, "— ", SONG, SIZE_4)
    for kind in ("begin", "PAGE", "separate", "1", "end"):
        run = _run(paragraph, "", SONG, SIZE_4)
        if kind == "PAGE":
            code = OxmlElement("w:instrText")
            code.set(qn("xml:space"), "preserve")
            code.text = kind
            run._r.append(code)
        elif kind == "1":
            run.text = kind
        else:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            run._r.append(mark)
    _run(paragraph, " —", SONG, SIZE_4)


def _packed(word: Word) -> bytes:
    """Save with fixed times and order, the preview of the template left out."""
    raw, out = io.BytesIO(), io.BytesIO()
    word.save(raw)
    with (
        zipfile.ZipFile(raw) as made,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as packed,
    ):
        for member in made.infolist():
            info = zipfile.ZipInfo(member.filename, date_time=EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            packed.writestr(info, made.read(member))
    return out.getvalue()


# --- Paragraphs and runs --------------------------------------------------------------------------


def _run(
    paragraph: Paragraph,
    text: str,
    font: str = BODY,
    size: float = SIZE_3,
    *,
    color: RGBColor | None = None,
) -> Run:
    run = paragraph.add_run(sayable(text))
    run.font.name, run.font.size = LATIN, Pt(size)
    fonts = run._element.get_or_add_rPr().get_or_add_rFonts()
    fonts.set(qn("w:eastAsia"), font)
    fonts.set(qn("w:hint"), "eastAsia")
    if color is not None:
        run.font.color.rgb = color
    return run


def _indent(paragraph: Paragraph, size: float, **chars: float) -> None:
    """Indent by characters (Word) and by points for programs that do not know characters."""
    ind = paragraph._p.get_or_add_pPr().get_or_add_ind()
    names = {"first": "firstLine", "left": "left", "right": "right", "hanging": "hanging"}
    for name, count in chars.items():
        if count:
            ind.set(qn(f"w:{names[name]}Chars"), str(round(count * 100)))
            ind.set(qn(f"w:{names[name]}"), str(round(count * size * 20)))


def _paragraph(
    word: Any,
    text: str = "",
    font: str = BODY,
    size: float = SIZE_3,
    *,
    indent: float = 2,
    align: ALIGN | None = None,
    line: float = LINE,
    color: RGBColor | None = None,
    **chars: float,
) -> Paragraph:
    paragraph = word.add_paragraph()
    _spaced(paragraph, line)
    if align is not None:
        paragraph.alignment = align
    _indent(paragraph, size, first=indent, **chars)
    if text:
        _run(paragraph, text, font, size, color=color)
    return paragraph


def _spaced(paragraph: Paragraph, line: float) -> None:
    form = paragraph.paragraph_format
    form.space_before = form.space_after = Pt(0)
    form.line_spacing_rule, form.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(line)
    form.widow_control = False


_AFTER_BORDER = (
    *("w:shd", "w:tabs", "w:suppressAutoHyphens", "w:kinsoku", "w:wordWrap", "w:overflowPunct"),
    *("w:topLinePunct", "w:autoSpaceDE", "w:autoSpaceDN", "w:bidi", "w:adjustRightInd"),
    *("w:snapToGrid", "w:spacing", "w:ind", "w:contextualSpacing", "w:mirrorIndents"),
    *("w:suppressOverlap", "w:jc", "w:textDirection", "w:textAlignment", "w:textboxTightWrap"),
    *("w:outlineLvl", "w:divId", "w:cnfStyle", "w:rPr", "w:sectPr", "w:pPrChange"),
)


def _rule(paragraph: Paragraph, sides: dict[str, int], *, color: str, space: int) -> None:
    """Draw lines above or below a paragraph; thickness in eighths of a point, `space` points away from the text."""
    borders = OxmlElement("w:pBdr")
    for side, thickness in sides.items():
        edge = OxmlElement(f"w:{side}")
        for name, value in (
            ("val", "single"),
            ("sz", str(thickness)),
            ("space", str(space)),
            ("color", color),
        ):
            edge.set(qn(f"w:{name}"), value)
        borders.append(edge)
    paragraph._p.get_or_add_pPr().insert_element_before(borders, *_AFTER_BORDER)


# What comes after the spacing of letters in the properties of a run.
_AFTER_SPACING = ("w:w", "w:kern", "w:position", "w:sz", "w:szCs", "w:highlight", "w:u", "w:lang")


# --- Head, body, end ------------------------------------------------------------------------------


def head_size(mark: str) -> tuple[float, int]:
    """Return the size (points) and the character scale (%) that keep a red head on one line."""
    chars = max(1.0, width(mark) / 2)
    size = min(HEAD_LARGEST, int((TEXT_WIDTH - 2) / chars * 2) / 2)
    if size >= HEAD_SMALLEST:
        return size, 100
    return HEAD_SMALLEST, max(33, int((TEXT_WIDTH - 2) / (chars * HEAD_SMALLEST) * 100))


def _head(word: Word, paper: Paper) -> None:
    """The red head 35 mm below the upper margin, the number two lines below, the red line 4 mm below that."""
    if not paper.mark:
        if paper.number:
            _paragraph(word, paper.number, indent=0, align=ALIGN.RIGHT)
        return
    size, scale = head_size(one_line(paper.mark))
    paragraph = _paragraph(
        word,
        one_line(paper.mark),
        TITLE,
        size,
        indent=0,
        align=ALIGN.CENTER,
        line=size * 1.15,
        color=RED,
    )
    paragraph.paragraph_format.space_before = Mm(35)
    if scale < 100:
        scaled = OxmlElement("w:w")
        scaled.set(qn("w:val"), str(scale))
        properties = paragraph.runs[0]._element.get_or_add_rPr()
        properties.insert_element_before(scaled, *_AFTER_SPACING)
    for _ in range(2):
        _paragraph(word, indent=0)
    _number(word, paper)
    below = _paragraph(word, indent=0)
    below.paragraph_format.space_before = Mm(
        2.5
    )  # with the air under the letters of the number: 4 mm
    _rule(below, {"top": 18}, color="FF0000", space=1)


def _number(word: Word, paper: Paper) -> None:
    """The number in the middle; beside a signer on the left, both one character from the edge."""
    if not paper.signer:
        _paragraph(word, paper.number, indent=0, align=ALIGN.CENTER)
        return
    paragraph = _paragraph(word, paper.number, indent=0, left=1, right=1)
    paragraph.paragraph_format.tab_stops.add_tab_stop(
        Pt(TEXT_WIDTH - SIZE_3), WD_TAB_ALIGNMENT.RIGHT
    )
    _run(paragraph, "\t签发人：")
    _run(paragraph, one_line(paper.signer), KAI)


def _title(word: Word, title: str) -> None:
    _paragraph(word, indent=0)
    for part in balanced(title):
        _paragraph(word, part, TITLE, SIZE_2, indent=0, align=ALIGN.CENTER, line=34)
    _paragraph(word, indent=0)


_HEADS = {Level.FIRST: BLACK, Level.SECOND: KAI, Level.TEXT: BODY, Level.FLUSH: BODY}


def _block(word: Word, block: Block) -> Paragraph:
    flush = block.level is Level.FLUSH
    paragraph = _paragraph(word, indent=0 if flush else 2, align=ALIGN.JUSTIFY)
    if block.head:
        _tight(_run(paragraph, one_line(block.head), _HEADS[block.level]))
        paragraph.paragraph_format.keep_with_next = not block.text
    if block.text:
        _tight(_run(paragraph, one_line(block.text)))
    return paragraph


def _tight(run: Run) -> None:
    """A quarter of a point less between letters: 28 characters of 16 points stand in 156 mm."""
    spacing = OxmlElement("w:spacing")
    spacing.set(qn("w:val"), "-5")
    run._element.get_or_add_rPr().insert_element_before(spacing, *_AFTER_SPACING)


def _annex_list(word: Word, paper: Paper) -> None:
    """附件说明: one line below the text; a second line of a title stands under its first."""
    titles = paper.annex_list
    if not titles:
        return
    _kept(_paragraph(word, indent=0))
    left = 5 if len(titles) == 1 else 6.5
    for number, title in enumerate(titles):
        lead = "附件：" if number == 0 else ""
        hanging = left - 2 if lead else 1.5
        _kept(_paragraph(word, lead + one_line(title), indent=0, left=left, hanging=hanging))


def signing_indents(office: str, day: str) -> tuple[float, float]:
    """Return how many characters office and date stand from the right edge.

    Under a seal the date stands four characters from the edge and the office in the middle above it; an office too
    long for that stands one character from the edge, and the date in the middle below it (GB/T 9704-2012, 7.3.5.1).
    """
    name, date = width(office) / 2, width(day) / 2
    right = 4 + (date - name) / 2
    return (right, 4.0) if right >= 1 else (1.0, max(4.0, 1 + (name - date) / 2))


def _signing(word: Word, paper: Paper) -> None:
    """发文机关署名 and 成文日期; below them what is signed by hand."""
    for _ in range(2):
        _kept(_paragraph(word, indent=0))
    office, day = signing_indents(paper.office, paper.day_text)
    _kept(_paragraph(word, one_line(paper.office), indent=0, align=ALIGN.RIGHT, right=office))
    _paragraph(word, paper.day_text, indent=0, align=ALIGN.RIGHT, right=day)
    for line in paper.signatures:
        _paragraph(word, indent=0)
        _paragraph(word, line, indent=0)


def _kept(paragraph: Paragraph) -> None:
    paragraph.paragraph_format.keep_with_next = True


def _imprint(word: Word, paper: Paper) -> None:
    """版记, the last of all: between thick and thin lines, 四号, one character from both edges."""
    last_page = word.sections[-1]
    across = Mm(ACROSS if last_page.orientation == WD_ORIENT.PORTRAIT else ACROSS_WIDE)
    if not paper.copies_to and not paper.printed_by:
        return
    _kept(_paragraph(word, indent=0))
    both = bool(paper.copies_to and paper.printed_by)
    if paper.copies_to:
        copies = _paragraph(
            word,
            f"抄送：{one_line(paper.copies_to)}",
            size=SIZE_4,
            indent=0,
            left=4,
            right=1,
            hanging=3,
        )
        copies.paragraph_format.keep_with_next = both
        _rule(copies, {"top": 8} if both else {"top": 8, "bottom": 8}, color="000000", space=1)
    if paper.printed_by:
        last = _paragraph(word, one_line(paper.printed_by), size=SIZE_4, indent=0, left=1, right=1)
        last.paragraph_format.tab_stops.add_tab_stop(
            Length(across - Pt(SIZE_4)), WD_TAB_ALIGNMENT.RIGHT
        )
        _run(last, f"\t{paper.day_text}印发", size=SIZE_4)
        _rule(last, {"top": 6 if both else 8, "bottom": 8}, color="000000", space=1)


# --- Annexes --------------------------------------------------------------------------------------


def _annex(word: Word, annex: Annex, name: str) -> None:
    """附件 on a new page: 附件1 in 黑体 at the left, its title in the middle, the table with its head on every page."""
    wide = annex.is_wide
    section = word.add_section(WD_SECTION.NEW_PAGE)
    _page(section, wide=wide)
    _paragraph(word, name, BLACK, indent=0)
    for part in balanced(annex.title, 28 if wide else 19):
        paragraph = _paragraph(word, part, TITLE, SIZE_2, indent=0, align=ALIGN.CENTER, line=34)
        paragraph.paragraph_format.space_after = Pt(8)
    _table(word, annex, Mm(ACROSS_WIDE if wide else ACROSS))
    if annex.note:
        _paragraph(word, f"注：{one_line(annex.note)}", size=SIZE_NOTE, indent=0, line=20)


def column_lengths(widths: Sequence[float], whole: Length) -> list[Length]:
    """Share out a width among columns so that they add up to it exactly."""
    total, units = sum(widths), whole // 635  # twentieths of a point
    edges = [int(units * sum(widths[:n]) / total) for n in range(len(widths) + 1)]
    return [Length((b - a) * 635) for a, b in pairwise(edges)]


def _table(word: Word, annex: Annex, whole: Length) -> None:
    lengths = column_lengths(annex.column_widths, whole)
    table = word.add_table(rows=1, cols=len(lengths))
    table.style, table.alignment, table.autofit = "Table Grid", WD_TABLE_ALIGNMENT.CENTER, False
    _cell_margins(table)
    for column, length in zip(table.columns, lengths, strict=True):
        column.width = length
    short = [max([len(row[n]) for row in annex.rows], default=0) <= 8 for n in range(len(lengths))]
    head = table.rows[0]
    _fill(head, annex.columns, lengths, BLACK, [True] * len(lengths), annex.size)
    _mark(head, "w:cantSplit", "w:tblHeader")
    for cells in annex.rows:
        row = table.add_row()
        _fill(row, cells, lengths, BODY, short, annex.size)
        _mark(row, "w:cantSplit")


def _cell_margins(table: Any) -> None:
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        edge = OxmlElement(f"w:{side}")
        edge.set(qn("w:w"), str(round(CELL_MARGINS * 10)))
        edge.set(qn("w:type"), "dxa")
        margins.append(edge)
    table._tbl.tblPr.insert_element_before(margins, "w:tblLook", "w:tblCaption")


def _mark(row: Any, *names: str) -> None:
    properties = row._tr.get_or_add_trPr()
    for name in names:
        properties.append(OxmlElement(name))


def _fill(
    row: Any,
    texts: Sequence[str],
    lengths: Sequence[Length],
    font: str,
    short: Sequence[bool],
    size: float,
) -> None:
    for cell, text, length, centred in zip(row.cells, texts, lengths, short, strict=True):
        cell.width = length
        cell.vertical_alignment = WD_ALIGN_VERTICAL.CENTER
        for number, line in enumerate(sayable(text).split("\n")):
            paragraph = cell.paragraphs[0] if number == 0 else cell.add_paragraph()
            _spaced(paragraph, size + 8)
            paragraph.alignment = ALIGN.CENTER if centred else ALIGN.LEFT
            _run(paragraph, line, font, size)
