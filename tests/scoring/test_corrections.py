"""After 定稿: a correction is a dated entry that the year counts, and the sheet stays as it was; so does a recheck's."""

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from institutions.models import Event, Kind, Notification
from scoring import correcting, costing, rechecking, year_end
from scoring.models import (
    Correction,
    Evaluation,
    Recheck,
    RecheckLine,
    ScoreLine,
    ScoreSheet,
    YearResult,
)
from tests import builders
from tests.scoring import scenes

D = Decimal


@pytest.fixture
def over(world):
    kinds = [Kind.TOWNSHIP, Kind.COMMUNITY, Kind.CLINIC]
    return scenes.standard(world.county, code="K", kinds=kinds, clauses=scenes.MANUAL)


@pytest.fixture
def county(world, over):
    scores = {world.centre: "80", world.other_centre: "90"}
    for quarter in (1, 2, 3, 4):
        scenes.final_sheets(world.posts.officer, over, scores, quarter=quarter)
    scenes.people(scores)
    return scores


def line_of(place, quarter=1) -> ScoreLine:
    return ScoreLine.objects.select_related(
        "clause", "section__item", "section__verifier", "sheet__evaluation", "sheet__supervisor"
    ).get(sheet__institution=place, sheet__quarter=quarter)


def rows(world, unit=None, by=None):
    unit = unit or world.county
    year_end.settle(unit, 2023, by=by or world.posts.finance)
    found = YearResult.objects.filter(unit=unit).select_related("institution", "unit")
    return {row.institution.code: row for row in found}


def test_a_correction_changes_the_year_and_never_the_sheet(
    world, county, log_in, django_capture_on_commit_callbacks
):
    before = rows(world)["ZC-QNL"]
    line = line_of(world.centre)
    sheet = dict(ScoreSheet.objects.filter(pk=line.sheet_id).values().get())
    client = log_in(world.posts.leader)
    url = reverse("scoring:line_correct", args=[line.pk])
    assert url in client.get(line.sheet.get_absolute_url()).content.decode()
    page = client.post(url, {"points": "88", "reason": "", "seen": "80.00"})
    assert page.status_code == 422
    with django_capture_on_commit_callbacks(execute=True):
        client.post(url, {"points": "88", "reason": "市级复核数据更正", "seen": "80.00"})
    row = Correction.objects.get()
    assert (row.points_before, row.points_after, row.author) == (80, 88, world.posts.leader)
    assert dict(ScoreSheet.objects.filter(pk=line.sheet_id).values().get()) == sheet
    text = log_in(world.posts.head).get(line.sheet.get_absolute_url()).content.decode()
    for words in ("定稿后更正", "80.00 → 88.00", "市级复核数据更正", "<strong>88.00</strong>"):
        assert words in text, words
    assert Notification.objects.filter(post=world.posts.head, text__contains="定稿后更正").exists()
    event = Event.objects.get(action="scoring.scoresheet.correct")
    assert (event.before, event.after) == ("80.00", "88.00")
    after = rows(world)["ZC-QNL"]
    assert (before.score, after.score) == (D("80.00"), D("82.00"))
    assert after.quarter1 == 88 and after.inputs != before.inputs
    # What is still lost costs what is left of it.
    costs = costing.costs_of(after, world.posts.finance).rows
    assert {one.lost for one in costs} == {D(12), D(20)}


def test_corrections_follow_one_another_and_two_at_once_are_told(world, county):
    line = line_of(world.centre)
    by = world.posts.leader
    correcting.correct(line, D(85), by=by, reason="一", seen=D("80.00"))
    with pytest.raises(ValidationError, match="刚被更正为 85"):
        correcting.correct(line, D(70), by=by, reason="二", seen=D("80.00"))
    correcting.correct(line, D(70), by=by, reason="二", seen=D("85.00"))
    assert rows(world)["ZC-QNL"].quarter1 == 70


@pytest.mark.parametrize(
    ("points", "reason", "why"),
    [
        (D(101), "x", "0.00 到 100.00"),
        (D(-1), "x", "之间"),
        (D(80), "x", "相同"),
        (D(9), " ", "理由"),
    ],
)
def test_what_is_no_correction_is_refused(world, county, points, reason, why):
    with pytest.raises(ValidationError, match=why):
        correcting.correct(
            line_of(world.centre), points, by=world.posts.leader, reason=reason, seen=D("80.00")
        )


def test_only_a_final_sheet_is_corrected_by_another_than_its_verifier_before_the_freeze(
    world, over, county
):
    line = line_of(world.centre)
    with pytest.raises(ValidationError, match="由您核定"):
        correcting.correct(line, D(81), by=world.posts.officer, reason="x", seen=D("80.00"))
    for post in (world.posts.head, world.posts.far_officer, world.posts.finance):
        with pytest.raises(PermissionDenied):
            correcting.correct(line, D(81), by=post, reason="x", seen=D("80.00"))
    Evaluation.objects.filter(pk=line.sheet.evaluation_id).update(status="published")
    with pytest.raises(ValidationError, match="还没有定稿"):
        correcting.correct(line, D(81), by=world.posts.leader, reason="x", seen=D("80.00"))
    Evaluation.objects.filter(pk=line.sheet.evaluation_id).update(status="final")
    seen = rows(world)["ZC-QNL"].inputs
    year_end.freeze(world.county, 2023, by=world.posts.leader, seen=seen)
    with pytest.raises(ValidationError, match="年终结果已定稿"):
        correcting.correct(line, D(81), by=world.posts.leader, reason="x", seen=D("80.00"))


