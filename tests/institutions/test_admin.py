"""The admin: reference data and accounts within reach, every write an event, the record itself untouchable."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from institutions.models import Event, Institution, Mandate, Post, Region, User
from institutions.roles import Role
from tests.builders import institution, item

OURS = sorted(
    (m for m in admin.site._registry if m._meta.app_label == "institutions"),
    key=lambda m: m.__name__,
)
EDITED = [m for m in OURS if m.__name__ not in ("Event", "StoredFile", "Job")]


def url(model, verb, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{verb}", args=args)


@pytest.mark.parametrize("model", EDITED, ids=lambda m: m.__name__)
def test_the_system_administrator_opens_list_and_form(world, log_in, model):
    client = log_in(world.posts.system)
    assert client.get(url(model, "changelist"), {"q": "a"}).status_code == 200
    add = client.get(url(model, "add")).status_code
    # Logins are made on the portal; shared tables are kept by the topmost bureau.
    assert add == (403 if model.__name__ in ("User", "ServiceItem", "Holiday") else 200)


@pytest.mark.parametrize("model", OURS, ids=lambda m: m.__name__)
@pytest.mark.parametrize("who", ["officer", "head", "leader", "expert"])
def test_nobody_else_comes_in(world, log_in, model, who):
    client = log_in(getattr(world.posts, who))
    assert client.get(url(model, "changelist"), follow=True).status_code == 403


@pytest.mark.parametrize("name", ["Event", "StoredFile", "Job"])
def test_the_record_is_looked_at_by_the_auditor_and_changed_by_nobody(world, log_in, name):
    model = next(m for m in OURS if m.__name__ == name)
    for who in ("auditor", "system", "security"):
        client = log_in(getattr(world.posts, who))
        seen = client.get(url(model, "changelist")).status_code == 200
        assert seen is (who == "auditor" or (who == "security" and name == "Event"))
        assert client.get(url(model, "add")).status_code == 403


def test_rows_of_other_bureaus_are_not_there(world, log_in):
    client = log_in(world.posts.system)
    assert "邻区卫生院" not in client.get(url(Institution, "changelist")).content.decode()
    for row in (world.far_centre, world.posts.far_head, world.posts.far_head.user, world.city):
        response = client.get(url(type(row), "change", row.pk))
        assert response.status_code == 302, "the admin sends away from what it does not find"
        assert client.get(url(type(row), "history", row.pk)).status_code == 404


def test_choices_are_rows_in_sight(world, log_in):
    client = log_in(world.posts.system)
    sent = {"name": "新科室", "institution": world.far_centre.pk}
    model = next(m for m in OURS if m.__name__ == "Department")
    assert client.post(url(model, "add"), sent).status_code == 200
    assert not model.objects.filter(name="新科室").exists()
    found = client.get(
        "/admin/autocomplete/",
        {
            "app_label": "institutions",
            "model_name": "department",
            "field_name": "institution",
            "term": "",
        },
    )
    assert "邻区卫生院" not in found.content.decode()


def test_every_write_is_an_event_with_before_and_after(world, log_in):
    client = log_in(world.posts.system)
    model = next(m for m in OURS if m.__name__ == "Department")
    client.post(url(model, "add"), {"name": "公卫科", "institution": world.centre.pk})
    row = model.objects.get(name="公卫科")
    client.post(url(model, "change", row.pk), {"name": "防保科", "institution": world.centre.pk})
    client.post(url(model, "delete", row.pk), {"post": "yes"})
    events = Event.objects.filter(subject="institutions.department").order_by("seq")
    assert [e.action.split(".")[-1] for e in events] == ["add", "change", "delete"]
    assert events[1].note == "科室名称：公卫科 → 防保科"
    assert events[0].institution_text == world.centre.name
    page = client.get(url(type(world.centre), "history", world.centre.pk))
    assert page.status_code == 200


def test_a_code_is_fixed_once_given(world, log_in):
    client = log_in(world.posts.system)
    page = client.get(url(Institution, "change", world.clinic.pk))
    assert "code" not in page.context["adminform"].form.fields


def test_an_institution_in_use_is_not_deleted(world, log_in):
    client = log_in(world.posts.system)
    client.post(url(Institution, "delete", world.centre.pk), {"post": "yes"})
    assert Institution.objects.filter(pk=world.centre.pk).exists()


def test_ones_own_bureau_keeps_its_place_and_a_new_one_needs_a_parent(world, log_in):
    client = log_in(world.posts.system)
    page = client.get(url(Institution, "change", world.county.pk))
    assert not {"parent", "kind"} & set(page.context["adminform"].form.fields)
    client.post(url(Institution, "add"), {"code": "X", "name": "另一个局", "kind": "bureau"})
    assert not Institution.objects.filter(code="X").exists()


def test_deeds_over_a_selection_do_not_exist(world, log_in):
    client = log_in(world.posts.system)
    sent = {"action": "delete_selected", "_selected_action": [world.clinic.pk], "post": "yes"}
    client.post(url(Institution, "changelist"), sent)
    assert Institution.objects.filter(pk=world.clinic.pk).exists()


def test_no_form_shows_or_takes_a_password(world, log_in):
    client = log_in(world.posts.system)
    page = client.get(url(User, "change", world.posts.staff.user_id))
    assert "password" not in page.context["adminform"].form.fields
    assert world.posts.staff.user.password not in page.content.decode()


def test_nobody_edits_his_own_post_login_or_mandate(world, log_in):
    client = log_in(world.posts.system)
    own = world.posts.system
    assert client.post(url(Post, "change", own.pk), {"role": "auditor"}).status_code == 403
    assert client.post(url(User, "change", own.user_id), {"name": "x"}).status_code == 403
    sent = {"post": own.pk, "institution": world.county.pk, "all_items": "on", "source": "自己"}
    client.post(url(Mandate, "add"), sent)
    assert not Mandate.objects.filter(post=own).exists()


def test_a_post_is_given_by_the_portals_rule(world, log_in):
    client = log_in(world.posts.system)
    sent = {"title": "兼职", "institution": world.county.pk, "role": Role.OFFICER}
    page = client.post(url(Post, "add"), {**sent, "user": world.posts.auditor.user_id})
    assert "不能兼任" in page.content.decode()
    page = client.post(url(Post, "add"), {**sent, "user": world.posts.system.user_id})
    assert "不能给自己增设任职" in page.content.decode()
    assert client.post(url(Post, "add"), sent).status_code == 302, "a vacant post"


def test_a_region_outside_the_county_cannot_widen_a_post(world, log_in):
    client = log_in(world.posts.system)
    far = Region.objects.get(code="370303")
    sent = {"post": world.posts.lead.pk, "region": far.pk, "all_items": "on", "source": "x"}
    before = Mandate.objects.count()
    assert client.post(url(Mandate, "add"), sent).status_code == 200
    assert Mandate.objects.count() == before


def test_only_the_topmost_bureau_keeps_what_all_share(world, log_in):
    model = next(m for m in OURS if m.__name__ == "Holiday")
    client = log_in(world.posts.system)
    sent = {"day": "2026-05-01", "name": "劳动节"}
    assert client.post(url(model, "add"), sent).status_code == 403
    top = Post.objects.create(
        institution=world.city, role=Role.SYSTEM, title="市系统管理员", user=world.posts.staff.user
    )
    world.posts.staff.user = None
    world.posts.staff.save()
    assert log_in(top).post(url(model, "add"), sent).status_code == 302


def test_a_switched_off_login_is_out(world, log_in, client):
    session = type(client)()
    session.force_login(world.posts.staff.user, "institutions.backends.RoleBackend")
    page = log_in(world.posts.system).post(
        url(User, "change", world.posts.staff.user_id), {"name": "公卫科经办人"}
    )
    assert page.status_code == 302
    assert session.get(reverse("session_list")).status_code == 302


def test_lists_take_the_same_few_queries_however_long(world, log_in):
    client = log_in(world.posts.system)
    client.get(url(Institution, "changelist"))  # what is asked once a process
    counts = []
    for first, last in ((0, 10), (10, 45)):
        for n in range(first, last):
            place = institution(f"ZC-N{n}", f"新增卫生室{n}", "clinic", world.centre)
            post = Post.objects.create(institution=place, role="head", title="村医")
            place.responsibilities.create(item=item("02"), duty="delivers")
            post.mandates.create(institution=place, all_items=True, source="x")
        counts.append({})
        for model in EDITED:
            with CaptureQueriesContext(connection) as seen:
                client.get(url(model, "changelist"))
            counts[-1][model.__name__] = len(seen)
    assert counts[0] == counts[1]
    assert max(counts[0].values()) <= 12
