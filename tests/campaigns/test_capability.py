"""能力标准: levels as data of the standard, their editor, and what grades come to."""

from decimal import Decimal

import pytest
from django.urls import reverse

from campaigns.capability import check_levels, judge, read_levels
from campaigns.models import Standard
from campaigns.publishing import faults, publish
from config.demo.sheets import CAPABILITY_FILES, publish_standard
from config.demo.sheets import CAPABILITY_LEVELS as LEVELS
from institutions.models import Kind
from tests.campaigns.test_standards import draft, rows_of, small


@pytest.mark.row("E03")
@pytest.mark.parametrize(
    ("name", "kind"), list(zip(CAPABILITY_FILES, (Kind.TOWNSHIP, Kind.COMMUNITY), strict=True))
)
def test_the_two_capability_standards_are_published_with_their_levels(world, name, kind):
    standard = publish_standard(name, by=world.posts.officer, levels=LEVELS)
    assert standard.purpose == "capability" and standard.kinds == [kind]
    assert "示例" in standard.name
    leaves = standard.clauses.leaves()
    assert leaves.count() == 44 and set(leaves.values_list("method", flat=True)) == {"grade"}
    assert leaves.filter(core=True).count() >= 10
    assert sum(int(r["满分"]) for r in rows_of(name) if not r["上级条款代码"]) == 440
    assert [level.name for level in read_levels(standard.levels)] == ["基本标准", "推荐标准"]


def test_grades_are_judged_by_shares_and_core_clauses():
    levels = read_levels(LEVELS)
    grades = {f"c{n}": "A" for n in range(1, 4)} | {f"c{n}": "B" for n in range(4, 9)}
    grades |= {"c9": "C", "c10": "C"}
    basic, recommended = judge(levels, grades, core={"c1", "c9"})
    assert basic.reached and not recommended.reached
    assert recommended.reasons == ["核心条款 c9 未达到 B"]
    grades["c10"] = "D"
    basic, recommended = judge(levels, grades)
    assert basic.reached
    assert recommended.reasons == ["C 及以上 9 条，占 90%，不足 95%"]
    grades["c4"] = ""
    assert judge(levels, grades)[0].reasons == ["C 及以上 8 条，占 80%，不足 90%"]
    assert judge(levels, {})[0].reasons == ["没有适用的条款"]


def level(**more):
    shares = {grade: more.pop(grade, "50") for grade in "CBA"}
    return {"name": "基本标准", "shares": shares, "core": "", **more}


@pytest.mark.parametrize(
    ("levels", "reason"),
    [
        ([level(C="101")], "0 到 100"),
        ([level(C="40")], "不能低于 B"),
        ([level(A="x")], "达标规则的比例"),
        ([level(core="E")], "只能是"),
        ([level(), level()], "重复"),
        ([level(), level(name="推荐标准", A="10")], "不能低于基本标准"),
        ([{"name": "缺"}], "缺少栏目"),
        (["x"], "缺少栏目"),
    ],
)
def test_a_table_of_levels_that_cannot_hold_is_told(levels, reason):
    assert any(reason in found for found in check_levels(levels))
    assert check_levels(LEVELS) == []


@pytest.mark.django_db
def test_the_levels_are_edited_on_a_page(world, log_in):
    standard = draft(world, purpose=Standard.Purpose.CAPABILITY)
    client = log_in(world.posts.officer)
    address = reverse("campaigns:standard_levels", args=[standard.pk])
    assert "推荐标准" in client.get(address).content.decode()
    data = {"form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 2, "version": standard.version}
    for place, row in enumerate(LEVELS):
        data |= {f"form-{place}-name": row["name"], f"form-{place}-core": row["core"]}
        data |= {f"form-{place}-{g.lower()}": share for g, share in row["shares"].items()}
    wrong = client.post(address, {**data, "form-0-c": "20"})
    assert "C 及以上的比例不能低于" in wrong.content.decode()
    assert client.post(address, data).status_code == 302
    standard.refresh_from_db()
    assert standard.levels == LEVELS
    assert read_levels(standard.levels)[1].shares["B"] == Decimal(80)
    assert client.post(address, data).status_code == 409
    # A clause that is not graded cannot stand in it.
    assert any("按等级评定" in fault for fault in faults(standard))


def test_a_standard_of_another_purpose_needs_no_levels(world):
    standard = draft(world, rows=small())
    publish(standard, by=world.posts.officer)
    assert standard.levels == []
