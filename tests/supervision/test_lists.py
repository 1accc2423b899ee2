"""The lists: what they cost, what they find, what they export, and that each number of my work is its list."""

import csv
import io
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from institutions import clock
from supervision.handing_out import hand_out
from supervision.models import (
    Problem,
    RecordCheck,
    RecordSample,
    Rectification,
    ResidentSurvey,
    Visit,
)
from supervision.summary import rectification_counts, summary_for
from supervision.work import work_for
from tests.builders import institution, item
from tests.supervision.making import (
    applied,
    fresh,
    new_problem,
    phase,
    ready,
    rectification,
    round_of,
    visit_of,
)

HEADINGS = (
    "序号,问题来源,发现日期,机构,项目,问题描述,问题性质,整改措施,责任领导,责任人,整改时限,整改进展,完成日期,"
    "佐证材料,复核人,复核意见,销号状态,是否反弹"
)


def queries(client, url):
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def checked(visit, by):
    """Give a visit a drawn record and a survey."""
    sample = RecordSample.objects.create(
        visit=visit,
        item=item("08"),
        origin="range",
        first=1,
        last=9,
        population=9,
        size=1,
        seed="0",
        digest="0" * 64,
        drawn_by=by,
    )
    RecordCheck.objects.create(sample=sample, position=1, number="1")
    ResidentSurvey.objects.create(
        visit=visit,
        group="other",
        channel="home",
        asked=3,
        right=1,
        satisfaction="yes",
        key=uuid4(),
        author=by,
    )


def fill(world, number, *, tag):
    hand_out(
        [new_problem(world.centre, f"{tag}{i}") for i in range(number)], by=world.posts.officer
    )
    round = round_of(world, name=tag)
    units = [
        institution(f"ZC-{tag}{i}", f"{tag}卫生院{i}", "township", world.county)
        for i in range(number)
    ]
    for unit in units:
        checked(visit_of(round, unit, world.posts.officer), world.posts.officer)
    for i in range(number):
        round_of(world, name=f"{tag}轮{i}")
    return round


@pytest.mark.parametrize("who", ["officer", "head"])
def test_lists_cost_the_same_at_twenty_and_two_hundred_rows(world, log_in, who):
    names = ["round_list", "visit_list", "problem_list", "rectification_list"]
    names += ["sample_list", "survey_list"]
    client = log_in(getattr(world.posts, who))
    fill(world, 20, tag="a")
    few = {n: queries(client, reverse(f"supervision:{n}")) for n in names}
    fill(world, 180, tag="b")
    many = {n: queries(client, reverse(f"supervision:{n}")) for n in names}
    assert many == few
    # Two for the session and the user come with every page.
    assert max(few.values()) <= 14, few


def test_a_round_and_a_rectification_cost_the_same_however_many_rows(world, log_in):
    client = log_in(world.posts.officer)
    small, large = fill(world, 20, tag="a"), fill(world, 100, tag="b")
    url = "supervision:round_detail"
    assert queries(client, reverse(url, args=[small.pk])) == queries(
        client, reverse(url, args=[large.pk])
    )
    row = ready(rectification(world, world.centre), world.posts.head)

    def write(number):
        for i in range(number):
            row.progress.create(text=f"进展{i}", author=world.posts.head)

    write(20)
    few = queries(client, row.get_absolute_url())
    write(180)
    assert queries(client, row.get_absolute_url()) == few <= 20


