"""Figures that papers want followed: set up, reported by the units, added up by the bureau, in and out as a table."""

import io
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns import figures, following, work
from campaigns.models import Series, SeriesValue
from campaigns.periods import Period
from campaigns.series_tables import SeriesValueTable
from institutions import clock
from institutions.models import Event, Kind
from institutions.tables import Scope
from tests import builders

OCTOBER = Period(2023, 0, 10)
THIRD = Period(2023, 3, 0)


@pytest.fixture(autouse=True)
def _november(monkeypatch):
    monkeypatch.setattr(clock, "today", lambda: date(2023, 11, 20))


def adopt(world, *families, units=None):
    """Follow groups of the library at both centres; returns the series by code."""
    made = following.adopt(
        families,
        by=world.posts.officer,
        starts=date(2023, 1, 1),
        institutions=units or [world.centre, world.other_centre],
    )
    return {row.code: row for row in made}


def put(unit, series, numerator, denominator=None, period=None):
    period = period or Period.last(series.frequency, clock.today())
    return SeriesValue.objects.create(
        series=series,
        institution=unit,
        numerator=Decimal(numerator),
        denominator=None if denominator is None else Decimal(denominator),
        **period.key,
    )


def page(client, series, **query):
    return client.get(series.get_absolute_url(), query)


def test_periods_are_read_named_and_counted_back():
    assert [str(p) for p in Period.read("2023M01").back(3)] == [
        "2022年11月",
        "2022年12月",
        "2023年1月",
    ]
    assert Period.read("2023Q1").before() == Period(2022, 4)
    assert Period.last("year", date(2023, 11, 20)) == Period(2022)
    assert (THIRD.starts, THIRD.ends) == (date(2023, 7, 1), date(2023, 9, 30))
    for wrong in ("2023Q5", "2023M13", "1999", "2023Q1 ", "２０２３"):
        with pytest.raises(ValueError, match="统计期"):
            Period.read(wrong)


@pytest.mark.row("D08", "A16", "C16")
def test_contracts_are_followed_for_the_ten_key_groups_and_as_a_whole(world, log_in):
    client = log_in(world.posts.officer)
    answer = client.post(
        reverse("campaigns:series_adopt"),
        {
            "families": ["重点人群签约", "家庭医生签约"],
            "starts": "2023-01-01",
            "kinds": [Kind.COMMUNITY, Kind.TOWNSHIP],
        },
    )
    assert answer.status_code == 302
    groups = Series.objects.filter(family="重点人群签约")
    # Four groups of people, four diseases, two kinds of families.
    assert groups.count() == 10
    names = " ".join(groups.values_list("name", flat=True))
    for word in ("老年人", "儿童", "孕产妇", "残疾人", "高血压", "糖尿病", "精神", "肺结核"):
        assert word in names
    assert "困难群众" in names and "计划生育特殊家庭" in names
    whole = {row.name: row for row in Series.objects.filter(family="家庭医生签约")}
    assert {"签约服务覆盖率", "签约续约率", "签约居民满意度"} <= whole.keys()
    everybody = whole["在管高血压患者签约率"]
    assert everybody.target == 100 and everybody.institutions.count() == 2
    put(world.centre, everybody, 90, 100)
    put(world.other_centre, everybody, 300, 300)
    shown = page(client, everybody, period="2023Q3")
    assert shown.context["value"] == "97.5%" and "未达标" in shown.content.decode()
    elderly = groups.get(code="QY-LN")
    put(world.centre, elderly, 80, 100)
    body = page(client, elderly, period="2023Q3").content.decode()
    assert "重点人群签约：2023年3季度" in body and "80%" in body
    again = client.post(
        reverse("campaigns:series_adopt"),
        {"families": ["重点人群签约"], "starts": "2023-01-01", "kinds": [Kind.COMMUNITY]},
        follow=True,
    )
    assert "都已经在监测" in again.content.decode()


