"""Self against verified: the gap by institution and item, told in words, proposed as a deduction and never taken."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from institutions.models import Event, Kind, PolicyEntry
from scoring.honesty import gap_tag
from scoring.models import Adjustment, ScoreSection, ScoreSheet
from tests import builders
from tests.scoring import scenes


@pytest.fixture
def over(world):
    return scenes.standard(world.county, code="Y", kinds=[Kind.COMMUNITY, Kind.TOWNSHIP])


def sheets(world, over, claims, *, quarter=1, status="published"):
    """Verified sheets with 80.00 of 100 verified in each section and `claims` assessed by the institution."""
    evaluation = scenes.opened(world.posts.officer, over, list(claims), quarter=quarter)
    for place, claim in claims.items():
        sheet = evaluation.sheets.get(institution=place)
        ScoreSection.objects.filter(sheet=sheet).update(
            self_points=Decimal(claim), self_full=100, points=Decimal(80), full=100
        )
        ScoreSheet.objects.filter(pk=sheet.pk).update(
            status="verified",
            score=Decimal(80),
            full=Decimal(100),
            submitted_at="2023-03-20T00:00:00+08:00",
            verified_at="2023-03-31T00:00:00+08:00",
        )
    type(evaluation).objects.filter(pk=evaluation.pk).update(
        status=status, published_at="2023-04-01T00:00:00+08:00"
    )
    return evaluation


URL = "/scoring/honesty/"


@pytest.mark.row("E31")
def test_the_gap_is_told_in_words_by_item_and_over_the_quarters(world, over, log_in):
    sheets(world, over, {world.centre: "86.50", world.other_centre: "81"}, quarter=1)
    sheets(world, over, {world.centre: "82.50", world.other_centre: "77"}, quarter=2)
    client = log_in(world.posts.officer)
    text = client.get(URL, {"year": "2023"}).content.decode()
    for words in (
        "偏高 +4.50",
        "收窄（1季 +6.50，2季 +2.50）",
        "相符 -1.00",
        "扩大（1季 +1.00，2季 -3.00）",
        "高血压",
    ):
        assert words in text, words
    text = client.get(URL, {"year": "2023", "quarter": "1", "q": "青年路"}).content.decode()
    assert "明显偏高 +6.50" in text and "王村" not in text
    item = builders.item("02")
    text = client.get(URL, {"year": "2023", "item": item.pk}).content.decode()
    assert (
        '<th scope="col">' in text and "高血压" not in text.split("<tbody>")[0].split("<thead>")[1]
    )
    answer = client.get(URL, {"year": "2023", "format": "csv"})
    table = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert "偏高 +4.50" in table and "'偏高" not in table
    assert Event.objects.filter(action="portal.export").exists()


@pytest.mark.parametrize(
    ("gap", "word", "tone"),
    [
        ("5", "明显偏高", "bad"),
        ("4.99", "偏高", "warn"),
        ("1.99", "相符", "ok"),
        ("-1.99", "相符", "ok"),
        ("-2", "偏低", "info"),
    ],
)
def test_the_words_change_at_two_and_five_points(gap, word, tone):
    tag = gap_tag(Decimal(gap))
    assert tag.text.startswith(f"{word} ") and tag.tone == tone
    assert gap_tag(None).text == "无数据"


def test_a_centre_sees_its_own_gap_once_published(world, over, log_in):
    evaluation = sheets(
        world, over, {world.centre: "86.50", world.other_centre: "99"}, status="open"
    )
    client = log_in(world.posts.head)
    assert "没有可以比较的评分表" in client.get(URL, {"year": "2023"}).content.decode()
    type(evaluation).objects.filter(pk=evaluation.pk).update(status="published")
    text = client.get(URL, {"year": "2023"}).content.decode()
    assert "明显偏高 +6.50" in text and "+19.00" not in text


def test_the_policy_proposes_a_deduction_that_somebody_decides(world, over, log_in):
    sheets(world, over, {world.centre: "86.50", world.other_centre: "81"})
    client = log_in(world.posts.officer)
    assert "建议扣分" not in client.get(URL, {"year": "2023"}).content.decode()
    for key, value in (("自评偏差线", "5"), ("自评偏差扣分", "1.5")):
        PolicyEntry.objects.create(institution=world.county, year=2023, key=key, value=value)
    page = client.get(URL, {"year": "2023"})
    text = page.content.decode()
    assert "按政策建议扣分" in text and not Adjustment.objects.exists()
    ((one, url),) = page.context["proposals"]
    assert one.institution == world.centre and one.gap == Decimal("6.50")
    form = client.get(url).context["form"]
    data = {name: form[name].value() for name in form.fields}
    assert data["reason"] == "自评偏差：2023年自评比核定高 6.50 个百分点"
    client.post(reverse("scoring:adjustment_create"), data)
    row = Adjustment.objects.get()
    assert (row.kind, row.points, row.institution) == ("deduction", Decimal("1.50"), world.centre)
    assert "已登记扣分" in client.get(URL, {"year": "2023"}).content.decode()


def test_the_list_costs_the_same_for_few_and_many(world, over, log_in):
    places = [
        builders.institution(f"ZC-H{i}", f"中心{i}", Kind.TOWNSHIP, world.county) for i in range(20)
    ]
    client = log_in(world.posts.officer)
    counts = []
    for quarter, some in ((1, places[:2]), (2, places)):
        sheets(world, over, dict.fromkeys(some, "85"), quarter=quarter)
        client.get(URL, {"year": "2023"})
        with CaptureQueriesContext(connection) as queries:
            client.get(URL, {"year": "2023"})
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 13, counts
