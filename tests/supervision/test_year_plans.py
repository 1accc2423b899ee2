"""The plan of a year: its rounds, its least counts with who is not covered, and what nobody is told beforehand."""

import csv
import io
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from institutions import clock
from institutions.models import Event, Institution, Mandate, Post
from institutions.roles import Role
from supervision import coverage, year_planning
from supervision.assigning import issue_round, plan_visits, start_planned
from supervision.models import PlannedRound, Rectification, SupervisionRound, Visit, YearPlan
from supervision.submitting import submit_visit
from supervision.work import work_for
from tests.builders import institution, item
from tests.supervision.making import fresh, round_of, standard, visit_of

YEAR = clock.today().year
Type = SupervisionRound.Type


def plan_of(by, *, issued=True, year=YEAR, entries=(("第一季度质控", "quarterly"),)) -> YearPlan:
    by = fresh(by)
    plan = year_planning.make_plan(YearPlan(year=year), by=by)
    for name, type_ in entries:
        entry_of(plan, by, name, type_)
    if issued:
        plan.issue(by=by, version=plan.version)
    return plan


def entry_of(plan, by, name="第一季度质控", type_="quarterly", *, items=(), **more) -> PlannedRound:
    starts, ends = date(plan.year, 3, 1), date(plan.year, 3, 31)
    entry = PlannedRound(plan=plan, name=name, type=type_, starts=starts, ends=ends, **more)
    chosen = [item("02")] if by.role == Role.LEAD else [item(code) for code in items]
    return year_planning.store_entry(
        entry, items=chosen, institutions=[], by=fresh(by), version=plan.version
    )


def made(plan, unit, type_="quarterly", *, status="submitted", name="") -> Visit:
    """A visit of the plan's body that has been made (or is planned)."""
    by = Post.objects.filter(institution=plan.institution).exclude(role="expert").first()
    name = name or f"{type_}{SupervisionRound.objects.count()}"
    round = round_of(None, by=by, name=name, type=type_, year=plan.year, status="issued")
    visit = visit_of(round, unit, by)
    if status != "planned":
        Visit.objects.filter(pk=visit.pk).update(
            status=status, submitted_at=clock.now(), visited_on=clock.today()
        )
    return visit


@pytest.mark.row("A34")
def test_a_bureau_plans_its_year_and_makes_each_round_from_the_plan(world, log_in):
    client = log_in(world.posts.officer)
    assert client.get(reverse("supervision:year_plan_create")).status_code == 200
    client.post(reverse("supervision:year_plan_create"), {"year": YEAR})
    plan = YearPlan.objects.get()
    assert (plan.least_comprehensive, plan.least_special, plan.led) == (4, 1, False)
    values = {
        "version": plan.version,
        "name": "第一季度质控督导",
        "type": "quarterly",
        "quarter": 1,
        "starts": f"{YEAR}-03-01",
        "ends": f"{YEAR}-03-31",
        "items": [item("08").pk],
        "standard": standard(world.county).pk,
        "institutions": [world.centre.pk, world.maternal.pk],
    }
    add = reverse("supervision:planned_create", args=[plan.pk])
    assert client.get(add).status_code == 200
    assert client.post(add, {**values, "ends": f"{YEAR + 1}-01-31"}).status_code == 200
    assert client.post(add, values).status_code == 302
    assert client.post(add, values).status_code == 409, "another has changed the plan meanwhile"
    plan.refresh_from_db()
    client.post(reverse("supervision:year_plan_issue", args=[plan.pk]), {"version": plan.version})
    plan.refresh_from_db()
    assert plan.status == "issued"
    entry = plan.entries.get()
    answer = client.post(reverse("supervision:planned_start", args=[entry.pk]))
    round = SupervisionRound.objects.get()
    assert answer.url == round.get_absolute_url() and round.planned == entry
    assert (round.name, round.type, round.quarter, round.status) == (
        "第一季度质控督导",
        "quarterly",
        1,
        "draft",
    )
    assert set(round.institutions.all()) == {world.centre, world.maternal}
    assert [i.code for i in round.items.all()] == ["08"] and round.standard
    page = client.get(reverse("supervision:visit_create", args=[round.pk])).content.decode()
    boxes = page[page.index("督导机构") :]
    assert world.centre.name in boxes and world.other_centre.name not in boxes
    assert round.name in client.get(plan.get_absolute_url()).content.decode()
    plan.refresh_from_db()
    remove = reverse("supervision:planned_remove", args=[entry.pk])
    page = client.post(remove, {"version": plan.version}, follow=True).content.decode()
    assert "不能去掉" in page and plan.entries.exists()


