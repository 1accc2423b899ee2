"""优质服务基层行, the asking side: county review, the dated lists, recheck by lot, spot checks, the province, the use of results."""

import io
from datetime import date

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from openpyxl import load_workbook

from campaigns.models import Campaign, Target
from campaigns.pursuing import save_target
from institutions import clock
from institutions.models import Event, Kind
from scoring import capability_register as register
from scoring import capability_reviewing as reviewing
from scoring import capability_using as using
from scoring.capability import level_of
from scoring.models import (
    CapabilityDraw,
    CapabilityLine,
    CapabilityReport,
    CapabilityReview,
    CapabilityRound,
    CapabilityUse,
)
from scoring.work import work_for
from supervision import drawing, sanctioning
from supervision.models import Expert, Sanction
from tests import builders
from tests.scoring.capability_scene import (
    APPLIES,
    applied,
    checking,
    city_round,
    confirmed,
    fresh,
    passed,
    rechecked,
    reported,
    url,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(clock, "today", lambda: APPLIES)
    monkeypatch.setattr("scoring.capability_filling.earliest", lambda review: APPLIES)


@pytest.fixture
def leader(world):
    """A leader of the city, who decides what results are used for."""
    return builders.post(world.city, "leader", "市卫健委主任")


def judge(client, line, letter, note="", **more):
    data = {"grade": letter, "note": note, "version": line.version, **more}
    return client.post(url("line_judge", line), data, HTTP_ACCEPT="application/json")


# --- The county -----------------------------------------------------------------------------------------


@pytest.mark.row("E23")
def test_the_county_reviews_clause_by_clause_and_lets_through_with_its_opinion(world, log_in):
    review = applied(world, city_round(world))
    client = log_in(world.posts.officer)
    assert client.get(url("judge", review)).status_code == 200
    line = review.lines.select_related("clause").get(clause__code="1.1.1")
    worse = judge(client, line, "D")
    assert worse.status_code == 400  # a worse grade needs its reason
    assert "与原来的等级（A）不同，请写明理由" in worse.json()["errors"]["__all__"][0]
    assert judge(client, line, "B", "记录不全").status_code == 200
    assert judge(client, line, "A", version=1).status_code == 409
    early = client.post(
        url("pass_on", review), {"version": review.version, "note": "同意"}, follow=True
    )
    assert "还有条款没有审核" in early.content.decode()
    client.post(url("adopt", review), {"version": review.version})
    line.refresh_from_db()
    assert line.review_grade == "B"  # what was graded is not overwritten
    # While the door is closed the unit does not read what is being written.
    own = log_in(world.posts.head).get(url("detail", review)).content.decode()
    assert "记录不全" not in own
    # Four A are too few for 基本标准: it cannot be let through, and the reason says what is missing.
    client = log_in(world.posts.officer)
    data = {"version": review.version, "note": "同意"}
    refused = client.post(url("pass_on", review), data, follow=True).content.decode()
    assert "A还差 1 条（至少 5 条，现有 4 条）" in refused
    line.refresh_from_db()
    judge(client, line, "A", version=line.version)
    client.post(url("pass_on", review), data)
    review = fresh(review)
    assert (review.status, review.review_level) == ("passed", "basic")
    step = review.steps.last()
    assert (step.label, step.opinion, step.by, step.on) == (
        "审核通过",
        "同意",
        world.posts.officer,
        APPLIES,
    )


def test_the_county_returns_with_a_reason_and_the_unit_applies_again(world, log_in):
    review = applied(world, city_round(world))
    client = log_in(world.posts.officer)
    bare = client.post(url("send_back", review), {"version": review.version})
    assert bare.status_code == 422
    client.post(url("send_back", review), {"version": review.version, "note": "补齐院感记录"})
    review = fresh(review)
    assert review.status == "returned"
    client = log_in(world.posts.head)
    assert "补齐院感记录" in client.get(url("fill", review)).content.decode()
    client.post(url("apply", review), {"level": "basic", "version": review.version})
    assert fresh(review).status == "applied"
    # Nobody reviews from the wrong side: neither the unit nor the city, which has it only later.
    for post in (world.posts.head, world.posts.city_officer, world.posts.far_officer):
        review = fresh(review)
        with pytest.raises(PermissionDenied):
            reviewing.send_back(review, by=post, version=review.version, note="x")


def test_the_county_finds_a_unit_below_only_when_its_grades_say_so(world):
    review = applied(world, city_round(world))
    by = world.posts.officer
    reviewing.adopt(review, by=by, version=review.version)
    with pytest.raises(ValidationError, match="已达到基本标准"):
        reviewing.fail(review, by=by, version=review.version, note="x")
    CapabilityLine.objects.filter(review=review, clause__core=True).update(review_grade="D")
    reviewing.fail(review, by=by, version=review.version, note="核心条款不合格")
    review = fresh(review)
    assert (review.status, review.level) == ("below", "below")
    assert "核心条款至少 C：1.1.1（现为 D）" in review.explanation
    reviewing.reopen(review, by=by, version=review.version, note="已整改")
    review = fresh(review)
    assert (review.status, review.level) == ("returned", "") and level_of(
        [world.centre], 2023
    ) == {}


def test_a_higher_application_is_let_through_at_the_level_the_county_sees(world):
    review = applied(world, city_round(world), level="recommended", grades="A" * 44)
    by = world.posts.officer
    reviewing.adopt(review, by=by, version=review.version)
    lines = CapabilityLine.objects.filter(review=review)
    lines.filter(clause__core=False).update(review_grade="B")
    lines.filter(clause__code__startswith="3").update(review_grade="B")  # 12 A are left, 14 needed
    reviewing.pass_on(review, by=by, version=review.version, note="核减")
    review = fresh(review)
    assert (review.applied_level, review.review_level) == ("recommended", "basic")
    assert review.explanation.startswith("未达到推荐标准：")


# --- The lists ------------------------------------------------------------------------------------------


@pytest.mark.row("E23", "E29", "E30")
def test_lists_go_up_step_by_step_dated_with_their_table(world, log_in):
    round = city_round(world)
    review = applied(world, round)
    county = log_in(world.posts.officer)
    blocked = county.post(url("report_up", round), {"opinion": "同意"})
    assert blocked.status_code == 422 and "还没有审核" in blocked.content.decode()
    review = passed(world, review)
    # The city cannot check what the county has not reported.
    with pytest.raises(PermissionDenied):
        checking(world, review)
    county = log_in(world.posts.officer)
    county.post(url("report_up", round), {"opinion": "同意上报"})
    report = CapabilityReport.objects.get()
    assert (report.institution, report.reported_on) == (world.county, APPLIES)
    by_code = {row[0]: row for row in report.rows}
    assert set(by_code) == {"ZC-QNL", "ZC-WC", "ZC-FY"}  # its own, with who has not begun
    assert by_code["ZC-WC"][-1] == "未开始"
    assert by_code["ZC-QNL"][5:10] == ["基本标准", 0, "基本标准", "基本标准", ""]
    review = fresh(review)
    assert (review.status, review.supervisor) == ("reported", world.city)
    book = load_workbook(io.BytesIO(county.get(url("report", report), {"format": "xlsx"}).content))
    cells = [[c.value for c in row] for row in book.active.iter_rows()]
    assert cells[0] == list(register.COLUMNS) and len(cells) == 4
    assert "名单（3 家）" in county.get(url("report", report)).content.decode()
    # The list is the county's and the city's: a centre does not read it, nor the other county.
    for post in (world.posts.head, world.posts.far_officer):
        assert log_in(post).get(url("report", report)).status_code == 404
    seen = log_in(world.posts.city_officer).get(url("round", round)).content.decode()
    assert "2023年4月10日" in seen and "已上报，待复核" in seen
    city = log_in(world.posts.city_officer)
    unfinished = city.post(url("report_up", round), {"opinion": "同意"})
    assert "还没有复核" in unfinished.content.decode()
    review = rechecked(world, checking(world, review))
    city.post(url("report_up", round), {"opinion": "报自治区"})
    last = CapabilityReport.objects.get(institution=world.city)
    assert last.goes_up and len(last.rows) == 4
    assert fresh(review).handed_up_on == APPLIES
    # What was handed up stands as it was.
    report.refresh_from_db()
    assert {row[0]: row for row in report.rows}["ZC-QNL"][9] == ""


def test_a_unit_of_the_city_itself_keeps_pace_without_a_county(world):
    round = city_round(world)
    unit = builders.institution("ZB-BH", "滨河中心", Kind.COMMUNITY, world.city)
    head = builders.post(unit, "head", "中心主任")
    world.posts.head, world.posts.officer = head, world.posts.city_officer
    review = applied(world, round)
    assert review.supervisor == world.city
    assert passed(world, review).status == "reported"  # nobody to report it to before the recheck


def test_every_side_opens_the_review_in_every_state(world, log_in, leader):
    review = confirmed(world, city_round(world))
    sides = (world.posts.head, world.posts.officer, world.posts.city_officer, leader)
    for post in sides:
        client = log_in(post)
        for status in CapabilityReview.Status.values:
            CapabilityReview.objects.update(status=status, started_on=APPLIES)
            answer = client.get(url("detail", review))
            assert answer.status_code == 200, (post, status)


# --- The recheck ----------------------------------------------------------------------------------------


@pytest.mark.row("E31")
def test_drawn_clauses_are_checked_again_and_the_draw_can_be_replayed(world, log_in):
    review = reported(world, passed(world, applied(world, city_round(world))))
    review = checking(world, review)
    row = CapabilityDraw.objects.get()
    drawn = set(review.lines.filter(drawn=True).values_list("clause__code", flat=True))
    core = set(review.lines.filter(clause__core=True).values_list("clause__code", flat=True))
    assert core < drawn  # every core clause, and of each chapter's others a fifth, rounded up
    assert drawn - core == set(reviewing.drawn_codes(row))
    by_chapter = {s["name"]: (s["pool"], len(s["drawn"])) for s in row.result["strata"]}
    assert all(taken == -(-pool // 5) for pool, taken in by_chapter.values())
    assert reviewing.check_draw(row) == ""
    again = drawing.replay("abc", row.pools, row.ask)
    assert again == row.result
    page = log_in(world.posts.city_officer).get(url("draw", row), {"replay": "1"})
    assert "核验相符" in page.content.decode()
    CapabilityDraw.objects.update(seed="other")
    row.refresh_from_db()
    assert "摘要不符" in reviewing.check_draw(row)
    # The unit learns of it by the check, not by the lots.
    assert log_in(world.posts.head).get(url("draw", row)).status_code == 404
    assert log_in(world.posts.officer).get(url("draw", row)).status_code == 404
    # Only what is drawn is graded by the city.
    other = review.lines.filter(drawn=False).first()
    refused = judge(log_in(world.posts.city_officer), other, "A")
    assert "没有抽中" in refused.json()["errors"]["__all__"][0]


@pytest.mark.row("E31")
def test_what_a_check_finds_worse_takes_the_level_down_and_names_the_clause(world):
    review = reported(world, passed(world, applied(world, city_round(world))))
    review = rechecked(world, checking(world, review), worse={"1.1.1": "D"})
    assert (review.status, review.level) == ("below", "below")
    assert "由基本标准改为未达到基本标准" in review.explanation
    assert "1.1.1 基本功能（审核 A，复核 D）" in review.explanation
    assert "核心条款至少 C：1.1.1（现为 D）" in review.explanation
    assert review.steps.last().level == "below"
    assert level_of([world.centre], 2023) == {world.centre.pk: "below"}


def test_a_check_that_agrees_confirms_and_never_raises_the_level(world):
    review = reported(world, passed(world, applied(world, city_round(world))))
    review = checking(world, review)
    better = dict.fromkeys(review.lines.values_list("clause__code", flat=True), "A")
    review = rechecked(world, review, worse=better)
    assert (review.status, review.level, review.explanation) == ("confirmed", "basic", "")


@pytest.mark.row("E32")
def test_units_are_drawn_for_a_spot_check_and_may_lose_their_level(world, log_in):
    round = city_round(world)
    review = confirmed(world, round)
    city = log_in(world.posts.city_officer)
    many = city.post(url("spot", round), {"amount": 2, "note": "年度抽查"})
    assert many.status_code == 422 and "只有 1 家" in many.content.decode()
    city.post(url("spot", round), {"amount": 1, "note": "年度抽查"})
    review = fresh(review)
    assert review.status == "checking" and review.level == "basic"  # stands until the check is over
    units = CapabilityDraw.objects.get(kind="units")
    assert reviewing.check_draw(units) == "" and units.reason == "年度抽查"
    assert CapabilityDraw.objects.filter(review=review, kind="clauses").count() == 2
    review = rechecked(world, review, worse={"1.1.1": "D"})
    assert review.level == "below" and "由基本标准改为未达到基本标准" in review.explanation
    # One unit alone, for an occasion.
    CapabilityReview.objects.update(status="confirmed", level="basic")
    review = fresh(review)
    assert "抽查事由" in city.get(url("draw_lots", review)).content.decode()
    assert city.post(url("draw_lots", review), {"share": 10}).status_code == 422


@pytest.mark.row("E33")
def test_a_team_is_drawn_by_professions_without_those_who_must_not_go(world, log_in):
    review = reported(world, passed(world, applied(world, city_round(world))))
    for code, professions, employer in (
        ("E1", "medicine,nursing", world.hospital),
        ("E2", "tcm", world.cdc),
        ("E3", "medicine", world.centre),  # of the unit itself
    ):
        Expert.objects.create(
            bureau=world.city,
            code=code,
            title=f"专家{code}",
            professions=professions,
            employer=employer,
        )
    city = log_in(world.posts.city_officer)
    data = {"share": 20, "size": 2, "version": review.version}
    short = city.post(url("draw_lots", review), {**data, "professions": ["finance"]})
    assert short.status_code == 422 and "“财务管理”专业需要 1 人" in short.content.decode()
    assert fresh(review).status == "reported"
    city.post(url("draw_lots", review), {**data, "professions": ["medicine", "tcm"]})
    team = CapabilityDraw.objects.get(kind="team")
    assert set(team.result["teams"][0]["members"]) == {"E1", "E2"}
    assert reviewing.check_draw(team) == ""
    page = city.get(url("draw", team)).content.decode()
    # 九个专业: what the team lacks is told.
    assert "缺专业" in page and "医院感染管理" in page and "财务管理" in page


# --- The province, the targets ---------------------------------------------------------------------------


def test_the_province_s_result_is_entered_after_the_list_has_gone_up(world, log_in):
    round = city_round(world)
    review = confirmed(world, round)
    city = log_in(world.posts.city_officer)
    data = {"level": "basic", "on": "2023-04-10", "note": "自治区通报", "version": review.version}
    early = city.post(url("certify", review), data)
    assert early.status_code == 422 and "请先上报复核情况" in early.content.decode()
    register.report_up(round, by=world.posts.city_officer, opinion="上报")
    late = city.post(url("certify", review), {**data, "on": "2023-05-01"})
    assert late.status_code == 422
    city.post(url("certify", review), data)
    review = fresh(review)
    assert (review.status, review.level, review.level_on) == ("final", "basic", date(2023, 4, 10))
    assert Event.objects.of(review).filter(action__endswith=".certify").exists()


@pytest.mark.row("E07")
def test_targets_by_county_are_counted_from_what_reviews_confirm(world, log_in):
    round = city_round(world)
    by = world.posts.city_officer

    campaign = Campaign.objects.create(
        institution=world.city,
        supervisor=world.city,
        name="优质服务基层行",
        title="方案",
        year=2023,
        issued_on=date(2023, 1, 1),
    )
    CapabilityRound.objects.update(campaign=campaign)
    round.refresh_from_db()
    target = Target(
        bureau=world.city,
        campaign=campaign,
        name="达到国家基本标准",
        kind="level",
        goal=2,
        unit="家",
        level="国家基本标准",
        starts=date(2023, 1, 1),
        due=date(2023, 12, 31),
    )
    save_target(
        target,
        by=by,
        institutions=[world.centre, world.other_centre, world.far_centre],
        parts={world.county.pk: 1, world.other_county.pk: 1},
    )
    confirmed(world, round)
    aim = register.aims(round, by)[0]
    assert aim.reached == 1 and not aim.met
    assert aim.parts == [("示例区卫生健康局", 1, 1), ("邻区卫生健康局", 1, 0)]
    page = log_in(by).get(url("round", round)).content.decode()
    assert "评审认定 1 家，目标 ≥2家" in page


# --- What results are used for ---------------------------------------------------------------------------


@pytest.mark.row("E24", "E25", "E26")
def test_a_level_brings_what_the_paper_says_by_a_leader_s_decision(world, log_in, leader):
    review = confirmed(world, city_round(world), level="recommended", grades="A" * 44)
    assert "请决定评审结果运用" in [line.label for line in work_for(leader)]
    assert log_in(world.posts.city_officer).get(url("use", review)).status_code == 403
    client = log_in(leader)
    form = client.get(url("use", review)).context["form"]
    assert list(form.kinds) == ["basic", "recommended", "commendation"]
    page = client.get(url("use", review)).content.decode()
    assert "项目资金安排" in page and "专业技术岗位占比" in page
    data = {
        "basic": ["项目资金安排", "设备配备", "人员培训", "评优评先"],
        "recommended": ["特色科室建设", "医疗技术准入"],
        "commendation": ["通报表扬"],
        "note": "同意",
    }
    assert client.post(url("use", review), {"note": "同意"}).status_code == 422
    client.post(url("use", review), data)
    uses = {use.kind: use for use in CapabilityUse.objects.filter(review=review)}
    assert uses["basic"].measures == data["basic"] and uses["basic"].decided_by == leader
    assert uses["recommended"].measures == ["特色科室建设", "医疗技术准入"]
    entry = uses["commendation"].sanction
    assert (entry.kind, entry.status, entry.grounds) == (
        "commendation",
        "decided",
        "活动中表现突出",
    )
    assert (entry.institution, entry.year) == (world.centre, 2023)
    assert using.due_kinds(review) == [] and work_for(leader) == []
    again = client.post(url("use", review), data)
    assert again.status_code == 422
    own = log_in(world.posts.head).get(url("detail", review)).content.decode()
    assert "推荐标准以上政策倾斜" in own and "通报表扬" in own


@pytest.mark.row("E27")
def test_below_basic_unit_and_head_are_kept_off_award_lists_until_the_standard_is_reached(
    world, leader
):
    round = city_round(world)
    review = reported(world, passed(world, applied(world, round)))
    review = rechecked(world, checking(world, review), worse={"1.1.1": "D"})
    assert using.due_kinds(review) == ["exclusion"]
    with pytest.raises(ValidationError, match="不适用于现在的等次"):
        using.decide(review, measures={"basic": ["人员培训"]}, note="x", by=leader)
    measures = {"exclusion": list(using.CONSEQUENCES["exclusion"].measures)}
    with pytest.raises(PermissionDenied):
        using.decide(review, measures=measures, note="x", by=world.posts.leader)
    using.decide(review, measures=measures, note="按文件执行", by=leader)
    bar = sanctioning.barred(world.centre)
    assert (bar.kind, bar.grounds, bar.person) == ("no_awards", "未达到基本标准", "机构负责人")
    with pytest.raises(ValidationError, match="及其负责人不得推荐评优"):
        sanctioning.propose(
            world.centre,
            by=world.posts.officer,
            kind=Sanction.Kind.COMMENDATION,
            year=2023,
            reason="x",
        )
    # Next year it reaches the standard: the leader's decision lifts the bar.
    reviewing.reopen(review, by=world.posts.city_officer, version=review.version, note="已整改")
    CapabilityReview.objects.update(
        status="confirmed",
        level="basic",
        level_on=APPLIES,
        applied_on=APPLIES,
        applied_level="basic",
    )
    using.decide(fresh(review), measures={"basic": ["人员培训"]}, note="同意", by=leader)
    assert sanctioning.barred(world.centre) is None
    bar.refresh_from_db()
    assert bar.status == "revoked"


def test_only_a_leader_of_a_bureau_above_enters_what_is_decided(world, leader):
    given = {"year": 2023, "grounds": "", "reason": "x", "opinion": "x"}
    for post in (world.posts.head, world.posts.officer, world.posts.leader):
        with pytest.raises(PermissionDenied):
            sanctioning.enter_decided(
                world.far_centre, by=post, kind=Sanction.Kind.COMMENDATION, **given
            )
    with pytest.raises(ValidationError, match="须先提出"):
        sanctioning.enter_decided(world.centre, by=leader, kind=Sanction.Kind.CUT, **given)


def test_the_level_of_many_is_the_latest_up_to_the_year(world):
    round = city_round(world)
    confirmed(world, round)
    assert level_of([world.centre, world.other_centre], 2023) == {world.centre.pk: "basic"}
    assert level_of([world.centre.pk], 2025) == {world.centre.pk: "basic"}
    assert level_of([world.centre], 2022) == {}
