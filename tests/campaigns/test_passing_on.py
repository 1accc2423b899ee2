"""A task received from the city: issued on to the county's units, summed up, and shown to the city by county."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from campaigns import issuing, passing_on, reporting
from campaigns.models import Campaign, Phase, Recipient, Report, Task
from institutions.models import Event
from institutions.workflow import StaleState
from tests.campaigns.papers import draft


def url(name, pk):
    return reverse(f"campaigns:{name}", args=[pk])


def city_campaign(world, **more) -> Campaign:
    """Issue the city's campaign to both counties and a unit of its own, with one task counted as `more` says."""
    row = Campaign.objects.create(
        institution=world.city,
        supervisor=world.city,
        name="优质服务基层行",
        title="优质服务基层行活动方案",
        number="示卫办〔2023〕5号",
        year=2023,
        issued_on=date(2023, 2, 20),
    )
    Phase.objects.create(
        campaign=row,
        institution=world.city,
        supervisor=world.city,
        position=1,
        name="自查",
        ends=date(2023, 4, 30),
    )
    units = (world.county, world.other_county, world.city_hospital)
    for unit in units:
        Recipient.objects.create(campaign=row, institution=unit)
    fields = {"name": "对照标准自查", "done_by": "check", "due": date(2023, 4, 30), **more}
    task = Task.objects.create(campaign=row, position=1, **fields)
    task.institutions.set(units)
    issuing.issue(row, by=world.posts.city_officer, version=row.version)
    return row


@pytest.fixture
def received(world) -> Report:
    row = city_campaign(world)
    return Report.objects.get(task__campaign=row, institution=world.county)


def pass_on(world, report, **more) -> Task:
    """Issue the received task on to both centres in a county campaign."""
    campaign = draft(world)
    campaign.tasks.all().delete()
    task = passing_on.start(campaign, report, world.posts.officer)
    for name, value in more.items():
        setattr(task, name, value)
    task.position = 1
    task.save()
    task.institutions.set([world.centre, world.other_centre])
    issuing.issue(campaign, by=world.posts.officer, version=campaign.version)
    return task


def answer(world, task, unit, by, *, accept=True, **told) -> Report:
    report = Report.objects.get(task=task, institution=unit)
    reporting.save(report, by=by, version=report.version, text="已自查", **told)
    report.submit(by=by, version=report.version)
    if accept:
        report.accept(by=world.posts.officer, version=report.version)
    return report


@pytest.mark.row("E29", "E02")
def test_a_county_issues_a_received_task_on_in_its_own_campaign(world, received, log_in):
    campaign = draft(world)
    client = log_in(world.posts.officer)
    page = client.get(received.get_absolute_url()).content.decode()
    address = f"{url('task_create', campaign.pk)}?report={received.pk}"
    assert "下达给辖区单位" in page and address in page
    page = client.get(address).content.decode()
    assert "对照标准自查" in page
    data = {
        "version": campaign.version,
        "name": "对照标准自查",
        "kind": "service",
        "done_by": "number",
        "due": "2023-05-30",
        "institutions": [world.centre.pk],
    }
    page = client.post(address, data).content.decode()
    assert "否则不能合计" in page and "不能晚于上级任务的时限" in page
    client.post(address, data | {"done_by": "check", "due": "2023-04-20"})
    task = campaign.tasks.get(passes_on=received)
    page = client.get(task.get_absolute_url()).content.decode()
    assert "落实上级任务" in page and "优质服务基层行" in page


def test_nobody_issues_on_what_another_bureau_received(world, received, log_in):
    campaign = draft(world)
    address = f"{url('task_create', campaign.pk)}?report={received.pk}"
    assert log_in(world.posts.far_officer).get(address).status_code == 404
    assert log_in(world.posts.head).get(address).status_code == 403
    other = Report.objects.get(institution=world.other_county)
    # What the neighbour received is out of sight; a unit's own report is not a bureau's.
    assert (
        log_in(world.posts.officer)
        .get(f"{url('task_create', campaign.pk)}?report={other.pk}")
        .status_code
        == 404
    )
    for wrong in ("x", "99999999999999999999", "０"):
        page = f"{url('task_create', campaign.pk)}?report={wrong}"
        assert log_in(world.posts.officer).get(page).status_code == 404
    own = Report.objects.get(institution=world.city_hospital)
    with pytest.raises(PermissionDenied):
        passing_on.start(campaign, own, world.posts.officer)
    with pytest.raises(PermissionDenied):
        passing_on.start(received.task.campaign, received, world.posts.officer)
    Report.objects.filter(pk=received.pk).update(
        status="submitted", submitted_at="2023-04-01T00:00Z"
    )
    received.refresh_from_db()
    with pytest.raises(ValidationError, match="已经报送"):
        passing_on.start(campaign, received, world.posts.officer)


