"""Charts drawn on the server as SVG, and the heatmap's classes.

Pure functions on plain data. Only classes and presentation attributes are written, so the
pictures pass a policy of `style-src 'self'`. Each picture has a title, a description and its
data table, and is readable without colour: series differ by line style and marker as well.

`uid` must be unique on the page; it names the title and description of the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from math import ceil, cos, floor, hypot, pi, sin
from typing import Any, NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

Number = Decimal | int | float
Point = tuple[float, float]
Spoke = Callable[[int, float], Point]  # axis and share of the radius to a place
XOfDay = Callable[[date], float]

NOTHING = "—"
MAX_SERIES = 3
HEAT_CUTS = (60, 70, 80, 90)


class Series(NamedTuple):
    """One line of a chart; None is a value that is missing, drawn as a gap."""

    name: str
    values: Sequence[Number | None]


class Bar(NamedTuple):
    """One row of a ranking. `mine` is the reader's own institution."""

    rank: int | str
    label: str
    value: Number | None
    url: str = ""
    mine: bool = False


class Span(NamedTuple):
    """One phase, both days inclusive; `state` is done, now, late or todo."""

    label: str
    start: date
    end: date
    state: str
    note: str = ""


class HeatRow(NamedTuple):
    """One row of a heatmap; `urls` runs parallel to `values` where cells open to their rows."""

    label: str
    values: Sequence[Number | None]
    url: str = ""
    urls: Sequence[str] = ()


STATES = {"done": "● 已完成", "now": "▶ 进行中", "late": "■ 已逾期", "todo": "○ 未开始"}


# ---------------------------------------------------------------- numbers and small parts


def _length(value: float) -> str:
    """A coordinate with one decimal: keeps the markup short."""
    return f"{value:.1f}".removesuffix(".0")


def _value(value: Number | None) -> str:
    """A value as printed: at most two decimals, rounded half up, no trailing zeros."""
    if value is None:
        return NOTHING
    number = value if isinstance(value, Decimal) else Decimal(str(value))
    text = f"{number.quantize(Decimal('0.01'), ROUND_HALF_UP)}"
    return text.rstrip("0").rstrip(".")


def _joined(parts: Iterable[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in parts))


def _path(points: Sequence[Point | None], *, closed: bool = False) -> str:
    """An SVG path through the points, broken where one is missing."""
    steps: list[str] = []
    pen = "M"
    for point in points:
        if point is None:
            pen = "M"
            continue
        steps.append(f"{pen}{_length(point[0])} {_length(point[1])}")
        pen = "L"
    if closed and points and None not in points:
        steps.append("Z")
    return "".join(steps)


def _marker(kind: int, x: float, y: float, label: str) -> SafeString:
    """Circle, square or triangle: a series is told apart without colour."""
    shapes = {
        1: "M{0} {1}m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z",
        2: "M{0} {1}m-3.5 -3.5h7v7h-7Z",
        3: "M{0} {1}m0 -4.5l4.5 8h-9Z",
    }
    title = format_html("<title>{}</title>", label) if label else ""
    shape = shapes[kind].format(_length(x), _length(y))
    return format_html('<path class="mark-{}" d="{}">{}</path>', kind, shape, title)


def _legend(series: Sequence[Series]) -> SafeString:
    items = format_html_join(
        "",
        '<li><svg viewBox="0 0 34 12" aria-hidden="true" focusable="false">'
        '<path class="series-{}" d="M0 6H34"/>{}</svg>{}</li>',
        ((kind, _marker(kind, 17, 6, ""), line.name) for kind, line in enumerate(series, 1)),
    )
    return format_html('<ul class="legend">{}</ul>', items)


def _svg(uid: str, kind: str, title: str, desc: str, box: str, body: SafeString) -> SafeString:
    return format_html(
        '<svg class="chart chart-{0}" viewBox="{1}" role="img" focusable="false"'
        ' aria-labelledby="{2}-title {2}-desc">'
        '<title id="{2}-title">{3}</title><desc id="{2}-desc">{4}</desc>{5}</svg>',
        kind,
        box,
        uid,
        title,
        desc,
        body,
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numeric: bool) -> SafeString:
    """The data behind a picture, folded away on the screen."""
    kind = format_html(' class="{}"', "num") if numeric else ""
    columns = format_html_join(
        "", '<th scope="col"{}>{}</th>', (("" if i == 0 else kind, h) for i, h in enumerate(head))
    )
    lines = format_html_join(
        "",
        '<tr><th scope="row">{}</th>{}</tr>',
        (
            (row[0], format_html_join("", "<td{}>{}</td>", ((kind, cell) for cell in row[1:])))
            for row in rows
        ),
    )
    return format_html(
        '<details><summary>查看数据表</summary><table class="compact">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></details>",
        columns,
        lines,
    )