def test_an_entry_is_changed_and_taken_out_as_long_as_no_round_was_made(world, log_in):
    plan = plan_of(world.posts.officer)
    entry = plan.entries.get()
    client = log_in(world.posts.officer)
    url = reverse("supervision:planned_edit", args=[entry.pk])
    assert client.get(url).status_code == 200
    values = {
        "version": plan.version,
        "name": "改名",
        "type": "cross",
        "quarter": 0,
        "starts": f"{YEAR}-04-01",
        "ends": f"{YEAR}-04-02",
    }
    assert client.post(url, values).status_code == 302
    plan.refresh_from_db()
    assert plan.entries.get().name == "改名"
    client.post(reverse("supervision:planned_remove", args=[entry.pk]), {"version": plan.version})
    assert not plan.entries.exists()


def test_a_body_has_one_plan_a_year_and_takes_over_the_policy_of_the_year_before(world, log_in):
    before = plan_of(world.posts.officer, year=YEAR - 1)
    before.least_comprehensive, before.weight_score = 2, 50
    year_planning.change_policy(before, by=world.posts.officer, version=before.version)
    now = plan_of(world.posts.officer)
    assert (now.least_comprehensive, now.weight_score) == (2, 50)
    page = log_in(world.posts.officer).post(reverse("supervision:year_plan_create"), {"year": YEAR})
    assert "已有督导计划" in page.content.decode()
    with pytest.raises(IntegrityError), transaction.atomic():
        YearPlan.objects.create(institution=world.county, supervisor=world.county, year=YEAR)


@pytest.mark.row("C34")
def test_institutions_that_lack_visits_are_listed_counted_and_exported(world, log_in):
    plan = plan_of(world.posts.officer)
    for _ in range(3):
        made(plan, world.centre)
    made(plan, world.centre, "cross")
    made(plan, world.centre, "special")
    made(plan, world.centre, "surprise")
    for n in range(4):
        made(plan, world.maternal, status="planned", name=f"计划{n}")
    made(plan, world.maternal, "special", status="planned")
    made(plan, world.other_centre)
    rows = {u.code: u for u in coverage.coverage(plan, world.posts.officer)}
    assert "ZC-JD" not in rows and "ZC-QNL-1" not in rows, "no street office, no centre's clinic"
    assert (rows["ZC-QNL"].done, rows["ZC-QNL"].special_done) == (4, 1)
    assert (rows["ZC-QNL"].state, rows["ZC-QNL"].missing) == ("covered", 0)
    assert rows["ZC-WC"].missing == 4
    late = coverage.due_by_now(4, YEAR)
    assert rows["ZC-WC"].state == ("behind" if late > 1 else "short")
    assert rows["ZC-FY"].state == ("behind" if late else "arranged")
    client = log_in(world.posts.officer)
    page = client.get(plan.get_absolute_url()).content.decode()
    assert f"{world.other_centre.known_as}（还差4次）" in page
    url = reverse("supervision:year_plan_coverage", args=[plan.pk])
    lacking = client.get(url, {"state": "lacking"}).content.decode()
    assert world.other_centre.name in lacking and world.centre.name not in lacking
    export = client.get(url, {"format": "csv"})
    lines = list(csv.reader(io.StringIO(b"".join(export.streaming_content).decode("utf-8-sig"))))
    assert lines[0][:4] == ["机构", "机构代码", "机构类别", "综合督导"]
    assert next(line for line in lines if line[1] == "ZC-QNL")[3] == "4"
    (line,) = [x for x in work_for(fresh(world.posts.officer)) if x.label.startswith("督导次数")]
    assert f"共 {line.count} 条" in client.get(line.url).content.decode()


