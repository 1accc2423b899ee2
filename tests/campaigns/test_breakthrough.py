"""突破事项: from the round to the table, with quotas, the three criteria, late ones and progress; who sees and does what."""

from datetime import date, datetime
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from campaigns import breakthrough, work
from campaigns.breakthrough import Quota
from campaigns.breakthrough_annex import TITLE
from campaigns.models import (
    BreakthroughItem,
    BreakthroughQuota,
    BreakthroughRound,
    BreakthroughSubmission,
    Recipient,
)
from campaigns.models.breakthrough import CRITERIA
from institutions import clock
from institutions.models import Department, Event, Kind, Notification
from institutions.roles import Role
from institutions.workflow import StaleState
from tests import builders
from tests.campaigns.papers import issued

SHANGHAI = ZoneInfo("Asia/Shanghai")
DUE = date(2021, 3, 12)
Sort = BreakthroughQuota.Sort
ITEM = {
    "name": "建成感染性疾病科",
    "content": "建成独立的感染性疾病科",
    "measures": "9月底前通过验收",
    "due": "2021-09-30",
    "person": "分管院长",
    "office": "医务科",
}


@pytest.fixture(autouse=True)
def at(monkeypatch):
    """Set the clock: `at(date)`; it starts within the time to hand in."""

    def move(day):
        moment = datetime(day.year, day.month, day.day, 12, tzinfo=SHANGHAI)
        monkeypatch.setattr(clock, "today", lambda: day)
        monkeypatch.setattr(clock, "now", lambda: moment)

    move(date(2021, 3, 8))
    return move


@pytest.fixture
def office(world):
    """The bureau's two departments, each with an officer."""
    w = world
    w.office = Department.objects.create(institution=w.county, name="办公室")
    w.women = Department.objects.create(institution=w.county, name="基妇科")
    w.posts.officer.department = w.office
    w.posts.officer.save()
    w.posts.second_officer.department = w.women
    w.posts.second_officer.save()
    return w


def round_of(world, *, departments=(), issue=True) -> BreakthroughRound:
    campaign = issued(world, number="示卫健字〔2021〕20号", year=2021)
    by = world.posts.officer
    row = breakthrough.set_up(
        BreakthroughRound(campaign=campaign, name="突破事项", due=DUE, receiver="局办公室公务邮箱"),
        [
            Quota(Sort.NAMED, 2, 3, [world.maternal]),
            *([Quota(Sort.DEPARTMENTS, 1, 2, departments=departments)] if departments else []),
            Quota(Sort.OTHERS, 1, 2),
        ],
        by=by,
    )
    if issue:
        breakthrough.issue(row, by=by, version=row.version)
    return row


def of(unit) -> BreakthroughSubmission:
    return BreakthroughSubmission.objects.get(institution=unit, department=None)


def url(name, pk, *more):
    return reverse(f"campaigns:breakthrough_{name}", args=[pk, *more])


def add(client, submission, **changes):
    submission.refresh_from_db()
    data = {**ITEM, **changes, "version": submission.version}
    return client.post(url("item_create", submission.pk), data)


def press(client, submission, name):
    submission.refresh_from_db()
    return client.post(
        url(name, submission.pk), {"version": submission.version}, follow=True
    ).content.decode()


def review(client, submission, then, *, answer="yes", opinion="", note=""):
    submission.refresh_from_db()
    data = {"version": submission.version, "then": then, "note": note}
    for item in submission.items.all():
        data |= {f"item{item.pk}-{name}": "yes" for name in CRITERIA}
        data |= {f"item{item.pk}-ahead": answer, f"item{item.pk}-opinion": opinion}
    return client.post(url("review", submission.pk), data, follow=True).content.decode()


def accepted(world, unit, by, count=1, **changes) -> BreakthroughSubmission:
    """Bring a unit's submission to its acceptance by the deeds."""
    submission = of(unit)
    for n in range(count):
        fields = {**ITEM, "name": f"事项{n}", "due": date(2021, 9, 30), **changes}
        item = BreakthroughItem(submission=submission, **fields)
        breakthrough.save_item(item, by=by, version=submission.version)
    submission.submit(by=by, version=submission.version)
    said = {**dict.fromkeys(CRITERIA, True), "opinion": ""}
    verdicts = {item.pk: said for item in submission.items.all()}
    officer = world.posts.officer
    breakthrough.judge(submission, verdicts, by=officer, version=submission.version)
    submission.accept(by=officer, version=submission.version)
    return submission


# --- From the round to the table ------------------------------------------------------------------


