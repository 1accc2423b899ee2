"""Drawing records, checking them, the rates, and who may look at numbers and phones."""

import hashlib
from fractions import Fraction

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from institutions.models import Event
from supervision import sampling
from supervision.assigning import issue_round
from supervision.models import RecordCheck, RecordSample
from tests.builders import item
from tests.supervision.making import round_of, visit_of
from tests.supervision.test_visits import JSON, save, submit

PHONE = "13900001234"
NUMBER = "370306-0008-0"


@pytest.fixture
def visit(world):
    round = round_of(world)
    row = visit_of(round, world.centre, world.posts.expert, items=("08", "09"))
    issue_round(round, by=world.posts.officer, version=round.version)
    row.refresh_from_db()
    return row


def listed(count=30, header="档案编号,联系电话,姓名") -> SimpleUploadedFile:
    rows = [f"{NUMBER}{number:02},{PHONE[:-2]}{number:02},某" for number in range(count)]
    return SimpleUploadedFile("名单.csv", "\n".join([header, *rows]).encode(), "text/csv")


def draw(client, visit, **values):
    values = {"item": item("08").pk, "size": 10, **values}
    return client.post(reverse("supervision:visit_samples", args=[visit.pk]), values)


def mark(client, check, *, json=True, **values):
    check.refresh_from_db()
    values = {"version": check.version, "result": "real", **values}
    url = reverse("supervision:check_save", args=[check.pk])
    return client.post(url, values, **(JSON if json else {}))


# --- The draw --------------------------------------------------------------------------------------


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 60), st.integers(1, 10**6), st.integers(0, 2**64))
def test_the_draw_depends_on_the_set_and_the_seed_alone(count, step, number):
    numbers, seed = {str(place * step) for place in range(count)}, f"{number:x}"
    drawn = sampling.draw(numbers, seed, 10)
    assert drawn == sampling.draw(sorted(numbers, reverse=True), seed, 10)
    assert len(drawn) == len(set(drawn)) == min(10, len(numbers)) and set(drawn) <= numbers
    assert sampling.draw(numbers, seed, 5) == drawn[:5]


def test_the_order_is_that_of_the_documented_hash():
    numbers = ["1", "2", "3"]
    by_hand = sorted(numbers, key=lambda n: hashlib.sha256(f"ab:{n}".encode()).hexdigest())
    assert sampling.draw(numbers, "ab", 3) == by_hand


@pytest.mark.row("C21", "X05")
def test_records_are_drawn_from_a_list_once_and_can_be_drawn_again_to_the_same(
    world, log_in, visit
):
    client = log_in(world.posts.expert)
    assert draw(client, visit, list=listed()).status_code == 302
    sample = visit.samples.get()
    checks = list(sample.checks.all())
    everything = [f"{NUMBER}{number:02}" for number in range(30)]
    assert [c.number for c in checks] == sampling.draw(everything, sample.seed, 10)
    assert sample.digest == sampling.digest(everything) and sample.population == 30
    assert all(c.phone.startswith(PHONE[:-2]) for c in checks)
    event = Event.objects.get(action="supervision.recordsample.draw")
    assert event.data["seed"] == sample.seed and NUMBER not in str(event.data)
    again = draw(client, visit, list=listed())
    assert again.status_code == 422 and visit.samples.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        RecordSample.objects.create(
            visit=visit,
            item=item("08"),
            origin="list",
            population=1,
            size=1,
            seed="0",
            digest="0",
            drawn_by=world.posts.expert,
        )


def test_records_are_drawn_from_a_range_and_mistakes_are_told(world, log_in, visit):
    client = log_in(world.posts.expert)
    for wrong, words in (
        ({}, "请上传档案名单"),
        ({"first": 9, "last": 3}, "不能小于"),
        ({"first": 1, "last": 5}, "抽取份数应在"),
        ({"list": listed(), "first": 1, "last": 50}, "只选一种"),
        ({"list": listed(header="姓名,住址,备注")}, "找不到编号列"),
    ):
        answer = draw(client, visit, **wrong)
        assert answer.status_code == 422 and words in answer.content.decode(), wrong
    assert draw(client, visit, first=101, last=400).status_code == 302
    numbers = {int(c.number) for c in RecordCheck.objects.all()}
    assert len(numbers) == 10 and numbers <= set(range(101, 401))


