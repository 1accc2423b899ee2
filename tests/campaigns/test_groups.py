"""Working groups: rosters, the nine professions, a unit's own task force, villages nobody looks after."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns import grouping
from campaigns.models import Group, Member
from institutions.models import Region
from tests import builders

LIST = "/campaigns/groups/"


def set_up(by, kind="taskforce", members=(), **more) -> Group:
    group = Group(kind=kind, name=f"示例{kind}", set_up_on=date(2023, 3, 1), **more)
    grouping.set_up(group, by=by)
    for duty, title in members:
        grouping.add_member(group, Member(duty=duty, title=title), by=by, version=group.version)
    return group


def add(client, group, **data):
    version = Group.objects.get(pk=group.pk).version
    url = reverse("campaigns:member_create", args=[group.pk])
    return client.post(url, {"version": version, **data})


@pytest.mark.row("B18", "E18")
def test_a_leading_group_is_set_up_and_prints_head_deputies_members_and_office(world, log_in):
    client = log_in(world.posts.officer)
    fields = {"kind": "leading", "name": "活动领导小组", "set_up_on": "2023-03-01"}
    fields |= {"office": "局办公室", "files": builders.picture("成立文件.jpg")}
    answer = client.post(reverse("campaigns:group_create"), fields)
    group = Group.objects.get()
    assert answer.url == group.get_absolute_url()
    assert "请选择任职，或写明单位和职务" in add(client, group, duty="head").content.decode()
    add(client, group, duty="member", title="各单位主要负责人")
    add(client, group, duty="deputy", title="其他班子成员")
    add(client, group, duty="head", post=world.posts.leader.pk)
    page = client.get(group.get_absolute_url())
    assert [duty for duty, _ in page.context["roster"]] == ["组长", "副组长", "成员"]
    text = page.content.decode()
    assert "分管局长" in text and "办公室设在局办公室" in text and "成立文件.jpg" in text
    gone = group.members.get(duty="member")
    group.refresh_from_db()
    url = reverse("campaigns:member_remove", args=[gone.pk])
    assert client.post(url, {"version": group.version - 1}).status_code == 409
    client.post(url, {"version": group.version})
    assert group.members.count() == 2
    group.refresh_from_db()
    client.post(reverse("campaigns:group_dissolve", args=[group.pk]), {"version": group.version})
    group.refresh_from_db()
    assert (
        group.status == "dissolved"
        and add(client, group, title="x", duty="member").status_code == 409
    )


@pytest.mark.row("E19", "E17")
def test_a_guidance_group_warns_of_the_professions_it_lacks(world, log_in):
    group = set_up(world.posts.officer, "guidance")
    client = log_in(world.posts.officer)
    assert "缺" in client.get(group.get_absolute_url()).content.decode()
    for value in ("management", "medicine", "tcm", "nursing", "infection", "public_health"):
        add(client, group, duty="member", title="专家", profession=value)
    page = client.get(group.get_absolute_url())
    assert page.context["missing"] == ["卫生监督", "财务管理", "信息管理"]
    for value in ("inspection", "finance", "information"):
        add(client, group, duty="member", title="专家", profession=value)
    assert client.get(group.get_absolute_url()).context["missing"] == []


@pytest.mark.row("A29")
def test_units_without_a_task_force_of_their_own_are_named(world, log_in):
    set_up(world.posts.head, members=[("head", "中心主任")])
    page = log_in(world.posts.officer).get(LIST)
    names = {unit.code for unit in page.context["without"]}
    assert "ZC-QNL" not in names and {"ZC-WC", "ZC-FY"} <= names
    assert (
        "中心主任" in log_in(world.posts.officer).get(LIST, {"format": "csv"}).getvalue().decode()
    )
    other = log_in(world.posts.other_head)
    assert other.get(LIST).context["page"].count == 0
    group = Group.objects.get()
    assert other.get(group.get_absolute_url()).status_code == 404
    edit = reverse("campaigns:group_edit", args=[group.pk])
    assert log_in(world.posts.officer).get(edit).status_code == 403


@pytest.mark.row("C29", "C30", "C31")
def test_a_team_has_its_captains_and_every_village_someone_from_each_side(world, log_in):
    town = world.street_office.region
    villages = [
        Region.objects.create(code=f"{town.code}20{n}", name=f"示例{n}村", level=6, parent=town)
        for n in (1, 2)
    ]
    client = log_in(world.posts.street)
    fields = {"kind": "team", "name": "第一大队", "set_up_on": "2023-03-01"}
    refused = client.post(reverse("campaigns:group_create"), fields)
    assert "请选择大队负责的区域" in refused.content.decode()
    client.post(reverse("campaigns:group_create"), {**fields, "region": town.pk})
    group = Group.objects.get()
    add(client, group, duty="captain", title="卫计办副主任")
    add(client, group, duty="technical", title="社区卫生服务中心负责人")
    no_village = add(client, group, duty="bureau_side", title="包村人员")
    assert "请选择所包村（居）" in no_village.content.decode()
    add(client, group, duty="bureau_side", title="包村人员甲", region=villages[0].pk)
    add(client, group, duty="centre_side", title="包村人员乙", region=villages[0].pk)
    add(client, group, duty="bureau_side", title="包村人员丙", region=villages[1].pk)
    page = client.get(group.get_absolute_url())
    assert (page.context["covered"], page.context["villages"]) == (1, 2)
    assert page.context["gaps"] == [(villages[1], ["包村人员（卫生服务中心）"])]
    text = page.content.decode()
    assert "大队长" in text and "业务队长" in text and "示例2村：缺" in text
    add(client, group, duty="centre_side", title="包村人员丁", region=villages[1].pk)
    assert "没有遗漏" in client.get(group.get_absolute_url()).content.decode()
    assert log_in(world.posts.officer).get(group.get_absolute_url()).status_code == 200


@pytest.mark.row("C28")
def test_three_ranks_of_cadres_answer_each_for_an_area(world, log_in):
    town = world.street_office.region
    district = Region.objects.create(code=f"{town.code}3", name="示例管区", level=5, parent=town)
    village = Region.objects.create(code=f"{town.code}31", name="示例村", level=6, parent=district)
    group = set_up(world.posts.street, "team", region=town)
    client = log_in(world.posts.street)
    refused = add(client, group, duty="cadre", title="科级干部").content.decode()
    assert "请选择负责的管区或村（居）" in refused
    for duty, area in (("cadre", district), ("district", district), ("village", village)):
        add(client, group, duty=duty, title=f"{area.name}负责人", region=area.pk)
    page = client.get(group.get_absolute_url())
    roster = {duty: [m.region.name for m in rows] for duty, rows in page.context["roster"]}
    assert roster == {
        "联系管区科级干部": ["示例管区"],
        "管区书记": ["示例管区"],
        "村居支部书记": ["示例村"],
    }


@pytest.mark.row("C32")
def test_village_doctor_and_worker_stand_in_the_roster_with_their_duties(world, log_in):
    town = world.street_office.region
    village = Region.objects.create(code=f"{town.code}209", name="示例村", level=6, parent=town)
    group = set_up(world.posts.street, "team", region=town)
    client = log_in(world.posts.street)
    add(client, group, duty="doctor", title="乡村医生", region=village.pk, text="查体、随访")
    add(client, group, duty="worker", title="卫计专干", region=village.pk, text="基本信息采集")
    text = client.get(group.get_absolute_url()).content.decode()
    assert "查体、随访" in text and "基本信息采集" in text and "示例村" in text


def test_groups_cost_the_same_however_many(world, log_in):
    client = log_in(world.posts.officer)
    group = set_up(world.posts.officer, "leading", [("head", "局长")])

    def cost():
        found = []
        for page in (LIST, group.get_absolute_url()):
            client.get(page)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(page).status_code == 200
            found.append(len(queries))
        return found

    few = cost()
    for n in range(20):
        row = Group.objects.create(
            institution=world.centre,
            supervisor=world.county,
            kind="taskforce",
            name=f"专班{n}",
            set_up_on=date(2023, 3, 1),
        )
        Member.objects.create(group=row, position=1, title="成员")
        Member.objects.create(group=group, position=n + 2, title="成员")
    assert cost() == few and max(few) <= 12, few
