"""Who answers for a task: recipients of three sorts, departments, receivers, ways of counting, the matrix, the list."""

import io
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns import duties, issuing, reporting
from campaigns.models import Campaign, Recipient, Report, Task
from campaigns.summary import by_region, reached
from institutions.models import Department, Event, Kind, Region
from institutions.roles import Role
from tests import builders
from tests.campaigns.papers import draft, issued, report_of


def url(name, pk):
    return reverse(f"campaigns:{name}", args=[pk])


def counted(world, **more) -> Task:
    """A draft's task, counted as asked, of both centres."""
    task = draft(world).tasks.get()
    for name, value in more.items():
        setattr(task, name, value)
    task.full_clean()
    task.save()
    return task


def issue(campaign: Campaign, world) -> None:
    campaign.refresh_from_db()
    issuing.issue(campaign, by=world.posts.officer, version=campaign.version)


def hand_in(report: Report, by, **told) -> Report:
    reporting.save(report, by=by, version=report.version, text="已完成", **told)
    report.submit(by=by, version=report.version)
    return report


@pytest.fixture
def office(world):
    """A department of the bureau with a post of its own."""
    world.office = Department.objects.create(institution=world.county, name="基妇科")
    world.posts.of_office = builders.post(
        world.county, Role.OFFICER, "基妇科长", department=world.office
    )
    return world.office


@pytest.fixture
def village(world):
    street = Region.objects.get(code="370306901")
    return Region.objects.create(
        code="370306901001", name="示例村", level=Region.Level.VILLAGE, parent=street
    )


# --- Recipients of three sorts ---------------------------------------------------------------------


@pytest.mark.row("C01", "B01")
def test_a_paper_goes_to_units_departments_and_villages(world, office, village, log_in):
    row = draft(world)
    client = log_in(world.posts.officer)
    page = client.get(url("recipient_edit", row.pk)).content.decode()
    assert "基妇科" in page and "示例村" in page and "村（居）（1个）" in page
    data = {"version": row.version, "departments": office.pk, "levels": str(village.level)}
    answer = client.post(url("recipient_edit", row.pk), data, follow=True)
    assert "已加入 2 个主送对象" in answer.content.decode()
    assert row.recipients.of_sort("department").get().institution == world.county
    assert row.recipients.of_sort("region").get().institution == world.street_office
    issue(row, world)
    waiting = client.get(reverse("campaigns:receipt_list")).content.decode()
    assert "示例村" in waiting and "基妇科" in waiting
    page = client.get(row.get_absolute_url()).content.decode()
    assert "还没有签收（5个）" in page and "示例村" in page


@pytest.mark.row("C01", "B01")
def test_a_departments_post_and_a_street_confirm_for_their_own_and_no_other(
    world, office, village, log_in
):
    row = draft(world)
    Recipient.objects.create(campaign=row, institution=world.county, department=office)
    Recipient.objects.create(campaign=row, institution=world.street_office, region=village)
    issue(row, world)
    # Not the bureau's other posts, nor a street's post of another area.
    with pytest.raises(PermissionDenied):
        issuing.receive(row, by=world.posts.officer)
    other = Region.objects.create(
        code="370306902", name="另一街道", level=4, parent=world.county.region
    )
    far = builders.institution("ZC-JD2", "另一街道办", Kind.STREET, world.county, region=other)
    with pytest.raises(PermissionDenied):
        issuing.receive(row, by=builders.post(far, Role.STREET, "另一街道主任"))
    for post, name in ((world.posts.of_office, "基妇科"), (world.posts.street, "示例村")):
        client = log_in(post)
        assert f"这份文件主送{name}" in client.get(row.get_absolute_url()).content.decode()
        client.post(url("campaign_receive", row.pk))
        done = row.recipients.get(received_by=post)
        assert done.name == name and done.received_at
    # Each once; the others still wait.
    assert row.recipients.filter(received_at__isnull=True).units().count() == 3
    assert not issuing.receive(row, by=world.posts.street)


