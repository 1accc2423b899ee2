"""On site: recording line by line, submitting, and what the institution sees and answers."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from institutions import clock
from institutions.models import Event, Notification
from supervision.assigning import issue_round
from supervision.models import Problem, Rectification, VisitLine
from tests.builders import item, picture
from tests.supervision.making import (
    applied,
    fresh,
    rectification,
    round_of,
    standard,
    visit_of,
)

JSON = {"headers": {"accept": "application/json"}}


@pytest.fixture
def visit(world):
    """An issued visit to the centre: the expert leads, the officer is a member; two clauses, one of them in its items."""
    round = round_of(world, of_standard=standard(world.county))
    row = visit_of(round, world.centre, world.posts.expert, members=[world.posts.officer])
    issue_round(round, by=world.posts.officer, version=round.version)
    row.refresh_from_db()
    return row


def clause(visit, code="D1"):
    return visit.round.standard.clauses.get(code=code)


def save(client, visit, *, json=True, **values):
    values = {"version": 0, "found": "good", **values}
    return client.post(
        reverse("supervision:line_save", args=[visit.pk]), values, **(JSON if json else {})
    )


def problem_line(visit, **more):
    due = (clock.today() + timedelta(days=10)).isoformat()
    return {
        "clause": clause(visit).pk,
        "found": "problem",
        "text": "三份档案缺项",
        "due": due,
        **more,
    }


def submit(client, visit, **more):
    visit.refresh_from_db()
    values = {
        "version": visit.version,
        "visited_on": clock.today().isoformat(),
        "summary": "总体较好",
        **more,
    }
    return client.post(reverse("supervision:visit_submit", args=[visit.pk]), values)


def test_the_page_shows_last_times_problems_and_the_clauses_of_the_items(world, log_in, visit):
    row = rectification(world, world.centre, text="上次电话打不通")
    closed = applied(
        rectification(world, world.centre, text="上次体检缺项"), fresh(world.posts.head)
    )
    closed.close(by=world.posts.officer, version=closed.version)
    rectification(world, world.centre, text="另一项目的问题", code="09")
    page = log_in(world.posts.expert).get(reverse("supervision:visit_record", args=[visit.pk]))
    text = page.content.decode()
    assert text.index(row.problem.text) < text.index("上次体检缺项")
    assert "另一项目的问题" not in text
    assert "D1 " in text and "D2 " not in text


@pytest.mark.row("X05")
def test_members_record_different_lines_at_once_and_each_stays_the_author(world, log_in, visit):
    client = log_in(world.posts.expert)
    answer = save(client, visit, **problem_line(visit))
    assert answer.json()["version"] == 1
    assert answer.json()["totals"] == {"recorded": 1, "problems": 1}
    client = log_in(world.posts.officer)
    key = str(uuid4())
    free = {"key": key, "item": item("08").pk, "found": "good", "text": "随访及时"}
    assert save(client, visit, **free).status_code == 200
    assert save(client, visit, **free).status_code == 200
    lines = {line.author: line for line in visit.lines.all()}
    assert set(lines) == {world.posts.expert, world.posts.officer} and visit.lines.count() == 2
    # Somebody else corrects the expert's line: it stays the expert's.
    changed = problem_line(visit, text="两份档案缺项", version=1)
    assert save(client, visit, **changed).json()["version"] == 2
    line = visit.lines.get(clause=clause(visit))
    assert line.author == world.posts.expert and line.text == "两份档案缺项"


def test_a_line_that_somebody_changed_meanwhile_is_not_overwritten(world, log_in, visit):
    client = log_in(world.posts.expert)
    save(client, visit, **problem_line(visit))
    answer = save(client, visit, **problem_line(visit, text="覆盖别人", version=0))
    assert answer.status_code == 409 and "他人已修改" in answer.json()["message"]
    assert visit.lines.get().text == "三份档案缺项"
    assert save(client, visit, json=False, **problem_line(visit, version=7)).status_code == 409


def test_a_problem_needs_words_and_nothing_typed_is_lost(world, log_in, visit):
    client = log_in(world.posts.expert)
    answer = save(client, visit, **problem_line(visit, text=""))
    assert answer.status_code == 400 and answer.json()["errors"]["text"] == ["请写明存在的问题"]
    answer = save(client, visit, json=False, **problem_line(visit, text="", method="home"))
    page = answer.content.decode()
    assert (
        answer.status_code == 422 and "请写明存在的问题" in page and 'value="home" selected' in page
    )
    early = save(client, visit, **problem_line(visit, due="2020-01-01"))
    assert "整改时限不能早于今天" in str(early.json())
    assert not visit.lines.exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        VisitLine.objects.create(visit=visit, found="problem", author=world.posts.expert)


def test_a_plain_form_saves_and_comes_back_to_the_line(world, log_in, visit):
    answer = save(log_in(world.posts.expert), visit, json=False, **problem_line(visit))
    assert answer.url.endswith(f"/record/#clause-{clause(visit).pk}")


def test_photos_belong_to_a_line_and_only_images_and_papers_are_taken(world, log_in, visit):
    client = log_in(world.posts.expert)
    url = reverse("supervision:line_photo", args=[visit.pk])
    client.post(url, {"clause": clause(visit).pk, "files": [picture()]})
    assert not VisitLine.objects.exists()
    save(client, visit, **problem_line(visit))
    client.post(url, {"clause": clause(visit).pk, "files": [picture(), picture("二.jpg")]})
    line = visit.lines.get()
    assert line.files.count() == 2
    file = reverse("supervision:line_file", args=[line.pk, line.files.first().key])
    assert client.get(file).status_code == 200
    assert log_in(world.posts.head).get(file).status_code == 404
    fake = picture("假.jpg")
    fake.file.seek(0)
    fake.file.write(b"not a picture at all")
    fake.file.seek(0)
    log_in(world.posts.expert).post(url, {"clause": clause(visit).pk, "files": [fake]})
    assert line.files.count() == 2


def test_a_free_finding_can_be_taken_back(world, log_in, visit):
    client = log_in(world.posts.expert)
    save(client, visit, key=str(uuid4()), item=item("08").pk, text="看错了")
    line = visit.lines.get()
    url = reverse("supervision:line_remove", args=[line.pk])
    assert client.post(url, {"version": 5}).status_code == 409
    client.post(url, {"version": 1})
    assert not visit.lines.exists()


@pytest.mark.row("X05", "A34")
def test_submitting_hands_out_the_findings_and_shows_the_record(
    world, log_in, visit, django_capture_on_commit_callbacks
):
    head = log_in(world.posts.head)
    assert head.get(visit.get_absolute_url()).status_code == 404
    assert head.get(visit.round.get_absolute_url()).status_code == 404
    client = log_in(world.posts.expert)
    assert "还没有督导记录" in submit(client, visit).content.decode()
    save(client, visit, **problem_line(visit))
    save(client, visit, key=str(uuid4()), item=item("08").pk, found="good", text="台账齐全")
    tomorrow = (clock.today() + timedelta(days=1)).isoformat()
    assert "不能晚于今天" in submit(client, visit, visited_on=tomorrow).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        assert submit(client, visit).status_code == 302
    problem = Problem.objects.get()
    row = problem.rectification
    assert (problem.source, problem.supervisor, problem.found_by) == (
        "quarterly",
        world.county,
        world.posts.expert,
    )
    assert (row.status, row.institution, row.supervisor) == (
        "assigned",
        world.centre,
        world.county,
    )
    assert row.due == clock.today() + timedelta(days=10)
    event = Event.objects.get(action="supervision.visit.submit")
    assert event.data["count"] == 2 and event.data["problems"] == 1
    told = Notification.objects.filter(post=world.posts.head)
    assert {n.text for n in told} == {
        "第一季度质控督导督导记录已提交，请确认",
        "收到交办问题 1 个，请签收并按时限整改",
    }
    page = log_in(world.posts.head).get(visit.get_absolute_url()).content.decode()
    assert "三份档案缺项" in page and "台账齐全" in page
    late = save(log_in(world.posts.expert), visit, clause=clause(visit).pk, version=1)
    assert late.status_code == 409


def test_a_daily_round_makes_daily_problems(world, log_in):
    round = round_of(world, type="daily", quarter=0)
    row = visit_of(round, world.centre, world.posts.officer)
    issue_round(round, by=world.posts.officer, version=round.version)
    client = log_in(world.posts.officer)
    save(
        client,
        row,
        key=str(uuid4()),
        item=item("08").pk,
        found="problem",
        text="未随访",
        severity="major",
    )
    submit(client, row)
    problem = Problem.objects.get()
    assert (problem.source, problem.severity) == ("daily", "major")
    assert Rectification.objects.get().due == clock.today() + timedelta(days=15)


def test_nobody_records_for_a_draft_nor_for_another_team(world, log_in, visit):
    assert save(log_in(world.posts.head), visit).status_code == 404
    assert save(log_in(world.posts.city_officer), visit, **problem_line(visit)).status_code == 403
    draft = visit_of(round_of(world), world.other_centre, world.posts.officer)
    values = {"key": str(uuid4()), "text": "太早"}
    assert save(log_in(world.posts.officer), draft, **values).status_code == 403
    assert submit(log_in(world.posts.officer), draft).status_code == 403
    assert not VisitLine.objects.exists()


def test_only_the_lead_or_the_supervisor_submits(world, log_in):
    round = round_of(world, of_standard=standard(world.county))
    row = visit_of(round, world.centre, world.posts.officer, members=[world.posts.expert])
    issue_round(round, by=world.posts.officer, version=round.version)
    client = log_in(world.posts.expert)
    save(client, row, **problem_line(row))
    assert submit(client, row).status_code == 403
    assert not Problem.objects.exists()


def test_a_stale_submission_hands_out_nothing(world, log_in, visit):
    client = log_in(world.posts.expert)
    save(client, visit, **problem_line(visit))
    assert submit(client, visit, version=99).status_code == 409
    assert not Problem.objects.exists()


@pytest.fixture
def submitted(world, log_in, visit):
    client = log_in(world.posts.expert)
    save(client, visit, **problem_line(visit))
    submit(client, visit)
    visit.refresh_from_db()
    return visit


def press(client, visit, name, **values):
    visit.refresh_from_db()
    values = {"version": visit.version, **values}
    return client.post(reverse(f"supervision:visit_{name}", args=[visit.pk]), values)


def test_the_institution_confirms_the_record(world, log_in, submitted):
    assert press(log_in(world.posts.officer), submitted, "agree").status_code == 403
    assert press(log_in(world.posts.other_head), submitted, "agree").status_code == 404
    assert press(log_in(world.posts.head), submitted, "agree").status_code == 302
    submitted.refresh_from_db()
    assert submitted.status == "confirmed"


def test_an_objection_needs_words_and_is_settled_by_the_supervisor_alone(world, log_in, submitted):
    client = log_in(world.posts.head)
    assert "请写明理由或意见" in press(client, submitted, "object").content.decode()
    press(client, submitted, "object", note="档案已补齐")
    submitted.refresh_from_db()
    assert submitted.status == "objected" and submitted.answer == "档案已补齐"
    assert press(client, submitted, "settle", note="自己处理").status_code == 403
    assert press(log_in(world.posts.expert), submitted, "settle", note="x").status_code == 403
    press(log_in(world.posts.officer), submitted, "settle", note="复查后维持")
    submitted.refresh_from_db()
    assert submitted.status == "confirmed" and submitted.settlement == "复查后维持"


def test_a_cancelled_visit_stays_unknown_to_the_institution(world, log_in, visit):
    press(log_in(world.posts.officer), visit, "cancel", note="改期")
    visit.refresh_from_db()
    assert visit.status == "cancelled"
    assert log_in(world.posts.head).get(visit.get_absolute_url()).status_code == 404


def test_the_county_learns_of_the_citys_visit_from_its_record(world, log_in):
    round = round_of(world, by=world.posts.city_officer, type="surprise")
    row = visit_of(round, world.centre, world.posts.city_officer)
    issue_round(round, by=world.posts.city_officer, version=round.version)
    assert log_in(world.posts.officer).get(row.get_absolute_url()).status_code == 404
    client = log_in(world.posts.city_officer)
    save(client, row, key=str(uuid4()), item=item("08").pk, found="problem", text="未随访")
    submit(client, row)
    assert log_in(world.posts.officer).get(row.get_absolute_url()).status_code == 200
    assert Problem.objects.get().supervisor == world.county
