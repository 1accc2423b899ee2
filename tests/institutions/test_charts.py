"""Charts and template tags: what is drawn, what is said without colour, what is refused."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import RequestFactory

from institutions import charts
from institutions.charts import Bar, HeatRow, Series, Span
from institutions.templatetags import portal

AXES = ["健康档案", "预防接种", "严重精神障碍", "肺结核"]
OURS = Series("本机构", [Decimal("92.5"), 88, 95, Decimal("62.505")])
MEAN = Series("全区平均", [85, 83, None, 84])
PHASES = [
    Span("动员部署", date(2023, 4, 1), date(2023, 4, 30), "done"),
    Span("集中整治", date(2023, 9, 1), date(2023, 11, 10), "late", "还差 2 家"),
    Span("总结评估", date(2023, 12, 1), date(2023, 12, 31), "todo"),
]


def every_picture() -> dict[str, str]:
    heat = charts.heatmap("h", "热力表", AXES, [HeatRow("甲院", [59, 60, None, 90], "/a", "abcd")])
    return {
        "radar": charts.radar("r", "得分率", AXES, [OURS, MEAN]),
        "trend": charts.trend("t", "走势", AXES, [OURS, MEAN], "分"),
        "ranking": charts.ranking(
            "排名", [Bar(1, "甲院", 90, "/a", mine=True), Bar(2, "乙", None)]
        ),
        "phases": charts.phases("p", "阶段", PHASES, date(2023, 11, 20)),
        "heatmap": render_to_string("_heatmap.html", {"heat": heat}),
    }


@pytest.mark.parametrize("name", ["radar", "trend", "ranking", "phases", "heatmap"])
def test_a_picture_is_well_formed_and_passes_the_content_security_policy(name):
    markup = every_picture()[name]
    for node in ElementTree.fromstring(f"<div>{markup}</div>").iter():  # noqa: S314
        assert node.tag not in {"style", "script"}
        assert not any(key == "style" or key.startswith("on") for key in node.attrib)


@pytest.mark.parametrize("name", ["radar", "trend", "phases"])
def test_a_picture_is_named_described_and_followed_by_its_data(name):
    markup = every_picture()[name]
    root = ElementTree.fromstring(f"<div>{markup}</div>")  # noqa: S314
    svg = root.find(".//svg[@role='img']")
    described = [root.find(f".//*[@id='{key}']").text for key in svg.get("aria-labelledby").split()]
    assert all(described)
    rows = root.findall(".//details/table/tbody/tr")
    assert [row.find("th").text for row in rows] == (
        [span.label for span in PHASES] if name == "phases" else AXES
    )


def test_labels_are_escaped():
    markup = charts.ranking("<b>", [Bar(1, "<script>", 1, '"><i>')])
    assert "<script>" not in markup
    assert "<b>" not in markup
    assert "<i>" not in markup


def test_series_differ_by_line_and_marker_and_not_by_colour_alone():
    markup = charts.trend("t", "走势", AXES, [OURS, MEAN, MEAN])
    shapes = {re.search(rf'class="mark-{kind}" d="M[^m]+m(\S+)', markup)[1] for kind in (1, 2, 3)}
    assert len(shapes) == 3


def test_a_missing_value_is_a_gap_and_a_dash():
    markup = charts.trend("t", "走势", AXES, [MEAN])
    path = re.findall(r'class="series-1" d="([^"]+)"', markup)[-1]
    assert path.count("M") == 2
    assert '<td class="num">—</td>' in markup


def test_a_radar_with_a_gap_is_neither_closed_nor_filled():
    markup = charts.radar("r", "得分率", AXES, [MEAN])
    path = re.findall(r'class="series-1" d="([^"]+)"', markup)[-1]
    assert not path.endswith("Z")
    assert "area-1" not in markup


def test_values_are_rounded_half_up_to_two_decimals():
    assert "62.51" in charts.radar("r", "得分率", AXES, [OURS])


def test_values_beyond_the_rim_stay_on_it():
    beyond = charts.radar("r", "得分率", AXES, [Series("甲", [150, -5, 100, 0])])
    inside = charts.radar("r", "得分率", AXES, [Series("甲", [100, 0, 100, 0])])
    outlines = [re.findall(r'class="series-1" d="([^"]+)"', m)[-1] for m in (beyond, inside)]
    assert outlines[0] == outlines[1]


@pytest.mark.parametrize("values", [[], [None], [80], [0, 0], [99.99, 100], [3, 123456]])
def test_a_trend_of_any_values_is_drawn(values):
    labels = [str(i) for i in range(len(values))]
    assert "<svg" in charts.trend("t", "走势", labels, [Series("甲", values)])


@pytest.mark.parametrize(
    "series", [[], [MEAN] * 4, [Series("短", [1])]], ids=["none", "four", "too short"]
)
def test_series_that_do_not_fit_are_refused(series):
    with pytest.raises(ValueError, match=r"series|values"):
        charts.trend("t", "走势", AXES, series)
    with pytest.raises(ValueError, match=r"series|values"):
        charts.radar("r", "得分率", AXES, series)


def test_a_radar_of_two_axes_is_refused():
    with pytest.raises(ValueError, match="three axes"):
        charts.radar("r", "得分率", AXES[:2], [Series("甲", [1, 2])])


def test_today_is_drawn_only_inside_the_chart():
    assert "今天 11月20日" in charts.phases("p", "阶段", PHASES, date(2023, 11, 20))
    assert "今天" not in charts.phases("p", "阶段", PHASES, date(2024, 1, 1))


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [Span("甲", date(2023, 1, 2), date(2023, 1, 1), "done")],
        [Span("甲", date(2023, 1, 1), date(2023, 1, 2), "?")],
    ],
    ids=["none", "backwards", "unknown state"],
)
def test_phases_that_make_no_sense_are_refused(rows):
    with pytest.raises(ValueError, match=r"phase|ends|state"):
        charts.phases("p", "阶段", rows)


def test_the_reader_finds_the_own_institution_without_colour():
    assert "（本机构）" in charts.ranking("排名", [Bar(1, "甲院", 90, mine=True)])


@pytest.mark.parametrize(
    ("value", "level"),
    [(None, 0), (0, 1), (Decimal("59.99"), 1), (60, 2), (70, 3), (80, 4), (90, 5), (100, 5)],
)
def test_a_cut_belongs_to_the_class_above(value, level):
    assert charts.heat_level(value) == level


def test_a_heatmap_prints_numbers_and_links_to_where_they_come_from():
    markup = every_picture()["heatmap"]
    assert '<td class="heat-1"><a href="a">59</a></td>' in markup
    assert '<td class="heat-0"><a href="c">—</a></td>' in markup
    assert "90 及以上" in markup


def test_a_heatmap_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="columns"):
        charts.heatmap("h", "表", AXES, [HeatRow("甲", [1])])
    with pytest.raises(ValueError, match="cuts"):
        charts.heatmap("h", "表", AXES, [], cuts=(90, 80, 70, 60))


# ---------------------------------------------------------------- tags


def test_dates_are_written_as_people_read_them():
    assert portal.date_cn(date(2023, 3, 1)) == "2023年3月1日"
    assert portal.date_cn(None) == "—"
    # 16:30 UTC is half past midnight of the next day in Asia/Shanghai.
    assert portal.date_cn(datetime(2023, 3, 31, 16, 30, tzinfo=UTC)) == "2023年4月1日"
    assert portal.time_cn(datetime(2023, 3, 31, 16, 30, tzinfo=UTC)) == "2023年4月1日 00:30"


@pytest.mark.parametrize(
    ("due", "words"),
    [
        (date(2023, 11, 18), "逾期2天"),
        (date(2023, 11, 20), "今天到期"),
        (date(2023, 11, 23), "剩3天"),
        (date(2023, 12, 31), "剩41天"),
    ],
)
def test_a_deadline_says_how_far_away_it_is(due, words):
    context = {"due": due, "portal": {"today": date(2023, 11, 20)}}
    assert words in render_to_string("_due.html", context)
    assert words not in render_to_string("_due.html", {**context, "closed": True})


def test_numbers_are_rounded_half_up_and_dashes_mean_nothing():
    assert portal.money(Decimal("1234567.805")) == "1,234,567.81"
    assert portal.money(-1200) == "-1,200.00"
    assert portal.points(Decimal("2.665")) == "2.67"
    assert portal.points(2.665) == "2.67"
    assert portal.percent(Decimal("0.70375")) == "70.38%"
    assert portal.percent(Decimal("0.85"), 0) == "85%"
    assert {portal.money(None), portal.points(None), portal.percent(None)} == {"—"}


def test_a_changed_query_forgets_the_page_and_keeps_the_filters():
    request = RequestFactory().get("/", {"q": "卫生院", "page": "3", "item": ["07a", "08"]})

    def answer(arguments: str) -> str:
        template = Template(
            "{% load portal %}{% autoescape off %}{% query " + arguments + " %}{% endautoescape %}"
        )
        return template.render(Context({"request": request}))

    kept = "q=%E5%8D%AB%E7%94%9F%E9%99%A2&item=07a&item=08"
    assert answer('sort="due"') == f"?{kept}&sort=due"
    assert answer("page=4") == f"?{kept}&page=4"
    assert answer("q=None item=None") == "?"


def test_a_moves_form_posts_the_version_and_a_refused_one_says_why():
    moves = [
        {"name": "accept", "label": "审核通过", "url": "/accept/"},
        {"name": "close", "label": "销号", "url": "/close/", "reason": "须先上传照片"},
    ]
    markup = render_to_string("_moves.html", {"moves": moves, "version": 7})
    assert '<input type="hidden" name="version" value="7">' in markup
    assert 'action="/close/"' not in markup
    assert 'aria-describedby="why-close"' in markup
    assert "须先上传照片" in markup
