"""The check of the vaccine chain: a checklist of three links, recorded on site like any standard."""

from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.urls import reverse

from campaigns.models import Standard
from supervision.assigning import issue_round
from tests.supervision.making import round_of, visit_of
from tests.supervision.test_visits import save, submit

FILE = Path(settings.BASE_DIR) / "campaigns/data/checklist-vaccination.csv"


@pytest.mark.row("C15")
def test_the_three_links_of_the_vaccine_chain_are_checked_on_site(world, log_in):
    call_command("import_table", "standard", str(FILE), "--unit", "ZC")
    checklist = Standard.objects.get(code="YMAQ")
    assert checklist.get_purpose_display() == "检查表"
    links = checklist.clauses.filter(depth=1).order_by("position")
    assert [clause.name for clause in links] == ["疫苗运输", "疫苗储存", "预防接种"]
    round = round_of(world, items=("03",), of_standard=checklist)
    visit = visit_of(round, world.centre, world.posts.expert, items=("03",))
    issue_round(round, by=world.posts.officer, version=round.version)
    client = log_in(world.posts.expert)
    page = client.get(reverse("supervision:visit_record", args=[visit.pk])).content.decode()
    assert "疫苗出入库账、物、信息系统相符" in page and "有运输温度记录的批次" in page
    leaves = {c.code: c for c in checklist.clauses.leaves()}
    for code, values in (
        ("Y1-2", {"numerator": "9", "denominator": "10"}),
        ("Y2-2", {"found": "problem", "text": "账物不符", "points": "0"}),
        ("Y3-1", {"points": "15"}),
    ):
        assert save(client, visit, clause=leaves[code].pk, **values).status_code == 200
    assert str(visit.lines.get(clause=leaves["Y1-2"]).points) == "18.00"
    submit(client, visit)
    problem = world.centre.problems.get()
    assert (problem.clause, problem.item.code) == (leaves["Y2-2"], "03")
