"""Who may give, take and hand over posts and logins; and what a handover does at once."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from institutions import accounts, clock, handing_over
from institutions.models import Event, Notification, Post, User
from institutions.roles import ADMINISTRATORS, BUREAU_ROLES, Role, excluded
from tests.builders import PASSWORD

# giver, role, institution: may it be given? Everything that is not listed with True is refused.
GRANTS = [
    ("system", Role.OFFICER, "county", True),
    ("system", Role.SECURITY, "county", True),
    ("system", Role.HEAD, "centre", True),
    ("system", Role.STAFF, "clinic", True),
    ("system", Role.STREET, "street_office", True),
    ("system", Role.LEAD, "cdc", True),
    ("system", Role.OFFICER, "centre", False),  # a bureau's role at a centre
    ("system", Role.HEAD, "county", False),
    ("system", Role.OFFICER, "city", False),  # above
    ("system", Role.OFFICER, "other_county", False),  # beside
    ("system", Role.HEAD, "far_centre", False),
    ("head", Role.STAFF, "centre", True),
    ("head", Role.HEAD, "clinic", True),
    ("head", Role.STAFF, "clinic", True),
    ("head", Role.HEAD, "centre", False),  # his own rank
    ("head", Role.EXPERT, "centre", False),
    ("head", Role.LEAD, "centre", False),
    ("head", Role.OFFICER, "centre", False),
    ("head", Role.OFFICER, "county", False),
    ("head", Role.HEAD, "other_clinic", False),
    ("head", Role.STAFF, "county", False),
    ("doctor", Role.STAFF, "clinic", True),
    ("doctor", Role.STAFF, "sibling_clinic", False),
    ("doctor", Role.HEAD, "clinic", False),
    *[
        (who, Role.STAFF, "centre", False)
        for who in (
            "security",
            "auditor",
            "leader",
            "officer",
            "finance",
            "lead",
            "staff",
            "street",
        )
    ],
]


@pytest.mark.parametrize(("giver", "role", "place", "may"), GRANTS)
def test_posts_are_given_by_rank_and_subtree(world, giver, role, place, may):
    reason = accounts.grantable(getattr(world.posts, giver), role, getattr(world, place))
    assert (reason == "") is may, reason


def test_no_role_is_given_above_the_givers_own(world):
    for role in Role.values:
        for place in vars(world).values():
            if not isinstance(place, Post) and hasattr(place, "kind"):
                given = accounts.grantable(world.posts.head, role, place) == ""
                assert not given or role in (Role.HEAD, Role.STAFF)


def test_the_three_administrators_stay_apart():
    for one in Role.values:
        for other in Role.values:
            apart = one != other and bool({one, other} & ADMINISTRATORS)
            apart = apart and {one, other} <= (ADMINISTRATORS | BUREAU_ROLES)
            assert bool(excluded([one], other)) is apart, (one, other)


@pytest.mark.parametrize("giver", ["system", "head"])
def test_nobody_manages_his_own_post_or_login(world, giver):
    post = getattr(world.posts, giver)
    assert accounts.post_refused(post, post)
    assert accounts.account_refused(post, post.user)
    for deed in (accounts.reset, accounts.deactivate, accounts.reactivate):
        with pytest.raises(PermissionDenied):
            deed(by=post, user=post.user)


def test_a_head_does_not_take_over_a_login_that_also_holds_a_higher_post(world):
    """Whoever resets a login opens all its posts: one of them out of reach is enough to refuse."""
    world.posts.staff.user = world.posts.officer.user
    world.posts.staff.save()
    with pytest.raises(PermissionDenied):
        accounts.reset(by=world.posts.head, user=world.posts.officer.user)


def form(institution, role, username, name="", title="经办人"):
    return {
        "institution": institution.code,
        "role": role,
        "title": title,
        "username": username,
        "name": name,
    }


CREATE = "institutions:account_create"


def test_a_head_opens_a_clinic_login_and_is_shown_the_code_once(world, log_in, client):
    sent = form(world.clinic, Role.STAFF, "newdoctor", "新任村医", "村医助理")
    page = log_in(world.posts.head).post(reverse(CREATE), sent)
    code = page.context["code"]
    user = User.objects.get(username="newdoctor")
    assert code in page.content.decode() and not user.has_usable_password()
    assert user.posts.get().role == Role.STAFF
    assert set(Event.objects.of(user).values_list("action", flat=True)) == {"account.opened"}
    client.logout()
    new = {"new_password": "Lü-Shan-7-Xia", "new_password_again": "Lü-Shan-7-Xia"}
    sent = {"username": "newdoctor", "code": code, **new}
    assert client.post(reverse("activate"), sent).status_code == 302


def test_a_refused_role_makes_neither_login_nor_post(world, log_in):
    sent = form(world.centre, Role.HEAD, "newhead", "另一主任")
    page = log_in(world.posts.head).post(reverse(CREATE), sent)
    assert "须由上级系统管理员办理" in page.content.decode()
    sent = form(world.county, Role.OFFICER, "newofficer", "经办人")
    assert log_in(world.posts.head).post(reverse(CREATE), sent).status_code == 200
    assert not User.objects.filter(username__startswith="new").exists()


def test_a_login_out_of_sight_is_neither_used_nor_told_of(world, log_in):
    sent = form(world.clinic, Role.STAFF, "far", "随便谁")
    page = log_in(world.posts.head).post(reverse(CREATE), sent)
    assert page.status_code == 200 and "邻区" not in page.content.decode()
    assert world.posts.far_officer.user.posts.count() == 1


def test_nobody_gives_himself_another_post(world, log_in):
    sent = form(world.county, Role.AUDITOR, "system", title="兼审计")
    assert log_in(world.posts.system).post(reverse(CREATE), sent).status_code == 403
    assert world.posts.system.user.posts.count() == 1


def test_an_administrator_does_not_become_an_officer_too(world, log_in):
    sent = form(world.county, Role.OFFICER, "auditor", title="经办人")
    page = log_in(world.posts.system).post(reverse(CREATE), sent)
    assert "不能兼任" in page.content.decode()
    assert world.posts.auditor.user.posts.count() == 1


def test_a_head_switches_a_login_off_and_on(world, log_in):
    client = log_in(world.posts.head)
    url = reverse("institutions:account_deactivate", args=[world.posts.doctor.pk])
    assert client.post(url).status_code == 302
    assert not User.objects.get(username="doctor").is_active
    url = reverse("institutions:account_reactivate", args=[world.posts.doctor.pk])
    assert "激活码" in client.post(url).content.decode()
    doctor = User.objects.get(username="doctor")
    assert doctor.is_active and not doctor.has_usable_password()


@pytest.mark.parametrize(
    ("who", "status"), [("far_head", 404), ("other_head", 404), ("staff", 403), ("officer", 403)]
)
def test_others_do_not(world, log_in, who, status):
    client = log_in(getattr(world.posts, who))
    for name in ("account_reset", "account_deactivate"):
        url = reverse(f"institutions:{name}", args=[world.posts.doctor.pk])
        assert client.post(url).status_code == status
        assert client.get(url).status_code in (403, 405)
    assert User.objects.get(username="doctor").check_password(PASSWORD)


# --- Handing over ------------------------------------------------------------------------------------------


def hand_over(client, post, username, name="", **more):
    url = reverse("institutions:post_hand_over", args=[post.pk])
    sent = {"username": username, "name": name, "on": clock.today().isoformat(), "retire": "on"}
    return client.post(url, {**sent, **more})


def test_the_former_holder_is_out_at_once_and_the_post_stays(
    world, log_in, client, django_capture_on_commit_callbacks
):
    former = type(client)()
    former.post(reverse("login"), {"username": "staff", "password": PASSWORD})
    with django_capture_on_commit_callbacks(execute=True):
        page = hand_over(log_in(world.posts.head), world.posts.staff, "successor", "接任经办人")
    assert page.context["code"]
    post = Post.objects.get(pk=world.posts.staff.pk)
    assert post.user.username == "successor"
    assert former.get(reverse("session_list")).status_code == 302
    assert not User.objects.get(username="staff").is_active, "no post is left"
    event = Event.objects.of(post).get(action="post.handed_over")
    assert (event.before, event.after) == ("staff", "successor")
    assert Notification.objects.get(post=post).text.startswith("公卫科经办人已交接")


def test_who_holds_another_post_keeps_the_login(world, log_in):
    spare = Post.objects.create(
        institution=world.clinic, role=Role.STAFF, title="驻村", user=world.posts.staff.user
    )
    hand_over(log_in(world.posts.head), world.posts.staff, "doctor")
    assert User.objects.get(username="staff").is_active
    assert Post.objects.get(pk=spare.pk).user.username == "staff"


@pytest.mark.parametrize(
    ("username", "why"),
    [
        ("staff", "已是任职人"),
        ("head", "不能交接给自己"),
        ("far", "不能使用"),
        ("disabled", "不能使用"),
    ],
)
def test_a_post_is_not_handed_to(world, log_in, username, why):
    page = hand_over(log_in(world.posts.head), world.posts.staff, username)
    assert why in page.content.decode()
    assert Post.objects.get(pk=world.posts.staff.pk).user.username == "staff"


def test_a_post_is_not_handed_over_ahead_of_time(world, log_in):
    tomorrow = (clock.today() + timedelta(days=1)).isoformat()
    page = hand_over(log_in(world.posts.head), world.posts.staff, "doctor", on=tomorrow)
    assert "不能晚于今天" in page.content.decode()


def test_of_two_handovers_at_the_same_moment_one_is_made(world):
    stale = Post.objects.select_related("institution", "user").get(pk=world.posts.staff.pk)
    by, to = world.posts.head, world.posts.doctor.user
    handing_over.hand_over(by=by, post=world.posts.staff, to=to, on=clock.today())
    other = world.posts.sibling_doctor.user
    with pytest.raises(ValidationError):
        handing_over.hand_over(by=by, post=stale, to=other, on=clock.today())
    assert Event.objects.filter(action="post.handed_over").count() == 1


def test_one_does_not_hand_over_ones_own_post(world, log_in):
    assert hand_over(log_in(world.posts.head), world.posts.head, "doctor").status_code == 403
    url = reverse("institutions:post_hand_over", args=[world.posts.head.pk])
    assert "不能办理自己的任职" in log_in(world.posts.head).get(url).content.decode()


def test_a_bureau_post_is_not_handed_to_an_administrator(world, log_in):
    page = hand_over(log_in(world.posts.system), world.posts.officer, "auditor")
    assert "不能兼任" in page.content.decode()
    assert Post.objects.get(pk=world.posts.officer.pk).user.username == "officer"


def test_the_list_of_posts_tells_their_state(world, log_in):
    client = log_in(world.posts.system)
    page = client.get(reverse("institutions:post_list"), {"state": "off"})
    assert "已停用经办人" in page.content.decode() and "基妇科经办人" not in page.content.decode()
    page = client.get(reverse("institutions:post_list"), {"state": "over"})
    assert "已离任经办人" in page.content.decode()
    page = client.get(reverse("institutions:post_list"), {"q": "qnl"}).content.decode()
    assert "中心主任" in page and "基妇科经办人" not in page
    assert "邻区经办人" not in client.get(reverse("institutions:post_list")).content.decode()
