"""Applying for a secondment, and changing an application before it is decided."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from campaigns.models import Secondment
from institutions import audit
from institutions.models import Post
from institutions.notifying import notify, posts_at
from institutions.workflow import touch

PERM = "campaigns.write_plan"


def apply(row: Secondment, *, by: Post) -> Secondment:
    """Apply for one of the post's own unit; its bureau is told."""
    if not by.has_perm(PERM) or by.institution.is_bureau:
        raise PermissionDenied("由选派人员的机构申请")
    row.institution, row.author = by.institution, by
    row.supervisor_id = by.institution.bureau_id or by.institution_id
    with transaction.atomic():
        row.save()
        _record(row, "申请进修", by)
        _ask(row)
    return row


def change(row: Secondment, *, by: Post, version: int) -> None:
    """Save a changed application; one that was returned is applied for again."""
    if not by.has_perm(PERM) or not by.acts_for(row.institution_id):
        raise PermissionDenied("由申请机构办理")
    with transaction.atomic():
        touch(row, version=version, editable=Secondment.EDITABLE)
        row.save()
        _record(row, "修改进修申请", by)
        if row.status == Secondment.Status.RETURNED:
            row.reapply(by=by, version=row.version)


def _ask(row: Secondment) -> None:
    officers = posts_at([row.supervisor_id], "campaigns.review_plan")
    text = f"请审批进修申请：{row.institution.known_as} {row}"
    notify(officers, text[:200], url=row.get_absolute_url())


def _record(row: Secondment, label: str, by: Post) -> None:
    audit.record(
        "campaigns.secondment.apply",
        label,
        by=by,
        bureau=row.bureau_id,
        on=row,
        institution=row.institution,
    )
