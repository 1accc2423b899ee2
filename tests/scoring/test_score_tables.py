"""What goes out at the end: scores by item, the table for 事业单位绩效考核, and checks from above beside them."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.models import SuperiorCheck
from institutions.models import Event, Kind
from scoring import booking, year_end
from scoring.models import ScoreSection, YearResult
from supervision import sanctioning
from supervision.models import Sanction
from tests import builders
from tests.scoring import scenes

SUMMARY, PERFORMANCE = "scoring:score_summary", "scoring:performance_table"


@pytest.fixture
def county(world):
    kinds = [Kind.TOWNSHIP, Kind.COMMUNITY]
    over = scenes.standard(world.county, code="K", kinds=kinds, clauses=scenes.MANUAL)
    scores = {world.centre: "80", world.other_centre: "92"}
    for quarter in (1, 2, 3, 4):
        scenes.final_sheets(world.posts.officer, over, scores, quarter=quarter)
    ScoreSection.objects.update(full=Decimal(100))
    scenes.people(scores)
    return scores


def table(answer) -> list[str]:
    return b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()


def test_scores_by_item_are_shown_and_taken_for_a_quarter_and_the_year(world, county, log_in):
    client = log_in(world.posts.officer)
    url = reverse(SUMMARY)
    text = client.get(url, {"unit": "ZC", "year": "2023", "quarter": "2"}).content.decode()
    assert "综合" in text and "92.00" in text and "名次" in text
    lines = table(client.get(url, {"unit": "ZC", "year": "2023", "format": "csv"}))
    assert (
        lines[0] == "机构代码,机构名称,机构类别,综合得分,综合得分率,得分合计,适用满分,得分率,名次"
    )
    assert "ZC-QNL" in lines[1] and lines[1].endswith("320.00,80.00,320.00,400.00,80.00,")
    lines = table(client.get(url, {"unit": "ZC", "quarter": "1", "format": "csv"}))
    assert ",80.00,80.00,80.00,100.00,80.00," in lines[1]
    book = client.get(url, {"unit": "ZC", "format": "xlsx"})
    assert b"".join(book.streaming_content)[:2] == b"PK"
    assert Event.objects.filter(action="portal.export").count() == 3
    own = table(log_in(world.posts.head).get(url, {"unit": "ZC", "format": "csv"}))
    assert len(own) == 2 and "ZC-QNL" in own[1]
    assert log_in(world.posts.far_officer).get(url, {"unit": "ZC"}).status_code == 404


def test_every_clause_goes_out_in_the_long_form(world, county, log_in):
    answer = log_in(world.posts.officer).get(
        reverse("table_export", args=["scores"]), {"year": "2023"}
    )
    assert len(table(answer)) == 1 + 8


@pytest.mark.row("B22")
def test_the_year_goes_into_the_annual_unit_performance(world, county, log_in):
    row = sanctioning.propose(
        world.centre,
        by=world.posts.officer,
        kind="commendation",
        year=2023,
        reason="工作扎实",
        grounds="工作扎实",
    )
    booking.decide(row, by=world.posts.leader, version=row.version, note="同意")
    year_end.settle(world.county, 2023, by=world.posts.finance)
    client = log_in(world.posts.leader)
    url = reverse(PERFORMANCE)
    text = client.get(url, {"unit": "ZC", "year": "2023"}).content.decode()
    for words in ("事业单位绩效考核用", "单位负责人（盖章）", "通报表扬", "还没有定稿", "92.00"):
        assert words in text, words
    lines = table(client.get(url, {"unit": "ZC", "year": "2023", "format": "csv"}))
    assert lines[0].startswith("序号,机构代码,机构名称,机构类别,综合得分率,季度得分")
    assert lines[2].startswith("2,ZC-QNL") and lines[2].endswith("良好,否,通报表扬")
    own = table(log_in(world.posts.head).get(url, {"unit": "ZC", "year": "2023", "format": "csv"}))
    assert len(own) == 2
    assert log_in(world.posts.staff).get(url).status_code == 403


def test_the_tables_cost_the_same_for_few_and_many(world, log_in):
    kinds = [Kind.TOWNSHIP, Kind.COMMUNITY]
    over = scenes.standard(world.county, code="K", kinds=kinds, clauses=scenes.MANUAL)
    places = [
        builders.institution(f"ZC-H{i}", f"中心{i}", Kind.TOWNSHIP, world.county) for i in range(20)
    ]
    scenes.people(places)
    client = log_in(world.posts.officer)
    counts = []
    for quarter, some in ((1, places[:2]), (2, places)):
        scenes.final_sheets(world.posts.officer, over, dict.fromkeys(some, "80"), quarter=quarter)
        year_end.settle(world.county, 2023, by=world.posts.finance)
        own = []
        for name in (SUMMARY, PERFORMANCE):
            client.get(reverse(name))
            with CaptureQueriesContext(connection) as queries:
                client.get(reverse(name), {"unit": "ZC", "year": "2023"})
            own.append(len(queries))
        counts.append(own)
    assert counts[0] == counts[1] and max(counts[0]) <= 14, counts


# --- Checks from above ------------------------------------------------------------------------------


def check(world, score, full=None, day=date(2023, 9, 1)):
    row = SuperiorCheck.objects.create(
        bureau=world.county,
        name="省级绩效评价",
        day=day,
        score=Decimal(score),
        full=Decimal(full or 100),
    )
    row.institutions.set([world.centre, world.other_centre])
    return row


@pytest.mark.row("C37")
def test_below_ninety_from_above_accountability_is_one_click_away(world, county, log_in):
    check(world, "178", "200")
    year_end.settle(world.county, 2023, by=world.posts.finance)
    client = log_in(world.posts.officer)
    text = client.get(reverse("scoring:year_list"), {"unit": "ZC", "year": "2023"}).content.decode()
    assert "上级检查低于 90 分，须追究责任" in text
    row = YearResult.objects.get(institution=world.centre)
    page = client.get(row.get_absolute_url())
    (one,) = page.context["superior"]
    assert one.rate == Decimal("89.00") and "提出追责问责" in page.content.decode()
    form = client.get(one.propose_url).context["form"]
    data = {name: form[name].value() or "" for name in form.fields if name != "files"}
    assert data["grounds"] == "上级考核低于90分" and "89.00%" in data["reason"]
    data["files"] = [builders.picture()]
    client.post(reverse("supervision:sanction_create"), data)
    sanction = Sanction.objects.get()
    assert (sanction.kind, sanction.status, sanction.year) == ("accountability", "proposed", 2023)
    text = client.get(row.get_absolute_url()).content.decode()
    assert "提出追责问责" not in text and "追责问责：待决定" in text
    booking.decide(sanction, by=world.posts.leader, version=sanction.version, note="同意")
    # The institution sees its score, and not what is restricted.
    text = log_in(world.posts.head).get(row.get_absolute_url()).content.decode()
    assert "89.00%" in text and "追责问责" not in text


def test_ninety_itself_and_other_years_raise_nothing(world, county, log_in):
    check(world, "90")
    check(world, "10", day=date(2022, 9, 1))
    year_end.settle(world.county, 2023, by=world.posts.finance)
    client = log_in(world.posts.officer)
    text = client.get(reverse("scoring:year_list"), {"unit": "ZC", "year": "2023"}).content.decode()
    assert "须追究责任" not in text
    row = YearResult.objects.get(institution=world.centre)
    text = client.get(row.get_absolute_url()).content.decode()
    assert "90 分以上" in text and "提出追责问责" not in text
