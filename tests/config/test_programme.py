"""The programme's year on one page, and the goal of a campaign beside what it is measured by."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from campaigns import following
from campaigns.models import Campaign, Series, SeriesValue, SuperiorCheck
from campaigns.periods import Period
from institutions import clock
from scoring.models import PolicyEntry, Prepayment
from supervision.handing_out import NewProblem, problems_from
from tests.campaigns.papers import issued

YEAR = "/programme/"


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(clock, "today", lambda: date(2023, 11, 20))


def _problem(world, campaign):
    problems_from(
        [
            NewProblem(
                institution=world.centre,
                source="province",
                year=2023,
                text="档案空项",
                found_on=date(2023, 3, 1),
                due=date(2023, 12, 1),
                campaign=campaign,
            )
        ],
        by=world.posts.officer,
    )


@pytest.mark.row("C06")
def test_a_year_tells_its_money_its_deployment_and_its_checks(world, log_in):
    campaign = issued(world)
    PolicyEntry.objects.create(institution=world.county, year=2023, key="人均标准", value="89")
    Prepayment.objects.create(institution=world.centre, year=2023, amount=Decimal("120000"))
    SuperiorCheck.objects.create(
        bureau=world.county,
        name="省级绩效考核",
        day=date(2023, 3, 10),
        score=Decimal("93.5"),
        full=Decimal(100),
    )
    _problem(world, campaign)
    client = log_in(world.posts.officer)
    page = client.get(YEAR, {"year": "2023"})
    body = page.content.decode()
    for words in ("89 元", "120,000.00 元", campaign.name, "省级绩效考核", "93.5/100", "省级反馈"):
        assert words in body, words
    assert "这一年没有印发活动文件" in client.get(YEAR, {"year": "2022"}).content.decode()
    assert client.get(YEAR, {"year": "99999"}).context["year"] == 2023
    # Who knows nothing of money reads nothing of it.
    assert "专项资金" not in log_in(world.posts.staff).get(YEAR).content.decode()


@pytest.mark.row("A03")
def test_the_goal_stands_beside_the_feedback_list_and_the_satisfaction(world, log_in):
    campaign = issued(world)
    Campaign.objects.filter(pk=campaign.pk).update(goals="以省市反馈指标整改为切入点")
    _problem(world, campaign)
    following.adopt(
        ["知晓率和满意度"],
        by=world.posts.officer,
        starts=date(2023, 1, 1),
        institutions=[world.centre],
    )
    content = Series.objects.get(code="ZM-MY")
    client = log_in(world.posts.officer)
    edit = reverse("campaigns:series_edit", args=[content.pk])
    given = {
        name: value
        for name, value in client.get(edit).context["form"].initial.items()
        if value is not None and name != "institutions"
    }
    client.post(
        edit,
        {**given, "campaign": campaign.pk, "target": "90", "institutions": [world.centre.pk]},
    )
    SeriesValue.objects.create(
        series=content,
        institution=world.centre,
        numerator=Decimal(87),
        denominator=Decimal(100),
        **Period(2023, 3).key,
    )
    page = client.get(reverse("campaign_board", args=[campaign.pk])).content.decode()
    for words in (
        "以省市反馈指标整改为切入点",
        "省级反馈",
        "0 / 1 个",
        "群众满意度",
        "87%",
        "距目标还差3个百分点",
    ):
        assert words in page, words
