"""Who there is: the twelve items, the tree of institutions with their names and duties, the directory of posts."""

import pytest
from django.urls import reverse

from institutions.models import Department, Population, Responsibility, ServiceItem
from tests import builders

# 「目前，国家基本公共卫生服务项目主要有12项内容」, by the stable codes; the opinion of 2018 prints 11 before 12 and 10 before 11.
ITEMS_2017 = [
    "城乡居民健康档案管理",
    "健康教育",
    "预防接种",
    "0～6岁儿童健康管理",
    "孕产妇健康管理",
    "老年人健康管理",
    "慢性病患者健康管理（高血压、糖尿病）",
    "重性精神疾病患者管理",
    "结核病患者健康管理",
    "传染病及突发公共卫生事件报告和处理服务",
    "中医药健康管理",
    "卫生计生监督协管服务",
]


@pytest.mark.row("C02")
def test_the_twelve_items_are_known_by_every_name(world):
    items = list(ServiceItem.objects.filter(parent=None).order_by("code"))
    assert [item.names["2017"] for item in items] == ITEMS_2017
    assert [item.code for item in items] == [f"{n:02}" for n in range(1, 13)]
    parts = ServiceItem.objects.filter(parent__code="07").order_by("code")
    assert [part.code for part in parts] == ["07a", "07b"]
    assert (
        "重性精神疾病" in builders.item("08").aliases
        or "重性精神疾病患者管理" in builders.item("08").aliases
    )


@pytest.mark.row("C04")
def test_centres_and_village_clinics_deliver_the_items(world, log_in):
    for unit in (world.centre, world.clinic):
        Responsibility.objects.create(institution=unit, item=builders.item("06"), duty="delivers")
    client = log_in(world.posts.head)
    for unit in (world.centre, world.clinic):
        page = client.get(reverse("institution_detail", args=[unit.pk])).content.decode()
        assert "承担项目" in page and "老年人" in page
    listed = client.get(reverse("institutions:institution_list")).content.decode()
    assert world.centre.name in listed and world.clinic.name in listed


@pytest.mark.row("X01")
def test_an_institutions_page_tells_its_place_names_duties_and_people(world, log_in):
    Population.objects.create(institution=world.maternal, year=2023, residents=30000, elderly=5200)
    Population.objects.create(institution=world.maternal, year=2022, residents=29000)
    Responsibility.objects.create(
        institution=world.maternal, item=builders.item("05"), duty="leads"
    )
    page = (
        log_in(world.posts.officer)
        .get(reverse("institution_detail", args=[world.maternal.pk]))
        .content.decode()
    )
    for told in (
        "区妇幼保健院",
        "大街社区卫生服务中心",
        "妇幼保健院、社区卫生服务中心、助产机构",
        f"由{world.county.name}督导",
        "牵头项目",
        "孕产妇",
        "30000",
        "29000",
    ):
        assert told in page, told


def test_a_city_hospital_inside_the_district_is_supervised_by_the_district(world, log_in):
    page = (
        log_in(world.posts.officer)
        .get(reverse("institution_detail", args=[world.city_hospital.pk]))
        .content.decode()
    )
    assert f"由{world.county.name}督导" in page and "<dd>市</dd>" in page
    assert world.city_hospital.bureau == world.county


@pytest.mark.row("X02")
def test_the_directory_lists_leaders_departments_heads_and_experts(world, log_in):
    department = Department.objects.create(institution=world.county, name="基妇科")
    world.posts.officer.department = department
    world.posts.officer.save()
    page = log_in(world.posts.system).get(reverse("institutions:post_list")).content.decode()
    for title in ("分管局长", "基妇科经办人", "中心主任", "督导专家（妇产）", "疾控公卫科牵头人"):
        assert title in page, title
    detail = (
        log_in(world.posts.system)
        .get(reverse("institutions:post_detail", args=[world.posts.officer.pk]))
        .content.decode()
    )
    assert "基妇科" in detail


@pytest.mark.row("C03")
def test_the_items_are_free_and_those_of_the_key_groups_are_marked(world, log_in):
    client = log_in(world.posts.officer)
    page = client.get("/items/")
    body = page.content.decode()
    assert "面向全体居民免费提供" in body and "区疾病预防控制中心" in body
    marked = client.get("/items/", {"key_group": "1"}).context["listing"]["rows"]
    names = {line.row.name for line in marked}
    for word in ("儿童", "孕产妇", "老年人", "高血压"):
        assert any(word in name for name in names), word
    others = client.get("/items/", {"key_group": "0"}).context["listing"]["rows"]
    assert not names & {line.row.name for line in others}
