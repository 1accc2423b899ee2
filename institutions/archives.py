"""What a .xlsx or .docx must be before any parser opens it.

An Office file is a zip of XML parts, and a hostile one is small on disk and huge in memory.
Everything here reads the directory of the zip, the first bytes of its members and the small parts
that say what the file is; nothing is unpacked whole. Limits and refusals: docs/files.md.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import IO, BinaryIO, Literal
from xml.parsers import expat

OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP_MAGIC = b"PK\x03\x04"

MAX_MEMBERS = 2_000
MAX_DIRECTORY = 1_000_000  # bytes of the zip's own directory; zipfile loads it whole
MAX_INFLATED = 200_000_000  # bytes, all members together
MAX_RATIO = 200  # a sheet packs 10 to 60 times smaller, a bomb 1,000 times
RATIO_FLOOR = 1_000_000  # smaller members may pack as well as they like
MAX_SMALL_PART = 2_000_000  # relationships, content types
MAX_PROLOG = 65_536
CHUNK = 65_536

# What zipfile raises on a damaged or hostile zip; NotImplementedError is its word for a compression it does not know.
BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, OSError, ValueError, EOFError)
DAMAGED = "文件已损坏，无法打开，请重新另存一份再上传。"

Package = Literal["xlsx", "docx"]

_MAIN = {
    "xlsx": ("xl/workbook.xml", "spreadsheetml.sheet.main+xml", "workbook"),
    "docx": ("word/document.xml", "wordprocessingml.document.main+xml", "document"),
}
_FOLDERS = {
    "xlsx": {"_rels", "docprops", "xl", "customxml", "customstorage", "[trash]"},
    "docx": {"_rels", "docprops", "word", "customxml", "customstorage", "[trash]"},
}
_PICTURES = {"png", "jpg", "jpeg", "gif", "bmp", "emf", "wmf", "tif", "tiff", "wdp", "svg"}
_SUFFIXES = {"xml", "rels", "vml", "odttf", "fntdata", "dat", *_PICTURES}
_MACROS = re.compile(r"vbaproject|vbadata|macrosheets/|dialogsheets/|customui/|activex/|ctrlprops/")
_EMBEDDED = re.compile(r"embeddings/|oleobject|afchunk|\.(zip|xlsx|xlsm|docx|pptx|exe|7z|rar|gz)$")
_LINKS = re.compile(r"externallinks/|/connections\.xml$|querytables/|/webextensions/")


class Refusal(Exception):
    """A file is refused as a whole; the text is a Chinese sentence for the person who sent it."""


class _Done(Exception):
    """The part told what we wanted to know; the rest of it is not read."""


def open_package(stream: BinaryIO, kind: Package, *, pictures: bool = True) -> zipfile.ZipFile:
    """Check an Office file and return its zip, open for reading.

    `pictures=False` also refuses images: a table to import has none. Raises `Refusal`.
    """
    _check_envelope(stream)
    stream.seek(0)
    try:
        package = zipfile.ZipFile(stream)
        _check_members(package, kind, pictures=pictures)
        _check_parts(package, kind)
    except BROKEN as error:
        raise Refusal(DAMAGED) from error
    return package


def _check_envelope(stream: BinaryIO) -> None:
    """Refuse what is not exactly one plain zip, before `zipfile` loads its directory."""
    stream.seek(0)
    if stream.read(4) != ZIP_MAGIC:
        raise Refusal("文件类型不符：内容不是 Office 文件，请用 Excel 或 WPS 另存后再上传。")
    size = stream.seek(0, 2)
    stream.seek(max(0, size - 42))
    tail = stream.read(42)
    end = tail[-22:]
    if len(end) != 22 or end[:4] != b"PK\x05\x06" or end[-2:] != b"\x00\x00":
        raise Refusal("文件类型不符：文件不完整，或末尾附有别的内容。")
    members, directory = struct.unpack("<HI", end[10:16])
    if tail[:4] == b"PK\x06\x07" or members > MAX_MEMBERS or directory > MAX_DIRECTORY:
        raise Refusal("文件内部的部件过多，不像正常的表格或文档。")


def _check_members(package: zipfile.ZipFile, kind: Package, *, pictures: bool) -> None:
    members = [member for member in package.infolist() if not member.is_dir()]
    if len(members) > MAX_MEMBERS:
        raise Refusal("文件内部的部件过多，不像正常的表格或文档。")
    names = [member.filename.lower() for member in members]
    if len(set(names)) != len(names):
        raise Refusal("文件内部有重名的部件，不像正常的表格或文档。")
    if sum(member.file_size for member in members) > MAX_INFLATED:
        raise Refusal("文件解压后过大，请拆分后再上传。")
    for member, name in zip(members, names, strict=True):
        _check_name(name, kind, pictures=pictures)
        if member.flag_bits & 0x41:
            raise Refusal("文件已加密，请取消密码后另存再上传。")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refusal("文件的压缩方式不受支持，请用 Excel 或 WPS 另存后再上传。")
        if member.file_size > max(RATIO_FLOOR, MAX_RATIO * member.compress_size):
            raise Refusal("文件的压缩比异常，疑似恶意文件。")
    main = _MAIN[kind][0]
    if "[content_types].xml" not in names or main not in names:
        raise Refusal(f"文件类型不符：内容不是 .{kind} 文件。")


def _check_name(name: str, kind: Package, *, pictures: bool) -> None:
    parts = name.split("/")
    if ".." in parts or "" in parts or "\\" in name or ":" in name or not name.isprintable():
        raise Refusal("文件内部的路径不正常，疑似恶意文件。")
    if _MACROS.search(name):
        raise Refusal("文件含有宏或控件，请另存为不含宏的文件后再上传。")
    if _EMBEDDED.search(name):
        raise Refusal("文件里嵌入了其他文件，请删除后，或把图表粘贴为图片后再上传。")
    if _LINKS.search(name):
        raise Refusal("文件链接了外部数据，请断开链接、粘贴为数值后再上传。")
    folder, suffix = parts[0], name.rpartition(".")[2]
    known = name == "[content_types].xml" or (len(parts) > 1 and folder in _FOLDERS[kind])
    settings_of_a_printer = suffix == "bin" and "printersettings/" in name
    if not known or not (suffix in _SUFFIXES or settings_of_a_printer):
        raise Refusal("文件类型不符：文件内部有不该出现的部件。")
    if not pictures and "/media/" in name:
        raise Refusal("导入的表格里不能有图片，请删除图片后再上传。")


def _check_parts(package: zipfile.ZipFile, kind: Package) -> None:
    main, content_type, root = _MAIN[kind]
    seen: list[str] = []
    for member in package.infolist():
        name = member.filename.lower()
        if member.is_dir():
            continue
        with package.open(member) as part:
            if name.endswith(".rels"):
                _scan_small(part, _refuse_external)
            elif name == "[content_types].xml":
                _scan_small(part, lambda _, given: seen.append(given.get("ContentType", "")))
            elif name.endswith((".xml", ".vml")):
                found = _root_of(part)
                if name == main and found != root:
                    raise Refusal(f"文件类型不符：内容不是 .{kind} 文件。")
            elif part.read(4) == ZIP_MAGIC:
                raise Refusal("文件里嵌入了其他文件，请删除后再上传。")
    if any("macroenabled" in given.lower() for given in seen):
        raise Refusal("文件含有宏，请另存为不含宏的文件后再上传。")
    if not any(given.endswith(content_type) for given in seen):
        raise Refusal(f"文件类型不符：内容不是 .{kind} 文件。")


def _refuse_external(_: str, given: dict[str, str]) -> None:
    """A hyperlink may point outside; a template, picture or data source may not."""
    if given.get("TargetMode") == "External" and not given.get("Type", "").endswith("/hyperlink"):
        raise Refusal("文件链接了外部内容，请断开链接后再上传。")


def _scan_small(part: IO[bytes], on_start: Callable[[str, dict[str, str]], None]) -> None:
    content = part.read(MAX_SMALL_PART + 1)
    if len(content) > MAX_SMALL_PART:
        raise Refusal("文件内部的部件过大，不像正常的表格或文档。")
    parser = strict_parser()
    parser.StartElementHandler = on_start
    feed(parser, content, last=True)


def _root_of(part: IO[bytes]) -> str:
    """The name of the first element, after a prolog that may hold no DOCTYPE."""
    found: list[str] = []

    def on_start(name: str, _: dict[str, str]) -> None:
        found.append(name.rpartition(":")[2])
        raise _Done

    parser = strict_parser()
    parser.StartElementHandler = on_start
    try:
        feed(parser, part.read(MAX_PROLOG), last=False)
    except _Done:
        return found[0]
    raise Refusal(DAMAGED)


def strict_parser() -> expat.XMLParserType:
    """An expat parser that refuses every DOCTYPE, hence every entity, in any encoding."""
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise Refusal("文件类型不符：文件内部含有 DOCTYPE 声明，疑似恶意文件。")

    parser.StartDoctypeDeclHandler = refuse
    parser.buffer_text = True
    return parser


def feed(parser: expat.XMLParserType, content: bytes, *, last: bool) -> None:
    """Give the parser a piece; text that is not XML is a `Refusal`, not a fault."""
    try:
        parser.Parse(content, last)
    except expat.ExpatError as error:
        raise Refusal(DAMAGED) from error
