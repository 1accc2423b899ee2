"""问效: after closing, whether it has held; what came back is handed out anew and counted as 反弹."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from institutions import clock
from supervision.checking_effect import WAIT, check_effect
from supervision.models import EffectCheck, Problem, Rectification
from tests.builders import picture
from tests.supervision.making import applied, rectification


def closed(world):
    row = applied(rectification(world, world.centre, category="电话错误或打不通"), world.posts.head)
    row.close(by=world.posts.officer, version=row.version)
    return row


def post(client, row, **values):
    return client.post(
        reverse("supervision:rectification_effect", args=[row.pk]),
        {"version": row.version, "on": clock.today().isoformat(), **values},
    )


@pytest.mark.row("A37")
def test_what_holds_is_written_down_and_what_is_back_is_handed_out_anew(world, log_in):
    row = closed(world)
    officer = log_in(world.posts.officer)
    assert "登记问效" in officer.get(row.get_absolute_url()).content.decode()
    post(officer, row, result="holds", note="抽查10份均已改", files=[picture()])
    check = EffectCheck.objects.get()
    assert check.result == "holds" and check.files.exists()
    page = officer.get(row.get_absolute_url()).content.decode()
    assert "问效有机制" in page and "抽查10份均已改" in page
    url = reverse("supervision:effect_file", args=[check.pk, check.files.get().key])
    assert officer.get(url).status_code == 200
    assert log_in(world.posts.other_head).get(url).status_code == 404
    row.refresh_from_db()
    due = clock.today() + timedelta(days=15)
    post(log_in(world.posts.officer), row, result="back", note="又有3份", due=due.isoformat())
    again = Problem.objects.get(recurs_from=row.problem)
    assert (again.occurrence, again.origin) == (2, "问效")
    assert again.rectification.due == due and again.rectification.status == "assigned"
    row.refresh_from_db()
    assert row.status == "closed"


def test_back_needs_a_deadline_and_a_day_after_closing(world, log_in):
    row = closed(world)
    answer = post(log_in(world.posts.officer), row, result="back", note="又有")
    assert answer.status_code == 422 and "重新交办" in answer.content.decode()
    with pytest.raises(ValidationError, match="早于销号"):
        check_effect(
            row,
            on=clock.today() - timedelta(days=9),
            result="holds",
            note="x",
            by=world.posts.officer,
            version=row.version,
        )
    assert not EffectCheck.objects.exists()


def test_nobody_checks_his_own_nor_what_is_open(world, log_in):
    row = closed(world)
    with pytest.raises(PermissionDenied):
        check_effect(
            row,
            on=clock.today(),
            result="holds",
            note="x",
            by=world.posts.head,
            version=row.version,
        )
    open_one = rectification(world, world.centre, text="另一个")
    answer = post(log_in(world.posts.officer), open_one, result="holds", note="x")
    assert answer.status_code == 409


def test_what_nobody_looked_at_again_is_listed(world, log_in):
    row = closed(world)
    listed = reverse("supervision:rectification_list")
    client = log_in(world.posts.officer)
    link = f'"{row.get_absolute_url()}"'
    assert link not in client.get(listed, {"matter": "effect"}).content.decode()
    Rectification.objects.update(closed_at=clock.now() - WAIT - timedelta(days=1))
    assert link in client.get(listed, {"matter": "effect"}).content.decode()
