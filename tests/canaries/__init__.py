"""Rows of every kind at every institution, each text marked with whose it is, and an oracle that says who may read it."""

from types import SimpleNamespace

from institutions.models import Institution
from tests.canaries import campaigns, institutions, scoring, supervision

FLOORS = (institutions, campaigns, supervision, scoring)


def fill(world: SimpleNamespace) -> SimpleNamespace:
    """Make one of everything at every institution of both counties; returns rows by kind for the detail pages."""
    rows = SimpleNamespace(**{kind: [] for floor in FLOORS for kind in floor.KINDS})
    institutions.known(rows)
    units = Institution.objects.exclude(kind__in=["bureau", "street"]).select_related(
        "parent", "bureau"
    )
    for bureau in (world.county, world.other_county):
        members = [u for u in units if u.bureau_id == bureau.pk]
        institutions.fill(members, rows)
        campaigns.fill(bureau, members, rows)
        scoring.prepare(bureau, members, rows)
        askers = [bureau, *(u for u in members if any(m.parent_id == u.pk for m in members))]
        for asker in askers:
            below = [u for u in members if u.parent_id == asker.pk]
            supervision.fill(asker, below, rows)
            scoring.fill(asker, below, rows)
    return rows
