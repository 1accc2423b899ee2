"""Means of an institution, year by year; partners and studios; who owns the village clinics."""

import io
from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from institutions import clock
from institutions.models import Capacity, Cooperation, Population
from institutions.staff_forms import read_equipment
from institutions.tables import CapacityTable, Scope

LIST = "/capacity/"


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr(clock, "today", lambda: date(2023, 6, 1))


GIVEN = {
    "year": "2023",
    "functions": ["常见病诊疗", "转诊"],
    "location": "镇驻地",
    "traffic": "通公交",
    "radius": "3000",
    "beds": "40",
    "equipment_text": "彩超 2\n心电图机：1",
    "posts": "60",
    "positions": "64",
    "staffed": "58",
    "capabilities": ["门诊", "住院", "常规检验", "双向转诊"],
    "traditional": "built",
    "traditional_on": "2020-06-01",
    "subsidy": "3650000.50",
    "pay": "落实两个允许",
}


@pytest.mark.row("E08", "E09", "E36")
def test_a_unit_fills_in_its_year_and_the_bureau_sees_what_is_missing(world, log_in):
    Population.objects.create(institution=world.centre, year=2023, residents=31000)
    officer = log_in(world.posts.officer)
    before = officer.get(LIST).context["kpis"][0]
    assert before["label"] == "2023年未填报"
    edit = reverse("institutions:capacity_edit", args=[world.centre.pk])
    head = log_in(world.posts.head)
    part = head.post(edit, {"year": "2023", "beds": "40"}, follow=True)
    assert "还缺：功能任务、地理位置" in part.content.decode()
    some = log_in(world.posts.officer).get(LIST, {"state": "some"}).context["page"]
    assert [line.row for line in some.rows] == [world.centre]
    full = log_in(world.posts.head).post(edit, GIVEN, follow=True).content.decode()
    assert "没有缺项" in full
    row = Capacity.objects.get()
    assert row.devices == 3 and row.equipment == [["彩超", 2], ["心电图机", 1]]
    assert row.subsidy == Decimal("3650000.50") and row.functions == "常见病诊疗、转诊"
    page = log_in(world.posts.officer).get(
        reverse("institutions:capacity_detail", args=[world.centre.pk])
    )
    text = page.content.decode()
    for said in ("31000 人", "3000 米", "60 / 64 / 58", "彩超 2、心电图机 1", "3,650,000.50"):
        assert said in text, said
    export = log_in(world.posts.officer).get(LIST, {"format": "csv", "state": "full"})
    assert "3650000.5" in export.getvalue().decode("utf-8-sig")
    here = log_in(world.posts.officer).get(world.centre.get_absolute_url()).content.decode()
    assert "床位 40，编制 60，填报齐全" in here


@pytest.mark.row("E10", "E11", "E12")
def test_units_are_found_by_what_they_can_do_and_by_their_traditional_wards(world, log_in):
    Capacity.objects.create(
        institution=world.centre, year=2023, capabilities="门诊、远程医疗", traditional="built"
    )
    Capacity.objects.create(
        institution=world.other_centre, year=2023, capabilities="门诊", traditional="building"
    )
    officer = log_in(world.posts.officer)

    def found(**query):
        return [line.row for line in officer.get(LIST, query).context["page"].rows]

    assert found(capability="远程医疗") == [world.centre]
    assert found(lacks="远程医疗") == [world.other_centre]
    assert found(traditional="building") == [world.other_centre]
    built = officer.get(LIST).context["kpis"][2]
    assert (built["label"], built["value"]) == ("中医馆已建成", "1/2")


