"""Fill a migrated, empty database with the county of the walks: `python -m tests.browser.county`.

The posts are those of `tests.builders`; here everybody can really log in. The date is fixed by PORTAL_TODAY, which
works only on a demo, so the database is marked as one.
"""

import os
from types import SimpleNamespace

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
    begin_capability()


def begin_capability() -> None:
    """The city's year of 优质服务基层行, which the centre began half a year ago; two clauses are left to grade."""
    from datetime import date

    from institutions import clock
    from institutions.models import Post
    from scoring import capability_filling as filling
    from scoring.models import CapabilityLine
    from tests.scoring.capability_scene import city_round

    posts = {p.user.username: p for p in Post.objects.select_related("institution", "user")}
    world = SimpleNamespace(posts=SimpleNamespace(city_officer=posts["city"]))
    with clock.at(date(2022, 9, 5)):
        round = city_round(world, name="2023年“优质服务基层行”活动")
        review = filling.start(round, by=posts["head"])
        lines = filling.lines_of(review)[:-2]
        for line in lines:
            line.grade, line.version = "A", 2
        CapabilityLine.objects.bulk_update(lines, ["grade", "version"])


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    build()
