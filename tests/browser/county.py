"""Fill a migrated, empty database with the county of the walks: `python -m tests.browser.county`.

The posts are those of `tests.builders`; here everybody can really log in. The date is fixed by PORTAL_TODAY, which
works only on a demo, so the database is marked as one.
"""

import os

import django


def build() -> None:
    """Make reference data, the two counties, real passwords and the two published standards."""
    from django.contrib.auth.hashers import make_password
    from django.core.management import call_command

    from institutions.models import Installation
    from tests import builders

    Installation.mark_demo()
    builders.FAST_HASH = make_password(builders.PASSWORD)  # one real hash for all: a second each
    builders.load_reference()
    builders.two_counties()
    for name in ("standard-2023", "standard-2023-village"):
        call_command("import_table", "standard", f"campaigns/data/{name}.csv", "--unit", "ZC")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    build()