def _figure(title: str, *parts: SafeString) -> SafeString:
    return format_html("<figure><figcaption>{}</figcaption>{}</figure>", title, _joined(parts))


def _scroll(title: str, picture: SafeString) -> SafeString:
    """A wide picture scrolls by itself on a phone, also by keyboard."""
    return format_html(
        '<div class="scroll" tabindex="0" role="region" aria-label="{}，可横向滚动">{}</div>',
        title,
        picture,
    )


def _check(labels: Sequence[str], series: Sequence[Series]) -> None:
    if not 1 <= len(series) <= MAX_SERIES:
        raise ValueError(f"A chart shows 1 to {MAX_SERIES} series, not {len(series)}.")
    for line in series:
        if len(line.values) != len(labels):
            raise ValueError(f"{line.name}: {len(line.values)} values for {len(labels)} labels.")


def _described(labels: Sequence[str], series: Sequence[Series]) -> str:
    return "；".join(
        f"{line.name}："
        + "，".join(f"{a} {_value(v)}" for a, v in zip(labels, line.values, strict=True))
        for line in series
    )


def _series_table(first: str, labels: Sequence[str], series: Sequence[Series]) -> SafeString:
    rows = ([a, *(_value(line.values[i]) for line in series)] for i, a in enumerate(labels))
    return _table([first, *(line.name for line in series)], rows, numeric=True)


# ---------------------------------------------------------------- radar


def _folded(label: str, longest: int = 4) -> list[str]:
    """A label in lines of about equal length, none above `longest` characters."""
    lines = ceil(len(label) / longest)
    size = ceil(len(label) / lines) if lines else 1
    return [label[i : i + size] for i in range(0, len(label), size)]


def radar(
    uid: str, title: str, axes: Sequence[str], series: Sequence[Series], maximum: Number = 100
) -> SafeString:
    """A radar of `series` over `axes` (three or more), 0 in the centre, `maximum` on the rim.

    The values of the first series are written at the axes. Raises ValueError for more than
    three series, fewer than three axes or lists of unequal length.
    """
    _check(axes, series)
    if len(axes) < 3:
        raise ValueError("A radar needs at least three axes.")
    radius, centre_x, centre_y = 118.0, 200.0, 186.0
    top = float(maximum)

    def at(index: int, share: float) -> Point:
        angle = 2 * pi * index / len(axes) - pi / 2
        return centre_x + radius * share * cos(angle), centre_y + radius * share * sin(angle)

    def outline(values: Sequence[Number | None]) -> list[Point | None]:
        return [
            None if v is None else at(i, min(1.0, max(0.0, float(v) / top)))
            for i, v in enumerate(values)
        ]

    body = _radar_grid(at, len(axes))
    for kind, line in reversed(list(enumerate(series, 1))):
        points = outline(line.values)
        whole = None not in points
        if kind == 1 and whole:
            body.append(format_html('<path class="area-1" d="{}"/>', _path(points, closed=True)))
        body.append(
            format_html('<path class="series-{}" d="{}"/>', kind, _path(points, closed=True))
        )
        body += [
            _marker(kind, *point, f"{line.name} {axes[i]}：{_value(line.values[i])}")
            for i, point in enumerate(points)
            if point is not None
        ]
    body += [*_radar_ticks(at, top), *_radar_labels(at, axes, series[0])]
    picture = _svg(uid, "radar", title, _described(axes, series), "0 0 400 372", _joined(body))
    return _figure(title, _legend(series), picture, _series_table("项目", axes, series))


def _radar_grid(at: Spoke, count: int) -> list[SafeString]:
    parts = []
    for ring in (0.2, 0.4, 0.6, 0.8, 1.0):
        path = _path([at(i, ring) for i in range(count)], closed=True)
        parts.append(format_html('<path class="grid-line" d="{}"/>', path))
    for index in range(count):
        path = _path([at(index, 0), at(index, 1)])
        parts.append(format_html('<path class="grid-line" d="{}"/>', path))
    return parts


