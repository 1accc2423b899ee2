"""The year of several parts: 年度专项, 日常 and 群众满意度 beside the quarters, each told with where it is from."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import uuid4

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.models import Standard
from institutions.models import Kind, PolicyEntry
from scoring import rules, year_end
from scoring.models import YearResult
from scoring.rules import ScoringError
from supervision.models import Problem, Rectification, ResidentSurvey
from tests.scoring import scenes
from tests.supervision.making import round_of, visit_of

KINDS = [Kind.TOWNSHIP, Kind.COMMUNITY, Kind.HOSPITAL]
WHOLE = rules.parse_policy_value("年终构成", "季度:70%;年度专项:20%;日常:10%")


# --- The rule --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("季度:70%;年度专项:20%", "合计是 90.00%"),
        ("季度:70%;专项:30%", "不认识"),
        ("季度:50%;季度:50%", "写了两次"),
        ("日常:100%", "季度的占比必须大于 0"),
        ("季度:0.7;日常:30%", "年终构成"),
    ],
)
def test_a_composition_that_does_not_add_up_is_refused(text, reason):
    with pytest.raises(ScoringError, match=reason):
        rules.parse_policy_value("年终构成", text)


@pytest.mark.row("C35")
def test_the_parts_are_weighed_and_the_sum_is_written_out():
    parts = {"季度": Decimal("85.00"), "年度专项": Decimal("90.00"), "日常": Decimal("95.00")}
    found = rules.combine(parts, WHOLE)
    assert found.score == Decimal("87.00")
    assert found.explanation == (
        "季度 85.00 × 70.00% + 年度专项 90.00 × 20.00% + 日常 95.00 × 10.00% = 87.00"
    )


@pytest.mark.row("X07")
def test_a_part_missed_counts_nothing_and_one_not_held_goes_to_the_others():
    missed = rules.combine({"季度": Decimal(80), "年度专项": None, "日常": Decimal(100)}, WHOLE)
    assert (missed.score, missed.absent, missed.dropped) == (Decimal("66.00"), ("年度专项",), ())
    assert "0.00（缺考）" in missed.explanation
    dropped = rules.combine({"季度": Decimal(80), "日常": Decimal(100)}, WHOLE)
    assert (dropped.score, dropped.dropped) == (Decimal("82.50"), ("年度专项",))
    assert dropped.explanation.endswith("÷ 80.00% = 82.50")


points = st.decimals(0, 100, places=2)


@settings(max_examples=200, deadline=None)
@given(points, st.none() | points, points, st.sampled_from(["70;20;10", "34;33;33", "1;98;1"]))
def test_the_combined_score_is_what_fractions_say_and_never_falls_when_a_part_rises(a, b, c, cut):
    shares = [Decimal(one) / 100 for one in cut.split(";")]
    composition = dict(zip(("季度", "年度专项", "日常"), shares, strict=True))
    values = {"季度": a, "年度专项": b, "日常": c}
    found = rules.combine(values, composition).score
    exact = sum(
        Fraction(value or 0) * Fraction(share)
        for value, share in zip(values.values(), shares, strict=True)
    )
    assert abs(Fraction(found) - exact) <= Fraction(1, 200) and 0 <= found <= 100
    assert rules.combine({**values, "日常": Decimal(100)}, composition).score >= found


def test_daily_points_are_taken_off_a_hundred_and_never_below_nothing():
    taken = rules.parse_policy_value("日常扣分", "严重:5;反弹:3;逾期:2;未销号:0.5")
    assert rules.daily_score({}, taken) == 100
    assert rules.daily_score({"严重": 1, "未销号": 3}, taken) == Decimal("93.50")
    assert rules.daily_score({"严重": 21}, taken) == 0


# --- The year --------------------------------------------------------------------------------------


@pytest.fixture
def county(world):
    over = scenes.standard(world.county, code="Y", kinds=KINDS, clauses=scenes.MANUAL)
    scores = {world.centre: "80", world.other_centre: "90"}
    for quarter in (1, 2, 3, 4):
        scenes.final_sheets(world.posts.officer, over, scores, quarter=quarter)
    scenes.people(scores)
    return scores


def composed(world, text):
    PolicyEntry.objects.create(institution=world.county, year=2023, key="年终构成", value=text)


def special(world, scores):
    over = scenes.standard(
        world.county,
        code="ZX",
        kinds=KINDS,
        clauses=scenes.MANUAL,
        purpose=Standard.Purpose.SPECIAL,
    )
    return scenes.final_sheets(world.posts.officer, over, scores, quarter=0)


def problem(world, place, *, severity="minor", due=date(2023, 12, 31), closed=None, recurs=None):
    row = Problem.objects.create(
        institution=place,
        supervisor=world.county,
        source="daily",
        year=2023,
        text="随访记录不全",
        severity=severity,
        found_on=date(2023, 5, 1),
        recurs_from=recurs,
        occurrence=2 if recurs else 1,
    )
    Rectification.objects.create(
        problem=row,
        institution=place,
        supervisor=world.county,
        due=due,
        status="closed" if closed else "signed",
        signed_at=timezone.now(),
        closed_at=closed,
        verifier=world.posts.officer if closed else None,
    )
    return row


def rows(world):
    year_end.settle(world.county, 2023, by=world.posts.finance)
    return {r.institution.code: r for r in YearResult.objects.select_related("institution")}


@pytest.mark.row("C35", "D25")
def test_special_check_and_daily_supervision_enter_the_year(world, county, log_in):
    composed(world, "季度:70%;年度专项:20%;日常:10%")
    special(world, {world.centre: "95"})
    first = problem(world, world.centre, severity="major", due=date(2023, 6, 1))
    problem(world, world.centre, recurs=first, closed=timezone.now())
    found = rows(world)
    own, other = found["ZC-QNL"], found["ZC-WC"]
    # 100 − 5 (serious) − 2 (late) − 3 (came back) − 1 (closed after the year, in time on its last day): 89.
    assert own.details["parts"][2]["score"] == "89.00"
    assert (
        own.details["parts"][2]["told"]
        == "100 − 严重 1 × 5 − 反弹 1 × 3 − 逾期 1 × 2 − 未销号 1 × 1"
    )
    # 80 × 70 % + 95 × 20 % + 89 × 10 %
    assert (own.quarters, own.score) == (Decimal("80.00"), Decimal("83.90"))
    # The other centre of the group had no special check: 缺考. 90 × 70 % + 0 + 100 × 10 %.
    assert other.score == Decimal("73.00")
    assert "年度专项缺考，按 0 分计" in other.details["warnings"]
    text = log_in(world.posts.head).get(own.get_absolute_url()).content.decode()
    assert "综合得分 = 季度 80.00 × 70.00% + 年度专项 95.00 × 20.00%" in text
    assert "83.90 + 0.00 − 0.00 = 83.90" in text


@pytest.mark.row("D26", "X07")
def test_what_residents_feel_is_a_part_and_is_left_out_where_nobody_was_asked(world, county):
    composed(world, "季度:60%;群众满意度:40%")
    officer = world.posts.officer
    day = date(2023, 8, 1)
    round_ = round_of(world, year=2023, starts=day, ends=day)
    visit = visit_of(
        round_, world.centre, world.posts.expert, starts=day, ends=day, status="planned"
    )
    type(visit).objects.filter(pk=visit.pk).update(
        status="confirmed", submitted_at=timezone.now(), visited_on=day
    )
    for satisfaction in ("yes", "fairly", "yes", "no", "unused"):
        ResidentSurvey.objects.create(
            visit=visit,
            group="elderly",
            channel="home",
            asked=4,
            right=3,
            satisfaction=satisfaction,
            key=uuid4(),
            author=officer,
        )
    found = rows(world)
    # 80 × 60 % + 75 × 40 %
    assert found["ZC-QNL"].score == Decimal("78.00")
    assert found["ZC-WC"].score == Decimal("90.00")
    assert "全年没有群众满意度，按其余部分折算" in found["ZC-WC"].details["warnings"]


def test_the_facts_of_the_parts_are_in_the_hash_and_the_default_leaves_it_alone(world, county):
    before = rows(world)["ZC-QNL"]
    problem(world, world.centre)
    again = rows(world)["ZC-QNL"]
    assert (again.inputs, again.details) == (before.inputs, before.details)
    PolicyEntry.objects.create(
        institution=world.county, year=2023, key="日常扣分", value="严重:5;反弹:3;逾期:2;未销号:1"
    )
    assert rows(world)["ZC-QNL"].inputs == before.inputs
    composed(world, "季度:90%;日常:10%")
    combined = rows(world)["ZC-QNL"]
    assert combined.inputs != before.inputs
    problem(world, world.centre, due=date(2023, 12, 31) + timedelta(days=30))
    assert rows(world)["ZC-QNL"].inputs != combined.inputs


def test_computing_again_gives_the_same_bytes(world, county):
    composed(world, "季度:70%;年度专项:20%;日常:10%")
    special(world, {world.centre: "95", world.other_centre: "88.8"})
    problem(world, world.centre)
    first = [(r.inputs, r.details, list(year_end.export_rows([r]))) for r in rows(world).values()]
    second = [(r.inputs, r.details, list(year_end.export_rows([r]))) for r in rows(world).values()]
    assert first == second
