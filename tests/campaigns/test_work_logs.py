"""The work log: what units enter, who has done nothing of a kind, cases that go upwards."""

from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns import work, work_logging
from campaigns.models import WorkLog
from institutions import clock
from institutions.models import Event, Kind, Notification, StaffMember
from tests import builders
from tests.campaigns.papers import issued

DAY = date(2023, 4, 20)
NEW = "/campaigns/logs/new/"
COVERAGE = "/campaigns/logs/coverage/"


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(clock, "today", lambda: DAY)


def entered(by, kind, **more) -> WorkLog:
    units = more.pop("units", ())
    fields = {"day": DAY, "subject": "示例主题", "text": "示例内容", **more}
    return work_logging.enter(WorkLog(kind=kind, **fields), by=by, units=units)


def enter(client, kind, **data):
    fields = {"day": "2023-04-20", "subject": "示例主题", "text": "示例内容", **data}
    return client.post(f"{NEW}?kind={kind}", fields)


@pytest.mark.row("A30", "B10", "A38")
def test_meetings_are_entered_with_task_and_decisions_and_followed_up(world, log_in):
    campaign = issued(world)
    client = log_in(world.posts.head)
    page = client.get(NEW).content.decode()
    for label in ("调度会议", "公卫例会", "领导下基层", "流程再造"):
        assert label in page
    task = campaign.tasks.get()
    answer = enter(
        client,
        "dispatch",
        task=task.pk,
        participants=12,
        decisions="逐户核对档案",
        follow_up_due="2023-04-10",
        host="分管院长",
    )
    log = WorkLog.objects.get()
    assert answer.url == log.get_absolute_url()
    assert (log.campaign, log.phase, log.institution) == (campaign, task.phase, world.centre)
    line = next(x for x in work.work_for(world.posts.head) if "议定事项" in x.label)
    assert line.count == 1 == client.get(line.url).context["page"].count
    assert "逾期10天未落实" in client.get(log.get_absolute_url()).content.decode()
    data = {"version": log.version, "on": "2023-04-19", "text": "已核对320份"}
    client.post(reverse("campaigns:log_follow_up", args=[log.pk]), data)
    page = client.get(log.get_absolute_url()).content.decode()
    assert "已落实" in page and "已核对320份" in page
    assert not [x for x in work.work_for(world.posts.head) if "议定事项" in x.label]
    for kind in ("meeting", "field"):
        assert enter(client, kind, targets="首席公卫医师团队").status_code == 302
    listed = log_in(world.posts.officer).get("/campaigns/logs/", {"kind": "meeting"})
    assert listed.context["page"].count == 1


@pytest.mark.row("C12", "D05", "E37")
def test_a_training_tells_whom_it_reached_and_whether_it_took_effect(world, log_in):
    campaign = issued(world)
    client = log_in(world.posts.officer)
    bad = enter(client, "training", participants=10, targets="乡村医生", tested=12, passed=13)
    text = bad.content.decode()
    assert "合格人数不能多于测试人数" in text and "测试人数不能多于参加人数" in text
    assert "请" not in text or not WorkLog.objects.exists()
    good = enter(
        client,
        "training",
        campaign=campaign.pk,
        participants=40,
        targets=["机构负责人", "家庭医生团队"],
        tested=40,
        passed=38,
        units=[world.centre.pk, world.other_centre.pk],
    )
    log = WorkLog.objects.get()
    page = client.get(good.url).content.decode()
    assert "38/40（95%）" in page and "机构负责人、家庭医生团队" in page and campaign.name in page
    assert world.centre.known_as in page
    found = client.get("/campaigns/logs/", {"target": "家庭医生团队"}).context["page"]
    assert [row.row for row in found.rows] == [log]
    with pytest.raises(IntegrityError), transaction.atomic():
        WorkLog.objects.update(passed=41)


