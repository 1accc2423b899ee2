"""Planning a round, sending teams, and the reach that comes with it."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from institutions import clock
from institutions.models import Event, Institution, Mandate, Notification
from supervision.assigning import RECORDING_DAYS, cancel_visit, conflict, issue_round, plan_visits
from supervision.models import SupervisionRound, Visit
from tests.builders import item
from tests.supervision.making import fresh, round_of, visit_of


def plan(world, client, round, *, units, lead, members=(), **more):
    today = clock.today().isoformat()
    return client.post(
        reverse("supervision:visit_create", args=[round.pk]),
        {
            "version": round.version,
            "institutions": [u.pk for u in units],
            "lead": lead.pk,
            "members": [m.pk for m in members],
            "items": [item("08").pk],
            "starts": today,
            "ends": today,
            **more,
        },
    )


@pytest.mark.row("A34")
def test_a_bureau_plans_and_issues_a_quarterly_round_with_experts(
    world, log_in, django_capture_on_commit_callbacks
):
    client = log_in(world.posts.officer)
    today = clock.today()
    answer = client.post(
        reverse("supervision:round_create"),
        {
            "name": "第一季度质控督导",
            "type": "quarterly",
            "year": today.year,
            "quarter": 1,
            "starts": today.isoformat(),
            "ends": (today + timedelta(days=20)).isoformat(),
            "items": [item("08").pk, item("09").pk],
        },
    )
    round = SupervisionRound.objects.get()
    assert answer.status_code == 302 and round.supervisor == world.county
    answer = plan(
        world,
        client,
        round,
        units=[world.centre, world.other_centre],
        lead=world.posts.officer,
        members=[world.posts.expert],
    )
    assert answer.status_code == 302 and round.visits.count() == 2
    round.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("supervision:round_issue", args=[round.pk]), {"version": round.version})
    round.refresh_from_db()
    assert round.status == "issued"
    mandates = Mandate.objects.filter(post=world.posts.expert)
    assert {m.institution for m in mandates} == {world.centre, world.other_centre}
    mandate = mandates.first()
    assert [i.code for i in mandate.items.all()] == ["08"] and round.name in mandate.source
    assert mandate.ends == today + timedelta(days=RECORDING_DAYS)
    assert not Mandate.objects.filter(post=world.posts.officer).exists()
    assert Notification.objects.filter(post=world.posts.expert).count() == 1
    assert (
        Event.objects.filter(action="supervision.supervisionround.issue").get().data["count"] == 2
    )


def test_the_expert_reaches_the_institution_from_the_first_day_to_thirty_days_after(world):
    round = round_of(world)
    today = clock.today()
    visit_of(
        round,
        world.centre,
        world.posts.expert,
        starts=today - timedelta(days=RECORDING_DAYS),
        ends=today - timedelta(days=RECORDING_DAYS),
    )
    visit_of(
        round,
        world.other_centre,
        world.posts.expert,
        starts=today + timedelta(days=1),
        ends=today + timedelta(days=1),
    )
    assert set(Institution.objects.visible_to(fresh(world.posts.expert))) == set()
    issue_round(round, by=world.posts.officer, version=round.version)
    seen = Institution.objects.visible_to(fresh(world.posts.expert))
    assert world.centre in seen and world.other_centre not in seen
    Visit.objects.filter(institution=world.centre).get()
    Mandate.objects.filter(institution=world.centre).update(ends=today - timedelta(days=1))
    assert not Institution.objects.visible_to(fresh(world.posts.expert)).exists()


def test_a_member_never_visits_his_employer_or_what_belongs_to_it(world, log_in):
    p = world.posts
    assert "应当回避" in conflict(p.expert, world.hospital, world.county)
    assert "隶属关系" in conflict(p.expert, world.station, world.county)
    assert "隶属关系" in conflict(p.doctor, world.centre, world.county)
    assert not conflict(p.expert, world.centre, world.county)
    assert not conflict(p.officer, world.centre, world.county)
    assert not conflict(p.head, world.clinic, world.centre)
    round = round_of(world)
    answer = plan(world, log_in(p.officer), round, units=[world.hospital], lead=p.expert)
    assert "应当回避" in answer.content.decode() and not round.visits.exists()
    with pytest.raises(ValidationError, match="应当回避"):
        plan_visits(
            round,
            institutions=[world.hospital],
            lead=p.officer,
            members=[p.expert],
            starts=clock.today(),
            ends=clock.today(),
            by=p.officer,
            version=round.version,
        )
    assert not Visit.objects.exists()


def test_who_has_come_to_work_there_since_the_plan_is_refused_at_issuing(world):
    round = round_of(world)
    visit_of(round, world.other_centre, world.posts.expert)
    world.posts.expert.institution = world.other_centre
    world.posts.expert.save()
    with pytest.raises(ValidationError, match="应当回避"):
        issue_round(round, by=world.posts.officer, version=round.version)
    round.refresh_from_db()
    assert round.status == "draft" and not Mandate.objects.filter(post=world.posts.expert).exists()


def test_a_centre_supervises_its_clinics_by_the_same_pages(world, log_in):
    client = log_in(world.posts.head)
    assert client.get(reverse("supervision:round_create")).status_code == 200
    round = round_of(world, by=world.posts.head)
    page = client.get(reverse("supervision:visit_create", args=[round.pk])).content.decode()
    assert world.clinic.name in page and world.other_clinic.name not in page
    plan(world, client, round, units=[world.clinic], lead=world.posts.staff)
    assert round.visits.get().institution == world.clinic
    answer = plan(world, client, round, units=[world.other_clinic], lead=world.posts.staff)
    assert answer.status_code == 200 and round.visits.count() == 1


def test_a_clinic_has_nobody_to_supervise(world, log_in):
    assert log_in(world.posts.doctor).get(reverse("supervision:round_create")).status_code == 403


def test_an_institution_is_planned_once_a_round_and_a_stale_plan_saves_nothing(world, log_in):
    round = round_of(world)
    client = log_in(world.posts.officer)
    plan(world, client, round, units=[world.centre], lead=world.posts.officer)
    answer = plan(world, client, round, units=[world.other_centre], lead=world.posts.officer)
    assert answer.status_code == 409 and round.visits.count() == 1
    round.refresh_from_db()
    answer = plan(world, client, round, units=[world.centre], lead=world.posts.officer)
    assert answer.status_code == 200 and round.visits.count() == 1


def test_a_draft_is_the_supervisors_alone(world, log_in):
    round = round_of(world)
    visit = visit_of(round, world.centre, world.posts.expert)
    for post in (world.posts.head, world.posts.expert, world.posts.far_officer, world.posts.lead):
        client = log_in(post)
        assert client.get(round.get_absolute_url()).status_code == 404
        assert client.get(visit.get_absolute_url()).status_code == 404
    assert log_in(world.posts.officer).get(round.get_absolute_url()).status_code == 200


def test_only_the_supervisor_issues_and_an_empty_round_not_at_all(world, log_in):
    round = round_of(world)
    url = reverse("supervision:round_issue", args=[round.pk])
    assert log_in(world.posts.head).post(url, {"version": 1}).status_code == 404
    assert log_in(world.posts.leader).post(url, {"version": 1}).status_code == 403
    assert log_in(world.posts.city_officer).post(url, {"version": 1}).status_code == 403
    log_in(world.posts.officer).post(url, {"version": 1})
    round.refresh_from_db()
    assert round.status == "draft"
    visit_of(round, world.centre, world.posts.officer)
    assert log_in(world.posts.officer).post(url, {"version": 9}).status_code == 409
    round.refresh_from_db()
    assert round.status == "draft"


def test_cancelling_a_visit_takes_the_reach_back_and_frees_the_institution(world):
    round = round_of(world)
    visit = visit_of(round, world.centre, world.posts.expert)
    issue_round(round, by=world.posts.officer, version=round.version)
    visit.refresh_from_db()
    cancel_visit(visit, by=world.posts.officer, version=visit.version, note="机构停电")
    assert not Mandate.objects.filter(post=world.posts.expert).exists()
    visit_of(round, world.centre, world.posts.officer)


def test_changing_the_team_changes_the_reach(world, log_in):
    round = round_of(world)
    visit = visit_of(round, world.centre, world.posts.expert)
    issue_round(round, by=world.posts.officer, version=round.version)
    today = clock.today().isoformat()
    answer = log_in(world.posts.officer).post(
        reverse("supervision:visit_edit", args=[visit.pk]),
        {"version": visit.version, "lead": world.posts.lead.pk, "starts": today, "ends": today},
    )
    assert answer.status_code == 302
    holders = set(Mandate.objects.filter(institution=world.centre).values_list("post", flat=True))
    assert holders == {world.posts.lead.pk}


def test_a_draft_can_be_changed_and_an_issued_round_not(world, log_in):
    round = round_of(world)
    visit_of(round, world.centre, world.posts.officer)
    client = log_in(world.posts.officer)
    url = reverse("supervision:round_edit", args=[round.pk])
    values = {
        "version": round.version,
        "name": "改名的轮次",
        "type": "special",
        "year": 2023,
        "quarter": 0,
        "starts": "2023-04-01",
        "ends": "2023-04-30",
    }
    assert client.get(url).status_code == 200
    assert client.post(url, values).status_code == 302
    round.refresh_from_db()
    assert round.name == "改名的轮次" and round.version == 2
    assert "不能早于" in client.post(url, {**values, "ends": "2023-03-01"}).content.decode()
    issue_round(round, by=world.posts.officer, version=round.version)
    round.refresh_from_db()
    stale = client.post(url, {**values, "name": "又改的名", "version": round.version})
    assert stale.status_code == 409
    # What was typed is there to be copied, in the words of the screen.
    typed = dict(stale.context["typed"])
    assert typed[str(round._meta.get_field("name").verbose_name)] == "又改的名"
    assert typed[str(round._meta.get_field("type").verbose_name)] == round.get_type_display()
    assert "又改的名" in stale.content.decode() and "csrf" not in str(typed)
