"""Many at once: all or none, 500 at most, one event, in a number of statements that does not grow."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from institutions import clock
from institutions.models import Event
from supervision.handing_out import hand_out
from supervision.models import Rectification
from supervision.verifying import close_many, sign_many
from tests.supervision.making import applied, fresh, new_problem, rectification


def handed_out(world, number, tag=""):
    hand_out(
        [new_problem(world.centre, f"{tag}{i}") for i in range(number)], by=world.posts.officer
    )
    return dict(
        Rectification.objects.filter(problem__text__startswith=tag).values_list("pk", "version")
    )


def ready_to_close(world, number, tag=""):
    """As after hundreds of applications, written at once."""
    handed_out(world, number, tag)
    Rectification.objects.filter(status="assigned").update(
        status="applied",
        signed_at=clock.now(),
        applied_at=clock.now(),
        author=world.posts.staff,
        measures="已改",
        person="经办人",
    )
    return dict(Rectification.objects.filter(status="applied").values_list("pk", "version"))


def test_five_hundred_are_closed_with_one_event_at_the_cost_of_ten(world):
    officer = fresh(world.posts.officer)
    cost = {}
    for number, tag in ((10, "a"), (500, "b")):
        seen = ready_to_close(world, number, tag)
        with CaptureQueriesContext(connection) as captured:
            assert close_many(seen, note="集中复核", by=officer) == number
        cost[number] = len(captured)
    assert cost[500] <= cost[10] <= 12  # the first one begins the chain of events
    assert Rectification.objects.filter(status="closed", verifier=officer).count() == 510
    events = Event.objects.filter(action="supervision.rectification.close")
    assert [event.data["count"] for event in events.order_by("seq")] == [10, 500]


def test_one_that_cannot_be_closed_stops_all(world):
    seen = ready_to_close(world, 5)
    own = Rectification.objects.get(pk=max(seen))
    Rectification.objects.filter(pk=own.pk).update(author=world.posts.officer)
    with pytest.raises(ValidationError, match="不由本岗位办理"):
        close_many(seen, by=fresh(world.posts.officer))
    still = rectification(world, world.centre, text="还在整改")
    with pytest.raises(ValidationError, match="待签收"):
        close_many({still.pk: still.version}, by=world.posts.officer)
    pk = min(seen)
    with pytest.raises(ValidationError, match="有了变化"):
        close_many({pk: seen[pk] + 1}, by=world.posts.officer)
    with pytest.raises(ValidationError, match="500"):
        close_many(dict.fromkeys(range(501), 1), by=world.posts.officer)
    with pytest.raises(PermissionDenied):
        close_many(seen, by=world.posts.staff)
    with pytest.raises(ValidationError):  # his own institution's
        close_many(seen, by=world.posts.head)
    assert not Rectification.objects.filter(status="closed").exists()


def test_the_page_lists_what_one_may_close_and_does_it(world, log_in):
    rows = [applied(rectification(world, world.centre, text=f"问题{i}"), fresh(world.posts.head))
            for i in range(3)]  # fmt: skip
    url = reverse("supervision:rectification_close_many")
    client = log_in(world.posts.officer)
    page = client.get(url).content.decode()
    assert all(f"{row.pk}:{row.version}" in page for row in rows)
    stale = client.post(url, {"rows": [f"{rows[0].pk}:1"]})
    assert "一项也没有办理" in stale.content.decode()
    client.post(url, {"rows": [f"{r.pk}:{r.version}" for r in rows[:2]], "note": "现场核实"})
    states = [Rectification.objects.get(pk=row.pk).status for row in rows]
    assert states == ["closed", "closed", "applied"]
    assert Rectification.objects.get(pk=rows[0].pk).opinion == "现场核实"
    assert "刷新" in client.post(url, {"rows": ["x:y"]}).content.decode()


def test_an_institution_signs_for_all_it_was_given(world, log_in):
    seen = handed_out(world, 4)
    other = rectification(world, world.other_centre)
    url = reverse("supervision:rectification_sign_many")
    client = log_in(world.posts.staff)
    client.post(url, {"rows": [f"{pk}:{version}" for pk, version in seen.items()]})
    assert Rectification.objects.filter(status="signed").count() == 4
    with pytest.raises(ValidationError):
        sign_many({other.pk: other.version}, by=world.posts.staff)


@pytest.mark.parametrize(
    ("persona", "offered"),
    [
        ("officer", True),
        ("head", True),
        ("lead", True),
        ("doctor", False),
        ("maternal_head", False),
    ],
)
def test_closing_many_is_offered_to_whoever_supervises_somebody(world, log_in, persona, offered):
    page = log_in(getattr(world.posts, persona)).get(reverse("supervision:rectification_list"))
    assert ("批量销号" in page.content.decode()) is offered
    assert getattr(world.posts, persona).has_perm("supervision.verify_rectification")
