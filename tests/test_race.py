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
