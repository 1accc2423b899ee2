"""Stored files: taken in checked and re-encoded, kept under random names, served only through their owner's view."""

import hashlib
import os
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import models, transaction
from django.http import FileResponse, Http404, HttpResponse

from institutions import clock, uploads
from institutions.models import Post, StoredFile

CHUNK = 1 << 20


def store(
    upload: UploadedFile, *, by: Post | None, allow: frozenset[str] | None = None
) -> StoredFile:
    """Check, re-encode and keep an upload; raises `uploads.UploadRefused` with a Chinese reason."""
    checked = uploads.inspect(upload, allow=allow) if allow else uploads.inspect(upload)
    return keep(
        checked.content,
        name=checked.name,
        kind=checked.kind,
        content_type=checked.content_type,
        by=by,
    )


def keep(content: bytes, *, name: str, kind: str, content_type: str, by: Post | None) -> StoredFile:
    """Keep bytes that are known to be good (our own exports, checked uploads)."""
    row = StoredFile(
        name=name,
        kind=kind,
        content_type=content_type,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        uploader=by,
        created_at=clock.now(),
    )
    row.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Written beside and renamed, so that a killed process leaves no half file under a known name.
    partial = row.path.with_suffix(".part")
    with partial.open("xb") as stream:
        os.fchmod(stream.fileno(), 0o600)
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    partial.rename(row.path)
    row.save()
    return row


def adopt(made: Path, *, name: str, kind: str, content_type: str, by: Post | None) -> StoredFile:
    """Keep a file that was written to disk piece by piece, without reading it into memory; it is moved away."""
    sha = hashlib.sha256()
    with made.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            sha.update(chunk)
        size = stream.tell()
        os.fchmod(stream.fileno(), 0o600)
        os.fsync(stream.fileno())
    row = StoredFile(
        name=name,
        kind=kind,
        content_type=content_type,
        size=size,
        sha256=sha.hexdigest(),
        uploader=by,
        created_at=clock.now(),
    )
    row.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made.rename(row.path)
    row.save()
    return row


def serve(
    owned: models.Manager[StoredFile] | models.QuerySet[StoredFile], key: UUID | str
) -> FileResponse:
    """Return a file of an owner that the view has fetched through `visible_to`; 404 for any other key."""
    row = owned.filter(key=key).first()
    if row is None or not row.path.exists():
        raise Http404
    response = FileResponse(row.path.open("rb"), content_type=row.content_type)
    shown = "inline" if row.is_image else "attachment"
    response["Content-Disposition"] = f"{shown}; filename*=UTF-8''{quote(row.name)}"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def download(content: bytes, *, name: str, content_type: str) -> HttpResponse:
    """Return bytes made for this request, to be saved under a readable name."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def owned_keys() -> set[int]:
    """Return the ids of files that anything points at."""
    used: set[int] = set()
    for relation in StoredFile._meta.related_objects:
        owner, name = relation.related_model, relation.field.name
        used.update(
            owner._base_manager.exclude(**{name: None}).order_by().values_list(name, flat=True)
        )
    return used


def purge_orphans() -> int:
    """Remove files that no owner has claimed for a day; returns how many."""
    old = StoredFile.objects.filter(created_at__lt=clock.now() - timedelta(days=1))
    orphans = list(old.exclude(pk__in=owned_keys()))
    with transaction.atomic():
        StoredFile.objects.filter(pk__in=[f.pk for f in orphans]).delete()
        transaction.on_commit(lambda: _unlink(orphans))
    return len(orphans)


def _unlink(rows: Iterable[StoredFile]) -> None:
    for row in rows:
        row.path.unlink(missing_ok=True)
