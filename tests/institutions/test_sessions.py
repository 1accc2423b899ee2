"""A session ends: by idling, by age, by its owner, by a change of password, by an administrator."""

import time

import pytest
from django.urls import reverse

from institutions.models import Event, PortalSession
from tests.builders import PASSWORD


def another_session(client_class, username):
    other = client_class()
    other.post(
        reverse("login"),
        {"username": username, "password": PASSWORD},
        HTTP_USER_AGENT="别处的浏览器",
    )
    other.get(reverse("session_list"), HTTP_USER_AGENT="别处的浏览器")
    return other


@pytest.fixture
def elsewhere(world, client):
    return another_session(type(client), "head")


def aged(client, **seconds):
    session = client.session
    for name, ago in seconds.items():
        session[name] = time.time() - ago
    session.save()


def ended(client):
    response = client.get(reverse("session_list"))
    return response.status_code == 302 and response.url == reverse("login") + "?timeout=1"


@pytest.mark.parametrize(
    ("who", "minutes", "over"),
    [("head", 29, False), ("head", 31, True), ("officer", 14, False), ("officer", 16, True)],
)
def test_idling_ends_a_session_sooner_at_the_bureau(world, log_in, who, minutes, over):
    client = log_in(getattr(world.posts, who))
    client.get(reverse("session_list"))
    aged(client, seen_at=minutes * 60)
    assert ended(client) is over


def test_ten_hours_end_a_session_however_busy(world, log_in):
    client = log_in(world.posts.head)
    client.get(reverse("session_list"))
    aged(client, started_at=10 * 3600 + 5, seen_at=5)
    assert ended(client)


def test_one_sees_where_one_is_logged_in_and_never_the_keys(world, log_in, elsewhere):
    page = log_in(world.posts.head).get(reverse("session_list")).content.decode()
    assert "别处的浏览器" in page and "127.0.0.1" in page
    for key in PortalSession.objects.values_list("session_key", flat=True):
        assert key not in page


def test_one_ends_another_session_of_ones_own(world, log_in, elsewhere):
    client = log_in(world.posts.head)
    rows = client.get(reverse("session_list")).context["sessions"]
    name = next(row["name"] for row in rows if not row["own"])
    client.post(reverse("session_end"), {"session": name})
    assert elsewhere.get(reverse("session_list")).status_code == 302
    assert client.get(reverse("session_list")).status_code == 200
    assert Event.objects.filter(action="session.ended").exists()


def test_nobody_ends_the_session_of_another(world, log_in, elsewhere):
    mine = elsewhere.get(reverse("session_list")).context["sessions"][0]["name"]
    client = log_in(world.posts.staff)
    assert client.post(reverse("session_end"), {"session": mine}).status_code == 404
    client.post(reverse("session_end"), {"session": "others"})
    assert elsewhere.get(reverse("session_list")).status_code == 200


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(world, client, elsewhere):
    client.post(reverse("login"), {"username": "head", "password": PASSWORD})
    new = "Lü-Shan-7-Xia"
    form = {"old_password": PASSWORD, "new_password": new, "new_password_again": new}
    assert client.post(reverse("password_change"), form).status_code == 302
    assert client.get(reverse("session_list")).status_code == 200
    assert elsewhere.get(reverse("session_list")).status_code == 302
    assert Event.objects.filter(action="account.password").exists()


def test_the_security_administrator_ends_the_sessions_of_a_login(world, log_in, elsewhere):
    client = log_in(world.posts.security)
    client.post(reverse("institutions:account_end_sessions", args=[world.posts.head.pk]))
    assert elsewhere.get(reverse("session_list")).status_code == 302


def test_one_switches_only_to_a_post_of_ones_own_in_office(world, log_in):
    own, foreign = world.posts.staff, world.posts.head
    own.user, spare = world.posts.doctor.user, own.user
    own.save()
    client = log_in(world.posts.doctor)
    assert client.post(reverse("post_switch"), {"post": foreign.pk}).status_code == 404
    assert client.post(reverse("post_switch"), {"post": own.pk}).status_code == 302
    assert client.get(reverse("session_list")).wsgi_request.post == own
    own.ends = "2020-01-01"
    own.save()
    assert client.get(reverse("session_list")).wsgi_request.post == world.posts.doctor
    assert client.post(reverse("post_switch"), {"post": own.pk}).status_code == 404
    assert spare.posts_in_office().count() == 0
