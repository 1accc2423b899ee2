"""Plain text as it is typed into a box, read as the levels of an official paper."""

import re
from collections.abc import Iterator

from institutions.official.paper import Block, Level

_NUMERALS = "一二三四五六七八九十百"
_FIRST = re.compile(rf"^[{_NUMERALS}]+、")
_SECOND = re.compile(rf"^[（(][{_NUMERALS}]+[）)]")
_END = re.compile(r"[。：]")
# What XML 1.0 cannot say: control characters (a paste from an old program has them), halves of surrogates.
_UNSAYABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
LONG_HEAD = 40  # a paragraph this long without a full stop is text, not a heading
TITLE_LINE = 19  # characters of 二号 that stand on one line, one left over


def sayable(text: str) -> str:
    """Return the text without what a document cannot hold; line ends are \\n."""
    return _UNSAYABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    return " ".join(sayable(text).split())


def blocks(text: str) -> list[Block]:
    """Read each line of a text as one block: 一、 in 黑体, （一） in 楷体, both up to the first full stop."""
    return list(_blocks(sayable(text)))


def _blocks(text: str) -> Iterator[Block]:
    for line in text.split("\n"):
        said = line.strip(" \t\u3000")
        if not said:
            continue
        if _FIRST.match(said):
            yield _headed(Level.FIRST, said)
        elif _SECOND.match(said):
            yield _headed(Level.SECOND, said)
        else:
            yield Block(Level.TEXT, text=said)


def _headed(level: Level, said: str) -> Block:
    """Split a heading that runs into its text: （一）加强领导。各单位要…"""
    end = said.find("。")
    if end == -1:
        return Block(level, said) if len(said) <= LONG_HEAD else Block(Level.TEXT, text=said)
    if end == len(said) - 1 and end > LONG_HEAD:
        return Block(Level.TEXT, text=said)
    return Block(level, said[: end + 1], said[end + 1 :])


def width(text: str) -> int:
    """Return the width in half characters: a Latin letter or digit takes half of a Chinese character."""
    return sum(1 if ord(char) < 0x2E80 and char not in "“”‘’—…·〔〕" else 2 for char in text)


_NEVER_FIRST = "，。、；：？！）》〕”’的了和与及年月日号季度"
_NEVER_LAST = "（《〔“‘第关"
# Words of these papers that a line end must not tear.
_WORDS = frozenset(
    [
        "卫生",
        "生院",
        "服务",
        "务项",
        "项目",
        "健康",
        "公共",
        "共卫",
        "督导",
        "评价",
        "绩效",
        "整改",
        "情况",
        "问题",
        "管理",
        "质控",
        "基本",
        "本公",
        "国家",
        "有关",
        "通知",
        "通报",
        "反馈",
        "复查",
        "销号",
        "机构",
        "医疗",
        "社区",
        "中心",
        "关于",
        "活动",
        "实施",
        "方案",
        "工作",
        "意见",
        "提升",
        "质量",
    ]
)
_GOOD_END = "的、》年度于区局会院心"


def balanced(title: str, line: int = TITLE_LINE) -> list[str]:
    """Break a title into lines of nearly equal length, no figure or name torn where that can be helped."""
    title = one_line(title)
    lines = -(-width(title) // (2 * line))
    if lines < 2:
        return [title]
    parts, rest = [], title
    for left in range(lines, 1, -1):
        cut = _cut(rest, width(rest) / left, line)
        parts.append(rest[:cut])
        rest = rest[cut:]
    return [*parts, rest]


def _cut(text: str, ideal: int | float, line: int) -> int:
    """Return where to break: the place of least harm near the ideal width (in half characters)."""
    best, least = 1, 10_000.0
    for place in range(1, len(text)):
        head = width(text[:place])
        if head > 2 * line:
            break
        before, after = text[place - 1], text[place]
        harm = abs(head - ideal)
        harm += 12 * (after in _NEVER_FIRST) + 12 * (before in _NEVER_LAST)
        harm += 8 * (before + after in _WORDS)
        harm += 40 * (before.isascii() and after.isascii())
        harm -= 4 * (before in _GOOD_END)
        if harm < least:
            best, least = place, harm
    return best
