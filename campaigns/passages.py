"""Reading a pasted paper: its head, its numbered passages, its table of 督导重点. Pure functions on text.

The form is that of GB/T 9704 and of the districts' papers: 文号, 标题, 主送 ended by a colon, 一、（一）1. in that order of
depth, 附件, signature and date. What cannot be told for sure is left for the preview, where a person corrects it.
"""

import re
from dataclasses import dataclass, field
from datetime import date

_DASH = "—–－~～-"
_HEADING = re.compile(
    r"(?:[一二三四五六七八九十]{1,3}、|[（(][一二三四五六七八九十]{1,3}[）)]|\d{1,2}[.．、](?!\d))"
)
_RUN_IN = re.compile(r"(?P<heading>[^。；：]{2,40}。)(?P<text>.+)", re.DOTALL)
_NUMBER = re.compile(
    r"(?P<word>[\u4e00-\u9fff]{2,12})\s*[〔\[［(（【]\s*(?P<year>(?:19|20)\d\d)\s*[〕\]］)）】]\s*"
    r"(?P<n>\d{1,4})\s*号"
)
_DAY = re.compile(r"(?P<y>20\d\d)年(?P<m>\d{1,2})月(?P<d>\d{1,2})日")
_SPAN = re.compile(
    r"(?:(?P<y1>20\d\d)年)?(?P<m1>\d{1,2})月(?P<d1>\d{1,2})日"
    rf"(?:\s*(?:[{_DASH}]+|至|到)\s*(?:(?P<y2>20\d\d)年)?(?P<m2>\d{{1,2}})月(?P<d2>\d{{1,2}})日)?"
)
_PAUSES = "。！？；：:;”）)"
_WIDE = str.maketrans("０１２３４５６７８９．", "0123456789.")


@dataclass(frozen=True)
class Part:
    """One passage: a heading (with its number, or empty) and the text below or after it."""

    heading: str
    text: str

    @property
    def is_title(self) -> bool:
        """Whether it only heads other passages and asks for nothing by itself."""
        return bool(self.heading) and not self.text


@dataclass(frozen=True)
class Paper:
    """What could be read from a pasted paper; empty where it could not."""

    number: str = ""
    title: str = ""
    salutation: str = ""
    issued_on: date | None = None
    parts: list[Part] = field(default_factory=list)
    focuses: list[tuple[str, str]] = field(default_factory=list)


def normal_number(text: str) -> str:
    """Return a 文号 with 〔〕 around the year and no blanks: 示卫字[2023]1号 becomes 示卫字〔2023〕1号.

    Raises ValueError, in Chinese, for what is not of the form 机关代字〔年份〕序号号 (GB/T 9704).
    """
    match = _NUMBER.fullmatch(text.translate(_WIDE).strip())
    if match is None:
        raise ValueError("文号要写成 周卫健字〔2023〕13号 这样：机关代字、〔年份〕、序号和“号”")
    return f"{match['word']}〔{match['year']}〕{int(match['n'])}号"


def period(text: str) -> tuple[date | None, date] | None:
    """Return (start or None, end) of the first span of days in a heading, both inclusive; None without one.

    （2023年3月3日前） has an end alone; （2023年3月4日—3月31日前） takes the year of its start.
    """
    for match in _SPAN.finditer(text.translate(_WIDE)):
        year = match["y1"]
        if year is None:
            continue
        try:
            first = date(int(year), int(match["m1"]), int(match["d1"]))
            if match["m2"] is None:
                return None, first
            last = date(int(match["y2"] or year), int(match["m2"]), int(match["d2"]))
        except ValueError:
            continue
        if last >= first:
            return first, last
    return None


def phase_name(heading: str) -> str:
    """Return the name of a phase from its heading: without number and bracketed dates."""
    bare = _HEADING.sub("", heading, count=1)
    return re.sub(r"[（(][^）)]*\d[^）)]*[）)]", "", bare).strip("。 ")


def read_paper(text: str) -> Paper:
    """Split a pasted paper into its head, passages and table."""
    body, annex = _cut_annex(_lines(text))
    number = title = salutation = ""
    head: list[str] = []
    start = next((i for i, line in enumerate(body) if _is_salutation(line)), None)
    if start is not None:
        head, salutation, body = body[:start], body[start], body[start + 1 :]
    for line in head:
        match = _NUMBER.search(line.translate(_WIDE))
        if match:
            number = normal_number(match[0])
        elif "签发" not in line and not line.endswith("文件"):
            title += re.sub(r"\s+", "", line)
    body, issued_on = _cut_signature(body)
    return Paper(
        number=number,
        title=title[:200],
        salutation=salutation[:200],
        issued_on=issued_on,
        parts=_parts(_paragraphs(body)),
        focuses=_table(annex),
    )


