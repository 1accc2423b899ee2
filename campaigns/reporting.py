"""What an institution writes for a task before it hands it in."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from campaigns.models import Report
from institutions import audit
from institutions.models import Post, StoredFile
from institutions.workflow import Side, touch

TOLD = frozenset(
    {
        "text",
        "number",
        "held_on",
        "numerator",
        "denominator",
        "covered",
        "level",
        "problems",
        "stage",
    }
)


def claim(report: Report, by: Post, version: int) -> None:
    """Take a report for one change, in the caller's transaction.

    Raises PermissionDenied for a post of another institution or department, StaleState for another version or state.
    """
    if not by.has_perm("campaigns.write_report") or not report.stands_on(Side.ANSWERS, by):
        raise PermissionDenied("由报送单位填写")
    touch(report, version=version, editable=Report.EDITABLE)


def save(
    report: Report, *, by: Post, version: int, files: Sequence[StoredFile] = (), **told: Any
) -> None:
    """Keep what was written so far (`told`: names of TOLD); it is handed in by `submit`.

    Raises StaleState when the report is no longer as `by` saw it.
    """
    unknown = told.keys() - TOLD
    if unknown:
        raise TypeError(f"a report does not tell {sorted(unknown)}")
    with transaction.atomic():
        claim(report, by, version)
        for name, value in told.items():
            setattr(report, name, value)
        report.save(update_fields=list(told))
        report.files.add(*files)


def remove_file(report: Report, file: StoredFile, *, by: Post, version: int) -> None:
    """Take a file out of a report that is not handed in; the trail keeps its name and digest."""
    with transaction.atomic():
        claim(report, by, version)
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
