"""催办: each step once, on its day, to whom it concerns; the docs' tables row by row, and a year with outages."""

import random
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from institutions import clock
from institutions.models import Notification, Pairing
from institutions.roles import Role
from institutions.workdays import WorkCalendar
from supervision import deadlines
from supervision.models import Rectification, Reminder
from supervision.reminding import remind
from tests import builders
from tests.supervision.making import rectification

pytestmark = pytest.mark.django_db
DOCS = Path(__file__).parents[2] / "docs" / "reminders.md"
START = date(2023, 3, 1)  # a Wednesday
DUE = date(2023, 3, 15)
WORDS = {
    "机构": deadlines.INSTITUTION,
    "条线牵头": deadlines.LEADS,
    "挂包领导": deadlines.LINKED,
    "局主要领导": deadlines.HEADS,
}


@contextmanager
def on(day, hour=6):
    token = clock._moment.set(datetime(day.year, day.month, day.day, hour, tzinfo=clock.SHANGHAI))
    try:
        yield
    finally:
        clock._moment.reset(token)


def handed_out(world, institution=None, *, start=START, due=DUE, code="08"):
    with on(start):
        return rectification(world, institution or world.centre, due=due, code=code)


def run(day):
    with on(day):
        return remind()


def steps(row):
    """Return (turn, step, day, whether it was missed) of each reminder, by day."""
    return [
        (one.turn, one.step, one.on, one.sent_at is None)
        for one in row.reminders.order_by("on", "pk")
    ]


def told(row, step):
    return set(row.reminders.get(step=step).posts.values_list("user__username", flat=True))


def test_the_steps_are_those_of_the_document():
    table = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in DOCS.read_text(encoding="utf-8").splitlines()
        if line.startswith(("| 到期", "| 逾期"))
    ]
    assert [
        (label, int(offset), tuple(WORDS[w] for w in words.split("、")))
        for label, offset, words in table
    ] == [(s.label, s.offset, s.told) for s in deadlines.STEPS]


@pytest.mark.parametrize(
    ("step", "day"),
    [
        ("before", date(2023, 3, 10)),
        ("due", date(2023, 3, 15)),
        ("late3", date(2023, 3, 20)),
        ("late7", date(2023, 3, 24)),
        # 2023-04-05 is 清明.
        ("late15", date(2023, 4, 6)),
    ],
)
def test_each_step_falls_on_its_working_day(world, step, day):
    row = handed_out(world)
    run(day - timedelta(days=1))
    assert not row.reminders.filter(step=step).exists()
    run(day)
    assert row.reminders.get(step=step).on == day


def test_make_up_days_are_worked_and_an_unannounced_year_counts_monday_to_friday():
    calendar = WorkCalendar()
    # 2023-04-23, a Sunday, was worked; 04-29 to 05-03 was off.
    assert deadlines.BY_CODE["late3"].day(date(2023, 4, 21), calendar) == date(2023, 4, 25)
    assert deadlines.BY_CODE["late3"].day(date(2099, 5, 1), calendar) == date(2099, 5, 6)


@pytest.mark.row("X03", "X09")
def test_it_climbs_from_the_institution_to_the_head_of_the_bureau(world):
    head_of_bureau = builders.post(world.county, Role.LEADER, "局长", username="chief")
    row = handed_out(world, code="02")
    run(date(2023, 4, 6))
    unit = {"head", "staff"}
    assert told(row, "before") == told(row, "due") == unit
    assert told(row, "late3") == unit | {"lead"}
    assert told(row, "late7") == unit | {"lead", "leader"}
    assert told(row, "late15") == unit | {"lead", "leader", head_of_bureau.user.username}


def test_an_item_that_nobody_leads_has_no_lead_and_a_clinic_has_its_centre(world):
    row = handed_out(world, code="08")
    clinic = handed_out(world, world.clinic, code="08")
    run(date(2023, 3, 24))
    assert told(row, "late3") == {"head", "staff"}
    assert told(clinic, "due") == {"doctor"}
    # Who verifies at the centre, and the leader linked to the centre.
    assert told(clinic, "late3") == {"doctor", "head"}
    assert told(clinic, "late7") == {"doctor", "head", "leader"}


def test_a_link_that_is_over_is_told_nothing(world):
    Pairing.objects.filter(post=world.posts.leader).update(ends=date(2023, 3, 1))
    row = handed_out(world)
    run(date(2023, 3, 24))
    assert told(row, "late7") == {"head", "staff"}


def test_a_second_run_on_the_same_day_finds_nothing(world, django_capture_on_commit_callbacks):
    row = handed_out(world)
    with django_capture_on_commit_callbacks(execute=True):
        assert run(DUE).steps == 2
    notes = Notification.objects.filter(text__startswith="整改催办")
    assert notes.filter(post=world.posts.head, url=row.get_absolute_url()).count() == 2
    with django_capture_on_commit_callbacks(execute=True):
        assert run(DUE).steps == 0
    assert notes.filter(post=world.posts.head).count() == 2