@pytest.mark.row("B23", "B25", "B26")
def test_a_unit_hands_in_is_refused_over_quota_returned_and_accepted_into_the_table(
    world, log_in, django_capture_on_commit_callbacks
):
    round_ = round_of(world)
    mine = of(world.centre)
    staff = log_in(world.posts.staff)
    page = staff.get(mine.get_absolute_url()).content.decode()
    assert "应填报 1-2 项" in page and "还没有填写突破事项" in page
    assert "应填报 1-2 项，现有 0 项，还差 1 项" in press(staff, mine, "submit")
    for n in range(3):
        add(staff, mine, name=f"事项{n}")
    assert "应填报 1-2 项，现有 3 项，多出 1 项" in press(staff, mine, "submit")
    mine.refresh_from_db()
    assert mine.status == "open" and mine.submitted_at is None
    last = mine.items.last()
    staff.post(url("item_delete", last.pk), {"version": mine.version})
    assert "已报送，等待" in press(staff, mine, "submit")

    officer = log_in(world.posts.officer)
    said = review(officer, mine, "accept", answer="no", opinion="请写明与先进区县相比突破在哪里")
    assert "每个事项三条标准都符合才能采纳" in said
    assert "退回请写明意见" in review(officer, mine, "send_back", answer="no", opinion="同上")
    with django_capture_on_commit_callbacks(execute=True):
        review(officer, mine, "send_back", answer="no", opinion="不具体", note="请补目标数字")
    assert Notification.objects.filter(text__contains="突破事项被退回").count() == 2
    mine.refresh_from_db()
    assert (mine.status, mine.opinion) == ("returned", "请补目标数字")

    staff = log_in(world.posts.staff)
    page = staff.get(mine.get_absolute_url()).content.decode()
    assert "请补目标数字" in page and "有明显突破方面：不符合" in page
    for item in mine.items.all():
        mine.refresh_from_db()
        data = {**ITEM, "name": f"{item.name}（改）", "version": mine.version}
        staff.post(url("item_edit", item.pk), data)
    assert not mine.items.first().is_judged
    press(staff, mine, "submit")
    assert "已采纳，进入汇总表" in review(log_in(world.posts.officer), mine, "accept")
    mine.refresh_from_db()
    assert mine.status == "accepted" and not mine.was_late

    page = log_in(world.posts.officer).get(url("summary", round_.pk)).content.decode()
    assert TITLE in page and "事项0（改）" in page and "青年路社区卫生服务中心 医务科" in page
    labels = list(Event.objects.of(mine).values_list("label", flat=True))
    assert labels == ["删除突破事项", "报送", "退回", "报送", "采纳"]


@pytest.mark.row("B25")
def test_the_quota_depends_on_the_kind_of_unit(office):
    round_ = round_of(office, departments=[office.office, office.women])
    spans = {row.unit_name: row.span for row in round_.submissions.all()}
    assert spans == {
        "区妇幼保健院": "2-3",
        "青年路社区卫生服务中心": "1-2",
        "王村镇中心卫生院": "1-2",
        "办公室": "1-2",
        "基妇科": "1-2",
    }
    row = of(office.maternal)
    item = BreakthroughItem(submission=row, **{**ITEM, "due": DUE})
    head = office.posts.maternal_head
    breakthrough.save_item(item, by=head, version=row.version)
    with pytest.raises(ValidationError, match="应填报 2-3 项，现有 1 项，还差 1 项"):
        row.submit(by=head, version=row.version)


def test_what_is_judged_no_needs_an_opinion(world, log_in):
    round_of(world)
    mine = of(world.centre)
    staff = log_in(world.posts.staff)
    add(staff, mine)
    press(staff, mine, "submit")
    said = review(log_in(world.posts.officer), mine, "", answer="no")
    assert "有不符合的标准，请写明意见" in said
    assert BreakthroughItem.objects.get().ahead is None


def test_a_submission_can_be_recalled_until_it_is_decided(world, log_in):
    round_of(world)
    mine = of(world.centre)
    staff = log_in(world.posts.staff)
    add(staff, mine)
    press(staff, mine, "submit")
    assert staff.get(url("item_create", mine.pk)).status_code == 403
    assert add(staff, mine).status_code == 409
    assert "已撤回" in press(staff, mine, "recall")
    assert add(staff, mine, name="又一项").status_code == 302


# --- The round ------------------------------------------------------------------------------------