@pytest.mark.row("E29", "E38")
def test_the_sum_of_the_accepted_reports_becomes_the_countys_report(world, received, log_in):
    task = pass_on(world, received)
    client = log_in(world.posts.officer)
    page = client.get(received.get_absolute_url()).content.decode()
    assert "已自查" in page and "0 / 2 家" in page and "disabled" in page
    answer(world, task, world.centre, world.posts.head, level="basic", problems=4)
    answer(
        world,
        task,
        world.other_centre,
        world.posts.other_head,
        accept=False,
        level="below",
        problems=9,
    )
    page = client.get(received.get_absolute_url()).content.decode()
    assert "1 / 2 家" in page and "1 家（审核采纳后才计入合计）" in page
    received.refresh_from_db()
    client.post(url("report_take_over", received.pk), {"version": received.version})
    received.refresh_from_db()
    assert received.sums == {"units": 2, "checked": 1, "levels": {"basic": 1}}
    assert (received.problems, received.text) == (4, "辖区共2家，已采纳1家报送。")
    assert Event.objects.of(received).filter(label="采用下级合计").count() == 1
    # Later the other is accepted too; the county takes the sum over again, then hands in.
    row = Report.objects.get(task=task, institution=world.other_centre)
    row.accept(by=world.posts.officer, version=row.version)
    passing_on.take_over(received, by=world.posts.officer, version=received.version)
    assert received.level_text == "基本标准1家、未达基本标准1家" and received.problems == 13
    received.submit(by=world.posts.officer, version=received.version)
    assert received.status == "submitted"


def test_only_the_county_takes_over_and_only_under_the_version_it_saw(world, received, log_in):
    task = pass_on(world, received)
    with pytest.raises(ValidationError, match="没有采纳的报送"):
        passing_on.take_over(received, by=world.posts.officer, version=received.version)
    received.refresh_from_db()
    answer(world, task, world.centre, world.posts.head, level="basic", problems=1)
    data = {"version": received.version}
    for post, status in (
        (world.posts.city_officer, 403),
        (world.posts.far_officer, 404),
        (world.posts.head, 404),
    ):
        assert log_in(post).post(url("report_take_over", received.pk), data).status_code == status
    with pytest.raises(StaleState):
        passing_on.take_over(received, by=world.posts.officer, version=99)
    received.refresh_from_db()
    assert received.sums == {}


@pytest.mark.row("E38")
def test_the_city_sees_the_table_by_county_and_its_own_units_at_the_same_pace(
    world, received, log_in
):
    task = pass_on(world, received)
    answer(world, task, world.centre, world.posts.head, level="recommended", problems=2)
    answer(world, task, world.other_centre, world.posts.other_head, level="basic", problems=3)
    received.refresh_from_db()
    passing_on.take_over(received, by=world.posts.officer, version=received.version)
    client = log_in(world.posts.city_officer)
    page = client.get(received.task.get_absolute_url())
    lines = {
        line.row.institution.code: [cell.value for cell in line.cells[1:7]]
        for line in page.context["listing"]["rows"]
    }
    # 单位数, 已自查, 推荐标准, 基本标准, 未达基本标准, 问题数
    assert lines["ZC"] == [2, 2, 1, 1, 0, 5]
    assert lines["ZD"] == [1, 0, 0, 0, 0, "—"] and lines["ZC-SZY"] == [1, 0, 0, 0, 0, "—"]
    assert log_in(world.posts.far_officer).get(received.get_absolute_url()).status_code == 404


@pytest.mark.row("E02")
def test_numbers_percentages_and_coverages_are_summed_each_in_its_way(world):
    for way, told, value in (
        ({"done_by": "number"}, ({"number": 3}, {"number": 4}), "7"),
        (
            {"done_by": "percent", "goal": Decimal(60)},
            ({"numerator": 1, "denominator": 2}, {"numerator": 5, "denominator": 8}),
            "60%（6/10）",
        ),
        (
            {"done_by": "coverage", "covers": ["甲", "乙", "丙"]},
            ({"covered": ["甲", "乙"]}, {"covered": ["乙", "丙"]}),
            "1/3",
        ),
    ):
        Campaign.objects.filter(number="示卫办〔2023〕5号").update(number=f"旧{way['done_by']}")
        Campaign.objects.filter(number="示卫健字〔2023〕13号").update(number=f"前{way['done_by']}")
        row = city_campaign(world, **way)
        report = Report.objects.get(task__campaign=row, institution=world.county)
        task = pass_on(world, report)
        answer(world, task, world.centre, world.posts.head, **told[0])
        answer(world, task, world.other_centre, world.posts.other_head, **told[1])
        passing_on.take_over(report, by=world.posts.officer, version=report.version)
        report.refresh_from_db()
        assert report.value_text == value
