"""The password profile as a person meets it: rotation and history under mlps, none under asvs."""

import itertools
from datetime import timedelta

import pytest
from django.urls import reverse

from institutions import clock, passwords
from institutions.models import User
from tests.builders import PASSWORD

STRONG = ["Lü-Shan-7-Xia", "Mao-Zhu-8-Quan", "Hai-Yan-6-Ting", "Fei-Yu-9-Lian", "Yun-He-3-Que"]


def change(client, old, new):
    form = {"old_password": old, "new_password": new, "new_password_again": new}
    return client.post(reverse("password_change"), form)


def set_days_ago(days):
    day = clock.today() - timedelta(days=days)
    User.objects.filter(username="staff").update(password_set_on=day)


@pytest.mark.parametrize(("days", "forced"), [(90, False), (91, True)])
def test_after_ninety_days_the_password_is_changed_first(world, log_in, days, forced):
    set_days_ago(days)
    client = log_in(world.posts.staff)
    response = client.get(reverse("institutions:institution_list"))
    assert (response.status_code == 302) is forced
    if forced:
        assert response.url == reverse("password_change")
        assert "满 90 天" in client.get(response.url).content.decode()


def test_under_asvs_a_password_does_not_grow_old(world, log_in, settings):
    settings.PASSWORD_PROFILE = "asvs"
    set_days_ago(1000)
    client = log_in(world.posts.staff)
    assert client.get(reverse("institutions:institution_list")).status_code == 200


def test_the_old_password_is_asked_for(world, log_in):
    client = log_in(world.posts.staff)
    assert change(client, "wrong-Password-1", STRONG[0]).context["form"].errors["old_password"]


def test_guessing_the_old_password_locks_like_the_login(world, log_in):
    client = log_in(world.posts.staff)
    answers = [change(client, f"wrong-Password-{n}", STRONG[0]) for n in range(6)]
    assert answers[-1].status_code == 429


def test_the_last_five_are_refused_and_the_sixth_may_return(world, log_in):
    client = log_in(world.posts.staff)
    used = [PASSWORD, *STRONG]
    for old, new in itertools.pairwise(used):
        assert change(client, old, used[0]).context["form"].errors["new_password"]
        assert change(client, old, new).status_code == 302
    assert change(client, used[-1], used[1]).context["form"].errors["new_password"]
    assert change(client, used[-1], used[0]).status_code == 302


@pytest.mark.parametrize("profile", ["mlps", "asvs"])
def test_both_profiles_refuse_their_weak_passwords(world, log_in, settings, profile):
    settings.PASSWORD_PROFILE = profile
    settings.AUTH_PASSWORD_VALIDATORS = passwords.validators(profile)
    client = log_in(world.posts.staff)
    weak = "Ab1-xyz" if profile == "mlps" else "Lü-Shan-7-X"
    assert change(client, PASSWORD, weak).context["form"].errors["new_password"]