@pytest.mark.row("D10", "D16", "D18")
def test_publicity_needs_a_channel_and_a_photo(world, log_in):
    client = log_in(world.posts.staff)
    text = enter(client, "publicity").content.decode()
    assert "请上传现场照片" in text and not WorkLog.objects.exists()
    for channel in ("poster", "three", "advert", "door"):
        answer = enter(
            client,
            "publicity",
            channel=channel,
            labelled="yes",
            files=builders.picture("壁报.jpg"),
        )
        assert answer.status_code == 302, channel
    log = WorkLog.objects.get(channel="poster")
    page = client.get(log.get_absolute_url()).content.decode()
    assert "省级统一壁报" in page and "壁报.jpg" in page
    file = log.files.get()
    at = reverse("campaigns:log_file", args=[log.pk, file.key])
    assert client.get(at).status_code == 200
    asked = {"kind": "publicity", "channel": "poster", "since": "2023-01-01"}
    page = log_in(world.posts.officer).get(COVERAGE, asked)
    assert page.context["totals"]["covered"] == 1
    assert world.other_centre.name in page.context["missing"]
    assert log_in(world.posts.other_head).get(at).status_code == 404


@pytest.mark.row("D17")
def test_publicity_without_the_mandatory_label_is_marked_and_found(world, log_in):
    client = log_in(world.posts.staff)
    photo = {"channel": "board", "files": builders.picture()}
    assert "显著位置明示" in enter(client, "publicity", **photo).content.decode()
    assert not WorkLog.objects.exists(), "yes or no must be said"
    for said in ("no", "yes"):
        photo["files"] = builders.picture()
        enter(client, "publicity", labelled=said, **photo)
    bad = WorkLog.objects.get(labelled=False)
    assert "没有在显著位置明示" in client.get(bad.get_absolute_url()).content.decode()
    officer = log_in(world.posts.officer)
    page = officer.get("/campaigns/logs/", {"labelled": "no"})
    assert [row.row for row in page.context["page"].rows] == [bad]
    assert "未明示" in page.content.decode()
    log_in(world.posts.staff)
    version = {"version": bad.version, "day": "2023-04-20", "subject": "改", "text": "改"}
    edit = reverse("campaigns:log_edit", args=[bad.pk])
    client.post(edit, {**version, "channel": "board", "labelled": "yes"})
    bad.refresh_from_db()
    assert bad.labelled is True, "the photo that is there already counts"
    assert client.post(edit, {**version, "channel": "board", "labelled": "yes"}).status_code == 409


@pytest.mark.row("D19")
def test_coverage_counts_own_trainings_and_those_joined_until_all_have_one(world, log_in):
    entered(world.posts.head, "training", participants=8)
    entered(
        world.posts.officer,
        "training",
        participants=30,
        units=[world.other_centre, world.city_hospital],
    )
    entered(world.posts.other_head, "training", day=date(2022, 12, 30))
    client = log_in(world.posts.officer)
    page = client.get(COVERAGE)
    totals = page.context["totals"]
    assert totals["covered"] == 3 and totals["total"] == 6, totals
    assert set(page.context["missing"]) == {
        world.hospital.name,
        world.maternal.name,
        world.cdc.name,
    }
    rows = {line.row.code: line.row for line in page.context["page"].rows}
    assert (rows["ZC-QNL"].own, rows["ZC-QNL"].people, rows["ZC-QNL"].times) == (1, 8, 1)
    assert (rows["ZC-SZY"].own, rows["ZC-SZY"].joined) == (0, 1), "the TCM hospital took part"
    missing = client.get(COVERAGE, {"state": "missing"}).context["page"]
    assert missing.count == 3
    entered(world.posts.officer, "training", units=[world.hospital, world.maternal, world.cdc])
    assert "全覆盖" in client.get(COVERAGE).content.decode()
    assert client.get(COVERAGE, {"units": "all"}).context["totals"]["total"] == 10
    export = client.get(COVERAGE, {"format": "csv"}).getvalue().decode("utf-8-sig")
    assert "市中医医院" in export and world.far_centre.name not in export
    assert client.get(COVERAGE, {"since": "无"}).status_code == 200
    head = log_in(world.posts.head).get(COVERAGE).context["totals"]
    assert head["total"] == 3, "a centre asks about itself and its clinics"