def _radar_ticks(at: Spoke, top: float) -> list[SafeString]:
    return [
        format_html(
            '<text class="tick" x="{}" y="{}">{}</text>',
            _length(at(0, ring)[0] + 4),
            _length(at(0, ring)[1] + 12),
            _value(top * ring),
        )
        for ring in (0.2, 0.6, 1.0)
    ]


def _radar_labels(at: Spoke, axes: Sequence[str], first: Series) -> list[SafeString]:
    height = 17.0
    parts = []
    centre = at(0, 0)
    for index, label in enumerate(axes):
        x, y = at(index, 1)
        reach = hypot(x - centre[0], y - centre[1])
        across, down = (x - centre[0]) / reach, (y - centre[1]) / reach
        anchor = "middle" if abs(across) < 0.2 else ("start" if across > 0 else "end")
        lines = [*_folded(label), _value(first.values[index])]
        # The block of lines stands outside the rim: above it, beside it or below it.
        block = height * len(lines)
        top = y + down * 12 - block / 2 + down * block / 2 + height * 0.8
        x += across * 12
        for number, text in enumerate(lines):
            kind = format_html(' class="{}"', "value") if number == len(lines) - 1 else ""
            parts.append(
                format_html(
                    '<text x="{}" y="{}" text-anchor="{}"{}>{}</text>',
                    _length(x),
                    _length(top + number * height),
                    anchor,
                    kind,
                    text,
                )
            )
    return parts


# ---------------------------------------------------------------- trend


def _scale(values: Sequence[Number]) -> tuple[int, int, int]:
    """Low end, high end and step of an axis that holds the values with four to six lines."""
    low, high = (float(min(values)), float(max(values))) if values else (0.0, 100.0)
    if low == high:
        low, high = low - 5, high + 5
    step = 1
    steps = [lead * 10**power for power in range(10) for lead in (1, 2, 5)]
    for step in steps:
        if (high - low) / step <= 5:
            break
    bottom = floor(low / step) * step
    if min(values, default=0) >= 0:
        bottom = max(0, bottom)
    return bottom, max(bottom + step, ceil(high / step) * step), step


def trend(
    uid: str, title: str, labels: Sequence[str], series: Sequence[Series], unit: str = ""
) -> SafeString:
    """Lines over periods (`labels`, oldest first); a missing value leaves a gap.

    The last known value of each line is written at its end. The axis need not start at 0.
    Raises ValueError for more than three series or lists of unequal length.
    """
    _check(labels, series)
    width, height, left, right, top, bottom = 560.0, 250.0, 44.0, 52.0, 18.0, 30.0
    low, high, step = _scale([v for line in series for v in line.values if v is not None])

    def x_of(index: int) -> float:
        if len(labels) == 1:
            return (left + width - right) / 2
        return left + (width - left - right) * index / (len(labels) - 1)

    def y_of(value: Number) -> float:
        return top + (height - top - bottom) * (1 - (float(value) - low) / (high - low))

    body = [
        format_html(
            '<path class="grid-line" d="M{0} {1}H{2}"/>'
            '<text class="tick" x="{3}" y="{4}" text-anchor="end">{5}</text>',
            _length(left),
            _length(y_of(mark)),
            _length(width - right),
            _length(left - 8),
            _length(y_of(mark) + 4),
            mark,
        )
        for mark in range(low, high + 1, step)
    ]
    every = ceil(len(labels) / 8)  # more than eight labels would touch
    body += [
        format_html(
            '<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>',
            _length(x_of(i)),
            _length(height - 8),
            label,
        )
        for i, label in enumerate(labels)
        if (len(labels) - 1 - i) % every == 0
    ]
    for kind, line in reversed(list(enumerate(series, 1))):
        points = [None if v is None else (x_of(i), y_of(v)) for i, v in enumerate(line.values)]
        body.append(format_html('<path class="series-{}" d="{}"/>', kind, _path(points)))
        body += [
            _marker(kind, *point, f"{line.name} {labels[i]}：{_value(line.values[i])}{unit}")
            for i, point in enumerate(points)
            if point is not None
        ]
    body += _trend_ends(series, x_of, y_of)
    box = f"0 0 {_length(width)} {_length(height)}"
    picture = _svg(uid, "trend", title, _described(labels, series), box, _joined(body))
    table = _series_table("时间", labels, series)
    return _figure(title, _legend(series), _scroll(title, picture), table)


