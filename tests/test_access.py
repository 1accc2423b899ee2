"""Every route, every role, every relation: who gets in, who is refused, and that nobody reads what is not his.

The expectations are written down in tests/access and tests/canaries, from the table of roles, not from the code. A
move is posted with a version that never matches: whoever may make it is told that the record has changed (409), whoever
may not is refused (403), whoever may not see the record does not learn that it exists (404). Nothing is saved.
"""

from types import SimpleNamespace

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from institutions.models import Event, Installation, Job, Notification, Post
from tests import builders, canaries
from tests.access import ROUTES
from tests.access.roles import PERSONAS
from tests.access.specs import Guarded, Move, Page, Record
from tests.canaries.marks import CANARY
from tests.canaries.oracle import REACH, may_read

pytestmark = pytest.mark.django_db

# Rows of these units stand for every relation: one's own, a sibling's, a child's, another centre's, a lead agency's
# own, another county's.
UNITS_TRIED = {"ZC-QNL", "ZC-QNL-1", "ZC-QNL-2", "ZC-WC", "ZC-CDC", "ZD-A", "ZC", "ZD"}


def our_routes() -> set[str]:
    def walk(resolver, namespace=""):
        for entry in resolver.url_patterns:
            if isinstance(entry, URLPattern):
                yield f"{namespace}{entry.name}"
            elif entry.namespace != "admin":
                yield from walk(
                    entry, f"{namespace}{entry.namespace}:" if entry.namespace else namespace
                )

    return set(walk(get_resolver()))


# --- The ground it is tried on ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def ground(_world, django_db_blocker):
    """The world with a canary in every row, a logged-in client for each persona; rolled back at the end."""
    with django_db_blocker.unblock(), transaction.atomic():
        rows = canaries.fill(_world)
        clients = {}
        for persona in PERSONAS:
            client = Client(raise_request_exception=True)
            post = getattr(_world.posts, persona, None)
            if post is not None:
                client.force_login(post.user, backend="institutions.backends.RoleBackend")
            clients[persona] = client
        yield SimpleNamespace(world=_world, rows=rows, clients=clients)
        transaction.set_rollback(True)


def whose(row) -> tuple[str, str]:
    """Return the unit's code and the item's code of a row."""
    row = row.recipients.get() if type(row).__name__ == "Notice" else row
    if type(row).__name__ == "StaffShare":
        row = row.distribution
    if type(row).__name__ in ("ProgressNote", "EffectCheck"):
        row = row.rectification
    row = getattr(row, "visit", row)
    row = getattr(row, "submission", row)
    row = row.group if type(row).__name__ == "Member" else getattr(row, "visit", row)
    row = row.standard if type(row).__name__ == "Clause" else row
    owner = {
        "RecheckLine": "recheck",
        "PlannedRound": "plan",
        "ExpertTie": "expert",
        "Draw": "round",
        "CapabilityDraw": "round",
        "CapabilityLine": "review",
    }
    row = getattr(row, owner.get(type(row).__name__, ""), row)
    if type(row).__name__ == "ScoreLine":
        row = row.section
    if type(row).__name__ == "Institution":
        return row.code, ""
    unit = getattr(row, "institution", None) or getattr(row, "bureau", None)
    if unit is None:
        unit = row.campaign.institution
    item = getattr(row, "item", None)
    if item is None and hasattr(row, "task"):
        item = row.task.item
    if type(row).__name__ == "ScoreSheet":
        return unit.code, "02"
    return unit.code, item.code if item and type(row).__name__ != "Task" else ""


def tried(ground, spec: Record):
    """Yield one row for each unit and kind; a second one, of an item nobody leads, for the centre."""
    seen = set()
    for row in getattr(ground.rows, spec.rows):
        code, item = whose(row)
        kind = spec.kind
        if kind == "visit" and getattr(row, "visit", row).status == "planned":
            kind = "plan"
        wanted = code in UNITS_TRIED and (item != "08" or code == "ZC-QNL")
        if wanted and (code, item, kind) not in seen:
            seen.add((code, item, kind))
            yield row, code, item, kind


