"""What the papers ask of content: key groups followed and scored, the guideline on hypertension, everybody assessed."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.urls import reverse

from campaigns.models import Series, Standard
from institutions.models import Kind
from scoring import opening, year_end
from supervision.assigning import issue_round
from tests.campaigns.test_series import page, put
from tests.scoring import scenes
from tests.supervision.making import round_of, visit_of
from tests.supervision.test_visits import save, submit

DATA = Path(settings.BASE_DIR) / "campaigns/data"


@pytest.mark.row("A17")
def test_health_management_of_key_groups_is_followed_and_scored(world, log_in):
    client = log_in(world.posts.officer)
    answer = client.post(
        reverse("campaigns:series_adopt"),
        {
            "families": ["重点人群健康管理"],
            "starts": "2023-01-01",
            "kinds": [Kind.COMMUNITY, Kind.TOWNSHIP],
        },
    )
    assert answer.status_code == 302
    followed = {row.item.code: row for row in Series.objects.filter(family="重点人群健康管理")}
    assert set(followed) == {"04", "05", "06", "07a", "07b"}
    put(world.centre, followed["06"], 55, 100)
    put(world.other_centre, followed["06"], 70, 100)
    shown = page(client, followed["06"], period="2023Q3")
    assert shown.context["value"] == "62.5%" and "老年人健康管理率" in shown.content.decode()
    # And the standard scores rate and quality of each of these groups.
    call_command("import_table", "standard", str(DATA / "standard-2023.csv"), "--unit", "ZC")
    clauses = Standard.objects.get(code="ZC2023").clauses.leaves()
    for code in followed:
        names = " ".join(clauses.filter(item__code=code).values_list("name", flat=True))
        assert re.search("管理(服务)?率", names), (code, names)


@pytest.mark.row("C20")
def test_the_guideline_on_hypertension_is_checked_on_site_with_chinese_medicine(world, log_in):
    file = DATA / "checklist-hypertension.csv"
    call_command("import_table", "standard", str(file), "--unit", "ZC")
    checklist = Standard.objects.get(code="JCGXY")
    assert checklist.get_purpose_display() == "检查表"
    leaves = {clause.code: clause for clause in checklist.clauses.leaves()}
    assert sum(clause.full_marks for clause in leaves.values()) == 100
    assert all("2020版" in clause.scoring_note for clause in leaves.values())
    round = round_of(world, items=("07a",), of_standard=checklist)
    visit = visit_of(round, world.centre, world.posts.expert, items=("07a",))
    issue_round(round, by=world.posts.officer, version=round.version)
    client = log_in(world.posts.expert)
    text = client.get(reverse("supervision:visit_record", args=[visit.pk])).content.decode()
    assert "中医药干预高血压适宜技术" in text
    for code, values in (
        ("G2-2", {"numerator": "45", "denominator": "100"}),
        ("G3-2", {"found": "problem", "text": "没有开展适宜技术", "points": "0"}),
    ):
        assert save(client, visit, clause=leaves[code].pk, **values).status_code == 200
    assert visit.lines.get(clause=leaves["G2-2"]).points == Decimal("15.00")
    submit(client, visit)
    assert world.centre.problems.get().clause == leaves["G3-2"]


@pytest.mark.row("C34", "D23")
def test_the_year_names_who_was_not_assessed_or_too_rarely(world, log_in):
    over = scenes.standard(
        world.county, code="K", kinds=[Kind.TOWNSHIP, Kind.COMMUNITY], clauses=scenes.MANUAL
    )
    for quarter in (1, 2, 3):
        scenes.final_sheets(world.posts.officer, over, {world.centre: "90"}, quarter=quarter)
    scenes.people([world.centre])
    year_end.settle(world.county, 2023, by=world.posts.finance)
    client = log_in(world.posts.officer)
    text = client.get(reverse("scoring:year_list"), {"unit": "ZC", "year": "2023"}).content.decode()
    assert "全年定稿 3 份评分表，少于考核次数 4" in text
    missing = text.split("全年没有评分表")[1]
    assert "王村" in missing and "青年路" not in missing.split("</details>")[0]


@pytest.mark.row("A25")
def test_a_centre_that_has_not_evaluated_its_clinics_is_named_to_the_bureau(world, log_in):
    over = scenes.standard(world.county, code="V", kinds=[Kind.CLINIC], clauses=scenes.MANUAL)
    post = world.posts.officer
    day = date(2023, 5, 10)
    names = [one.code for one in opening.centres_behind(post, day)]
    assert "ZC-QNL" in names
    scenes.final_sheets(world.posts.head, over, {world.clinic: "90"}, quarter=1)
    assert "ZC-QNL" not in [one.code for one in opening.centres_behind(post, day)]
    # The first quarter is judged once it is over, the second not before July.
    assert "ZC-QNL" in [one.code for one in opening.centres_behind(post, date(2023, 7, 1))]
    text = log_in(post).get(reverse("scoring:evaluation_list")).content.decode()
    assert "上个季度还没有评价村卫生室（站）的中心" in text
