"""优质服务基层行, the unit's side and the register: who takes part, self-evaluation, the months, putting right, applying."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from institutions import clock
from institutions.models import Event, Kind, Notification
from scoring import capability_filling as filling
from scoring import capability_register as register
from scoring import capability_reminding as reminding
from scoring.capability import level_of, required_ids
from scoring.models import CapabilityLine, CapabilityReview, CapabilityRound
from scoring.models.capability import default_dates
from scoring.summary import summary_for
from scoring.work import work_for
from supervision.models import Problem
from tests import builders
from tests.scoring.capability_scene import (
    APPLIES,
    BASIC,
    STARTED,
    begun,
    city_round,
    fresh,
    grade,
    url,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def at(monkeypatch):
    """Return a function that sets today."""

    def go(day: date) -> None:
        monkeypatch.setattr(clock, "today", lambda: day)

    go(STARTED)
    return go


# --- The register -------------------------------------------------------------------------------------


@pytest.mark.row("E04")
def test_all_township_and_community_centres_are_on_the_register_and_who_has_not_begun_is_named(
    world, log_in, at
):
    round = city_round(world)
    # 区妇幼保健院 acts as a community centre as well; hospitals, clinics and stations do not have to.
    assert required_ids(round) == {
        world.centre.pk,
        world.other_centre.pk,
        world.maternal.pk,
        world.far_centre.pk,
    }
    begun(round, world.posts.head)
    page = log_in(world.posts.city_officer).get(url("round", round))
    areas = {area.bureau.code: area for area in page.context["areas"]}
    assert (areas["ZC"].required, areas["ZC"].begun) == (3, 1)
    assert [unit.code for unit in areas["ZC"].missing] == ["ZC-FY", "ZC-WC"]
    assert [unit.code for unit in areas["ZD"].missing] == ["ZD-A"]
    assert "应参加 4 家，已开始 1 家，3 家没有开始" in page.content.decode()
    assert (
        "还没有开始自评的机构有区妇幼保健院、王村镇中心卫生院、邻区卫生院" in page.content.decode()
    )
    only = log_in(world.posts.city_officer).get(url("round", round), {"state": "none"})
    assert [row.row.code for row in only.context["listing"]["rows"]] == ["ZC-FY", "ZC-WC", "ZD-A"]
    # A county sees its own part; a unit closed before the day is not asked for.
    county = log_in(world.posts.far_officer).get(url("round", round))
    assert [area.bureau.code for area in county.context["areas"]] == ["ZD"]
    world.far_centre.closed = STARTED
    world.far_centre.save()
    assert world.far_centre.pk not in required_ids(round)
    export = log_in(world.posts.city_officer).get(url("round", round), {"format": "csv"})
    text = b"".join(export.streaming_content).decode()
    assert "王村镇中心卫生院" in text and "未开始" in text


@pytest.mark.row("E05")
def test_a_clinic_takes_part_freely_by_the_standard_of_its_kind_of_centre(world, log_in, at):
    round = city_round(world)
    page = log_in(world.posts.doctor).get(url("round", round))
    assert "自愿参加，开始自评" in page.content.decode()
    log_in(world.posts.doctor).post(url("start", round))
    review = CapabilityReview.objects.get(institution=world.clinic)
    assert review.optional and review.standard.kinds == [Kind.TOWNSHIP]
    assert review.supervisor == world.county
    station = builders.post(world.station, "head", "站长")
    other = begun(round, station)
    assert other.optional and other.standard.kinds == [Kind.COMMUNITY]
    # It stands on the register beside those that must, and is not missed when it does not.
    listed = log_in(world.posts.city_officer).get(url("round", round)).context["listing"]["rows"]
    assert {row.row.code for row in listed} >= {"ZC-QNL-1", "ZC-RM-1"}
    assert world.sibling_clinic.pk not in required_ids(round)
    # Who has no standard in the round cannot begin: a disease control centre.
    assert not filling.may_start(round, world.posts.lead)


def test_the_round_is_set_up_on_a_page_with_the_dates_of_the_paper(world, log_in, at):
    at(date(2023, 1, 4))
    standards = list(city_round(world).standards.values_list("pk", flat=True))
    CapabilityRound.objects.all().delete()
    client = log_in(world.posts.city_officer)
    page = client.get(reverse("scoring:capability_round_create"))
    initial = page.context["form"].initial
    assert (initial["self_due"], initial["recheck_due"]) == (date(2023, 4, 30), date(2023, 5, 20))
    data = {
        "name": "2023年“优质服务基层行”活动",
        "year": 2023,
        "standards": standards,
        "months": 6,
        "self_due": "2023-04-30",
        "recheck_due": "2023-05-20",
        "share": 30,
    }
    wrong = client.post(
        reverse("scoring:capability_round_create"), {**data, "recheck_due": "2023-04-01"}
    )
    assert wrong.status_code == 422 and "复核截止不能早于自查截止" in wrong.content.decode()
    assert client.post(reverse("scoring:capability_round_create"), data).status_code == 302
    round = CapabilityRound.objects.get()
    assert round.institution == world.city
    twice = client.post(reverse("scoring:capability_round_create"), data)
    assert twice.status_code == 422 and "已经建立" in twice.content.decode()
    # A county may run one of its own; a centre may not.
    assert log_in(world.posts.head).get(url("round_edit", round)).status_code == 403
    used = begun(round, world.posts.head).standard_id
    drop = log_in(world.posts.city_officer).post(
        url("round_edit", round), {**data, "standards": [pk for pk in standards if pk != used]}
    )
    assert "已有机构按原标准自评" in drop.content.decode()


# --- Self-evaluation ----------------------------------------------------------------------------------


def save(client, line, **values):
    data = {"grade": "B", "note": "", "version": line.version, **values}
    return client.post(url("line_save", line), data, HTTP_ACCEPT="application/json")


def test_clauses_are_saved_one_by_one_and_a_conflict_keeps_both(world, log_in, at):
    review = begun(city_round(world), world.posts.head)
    assert review.started_on == STARTED
    line, other = filling.lines_of(review)[:2]
    client = log_in(world.posts.staff)
    answer = save(client, line, note="有记录").json()
    assert answer["version"] == 2 and answer["totals"]["done"] == "1"
    assert answer["totals"]["level"] == "未达到基本标准"
    assert answer["totals"]["next"].startswith("距基本标准还差：")
    late = save(client, line, grade="C")
    assert late.status_code == 409
    assert "他人刚把本条保存为“B 良好”，说明“有记录”" in late.json()["message"]
    page = client.post(url("line_save", line), {"grade": "C", "note": "我的话", "version": 1})
    assert page.status_code == 409 and "我的话" in page.content.decode()
    line.refresh_from_db()
    assert (line.grade, line.note) == ("B", "有记录")
    # Somebody else's clause has a version of its own.
    assert save(client, other).status_code == 200
    unsaid = save(client, other, grade="N", version=2)
    assert unsaid.status_code == 400
    assert unsaid.json()["errors"]["__all__"] == ["不适用的请在说明中写明原因"]
    assert save(client, other, grade="N", note="没有这项服务", version=2).status_code == 200
    # Evidence goes to its clause, and out again.
    sent = {"files": builders.picture(), "version": 2}
    client.post(url("line_attach", line), sent)
    line.refresh_from_db()
    stored = line.files.get()
    where = reverse("scoring:capability_line_file", args=[line.pk, stored.key])
    assert client.get(where).status_code == 200
    assert log_in(world.posts.other_head).get(where).status_code == 404
    gone = reverse("scoring:capability_line_detach", args=[line.pk, stored.key])
    log_in(world.posts.head).post(gone, {"version": line.version})
    assert not line.files.exists()
    assert save(log_in(world.posts.other_head), line).status_code == 404


@pytest.mark.row("E20", "E22")
def test_an_application_before_six_months_is_refused_with_the_earliest_day(world, log_in, at):
    round = city_round(world)
    review = begun(round, world.posts.head)
    grade(review, BASIC)
    at(date(2023, 4, 9))
    client = log_in(world.posts.head)
    data = {"level": "basic", "version": review.version}
    early = client.post(url("apply", review), data)
    assert early.status_code == 422
    assert "最早可申请日期：2023年4月10日" in early.content.decode()
    assert fresh(review).status == "self"
    # It is the head who applies, not the staff.
    assert log_in(world.posts.staff).post(url("apply", review), data).status_code == 403
    at(APPLIES)
    client = log_in(world.posts.head)
    high = client.post(url("apply", review), {**data, "level": "recommended"})
    assert "自评未达到推荐标准，还差：A还差 9 条（至少 14 条，现有 5 条）" in high.content.decode()
    assert client.post(url("apply", review), data).status_code == 302
    review = fresh(review)
    assert (review.status, review.applied_level, review.self_level) == ("applied",) + ("basic",) * 2
    assert review.applied_on == review.done_on == APPLIES
    assert Event.objects.of(review).filter(action__endswith=".apply").count() == 1
    # Nothing is changed any more while it lies with the county.
    line = filling.lines_of(review)[0]
    assert save(client, line).status_code == 409
    assert client.get(url("fill", review)).status_code == 302


def test_an_application_needs_every_clause_and_the_level(world, at):
    review = begun(city_round(world), world.posts.head)
    grade(review, BASIC[:-1])
    at(APPLIES)
    with pytest.raises(ValidationError) as refused:
        filling.apply(review, level="basic", by=world.posts.head, version=review.version)
    assert "还有 1 条没有评定等级" in refused.value.messages
    with pytest.raises(ValidationError, match="没有评定"):
        filling.complete(review, by=world.posts.head, version=review.version)


def test_the_self_check_is_completed_before_the_months_are_over(world, log_in, at):
    at(date(2023, 1, 9))
    review = begun(city_round(world), world.posts.head)
    grade(review, BASIC)
    at(date(2023, 4, 20))
    client = log_in(world.posts.staff)
    client.post(url("complete", review), {"version": review.version})
    review = fresh(review)
    assert (review.status, review.done_on, review.self_level) == (
        "done",
        date(2023, 4, 20),
        "basic",
    )
    page = client.get(review.get_absolute_url()).content.decode()
    assert "2023年7月9日起可以申请审核" in page
    client.post(url("resume", review), {"version": review.version})
    assert fresh(review).status == "self" and fresh(review).done_on is None


@pytest.mark.row("E21")
def test_weak_clauses_go_into_rectification_in_one_deed_and_the_page_shows_their_state(
    world, log_in, at
):
    review = begun(city_round(world), world.posts.head)
    lines = grade(review, "ABCD")
    by_grade = {line.grade: line for line in lines if line.grade}
    marked = by_grade["A"]
    filling.fill_line(
        marked,
        {"grade": "A", "note": "记录不全", "flagged": True},
        by=world.posts.head,
        version=marked.version,
    )
    client = log_in(world.posts.staff)
    form = client.get(url("put_right", review)).context["form"]
    offered = {line.pk for line in form.candidates.values()}
    assert offered == {by_grade[g].pk for g in "ACD"}
    assert set(form.initial["lines"]) == {str(by_grade[g].pk) for g in "AD"}  # C may be added
    chosen = [by_grade["A"].pk, by_grade["D"].pk]
    client.post(url("put_right", review), {"lines": chosen, "due": "2022-11-30"})
    problems = list(Problem.objects.order_by("pk"))
    assert {p.source for p in problems} == {"self"} and len(problems) == 2
    assert all(p.institution == world.centre and p.clause_id for p in problems)
    assert any("（自评 A）：记录不全" in p.text for p in problems)
    assert problems[0].rectification.due == date(2022, 11, 30)
    assert Event.objects.filter(action="supervision.problem.hand_out").count() == 1
    page = client.get(url("fill", review)).content.decode()
    assert page.count("待签收") == 2
    # What is in rectification is not offered again.
    again = client.get(url("put_right", review)).context["form"]
    assert list(again.candidates.values()) == [CapabilityLine.objects.get(pk=by_grade["C"].pk)]
    stranger = log_in(world.posts.officer).post(url("put_right", review), {"lines": chosen})
    assert stranger.status_code == 403


# --- Deadlines ----------------------------------------------------------------------------------------


@pytest.mark.row("E29", "E30")
def test_the_deadlines_stand_on_the_register_and_are_reminded_of_once(
    world, log_in, at, django_capture_on_commit_callbacks
):
    round = city_round(world)
    assert (round.self_due, round.recheck_due) == (date(2023, 4, 30), date(2023, 5, 20))
    at(date(2023, 4, 28))
    assert "剩2天" in log_in(world.posts.city_officer).get(url("round", round)).content.decode()
    Notification.objects.all().delete()
    with django_capture_on_commit_callbacks(execute=True):
        assert reminding.remind() == 1
    told = set(Notification.objects.values_list("post", flat=True))
    assert world.posts.head.pk in told and world.posts.far_head.pk in told
    assert world.posts.officer.pk not in told and world.posts.doctor.pk not in told
    assert reminding.remind() == 0  # a second run finds nothing
    at(date(2023, 5, 4))
    Notification.objects.all().delete()
    with django_capture_on_commit_callbacks(execute=True):
        reminding.remind()
    told = set(Notification.objects.values_list("post", flat=True))
    assert {world.posts.officer.pk, world.posts.far_officer.pk} <= told
    assert "逾期4天" in log_in(world.posts.city_officer).get(url("round", round)).content.decode()
    at(date(2023, 5, 22))
    Notification.objects.all().delete()
    with django_capture_on_commit_callbacks(execute=True):
        reminding.remind()
    recheck = Notification.objects.filter(text__contains="完成复核并上报")
    assert [n.post for n in recheck] == [world.posts.city_officer]
    # A new date is reminded of anew.
    round.refresh_from_db()
    round.self_due, round.recheck_due = date(2023, 5, 22), date(2023, 6, 20)
    round.save()
    assert reminding.remind() >= 1


def test_work_waits_on_the_home_page_of_each_side(world, at):
    round = city_round(world)
    labels = [line.label for line in work_for(world.posts.head)]
    assert "请开始能力自评" in labels
    assert "请开始能力自评" not in [line.label for line in work_for(world.posts.doctor)]
    review = begun(round, world.posts.head)
    assert "请完成能力自评" in [line.label for line in work_for(world.posts.head)]
    grade(review, BASIC)
    at(APPLIES)
    filling.apply(review, level="basic", by=world.posts.head, version=review.version)
    line = next(x for x in work_for(world.posts.officer) if x.label == "请审核能力评审申请")
    assert line.count == 1
    assert "能力评审等待审核" in [x.label for x in work_for(world.posts.head)]


# --- The end of the year, and the level ------------------------------------------------------------------


def test_a_closed_year_leaves_whoever_has_no_level_below(world, log_in, at):
    round = city_round(world)
    begun(round, world.posts.head)
    units = [world.centre, world.other_centre, world.clinic]
    assert level_of(units, 2023) == {}
    CapabilityReview.objects.update(status="applied", applied_on=STARTED, applied_level="basic")
    with pytest.raises(ValidationError, match="青年路"):
        register.close(round, by=world.posts.city_officer, version=round.version)
    CapabilityReview.objects.update(status="returned")
    client = log_in(world.posts.city_officer)
    client.post(url("close", round), {"version": round.version})
    round.refresh_from_db()
    assert round.status == "closed"
    # Those who began and those who did not; a clinic does not have to take part.
    assert level_of(units, 2023) == {world.centre.pk: "below", world.other_centre.pk: "below"}
    assert level_of(units, 2022) == {}
    absent = CapabilityReview.objects.get(institution=world.other_centre)
    assert absent.started_on is None
    assert "没有开始" in client.get(absent.get_absolute_url()).content.decode()
    assert not filling.may_start(round, world.posts.other_head)
    # Who has reached the standard in an earlier year keeps it.
    absent.level = "basic"
    absent.save(update_fields=["level"])
    later = CapabilityRound(name="2024", year=2024, **default_dates(2024))
    register.save_round(later, list(round.standards.all()), by=world.posts.city_officer)
    register.close(later, by=world.posts.city_officer, version=later.version)
    assert level_of(units, 2024)[world.other_centre.pk] == "basic"


def test_the_institution_page_tells_where_it_stands(world, log_in, at):
    review = begun(city_round(world), world.posts.head)
    assert summary_for(world.centre, world.posts.head).capability == [review]
    page = log_in(world.posts.head).get(world.centre.get_absolute_url()).content.decode()
    assert "服务能力等次" in page and "自评中" in page


def test_the_database_refuses_what_cannot_be(world, at):
    round = city_round(world)
    review = begun(round, world.posts.head)
    for fault in (
        {"status": "nowhere"},
        {"status": "applied"},  # without a level and a day
        {"status": "below"},  # without the level it settled on
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            CapabilityReview.objects.filter(pk=review.pk).update(**fault)
    with pytest.raises(IntegrityError), transaction.atomic():
        CapabilityLine.objects.filter(review=review).update(grade="E")
    with pytest.raises(IntegrityError), transaction.atomic():
        CapabilityRound.objects.filter(pk=round.pk).update(recheck_due=date(2023, 1, 1))
    with pytest.raises(ValidationError, match="已经开始"):
        filling.start(round, by=world.posts.head)


def test_lists_cost_the_same_however_long(world, log_in, at):
    round = city_round(world)
    client = log_in(world.posts.city_officer)
    first = begun(round, world.posts.head)

    def cost(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(address).status_code == 200
        return len(seen)

    def more(start: int) -> None:
        for n in range(start, start + 10):
            unit = builders.institution(f"ZC-T{n}", f"示例卫生院{n}", Kind.TOWNSHIP, world.county)
            CapabilityReview(
                round=round,
                institution=unit,
                supervisor=world.county,
                standard=first.standard,
                started_on=STARTED,
            ).save()

    pages = [url("round", round), reverse("scoring:capability_list")]
    more(0)
    before = [cost(page) for page in pages]
    more(10)
    assert [cost(page) for page in pages] == before
    assert before[0] <= 22 and before[1] <= 15, before


def test_a_round_of_another_city_is_out_of_sight(world, log_in, at):
    round = city_round(world)
    review = applied_review(world, round, at)
    assert log_in(world.posts.far_head).get(review.get_absolute_url()).status_code == 404
    assert log_in(world.posts.other_head).get(url("detail", review)).status_code == 404
    # A centre under the same city knows the round, not the others' reviews.
    assert log_in(world.posts.far_head).get(url("round", round)).status_code == 200


def applied_review(world, round, at):
    review = begun(round, world.posts.head)
    grade(review, BASIC)
    at(APPLIES)
    filling.apply(review, level="basic", by=world.posts.head, version=review.version)
    return fresh(review)