def _trend_ends(
    series: Sequence[Series], x_of: Callable[[int], float], y_of: Callable[[Number], float]
) -> list[SafeString]:
    """The last value of each line, moved apart where they would lie on each other."""
    ends: list[tuple[float, float, str]] = []
    for line in series:
        known = [(i, v) for i, v in enumerate(line.values) if v is not None]
        if known:
            index, value = known[-1]
            ends.append((y_of(value) + 4, x_of(index) + 9, _value(value)))
    parts = []
    lowest = float("-inf")
    for y, x, text in sorted(ends):
        lowest = max(y, lowest + 14)
        parts.append(
            format_html(
                '<text class="value" x="{}" y="{}">{}</text>', _length(x), _length(lowest), text
            )
        )
    return parts


# ---------------------------------------------------------------- ranking


def bar(value: Number | None, maximum: Number = 100, *, mine: bool = False) -> SafeString:
    """A bare bar for a table cell; the number stands in its own cell."""
    share = 0.0 if value is None else min(1.0, max(0.0, float(value) / float(maximum)))
    return format_html(
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"'
        ' focusable="false"><rect class="bar-back" width="100" height="8"/>'
        '<rect class="{}" width="{}" height="8"/></svg>',
        "bar-mine" if mine else "bar-value",
        _length(share * 100),
    )


def ranking(
    title: str, rows: Sequence[Bar], maximum: Number = 100, value_label: str = "得分"
) -> SafeString:
    """A ranking as a table with a bar in each row: it is its own data table.

    Rows come in the order to print; nothing is sorted here.
    """
    lines = [
        format_html(
            '<tr{}><td class="num">{}</td><th scope="row">{}</th>'
            '<td class="bar-cell">{}</td><td class="num">{}</td></tr>',
            format_html(' class="{}"', "mine") if row.mine else "",
            row.rank,
            _rank_name(row),
            bar(row.value, maximum, mine=row.mine),
            "—" if row.value is None else f"{row.value:.2f}",
        )
        for row in rows
    ]
    return format_html(
        '<table class="rank compact"><caption>{}</caption><thead><tr>'
        '<th scope="col" class="num">名次</th><th scope="col">机构</th>'
        '<td class="bar-cell"></td><th scope="col" class="num">{}</th>'
        "</tr></thead><tbody>{}</tbody></table>",
        title,
        value_label,
        _joined(lines),
    )


def _rank_name(row: Bar) -> SafeString:
    name = format_html('<a href="{}">{}</a>', row.url, row.label) if row.url else row.label
    return format_html("{}（本机构）", name) if row.mine else format_html("{}", name)


# ---------------------------------------------------------------- phases


def _months(start: date, end: date) -> list[date]:
    """The first days of the months in the span, thinned to at most twelve."""
    day, firsts = start.replace(day=1), []
    while day <= end:
        firsts.append(day)
        day = (day + timedelta(days=32)).replace(day=1)
    return firsts[:: ceil(len(firsts) / 12)]


def phases(uid: str, title: str, rows: Sequence[Span], today: date | None = None) -> SafeString:
    """A Gantt chart of `rows`, whole months wide, with a line at `today` if it lies inside.

    Raises ValueError for an unknown state or a phase that ends before it starts, and for no rows.
    """
    _check_spans(rows)
    first = min(row.start for row in rows).replace(day=1)
    last = max(row.end for row in rows)
    last = (last.replace(day=1) + timedelta(days=32)).replace(day=1)  # exclusive
    width, right, head, pitch = 760.0, 14.0, 40.0, 36.0
    left = 13.0 * max(len(row.label) for row in rows) + 18
    height = head + pitch * len(rows) + 20

    def x_of(day: date) -> float:
        return left + (width - left - right) * (day - first).days / (last - first).days

    body = [
        format_html(
            '<path class="grid-line" d="M{0} 16V{1}"/><text class="tick" x="{2}" y="12">{3}</text>'
            '<text class="tick" x="{2}" y="29">{4}</text>',
            _length(x_of(month)),
            _length(height - 18),
            _length(x_of(month) + 4),
            f"{month.year}年" if i == 0 or month.month == 1 else "",
            f"{month.month}月",
        )
        for i, month in enumerate(_months(first, last - timedelta(days=1)))
    ]
    if today and first <= today < last:
        body.append(_today_line(x_of(today), height, today))
    body += [
        _phase_bar(row, x_of, left - 12, head + pitch * i, width) for i, row in enumerate(rows)
    ]
    desc = "；".join(
        f"{row.label}：{row.start:%Y-%m-%d} 至 {row.end:%Y-%m-%d}，{STATES[row.state][2:]}"
        for row in rows
    )
    box = f"0 0 {_length(width)} {_length(height)}"
    picture = _svg(uid, "phases", title, desc, box, _joined(body))
    table = _table(
        ("阶段", "开始", "结束", "状态", "说明"),
        (
            (r.label, f"{r.start:%Y-%m-%d}", f"{r.end:%Y-%m-%d}", STATES[r.state], r.note)
            for r in rows
        ),
        numeric=False,
    )
    return _figure(title, _scroll(title, picture), table)


