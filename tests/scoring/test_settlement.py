"""Settlement sheets: from the frozen year to the last payment, with objections, a veto's return and the carry-over."""

from datetime import date, timedelta
from decimal import Decimal as D

import pytest
from django.urls import reverse

from institutions import clock
from institutions.models import Event, Kind, PolicyEntry
from institutions.roles import Role
from scoring import awarding, settling, year_end
from scoring.models import Adjustment, MoneyEntry, Payment, Prepayment, Settlement, YearResult
from supervision.models import Sanction
from tests import builders
from tests.scoring import scenes

LIST = "/scoring/settlements/"


@pytest.fixture
def over(world):
    kinds = [Kind.TOWNSHIP, Kind.COMMUNITY, Kind.CLINIC]
    return scenes.standard(world.county, code="Y", kinds=kinds, clauses=scenes.MANUAL)


@pytest.fixture
def frozen(world, over):
    """92.00 and 85.50 of 30,000 people; both were paid 2,300,000 in advance, so that the second owes 17,150."""
    return freeze(world, over)


def freeze(world, over, year=2023):
    scores = {world.centre: "92", world.other_centre: "85.50"}
    if year != 2023:
        over = scenes.standard(
            world.county, code=f"Y{year}", kinds=over.kinds, clauses=scenes.MANUAL, year=year
        )
    for quarter in (1, 2, 3, 4):
        scenes.final_sheets(world.posts.officer, over, scores, quarter=quarter, year=year)
    scenes.people(scores, year=year)
    for unit in scores:
        Prepayment.objects.create(institution=unit, year=year, amount=D("2300000"))
    year_end.settle(world.county, year, by=world.posts.finance, freeze=True)
    return scores


def prepare(client, year=2023):
    return client.post(reverse("scoring:settlement_prepare"), {"year": year})


def press(client, row, name, **data):
    row.refresh_from_db()
    noun = row._meta.model_name.removeprefix("settlement") or "settlement"
    url = reverse(f"scoring:{noun}_{name}", args=[row.pk])
    return client.post(url, {"version": row.version, **data})


def let_the_period_pass():
    Settlement.objects.update(objections_until=clock.today() - timedelta(days=1))


def pay(client, row, amount, voucher="付字1号", **more):
    data = {"day": clock.today(), "amount": amount, "voucher": voucher, **more}
    return client.post(reverse("scoring:settlement_pay", args=[row.pk]), data)


@pytest.mark.row("X08", "A26")
def test_a_sheet_goes_from_draft_to_paid_by_three_roles(world, log_in, frozen):
    finance = log_in(world.posts.finance)
    prepare(finance)
    prepare(finance)
    row = Settlement.objects.get(institution=world.centre)
    assert (row.approved, row.prepaid, row.due) == (D("2670000"), D("2300000"), D("370000"))
    assert Settlement.objects.count() == 2, "drawn up once"
    head = log_in(world.posts.head)
    assert head.get(row.get_absolute_url()).status_code == 404, "a draft is not shown to the unit"
    log_in(world.posts.finance).post(reverse("scoring:settlement_publish_all"), {"year": 2023})
    row.refresh_from_db()
    assert row.status == "published" and row.objections_until > clock.today()
    page = log_in(world.posts.head).get(row.get_absolute_url()).content.decode()
    assert "人民币叁拾柒万元整" in page and "提出异议" in page

    leader = log_in(world.posts.leader)
    press(leader, row, "confirm")
    row.refresh_from_db()
    assert row.status == "published", "the period is not over"
    let_the_period_pass()
    refused = press(log_in(world.posts.finance), row, "confirm")
    assert refused.status_code == 403, "who draws it up does not confirm it"
    press(log_in(world.posts.leader), row, "confirm")
    row.refresh_from_db()
    assert row.status == "confirmed"

    finance = log_in(world.posts.finance)
    too_much = pay(finance, row, "370000.01")
    assert too_much.status_code == 422 and "还应拨付 370000.00 元" in too_much.content.decode()
    pay(finance, row, "300000")
    row.refresh_from_db()
    assert (row.status, row.left) == ("confirmed", D("70000"))
    assert pay(finance, row, "-1").status_code == 422, "a correction says why"
    pay(finance, row, "70000", "付字2号")
    row.refresh_from_db()
    assert (row.status, row.left) == ("paid", 0) and row.paid_at
    listed = finance.get("/scoring/payments/", {"format": "csv"}).getvalue().decode("utf-8-sig")
    assert "付字1号" in listed and "70000.00" in listed
    xlsx = finance.get("/scoring/payments/", {"format": "xlsx"})
    assert xlsx.content[:2] == b"PK"
    assert Event.objects.filter(action="scoring.payment.enter").count() == 2