@pytest.mark.row("E34", "B11")
def test_the_bureau_selects_innovation_cases_and_recommends_them(
    world, log_in, django_capture_on_commit_callbacks
):
    case = entered(world.posts.doctor, "innovation", aspect="健康面对面")
    other = entered(world.posts.doctor, "obstacle", aspect="床位设置")
    client = log_in(world.posts.officer)
    page = client.get(case.get_absolute_url())
    assert [m.name for m in page.context["moves"]] == ["select"]
    assert client.get(other.get_absolute_url()).context["moves"] == []

    def press(name, row=case, **data):
        version = WorkLog.objects.get(pk=row.pk).version
        return client.post(
            reverse(f"campaigns:log_{name}", args=[row.pk]), {"version": version, **data}
        )

    press("select", other)
    other.refresh_from_db()
    assert other.status == "recorded"
    with django_capture_on_commit_callbacks(execute=True):
        press("select")
    assert Notification.objects.get(text__contains="入选").post == world.posts.doctor
    assert "请写明理由或意见" in press("recommend").content.decode()
    press("recommend", note="推荐市卫生健康委宣传")
    case.refresh_from_db()
    assert case.status == "recommended"
    found = client.get("/campaigns/logs/", {"status": "recommended"}).context["page"]
    assert found.count == 1
    doctor = log_in(world.posts.doctor)
    assert "已向上级推荐" in doctor.get(case.get_absolute_url()).content.decode()
    edit = reverse("campaigns:log_edit", args=[case.pk])
    assert doctor.get(edit).status_code == 403, "a selected case stands as it is"
    assert "推荐市卫生健康委宣传" in Event.objects.of(case).values_list("note", flat=True)


@pytest.mark.row("E35", "E17")
def test_obstacles_reengineering_and_field_guidance_are_kept_and_found(world, log_in):
    client = log_in(world.posts.head)
    enter(client, "obstacle", aspect="药物目录", decisions="建议放开慢病用药")
    flow = {"flow_before": "排队", "flow_after": "预约", "flow_from": "2023-03-01"}
    enter(client, "reengineering", aspect="体检流程", **flow)
    lead = log_in(world.posts.lead)
    enter(lead, "guidance", targets="公卫人员", decisions="补录随访")
    officer = log_in(world.posts.officer)
    page = officer.get("/campaigns/logs/", {"q": "药物目录"}).context["page"]
    assert [line.row.kind for line in page.rows] == ["obstacle"]
    for kind in ("reengineering", "guidance"):
        assert officer.get("/campaigns/logs/", {"kind": kind}).context["page"].count == 1
    export = officer.get("/campaigns/logs/", {"format": "csv"}).getvalue().decode("utf-8-sig")
    assert "建议放开慢病用药" in export and "体检流程" in export


@pytest.mark.row("A31")
def test_newcomers_who_were_not_trained_before_they_started_are_listed(world, log_in):
    def member(name, joined, trained=None, **more):
        return StaffMember.objects.create(
            institution=world.centre,
            name=name,
            title="岗位",
            joined=joined,
            trained=trained,
            **more,
        )

    member("岗位一", date(2023, 3, 1))
    member("岗位二", date(2023, 3, 1), date(2023, 3, 9))
    member("岗位三", date(2023, 3, 1), date(2023, 2, 20))
    member("岗位四", date(2023, 3, 1), left=date(2023, 4, 1))
    client = log_in(world.posts.officer)
    page = client.get("/campaigns/logs/staff/")
    assert [kpi["value"] for kpi in page.context["kpis"]] == [1, 1, 1]
    never = client.get(page.context["kpis"][0]["url"]).context["page"]
    assert [line.row.name for line in never.rows] == ["岗位一"]
    assert log_in(world.posts.other_head).get("/campaigns/logs/staff/").context["page"].count == 0


