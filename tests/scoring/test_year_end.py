"""The year-end table: to the cent, in both tiers, hashed, frozen once, and only as much of it as one may see."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from institutions.models import Event, Institution, Kind, PolicyEntry
from scoring import year_end
from scoring.models import (
    Adjustment,
    Prepayment,
    Workload,
    WorkUnit,
    YearResult,
)
from tests import builders
from tests.scoring import scenes

GOLDEN = Path(__file__).parent / "golden"


def grant(institution, kind, points="0", reason="事由"):
    return Adjustment.objects.create(
        institution=institution, year=2023, kind=kind, points=Decimal(points), reason=reason
    )


def policy(unit, key, value, year=2023):
    PolicyEntry.objects.create(institution=unit, year=year, key=key, value=value)


@pytest.fixture
def over(world):
    kinds = [Kind.TOWNSHIP, Kind.COMMUNITY, Kind.HOSPITAL, Kind.CLINIC]
    return scenes.standard(world.county, code="Y", kinds=kinds, clauses=scenes.MANUAL)


@pytest.fixture
def county(world, over):
    """Three centres of 30,000 people, four quarters each: 92.00, 85.50, 59.99."""
    scores = {world.centre: "92", world.other_centre: "85.50", world.maternal: "59.99"}
    for quarter in (1, 2, 3, 4):
        scenes.final_sheets(world.posts.officer, over, scores, quarter=quarter)
    scenes.people(scores)
    return scores


def settled(world, unit=None, year=2023):
    rows = year_end.settle(unit or world.county, year, by=world.posts.finance)
    return {row.institution.code: row for row in rows}


@pytest.mark.row("C07", "C08", "C09")
def test_the_example_of_the_paper_is_paid_to_the_cent(world, county):
    rows = settled(world)
    paid = {
        code: (row.due_amount, row.ratio, row.approved_amount, row.top_up, row.rank, row.grade)
        for code, row in rows.items()
    }
    due = Decimal("2670000.00")
    zero = Decimal("0.00")
    assert paid == {
        "ZC-QNL": (due, "100.00%", due, zero, 1, "优秀"),
        "ZC-WC": (due, "85.50%", Decimal("2282850.00"), Decimal("387150.00"), 2, "良好"),
        "ZC-FY": (due, "0.00%", zero, due, 3, "不合格"),
    }


@pytest.mark.row("C26", "C10")
def test_a_veto_takes_all_and_is_ranked_last_with_its_score_as_computed(world, county):
    grant(world.centre, "veto", reason="弄虚作假")
    row = settled(world)["ZC-QNL"]
    assert (row.score, row.rank, row.grade, row.vetoed) == (Decimal("92.00"), 3, "不合格", True)
    assert (row.approved_amount, row.top_up, row.ratio) == (0, 0, "0.00%")


def test_bonus_is_capped_deduction_is_positive_and_prepaid_is_taken_off(world, county):
    grant(world.other_centre, "bonus", "4", "表彰")
    grant(world.other_centre, "bonus", "3", "示范")
    grant(world.other_centre, "deduction", "1.5", "通报")
    Prepayment.objects.create(institution=world.other_centre, year=2023, amount=Decimal("2000000"))
    row = settled(world)["ZC-WC"]
    # 85.50 + min(7, 5) − 1.50 = 89.00
    assert (row.bonus, row.deduction, row.score) == (5, Decimal("1.5"), 89)
    assert row.approved_amount == Decimal("2376300.00")
    assert row.balance == Decimal("376300.00")
    assert row.details["bonus_sum"] == "7.00"


def test_a_quarter_missed_counts_nothing_and_is_written_and_warned_of(world, over):
    for quarter in (1, 2, 3):
        scenes.final_sheets(world.posts.officer, over, {world.centre: "90"}, quarter=quarter)
    scenes.people([world.centre])
    row = settled(world)["ZC-QNL"]
    assert row.quarters == Decimal("67.50")
    assert row.quarter4 is None and year_end.quarter_cell(row, 4) == "缺考"
    assert "全年定稿 3 份评分表，少于考核次数 4" in row.details["warnings"]


def test_a_quarter_in_which_it_was_not_open_is_not_due(world, over):
    Institution.objects.filter(pk=world.centre.pk).update(opened=date(2023, 7, 1))
    for quarter in (3, 4):
        scenes.final_sheets(world.posts.officer, over, {world.centre: "90"}, quarter=quarter)
    scenes.people([world.centre])
    row = settled(world)["ZC-QNL"]
    assert row.quarters == 90 and year_end.quarter_cell(row, 1) is None
    assert "÷ 50.00% = 90.00" in row.details["quarter_formula"]


def test_only_closed_evaluations_count(world, over):
    evaluation = scenes.opened(world.posts.officer, over, [world.centre], quarter=1)
    sheet = evaluation.sheets.get()
    scenes.verified(sheet, filler=world.posts.head, verifier=world.posts.officer)
    scenes.people([world.centre])
    assert settled(world)["ZC-QNL"].quarters == 0


def test_the_centre_settles_its_clinics_under_its_own_policy(world, over):
    policy(world.county, "人均标准", "40")
    policy(world.county, "全额线", "95")
    policy(world.centre, "全额线", "80")
    for quarter in (1, 2, 3, 4):
        scenes.final_sheets(
            world.posts.head,
            over,
            {world.clinic: "85", world.sibling_clinic: "70"},
            quarter=quarter,
        )
    scenes.people([world.clinic, world.sibling_clinic], 1000)
    rows = year_end.settle(world.centre, 2023, by=world.posts.head)
    paid = {row.institution.code: (row.rank, row.approved_amount) for row in rows}
    assert paid == {
        "ZC-QNL-1": (1, Decimal("40000.00")),
        "ZC-QNL-2": (2, Decimal("28000.00")),
    }
    with pytest.raises(year_end.YearRefused):
        year_end.settle(world.county, 2023, by=world.posts.officer)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda w: None, "没有填写 2023 年的服务人口"),
        (lambda w: policy(w.county, "季度权重", "25%;25%;25%;20%"), "必须是 100%"),
    ],
)
def test_what_cannot_be_computed_is_refused_and_writes_nothing(world, over, change, reason):
    scenes.final_sheets(world.posts.officer, over, {world.centre: "90"}, quarter=1)
    change(world)
    with pytest.raises(year_end.YearRefused, match=reason):
        year_end.settle(world.county, 2023, by=world.posts.officer)
    assert not YearResult.objects.exists()


@pytest.mark.row("C05")
def test_a_year_without_a_known_standard_per_head_is_refused(world, over):
    scenes.final_sheets(world.posts.officer, over, {world.centre: "90"}, quarter=1, year=2018)
    scenes.people([world.centre], year=2018)
    with pytest.raises(year_end.YearRefused, match="没有默认的人均标准"):
        year_end.settle(world.county, 2018, by=world.posts.officer)
    policy(world.county, "人均标准", "55", year=2018)
    row = year_end.settle(world.county, 2018, by=world.posts.officer)[0]
    assert row.due_amount == Decimal("1650000.00")


def test_a_year_without_any_sheet_is_refused(world):
    with pytest.raises(year_end.YearRefused, match="没有任何评分表"):
        year_end.settle(world.county, 2023, by=world.posts.officer)


def test_by_equivalents_the_pool_is_split_to_the_cent_by_verified_work_and_quality(world):
    over = scenes.standard(world.county, code="Q")
    for quarter in (1,):
        evaluation = scenes.opened(
            world.posts.officer, over, [world.centre, world.other_centre], quarter=quarter
        )
        for institution, filler in [
            (world.centre, world.posts.head),
            (world.other_centre, world.posts.other_head),
        ]:
            sheet = evaluation.sheets.get(institution=institution)
            scenes.verified(sheet, filler=filler, verifier=world.posts.officer)
        type(evaluation).objects.filter(pk=evaluation.pk).update(
            status="final", published_at=sheet.verified_at
        )
    policy(world.county, "结算方式", "当量法")
    with pytest.raises(year_end.YearRefused, match="没有填写资金池"):
        year_end.settle(world.county, 2023, by=world.posts.officer)
    policy(world.county, "资金池", "150000.00")
    with pytest.raises(year_end.YearRefused, match="有效当量都是 0"):
        year_end.settle(world.county, 2023, by=world.posts.officer)
    unit = WorkUnit.objects.create(
        institution=world.county,
        year=2023,
        code="07-1",
        name="高血压随访",
        item=builders.item("07"),
        coefficient=Decimal("1.5"),
    )
    for institution, quantity in [(world.centre, 2), (world.other_centre, 1)]:
        Workload.objects.create(
            institution=institution,
            year=2023,
            quarter=1,
            work_unit=unit,
            declared=Decimal(9),
            approved=Decimal(quantity),
        )
    rows = settled(world)
    # Item 07 is on the sheet by its part 07a: (3 + 8) ÷ (5 + 10) = 0.7333, the same for both.
    assert rows["ZC-QNL"].due_amount == Decimal("100000.00")
    assert rows["ZC-WC"].approved_amount == Decimal("50000.00")
    assert "质量系数 0.7333" in "".join(rows["ZC-QNL"].details["amounts"])
    assert rows["ZC-QNL"].ratio == "" and rows["ZC-QNL"].top_up == 0


# --- Against an oracle that knows only fractions ----------------------------------------------------

score = st.decimals(0, 100, places=2)
unit_year = st.fixed_dictionaries(
    {
        "quarters": st.lists(st.none() | score, min_size=4, max_size=4),
        "bonus": st.decimals(0, 9, places=2),
        "deduction": st.decimals(0, 9, places=2),
        "veto": st.booleans(),
        "people": st.integers(0, 99_999),
        "prepaid": st.decimals(0, 999_999, places=2),
    }
)


def rounded(value: Fraction) -> Decimal:
    cents = abs(value) * 100
    whole = cents.numerator // cents.denominator
    if cents - whole >= Fraction(1, 2):
        whole += 1
    return Decimal(whole if value >= 0 else -whole) / 100


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(unit_year, min_size=2, max_size=2), st.sampled_from(["89", "7.77", "0.01"]))
def test_a_random_county_adds_up_like_the_oracle(world, over, cases, per_capita):
    with transaction.atomic():
        places = [world.centre, world.other_centre]
        policy(world.county, "人均标准", per_capita)
        for quarter in (1, 2, 3, 4):
            scores = {
                place: str(case["quarters"][quarter - 1])
                for place, case in zip(places, cases, strict=True)
                if case["quarters"][quarter - 1] is not None
            }
            if not scores and quarter == 1:
                scores = {world.maternal: "50"}
            if scores:
                scenes.final_sheets(world.posts.officer, over, scores, quarter=quarter)
        scenes.people([world.maternal])
        for place, case in zip(places, cases, strict=True):
            scenes.people([place], case["people"])
            grant(place, "bonus", case["bonus"])
            grant(place, "deduction", case["deduction"])
            if case["veto"]:
                grant(place, "veto")
            Prepayment.objects.create(institution=place, year=2023, amount=case["prepaid"])
        rows = settled(world)
        for place, case in zip(places, cases, strict=True):
            if all(points is None for points in case["quarters"]):
                assert place.code not in rows
                continue
            row = rows[place.code]
            quarterly = rounded(sum(Fraction(p or 0) for p in case["quarters"]) / 4)
            year = (
                Fraction(quarterly) + min(Fraction(case["bonus"]), 5) - Fraction(case["deduction"])
            )
            year = rounded(max(min(year, Fraction(100)), Fraction(0)))
            assert (row.quarters, row.score) == (quarterly, year)
            due = rounded(case["people"] * Fraction(per_capita))
            ratio = Fraction(0)
            if not case["veto"] and year >= 60:
                ratio = Fraction(1) if year >= 90 else Fraction(year) / 100
            approved = rounded(Fraction(due) * ratio)
            assert (row.due_amount, row.approved_amount) == (due, approved)
            assert row.top_up == (0 if case["veto"] else due - approved)
            assert row.balance == approved - case["prepaid"]
        transaction.set_rollback(True)


# --- Freezing, hash, trail --------------------------------------------------------------------------


def test_a_frozen_table_is_never_computed_again(world, county, log_in):
    settled(world)
    first = YearResult.objects.first()
    client = log_in(world.posts.leader)
    data = {"unit": "ZC", "year": "2023", "inputs": first.inputs}
    client.post(reverse("scoring:year_freeze"), data)
    assert YearResult.objects.filter(frozen_by=world.posts.leader).count() == 3
    page = log_in(world.posts.officer).post(
        reverse("scoring:year_settle"), {"unit": "ZC", "year": "2023"}, follow=True
    )
    assert "已定稿，不能重新计算" in page.content.decode()
    assert set(YearResult.objects.values_list("pk", flat=True)) >= {first.pk}
    assert Event.objects.filter(action="scoring.year.freeze").count() == 1


def test_freezing_needs_a_second_person_and_unchanged_inputs(world, over, log_in):
    for quarter in (1, 2, 3, 4):
        scenes.final_sheets(world.posts.head, over, {world.clinic: "85"}, quarter=quarter)
    scenes.people([world.clinic], 1000)
    year_end.settle(world.centre, 2023, by=world.posts.head)
    row = YearResult.objects.get()
    with pytest.raises(year_end.YearRefused, match="两个人"):
        year_end.freeze(world.centre, 2023, by=world.posts.head, seen=row.inputs)
    # The only head of a centre is told how there comes to be a second one.
    page = log_in(world.posts.head).get(f"/scoring/year/?unit={world.centre.code}&year=2023")
    assert "请上级系统管理员给另一人" in page.content.decode()
    second = builders.post(world.centre, "head", "副主任")
    grant(world.clinic, "bonus", "1")
    with pytest.raises(year_end.YearRefused, match="请重新计算"):
        year_end.freeze(world.centre, 2023, by=second, seen=row.inputs)
    year_end.settle(world.centre, 2023, by=world.posts.head)
    now = YearResult.objects.get()
    assert now.inputs != row.inputs
    assert year_end.freeze(world.centre, 2023, by=second, seen=now.inputs) == 1


def test_settling_twice_gives_the_same_hash_and_replaces_the_rows(world, county):
    first = settled(world)["ZC-QNL"].inputs
    assert settled(world)["ZC-QNL"].inputs == first
    assert YearResult.objects.count() == 3
    event = Event.objects.filter(action="scoring.year.settle").order_by("seq").last()
    assert event.data["count"] == 3 and event.data["inputs"] == first


def test_the_cost_of_settling_does_not_grow_with_the_institutions(world, over):
    counts = []
    for size in (4, 8):
        unit = builders.institution(
            f"C{size}", f"区{size}", Kind.BUREAU, world.city, region=world.county.region
        )
        officer = builders.post(unit, "officer", f"经办{size}")
        own = scenes.standard(unit, code=f"K{size}", clauses=scenes.MANUAL)
        places = [
            builders.institution(f"C{size}-{i}", f"中心{size}-{i}", Kind.TOWNSHIP, unit)
            for i in range(size)
        ]
        for quarter in (1, 2):
            scenes.final_sheets(officer, own, dict.fromkeys(places, "80"), quarter=quarter)
        scenes.people(places)
        with CaptureQueriesContext(connection) as queries:
            year_end.settle(unit, 2023, by=officer)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 20, counts


def test_the_database_refuses_what_is_impossible(world, county):
    rows = settled(world)
    row = YearResult.objects.get(pk=rows["ZC-QNL"].pk)
    for change in ({"score": Decimal("100.01")}, {"institution": world.other_centre}):
        with pytest.raises(IntegrityError), transaction.atomic():
            YearResult.objects.filter(pk=row.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        Prepayment.objects.create(institution=world.centre, year=2023, amount=Decimal(-1))
    with pytest.raises(IntegrityError), transaction.atomic():
        grant(world.centre, "bonus", "-1")


# --- Seen, and out ----------------------------------------------------------------------------------


def test_an_institution_sees_its_own_row_and_no_one_elses(world, county, log_in):
    settled(world)
    client = log_in(world.posts.head)
    text = client.get(reverse("scoring:year_list")).content.decode()
    own = YearResult.objects.get(institution=world.centre)
    other = YearResult.objects.get(institution=world.other_centre)
    text = client.get(reverse("scoring:year_list") + "?unit=ZC&year=2023").content.decode()
    assert "2,670,000.00" in text and "2,282,850.00" not in text
    assert client.get(own.get_absolute_url()).status_code == 200
    assert client.get(other.get_absolute_url()).status_code == 404
    for post in (world.posts.lead, world.posts.expert, world.posts.staff, world.posts.street):
        assert log_in(post).get(reverse("scoring:year_list")).status_code == 403


def test_every_number_opens_to_where_it_came_from(world, county, log_in):
    grant(world.other_centre, "bonus", "1", "表彰")
    settled(world)
    row = YearResult.objects.get(institution=world.other_centre)
    text = log_in(world.posts.finance).get(row.get_absolute_url()).content.decode()
    for words in (
        "85.50 × 25.00%",
        "加分 1.00 分：表彰",
        "85.50 + 1.00 − 0.00 = 86.50",
        "应拨金额 = 服务人口 30000 × 人均标准 89 × 承担比例 100.00% = 2670000.00",
        "2670000.00 × 86.50 ÷ 100 = 2309550.00",
        row.inputs,
    ):
        assert words in text, words
    sheet = row.details["quarters"][0]["sheet"]
    assert reverse("scoring:sheet_detail", args=[sheet]) in text


def export(client, wanted="csv") -> bytes:
    answer = client.get(
        reverse("scoring:year_list"), {"unit": "ZC", "year": "2023", "format": wanted}
    )
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_the_csv_is_byte_for_byte_the_golden_file(world, county, log_in, tmp_path):
    grant(world.centre, "deduction", "0.5", "通报")
    grant(world.maternal, "veto", reason="造假")
    Prepayment.objects.create(institution=world.centre, year=2023, amount=Decimal("1200000.50"))
    scenes.final_sheets(
        world.posts.officer,
        scenes.standard(world.county, code="H", kinds=[Kind.HOSPITAL], clauses=scenes.MANUAL),
        {world.hospital: "77.77"},
        quarter=2,
    )
    scenes.people([world.hospital], 12_345)
    settled(world)
    content = export(log_in(world.posts.finance))
    golden = GOLDEN / "year_end.csv"
    assert content == golden.read_bytes()
    path = tmp_path / "out.csv"
    call_command("export_table", "year_end", str(path), "--unit", "ZC", "--year", "2023")
    assert path.read_bytes() == content
    assert export(log_in(world.posts.finance), "xlsx")[:2] == b"PK"


def test_the_command_settles_and_says_what_is_wrong(world, county, capsys):
    call_command("settle", "2023", "--unit", "ZC", "--as", "finance")
    assert "3 家机构，未定稿" in capsys.readouterr().out
    assert YearResult.objects.first().settled_by == world.posts.finance
    for args, reason in (
        (["2022", "--unit", "ZC"], "没有任何评分表"),
        (["2023", "--unit", "NIX"], "没有机构代码"),
        (["2023", "--unit", "ZC", "--as", "doctor"], "没有在"),
    ):
        with pytest.raises(SystemExit) as stop:
            call_command("settle", *args)
        assert stop.value.code == 1
        assert reason in capsys.readouterr().err
    call_command("settle", "2023", "--unit", "ZC", "--freeze")
    assert YearResult.objects.filter(frozen_at__isnull=False).count() == 3
    assert (
        Event.objects.filter(action="scoring.year.settle")
        .order_by("seq")
        .last()
        .who.startswith("命令行")
    )
    with pytest.raises(SystemExit):
        call_command("settle", "2023", "--unit", "ZC")
    assert "已定稿" in capsys.readouterr().err


def test_settling_belongs_to_the_unit(world, county, log_in):
    for post in (world.posts.head, world.posts.maternal_head):
        answer = log_in(post).post(reverse("scoring:year_settle"), {"unit": "ZC", "year": "2023"})
        assert answer.status_code == 404
    answer = log_in(world.posts.city_officer).post(
        reverse("scoring:year_settle"), {"unit": "ZC", "year": "2023"}
    )
    assert answer.status_code == 403
    assert log_in(world.posts.leader).post(reverse("scoring:year_settle")).status_code == 403


def test_adjustments_are_recorded_by_the_supervisor_and_withdrawn_with_a_reason(
    world, county, log_in
):
    client = log_in(world.posts.officer)
    form = {
        "institution": world.centre.pk,
        "year": "2023",
        "kind": "bonus",
        "points": "2",
        "reason": "省级表彰",
    }
    client.post(reverse("scoring:adjustment_create"), form)
    row = Adjustment.objects.get()
    assert row.bureau == world.county
    page = client.post(reverse("scoring:adjustment_create"), {**form, "points": "", "reason": "x"})
    assert "请填写大于 0 的分值" in page.content.decode()
    head = log_in(world.posts.head)
    withdraw = reverse("scoring:adjustment_withdraw", args=[row.pk])
    assert head.post(withdraw, {"note": "x"}).status_code == 403
    page = head.post(reverse("scoring:adjustment_create"), form)
    assert Adjustment.objects.count() == 1
    client = log_in(world.posts.officer)
    assert "请写明撤销的理由" in client.post(withdraw, {"note": ""}).content.decode()
    client.post(withdraw, {"note": "登记错机构"})
    assert not Adjustment.objects.exists()
    assert Event.objects.get(action="scoring.adjustment.withdraw").note == "登记错机构"


def test_policy_is_written_by_its_unit_and_shows_who_changed_what(world, log_in):
    client = log_in(world.posts.officer)
    edit = reverse("scoring:policy_edit", args=[2023, "全额线"])
    assert client.get(edit).status_code == 200
    page = client.post(edit, {"value": "50", "seen": ""})
    assert "拨付线 60 不能高于全额线 50" in page.content.decode()
    client.post(edit, {"value": "95", "seen": ""})
    page = client.post(edit, {"value": "96", "seen": ""})
    assert "已被他人改为「95」" in page.content.decode()
    text = client.get(reverse("scoring:policy_list") + "?year=2023").content.decode()
    assert "默认 → 95" in text and "基妇科经办人" in text
    client.post(edit, {"value": "", "seen": "95"})
    assert not PolicyEntry.objects.exists()
    assert log_in(world.posts.lead).get(edit).status_code == 403


def test_lists_cost_the_same_for_few_and_many(world, log_in, over):
    places = [
        builders.institution(f"ZC-N{i}", f"新中心{i}", Kind.TOWNSHIP, world.county)
        for i in range(24)
    ]
    scenes.people(places)
    scenes.opened(world.posts.officer, over, places[:2], quarter=1)
    client = log_in(world.posts.officer)
    urls = ["scoring:sheet_list", "scoring:evaluation_list", "scoring:adjustment_list"]

    def cost() -> list[int]:
        found = []
        for name in urls:
            client.get(reverse(name))
            with CaptureQueriesContext(connection) as queries:
                assert client.get(reverse(name)).status_code == 200
            found.append(len(queries))
        return found

    grant(places[0], "bonus", "1", "事由0")
    few = cost()
    for quarter in (2, 3, 4):
        scenes.opened(world.posts.officer, over, places, quarter=quarter)
    for i in range(30):
        grant(places[i % 24], "bonus", "1", f"事由{i + 1}")
    assert cost() == few
    assert max(few) <= 12, few
