"""Keeping the roster and the yearly capacity of institutions: by the unit itself, its centre or its bureau."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import Q

from institutions import audit
from institutions.models import Capacity, Cooperation, Institution, Post, StaffMember

KEEP_STAFF = "institutions.keep_staff"
FILL_CAPACITY = "institutions.fill_capacity"


def kept_by(post: Post) -> Q:
    """Return the condition on institutions whose reference data this post keeps: its own, its clinics, its bureau's."""
    here = post.institution_id
    return Q(pk=here) | Q(parent=here) | Q(bureau=here)


def keeps(post: Post, institution: Institution, perm: str) -> bool:
    """Say whether `post` may keep the data of `institution`."""
    near = (institution.pk, institution.parent_id, institution.bureau_id)
    return post.has_perm(perm) and post.institution_id in near


def save_member(member: StaffMember, *, by: Post) -> None:
    """Save one line of the roster. PermissionDenied when `by` does not keep that roster."""
    _save(member, member.institution, by, KEEP_STAFF, "维护人员名册", note=member.title)


def save_capacity(row: Capacity, *, by: Post) -> None:
    """Save the capacity of an institution and year."""
    _save(row, row.institution, by, FILL_CAPACITY, "填报服务能力", note=f"{row.year}年")


def save_cooperation(row: Cooperation, *, by: Post) -> None:
    """Save a partner hospital, a 业务院长 or a 名医工作站."""
    _save(row, row.institution, by, FILL_CAPACITY, "登记合作与工作站", note=row.partner)


def _save(
    row: models.Model, institution: Institution, by: Post, perm: str, label: str, *, note: str
) -> None:
    if not keeps(by, institution, perm):
        raise PermissionDenied("由本机构或其上级办理")
    with transaction.atomic():
        row.save()
        audit.record(
            f"{row._meta.label_lower}.keep",
            label,
            by=by,
            bureau=institution.bureau_id,
            on=row,
            institution=institution,
            note=note,
        )


def untrained_named(institution_id: int, names: Iterable[str]) -> list[str]:
    """Return those of `names` who stand in the unit's roster as newcomers without training: they may not be named.

    A name that the roster does not know is nobody's business here.
    """
    asked = {name.strip() for name in names if name and name.strip()}
    if not asked:
        return []
    rows = StaffMember.objects.filter(institution=institution_id, name__in=asked).untrained()
    return sorted(rows.values_list("name", flat=True))


def refusal(names: list[str]) -> str:
    return f"{'、'.join(names)}还没有岗前培训，培训后才能承担任务（登记培训日志或在人员名册中补填）"


def resources_of(institution: Institution, post: Post, today: Any) -> dict[str, Any]:
    """Return what an institution's page tells of its people and means; three queries."""
    data: dict[str, Any] = {}
    if post.has_perm("institutions.view_staffmember"):
        data["staff"] = (
            StaffMember.objects.visible_to(post)
            .filter(institution=institution)
            .in_service()
            .aggregate(
                total=models.Count("pk"),
                untrained=models.Count("pk", filter=Q(joined__isnull=False, trained__isnull=True)),
                unregistered=models.Count(
                    "pk", filter=Q(gp_qualified__isnull=False, gp_registered__isnull=True)
                ),
                **{
                    name: models.Count("pk", filter=Q(**{name: True}))
                    for name in StaffMember.SKILLS
                },
            )
        )
        data["skills"] = [
            (label, data["staff"][name]) for name, label in StaffMember.SKILLS.items()
        ]
    if post.has_perm("institutions.view_capacity"):
        data["capacity"] = (
            Capacity.objects.visible_to(post)
            .filter(institution=institution, year__lte=today.year)
            .select_related("institution")
            .order_by("-year")
            .first()
        )
        data["cooperations"] = list(
            Cooperation.objects.visible_to(post)
            .filter(institution=institution)
            .in_force(today)[:10]
        )
    return data