def test_only_the_unit_changes_its_entry_and_a_future_day_is_refused(world, log_in):
    log = entered(world.posts.head, "meeting")
    edit = reverse("campaigns:log_edit", args=[log.pk])
    for persona, expected in {"officer": 403, "other_head": 404, "auditor": 403}.items():
        assert log_in(getattr(world.posts, persona)).get(edit).status_code == expected
    client = log_in(world.posts.head)
    text = enter(client, "meeting", day="2023-05-01").content.decode()
    assert "日期不能晚于今天" in text
    text = enter(client, "meeting", follow_up_due="2023-05-01").content.decode()
    assert "请写明要落实的事项" in text


def test_the_lists_of_the_log_cost_the_same_at_20_and_200_rows(world, log_in):
    client = log_in(world.posts.officer)
    pages = ("/campaigns/logs/", COVERAGE, "/campaigns/logs/staff/")

    def many(count):
        for n in range(count):
            unit = builders.institution(
                f"ZC-X{count}-{n}", f"示例单位{count}-{n}", Kind.TOWNSHIP, world.county
            )
            WorkLog.objects.create(
                institution=unit,
                supervisor=world.county,
                kind="training",
                day=DAY,
                subject=f"培训{n}",
                text="x",
            )
            StaffMember.objects.create(institution=unit, name=f"岗{n}", title="岗", joined=DAY)

    def cost():
        found = {}
        for page in pages:
            client.get(page)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(page).status_code == 200
            found[page] = len(queries)
        return found

    many(20)
    few = cost()
    many(180)
    assert cost() == few and max(few.values()) <= 12, few


@pytest.mark.row("B20")
def test_tasks_are_checked_in_four_forms_and_those_never_checked_are_named(world, log_in):
    campaign = issued(world)
    task = campaign.tasks.get()
    client = log_in(world.posts.officer)
    assert "请选择督查的是哪个活动" in enter(client, "check", manner="visit").content.decode()
    assert "督查形式" in enter(client, "check", task=task.pk).content.decode()
    checked = reverse("campaigns:log_checks", args=[campaign.pk])
    assert task.name in client.get(checked).context["missing"]
    for manner in ("service", "dispatch", "supervision", "visit", "visit"):
        answer = enter(client, "check", manner=manner, task=task.pk, units=[world.centre.pk])
        assert answer.status_code == 302
    page = client.get(checked)
    line = page.context["listing"]["rows"][0]
    assert [str(cell.value) for cell in line.cells[1:5]] == ["1", "1", "1", "2"]
    assert not page.context["missing"] and "全部任务都督查过" in page.content.decode()
    assert client.get(line.cells[4].url or "").status_code == 200
    asked = {"kind": "check", "manner": "visit", "since": "2023-01-01"}
    units = client.get(COVERAGE, asked).context["page"]
    assert {row.row: row.row.times for row in units.rows}[world.centre] == 2
    with pytest.raises(IntegrityError), transaction.atomic():
        WorkLog.objects.update(manner="")


@pytest.mark.row("D33", "B08", "C22")
def test_kick_off_and_platforms_are_logged_with_their_address(world, log_in):
    client = log_in(world.posts.officer)
    wrong = enter(client, "platform", aspect="家医平台", platform="不是网址")
    assert wrong.status_code == 200 and not WorkLog.objects.exists()
    answer = enter(
        client,
        "platform",
        subject="智能化签约服务启动会，与平台工程师对接",
        aspect="家医平台",
        platform="https://example.org/jiayi",
        units=[world.centre.pk],
    )
    page = client.get(answer.url).content.decode()
    assert "信息化对接" in page and "https://example.org/jiayi" in page and "家医平台" in page
    found = client.get("/campaigns/logs/", {"kind": "platform"}).context["page"]
    assert found.count == 1
