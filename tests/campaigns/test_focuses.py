"""The seven rows of the annex of 2023: several institutions or two names in a cell, and which items a unit leads."""

import csv
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from campaigns.drafting import register
from campaigns.issuing import address, issue
from campaigns.models import Campaign, Phase
from config.demo import units
from institutions.models import Institution, Responsibility
from institutions.roles import Role
from tests import builders
from tests.campaigns import papers

DATA = Path(settings.BASE_DIR) / "config/demo/data/focuses.csv"
ROWS = list(csv.DictReader(DATA.read_text("utf-8").splitlines()))
ANNEX = "\n".join(f"{row['机构名称']}\t{row['督导重点']}" for row in ROWS)
PAPER = papers.PAPER[: papers.PAPER.index("机构名称\t")] + f"机构名称\t督导重点\n{ANNEX}\n"


@pytest.fixture
def campaign(world):
    """The district of the demo, and the paper of 2023 read from its text."""
    for row in Institution.objects.all():
        # The test world's own codes make room for the demo's.
        Institution.objects.filter(pk=row.pk).update(code=f"W{row.pk}", path=f"/W{row.pk}/")
    units.build()
    county = Institution.objects.get(code="ZC")
    officer = builders.post(county, Role.OFFICER, "基妇科经办人")
    row = Campaign(
        name="质量提升年活动",
        title="实施方案",
        number="示卫健字〔2023〕13号",
        year=2023,
        issued_on=date(2023, 2, 28),
    )
    return register(row, by=officer, paper=PAPER)


def split(cell):
    return {part for part in cell.split(";") if part}


@pytest.mark.row("A44", "A45", "A46")
def test_each_row_of_the_annex_finds_its_institutions_and_items(campaign):
    focuses = list(campaign.focuses.all())
    assert len(ROWS) == len(focuses) == 7
    for row, focus in zip(ROWS, focuses, strict=True):
        assert (focus.names, focus.text) == (row["机构名称"], row["督导重点"])
        codes = set(focus.institutions.values_list("code", flat=True))
        items = set(focus.items.values_list("code", flat=True))
        assert codes == split(row["机构代码"]), row["机构名称"]
        assert items == split(row["服务项目"]), row["机构名称"]
    # Whoever leads an item is told so by the paper too.
    duties = Responsibility.objects.filter(duty="leads", institution__code__startswith="ZC-")
    for duty in duties.select_related("item", "institution"):
        told = campaign.focuses.filter(institutions=duty.institution, items=duty.item)
        assert told.exists(), duty


@pytest.mark.row("A43", "A44")
def test_a_hospital_is_shown_its_row_and_its_five_stations(campaign, log_in):
    by = campaign.author
    Phase.objects.create(
        campaign=campaign,
        institution=campaign.institution,
        supervisor=campaign.institution,
        position=1,
        name="动员部署阶段",
        ends=date(2023, 3, 3),
    )
    named = Institution.objects.filter(supervisionfocus__campaign=campaign)
    address(campaign, list(named), by=by, version=campaign.version)
    campaign.refresh_from_db()
    issue(campaign, by=by, version=campaign.version)
    client = log_in(by)
    hospital = Institution.objects.get(code="ZC-RMYY")
    stations = Institution.objects.filter(parent=hospital, kind="station")
    assert stations.count() == 5
    page = client.get(reverse("institution_detail", args=[hospital.pk])).content.decode()
    assert "下属5处卫生服务站" in page
    listed = f"{reverse('institutions:institution_list')}?parent={hospital.pk}"
    assert listed in page and "5 家" in page
    page = client.get(listed).content.decode()
    assert all(station.name in page for station in stations)
    # One unit under two names: the row stands on the page of the maternal hospital, which is a centre as well.
    maternal = Institution.objects.get(code="ZC-FY")
    page = client.get(reverse("institution_detail", args=[maternal.pk])).content.decode()
    assert "牵头全区妇幼项目管理" in page and "大街社区卫生服务中心" in page


@pytest.mark.row("A48")
def test_the_printed_paper_ends_with_its_office_and_day_and_the_annex(campaign, log_in):
    page = log_in(campaign.author).get(campaign.get_absolute_url()).content.decode()
    paper = page[page.index('<article class="paper"') : page.index("</article>")]
    office = paper.index('<p class="office">周村区卫生健康局</p>')
    day = paper.index('<p class="office">2023年2月28日</p>')
    assert office < day < paper.index("page-break")
    for row in ROWS:
        assert row["机构名称"] in paper and row["督导重点"] in paper
    assert "data-print" in page
