"""The 通报 of an evaluation: ranking, weak items, problems, what the score counts for; its tables and its way to issue."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from scoring.bulletins import evaluation_bulletin
from scoring.models import Evaluation, ScoreSheet
from supervision.models import Notice
from tests.scoring import scenes


@pytest.fixture
def evaluation(world) -> Evaluation:
    officer = world.posts.officer
    standard = scenes.standard(world.county)
    units = [world.centre, world.other_centre]
    row = scenes.opened(officer, standard, units)
    fillers = {world.centre.pk: world.posts.head, world.other_centre.pk: world.posts.other_head}
    for sheet in ScoreSheet.objects.filter(evaluation=row):
        scenes.verified(sheet, filler=fillers[sheet.institution_id], verifier=officer)
    return Evaluation.objects.select_related("supervisor", "standard", "campaign").get(pk=row.pk)


@pytest.mark.row("A35")
def test_it_tells_rank_average_weak_items_and_what_the_quarter_counts_for(world, evaluation):
    officer = world.posts.officer
    with pytest.raises(ValidationError, match="公布后"):
        evaluation_bulletin(evaluation, by=officer)
    scenes.published(evaluation, officer)
    evaluation.refresh_from_db()
    content = evaluation_bulletin(evaluation, by=officer)
    assert content.kind == "bulletin" and len(content.recipients) == 2
    chapters = (
        "一、基本情况",
        "二、评价结果",
        "三、存在的主要问题",
        "四、下一步要求",
        "五、结果运用",
    )
    places = [content.body.index(chapter) for chapter in chapters]
    assert places == sorted(places)
    assert "本季度得分按25%计入年终得分" in content.body
    assert world.centre.known_as in content.body
    table = content.annexes[0]
    assert table.columns[:2] == ("序号", "机构") and table.columns[-1] == "名次"
    sheets = ScoreSheet.objects.filter(evaluation=evaluation).order_by("institution__code")
    printed = {row[1]: row[-2:] for row in table.rows}
    for sheet in sheets:
        assert printed[sheet.institution.known_as] == (f"{sheet.score:.2f}", str(sheet.rank))


def test_one_button_on_the_evaluation_writes_the_draft(world, evaluation, log_in):
    client = log_in(world.posts.officer)
    address = reverse("scoring:evaluation_notice", args=[evaluation.pk])
    assert "公布后才能拟写通报" in client.post(address, follow=True).content.decode()
    scenes.published(evaluation, world.posts.officer)
    assert "拟写通报" in client.get(evaluation.get_absolute_url()).content.decode()
    answer = client.post(address)
    notice = Notice.objects.get()
    assert answer.url == reverse("supervision:notice_edit", args=[notice.pk])
    assert notice.origin == evaluation.name and notice.tables[0]["rows"]
    assert log_in(world.posts.head).post(address).status_code == 403
