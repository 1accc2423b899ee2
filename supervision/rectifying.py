"""Putting right: what the institution writes into its rectification between signing and applying for closing."""

from collections.abc import Sequence

from django.core.exceptions import PermissionDenied
from django.db import transaction

from institutions import audit, clock
from institutions.models import Post, StoredFile
from institutions.workflow import Side, touch
from supervision.models import ProgressNote, Rectification

ANSWER = "supervision.answer_rectification"


def may_write(row: Rectification, post: Post) -> bool:
    """Say whether this post writes into the rectification now."""
    return (
        row.status in Rectification.EDITABLE
        and post.has_perm(ANSWER)
        and row.stands_on(Side.ANSWERS, post)
    )


def save_measures(
    row: Rectification,
    *,
    measures: str,
    leader: str,
    person: str,
    files: Sequence[StoredFile] = (),
    by: Post,
    version: int,
) -> None:
    """Save measures, responsible leader and person, and add evidence. Raises PermissionDenied, StaleState."""
    _refuse_stranger(row, by)
    with transaction.atomic():
        touch(row, version=version, editable=Rectification.EDITABLE)
        changes = {"measures": measures, "leader": leader, "person": person}
        Rectification.objects.filter(pk=row.pk).update(**changes)
        row.files.add(*files)
        _record(row, "save", "填写整改情况", by=by, files=files)
        for name, value in changes.items():
            setattr(row, name, value)


def add_note(
    row: Rectification, *, text: str, files: Sequence[StoredFile] = (), by: Post, version: int
) -> ProgressNote:
    """Add what was done so far (落实有动静). Raises PermissionDenied, StaleState."""
    _refuse_stranger(row, by)
    with transaction.atomic():
        touch(row, version=version, editable=Rectification.EDITABLE)
        note = row.progress.create(text=text, author=by, at=clock.now())
        note.files.add(*files)
        _record(row, "note", "填报整改进展", by=by, note=text, files=files)
    return note


def _refuse_stranger(row: Rectification, post: Post) -> None:
    if not post.has_perm(ANSWER) or not row.stands_on(Side.ANSWERS, post):
        raise PermissionDenied("整改情况由被督导机构填写")


def _record(
    row: Rectification,
    verb: str,
    label: str,
    *,
    by: Post,
    note: str = "",
    files: Sequence[StoredFile] = (),
) -> None:
    audit.record(
        f"supervision.rectification.{verb}",
        label,
        by=by,
        bureau=row.bureau_id,
        on=row,
        institution=row.institution,
        note=note,
        data={"files": [[f.name, f.sha256] for f in files]} if files else None,
    )