# --- 抽查复核 of a centre's sheets ---------------------------------------------------------------------


@pytest.fixture
def clinics(world, over):
    places = {world.clinic: "95", world.sibling_clinic: "90"}
    for number in range(4):
        one = builders.institution(
            f"ZC-QNL-{number + 5}", f"示例站{number}", Kind.CLINIC, world.centre
        )
        places[one] = "85"
    return scenes.final_sheets(world.posts.head, over, places, quarter=1)


@pytest.mark.row("E32", "A25")
def test_the_bureau_draws_rechecks_and_the_centre_sees_the_deviation(
    world, clinics, log_in, django_capture_on_commit_callbacks
):
    client = log_in(world.posts.officer)
    text = client.get(clinics.get_absolute_url()).content.decode()
    assert "随机抽取" in text
    client.post(reverse("scoring:recheck_draw", args=[clinics.pk]), {"number": "3"})
    row = Recheck.objects.get()
    assert len(row.drawn) == 3 and row.institution == world.centre and rechecking.replays(row)
    line = ScoreLine.objects.filter(sheet__institution__code=row.drawn[0]).get()
    note = reverse("scoring:recheck_note", args=[row.pk])
    client.post(note, {"line": line.pk, "points": "75", "reason": "抽查 10 份随访，3 份不实"})
    found = RecheckLine.objects.get()
    assert found.difference == line.points - 75
    page = client.post(note, {"line": line.pk, "points": "200", "reason": "x"})
    assert page.status_code == 422 and "0.00 到 100.00" in page.content.decode()
    undrawn = ScoreLine.objects.exclude(sheet__institution__code__in=row.drawn).first()
    assert client.post(note, {"line": undrawn.pk, "points": "1", "reason": "x"}).status_code == 422
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("scoring:recheck_feed_back", args=[row.pk]))
    text = log_in(world.posts.head).get(row.get_absolute_url()).content.decode()
    assert "3 份不实" in text and f"{found.difference:.2f} 分" in text and row.seed in text
    assert Notification.objects.filter(post=world.posts.head, text__contains="已反馈").exists()
    for post in (world.posts.doctor, world.posts.other_head):
        assert log_in(post).get(row.get_absolute_url()).status_code == 404


def test_an_ordered_correction_counts_in_the_centre_s_year(world, clinics, log_in):
    scenes.people([sheet.institution for sheet in clinics.sheets.all()], 1000)
    head = world.posts.head
    before = rows(world, world.centre, head)
    row = rechecking.draw(clinics, 6, by=world.posts.officer)
    line = line_of(world.clinic)
    found = rechecking.note_line(row, line, D(55), by=world.posts.officer, reason="资料不实")
    url = reverse("scoring:recheck_correct", args=[found.pk])
    assert log_in(head).post(url).status_code == 403
    client = log_in(world.posts.officer)
    client.post(url)
    made = Correction.objects.get()
    assert (made.origin, made.points_after) == ("recheck", 55)
    client.post(url)
    assert Correction.objects.count() == 1
    after = rows(world, world.centre, head)
    code = world.clinic.code
    assert (before[code].quarter1, after[code].quarter1) == (95, 55)
    assert ScoreSheet.objects.get(pk=line.sheet_id).score == 95
    with pytest.raises(ValidationError, match="责成更正"):
        rechecking.note_line(row, line, D(60), by=world.posts.officer, reason="x")


def test_the_lots_do_not_depend_on_the_order_of_rows_and_can_be_drawn_again(world, clinics):
    first = rechecking.draw(clinics, 2, by=world.posts.officer, seed="abc")
    again = rechecking.draw(clinics, 4, by=world.posts.officer, seed="abc")
    assert again.drawn[:2] == first.drawn and again.pool == sorted(again.pool)
    first.drawn = list(reversed(first.drawn))
    assert not rechecking.replays(first)
    with pytest.raises(ValidationError, match="6 份已核定"):
        rechecking.draw(clinics, 7, by=world.posts.officer)


def test_a_centre_does_not_recheck_itself_nor_a_bureau_another_s(world, clinics, county):
    own = Evaluation.objects.filter(supervisor=world.county).first()
    for evaluation, post in (
        (clinics, world.posts.head),
        (clinics, world.posts.far_officer),
        (own, world.posts.officer),
    ):
        with pytest.raises(PermissionDenied):
            rechecking.draw(evaluation, 1, by=post)
