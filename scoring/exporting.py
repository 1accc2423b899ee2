"""A table of this floor as CSV or XLSX: written row by row, with one event in the trail."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, cast
from urllib.parse import quote

from django.db import transaction
from django.http import StreamingHttpResponse

from institutions import audit, sheets
from institutions.http import Request

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

# Kept in memory up to here, then on disk; read out in such pieces.
SPOOLED = 1 << 20
PIECE = 1 << 16


def wanted(request: Request) -> str:
    """Return csv or xlsx where an export is asked for by a post that may export, else nothing."""
    asked = request.GET.get("format", "")
    allowed = asked in ("csv", "xlsx") and request.post.has_perm("institutions.export_table")
    return asked if allowed else ""


def answer(
    request: Request,
    title: str,
    headers: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    note: str,
    numeric: Collection[str] = (),
    text: Collection[str] = ("机构代码",),
) -> StreamingHttpResponse:
    """Answer with the table in the format asked for; `rows` are read while they are written."""
    kind = wanted(request)
    response: StreamingHttpResponse
    with transaction.atomic():
        audit.record(
            "portal.export",
            f"导出{title}"[:40],
            by=request.post,
            bureau=request.post.institution.bureau_id,
            note=note[:500],
        )
    if kind == "csv":
        response = StreamingHttpResponse(
            sheets.write_csv(rows, headers), content_type="text/csv; charset=utf-8"
        )
    else:
        content = SpooledTemporaryFile(max_size=SPOOLED)  # noqa: SIM115 — closed when it is read out
        sheets.write_xlsx(
            rows,
            headers,
            cast(BinaryIO, content),
            title=title,
            numeric=numeric,
            text=[name for name in text if name in headers],
        )
        content.seek(0)
        response = StreamingHttpResponse(_pieces(content), content_type=XLSX)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(f'{title}.{kind}')}"
    return response


def _pieces(content: IO[bytes]) -> Iterator[bytes]:
    with content:
        while piece := content.read(PIECE):
            yield piece
