"""A login is made without a password; its holder sets the first one with a code that works once."""

from datetime import timedelta

import pytest
from django.urls import reverse

from institutions import accounts, clock
from institutions.models import Event, User
from tests.builders import PASSWORD

NEW = "Lü-Shan-7-Xia"
REFUSED = "用户名或激活码不正确"


@pytest.fixture
def code(world) -> str:
    return accounts.reset(by=world.posts.system, user=world.posts.staff.user)


def activate(client, code, username="staff", password=NEW, again=None):
    return client.post(
        reverse("activate"),
        {
            "username": username,
            "code": code,
            "new_password": password,
            "new_password_again": password if again is None else again,
        },
    )


def login(client, password=NEW):
    return client.post(reverse("login"), {"username": "staff", "password": password}).status_code


def test_the_code_sets_a_password_once(world, client, code):
    assert activate(client, code.lower().replace("-", " ")).url == reverse("login")
    assert login(client) == 302
    client.post(reverse("logout"))
    assert REFUSED in activate(client, code).content.decode()
    assert Event.objects.filter(action="account.activated").count() == 1


def test_only_a_digest_of_the_code_is_kept(world, code):
    kept = User.objects.get(username="staff").activation_hash
    assert len(kept) == 64 and code.replace("-", "") not in kept.upper()


@pytest.mark.parametrize("username", ["nobody", "head"])
def test_the_answer_does_not_tell_whose_code_it_is(world, client, code, username):
    assert REFUSED in activate(client, code, username).content.decode()


def test_a_code_is_good_for_seven_days(world, client, code):
    late = clock.now() - timedelta(seconds=1)
    User.objects.filter(username="staff").update(activation_expires=late)
    assert REFUSED in activate(client, code).content.decode()


def test_a_code_does_not_open_a_login_that_is_switched_off(world, client, code):
    User.objects.filter(username="staff").update(is_active=False)
    assert REFUSED in activate(client, code).content.decode()


def test_a_weak_password_uses_the_code_not_up(world, client, code):
    assert activate(client, code, password="12345678").context["form"].errors["new_password"]
    assert activate(client, code, again="other").context["form"].errors["new_password_again"]
    assert activate(client, code).status_code == 302


def test_a_reset_takes_the_password_and_the_sessions_away(world, client, log_in):
    session = log_in(world.posts.staff)
    accounts.reset(by=world.posts.system, user=world.posts.staff.user)
    assert session.get(reverse("session_list")).url.startswith(reverse("login"))
    assert login(client, PASSWORD) == 200


def test_the_password_before_the_reset_may_not_come_back(world, client, code):
    assert activate(client, code, password=PASSWORD).context["form"].errors["new_password"]


def test_a_password_must_not_contain_the_name_of_the_institution(world, client, code):
    page = activate(client, code, password="qingnianlushequweishengfuwuzhongxin-A9")
    assert "单位名称" in str(page.context["form"].errors)
