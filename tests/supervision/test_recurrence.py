"""反弹: the same institution, the same clause or the same item and class, within the bureau's period; at every entry."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from campaigns.models import Clause, Standard
from institutions import clock
from institutions.models import Notification, PolicyEntry
from supervision.handing_out import hand_out
from supervision.models import Problem, Rectification
from supervision.recognising import months_before
from supervision.submitting import submit_visit
from tests.builders import item
from tests.supervision.making import (
    fresh,
    new_problem,
    rectification,
    round_of,
    standard,
    visit_of,
)

CLASS = "电话错误或打不通"


def enter(world, unit, text, **more):
    return hand_out([new_problem(unit, text, **more)], by=world.posts.officer)[0]


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        (date(2023, 3, 31), 1, date(2023, 2, 28)),
        (date(2024, 2, 29), 12, date(2023, 2, 28)),
        (date(2023, 1, 15), 12, date(2022, 1, 15)),
        (date(2023, 1, 15), 1, date(2022, 12, 15)),
    ],
)
def test_a_period_of_months_ends_on_the_same_day(day, months, before):
    assert months_before(day, months) == before


@pytest.mark.row("A12", "X04")
def test_the_same_class_again_is_recognised_counted_and_told(
    world, log_in, django_capture_on_commit_callbacks
):
    first = enter(world, world.centre, "两份电话打不通", category=CLASS)
    assert first.recurs_from is None and first.occurrence == 1
    with django_capture_on_commit_callbacks(execute=True):
        second = enter(world, world.centre, "又有三份", category=CLASS, source="daily")
    assert (second.recurs_from_id, second.occurrence) == (first.pk, 2)
    third = enter(world, world.centre, "还是打不通", category=CLASS)
    assert (third.recurs_from_id, third.occurrence) == (second.pk, 3)
    for other in (
        enter(world, world.centre, "别的类别", category="未设专账"),
        enter(world, world.centre, "别的项目", category=CLASS, code="09"),
        enter(world, world.other_centre, "别的机构", category=CLASS),
        enter(world, world.centre, "没有类别"),
    ):
        assert other.recurs_from_id is None
    note = Notification.objects.get(post=world.posts.leader)
    assert "反弹" in note.text and world.centre.known_as in note.text
    leader = log_in(world.posts.leader)
    page = leader.get(note.url).content.decode()
    assert "又有三份" in page and "两份电话" not in page and "反弹（第2次）" in page
    home = leader.get(reverse("home")).content.decode()
    assert "挂包机构问题反弹" in home
    page = leader.get(second.get_absolute_url()).content.decode()
    assert "同类问题在本机构出现过 3 次" in page
    ledger = reverse("supervision:rectification_list") + "?matter=recurring"
    assert "又有三份" in log_in(world.posts.officer).get(ledger).content.decode()


def test_the_same_clause_counts_though_the_edition_is_another(world):
    old, new = standard(world.county), standard(world.other_county)
    a = enter(world, world.centre, "条款一", clause=old.clauses.get(code="D1"))
    b = enter(world, world.centre, "换了说法", clause=new.clauses.get(code="D1"))
    assert b.recurs_from_id == a.pk
    c = enter(world, world.centre, "另一条", clause=new.clauses.get(code="D2"), code="09")
    assert c.recurs_from_id is None


def test_the_period_is_the_bureaus_policy_and_withdrawn_ones_do_not_count(world):
    today = clock.today()
    long_ago = months_before(today, 13)
    old = enter(world, world.centre, "去年", category=CLASS, found_on=long_ago)
    assert enter(world, world.centre, "今年", category=CLASS).recurs_from_id is None
    Problem.objects.exclude(pk=old.pk).get().rectification.withdraw(
        by=world.posts.officer, version=1, note="重复"
    )
    PolicyEntry.objects.create(institution=world.county, year=today.year, key="反弹期", value="24")
    assert enter(world, world.centre, "再查", category=CLASS).recurs_from_id == old.pk


def test_one_list_does_not_recur_within_itself(world, django_assert_max_num_queries):
    enter(world, world.centre, "以前的", category=CLASS)
    rows = [new_problem(world.centre, f"{i}", category=CLASS) for i in range(100)]
    with django_assert_max_num_queries(30):
        made = hand_out(rows, by=world.posts.officer)
    assert {problem.occurrence for problem in made} == {2}


def test_a_visit_recognises_it_too(world):
    enter(world, world.centre, "上次的", category=CLASS)
    round_ = round_of(world, status="issued")
    visit = visit_of(round_, world.centre, world.posts.officer)
    visit.lines.create(
        item=item("08"),
        found="problem",
        text="还有",
        category=CLASS,
        due=clock.today() + timedelta(days=9),
        author=world.posts.officer,
    )
    made = submit_visit(
        visit, by=fresh(world.posts.officer), version=visit.version, visited_on=clock.today()
    )
    assert made[0].occurrence == 2


@pytest.mark.row("A14", "C25")
def test_a_problem_is_tagged_with_its_key_group_and_its_sort_of_shortcoming(world, log_in):
    assert rectification(world, world.centre, code="05").problem.groups == ("maternal",)
    assert rectification(world, world.centre, code="07", text="慢病").problem.groups == (
        "hypertension",
        "diabetes",
    )
    assert rectification(world, world.centre, code="12", text="协管").problem.groups == ()
    client = log_in(world.posts.officer)
    today = clock.today()
    client.post(
        reverse("supervision:problem_create"),
        {
            "institution": world.centre.pk,
            "source": "daily",
            "item": item("02").pk,
            "severity": "minor",
            "text": "村与村之间差距大",
            "groups": ["elderly"],
            "aspects": ["uneven", "shallow"],
            "found_on": today.isoformat(),
            "due": today.isoformat(),
        },
    )
    problem = Problem.objects.get(text="村与村之间差距大")
    assert problem.groups == ("elderly",) and set(problem.aspects) == {"uneven", "shallow"}
    page = client.get(problem.get_absolute_url()).content.decode()
    assert "不扎实、不平衡" in page and "老年人" in page
    listed = reverse("supervision:problem_list")
    found = client.get(listed, {"group": "maternal"}).content.decode()
    assert "体检项目缺项" in found and "村与村之间差距大" not in found
    assert "村与村之间差距大" in client.get(listed, {"aspect": "uneven"}).content.decode()
    duty = Rectification.objects.get(problem=problem)
    ledger = reverse("supervision:rectification_list")
    assert duty.get_absolute_url() in client.get(ledger, {"group": "elderly"}).content.decode()


def test_a_lead_agency_s_daily_finding_may_name_its_clause_and_comes_back_by_it(world, log_in):
    rows = Standard.objects.create(
        bureau=world.county, code="RC", year=clock.today().year, name="日常督导标准", kinds=[]
    )
    own, foreign = (
        Clause.objects.create(
            standard=rows,
            code=f"R{code}",
            position=int(code),
            item=item(code),
            name=f"{item(code).short_name}登记",
            method="manual",
            full_marks=10,
        )
        for code in ("09", "08")
    )
    Standard.objects.filter(pk=rows.pk).update(status="published", published_at=clock.now())
    client = log_in(world.posts.lead)
    url, today = reverse("supervision:problem_create"), clock.today().isoformat()
    page = client.get(url).content.decode()
    assert str(own) in page and str(foreign) not in page
    given = {"institution": world.centre.pk, "severity": "minor", "found_on": today, "due": today}
    refused = client.post(url, {**given, "text": "无关条款", "clause": foreign.pk})
    assert not Problem.objects.exists() and refused.status_code == 200
    refused = client.post(
        url, {**given, "text": "项目不符", "clause": own.pk, "item": item("02").pk}
    )
    assert "不一致" in refused.content.decode()
    client.post(url, {**given, "text": "登记本缺项", "clause": own.pk})
    client.post(url, {**given, "text": "登记本又缺项", "clause": own.pk})
    first, second = Problem.objects.order_by("pk")
    assert first.clause == own and first.item == own.item
    assert second.recurs_from == first and second.occurrence == 2
