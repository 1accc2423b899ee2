"""What a run writes: every sample as JSON, and the table of goals as Markdown; no figure is written by hand."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from config.bench.goals import GOALS, Verdict, growth, same_figures
from config.bench.measuring import Measured

# Steps by name, by number of institutions, by database.
Runs = dict[str, dict[int, dict[str, Measured]]]
HEAD = "| goal | what | wanted | ours | reference | measured | |\n|---|---|---|---|---|---|---|"
RAW = "| step | rows | ours, s | reference, s | statements | peak, MB | alike |\n|---|---|---|---|---|---|---|"


def earlier(out: Path, machine: Mapping[str, str]) -> tuple[list[str], Runs]:
    """Return the loads and the figures that `out`.json holds already, if they are of the same machine; else nothing."""
    file = out.with_suffix(".json")
    told = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if told.get("machine") != machine:
        return [], {}
    runs: Runs = {
        database: {
            int(size): {name: Measured(**figures) for name, figures in steps.items()}
            for size, steps in scales.items()
        }
        for database, scales in told["runs"].items()
    }
    return told["loads"], runs


def write(out: Path, machine: Mapping[str, str], loads: Sequence[str], runs: Runs) -> None:
    """Write `out`.json and `out`.md."""
    content = {
        "machine": machine,
        "loads": loads,
        "runs": {
            database: {
                size: {name: measured.as_dict() for name, measured in steps.items()}
                for size, steps in sorted(scales.items())
            }
            for database, scales in runs.items()
        },
    }
    text = json.dumps(content, ensure_ascii=False, indent=1, default=str)
    out.with_suffix(".json").write_text(f"{text}\n", encoding="utf-8")
    out.with_suffix(".md").write_text(markdown(machine, loads, runs), encoding="utf-8")


def markdown(machine: Mapping[str, str], loads: Sequence[str], runs: Runs) -> str:
    """The tables of all runs."""
    parts = [
        "# The bench",
        "Written by `make bench`; how to read it: [performance.md](performance.md).",
        f"{machine['cpu']}, {machine['memory']}, {machine['system']}; Python {machine['python']}, Django"
        f" {machine['django']}, SQLite {machine['sqlite']}; load when each run began: {', '.join(loads)}.",
    ]
    for database, scales in runs.items():
        for size, steps in sorted(scales.items()):
            parts.append(f"## {database}, {size:,} institutions")
            parts.append("\n".join([HEAD, *_verdicts(steps, database)]))
            parts.append("\n".join([RAW, *map(_raw, steps.values())]))
        if grown := growth([steps for _, steps in sorted(scales.items())]):
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
