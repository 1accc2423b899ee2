"""What a person may attach: photos, PDF, Word and Excel files, each proved to be what it says.

Extension, magic number and a real parser must agree. Photos are drawn anew, which drops position,
device and anything hidden behind the picture. Nothing here stores or serves; limits and refusals:
docs/files.md.
"""

from __future__ import annotations

import hashlib
import io
import re
import unicodedata
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

import filetype
from PIL import Image, ImageOps
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

from institutions.archives import OLE_MAGIC, Package, Refusal, open_package

MAX_BYTES = 20_000_000
MAX_PIXELS = 40_000_000
MAX_SIDE = 1_600  # pixels of the longer side, after which a photo is shrunk
MAX_PNG = 1_500_000  # bytes; a larger PNG without transparency is a photo
JPEG_QUALITY = 82
MAX_NAME = 120
MAX_PDF_OBJECTS = 20_000
MAX_PDF_PAGES = 2_000

CONTENT_TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
}
PHOTOS = frozenset({"jpg", "png"})
EVIDENCE = frozenset(CONTENT_TYPES)

_SAME = {"jpeg": "jpg", "jpe": "jpg", "jfif": "jpg"}
_LIVE = {"/JavaScript", "/JS", "/Launch", "/EmbeddedFiles", "/EF", "/RichMedia", "/XFA"}
_LIVE_ACTIONS = {"/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/GoToE", "/RichMedia"}
_PASSIVE = {"/Parent", "/Contents", "/Resources", "/StructTreeRoot", "/P", "/Metadata", "/AP"}
_OLE_STREAM = {"doc": ("WordDocument",), "xls": ("Workbook", "Book")}
_OLE_MACROS = ("_VBA_PROJECT", "Macros", "_VBA_PROJECT_CUR")


class Upload(Protocol):
    """What is needed of an uploaded file; Django's `UploadedFile` is one."""

    name: str | None

    def read(self, size: int = ...) -> bytes: ...


class UploadRefused(Exception):
    """A file is not taken; the text is a Chinese sentence for the person who sent it."""


@dataclass(frozen=True)
class Inspected:
    """A file fit to be stored: `content` is what to keep, for a photo not the bytes that came."""

    content: bytes
    name: str  # the person's own, cleaned; for display and download only
    kind: str  # a key of CONTENT_TYPES
    content_type: str
    sha256: str  # of `content`, hexadecimal
    size: int  # bytes of `content`


def inspect(upload: Upload, *, allow: Collection[str] = EVIDENCE) -> Inspected:
    """Prove an upload harmless and return what may be stored. Raises `UploadRefused`.

    `allow` is a set of kinds, such as `PHOTOS` where only pictures are asked for.
    """
    name, kind = _named(upload.name or "", allow)
    content = upload.read(MAX_BYTES + 1)
    if not content:
        raise UploadRefused("文件是空的，请重新选择。")
    if len(content) > MAX_BYTES:
        raise UploadRefused(f"文件超过 {MAX_BYTES // 1_000_000} MB，请压缩或拆分后再上传。")
    _check_magic(content, kind)
    if kind in PHOTOS:
        content, kind = _redraw(content, kind)
        name = f"{name.rpartition('.')[0]}.{kind}"
    elif kind == "pdf":
        _check_pdf(content)
    elif kind in ("docx", "xlsx"):
        _check_office(content, "docx" if kind == "docx" else "xlsx")
    else:
        _check_ole(content, kind)
    digest = hashlib.sha256(content).hexdigest()
    return Inspected(content, name, kind, CONTENT_TYPES[kind], digest, len(content))


def clean_name(name: str) -> str:
    """A file name fit for a page and a header: no path, no control or direction characters, ≤ 120.

    NFC; what Windows forbids becomes _; the extension is kept and put in lower case.
    """
    name = unicodedata.normalize("NFC", name.encode("utf-8", "ignore").decode())
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C" and c not in "\u2028\u2029")
    name = re.sub(r"\s+", " ", re.sub(r'[<>:"|?*]', "_", name)).rstrip(" .")
    stem, dot, suffix = name.rpartition(".")
    if not dot:
        return name.strip()[:MAX_NAME] or "文件"
    suffix = suffix[:10].strip().lower()
    return f"{stem.strip(' .')[: MAX_NAME - len(suffix) - 1] or '文件'}.{suffix}"


def _named(given: str, allow: Collection[str]) -> tuple[str, str]:
    name = clean_name(given)
    stem, _, suffix = name.rpartition(".")
    if suffix in ("heic", "heif"):
        raise UploadRefused(_HEIC)
    kind = _SAME.get(suffix, suffix)
    if not stem or kind not in allow:
        raise UploadRefused(
            f"不支持这种文件，可上传：{'、'.join(k for k in CONTENT_TYPES if k in allow)}。"
        )
    return f"{stem}.{kind}", kind


_HEIC = (
    "这是苹果手机的 HEIC 照片，请在手机“设置—相机—格式”里选“兼容性最佳”，或另存为 JPG 后再上传。"
)


