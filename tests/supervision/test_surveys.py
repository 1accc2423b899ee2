"""Asking residents: the entry, the quota, the rates, and the phones."""

from fractions import Fraction
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from institutions import clock
from institutions.models import Event
from supervision import surveying
from supervision.assigning import issue_round
from supervision.models import ResidentSurvey, Visit, VisitPolicy
from supervision.models.survey import Group
from tests.supervision.making import round_of, visit_of

PHONE = "13800005678"


@pytest.fixture
def visit(world):
    round = round_of(world)
    row = visit_of(round, world.centre, world.posts.expert)
    issue_round(round, by=world.posts.officer, version=round.version)
    row.refresh_from_db()
    return row


def enter(client, visit, **values):
    values = {
        "key": str(uuid4()),
        "group": "chronic",
        "channel": "phone",
        "phone": PHONE,
        "known": ["free", "record", "elderly"],
        "faced": "yes",
        "called_at_home": "no",
        "satisfaction": "fairly",
        **values,
    }
    return client.post(reverse("supervision:survey_entries", args=[visit.pk]), values)


@pytest.mark.row("A15", "X05")
def test_residents_are_asked_by_quota_and_the_rates_add_up(world, log_in, visit):
    client = log_in(world.posts.expert)
    assert enter(client, visit).status_code == 302
    enter(client, visit, satisfaction="unused", faced="", called_at_home="", known=[])
    enter(client, visit, group="elderly", known=["free", "elderly"], satisfaction="no", faced="no")
    # Asked are the questions of the group: an answer to another group's does not count.
    first = visit.surveys.first()
    assert (first.asked, first.right) == (4, 2) and "elderly" not in first.answers
    tally = surveying.tally(visit.surveys.all())
    assert tally.awareness == Fraction(4, 12) and tally.satisfaction == Fraction(1, 2)
    assert tally.face_rate == Fraction(1, 2) and tally.home_rate == Fraction(0)
    page = client.get(reverse("supervision:survey_entries", args=[visit.pk])).content.decode()
    assert "2 / 4 人，还差 2 人" in page and "33.33%" in page and "50.00%" in page
    assert "满意、基本满意 1 / 2 人" in page
    rows = client.get(reverse("supervision:survey_list")).content.decode()
    assert "33.33%" in rows and "青年路" in rows


def test_an_entry_sent_twice_is_one(world, log_in, visit):
    client = log_in(world.posts.expert)
    key = str(uuid4())
    for _ in range(2):
        assert enter(client, visit, key=key).status_code == 302
    assert visit.surveys.count() == 1


def test_an_entry_can_be_taken_back_by_the_team_alone(world, log_in, visit):
    enter(log_in(world.posts.expert), visit)
    url = reverse("supervision:survey_remove", args=[visit.surveys.get().pk])
    assert log_in(world.posts.other_head).post(url).status_code == 404
    assert log_in(world.posts.city_officer).post(url).status_code == 403
    assert log_in(world.posts.expert).post(url).status_code == 302
    assert not visit.surveys.exists()


def test_phones_are_masked_and_shown_only_by_an_act_that_is_written_down(world, log_in, visit):
    client = log_in(world.posts.expert)
    assert "请填写电话号码" in enter(client, visit, phone="张三").content.decode()
    enter(client, visit)
    page = client.get(reverse("supervision:survey_entries", args=[visit.pk])).content.decode()
    assert PHONE not in page and "138****5678" in page
    url = reverse("supervision:survey_reveal", args=[visit.pk])
    assert PHONE in client.post(url).content.decode()
    assert Event.objects.filter(action="supervision.residentsurvey.reveal").count() == 1
    assert log_in(world.posts.city_officer).post(url).status_code == 403
    # The visited institution does not learn who was asked, before or after the record is submitted.
    assert log_in(world.posts.head).post(url).status_code == 404
    Visit.objects.filter(pk=visit.pk).update(
        status="submitted", submitted_at=clock.now(), visited_on=clock.today()
    )
    assert log_in(world.posts.head).post(url).status_code == 403
    own = log_in(world.posts.head).get(reverse("supervision:survey_entries", args=[visit.pk]))
    assert own.status_code == 200 and "5678" not in own.content.decode()


@pytest.mark.parametrize(
    "wrong", [{"right": 5}, {"group": "child"}, {"satisfaction": "great"}, {"asked": 0, "right": 0}]
)
def test_the_database_refuses_impossible_answers(world, visit, wrong):
    values = {
        "visit": visit,
        "group": "chronic",
        "channel": "home",
        "asked": 4,
        "right": 2,
        "satisfaction": "yes",
        "key": uuid4(),
        "author": world.posts.expert,
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        ResidentSurvey.objects.create(**{**values, **wrong})


def test_every_group_is_asked_something_of_its_own():
    for group in ("chronic", "maternal", "parent", "elderly"):
        assert len(surveying.questions_for(group)) == 4
    assert len(surveying.questions_for(Group.OTHER)) == 3


def test_the_quota_and_the_period_are_the_supervisors_policy(world, log_in, visit):
    client = log_in(world.posts.officer)
    url = reverse("supervision:visit_policy")
    values = {"chronic": 6, "maternal": 2, "parent": 1, "elderly": 1, "records": 5}
    answer = client.post(url, {**values, "keep_days": 10, "version": 0})
    assert answer.status_code == 422 and not VisitPolicy.objects.exists()
    assert client.post(url, {**values, "keep_days": 90, "version": 0}).status_code == 302
    assert surveying.policy_of(world.county).quotas["chronic"] == 6
    # A centre without its own has its bureau's.
    assert surveying.policy_of(world.centre).keep_days == 90
    assert client.post(url, {**values, "keep_days": 60, "version": 0}).status_code == 409
    assert client.post(url, {**values, "keep_days": 60, "version": 1}).status_code == 302
    assert Event.objects.filter(action="supervision.visitpolicy.change").count() == 2
    assert log_in(world.posts.doctor).get(url).status_code == 403
    with pytest.raises(IntegrityError), transaction.atomic():
        VisitPolicy.objects.create(institution=world.centre, keep_days=5)
