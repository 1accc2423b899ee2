"""What the bench writes: a run adds to the figures of the same machine, and every goal is judged from the samples."""

import json

from config.bench import report
from config.bench.measuring import Measured

HERE = {name: name for name in ("cpu", "memory", "system", "python", "django", "sqlite")}


def run(out, machine, *, database="sqlite", size=250, load="0.1", **steps):
    """Add one run to what is there, as `make bench` does."""
    loads, runs = report.earlier(out, machine)
    runs.setdefault(database, {}).setdefault(size, {}).update(steps)
    report.write(out, machine, [*loads, load], runs)
    return out.with_suffix(".md").read_text(encoding="utf-8")


def opening(ours, limit, rows=11250, **more):
    return Measured("opening", rows, ours, limit, more={"digest": "a", **more})


def test_a_run_adds_its_steps_and_replaces_its_own(tmp_path):
    out = tmp_path / "bench"
    run(out, HERE, opening=opening([2.0], [1.0]))
    later = run(out, HERE, load="0.2", year_out=Measured("year_out", 250, [1.0], [1.0]))
    assert "opening a quarter" in later and "year-end table as CSV" in later
    assert "0.1, 0.2." in later
    again = run(out, HERE, opening=opening([1.2], [1.0]))
    assert "2 (" not in again and "1.20 × | met" in again
    assert list(json.loads(out.with_suffix(".json").read_text())["runs"]["sqlite"]) == ["250"]


def test_figures_of_another_machine_are_not_mixed(tmp_path):
    out = tmp_path / "bench"
    run(out, HERE, opening=opening([2.0], [1.0]))
    other = run(out, {**HERE, "cpu": "another"}, year_out=Measured("year_out", 250, [1.0], [1.0]))
    assert "another" in other and "opening a quarter" not in other


def test_a_goal_is_met_only_if_every_round_is_and_never_where_figures_differ(tmp_path):
    out = tmp_path / "bench"
    assert "1.20 (1.10–1.30) × | met" in run(out, HERE, opening=opening([1.1, 1.2, 1.3], [1, 1, 1]))
    assert "× | unclear" in run(out, HERE, opening=opening([1.1, 1.2, 1.5], [1, 1, 1]))
    assert "× | **not met**" in run(out, HERE, opening=opening([2, 2.1, 2.2], [1, 1, 1]))
    differing = opening([1.1], [1])
    differing.equal = False
    assert "the figures differ" in run(out, HERE, opening=differing)


def test_growth_and_the_databases_are_told_over_runs(tmp_path):
    out = tmp_path / "bench"
    run(out, HERE, opening=opening([1.0], [1.0]))
    text = run(out, HERE, size=2000, opening=opening([16.0], [8.0], rows=90_000))
    assert "growth: opening | ≤ 1.15 | 11,250 to 90,000 rows |  | 1.33 | **not met**" in text
    alike = run(out, HERE, database="postgres", opening=opening([1.0], [1.0]))
    assert "250 institutions: figures alike on sqlite and postgres, 1 deeds" in alike
    other = run(out, HERE, database="postgres", opening=opening([1.0], [1.0], digest="b"))
    assert "**not met**: opening" in other
