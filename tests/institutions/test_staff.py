"""The roster: training before start, GP registration, the four skills; what a table brings."""

import io
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.models import Gap, WorkLog
from campaigns.work import work_for
from institutions import clock, staffing
from institutions.models import Event, Kind, StaffMember
from institutions.tables import Scope, StaffTable
from supervision.models import Problem, Rectification
from tests import builders

LIST = "/staff/"


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr(clock, "today", lambda: date(2023, 6, 1))


def member(unit, name="公卫护士1", **more) -> StaffMember:
    given = {"title": "公卫护士", "joined": date(2023, 5, 4), **more}
    return StaffMember.objects.create(institution=unit, name=name, **given)


def lines(post) -> dict[str, int]:
    return {line.label: line.count for line in work_for(post)}


@pytest.mark.row("A31")
def test_a_unit_keeps_its_roster_and_an_untrained_newcomer_stands_out(world, log_in):
    head = log_in(world.posts.head)
    answer = head.post(
        reverse("institutions:staff_create"),
        {
            "institution": world.centre.pk,
            "name": "公卫护士1",
            "title": "公卫护士",
            "joined": "2023-05-04",
        },
    )
    assert answer.status_code == 302
    row = StaffMember.objects.get(name="公卫护士1")
    assert Event.objects.of(row).get().label == "维护人员名册"
    page = log_in(world.posts.officer).get(LIST)
    assert [kpi["value"] for kpi in page.context["kpis"]] == [1, 1, 0, 0]
    found = log_in(world.posts.officer).get(LIST, {"state": "untrained"}).context["page"]
    assert [line.row for line in found.rows] == [row]
    assert lines(world.posts.head)["人员未岗前培训"] == 1
    assert log_in(world.posts.other_head).get(LIST).context["page"].count == 0
    edit = reverse("institutions:staff_edit", args=[row.pk])
    assert log_in(world.posts.officer).get(edit).status_code == 200, "its bureau may keep it too"
    assert log_in(world.posts.doctor).get(edit).status_code == 404
    twice = head.post(
        reverse("institutions:staff_create"),
        {
            "institution": world.centre.pk,
            "name": "公卫护士1",
            "title": "护士",
            "joined": "2023-05-05",
        },
    )
    assert "同名" in twice.content.decode()


@pytest.mark.row("A31")
def test_a_training_in_the_log_frees_a_newcomer_who_could_not_be_named_before(world, log_in):
    row = member(world.centre)
    staff = log_in(world.posts.staff)
    gap = {
        "aspect": "flow",
        "text": "等候时间长",
        "measure": "分时段预约",
        "first_year": "2022",
        "year": "2023",
        "person": "公卫护士1",
    }
    create = reverse("campaigns:gap_create")
    assert "还没有岗前培训" in staff.post(create, gap).content.decode()
    problem = Problem.objects.create(
        institution=world.centre,
        supervisor=world.county,
        source="county",
        year=2023,
        text="x",
        found_on=date(2023, 5, 1),
    )
    duty = Rectification.objects.create(
        problem=problem,
        institution=world.centre,
        supervisor=world.county,
        due=date(2023, 7, 1),
        status="signed",
        signed_at=clock.now(),
    )
    save = reverse("supervision:rectification_save", args=[duty.pk])
    named = {"measures": "改", "person": "公卫护士1", "version": duty.version}
    assert "还没有岗前培训" in staff.post(save, named).content.decode()

    form = staff.get(reverse("campaigns:log_create"), {"kind": "training"}).context["form"]
    assert list(form.fields["trainees"].queryset) == [row]
    staff.post(
        f"{reverse('campaigns:log_create')}?kind=training",
        {
            "day": "2023-05-20",
            "subject": "新进人员岗前培训",
            "text": "规范",
            "participants": "1",
            "targets": ["新进人员"],
            "trainees": [row.pk],
        },
    )
    row.refresh_from_db()
    assert row.trained == date(2023, 5, 20) and WorkLog.objects.get().trainees.get() == row
    assert Event.objects.of(row).get().note == "新进人员岗前培训"
    assert staffing.untrained_named(world.centre.pk, ["公卫护士1"]) == []
    assert staff.post(create, gap).status_code == 302 and Gap.objects.count() == 1
    assert staff.post(save, named).status_code == 302


