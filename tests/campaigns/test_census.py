"""The re-check of all records: set by the bureau, reported by the units until all are checked and put right."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns import rechecking
from campaigns.models import Census, CensusCount
from institutions import clock
from institutions.models import Event, Kind
from tests import builders


@pytest.fixture(autouse=True)
def at(monkeypatch):
    def move(day):
        monkeypatch.setattr(clock, "today", lambda: day)

    move(date(2023, 3, 10))
    return move


def set_up(world, units=None, codes=("01", "06")) -> Census:
    census = Census(
        bureau=world.county,
        name="健康档案拉网式复核",
        starts=date(2023, 3, 4),
        due=date(2023, 3, 31),
    )
    rechecking.save_census(
        census,
        by=world.posts.officer,
        items=[builders.item(code) for code in codes],
        institutions=units or [world.centre, world.other_centre],
    )
    return census


def fill(client, census, item="01", **data):
    url = reverse("campaigns:census_fill", args=[census.pk])
    pk = builders.item(item).pk
    shown = client.get(url, {"item": pk})
    assert shown.status_code == 200
    return client.post(url, {"item": pk, "mark": shown.context["mark"], **data})


@pytest.mark.row("A13", "D20")
def test_records_are_checked_and_put_right_until_all_are_done(world, log_in, at):
    officer = log_in(world.posts.officer)
    answer = officer.post(
        reverse("campaigns:census_create"),
        {
            "name": "健康档案清查",
            "starts": "2023-03-04",
            "due": "2023-03-31",
            "items": [builders.item("01").pk],
            "kinds": [Kind.COMMUNITY, Kind.TOWNSHIP],
        },
    )
    census = Census.objects.get()
    assert answer.url == census.get_absolute_url() and census.institutions.count() == 2

    staff = log_in(world.posts.staff)
    numbers = {"on": "2023-03-10", "total": 1000, "checked": 600, "faulty": 30, "corrected": 10}
    wrong = fill(staff, census, **numbers, fault0=12, fault1=8)
    assert "问题分类合计 20" in wrong.content.decode() and not CensusCount.objects.exists()
    too_many = fill(staff, census, **{**numbers, "checked": 1001}, fault0=30)
    assert "不能大于“档案总数”1000" in too_many.content.decode()
    assert fill(staff, census, **numbers, fault0=12, fault1=8, fault2=10).status_code == 302
    row = CensusCount.objects.get()
    assert row.faults == {"迁出": 12, "死亡": 8, "重复": 10} and row.entered_by == world.posts.staff

    shown = log_in(world.posts.officer).get(census.get_absolute_url())
    body = shown.content.decode()
    assert shown.context["checked"] == "60.00%" and "2 家没有到 100%" in body
    assert shown.context["faults"] == [("迁出", 12), ("死亡", 8), ("重复", 10)]
    assert "heat-3" in body and "王村镇中心卫生院：还没有填报" in body

    at(date(2023, 3, 20))
    staff = log_in(world.posts.staff)
    done = {**numbers, "on": "2023-03-20", "checked": 1000, "corrected": 30}
    fill(staff, census, **done, fault0=12, fault1=8, fault2=10)
    shown = log_in(world.posts.officer).get(census.get_absolute_url())
    assert [(day.day, total.checked) for day, total in shown.context["progress"].growth] == [
        (10, 600),
        (20, 1000),
    ]
    assert [row.institution.code for row in shown.context["progress"].behind] == ["ZC-WC"]
    assert "复核进度（%）" in shown.content.decode()
    exported = officer.get(census.get_absolute_url(), {"format": "csv"})
    lines = exported.getvalue().decode("utf-8-sig").splitlines()
    assert len(lines) == 2 and "迁出12、死亡8、重复10" in lines[1] and "已完成" in lines[1]
    assert Event.objects.of(census).filter(label="填报档案复核").count() == 2


def test_a_day_is_replaced_and_time_does_not_run_back(world, log_in, at):
    census = set_up(world)
    client = log_in(world.posts.staff)
    data = {"total": 10, "checked": 5, "faulty": 0, "corrected": 0}
    fill(client, census, on="2023-03-10", **data)
    fill(client, census, on="2023-03-10", **{**data, "checked": 6})
    assert CensusCount.objects.get().checked == 6
    early = fill(client, census, on="2023-03-08", **data)
    assert "不能早于上一次填报" in early.content.decode()
    for day in ("2023-03-11", "2023-03-01"):
        outside = fill(client, census, on=day, **data)
        assert "截至日期应在复核开始之后" in outside.content.decode()


def test_what_a_colleague_reported_is_not_overwritten_unseen(world, log_in):
    census = set_up(world)
    item = builders.item("01")
    numbers = {"total": 10, "checked": 5, "faulty": 0, "corrected": 0}
    given = {"on": date(2023, 3, 10), "numbers": numbers, "faults": {}}
    rechecking.report(census, world.centre, item, by=world.posts.staff, mark="-", **given)
    url = reverse("campaigns:census_fill", args=[census.pk])
    late = log_in(world.posts.head).post(
        url, {"item": item.pk, "mark": "-", "on": "2023-03-10", **numbers, "checked": 9}
    )
    assert "刚刚有人填报过" in late.content.decode()
    assert CensusCount.objects.get().checked == 5


def test_others_neither_report_nor_look(world, log_in):
    census = set_up(world, units=[world.centre])
    url = reverse("campaigns:census_fill", args=[census.pk])
    assert log_in(world.posts.other_head).get(url).status_code == 403
    assert log_in(world.posts.officer).get(url).status_code == 403
    assert log_in(world.posts.far_head).get(url).status_code == 404
    fill(
        log_in(world.posts.staff),
        census,
        on="2023-03-10",
        total=7321,
        checked=0,
        faulty=0,
        corrected=0,
    )
    other = log_in(world.posts.other_head).get(census.get_absolute_url()).content.decode()
    assert "7321" not in other and "青年路" not in other


def test_the_page_costs_the_same_for_few_and_many_units(world, log_in):
    units = [
        builders.institution(f"ZC-T{n}", f"示例卫生院{n}", Kind.TOWNSHIP, world.county)
        for n in range(50)
    ]
    small, large = set_up(world, units=units[:4]), set_up(world, units=units)
    for census in (small, large):
        for unit in census.institutions.all():
            for item in census.items.all():
                CensusCount.objects.create(
                    census=census,
                    institution=unit,
                    item=item,
                    on=date(2023, 3, 9),
                    total=3,
                    checked=3,
                    faulty=0,
                    corrected=0,
                )
    client = log_in(world.posts.officer)
    costs = []
    for url in (small.get_absolute_url(), small.get_absolute_url(), large.get_absolute_url()):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
        costs.append(len(queries))
    assert costs[1] == costs[2] <= 20, costs
    with CaptureQueriesContext(connection) as queries:
        client.get(reverse("campaigns:census_list"))
    assert len(queries) <= 12
