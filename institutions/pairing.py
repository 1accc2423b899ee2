"""挂包: a leader is linked to the institutions for whose supervision he answers (A28)."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q

from institutions import audit, clock
from institutions.models import Institution, Pairing, Post
from institutions.notifying import notify
from institutions.roles import Role

PERM = "institutions.pair_leader"


def pair(
    leader: Post, institutions: Iterable[Institution], *, by: Post, starts: date
) -> tuple[int, int]:
    """Link `leader` to exactly these institutions from `starts` on; returns how many began and how many ended.

    A link that ends keeps its row until yesterday; one that had not begun yet is dropped. Raises PermissionDenied for
    another bureau's post, ValidationError for a post that is no leader's or an institution that is not the bureau's.
    """
    if not by.has_perm(PERM) or not by.acts_for(leader.institution_id):
        raise PermissionDenied("只能安排本局领导的挂包联系")
    if leader.role != Role.LEADER:
        raise ValidationError("只有局领导可以挂包联系机构")
    wanted = {row.pk: row for row in institutions}
    if any(not row.path.startswith(by.institution.path) for row in wanted.values()):
        raise ValidationError("只能联系本局管辖的机构")
    today = clock.today()
    with transaction.atomic():
        # Two officers who edit one leader's links wait for each other.
        Post.objects.select_for_update().get(pk=leader.pk)
        # In force or still to come: what ended long ago is history and may begin anew.
        links = leader.pairings.filter(Q(ends__isnull=True) | Q(ends__gte=today))
        kept = set(links.values_list("institution", flat=True))
        gone = links.exclude(institution__in=wanted)
        ended = gone.count()
        gone.filter(starts__gte=today).delete()
        gone.update(ends=today - timedelta(days=1))
        begun = [pk for pk in wanted if pk not in kept]
        for pk in begun:
            Pairing.objects.update_or_create(
                post=leader, institution=wanted[pk], defaults={"starts": starts, "ends": None}
            )
        audit.record(
            "institutions.pairing.change",
            "调整挂包联系",
            by=by,
            bureau=leader.institution.bureau_id,
            on=leader,
            institution=leader.institution,
            data={"begun": sorted(wanted[pk].code for pk in begun), "ended": ended},
        )
        notify([leader], f"您的挂包联系机构有调整：新增{len(begun)}家，减少{ended}家")
    return len(begun), ended