def test_the_pace_of_the_year_says_who_is_behind(world, monkeypatch):
    monkeypatch.setattr(clock, "today", lambda: date(2023, 8, 15))
    assert coverage.due_by_now(4, 2023) == 2 and coverage.due_by_now(1, 2023) == 0
    assert coverage.due_by_now(4, 2022) == 4 and coverage.due_by_now(4, 2024) == 0
    monkeypatch.setattr(clock, "today", lambda: date(2023, 12, 31))
    assert coverage.due_by_now(4, 2023) == 3


def test_a_centre_plans_for_its_clinics_and_its_clinic_sees_the_issued_plan(world, log_in):
    plan = plan_of(world.posts.head, issued=False, entries=(("一季度村室督导", "quarterly"),))
    doctor = log_in(world.posts.doctor)
    assert doctor.get(plan.get_absolute_url()).status_code == 404
    plan.issue(by=fresh(world.posts.head), version=plan.version)
    page = doctor.get(plan.get_absolute_url()).content.decode()
    assert "一季度村室督导" in page and "次数完成情况" not in page
    assert doctor.get(reverse("supervision:year_plan_coverage", args=[plan.pk])).status_code == 403
    assert {u.code for u in coverage.coverage(plan, fresh(world.posts.head))} == {
        "ZC-QNL-1",
        "ZC-QNL-2",
    }
    head = log_in(world.posts.head)
    assert "次数完成情况" in head.get(plan.get_absolute_url()).content.decode()
    assert log_in(world.posts.other_head).get(plan.get_absolute_url()).status_code == 404


@pytest.mark.row("D25")
def test_a_lead_agency_plans_and_runs_special_rounds_for_its_items(world, log_in):
    lead = world.posts.lead
    plan = plan_of(lead, entries=(("预防接种专项", "special"),))
    assert plan.led and plan.institution == world.cdc
    units = {u.code for u in coverage.coverage(plan, fresh(lead))}
    assert "ZC-QNL" in units and "ZC-CDC" not in units and "ZD-A" not in units
    client = log_in(lead)
    entry = plan.entries.get()
    client.post(reverse("supervision:planned_start", args=[entry.pk]))
    round = SupervisionRound.objects.get(planned=entry)
    today = clock.today().isoformat()
    page = client.get(reverse("supervision:visit_create", args=[round.pk])).content.decode()
    assert world.centre.name in page and world.far_centre.name not in page
    sent = {
        "version": round.version,
        "institutions": [world.centre.pk],
        "lead": lead.pk,
        "members": [world.posts.expert.pk],
        "starts": today,
        "ends": today,
    }
    client.post(reverse("supervision:visit_create", args=[round.pk]), sent)
    round.refresh_from_db()
    assert round.visits.count() == 1
    client.post(reverse("supervision:round_issue", args=[round.pk]), {"version": round.version})
    mandate = Mandate.objects.get(post=world.posts.expert)
    assert [i.code for i in mandate.items.all()] == ["02"]
    visit = round.visits.get()
    assert client.get(visit.get_absolute_url()).status_code == 200
    assert log_in(world.posts.head).get(visit.get_absolute_url()).status_code == 404
    visit.lines.create(
        item=item("02"),
        found="problem",
        text="接种记录缺项",
        severity="minor",
        due=clock.today() + timedelta(days=10),
        author=lead,
    )
    visit = Visit.objects.select_related("round", "supervisor").get(pk=visit.pk)
    submit_visit(visit, by=fresh(lead), version=visit.version, visited_on=clock.today())
    assert Rectification.objects.get().supervisor == world.county
    assert {u.code: u.special_done for u in coverage.coverage(plan, fresh(lead))}["ZC-QNL"] == 1


