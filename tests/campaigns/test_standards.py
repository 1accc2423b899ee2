"""Standards: built from a file's rows, checked, published, replaced, never changed."""

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.db import DatabaseError, transaction
from django.urls import reverse

from campaigns.models import Clause, PublishedError, Standard
from campaigns.publishing import faults, publish
from campaigns.standards import StandardRefused, build, draft_of
from institutions.models import Event, Kind
from institutions.workflow import StaleState

DATA = Path(settings.BASE_DIR) / "campaigns" / "data"


def rows_of(name):
    with (DATA / name).open(encoding="utf-8-sig") as stream:
        return list(csv.DictReader(stream))


def draft(world, code="T1", rows=None, **more):
    fields = {"year": 2023, "name": "示例标准", "kinds": [Kind.TOWNSHIP], **more}
    standard = draft_of(world.county, code, **fields)
    build(standard, rows or small())
    return standard


def small(**changes):
    head = {"条款代码": "A", "条款名称": "组织管理", "评分方法": "手工", "满分": "5"}
    first = {
        "条款代码": "A1",
        "上级条款代码": "A",
        "服务项目": "孕产妇",
        "条款名称": "早孕建册率",
        "评分方法": "达标折算",
        "满分": "3",
        "目标值": "90%",
        "核心条款": "是",
        "考核方式": "查系统",
    }
    second = {
        "条款代码": "A2",
        "上级条款代码": "A",
        "条款名称": "差错",
        "评分方法": "扣分",
        "满分": "2",
        "扣分单位": "0.5",
    }
    return [head, {**first, **changes}, second]


def test_who_has_no_area_of_his_own_still_knows_the_standards_he_works_by(world):
    """An expert without a mandate sees what the bureau above his own institution has published, and no draft."""
    published, unpublished = draft(world), draft(world, "T2")
    publish(published, by=world.posts.officer)
    seen = Standard.objects.visible_to(world.posts.expert)
    assert not world.posts.expert.reach.grants
    assert list(seen) == [published]
    assert set(Standard.objects.visible_to(world.posts.officer)) == {published, unpublished}


@pytest.mark.parametrize("name", ["standard-2023.csv", "standard-2023-village.csv"])
def test_the_shipped_standards_are_built_and_published(world, name):
    rows = rows_of(name)
    standard = draft(world, rows[0]["标准代码"], rows, name=rows[0]["标准名称"])
    assert standard.clauses.count() == len(rows)
    assert faults(standard) == []
    publish(standard, by=world.posts.officer)
    tops = [Decimal(r["满分"]) for r in rows if not r["上级条款代码"]]
    assert Standard.objects.get().full_marks == sum(tops)


def test_a_tree_is_built_with_items_and_rules(world):
    standard = draft(world)
    head, first, second = standard.clauses.all()
    assert (head.is_leaf, head.method, head.depth) == (False, "", 1)
    assert (first.parent, first.depth, first.item.code, first.core) == (head, 2, "05", True)
    assert first.rule.target == Decimal("0.9") and second.rule.deduct_unit == Decimal("0.5")
    build(standard, small(满分="3.00"))
    assert standard.clauses.count() == 3


@pytest.mark.parametrize(
    ("changes", "column", "reason"),
    [
        ({"服务项目": "没有的项目"}, "服务项目", "不是 12 项"),
        ({"上级条款代码": "B"}, "上级条款代码", "没有这个条款"),
        ({"评分方法": "随便"}, "评分方法", "不认识"),
        ({"满分": "x"}, "评分方法", "满分"),
        ({"目标值": "0.9"}, "评分方法", "目标值"),
        ({"条款代码": "A2"}, "条款代码", "重复"),
        ({"条款代码": ""}, "条款代码", "没有填写"),
        ({"条款名称": " "}, "条款名称", "没有填写"),
        ({"核心条款": "对"}, "核心条款", "是或否"),
        ({"单位": "很长很长很长很长很长的单位"}, "单位", "超过 10 字"),
    ],
)
def test_every_fault_of_a_row_is_told_and_nothing_is_written(world, changes, column, reason):
    standard = draft(world)
    with pytest.raises(StandardRefused) as refused:
        build(standard, small(**changes))
    assert any(e.column == column and reason in e.reason for e in refused.value.errors)
    assert standard.clauses.count() == 3


def test_no_rows_are_refused(world):
    with pytest.raises(StandardRefused, match="没有任何条款"):
        build(draft(world), [])


def test_what_does_not_add_up_is_not_published(world, log_in):
    standard = draft(world, rows=small(满分="2"))
    client = log_in(world.posts.officer)
    page = client.get(standard.get_absolute_url()).content.decode()
    assert "下级条款合计" in page and "还不能发布" in page
    client.post(reverse("campaigns:standard_publish", args=[standard.pk]))
    standard.refresh_from_db()
    assert standard.is_draft and not Event.objects.exists()


def test_a_published_standard_replaces_the_one_before_and_never_changes(world, log_in):
    client = log_in(world.posts.officer)
    first = draft(world)
    client.post(reverse("campaigns:standard_publish", args=[first.pk]))
    first.refresh_from_db()
    assert first.status == "published" and first.full_marks == 5 and first.published_at
    with pytest.raises(PublishedError):
        build(first, small())
    with pytest.raises(StaleState):
        publish(first, by=world.posts.officer)
    for wrong in ({"name": "改名"}, {"full_marks": Decimal("9")}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Standard.objects.filter(pk=first.pk).update(**wrong)
    with pytest.raises(DatabaseError), transaction.atomic():
        Clause.objects.filter(standard=first).update(full_marks=Decimal("9"))
    second = draft(world)
    assert (second.edition, second.pk) != (1, first.pk)
    publish(second, by=world.posts.officer)
    first.refresh_from_db()
    assert first.status == "replaced"
    event = Event.objects.of(second).get()
    assert event.data["replaced"] == [1] and event.data["full_marks"] == "5.00"


@pytest.mark.parametrize(
    ("persona", "expected"),
    [("head", 403), ("leader", 403), ("auditor", 403), ("far_officer", 404), ("city_officer", 403)],
)
def test_others_do_not_publish(world, log_in, persona, expected):
    standard = draft(world)
    client = log_in(getattr(world.posts, persona))
    answer = client.post(reverse("campaigns:standard_publish", args=[standard.pk]))
    assert answer.status_code == expected
    standard.refresh_from_db()
    assert standard.is_draft


def test_institutions_see_what_is_published_above_them(world, log_in):
    standard = draft(world)
    address = standard.get_absolute_url()
    assert log_in(world.posts.head).get(address).status_code == 404
    publish(standard, by=world.posts.officer)
    for persona in ("head", "doctor", "officer", "lead"):
        page = log_in(getattr(world.posts, persona)).get(address)
        assert page.status_code == 200 and "早孕建册率" in page.content.decode()
        listed = log_in(getattr(world.posts, persona)).get(reverse("campaigns:standard_list"))
        assert "示例标准" in listed.content.decode()
    assert log_in(world.posts.far_head).get(address).status_code == 404


def test_the_database_refuses_a_published_standard_without_its_time(world):
    standard = draft(world)
    with pytest.raises(DatabaseError), transaction.atomic():
        Standard.objects.filter(pk=standard.pk).update(status="published")
