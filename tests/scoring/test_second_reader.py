"""第二人复核: where the policy wants it, another person confirms each sheet before anything is published."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from institutions.models import Event, PolicyEntry
from scoring import publishing, verifying, year_end
from scoring.models import Evaluation, YearResult
from scoring.work import work_for
from tests import builders
from tests.scoring import scenes

LINE = "请复核核定结果"


@pytest.fixture
def sheet(world):
    over = scenes.standard(world.county)
    evaluation = scenes.opened(world.posts.officer, over, [world.centre])
    return scenes.verified(
        evaluation.sheets.get(), filler=world.posts.head, verifier=world.posts.officer
    )


@pytest.fixture
def second(world):
    return builders.post(world.county, "officer", "基妇科复核人")


def wanted(world):
    PolicyEntry.objects.create(institution=world.county, year=2023, key="第二人复核", value="是")


def counts(post) -> dict[str, int]:
    return {line.label: line.count for line in work_for(post)}


def test_publication_waits_for_the_second_reader(world, sheet, second, log_in):
    wanted(world)
    evaluation = Evaluation.objects.get()
    with pytest.raises(ValidationError, match="没有经第二人复核"):
        publishing.publish(evaluation, by=world.posts.officer, version=evaluation.version)
    assert counts(second)[LINE] == 1 and LINE not in counts(world.posts.officer)
    client = log_in(second)
    waiting = client.get(reverse("scoring:sheet_list"), {"mine": "read"}).content.decode()
    assert "青年路" in waiting
    text = client.get(evaluation.get_absolute_url()).content.decode()
    assert "待复核" in text and "还有机构的评分没有经第二人复核" in text
    text = client.get(sheet.get_absolute_url()).content.decode()
    assert "待复核" in text and "复核确认" in text
    client.post(reverse("scoring:sheet_read", args=[sheet.pk]), {"version": sheet.version})
    sheet.refresh_from_db()
    assert sheet.reader == second and sheet.status == "verified"
    assert Event.objects.filter(action="scoring.scoresheet.read").count() == 1
    assert LINE not in counts(second)
    evaluation = scenes.published(evaluation, world.posts.officer)
    assert evaluation.status == "published"


def test_who_verified_a_part_is_no_second_reader(world, sheet, second, log_in):
    wanted(world)
    with pytest.raises(PermissionDenied):
        verifying.read(sheet, by=world.posts.officer, version=sheet.version)
    other = builders.post(world.county, "officer", "兼职")
    type(other).objects.filter(pk=other.pk).update(user=world.posts.officer.user)
    other.refresh_from_db()
    with pytest.raises(PermissionDenied):
        verifying.read(sheet, by=other, version=sheet.version)
    for post in (world.posts.head, world.posts.leader):
        with pytest.raises(PermissionDenied):
            verifying.read(sheet, by=post, version=sheet.version)
    verifying.read(sheet, by=second, version=sheet.version)


def test_the_second_reader_sends_back_with_a_reason_and_is_asked_again(world, sheet, second):
    wanted(world)
    verifying.read(sheet, by=second, version=sheet.version)
    with pytest.raises(ValidationError, match="请写明理由"):
        verifying.reopen(sheet, by=second, version=sheet.version, note="")
    verifying.reopen(sheet, by=second, version=sheet.version, note="B1 计算有误")
    sheet.refresh_from_db()
    assert (sheet.status, sheet.reader, sheet.read_at) == ("submitted", None, None)
    verifying.verify(sheet, by=world.posts.officer, version=sheet.version)
    evaluation = Evaluation.objects.get()
    with pytest.raises(ValidationError, match="没有经第二人复核"):
        publishing.publish(evaluation, by=world.posts.officer, version=evaluation.version)


def test_without_the_policy_nothing_asks_for_a_second_reader(world, sheet, second, log_in):
    assert LINE not in counts(second)
    text = log_in(second).get(sheet.get_absolute_url()).content.decode()
    assert "复核确认" not in text and "待复核" not in text
    assert scenes.published(Evaluation.objects.get(), world.posts.officer).status == "published"


def test_the_year_is_computed_confirmed_and_frozen_by_three_people(world, second, log_in):
    over = scenes.standard(world.county, code="Y", clauses=scenes.MANUAL)
    scenes.final_sheets(world.posts.officer, over, {world.centre: "90"}, quarter=1)
    scenes.people([world.centre])
    wanted(world)
    year_end.settle(world.county, 2023, by=world.posts.officer)
    seen = YearResult.objects.get().inputs
    with pytest.raises(year_end.YearRefused, match="先由第二人复核"):
        year_end.freeze(world.county, 2023, by=world.posts.leader, seen=seen)
    with pytest.raises(year_end.YearRefused, match="两个人"):
        year_end.confirm(world.county, 2023, by=world.posts.officer, seen=seen)
    with pytest.raises(PermissionDenied):
        year_end.confirm(world.county, 2023, by=world.posts.head, seen=seen)
    client = log_in(world.posts.leader)
    data = {"unit": "ZC", "year": "2023", "inputs": seen}
    assert "复核确认" in client.get(reverse("scoring:year_list"), data).content.decode()
    client.post(reverse("scoring:year_confirm"), data)
    with pytest.raises(year_end.YearRefused, match="复核和定稿应由两个人"):
        year_end.freeze(world.county, 2023, by=world.posts.leader, seen=seen)
    # Computed again, it is confirmed again.
    year_end.settle(world.county, 2023, by=world.posts.officer)
    assert YearResult.objects.get().confirmed_by is None
    year_end.confirm(world.county, 2023, by=second, seen=seen)
    year_end.freeze(world.county, 2023, by=world.posts.leader, seen=seen)
    row = YearResult.objects.get()
    assert (row.settled_by, row.confirmed_by, row.frozen_by) == (
        world.posts.officer,
        second,
        world.posts.leader,
    )
    text = client.get(row.get_absolute_url()).content.decode()
    for post in (world.posts.officer, second, world.posts.leader):
        assert str(post) in text