def _check_spans(rows: Sequence[Span]) -> None:
    if not rows:
        raise ValueError("A chart of phases needs at least one phase.")
    for row in rows:
        if row.state not in STATES:
            raise ValueError(f"{row.label}: unknown state {row.state!r}.")
        if row.end < row.start:
            raise ValueError(f"{row.label}: ends before it starts.")


def _phase_bar(row: Span, x_of: XOfDay, left: float, y: float, width: float) -> SafeString:
    """A bar with its state written inside, or beside it where it is too short."""
    start, end = x_of(row.start), x_of(row.end + timedelta(days=1))
    text = STATES[row.state] + (f" {row.note}" if row.note else "")
    room = 13.0 * len(text) + 8
    if end - start >= room:
        x, anchor, kind = start + 8, "start", "" if row.state == "todo" else "on-bar"
    elif end + room <= width:
        x, anchor, kind = end + 6, "start", "beside"
    else:
        x, anchor, kind = start - 6, "end", "beside"
    return format_html(
        '<text x="{10}" y="{0}" text-anchor="end">{1}</text>'
        '<rect class="phase-{2}" x="{3}" y="{4}" width="{5}" height="22" rx="3"/>'
        '<text class="{6}" x="{7}" y="{0}" text-anchor="{8}">{9}</text>',
        _length(y + 20),
        row.label,
        row.state,
        _length(start),
        _length(y + 4),
        _length(max(3.0, end - start)),
        kind,
        _length(x),
        anchor,
        text,
        _length(left),
    )


def _today_line(x: float, height: float, today: date) -> SafeString:
    return format_html(
        '<path class="today" d="M{0} 34V{1}"/>'
        '<text class="today-label" x="{0}" y="{2}" text-anchor="middle">今天 {3}月{4}日</text>',
        _length(x),
        _length(height - 18),
        _length(height - 4),
        today.month,
        today.day,
    )


# ---------------------------------------------------------------- heatmap


def heat_level(value: Number | None, cuts: Sequence[Number] = HEAT_CUTS) -> int:
    """The class of a value: 1 (lowest) to 5, each cut belonging to the class above; 0 unknown."""
    if value is None:
        return 0
    return 1 + sum(value >= cut for cut in cuts)


def heatmap(
    uid: str,
    title: str,
    columns: Sequence[str],
    rows: Sequence[HeatRow],
    cuts: Sequence[Number] = HEAT_CUTS,
) -> Mapping[str, Any]:
    """What `_heatmap.html` prints: `{% include "_heatmap.html" with heat=… %}`.

    Each cell carries its number, so colour is never the only sign. Raises ValueError unless
    there are four cuts, rising, and as many values in each row as columns.
    """
    if len(cuts) != 4 or sorted(cuts) != list(cuts):
        raise ValueError("A heatmap has four rising cuts.")
    for row in rows:
        if len(row.values) != len(columns):
            raise ValueError(f"{row.label}: {len(row.values)} values for {len(columns)} columns.")
    bounds = [_value(cut) for cut in cuts]
    words = [f"{bounds[0]} 以下", *(f"{a}～{b}" for a, b in pairwise(bounds))]
    return {
        "uid": uid,
        "title": title,
        "columns": columns,
        "rows": [
            {
                "label": row.label,
                "url": row.url,
                "cells": [
                    {
                        "text": _value(value),
                        "level": heat_level(value, cuts),
                        "url": row.urls[i] if row.urls else "",
                    }
                    for i, value in enumerate(row.values)
                ],
            }
            for row in rows
        ],
        "key": list(enumerate([*words, f"{bounds[3]} 及以上"], 1)),
    }