@pytest.mark.row("A15", "C33")
def test_a_unit_reports_a_period_on_one_form(world, log_in):
    rows = adopt(world, "面访和上门服务", "服务覆盖")
    url = reverse("campaigns:series_fill")
    client = log_in(world.posts.staff)
    shown = client.get(url)
    assert str(shown.context["period"]) == "2023年10月" and len(shown.context["form"].series) == 3
    visited, door = rows["MF-L"], rows["MF-SM"]
    data = {"period": "2023M10", "mark": shown.context["mark"]}
    wrong = client.post(url, {**data, f"n{visited.pk}": "9", f"d{visited.pk}": "8"})
    assert "分子不能大于分母" in wrong.content.decode() and not SeriesValue.objects.exists()
    half = client.post(url, {**data, f"n{visited.pk}": "9"})
    assert "要一起填" in half.content.decode()
    client.post(url, {**data, f"n{visited.pk}": "63", f"d{visited.pk}": "90", f"n{door.pk}": "12"})
    stored = {row.series_id: row for row in SeriesValue.objects.select_related("series")}
    assert stored[visited.pk].value == 70 and stored[door.pk].value == 12
    assert stored[door.pk].entered_by == world.posts.staff
    assert stored[door.pk].period == OCTOBER
    # What a colleague has saved meanwhile is not overwritten unseen.
    late = client.post(url, {**data, f"n{door.pk}": "99"})
    assert "刚刚有人保存过" in late.content.decode() and 'value="99"' in late.content.decode()
    fresh = client.get(url).context["mark"]
    client.post(url, {**data, "mark": fresh, f"n{visited.pk}": "63", f"d{visited.pk}": "90"})
    assert not SeriesValue.objects.filter(series=door).exists()
    assert Event.objects.filter(action="campaigns.series.fill").count() == 2
    # Households and people covered, by quarter.
    homes = rows["FG-H"]
    quarter = client.get(url, {"period": "2023Q3"})
    assert {row.code for row in quarter.context["form"].series} == {"FG-H", "FG-R"}
    client.post(
        url,
        {
            "period": "2023Q3",
            "mark": quarter.context["mark"],
            f"n{homes.pk}": "990",
            f"d{homes.pk}": "1000",
        },
    )
    assert page(log_in(world.posts.officer), homes).context["value"] == "99%"


def test_only_the_unit_itself_reports_and_only_what_it_owes(world, log_in):
    rows = adopt(world, "面访和上门服务", units=[world.centre])
    with pytest.raises(Exception, match="由填报机构填写"):
        following.fill(world.centre, OCTOBER, {}, by=world.posts.officer)
    foreign = {rows["MF-SM"].pk: (Decimal(5), None)}
    assert following.fill(world.other_centre, OCTOBER, foreign, by=world.posts.other_head) == 0
    with pytest.raises(Exception, match="还没有开始"):
        following.fill(world.centre, Period(2023, 0, 12), {}, by=world.posts.head)
    client = log_in(world.posts.other_head)
    assert "没有要本单位填报" in client.get(reverse("campaigns:series_fill")).content.decode()


@pytest.mark.row("C17", "C18")
def test_town_and_country_and_other_funds_stand_apart_and_add_up(world, log_in):
    rows = adopt(world, "老年人健康管理", "老年人查体经费来源")
    put(world.centre, rows["LN-CQ"], 10, 100)
    put(world.other_centre, rows["LN-CQ"], 540, 900)
    put(world.other_centre, rows["LN-XC"], 800, 1000)
    client = log_in(world.posts.officer)
    shown = page(client, rows["LN-CQ"])
    # 550/1000, not the mean of 10 % and 60 %.
    assert shown.context["value"] == "55%"
    texts = {row.code: text for row, _, text in shown.context["family"]}
    assert texts == {"LN-CQ": "55%", "LN-XC": "80%"}
    for code, number in (("CT-XM", 700), ("CT-DW", 120), ("CT-YB", 40), ("CT-ZF", 9)):
        put(world.centre, rows[code], number)
    sources = page(client, rows["CT-DW"]).context["family"]
    assert [(row.name, total.numerator) for row, total, _ in sources] == [
        ("本项目经费查体人数", 700),
        ("单位职工体检查体人数", 120),
        ("医保或商保体检查体人数", 40),
        ("个人自费体检查体人数", 9),
    ]


