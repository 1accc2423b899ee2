"""Leaders and the institutions they are linked to: the list, the page, and who edits the links."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.models import Report, WorkLog
from institutions import clock
from institutions.models import Event, Kind, Notification, Pairing
from institutions.pairing import pair
from institutions.roles import Role
from supervision.models import Problem, Rectification, SupervisionRound, Visit
from tests import builders
from tests.campaigns.papers import issued


def page_of(leader) -> str:
    return reverse("leader_page", args=[leader.pk])


@pytest.fixture
def busy(world):
    """A campaign led by the leader with one late report, one late rectification, a visit and a field day of his."""
    p = world.posts
    row = issued(world)
    row.tasks.get().leaders.set([p.leader])
    problem = Problem.objects.create(
        institution=world.centre,
        supervisor=world.county,
        source="county",
        year=2022,
        text="示例问题",
        found_on=date(2022, 12, 1),
    )
    Rectification.objects.create(
        problem=problem, institution=world.centre, supervisor=world.county, due=date(2023, 3, 1)
    )
    round_ = SupervisionRound.objects.create(
        institution=world.county,
        supervisor=world.county,
        status="issued",
        name="一季度督导",
        year=2023,
        starts=date(2023, 3, 1),
        ends=date(2023, 3, 31),
    )
    visit = Visit.objects.create(
        round=round_,
        institution=world.centre,
        supervisor=world.county,
        lead=p.officer,
        status="submitted",
        starts=date(2023, 3, 6),
        ends=date(2023, 3, 6),
        visited_on=date(2023, 3, 6),
        submitted_at=clock.now(),
    )
    visit.members.set([p.leader])
    WorkLog.objects.create(
        institution=world.county,
        supervisor=world.county,
        author=p.leader,
        kind="field",
        day=date(2023, 3, 8),
        subject="到青年路中心一线办公",
        text="示例",
    )
    return row


@pytest.mark.row("A28")
def test_a_leader_sees_what_is_overdue_at_his_institutions_and_his_own_deeds(world, busy, log_in):
    leader = world.posts.leader
    page = log_in(leader).get(page_of(leader))
    (row,) = page.context["linked"]
    assert (row.institution, row.reports, row.rectifications, row.plans) == (world.centre, 1, 1, 0)
    assert row.visited_on == date(2023, 3, 6)
    text = page.content.decode()
    assert "召开动员部署会" in text and "到青年路中心一线办公" in text and "登记下基层" in text
    # The number leads to exactly those rows.
    listed = reverse("campaigns:report_list") + f"?institution={world.centre.pk}&when=overdue"
    assert listed.replace("&", "&amp;") in text
    assert len(log_in(leader).get(listed).context["listing"]["rows"]) == 1
    home = log_in(leader).get("/").content.decode()
    assert "挂包联系机构逾期" in home and f"{page_of(leader)}#linked" in home
    # Another leader without links and tasks has an empty page, which says what to do.
    second = builders.post(world.county, Role.LEADER, "副局长")
    text = log_in(world.posts.officer).get(page_of(second)).content.decode()
    assert "还没有安排联系机构" in text and "没有以其为责任领导的任务" in text


@pytest.mark.row("A28")
def test_the_list_names_each_leaders_institutions_and_those_without_any(world, busy, log_in):
    page = log_in(world.posts.officer).get(reverse("leader_list"))
    ((leader, overdue),) = page.context["leaders"]
    assert leader == world.posts.leader and overdue == 2
    assert world.other_centre in page.context["free"] and world.centre not in page.context["free"]
    # A unit sees no bureau's leaders, the neighbour not ours.
    for post in (world.posts.head, world.posts.far_officer):
        assert log_in(post).get(reverse("leader_list")).context["leaders"] == []
        assert log_in(post).get(page_of(world.posts.leader)).status_code == 404
    assert log_in(world.posts.system).get(reverse("leader_list")).status_code == 403


@pytest.mark.row("A28")
def test_an_officer_changes_the_links_and_the_leader_is_told(
    world, log_in, django_capture_on_commit_callbacks
):
    leader = world.posts.leader
    client = log_in(world.posts.officer)
    url = reverse("institutions:pairing_edit", args=[leader.pk])
    assert "青年路社区卫生服务中心" in client.get(url).content.decode()
    data = {"institutions": [world.other_centre.pk], "starts": "2023-04-01"}
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(url, data, follow=True)
    assert "新增1家，减少1家" in answer.content.decode()
    ended = Pairing.objects.get(institution=world.centre)
    assert ended.ends == clock.today() - timedelta(days=1)
    assert Pairing.objects.get(institution=world.other_centre).starts == date(2023, 4, 1)
    assert Notification.objects.filter(post=leader, text__contains="挂包").count() == 1
    assert Event.objects.filter(label="调整挂包联系").count() == 1
    # The old link may begin anew.
    pair(leader, [world.centre], by=world.posts.officer, starts=clock.today())
    link = Pairing.objects.get(institution=world.centre)
    assert link.ends is None and link.starts == clock.today()
    # One that has not begun yet is dropped without a trace of its own.
    pair(leader, [], by=world.posts.officer, starts=clock.today())
    assert not Pairing.objects.filter(institution=world.centre).exists()


def test_nobody_else_changes_the_links(world, log_in):
    leader = world.posts.leader
    url = reverse("institutions:pairing_edit", args=[leader.pk])
    data = {"institutions": [world.centre.pk], "starts": "2023-04-01"}
    for post, status in (
        (leader, 403),
        (world.posts.finance, 403),
        (world.posts.head, 403),
        (world.posts.auditor, 403),
        (world.posts.city_officer, 403),
        (world.posts.far_officer, 404),
    ):
        client = log_in(post)
        assert client.get(url).status_code == client.post(url, data).status_code == status
    officer = world.posts.officer
    far = {"institutions": [world.far_centre.pk], "starts": "2023-04-01"}
    assert "选择一个有效的选项" in log_in(officer).post(url, far).content.decode()
    with pytest.raises(PermissionDenied):
        pair(leader, [], by=world.posts.far_officer, starts=clock.today())
    with pytest.raises(ValidationError):
        pair(officer, [world.centre], by=officer, starts=clock.today())
    with pytest.raises(ValidationError):
        pair(leader, [world.far_centre], by=officer, starts=clock.today())
    assert Pairing.objects.get().institution == world.centre


def test_the_pages_cost_the_same_with_two_and_with_forty_institutions(world, busy, log_in):
    leader, client = world.posts.leader, log_in(world.posts.officer)

    def more(first: int, last: int) -> None:
        task = busy.tasks.get()
        for n in range(first, last):
            unit = builders.institution(f"ZC-L{n}", f"卫生院{n}", Kind.TOWNSHIP, world.county)
            Pairing.objects.create(post=leader, institution=unit)
            Report.objects.create(
                institution=unit, supervisor=world.county, task=task, due=task.due
            )

    def cost() -> list[int]:
        found = []
        for page in (reverse("leader_list"), page_of(leader)):
            client.get(page)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(page).status_code == 200
            found.append(len(queries))
        return found

    more(0, 2)
    few = cost()
    more(2, 40)
    assert cost() == few
    assert few[0] <= 13, few
