"""Issue, receipt, later tasks and the end of a campaign."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from campaigns.models import Campaign, Phase, Recipient, Report, Task
from institutions.models import Event, Notification
from tests.campaigns.papers import draft, issued, report_of


def url(name, pk):
    return reverse(f"campaigns:{name}", args=[pk])


def test_issue_makes_a_report_per_task_and_institution_and_tells_the_recipients(
    world, log_in, django_capture_on_commit_callbacks
):
    row = draft(world)
    client = log_in(world.posts.officer)
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(url("campaign_issue", row.pk), {"version": row.version})
    assert answer.status_code == 302
    row.refresh_from_db()
    assert row.status == "issued"
    reports = Report.objects.order_by("institution__code")
    assert [r.institution for r in reports] == [world.centre, world.other_centre]
    for report in reports:
        assert report.supervisor == report.bureau == world.county
        assert str(report.due) == "2023-03-03" and report.status == "open"
    event = Event.objects.of(row).get(action="campaigns.campaign.issue")
    assert event.data["reports"] == 2 and event.data["recipients"] == 3 and event.data["sha256"]
    told = set(Notification.objects.values_list("post__title", flat=True))
    assert told == {"中心主任", "公卫科经办人", "院长", "妇幼院长"}


@pytest.mark.parametrize("persona", ["head", "doctor", "auditor", "finance", "lead", "system"])
def test_others_do_not_issue(world, log_in, persona):
    row = draft(world)
    answer = log_in(getattr(world.posts, persona)).post(
        url("campaign_issue", row.pk), {"version": row.version}
    )
    assert answer.status_code == 403
    assert not Report.objects.exists()


def test_a_draft_of_another_bureau_is_not_there(world, log_in):
    row = draft(world)
    for persona in (world.posts.city_officer, world.posts.far_officer):
        answer = log_in(persona).post(url("campaign_issue", row.pk), {"version": row.version})
        assert answer.status_code == 404


def test_a_campaign_is_issued_once_and_not_on_an_old_version(world, log_in):
    row = draft(world)
    client = log_in(world.posts.officer)
    address = url("campaign_issue", row.pk)
    assert client.post(address, {"version": row.version + 1}).status_code == 409
    assert client.post(address, {"version": row.version}).status_code == 302
    assert client.post(address, {"version": row.version}).status_code == 409
    assert client.post(address, {"version": row.version + 1}).status_code == 409
    assert Report.objects.count() == 2


def test_without_phases_or_recipients_nothing_is_issued(world, log_in):
    row = draft(world)
    row.recipients.all().delete()
    client = log_in(world.posts.officer)
    page = client.get(row.get_absolute_url()).content.decode()
    assert "还没有选择主送机构" in page
    client.post(url("campaign_issue", row.pk), {"version": row.version})
    assert Campaign.objects.get().status == "draft"


def test_a_task_of_an_institution_that_gets_no_paper_stops_the_issue(world, log_in):
    row = draft(world)
    row.tasks.get().institutions.add(world.cdc)
    client = log_in(world.posts.officer)
    answer = client.post(url("campaign_issue", row.pk), {"version": row.version}, follow=True)
    assert "不在主送机构中" in answer.content.decode()
    assert not Report.objects.exists()


@pytest.mark.row("A02")
def test_a_recipient_confirms_receipt_once(world, log_in):
    row = issued(world)
    client = log_in(world.posts.head)
    assert "请阅读后签收" in client.get(row.get_absolute_url()).content.decode()
    address = url("campaign_receive", row.pk)
    assert client.get(address).status_code == 405
    client.post(address)
    receipt = Recipient.objects.get(institution=world.centre)
    assert receipt.received_by == world.posts.head and receipt.received_at
    page = log_in(world.posts.staff).post(address, follow=True).content.decode()
    assert "此前已经签收" in page
    again = Recipient.objects.get(institution=world.centre)
    assert (again.received_at, again.received_by) == (receipt.received_at, world.posts.head)
    assert Event.objects.of(row).filter(label="签收").count() == 1


def test_who_is_no_recipient_does_not_confirm(world, log_in):
    row = issued(world)
    address = url("campaign_receive", row.pk)
    assert log_in(world.posts.officer).post(address).status_code == 403  # the author's own bureau
    assert log_in(world.posts.leader).post(address).status_code == 403
    assert log_in(world.posts.far_head).post(address).status_code == 404
    assert log_in(world.posts.doctor).post(address).status_code == 404
    # His street has centres that got the paper, his office has not.
    assert log_in(world.posts.street).post(address).status_code == 403
    assert not Recipient.objects.filter(received_at__isnull=False).exists()


def test_the_bureau_sees_who_has_not_confirmed_and_a_centre_only_itself(world, log_in):
    row = issued(world)
    log_in(world.posts.head).post(url("campaign_receive", row.pk))
    client = log_in(world.posts.officer)
    page = client.get(row.get_absolute_url())
    assert page.context["progress"].waiting == 2
    assert {r.institution for r in page.context["waiting"]} == {world.other_centre, world.maternal}
    waiting = client.get(reverse("campaigns:receipt_list"), {"state": "waiting"})
    assert waiting.context["page"].count == 2
    own = log_in(world.posts.head).get(reverse("campaigns:receipt_list"))
    assert [line.row.institution for line in own.context["listing"]["rows"]] == [world.centre]
    assert "王村镇中心卫生院" not in own.content.decode()


def test_a_task_added_later_reaches_its_institutions_at_once(
    world, log_in, django_capture_on_commit_callbacks
):
    row = issued(world)
    client = log_in(world.posts.officer)
    data = {
        "name": "补充任务",
        "kind": "training",
        "done_by": "yes",
        "due": "2023-03-01",
        "phase": row.phases.get().pk,
        "institutions": [world.maternal.pk],
        "version": row.version,
    }
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(url("task_create", row.pk), data).status_code == 302
    assert report_of(row, world.maternal).task.name == "补充任务"
    assert Notification.objects.filter(text__startswith="新任务：补充任务").count() == 1
    assert Event.objects.of(row).filter(label="修改任务（增加“补充任务”）").exists()
    assert client.post(url("task_create", row.pk), data).status_code == 409
    assert client.get(url("task_edit", row.tasks.first().pk)).status_code == 403


def test_an_institution_is_added_to_an_issued_task_after_it_got_the_paper(world, log_in):
    row = issued(world)
    task = row.tasks.get()
    client = log_in(world.posts.officer)
    version = row.version
    wrong = {"institutions": [world.cdc.pk], "version": version}
    assert client.post(url("task_extend", task.pk), wrong).context["form"].errors
    sent = {"institutions": [world.cdc.pk], "version": version}
    assert client.post(url("recipient_edit", row.pk), sent).status_code == 302
    right = {"institutions": [world.cdc.pk, world.maternal.pk], "version": version + 1}
    assert client.post(url("task_extend", task.pk), right).status_code == 302
    assert task.reports.count() == 4
    assert client.post(url("task_extend", task.pk), right).status_code == 200  # has it already
    assert task.reports.count() == 4


def test_recipients_of_an_issued_paper_are_not_taken_off(world, log_in):
    row = issued(world)
    data = {"institutions": [world.maternal.pk], "version": row.version}
    answer = log_in(world.posts.officer).post(url("recipient_remove", row.pk), data)
    assert answer.status_code == 409
    assert row.recipients.count() == 3


def test_a_campaign_ends_when_its_phases_are_confirmed(world, log_in):
    row = issued(world)
    client = log_in(world.posts.officer)
    page = client.post(url("campaign_close", row.pk), {"version": row.version}, follow=True)
    assert "还有阶段没有确认完成" in page.content.decode()
    Phase.objects.update(status="confirmed")
    client.post(url("campaign_close", row.pk), {"version": row.version})
    row.refresh_from_db()
    assert row.status == "closed"
    assert client.get(url("task_create", row.pk)).status_code == 403


def test_only_the_recipients_and_their_supervisors_see_the_paper(world, log_in):
    row = issued(world)
    page = row.get_absolute_url()
    seen = {"officer", "leader", "finance", "auditor", "head", "staff", "other_head"}
    seen |= {"maternal_head", "street", "city_officer", "lead"}
    unseen = {"doctor", "far_officer", "far_head", "expert"}
    for persona in seen | unseen:
        answer = log_in(getattr(world.posts, persona)).get(page)
        assert answer.status_code == (200 if persona in seen else 404), persona
    assert log_in(world.posts.system).get(page).status_code == 403


@pytest.mark.row("A49")
def test_a_bureau_answers_to_the_campaign_of_the_one_above_it(world, log_in):
    above = Campaign.objects.create(
        institution=world.city,
        supervisor=world.city,
        name="市级活动",
        title="市级活动方案",
        number="示市卫发〔2023〕1号",
        year=2023,
        issued_on="2023-01-10",
    )
    Phase.objects.create(
        campaign=above,
        institution=world.city,
        supervisor=world.city,
        position=1,
        name="全年",
        ends="2023-12-31",
    )
    Recipient.objects.create(campaign=above, institution=world.county)
    task = Task.objects.create(
        campaign=above, position=1, name="制定方案", due="2023-03-01", done_by="yes"
    )
    task.institutions.add(world.county)
    log_in(world.posts.city_officer).post(url("campaign_issue", above.pk), {"version": 1})
    client = log_in(world.posts.officer)
    client.post(url("campaign_receive", above.pk))
    assert Recipient.objects.get(campaign=above).received_by == world.posts.officer
    report = report_of(above, world.county)
    data = {"text": "已印发方案", "then": "submit", "version": 1}
    assert client.post(url("report_save", report.pk), data).status_code == 302
    below = draft(world, parent=above)
    page = client.get(below.get_absolute_url()).content.decode()
    assert "上级活动" in page and "市级活动" in page
    # The county cannot accept what it handed in itself; the city does.
    accept = url("report_accept", report.pk)
    assert client.post(accept, {"version": 3}).status_code == 403
    assert log_in(world.posts.city_officer).post(accept, {"version": 3}).status_code == 302
    report.refresh_from_db()
    assert report.status == "accepted"


def test_the_database_refuses_a_receipt_without_who(world):
    issued(world)
    with pytest.raises(IntegrityError), transaction.atomic():
        Recipient.objects.update(received_at="2023-03-01T00:00:00Z")
    with pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.update(status="anything")
