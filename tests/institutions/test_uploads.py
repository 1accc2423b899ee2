"""What is attached is what it says, or it is refused in plain Chinese; nothing hostile is kept."""

from __future__ import annotations

import hashlib
import io
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from institutions.uploads import (
    EVIDENCE,
    MAX_BYTES,
    PHOTOS,
    Inspected,
    UploadRefused,
    clean_name,
    inspect,
)

PACKAGE = "http://schemas.openxmlformats.org/package/2006"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def picture(
    form: str, size: tuple[int, int] = (64, 48), mode: str = "RGB", **options: object
) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise(size, 60).convert(mode).save(buffer, form, **options)
    return buffer.getvalue()


def photo_with_position(size: tuple[int, int] = (64, 48)) -> bytes:
    """A photo lying on its side, with the maker, a place on the map and a comment."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "SECRET-MAKER"
    exif.get_ifd(0x8825)[2] = (36.0, 48.0, 10.0)
    return picture("JPEG", size, exif=exif, comment=b"SECRET-COMMENT")


def pdf(change: Callable[[PdfWriter], object] = lambda writer: None, pages: int = 1) -> bytes:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 200)
    change(writer)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def action(kind: str) -> Callable[[PdfWriter], object]:
    def change(writer: PdfWriter) -> None:
        given = DictionaryObject({NameObject("/S"): NameObject(kind)})
        given[NameObject("/F")] = TextStringObject("cmd.exe")
        writer.root_object[NameObject("/OpenAction")] = given

    return change


def page_action(writer: PdfWriter) -> None:
    given = DictionaryObject({NameObject("/S"): NameObject("/JavaScript")})
    writer.pages[0][NameObject("/AA")] = DictionaryObject({NameObject("/O"): given})


def docx(**extra: str | bytes) -> bytes:
    found: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Override'
        f' PartName="/word/document.xml" ContentType="{DOCX}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"/>',
        "word/document.xml": f'<w:document xmlns:w="{WORD}"><w:body/></w:document>',
    }
    return packed(found | extra)


def packed(found: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in found.items():
            package.writestr(name, content)
    return buffer.getvalue()


def relation(kind: str) -> str:
    return (
        f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="x" Type="{RELS}/{kind}"'
        ' Target="http://x.test/a" TargetMode="External"/></Relationships>'
    )


def xlsx() -> bytes:
    buffer = io.BytesIO()
    book = Workbook()
    book.active.append(["代码", "=1+1"])
    book.save(buffer)
    return buffer.getvalue()


def old(*streams: str) -> bytes:
    """An old Office file as far as its directory goes: 512 bytes of header, then entries."""
    entries = b""
    for name in ("Root Entry", *streams):
        raw = name.encode("utf-16-le") + b"\0\0"
        entry = raw.ljust(64, b"\0") + struct.pack(
            "<HB", len(raw), 5 if name == "Root Entry" else 2
        )
        entries += entry.ljust(128, b"\0")
    return OLE.ljust(512, b"\0") + entries.ljust(512, b"\0")


def huge_png(side: int = 50_000) -> bytes:
    """A PNG of 2.5 thousand million pixels in a few kilobytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    body = zlib.compress(b"\0" * 1_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


class Sent:
    """An upload whose name is exactly what was sent, unlike Django's, which cleans it."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self._stream = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(size)


def look(name: str, content: bytes, allow: frozenset[str] = EVIDENCE) -> Inspected:
    return inspect(Sent(name, content), allow=allow)


GOOD = {
    "jpg": lambda: picture("JPEG"),
    "png": lambda: picture("PNG"),
    "pdf": pdf,
    "docx": docx,
    "xlsx": xlsx,
    "doc": lambda: old("WordDocument", "1Table"),
    "xls": lambda: old("Workbook"),
}


@pytest.mark.parametrize("kind", GOOD)
def test_the_seven_kinds_are_taken(kind):
    found = look(f"整改照片.{kind.upper()}", GOOD[kind]())
    assert (found.name, found.kind) == (f"整改照片.{kind}", kind)
    assert found.sha256 == hashlib.sha256(found.content).hexdigest()
    assert found.size == len(found.content)


def test_djangos_own_uploads_are_taken():
    upload = SimpleUploadedFile("现场.jpeg", picture("JPEG"), "application/x-php")
    found = inspect(upload, allow=PHOTOS)
    assert (found.name, found.content_type) == ("现场.jpg", "image/jpeg")


@pytest.mark.parametrize("kind", ["pdf", "docx", "xlsx", "doc", "xls"])
def test_documents_are_kept_to_the_byte(kind):
    content = GOOD[kind]()
    assert look(f"a.{kind}", content).content == content


def test_a_photo_is_turned_upright_and_tells_nothing_of_its_maker_or_place():
    found = look("a.jpg", photo_with_position((64, 48)))
    image = Image.open(io.BytesIO(found.content))
    assert image.size == (48, 64)
    assert not image.getexif()
    assert b"SECRET" not in found.content
    assert b"Exif" not in found.content


def test_a_picture_hides_nothing_behind_itself():
    tail = b"<?php system($_GET[0]); ?><script>alert(1)</script>"
    for form, kind in (("JPEG", "jpg"), ("PNG", "png")):
        assert tail not in look(f"a.{kind}", picture(form) + tail).content
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Comment", "SECRET-TEXT")
    assert (
        b"SECRET" not in look("a.png", picture("PNG", pnginfo=info, icc_profile=b"SECRET")).content
    )


@pytest.mark.parametrize(
    ("size", "drawn"), [((3200, 2400), (1600, 1200)), ((900, 3200), (450, 1600))]
)
def test_a_large_photo_is_shrunk_to_1600_pixels(size, drawn):
    found = look("a.jpg", picture("JPEG", size))
    assert Image.open(io.BytesIO(found.content)).size == drawn


def test_a_photo_sized_png_becomes_a_jpg_and_a_transparent_one_stays():
    photo = look("图.png", picture("PNG", (1600, 1200), "RGB"))
    assert (photo.kind, photo.name, photo.content_type) == ("jpg", "图.jpg", "image/jpeg")
    drawing = look("图.png", picture("PNG", (64, 48), "LA"))
    assert Image.open(io.BytesIO(drawing.content)).mode == "RGBA"


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "I;16"])
def test_pictures_in_unusual_colours_are_drawn(mode):
    image = Image.new(mode, (20, 20))
    form = "JPEG" if mode in ("L", "CMYK") else "PNG"
    buffer = io.BytesIO()
    image.save(buffer, form)
    assert look("a.jpg" if form == "JPEG" else "a.png", buffer.getvalue()).size


HOSTILE: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "empty": ("a.jpg", bytes, "空的"),
    "over 20 MB": ("a.pdf", lambda: b"%PDF-1.4" + b"x" * MAX_BYTES, "超过 20 MB"),
    "no extension": ("照片", lambda: picture("JPEG"), "不支持"),
    "svg": ("a.svg", lambda: b"<svg onload='alert(1)'/>", "不支持"),
    "html": ("a.html", lambda: b"<script>alert(1)</script>", "不支持"),
    "program": ("a.exe", lambda: b"MZ" + b"\0" * 100, "不支持"),
    "macro workbook": ("a.xlsm", xlsx, "不支持"),
    "macro document": ("a.docm", docx, "不支持"),
    "gif": ("a.gif", lambda: picture("GIF", mode="P"), "不支持"),
    "zip": ("a.zip", lambda: packed({"a.txt": "x"}), "不支持"),
    "php behind a second dot": ("a.jpg.php", lambda: picture("JPEG"), "不支持"),
    "direction override": ("照片\u202egpj.exe", lambda: picture("JPEG"), "不支持"),
    "nul in the name": ("a.exe\0.jpg", lambda: b"MZ" + b"\0" * 100, "类型不符"),
    "heic by name": ("IMG_1.HEIC", lambda: b"\0\0\0\x18ftypheic", "兼容性最佳"),
    "heic called jpg": (
        "a.jpg",
        lambda: b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + b"\0" * 99,
        "兼容性最佳",
    ),
    "svg called png": ("a.png", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "类型不符"),
    "html called jpg": ("a.jpg", lambda: b"<html><script>alert(1)</script>", "类型不符"),
    "gif called jpg": ("a.jpg", lambda: b"GIF89a<script>alert(1)</script>", "类型不符"),
    "png called jpg": ("a.jpg", lambda: picture("PNG"), "类型不符"),
    "jpg called png": ("a.png", lambda: picture("JPEG"), "类型不符"),
    "program called pdf": ("a.pdf", lambda: b"MZ" + b"\0" * 100, "类型不符"),
    "text called pdf": ("a.pdf", lambda: b"hello", "类型不符"),
    "shell script called pdf": ("a.pdf", lambda: b"#!/bin/sh\nrm -rf /", "类型不符"),
    "pdf called jpg": ("a.jpg", pdf, "类型不符"),
    "jpg cut short": ("a.jpg", lambda: picture("JPEG", (400, 400))[:2000], "损坏"),
    "jpg of noise": ("a.jpg", lambda: b"\xff\xd8\xff\xe0" + b"\0" * 500, "损坏"),
    "png cut short": ("a.png", lambda: picture("PNG", (400, 400))[:2000], "损坏"),
    "png of 2.5 thousand million pixels": ("a.png", huge_png, "像素过大"),
    "png of 49 million pixels": ("a.png", lambda: huge_png(7_000), "像素过大"),
    "pdf of noise": ("a.pdf", lambda: b"%PDF-1.7\n" + b"\xff" * 500, "损坏"),
    "pdf without pages": ("a.pdf", lambda: pdf(pages=0), "页|损坏"),
    "pdf with a password": ("a.pdf", lambda: pdf(lambda w: w.encrypt("x")), "加密"),
    "pdf with JavaScript": ("a.pdf", lambda: pdf(action("/JavaScript")), "脚本"),
    "pdf that starts a program": ("a.pdf", lambda: pdf(action("/Launch")), "脚本"),
    "pdf that sends a form": ("a.pdf", lambda: pdf(action("/SubmitForm")), "脚本"),
    "pdf with a page script": ("a.pdf", lambda: pdf(page_action), "脚本"),
    "pdf carrying a file": (
        "a.pdf",
        lambda: pdf(lambda w: w.add_attachment("a.exe", b"MZ")),
        "附件",
    ),
    "any zip called docx": ("a.docx", lambda: packed({"a.txt": "x"}), "类型不符"),
    "xlsx called docx": ("a.docx", xlsx, "类型不符"),
    "docx called xlsx": ("a.xlsx", docx, "类型不符"),
    "docx with macros": ("a.docx", lambda: docx(**{"word/vbaProject.bin": b"x"}), "宏"),
    "docx with an OLE object": ("a.docx", lambda: docx(**{"word/embeddings/o.bin": b"x"}), "嵌入"),
    "docx with a web page": ("a.docx", lambda: docx(**{"word/afchunk.htm": b"<p>"}), "嵌入"),
    "docx with a far template": (
        "a.docx",
        lambda: docx(**{"word/_rels/settings.xml.rels": relation("attachedTemplate")}),
        "链接",
    ),
    "docx with a far picture": (
        "a.docx",
        lambda: docx(**{"word/_rels/document.xml.rels": relation("image")}),
        "链接",
    ),
    "docx with DOCTYPE": (
        "a.docx",
        lambda: docx(**{"word/document.xml": "<!DOCTYPE a><document/>"}),
        "DOCTYPE",
    ),
    "docx that is a bomb": ("a.docx", lambda: docx(**{"word/x.xml": "a" * 60_000_000}), "压缩比"),
    "docx with a path upwards": ("a.docx", lambda: docx(**{"word/../../a.xml": "<a/>"}), "路径"),
    "docx with a tail": ("a.docx", lambda: docx() + b"<html>", "类型不符"),
    "docx under a password": ("a.docx", lambda: old("EncryptedPackage"), "类型不符"),
    "doc under a password": ("a.doc", lambda: old("EncryptedPackage"), "加密"),
    "doc with macros": ("a.doc", lambda: old("WordDocument", "Macros"), "宏"),
    "xls with macros": ("a.xls", lambda: old("Workbook", "_VBA_PROJECT_CUR"), "宏"),
    "xls called doc": ("a.doc", lambda: old("Workbook"), "类型不符"),
    "installer called xls": ("a.xls", lambda: old("Property"), "类型不符"),
    "text called doc": ("a.doc", lambda: b"{\\rtf1 hello}", "类型不符"),
    "html called xls": ("a.xls", lambda: b"<html><table>", "类型不符"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_in_chinese(case):
    name, build, reason = HOSTILE[case]
    content = build()
    tracemalloc.start()
    try:
        with pytest.raises(UploadRefused, match=reason) as refusal:
            look(name, content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert str(refusal.value).endswith("。")
    assert peak < 60_000_000


def test_a_hyperlink_in_a_document_is_no_fault():
    assert look("a.docx", docx(**{"word/_rels/document.xml.rels": relation("hyperlink")})).size


def test_only_the_kinds_asked_for_are_taken():
    with pytest.raises(UploadRefused, match="可上传：jpg、png"):
        look("a.pdf", pdf(), PHOTOS)


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("../../settings.JPG", "settings.jpg"),
        ("C:\\用户\\照片.jpg", "照片.jpg"),
        ("a\r\nSet-Cookie: x.jpg", "aSet-Cookie_ x.jpg"),
        ("报告\u202efdp.jpg", "报告fdp.jpg"),
        ("零\u200b宽\ufeff.jpg", "零宽.jpg"),
        ("é".encode().decode() + "e\u0301.jpg", "éé.jpg"),
        ("长" * 300 + ".jpg", "长" * 116 + ".jpg"),
        ('a<b>"c|d?e*.jpg', "a_b__c_d_e_.jpg"),
        (" . .jpg", "文件.jpg"),
        (".jpg", "文件.jpg"),
        ("a.\ud800jpg", "a.jpg"),
        ("甲　乙  丙.jpg", "甲 乙 丙.jpg"),
    ],
)
def test_a_name_is_fit_for_a_page_and_a_header(given_name, shown):
    assert clean_name(given_name) == shown
    assert look(given_name, picture("JPEG")).name == shown


@given(st.text(max_size=300))
def test_any_name_at_all_is_made_fit(name):
    found = clean_name(name)
    assert 0 < len(found) <= 120
    assert not set(found) & set('/\\\r\n\0\u202e<>:"|?*')
    assert clean_name(found) == found


@given(
    st.sampled_from(sorted(GOOD)),
    st.binary(min_size=1, max_size=64),
    st.integers(0, 100_000),
    st.booleans(),
)
def test_a_damaged_file_is_refused_or_still_what_it_says(kind, noise, position, cut):
    content = bytearray(GOOD[kind]())
    position %= len(content)
    content[position : None if cut else position + len(noise)] = noise
    try:
        found = look(f"a.{kind}", bytes(content))
    except UploadRefused:
        return
    assert found.kind in (kind, "jpg")
