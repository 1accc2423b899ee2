"""Handing out problems: by hand, as a list, once each."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from institutions import clock
from institutions.models import Event, Notification
from supervision.handing_out import hand_out, problems_from
from supervision.models import Problem, Rectification
from tests.builders import item, picture
from tests.supervision.making import new_problem, rectification


def create(client, institution, **more):
    today = clock.today()
    return client.post(
        reverse("supervision:problem_create"),
        {
            "institution": institution.pk,
            "item": item("08").pk,
            "severity": "major",
            "text": "随访未按频次",
            "found_on": today.isoformat(),
            "due": (today + timedelta(days=7)).isoformat(),
            **more,
        },
    )


@pytest.mark.row("A09", "X04")
def test_a_list_is_handed_out_in_one_deed_and_again_changes_nothing(
    world, django_capture_on_commit_callbacks
):
    rows = [
        new_problem(world.centre, "电话打不通", source="province"),
        new_problem(world.centre, "体检缺项", source="city"),
        new_problem(world.clinic, "空项漏项", source="county"),
        new_problem(world.centre, "体检缺项", source="city"),
    ]
    with django_capture_on_commit_callbacks(execute=True):
        done = problems_from(rows, by=world.posts.officer, unit=world.county)
    assert len(done.new) == 3 and done.unchanged == 0
    duties = {r.problem.text: r for r in Rectification.objects.select_related("problem")}
    assert duties["电话打不通"].supervisor == world.county
    assert duties["空项漏项"].supervisor == world.centre
    assert {r.bureau for r in duties.values()} == {world.county}
    event = Event.objects.get(action="supervision.problem.hand_out")
    assert event.data["count"] == 3 and len(event.data["digest"]) == 64
    head = Notification.objects.get(post=world.posts.head)
    assert "交办问题 2 个" in head.text
    assert Notification.objects.filter(post=world.posts.doctor).count() == 1
    Rectification.objects.filter(pk=duties["电话打不通"].pk).update(person="已填的人")
    again = problems_from(rows, by=world.posts.officer, unit=world.county)
    assert not again.new and again.unchanged == 3
    assert Problem.objects.count() == Rectification.objects.count() == 3
    assert Rectification.objects.get(pk=duties["电话打不通"].pk).person == "已填的人"


def test_problems_are_written_in_sets(world, django_assert_max_num_queries):
    rows = [new_problem(world.centre, f"{i}") for i in range(200)]
    # SQLite takes some fifty rows a statement; one by one it would be more than four hundred.
    with django_assert_max_num_queries(25):
        hand_out(rows, by=world.posts.officer)


def test_what_has_nobody_above_it_is_refused_and_so_is_a_deadline_in_the_past(world):
    with pytest.raises(ValidationError, match="没有上级督导机构"):
        hand_out([new_problem(world.county)], by=world.posts.city_officer)
    yesterday = clock.today() - timedelta(days=1)
    with pytest.raises(ValidationError, match="不能早于发现日期"):
        hand_out([new_problem(world.centre, due=yesterday)], by=world.posts.officer)
    assert not Problem.objects.exists()


@pytest.mark.row("A22")
def test_a_lead_agency_enters_what_it_finds_for_its_items_only(world, log_in):
    client = log_in(world.posts.lead)
    assert "请选择您负责的服务项目" in create(client, world.centre).content.decode()
    assert "请选择您负责的服务项目" in create(client, world.centre, item="").content.decode()
    assert not Problem.objects.exists()
    create(client, world.centre, item=item("09").pk, files=[picture()])
    problem = Problem.objects.get()
    assert (problem.source, problem.found_by, problem.supervisor) == (
        "daily",
        world.posts.lead,
        world.county,
    )
    assert problem.rectification.due == clock.today() + timedelta(days=7)
    file = reverse("supervision:problem_file", args=[problem.pk, problem.files.get().key])
    assert log_in(world.posts.head).get(file).status_code == 200
    assert log_in(world.posts.other_head).get(file).status_code == 404


def test_what_an_institution_finds_itself_is_verified_by_who_supervises_it(world, log_in):
    client = log_in(world.posts.head)
    create(client, world.centre, source="nation")
    own = Problem.objects.get()
    assert (own.source, own.supervisor) == ("self", world.county)
    create(client, world.clinic, text="接种证未核对")
    clinics = Problem.objects.get(text="接种证未核对")
    assert (clinics.source, clinics.supervisor) == ("daily", world.centre)


def test_a_bureau_says_where_a_problem_comes_from(world, log_in):
    create(log_in(world.posts.officer), world.centre, source="province")
    assert Problem.objects.get().source == "province"


def test_the_same_finding_sent_twice_is_one_problem(world, log_in):
    client = log_in(world.posts.officer)
    create(client, world.centre, source="daily")
    create(client, world.centre, source="daily")
    assert Problem.objects.count() == Rectification.objects.count() == 1


def test_nobody_enters_problems_out_of_sight_or_without_the_right(world, log_in):
    assert create(log_in(world.posts.head), world.other_centre).status_code == 200
    assert create(log_in(world.posts.expert), world.centre).status_code == 200
    assert create(log_in(world.posts.street), world.centre).status_code == 403
    assert create(log_in(world.posts.auditor), world.centre).status_code == 403
    assert not Problem.objects.exists()


def test_a_refused_form_keeps_what_was_typed(world, log_in):
    answer = create(log_in(world.posts.head), world.centre, due="2020-01-01", text="很长的描述")
    page = answer.content.decode()
    assert "很长的描述" in page and "整改时限不能早于发现日期" in page


def test_a_problem_page_tells_where_it_stands(world, log_in):
    row = rectification(world, world.centre)
    page = log_in(world.posts.head).get(row.problem.get_absolute_url()).content.decode()
    assert "待签收" in page and row.get_absolute_url() in page
    assert log_in(world.posts.doctor).get(row.problem.get_absolute_url()).status_code == 404


@pytest.mark.row("D40")
def test_a_problem_bears_one_of_the_six_objectives_and_is_found_by_it(world, log_in):
    client = log_in(world.posts.officer)
    create(client, world.centre, source="daily", objective="ease")
    problem = Problem.objects.get()
    assert problem.get_objective_display() == "完善便民措施"
    assert "完善便民措施" in client.get(problem.get_absolute_url()).content.decode()
    listed = reverse("supervision:problem_list")
    for code, n in (("ease", 1), ("safety", 0)):
        page = client.get(listed, {"objective": code})
        assert len(page.context["listing"]["rows"]) == n
    refused = create(client, world.centre, source="daily", objective="x").content.decode()
    assert "选择一个有效的选项" in refused or "有效" in refused
