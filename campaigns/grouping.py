"""Setting up working groups and keeping their rosters."""

from collections.abc import Sequence

from django.core.exceptions import PermissionDenied
from django.db import transaction

from campaigns.models import Group, Member
from institutions import audit
from institutions.models import Post, Region, StoredFile
from institutions.workflow import touch

PERM = "campaigns.write_group"


def set_up(group: Group, *, by: Post, files: Sequence[StoredFile] = ()) -> Group:
    """Set up a group of the post's own unit."""
    if not by.has_perm(PERM):
        raise PermissionDenied("本岗位不建立工作组织")
    group.institution, group.author = by.institution, by
    group.supervisor_id = by.institution.bureau_id or by.institution_id
    with transaction.atomic():
        group.save()
        group.files.set(files)
        _record(group, "建立工作组织", by)
    return group


def change(group: Group, *, by: Post, version: int, files: Sequence[StoredFile] = ()) -> None:
    with transaction.atomic():
        _claim(group, by, version)
        group.save()
        group.files.add(*files)
        _record(group, "修改工作组织", by)


def add_member(group: Group, member: Member, *, by: Post, version: int) -> Member:
    """Put one more on the roster; a post's title is written down as it is now."""
    with transaction.atomic():
        _claim(group, by, version)
        member.group = group
        if member.post is not None and not member.title:
            member.title = str(member.post)
        member.position = 1 + (
            group.members.order_by("-position").values_list("position", flat=True).first() or 0
        )
        member.save()
        _record(group, "增加成员", by, note=str(member))
    return member


def remove_member(group: Group, member: Member, *, by: Post, version: int) -> None:
    with transaction.atomic():
        _claim(group, by, version)
        _record(group, "去掉成员", by, note=str(member))
        member.delete()


def _claim(group: Group, by: Post, version: int) -> None:
    if not by.has_perm(PERM) or not by.acts_for(group.institution_id):
        raise PermissionDenied("由建立单位办理")
    touch(group, version=version, editable=Group.EDITABLE)


def _record(group: Group, label: str, by: Post, *, note: str = "") -> None:
    audit.record(
        "campaigns.group.keep",
        label,
        by=by,
        bureau=group.bureau_id,
        on=group,
        institution=group.institution,
        note=note,
    )


def uncovered(group: Group) -> list[tuple[Region, list[str]]]:
    """Return the villages of a team that lack someone, each with the duties nobody has there (村不漏户)."""
    held: dict[int, set[str]] = {}
    for member in group.members.all():
        if member.region_id is not None:
            held.setdefault(member.region_id, set()).add(member.duty)
    gaps = []
    for village in group.villages():
        there = held.get(village.pk, set())
        lacking = [str(duty.label) for duty in Member.VILLAGE_DUTIES if duty not in there]
        if lacking:
            gaps.append((village, lacking))
    return gaps