def _check_magic(content: bytes, kind: str) -> None:
    if kind in ("doc", "xls"):
        found = kind if content.startswith(OLE_MAGIC) else ""
    else:
        guess = filetype.guess(content[:8192])
        found = guess.extension if guess else ""
    if found in ("heic", "heif", "avif") or content[4:11] in (b"ftyphei", b"ftypmif"):
        raise UploadRefused(_HEIC)
    # Which Office file a zip is depends on the order of its parts; the parts themselves decide
    # below.
    if found != kind and not (kind in ("docx", "xlsx") and content.startswith(b"PK\x03\x04")):
        raise UploadRefused(f"文件类型不符：内容不是 .{kind} 文件，请用原来的软件另存后再上传。")


def _redraw(content: bytes, kind: str) -> tuple[bytes, str]:
    """The picture drawn anew: upright, at most 1600 pixels, without any metadata or tail."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            expected = "JPEG" if kind == "jpg" else "PNG"
            image: Image.Image = Image.open(io.BytesIO(content), formats=(expected,))
            if image.width * image.height > MAX_PIXELS:
                raise UploadRefused("照片的像素过大，请用手机的普通画质重新拍摄或压缩后上传。")
            image.draft("RGB", (MAX_SIDE, MAX_SIDE))
            image.load()
            image = ImageOps.exif_transpose(image)
            alpha = kind == "png" and image.has_transparency_data
            image = image.convert("RGBA" if alpha else "RGB")
            image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    except UploadRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UploadRefused("照片的像素过大，请压缩后再上传。") from error
    except Exception as error:  # a parser given hostile bytes may raise anything
        raise UploadRefused("照片已损坏，无法打开，请重新拍摄或另存后上传。") from error
    image.info = {}
    if kind == "png":
        drawn = _saved(image, "PNG", optimize=True)
        if alpha or len(drawn) <= MAX_PNG:
            return drawn, "png"
    return _saved(image, "JPEG", quality=JPEG_QUALITY, optimize=True), "jpg"


def _saved(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def _check_office(content: bytes, kind: Package) -> None:
    try:
        open_package(io.BytesIO(content), kind).close()
    except Refusal as refusal:
        raise UploadRefused(str(refusal)) from refusal


def _check_ole(content: bytes, kind: str) -> None:
    """Old Office files are kept as they are; only their directory of streams is looked at."""
    streams = _ole_streams(content)
    if any(name in streams for name in _OLE_MACROS):
        raise UploadRefused("文件含有宏，请另存为不含宏的文件后再上传。")
    if "EncryptedPackage" in streams:
        raise UploadRefused("文件已加密，请取消密码后再上传。")
    if not any(name in streams for name in _OLE_STREAM[kind]):
        raise UploadRefused(f"文件类型不符：内容不是 .{kind} 文件，请用原来的软件另存后再上传。")


def _ole_streams(content: bytes) -> set[str]:
    """The names in an OLE2 file's directory: entries of 128 bytes, the name's length at byte 64.

    Read wherever such an entry may stand, so that a broken allocation table cannot hide one.
    """
    found = set()
    for start in range(512, len(content) - 127, 128):
        length = int.from_bytes(content[start + 64 : start + 66], "little")
        if 4 <= length <= 64 and length % 2 == 0 and content[start + 66] in (1, 2, 5):
            found.add(content[start : start + length - 2].decode("utf-16-le", "ignore"))
    return found


def _check_pdf(content: bytes) -> None:
    try:
        reader = PdfReader(io.BytesIO(content), strict=False)
        if reader.is_encrypted:
            raise UploadRefused("PDF 已加密，请取消密码后再上传。")
        pages = len(reader.pages)
        live = _has_live_parts(reader)
    except UploadRefused:
        raise
    except Exception as error:  # a parser given hostile bytes may raise anything
        raise UploadRefused("PDF 已损坏，无法打开，请重新导出后上传。") from error
    if not 1 <= pages <= MAX_PDF_PAGES:
        raise UploadRefused(f"PDF 应有 1 至 {MAX_PDF_PAGES} 页。")
    if live:
        raise UploadRefused("PDF 含有脚本、表单动作或附件，请用“打印为 PDF”重新生成后上传。")


def _has_live_parts(reader: PdfReader) -> bool:
    """Whether anything reachable from the catalogue acts by itself or carries another file.

    Page contents and resources are passed over: they only draw. An outline too large to walk counts
    as live.
    """
    seen: set[int] = set()
    waiting: list[Any] = [reader.trailer["/Root"]]
    steps = 0
    while waiting:
        item = waiting.pop()
        steps += 1
        if steps > MAX_PDF_OBJECTS * 10 or len(seen) > MAX_PDF_OBJECTS:
            return True
        if isinstance(item, IndirectObject):
            if item.idnum in seen:
                continue
            seen.add(item.idnum)
            item = item.get_object()
        if isinstance(item, DictionaryObject):
            if _LIVE & item.keys() or item.get("/S") in _LIVE_ACTIONS:
                return True
            waiting += [item.raw_get(key) for key in item if key not in _PASSIVE]
        elif isinstance(item, ArrayObject):
            waiting += list(item)
    return False
