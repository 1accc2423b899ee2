"""Keeping the work log: what a unit enters, what it carried out of what was decided."""

from collections.abc import Iterable, Sequence
from datetime import date

from django.core.exceptions import PermissionDenied
from django.db import transaction

from campaigns.models import WorkLog
from institutions import audit
from institutions.models import Institution, Post, StaffMember, StoredFile
from institutions.workflow import touch

PERM = "campaigns.write_log"


def enter(
    log: WorkLog,
    *,
    by: Post,
    units: Iterable[Institution] = (),
    trainees: Iterable[StaffMember] = (),
    files: Sequence[StoredFile] = (),
) -> WorkLog:
    """Enter what the post's own unit did; the unit's bureau is who may select it. Trainees are trained from that day."""
    if not by.has_perm(PERM):
        raise PermissionDenied("本岗位不登记工作日志")
    log.institution, log.author = by.institution, by
    log.supervisor_id = by.institution.bureau_id or by.institution_id
    with transaction.atomic():
        log.save()
        log.units.set(units)
        log.files.set(files)
        _train(log, list(trainees), by)
        _record(log, "登记工作日志", by)
    return log


def change(
    log: WorkLog,
    *,
    by: Post,
    version: int,
    units: Iterable[Institution] | None = None,
    trainees: Iterable[StaffMember] | None = None,
    files: Sequence[StoredFile] = (),
) -> None:
    """Save a changed entry; `units` and `trainees` None leave them as they are. StaleState once the case is selected."""
    with transaction.atomic():
        _claim(log, by, version, frozenset(WorkLog.EDITABLE))
        log.save()
        if units is not None:
            log.units.set(units)
        if trainees is not None:
            _train(log, list(trainees), by)
        log.files.add(*files)
        _record(log, "修改工作日志", by)


def _train(log: WorkLog, trainees: Sequence[StaffMember], by: Post) -> None:
    """Keep who was trained; the roster gets the day unless it knows an earlier one."""
    log.trainees.set(trainees)
    for member in trainees:
        if member.trained is not None and member.trained <= log.day:
            continue
        member.trained = log.day
        member.save(update_fields=["trained"])
        audit.record(
            "institutions.staffmember.train",
            "岗前培训",
            by=by,
            bureau=log.bureau_id,
            on=member,
            institution=member.institution,
            note=log.subject,
        )


def follow_up(log: WorkLog, *, by: Post, version: int, on: date, text: str) -> None:
    """Say when and how the decisions were carried out."""
    with transaction.atomic():
        _claim(log, by, version, frozenset(WorkLog.Status.values))
        log.followed_up_on, log.follow_up = on, text
        log.save(update_fields=["followed_up_on", "follow_up"])
        _record(log, "登记落实情况", by)


def remove_file(log: WorkLog, file: StoredFile, *, by: Post, version: int) -> None:
    """Take a file out of an entry; the trail keeps its name and digest."""
    with transaction.atomic():
        _claim(log, by, version, frozenset(WorkLog.EDITABLE))
        log.files.remove(file)
        _record(log, "删除材料", by, note=file.name, sha256=file.sha256)


def _claim(log: WorkLog, by: Post, version: int, editable: frozenset[str]) -> None:
    if not by.has_perm(PERM) or not by.acts_for(log.institution_id):
        raise PermissionDenied("由登记单位办理")
    touch(log, version=version, editable=editable)


def _record(log: WorkLog, label: str, by: Post, *, note: str = "", **data: str) -> None:
    audit.record(
        "campaigns.worklog.keep",
        label,
        by=by,
        bureau=log.bureau_id,
        on=log,
        institution=log.institution,
        note=note,
        data=data,
    )
