"""What is late, unit by unit: each number leads to exactly its rows, and nobody sees more than his own reach."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.models import Campaign, Phase
from institutions import clock
from supervision.models import Rectification
from tests.supervision.making import rectification

pytestmark = pytest.mark.django_db
URL = "overdue_list"


def late(world, unit, count: int = 1, **more) -> None:
    for number in range(count):
        rectification(world, unit, text=f"{unit.code} 问题{number}", **more)
    Rectification.objects.filter(institution=unit).update(due=clock.today() - timedelta(days=1))


def cells(response) -> dict[str, list[str]]:
    rows = response.context["listing"]["rows"]
    return {str(row.cells[0].value): [str(c.value) for c in row.cells[1:]] for row in rows}


@pytest.mark.row("X03")
def test_units_are_named_with_what_is_overdue_there_the_worst_first(world, log_in):
    late(world, world.centre)
    late(world, world.other_centre, 2)
    rectification(world, world.hospital, text="未到期")
    client = log_in(world.posts.officer)
    page = client.get(reverse(URL))
    found = cells(page)
    assert list(found) == [world.other_centre.known_as, world.centre.known_as]
    assert found[world.other_centre.known_as] == ["2", "0", "0", "0", "2", "0", "0"]
    link = page.context["listing"]["rows"][0].cells[5].url
    listed = client.get(link).context["page"]
    assert listed.count == 2 and {r.row.institution for r in listed.rows} == {world.other_centre}


@pytest.mark.row("X03")
def test_phases_past_their_end_and_the_coming_checks_stand_beside(world, log_in):
    campaign = Campaign.objects.create(
        institution=world.county,
        supervisor=world.county,
        name="提升年",
        title="通知",
        year=2023,
        issued_on=clock.today(),
        status="issued",
    )
    for position, (name, days) in enumerate((("自查阶段", -1), ("总结阶段", 0)), 1):
        Phase.objects.create(
            campaign=campaign,
            institution=world.county,
            supervisor=world.county,
            position=position,
            name=name,
            ends=clock.today() + timedelta(days=days),
        )
    page = log_in(world.posts.officer).get(reverse(URL)).content.decode()
    assert "自查阶段" in page and "总结阶段" not in page
    assert reverse("campaigns:check_calendar") in page


def test_everybody_sees_only_what_is_in_reach_and_the_cost_does_not_grow(world, log_in):
    late(world, world.centre)
    late(world, world.other_centre)
    head = log_in(world.posts.head).get(reverse(URL))
    assert list(cells(head)) == [world.centre.known_as]
    client = log_in(world.posts.officer)
    client.get(reverse(URL))
    counts = []
    for unit in (world.hospital, world.maternal, world.cdc):
        with CaptureQueriesContext(connection) as caught:
            client.get(reverse(URL))
        counts.append(len(caught))
        late(world, unit)
    assert len(set(counts)) == 1 and counts[0] <= 12
