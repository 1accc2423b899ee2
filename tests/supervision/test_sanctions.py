"""Penalties and rewards: the ladder is climbed step by step, leaders decide, and who is not entitled sees nothing."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse

from institutions import clock
from institutions.models import Event
from scoring import booking
from scoring.models import Adjustment, YearResult
from supervision import sanctioning
from supervision.models import Sanction
from supervision.work import work_for
from tests.builders import picture

pytestmark = pytest.mark.django_db
CREATE = "supervision:sanction_create"


def given(world, **more):
    values = {
        "institution": world.centre.pk,
        "kind": "criticism",
        "year": clock.today().year,
        "reason": "三季度督导发现档案不真实",
        "files": [picture()],
    }
    return {**values, **more}


def proposed(world, kind="criticism", **more):
    from institutions import files

    by = more.pop("by", world.posts.officer)
    if kind == "deadline":
        more.setdefault("due", clock.today() + timedelta(days=5))
    if kind == "cut":
        more.setdefault("points", Decimal("2.00"))
    return sanctioning.propose(
        more.pop("institution", world.centre),
        by=by,
        kind=kind,
        year=more.pop("year", clock.today().year),
        reason=more.pop("reason", "事实"),
        files=[files.store(picture(), by=by)],
        **more,
    )


def decided(world, kind="criticism", **more):
    row = proposed(world, kind, **more)
    booking.decide(row, by=world.posts.leader, version=row.version, note="同意")
    return row


def expire(row):
    Sanction.objects.filter(pk=row.pk).update(due=clock.today() - timedelta(days=1))


@pytest.mark.row("D14", "X09")
def test_the_ladder_is_climbed_step_by_step(world):
    for kind, before in (
        ("deadline", "通报批评"),
        ("cut", "限期整改"),
        ("disqualification", "扣减经费"),
    ):
        with pytest.raises(ValidationError, match=before):
            proposed(world, kind)
    first = proposed(world)
    with pytest.raises(ValidationError, match="通报批评"):
        proposed(world, "deadline")  # proposed is not decided
    booking.decide(first, by=world.posts.leader, version=first.version, note="同意")
    second = decided(world, "deadline")
    assert second.previous == first
    with pytest.raises(ValidationError, match="期满仍不达标"):
        proposed(world, "cut")
    expire(second)
    third = decided(world, "cut")
    fourth = decided(world, "disqualification")
    assert (third.previous, fourth.previous) == (second, third)


def test_a_step_is_revoked_only_after_the_one_that_builds_on_it(world):
    first = decided(world)
    second = proposed(world, "deadline")
    with pytest.raises(ValidationError, match="后一步"):
        booking.revoke(first, by=world.posts.leader, version=first.version, note="事实有误")
    second.reject(by=world.posts.leader, version=second.version, note="先观察")
    booking.revoke(first, by=world.posts.leader, version=first.version, note="事实有误")
    assert first.status == "revoked"
    with pytest.raises(ValidationError, match="通报批评"):
        proposed(world, "deadline")


def test_a_step_falls_with_the_one_before_it(world):
    first = decided(world)
    second = proposed(world, "deadline")
    Sanction.objects.filter(pk=first.pk).update(status="revoked", revoked_at=clock.now())
    second = Sanction.objects.get(pk=second.pk)
    with pytest.raises(ValidationError, match="不再有效"):
        booking.decide(second, by=world.posts.leader, version=second.version, note="同意")


@pytest.mark.row("A35", "C26")
def test_a_cut_and_a_veto_reach_the_year_end_with_the_decision(world):
    decided(world)
    expire(decided(world, "deadline"))
    cut = decided(world, "cut", reason="整改后仍不达标")
    veto = decided(world, "veto", institution=world.other_centre, grounds="弄虚作假")
    booked = {a.sanction_id: (a.kind, a.points, a.reason) for a in Adjustment.objects.all()}
    assert booked == {
        cut.pk: ("deduction", Decimal("2.00"), "整改后仍不达标"),
        veto.pk: ("veto", Decimal("0.00"), "事实"),
    }
    booking.revoke(veto, by=world.posts.leader, version=veto.version, note="查无此事")
    assert not Adjustment.objects.filter(kind="veto").exists()
    assert [e.action for e in Event.objects.of(veto)] == [
        "supervision.sanction.propose",
        "supervision.sanction.decide",
        "supervision.sanction.revoke",
    ]


def test_what_a_decision_booked_is_not_withdrawn_by_the_office(world, log_in):
    veto = decided(world, "veto", grounds="弄虚作假")
    client = log_in(world.posts.officer)
    answer = client.post(
        reverse("scoring:adjustment_withdraw", args=[veto.adjustment.pk]), {"note": "撤"}
    )
    assert "由奖惩决定产生" in answer.content.decode()
    assert Adjustment.objects.filter(sanction=veto).exists()


def test_a_frozen_year_takes_no_decision(world):
    row = proposed(world, "veto", grounds="弄虚作假")
    YearResult.objects.create(
        unit=world.county,
        institution=world.centre,
        year=row.year,
        position=1,
        quarters=Decimal(80),
        bonus=Decimal(0),
        deduction=Decimal(0),
        score=Decimal(80),
        rank=1,
        group="x",
        grade="良好",
        due_amount=Decimal(0),
        approved_amount=Decimal(0),
        top_up=Decimal(0),
        prepaid=Decimal(0),
        balance=Decimal(0),
        inputs="0" * 64,
        frozen_at=clock.now(),
    )
    with pytest.raises(ValidationError, match="定稿"):
        booking.decide(row, by=world.posts.leader, version=row.version, note="同意")
    assert Sanction.objects.get(pk=row.pk).status == "proposed"


@pytest.mark.row("A39", "A40", "C37")
def test_accountability_and_referral_are_seen_by_the_entitled_only(world, log_in):
    rows = [
        proposed(world, "accountability", grounds="上级考核低于90分", person="中心主任"),
        proposed(world, "referral", grounds="情节严重", person="中心主任"),
    ]
    for row in rows:
        booking.decide(row, by=world.posts.leader, version=row.version, note="移交")
        for name, status in (
            ("leader", 200),
            ("auditor", 200),
            ("officer", 200),  # who proposed it
            ("second_officer", 404),
            ("finance", 404),
            ("head", 404),
            ("city_officer", 404),
            ("lead", 404),
        ):
            client = log_in(getattr(world.posts, name))
            assert client.get(row.get_absolute_url()).status_code == status, name
            listed = client.get(reverse("supervision:sanction_list")).content.decode()
            assert (row.get_absolute_url() in listed) == (status == 200), name


@pytest.mark.row("C38", "D13", "E27")
def test_a_reward_is_refused_to_whoever_is_barred_from_awards(world):
    reward = decided(world, "reward", grounds="群众满意度", amount=Decimal("5000.00"))
    assert reward.amount == Decimal("5000.00")
    decided(world, "no_awards", grounds="未达到基本标准")
    for kind in ("reward", "commendation"):
        with pytest.raises(ValidationError, match="及其负责人不得推荐评优"):
            proposed(world, kind)
    proposed(world, "commendation", institution=world.other_centre)


def test_the_form_asks_for_what_each_kind_needs(world, log_in):
    client = log_in(world.posts.officer)
    for values, words in (
        ({"files": []}, "请上传依据材料"),
        ({"kind": "deadline"}, "请填写整改期限"),
        ({"kind": "deadline", "due": clock.today().isoformat()}, "期限须晚于今天"),
        ({"kind": "cut"}, "请填写大于0、不超过100的分值"),
        ({"kind": "veto"}, "请选择情形"),
        ({"kind": "referral", "grounds": "情节严重"}, "请填写责任人的职务"),
        ({"kind": "reward", "grounds": "态度不端正"}, "与类别不符"),
        ({"kind": "reward", "amount": "-5"}, "请填写大于0的金额"),
        ({"kind": "deadline", "due": "2099-01-01"}, "之前须先有已决定的“通报批评”"),
    ):
        page = client.post(reverse(CREATE), given(world, **values))
        assert page.status_code in (200, 422) and words in page.content.decode(), values
    assert not Sanction.objects.exists()


@pytest.mark.row("D14")
def test_an_officer_proposes_a_leader_decides_and_the_institution_learns_it(
    world, log_in, django_capture_on_commit_callbacks
):
    client = log_in(world.posts.officer)
    client.post(reverse(CREATE), given(world))
    row = Sanction.objects.get()
    assert log_in(world.posts.head).get(row.get_absolute_url()).status_code == 404
    decide = reverse("scoring:sanction_decide", args=[row.pk])
    assert log_in(world.posts.officer).post(decide, {"version": 1}).status_code == 403
    assert [line.label for line in work_for(world.posts.leader)] == ["奖惩待决定"]
    with django_capture_on_commit_callbacks(execute=True):
        answer = log_in(world.posts.leader).post(decide, {"version": 1, "note": "同意"})
    assert answer.status_code == 302
    client = log_in(world.posts.head)
    assert "三季度督导发现档案不真实" in client.get(row.get_absolute_url()).content.decode()
    assert "通报批评" in client.get(reverse("notification_list")).content.decode()


def test_without_evidence_no_penalty_is_decided(world):
    row = proposed(world)
    row.files.clear()
    with pytest.raises(ValidationError, match="依据材料"):
        booking.decide(row, by=world.posts.leader, version=row.version, note="同意")


def test_only_who_supervises_proposes(world):
    for post in (world.posts.head, world.posts.city_officer, world.posts.lead):
        with pytest.raises(PermissionDenied):
            proposed(world, by=post)


def test_the_database_keeps_the_ladder(world):
    row = decided(world)
    base = {
        "institution": world.centre,
        "supervisor": world.county,
        "year": 2023,
        "reason": "x",
    }
    for values in (
        {"kind": "deadline"},
        {"kind": "cut", "previous": row},
        {"kind": "other"},
        {"kind": "criticism", "status": "decided"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Sanction.objects.create(**base, **values)
    Sanction.objects.create(**base, kind="deadline", previous=row)
    with pytest.raises(IntegrityError), transaction.atomic():
        Sanction.objects.create(**base, kind="deadline", previous=row)
    Sanction.objects.create(**base, kind="veto")
    with pytest.raises(ValidationError, match="已经提出"):
        proposed(world, "veto", year=2023, grounds="弄虚作假")
