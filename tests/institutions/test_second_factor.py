"""The code from the phone: asked of bureau posts, works once, and recovery codes for the day the phone is gone."""

from binascii import unhexlify

import pytest
from django.urls import reverse
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from institutions import second_factor
from institutions.models import Event
from tests.builders import PASSWORD

KEY = "3132333435363738393031323334353637383930"


def code(key=KEY, ahead=0) -> str:
    return f"{totp(unhexlify(key), t0=-30 * ahead):06d}"


@pytest.fixture
def needed(settings):
    settings.TOTP_REQUIRED = True


@pytest.fixture
def officer(world, client, needed):
    """A client that gave the password of an officer, and no code yet."""
    client.post(reverse("login"), {"username": "officer", "password": PASSWORD})
    return client


def with_device(user):
    return TOTPDevice.objects.create(user=user, key=KEY, confirmed=True)


def test_a_bureau_post_without_a_device_can_only_set_one_up(world, officer):
    response = officer.get(reverse("institutions:institution_list"))
    assert response.url == reverse("second_factor")
    assert officer.get(response.url).url == reverse("second_factor_set_up")
    page = officer.get(reverse("second_factor_set_up"))
    assert "data:image/svg" in page.content.decode()


def test_a_clinic_is_not_asked(world, client, needed):
    client.post(reverse("login"), {"username": "doctor", "password": PASSWORD})
    assert client.get(reverse("institutions:institution_list")).status_code == 200


def test_setting_up_shows_ten_recovery_codes_once_and_opens(world, officer):
    officer.get(reverse("second_factor_set_up"))
    key = officer.session["second_factor_key"]
    page = officer.post(reverse("second_factor_set_up"), {"code": code(key)})
    codes = page.context["codes"]
    assert len(set(codes)) == 10 and all(c in page.content.decode() for c in codes)
    kept = set(StaticToken.objects.values_list("token", flat=True))
    assert not kept & {c.replace("-", "") for c in codes}, "only digests are kept"
    assert officer.get(reverse("institutions:institution_list")).status_code == 200
    assert "second_factor_key" not in officer.session


def test_a_wrong_code_sets_nothing_up(world, officer):
    officer.get(reverse("second_factor_set_up"))
    page = officer.post(reverse("second_factor_set_up"), {"code": "000000"})
    assert "动态码不正确" in page.content.decode() and not TOTPDevice.objects.exists()


def test_the_code_opens_and_leads_where_one_wanted_to_go(world, client, needed):
    with_device(world.posts.officer.user)
    wanted = reverse("institutions:institution_list")
    client.post(reverse("login"), {"username": "officer", "password": PASSWORD, "next": wanted})
    old = client.session.session_key
    assert client.post(reverse("second_factor"), {"code": code()}).url == wanted
    assert client.session.session_key != old
    assert client.get(wanted).status_code == 200
    assert Event.objects.filter(action="session.second_factor").exists()


def test_a_code_works_once(world, officer, client):
    with_device(world.posts.officer.user)
    used = code()
    officer.post(reverse("second_factor"), {"code": used})
    officer.post(reverse("logout"))
    officer.post(reverse("login"), {"username": "officer", "password": PASSWORD})
    page = officer.post(reverse("second_factor"), {"code": used})
    assert page.status_code == 200 and "动态码不正确" in page.content.decode()


def test_wrong_codes_slow_the_next_try_down(world, officer):
    with_device(world.posts.officer.user)
    for wrong in ("000000", "000001", "000002"):
        officer.post(reverse("second_factor"), {"code": wrong})
    page = officer.post(reverse("second_factor"), {"code": code()})
    assert "秒后" in page.content.decode(), "the right code is not looked at meanwhile"


def test_a_recovery_code_works_once(world, officer):
    user = world.posts.officer.user
    spare = second_factor.set_up(user, key=KEY, code=code(), address="")[0]
    written = spare.lower().replace("-", " ")
    assert officer.post(reverse("second_factor"), {"code": written}).status_code == 302
    assert second_factor.codes_left(user) == 9
    officer.post(reverse("logout"))
    officer.post(reverse("login"), {"username": "officer", "password": PASSWORD})
    assert officer.post(reverse("second_factor"), {"code": spare}).status_code == 200


def test_a_device_is_not_replaced_by_who_has_only_the_password(world, officer):
    with_device(world.posts.officer.user)
    assert officer.get(reverse("second_factor_set_up")).url == reverse("second_factor")
    assert officer.post(reverse("second_factor_set_up"), {"code": code()}).status_code == 302
    assert TOTPDevice.objects.get().key == KEY
    assert officer.get(reverse("password_change")).url == reverse("second_factor")


def test_replacing_a_device_asks_for_the_password_and_ends_other_sessions(world, officer):
    with_device(world.posts.officer.user)
    officer.post(reverse("second_factor"), {"code": code()})
    page = officer.get(reverse("second_factor_set_up"))
    assert "password" in page.context["form"].fields
    key = officer.session["second_factor_key"]
    wrong = {"code": code(key), "password": "wrong-Password-1"}
    assert officer.post(reverse("second_factor_set_up"), wrong).context["form"].errors
    assert TOTPDevice.objects.get().key == KEY
    officer.post(reverse("second_factor_set_up"), {"code": code(key), "password": PASSWORD})
    assert TOTPDevice.objects.get().key == key


def test_who_chose_a_second_factor_is_asked_though_none_is_required(world, client, settings):
    settings.TOTP_REQUIRED = False
    with_device(world.posts.doctor.user)
    client.post(reverse("login"), {"username": "doctor", "password": PASSWORD})
    response = client.get(reverse("institutions:institution_list"))
    assert response.url == reverse("second_factor")


def test_the_security_administrator_resets_it_and_nobody_else(world, client, log_in):
    with_device(world.posts.officer.user)
    url = reverse("institutions:account_reset_second_factor", args=[world.posts.officer.pk])
    for other in (world.posts.system, world.posts.officer, world.posts.head):
        assert log_in(other).post(url).status_code == 403
    assert log_in(world.posts.security).post(url).status_code == 302
    assert not TOTPDevice.objects.exists()
    assert Event.objects.filter(action="account.second_factor_reset").exists()
