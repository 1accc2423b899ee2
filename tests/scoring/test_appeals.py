"""Objections to a published score: clause by clause, within the window, answered with a reason, before 定稿."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse

from institutions import clock
from institutions.models import Event
from scoring import appealing
from scoring.models import Appeal, Evaluation, ScoreSheet
from scoring.work import work_for
from tests.builders import picture
from tests.scoring import scenes

pytestmark = pytest.mark.django_db
# The other centre is a tenth of a point ahead until the appeal.
OTHER = {**scenes.FIGURES, "A2": {"entered": Decimal("5.10")}}


@pytest.fixture
def sheet(world) -> ScoreSheet:
    """The centre's published sheet, second of two."""
    over = scenes.standard(world.county)
    evaluation = scenes.opened(world.posts.officer, over, [world.centre, world.other_centre])
    for institution, filler, figures in (
        (world.centre, world.posts.head, scenes.FIGURES),
        (world.other_centre, world.posts.other_head, OTHER),
    ):
        one = evaluation.sheets.get(institution=institution)
        scenes.verified(one, filler=filler, verifier=world.posts.officer, figures=figures)
    scenes.published(evaluation, world.posts.officer)
    return ScoreSheet.objects.get(evaluation=evaluation, institution=world.centre)


def line(sheet, code="A2"):
    return scenes.lines(sheet)[code]


def appealed(world, sheet, code="A2") -> Appeal:
    return appealing.appeal(line(sheet, code), by=world.posts.head, reason="计划已上传，应得6分")


def upheld(world, row, points="6", **more):
    given = {"by": world.posts.officer, "version": row.version, "note": "属实"}
    values = {"entered": Decimal(points), "note": more.pop("reason", "")}
    return appealing.uphold(row, **{**given, **more}, values=values)


@pytest.mark.row("X12", "A35")
def test_an_appeal_goes_from_the_clause_to_a_new_rank(
    sheet, world, log_in, django_capture_on_commit_callbacks
):
    assert (sheet.score, sheet.rank) == (Decimal("81.88"), 2)
    client = log_in(world.posts.head)
    page = client.get(sheet.get_absolute_url()).content.decode()
    create = reverse("scoring:appeal_create", args=[line(sheet).pk])
    assert create in page and "提出申诉" in page
    assert reverse("scoring:appeal_create", args=[line(sheet, "A1").pk]) not in page  # full marks
    assert "现场核对" in client.get(create).content.decode()
    client.post(create, {"reason": "计划已上传，应得6分", "files": [picture()]})
    row = Appeal.objects.get()
    assert row.files.count() == 1 and row.points_before == Decimal("5.00")
    officer = log_in(world.posts.officer)
    assert "请答复申诉" in [one.label for one in work_for(world.posts.officer)]
    assert "采纳，改分" in officer.get(row.get_absolute_url()).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        officer.post(
            reverse("scoring:appeal_uphold", args=[row.pk]),
            {"version": row.version, "entered": "6", "opinion": "计划属实"},
        )
    row.refresh_from_db()
    sheet.refresh_from_db()
    assert (row.status, row.points_after, row.opinion) == ("upheld", Decimal(6), "计划属实")
    assert (sheet.points, sheet.score, sheet.rank) == (Decimal("41.94"), Decimal("83.88"), 1)
    other = ScoreSheet.objects.get(evaluation=sheet.evaluation, institution=world.other_centre)
    assert other.rank == 2
    assert Event.objects.of(sheet).filter(label="申诉改分", before="5.00", after="6.00").exists()
    client = log_in(world.posts.head)
    assert "由 5.00 改为 6.00" in client.get(reverse("notification_list")).content.decode()
    assert "5.00 → 6.00" in client.get(sheet.get_absolute_url()).content.decode()


def test_a_refused_appeal_changes_nothing_and_says_why(sheet, world, log_in):
    row = appealed(world, sheet)
    reject = reverse("scoring:appeal_reject", args=[row.pk])
    client = log_in(world.posts.officer)
    page = client.post(reject, {"version": row.version}).content.decode()
    assert "请写明理由" in page
    client.post(reject, {"version": row.version, "note": "计划在评价期后上传"})
    row.refresh_from_db()
    assert row.status == "rejected" and row.opinion == "计划在评价期后上传"
    assert ScoreSheet.objects.get(pk=sheet.pk).score == Decimal("81.88")
    with pytest.raises(ValidationError, match="已经提出过"):
        appealed(world, sheet)


