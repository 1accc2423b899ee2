"""The gate of a phase: everything put right, everything reported, then it is confirmed."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from campaigns.models import Campaign, Recipient, Report, Task
from institutions import clock
from supervision.handing_out import hand_out
from supervision.models import Rectification
from supervision.phases import what_stands_in_the_way
from tests.supervision.making import applied, new_problem, phase


def confirm(client, row, **more):
    row.refresh_from_db()
    return client.post(
        reverse("supervision:phase_confirm", args=[row.pk]), {"version": row.version, **more}
    )


@pytest.mark.row("A11")
def test_a_phase_is_refused_while_one_problem_is_open_and_confirmed_after(world, log_in):
    row = phase(world)
    hand_out(
        [new_problem(world.centre, f"问题{i}", phase=row) for i in range(2)],
        by=world.posts.officer,
    )
    client = log_in(world.posts.officer)
    for left in (2, 1):
        answer = confirm(client, row)
        page = answer.content.decode()
        assert answer.status_code == 409 and f"未销号的整改 {left} 项" in page
        assert f"?phase={row.pk}&amp;status=open" in page
        listed = client.get(
            reverse("supervision:rectification_list"), {"phase": row.pk, "status": "open"}
        )
        assert f"共 {left} 条" in listed.content.decode()
        duty = applied(Rectification.objects.open().first(), world.posts.head)
        duty.close(by=world.posts.officer, version=duty.version)
    assert what_stands_in_the_way(row, world.posts.officer) == []
    assert confirm(client, row).status_code == 302
    row.refresh_from_db()
    assert row.status == "confirmed"
    with pytest.raises(ValidationError, match="已确认完成"):
        hand_out([new_problem(world.centre, "晚到的", phase=row)], by=world.posts.officer)


def test_what_stands_in_the_way_is_named_row_by_row(world, log_in):
    row = phase(world)
    hand_out([new_problem(world.centre, "随访不规范", phase=row)], by=world.posts.officer)
    task = Task.objects.create(
        campaign=row.campaign, phase=row, position=9, name="报送清单", due="2023-03-03"
    )
    Report.objects.create(
        task=task, institution=world.other_centre, supervisor=world.county, due="2023-03-03"
    )
    client = log_in(world.posts.officer)
    for page in (confirm(client, row), client.get(reverse("phase_board", args=[row.pk]))):
        text = page.content.decode()
        assert "生成工作群催办文字" in text
        assert (
            f"1. {world.other_centre.known_as}：报送清单（任务报送，待报送，2023年3月3日前）"
            in text
        )
        duty = Rectification.objects.get()
        assert "随访不规范" in text and duty.get_absolute_url() in text
        assert "报送清单" in text and world.other_centre.known_as in text
    # An institution sees its own rows only.
    Recipient.objects.create(campaign=row.campaign, institution=world.centre)
    Campaign.objects.update(status="issued")
    mine = log_in(world.posts.head).get(reverse("phase_board", args=[row.pk])).content.decode()
    assert "随访不规范" in mine
    assert mine.count(world.other_centre.known_as) == 0


def test_a_withdrawn_problem_does_not_hold_the_phase_up(world, log_in):
    row = phase(world)
    hand_out([new_problem(world.centre, phase=row)], by=world.posts.officer)
    duty = Rectification.objects.get()
    duty.withdraw(by=world.posts.officer, version=duty.version, note="重复登记")
    assert confirm(log_in(world.posts.officer), row).status_code == 302


def test_a_report_not_accepted_holds_the_phase_up(world, log_in):
    row = phase(world)
    task = Task.objects.create(
        campaign=row.campaign, phase=row, position=1, name="动员会", due="2023-03-03"
    )
    report = Report.objects.create(
        task=task, institution=world.centre, supervisor=world.county, due=task.due
    )
    answer = confirm(log_in(world.posts.officer), row)
    assert "未采纳的任务报送 1 项" in answer.content.decode()
    link = what_stands_in_the_way(row, world.posts.officer)[0].url
    assert "共 1 条" in log_in(world.posts.officer).get(link).content.decode()
    Report.objects.filter(pk=report.pk).update(
        status="accepted", submitted_at=clock.now(), decided_at=clock.now()
    )
    assert confirm(log_in(world.posts.officer), row).status_code == 302


def test_only_who_runs_the_campaign_confirms_and_not_from_a_stale_page(world, log_in):
    row = phase(world)
    assert confirm(log_in(world.posts.head), row).status_code == 403
    assert confirm(log_in(world.posts.far_officer), row).status_code == 404
    assert confirm(log_in(world.posts.city_officer), row).status_code == 403
    assert confirm(log_in(world.posts.officer), row, version=9).status_code == 409
    row.refresh_from_db()
    assert row.status == "open"
