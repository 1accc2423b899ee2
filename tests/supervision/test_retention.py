"""Numbers and phones of residents go when their time is over; what was found stays."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command

from institutions import audit, clock
from institutions.models import Event
from supervision import retention, sampling, surveying
from supervision.assigning import issue_round
from supervision.models import RecordCheck, RecordSample, ResidentSurvey, VisitPolicy
from tests.builders import item
from tests.supervision.making import fresh, round_of, visit_of


@pytest.fixture
def visit(world):
    """A visit with four drawn records and one survey."""
    round = round_of(world)
    row = visit_of(round, world.centre, world.posts.expert)
    issue_round(round, by=world.posts.officer, version=round.version)
    row.refresh_from_db()
    by = fresh(world.posts.expert)
    listed = [sampling.Listed(f"A{n:04}", f"1390000{n:04}") for n in range(20)]
    sampling.draw_sample(row, by=by, item=item("08"), size=4, listed=listed)
    surveying.enter(
        row,
        by=by,
        key=uuid4(),
        group="elderly",
        channel="phone",
        answers={"free": True},
        satisfaction="yes",
        phone="13800005678",
    )
    return row


def age(days: int) -> None:
    then = clock.now() - timedelta(days=days)
    RecordSample.objects.update(drawn_at=then)
    ResidentSurvey.objects.update(at=then)


def left() -> int:
    numbers = RecordCheck.objects.exclude(number="", phone="").count()
    return numbers + ResidentSurvey.objects.exclude(phone="").count()


def test_nothing_goes_before_its_time_and_all_of_it_after(visit):
    age(180)
    assert retention.purge() == retention.Purged(0, 0) and left() == 5
    age(181)
    assert retention.purge() == retention.Purged(4, 1) and left() == 0
    assert RecordCheck.objects.count() == 4
    assert ResidentSurvey.objects.get().right == 1
    event = Event.objects.get(action="supervision.personal.purge")
    assert event.data == {"samples": 1, "records": 4, "surveys": 1}
    assert list(audit.verify()) == []


def test_running_it_twice_changes_nothing(visit, capsys):
    age(200)
    call_command("purge_personal")
    call_command("purge_personal")
    said = capsys.readouterr().out
    assert "抽查档案 4 份、居民问卷 1 份" in said and "抽查档案 0 份、居民问卷 0 份" in said
    assert Event.objects.filter(action="supervision.personal.purge").count() == 1


def test_the_period_is_that_of_who_sent_the_team(world, visit):
    age(100)
    VisitPolicy.objects.create(institution=world.other_county, keep_days=30)
    assert retention.purge() == retention.Purged(0, 0)
    VisitPolicy.objects.create(institution=world.county, keep_days=90)
    assert retention.purge() == retention.Purged(4, 1)


def test_what_is_purged_is_nowhere_in_the_trail(visit):
    age(200)
    retention.purge()
    trail = " ".join(f"{e.subject_text} {e.note} {e.data}" for e in Event.objects.all())
    assert "A0001" not in trail and "1390000" not in trail and "13800005678" not in trail


def test_the_page_of_a_purged_sample_says_so_and_shows_no_numbers(log_in, world, visit):
    age(200)
    retention.purge()
    page = log_in(world.posts.expert).get(visit.samples.get().get_absolute_url())
    text = page.content.decode()
    assert "到期清除" in text and "显示编号和电话" not in text
