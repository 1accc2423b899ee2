"""Moves: the right side, the right version, every need, one event; and what the database says again."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, IntegrityError, transaction

from institutions.models import AppendOnlyError, Event
from institutions.workflow import Side, StaleState
from supervision.models import Problem, Rectification
from tests import builders


@pytest.fixture
def duty(world):
    """A rectification that the centre owes its bureau."""
    return make(world, world.centre, world.county)


def make(world, institution, supervisor, **more):
    problem = Problem.objects.create(
        institution=institution,
        supervisor=supervisor,
        source="county",
        year=2023,
        text="档案空项",
        found_on="2023-03-01",
        item=builders.item("02"),
    )
    return Rectification.objects.create(
        problem=problem,
        institution=institution,
        supervisor=supervisor,
        item=problem.item,
        due=date(2023, 3, 31),
        **more,
    )


def test_a_move_changes_status_version_and_trail_together(world, duty):
    duty.sign(by=world.posts.head, version=1)
    duty.refresh_from_db()
    event = Event.objects.of(duty).get()
    assert (duty.status, duty.version, duty.signed_at is not None) == ("signed", 2, True)
    assert (event.label, event.before, event.after) == ("签收", "assigned", "signed")
    assert event.post == world.posts.head and "中心主任" in event.who
    assert event.institution_text == world.centre.name


def test_a_stale_version_saves_nothing(world, duty):
    duty.sign(by=world.posts.head, version=1)
    for version in (1, 3, 0):
        with pytest.raises(StaleState):
            Rectification.objects.get(pk=duty.pk).withdraw(
                by=world.posts.officer, version=version, note="误发"
            )
    assert Event.objects.of(duty).count() == 1


def test_the_second_of_two_people_loses(world, duty):
    mine, theirs = (Rectification.objects.get(pk=duty.pk) for _ in range(2))
    mine.sign(by=world.posts.head, version=1)
    with pytest.raises(StaleState):
        theirs.sign(by=world.posts.staff, version=1)
    assert Event.objects.of(duty).count() == 1


def test_a_need_that_is_not_met_is_named_and_stops_the_move(world, duty):
    duty.sign(by=world.posts.head, version=1)
    with pytest.raises(ValidationError, match="整改措施"):
        duty.apply(by=world.posts.head, version=2)
    with pytest.raises(ValidationError, match="理由"):
        duty.withdraw(by=world.posts.officer, version=2, note="")
    [apply] = [o for o in duty.moves_for(world.posts.head) if o.name == "apply"]
    assert apply.reason == "请先填写整改措施"


def test_nobody_stands_on_both_sides_of_a_record(world):
    centre_duty = make(world, world.centre, world.county)
    clinic_duty = make(world, world.clinic, world.centre)
    own = make(world, world.centre, world.centre)
    for row in (centre_duty, clinic_duty):
        for post in vars(world.posts).values():
            sides = {side for side in Side if row.stands_on(side, post)}
            assert not (Side.ANSWERS in sides and sides - {Side.ANSWERS}), (row, post)
    head = world.posts.head
    assert centre_duty.stands_on(Side.ANSWERS, head) and clinic_duty.stands_on(Side.ASKS, head)
    # What a unit asks of itself needs no other side, but is never closed by itself.
    assert not own.stands_on(Side.SECOND, head)


def test_the_author_of_a_record_never_verifies_it(world):
    row = make(world, world.centre, world.county, author=world.posts.officer)
    assert not row.stands_on(Side.SECOND, world.posts.officer)
    assert row.stands_on(Side.SECOND, world.posts.second_officer)


def test_a_bureau_higher_up_sees_but_does_not_act(world, duty):
    assert Rectification.objects.visible_to(world.posts.city_officer).filter(pk=duty.pk).exists()
    with pytest.raises(PermissionDenied):
        duty.withdraw(by=world.posts.city_officer, version=1, note="越级")
    assert duty.moves_for(world.posts.city_officer) == []


def test_a_lead_agency_acts_on_its_items_only(world, duty):
    assert duty.stands_on(Side.ASKS, world.posts.lead)
    duty.item = builders.item("08")
    assert not duty.stands_on(Side.ASKS, world.posts.lead)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (
            {"status": "banana", "signed_at": "2023-03-02T00:00Z"},
            "rectification_status_known",
        ),
        ({"status": "signed"}, "rectification_signed_has_time"),
        (
            {"status": "closed", "signed_at": "2023-03-02T00:00Z"},
            "rectification_closed_has_time_and_verifier",
        ),
    ],
)
def test_the_database_refuses_an_impossible_state(duty, change, name):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Rectification.objects.filter(pk=duty.pk).update(**change)


def test_events_are_never_changed_or_deleted(world, duty):
    duty.sign(by=world.posts.head, version=1)
    event = Event.objects.of(duty).get()
    for attempt in (
        event.save,
        event.delete,
        Event.objects.all().delete,
        lambda: Event.objects.all().update(note="x"),
    ):
        with pytest.raises(AppendOnlyError):
            attempt()


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_the_database_refuses_to_change_an_event(world, duty, verb):
    from django.db import connection

    duty.sign(by=world.posts.head, version=1)
    statement = {
        "update": "UPDATE institutions_event SET note = 'x'",
        "delete": "DELETE FROM institutions_event",
    }[verb]
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_an_event_belongs_in_the_transaction_of_its_deed(world, monkeypatch):
    from django.db import connections

    from institutions import audit

    with monkeypatch.context() as outside:
        outside.setattr(connections["default"], "in_atomic_block", False)
        with pytest.raises(RuntimeError, match="transaction"):
            audit.record("x", "x", by=None, bureau=None)


def test_a_failed_event_takes_the_move_with_it(world, duty, monkeypatch):
    from institutions import audit

    def fail(*args, **kwargs):
        raise OSError("no trail")

    monkeypatch.setattr(audit, "record", fail)
    with pytest.raises(OSError, match="no trail"):
        duty.sign(by=world.posts.head, version=1)
    assert Rectification.objects.get(pk=duty.pk).status == "assigned"
