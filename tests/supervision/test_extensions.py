"""A later deadline: asked for with a reason, decided by who supervises, twice at most, and the first date stays."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse

from institutions import clock
from institutions.models import Event, Notification
from institutions.workflow import StaleState
from supervision import extending
from supervision.models import Extension, Rectification
from tests.supervision.making import applied, ready, rectification


def day(days):
    return clock.today() + timedelta(days=days)


def signed(world):
    row = rectification(world, world.centre)
    row.sign(by=world.posts.head, version=row.version)
    return row


def ask(row, world, days=20):
    return extending.ask(
        row, reason="设备未到货", wished=day(days), by=world.posts.head, version=row.version
    )


def post(client, row, name, **values):
    row.refresh_from_db()
    values = {"version": row.version, **values}
    return client.post(reverse(f"supervision:extension_{name}", args=[row.pk]), values)


@pytest.mark.row("A37")
def test_asked_granted_asked_again_refused_and_no_third(
    world, log_in, django_capture_on_commit_callbacks
):
    row = signed(world)
    first = row.due
    head = log_in(world.posts.head)
    assert "申请延期" in head.get(row.get_absolute_url()).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        post(head, row, "ask", wished=day(20).isoformat(), reason="设备未到货")
    assert Notification.objects.filter(post=world.posts.officer, text__contains="延期").exists()
    assert extending.WAITING in head.get(row.get_absolute_url()).content.decode()
    officer = log_in(world.posts.officer)
    assert "同意延期" in officer.get(row.get_absolute_url()).content.decode()
    post(officer, row, "grant", due=day(18).isoformat(), note="抓紧")
    row.refresh_from_db()
    assert (row.due, row.original_due) == (day(18), first)
    page = log_in(world.posts.head).get(row.get_absolute_url()).content.decode()
    assert "交办时的时限" in page and "同意延至" in page
    post(log_in(world.posts.head), row, "ask", wished=day(40).isoformat(), reason="仍未到货")
    post(log_in(world.posts.officer), row, "refuse", note="已延期一次")
    row.refresh_from_db()
    assert row.due == day(18)
    assert [e.status for e in row.extensions.all()] == ["granted", "refused"]
    page = log_in(world.posts.head).get(row.get_absolute_url()).content.decode()
    assert extending.USED_UP in page
    with pytest.raises(ValidationError, match="两次"):
        ask(row, world, 60)
    labels = list(Event.objects.of(row).values_list("label", flat=True))
    assert labels == ["签收", "申请延期", "同意延期", "申请延期", "不同意延期"]


def test_only_one_waits_and_an_earlier_date_is_none(world):
    row = signed(world)
    with pytest.raises(ValidationError):
        ask(row, world, days=5)  # before the deadline that holds
    ask(row, world)
    with pytest.raises(ValidationError, match="还没有审批"):
        ask(row, world, days=30)


def test_the_wrong_side_neither_asks_nor_decides(world, log_in):
    row = signed(world)
    asked = ask(row, world)
    for by in (world.posts.head, world.posts.staff):
        with pytest.raises(PermissionDenied):
            extending.grant(asked, due=day(30), by=by, version=row.version)
    with pytest.raises(PermissionDenied):
        extending.refuse(asked, note="x", by=world.posts.head, version=row.version)
    officer = log_in(world.posts.officer)
    assert post(officer, row, "ask", wished=day(30).isoformat(), reason="x").status_code == 403
    assert post(log_in(world.posts.head), row, "grant", due=day(30)).status_code == 403
    assert Extension.objects.get().status == "asked"


def test_a_request_lapses_when_the_work_is_done_or_taken_back(world):
    row = signed(world)
    ask(row, world)
    ready(row, world.posts.head).apply(by=world.posts.head, version=row.version)
    assert row.extensions.get().status == "lapsed"
    row.send_back(by=world.posts.officer, version=row.version, note="还差", due=day(30))
    assert ask(row, world, 40).number == 1  # what nobody decided does not count
    row.withdraw(by=world.posts.officer, version=row.version, note="重复")
    assert {e.status for e in row.extensions.all()} == {"lapsed"}


def test_decided_on_a_state_that_has_changed_is_stale(world):
    row = signed(world)
    asked = ask(row, world)
    with pytest.raises(StaleState):
        extending.grant(asked, due=day(30), by=world.posts.officer, version=row.version - 1)
    extending.grant(asked, due=day(30), by=world.posts.officer, version=row.version)
    with pytest.raises(ValidationError, match="审批过"):
        extending.grant(asked, due=day(40), by=world.posts.officer, version=row.version)


def test_what_was_typed_is_kept_and_a_closed_one_takes_none(world, log_in):
    row = signed(world)
    answer = post(log_in(world.posts.head), row, "ask", wished="", reason="很长的理由")
    assert answer.status_code == 422 and "很长的理由" in answer.content.decode()
    done = applied(row, world.posts.head)
    assert (
        post(log_in(world.posts.head), done, "ask", wished=day(30), reason="x").status_code == 409
    )


def test_the_database_refuses_a_third_a_second_open_and_an_undecided_grant(world):
    row = signed(world)
    ask(row, world)
    values = {
        "rectification": row,
        "reason": "x",
        "due_before": row.due,
        "wished": day(50),
        "asked_by": world.posts.head,
    }
    for more in (
        {"number": 2},
        {"number": 3, "status": "lapsed", "decided_at": clock.now()},
        {"number": 2, "status": "granted", "due": day(50)},
        {"number": 1, "status": "refused", "decided_by": world.posts.officer},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Extension.objects.create(**values, **more)


def test_what_waits_for_a_decision_is_listed(world, log_in):
    row = signed(world)
    ask(row, world)
    other = rectification(world, world.centre, text="另一个")
    listed = reverse("supervision:rectification_list")
    page = log_in(world.posts.officer).get(listed, {"matter": "extension"}).content.decode()
    assert row.get_absolute_url() in page and other.get_absolute_url() not in page
    Rectification.objects.filter(pk=other.pk).update(sign_due=day(-1))
    page = log_in(world.posts.officer).get(listed, {"when": "unsigned"}).content.decode()
    assert other.get_absolute_url() in page and row.get_absolute_url() not in page
    assert "签收催办" in page
