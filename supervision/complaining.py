"""Registering complaints: each is handed to its institution, which is told; many at once from a table."""

from collections.abc import Iterable, Sequence
from typing import cast

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse

from institutions import audit
from institutions.models import Institution, Post, StoredFile
from institutions.notifying import notify, posts_at
from supervision.models import Complaint

ADD = "supervision.add_complaint"
ANSWER = "supervision.answer_complaint"
BATCH = 500


def register(complaint: Complaint, *, by: Post, files: Sequence[StoredFile] = ()) -> Complaint:
    """Register one complaint about one's own unit or one directly below; its parent is who closes it."""
    unit = complaint.institution
    if not by.has_perm(ADD) or by.institution_id not in (unit.pk, unit.parent_id):
        raise PermissionDenied("由本机构或督导它的单位登记")
    with transaction.atomic():
        hand_out([complaint], by=by)
        complaint.files.add(*files)
    return complaint


def hand_out(
    rows: Iterable[Complaint],
    *,
    by: Post | audit.Actor | None,
    unit: Institution | None = None,
) -> list[Complaint]:
    """Write new complaints in sets, with one event; the institutions that still owe an answer are told."""
    made = list(rows)
    for row in made:
        row.bureau_id = cast(int, row.institution.bureau_id)
        row.supervisor_id = cast(int, row.institution.parent_id)
        row.author = by if isinstance(by, Post) else by.post if by else None
    with transaction.atomic():
        Complaint.objects.bulk_create(made, batch_size=BATCH)
        one = made[0] if len(made) == 1 else None
        speaker = by.institution if isinstance(by, Post) else unit
        audit.record(
            "supervision.complaint.register",
            "登记投诉",
            by=by,
            bureau=one.bureau_id if one else speaker.bureau_id if speaker else None,
            on=one,
            institution=one.institution if one else speaker,
            note=one.number if one else f"{len(made)} 件",
            data={"count": len(made), "digest": audit.digest(row.number for row in made)},
        )
        _tell(made)
    return made


def _tell(rows: list[Complaint]) -> None:
    owed: dict[int, list[Complaint]] = {}
    for row in rows:
        if row.status in Complaint.OWED:
            owed.setdefault(row.institution_id, []).append(row)
    for unit, found in owed.items():
        url = found[0].get_absolute_url()
        text = f"请办理投诉：{found[0].number}"
        if len(found) > 1:
            url = f"{reverse('supervision:complaint_list')}?scope=own&status=owed"
            text = f"请办理 {len(found)} 件投诉"
        notify(posts_at([unit], ANSWER), text, url=url)