def _lines(text: str) -> list[str]:
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u3000", " ")
    return [line.strip(" \ufeff") for line in plain.split("\n") if line.strip(" \ufeff\t")]


def _is_salutation(line: str) -> bool:
    return line[-1] in "：:" and len(line) <= 60 and not _HEADING.match(line) and "附件" not in line


def _cut_annex(lines: list[str]) -> tuple[list[str], list[str]]:
    """Cut at a line 附件： that stands alone; a line 附件：名称 above the signature names an annex and goes too."""
    for place, line in enumerate(lines):
        if re.fullmatch(r"附件\s*\d*\s*[：:]?", line) and place > 0:
            lines, annex = lines[:place], lines[place + 1 :]
            break
    else:
        annex = []
    return [line for line in lines if not re.match(r"附件\s*\d*\s*[：:]", line)], annex


def _cut_signature(lines: list[str]) -> tuple[list[str], date | None]:
    """Take the date at the end and the short line with the office's name above it off the text."""
    for back in range(1, min(4, len(lines)) + 1):
        match = _DAY.fullmatch(re.sub(r"\s", "", lines[-back].translate(_WIDE)))
        if match:
            issued_on = _as_date(match)
            rest = lines[:-back]
            if rest and len(rest[-1]) <= 30 and rest[-1][-1] not in _PAUSES:
                rest = rest[:-1]
            return rest, issued_on
    return lines, None


def _as_date(match: re.Match[str]) -> date | None:
    try:
        return date(int(match["y"]), int(match["m"]), int(match["d"]))
    except ValueError:
        return None


def _paragraphs(lines: list[str]) -> list[str]:
    """Join lines that a page break or a narrow column has cut in the middle of a sentence."""
    joined: list[str] = []
    for line in lines:
        open_end = joined and joined[-1][-1] not in _PAUSES and not _is_bare_heading(joined[-1])
        if open_end and not _HEADING.match(line):
            joined[-1] += line
        else:
            joined.append(line)
    return joined


def _is_bare_heading(line: str) -> bool:
    return bool(_HEADING.match(line)) and not line[0].isdigit() and len(line) <= 45


def _parts(paragraphs: list[str]) -> list[Part]:
    parts: list[Part] = []
    for paragraph in paragraphs:
        if not _HEADING.match(paragraph):
            last = parts[-1] if parts else None
            # Text below a heading on a line of its own belongs to it; anything else stands alone.
            if last and last.is_title:
                parts[-1] = Part(last.heading, paragraph)
            elif last and not last.heading.startswith(tuple("0123456789")) and last.heading:
                parts[-1] = Part(last.heading, f"{last.text}\n{paragraph}")
            else:
                parts.append(Part("", paragraph))
            continue
        run_in = None if paragraph[0].isdigit() else _RUN_IN.fullmatch(paragraph)
        if run_in:
            parts.append(Part(run_in["heading"], run_in["text"].strip()))
        elif _is_bare_heading(paragraph):
            parts.append(Part(paragraph, ""))
        else:
            parts.append(Part("", paragraph))
    return parts


def _table(lines: list[str]) -> list[tuple[str, str]]:
    """Read rows of two cells, divided by a tab, under the head 机构名称 | 督导重点."""
    rows = []
    for line in lines:
        cells = [cell.strip() for cell in line.split("\t") if cell.strip()]
        if len(cells) == 2 and cells[0] != "机构名称":
            rows.append((cells[0][:200], cells[1]))
    return rows


def named_in(cell: str, known: dict[str, int]) -> list[int]:
    """Return the values of the names that occur in a cell, in their order there, longest name first.

    Blanks and bracket widths do not matter: 区妇幼保健院 (大街中心) names what is known as either.
    """
    bare = _bare(cell)
    found: dict[int, int] = {}
    for name in sorted(known, key=len, reverse=True):
        word = _bare(name)
        place = bare.find(word) if len(word) >= 3 else -1
        if place >= 0:
            found.setdefault(known[name], place)
            bare = bare.replace(word, "\0" * len(word))
    return sorted(found, key=lambda value: found[value])


def items_in(text: str, words: dict[str, tuple[int, ...]]) -> list[int]:
    """Return the service items that a row of 督导重点 speaks of, longest word first: 妇幼 are two.

    A row that only says 12大项目 speaks of none in particular: it is not limited to items.
    """
    bare = _bare(text)
    found: set[int] = set()
    for word in sorted(words, key=len, reverse=True):
        if _bare(word) in bare:
            found.update(words[word])
            bare = bare.replace(_bare(word), "\0")
    return sorted(found)


def _bare(text: str) -> str:
    return re.sub(r"\s", "", text).replace("（", "(").replace("）", ")")
