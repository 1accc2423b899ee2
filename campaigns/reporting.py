"""What an institution writes for a task before it hands it in."""

from collections.abc import Sequence
from datetime import date

from django.core.exceptions import PermissionDenied
from django.db import transaction

from campaigns.models import Report
from institutions import audit
from institutions.models import Post, StoredFile
from institutions.workflow import touch


def _claim(report: Report, by: Post, version: int) -> None:
    if not by.has_perm("campaigns.write_report") or not by.acts_for(report.institution_id):
        raise PermissionDenied("由报送单位填写")
    touch(report, version=version, editable=Report.EDITABLE)


def save(
    report: Report,
    *,
    by: Post,
    version: int,
    text: str,
    number: int | None = None,
    held_on: date | None = None,
    files: Sequence[StoredFile] = (),
) -> None:
    """Keep what was written so far; it is handed in by `submit`. StaleState when it is no longer as `by` saw it."""
    with transaction.atomic():
        _claim(report, by, version)
        report.text, report.number, report.held_on = text, number, held_on
        report.save(update_fields=["text", "number", "held_on"])
        report.files.add(*files)


def remove_file(report: Report, file: StoredFile, *, by: Post, version: int) -> None:
    """Take a file out of a report that is not handed in; the trail keeps its name and digest."""
    with transaction.atomic():
        _claim(report, by, version)
        report.files.remove(file)
        audit.record(
            "campaigns.report.remove_file",
            "删除材料",
            by=by,
            bureau=report.bureau_id,
            on=report,
            institution=report.institution,
            note=file.name,
            data={"sha256": file.sha256},
        )
