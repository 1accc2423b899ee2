"""Gap lists with a three-year plan, secondments, and the record of a process before and after."""

from datetime import date

import pytest
from django.urls import reverse

from campaigns.models import Gap, Secondment, WorkLog
from campaigns.work import work_for
from institutions import clock
from institutions.models import Notification, StaffMember
from tests import builders

LIST = "/campaigns/gaps/"
GIVEN = {
    "aspect": "devices",
    "text": "没有生化分析仪",
    "basis": "服务能力标准",
    "measure": "列入采购",
    "first_year": "2023",
    "year": "2024",
    "person": "检验科主任",
}


@pytest.fixture(autouse=True)
def today(monkeypatch):
    def move(day):
        monkeypatch.setattr(clock, "today", lambda: day)

    move(date(2023, 6, 1))
    return move


@pytest.mark.row("D02", "D37")
def test_gaps_in_six_aspects_are_planned_over_three_years_and_the_bureau_sees_who_lacks(
    world, log_in
):
    head = log_in(world.posts.head)
    create = reverse("campaigns:gap_create")
    assert (
        "应在 2023 年至 2025 年之间"
        in head.post(create, {**GIVEN, "year": "2026"}).content.decode()
    )
    for aspect in Gap.Aspect.values:
        assert head.post(create, {**GIVEN, "aspect": aspect}).status_code == 302
    page = log_in(world.posts.officer).get(LIST)
    progress = page.context["progress"]
    assert [row[1] for row in progress.rows] == [
        "基础设施",
        "基本设备",
        "科室设置",
        "服务流程",
        "内外环境",
        "信息系统",
    ]
    assert progress.whole.text == "0/6" and progress.years == [2023, 2024, 2025]
    assert world.other_centre in progress.missing and world.centre not in progress.missing
    assert log_in(world.posts.officer).get(LIST, {"aspect": "flow"}).context["page"].count == 1
    paper = log_in(world.posts.head).get(reverse("campaigns:gap_plan", args=[world.centre.pk]))
    assert "补短板清单（2023—2025年）" in paper.content.decode()
    sheet = log_in(world.posts.officer).get(LIST, {"format": "xlsx", "unit": world.centre.pk})
    assert sheet.getvalue()[:2] == b"PK"
    assert log_in(world.posts.officer).get(create).status_code == 403


@pytest.mark.row("D02", "D37")
def test_a_gap_is_closed_with_evidence_and_counts_when_the_bureau_confirms(
    world, log_in, today, django_capture_on_commit_callbacks
):
    head = log_in(world.posts.head)
    head.post(reverse("campaigns:gap_create"), GIVEN)
    gap = Gap.objects.get()

    def press(name, post, **data):
        version = Gap.objects.get().version
        url = reverse(f"campaigns:gap_{name}", args=[gap.pk])
        with django_capture_on_commit_callbacks(execute=True):
            return (
                log_in(post).post(url, {"version": version, **data}, follow=True).content.decode()
            )

    assert "请先上传佐证材料" in press("finish", world.posts.head, note="已配备")
    edit = reverse("campaigns:gap_edit", args=[gap.pk])
    head = log_in(world.posts.head)
    head.post(edit, {**GIVEN, "version": gap.version, "files": [builders.picture()]})
    press("finish", world.posts.head, note="已配备并验收")
    assert Gap.objects.get().status == "done"
    assert {line.label for line in work_for(world.posts.officer)} >= {"短板补齐待确认"}
    assert log_in(world.posts.head).get(edit).status_code == 403, "it waits for the bureau"
    press("send_back", world.posts.officer, note="照片看不清")
    assert Notification.objects.filter(text__contains="被退回", post=world.posts.head).exists()
    press("finish", world.posts.head, note="已重拍")
    press("confirm", world.posts.officer)
    assert log_in(world.posts.officer).get(LIST).context["progress"].whole.text == "1/1"
    Gap.objects.update(status="planned", finished_on=None)
    today(date(2025, 1, 2))
    assert {line.label for line in work_for(world.posts.head)} >= {"短板过期未补齐"}
    overdue = log_in(world.posts.officer).get(LIST, {"when": "overdue"})
    assert overdue.context["page"].count == 1 and "过期未补齐" in overdue.content.decode()


@pytest.mark.row("D39")
def test_a_secondment_is_applied_for_returned_approved_and_reported(
    world, log_in, today, django_capture_on_commit_callbacks
):
    member = StaffMember.objects.create(
        institution=world.centre, name="全科医师1", title="全科医师"
    )
    foreign = StaffMember.objects.create(institution=world.other_centre, name="医师2", title="医师")
    given = {
        "member": member.pk,
        "host": "郑州大学第五附属医院",
        "subject": "全科医学",
        "starts": "2023-07-01",
        "ends": "2023-09-30",
        "reason": "缺全科骨干",
    }
    create = reverse("campaigns:secondment_create")
    staff = log_in(world.posts.staff)
    assert staff.post(create, {**given, "member": foreign.pk}).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        assert staff.post(create, given).status_code == 302
    assert Notification.objects.filter(
        post=world.posts.officer, text__contains="请审批进修"
    ).exists()
    row = Secondment.objects.get()
    assert "已经有进修申请" in staff.post(create, given).content.decode()

    def press(name, post, **data):
        version = Secondment.objects.get().version
        url = reverse(f"campaigns:secondment_{name}", args=[row.pk])
        return log_in(post).post(url, {"version": version, **data})

    assert press("approve", world.posts.head).status_code == 403
    press("send_back", world.posts.officer, note="请推迟到八月")
    edit = reverse("campaigns:secondment_edit", args=[row.pk])
    changed = {**given, "starts": "2023-08-01", "version": Secondment.objects.get().version}
    log_in(world.posts.staff).post(edit, changed)
    row.refresh_from_db()
    assert row.status == "applied" and row.starts == date(2023, 8, 1)
    press("approve", world.posts.officer)
    today(date(2023, 10, 9))
    assert {line.label for line in work_for(world.posts.head)} >= {"进修已结束，请登记成效"}
    over = log_in(world.posts.officer).get("/campaigns/secondments/", {"when": "over"})
    assert over.context["page"].count == 1
    press("finish", world.posts.staff, note="开设全科门诊")
    row.refresh_from_db()
    assert row.status == "finished" and row.result == "开设全科门诊"


@pytest.mark.row("A20")
def test_a_process_is_recorded_before_and_after_with_the_day_it_came_into_force(world, log_in):
    head = log_in(world.posts.head)
    url = f"{reverse('campaigns:log_create')}?kind=reengineering"
    given = {"day": "2023-05-20", "subject": "老年人体检流程", "text": "平均等候减少 40 分钟"}
    assert head.post(url, given).status_code == 200, "before, after and the day are asked for"
    flow = {
        "flow_before": "挂号→候诊→分科排队",
        "flow_after": "预约→一站式体检",
        "flow_from": "2023-05-22",
    }
    assert head.post(url, {**given, **flow}).status_code == 302
    log = WorkLog.objects.get()
    text = log_in(world.posts.officer).get(log.get_absolute_url()).content.decode()
    for said in ("优化前的流程", "挂号→候诊→分科排队", "预约→一站式体检", "2023年5月22日"):
        assert said in text, said