@pytest.mark.row("X08")
def test_an_objection_stops_the_confirmation_until_it_is_answered(world, log_in, frozen):
    prepare(log_in(world.posts.finance))
    row = Settlement.objects.get(institution=world.centre)
    press(log_in(world.posts.finance), row, "publish")
    url = reverse("scoring:settlement_object", args=[row.pk])
    assert log_in(world.posts.other_head).get(url).status_code == 404
    head = log_in(world.posts.head)
    head.post(url, {"reason": "预拨多记了一笔 1000 元"})
    objection = row.objections.get()
    assert "上一条异议还没有答复" in head.post(url, {"reason": "再提一次"}).content.decode()
    let_the_period_pass()
    leader = log_in(world.posts.leader)
    page = leader.get(row.get_absolute_url()).content.decode()
    assert "还有异议没有答复" in page
    press(leader, row, "confirm")
    row.refresh_from_db()
    assert row.status == "published"
    done, refused = settling.move_all("confirm", world.county, 2023, by=world.posts.leader)
    assert done == 0 and "还有异议没有答复" in refused[0]

    finance = log_in(world.posts.finance)
    assert press(finance, objection, "uphold", correction="", opinion="").status_code == 422
    press(finance, objection, "uphold", correction="1000", opinion="核对银行回单，情况属实")
    row.refresh_from_db()
    assert (row.correction, row.due) == (D("1000"), D("371000"))
    assert row.objections_until > clock.today(), "published anew"
    assert "核对银行回单" in log_in(world.posts.head).get(row.get_absolute_url()).content.decode()
    let_the_period_pass()
    late = log_in(world.posts.head).post(url, {"reason": "迟到"}, follow=True)
    assert "不在公示期内" in late.content.decode()
    press(log_in(world.posts.leader), row, "confirm")
    row.refresh_from_db()
    assert row.status == "confirmed"


def test_an_objection_is_rejected_with_a_reason_or_withdrawn(world, log_in, frozen):
    prepare(log_in(world.posts.finance))
    row = Settlement.objects.get(institution=world.centre)
    press(log_in(world.posts.finance), row, "publish")
    row.refresh_from_db()
    settling.object_to(row, by=world.posts.head, reason="一")
    first = row.objections.get()
    finance = log_in(world.posts.finance)
    assert press(finance, first, "reject").status_code == 422
    press(finance, first, "reject", note="数字无误")
    first.refresh_from_db()
    assert (first.status, first.opinion) == ("rejected", "数字无误")
    settling.object_to(row, by=world.posts.head, reason="二")
    second = row.objections.get(status="submitted")
    press(log_in(world.posts.head), second, "withdraw")
    assert not row.has_open_objections


def test_the_only_head_of_a_centre_is_told_who_confirms_what_he_drew_up(world, log_in, over):
    clinics = {world.clinic: "92", world.sibling_clinic: "85"}
    for quarter in (1, 2, 3, 4):
        scenes.final_sheets(world.posts.head, over, clinics, quarter=quarter)
    scenes.people(clinics, 1000)
    year_end.settle(world.centre, 2023, by=world.posts.head, freeze=True)
    head = log_in(world.posts.head)
    prepare(head)
    head.post(reverse("scoring:settlement_publish_all"), {"year": 2023})
    let_the_period_pass()
    row = Settlement.objects.get(institution=world.clinic)
    told = "请上级系统管理员给另一人（如分管副职）增设本机构的“机构负责人”任职"
    assert told in head.get(row.get_absolute_url()).content.decode()
    answer = head.post(reverse("scoring:settlement_confirm_all"), {"year": 2023}, follow=True)
    (said,) = (str(message) for message in answer.context["messages"])
    assert told in said and said.count("、") == 1, "said once for both clinics"
    assert told not in log_in(world.posts.doctor).get(row.get_absolute_url()).content.decode()

    second = builders.post(world.centre, Role.HEAD, "分管副主任", username="deputy")
    deputy = log_in(second)
    assert told not in deputy.get(row.get_absolute_url()).content.decode()
    deputy.post(reverse("scoring:settlement_confirm_all"), {"year": 2023})
    assert set(Settlement.objects.values_list("status", flat=True)) == {"confirmed"}