def test_a_recipient_is_of_one_sort_and_named_once(world, office, village):
    row = draft(world)
    Recipient.objects.create(campaign=row, institution=world.county, department=office)
    for wrong in (
        {"institution": world.county, "department": office},
        {"institution": world.centre},
        {"institution": world.county, "department": office, "region": village},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Recipient.objects.create(campaign=row, **wrong)


def test_a_village_without_a_street_office_is_confirmed_by_the_bureau(world):
    row = draft(world)
    lonely = Region.objects.create(
        code="370306903", name="无街道办的镇", level=4, parent=world.county.region
    )
    issuing.address(row, [], by=world.posts.officer, version=row.version, regions=[lonely])
    assert row.recipients.of_sort("region").get().institution == world.county
    issue(row, world)
    assert issuing.receive(row, by=world.posts.officer)


def test_departments_and_villages_are_taken_off_a_draft(world, office, log_in):
    row = draft(world)
    other = Recipient.objects.create(campaign=row, institution=world.county, department=office)
    client = log_in(world.posts.officer)
    client.post(url("recipient_remove", row.pk), {"version": row.version, "others": other.pk})
    assert not row.recipients.of_sort("department").exists() and row.recipients.count() == 3


# --- Who answers, as printed -------------------------------------------------------------------------


@pytest.mark.row("B02", "B03", "B13")
def test_the_page_prints_who_answers_for_an_area_as_the_paper_does(world, office, log_in):
    row = draft(world)
    task = row.tasks.get()
    task.area = "严格落实疫情防控措施"
    task.save()
    task.leaders.set([world.posts.leader])
    double = Department.objects.create(
        institution=world.county, name="中医药科", other_name="医养健康科"
    )
    task.departments.set([office, double])
    task.unit_departments.set([office])
    said = (
        "（责任领导：分管局长，牵头科室：中医药科（挂医养健康科牌子）、基妇科，"
        "责任科室单位：基妇科、青年路社区卫生服务中心、王村镇中心卫生院）"
    )
    assert task.answering == said
    page = log_in(world.posts.officer).get(row.get_absolute_url()).content.decode()
    assert page.count(said) == 1 and "严格落实疫情防控措施" in page
    # A second task of the area with others who answer: each prints its own.
    Task.objects.create(
        campaign=row, position=2, name="发热门诊建设", area=task.area, due=task.due
    ).departments.set([office])
    page = log_in(world.posts.officer).get(row.get_absolute_url()).content.decode()
    assert said in page and "（牵头科室：基妇科）" in page


@pytest.mark.row("B02")
def test_a_department_answers_like_a_unit_and_does_not_judge_itself(world, office, log_in):
    row = draft(world)
    row.tasks.get().unit_departments.set([office])
    issue(row, world)
    report = Report.objects.get(department=office)
    assert (report.institution, report.supervisor) == (world.county, world.county)
    with pytest.raises(PermissionDenied):
        reporting.save(report, by=world.posts.officer, version=report.version, text="代填")
    Task.objects.update(done_by="report")
    report = hand_in(Report.objects.get(pk=report.pk), world.posts.of_office)
    assert not report.may("accept", world.posts.of_office)
    client = log_in(world.posts.officer)
    client.post(url("report_accept", report.pk), {"version": report.version})
    report.refresh_from_db()
    assert report.status == "accepted"


# --- The receiver ------------------------------------------------------------------------------------


@pytest.fixture
def received(world):
    """A task whose reports 区疾控 collects, of both centres; issued."""
    row = draft(world)
    Recipient.objects.create(campaign=row, institution=world.cdc)
    Task.objects.filter(campaign=row).update(
        receiver=world.cdc, done_by="report", name="社区诊断报告"
    )
    issue(row, world)
    world.posts.cdc = builders.post(world.cdc, Role.HEAD, "疾控主任")
    return row


@pytest.mark.row("A45")
def test_the_receiver_sees_judges_and_sums_up_what_is_reported_to_it(world, received, log_in):
    report = report_of(received, world.centre)
    assert report.supervisor == world.cdc
    hand_in(report, world.posts.head)
    client = log_in(world.posts.cdc)
    assert "任务报送待审核" in client.get("/").content.decode()
    listed = client.get(reverse("campaigns:report_list") + "?scope=asked&status=submitted")
    assert [line.row for line in listed.context["listing"]["rows"]] == [report]
    page = client.get(report.task.get_absolute_url()).content.decode()
    assert "有 1 份报送等待审核" in page and "催办文字" in page and "王村镇中心卫生院" in page
    client.post(url("report_accept", report.pk), {"version": report.version})
    report.refresh_from_db()
    assert report.status == "accepted"


def test_only_the_receiver_judges_and_only_its_posts_and_the_bureau_see(world, received, log_in):
    report = hand_in(report_of(received, world.centre), world.posts.head)
    for post, status in (
        (world.posts.officer, 403),  # the bureau sees, and leaves it to the receiver
        (world.posts.head, 403),
        (world.posts.other_head, 404),
        (world.posts.maternal_head, 404),
        (world.posts.far_officer, 404),
    ):
        data = {"version": report.version}
        assert log_in(post).post(url("report_accept", report.pk), data).status_code == status
    # The hospital's expert does not read what his hospital would receive.
    expert = builders.post(world.cdc, Role.EXPERT, "专家")
    assert not Report.objects.visible_to(expert).exists()
    assert Report.objects.visible_to(world.posts.cdc).count() == 2


def test_a_receiver_is_addressed_and_does_not_answer_to_itself(world, log_in):
    row = draft(world)
    task = row.tasks.get()
    task.receiver = world.cdc
    task.save()
    with pytest.raises(ValidationError, match="不在主送机构中"):
        issue(row, world)
    task.receiver = world.centre
    task.save()
    with pytest.raises(ValidationError, match="不能又是责任单位"):
        issue(row, world)
    data = {
        "version": row.version,
        "name": "报告",
        "kind": "service",
        "done_by": "report",
        "due": "2023-03-03",
        "receiver": world.centre.pk,
        "institutions": world.centre.pk,
    }
    page = log_in(world.posts.officer).post(url("task_edit", task.pk), data)
    assert "不能收集自己的报送" in page.content.decode()


# --- Ways of counting --------------------------------------------------------------------------------


@pytest.mark.row("B14")
def test_a_coverage_is_ticked_one_by_one(world, log_in):
    task = counted(world, done_by="coverage", covers=["区", "镇（街道）", "村（社区）"])
    issue(task.campaign, world)
    report = report_of(task.campaign, world.centre)
    client = log_in(world.posts.staff)
    page = client.get(report.get_absolute_url()).content.decode()
    assert "全覆盖（3个）" in page and "镇（街道）" in page
    data = {"version": 1, "text": "已建", "covered": ["区", "镇（街道）"], "then": "submit"}
    client.post(url("report_save", report.pk), data)
    report.refresh_from_db()
    assert (report.covered, report.value_text, report.reached) == (
        ["区", "镇（街道）"],
        "2/3",
        False,
    )
    report.covered = task.covers
    assert report.reached is True
    refused = client.post(url("report_save", report.pk), {**data, "covered": "国家"})
    assert refused.status_code in (200, 409)


@pytest.mark.row("B12")
def test_a_percentage_has_its_denominator_and_is_compared_exactly(world, log_in):
    task = counted(world, done_by="percent", goal=Decimal(60), name="严重精神障碍患者规范管理率")
    issue(task.campaign, world)
    report = report_of(task.campaign, world.centre)
    client = log_in(world.posts.staff)
    for wrong, said in (
        ({"numerator": 5}, "要一起填写"),
        ({"numerator": 5, "denominator": 0}, "应完成数不能是 0"),
        ({"numerator": 6, "denominator": 5}, "完成数不能超过应完成数"),
    ):
        data = {"version": 1, "text": "已完成", **wrong}
        assert said in client.post(url("report_save", report.pk), data).content.decode()
    data = {"version": 1, "text": "已完成", "then": "submit"}
    client.post(url("report_save", report.pk), data)
    report.refresh_from_db()
    assert report.status == "open"  # without the two numbers it cannot be handed in
    data |= {"version": report.version, "numerator": 5999, "denominator": 10000}
    client.post(url("report_save", report.pk), data)
    report.refresh_from_db()
    assert report.status == "submitted"
    # 59.99 % is not 60 %, nor is 59.999 %, which would be shown rounded.
    assert report.reached is False and report.value_text == "59.99%（5999/10000）"
    report.numerator, report.denominator = 59999, 100000
    assert report.reached is False
    report.numerator = 60000
    assert report.reached is True
    page = log_in(world.posts.officer).get(task.get_absolute_url()).content.decode()
    assert "未达目标" in page and "≥60%" in page


def test_the_database_refuses_a_part_greater_than_the_whole(world):
    report = report_of(issued(world), world.centre)
    for wrong in ({"numerator": 3, "denominator": 2}, {"numerator": 0, "denominator": 0}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Report.objects.filter(pk=report.pk).update(**wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        Task.objects.update(goal=Decimal(0))


def test_a_task_says_what_its_way_of_counting_needs(world):
    for wrong in (
        {"done_by": "coverage", "covers": ["只有一个"]},
        {"done_by": "percent", "goal": Decimal(101)},
        {"done_by": "coverage", "covers": ["甲", "乙"], "goal": Decimal(3)},
    ):
        task = Task(**wrong)
        with pytest.raises(ValidationError):
            task.clean()
    assert Task(done_by="number", goal=Decimal(3), unit="个").goal_text == "≥3个"


@pytest.mark.row("B16")
def test_projects_are_listed_with_year_and_stage_against_a_target(world, log_in):
    task = counted(
        world,
        kind="construction",
        done_by="number",
        goal=Decimal(2),
        unit="个",
        name="子项目落地开工",
    )
    issue(task.campaign, world)
    report = report_of(task.campaign, world.centre)
    with pytest.raises(ValidationError, match="项目进度"):
        hand_in(report, world.posts.head, number=2)
    report = hand_in(Report.objects.get(pk=report.pk), world.posts.head, stage="started", number=2)
    report.accept(by=world.posts.officer, version=report.version)
    client = log_in(world.posts.officer)
    page = client.get(reverse("campaigns:task_list") + "?kind=construction&year=2023")
    assert "子项目落地开工" in page.content.decode() and "已开工1个" in page.content.decode()
    page = client.get(task.get_absolute_url()).content.decode()
    assert "合计 2个" in page and "达到目标" in page
    assert (
        "没有符合条件"
        in client.get(
            reverse("campaigns:task_list") + "?kind=construction&year=2022"
        ).content.decode()
    )


def test_progress_by_region_says_who_is_missing(world):
    row = issued(world)
    report = report_of(row, world.centre)
    Report.objects.filter(pk=report.pk).update(
        status="accepted", submitted_at="2023-03-01T00:00Z", decided_at="2023-03-01T00:00Z"
    )
    found = {r.name: (r.accepted, r.total, r.missing) for r in by_region(Report.objects.all())}
    assert found == {"示例街道": (1, 1, 0), "周村区": (0, 1, 1)}
    assert reached(report.task, Report.objects.all()).text == ""


# --- Tags --------------------------------------------------------------------------------------------


@pytest.mark.row("A18", "D03", "D07")
def test_tasks_are_found_by_their_programme(world, log_in):
    row = draft(world)
    for place, name in enumerate(("三高共管 六病同防 医防融合", "369人才工程", "政府十大实事"), 2):
        Task.objects.create(
            campaign=row, position=place, name=f"任务{place}", programme=name, due=date(2023, 3, 3)
        )
    client = log_in(world.posts.officer)
    page = client.get(reverse("campaigns:task_list"), {"programme": "369人才工程"})
    assert [line.row.name for line in page.context["listing"]["rows"]] == ["任务3"]
    page = client.get(reverse("campaigns:task_list"), {"programme": "政府十大实事"})
    assert [line.row.name for line in page.context["listing"]["rows"]] == ["任务4"]
    # By the leader's title, once each, with its reports counted once.
    second = builders.post(world.county, Role.LEADER, "分管副局长")
    row.tasks.get(position=1).leaders.set([world.posts.leader, second])
    issue(row, world)
    page = client.get(reverse("campaigns:task_list"), {"q": "分管"})
    (line,) = page.context["listing"]["rows"]
    assert line.row.position == 1 and line.row.owed == 2


@pytest.mark.row("D40")
def test_tasks_bear_the_six_objectives_and_are_found_by_them(world, log_in):
    row = draft(world)
    assert [label for _, label in Task.Objective.choices] == [
        "优化服务流程",
        "改善就医环境",
        "完善便民措施",
        "规范医疗管理",
        "提升医疗质量",
        "保证医疗安全",
    ]
    client = log_in(world.posts.officer)
    data = {
        "version": row.version,
        "name": "设自助机",
        "kind": "improvement",
        "done_by": "yes",
        "due": "2023-03-03",
        "objectives": ["flow", "ease"],
        "institutions": world.centre.pk,
    }
    client.post(url("task_create", row.pk), data)
    task = row.tasks.get(name="设自助机")
    assert task.objective_labels == ["优化服务流程", "完善便民措施"]
    for code, n in (("ease", 1), ("safety", 0)):
        page = client.get(reverse("campaigns:task_list"), {"objectives": code})
        assert len(page.context["listing"]["rows"]) == n


@pytest.mark.row("B17")
def test_each_unit_reports_its_own_sub_brand(world, log_in):
    row = draft(world)
    Task.objects.filter(campaign=row).update(done_by="report", name="创建“党·健同行”子品牌")
    issue(row, world)
    hand_in(report_of(row, world.centre), world.posts.head)
    page = log_in(world.posts.officer).get(row.tasks.get().get_absolute_url()).content.decode()
    assert "还有 1 家" not in page and "有 1 份报送等待审核" in page


# --- The matrix --------------------------------------------------------------------------------------


def matrix_url(campaign, **query) -> str:
    return f"{url('duty_matrix', campaign.pk)}?{'&'.join(f'{k}={v}' for k, v in query.items())}"


@pytest.mark.row("C19", "B02")
def test_the_matrix_shows_each_units_state_by_unit_department_and_leader(world, office, log_in):
    row = draft(world)
    task = row.tasks.get()
    task.leaders.set([world.posts.leader])
    task.departments.set([office])
    second = Task.objects.create(campaign=row, position=2, name="孕产妇健康管理", due=task.due)
    second.institutions.set([world.centre])
    second.unit_departments.set([office])
    table = duties.matrix(row, world.posts.officer, "unit")
    assert [r.label for r in table.rows] == ["青年路社区卫生服务中心", "王村镇中心卫生院", "基妇科"]
    assert [d.text for d in table.rows[1].duties] == ["待印发", ""]
    issue(row, world)
    client = log_in(world.posts.officer)
    page = client.get(matrix_url(row)).content.decode()
    assert "逾期" in page and "不涉及" in page and "2023年3月3日前" in page
    by_office = duties.matrix(row, world.posts.officer, "department")
    assert [(r.label, [d.text for d in r.duties]) for r in by_office.rows] == [
        ("基妇科", ["已采纳0/2，逾期2", ""])
    ]
    page = client.get(matrix_url(row, by="leader")).content.decode()
    assert "分管局长" in page and reverse("leader_page", args=[world.posts.leader.pk]) in page


@pytest.mark.row("C19")
def test_a_streets_office_answers_beside_the_centre(world, log_in):
    row = draft(world)
    Recipient.objects.create(campaign=row, institution=world.street_office)
    task = row.tasks.get()
    Task.objects.filter(pk=task.pk).update(done_by="report", name="0-6岁儿童健康管理")
    task.institutions.set([world.centre, world.street_office])
    issue(row, world)
    report = report_of(row, world.street_office)
    data = {"version": 1, "text": "已摸底并转中心建档", "then": "submit"}
    log_in(world.posts.street).post(url("report_save", report.pk), data)
    table = duties.matrix(row, world.posts.officer, "unit")
    assert {r.label: r.duties[0].text for r in table.rows}["示例街道办事处"] == "待审核"
    # The street sees the centre's duty of its area, and does not write it.
    other = report_of(row, world.centre)
    client = log_in(world.posts.street)
    assert client.post(url("report_save", other.pk), data).status_code == 403


def test_a_unit_sees_its_own_row_of_the_matrix_and_strangers_none(world, log_in):
    row = issued(world)
    rows = duties.matrix(row, world.posts.head, "unit").rows
    assert [r.label for r in rows] == ["青年路社区卫生服务中心"]
    assert log_in(world.posts.far_officer).get(matrix_url(row)).status_code == 404
    assert log_in(world.posts.system).get(matrix_url(row)).status_code == 403


def test_the_matrix_is_exported_and_the_export_recorded(world, log_in):
    row = issued(world)
    answer = log_in(world.posts.officer).get(matrix_url(row, by="unit", format="xlsx"))
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    lines = list(sheet.iter_rows(values_only=True))
    assert lines[0] == ("责任科室单位", "召开动员部署会（3月3日前）")
    assert [line[0] for line in lines[1:]] == ["青年路社区卫生服务中心", "王村镇中心卫生院"]
    assert Event.objects.filter(label="导出责任矩阵").count() == 1


def test_the_matrix_and_the_task_list_cost_the_same_at_10_and_at_200_units(world, log_in):
    row = issued(world)
    task = row.tasks.get()
    task.leaders.set([world.posts.leader])
    client = log_in(world.posts.officer)
    pages = [matrix_url(row, by=by) for by in duties.BY]
    pages += [matrix_url(row, format="xlsx"), reverse("campaigns:task_list")]

    def more(first: int, last: int) -> None:
        for n in range(first, last):
            unit = builders.institution(f"ZC-M{n}", f"卫生院{n}", Kind.TOWNSHIP, world.county)
            Recipient.objects.create(campaign=row, institution=unit)
            task.institutions.add(unit)
            Report.objects.create(
                institution=unit, supervisor=world.county, task=task, due=task.due
            )

    def cost() -> list[int]:
        found = []
        for page in pages:
            client.get(page)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(page).status_code == 200
            found.append(len(queries))
        return found

    more(0, 8)
    few = cost()
    more(8, 198)
    assert cost() == few
    assert max(few[:3]) <= 14 and few[-1] <= 12, few
