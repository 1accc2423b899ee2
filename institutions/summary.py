"""What there is to say of an institution on this floor: a few queries, however large it is."""

from dataclasses import dataclass

from django.db.models import Count, Q

from institutions import clock
from institutions.models import Institution, Kind, Pairing, Population, Post, Responsibility
from institutions.models.institution import CLINIC_KINDS


@dataclass(frozen=True)
class Profile:
    """An institution as `profile_for` found it. `duties` maps 承担, 牵头, 指导 to the items' short names."""

    institution: Institution
    kinds: list[str]
    populations: list[Population]
    duties: dict[str, list[str]]
    posts: list[Post]
    pairings: list[Pairing]
    children: int
    clinics: int

    @property
    def population(self) -> Population | None:
        """The latest year that has begun."""
        year = clock.today().year
        return next((p for p in self.populations if p.year <= year), None)


def profile_for(institution: Institution, post: Post) -> Profile:
    """Return what `post` may know of an institution it has in sight; five queries."""
    below = Institution.objects.visible_to(post).filter(parent=institution)
    counts = below.aggregate(n=Count("pk"), clinics=Count("pk", filter=Q(kind__in=CLINIC_KINDS)))
    duties: dict[str, list[str]] = {}
    for row in (
        Responsibility.objects.visible_to(post)
        .filter(institution=institution)
        .select_related("item")
        .order_by("item__code")
    ):
        duties.setdefault(row.get_duty_display(), []).append(row.item.short_name)
    posts = Post.objects.none()
    if post.has_perm("institutions.view_account") or post.institution_id == institution.pk:
        posts = Post.objects.visible_to(post).in_office().filter(institution=institution)
    return Profile(
        institution=institution,
        kinds=[str(Kind(kind).label) for kind in institution.kinds],
        populations=list(Population.objects.filter(institution=institution).order_by("-year")[:10]),
        duties=duties,
        posts=list(posts.select_related("institution", "user", "department").order_by("pk")[:50]),
        pairings=list(
            Pairing.objects.in_force()
            .filter(institution=institution)
            .select_related("post__institution", "post__user")
        ),
        children=counts["n"],
        clinics=counts["clinics"],
    )