@pytest.mark.row("C26", "X08")
def test_a_veto_takes_the_year_and_what_was_prepaid_comes_back_or_is_carried(world, log_in, over):
    scores = {world.centre: "92", world.other_centre: "85.50"}
    for quarter in (1, 2, 3, 4):
        scenes.final_sheets(world.posts.officer, over, scores, quarter=quarter)
    scenes.people(scores)
    Prepayment.objects.create(institution=world.centre, year=2023, amount=D("2300000"))
    Adjustment.objects.create(
        institution=world.centre, year=2023, kind="veto", points=0, reason="弄虚作假"
    )
    year_end.settle(world.county, 2023, by=world.posts.finance, freeze=True)
    settling.prepare(world.county, 2023, by=world.posts.finance)
    row = Settlement.objects.get(institution=world.centre)
    assert (row.approved, row.due) == (0, D("-2300000"))
    settling.move_all("publish", world.county, 2023, by=world.posts.finance)
    page = log_in(world.posts.head).get(row.get_absolute_url()).content.decode()
    assert "一票否决" in page and "人民币负贰佰叁拾万元整" in page
    let_the_period_pass()
    assert settling.move_all("confirm", world.county, 2023, by=world.posts.leader)[0] == 2
    finance = log_in(world.posts.finance)
    assert pay(finance, row, "2300000.01").status_code == 422
    pay(finance, row, "2000000", "收字1号")
    row.refresh_from_db()
    assert (row.paid, row.left) == (D("-2000000"), D("-300000"))
    assert Payment.objects.get().amount == D("-2000000")
    press(finance, row, "finish")
    row.refresh_from_db()
    assert row.status == "paid" and settling.carried(row) == D("-300000")

    freeze(world, over, year=2024)
    settling.prepare(world.county, 2024, by=world.posts.finance)
    after = Settlement.objects.get(institution=world.centre, year=2024)
    assert after.opening == D("-300000")
    # 30,000 × 94 = 2,820,000, less what was prepaid and what is still owed
    assert after.due == D("220000")
    assert "2023 年结算单余额" in finance.get(after.get_absolute_url()).content.decode()


def test_next_year_waits_for_last_years_sheets(world, over, frozen):
    settling.prepare(world.county, 2023, by=world.posts.finance)
    freeze(world, over, year=2024)
    with pytest.raises(Exception, match="2023 年结算单还没有确认"):
        settling.prepare(world.county, 2024, by=world.posts.finance)


def test_only_a_frozen_year_is_settled_by_who_may(world, log_in, over):
    refused = prepare(log_in(world.posts.finance)).wsgi_request
    assert not Settlement.objects.exists() and refused
    for post in (world.posts.officer, world.posts.leader, world.posts.staff):
        assert prepare(log_in(post)).status_code == 403


def test_a_cut_in_yuan_is_taken_off_the_sheet(world, log_in, frozen):
    reason = {"reason": "整改后仍不达标", "institution": world.centre, "supervisor": world.county}
    decided = {"decided_at": clock.now(), "decided_by": world.posts.leader, "status": "decided"}
    steps = {}
    previous = None
    for kind in ("criticism", "deadline", "cut"):
        more = {"points": D("1"), "amount": D("5000")} if kind == "cut" else {}
        previous = steps[kind] = Sanction.objects.create(
            kind=kind, year=2023, previous=previous, **reason, **decided, **more
        )
    settling.prepare(world.county, 2023, by=world.posts.finance)
    row = Settlement.objects.get(institution=world.centre)
    assert (row.deducted, row.due) == (D("5000"), D("365000"))
    assert ("扣减", D("-5000"), "已决定的扣减经费") in settling.steps(row)


@pytest.mark.row("A26", "A24")
def test_a_centres_amount_is_divided_between_itself_and_its_villages(world, log_in, frozen):
    PolicyEntry.objects.create(institution=world.county, year=2023, key="村级占比", value="40%")
    settling.prepare(world.county, 2023, by=world.posts.finance)
    row = Settlement.objects.get(institution=world.other_centre)
    assert row.own_part + row.village_part == row.approved == D("2282850.00")
    assert row.village_part == D("913140.00")
    page = log_in(world.posts.officer).get(row.get_absolute_url()).content.decode()
    assert "村级（40%）913,140.00" in page and "差 0.00" in page


def test_the_list_and_the_sheet_take_the_same_queries_for_two_and_for_many(
    world, log_in, frozen, django_assert_max_num_queries
):
    settling.prepare(world.county, 2023, by=world.posts.finance)
    client = log_in(world.posts.finance)
    client.get(LIST)
    with django_assert_max_num_queries(14):
        client.get(LIST)