def test_missed_days_are_made_up_for_with_their_own_days(world):
    row = handed_out(world)
    run(date(2023, 3, 24))
    assert steps(row) == [
        (0, "before", date(2023, 3, 10), False),
        (0, "due", date(2023, 3, 15), False),
        (0, "late3", date(2023, 3, 20), False),
        (0, "late7", date(2023, 3, 24), False),
    ]


def apply(row, by, day):
    """Apply for closing by the verb itself; what must be there before is put there first."""
    from institutions import files
    from tests.builders import picture

    with on(day, 11):
        row.refresh_from_db()
        if row.status == "assigned":
            row.sign(by=by, version=row.version)
        Rectification.objects.filter(pk=row.pk).update(measures="补做", person="经办人")
        row.refresh_from_db()
        if not row.files.exists():
            row.files.add(files.store(picture(), by=by))
        row.apply(by=by, version=row.version)


def test_they_stop_when_it_is_handed_in_and_what_was_missed_is_on_record(world):
    row = handed_out(world)
    apply(row, world.posts.head, date(2023, 3, 16))
    run(date(2023, 4, 20))
    assert steps(row) == [
        (0, "before", date(2023, 3, 10), True),
        (0, "due", date(2023, 3, 15), True),
    ]


def test_they_begin_anew_after_a_return_even_to_the_same_day(world):
    row = handed_out(world)
    run(date(2023, 3, 10))
    apply(row, world.posts.head, date(2023, 3, 10))
    with on(date(2023, 3, 10), 15):
        row.send_back(by=world.posts.officer, version=row.version, note="未改", due=DUE)
    run(date(2023, 3, 20))
    assert [(turn, step) for turn, step, *_ in steps(row)] == [
        (0, "before"),
        (1, "due"),
        (1, "late3"),
    ]


def test_they_stop_for_good_when_it_is_withdrawn(world):
    row = handed_out(world)
    with on(date(2023, 3, 2)):
        row.withdraw(by=world.posts.officer, version=row.version, note="重复")
    assert run(date(2023, 4, 20)).steps == 0


def test_the_step_before_is_spared_when_handed_out_late(world):
    row = handed_out(world, start=date(2023, 3, 13))
    run(date(2023, 3, 15))
    assert [step for _, step, *_ in steps(row)] == ["due"]


def year(world, seed, outages):
    """Live a year: rectifications handed out, handed in, returned, withdrawn at random; the run fails on some days."""
    chance = random.Random(seed)
    broken = random.Random(seed + 1)
    rows, posts = [], world.posts
    day = date(2023, 1, 1)
    while day < date(2024, 1, 1):
        if chance.random() < 0.08:
            due = day + timedelta(days=chance.randint(0, 40))
            rows.append(handed_out(world, start=day, due=due, code=chance.choice(["02", "08"])))
        if not (outages and broken.random() < 0.4):
            run(day)
        for row in rows:
            row.refresh_from_db()
            turn = chance.random()
            if row.status in Rectification.WITH_INSTITUTION and turn < 0.04:
                apply(row, posts.head, day)
            elif row.status in Rectification.WITH_INSTITUTION and turn < 0.043:
                with on(day, 12):
                    row.withdraw(by=posts.officer, version=row.version, note="重复")
            elif row.status == "applied" and turn < 0.2:
                with on(day, 12):
                    due = day + timedelta(days=chance.randint(0, 20))
                    row.send_back(by=posts.officer, version=row.version, note="未改", due=due)
            elif row.status == "applied" and turn < 0.35:
                with on(day, 12):
                    row.close(by=posts.second_officer, version=row.version)
        day += timedelta(days=1)
    run(day)
    order = {row.pk: number for number, row in enumerate(rows)}
    return sorted(
        (order[pk], *rest)
        for pk, *rest in Reminder.objects.filter(rectification__in=rows).values_list(
            "rectification", "turn", "due", "step", "on"
        )
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_a_year_with_outages_equals_the_year_without(world, seed):
    with transaction.atomic():
        whole = year(world, seed, outages=False)
        transaction.set_rollback(True)
    with transaction.atomic():
        broken = year(world, seed, outages=True)
        transaction.set_rollback(True)
    assert len(whole) > 40 and {step for *_, step, _ in whole} == set(deadlines.BY_CODE)
    assert broken == whole


def test_the_run_costs_the_same_for_many(world):
    def cost(count):
        for _ in range(count):
            handed_out(world, code="02")
        with CaptureQueriesContext(connection) as captured:
            run(date(2023, 3, 24))
        return len(captured)

    few = cost(3)
    assert cost(30) <= few


def test_the_database_refuses_a_step_twice(world):
    row = handed_out(world)
    run(DUE)
    one = row.reminders.first()
    with pytest.raises(IntegrityError), transaction.atomic():
        Reminder.of(row, deadlines.BY_CODE[one.step], one.on).save()


def test_the_command_and_the_page_say_what_was_done(world, log_in, capsys):
    row = handed_out(world)
    with on(date(2023, 3, 15)):
        call_command("remind")
    assert "催办 2 步，通知 2 个岗位" in capsys.readouterr().out
    page = log_in(world.posts.officer).get(row.get_absolute_url()).content.decode()
    assert "催办记录" in page and "到期当日" in page and "中心主任" in page
