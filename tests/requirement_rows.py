"""Tie tests to the rows of docs/requirements.csv.

A test says which rows it proves by the decorator ``@pytest.mark.row("A13", "A14")``, at most three.
``python -m tests.requirement_rows`` writes those tests into the file's ``test`` column, and
``--check`` only tells whether it would change anything. The marks are read from the source, so
that nothing has to be imported and a run of a single test sees them all.
"""

import argparse
import ast
import csv
import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CSV_PATH = ROOT / "docs" / "requirements.csv"
HEADER = ["id", "paper", "asks", "page", "test", "state"]
MOST = 3

Function = ast.FunctionDef | ast.AsyncFunctionDef


def marked_rows(root: Path = ROOT) -> dict[str, list[str]]:
    """Map each marked row to the node ids of its tests, in ASCII order.

    Raises ``ValueError`` for a mark that names no row or more than three, or not by plain strings.
    """
    found: dict[str, list[str]] = {}
    for path in sorted((root / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        place = path.relative_to(root).as_posix()
        for name, node in each_test(tree):
            for row in _rows_of(node, f"{place}::{name}"):
                found.setdefault(row, []).append(f"{place}::{name}")
    return {row: sorted(set(tests)) for row, tests in found.items()}


def each_test(tree: ast.Module) -> Iterator[tuple[str, Function]]:
    """Yield the tests of a module with the part of their node id behind the file."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, Function) and inner.name.startswith("test_"):
                    yield f"{node.name}::{inner.name}", inner
        elif isinstance(node, Function) and node.name.startswith("test_"):
            yield node.name, node


def read_rows(csv_path: Path = CSV_PATH) -> list[dict[str, str]]:
    """Read the requirement rows; raise ``ValueError`` for another header."""
    with csv_path.open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle, strict=True)
        if reader.fieldnames != HEADER:
            raise ValueError(f"{csv_path.name}: the header must be {','.join(HEADER)}")
        return list(reader)


def with_tests(
    rows: Sequence[Mapping[str, str]], mapping: Mapping[str, Sequence[str]]
) -> list[dict[str, str]]:
    """Return ``rows`` with the ``test`` column of ``mapping``: at most three, joined by ``;``.

    Raises ``ValueError`` for a test that proves a row which is not there.
    """
    unknown = sorted(set(mapping) - {row["id"] for row in rows})
    if unknown:
        tests = "; ".join(test for row in unknown for test in mapping[row])
        raise ValueError(f"no such row: {', '.join(unknown)} ({tests})")
    return [{**row, "test": ";".join(sorted(mapping.get(row["id"], ()))[:MOST])} for row in rows]


def write_tests(csv_path: Path, mapping: Mapping[str, Sequence[str]]) -> int:
    """Rewrite the ``test`` column of the file; return how many rows changed."""
    before = read_rows(csv_path)
    after = with_tests(before, mapping)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, HEADER, lineterminator="\n")
    writer.writeheader()
    writer.writerows(after)
    csv_path.write_text(text.getvalue(), encoding="utf-8", newline="")
    return sum(old != new for old, new in zip(before, after, strict=True))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.requirement_rows", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail if it would")
    options = parser.parse_args(arguments)
    mapping = marked_rows()
    rows = read_rows()
    proven = sum(row["id"] in mapping for row in rows)
    if options.check:
        stale = [a["id"] for a, b in zip(rows, with_tests(rows, mapping), strict=True) if a != b]
        sys.stdout.write(f"{proven} of {len(rows)} rows proven, stale: {', '.join(stale) or '-'}\n")
        return 1 if stale else 0
    changed = write_tests(CSV_PATH, mapping)
    sys.stdout.write(f"{proven} of {len(rows)} rows proven, {changed} changed\n")
    return 0


def _rows_of(node: Function, node_id: str) -> list[str]:
    rows: list[str] = []
    for decorator in node.decorator_list:
        if not isinstance(decorator, ast.Call) or ast.unparse(decorator.func) != "pytest.mark.row":
            continue
        for argument in decorator.args:
            if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
                raise ValueError(f"{node_id}: a row is named by a plain string")
            rows.append(argument.value)
        if not 1 <= len(rows) <= MOST:
            raise ValueError(f"{node_id}: one to {MOST} rows, not {len(rows)}")
    return rows


if __name__ == "__main__":
    sys.exit(main())
