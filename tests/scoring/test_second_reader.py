"""第二人复核: where the policy wants it, another person confirms each sheet before anything is published."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from institutions.models import Event, PolicyEntry
from scoring import publishing, verifying
from scoring.models import Evaluation
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
