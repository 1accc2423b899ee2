"""What a run writes: every sample as JSON, and the table of goals as Markdown; no figure is written by hand."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from config.bench.goals import GOALS, Verdict, growth, same_figures
from config.bench.measuring import Measured

Runs = Mapping[str, Sequence[Mapping[str, Measured]]]
HEAD = "| goal | what | wanted | ours | reference | measured | |\n|---|---|---|---|---|---|---|"
RAW = "| step | rows | ours, s | reference, s | statements | peak, MB | alike |\n|---|---|---|---|---|---|---|"


def write(out: Path, told: Mapping[str, Any], runs: Runs) -> None:
    """Write `out`.json and `out`.md."""
    content = {
        **told,
        "runs": {
            database: [{n: m.as_dict() for n, m in steps.items()} for steps in scales]
            for database, scales in runs.items()
        },
    }
    text = json.dumps(content, ensure_ascii=False, indent=1, default=str)
    out.with_suffix(".json").write_text(f"{text}\n", encoding="utf-8")
    out.with_suffix(".md").write_text(markdown(told, runs), encoding="utf-8")


def markdown(told: Mapping[str, Any], runs: Runs) -> str:
    """The tables of a run."""
    machine = told["machine"]
    parts = [
        "# The bench",
        "Written by `make bench`; how to read it: [performance.md](performance.md).",
        f"{machine['cpu']}, {machine['memory']}, {machine['system']}; Python {machine['python']}, Django"
        f" {machine['django']}, SQLite {machine['sqlite']}; load at the start {machine['load']};"
        f" {told['repeat']} rounds, stock references on {told['stock_rows']:,} rows.",
    ]
    for database, scales in runs.items():
        for size, steps in zip(told["sizes"], scales, strict=False):
            parts.append(f"## {database}, {size:,} institutions")
            parts.append("\n".join([HEAD, *_verdicts(steps, database)]))
            parts.append("\n".join([RAW, *map(_raw, steps.values())]))
        if grown := growth(scales):
            parts.append(f"## {database}, growth")
            parts.append("\n".join([HEAD, *map(_line, grown)]))
    if len(runs) > 1:
        parts.append("## Between the databases")
        parts.append("\n".join([HEAD, *map(_line, same_figures(runs))]))
    return "\n\n".join(parts) + "\n"


def _verdicts(steps: Mapping[str, Measured], database: str) -> list[str]:
    judged = (goal.judge(steps, database) for goal in GOALS if goal.applies_to(database))
    lines = [_line(verdict) for verdict in judged if verdict is not None]
    lines += [f"| | {n} | | | | | **failed** |" for n in steps if n.startswith("failed ")]
    return lines


def _line(one: Verdict) -> str:
    cells = (one.goal, one.text, one.wanted, one.ours, one.reference, one.value, one.met)
    return f"| {' | '.join(cells)} |"


def _raw(one: Measured) -> str:
    def seconds(values: Sequence[float]) -> str:
        return " ".join(f"{value:.3f}" for value in values)

    alike = "" if one.equal is None else "yes" if one.equal else "**no**"
    return (
        f"| {one.name} | {one.rows:,} | {seconds(one.ours)} | {seconds(one.limit)} | {one.statements}"
        f" | {one.peak:.1f} | {alike} |"
    )