def ask(ground, persona: str, route: str, args, method="get", data=None):
    client = ground.clients[persona]
    with transaction.atomic():
        response = getattr(client, method)(reverse(route, args=args), data or {})
        body = response.getvalue() if response.streaming else response.content
        transaction.set_rollback(method == "post")
    return response, body.decode(errors="ignore")


def assert_no_foreign_canary(persona: str, route: str, response, body: str) -> None:
    heads = " ".join(f"{k}: {v}" for k, v in response.headers.items())
    for code, item, kind in set(CANARY.findall(body + heads)):
        assert persona in REACH and may_read(persona, code, item, kind), (
            f"{persona} reads {kind} of {code} (item {item}) at {route}"
        )


def stranger(persona: str) -> bool:
    return persona in ("anonymous", "disabled")


def assert_sent_to_login(response, route):
    assert response.status_code == 302 and settings.LOGIN_URL in response.url, route


# --- What must hold --------------------------------------------------------------------------------


def test_every_route_is_classified():
    assert our_routes() == set(ROUTES)


def by_type(cls):
    return [name for name, spec in ROUTES.items() if type(spec) is cls]


@pytest.mark.parametrize("route", by_type(Page))
def test_pages_open_to_their_roles_only(ground, route):
    spec = ROUTES[route]
    for persona in PERSONAS:
        response, body = ask(ground, persona, route, spec.args, spec.method)
        if stranger(persona):
            assert_sent_to_login(response, route)
        elif persona in spec.allowed:
            known = (200, 302, 400, 409, *((404,) if spec.empty else ()))
            assert response.status_code in known, (route, persona, response.status_code)
        else:
            assert response.status_code == 403, (route, persona, response.status_code)
        assert_no_foreign_canary(persona, route, response, body)


LISTS = [n for n in by_type(Page) if n.endswith("_list")]


@pytest.mark.parametrize("route", LISTS)
def test_exports_and_searches_stay_in_sight(ground, route):
    for persona in ROUTES[route].allowed & set(REACH):
        for query in ({"format": "csv"}, {"q": "金丝雀"}, {"q": "ZD"}, {"sort": "-0", "page": "2"}):
            response, body = ask(ground, persona, route, (), data=query)
            assert response.status_code == 200, (route, persona, query)
            assert_no_foreign_canary(persona, route, response, body)


@pytest.mark.row("X11")
@pytest.mark.parametrize("route", by_type(Record))
def test_records_out_of_sight_do_not_exist(ground, route):
    spec = ROUTES[route]
    for row, code, item, kind in tried(ground, spec):
        for persona in PERSONAS:
            response, body = ask(ground, persona, route, (row.pk, *spec.args))
            got = response.status_code
            if stranger(persona):
                assert_sent_to_login(response, route)
            elif persona not in spec.allowed:
                assert got in (403, 404), (route, persona, code, got)
            elif may_read(persona, code, item, kind):
                assert got == 200, (route, persona, code, item, kind, got)
            else:
                assert got == 404, (route, persona, code, item, kind, got)
            assert_no_foreign_canary(persona, route, response, body)


@pytest.mark.row("X11")
@pytest.mark.parametrize("route", by_type(Move))
def test_moves_are_made_by_the_right_side_only(ground, route):
    spec = ROUTES[route]
    winners = 0
    for row, code, item, kind in tried(ground, spec):
        for persona in PERSONAS:
            data = {**spec.data, "version": "0"}
            response, _ = ask(ground, persona, route, (row.pk, *spec.args), "post", data)
            got = response.status_code
            if stranger(persona):
                assert_sent_to_login(response, route)
            elif not may_read(persona, code, item, kind):
                assert got in ((404,) if persona in spec.allowed else (403, 404)), (
                    route,
                    persona,
                    code,
                    item,
                    got,
                )
            elif persona in spec.allowed and spec.stands(persona, code, item):
                assert got == 409, (route, persona, code, item, got)
                winners += 1
            else:
                assert got == 403, (route, persona, code, item, got)
    assert winners, f"nobody may ever press {route}"