@pytest.mark.row("B27")
def test_who_has_not_handed_in_is_listed_with_a_text_for_the_chat_group_and_late_is_marked(
    world, log_in, at
):
    round_ = round_of(world)
    mine = of(world.centre)
    at(date(2021, 3, 12))
    assert not mine.is_overdue
    at(date(2021, 3, 15))
    page = log_in(world.posts.officer).get(round_.get_absolute_url()).content.decode()
    assert "截至3月15日，还有3个单位（科室）没有报送突破事项" in page
    assert "区妇幼保健院、青年路社区卫生服务中心、王村镇中心卫生院" in page
    assert "报局办公室公务邮箱" in page and "逾期3天" in page
    staff = log_in(world.posts.staff)
    add(staff, mine)
    press(staff, mine, "submit")
    mine.refresh_from_db()
    assert mine.was_late
    client = log_in(world.posts.officer)
    page = client.get(round_.get_absolute_url()).content.decode()
    assert "还有2个单位" in page and "逾期报送" in page
    listed = client.get(reverse("campaigns:breakthrough_list") + "?when=late").content.decode()
    assert "青年路" in listed and "王村" not in listed


@pytest.mark.row("B27")
def test_the_bureau_sets_the_round_up_by_its_form_and_hands_it_out(
    office, log_in, django_capture_on_commit_callbacks
):
    campaign = issued(office, number="示卫健字〔2021〕20号", year=2021)
    client = log_in(office.posts.officer)
    create = reverse("campaigns:breakthrough_round_create", args=[campaign.pk])
    assert "设置突破事项填报" in client.get(create).content.decode()
    data = {
        "name": "突破事项",
        "due": "2021-03-12",
        "receiver": "局办公室公务邮箱",
        "institutions": [office.maternal.pk],
        "departments": [office.women.pk],
        "named_least": 2,
        "named_most": 3,
        "departments_least": 1,
        "departments_most": 2,
        "others_least": 3,
        "others_most": 2,
    }
    assert "最多项数不能少于最少项数" in client.post(create, data).content.decode()
    client.post(create, {**data, "others_least": 1})
    round_ = BreakthroughRound.objects.get()
    assert round_.note == (
        "注明：区妇幼保健院各填报 2-3 项，局机关各科室和其他单位各填报 1-2 项，事项内容要具体，可操作性强，要在某一方面"
        "与其他单位或我市其他先进区县相比有明显突破方面，请各科室、单位于 3 月 12 日前报局办公室公务邮箱。"
    )
    assert client.get(create).status_code == 302
    edit = url("round_edit", round_.pk)
    client.post(edit, {**data, "others_least": 1, "due": "2021-03-13", "version": round_.version})
    round_.refresh_from_db()
    assert round_.due == date(2021, 3, 13)
    assert log_in(office.posts.head).get(round_.get_absolute_url()).status_code == 404
    client = log_in(office.posts.officer)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(url("round_issue", round_.pk), {"version": round_.version})
    assert round_.submissions.count() == 4
    told = Notification.objects.filter(text__contains="填报突破事项")
    assert set(told.values_list("post__title", flat=True)) == {
        "中心主任",
        "公卫科经办人",
        "院长",
        "妇幼院长",
        "基妇科科长",
    }
    assert client.get(edit).status_code == 403
    assert client.post(edit, {**data, "version": 9}).status_code == 409
    page = log_in(office.posts.head).get(round_.get_absolute_url()).content.decode()
    assert "去填报" in page and "王村" not in page


# --- Departments ----------------------------------------------------------------------------------


@pytest.mark.row("B23")
def test_a_department_writes_its_own_and_another_one_judges_it(office, log_in):
    round_of(office, departments=[office.women, office.office])
    row = BreakthroughSubmission.objects.get(department=office.women)
    stranger = log_in(office.posts.officer)
    assert stranger.get(url("item_create", row.pk)).status_code == 403
    own = log_in(office.posts.second_officer)
    add(own, row)
    press(own, row, "submit")
    row.refresh_from_db()
    assert row.status == "submitted"
    assert own.get(url("review", row.pk)).status_code == 403
    with pytest.raises(PermissionDenied):
        row.accept(by=office.posts.second_officer, version=row.version)
    review(log_in(office.posts.officer), row, "accept")
    row.refresh_from_db()
    assert row.status == "accepted"


# --- Progress -------------------------------------------------------------------------------------


