"""Telling posts of what concerns them, after the deed is committed."""

from collections.abc import Iterable

from django.db import transaction

from institutions import clock
from institutions.models import Institution, Notification, Post
from institutions.roles import ROLE_PERMISSIONS


def notify(posts: Iterable[Post | int], text: str, *, url: str = "") -> None:
    """Leave a note for each post once the transaction is committed; nothing if it is rolled back."""
    ids = sorted({p.pk if isinstance(p, Post) else p for p in posts})
    moment = clock.now()

    def write() -> None:
        Notification.objects.bulk_create(
            Notification(post_id=pk, text=text[:200], url=url, created_at=moment) for pk in ids
        )

    if ids:
        transaction.on_commit(write)


def notify_each(notes: Iterable[tuple[int, str, str]]) -> None:
    """Leave many notes of different words, each (post id, text, URL), once the transaction is committed."""
    moment = clock.now()
    rows = [
        Notification(post_id=pk, text=text[:200], url=url, created_at=moment)
        for pk, text, url in notes
    ]
    if rows:
        transaction.on_commit(lambda: Notification.objects.bulk_create(rows, batch_size=500))


def posts_at(institutions: Iterable[Institution | int], perm: str) -> list[int]:
    """Return the ids of the held posts at these institutions whose role has the permission."""
    roles = [role for role, perms in ROLE_PERMISSIONS.items() if perm in perms]
    return list(
        Post.objects.held()
        .filter(institution__in=list(institutions), role__in=roles)
        .values_list("pk", flat=True)
    )
