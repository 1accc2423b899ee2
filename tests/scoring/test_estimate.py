"""The estimate: costs set by the bureau, numbers by unit and year, shares of the villages, money to the cent."""

import io
from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from institutions import clock
from institutions.models import Population
from institutions.tables import Scope
from scoring import estimating
from scoring.models import PlannedWork, WorkUnit
from scoring.tables import PlannedWorkTable, ServiceCostTable
from tests import builders

LIST = "/scoring/estimates/"


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr(clock, "today", lambda: date(2023, 6, 1))


def service(world, code="GX-1", cost="8.33", item="07a", **more) -> WorkUnit:
    return WorkUnit.objects.create(
        bureau=world.county,
        institution=world.county,
        year=2023,
        code=code,
        name=f"服务{code}",
        item=builders.item(item),
        cost=None if cost is None else Decimal(cost),
        unit="人次",
        **more,
    )


def fill(client, unit, **numbers):
    url = reverse("scoring:estimate_edit", args=[unit.pk])
    mark = client.get(url, {"year": "2023"}).context["mark"]
    return client.post(url, {"year": "2023", "mark": mark, **numbers})


@pytest.mark.row("A24", "B09")
def test_numbers_times_costs_make_the_estimate_to_the_cent(world, log_in):
    officer = log_in(world.posts.officer)
    created = officer.post(
        reverse("scoring:cost_create"),
        {
            "year": "2023",
            "code": "GX-1",
            "name": "高血压随访",
            "item": builders.item("07a").pk,
            "unit": "人次",
            "cost": "8.33",
        },
    )
    assert created.status_code == 302
    row, other = WorkUnit.objects.get(), service(world, "LN-1", "118.50", "06")
    assert row.coefficient == 0, "an equivalent is the policy's affair"
    officer.post(reverse("scoring:cost_edit", args=[row.pk]), {"cost": "8.35", "name": "别名"})
    row.refresh_from_db()
    assert (row.cost, row.name) == (Decimal("8.35"), "高血压随访"), "only the cost is changed here"
    assert (
        fill(officer, world.centre, **{f"n{row.pk}": "1201", f"n{other.pk}": "37"}).status_code
        == 302
    )
    fill(officer, world.other_centre, **{f"n{row.pk}": "3"})
    # 1201 × 8.35 + 37 × 118.50 = 10028.35 + 4384.50
    page = officer.get(reverse("scoring:estimate_detail", args=[world.centre.pk]), {"year": "2023"})
    assert page.context["total"] == Decimal("14412.85")
    assert "14,412.85" in page.content.decode()
    listed = officer.get(LIST, {"year": "2023"})
    assert listed.context["kpis"][0]["value"] == "14,437.90"
    export = officer.get(LIST, {"year": "2023", "format": "csv"}).getvalue().decode("utf-8-sig")
    assert "14,412.85" in export and "25.05" in export


@pytest.mark.row("A24")
def test_a_centre_splits_its_numbers_over_its_villages_and_nothing_is_lost(world, log_in):
    row, dear = service(world), service(world, "LN-1", "118.50", "06")
    for unit, people in ((world.clinic, 1000), (world.sibling_clinic, 500)):
        Population.objects.create(institution=unit, year=2023, residents=people)
    head = log_in(world.posts.head)
    fill(head, world.centre, **{f"n{row.pk}": "1001", f"n{dear.pk}": "10"})
    split = reverse("scoring:estimate_split", args=[world.centre.pk])
    head.post(split, {"year": "2023", "percent": "100"})

    def shares(unit):
        return estimating.numbers_of(unit, 2023)

    assert shares(world.clinic) == {row.pk: 667, dear.pk: 7}
    assert shares(world.sibling_clinic) == {row.pk: 334, dear.pk: 3}
    lines = estimating.lines_of(world.centre, 2023)
    assert [(line.below, line.left) for line in lines] == [(1001, 0), (10, 0)]
    head.post(split, {"year": "2023", "percent": "40"})
    # Four tenths of 1001 is 400.4: 400 to the villages, the rest stays with the centre.
    assert sum(shares(unit)[row.pk] for unit in (world.clinic, world.sibling_clinic)) == 400
    listed = head.get(LIST, {"year": "2023", "state": "left"}).context["page"]
    assert [line.row for line in listed.rows] == [world.centre]
    assert head.get(LIST, {"year": "2023"}).context["kpis"][0]["value"] == "9,523.33"
    doctor = log_in(world.posts.doctor)
    assert doctor.get(reverse("scoring:estimate_detail", args=[world.centre.pk])).status_code == 404
    Population.objects.filter(institution=world.clinic).delete()
    refused = log_in(world.posts.head).post(split, {"year": "2023", "percent": "40"}, follow=True)
    assert "缺服务人口" in refused.content.decode()


def test_two_people_on_the_same_numbers_do_not_overwrite_each_other(world, log_in):
    row = service(world)
    url = reverse("scoring:estimate_edit", args=[world.centre.pk])
    head = log_in(world.posts.head)
    old = head.get(url, {"year": "2023"}).context["mark"]
    fill(head, world.centre, **{f"n{row.pk}": "5"})
    late = head.post(url, {"year": "2023", "mark": old, f"n{row.pk}": "9"})
    assert "已被他人修改" in late.content.decode()
    assert PlannedWork.objects.get().number == 5
    fill(head, world.centre)
    assert not PlannedWork.objects.exists()


def test_a_service_without_cost_is_named_and_left_out(world, log_in):
    row = service(world, cost=None)
    officer = log_in(world.posts.officer)
    fill(officer, world.centre, **{f"n{row.pk}": "5"})
    page = officer.get(reverse("scoring:estimate_detail", args=[world.centre.pk]), {"year": "2023"})
    assert page.context["without_cost"] == ["服务GX-1"] and page.context["total"] == 0
    assert officer.get("/scoring/costs/", {"state": "none"}).context["page"].count == 1


@pytest.mark.row("A24", "B09")
def test_costs_and_numbers_come_in_and_go_out_as_tables(world):
    service(world, coefficient=Decimal("1.2500"))
    costs = "年度,服务代码,服务名称,服务项目,单位,单位成本（元）\n2023,GX-1,高血压随访,07a,人次,9.10\n2023,LN-1,体检,06,人,118.5\n"
    table = ServiceCostTable(Scope.of(world.posts.officer))
    plan = table.plan(io.BytesIO(costs.encode()), "成本.csv")
    assert plan.ok, plan.errors
    table.commit(plan)
    row = WorkUnit.objects.get(code="GX-1")
    assert (row.cost, row.coefficient) == (Decimal("9.10"), Decimal("1.2500"))
    numbers = "机构代码,年度,服务代码,任务数\nZC-QNL,2023,GX-1,1200\nZC-QNL-1,2023,GX-1,400\n"
    work = PlannedWorkTable(Scope.of(world.posts.officer))
    found = work.plan(io.BytesIO(numbers.encode()), "任务.csv")
    assert found.ok, found.errors
    work.commit(found)
    out = b"".join(PlannedWorkTable(Scope.of(world.posts.officer)).write_csv(2023))
    again = PlannedWorkTable(Scope.of(world.posts.officer)).plan(io.BytesIO(out), "任务.csv")
    assert again.ok and not again.changed and not again.new
    bad = PlannedWorkTable(Scope.of(world.posts.head)).plan(
        io.BytesIO("机构代码,年度,服务代码,任务数\nZC-QNL,2023,XX,1\nZC-WC,2023,GX-1,1\n".encode()),
        "任务.csv",
    )
    assert len(bad.errors) == 2
