"""What if: both values side by side, nothing changed by trying, adopted before the freeze only."""

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from institutions.models import Event, Kind, PolicyEntry
from scoring import policies, trying, year_end
from scoring.models import Adjustment, Scenario, YearResult
from tests.scoring import scenes


@pytest.fixture
def county(world):
    """Three centres of 30,000 people: 92.00, 85.50, 59.99."""
    kinds = [Kind.TOWNSHIP, Kind.COMMUNITY, Kind.HOSPITAL, Kind.CLINIC]
    over = scenes.standard(world.county, code="Y", kinds=kinds, clauses=scenes.MANUAL)
    scores = {world.centre: "92", world.other_centre: "85.50", world.maternal: "59.99"}
    for quarter in (1, 2, 3, 4):
        scenes.final_sheets(world.posts.officer, over, scores, quarter=quarter)
    scenes.people(scores)
    return scores


def tried(world, **changes) -> Scenario:
    return trying.save(
        world.county, 2023, "方案" + "".join(changes.values()), changes, by=world.posts.officer
    )


def test_only_those_whose_grade_rank_score_or_money_changes_are_listed(world, county):
    found = trying.compare(world.county, 2023, {"全额线": "93"})
    assert [c.institution.code for c in found.changes] == ["ZC-QNL"]
    change = found.changes[0]
    assert (change.before.approved_amount, change.after.approved_amount) == (
        Decimal("2670000.00"),
        Decimal("2456400.00"),
    )
    assert change.difference == found.difference == Decimal("-213600.00")
    found = trying.compare(world.county, 2023, {"等次线": "95;85;50"})
    assert {c.institution.code: (c.before.grade, c.after.grade) for c in found.changes} == {
        "ZC-QNL": ("优秀", "良好"),
        "ZC-FY": ("不合格", "合格"),
    }
    assert found.difference == 0 and found.count("grade") == 2 and found.count("rank") == 0
    assert trying.compare(world.county, 2023, {"比例基数": "100"}).changes == []


def test_trying_changes_nothing_and_equals_settling_under_that_policy(world, county):
    changes = {"季度权重": "40%;30%;20%;10%", "人均标准": "77.77", "拨付线": "50"}
    year_end.settle(world.county, 2023, by=world.posts.finance)
    before = list(YearResult.objects.order_by("pk").values())
    found = trying.compare(world.county, 2023, changes)
    assert list(YearResult.objects.order_by("pk").values()) == before
    assert not PolicyEntry.objects.exists()
    for key, value in changes.items():
        PolicyEntry.objects.create(institution=world.county, year=2023, key=key, value=value)
    rows = {r.institution.code: r for r in year_end.compute(world.county, 2023)}
    for change in found.changes:
        real = rows[change.institution.code]
        for name in (*trying.COMPARED, "balance", "inputs", "details"):
            assert getattr(change.after, name) == getattr(real, name), name


def test_another_method_reads_what_it_needs_and_says_what_is_missing(world, county, log_in):
    with pytest.raises(ValidationError, match="没有填写资金池"):
        tried(world, 结算方式="当量法")
    client = log_in(world.posts.officer)
    create = reverse("scoring:scenario_create") + "?year=2023"
    keys = trying.tried_keys()
    data = {"name": "试", f"key{keys.index('全额线')}": "五十"}
    page = client.post(create, data)
    assert page.status_code == 422 and "全额线" in page.content.decode()
    assert "请至少改动一项政策" in client.post(create, {"name": "试"}).content.decode()


@pytest.mark.row("C36")
def test_a_scenario_is_kept_with_its_author_compared_again_and_adopted(world, county, log_in):
    client = log_in(world.posts.officer)
    keys = trying.tried_keys()
    data = {"name": "全额线提高", f"key{keys.index('全额线')}": "93"}
    client.post(reverse("scoring:scenario_create") + "?year=2023", data)
    row = Scenario.objects.get()
    assert row.changes == {"全额线": "93"} and row.author == world.posts.officer
    text = client.get(row.get_absolute_url()).content.decode()
    for words in ("青年路", "2,670,000.00", "2,456,400.00", "-213,600.00", "采用此方案"):
        assert words in text, words
    assert "王村" not in text.split("有变化的机构</h2>")[1].split("办理记录")[0]
    assert "保存方案之后" not in text
    Adjustment.objects.create(
        institution=world.centre, year=2023, kind="bonus", points=Decimal(1), reason="表彰"
    )
    text = client.get(row.get_absolute_url()).content.decode()
    assert "保存方案之后，评分、加减分、人口、预拨或政策有变化" in text
    # 93 is reached with the bonus: nobody changes any more.
    assert "没有机构有变化" in text
    client.post(reverse("scoring:scenario_adopt", args=[row.pk]))
    assert policies.own_rows(world.county, 2023) == {"全额线": "93"}
    row.refresh_from_db()
    assert row.adopted_by == world.posts.officer
    assert Event.objects.filter(action="scoring.policy").count() == 1
    assert Event.objects.filter(action="scoring.scenario.adopt").count() == 1


def test_values_that_fit_only_together_are_adopted_together(world, county):
    row = tried(world, 拨付线="91", 全额线="95")
    trying.adopt(row, by=world.posts.finance)
    assert policies.own_rows(world.county, 2023) == {"拨付线": "91", "全额线": "95"}
    with pytest.raises(ValidationError, match="已经采用"):
        trying.adopt(row, by=world.posts.finance)


def test_after_the_freeze_nothing_is_adopted(world, county, log_in):
    row = tried(world, 全额线="93")
    year_end.settle(world.county, 2023, by=world.posts.finance)
    seen = YearResult.objects.first().inputs
    year_end.freeze(world.county, 2023, by=world.posts.leader, seen=seen)
    with pytest.raises(ValidationError, match="已定稿"):
        trying.adopt(row, by=world.posts.officer)
    text = log_in(world.posts.officer).get(row.get_absolute_url()).content.decode()
    assert "方案不能再采用" in text and "采用此方案" not in text
    assert not PolicyEntry.objects.exists()


def test_a_scenario_belongs_to_its_unit(world, county, log_in):
    row = tried(world, 全额线="93")
    for post in (world.posts.head, world.posts.far_officer, world.posts.doctor):
        assert log_in(post).get(row.get_absolute_url()).status_code == 404
    client = log_in(world.posts.leader)
    assert client.get(row.get_absolute_url()).status_code == 200
    assert client.post(reverse("scoring:scenario_adopt", args=[row.pk])).status_code == 403
    with pytest.raises(PermissionDenied):
        trying.adopt(row, by=world.posts.city_officer)
    client = log_in(world.posts.finance)
    client.post(reverse("scoring:scenario_remove", args=[row.pk]))
    assert not Scenario.objects.exists()
