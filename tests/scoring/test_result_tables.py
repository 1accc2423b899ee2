"""What a public table is taken from: published or frozen only, words only, no money outside a funds notice."""

from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from campaigns import disclosing
from campaigns.models import Publication
from institutions.models import Post
from scoring.models import YearResult
from scoring.result_tables import sources, take_table
from supervision.models import Sanction

pytestmark = pytest.mark.django_db


def draft(world, kind: str = "result") -> Publication:
    row = Publication(kind=kind, title="结果", text="示例", workdays=5)
    disclosing.save_publication(row, by=world.posts.officer)
    return row


def year_of(world, *, frozen: bool) -> YearResult:
    money = dict.fromkeys(("due_amount", "approved_amount", "top_up", "prepaid", "balance"))
    return YearResult.objects.create(
        unit=world.county,
        institution=world.centre,
        year=2022,
        position=1,
        quarters=Decimal(90),
        bonus=Decimal(0),
        deduction=Decimal(0),
        score=Decimal("90.50"),
        rank=1,
        group="社区",
        grade="优秀",
        inputs="0" * 64,
        frozen_at=timezone.now() if frozen else None,
        **dict.fromkeys(money, Decimal("1234.50")),
    )


def test_a_frozen_year_gives_its_ranking_and_only_a_funds_notice_its_money(world, log_in):
    result = year_of(world, frozen=False)
    assert sources(draft(world), world.posts.officer) == []
    YearResult.objects.filter(pk=result.pk).update(frozen_at=timezone.now())
    row, funds = draft(world), draft(world, "funds")
    assert [value for value, _ in sources(row, world.posts.officer)] == ["year-2022"]
    client = log_in(world.posts.officer)
    url = reverse("scoring:publication_table", args=[row.pk])
    assert client.post(url, {"source": "funds-2022", "version": row.version}).status_code == 422
    client.post(url, {"source": "year-2022", "version": row.version})
    row.refresh_from_db()
    assert row.table["rows"] == [["社区", "1", "青年路社区卫生服务中心", "90.50", "优秀"]]
    assert not row.table["money"] and "1234" not in str(row.table)
    YearResult.objects.filter(pk=result.pk).update(score=Decimal(10))
    row.refresh_from_db()
    assert "90.50" in str(row.table), "kept as it was taken"
    table = take_table(funds, "funds-2022", by=world.posts.officer)
    assert table["money"] and "1,234.50" in table["rows"][0]


@pytest.mark.row("E24")
def test_commendations_in_force_are_published_by_institution_never_by_person(world, client):
    def praise(unit, person="", status="decided"):
        Sanction.objects.create(
            institution=unit,
            supervisor=world.county,
            kind="commendation",
            status=status,
            year=2023,
            grounds="活动中表现突出",
            reason="示例",
            person=person,
            decided_at=timezone.now() if status != "proposed" else None,
            decided_by=world.posts.leader if status != "proposed" else None,
        )

    praise(world.centre)
    praise(world.other_centre, person="公卫科长")
    praise(world.maternal, status="proposed")
    row = draft(world, "commendation")
    table = take_table(row, "rewards-2023", by=world.posts.officer)
    assert [cells[0] for cells in table["rows"]] == ["青年路社区卫生服务中心"]
    disclosing.set_table(row, table, by=world.posts.officer, version=row.version)
    disclosing.submit(row, by=world.posts.officer, version=row.version)
    disclosing.publish(row, by=Post.objects.get(pk=world.posts.leader.pk), version=row.version)
    page = client.get(row.public_url).content.decode()
    assert "青年路社区卫生服务中心" in page and "活动中表现突出" in page
