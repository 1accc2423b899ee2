"""Getting ready for a check from above: what it is, what is to be prepared by whom, what became of it."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F

from campaigns.models import Preparation, SuperiorCheck
from institutions import audit
from institutions.models import Institution, Post, ServiceItem, StoredFile
from institutions.notifying import notify, posts_at
from institutions.workflow import StaleState

CHANGE = "campaigns.change_check"
PREPARE = "campaigns.prepare_check"


def save_check(
    check: SuperiorCheck,
    *,
    by: Post,
    version: int = 0,
    items: Sequence[ServiceItem] = (),
    institutions: Sequence[Institution] = (),
    like: SuperiorCheck | None = None,
) -> None:
    """Put a check on the calendar or change it; `like` names one whose list of preparations is taken over, in time."""
    _own(check, by)
    with transaction.atomic():
        new = check.pk is None
        if not new:
            _claim(check, version)
        check.save()
        check.items.set(items)
        check.institutions.set(institutions)
        taken = _take_over(check, like) if like is not None else []
        _record(check, by, "登记上级检查" if new else "修改上级检查", lines=len(taken))
        _tell(taken, check)


def _take_over(check: SuperiorCheck, like: SuperiorCheck) -> list[Preparation]:
    """Copy what stood on another check's list, as many days before this check as it was before that one."""
    moved = check.day - like.day
    return Preparation.objects.bulk_create(
        Preparation(
            bureau_id=line.bureau_id,
            superior_check=check,
            text=line.text,
            institution=line.institution,
            department=line.department,
            duty=line.duty,
            due=line.due + moved,
        )
        for line in like.preparations.select_related("institution", "department")
    )


def record_result(check: SuperiorCheck, *, by: Post, version: int, **result: Any) -> None:
    """Keep what the check found: `score`, `full`, `result`."""
    _own(check, by)
    with transaction.atomic():
        _claim(check, version)
        for name, value in result.items():
            setattr(check, name, value)
        check.save(update_fields=list(result))
        _record(check, by, "登记检查结果", score=str(check.score))


def save_line(line: Preparation, *, by: Post, version: int = 0) -> None:
    """Put something on the list or change it; whoever is to prepare it now is told."""
    check = line.superior_check
    _own(check, by)
    with transaction.atomic():
        new = line.pk is None
        before = None
        if not new:
            _claim(line, version)
            before = Preparation.objects.values_list("institution", flat=True).get(pk=line.pk)
            line.bureau_id = line.institution.bureau_id or line.institution_id
        line.save()
        label = "增加迎检准备" if new else "修改迎检准备"
        _record(check, by, label, line=line.text, unit=line.institution.code, due=str(line.due))
        if before != line.institution_id:
            _tell([line], check)


def remove_line(line: Preparation, *, by: Post, version: int) -> None:
    """Take something off the list again."""
    check = line.superior_check
    _own(check, by)
    with transaction.atomic():
        _claim(line, version)
        _record(check, by, "删除迎检准备", line=line.text)
        line.delete()


def finish(
    line: Preparation,
    *,
    by: Post,
    version: int,
    on: date,
    note: str = "",
    files: Sequence[StoredFile] = (),
) -> None:
    """Say that it is ready, since when, with what proves it."""
    _answer(line, by)
    with transaction.atomic():
        _claim(line, version)
        line.done_on, line.done_by, line.note = on, by, note
        line.save(update_fields=["done_on", "done_by", "note"])
        line.files.add(*files)
        _record(line, by, "完成迎检准备")


def resume(line: Preparation, *, by: Post, version: int) -> None:
    """Take back that it is ready."""
    _answer(line, by)
    with transaction.atomic():
        _claim(line, version)
        line.done_on = line.done_by = None
        line.save(update_fields=["done_on", "done_by"])
        _record(line, by, "撤回迎检准备")


def _own(check: SuperiorCheck, by: Post) -> None:
    if not by.has_perm(CHANGE) or not by.acts_for(check.bureau_id):
        raise PermissionDenied("由登记检查的行政部门办理")


def _answer(line: Preparation, by: Post) -> None:
    if not by.has_perm(PREPARE) or not by.acts_for(line.institution_id):
        raise PermissionDenied("由责任单位办理")


def _claim(row: SuperiorCheck | Preparation, version: int) -> None:
    seen = type(row)._base_manager.filter(pk=row.pk, version=version)
    if not seen.update(version=F("version") + 1):
        raise StaleState(row, version)
    row.version = version + 1


def _record(row: SuperiorCheck | Preparation, by: Post, label: str, **data: Any) -> None:
    bureau = row.bureau_id if isinstance(row, Preparation) else row.bureau.bureau_id
    audit.record(
        f"{row._meta.label_lower}.keep",
        label,
        by=by,
        bureau=bureau,
        on=row,
        institution=row.institution if isinstance(row, Preparation) else row.bureau,
        data=data,
    )


def _tell(lines: Sequence[Preparation], check: SuperiorCheck) -> None:
    posts = posts_at({line.institution_id for line in lines}, PREPARE)
    notify(posts, f"请做好迎检准备：{check.name}（{check.day_text}）", url=check.get_absolute_url())