@pytest.mark.row("B28")
def test_progress_is_told_to_the_end_of_the_year_with_the_reason_of_a_delay(world, log_in, at):
    round_ = round_of(world)
    row = accepted(world, world.centre, world.posts.staff)
    item = row.items.get()
    staff = log_in(world.posts.staff)
    at(date(2021, 6, 1))
    assert "逾期原因" not in staff.get(url("progress", item.pk)).content.decode()
    data = {"version": row.version, "progress": "doing", "progress_text": "主体完工"}
    staff.post(url("progress", item.pk), {**data, "files": builders.picture("工地.jpg")})
    at(date(2021, 10, 8))
    row.refresh_from_db()
    listed = log_in(world.posts.officer).get(round_.get_absolute_url()).content.decode()
    assert "完成0/1，逾期1" in listed
    staff = log_in(world.posts.staff)
    data = {"version": row.version, "progress": "done", "progress_text": "已启用"}
    refused = staff.post(url("progress", item.pk), data).content.decode()
    assert "已超过完成时限，请写明逾期原因" in refused
    staff.post(url("progress", item.pk), {**data, "delay_reason": "设备到货推迟"})
    page = log_in(world.posts.officer).get(row.get_absolute_url()).content.decode()
    assert "设备到货推迟" in page and "工地.jpg" in page and "主体完工" in page
    item.refresh_from_db()
    assert (item.progress, item.progressed_on) == ("done", date(2021, 10, 8))


def test_progress_belongs_to_accepted_items_only(world, log_in):
    round_of(world)
    mine = of(world.centre)
    staff = log_in(world.posts.staff)
    add(staff, mine)
    item = mine.items.get()
    assert staff.get(url("progress", item.pk)).status_code == 403
    with pytest.raises(StaleState):
        breakthrough.save_progress(
            item, by=world.posts.staff, version=mine.version, progress="done", text="x"
        )


def test_an_item_done_in_time_needs_no_reason_later():
    item = BreakthroughItem(due=date(2021, 9, 30), progress="done")
    item.progressed_on = date(2021, 9, 30)
    assert not breakthrough.needs_reason(item, date(2021, 12, 1))
    item.progressed_on = date(2021, 10, 1)
    assert breakthrough.needs_reason(item, date(2021, 12, 1))


# --- The table as a file ----------------------------------------------------------------------------


@pytest.mark.row("B24")
def test_the_workbook_is_the_annex(world, log_in):
    round_ = round_of(world)
    accepted(world, world.centre, world.posts.staff, 2, content="=1+1")
    client = log_in(world.posts.officer)
    answer = client.get(url("summary", round_.pk) + "?format=xlsx")
    sheet = load_workbook(BytesIO(answer.content)).active
    assert sorted(str(area) for area in sheet.merged_cells.ranges) == [
        "A1:G1",
        "A2:D2",
        "A6:G6",
        "E2:G2",
    ]
    assert sheet["A1"].value == "区卫生健康系统落实突破事项汇总表"
    assert sheet["A2"].value == "填报单位：示例区卫生健康局"
    assert sheet["E2"].value == "时间：2021年3月8日"
    assert [cell.value for cell in sheet[3]] == [
        "序号",
        "突破事项名称",
        "具体内容",
        "措施",
        "完成时限",
        "分管责任人",
        "责任科室",
    ]
    assert [cell.value for cell in sheet[4]] == [
        1,
        "事项0",
        "=1+1",
        "9月底前通过验收",
        "2021年9月30日",
        "分管院长",
        "青年路社区卫生服务中心 医务科",
    ]
    assert sheet["C4"].data_type == "s" and sheet["C4"].quotePrefix
    assert sheet["A5"].value == 2 and sheet["A6"].value == round_.note
    widths = [sheet.column_dimensions[letter].width for letter in "ABCDEFG"]
    assert widths == [6, 20, 34, 34, 14, 13, 18]
    for row in sheet["A3:G5"]:
        for cell in row:
            sides = (cell.border.left, cell.border.right, cell.border.top, cell.border.bottom)
            assert [side.style for side in sides] == ["thin"] * 4
    assert sheet.page_setup.orientation == "landscape" and sheet.page_setup.paperSize == 9
    assert sheet.print_title_rows == "$3:$3"
    assert Event.objects.filter(action="portal.export").count() == 1


@pytest.mark.row("B24")
def test_a_unit_prints_its_own_table_with_an_empty_day_until_it_is_handed_in(world, log_in):
    round_of(world)
    mine = of(world.centre)
    client = log_in(world.posts.head)
    add(client, mine)
    page = client.get(url("table", mine.pk)).content.decode()
    assert "填报单位：青年路社区卫生服务中心" in page and "时间：    年  月  日" in page
    assert "注明：区妇幼保健院各填报 2-3 项" in page
    press(client, mine, "submit")
    assert "时间：2021年3月8日" in client.get(url("table", mine.pk)).content.decode()
    answer = client.get(url("table", mine.pk) + "?format=xlsx")
    assert load_workbook(BytesIO(answer.content)).active["G4"].value == "医务科"


