"""What the offline walk needs in its database: `python -m tests.browser.visiting start | idle | colleague CLAUSE | told`.

`start` sends the expert to the centre, `idle` makes every session older than the idle limit, `colleague` records a clause
as another member of the team, `told` prints what arrived.
"""

import json
import os
import sys
import time

import django

ITEMS = ("03", "06", "08", "10")


def start() -> None:
    """An issued visit of today by the standard of the county, on four items, with one problem of the year before."""
    from campaigns.models import Standard
    from institutions.models import Institution, Post
    from supervision.assigning import issue_round
    from tests.supervision.making import rectification, round_of, visit_of

    officer = Post.objects.get(user__username="officer")
    expert = Post.objects.get(user__username="expert")
    centre = Institution.objects.get(code="ZC-QNL")
    world = type("World", (), {"posts": type("Posts", (), {"officer": officer})})
    rectification(world, centre, by=officer)
    round_ = round_of(world, items=ITEMS, of_standard=Standard.objects.get(code="ZC2023"))
    visit_of(round_, centre, expert, items=ITEMS)
    issue_round(round_, by=officer, version=round_.version)


def idle() -> None:
    """Move the last sign of life of every session back by a day."""
    from institutions.models import PortalSession
    from institutions.sessions import SessionStore

    for row in PortalSession.objects.all():
        store = SessionStore(session_key=row.session_key)
        store["seen_at"] = time.time() - 86400
        store.save()


def colleague() -> None:
    """The officer, who is in reach of the visit too, records the clause named on the command line."""
    from campaigns.models import Clause
    from institutions.models import Post
    from supervision.models import Visit
    from supervision.recording import default_due, save_line

    values = {"found": "problem", "text": "同事看到的", "severity": "minor", "due": default_due()}
    save_line(
        Visit.objects.latest("pk"),
        by=Post.objects.get(user__username="officer"),
        version=0,
        values=values,
        clause=Clause.objects.get(pk=sys.argv[2]),
    )


def told() -> None:
    """Print the lines with their texts and the number of photos."""
    from supervision.models import PhotoKey, VisitLine

    lines = VisitLine.objects.order_by("pk")
    print(  # noqa: T201
        json.dumps(
            {
                "texts": [line.text for line in lines],
                "photos": sum(line.files.count() for line in lines),
                "keys": PhotoKey.objects.count(),
                "versions": [line.version for line in lines],
            }
        )
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    {"start": start, "idle": idle, "colleague": colleague, "told": told}[sys.argv[1]]()