# --- Awards -------------------------------------------------------------------------------------------------


@pytest.mark.row("D35", "D13")
def test_an_award_by_the_table_is_decided_by_the_leader_and_paid_by_the_list(world, log_in):
    officer = log_in(world.posts.officer)
    page = officer.get("/scoring/awards/", {"year": "2023"}).content.decode()
    assert "500,000.00" in page and "300,000.00" in page and "二七卫计〔2018〕29号" in page
    wanted = {
        "institution": world.centre.pk,
        "year": "2023",
        "kind": "national",
        "reason": "2023年被评为国家优秀社区卫生服务中心",
    }
    officer.post(reverse("scoring:award_create"), wanted)
    row = Sanction.objects.get()
    assert (row.kind, row.amount, row.status) == ("reward", D("500000"), "proposed")
    assert "二七卫计〔2018〕29号" in row.reason
    pay_url = reverse("scoring:award_pay", args=[row.pk])
    money = {"day": clock.today(), "amount": "500000", "voucher": "奖1号"}
    early = log_in(world.posts.finance).post(pay_url, money)
    assert "只有已决定的奖励可以拨付" in early.content.decode()
    log_in(world.posts.leader).post(
        reverse("scoring:sanction_decide", args=[row.pk]),
        {"version": row.version, "note": "同意"},
    )
    finance = log_in(world.posts.finance)
    assert finance.post(pay_url, {**money, "amount": "500000.01"}).status_code == 422
    finance.post(pay_url, money)
    assert awarding.paid(row) == D("500000")
    assert "奖1号" in finance.get("/scoring/payments/", {"purpose": "award"}).content.decode()

    unset = officer_posts(log_in, world, {**wanted, "kind": "quality"})
    assert "还没有规定奖励金额" in unset.content.decode()
    finance = log_in(world.posts.finance)
    finance.post(
        reverse("scoring:award_rate", args=[2023, "quality"]),
        {"amount": "20000", "basis": "区卫健局年度奖励办法（示例）"},
    )
    officer_posts(log_in, world, {**wanted, "kind": "quality"})
    assert Sanction.objects.get(grounds="质量").amount == D("20000")


def officer_posts(log_in, world, data):
    return log_in(world.posts.officer).post(reverse("scoring:award_create"), data)


@pytest.mark.row("D35", "C38")
def test_who_is_barred_from_awards_is_neither_proposed_nor_paid(world, log_in):
    decided = {"decided_at": clock.now(), "decided_by": world.posts.leader, "status": "decided"}
    common = {"institution": world.centre, "supervisor": world.county, "year": 2023}
    row = Sanction.objects.create(
        kind="reward", amount=D("300000"), reason="省优秀", **common, **decided
    )
    Sanction.objects.create(kind="no_awards", reason="未达到基本标准", **common, **decided)
    refused = officer_posts(
        log_in,
        world,
        {
            "institution": world.centre.pk,
            "year": "2023",
            "kind": "provincial",
            "reason": "省优秀",
        },
    )
    assert "不得推荐评优" in refused.content.decode()
    url = reverse("scoring:award_pay", args=[row.pk])
    money = {"day": clock.today(), "amount": "1", "voucher": "1"}
    assert "不得评优" in log_in(world.posts.finance).post(url, money).content.decode()
    assert not Payment.objects.exists()


# --- Side by side -------------------------------------------------------------------------------------------


@pytest.mark.row("E28")
def test_evaluation_money_pay_and_people_stand_side_by_side(world, log_in, frozen):
    from institutions.models import StaffMember
    from scoring import distributing
    from scoring.models import StaffShare, WorkUnit

    member = StaffMember.objects.create(
        institution=world.centre,
        name="公卫医师一",
        title="医师",
        guides=True,
        gp_route="transfer",
        gp_qualified=date(2020, 1, 1),
        gp_registered=date(2020, 2, 1),
    )
    unit = WorkUnit.objects.create(
        institution=world.county,
        year=2023,
        code="1",
        name="随访",
        item=builders.item("08"),
        coefficient=D("1"),
    )
    row = distributing.begin(
        by=world.posts.head, year=2023, quarter=0, pool=D("1234.56"), basis="院务会"
    )
    distributing.save_share(
        StaffShare.objects.get(member=member),
        by=world.posts.head,
        version=row.version,
        post=None,
        quality=D("1"),
        numbers={unit.pk: D("3")},
    )
    row.refresh_from_db()
    distributing.confirm(row, by=world.posts.head, version=row.version)
    settling.prepare(world.county, 2023, by=world.posts.finance)
    settling.move_all("publish", world.county, 2023, by=world.posts.finance)
    text = (
        log_in(world.posts.officer)
        .get("/scoring/outcomes/", {"year": "2023", "format": "csv"})
        .getvalue()
        .decode("utf-8-sig")
    )
    (line,) = [one for one in text.splitlines() if "青年路" in one]
    for figure in ("92.00", "优秀", "2,670,000.00", "370,000.00", "1,234.56"):
        assert figure in line, figure
    assert line.endswith("1,1,1")
    assert "公卫医师" not in text


