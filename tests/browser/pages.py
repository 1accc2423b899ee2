"""Fill an empty database with a row for every route and say who opens it: `python -m tests.browser.pages`.

Prints one JSON object: for each role the addresses of pages, each route once, and the routes of which no row is in the
state that its page is for. The rows are the canaries of the access matrix, the routes its table.
"""

import json
import logging
import os
import sys
from typing import Any

import django

# Who is asked first, so that few have to log in.
FIRST = ("officer", "head", "leader", "finance")
# A file, a table or a step of a login is not a page of a record.
NO_PAGE = ("_file", "_export", "_document", "_template", "_events_csv")


def addresses() -> dict[str, Any]:
    from django.conf import settings
    from django.db import transaction
    from django.test import Client, override_settings
    from django.urls import reverse

    from institutions.models import Post
    from tests import builders, canaries
    from tests.access import ROUTES
    from tests.access.specs import Guarded, Move, Page, Record

    without: list[str] = []
    world = builders.two_counties()
    rows = canaries.fill(world)
    clients = {}
    for persona, post in vars(world.posts).items():
        if isinstance(post, Post) and post.user.is_active:
            clients[persona] = Client(raise_request_exception=True, SERVER_NAME="127.0.0.1")
            clients[persona].force_login(post.user, backend="institutions.backends.RoleBackend")

    # Files without their hashed names: nothing is collected yet.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    storages = {**settings.STORAGES, "staticfiles": plain}

    def page(persona: str, address: str) -> bool:
        # A page that logs its reading leaves nothing behind here.
        with override_settings(STORAGES=storages), transaction.atomic():
            answer = clients[persona].get(address)
            transaction.set_rollback(True)
        told = answer.headers.get("Content-Type", "")
        saved = "attachment" in answer.headers.get("Content-Disposition", "")
        return answer.status_code == 200 and told.startswith("text/html") and not saved

    def first(spec, route: str) -> tuple[str, str] | None:
        order = (*FIRST, *sorted(spec.allowed - set(FIRST)))
        people = [persona for persona in order if persona in spec.allowed and persona in clients]
        if isinstance(spec, Page):
            tried = [reverse(route, args=spec.args)]
        else:
            records = getattr(rows, spec.rows)
            tried = [reverse(route, args=(row.pk, *spec.args)) for row in records]
        found = next(((p, a) for a in tried for p in people if page(p, a)), None)
        if found is None:
            without.append(route)
        return found

    walk: dict[str, list[str]] = {}
    for route, spec in ROUTES.items():
        asked = isinstance(spec, (Page, Record))
        if not asked or isinstance(spec, Move) or route.endswith(NO_PAGE):
            continue
        if isinstance(spec, Page) and spec.method != "get":
            continue
        if isinstance(spec, Guarded) and "get" not in spec.methods:
            continue
        found = first(spec, route)
        if found:
            name = getattr(world.posts, found[0]).user.username
            walk.setdefault(name, []).append(found[1])
    return {"walk": walk, "without": without}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()

    from django.contrib.auth.hashers import make_password

    from institutions.models import Installation
    from tests import builders

    Installation.mark_demo()
    builders.FAST_HASH = make_password(builders.PASSWORD)
    builders.load_reference()
    logging.disable(logging.CRITICAL)  # that most may not open most pages is no news
    sys.stdout.write(json.dumps(addresses(), ensure_ascii=False))
