"""Supervising bodies: a bureau and a centre for what stands directly below, a lead agency for its items elsewhere."""

from typing import Any

from django.db.models import QuerySet

from institutions import clock
from institutions.models import Institution, Kind, Post, ServiceItem
from institutions.roles import Role

VISITED_KINDS = [kind for kind in Kind.values if kind not in (Kind.BUREAU, Kind.STREET)]


def leads(post: Post) -> bool:
    return post.role == Role.LEAD


def units_of(post: Post, body: Institution | None = None) -> QuerySet[Institution]:
    """Return the open institutions that the post's body supervises: those below it, or for a lead agency the bureau's.

    A lead post reaches by mandate; its own institution is never among them.
    """
    body = body or post.institution
    rows = Institution.objects.visible_to(post).open_on(clock.today())
    rows = rows.filter(kind__in=VISITED_KINDS).exclude(pk=body.pk)
    return rows.filter(parent=body.bureau_id if leads(post) else body.pk)


def led_items(post: Post) -> QuerySet[ServiceItem]:
    """Return the service items, without their parts, that a lead post has a mandate for."""
    items: set[int] = set()
    for grant in post.reach.grants[1:]:
        if grant.items is None:
            return ServiceItem.objects.filter(parent=None)
        items |= grant.items
    return ServiceItem.objects.filter(parent=None, pk__in=items)


def supervises(post: Post) -> bool:
    """Say whether the post organises supervision: it may, and its body has somebody to supervise."""
    if not post.has_perm("supervision.change_round") or post.item_ids is not None:
        return False
    if leads(post):
        return led_items(post).exists() and units_of(post).exists()
    return Institution.objects.visible_to(post).filter(parent=post.institution_id).exists()


def outside_mandate(post: Post, units: Any, items: Any) -> list[str]:
    """Return the institutions at which a lead post has no mandate for every one of these items; nothing for others."""
    if not leads(post):
        return []
    return [
        unit.known_as
        for unit in units
        if not items or any(not post.reach.covers(unit, item.pk) for item in items)
    ]
