"""The goals, each with its reference, and what a run says of them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.bench.measuring import Measured

MET, NOT_MET, UNCLEAR = "met", "**not met**", "unclear"
Steps = Mapping[str, Measured]


@dataclass(frozen=True)
class Verdict:
    """One line of the table: what was measured, beside what, and what it says of the goal."""

    goal: str
    text: str
    wanted: str
    ours: str
    reference: str
    value: str
    met: str


@dataclass(frozen=True)
class Goal:
    """A goal over one step. `kind`: at most (`ratio`: ours ÷ reference), at least (`times`: reference ÷ ours), or a figure."""

    id: str
    text: str
    step: str
    bound: Mapping[str, float] | float
    kind: str = "ratio"
    figure: Callable[[Measured], float] | None = None
    unit: str = "×"

    def applies_to(self, database: str) -> bool:
        return not isinstance(self.bound, Mapping) or database in self.bound

    def judge(self, steps: Steps, database: str) -> Verdict | None:
        """Say what a run on `database` tells; None when the step was not run."""
        measured = steps.get(self.step)
        if measured is None:
            return None
        bound = self.bound if isinstance(self.bound, int | float) else self.bound[database]
        least = self.kind in ("times", "least")
        values = self._values(measured)
        good = [value >= bound if least else value <= bound for value in values]
        met = MET if all(good) else NOT_MET if not any(good) else UNCLEAR
        if measured.equal is False:
            met = f"{NOT_MET}: the figures differ"
        low, high = min(values), max(values)
        middle = sorted(values)[len(values) // 2]
        spread = f" ({_short(low)}–{_short(high)})" if high > low else ""
        return Verdict(
            self.id,
            self.text,
            f"{'≥' if least else '≤'} {_short(bound)} {self.unit}",
            "" if self.figure else _seconds(measured.seconds),
            "" if self.figure else _reference(measured),
            f"{_short(middle)}{spread} {self.unit}",
            met,
        )

    def _values(self, measured: Measured) -> list[float]:
        if self.figure:
            return [self.figure(measured)]
        if self.kind == "times":
            return [1 / ratio for ratio in measured.ratios]
        return measured.ratios


def _reference(measured: Measured) -> str:
    scaled = measured.limit_rows and measured.limit_rows != measured.rows
    mark = f" (x, from {measured.limit_rows:,} rows)" if scaled else ""
    return f"{_seconds(measured.limit_seconds)}{mark}"


def _seconds(value: float) -> str:
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2f}"


def more(name: str) -> Callable[[Measured], float]:
    return lambda measured: measured.more[name]


def quotient(upper: str, lower: str) -> Callable[[Measured], float]:
    return lambda measured: measured.more[upper] / max(measured.more[lower], 1e-9)


def statements_over(measured: Measured) -> float:
    """Statements beyond what one for each batch explains."""
    return measured.statements - 10 - 2 * math.ceil(measured.rows / 2000)


def per_thousand(measured: Measured) -> float:
    return measured.peak / (measured.rows / 1000)


def both(postgres: float, sqlite: float) -> Mapping[str, float]:
    return {"postgres": postgres, "sqlite": sqlite}


def peak(measured: Measured) -> float:
    return measured.peak


# The ids and bounds are those of the study of limits that came before the portal; O1, I9, P1 were added for deeds it did not know.
GOALS: Sequence[Goal] = (
    Goal("O1", "opening a quarter, beside hand-written INSERT … SELECT", "opening", 1.3),
    Goal("O1", "… memory above the process", "opening", 32, figure=peak, unit="MB"),
    Goal("I1", "new institutions through import-export's classes, beside stock", "institutions_interface", both(25, 15), "times"),
    Goal("I2", "new institutions by command, beside COPY / executemany", "institutions_new", both(2, 3)),
    Goal("I3", "re-import, 1 % changed, beside stock skip_unchanged", "institutions_again", both(50, 20), "times"),
    Goal("I3", "… rows written beyond those changed", "institutions_again", 0, figure=lambda m: abs(m.more["written"] - m.more["changed"]), unit="rows"),
    Goal("I4", "preview of scores, beside the real import", "scores_preview", 1.1),
    Goal("I4", "… writes", "scores_preview", 0, figure=more("writes"), unit="statements"),
    Goal("I5", "scores of a new quarter, beside COPY / executemany of resolved lines", "scores_new", both(2, 4)),
    Goal("I5", "… beside stock", "scores_stock", 100, "times"),
    Goal("I9", "scores into an open quarter, beside load + UPDATE … FROM", "scores_open", both(2, 4)),
    Goal("I6", "XLSX import, beside openpyxl reading alone", "institutions_xlsx", 2),
    Goal("I7", "import memory by command", "institutions_new", 16, figure=peak, unit="MB"),
    Goal("I7", "import memory through import-export's classes", "institutions_interface", 1.5, figure=per_thousand, unit="MB per 1,000 rows"),
    Goal("I8", "import statements beyond 10 + 2 for each 2,000 rows", "institutions_new", {"postgres": 0}, figure=statements_over, unit="statements"),
    Goal("I8", "import statements beyond 10 + 1 for each 100 rows", "institutions_new", {"sqlite": 0}, figure=lambda m: m.statements - 10 - m.rows / 100, unit="statements"),
    Goal("E1", "year-end table as CSV, beside COPY TO / cursor → csv", "year_out", both(3, 5)),
    Goal("E1", "all clauses long form, beside COPY TO / cursor → csv", "lines_out", both(3, 5)),
    Goal("E1", "… beside stock with select_related", "lines_out_stock", 10, "times"),
    Goal("E2", "memory of the long form", "lines_out", 16, figure=peak, unit="MB"),
    Goal("E3", "first byte of the long form", "lines_out", 1, figure=more("first"), unit="s"),
    Goal("E4", "year-end table as XLSX, beside stock", "year_out_xlsx", 2.5, "times"),
    Goal("E4", "… memory", "year_out_xlsx", 20, figure=peak, unit="MB"),
    Goal("S1", "year-end, beside one SQL statement over all lines", "year_from_lines", 1.3),
    Goal("S2", "year-end, beside prefetch and Decimals", "year_by_orm", 40, "times"),
    Goal("S3", "year-end from stored totals, beside S1's statement", "year_from_lines", 0.5),
    Goal("S3", "… for information: beside one SQL statement over the totals", "year_from_totals", 1.3),
    Goal("S4", "year-end figures equal to those by SQL (0 differ)", "year_from_totals", 0, figure=lambda m: 0 if m.equal else 1, unit="tables"),
    Goal("S5", "year-end statements", "year_from_totals", 12, figure=lambda m: m.statements, unit="statements"),
    Goal("S5", "year-end memory", "year_from_totals", 32, figure=peak, unit="MB"),
    Goal("P1", "year-end by 当量法, beside sums by SQL and a split in whole numbers", "year_by_pool", 1.3),
    Goal("P1", "… parts equal to the cent, Σ = pool (0 differ)", "year_by_pool", 0, figure=lambda m: 0 if m.equal else 1, unit="tables"),
    Goal("L1", "list page: blocks / VM steps, beside the hand-written page", "lists", 1.5, figure=quotient("first", "by_hand")),
    Goal("L2", "last page beside first: blocks / VM steps", "lists", 1.5, figure=quotient("last", "first")),
    Goal("L3", "list page at 99 %, beside OFFSET: blocks / VM steps", "lists", 50, "least", figure=quotient("offset", "last")),
    Goal("D1", "home page, beside counting the lines: blocks / VM steps", "lists", 50, "least", figure=quotient("recount", "home")),
    Goal("W1", "45 lines saved one by one, beside update_or_create", "save_a_sheet", 6, "times"),
    Goal("W1", "… statements a line", "save_a_sheet", 8, figure=lambda m: m.statements / 45, unit="statements"),
    Goal("W2", "four writers for 6 s: errors", "writers", 0, figure=more("errors"), unit="errors"),
    Goal("W2", "… worst wait", "writers", 20, figure=more("worst"), unit="s"),
    Goal("H1", "list page, requests a second beside a bare page", "served", 0.08, "least", figure=quotient("list_per_second", "bare_per_second")),
    Goal("H2", "list page, requests a second beside one with a query a row", "served", 2, "least", figure=quotient("list_per_second", "rows_per_second")),
    Goal("H3", "statements of a list page", "lists", 6, figure=lambda m: m.statements, unit="statements"),
    Goal("H4", "list page under load: p95 beside p50", "served", 2, figure=quotient("p95", "p50")),
)  # fmt: skip

GROWING = ("opening", "institutions_new", "scores_new", "year_from_totals", "year_out", "lines_out")


def slope(points: Sequence[tuple[int, float]]) -> float:
    """The log-log slope of seconds over rows by least squares: 1 is linear."""
    xs = [math.log(rows) for rows, _ in points]
    ys = [math.log(seconds) for _, seconds in points]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((a - x) ** 2 for a in xs)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / spread


def growth(by_scale: Sequence[Steps]) -> list[Verdict]:
    """G1 and L1 over the scales of a run; nothing from a single scale."""
    found: list[Verdict] = []
    for name in GROWING:
        points = {m.rows: m.seconds for steps in by_scale if (m := steps.get(name))}
        if len(points) > 1:
            steep = slope(sorted(points.items()))
            met = MET if steep <= 1.15 else NOT_MET
            told = f"{min(points):,} to {max(points):,} rows"
            found.append(Verdict("G1", f"growth: {name}", "≤ 1.15", told, "", _short(steep), met))
    pages = [m.more["first"] for steps in by_scale if (m := steps.get("lists"))]
    if len(pages) > 1:
        spread = max(pages) / min(pages)
        met = MET if spread <= 2 else NOT_MET
        told = ", ".join(map(str, pages))
        text = "list page over the scales: blocks / VM steps"
        found.append(Verdict("L1", text, "≤ 2 ×", told, "", f"{_short(spread)} ×", met))
    return found


def same_figures(runs: Mapping[str, Mapping[int, Steps]]) -> list[Verdict]:
    """S4 between the databases: each step that leaves figures leaves the same on both."""
    found = []
    for size in sorted(set.intersection(*(set(scales) for scales in runs.values()))):
        digests: dict[str, list[Any]] = {}
        for scales in runs.values():
            for name, measured in scales[size].items():
                if "digest" in measured.more:
                    digests.setdefault(name, []).append(measured.more["digest"])
        both = {name: set(values) for name, values in digests.items() if len(values) == len(runs)}
        differ = sorted(name for name, values in both.items() if len(values) > 1)
        met = f"{NOT_MET}: {', '.join(differ)}" if differ else MET
        text = f"{size:,} institutions: figures alike on {' and '.join(runs)}, {len(both)} deeds"
        found.append(Verdict("S4", text, "0 differ", "", "", f"{len(differ)}", met))
    return found