@pytest.mark.row("E28")
def test_the_vetoed_stand_first_then_the_others_by_rank_then_who_has_no_result(
    world, log_in, frozen
):
    def shown(year: str) -> list[str]:
        page = log_in(world.posts.officer).get("/scoring/outcomes/", {"year": year}).context["page"]
        return [row.code for row in page.page_rows]

    by_code = shown("2022")
    assert by_code == sorted(by_code)
    ranked = [world.centre.code, world.other_centre.code]
    rest = [code for code in by_code if code not in ranked]
    assert rest[0] < ranked[0]
    assert shown("2023") == [*ranked, *rest]
    YearResult.objects.filter(institution=world.other_centre).update(vetoed=True)
    assert shown("2023") == [*reversed(ranked), *rest]


# --- The funding year ---------------------------------------------------------------------------------------


@pytest.mark.row("C05", "C10", "D12")
def test_the_funding_year_shows_the_standard_the_methods_and_what_was_prepaid(world, log_in, over):
    from scoring.models import Workload, WorkUnit

    scores = {world.centre: "92", world.other_centre: "85.50"}
    for quarter in (1, 2, 3, 4):
        scenes.final_sheets(world.posts.officer, over, scores, quarter=quarter)
    scenes.people(scores)
    unit = WorkUnit.objects.create(
        institution=world.county,
        year=2023,
        code="GX",
        name="高血压随访",
        item=builders.item("07a"),
        coefficient=D("1"),
        cost=D("8.50"),
        price=D("10"),
    )
    for one, number in ((world.centre, "1000"), (world.other_centre, "600")):
        Workload.objects.create(
            institution=one,
            year=2023,
            quarter=1,
            work_unit=unit,
            declared=D(number),
            approved=D(number),
        )
    url = "/scoring/funding/?unit=ZC&year=2023"
    finance = log_in(world.posts.finance)
    page = finance.get(url)
    found = page.context["found"]
    assert found.refused == {} and found.assumed_pool == found.totals[0]
    assert found.totals[0] == found.totals[1] == found.totals[2], "the same money, split by work"
    assert f"比例法核定合计 {found.assumed_pool:,.2f} 元试算" in page.content.decode()
    PolicyEntry.objects.create(institution=world.county, year=2023, key="资金池", value="150000")
    page = finance.get(url)
    found = page.context["found"]
    assert found.assumed_pool is None
    rows = {line.institution.code: line for line in found.lines}
    # 1000 × 0.92 = 920 and 600 × 0.855 = 513 of 1433; under 低于阈值 both are above 85 %.
    assert rows["ZC-QNL"].amounts == [
        D("2670000.00"),
        D("96301.47"),
        D("93750.00"),
        D("9200.00"),
    ]
    assert rows["ZC-WC"].amounts[1:] == [D("53698.53"), D("56250.00"), D("5130.00")]
    assert found.totals[1] == found.totals[2] == D("150000.00"), "the parts are the pool"
    assert (rows["ZC-QNL"].worked, found.chosen) == (D("8500.00"), 0)
    assert rows["ZC-QNL"].differences[3] == D("9200.00") - D("2670000.00")
    text = page.content.decode()
    assert "89.00 元" in text and "所用" in text and "高血压随访" in text
    assert finance.get(f"{url}&format=xlsx").content[:2] == b"PK"
    # Each column is what the year-end itself pays by that method.
    PolicyEntry.objects.create(institution=world.county, year=2023, key="结算方式", value="单价法")
    settled = year_end.settle(world.county, 2023, by=world.posts.finance)
    assert {r.institution.code: r.approved_amount for r in settled} == {
        "ZC-QNL": D("9200.00"),
        "ZC-WC": D("5130.00"),
    }
    assert "单价 10.00 × 质量系数 0.9200" in settled[0].details["amounts"][0]
    WorkUnit.objects.update(price=None)
    with pytest.raises(year_end.YearRefused, match="高血压随访没有核定单价"):
        year_end.settle(world.county, 2023, by=world.posts.finance)


