"""The feedback at the end of a visit, and the two signatures under it."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from institutions import audit, clock
from institutions.models import Post, StoredFile
from institutions.notifying import notify, posts_at
from institutions.workflow import Side
from supervision.models import Problem, Visit, VisitSignature

Party, Means = VisitSignature.Party, VisitSignature.Means


def findings(visit: Visit) -> list[Problem]:
    """Return the problems that the feedback names, in the order of the record."""
    rows = Problem.objects.filter(visit_line__visit=visit)
    return list(rows.select_related("item", "clause", "rectification").order_by("visit_line"))


def digest(visit: Visit) -> str:
    """Return the sha256 of what the feedback says: date, summary, problems. Deadlines are those of the record."""
    rows: list[Any] = [[visit.pk, visit.visited_on, visit.summary]]
    rows += visit.lines.order_by("pk").values_list("pk", "found", "follow", "text", "due")
    return audit.digest(list(row) for row in rows)


def parties_of(visit: Visit, post: Post) -> list[str]:
    """Return for which sides a post may take a signature: its own; the team takes the institution's on its own phone."""
    if visit.status in (Visit.Status.PLANNED, Visit.Status.CANCELLED):
        return []
    if post.has_perm("supervision.record_visit") and visit.stands_on(Side.ASKS, post):
        return [Party.TEAM, Party.UNIT]
    if post.has_perm("supervision.answer_visit") and visit.stands_on(Side.ANSWERS, post):
        return [Party.UNIT]
    return []


def sign(
    visit: Visit, *, by: Post, party: str, title: str = "", picture: StoredFile | None = None
) -> VisitSignature:
    """Sign the feedback: with a `picture` drawn on the screen and the `title` of who drew it, or by one's own account.

    Nobody gives the other side's signature by account. Raises PermissionDenied and ValidationError (signed already).
    """
    if party not in parties_of(visit, by):
        raise PermissionDenied("督导反馈由督导组和被督导机构签字")
    answers = visit.stands_on(Side.ANSWERS, by)
    if picture is None and (party == Party.UNIT) != answers:
        raise PermissionDenied("账号确认只代表本方，对方请在屏幕上签名")
    try:
        with transaction.atomic():
            row = VisitSignature.objects.create(
                visit=visit,
                party=party,
                means=Means.DRAWN if picture else Means.ACCOUNT,
                title=(title or str(by))[:60],
                file=picture,
                post=by,
                digest=digest(visit),
            )
            audit.record(
                "supervision.visit.sign",
                f"督导反馈签字（{row.get_party_display()}，{row.get_means_display()}）",
                by=by,
                bureau=visit.bureau_id,
                on=visit,
                institution=visit.institution,
                note=row.title,
                data={"digest": row.digest},
            )
    except IntegrityError as error:
        raise ValidationError("这一方已经签字") from error
    return row


def agree(visit: Visit, *, by: Post, version: int) -> None:
    """Confirm the record by account: that is the institution's signature, unless it has signed by hand."""
    with transaction.atomic():
        visit.agree(by=by, version=version)
        if not visit.signatures.filter(party=Party.UNIT).exists():
            sign(visit, by=by, party=Party.UNIT)


def object_to(visit: Visit, *, by: Post, version: int, note: str) -> None:
    """Record the institution's objection with its time, and show it to who sent the team."""
    with transaction.atomic():
        visit.object(by=by, version=version, note=note)
        notify(
            posts_at([visit.supervisor_id], "supervision.confirm_visit"),
            f"{visit.institution.known_as}对督导记录有异议（{clock.today():%Y-%m-%d}）",
            url=visit.get_absolute_url(),
        )
