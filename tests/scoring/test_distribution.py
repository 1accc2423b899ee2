"""Pay inside an institution: split to the cent by work and quality, kept by the head, each person sees his own line."""

from decimal import Decimal as D

import pytest
from django.urls import reverse

from institutions.models import Event, StaffMember
from scoring import distributing
from scoring.models import Distribution, StaffShare, WorkUnit
from tests import builders


@pytest.fixture
def service(world):
    return WorkUnit.objects.create(
        institution=world.county,
        year=2023,
        code="GX-01",
        name="高血压患者随访",
        item=builders.item("07a"),
        coefficient=D("1.2"),
        unit="人次",
    )


@pytest.fixture
def staff(world):
    names = ("公卫医师一", "公卫医师二", "护士一")
    return [
        StaffMember.objects.create(institution=world.centre, name=name, title="公卫科")
        for name in names
    ]


def begin(client, pool="1000.00"):
    client.post(
        reverse("scoring:distribution_create"),
        {"year": "2023", "quarter": "1", "pool": pool, "basis": "院务会决定"},
    )
    return Distribution.objects.get()


def fill(client, row, member, service, number, quality="1", post=""):
    row.refresh_from_db()
    share = StaffShare.objects.get(distribution=row, member=member)
    return client.post(
        reverse("scoring:share_edit", args=[share.pk]),
        {
            "version": row.version,
            "quality": quality,
            "post": getattr(post, "pk", ""),
            f"n{service.pk}": number,
        },
    )


def move(client, row, name, **data):
    row.refresh_from_db()
    url = reverse(f"scoring:distribution_{name}", args=[row.pk])
    return client.post(url, {"version": row.version, **data}, follow=True)


@pytest.mark.row("D28", "B11")
def test_more_and_better_work_is_paid_more_to_the_cent(world, log_in, service, staff):
    head = log_in(world.posts.head)
    row = begin(head)
    assert "还没有分配" in head.get(row.get_absolute_url()).content.decode()
    refused = move(head, row, "confirm")
    assert "各人之和与分配总额不符" in refused.content.decode()
    first, second, third = staff
    fill(head, row, first, service, "100")
    fill(head, row, second, service, "100", quality="0.5")
    assert fill(head, row, third, service, "1", quality="2.5").status_code == 422
    fill(head, row, third, service, "50", quality="1.2")
    given = {s.member.name: s.amount for s in row.shares.select_related("member")}
    # 120, 60 and 72 of 252
    assert given == {"公卫医师一": D("476.19"), "公卫医师二": D("238.10"), "护士一": D("285.71")}
    assert sum(given.values()) == row.pool and row.difference == 0
    page = head.get(row.get_absolute_url()).content.decode()
    assert "各人之和 = 分配总额，差 0.00" in page
    assert "高血压患者随访：100 × 1.2 × 质量系数 0.5 = 60" in page


@pytest.mark.row("D28")
def test_each_person_sees_his_own_line_and_offices_see_totals(world, log_in, service, staff):
    head = log_in(world.posts.head)
    row = begin(head)
    fill(head, row, staff[0], service, "3", post=world.posts.staff)
    fill(head, row, staff[1], service, "1")
    wrong = fill(head, row, staff[1], service, "1", post=world.posts.staff)
    assert "已经对应了另一位人员" in wrong.content.decode()
    clerk = log_in(world.posts.staff)
    url = row.get_absolute_url()
    assert clerk.get(url).status_code == 404, "a draft"
    move(log_in(world.posts.head), row, "confirm")
    text = log_in(world.posts.staff).get(url).content.decode()
    assert "公卫医师一" in text and "750.00" in text and "我的一行" in text
    assert "公卫医师二" not in text and "250.00" not in text
    for persona in ("officer", "leader", "finance", "auditor"):
        text = log_in(getattr(world.posts, persona)).get(url).content.decode()
        assert "1,000.00" in text and "3 人" in text
        assert "公卫医师" not in text and "护士" not in text
    share = row.shares.get(member=staff[0])
    edit = reverse("scoring:share_edit", args=[share.pk])
    assert log_in(world.posts.staff).get(edit).status_code == 403
    assert log_in(world.posts.officer).get(edit).status_code == 403
    assert log_in(world.posts.other_head).get(edit).status_code == 404
    told = [e.note + str(e.data) for e in Event.objects.filter(action__contains="distribution")]
    assert told and not any("公卫医师" in text for text in told), "the trail names nobody"


@pytest.mark.row("D28")
def test_confirmed_may_go_back_frozen_may_not(world, log_in, service, staff):
    head = log_in(world.posts.head)
    row = begin(head)
    fill(head, row, staff[0], service, "3")
    move(head, row, "confirm")
    assert fill(head, row, staff[0], service, "9").status_code == 302
    row.refresh_from_db()
    assert row.shares.get(member=staff[0]).works.get().quantity == D("3")
    move(head, row, "reopen")
    row.refresh_from_db()
    assert row.status == "confirmed", "it says why"
    move(head, row, "reopen", note="护士一漏填")
    fill(head, row, staff[2], service, "3")
    change = reverse("scoring:distribution_change", args=[row.pk])
    row.refresh_from_db()
    head.post(change, {"version": row.version, "pool": "0.03", "basis": "改"})
    assert sorted(s.amount for s in row.shares.all()) == [D("0"), D("0.01"), D("0.02")]
    drop = row.shares.get(member=staff[1])
    row.refresh_from_db()
    head.post(reverse("scoring:share_drop", args=[drop.pk]), {"version": row.version})
    assert row.shares.count() == 2
    late = reverse("scoring:distribution_take_in", args=[row.pk])
    row.refresh_from_db()
    head.post(late, {"version": row.version})
    assert row.shares.count() == 3 and row.difference == 0
    move(head, row, "confirm")
    move(head, row, "freeze")
    row.refresh_from_db()
    assert row.status == "frozen"
    answer = head.post(change, {"version": row.version, "pool": "5", "basis": "x"})
    assert answer.status_code == 409
    # The next one knows who has which account and takes everybody who is in service.
    assert log_in(world.posts.other_head).get(row.get_absolute_url()).status_code == 404


def test_the_next_distribution_remembers_the_accounts(world, service, staff):
    first = distributing.begin(
        by=world.posts.head, year=2023, quarter=1, pool=D("10"), basis="院务会"
    )
    share = first.shares.get(member=staff[0])
    distributing.save_share(
        share,
        by=world.posts.head,
        version=first.version,
        post=world.posts.staff,
        quality=D("1"),
        numbers={service.pk: D("1")},
    )
    second = distributing.begin(
        by=world.posts.head, year=2023, quarter=2, pool=D("10"), basis="院务会"
    )
    assert second.shares.get(member=staff[0]).post == world.posts.staff
    with pytest.raises(Exception, match="已经有分配"):
        distributing.begin(by=world.posts.head, year=2023, quarter=2, pool=D("1"), basis="x")
    with pytest.raises(Exception, match="没有在岗人员"):
        distributing.begin(by=world.posts.doctor, year=2023, quarter=1, pool=D("1"), basis="x")
    share = second.shares.get(member=staff[1])
    with pytest.raises(Exception, match="只能对应本机构的任职"):
        distributing.save_share(
            share,
            by=world.posts.head,
            version=second.version,
            post=world.posts.doctor,
            quality=D("1"),
            numbers={},
        )