@pytest.mark.row("C23", "C24", "D21")
def test_records_opened_and_used_are_followed_month_by_month(world, log_in):
    rows = adopt(world, "健康档案应用")
    opened = rows["DA-KF"]
    for month, number in ((8, 300), (9, 450), (10, 720)):
        put(world.centre, opened, number, 1000, Period(2023, 0, month))
    put(world.centre, rows["DA-DY"], 180, 200)
    put(world.centre, rows["DA-GX"], 650, 1000)
    shown = page(log_in(world.posts.officer), opened)
    body = shown.content.decode()
    assert "<svg" in body and "目标" in shown.context["chart"]
    assert shown.context["value"] == "72%" and opened.target_text == "≥70%"
    texts = {row.code: text for row, _, text in shown.context["family"]}
    assert texts == {"DA-KF": "72%", "DA-DY": "90%", "DA-GX": "65%"}
    earlier = page(log_in(world.posts.officer), opened, period="2023M09")
    assert earlier.context["value"] == "45%"


@pytest.mark.row("C22", "D22", "A18")
def test_exchange_of_data_and_the_diseases_in_front_are_followed_by_quarter(world, log_in):
    rows = adopt(world, "信息互联互通", "突破病种", "三高共管六病同防")
    put(world.centre, rows["XX-DJ"], 2, 3)
    put(world.centre, rows["TP-GX"], 650, 1000)
    put(world.centre, rows["TP-TN"], 300, 500)
    put(world.centre, rows["SG-GL"], 70, 100)
    client = log_in(world.posts.officer)
    listed = client.get(reverse("campaigns:series_list"), {"format": "csv"})
    lines = {
        line.split(",")[2]: line for line in listed.getvalue().decode("utf-8-sig").splitlines()
    }
    assert "66.67%" in lines["XX-DJ"] and "未达标" in lines["XX-DJ"]
    assert "65%" in lines["TP-GX"] and "1/2" in lines["TP-GX"]
    assert "60%" in lines["TP-TN"] and "70%" in lines["SG-GL"]


@pytest.mark.row("D31", "E12", "E13")
def test_referrals_appointments_and_the_contract_platforms_are_counted(world, log_in):
    rows = adopt(world, "双向转诊和远程服务", "签约服务平台", "家庭医生签约")
    for code, number in (("ZZ-S", 31), ("ZZ-X", 12), ("ZZ-YC", 4)):
        put(world.centre, rows[code], number)
        put(world.other_centre, rows[code], 1)
    put(world.centre, rows["ZZ-YY"], 40, 160)
    for code in ("PT-QY", "PT-FW", "PT-ZX", "PT-CX"):
        put(world.centre, rows[code], 25)
    put(world.centre, rows["JY-LY"], 45, 50)
    client = log_in(world.posts.officer)
    texts = {row.code: text for row, _, text in page(client, rows["ZZ-S"]).context["family"]}
    assert texts == {"ZZ-S": "32人次", "ZZ-X": "13人次", "ZZ-YY": "25%", "ZZ-YC": "5人次"}
    online = page(client, rows["PT-ZX"]).context["family"]
    assert [text for _, _, text in online] == ["25人次"] * 4
    assert page(client, rows["JY-LY"]).context["value"] == "90%"


@pytest.mark.row("D09", "D32")
def test_paid_contracts_and_halls_of_chinese_medicine_are_counted(world, log_in):
    rows = adopt(world, "个性化签约试点", "中医药服务")
    put(world.centre, rows["YC-RS"], 40)
    put(world.centre, rows["YC-SF"], "12010.50", 40)
    put(world.centre, rows["ZY-GG"], 1, period=Period(2023))
    client = log_in(world.posts.officer)
    fee = page(client, rows["YC-SF"]).context
    assert fee["value"] == "300.26元"
    halls = page(client, rows["ZY-GG"]).context
    assert (str(halls["period"]), halls["value"]) == ("2023年", "1个")
    assert [unit.code for unit in halls["missing"]] == ["ZC-WC"]


def test_who_has_not_reported_is_listed_and_can_be_copied(world, log_in):
    rows = adopt(world, "面访和上门服务")
    put(world.centre, rows["MF-SM"], 3)
    client = log_in(world.posts.officer)
    body = page(client, rows["MF-SM"]).content.decode()
    assert "1 家还没有填" in body and "“上门服务人次”还没有填报的机构：王村镇中心卫生院" in body
    shown = client.get(reverse("campaigns:series_coverage"))
    found = {row.institution.code: (row.owed, row.done) for row in shown.context["rows"]}
    assert found == {"ZC-QNL": (3, 1), "ZC-WC": (3, 0)}
    assert "王村镇中心卫生院（3项）" in shown.content.decode()
    own = log_in(world.posts.staff).get(
        reverse("campaigns:series_list"), {"state": "missing", "format": "csv"}
    )
    assert len(own.getvalue().decode().splitlines()) == 3
    line = next(one for one in work.work_for(world.posts.staff) if "监测指标" in one.label)
    assert (line.count, line.url) == (2, f"{reverse('campaigns:series_list')}?state=missing")


