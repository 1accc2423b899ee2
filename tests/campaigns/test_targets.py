"""Targets that add up across units: reported with evidence, confirmed by the bureau, shown by area with who is missing."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns import pursuing
from campaigns.models import Contribution, Target
from institutions import clock
from institutions.models import Event, Kind, Notification
from tests import builders


@pytest.fixture(autouse=True)
def at(monkeypatch):
    def move(day):
        monkeypatch.setattr(clock, "today", lambda: day)

    move(date(2023, 11, 20))
    return move


def aim(world, units, *, by=None, parts=None, **more) -> Target:
    by = by or world.posts.officer
    given = {"kind": "count", "goal": Decimal(3), "starts": date(2023, 1, 1)}
    given |= {"name": "示例目标", "due": date(2023, 12, 31), **more}
    target = Target(bureau=by.institution, **given)
    pursuing.save_target(target, by=by, institutions=units, parts=parts)
    return target


def part(target, unit) -> Contribution:
    return Contribution.objects.get(target=target, institution=unit)


def bring(target, unit, **fields) -> None:
    """Let a unit have reported and the bureau have confirmed."""
    Contribution.objects.filter(target=target, institution=unit).update(
        status="confirmed", **fields
    )


def url(name, row):
    return reverse(f"campaigns:{name}", args=[row.pk])


def shown(client, target):
    return client.get(target.get_absolute_url()).context["progress"]


@pytest.mark.row("B04", "D07")
def test_a_number_is_reported_with_evidence_confirmed_and_added_up(
    world, log_in, django_capture_on_commit_callbacks
):
    officer = log_in(world.posts.officer)
    with django_capture_on_commit_callbacks(execute=True):
        answer = officer.post(
            reverse("campaigns:target_create"),
            {
                "name": "建成质量控制中心",
                "kind": "count",
                "goal": "13",
                "unit": "个",
                "measured": "已运行的质控中心",
                "starts": "2023-01-01",
                "due": "2023-12-31",
                "institutions": [world.hospital.pk, world.maternal.pk],
            },
        )
    target = Target.objects.get()
    assert answer.url == target.get_absolute_url()
    assert Notification.objects.filter(text__contains="建成质量控制中心").exists()
    row = part(target, world.maternal)
    head = log_in(world.posts.maternal_head)
    save = {"version": row.version, "value": "9", "text": "已建 9 个", "then": "report"}
    head.post(url("contribution_save", row), {**save, "files": builders.picture()})
    row.refresh_from_db()
    assert (row.status, row.value, row.files.count()) == ("reported", 9, 1)
    found = shown(log_in(world.posts.officer), target)
    assert (found.done, found.waiting, found.met) == (0, 1, False)
    back = officer.post(url("contribution_send_back", row), {"version": row.version, "note": ""})
    assert "请写明理由或意见" in back.content.decode()
    officer.post(url("contribution_send_back", row), {"version": row.version, "note": "缺文件"})
    row.refresh_from_db()
    page = log_in(world.posts.maternal_head).get(row.get_absolute_url()).content.decode()
    assert "缺文件" in page and "照片.jpg" in page
    head.post(url("contribution_save", row), {**save, "version": row.version})
    row.refresh_from_db()
    log_in(world.posts.officer).post(url("contribution_confirm", row), {"version": row.version})
    found = shown(officer, target)
    assert (found.text, found.met) == ("9个", False)
    assert [one.institution.code for one in found.missing] == ["ZC-RM"]
    bring(target, world.hospital, value=Decimal(4))
    assert shown(officer, target).met
    assert [e.label for e in Event.objects.of(row)].count("上报") == 2

    # 「监督员人均办案不少于6件」: asked of each unit, cases over supervisors.
    cases = aim(
        world,
        [world.centre, world.other_centre],
        kind="ratio",
        goal=Decimal(6),
        unit="件",
        measured="办结案件",
        per="监督员人数",
    )
    bring(cases, world.centre, value=Decimal(90), per=Decimal(9))
    bring(cases, world.other_centre, value=Decimal(11), per=Decimal(2))
    found = shown(officer, cases)
    assert found.text == "9.18件" and not found.met
    assert [str(one.amount) for one in found.missing] == ["5.50"]
    # 「新建社区卫生服务中心3所」
    built = aim(world, [world.centre, world.other_centre], name="新建社区卫生服务中心")
    bring(built, world.centre, value=Decimal(3))
    assert shown(officer, built).text == "3个" and shown(officer, built).met


@pytest.mark.row("D34")
def test_a_share_of_the_centres_is_counted_with_the_denominator_of_each_year(world, log_in, at):
    at(date(2022, 12, 31))
    old = [
        builders.institution(
            f"ZC-S{n}", f"示例社区中心{n}", Kind.COMMUNITY, world.county, opened=date(2015, 1, 1)
        )
        for n in range(4)
    ]
    new = builders.institution(
        "ZC-S9", "示例社区中心新", Kind.COMMUNITY, world.county, opened=date(2022, 3, 1)
    )
    target = aim(
        world,
        [*old, new],
        kind="share",
        goal=Decimal(60),
        level="示范社区卫生服务中心标准",
        starts=date(2020, 1, 1),
        due=date(2022, 12, 31),
    )
    for unit, day in ((old[0], date(2020, 6, 1)), (old[1], date(2021, 6, 1))):
        bring(target, unit, reached_on=day)
    officer = log_in(world.posts.officer)
    found = shown(officer, target)
    assert found.text == "40%（2/5）" and not found.met
    assert found.years == [
        (2020, 1, 4, "25%"),
        (2021, 2, 4, "50%"),
        (2022, 2, 5, "40%"),
    ]
    bring(target, new, reached_on=date(2022, 12, 31))
    assert shown(officer, target).text == "60%（3/5）" and shown(officer, target).met
    # What is reached after the deadline does not count towards it.
    at(date(2023, 2, 1))
    bring(target, new, reached_on=date(2023, 1, 5))
    assert not shown(officer, target).met


@pytest.mark.row("B05", "E07")
def test_a_city_counts_centres_at_a_level_by_county(world, log_in):
    more = [
        builders.institution(f"ZC-W{n}", f"示例卫生院{n}", Kind.TOWNSHIP, world.county)
        for n in range(3)
    ]
    city = log_in(world.posts.city_officer)
    data = {
        "name": "乡镇卫生院达到国家基本标准",
        "kind": "level",
        "goal": "4",
        "unit": "家",
        "level": "国家基本标准",
        "starts": "2023-01-01",
        "due": "2023-12-31",
        "kinds": [Kind.TOWNSHIP],
        f"part{world.county.pk}": "2",
        f"part{world.other_county.pk}": "1",
    }
    assert city.post(reverse("campaigns:target_create"), data).status_code == 302
    target = Target.objects.get()
    assert target.contributions.count() == 5
    for unit in (*more, world.other_centre):
        bring(target, unit, reached_on=date(2023, 6, 1))
    page = city.get(target.get_absolute_url())
    found = page.context["progress"]
    assert found.text == "4家" and not found.met  # four, but none in the other county
    assert [(g.label, g.done, g.goal, g.met) for g in found.groups] == [
        ("示例区卫生健康局", 4, 2, True),
        ("邻区卫生健康局", 0, 1, False),
    ]
    assert [row.institution.code for row in found.missing] == ["ZD-A"]
    assert "还没有完成的单位：邻区卫生院" in page.content.decode()
    row = part(target, world.far_centre)
    head = log_in(world.posts.far_head)
    empty = {"version": row.version, "text": "争创中", "then": "report"}
    answer = head.post(url("contribution_save", row), empty, follow=True)
    assert "请先填写达到日期" in answer.content.decode()
    row.refresh_from_db()
    head.post(
        url("contribution_save", row),
        {**empty, "version": row.version, "reached_on": "2023-10-30"},
    )
    row.refresh_from_db()
    confirm = url("contribution_confirm", row)
    # The county sees it; it is the city that asked.
    refused = log_in(world.posts.far_officer).post(confirm, {"version": row.version})
    assert refused.status_code == 403
    log_in(world.posts.city_officer).post(confirm, {"version": row.version})
    assert shown(city, target).met
    # A county sees its own part of the city's target.
    county = shown(log_in(world.posts.far_officer), target)
    assert [row.institution.code for row in county.missing] == []


@pytest.mark.row("B06", "B07")
def test_full_coverage_lists_who_is_missing(world, log_in):
    officer = log_in(world.posts.officer)
    for name in ("中医药服务全覆盖", "中心、站一体化管理全覆盖", "村卫生室产权公有全覆盖"):
        answer = officer.post(
            reverse("campaigns:target_create"),
            {
                "name": name,
                "kind": "coverage",
                "unit": "家",
                "starts": "2023-01-01",
                "due": "2023-12-31",
                "kinds": [Kind.CLINIC, Kind.STATION, Kind.COMMUNITY, Kind.TOWNSHIP],
            },
        )
        assert answer.status_code == 302
    target = Target.objects.get(name="中医药服务全覆盖")
    rows = list(target.contributions.select_related("institution"))
    for row in rows[1:]:
        bring(target, row.institution, reached_on=date(2023, 5, 1))
    page = officer.get(target.get_absolute_url())
    found = page.context["progress"]
    assert found.text == f"{len(rows) - 1}/{len(rows)}" and not found.met
    assert [row.pk for row in found.missing] == [rows[0].pk]
    listed = officer.get(reverse("campaigns:target_list"), {"format": "csv"})
    lines = listed.getvalue().decode("utf-8-sig").splitlines()
    assert len(lines) == 4 and any(found.text in line for line in lines)
    bring(target, rows[0].institution, reached_on=date(2023, 5, 1))
    assert shown(officer, target).met


def test_what_is_confirmed_can_be_renewed_and_counts_again_when_confirmed(world, log_in):
    target = aim(world, [world.centre])
    bring(target, world.centre, value=Decimal(2))
    row = part(target, world.centre)
    head = log_in(world.posts.head)
    head.post(url("contribution_renew", row), {"version": row.version})
    row.refresh_from_db()
    assert row.status == "open" and shown(head, target).done == 0


def test_a_unit_that_has_reported_is_not_left_out(world, log_in):
    target = aim(world, [world.centre, world.other_centre])
    bring(target, world.centre, value=Decimal(2))
    data = {
        "name": target.name,
        "goal": "3",
        "unit": "个",
        "starts": "2023-01-01",
        "due": "2023-12-31",
    }
    officer = log_in(world.posts.officer)
    edit = url("target_edit", target)
    left_out = officer.post(edit, {**data, "institutions": [world.other_centre.pk]})
    assert "已经上报的单位不能取消" in left_out.content.decode()
    assert officer.post(edit, {**data, "institutions": [world.centre.pk]}).status_code == 302
    assert [row.institution_id for row in target.contributions.all()] == [world.centre.pk]


def test_the_page_costs_the_same_for_few_and_many_units(world, log_in):
    units = [
        builders.institution(f"ZC-T{n}", f"示例卫生院{n}", Kind.TOWNSHIP, world.county)
        for n in range(40)
    ]
    few = aim(world, units[:3], kind="coverage", goal=None)
    many = aim(world, units, kind="coverage", goal=None)
    client = log_in(world.posts.officer)
    costs = []
    for target in (few, few, many):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(target.get_absolute_url()).status_code == 200
        costs.append(len(queries))
    assert costs[1] == costs[2] <= 16, costs
    with CaptureQueriesContext(connection) as queries:
        client.get(reverse("campaigns:target_list"))
    assert len(queries) <= 12


def test_street_and_town_offices_bring_their_part_of_a_target(world, log_in):
    client = log_in(world.posts.officer)
    client.post(
        reverse("campaigns:target_create"),
        {
            "name": "国家卫生镇基础性检查验收",
            "kind": "coverage",
            "unit": "个",
            "level": "通过国家卫生镇验收",
            "starts": "2021-01-01",
            "due": "2021-12-31",
            "kinds": ["street"],
        },
    )
    row = Contribution.objects.get()
    assert row.institution == world.street_office
    assert row.may("report", world.posts.street)