def test_a_lead_agency_reaches_no_other_item_and_no_other_place_by_its_own_round(world, log_in):
    lead = fresh(world.posts.lead)
    client = log_in(lead)
    values = {
        "name": "越权",
        "type": "special",
        "year": YEAR,
        "quarter": 0,
        "starts": f"{YEAR}-03-01",
        "ends": f"{YEAR}-03-31",
    }
    for items in ([], [item("08").pk], [item("02").pk, item("08").pk]):
        client.post(reverse("supervision:round_create"), {**values, "items": items})
    assert not SupervisionRound.objects.exists()
    client.post(reverse("supervision:round_create"), {**values, "items": [item("02").pk]})
    round = SupervisionRound.objects.get()
    with pytest.raises(Exception, match="牵头授权范围"):
        plan_visits(
            round,
            institutions=[world.far_centre],
            lead=lead,
            starts=clock.today(),
            ends=clock.today(),
            by=lead,
            version=round.version,
        )
    theirs = round_of(world)
    visit_of(theirs, world.centre, world.posts.officer)
    issue = reverse("supervision:round_issue", args=[theirs.pk])
    assert client.post(issue, {"version": theirs.version}).status_code in (403, 404)
    # Not even with every item of the district: a mandate over a bureau does not run its rounds.
    Mandate.objects.filter(post=lead).update(all_items=True)
    assert client.post(issue, {"version": theirs.version}).status_code in (403, 404)
    theirs.refresh_from_db()
    assert theirs.status == "draft"


@pytest.mark.row("C39")
@pytest.mark.parametrize("name", ["日常调度", "平时调研", "经常性督查"])
def test_dispatch_survey_and_frequent_inspection_are_rounds_of_their_own_kind(world, log_in, name):
    value = {str(label): value for value, label in Type.choices}[name]
    client = log_in(world.posts.head)
    client.post(
        reverse("supervision:round_create"),
        {
            "name": f"三月{name}",
            "type": value,
            "year": YEAR,
            "quarter": 0,
            "starts": f"{YEAR}-03-01",
            "ends": f"{YEAR}-03-31",
        },
    )
    round = SupervisionRound.objects.get()
    assert round.supervisor == world.centre and round.get_type_display() == name
    listed = client.get(reverse("supervision:round_list"), {"type": value}).content.decode()
    assert f"三月{name}" in listed
    other = client.get(reverse("supervision:round_list"), {"type": "special"}).content.decode()
    assert f"三月{name}" not in other


# --- 飞行检查 -------------------------------------------------------------------------------------

SECRET = "绝密飞检"


def everything(client) -> str:
    """All that a post is led to from its first page, and every list and export it may open."""
    names = [
        "home",
        "notification_list",
        "visit_list",
        "round_list",
        "year_plan_list",
        "visit_calendar",
        "problem_list",
        "rectification_list",
    ]
    pages = []
    for name in names:
        space = "" if name in ("home", "notification_list") else "supervision:"
        url = reverse(f"{space}{name}")
        for query in ({}, {"format": "csv"}, {"q": SECRET}):
            answer = client.get(url, query)
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            pages.append(body.decode(errors="ignore").replace(f'value="{SECRET}"', ""))
    return "".join(pages)


