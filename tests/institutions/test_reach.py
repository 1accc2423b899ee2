"""Who sees which rows: the root rule and what follows from it."""

import pytest

from campaigns.models import Campaign, Report, Task
from institutions.models import Institution


def seen(post):
    return set(Institution.objects.visible_to(post).values_list("code", flat=True))


def test_a_bureau_sees_its_subtree_and_the_city_both_counties(world):
    p = world.posts
    assert "ZC-QNL-1" in seen(p.officer) and "ZD-A" not in seen(p.officer)
    assert {"ZC-QNL-1", "ZD-A-1", "ZB"} <= seen(p.city_officer)


def test_a_centre_sees_itself_and_its_clinics(world):
    assert seen(world.posts.head) == {"ZC-QNL", "ZC-QNL-1", "ZC-QNL-2"}
    assert seen(world.posts.doctor) == {"ZC-QNL-1"}


def test_a_street_sees_its_region_and_an_expert_nothing_yet(world):
    assert seen(world.posts.street) == {"ZC-QNL", "ZC-QNL-1", "ZC-QNL-2", "ZC-JD"}
    assert seen(world.posts.expert) == set()
    assert seen(None) == set()


def test_moving_a_centre_carries_its_clinics_and_their_bureau(world):
    world.centre.parent = world.other_county
    world.centre.save()
    clinic = Institution.objects.get(code="ZC-QNL-1")
    assert clinic.path == "ZB/ZD/ZC-QNL/ZC-QNL-1/" and clinic.bureau == world.other_county
    assert "ZC-QNL-1" not in seen(world.posts.officer)


@pytest.mark.parametrize(("code", "count"), [("02", 1), ("08", 0), (None, 0)])
def test_a_lead_agency_sees_every_institutions_rows_of_its_items_only(world, code, count):
    from tests.builders import item

    campaign = Campaign.objects.create(
        institution=world.county,
        supervisor=world.county,
        name="活动",
        title="通知",
        number="1",
        year=2023,
        issued_on="2023-02-28",
    )
    task = Task.objects.create(
        campaign=campaign,
        position=1,
        name="任务",
        due="2023-03-03",
        item=item(code) if code else None,
    )
    Report.objects.create(
        task=task, institution=world.centre, supervisor=world.county, due=task.due
    )
    assert Report.objects.visible_to(world.posts.lead).count() == count
    assert Report.objects.visible_to(world.posts.officer).count() == 1
    assert Report.objects.visible_to(world.posts.far_officer).count() == 0
