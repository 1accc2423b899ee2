"""docs/requirements.csv is complete, and what it names exists."""

import ast
import re
from pathlib import Path

import pytest
from django.urls import URLPattern, get_resolver

from tests.requirement_rows import (
    CSV_PATH,
    HEADER,
    ROOT,
    each_test,
    marked_rows,
    read_rows,
    with_tests,
    write_tests,
)

COUNTS = {"A": 49, "B": 30, "C": 39, "D": 40, "E": 38, "X": 12}


def url_names(resolver=None, prefix=""):
    """Every name that ``reverse`` knows, with its namespaces."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLPattern):
            if pattern.name:
                yield prefix + pattern.name
        else:
            inner = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from url_names(pattern, inner)


def values(text):
    return [part for part in text.split(";") if part]


def test_there_is_one_row_for_each_thing_the_papers_ask():
    rows = read_rows()
    expected = [f"{paper}{n:02d}" for paper, most in COUNTS.items() for n in range(1, most + 1)]
    assert [row["id"] for row in rows] == expected
    assert len(rows) == 208
    for row in rows:
        assert list(row) == HEADER
        assert row["paper"]
        quoted = re.search("「.+」", row["asks"])
        assert quoted or (row["id"].startswith("X") and "implied by" in row["asks"]), row["id"]
        assert row["state"] in {"open", "done"}, row["id"]
    papers = {(row["id"][0], row["paper"]) for row in rows}
    assert len(papers) == len(COUNTS)


def test_a_done_row_has_a_page_and_a_test():
    bare = [r["id"] for r in read_rows() if r["state"] == "done" and not (r["page"] and r["test"])]
    assert bare == []


def test_every_page_is_the_name_of_a_url():
    wanted = {(row["id"], name) for row in read_rows() for name in values(row["page"])}
    known = set(url_names())
    assert known
    assert sorted(pair for pair in wanted if pair[1] not in known) == []


def test_every_test_exists():
    for row in read_rows():
        tests = values(row["test"])
        assert len(tests) <= 3
        for test in tests:
            path, _, name = test.partition("::")
            source = (ROOT / path).read_text(encoding="utf-8")
            assert name in {found for found, _ in each_test(ast.parse(source))}, test


def test_the_test_column_is_what_the_marks_say():
    rows = read_rows()
    assert rows == with_tests(rows, marked_rows()), "run: python -m tests.requirement_rows"


# The generator


def written(folder: Path, source: str) -> Path:
    path = folder / "tests" / "campaigns" / "test_things.py"
    path.parent.mkdir(parents=True)
    path.write_text(source, encoding="utf-8")
    return folder


def test_marks_are_found_on_functions_and_methods(tmp_path):
    source = (
        "import pytest\n"
        "@pytest.mark.row('A13', 'X01')\n"
        "@pytest.mark.parametrize('n', [1, 2])\n"
        "def test_one(n): ...\n"
        "class TestMore:\n"
        "    @pytest.mark.row('A13')\n"
        "    def test_two(self): ...\n"
        "def test_three(): ...\n"
    )
    place = "tests/campaigns/test_things.py"
    assert marked_rows(written(tmp_path, source)) == {
        "A13": [f"{place}::TestMore::test_two", f"{place}::test_one"],
        "X01": [f"{place}::test_one"],
    }


@pytest.mark.parametrize("arguments", ["", "'A1', 'A2', 'A3', 'A4'", "ROW", "13"])
def test_a_mark_names_one_to_three_rows_by_plain_strings(tmp_path, arguments):
    source = f"import pytest\n@pytest.mark.row({arguments})\ndef test_one(): ...\n"
    with pytest.raises(ValueError, match=r"tests/campaigns/test_things\.py::test_one"):
        marked_rows(written(tmp_path, source))


def test_only_the_test_column_is_rewritten(tmp_path):
    copy = tmp_path / "requirements.csv"
    copy.write_bytes(CSV_PATH.read_bytes())
    before = read_rows(copy)
    tests = [f"tests/test_x.py::test_{name}" for name in "dbca"]
    assert write_tests(copy, {"A13": tests}) >= 1
    after = read_rows(copy)
    by_id = {row["id"]: row["test"] for row in after}
    assert by_id["A13"] == ";".join(f"tests/test_x.py::test_{name}" for name in "abc")
    assert [{**row, "test": ""} for row in after] == [{**row, "test": ""} for row in before]
    assert write_tests(copy, {"A13": tests}) == 0
    write_tests(copy, {})
    assert b"\r" not in copy.read_bytes()
    assert not any(row["test"] for row in read_rows(copy))


def test_a_row_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"no such row: Z99 \(tests/test_x\.py::test_one\)"):
        with_tests(read_rows(), {"Z99": ["tests/test_x.py::test_one"]})
