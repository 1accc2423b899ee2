"""Eight processes at one barrier: of all who press the same button, one wins, and the trail tells of one."""

import json

from tests import scratch


def race(tmp_path, *options: str) -> dict:
    with scratch.database(tmp_path) as url:
        done = scratch.run("-m", "tests.racing", *options, url=url, folder=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_one_of_eight_wins_each_of_fifty_rounds(tmp_path):
    result = race(tmp_path, "50", "8")
    assert result["errors"] == {}
    assert result["wins"] == [1] * 50
    assert result["events"] == [1] * 50
    assert result["breaks"] == []


def test_without_the_guard_the_same_race_is_lost(tmp_path):
    result = race(tmp_path, "10", "8", "--without-guard")
    assert sum(result["wins"]) > 10


def test_eight_who_issue_at_once_leave_no_gap_and_no_number_twice(tmp_path):
    with scratch.database(tmp_path) as url:
        done = scratch.run("-m", "tests.numbering", "6", "8", url=url, folder=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout.splitlines()[-1])
    # In each of six rounds eight own drafts and one of the eight tries at the common one.
    assert result["numbers"] == list(range(1, 55)) and result["last"] == 54
    assert result["refused"] == {"StaleState": 42, "ValidationError": 48}
    assert result["breaks"] == []
