"""One way in for the portal and the admin."""

import pytest
from django.urls import reverse

from institutions.models import Event, Notification, PortalSession, User
from institutions.roles import Role
from tests.builders import PASSWORD

WRONG = "用户名或密码不正确"


def enter(client, username="head", password=PASSWORD, **more):
    return client.post(reverse("login"), {"username": username, "password": password, **more})


def test_the_right_password_opens_and_is_recorded_with_the_address(world, client):
    response = enter(client)
    assert response.status_code == 302
    assert client.session["_auth_user_id"] == str(world.posts.head.user_id)
    event = Event.objects.get(action="session.login")
    assert (event.address, event.post) == ("127.0.0.1", world.posts.head)


def test_capitals_and_full_width_letters_are_the_same_name(world, client):
    assert enter(client, "ＨEAD").status_code == 302


@pytest.mark.parametrize("username", ["head", "nobody", "disabled"])
def test_the_answer_does_not_tell_whether_the_name_exists(world, client, username):
    page = enter(client, username, "wrong-Password-1" if username == "head" else PASSWORD)
    assert page.status_code == 200 and WRONG in page.content.decode()
    assert "_auth_user_id" not in client.session


def test_the_session_gets_a_new_id(world, client):
    client.get(reverse("login"))
    session = client.session
    session["before"] = "1"
    session.save()
    old = session.session_key
    client.cookies["session"] = old
    enter(client)
    assert client.session.session_key != old
    assert not PortalSession.objects.filter(session_key=old).exists()


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/posts/?q=a", "/posts/?q=a"),
        ("//elsewhere.example/", "/"),
        ("https://elsewhere.example/", "/"),
        ("/\\elsewhere.example", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_the_way_back_stays_on_this_site(world, client, wanted, reached):
    assert enter(client, next=wanted).url in (reached, reverse("home"))
    assert "elsewhere" not in enter(client, next=wanted).url


def test_six_wrong_passwords_lock_this_name_from_this_address_only(world, client):
    for _ in range(6):
        page = enter(client, password="wrong-Password-1")
    assert page.status_code == 429 and "15 分钟" in page.content.decode()
    assert enter(client).status_code == 429, "the right password does not open it either"
    assert enter(client, "HEAD").status_code == 429, "nor another spelling of the name"
    assert enter(client, "staff").status_code == 302, "a neighbour behind the same address goes in"
    client.logout()
    other = client.post(
        reverse("login"),
        {"username": "head", "password": PASSWORD},
        REMOTE_ADDR="127.0.0.1",
        HTTP_X_FORWARDED_FOR="10.0.0.9",
    )
    assert other.status_code == 302, "the person comes in from elsewhere"


def test_a_lockout_is_recorded_once_and_told_to_the_person(
    world, client, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(8):
            enter(client, password="wrong-Password-1")
    assert Event.objects.filter(action="session.locked").count() == 1
    assert Notification.objects.get(post=world.posts.head).text.startswith("有人从 127.0.0.1")


def test_the_log_keeps_no_name_and_no_password(world, client, caplog):
    enter(client, password="secret-Word-1")
    assert "secret-Word-1" not in caplog.text and '"head"' not in caplog.text


def test_logging_out_takes_a_post_ends_the_session_and_clears_the_browser(world, client):
    enter(client)
    key = client.session.session_key
    assert client.get(reverse("logout")).status_code == 405
    response = client.post(reverse("logout"))
    assert '"cache"' in response["Clear-Site-Data"]
    assert not PortalSession.objects.filter(session_key=key).exists()
    assert Event.objects.filter(action="session.logout").exists()


def test_the_page_says_why_a_session_ended(client, db):
    assert "登录已过期" in client.get(reverse("login") + "?timeout=1").content.decode()


def test_the_admin_has_no_login_of_its_own(world, client, log_in):
    response = client.get("/admin/login/?next=/admin/")
    assert response.status_code == 302 and response.url.startswith(reverse("login"))
    assert log_in(world.posts.officer).get("/admin/", follow=True).status_code == 403


def test_who_leaves_in_mid_session_is_out_with_the_next_request(world, client):
    enter(client)
    User.objects.filter(username="head").update(is_active=False)
    response = client.get(reverse("session_list"))
    assert response.status_code == 302 and response.url.startswith(reverse("login"))


def test_a_login_past_its_day_does_not_open(world, client):
    User.objects.filter(username="head").update(expires="2020-01-01")
    assert WRONG in enter(client).content.decode()


def test_the_security_document_names_every_role(settings):
    text = (settings.BASE_DIR / "docs" / "security.md").read_text(encoding="utf-8")
    for role in Role:
        assert f"| `{role.value}` | {role.label} |" in text


def test_the_admin_has_no_log_out_and_no_password_page_of_its_own(world, log_in):
    client = log_in(world.posts.system)
    assert client.get("/admin/password_change/").url == reverse("password_change")
    assert "Clear-Site-Data" in client.post("/admin/logout/")
    assert Event.objects.filter(action="session.logout").exists()