@pytest.mark.parametrize("route", by_type(Guarded))
def test_forms_and_deeds_refuse_all_others(ground, route):
    spec = ROUTES[route]
    for row, code, item, kind in tried(ground, spec):
        for persona in PERSONAS:
            for method in spec.methods:
                response, body = ask(ground, persona, route, (row.pk, *spec.args), method)
                got = response.status_code
                where = (got, route, method, persona, code, item, kind)
                if stranger(persona):
                    assert_sent_to_login(response, route)
                elif not may_read(persona, code, item, kind):
                    assert got in (403, 404), where
                elif persona in spec.allowed and spec.stands(persona, code, item):
                    assert got < 500, where
                else:
                    # Or sent to the record itself, or told that it is no longer open: nothing is given or done.
                    assert got in (403, 404, 409) or (got == 302 and method == "get"), where
                assert_no_foreign_canary(persona, route, response, body)


def test_each_method_but_the_named_one_is_refused(ground):
    for route, spec in ROUTES.items():
        if isinstance(spec, Move):
            row = next(tried(ground, spec))[0]
            response, _ = ask(ground, "officer", route, (row.pk, *spec.args), "get")
            assert response.status_code == 405, route


def test_a_right_taken_away_is_gone_with_the_next_request(world, log_in):
    client = log_in(world.posts.officer)
    assert client.get(reverse("campaigns:campaign_create")).status_code == 200
    Post.objects.filter(pk=world.posts.officer.pk).update(role="finance")
    assert client.get(reverse("campaigns:campaign_create")).status_code == 403
    Post.objects.filter(pk=world.posts.officer.pk).update(ends="2020-01-01")
    assert client.get(reverse("campaigns:campaign_list")).status_code == 403
    world.posts.officer.user.is_active = False
    world.posts.officer.user.save()
    assert client.get(reverse("home")).status_code == 302


def test_what_is_ones_own_is_nobody_elses(world, log_in):
    note = Notification.objects.create(post=world.posts.head, text="金丝雀")
    job = Job.objects.create(
        kind="import", title="金丝雀", owner=world.posts.head, unit=world.centre, state="staged"
    )
    for persona in ("officer", "staff", "system", "auditor", "doctor"):
        client = log_in(getattr(world.posts, persona))
        assert "金丝雀" not in client.get(reverse("notification_list")).content.decode()
        opened = client.post(reverse("notification_open", args=[note.pk]))
        assert opened.status_code == 404
        for name in ("import_detail", "import_errors"):
            assert client.get(reverse(name, args=[job.pk])).status_code in (403, 404)
        for name in ("import_confirm", "import_drop"):
            assert client.post(reverse(name, args=[job.pk])).status_code in (403, 404)
        if world.posts.officer.has_perm("institutions.view_job"):
            listed = client.get(reverse("institutions:job_detail", args=[job.pk]))
            assert listed.status_code in (403, 404)


def test_a_get_writes_nothing_but_the_trail_of_an_export(ground):
    from django.db import connection

    def checksum() -> dict[str, int]:
        from django.apps import apps

        skip = {"institutions_portalsession", "django_session"}
        return {
            m._meta.db_table: m._base_manager.count()
            for m in apps.get_models()
            if m._meta.db_table not in skip and m._meta.managed
        }

    before, events = checksum(), Event.objects.count()
    written = []

    def watch(execute, sql, params, many, context):
        if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            written.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        for route in by_type(Page):
            if ROUTES[route].method == "get" and route not in ("table_export",):
                for persona in ("officer", "head", "auditor"):
                    ask(ground, persona, route, ROUTES[route].args)
        for route in by_type(Record):
            row = next(tried(ground, ROUTES[route]))[0]
            ask(ground, "officer", route, (row.pk, *ROUTES[route].args))
    outside_sessions = [sql for sql in written if "portalsession" not in sql]
    assert outside_sessions == []
    assert checksum() == before and Event.objects.count() == events


def test_the_world_is_no_demo(ground):
    assert not Installation.is_demo()
    assert builders.PASSWORD