@pytest.mark.row("C05")
def test_prepayments_have_days_and_their_sum_is_what_the_year_takes_off(world, log_in, tmp_path):
    from django.core.management import CommandError, call_command

    finance = log_in(world.posts.finance)
    entry = {
        "institution": world.centre.pk,
        "year": "2023",
        "kind": "prepaid",
        "day": "2023-04-18",
        "amount": "700000.50",
        "voucher": "预拨1号",
    }
    url = reverse("scoring:entry_create")
    assert finance.post(url, entry).status_code == 302
    finance.post(url, {**entry, "day": "2023-09-01", "amount": "300000", "voucher": "预拨2号"})
    assert Prepayment.objects.get().amount == D("1000000.50")
    finance.post(url, {**entry, "amount": "-0.50", "voucher": "更正", "note": "多记五角"})
    assert Prepayment.objects.get().amount == D("1000000")
    assert finance.post(url, {**entry, "amount": "-2000000", "note": "x"}).status_code == 422
    # The table keeps one sum an institution and year, and may not fall below the dated entries.
    path = tmp_path / "funds.csv"
    path.write_text("机构代码,年度,预拨金额\nZC-QNL,2023,1200000\n", encoding="utf-8-sig")
    for _ in range(2):
        call_command("import_table", "funds", str(path), "--unit", "ZC", "--as", "finance")
    assert Prepayment.objects.get().amount == D("1200000")
    path.write_text("机构代码,年度,预拨金额\nZC-QNL,2023,5\n", encoding="utf-8-sig")
    with pytest.raises((SystemExit, CommandError)):
        call_command("import_table", "funds", str(path), "--unit", "ZC", "--as", "finance")
    assert Prepayment.objects.get().amount == D("1200000")
    part = {**entry, "amount": "200000", "voucher": "补登", "in_total": "on"}
    assert finance.post(url, part).status_code == 302
    assert Prepayment.objects.get().amount == D("1200000"), "only given its day"
    assert finance.post(url, part).status_code == 422
    assert log_in(world.posts.head).post(url, entry).status_code == 422, "not one's own money"


@pytest.mark.row("C10")
def test_the_top_up_is_owed_by_district_and_town_until_it_is_paid_in(world, log_in, frozen):
    finance = log_in(world.posts.finance)
    entry = {
        "institution": world.other_centre.pk,
        "year": "2023",
        "kind": "top_up",
        "payer": "county",
        "day": "2024-01-10",
        "amount": "200000",
        "voucher": "财1号",
    }
    url = reverse("scoring:entry_create")
    assert finance.post(url, {**entry, "payer": ""}).status_code == 422
    assert finance.post(url, entry).status_code == 302
    finance.post(url, {**entry, "payer": "town", "amount": "100000", "voucher": "财2号"})
    over = finance.post(url, {**entry, "amount": "87150.01"})
    assert "应补齐 387150.00 元" in over.content.decode()
    page = finance.get("/scoring/funding/top-up/?unit=ZC&year=2023")
    (row,) = page.context["rows"]
    assert (row.county, row.town, row.left) == (D("200000"), D("100000"), D("87150"))
    assert MoneyEntry.objects.filter(kind="top_up").count() == 2
    head = log_in(world.posts.head)
    assert not head.get("/scoring/funding/top-up/?unit=ZC&year=2023").context["rows"]


def test_a_clinic_sees_its_own_line_of_the_funding_year_only(world, log_in, over):
    clinics = {world.clinic: "90", world.sibling_clinic: "80"}
    scenes.final_sheets(world.posts.head, over, clinics, quarter=1)
    scenes.people(clinics, 1000)
    PolicyEntry.objects.create(institution=world.county, year=2023, key="考核次数", value="1")
    doctor = log_in(world.posts.doctor)
    page = doctor.get("/scoring/funding/?unit=ZC-QNL&year=2023")
    assert [line.institution for line in page.context["found"].lines] == [world.clinic]
    assert "示例村卫生室二" not in page.content.decode()
    assert page.context["services"] == []


def test_the_finance_role_is_the_one_that_prepares():
    from institutions.roles import ROLE_PERMISSIONS

    holders = {r for r, perms in ROLE_PERMISSIONS.items() if settling.PREPARE in perms}
    assert holders == {Role.FINANCE, Role.HEAD}
