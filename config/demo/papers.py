"""A few small files that serve as evidence: real pictures and PDFs, each marked 示例."""

import io
from functools import cache

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw

from config.demo.cast import Cast
from institutions import files, uploads
from institutions.models import Institution, Post, StoredFile

# 示 and 例 in strokes on a grid of 100: no font with Chinese signs is sure to be there.
STROKES = (
    ((25, 18), (75, 18)),
    ((12, 42), (88, 42)),
    ((50, 42), (50, 90), (38, 82)),
    ((32, 56), (16, 78)),
    ((68, 56), (86, 78)),
    ((134, 12), (114, 50)),
    ((125, 34), (125, 92)),
    ((140, 20), (176, 20)),
    ((158, 20), (140, 52)),
    ((150, 40), (174, 40), (160, 70), (142, 92)),
    ((150, 54), (162, 66)),
    ((182, 26), (182, 70)),
    ((196, 12), (196, 92), (186, 84)),
)
KINDS = {"photo": ("现场照片", "png"), "paper": ("材料", "pdf")}


class Papers:
    """Gives each institution its own copies, stored when they are first needed."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.stored: list[StoredFile] = []
        self._kept: dict[tuple[str, str], StoredFile] = {}

    def photo(self, unit: Institution, title: str = "整改") -> StoredFile:
        """Return a picture of what was put right, or was done, uploaded by the institution."""
        return self._file(unit, "photo", title, self.cast.worker(unit))

    def seen(self, by: Post) -> StoredFile:
        """Return a picture of what a member of a team saw."""
        return self._file(by.institution, "photo", "督导", by)

    def paper(self, unit: Institution, title: str) -> StoredFile:
        """Return a PDF of that title, uploaded by the institution."""
        return self._file(unit, "paper", title, self.cast.worker(unit))

    def _file(self, unit: Institution, kind: str, title: str, by: Post) -> StoredFile:
        key = (unit.code, f"{kind} {title} {by.pk}")
        if key not in self._kept:
            checked = _checked(kind)
            word, suffix = KINDS[kind]
            self._kept[key] = files.keep(
                checked.content,
                name=f"示例{title}{word}（{unit.known_as}）.{suffix}",
                kind=checked.kind,
                content_type=checked.content_type,
                by=by,
            )
            self.stored.append(self._kept[key])
        return self._kept[key]


@cache
def _checked(kind: str) -> uploads.Inspected:
    """Make the file and send it through the portal's own gate."""
    content = _picture() if kind == "photo" else _document()
    name = f"sample.{KINDS[kind][1]}"
    return uploads.inspect(SimpleUploadedFile(name, content))


def _picture() -> bytes:
    image = Image.new("RGB", (640, 400), (233, 240, 243))
    pen = ImageDraw.Draw(image)
    pen.rectangle((24, 24, 616, 376), outline=(120, 150, 160), width=4)
    for stroke in STROKES:
        points = [(100 + x * 2, 110 + y * 2) for x, y in stroke]
        pen.line(points, fill=(40, 84, 98), width=14, joint="curve")
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _document() -> bytes:
    """A page of PDF that says 示例材料 in a font every viewer replaces by its own."""
    text = "示例材料：仅供演示".encode("utf-16-be").hex().upper()
    content = f"BT /F1 28 Tf 90 700 Td <{text}> Tj ET".encode()
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H"
        b"/DescendantFonts[6 0 R]>>",
        b"<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/CIDSystemInfo"
        b"<</Registry(Adobe)/Ordering(GB1)/Supplement 4>>/FontDescriptor 7 0 R>>",
        b"<</Type/FontDescriptor/FontName/STSong-Light/Flags 6/FontBBox[-25 -254 1000 880]"
        b"/ItalicAngle 0/Ascent 880/Descent -120/CapHeight 880/StemV 93>>",
    ]
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, part in enumerate(parts, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, start)
    return bytes(out)
