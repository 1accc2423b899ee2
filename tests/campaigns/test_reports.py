"""A report from writing to acceptance; who sees it; what its lists cost."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns import work
from campaigns.models import Recipient, Report, Task
from campaigns.summary import campaign_progress, summary_for
from institutions import clock
from institutions.models import Event, Kind, Notification
from tests import builders
from tests.campaigns.papers import draft, issued, report_of

NOON = datetime(2023, 3, 2, 12, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.fixture
def at(monkeypatch):
    """Set the clock: `at(date)`."""

    def move(day):
        monkeypatch.setattr(clock, "today", lambda: day)
        monkeypatch.setattr(
            clock, "now", lambda: NOON.replace(year=day.year, month=day.month, day=day.day)
        )

    move(date(2023, 3, 2))
    return move


def url(name, pk, *more):
    return reverse(f"campaigns:{name}", args=[pk, *more])


def save(client, report, **data):
    version = Report.objects.get(pk=report.pk).version
    return client.post(url("report_save", report.pk), {"version": version, **data})


@pytest.mark.row("A07")
def test_a_report_is_written_handed_in_returned_and_accepted(
    world, log_in, at, django_capture_on_commit_callbacks
):
    report = report_of(issued(world), world.centre)
    client = log_in(world.posts.staff)
    assert "剩1天" in client.get(report.get_absolute_url()).content.decode()
    save(client, report, text="先写一半")
    report.refresh_from_db()
    assert (report.status, report.text, report.version) == ("open", "先写一半", 2)
    page = client.get(report.get_absolute_url()).content.decode()
    assert "先写一半" in page
    answer = save(client, report, text="已召开部署会", held_on="2023-03-01", then="submit")
    assert "请先上传佐证材料" in client.get(answer.url).content.decode()
    save(client, report, text="已召开部署会", files=builders.picture("会议照片.jpg"), then="submit")
    report.refresh_from_db()
    assert report.status == "submitted" and report.submitted_at == clock.now()

    officer = log_in(world.posts.officer)
    page = officer.get(report.get_absolute_url())
    assert [m.name for m in page.context["moves"]] == ["accept", "send_back"]
    assert "会议照片.jpg" in page.content.decode()
    back = url("report_send_back", report.pk)
    refused = officer.post(back, {"version": report.version, "note": ""})
    assert "请写明理由或意见" in refused.content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        officer.post(back, {"version": report.version, "note": "请补签到表"})
    assert Notification.objects.filter(text__contains="被退回").count() == 2

    staff = log_in(world.posts.staff)
    page = staff.get(report.get_absolute_url()).content.decode()
    assert "请补签到表" in page and "请按意见改好后再次报送" in page
    save(staff, report, text="已补签到表", then="submit")
    report.refresh_from_db()
    log_in(world.posts.officer).post(url("report_accept", report.pk), {"version": report.version})
    report.refresh_from_db()
    assert report.status == "accepted" and report.decided_at
    labels = list(Event.objects.of(report).values_list("label", flat=True))
    assert labels == ["报送", "退回", "报送", "采纳"]


def test_a_report_can_be_recalled_until_it_is_decided(world, log_in, at):
    report = report_of(issued(world), world.centre)
    client = log_in(world.posts.head)
    save(client, report, text="x", files=builders.picture(), then="submit")
    report.refresh_from_db()
    client.post(url("report_recall", report.pk), {"version": report.version})
    report.refresh_from_db()
    assert report.status == "open"
    assert save(client, report, text="y").status_code == 302


def test_a_late_report_is_marked_so(world, log_in, at):
    report = report_of(issued(world), world.centre)
    client = log_in(world.posts.head)
    at(date(2023, 3, 4))
    assert "逾期1天" in client.get(report.get_absolute_url()).content.decode()
    save(client, report, text="x", files=builders.picture(), then="submit")
    assert "逾期报送" in client.get(report.get_absolute_url()).content.decode()
    listed = log_in(world.posts.officer).get(reverse("campaigns:report_list")).content.decode()
    assert "逾期报送" in listed and "逾期1天" in listed


def test_the_last_day_is_not_late(world, log_in, at):
    report = report_of(issued(world), world.centre)
    at(date(2023, 3, 3))
    client = log_in(world.posts.head)
    save(client, report, text="x", files=builders.picture(), then="submit")
    assert "按时报送" in client.get(report.get_absolute_url()).content.decode()


def test_a_number_is_asked_only_where_a_number_counts(world, log_in, at):
    row = draft(world)
    Task.objects.update(done_by="number")
    from campaigns.issuing import issue

    issue(row, by=world.posts.officer, version=row.version)
    report = report_of(row, world.centre)
    client = log_in(world.posts.head)
    answer = save(client, report, text="x", then="submit")
    assert "请先填写完成数量" in client.get(answer.url).content.decode()
    save(client, report, text="x", number="12", then="submit")
    report.refresh_from_db()
    assert (report.status, report.number) == ("submitted", 12)


def test_wrong_posts_do_not_write_or_review(world, log_in, at):
    report = report_of(issued(world), world.centre)
    save_, accept = url("report_save", report.pk), url("report_accept", report.pk)
    data = {"version": 1, "text": "x"}
    for persona, expected in {
        "officer": 403,  # sees it, but answers for another institution
        "leader": 403,
        "auditor": 403,
        "other_head": 404,
        "far_head": 404,
        "far_officer": 404,
        "doctor": 404,
        "maternal_head": 404,
    }.items():
        answer = log_in(getattr(world.posts, persona)).post(save_, data)
        assert answer.status_code == expected, persona
    Report.objects.update(status="submitted", submitted_at=clock.now())
    for persona, expected in {
        "head": 403,
        "leader": 403,
        "city_officer": 403,  # sees below, acts only where the city is the supervisor
        "far_officer": 404,
        "finance": 403,
    }.items():
        answer = log_in(getattr(world.posts, persona)).post(accept, {"version": 1})
        assert answer.status_code == expected, persona
    report.refresh_from_db()
    assert (report.status, report.text) == ("submitted", "")


def test_a_stale_version_saves_nothing(world, log_in, at):
    report = report_of(issued(world), world.centre)
    client = log_in(world.posts.head)
    assert save(client, report, text="甲").status_code == 302
    answer = client.post(url("report_save", report.pk), {"version": 1, "text": "乙"})
    assert answer.status_code == 409
    report.refresh_from_db()
    assert report.text == "甲"
    save(client, report, text="甲", files=builders.picture(), then="submit")
    answer = save(client, report, text="报送后改")
    assert answer.status_code == 409
    report.refresh_from_db()
    assert report.text == "甲" and report.status == "submitted"


def test_files_are_served_through_the_report_and_removed_only_while_it_is_written(
    world, log_in, at
):
    report = report_of(issued(world), world.centre)
    other = report_of(report.task.campaign, world.other_centre)
    client = log_in(world.posts.head)
    save(client, report, text="x", files=[builders.picture("甲.jpg"), builders.picture("乙.jpg")])
    first, second = report.files.all()
    assert client.get(url("report_file", report.pk, first.key)).status_code == 200
    stranger = log_in(world.posts.other_head)
    assert stranger.get(url("report_file", report.pk, first.key)).status_code == 404
    assert stranger.get(url("report_file", other.pk, first.key)).status_code == 404
    assert (
        log_in(world.posts.officer).get(url("report_file", report.pk, first.key)).status_code == 200
    )
    client = log_in(world.posts.head)
    client.post(url("report_file_remove", report.pk, first.key), {"version": 2})
    assert list(report.files.all()) == [second]
    assert Event.objects.of(report).get().note == "甲.jpg"
    save(client, report, text="x", then="submit")
    version = Report.objects.get(pk=report.pk).version
    gone = client.post(url("report_file_remove", report.pk, second.key), {"version": version})
    assert gone.status_code == 409 and report.files.count() == 1


def test_a_refused_file_is_said_at_the_field_and_keeps_what_was_typed(world, log_in, at):
    report = report_of(issued(world), world.centre)
    client = log_in(world.posts.head)
    from django.core.files.uploadedfile import SimpleUploadedFile

    bad = SimpleUploadedFile("病毒.exe", b"MZ")
    page = save(client, report, text="我写的内容", files=bad)
    assert page.status_code == 200
    assert "病毒.exe" in page.content.decode() and "我写的内容" in page.content.decode()


def test_the_list_filters_by_task_phase_status_time_and_side(world, log_in, at):
    row = issued(world)
    task, phase = row.tasks.get(), row.phases.get()
    client = log_in(world.posts.officer)

    def count(**query):
        return client.get(reverse("campaigns:report_list"), query).context["page"].count

    assert count() == 2
    assert count(campaign=row.pk, task=task.pk, phase=phase.pk) == 2
    assert count(task=task.pk) == 2
    assert count(institution=world.centre.pk) == 1
    assert count(institution=world.clinic.pk) == 0
    assert count(status="submitted") == 0
    assert count(when="week", scope="asked") == 2
    assert count(scope="own") == 0
    assert count(q="王村") == 1
    at(date(2023, 3, 4))
    assert count(when="overdue") == 2
    for name in ("campaign", "phase", "task", "institution"):
        for odd in ("9" * 30, "x", "1.5", "-1"):
            address = reverse("campaigns:report_list")
            assert client.get(address, {name: odd}).status_code == 200
    export = client.get(reverse("campaigns:report_list"), {"format": "csv"})
    assert "青年路社区卫生服务中心" in b"".join(export.streaming_content).decode("utf-8-sig")
    own = log_in(world.posts.head).get(reverse("campaigns:report_list"))
    assert own.context["page"].count == 1


def test_a_task_says_who_has_done_what_and_what_comes_next(world, log_in, at):
    row = issued(world)
    task = row.tasks.get()
    report = report_of(row, world.centre)
    save(log_in(world.posts.head), report, text="x", files=builders.picture(), then="submit")
    page = log_in(world.posts.officer).get(task.get_absolute_url())
    assert (page.context["counts"].submitted, page.context["counts"].open) == (1, 1)
    assert "有 1 份报送等待审核" in page.content.decode()
    assert "请以下单位于2023年3月3日前报送" in page.content.decode()
    own = log_in(world.posts.other_head).get(task.get_absolute_url())
    assert own.context["counts"].total == 1
    assert "青年路" not in own.content.decode()
    assert log_in(world.posts.maternal_head).get(task.get_absolute_url()).status_code == 404


def test_my_work_counts_what_its_links_list(world, log_in, at):
    row = issued(world)
    report = report_of(row, world.centre)
    save(log_in(world.posts.head), report, text="x", files=builders.picture(), then="submit")
    for day, personas in (
        (date(2023, 3, 2), ["head", "officer", "other_head", "maternal_head"]),
        (date(2023, 3, 9), ["other_head", "officer"]),
    ):
        at(day)
        for persona in personas:
            post = getattr(world.posts, persona)
            client = log_in(post)
            lines = work.work_for(post)
            assert lines, persona
            for line in lines:
                assert client.get(line.url).context["page"].count == line.count, line
    labels = {line.label: line.count for line in work.work_for(world.posts.officer)}
    assert labels == {"任务报送待审核": 1, "机构逾期未报任务": 1, "等待机构签收": 3}
    with CaptureQueriesContext(
        connection,
    ) as queries:
        work.work_for(world.posts.officer)
    assert len(queries) <= 13


def test_progress_and_summary_add_up(world, log_in, at):
    row = issued(world)
    report = report_of(row, world.centre)
    save(log_in(world.posts.head), report, text="x", files=builders.picture(), then="submit")
    log_in(world.posts.head).post(url("campaign_receive", row.pk))
    progress = campaign_progress(row, world.posts.officer)
    assert (progress.sent, progress.received, progress.waiting) == (3, 1, 2)
    (group,) = progress.phases
    assert (group.counts.submitted, group.counts.open, group.counts.total) == (1, 1, 2)
    assert group.tasks[0].counts == group.counts == progress.counts
    told = summary_for(world.centre, world.posts.officer)
    assert told["counts"].submitted == 1 and told["receipts"][0].received_at
    assert told["focuses"][0].text == "组织指导" and told["open_reports"] == []
    assert summary_for(world.centre, world.posts.other_head)["counts"].total == 0


def many(world, row, number):
    """Give the campaign `number` more institutions, each with its report."""
    task = row.tasks.get()
    start = world.county.children.count()
    for n in range(number):
        unit = builders.institution(
            f"ZC-X{start + n}", f"卫生院{start + n}", Kind.TOWNSHIP, world.county
        )
        Recipient.objects.create(campaign=row, institution=unit)
        task.institutions.add(unit)
        Report.objects.create(institution=unit, supervisor=world.county, task=task, due=task.due)


def test_pages_cost_the_same_at_20_and_at_200_rows(world, log_in, at):
    row = issued(world)
    task = row.tasks.get()
    report = report_of(row, world.centre)
    pages = {
        reverse("campaigns:report_list"): 12,
        f"{reverse('campaigns:report_list')}?campaign={row.pk}&when=week": 12,
        reverse("campaigns:receipt_list"): 12,
        reverse("campaigns:campaign_list"): 12,
        row.get_absolute_url(): 27,
        task.get_absolute_url(): 17,
        report.get_absolute_url(): 12,
    }
    client = log_in(world.posts.officer)

    def cost():
        found = {}
        for page in pages:
            client.get(page)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(page).status_code == 200
            found[page] = len(queries)
        return found

    many(world, row, 20)
    few = cost()
    many(world, row, 180)
    assert cost() == few
    for page, most in pages.items():
        assert few[page] <= most, (page, few)


def test_the_database_refuses_states_without_their_times(world):
    issued(world)
    for wrong in (
        {"status": "submitted"},
        {"status": "accepted", "submitted_at": clock.now()},
        {"status": "anything"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Report.objects.update(**wrong)