def exported(client, **query):
    answer = client.get(reverse("supervision:rectification_list"), {**query, "format": "csv"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.row("X04")
def test_the_ledger_exports_the_eighteen_columns(world, log_in):
    row = applied(rectification(world, world.centre), world.posts.head)
    row.progress.create(text="已补做12人", author=world.posts.head)
    row.close(by=world.posts.officer, version=row.version, note="现场核实")
    rectification(world, world.clinic, text="=HYPERLINK()")
    rows = exported(log_in(world.posts.officer))
    assert ",".join(rows[0]) == HEADINGS and len(rows) == 3
    line = dict(
        zip(rows[0], next(r for r in rows[1:] if r[3] == row.institution.name), strict=True)
    )
    today = clock.today().isoformat()
    assert line["序号"] == "2" and line["问题来源"] == "省级" and line["发现日期"] == today
    assert line["整改措施"] == "补做体检" and line["整改进展"] == "已补做12人"
    assert line["完成日期"] == today and line["佐证材料"].endswith(".jpg")
    assert (
        line["复核意见"] == "现场核实" and line["销号状态"] == "已销号" and line["是否反弹"] == "否"
    )
    assert line["整改时限"] == (clock.today() + timedelta(days=10)).isoformat()
    assert not any(cell.startswith("=") for row in rows for cell in row)


def listed(client, **query):
    page = client.get(reverse("supervision:rectification_list"), query).content.decode()
    return {r for r in Rectification.objects.all() if f'"{r.get_absolute_url()}"' in page}


def test_the_ledger_is_filtered_and_searched_by_pinyin(world, log_in):
    a = rectification(world, world.centre, text="电话打不通")
    b = rectification(world, world.clinic, text="体检缺项", code="09", source="city")
    c = rectification(world, world.other_centre, text="未反馈", phase=phase(world))
    Rectification.objects.filter(pk=a.pk).update(due=clock.today() - timedelta(days=1))
    Rectification.objects.filter(pk=b.pk).update(due=clock.today())
    client = log_in(world.posts.officer)
    assert listed(client) == {a, b, c}
    assert listed(client, when="overdue") == {a}
    assert listed(client, when="week") == {b}
    assert listed(client, source="city") == {b}
    assert listed(client, item=b.item_id) == {b}
    assert listed(client, unit=world.centre.pk) == {a, b}
    assert listed(client, institution=world.centre.pk) == {a}
    assert listed(client, scope="asked") == {a, c}
    assert listed(client, phase=c.problem.phase_id) == {c}
    assert listed(client, campaign=c.problem.campaign_id) == {c}
    assert listed(client, status="closed") == set()
    assert listed(client, q="qnlsq") == {a}
    assert listed(client, q="打不通") == {a}
    assert listed(log_in(world.posts.head), scope="own") == {a}
    assert listed(log_in(world.posts.head), scope="asked") == {b}
    # A foreign institution is not a choice: the filter is refused, nothing more is shown.
    assert c not in listed(log_in(world.posts.head), institution=world.other_centre.pk)


def test_an_overdue_list_can_be_copied_as_text(world, log_in):
    row = rectification(world, world.centre, text="电话打不通")
    Rectification.objects.update(due=clock.today() - timedelta(days=3))
    rectification(world, world.other_centre, text="还没到期")
    client = log_in(world.posts.officer)
    url = reverse("supervision:rectification_list")
    assert "data-copy" not in client.get(url).content.decode()
    page = client.get(url, {"when": "overdue"}).content.decode()
    assert 'data-copy="#reminder"' in page
    assert (
        f"{row.institution.known_as}（{row.item.short_name}）：电话打不通" in page
        and "已逾期3天" in page
    )
    assert "还没到期" not in page


def test_each_number_of_my_work_is_its_list(world, log_in):
    for unit in (world.centre, world.clinic):
        for i in range(3):
            rectification(world, unit, text=f"{unit.code}{i}")
    rows = list(Rectification.objects.filter(institution=world.centre))
    applied(rows[0], fresh(world.posts.head))
    Rectification.objects.filter(pk=rows[1].pk).update(due=clock.today() - timedelta(days=1))
    clinic = Rectification.objects.filter(institution=world.clinic).first()
    applied(clinic, world.posts.doctor)
    round = round_of(world, status="issued")
    visit_of(round, world.centre, world.posts.expert)
    visit_of(round, world.other_centre, world.posts.officer)
    Visit.objects.filter(institution=world.other_centre).update(
        status="submitted", submitted_at=clock.now(), visited_on=clock.today()
    )
    seen = set()
    for name in ("officer", "head", "doctor", "expert", "lead", "other_head"):
        post = fresh(getattr(world.posts, name))
        client = log_in(post)
        with CaptureQueriesContext(connection) as captured:
            lines = work_for(post)
        assert len([q for q in captured if "supervision_" in q["sql"]]) <= 8
        for line in lines:
            page = client.get(line.url).content.decode()
            assert f"共 {line.count} 条" in page, (name, line)
            seen.add(line.label)
    assert {
        "整改待复核",
        "整改已逾期",
        "请签收整改",
        "整改等待上级复核",
        "请到现场督导",
        "请确认督导记录",
        "督导记录等机构确认",
        "机构逾期未整改",
    } <= seen
    assert work_for(fresh(world.posts.auditor)) == []


def test_summaries_count_what_is_in_sight(world, django_assert_num_queries):
    row = phase(world)
    hand_out(
        [new_problem(world.centre, f"问题{i}", phase=row) for i in range(3)]
        + [new_problem(world.other_centre, "问题", phase=row, code="09")],
        by=world.posts.officer,
    )
    applied(Rectification.objects.filter(institution=world.centre).first(), world.posts.head)
    officer, head = fresh(world.posts.officer), fresh(world.posts.head)
    _ = officer.reach, head.reach
    with django_assert_num_queries(2):
        counts = rectification_counts(officer, phase=row)
    assert (counts.total, counts.open, counts.applied, counts.closed) == (4, 4, 1, 0)
    assert (counts.institutions[0].name, counts.institutions[0].open) == (world.centre.name, 3)
    assert rectification_counts(head, campaign=row.campaign).total == 3
    assert rectification_counts(fresh(world.posts.lead), phase=row).total == 1
    with django_assert_num_queries(3):
        summary = summary_for(world.centre, head)
    assert summary.counts.open == 3 and len(summary.problems) == 3 and summary.last_visit is None
    assert Problem.objects.count() == 4
