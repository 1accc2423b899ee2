"""The discipline group follows everything and writes nothing (区纪委监委派驻纪检监察组全程跟踪监督)."""

import pytest
from django.urls import reverse

from institutions import audit
from institutions.models import Event
from institutions.roles import ROLE_PERMISSIONS, Role
from supervision.models import Rectification
from tests import builders, canaries
from tests.supervision.making import rectification
from tests.supervision.test_sanctions import decided, proposed

pytestmark = pytest.mark.django_db


@pytest.fixture
def observer(world):
    return builders.post(world.county, Role.AUDITOR, "派驻纪检监察组观察员", username="observer")


@pytest.mark.row("B21")
def test_the_discipline_group_sees_the_whole_of_it_from_the_paper_to_the_trail(
    world, log_in, observer
):
    rows = canaries.fill(world)
    duty = rectification(world, world.centre, text="档案不真实")
    referral = decided(world, "referral", reason="移送材料", grounds="情节严重")
    accountability = proposed(world, "accountability", reason="拟追责", grounds="弄虚作假")
    client = log_in(observer)

    def own(kind: str):
        return [r for r in getattr(rows, kind) if r.bureau_id == world.county.pk]

    seen = [
        *own("campaigns"),
        *own("reports")[:2],
        *own("breakthroughs")[:1],
        *own("plans")[:1],
        *own("rounds")[:1],
        *own("visits")[:2],
        *own("evaluations")[:1],
        *own("sheets")[:1],
        duty,
        duty.problem,
        referral,
        accountability,
    ]
    for row in seen:
        page = client.get(row.get_absolute_url())
        assert page.status_code == 200, row
        assert "data-confirm" not in page.content.decode(), f"a button on {row!r}"
    listed = client.get(reverse("supervision:sanction_list")).content.decode()
    assert "移送纪检" in listed and "追责问责" in listed
    trail = client.get(reverse("institutions:event_list")).content.decode()
    assert (Event.objects.of(referral).exists() and "提出奖惩" in trail) or "移送" in trail
    assert not list(audit.verify(keys=[world.county.pk]))


@pytest.mark.row("B21")
def test_the_discipline_group_writes_nothing(world, log_in, observer):
    changing = {
        perm
        for perm in ROLE_PERMISSIONS[Role.AUDITOR]
        if not perm.split(".")[1].startswith("view_")
    }
    assert changing == {"institutions.export_table", "institutions.use_admin"}
    duty = rectification(world, world.centre, text="档案不真实")
    proposal = proposed(world, "criticism")
    client = log_in(observer)
    for name, pk in (
        ("supervision:rectification_close", duty.pk),
        ("supervision:rectification_sign", duty.pk),
        ("supervision:sanction_reject", proposal.pk),
        ("scoring:sanction_decide", proposal.pk),
    ):
        answer = client.post(reverse(name, args=[pk]), {"version": 1, "note": "x"})
        assert answer.status_code == 403, name
    for name in ("supervision:problem_create", "supervision:sanction_create"):
        assert client.get(reverse(name)).status_code == 403
    before = Event.objects.count()
    admin = client.post("/admin/institutions/institution/add/", {"name": "x"})
    assert admin.status_code == 403 and Event.objects.count() == before
    assert Rectification.objects.get(pk=duty.pk).version == duty.version


def test_a_colleague_of_the_bureau_does_not_see_what_is_referred(world, log_in):
    referral = decided(world, "referral", reason="移送材料", grounds="情节严重")
    assert log_in(world.posts.finance).get(referral.get_absolute_url()).status_code == 404
