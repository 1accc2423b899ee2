"""Plans that units must hand in: asked, written, handed in version by version, reviewed, missed."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns import planning, work
from campaigns.models import Plan, PlanCall, WorkLog
from institutions import clock
from institutions.models import Event, Kind, Notification
from tests import builders
from tests.campaigns.papers import issued

NOON = datetime(2023, 3, 2, 12, tzinfo=ZoneInfo("Asia/Shanghai"))
DUE = date(2023, 3, 10)


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


def call(world, kind="quality", *units, **more) -> PlanCall:
    row = PlanCall(kind=kind, name=f"示例{kind}", year=2023, due=DUE, text="要求", **more)
    planning.ask(row, units or [world.centre, world.other_centre], by=world.posts.officer)
    return row


def plan_of(row, unit) -> Plan:
    return Plan.objects.get(call=row, institution=unit)


def url(name, pk, *more):
    return reverse(f"campaigns:plan_{name}", args=[pk, *more])


def save(client, plan, **data):
    version = Plan.objects.get(pk=plan.pk).version
    return client.post(url("save", plan.pk), {"version": version, **data})


def press(client, plan, name, **data):
    version = Plan.objects.get(pk=plan.pk).version
    return client.post(url(name, plan.pk), {"version": version, **data})


@pytest.mark.row("A21")
def test_a_bureau_asks_units_and_they_are_told(
    world, log_in, at, django_capture_on_commit_callbacks
):
    client = log_in(world.posts.officer)
    data = {"kind": "training", "name": "2023年度培训督导计划", "year": 2023, "due": "2023-03-20"}
    refused = client.post(reverse("campaigns:plan_call_create"), data)
    assert "请选择机构" in refused.content.decode()
    data |= {"kinds": [Kind.CDC], "institutions": [world.maternal.pk]}
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(reverse("campaigns:plan_call_create"), data)
    row = PlanCall.objects.get()
    assert answer.url == row.get_absolute_url()
    units = set(row.plans.values_list("institution__code", flat=True))
    assert units == {"ZC-CDC", "ZC-FY"}
    assert Notification.objects.filter(text__startswith="请上报").exists()
    page = client.get(row.get_absolute_url()).content.decode()
    assert "还没有上报的机构" in page and world.cdc.name in page
    more = {**data, "due": "2023-03-25", "kinds": [], "institutions": [world.centre.pk]}
    client.post(reverse("campaigns:plan_call_edit", args=[row.pk]), more)
    assert plan_of(row, world.centre).due == plan_of(row, world.cdc).due == date(2023, 3, 25)


@pytest.mark.row("A19", "D15")
@pytest.mark.parametrize("kind", ["credit", "assessment"])
def test_a_plan_is_handed_in_returned_and_accepted_and_every_version_is_kept(
    world, log_in, at, django_capture_on_commit_callbacks, kind
):
    row = call(world, kind)
    plan = plan_of(row, world.centre)
    client = log_in(world.posts.staff)
    answer = save(client, plan, text=" ", then="submit")
    assert "请先填写内容或上传文件" in client.get(answer.url).content.decode()
    save(client, plan, text="第一稿", files=builders.picture("方案.jpg"), then="submit")
    plan.refresh_from_db()
    assert (plan.status, plan.edition) == ("submitted", 1)
    officer = log_in(world.posts.officer)
    page = officer.get(plan.get_absolute_url())
    assert [m.name for m in page.context["moves"]] == ["accept", "send_back"]
    assert "请写明理由或意见" in press(officer, plan, "send_back").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        press(officer, plan, "send_back", note="缺少奖惩办法")
    assert Notification.objects.filter(text__contains="被退回").exists()
    staff = log_in(world.posts.staff)
    assert "缺少奖惩办法" in staff.get(plan.get_absolute_url()).content.decode()
    first = plan.files.get()
    version = Plan.objects.get(pk=plan.pk).version
    staff.post(url("file_remove", plan.pk, first.key), {"version": version})
    save(staff, plan, text="第二稿", files=builders.picture("新方案.jpg"), then="submit")
    press(log_in(world.posts.officer), plan, "accept")
    plan.refresh_from_db()
    assert (plan.status, plan.edition) == ("accepted", 2)
    page = log_in(world.posts.officer).get(plan.get_absolute_url()).content.decode()
    assert "第一稿" in page and "第二稿" in page and "方案.jpg" in page
    assert client.get(url("file", plan.pk, first.key)).status_code == 200, (
        "version 1 keeps its file"
    )
    assert log_in(world.posts.other_head).get(url("file", plan.pk, first.key)).status_code == 404
    staff = log_in(world.posts.staff)
    press(staff, plan, "revise")
    save(staff, plan, text="修订稿", then="submit")
    plan.refresh_from_db()
    assert (plan.status, plan.edition) == ("submitted", 3)
    labels = list(Event.objects.of(plan).values_list("label", flat=True))
    assert sorted(labels) == sorted(
        ["上报", "退回", "删除文件", "上报", "审核通过", "修订", "上报"]
    )


@pytest.mark.row("A32", "B19")
@pytest.mark.parametrize("kind", ["promotion", "implementation"])
def test_each_task_of_a_plan_needs_leader_department_and_person(world, log_in, at, kind):
    campaign = issued(world)
    row = call(world, kind, campaign=campaign)
    plan = plan_of(row, world.centre)
    line = plan.lines.get()
    assert line.task == campaign.tasks.get() and line.text == "召开动员部署会"
    client = log_in(world.posts.head)
    form = {
        "text": "推进计划",
        "form-TOTAL_FORMS": 2,
        "form-INITIAL_FORMS": 1,
        "form-0-id": line.pk,
        "form-0-text": line.text,
        "form-0-leader": "分管院长",
        "form-0-department": "公卫科",
        "form-0-person": "",
        "form-1-text": "更新健康档案",
        "form-1-leader": "院长",
        "form-1-department": "公卫科",
        "form-1-person": "公卫科经办人",
        "then": "submit",
    }
    answer = save(client, plan, **form)
    said = client.get(answer.url).content.decode()
    assert "每项工作都要落实到班子成员、科室、具体责任人" in said
    plan.refresh_from_db()
    assert plan.status == "open" and plan.lines.count() == 2, "what was typed is kept"
    second = plan.lines.get(task=None)
    form |= {"form-INITIAL_FORMS": 2, "form-1-id": second.pk, "form-0-person": "公卫科科长"}
    save(client, plan, **form)
    plan.refresh_from_db()
    assert plan.status == "submitted"
    kept = plan.versions.get().lines
    assert kept[0] == ["召开动员部署会", "分管院长", "公卫科", "公卫科科长"]
    page = log_in(world.posts.officer).get(plan.get_absolute_url()).content.decode()
    assert "公卫科科长" in page and "更新健康档案" in page


@pytest.mark.row("A36")
def test_a_unit_has_its_quality_plan_and_logs_its_checks_until_put_right(world, log_in, at):
    plan = plan_of(call(world, "quality"), world.centre)
    client = log_in(world.posts.head)
    save(client, plan, text="每月抽查档案", then="submit")
    entry = {"day": "2023-03-01", "subject": "二月质控", "text": "抽查20份", "aspect": "健康档案"}
    entry |= {"decisions": "漏项补齐", "follow_up_due": "2023-03-08"}
    client.post("/campaigns/logs/new/?kind=quality", entry)
    log = WorkLog.objects.get()
    at(date(2023, 3, 9))
    assert "逾期1天未落实" in client.get(log.get_absolute_url()).content.decode()
    done = {"version": log.version, "on": "2023-03-09", "text": "已补齐"}
    client.post(reverse("campaigns:log_follow_up", args=[log.pk]), done)
    listed = log_in(world.posts.officer).get("/campaigns/logs/", {"follow_up": "done"})
    assert [line.row for line in listed.context["page"].rows] == [log]


def test_a_late_plan_is_marked_and_the_missing_are_listed(world, log_in, at):
    row = call(world)
    plan = plan_of(row, world.centre)
    at(date(2023, 3, 11))
    save(log_in(world.posts.head), plan, text="x", then="submit")
    officer = log_in(world.posts.officer)
    listed = officer.get(reverse("campaigns:plan_list")).content.decode()
    assert "逾期上报" in listed and "逾期1天未报" in listed
    for when, unit in (("late", world.centre), ("overdue", world.other_centre)):
        page = officer.get(reverse("campaigns:plan_list"), {"when": when}).context["page"]
        assert [line.row.institution for line in page.rows] == [unit]
    page = officer.get(row.get_absolute_url())
    assert [p.institution for p in page.context["missing"]] == [world.other_centre]
    plan.refresh_from_db()
    assert plan.was_late and page.context["counts"]["late"] == 1
    export = officer.get(reverse("campaigns:plan_list"), {"format": "csv"})
    assert "逾期上报" in export.getvalue().decode("utf-8-sig")


def test_only_the_unit_writes_and_only_its_bureau_reviews(world, log_in, at):
    row = call(world)
    plan = plan_of(row, world.centre)
    for persona, expected in {
        "officer": 403,
        "leader": 403,
        "other_head": 404,
        "doctor": 404,
    }.items():
        answer = save(log_in(getattr(world.posts, persona)), plan, text="x")
        assert answer.status_code == expected, persona
    save(log_in(world.posts.head), plan, text="x", then="submit")
    for persona, expected in {"head": 403, "city_officer": 403, "far_officer": 404}.items():
        answer = press(log_in(getattr(world.posts, persona)), plan, "accept")
        assert answer.status_code == expected, persona
    stale = log_in(world.posts.officer).post(url("accept", plan.pk), {"version": 1})
    assert stale.status_code == 409
    press(log_in(world.posts.head), plan, "recall")
    plan.refresh_from_db()
    assert plan.status == "open" and plan.versions.count() == 1


def test_plans_are_among_my_work_and_lists_cost_the_same(world, log_in, at):
    row = call(world)
    at(date(2023, 3, 12))
    save(log_in(world.posts.other_head), plan_of(row, world.other_centre), text="x", then="submit")
    for persona in ("head", "officer"):
        client = log_in(getattr(world.posts, persona))
        lines = [x for x in work.work_for(getattr(world.posts, persona)) if "计划方案" in x.label]
        assert lines, persona
        for line in lines:
            assert client.get(line.url).context["page"].count == line.count, line
    client = log_in(world.posts.officer)
    pages = (reverse("campaigns:plan_list"), reverse("campaigns:plan_call_list"))

    def cost():
        found = []
        for page in (*pages, row.get_absolute_url()):
            client.get(page)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(page).status_code == 200
            found.append(len(queries))
        return found

    few = cost()
    units = [
        builders.institution(f"ZC-N{n}", f"示例站{n}", Kind.STATION, world.county)
        for n in range(40)
    ]
    planning.change(row, units, by=world.posts.officer, moved=False)
    call(world, "credit", *units)
    assert cost() == few and max(few) <= 14, few
