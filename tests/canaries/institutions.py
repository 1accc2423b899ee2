"""Units, posts, and the people and means of each unit."""

from datetime import date

from institutions import clock
from institutions.models import Capacity, Cooperation, Institution, Post, StaffMember
from institutions.roles import Role
from tests.canaries.marks import mark

KINDS = ("posts", "leaders", "units", "staff", "cooperations")


def known(rows) -> None:
    """Take up who and what is there already."""
    rows.posts += Post.objects.select_related("institution").order_by("pk")
    rows.leaders += [row for row in rows.posts if row.role == Role.LEADER]
    rows.units += Institution.objects.order_by("pk")


def fill(members, rows) -> None:
    for unit in members:
        rows.staff.append(
            StaffMember.objects.create(
                institution=unit,
                name=mark(unit, "", "unit"),
                title=mark(unit, "", "unit"),
                joined=date(2023, 1, 1),
            )
        )
        Capacity.objects.create(
            institution=unit, year=clock.today().year, beds=3, location=mark(unit, "", "unit")
        )
        rows.cooperations.append(
            Cooperation.objects.create(
                institution=unit,
                kind="partner",
                partner=mark(unit, "", "unit"),
                level="third",
                starts=date(2023, 1, 1),
                services=mark(unit, "", "unit"),
            )
        )