def test_the_last_day_is_still_in_time_and_the_next_is_not(sheet, world):
    today = clock.today()
    Evaluation.objects.update(appeal_until=today)
    appealed(world, ScoreSheet.objects.get(pk=sheet.pk))
    Evaluation.objects.update(appeal_until=today - timedelta(days=1))
    with pytest.raises(ValidationError, match="不在申诉期内"):
        appealed(world, ScoreSheet.objects.get(pk=sheet.pk), "B1")


def test_the_window_is_the_policy_of_the_bureau(sheet, world):
    from datetime import date

    from scoring.models import PolicyEntry
    from scoring.publishing import appeal_deadline

    assert appeal_deadline(date(2023, 4, 3), world.county, 2023) == date(2023, 4, 11)  # 清明
    PolicyEntry.objects.create(institution=world.county, year=2023, key="申诉期", value="10")
    assert appeal_deadline(date(2023, 4, 3), world.county, 2023) == date(2023, 4, 18)


def test_nothing_is_final_while_an_appeal_is_open(sheet, world, log_in):
    from scoring.publishing import finalise

    row = appealed(world, sheet)
    evaluation = sheet.evaluation
    by = {"by": world.posts.officer, "version": evaluation.version}
    with pytest.raises(ValidationError, match="申诉期还没有结束"):
        finalise(evaluation, **by)
    scenes.window_over(evaluation)
    evaluation.refresh_from_db()
    with pytest.raises(ValidationError, match="还有申诉没有答复"):
        finalise(evaluation, **by)
    appealing.reject(row, by=world.posts.officer, version=row.version, note="依据不足")
    finalise(evaluation, **by)
    assert evaluation.status == "final"


def test_points_never_fall_by_an_appeal_and_a_loss_needs_its_reason(sheet, world):
    row = appealed(world, sheet)
    with pytest.raises(ValidationError, match="不能低于原得分"):
        upheld(world, row, "4", reason="重新核对")
    with pytest.raises(ValidationError, match="请填写扣分理由"):
        upheld(world, row, "5.5")
    with pytest.raises(ValidationError):
        upheld(world, row, "7")  # more than full marks
    row.refresh_from_db()
    assert row.status == "submitted"
    assert ScoreSheet.objects.get(pk=sheet.pk).score == Decimal("81.88")
    upheld(world, row, "5.5", reason="部分计划缺签字")
    assert line(sheet).reason == "部分计划缺签字"


def test_who_answers_is_neither_the_institution_nor_a_lead(sheet, world):
    row = appealed(world, sheet)
    for name in ("head", "staff", "lead", "leader", "other_head", "far_officer"):
        with pytest.raises(PermissionDenied):
            upheld(world, row, by=getattr(world.posts, name))
    for name in ("staff", "doctor", "other_head", "officer"):
        with pytest.raises(PermissionDenied):
            appealing.appeal(line(sheet, "B1"), by=getattr(world.posts, name), reason="x")


def test_a_withdrawn_appeal_may_be_made_again(sheet, world, log_in):
    row = appealed(world, sheet)
    withdraw = reverse("scoring:appeal_withdraw", args=[row.pk])
    log_in(world.posts.head).post(withdraw, {"version": row.version})
    row.refresh_from_db()
    assert row.status == "withdrawn"
    assert appealed(world, sheet).status == "submitted"


def test_the_database_keeps_one_appeal_a_line_and_no_answer_without_words(sheet, world):
    row = appealed(world, sheet)
    with pytest.raises(IntegrityError), transaction.atomic():
        Appeal.objects.filter(pk=row.pk).update(status="rejected", decided_at=clock.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        Appeal.objects.filter(pk=row.pk).update(status="gone")
    with pytest.raises(IntegrityError), transaction.atomic():
        Appeal.objects.create(
            institution=row.institution,
            supervisor=row.supervisor,
            line=row.line,
            evaluation=row.evaluation,
            reason="x",
        )
