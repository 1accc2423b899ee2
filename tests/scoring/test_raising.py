"""Points lost become problems, once each, when the result is public."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from institutions import clock
from scoring import raising
from scoring.models import ScoreSheet
from supervision.models import Problem
from tests.scoring import scenes


def sheet_of(world, *, public=True):
    officer = world.posts.officer
    over = scenes.standard(world.county)
    evaluation = scenes.opened(officer, over, [world.centre])
    sheet = evaluation.sheets.get()
    scenes.verified(sheet, filler=world.posts.head, verifier=officer)
    if public:
        scenes.published(evaluation, officer)
    return ScoreSheet.objects.select_related(
        "institution__region", "supervisor", "evaluation", "author"
    ).get(pk=sheet.pk)


def test_lost_points_are_handed_out_once_and_the_line_points_at_its_problem(world, log_in):
    sheet = sheet_of(world)
    lost = list(raising.lost_lines(sheet))
    # B2 and A1 have their full points.
    assert [line.clause.code for line in lost] == ["A2", "B1", "B3", "B4", "B5", "B6"]
    client = log_in(world.posts.officer)
    assert "扣分转为问题" in client.get(sheet.get_absolute_url()).content.decode()
    url = reverse("scoring:sheet_raise", args=[sheet.pk])
    assert "工作计划" in client.get(url).content.decode()
    due = clock.today() + timedelta(days=20)
    client.post(
        url,
        {"lines": [lost[0].pk, lost[1].pk], "severity": "major", "due": due.isoformat()},
    )
    plan, talks = Problem.objects.order_by("clause__position")
    assert plan.text == "工作计划：现场核对（扣1.00分）"
    assert (talks.clause.code, talks.item.code, talks.severity) == ("B1", "02", "major")
    assert (talks.source, talks.origin) == ("quarterly", sheet.evaluation.name)
    assert talks.rectification.due == due and talks.score_line == lost[1]
    page = client.get(sheet.get_absolute_url()).content.decode()
    assert "已转为问题" in page
    with pytest.raises(ValidationError, match="还没有转为问题"):
        raising.raise_problems(
            sheet, lines=[lost[0].pk], severity="minor", due=due, by=world.posts.officer
        )
    assert Problem.objects.count() == 2


def test_not_before_it_is_public_and_not_by_the_scored(world, log_in):
    sheet = sheet_of(world, public=False)
    lines = [line.pk for line in raising.lost_lines(sheet)]
    due = clock.today()
    with pytest.raises(ValidationError, match="公布后"):
        raising.raise_problems(
            sheet, lines=lines, severity="minor", due=due, by=world.posts.officer
        )
    with pytest.raises(PermissionDenied):
        raising.raise_problems(sheet, lines=lines, severity="minor", due=due, by=world.posts.head)
    url = reverse("scoring:sheet_raise", args=[sheet.pk])
    assert "还没有公布" in log_in(world.posts.officer).get(url).content.decode()
    assert log_in(world.posts.head).get(url).status_code == 403
    assert log_in(world.posts.other_head).get(url).status_code == 404