def test_what_a_figure_counts_is_fixed_once_it_is_reported(world, log_in):
    series = adopt(world, "面访和上门服务")["MF-SM"]
    put(world.centre, series, 3)
    client = log_in(world.posts.officer)
    url = reverse("campaigns:series_edit", args=[series.pk])
    data = {
        "name": "上门人次",
        "family": series.family,
        "frequency": "year",
        "kind": "count",
        "direction": "up",
        "starts": "2023-01-01",
        "institutions": [world.centre.pk],
    }
    assert client.post(url, data).status_code == 302
    series.refresh_from_db()
    assert (series.name, series.frequency) == ("上门人次", "month")
    assert [unit.code for unit in series.institutions.all()] == ["ZC-QNL"]
    created = client.post(
        reverse("campaigns:series_create"),
        {
            **data,
            "code": "X-1",
            "kind": "share",
            "unit": "人",
            "numerator_name": "甲",
        },
    )
    assert "请写明分母是什么" in created.content.decode()


def file(*lines):
    return io.BytesIO("\n".join(["指标代码,机构代码,年度,季度,月份,分子,分母", *lines]).encode())


def table(world, post="officer"):
    return SeriesValueTable(Scope.of(getattr(world.posts, post)))


def test_values_come_in_and_go_out_as_a_table(world):
    adopt(world, "重点人群签约", "面访和上门服务")
    good = ["MF-SM,ZC-QNL,2023,,10,15,", "QY-LN,ZC-QNL,2023,3,,80,100", "QY-LN,ZC-WC,2023,3,,7,10"]
    first = table(world)
    plan = first.plan(file(*good), "a.csv")
    assert str(plan) == "新增 3 行，修改 0 行，没有变化 0 行", plan.errors
    first.commit(plan)
    assert SeriesValue.objects.get(numerator=15).period == OCTOBER
    out = b"".join(table(world).write_csv(2023))
    assert table(world).plan(io.BytesIO(out), "b.csv").unchanged == 3
    change = table(world)
    changed = change.plan(file("QY-LN,ZC-WC,2023,3,,8,10"), "c.csv")
    assert changed.changed[0].diffs == [("分子", "7", "8")]
    change.commit(changed)
    assert SeriesValue.objects.get(institution=world.other_centre).value == 80


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("XX,ZC-QNL,2023,,10,1,", "没有这个监测指标"),
        ("MF-SM,ZC-FY,2023,,10,1,", "不由这个机构填报"),
        ("MF-SM,ZC-QNL,2023,3,,1,", "不填季度"),
        ("MF-SM,ZC-QNL,2023,,12,1,", "还没有开始"),
        ("MF-SM,ZC-QNL,2023,,10,1,2", "数量指标不填分母"),
        ("QY-LN,ZC-QNL,2023,3,,1,", "不能为空"),
        ("QY-LN,ZC-QNL,2023,3,,3,2", "分子不能大于分母"),
        ("QY-LN,ZC-QNL,2023,,,1,2", "要填季度"),
    ],
)
def test_a_wrong_row_is_refused_with_its_reason(world, line, reason):
    adopt(world, "重点人群签约", "面访和上门服务")
    plan = table(world).plan(file(line), "a.csv")
    assert not plan.ok and reason in plan.errors[0].reason


def test_a_unit_sees_its_own_numbers_alone(world, log_in):
    rows = adopt(world, "面访和上门服务")
    put(world.centre, rows["MF-SM"], 3)
    put(world.other_centre, rows["MF-SM"], 4)
    shown = page(log_in(world.posts.staff), rows["MF-SM"])
    assert shown.context["value"] == "3人次" and "王村" not in shown.content.decode()
    assert page(log_in(world.posts.far_officer), rows["MF-SM"]).status_code == 404


