"""How well the loop closes: figures that can be counted by hand, at a cost that does not grow."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from institutions import clock
from supervision.handing_out import hand_out
from supervision.models import Rectification
from supervision.statistics import statistics
from tests.supervision.making import new_problem, rectification

URL = "supervision:rectification_statistics"


def at(day, hour=10):
    return datetime(2023, 3, day, hour, tzinfo=clock.SHANGHAI)


def lived(world, unit, text, *, assigned, applied=None, closed=None, due, **more):
    row = rectification(world, unit, text=text, **more)
    status = "closed" if closed else "applied" if applied else "signed"
    Rectification.objects.filter(pk=row.pk).update(
        status=status,
        assigned_at=assigned,
        signed_at=assigned,
        applied_at=applied,
        closed_at=closed,
        verifier=world.posts.officer if closed else None,
        due=due,
        sign_due=assigned.date(),
    )
    return row


@pytest.mark.row("A33")
def test_the_figures_are_those_counted_by_hand(world, log_in):
    day = at(20).date()
    # On time though it was 23:59 in Shanghai, and late one minute after.
    lived(world, world.centre, "a", assigned=at(1), applied=at(20, 23), closed=at(21), due=day)
    late = at(21, 0) + timedelta(minutes=1)
    lived(world, world.centre, "b", assigned=at(1), applied=late, closed=at(31), due=day)
    lived(world, world.centre, "c", assigned=at(1), applied=at(5), due=day, code="05")
    lived(world, world.other_centre, "d", assigned=at(1), due=day, source="daily")
    gone = rectification(world, world.centre, text="撤回的")
    gone.withdraw(by=world.posts.officer, version=gone.version, note="重复")
    found = statistics(Rectification.objects.all())
    whole = found.whole
    assert (whole.total, whole.closed, whole.done, whole.on_time) == (4, 2, 3, 2)
    assert whole.closing_rate == Decimal("50.0") and whole.on_time_rate == Decimal("66.7")
    assert whole.days == Decimal("25.0") and whole.overdue == 1
    assert whole.signing_rate == Decimal("100.0")
    assert {line.label: line.total for line in found.by_source} == {"省级": 3, "日常督导": 1}
    assert [(line.label, line.total, line.closed) for line in found.by_institution] == [
        (world.centre.known_as, 3, 2),
        (world.other_centre.known_as, 1, 0),
    ]
    assert {line.label: line.total for line in found.by_group} == {
        "孕产妇": 1,
        "严重精神障碍患者": 3,
    }
    assert sum(count for _, _, count in found.ageing) == 1
    page = log_in(world.posts.officer).get(reverse(URL)).content.decode()
    assert "50.0" in page and "66.7" in page and world.centre.known_as in page
    narrow = log_in(world.posts.officer).get(reverse(URL), {"source": "daily"}).content.decode()
    assert world.centre.known_as + "</a>" not in narrow
    assert "没有符合条件的整改" in log_in(world.posts.far_head).get(reverse(URL)).content.decode()


def test_it_costs_the_same_at_twenty_and_two_hundred_rows(world, log_in):
    client = log_in(world.posts.officer)

    def cost(number, tag):
        hand_out(
            [new_problem(world.centre, f"{tag}{i}") for i in range(number)],
            by=world.posts.officer,
        )
        client.get(reverse(URL))
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse(URL)).status_code == 200
        return len(captured)

    assert cost(180, "b") == cost(20, "a") <= 20
