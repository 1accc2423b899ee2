"""Recording on a phone: earlier problems first, what is sent twice, what two members change, figures and photos."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from campaigns.models import Clause, Standard
from institutions import clock
from supervision.assigning import issue_round
from supervision.models import PhotoKey, Problem, VisitLine
from tests.builders import item, picture
from tests.supervision.making import (
    applied,
    fresh,
    rectification,
    round_of,
    standard,
    visit_of,
)
from tests.supervision.test_visits import JSON, clause, problem_line, save, submit


@pytest.fixture
def visit(world):
    """An issued visit to the centre, led by the expert, with the officer in the team."""
    round = round_of(world, of_standard=standard(world.county))
    row = visit_of(round, world.centre, world.posts.expert, members=[world.posts.officer])
    issue_round(round, by=world.posts.officer, version=round.version)
    row.refresh_from_db()
    return row


def photo(client, visit, *, json=True, **values):
    url = reverse("supervision:line_photo", args=[visit.pk])
    return client.post(url, {"files": [picture()], **values}, **(JSON if json else {}))


# --- Earlier problems ------------------------------------------------------------------------------


@pytest.mark.row("X05")
def test_an_earlier_problem_takes_one_tap_and_one_that_is_back_is_handed_out(world, log_in, visit):
    open_one = rectification(world, world.centre, text="血压记录不实")
    closed = applied(rectification(world, world.centre, text="体检缺项"), world.posts.head)
    closed.close(by=fresh(world.posts.second_officer), version=closed.version)
    client = log_in(world.posts.expert)
    page = client.get(reverse("supervision:visit_record", args=[visit.pk])).content.decode()
    assert page.index("血压记录不实") < page.index("体检缺项") < page.index("D1 ")
    still = {"earlier": open_one.problem_id, "follow": "still", "found": ""}
    assert save(client, visit, **still).status_code == 200
    refused = save(client, visit, earlier=closed.problem_id, follow="still", found="")
    assert "已销号" in str(refused.json()["errors"])
    again = {"earlier": closed.problem_id, "follow": "again", "found": "", "text": "又有三份缺项"}
    assert save(client, visit, **again).status_code == 200
    submit(client, visit)
    (problem,) = Problem.objects.filter(visit_line__visit=visit)
    line = problem.visit_line
    assert (problem.text, problem.item, line.earlier) == (
        "又有三份缺项",
        item("08"),
        closed.problem,
    )
    detail = client.get(visit.get_absolute_url()).content.decode()
    assert "仍存在" in detail and "又出现" in detail


def test_a_solved_problem_is_ticked_off_without_words(world, log_in, visit):
    earlier = rectification(world, world.centre).problem
    client = log_in(world.posts.expert)
    assert save(client, visit, earlier=earlier.pk, found="").status_code == 400
    assert save(client, visit, earlier=earlier.pk, follow="closed", found="").status_code == 200
    line = visit.lines.get()
    assert (line.found, line.follow, line.item) == ("good", "closed", earlier.item)
    submit(client, visit)
    assert not Problem.objects.filter(visit_line__visit=visit).exists()


def test_anothers_problem_is_no_earlier_problem_of_this_visit(world, log_in, visit):
    foreign = rectification(world, world.other_centre).problem
    answer = save(log_in(world.posts.expert), visit, earlier=foreign.pk, follow="closed", found="")
    assert answer.status_code == 400 and not visit.lines.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"follow": "closed"},
        {"follow": "again", "found": "good"},
        {"method": "猜的"},
        {"numerator": 9, "denominator": 3},
    ],
)
def test_the_database_refuses_what_does_not_fit(world, visit, wrong):
    values = {"visit": visit, "found": "good", "author": world.posts.expert, **wrong}
    if wrong.get("found"):
        values["earlier"] = rectification(world, world.centre).problem
    with pytest.raises(IntegrityError), transaction.atomic():
        VisitLine.objects.create(**values)


def test_an_earlier_problem_has_one_line_a_visit(world, visit):
    earlier = rectification(world, world.centre).problem
    values = {"visit": visit, "found": "good", "follow": "closed", "author": world.posts.expert}
    VisitLine.objects.create(earlier=earlier, **values)
    with pytest.raises(IntegrityError), transaction.atomic():
        VisitLine.objects.create(earlier=earlier, **values)


# --- Sent twice, and changed by two ----------------------------------------------------------------


def test_a_save_whose_answer_was_lost_may_be_sent_again(world, log_in, visit):
    client = log_in(world.posts.expert)
    first = {**problem_line(visit), "sent": str(uuid4())}
    assert save(client, visit, **first).json()["version"] == 1
    assert save(client, visit, **first).json()["version"] == 1
    assert VisitLine.objects.count() == 1
    # Typed on while the first save hung: its own text is no conflict.
    later = {**problem_line(visit, text="五份缺项"), "sent": str(uuid4()), "tried": first["sent"]}
    assert save(client, visit, **later).json()["version"] == 2
    assert visit.lines.get().text == "五份缺项"
    unknown = {**problem_line(visit, text="旧稿"), "sent": str(uuid4()), "tried": str(uuid4())}
    assert save(client, visit, **unknown).status_code == 409


def test_a_conflict_tells_the_other_text_and_either_may_be_kept(world, log_in, visit):
    save(log_in(world.posts.officer), visit, **problem_line(visit, text="对方的记录"))
    client = log_in(world.posts.expert)
    answer = save(client, visit, **problem_line(visit, text="我的记录"), sent=str(uuid4()))
    theirs = answer.json()["theirs"]
    assert answer.status_code == 409 and theirs["text"] == "对方的记录"
    assert theirs["values"]["found"] == "problem" and "基妇科经办人" in theirs["told"]
    mine = problem_line(visit, text="我的记录", version=theirs["version"])
    assert save(client, visit, **mine).json()["version"] == 2
    submit(client, visit)
    late = save(client, visit, **problem_line(visit, text="太晚"), sent=str(uuid4()))
    assert late.status_code == 409 and late.json()["closed"]


def test_a_name_of_a_save_cannot_be_used_for_another_line(world, log_in, visit):
    client = log_in(world.posts.expert)
    name = str(uuid4())
    save(client, visit, **problem_line(visit), sent=name)
    other = {"key": str(uuid4()), "item": item("08").pk, "text": "台账齐全", "sent": name}
    assert save(client, visit, **other).status_code == 409
    assert visit.lines.count() == 1


def test_a_photo_sent_twice_is_kept_once(world, log_in, visit):
    client = log_in(world.posts.expert)
    key, line_key = str(uuid4()), str(uuid4())
    early = photo(client, visit, key=key, line_key=line_key)
    assert early.status_code == 400 and "请先选择结果" in str(early.json())
    save(client, visit, key=line_key, item=item("08").pk, text="台账齐全")
    for _ in range(2):
        answer = photo(client, visit, key=key, line_key=line_key)
        assert len(answer.json()["photos"]) == 1
    line = visit.lines.get()
    assert line.files.count() == PhotoKey.objects.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        PhotoKey.objects.create(line=line, key=key)


def test_heic_is_answered_in_plain_words(world, log_in, visit):
    client = log_in(world.posts.expert)
    save(client, visit, **problem_line(visit))
    answer = photo(client, visit, files=[picture("IMG_1.HEIC")], clause=clause(visit).pk)
    assert answer.status_code == 400 and "兼容性最佳" in str(answer.json())


# --- Figures and points ----------------------------------------------------------------------------


def test_points_follow_from_figures_or_are_entered(world, log_in):
    row = Standard.objects.create(bureau=world.county, code="F", year=2023, name="表", kinds=[])
    for position, values in enumerate(
        ({"method": "attain", "target": "90%", "full_marks": 9}, {"method": "manual"}), start=1
    ):
        Clause.objects.create(
            standard=row,
            code=f"F{position}",
            position=position,
            name=f"条款{position}",
            item=item("08"),
            **{"full_marks": 10, **values},
        )
    Standard.objects.filter(pk=row.pk).update(status="published", published_at=clock.now())
    row.refresh_from_db()
    round = round_of(world, of_standard=row)
    visit = visit_of(round, world.centre, world.posts.expert)
    issue_round(round, by=world.posts.officer, version=round.version)
    client = log_in(world.posts.expert)
    rated = {"clause": clause(visit, "F1").pk, "numerator": "8", "denominator": "10"}
    told = save(client, visit, **rated).json()["line"]
    assert told["worth"] == "得 8.00 分"
    bad = save(client, visit, **{**rated, "numerator": "11"}, version=1)
    assert "numerator" in bad.json()["errors"]
    manual = {"clause": clause(visit, "F2").pk, "points": "7.5"}
    assert save(client, visit, **manual).json()["line"]["worth"] == "得 7.50 分"
    over = save(client, visit, **{**manual, "points": "11"}, version=1)
    assert "得分应在" in str(over.json())
    page = client.get(reverse("supervision:visit_record", args=[visit.pk])).content.decode()
    assert 'name="denominator" value="10"' in page and 'value="7.5"' in page


# --- The worker and the shell ----------------------------------------------------------------------


def test_the_worker_and_the_shell_hold_nothing_of_anybody(client, settings):
    worker = client.get("/worker.js")
    assert worker.status_code == 200
    assert worker["Content-Type"].startswith("text/javascript")
    assert worker["Service-Worker-Allowed"] == "/supervision/visits/"
    assert "worker-src 'self'" in worker["Content-Security-Policy"]
    shell = client.get(reverse("supervision:visit_offline")).content.decode()
    assert "csrfmiddlewaretoken" not in shell and "data-forget" not in shell
