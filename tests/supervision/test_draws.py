"""Drawing lots in the browser: the pool, recusal, the record and its check; suggestions by risk; the calendar."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.urls import reverse

from institutions import clock
from institutions.models import Event, Notification, Population
from scoring.risk import last_scores
from supervision import diary, drawing, lots, risk, suggesting
from supervision.assigning import issue_round, plan_visits
from supervision.models import Draw, Expert, ExpertTie, Rectification, SupervisionRound, Visit
from tests import builders
from tests.supervision.making import fresh, rectification, round_of, visit_of
from tests.supervision.test_year_plans import made, plan_of


def expert(world, code, employer, professions="medicine", *, with_post=True) -> Expert:
    post = None
    if with_post:
        post = builders.post(employer, "expert", f"督导专家{code}", username=code.lower())
    return Expert.objects.create(
        bureau=world.county,
        code=code,
        title=f"专家{code}",
        professions=professions,
        employer=employer,
        post=post,
    )


@pytest.fixture
def pool(world):
    """Five who can be drawn, one without a post, one who has left the pool."""
    rows = [
        expert(world, "ZJ01", world.hospital, "medicine,tcm"),
        expert(world, "ZJ02", world.maternal, "nursing"),
        expert(world, "ZJ03", world.cdc, "public_health"),
        expert(world, "ZJ04", world.city_hospital, "public_health,tcm"),
        expert(world, "ZJ05", world.other_centre, "medicine"),
        expert(world, "ZJ06", world.hospital, "finance", with_post=False),
        expert(world, "ZJ07", world.hospital, "finance"),
    ]
    Expert.objects.filter(code="ZJ07").update(active=False)
    return rows


def ask_for(client, round, **more):
    values = {
        "version": round.version,
        "mode": "all",
        "teams": 2,
        "size": 2,
        "professions": ["public_health"],
        "seed": "20230508",
        **more,
    }
    return client.post(reverse("supervision:draw_create", args=[round.pk]), values)


@pytest.mark.row("E32")
def test_a_draw_plans_the_visits_keeps_its_record_and_can_be_checked(world, log_in, pool):
    client = log_in(world.posts.officer)
    today = clock.today()
    round = round_of(world, starts=today, ends=today + timedelta(days=40))
    page = client.get(reverse("supervision:draw_create", args=[round.pk])).content.decode()
    assert "5 人" in page and "公共卫生（2人）" in page
    answer = ask_for(client, round)
    row = Draw.objects.get()
    assert answer.url == row.get_absolute_url()
    visits = list(round.visits.prefetch_related("members").select_related("lead", "institution"))
    units = {visit.institution.code for visit in visits}
    assert units == {"ZC-RM", "ZC-FY", "ZC-CDC", "ZC-SZY", "ZC-QNL", "ZC-WC"}
    homes = {e.post_id: e.employer.code for e in pool if e.post_id}
    for visit in visits:
        team = [visit.lead, *visit.members.all()]
        assert len(team) == 2 and visit.institution.code not in {homes[p.pk] for p in team}
    days = {}
    for visit in visits:
        assert days.setdefault((visit.lead_id, visit.starts), visit) == visit, "two on one day"
    round.refresh_from_db()
    assert {unit.code for unit in round.institutions.all()} == units
    event = Event.objects.get(action="supervision.supervisionround.draw")
    assert event.data["seed"] == "20230508" and event.data["digest"] == row.digest
    page = client.get(row.get_absolute_url(), {"replay": 1}).content.decode()
    assert "核验相符" in page and row.seed in page and row.digest in page and "抽取人：" in page
    call_command("verify_draws")
    Draw.objects.update(result={**row.result, "teams": row.result["teams"][::-1]})
    assert "核验不符" in client.get(row.get_absolute_url(), {"replay": 1}).content.decode()
    with pytest.raises(SystemExit):
        call_command("verify_draws")


def test_a_redraw_needs_a_reason_and_keeps_the_draw_before(world, log_in, pool):
    client = log_in(world.posts.officer)
    round = round_of(world, ends=clock.today() + timedelta(days=40))
    ask_for(client, round)
    round.refresh_from_db()
    first = Draw.objects.get()
    assert ask_for(client, round, seed="2").status_code == 200, "no reason, no redraw"
    assert Draw.objects.count() == 1
    assert ask_for(client, round, seed="2", reason="专家因病").status_code == 302
    second = Draw.objects.get(number=2)
    assert second.reason == "专家因病" and Draw.objects.filter(pk=first.pk).exists()
    assert round.visits.filter(status="cancelled").count() == 6
    assert round.visits.filter(status="planned").count() == 6
    round.refresh_from_db()
    page = client.get(round.get_absolute_url()).content.decode()
    assert "第1次随机抽取记录" in page and "专家因病" in page
    stale = ask_for(client, round, reason="再来", version=1)
    assert stale.status_code == 409
    issue_round(round, by=world.posts.officer, version=round.version)
    round.refresh_from_db()
    assert ask_for(client, round, reason="再来").status_code == 403


def test_what_cannot_be_drawn_is_refused_in_words_and_leaves_nothing(world, log_in, pool):
    client = log_in(world.posts.officer)
    round = round_of(world)
    page = ask_for(client, round, professions=["finance"]).content.decode()
    assert "“财务管理”专业需要 2 人（每组 1 人），可用 0 人" in page
    page = ask_for(client, round, teams=3, size=2, professions=[]).content.decode()
    assert "还缺 1 人" in page
    page = ask_for(client, round, mode="number", amount=3, strata="kind", teams=0)
    assert "妇幼保健院只有 1 家，不够抽 3 家" in page.content.decode()
    round.refresh_from_db()
    assert not Draw.objects.exists() and not round.visits.exists() and round.version == 1
    visit_of(round, world.centre, world.posts.officer)
    assert "已经安排督导" in ask_for(client, round).content.decode()


@pytest.mark.row("E31")
def test_a_sample_of_institutions_is_drawn_by_strata_for_teams_of_one_s_own(world, log_in):
    head = world.posts.head
    client = log_in(head)
    round = round_of(world, by=head)
    page = client.get(reverse("supervision:draw_create", args=[round.pk])).content.decode()
    assert "本单位可督导的岗位 2 人" in page and "每组须有的专业" not in page
    values = {
        "version": round.version,
        "mode": "share",
        "amount": 50,
        "strata": "kind",
        "teams": 0,
        "seed": "7",
    }
    client.post(reverse("supervision:draw_create", args=[round.pk]), values)
    (drawn,) = round.institutions.all()
    assert drawn in (world.clinic, world.sibling_clinic) and not round.visits.exists()
    left = ({world.clinic, world.sibling_clinic} - {drawn}).pop()
    page = client.get(reverse("supervision:visit_create", args=[round.pk])).content.decode()
    assert drawn.name in page and left.name not in page


def test_declared_ties_keep_an_expert_away_by_lot_and_by_hand(world, log_in, pool):
    officer = log_in(world.posts.officer)
    url = reverse("supervision:expert_detail", args=[pool[0].pk])
    answer = officer.post(url, {"institution": world.centre.pk, "reason": "近亲属任职"})
    assert answer.status_code == 302
    tie = ExpertTie.objects.get()
    assert "近亲属任职" in officer.get(url).content.decode()
    round = round_of(world)
    barred = {p.code: p.barred for p in lots.pools(round, world.posts.officer).people}
    assert set(barred["ZJ01"]) == {"ZC-RM", "ZC-QNL"} and set(barred["ZJ02"]) == {"ZC-FY"}
    with pytest.raises(ValidationError, match="近亲属任职"):
        plan_visits(
            round,
            institutions=[world.centre],
            lead=pool[0].post,
            starts=round.starts,
            ends=round.starts,
            by=world.posts.officer,
            version=round.version,
        )
    page = officer.post(
        reverse("supervision:visit_create", args=[round.pk]),
        {
            "version": round.version,
            "institutions": [world.centre.pk],
            "lead": pool[0].post.pk,
            "starts": round.starts,
            "ends": round.starts,
        },
    )
    assert "近亲属任职" in page.content.decode() and not Visit.objects.exists()
    ExpertTie.objects.update(ends=round.starts - timedelta(days=1))
    assert "ZC-QNL" not in lots.pools(round, world.posts.officer).people[0].barred
    officer.post(reverse("supervision:tie_withdraw", args=[tie.pk]))
    assert not ExpertTie.objects.exists()
    assert Event.objects.filter(action__startswith="supervision.expert.").count() == 2


@pytest.mark.row("E33")
def test_the_pool_is_kept_by_form_and_by_table(world, log_in):
    client = log_in(world.posts.officer)
    values = {
        "code": "ZJ01",
        "title": "督导专家（妇产）",
        "professions": ["medicine", "nursing"],
        "post": world.posts.expert.pk,
        "active": "on",
    }
    assert client.get(reverse("supervision:expert_create")).status_code == 200
    client.post(reverse("supervision:expert_create"), values)
    row = Expert.objects.get()
    assert row.employer == world.hospital and row.professions == "medicine,nursing"
    edit = reverse("supervision:expert_edit", args=[row.pk])
    client.post(edit, {**values, "code": "X", "professions": ["tcm"]})
    row.refresh_from_db()
    assert (row.code, row.professions) == ("ZJ01", "tcm"), "the lot stays"
    listed = client.get(reverse("supervision:expert_list"), {"profession": "tcm"})
    assert "督导专家（妇产）" in listed.content.decode()
    listed = client.get(reverse("supervision:expert_list"), {"profession": "finance"})
    assert "督导专家（妇产）" not in listed.content.decode()
    assert log_in(world.posts.head).get(edit).status_code in (403, 404)
    _import(
        world,
        "专家编号,专家,专业,所在单位代码,区外单位,用户名,在库,备注\n"
        "ZJ01,督导专家（妇产）,医疗、护理,ZC-RM,,expert,是,\n"
        "ZJ02,市级专家,财务管理,,市财政局,,是,外聘\n",
    )
    row.refresh_from_db()
    assert row.professions == "medicine,nursing" and row.post == world.posts.expert
    outside = Expert.objects.get(code="ZJ02")
    assert (outside.outside, outside.post) == ("市财政局", None)
    errors = _import(
        world, "专家编号,专家,专业,用户名\nZJ03,某,画画,expert\nZJ04,某,医疗,expert\n", ok=False
    )
    assert {"专业", "用户名"} <= {error.column for error in errors}


def _import(world, text, *, ok=True):
    import io

    from config.tables import KINDS
    from institutions.tables import Scope

    table = KINDS["experts"](Scope.of(fresh(world.posts.officer)))
    plan = table.plan(io.BytesIO(text.encode()), "experts.csv")
    assert plan.ok == ok, plan.errors
    if ok:
        table.commit(plan)
        again = KINDS["experts"](Scope.of(fresh(world.posts.officer)))
        exported = b"".join(again.write_csv(None))
        back = KINDS["experts"](Scope.of(fresh(world.posts.officer)))
        assert not back.plan(io.BytesIO(exported), "back.csv").changes
    return plan.errors


# --- By risk ------------------------------------------------------------------------------------------


def test_the_terms_of_risk_add_up_and_stay_within_their_weights():
    weights = dict(risk.DEFAULTS)
    worst = risk.Figures(Decimal(0), Decimal(90), 99, 99, None, 50_000)
    assert risk.total(risk.terms(worst, weights, 50_000)) == 100
    best = risk.Figures(Decimal(100), Decimal(-5), 0, 0, 0, 0)
    assert risk.total(risk.terms(best, weights, 50_000)) == 0
    unknown = risk.terms(risk.Figures(), weights, 0)
    assert [t.points for t in unknown] == [Decimal(15), 0, 0, 0, Decimal(10), 0]
    some = risk.terms(risk.Figures(Decimal(85), Decimal(5), 2, 1, 90, 25_000), weights, 50_000)
    assert [str(t.points) for t in some] == ["4.5", "8.0", "5.0", "3.8", "5.0", "5.0"]
    assert some[0].said == "85分" and some[1].said == "2个"


def test_the_riskiest_are_suggested_and_a_changed_list_keeps_its_reason(world, log_in):
    plan = plan_of(world.posts.officer, entries=(("日常督导", "daily"),))
    for n in range(5):
        rectification(world, world.other_centre, text=f"问题{n}")
    Rectification.objects.update(due=clock.today() - timedelta(days=1))
    for unit in (world.hospital, world.maternal, world.cdc, world.city_hospital, world.centre):
        made(plan, unit)
    Population.objects.create(institution=world.centre, year=clock.today().year, residents=30_000)
    client = log_in(world.posts.officer)
    url = reverse("visit_suggestion", args=[plan.pk])
    page = client.get(url, {"count": 1}).content.decode()
    ticked = [line for line in page.split("<input") if " checked" in line]
    assert len(ticked) == 1 and world.other_centre.known_as in ticked[0]
    assert "20×1.00＝20.0" in page and "服务人口÷本表最多的服务人口" in page
    today = clock.today().isoformat()
    values = {"count": 1, "name": "重点督导", "type": "daily", "starts": today, "ends": today}
    values |= {"entry": plan.entries.get().pk, "units": [world.centre.pk]}
    page = client.post(url, values).content.decode()
    assert "请写明理由" in page and "重点督导" in page
    assert not SupervisionRound.objects.filter(name="重点督导").exists()
    client.post(url, {**values, "reason": "群众反映集中"})
    round = SupervisionRound.objects.get(name="重点督导")
    assert list(round.institutions.all()) == [world.centre] and round.planned.name == "日常督导"
    told = round.selection
    assert told["added"] == [world.centre.known_as]
    assert told["dropped"] == [world.other_centre.known_as] and told["reason"] == "群众反映集中"
    event = Event.objects.get(action="supervision.supervisionround.add", subject_id=round.pk)
    assert "群众反映集中" in event.note
    page = client.get(round.get_absolute_url()).content.decode()
    assert "群众反映集中" in page and "当时的风险分" in page
    client.post(url, {**values, "name": "照建议", "units": [world.other_centre.pk]})
    assert SupervisionRound.objects.get(name="照建议").selection["reason"] == ""
    assert log_in(world.posts.head).get(url).status_code == 403


def test_scores_come_from_the_floor_above_as_far_as_they_are_seen(world):
    from tests import canaries

    canaries.fill(world)
    units = [world.centre, world.other_centre]
    found = last_scores(units, fresh(world.posts.officer), 2023)
    assert found[world.centre.pk] == suggesting.Score(Decimal(80), None)
    assert last_scores(units, fresh(world.posts.far_officer), 2023) == {}
    assert last_scores(units, fresh(world.posts.officer), 2026) == {}


# --- The calendar ----------------------------------------------------------------------------------


def test_the_calendar_shows_the_month_and_its_clashes(world, log_in):
    p = world.posts
    client = log_in(p.officer)
    url = reverse("supervision:visit_calendar")
    assert "这个月没有督导" in client.get(url).content.decode()
    day = clock.today()
    first, second = round_of(world, name="甲轮"), round_of(world, name="乙轮")
    visit_of(first, world.centre, p.officer, members=[p.expert])
    visit_of(first, world.maternal, p.second_officer, members=[p.expert])
    visit_of(second, world.centre, p.leader)
    long = visit_of(second, world.cdc, p.officer, starts=day, ends=day + timedelta(days=20))
    page = client.get(url).content.decode()
    assert f"{p.expert}当天安排了 2 次" in page
    assert f"{world.centre.known_as}当天有 2 次督导" in page
    assert f"{p.officer}当天" not in page, "a period is no day yet"
    assert "有 3 次督导与当天的其他督导冲突" in page
    only = client.get(url, {"institution": world.maternal.pk}).content.decode()
    assert only.count('href="/supervision/visits/') - only.count("calendar") >= 1
    assert f"{p.expert}当天安排了 2 次" in only and f"{world.centre.known_as}当天有" not in only
    mine = client.get(url, {"member": p.leader.pk}).content.decode()
    assert str(long.get_absolute_url()) not in mine
    assert client.get(url, {"month": "2023-13", "institution": "x"}).status_code == 200
    assert "这个月没有督导" in client.get(url, {"month": "2020-02"}).content.decode()


def test_a_month_has_its_weeks_and_a_visit_its_days():
    rows = diary.weeks(date(2023, 2, 1), [])
    assert len(rows) == 5 and rows[0][0].date == date(2023, 1, 30) and not rows[0][0].inside
    assert diary.month_bounds(date(2024, 2, 9)) == (date(2024, 2, 1), date(2024, 2, 29))
    visit = Visit(starts=date(2023, 3, 1), ends=date(2023, 3, 3))
    assert diary.days_of(visit)[0] == [date(2023, 3, 1), date(2023, 3, 2), date(2023, 3, 3)]
    visit.ends = date(2023, 3, 20)
    assert diary.days_of(visit) == ([date(2023, 3, 1)], True)
    visit.visited_on = date(2023, 3, 9)
    assert diary.days_of(visit) == ([date(2023, 3, 9)], False)


def test_a_visit_is_moved_with_a_reason_and_the_reach_follows(
    world, log_in, django_capture_on_commit_callbacks
):
    round = round_of(world)
    visit = visit_of(round, world.centre, world.posts.expert)
    issue_round(round, by=world.posts.officer, version=round.version)
    client = log_in(world.posts.officer)
    url = reverse("supervision:visit_reschedule", args=[visit.pk])
    later = clock.today() + timedelta(days=5)
    values = {"version": visit.version, "date": later.isoformat()}
    assert "请写明理由" in client.post(url, values).content.decode()
    past = {**values, "note": "x", "date": (clock.today() - timedelta(days=1)).isoformat()}
    assert "不能早于今天" in client.post(url, past, follow=True).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(url, {**values, "note": "机构当天有疫苗接种"}).status_code == 302
    visit.refresh_from_db()
    assert (visit.starts, visit.ends, visit.status) == (later, later, "planned")
    assert world.posts.expert.mandates.get().starts == later
    event = Event.objects.get(action="supervision.visit.reschedule")
    assert event.note == "机构当天有疫苗接种" and event.data["to"] == str(later)
    assert Notification.objects.filter(post=world.posts.expert, text__contains="改到").exists()
    assert client.post(url, {**values, "note": "再改"}).status_code == 409


def test_the_draw_is_documented_as_it_is_done():
    from pathlib import Path

    from django.conf import settings

    text = Path(settings.BASE_DIR, "docs/drawing.md").read_text(encoding="utf-8")
    assert drawing.ALGORITHM in text and f"{drawing.STEPS:,}" in text


def test_the_database_refuses_what_must_not_be(world):
    first = expert(world, "ZJ01", world.hospital)
    second = expert(world, "ZJ02", world.hospital)
    plan = plan_of(world.posts.officer)
    entry = plan.entries.get()
    tie = ExpertTie.objects.create(expert=first, institution=world.centre, reason="x")
    draw = {"round": round_of(world), "number": 1, "author": world.posts.officer}
    blank = {"seed": "1", "pools": {}, "ask": {}, "result": {}, "digest": ""}
    Draw.objects.create(**draw, **blank)
    day = clock.today()
    refused = [
        lambda: Expert.objects.filter(pk=second.pk).update(code="ZJ01"),
        lambda: Expert.objects.filter(pk=second.pk).update(post=first.post),
        lambda: ExpertTie.objects.filter(pk=tie.pk).update(
            starts=day, ends=day - timedelta(days=1)
        ),
        lambda: Draw.objects.create(**draw, **blank),
        lambda: plan.entries.filter(pk=entry.pk).update(ends=date(2000, 1, 1)),
        lambda: plan.entries.filter(pk=entry.pk).update(quarter=5),
        lambda: type(plan).objects.filter(pk=plan.pk).update(status="other"),
    ]
    for deed in refused:
        with pytest.raises(IntegrityError), transaction.atomic():
            deed()


def test_a_centre_draws_teams_of_its_own_people_for_its_own_clinics(world, log_in):
    head = world.posts.head
    round = round_of(world, by=head)
    client = log_in(head)
    answer = ask_for(client, round, teams=2, size=1, professions=[])
    row = Draw.objects.get()
    assert answer.url == row.get_absolute_url()
    assert {unit["code"] for unit in row.pools["units"]} == {"ZC-QNL-1", "ZC-QNL-2"}
    visits = list(round.visits.all())
    assert {visit.institution_id for visit in visits} == {world.clinic.pk, world.sibling_clinic.pk}
    assert {visit.lead for visit in visits} == {head, world.posts.staff}
    assert "核验相符" in client.get(row.get_absolute_url(), {"replay": 1}).content.decode()
    page = ask_for(client, round_of(world, by=head), teams=1, size=3, professions=[])
    assert "还缺 1 人" in page.content.decode()


def test_a_declared_tie_bars_one_s_own_people_too(world):
    head = world.posts.head
    entry = Expert.objects.create(
        bureau=world.county,
        code="ZJ09",
        title="示例",
        professions="nursing",
        employer=world.centre,
        post=head,
    )
    ExpertTie.objects.create(expert=entry, institution=world.clinic, reason="近亲属任职")
    pools = lots.pools(round_of(world, by=head), head)
    barred = {person.code: dict(person.barred) for person in pools.people}
    assert list(barred[f"P{head.pk}"]) == [world.clinic.code]
    assert barred[f"P{world.posts.staff.pk}"] == {}
    assert {p.code: p.professions for p in pools.people}[f"P{head.pk}"] == ("nursing",)


def test_a_lead_agency_draws_within_its_items_and_reach(world, log_in):
    lead = fresh(world.posts.lead)
    round = round_of(world, by=lead, items=("09",))
    pools = lots.pools(round, lead)
    assert "ZC-QNL" in pools.institutions and "ZC-CDC" not in pools.institutions
    assert not {"ZC-QNL-1", "ZD-A"} & set(pools.institutions)
    answer = ask_for(log_in(lead), round, teams=1, size=1, professions=[])
    assert answer.status_code == 302 and round.visits.filter(lead=lead).count() == len(
        pools.institutions
    )
    beyond = round_of(world, by=lead, items=("08",))
    assert not lots.pools(beyond, lead).institutions, "not one of its items"
    page = ask_for(log_in(lead), beyond, teams=0, professions=[]).content.decode()
    assert "没有可以抽取的机构" in page
