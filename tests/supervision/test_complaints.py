"""Complaints: handed to the institution, answered in time or late, closed, added up; never with who complained."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from institutions import clock
from institutions.models import Notification
from institutions.sheets import write_csv
from institutions.tables import Scope
from supervision import complaining, work
from supervision.complaint_tables import ComplaintTable
from supervision.models import Complaint
from tests import builders

DAY = date(2023, 3, 20)
NEW = "/supervision/complaints/new/"
STATISTICS = "/supervision/complaints/statistics/"


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(clock, "today", lambda: DAY)


def registered(world, number="2023-001", unit=None, **more) -> Complaint:
    fields = {
        "received_on": date(2023, 3, 15),
        "due": date(2023, 3, 22),
        "text": "体检结果没有反馈",
        **more,
    }
    row = Complaint(number=number, institution=unit or world.centre, **fields)
    return complaining.register(row, by=world.posts.officer)


def labels(post):
    return {line.label: line for line in work.work_for(post)}


@pytest.mark.row("B15")
def test_a_call_is_handed_to_the_institution_answered_and_closed(
    world, log_in, django_capture_on_commit_callbacks
):
    client = log_in(world.posts.officer)
    given = {
        "number": "12345-0315",
        "received_on": "2023-03-15",
        "channel": "hotline",
        "kind": "complaint",
        "institution": world.centre.pk,
        "category": "健康体检",
        "item": builders.item("06").pk,
        "text": "体检结果没有反馈，来电13812345678",
        "due": "2023-03-22",
    }
    assert "不写来电居民的姓名、电话" in client.get(NEW).content.decode()
    assert "请删去电话号码" in client.post(NEW, given).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(NEW, {**given, "text": "体检结果没有反馈"})
    row = Complaint.objects.get()
    assert answer.url == row.get_absolute_url() and row.supervisor == world.county
    told = set(Notification.objects.values_list("post", flat=True))
    assert told == {world.posts.head.pk, world.posts.staff.pk}
    assert "已经登记过" in client.post(NEW, {**given, "text": "又一次"}).content.decode()

    line = labels(world.posts.staff)["投诉三日内要答复"]
    client = log_in(world.posts.staff)
    assert line.count == 1 == client.get(line.url).context["page"].count
    reply = reverse("supervision:complaint_reply", args=[row.pk])
    bad = client.post(reply, {"version": 1, "answer": "已致电13812345678", "handler": "公卫科"})
    assert "请删去电话号码" in bad.content.decode()
    client.post(reply, {"version": 1, "answer": "已补发反馈单", "handler": "公卫科经办人"})
    row.refresh_from_db()
    assert (row.status, row.answered_on, row.in_time) == ("answered", DAY, True)

    client = log_in(world.posts.officer)
    line = labels(world.posts.officer)["投诉答复待审核"]
    assert line.count == 1 == client.get(line.url).context["page"].count
    back = reverse("supervision:complaint_send_back", args=[row.pk])
    client.post(back, {"version": row.version, "note": "请说明以后怎样避免"})
    page = log_in(world.posts.head).get(row.get_absolute_url()).content.decode()
    assert "请说明以后怎样避免" in page and "已补发反馈单" in page
    row.refresh_from_db()
    row.reply(by=world.posts.head, version=row.version, answer="已补发，今后当场反馈")
    client = log_in(world.posts.officer)
    close = reverse("supervision:complaint_close", args=[row.pk])
    assert client.post(close, {"version": 1, "satisfied": "yes"}).status_code == 409
    client.post(close, {"version": row.version, "satisfied": "yes"})
    row.refresh_from_db()
    assert (row.status, row.satisfied, row.closed_on) == ("closed", "yes", DAY)
    assert "满意" in client.get(row.get_absolute_url()).content.decode()


@pytest.mark.row("B15")
def test_the_rates_count_first_answers_and_call_backs(world, log_in, monkeypatch):
    answers = [
        ("a", world.centre, date(2023, 3, 18), "yes"),
        ("b", world.centre, date(2023, 3, 19), "no"),
        ("c", world.other_centre, date(2023, 3, 25), "unknown"),
    ]
    for number, unit, day, satisfied in answers:
        row = registered(world, number, unit)
        Complaint.objects.filter(pk=row.pk).update(
            status="closed", answer="已办", answered_on=day, closed_on=day, satisfied=satisfied
        )
    registered(world, "d", world.other_centre, due=date(2023, 3, 17))  # overdue
    registered(world, "e", world.other_centre)  # still in time: counts for nothing yet
    gone = registered(world, "f")
    gone.withdraw(by=world.posts.officer, version=gone.version, note="重复工单")
    client = log_in(world.posts.officer)
    page = client.get(STATISTICS, {"year": "2023"})
    values = {kpi["label"]: kpi["value"] for kpi in page.context["kpis"]}
    assert values == {"收到": 5, "办结": 3, "按时答复率": "50.0%", "满意率": "50.0%"}
    lines = {
        line.row.code: [str(line.cells[at].value) for at in (1, 2, 3, 4, 7)]
        for line in page.context["listing"]["rows"]
    }
    assert lines == {
        "ZC-QNL": ["2", "0", "100.0%", "50.0%", "2"],
        "ZC-WC": ["3", "2", "0.0%", "—", "3"],
    }
    csv = b"".join(client.get(STATISTICS, {"year": "2023", "format": "csv"})).decode("utf-8-sig")
    assert "按时答复率" in csv.splitlines()[0] and "青年路社区卫生服务中心" in csv
    late = client.get("/supervision/complaints/", {"when": "late"}).context["page"]
    assert sorted(line.row.number for line in late.rows) == ["c", "d"]
    assert client.get(STATISTICS, {"year": "2022"}).context["kpis"][3]["value"] == "—"
    # A centre counts its own and its clinics' alone.
    own = log_in(world.posts.head).get(STATISTICS, {"year": "2023"})
    assert own.context["kpis"][0]["value"] == 2


def test_a_centre_registers_and_closes_those_of_its_clinics(world, log_in):
    client = log_in(world.posts.head)
    given = {
        "number": "自-1",
        "received_on": "2023-03-20",
        "channel": "direct",
        "kind": "advice",
        "institution": world.clinic.pk,
        "text": "希望延长服务时间",
        "due": "2023-03-27",
    }
    client.post(NEW, given)
    row = Complaint.objects.get()
    assert row.supervisor == world.centre
    row.reply(by=world.posts.doctor, version=1, answer="已调整值班")
    row.close(by=world.posts.head, version=2, satisfied="unknown")
    assert row.status == "closed"
    foreign = client.post(NEW, {**given, "number": "自-2", "institution": world.other_centre.pk})
    assert foreign.status_code == 200 and Complaint.objects.count() == 1


def test_nobody_answers_and_closes_the_same_complaint(world):
    row = registered(world)
    assert not row.may("reply", world.posts.officer) and not row.may("close", world.posts.head)
    with pytest.raises(ValidationError, match="请填写"):
        row.reply(by=world.posts.head, version=1, answer=" ")


HEADERS = [c.header for c in ComplaintTable.columns]
FILE = [
    ["R-1", "ZC-QNL", "2023-03-01", "12345热线", "投诉", "健康体检", "06", "未反馈", "2023-03-08", "", "", "", "", ""],
    ["R-2", "ZC-QNL-1", "2023-03-02", "网络留言", "咨询", "", "", "接种时间", "2023-03-09", "村医", "已答复", "2023-03-05", "满意", "2023-03-06"],
]  # fmt: skip


def planned(world, rows, name="complaints.csv"):
    table = ComplaintTable(Scope.of(world.posts.officer))
    content = b"".join(write_csv(rows, HEADERS))
    return table, table.plan(SimpleUploadedFile(name, content), name)


def test_a_month_of_calls_is_imported_and_exported_again(world):
    table, plan = planned(world, FILE)
    assert plan.ok, plan.errors
    table.commit(plan)
    states = dict(Complaint.objects.values_list("number", "status"))
    assert states == {"R-1": "handed", "R-2": "closed"}
    assert Complaint.objects.get(number="R-2").supervisor == world.centre
    out = b"".join(ComplaintTable(Scope.of(world.posts.officer, reading=True)).write_csv(2023))
    again = ComplaintTable(Scope.of(world.posts.officer))
    plan = again.plan(SimpleUploadedFile("c.csv", out), "c.csv")
    assert plan.ok and not plan.changes and plan.unchanged == 2


def test_what_is_wrong_in_the_file_is_named(world):
    bad = [
        [*FILE[0][:7], "请回电13812345678", *FILE[0][8:]],
        ["R-3", "ZC-QNL", "2023-03-21", *FILE[0][3:]],
        [*FILE[1][:10], "已答复", "", "", ""],
        ["R-4", "ZC", *FILE[0][2:]],
    ]
    _, plan = planned(world, bad)
    found = {(error.row, error.column) for error in plan.errors}
    assert {(2, "反映内容"), (3, "收到日期"), (4, "首次答复日期"), (5, "机构代码")} <= found


def test_the_lists_cost_the_same_for_20_and_200_rows(world, log_in):
    client = log_in(world.posts.officer)

    def queries(url) -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get(url).status_code == 200
        return len(caught)

    urls = ["/supervision/complaints/", STATISTICS]
    for number in range(20):
        registered(world, f"q{number}")
    [queries(url) for url in urls]
    few = [queries(url) for url in urls]
    for number in range(180):
        registered(world, f"r{number}")
    assert [queries(url) for url in urls] == few and max(few) <= 12