@pytest.mark.row("B07")
def test_public_ownership_of_village_clinics_has_its_share_and_studios_their_register(
    world, log_in
):
    for unit, premises in ((world.clinic, "public"), (world.sibling_clinic, "rented")):
        Capacity.objects.create(institution=unit, year=2023, radius=900, premises=premises)
    head = log_in(world.posts.head)
    kpi = head.get(LIST).context["kpis"][-1]
    assert (kpi["value"], kpi["note"]) == ("1/2", "占 50%")
    public = head.get(LIST, {"premises": "public"}).context["page"]
    assert [line.row for line in public.rows] == [world.clinic]
    create = reverse("institutions:cooperation_create")
    given = {
        "institution": world.centre.pk,
        "kind": "studio",
        "partner": "市中医医院",
        "level": "third",
        "starts": "2023-01-01",
    }
    assert "请写明名称" in head.post(create, given).content.decode()
    head.post(create, {**given, "title": "名中医工作室", "rules": "每周坐诊两天"})
    listed = log_in(world.posts.officer).get(
        reverse("institutions:cooperation_list"), {"kind": "studio"}
    )
    assert "名中医工作室" in listed.content.decode()


@pytest.mark.row("D38")
def test_partner_hospitals_are_kept_with_their_agreement_and_the_services_they_brought(
    world, log_in
):
    head = log_in(world.posts.head)
    given = {
        "institution": world.centre.pk,
        "kind": "partner",
        "partner": "郑州大学第五附属医院",
        "level": "third",
        "starts": "2023-01-01",
        "ends": "2023-07-01",
    }
    create = reverse("institutions:cooperation_create")
    assert "请写明合作后新增的服务项目" in head.post(create, given).content.decode()
    head.post(create, {**given, "services": "心电远程诊断"})
    row = Cooperation.objects.get()
    page = log_in(world.posts.officer).get(
        reverse("institutions:capacity_detail", args=[world.centre.pk])
    )
    text = page.content.decode()
    assert "心电远程诊断" in text and "即将到期" in text
    other = log_in(world.posts.other_head)
    assert other.get(reverse("institutions:cooperation_edit", args=[row.pk])).status_code == 404


def test_last_year_is_carried_into_the_new_form_and_its_own_row_stays(world, log_in):
    Capacity.objects.create(institution=world.centre, year=2022, beds=38, location="镇驻地")
    head = log_in(world.posts.head)
    edit = reverse("institutions:capacity_edit", args=[world.centre.pk])
    form = head.get(edit, {"year": "2023"})
    assert form.context["copied"] and "镇驻地" in form.content.decode()
    head.post(edit, GIVEN)
    assert list(Capacity.objects.order_by("year").values_list("year", "beds")) == [
        (2022, 38),
        (2023, 40),
    ]
    assert log_in(world.posts.doctor).get(edit).status_code == 404


@pytest.mark.row("E09", "E10", "E11")
def test_a_table_brings_the_year_and_goes_out_the_same(world):
    text = (
        "机构代码,年度,功能任务,床位数,主要设备,能开展的服务,中医馆（国医堂）,房屋产权,财政补助经费（元）\n"
        "ZC-QNL,2023,健康管理、转诊,40,彩超 2、DR 1,门诊;住院,已建成,,1200.5\n"
        "ZC-QNL-1,2023,,,,,,产权公有,\n"
    )
    table = CapacityTable(Scope.of(world.posts.head))
    plan = table.plan(io.BytesIO(text.encode()), "能力.csv")
    assert plan.ok, plan.errors
    table.commit(plan)
    row = Capacity.objects.get(institution=world.centre)
    assert row.capabilities == "门诊、住院" and row.equipment == [["彩超", 2], ["DR", 1]]
    out = b"".join(CapacityTable(Scope.of(world.posts.head)).write_csv(2023))
    again = CapacityTable(Scope.of(world.posts.head)).plan(io.BytesIO(out), "能力.csv")
    assert again.ok and not again.changed and not again.new


def test_equipment_is_read_line_by_line_and_a_line_without_a_number_is_refused():
    assert read_equipment("彩超 2台\nDR×1；急救车:1") == [["彩超", 2], ["DR", 1], ["急救车", 1]]
    with pytest.raises(ValueError, match="名称 数量"):
        read_equipment("彩超")
