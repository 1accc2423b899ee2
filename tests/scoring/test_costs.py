"""Why this number, and what a lost clause costs: checked against settling the whole year again."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from institutions.models import Event, Kind, PolicyEntry
from scoring import costing, year_end
from scoring.models import (
    Evaluation,
    ScoreLine,
    ScoreSection,
    ScoreSheet,
    Workload,
    WorkUnit,
    YearResult,
)
from scoring.sums import add_up
from tests import builders
from tests.scoring import scenes

TWO = [
    ("A", "", "", "健康教育", "manual", 100, "", "", "", None, False),
    ("A1", "A", "02", "讲座", "manual", 40, "", "", "", None, False),
    ("A2", "A", "07a", "高血压管理", "manual", 60, "", "", "", None, False),
]


@pytest.fixture
def over(world):
    kinds = [Kind.TOWNSHIP, Kind.COMMUNITY, Kind.HOSPITAL, Kind.CLINIC]
    return scenes.standard(world.county, code="TW", kinds=kinds, clauses=TWO)


def final(world, over, marks, quarter):
    """A closed evaluation; marks: institution → (points of A1, points of A2)."""
    evaluation = scenes.opened(world.posts.officer, over, list(marks), quarter=quarter)
    for institution, (first, second) in marks.items():
        sheet = evaluation.sheets.get(institution=institution)
        for code, points in (("A1", first), ("A2", second)):
            line = ScoreLine.objects.get(sheet=sheet, clause__code=code)
            full = line.clause.full_marks
            ScoreLine.objects.filter(pk=line.pk).update(
                entered=points,
                points=points,
                full=full,
                reason="" if points == full else f"{code}现场抽查不符",
            )
        close(sheet, world.posts.officer)
    Evaluation.objects.filter(pk=evaluation.pk).update(
        status="final", published_at=sheet.submitted_at or evaluation.published_at or now()
    )
    return evaluation


def now():
    from django.utils import timezone

    return timezone.now()


def close(sheet, verifier):
    sums = add_up(sheet.pk)
    ScoreSection.objects.filter(sheet=sheet).update(
        status="done", verifier=verifier, verified_at=now()
    )
    ScoreSheet.objects.filter(pk=sheet.pk).update(
        status="verified", score=sums["points"], verified_at=now(), submitted_at=now()
    )


@pytest.fixture
def county(world, over):
    marks = {
        world.centre: (Decimal("30"), Decimal("48.60")),
        world.other_centre: (Decimal(40), Decimal(60)),
        world.maternal: (Decimal(10), Decimal(20)),
    }
    for quarter in (1, 2, 3, 4):
        final(world, over, marks, quarter)
    scenes.people(marks)
    return marks


def settle(world):
    year_end.settle(world.county, 2023, by=world.posts.finance)
    return {r.institution.code: r for r in YearResult.objects.select_related("institution", "unit")}


def again_with(world, line) -> Decimal:
    """The slow way: give the points back in the database, settle the whole unit, look."""
    from django.db import transaction

    with transaction.atomic():
        ScoreLine.objects.filter(pk=line.pk).update(points=line.full)
        sums = add_up(line.sheet_id)
        ScoreSheet.objects.filter(pk=line.sheet_id).update(
            score=min(sums["points"] / sums["full"] * 100, Decimal(100))
        )
        rows = year_end.settle(world.county, 2023, by=world.posts.finance)
        code = line.sheet.institution.code
        found = next(row.approved_amount for row in rows if row.institution.code == code)
        transaction.set_rollback(True)
    return found


def agrees(world, code="ZC-QNL"):
    row = settle(world)[code]
    costs = costing.costs_of(row, world.posts.finance)
    assert costs.rows and not costs.reason
    for cost in costs.rows:
        assert cost.approved == again_with(world, cost.line), cost.line
        assert cost.yuan == cost.approved - row.approved_amount
    assert [c.yuan for c in costs.rows] == sorted((c.yuan for c in costs.rows), reverse=True)
    return costs


@pytest.mark.row("C36", "D24")
def test_a_lost_clause_costs_what_settling_again_with_its_points_would_pay(world, county):
    costs = agrees(world)
    # 11.40 of A2 back in one quarter: 90.00 there, 78.60 + 2.85 = 81.45; 2,670,000 × 2.85 %.
    assert costs.rows[0].yuan == Decimal("76095.00")
    assert "年终得分 78.60 → 81.45" in costs.rows[0].steps


def test_a_clause_costs_nothing_under_a_veto_above_the_full_line_or_below_the_pay_line(
    world, county, log_in
):
    row = settle(world)["ZC-FY"]
    assert {c.yuan for c in costing.costs_of(row, world.posts.finance).rows} == {Decimal(0)}
    PolicyEntry.objects.create(institution=world.county, year=2023, key="全额线", value="75")
    costs = agrees(world)
    assert {c.yuan for c in costs.rows} == {Decimal("0.00")}
    assert any("已达到全额线" in step for step in costs.rows[0].steps)
    page = log_in(world.posts.finance).get(
        reverse("scoring:year_costs", args=[YearResult.objects.get(institution=world.centre).pk])
    )
    assert "单独补回任何一条都不改变核定金额" in page.content.decode()
    from scoring.models import Adjustment

    Adjustment.objects.create(institution=world.centre, year=2023, kind="veto", reason="造假")
    assert {c.yuan for c in agrees(world).rows} == {Decimal("0.00")}


@pytest.mark.parametrize("rule", ["全额", "低于阈值"])
def test_by_equivalents_the_pool_is_split_again_for_each_clause(world, county, rule):
    for key, value in (("结算方式", "当量法"), ("资金池", "150000.01"), ("修正方式", rule)):
        PolicyEntry.objects.create(institution=world.county, year=2023, key=key, value=value)
    for code, item in (("07-1", "07"), ("04-1", "04")):
        unit = WorkUnit.objects.create(
            institution=world.county,
            year=2023,
            code=code,
            name=code,
            item=builders.item(item),
            coefficient=Decimal("1.5"),
        )
        for place in county:
            for quarter in (1, 3):
                Workload.objects.create(
                    institution=place,
                    year=2023,
                    quarter=quarter,
                    work_unit=unit,
                    declared=Decimal(100),
                    approved=Decimal(77) + quarter,
                )
    costs = agrees(world)
    assert any(c.yuan > 0 for c in costs.rows)
    assert all(c.yuan == 0 for c in costs.rows if c.quarter in (2, 4))


@pytest.mark.row("C36")
def test_the_institution_opens_its_own_costs_down_to_rule_reason_and_verifier(
    world, county, log_in
):
    rows = settle(world)
    url = reverse("scoring:year_costs", args=[rows["ZC-QNL"].pk])
    client = log_in(world.posts.head)
    text = client.get(url).content.decode()
    for words in ("这一条扣 11.40 分，影响经费 76,095.00 元", "A2现场抽查不符", "基妇科经办人"):
        assert words in text, words
    assert "单独补回任何一条" not in text
    line = ScoreLine.objects.filter(clause__code="A2", sheet__institution=world.centre).first()
    assert f"{reverse('scoring:sheet_detail', args=[line.sheet_id])}#l{line.pk}" in text
    detail = client.get(rows["ZC-QNL"].get_absolute_url()).content.decode()
    assert url in detail and "影响经费 76,095.00 元" in detail
    other = reverse("scoring:year_costs", args=[rows["ZC-WC"].pk])
    assert client.get(other).status_code == 404
    assert "没有扣分的条款" in log_in(world.posts.finance).get(other).content.decode()
    answer = log_in(world.posts.finance).get(url, {"format": "csv", "quarter": "1"})
    table = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert len(table) == 3 and "76095.00" in table[1]
    assert Event.objects.filter(action="portal.export").count() == 1


def test_the_page_costs_the_same_for_few_and_many_lost_clauses(world, over, log_in):
    scenes.people([world.centre])
    counts = []
    for quarter in (1, 2):
        final(world, over, {world.centre: (Decimal(30), Decimal(50))}, quarter)
        row = settle(world)["ZC-QNL"]
        client = log_in(world.posts.finance)
        url = reverse("scoring:year_costs", args=[row.pk])
        client.get(url)
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 16, counts
