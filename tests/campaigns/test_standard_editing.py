"""A bureau writes a standard in the browser: head, tree, sums, levels; and what cannot be saved or published."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.models import Clause, Standard
from institutions.models import Event, Kind
from tests.campaigns.test_standards import draft

HEAD = {
    "code": "ZC2024",
    "year": "2024",
    "name": "示例标准2024",
    "purpose": "quarterly",
    "kinds": [Kind.TOWNSHIP, Kind.COMMUNITY],
    "wanted_marks": "300",
}
# One clause by each method, as it is typed, with what its rule must read.
METHODS = {
    "attain": {
        "target": "90%",
        "floor": "60%",
        "numerator_name": "建册",
        "denominator_name": "产妇",
    },
    "reverse": {"target": "5%", "floor": "20%"},
    "yes_no": {"numerator_name": "已公示"},
    "steps": {"steps": "≥90%:10;≥80%:5"},
    "deduct": {"deduct_unit": "0.5", "below_zero": "on"},
    "manual": {},
    "grade": {},
    "sample": {"numerator_name": "规范", "denominator_name": "抽查"},
}


def url(name, pk):
    return reverse(f"campaigns:{name}", args=[pk])


def created(client, **more):
    answer = client.post(reverse("campaigns:standard_create"), {**HEAD, **more})
    assert answer.status_code == 302, answer.context["form"].errors
    return Standard.objects.latest("pk")


def add(client, standard, code, parent=None, **more):
    standard.refresh_from_db()
    data = {"code": code, "name": f"条款{code}", "full_marks": "10", "method": "manual"}
    data |= {"parent": parent.pk if parent else "", "version": standard.version, **more}
    answer = client.post(url("clause_create", standard.pk), data)
    assert answer.status_code == 302, answer.context["form"].errors
    return standard.clauses.get(code=code)


def codes(standard):
    return list(standard.clauses.values_list("code", flat=True))


@pytest.mark.row("E03")
def test_a_standard_is_written_and_published_in_the_browser(world, log_in):
    client = log_in(world.posts.officer)
    standard = created(client)
    assert (standard.bureau, standard.wanted_marks) == (world.county, Decimal(300))
    part = add(client, standard, "A", method="", full_marks="300")
    mid = add(client, standard, "A1", part, method="", full_marks="100")
    deep = add(client, standard, "A1-1", mid, method="", full_marks="100")
    add(client, standard, "A1-1-1", deep, full_marks="100", item="1")
    page = client.get(url("standard_edit", standard.pk)).content.decode()
    assert "少 200.00" in page and "还有 1 处要改" in page
    add(client, standard, "A2", part, full_marks="199.5")
    page = client.get(url("standard_edit", standard.pk)).content.decode()
    assert "少 0.50" in page and url("clause_edit", part.pk) in page
    clause = standard.clauses.get(code="A2")
    standard.refresh_from_db()
    data = {"parent": part.pk, "code": "A2", "name": "改", "full_marks": "200", "method": "manual"}
    client.post(url("clause_edit", clause.pk), {**data, "version": standard.version})
    page = client.get(url("standard_edit", standard.pk)).content.decode()
    assert "相符" in page and "核对并发布" in page
    client.post(url("standard_publish", standard.pk))
    standard.refresh_from_db()
    assert (standard.status, standard.full_marks) == ("published", Decimal(300))
    assert [c.depth for c in standard.clauses.all()] == [1, 2, 3, 4, 2]
    assert standard.in_force_from is not None


@pytest.mark.parametrize("method", METHODS)
def test_each_method_shows_and_keeps_only_its_own_fields(world, log_in, method):
    client = log_in(world.posts.officer)
    standard = created(client)
    asked = {"code": "B1", "name": "条款", "method": method, "action": "method", "full_marks": "7"}
    form = client.post(url("clause_create", standard.pk), asked).context["form"]
    assert not standard.clauses.exists() and form["full_marks"].value() == "7"
    assert set(METHODS[method]) <= set(form.fields)
    others = {name for given in METHODS.values() for name in given} - set(form.fields)
    foreign = {"steps": "≥1:1", "deduct_unit": "9", "target": "3"}
    clause = add(client, standard, "B1", method=method, **{**foreign, **METHODS[method]})
    assert clause.rule.method.name.lower() == method
    for name in others:
        assert getattr(clause, name) in ("", None, False)
    page = client.get(url("clause_edit", clause.pk))
    assert set(page.context["form"].fields) == set(form.fields)


@pytest.mark.parametrize(
    ("wrong", "field", "reason"),
    [
        ({"method": "attain", "target": "0.9"}, "target", "0.9"),
        ({"method": "attain", "target": ""}, "target", "必填"),
        ({"method": "attain", "target": "80%", "floor": "90%"}, "target", "下限值不能高于目标值"),
        ({"method": "steps", "steps": "乱写"}, "steps", "读不懂"),
        ({"method": "deduct", "deduct_unit": "0"}, "deduct_unit", "大于 0"),
        ({"full_marks": "0"}, "full_marks", "大于 0"),
        ({"code": "A1"}, "code", "同样代码"),
    ],
)
def test_a_clause_that_cannot_score_is_not_saved(world, log_in, wrong, field, reason):
    client = log_in(world.posts.officer)
    standard = draft(world)
    data = {"code": "N", "name": "新", "full_marks": "5", "method": "manual"}
    data |= {"version": standard.version, **wrong}
    answer = client.post(url("clause_create", standard.pk), data)
    assert answer.status_code == 200
    assert reason in "".join(answer.context["form"].errors[field])
    assert standard.clauses.count() == 3


def test_clauses_are_moved_and_removed_and_never_below_themselves(world, log_in):
    client = log_in(world.posts.officer)
    standard = draft(world)
    head, first, second = standard.clauses.all()

    def post(route, clause, **data):
        standard.refresh_from_db()
        return client.post(url(route, clause.pk), {"version": standard.version, **data})

    post("clause_move", second, way="up")
    assert codes(standard) == ["A", "A2", "A1"]
    post("clause_move", second, way="up")
    assert codes(standard) == ["A", "A2", "A1"]
    post("clause_move", second, way="down")
    assert codes(standard) == ["A", "A1", "A2"]
    part = add(client, standard, "B", method="", full_marks="2")
    data = {"code": "A2", "name": "差错", "full_marks": "2", "method": "deduct", "deduct_unit": "1"}
    post("clause_edit", second, parent=part.pk, **data)
    assert codes(standard) == ["A", "A1", "B", "A2"]
    part.refresh_from_db()
    assert not part.is_leaf
    answer = post("clause_edit", head, parent=first.pk, code="A", name="组织", full_marks="3")
    assert "上级条款不能是它自己" in answer.content.decode()
    post("clause_delete", part)
    assert codes(standard) == ["A", "A1"]
    post("clause_delete", first)
    head.refresh_from_db()
    assert codes(standard) == ["A"] and head.is_leaf
    assert "没有评分方法" in client.get(url("standard_edit", standard.pk)).content.decode()


def test_two_writers_do_not_overwrite_each_other(world, log_in):
    client = log_in(world.posts.officer)
    standard = draft(world)
    add(client, standard, "N1")
    data = {"code": "N2", "name": "x", "full_marks": "1", "method": "manual", "version": 1}
    assert client.post(url("clause_create", standard.pk), data).status_code == 409
    answer = client.post(url("standard_head", standard.pk), {**HEAD, "version": 1})
    assert answer.status_code == 409
    assert not standard.clauses.filter(code="N2").exists()
    assert Event.objects.of(standard).count() == 1


def test_a_published_standard_is_not_edited(world, log_in):
    client = log_in(world.posts.officer)
    standard = draft(world)
    version = standard.version
    client.post(url("standard_publish", standard.pk))
    clause = standard.clauses.first()
    for name, pk in (("standard_edit", standard.pk), ("clause_edit", clause.pk)):
        assert client.get(url(name, pk)).status_code == 403
    answer = client.post(url("clause_delete", clause.pk), {"version": version})
    assert answer.status_code == 409 and standard.clauses.count() == 3


def test_the_wanted_total_is_held_to(world, log_in):
    client = log_in(world.posts.officer)
    standard = created(client, wanted_marks="1000")
    add(client, standard, "A", full_marks="999")
    client.post(url("standard_publish", standard.pk))
    page = client.get(standard.get_absolute_url()).content.decode()
    assert "总分应为 1000，条款合计 999，相差 1" in page
    standard.refresh_from_db()
    assert standard.is_draft
    assert client.post(reverse("campaigns:standard_create"), HEAD).status_code == 200


def test_the_editor_asks_as_often_for_200_clauses_as_for_10(world, log_in):
    client = log_in(world.posts.officer)
    standard = draft(world)
    counts = []
    for most in (10, 200):
        have = standard.clauses.count()
        Clause.objects.bulk_create(
            Clause(
                standard=standard,
                code=f"X{n}",
                position=n,
                name="条款",
                method="manual",
                full_marks=Decimal(1),
            )
            for n in range(have + 1, most + 1)
        )
        for name, pk in (
            ("standard_edit", standard.pk),
            ("standard_detail", standard.pk),
            ("clause_create", standard.pk),
        ):
            client.get(url(name, pk))
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert client.get(url(name, pk)).status_code == 200
            counts.append((name, len(queries)))
    assert counts[:3] == counts[3:]
    assert all(count <= 25 for _, count in counts), counts
