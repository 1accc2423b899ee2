"""Every route and whom it is for, from the table of roles and not from the code; tests/test_access.py tries it."""

from typing import Any

from tests.access import campaigns, institutions, portal, scoring, supervision

ROUTES: dict[str, Any] = {
    **portal.ROUTES,
    **institutions.ROUTES,
    **campaigns.ROUTES,
    **supervision.ROUTES,
    **scoring.ROUTES,
}