def test_only_the_team_draws_and_only_while_it_records(world, log_in, visit):
    assert draw(log_in(world.posts.other_head), visit, first=1, last=99).status_code == 404
    assert draw(log_in(world.posts.city_officer), visit, first=1, last=99).status_code == 403
    client = log_in(world.posts.expert)
    save(client, visit, key="00000000-0000-4000-8000-00000000000a", item=item("08").pk, text="好")
    submit(client, visit)
    assert draw(client, visit, first=1, last=99).status_code == 409


# --- Checking --------------------------------------------------------------------------------------


@pytest.fixture
def sample(world, log_in, visit):
    draw(log_in(world.posts.expert), visit, list=listed(), size=4)
    return visit.samples.get()


def test_each_record_is_marked_with_its_reason_and_the_rates_follow(world, log_in, visit, sample):
    client = log_in(world.posts.expert)
    one, two, three, four = sample.checks.all()
    assert "请选择未核实到的原因" in str(mark(client, one, result="unreached").json())
    assert "请写明" in str(mark(client, one, result="unreal").json())
    mark(client, one, result="unreal", reason="本人称未随访", call="differs")
    mark(client, two, result="unreached", cause="wrong", call="missed")
    mark(client, three, result="incomplete", reason="体检缺项")
    submitted = submit(client, visit)
    assert "还有 1 份抽查档案没有记录结果" in submitted.content.decode()
    totals = mark(client, four).json()["totals"]
    # 4 checked; 3 verified, of them 2 genuine; 1 real and complete.
    assert totals == {"checked": 4, "truth": "66.67%", "conformity": "25.00%"}
    tally = sampling.tally(sample.checks.all())
    assert (tally.truth, tally.conformity) == (Fraction(2, 3), Fraction(1, 4))
    assert mark(client, four, version=1).status_code == 409
    rates = client.get(reverse("supervision:sample_rates")).content.decode()
    assert "66.67" in rates and "25.00" in rates
    listed_ = client.get(reverse("supervision:sample_list")).content.decode()
    assert "66.67%" in listed_ and "青年路" in listed_


@pytest.mark.parametrize(
    "wrong",
    [
        {"result": "unreached"},
        {"result": "unreal"},
        {"result": "real", "cause": "away"},
        {"result": "fine"},
        {"call": "shouted"},
    ],
)
def test_the_database_refuses_a_result_without_its_reason(world, sample, wrong):
    check = sample.checks.first()
    rows = RecordCheck.objects.filter(pk=check.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(checked_at=sample.drawn_at if "result" in wrong else None, **wrong)


def test_a_tally_of_nothing_has_no_rates():
    assert sampling.Tally().truth is None and sampling.Tally().conformity is None


# --- Whose they are --------------------------------------------------------------------------------


def test_numbers_and_phones_are_masked_and_shown_only_by_an_act_that_is_written_down(
    world, log_in, visit, sample
):
    client = log_in(world.posts.expert)
    check = sample.checks.first()
    page = client.get(sample.get_absolute_url()).content.decode()
    assert check.number not in page and check.phone not in page
    assert check.masked_number in page and "****" in page
    url = reverse("supervision:sample_reveal", args=[sample.pk])
    assert client.get(url).status_code == 405
    shown = client.post(url).content.decode()
    assert check.number in shown and check.phone in shown
    event = Event.objects.get(action="supervision.recordsample.reveal")
    assert event.post == world.posts.expert and event.data == {"count": 4}
    assert log_in(world.posts.head).post(url).status_code == 404
    assert log_in(world.posts.auditor).post(url).status_code == 403
    assert log_in(world.posts.city_officer).post(url).status_code == 403
    assert Event.objects.filter(action="supervision.recordsample.reveal").count() == 1


def test_exports_of_record_checks_hold_counts_and_no_numbers(world, log_in, sample):
    client = log_in(world.posts.officer)
    answer = client.get(reverse("supervision:sample_list"), {"format": "csv"})
    text = answer.getvalue().decode("utf-8-sig")
    assert "真实率" in text and NUMBER not in text and PHONE[:-2] not in text


def test_a_short_number_shows_nothing_of_itself():
    assert RecordCheck(number="12").masked_number == "••"
    assert RecordCheck(number="123456").masked_number == "••••56"
