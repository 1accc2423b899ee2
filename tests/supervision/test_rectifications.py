"""Putting right, from 交办 to 销号: who may do what, with what, until when."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse

from institutions import clock
from institutions.models import Event, Post
from institutions.roles import Role
from institutions.workflow import Side, StaleState
from supervision.models import ProgressNote, Rectification
from tests.builders import picture
from tests.supervision.making import applied, fresh, ready, rectification


def press(client, row, name, **values):
    row.refresh_from_db()
    values = {"version": row.version, **values}
    return client.post(reverse(f"supervision:rectification_{name}", args=[row.pk]), values)


def status(row):
    row.refresh_from_db()
    return row.status


def late(days=1):
    return (clock.today() + timedelta(days=days)).isoformat()


@pytest.mark.row("A33", "A37")
def test_a_problem_goes_all_the_way_round(world, log_in):
    row = rectification(world, world.centre)
    client = log_in(world.posts.head)
    press(client, row, "sign")
    assert status(row) == "signed"
    press(
        client,
        row,
        "save",
        measures="补做体检",
        leader="分管副主任",
        person="公卫科经办人",
        files=[picture()],
    )
    press(client, row, "note", text="已补做12人", files=[picture("进展.jpg")])
    press(client, row, "apply")
    assert status(row) == "applied" and row.author == world.posts.head
    client = log_in(world.posts.officer)
    page = client.get(row.get_absolute_url()).content.decode()
    assert "补做体检" in page and "已补做12人" in page and "复核通过，销号" in page
    press(client, row, "send_back", note="还差三人", due=late(5))
    assert status(row) == "returned" and row.returns == 1
    assert row.due == clock.today() + timedelta(days=5)
    client = log_in(world.posts.staff)
    assert "还差三人" in client.get(row.get_absolute_url()).content.decode()
    press(client, row, "apply")
    press(log_in(world.posts.officer), row, "close")
    assert status(row) == "closed" and row.verifier == world.posts.officer and row.closed_at
    labels = list(Event.objects.of(row).values_list("label", flat=True))
    assert labels == [
        "签收",
        "填写整改情况",
        "填报整改进展",
        "申请销号",
        "退回整改",
        "申请销号",
        "复核通过，销号",
    ]


def test_closing_needs_measures_a_person_and_evidence(world, log_in):
    row = rectification(world, world.centre)
    client = log_in(world.posts.head)
    press(client, row, "sign")
    assert "请先填写整改措施" in client.get(row.get_absolute_url()).content.decode()
    press(client, row, "apply")
    press(client, row, "save", measures="补做体检", person="公卫科经办人")
    press(client, row, "apply")
    assert status(row) == "signed"
    assert "请先上传佐证材料" in client.get(row.get_absolute_url()).content.decode()
    press(client, row, "save", measures="补做体检", person="公卫科经办人", files=[picture()])
    press(client, row, "apply")
    assert status(row) == "applied"


def test_the_database_refuses_a_closing_without_time_or_verifier(world):
    row = rectification(world, world.centre)
    with pytest.raises(IntegrityError), transaction.atomic():
        Rectification.objects.filter(pk=row.pk).update(status="closed", signed_at=clock.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        Rectification.objects.filter(pk=row.pk).update(status="signed")


def test_a_head_closes_for_his_clinic_and_never_for_himself(world, log_in):
    own = applied(rectification(world, world.centre), world.posts.staff)
    clinics = applied(rectification(world, world.clinic), world.posts.doctor)
    client = log_in(world.posts.head)
    assert press(client, own, "close").status_code == 403
    assert press(client, own, "send_back", note="x", due=late()).status_code == 403
    assert status(own) == "applied"
    assert clinics.supervisor == world.centre
    assert press(client, clinics, "close").status_code == 302
    assert status(clinics) == "closed"


def test_the_bureau_sees_its_clinics_rectification_and_leaves_it_to_the_centre(world, log_in):
    row = applied(rectification(world, world.clinic), world.posts.doctor)
    client = log_in(world.posts.officer)
    assert client.get(row.get_absolute_url()).status_code == 200
    assert press(client, row, "close").status_code == 403


def test_a_lead_agency_verifies_its_items_and_sees_no_others(world, log_in):
    ours = applied(rectification(world, world.centre, code="09"), world.posts.head)
    others = applied(rectification(world, world.centre, code="08"), fresh(world.posts.head))
    without = rectification(world, world.centre, code="", text="综合管理的问题")
    client = log_in(world.posts.lead)
    page = client.get(reverse("supervision:rectification_list")).content.decode()
    assert ours.get_absolute_url() in page
    assert others.get_absolute_url() not in page and without.get_absolute_url() not in page
    assert press(client, others, "close").status_code == 404
    assert client.get(others.problem.get_absolute_url()).status_code == 404
    press(client, ours, "close")
    assert status(ours) == "closed"


def test_out_of_sight_is_not_found_and_the_wrong_side_is_refused(world, log_in):
    row = rectification(world, world.centre)
    for post in (world.posts.other_head, world.posts.far_officer, world.posts.doctor):
        assert log_in(post).get(row.get_absolute_url()).status_code == 404
    for post in (world.posts.officer, world.posts.leader, world.posts.auditor):
        assert press(log_in(post), row, "sign").status_code == 403
        assert press(log_in(post), row, "save", measures="x", person="y").status_code == 403
    assert press(log_in(world.posts.doctor), row, "sign").status_code == 404
    assert press(log_in(world.posts.system), row, "sign").status_code == 403
    assert status(row) == "assigned"


@pytest.mark.parametrize("name", sorted(Rectification.MOVES))
def test_no_one_stands_on_both_sides_of_one_record(world, name):
    """Over every persona and every institution: who may answer may never ask, whatever the status."""
    move = Rectification.MOVES[name]
    sides = {m.side for m in Rectification.MOVES.values()}
    assert sides == set(Side)
    units = [world.centre, world.clinic, world.cdc, world.hospital, world.station, world.maternal]
    posts = [fresh(p) for p in vars(world.posts).values()]
    allowed = set()
    for unit in units:
        for code in ("08", "09"):
            row = rectification(world, unit, code=code, text=f"{unit.code}{code}")
            for post in posts:
                answers = row.stands_on(Side.ANSWERS, post)
                asks = row.stands_on(Side.ASKS, post) or row.stands_on(Side.SECOND, post)
                assert not (answers and asks), (post, row)
                if row.may(name, post):
                    allowed.add(post.pk)
                    assert answers == (move.side is Side.ANSWERS)
    assert allowed, "nobody at all may make this move"


def test_a_person_with_two_posts_does_not_verify_what_he_applied_for(world):
    doctor = fresh(world.posts.doctor)
    row = applied(rectification(world, world.clinic), doctor)
    second = Post.objects.create(
        institution=world.centre, role=Role.HEAD, title="副主任", user=doctor.user
    )
    with pytest.raises(PermissionDenied):
        row.close(by=fresh(second), version=row.version)
    row.close(by=world.posts.head, version=row.version)


@pytest.mark.parametrize("name", ["save", "note", "sign", "apply", "close", "withdraw"])
def test_a_stale_form_saves_nothing(world, log_in, name):
    row = rectification(world, world.centre)
    if name in ("save", "note"):
        row.sign(by=world.posts.head, version=row.version)
    if name in ("apply",):
        ready(row, world.posts.head)
    if name == "close":
        applied(row, world.posts.head)
    before = Rectification.objects.values().get(pk=row.pk)
    post = world.posts.head if name in ("save", "note", "sign", "apply") else world.posts.officer
    answer = log_in(post).post(
        reverse(f"supervision:rectification_{name}", args=[row.pk]),
        {
            "version": row.version + 1,
            "measures": "晚到的",
            "person": "人",
            "text": "晚",
            "note": "n",
        },
    )
    assert answer.status_code == 409
    assert Rectification.objects.values().get(pk=row.pk) == before
    assert not ProgressNote.objects.exists()


def test_of_two_who_act_on_the_same_state_one_wins(world):
    row = applied(rectification(world, world.centre), world.posts.head)
    same = Rectification.objects.get(pk=row.pk)
    row.close(by=world.posts.officer, version=row.version)
    with pytest.raises(StaleState):
        same.send_back(
            by=world.posts.second_officer, version=same.version, note="x", due=clock.today()
        )


def test_nothing_typed_is_lost_and_a_new_deadline_lies_ahead(world, log_in):
    row = rectification(world, world.centre)
    client = log_in(world.posts.head)
    press(client, row, "sign")
    answer = press(client, row, "save", measures="打了很长的措施", person="")
    assert answer.status_code == 422 and "打了很长的措施" in answer.content.decode()
    ready(row, world.posts.head)
    press(client, row, "apply")
    officer = log_in(world.posts.officer)
    page = press(officer, row, "send_back", note="还差三人", due="").content.decode()
    assert "还差三人" in page and "请填写新的整改时限" in page
    press(officer, row, "send_back", note="还差三人", due=late(-1))
    assert status(row) == "applied"
    with pytest.raises(ValidationError):
        row.send_back(by=world.posts.officer, version=row.version, note="x", due=date(2020, 1, 1))


def test_withdrawing_needs_a_reason_and_is_the_askers(world, log_in):
    row = rectification(world, world.centre)
    press(log_in(world.posts.officer), row, "withdraw")
    assert status(row) == "assigned"
    assert press(log_in(world.posts.head), row, "withdraw", note="x").status_code == 403
    press(log_in(world.posts.officer), row, "withdraw", note="重复登记")
    assert status(row) == "withdrawn"


@pytest.mark.parametrize(
    ("moment", "overdue"),
    [
        (datetime(2023, 3, 31, 0, 0, tzinfo=UTC), False),
        # 23:59:59 on the day itself in Shanghai, and midnight.
        (datetime(2023, 3, 31, 15, 59, 59, tzinfo=UTC), False),
        (datetime(2023, 3, 31, 16, 0, 0, tzinfo=UTC), True),
    ],
)
def test_a_deadline_is_late_from_midnight_in_shanghai(world, monkeypatch, moment, overdue):
    row = rectification(world, world.centre)
    Rectification.objects.update(due=date(2023, 3, 31))
    row.refresh_from_db()
    monkeypatch.setattr(clock.timezone, "now", lambda: moment)
    assert row.is_overdue is overdue
    assert Rectification.objects.overdue().exists() is overdue


def test_what_waits_for_the_verifier_is_not_the_institutions_delay(world):
    row = applied(rectification(world, world.centre), world.posts.head)
    Rectification.objects.update(due=date(2020, 1, 1))
    row.refresh_from_db()
    assert not row.is_overdue and not Rectification.objects.overdue().exists()


def test_both_sides_see_that_it_is_overdue(world, log_in):
    row = rectification(world, world.centre)
    Rectification.objects.update(due=clock.today() - timedelta(days=2))
    for post in (world.posts.head, world.posts.officer, world.posts.auditor):
        page = log_in(post).get(row.get_absolute_url()).content.decode()
        assert "已超过整改时限" in page and "逾期2天" in page


def test_files_are_served_to_who_sees_the_row(world, log_in):
    row = ready(rectification(world, world.centre), world.posts.head)
    log_in(world.posts.head).post(
        reverse("supervision:rectification_note", args=[row.pk]),
        {"version": row.version, "text": "进展", "files": [picture()]},
    )
    note = row.progress.get()
    urls = [
        reverse("supervision:rectification_file", args=[row.pk, row.files.get().key]),
        reverse("supervision:note_file", args=[note.pk, note.files.get().key]),
    ]
    for url in urls:
        assert log_in(world.posts.officer).get(url).status_code == 200
        assert log_in(world.posts.other_head).get(url).status_code == 404
    other = rectification(world, world.centre, text="另一个问题")
    crossed = reverse("supervision:rectification_file", args=[other.pk, row.files.get().key])
    assert log_in(world.posts.officer).get(crossed).status_code == 404