def test_lists_cost_the_same_for_few_and_many_units(world, log_in):
    units = [
        builders.institution(f"ZC-T{n}", f"示例卫生院{n}", Kind.TOWNSHIP, world.county)
        for n in range(60)
    ]
    few = adopt(world, "面访和上门服务", units=units[:5])["MF-L"]
    many = adopt(world, "健康档案应用", units=units)["DA-KF"]
    for unit in units:
        put(unit, many, 1, 2)
    client = log_in(world.posts.officer)

    def cost(url):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(url).status_code == 200
        return len(queries)

    cost(many.get_absolute_url())
    assert cost(few.get_absolute_url()) == cost(many.get_absolute_url()) <= 20
    listed = cost(reverse("campaigns:series_list"))
    adopt(world, "重点人群签约", "双向转诊和远程服务", units=units)
    assert cost(reverse("campaigns:series_list")) == listed <= 16
    assert cost(reverse("campaigns:series_coverage")) <= 16


def test_the_mean_of_rates_is_never_taken(world):
    series = adopt(world, "健康档案应用")["DA-KF"]
    put(world.centre, series, 1, 2)
    put(world.other_centre, series, 0, 998)
    totals = figures.totals(SeriesValue.objects.all(), [OCTOBER])
    assert totals[series.pk, OCTOBER].value(series) == Decimal("0.10")


# --- Gaps: to the year before, to the target -----------------------------------------------------------


@pytest.mark.row("D11", "E14")
def test_satisfaction_and_awareness_show_what_is_missing_to_target_and_last_year(world, log_in):
    rows = adopt(world, "知晓率和满意度")
    names = {row.name for row in rows.values()}
    assert {"服务项目知晓率", "群众满意度", "居民获得感", "签约服务质量合格率"} == names
    aware = rows["ZM-ZX"]
    aware.target = Decimal(90)
    aware.save()
    last = THIRD.year_before()
    put(world.centre, aware, 170, 200, THIRD)
    put(world.centre, aware, 80, 100, last)
    client = log_in(world.posts.officer)
    body = page(client, aware, period="2023Q3").content.decode()
    assert "距目标还差5个百分点" in body and "比上年同期提高5个百分点" in body and "变好" in body
    content = rows["ZM-MY"]
    put(world.centre, content, 88, 100, THIRD)
    put(world.centre, content, 91, 100, last)
    body = page(client, content, period="2023Q3").content.decode()
    assert "比上年同期下降3个百分点" in body and "变差" in body and "距目标" not in body
    listed = client.get(reverse("campaigns:series_list")).context["listing"]["rows"]
    gaps = {str(line.cells[0].value): str(line.cells[-2].value) for line in listed}
    assert gaps["服务项目知晓率"] == "比上年同期提高5个百分点" and gaps["居民获得感"] == "—"


@pytest.mark.parametrize(
    ("now", "before", "target", "direction", "said"),
    [
        (95, 95, 95, "up", ("与上年同期持平", "达到目标")),
        (97, None, 95, "up", ("", "好于目标2个百分点")),
        (4, 6, 5, "down", ("比上年同期下降2个百分点", "好于目标1个百分点")),
        (None, 6, 5, "down", ("", "")),
    ],
)
def test_a_gap_is_said_in_the_direction_of_the_figure(now, before, target, direction, said):
    row = Series(kind="share", target=Decimal(target), direction=direction)

    def number(value):
        return None if value is None else Decimal(value)

    gap = figures.Gap(row, number(now), number(before))
    assert (gap.to_before, gap.to_target) == said


@pytest.mark.row("A23")
def test_the_five_visits_of_pregnancy_are_asked_of_midwifery_units(world, log_in):
    client = log_in(world.posts.officer)
    client.post(
        reverse("campaigns:series_adopt"),
        {"families": ["孕产妇五次随访"], "starts": "2023-01-01", "kinds": ["midwifery"]},
    )
    visits = list(Series.objects.filter(family="孕产妇五次随访").order_by("position"))
    assert [row.code for row in visits] == [f"YF-{n}" for n in range(1, 6)]
    midwives = {world.hospital, world.maternal, world.city_hospital}
    assert set(visits[0].institutions.all()) == midwives
    put(world.hospital, visits[0], 18, 20)
    shown = page(client, visits[0], period="2023M10")
    missing = {unit.known_as for unit in shown.context["missing"]}
    assert missing == {"区妇幼保健院", "市中医医院"} and "2 家还没有填" in shown.content.decode()
