"""举一反三 and 对号入座: a problem is put to others, who answer 有, 无 or 类似 item by item."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse

from institutions import clock
from institutions.models import Event, Notification
from institutions.workflow import StaleState
from supervision.handing_out import hand_out
from supervision.models import Problem, Rectification, SelfCheck, Spread
from supervision.spreading import Answer, answer, send_back, spread
from tests.builders import institution
from tests.supervision.making import fresh, new_problem, rectification

CLASS = "电话错误或打不通"


def day(days):
    return clock.today() + timedelta(days=days)


def problem_of(world, **more):
    text = f"{world.centre.name}抽查10份，2份电话打不通"
    return rectification(world, world.centre, text=text, category=CLASS, **more).problem


def put(world, problems, units, *, by=None, **more):
    values = {"due": day(10), "put_right_by": day(30), **more}
    return spread(problems, institutions=units, by=by or world.posts.officer, **values)


def check_of(unit):
    return SelfCheck.objects.select_related("spread").get(institution=unit)


def say(unit, by, said, note="本单位有1份"):
    check = check_of(unit)
    return answer([Answer(check.pk, check.version, said, note)], by=by)


@pytest.mark.row("A10", "A09")
def test_one_act_asks_all_of_a_kind_and_what_is_there_is_opened(
    world, log_in, django_capture_on_commit_callbacks
):
    problem = problem_of(world)
    officer = log_in(world.posts.officer)
    assert "举一反三" in officer.get(problem.get_absolute_url()).content.decode()
    url = reverse("supervision:spread_create", args=[problem.pk])
    with django_capture_on_commit_callbacks(execute=True):
        officer.post(
            url,
            {
                "text": problem.text,
                "demand": "各抽查10份",
                "kinds": ["community", "township"],
                "institutions": [world.hospital.pk],
                "due": day(10).isoformat(),
                "put_right_by": day(30).isoformat(),
                "similar_counts": "on",
            },
        )
    act = Spread.objects.get()
    # 妇幼保健院 also acts as a community centre; the centre where it was found is spared.
    assert {c.institution for c in act.checks.all()} == {
        world.other_centre,
        world.maternal,
        world.hospital,
    }
    assert world.centre.name not in act.text and "某机构" in act.text
    assert Notification.objects.filter(post=world.posts.other_head, text__contains="自查").exists()
    assert Event.objects.filter(action="supervision.problem.spread").count() == 1
    head = log_in(world.posts.other_head)
    page = head.get(reverse("supervision:self_check_answer")).content.decode()
    assert "各抽查10份" in page and world.centre.name not in page
    assert head.get(act.get_absolute_url()).status_code == 404
    check = check_of(world.other_centre)
    head.post(
        reverse("supervision:self_check_answer"),
        {
            f"answer-{check.pk}": "found",
            f"note-{check.pk}": "本院抽查10份，1份停机",
            f"version-{check.pk}": check.version,
        },
    )
    check.refresh_from_db()
    assert check.status == "answered" and check.answer == "found"
    own = check.problem
    assert (own.source, own.spreads_from, own.institution) == ("self", problem, world.other_centre)
    assert own.rectification.due == day(30) and own.rectification.supervisor == world.county
    page = log_in(world.posts.officer).get(act.get_absolute_url()).content.decode()
    assert "有 1 家" in page and own.rectification.get_absolute_url() in page
    page = log_in(world.posts.officer).get(problem.get_absolute_url()).content.decode()
    assert "已自查 1 / 3 家" in page


@pytest.mark.row("A10")
def test_a_feedback_list_is_matched_item_by_item(world, log_in):
    listed = [new_problem(world.centre, f"问题{i}", source="city") for i in range(5)]
    hand_out(listed, by=world.posts.officer)
    problem_of(world, source="county")
    officer = log_in(world.posts.officer)
    url = reverse("supervision:spread_list") + "?source=city"
    assert "共 5 个问题" in officer.get(url).content.decode()
    officer.post(
        url,
        {
            "institutions": [world.other_centre.pk],
            "due": day(10).isoformat(),
            "put_right_by": day(30).isoformat(),
        },
    )
    assert Spread.objects.count() == SelfCheck.objects.count() == 5
    head = log_in(world.posts.other_head)
    form = reverse("supervision:self_check_answer")
    checks = list(SelfCheck.objects.order_by("pk"))
    sent = {f"version-{c.pk}": c.version for c in checks}
    sent |= {f"answer-{c.pk}": "none" for c in checks[:3]}
    sent |= {f"answer-{checks[3].pk}": "similar"}
    refused = head.post(form, sent)
    assert refused.status_code == 422 and "请写明本单位的情况" in refused.content.decode()
    assert SelfCheck.objects.open().count() == 5
    head.post(form, {**sent, f"note-{checks[3].pk}": "类似的有一份"})
    assert SelfCheck.objects.open().count() == 1
    # 类似 was not to count here.
    assert Problem.objects.filter(institution=world.other_centre).count() == 0
    event = Event.objects.get(action="supervision.selfcheck.answer")
    assert event.data["count"] == 4 and event.note == "无 3，类似 1"


def test_similar_counts_where_it_is_said_to(world):
    put(world, [problem_of(world)], [world.other_centre, world.maternal])
    assert len(say(world.other_centre, world.posts.other_head, "similar")) == 1
    assert say(world.maternal, world.posts.maternal_head, "none", "") == []


def test_a_later_finding_after_none_is_flagged(world, log_in):
    put(world, [problem_of(world)], [world.other_centre, world.maternal])
    say(world.other_centre, world.posts.other_head, "none", "")
    say(world.maternal, world.posts.maternal_head, "none", "")
    hand_out(
        [new_problem(world.other_centre, "自己又查出", category=CLASS, source="self")],
        by=world.posts.other_head,
    )
    assert check_of(world.other_centre).belied_by is None
    found = hand_out(
        [
            new_problem(world.other_centre, "督导查出", category=CLASS, source="daily"),
            new_problem(world.maternal, "别的", category="未设专账", source="daily"),
        ],
        by=world.posts.officer,
    )[0]
    assert check_of(world.other_centre).belied_by == found
    assert check_of(world.maternal).belied_by is None
    officer = log_in(world.posts.officer)
    listed = reverse("supervision:self_check_list")
    page = officer.get(listed, {"belied": "on"}).content.decode()
    assert "自查不实" in page and world.other_centre.known_as in page
    assert "曾在举一反三自查中答复“无”" in officer.get(found.get_absolute_url()).content.decode()


def test_nobody_is_asked_twice_about_his_own_or_by_the_wrong_side(world):
    problem = problem_of(world)
    put(world, [problem], [world.centre, world.other_centre])
    assert SelfCheck.objects.count() == 1
    with pytest.raises(ValidationError, match="都已经"):
        put(world, [problem], [world.centre, world.other_centre])
    for by in (world.posts.head, world.posts.other_head, world.posts.expert):
        with pytest.raises(PermissionDenied):
            put(world, [problem], [world.maternal], by=fresh(by))
    with pytest.raises(ValidationError, match="早于今天"):
        put(world, [problem], [world.maternal], due=day(-1))
    withdrawn = rectification(world, world.centre, text="撤回的")
    withdrawn.withdraw(by=world.posts.officer, version=withdrawn.version, note="重复")
    with pytest.raises(ValidationError, match="已撤回"):
        put(world, [Problem.objects.get(pk=withdrawn.problem_id)], [world.maternal])


def test_a_centre_asks_its_clinics_and_each_answers_for_itself(world, log_in):
    problem = rectification(world, world.clinic, category=CLASS).problem
    head = fresh(world.posts.head)
    put(world, [problem], [world.clinic, world.sibling_clinic], by=head)
    check = check_of(world.sibling_clinic)
    assert check.supervisor == world.centre
    with pytest.raises(PermissionDenied):
        answer([Answer(check.pk, check.version, "none")], by=world.posts.head)
    assert log_in(world.posts.doctor).get(check.get_absolute_url()).status_code == 404
    page = log_in(world.posts.sibling_doctor).get(check.get_absolute_url()).content.decode()
    assert "提交自查结果" in page
    with pytest.raises(StaleState):
        answer([Answer(check.pk, check.version + 1, "none")], by=world.posts.sibling_doctor)
    say(world.sibling_clinic, world.posts.sibling_doctor, "found")
    assert Rectification.objects.get(institution=world.sibling_clinic).supervisor == world.centre
    with pytest.raises(StaleState):
        answer([Answer(check.pk, check.version + 1, "none")], by=world.posts.sibling_doctor)


def test_the_overdue_are_copied_as_text(world, log_in):
    put(world, [problem_of(world)], [world.other_centre])
    SelfCheck.objects.update(due=day(-3))
    client = log_in(world.posts.officer)
    page = client.get(reverse("supervision:self_check_list"), {"when": "overdue"}).content.decode()
    assert "自查催办" in page and "已逾期3天" in page
    home = log_in(world.posts.other_head).get(reverse("home")).content.decode()
    assert "对照自查已逾期" in home


def test_spreading_and_answering_are_done_in_sets(world, django_assert_max_num_queries):
    units = [institution(f"ZC-T{i}", f"卫生院{i}", "township", world.county) for i in range(60)]
    made = hand_out([new_problem(world.centre, f"{i}") for i in range(30)], by=world.posts.officer)
    problems = list(
        Problem.objects.filter(pk__in=[p.pk for p in made]).select_related(
            "institution__region", "rectification"
        )
    )
    # SQLite takes some seventy rows a statement.
    with django_assert_max_num_queries(60):
        put(world, problems, [*units, world.other_centre])
    assert SelfCheck.objects.count() == 30 * 61
    checks = SelfCheck.objects.filter(institution=world.other_centre)
    said = [Answer(c.pk, c.version, "found", "有") for c in checks]
    with django_assert_max_num_queries(40):
        assert len(answer(said, by=world.posts.other_head)) == 30


def test_the_database_refuses_an_answer_without_a_word(world):
    put(world, [problem_of(world)], [world.other_centre])
    for values in (
        {"status": "answered"},
        {"answer": "none"},
        {"status": "answered", "answer": "maybe", "answered_at": clock.now()},
        {"belied_by": Problem.objects.get().pk},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            SelfCheck.objects.update(**values)


@pytest.mark.row("A10")
def test_a_careless_answer_is_returned_with_a_reason_and_given_again(
    world, log_in, django_capture_on_commit_callbacks
):
    problem = problem_of(world)
    put(world, [problem], [world.other_centre])
    say(world.other_centre, fresh(world.posts.other_head), "none", note="没有")
    check = check_of(world.other_centre)
    url = reverse("supervision:self_check_send_back", args=[check.pk])
    asked = {"version": check.version, "note": "没有写抽查了多少份", "due": day(5).isoformat()}
    assert log_in(world.posts.other_head).post(url, asked).status_code == 403
    officer = log_in(world.posts.officer)
    assert "退回重查" in officer.get(check.get_absolute_url()).content.decode()
    assert officer.post(url, {**asked, "note": ""}).status_code == 422
    officer.post(url, {**asked, "due": day(-1).isoformat()})
    assert check_of(world.other_centre).status == "answered"
    with django_capture_on_commit_callbacks(execute=True):
        officer.post(url, asked)
    check = check_of(world.other_centre)
    assert (check.status, check.answer, check.note, check.due) == ("asked", "", "", day(5))
    event = Event.objects.of(check).last()
    assert event.data == {"answer": "none", "note": "没有"} and "多少份" in event.note
    told = Notification.objects.filter(post=world.posts.other_head, text__contains="被退回")
    assert told.exists()
    head = log_in(world.posts.other_head)
    assert "没有写抽查了多少份" in head.get(check.get_absolute_url()).content.decode()
    assert "退回重查" in head.get(reverse("supervision:self_check_answer")).content.decode()
    say(world.other_centre, fresh(world.posts.other_head), "found")
    check = check_of(world.other_centre)
    assert check.problem and not check.returned
    with pytest.raises(ValidationError, match="已据此立项"):
        send_back(check, by=world.posts.officer, version=check.version, note="x", due=day(5))