def test_the_visited_learns_of_a_flight_check_only_by_its_record(
    world, log_in, django_capture_on_commit_callbacks
):
    by = world.posts.officer
    plan = plan_of(by, entries=((f"{SECRET}计划", "surprise"), ("公开质控", "quarterly")))
    entry = plan.entries.get(type="surprise")
    with django_capture_on_commit_callbacks(execute=True):
        round = start_planned(entry, by=fresh(by))
        visit = plan_visits(
            round,
            institutions=[world.centre],
            lead=by,
            members=[world.posts.expert],
            starts=clock.today(),
            ends=clock.today(),
            by=by,
            version=round.version,
        )[0]
        # The expert's own hospital is visited too, by somebody else.
        plan_visits(
            round,
            institutions=[world.hospital],
            lead=by,
            starts=clock.today(),
            ends=clock.today(),
            by=by,
            version=round.version,
        )
        round = SupervisionRound.objects.get(pk=round.pk)
        issue_round(round, by=by, version=round.version)
    visited = [world.posts.head, world.posts.staff, world.posts.doctor, world.posts.street]
    uninvolved = [world.posts.other_head, world.posts.lead, world.posts.maternal_head]
    for post in [*visited, *uninvolved]:
        client = log_in(post)
        assert SECRET not in everything(client), post
        for row in (visit, round):
            assert client.get(row.get_absolute_url()).status_code == 404, (post, row)
        edit = reverse("supervision:planned_edit", args=[entry.pk])
        assert client.get(edit).status_code in (403, 404)
        unit = client.get(reverse("institution_detail", args=[world.centre.pk]))
        assert SECRET not in unit.content.decode(), post
    head = log_in(world.posts.head)
    page = head.get(plan.get_absolute_url()).content.decode()
    assert "公开质控" in page and SECRET not in page
    # A mandate over everything does not tell either: the institution may be the next.
    Mandate.objects.filter(post=world.posts.lead).update(all_items=True)
    assert SECRET not in everything(log_in(world.posts.lead))
    # The body, the team and the city above know.
    assert SECRET in everything(log_in(by)) and SECRET in everything(log_in(world.posts.expert))
    assert SECRET in everything(log_in(world.posts.city_officer))
    page = log_in(world.posts.expert).get(round.get_absolute_url()).content.decode()
    listed = page[page.index("督导安排") :]
    assert world.centre.known_as in listed and world.hospital.known_as not in listed
    # From the submitted record on the visited institution sees its visit.
    visit.lines.create(item=item("08"), found="good", author=by)
    visit = Visit.objects.select_related("round", "supervisor").get(pk=visit.pk)
    submit_visit(visit, by=fresh(by), version=visit.version, visited_on=clock.today())
    assert log_in(world.posts.head).get(visit.get_absolute_url()).status_code == 200
    assert log_in(world.posts.other_head).get(visit.get_absolute_url()).status_code == 404


# --- Policy and cost --------------------------------------------------------------------------------


def test_least_counts_and_weights_are_the_body_s_policy_and_every_change_is_kept(world, log_in):
    plan = plan_of(world.posts.officer)
    client = log_in(world.posts.officer)
    url = reverse("supervision:year_plan_edit", args=[plan.pk])
    assert client.get(url).status_code == 200
    values = {name: getattr(plan, name) for name in year_planning.POLICY}
    zero = {name: 0 for name in values if name.startswith("weight")}
    page = client.post(url, {**values, **zero, "version": plan.version})
    assert "权重不能全部为 0" in page.content.decode()
    page = client.post(url, {**values, "weight_gap": 101, "version": plan.version})
    assert page.status_code == 200
    changed = {**values, "least_special": 2, "weight_score": 40}
    assert client.post(url, {**changed, "version": plan.version}).status_code == 302
    event = Event.objects.get(action="supervision.yearplan.change_policy")
    assert event.data["weight_score"] == [30, 40] and event.data["least_special"] == [1, 2]
    assert event.before.startswith("4+1次 30/") and event.after.startswith("4+2次 40/")
    assert client.post(url, {**changed, "version": plan.version}).status_code == 409
    assert log_in(world.posts.head).get(url).status_code == 403


def queries(client, url) -> int:
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_the_pages_cost_the_same_however_many_rounds_and_institutions(world, log_in):
    plan = plan_of(world.posts.officer)
    client = log_in(world.posts.officer)
    urls = [
        plan.get_absolute_url(),
        reverse("supervision:year_plan_list"),
        reverse("supervision:year_plan_coverage", args=[plan.pk]),
        reverse("visit_suggestion", args=[plan.pk]),
        reverse("supervision:visit_calendar"),
    ]

    def grow(tag, number):
        for n in range(number):
            unit = institution(f"ZC-{tag}{n}", f"{tag}卫生院{n}", "township", world.county)
            made(plan, unit, name=f"{tag}{n}")
            entry_of(plan, world.posts.officer, f"{tag}{n}", items=("08",))

    grow("a", 5)
    few = [queries(client, url) for url in urls]
    grow("b", 40)
    assert Institution.objects.filter(code__startswith="ZC-b").count() == 40
    assert [queries(client, url) for url in urls] == few
    assert max(few) <= 22, few