# --- Who sees it, what it costs ---------------------------------------------------------------------


@pytest.mark.row("B24")
def test_a_unit_sees_its_own_alone_in_list_and_table(world, log_in):
    round_ = round_of(world)
    accepted(world, world.centre, world.posts.staff)
    other = accepted(world, world.other_centre, world.posts.other_head)
    client = log_in(world.posts.head)
    page = client.get(url("summary", round_.pk)).content.decode()
    assert "青年路" in page and "王村" not in page
    assert client.get(other.get_absolute_url()).status_code == 404
    assert client.get(url("item_edit", other.items.get().pk)).status_code == 404
    assert log_in(world.posts.far_officer).get(round_.get_absolute_url()).status_code == 404
    assert log_in(world.posts.city_officer).get(url("summary", round_.pk)).status_code == 200


def test_work_names_what_waits_for_each(office, at):
    round_of(office, departments=[office.women, office.office])

    def labels(post):
        return {line.label: line.count for line in work.work_for(post) if "突破" in line.label}

    assert labels(office.posts.staff) == {"突破事项待报送": 1}
    assert labels(office.posts.officer) == {"突破事项待报送": 1}
    at(date(2021, 3, 20))
    assert labels(office.posts.staff) == {"突破事项逾期未报": 1}
    assert labels(office.posts.officer) == {"突破事项逾期未报": 1, "单位逾期未报突破事项": 4}
    accepted(office, office.centre, office.posts.staff)
    assert labels(office.posts.staff) == {}
    at(date(2021, 12, 1))
    assert labels(office.posts.staff) == {"突破事项逾期未完成": 1}


def test_what_work_counts_its_list_shows(world, log_in, at):
    round_of(world)
    accepted(world, world.centre, world.posts.staff)
    at(date(2021, 12, 1))
    for post in (world.posts.staff, world.posts.officer, world.posts.other_head):
        for line in work.work_for(post):
            if "突破" in line.label:
                assert len(log_in(post).get(line.url).context["listing"]["rows"]) == line.count


@pytest.mark.parametrize(
    "name", ["breakthrough_list", "breakthrough_round", "breakthrough_summary"]
)
def test_pages_cost_the_same_at_three_and_at_forty_units(world, log_in, name):
    round_ = round_of(world)
    accepted(world, world.centre, world.posts.staff)
    client = log_in(world.posts.officer)
    path = reverse(f"campaigns:{name}", args=[] if name == "breakthrough_list" else [round_.pk])

    def cost():
        with CaptureQueriesContext(connection) as seen:
            assert client.get(path).status_code == 200
        return len(seen)

    cost()
    few = cost()
    now = clock.now()
    for n in range(20):
        unit = builders.institution(f"ZC-X{n}", f"示例卫生院{n}", Kind.TOWNSHIP, world.county)
        Recipient.objects.create(campaign=round_.campaign, institution=unit)
        row = BreakthroughSubmission.objects.create(
            round=round_,
            institution=unit,
            supervisor=world.county,
            least=1,
            most=2,
            status="accepted",
            submitted_at=now,
            first_submitted_at=now,
            decided_at=now,
        )
        BreakthroughItem.objects.create(submission=row, position=1, **{**ITEM, "due": DUE})
    assert cost() == few <= 24


def test_the_database_keeps_one_submission_a_unit_and_quotas_in_order(world):
    round_ = round_of(world)
    first = of(world.centre)
    for change in (
        lambda: BreakthroughSubmission.objects.create(
            round=round_, institution=world.centre, supervisor=world.county, least=1, most=2
        ),
        lambda: BreakthroughQuota.objects.filter(sort="others").update(most=0),
        lambda: BreakthroughSubmission.objects.filter(pk=first.pk).update(status="accepted"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_a_round_that_reaches_nobody_is_not_handed_out(world):
    row = round_of(world, issue=False)
    row.quotas.filter(sort="others").delete()
    row.quotas.get().institutions.clear()
    with pytest.raises(ValidationError, match="没有要填报的单位或科室"):
        breakthrough.issue(row, by=world.posts.officer, version=row.version)


def test_a_street_office_and_a_post_without_department_write_nothing(office):
    round_of(office, departments=[office.women])
    row = BreakthroughSubmission.objects.get(department=office.women)
    post = builders.post(office.county, Role.OFFICER, "无科室经办人")
    assert not row.may("submit", post) and row.may("accept", post)
    assert not of(office.centre).may("submit", office.posts.street)