@pytest.mark.row("D04")
def test_who_qualified_as_a_general_practitioner_is_watched_until_registered(world, log_in):
    row = member(
        world.centre,
        "全科医师1",
        gp_route="transfer",
        gp_qualified=date(2023, 1, 10),
        trained=date(2023, 5, 1),
    )
    assert lines(world.posts.head)["全科医师待加注或注册"] == 1
    assert lines(world.posts.officer)["全科医师待加注或注册"] == 1
    head = log_in(world.posts.head)
    assert "待注册（已142天）" in head.get(LIST, {"state": "unregistered"}).content.decode()
    edit = reverse("institutions:staff_edit", args=[row.pk])
    given = {
        "name": row.name,
        "title": row.title,
        "joined": "2023-05-04",
        "trained": "2023-05-01",
        "gp_route": "transfer",
        "gp_qualified": "2023-01-10",
    }
    early = head.post(edit, {**given, "gp_registered": "2023-01-09"})
    assert "注册日期不能早于" in early.content.decode()
    assert head.post(edit, {**given, "gp_registered": "2023-05-30"}).status_code == 302
    assert "全科医师待加注或注册" not in lines(world.posts.head)
    assert head.get(LIST, {"state": "registered"}).context["page"].count == 1


@pytest.mark.row("C14")
def test_the_talent_pool_shows_which_unit_lacks_which_of_the_four_skills(world, log_in):
    member(world.centre, "骨干1", guides=True, trains=True)
    member(world.centre, "骨干2", analyses=True, assesses=True)
    member(world.other_centre, "骨干3", guides=True)
    member(world.other_centre, "离岗", trains=True, left=date(2023, 5, 30))
    officer = log_in(world.posts.officer)
    page = officer.get(reverse("institutions:staff_skills"))
    assert [kpi["value"] for kpi in page.context["kpis"]] == ["2/2", "1/2", "1/2", "1/2"]
    text = page.content.decode()
    assert "人员培训、数据分析、绩效考核" in text and "四项都有" in text
    assert officer.get(LIST, {"skill": "guides"}).context["page"].count == 2
    assert officer.get(LIST, {"state": "backbone"}).context["page"].count == 3


@pytest.mark.row("A31", "D04", "C14")
def test_a_table_brings_the_roster_and_goes_out_the_same(world):
    head = "机构代码,姓名,岗位,服务项目,到岗日期,岗前培训日期,骨干能力,全科医师培训,合格或结业日期,注册日期\n"
    text = (
        head
        + "ZC-QNL,公卫护士1,慢病随访岗,07,2023-03-01,2023-02-20,数据分析、人员培训,规培结业,2022-07-01,\n"
    )
    table = StaffTable(Scope.of(world.posts.head))
    plan = table.plan(io.BytesIO(text.encode()), "名册.csv")
    assert plan.ok, plan.errors
    table.commit(plan)
    row = StaffMember.objects.get()
    assert row.skills == ["人员培训", "数据分析"] and row.gp_route == "residency"
    out = b"".join(StaffTable(Scope.of(world.posts.head)).write_csv(None))
    again = StaffTable(Scope.of(world.posts.head)).plan(io.BytesIO(out), "名册.csv")
    assert again.ok and not again.changed and not again.new
    bad = StaffTable(Scope.of(world.posts.head)).plan(
        io.BytesIO(
            (
                head
                + "ZC-QNL,甲1,岗,,2023-03-01,,,规培结业,,2023-01-01\nZC-WC,乙1,岗,,2023-03-01,,,,,\n"
            ).encode()
        ),
        "名册.csv",
    )
    assert len(bad.errors) == 3, "no day, registered before it, another centre"


def test_the_lists_cost_the_same_at_20_and_200_rows(world, log_in):
    client = log_in(world.posts.officer)
    pages = (
        LIST,
        reverse("institutions:staff_skills"),
        reverse("institutions:capacity_list"),
        reverse("campaigns:gap_list"),
    )

    def many(count):
        for n in range(count):
            unit = builders.institution(
                f"ZC-Y{count}-{n}", f"示例单位{count}-{n}", Kind.TOWNSHIP, world.county
            )
            member(unit, guides=True)
            Gap.objects.create(
                institution=unit,
                supervisor=world.county,
                aspect="flow",
                text="x",
                measure="x",
                first_year=2023,
                year=2023,
                person="院长",
            )

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
    assert cost() == few and max(few.values()) <= 14, few
