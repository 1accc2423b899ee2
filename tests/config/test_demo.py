"""The demo: lived through once in a database of its own, then asked; and where it must not go."""

import fcntl
import json
import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import psycopg2
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from config.demo import chance, guard, papers, state
from config.demo.cast import rows
from config.demo.days import workday
from institutions.models import Event, Installation, User

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parent / "golden" / "demo-year-end.json"
ONE_LINE_IN_BOTH_LANGUAGES = r"already holds other data.*已有其他数据"


def surroundings(folder: Path, url: str) -> dict[str, str]:
    """The environment of the demo's own processes: nothing of the suite's database or files."""
    return {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PORTAL_FILES": str(folder / "files"),
        "PORTAL_TODAY": "2023-11-20",
        "TOTP_REQUIRED": "off",
        "PORTAL_HTTPS": "off",
        "DEBUG": "on",
        "LOG_LEVEL": "CRITICAL",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
    }


def run(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )


def build(env: dict[str, str]) -> dict:
    """Make the demo, make it again, and ask it everything."""
    for command in (["migrate", "-v0"], ["load_reference"]):
        done = run(env, "manage.py", *command)
        assert done.returncode == 0, done.stderr
    beyond = {**env, "ALLOWED_HOSTS": "portal.example"}
    said = {}
    for name, where, command in (
        ("empty", env, "manage.py demo --check"),
        ("first", env, "manage.py demo"),
        ("size", env, "-m tests.config.demo_facts --size"),
        ("second", env, "manage.py demo"),
        ("size_after", env, "-m tests.config.demo_facts --size"),
        ("check", env, "manage.py demo --check"),
        ("accounts", env, "manage.py demo --accounts"),
        ("served_elsewhere", beyond, "manage.py check --database default"),
    ):
        done = run(where, *command.split())
        said[name] = [done.returncode, done.stdout, done.stderr]
        assert done.returncode in (0, 3) or where is beyond, done.stderr
    done = run(env, "-m", "tests.config.demo_facts")
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout), "said": said}


@pytest.fixture(scope="module")
def demo(tmp_path_factory, django_db_setup, django_db_blocker) -> SimpleNamespace:
    """What the demo answers; built once, also where several workers share the module's tests."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    kept = base / "demo-facts.json"
    with (base / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            from django.db import connection

            folder = tmp_path_factory.mktemp("demo")
            if connection.vendor == "postgresql":
                found = on_postgres(folder, connection.settings_dict)
            else:
                found = build(surroundings(folder, f"sqlite:///{folder / 'demo.sqlite3'}"))
            kept.write_text(json.dumps(found), encoding="utf-8")
    return SimpleNamespace(**json.loads(kept.read_text(encoding="utf-8")))


def on_postgres(folder: Path, server: dict) -> dict:
    """Build in a scratch database of the server that the suite runs on."""
    host, port = server["HOST"] or "127.0.0.1", server["PORT"] or 5432
    login = {"host": host, "port": port, "user": server["USER"], "password": server["PASSWORD"]}
    name = f"portal_demo_{os.getpid()}"
    with closing(psycopg2.connect(**login, dbname="postgres")) as admin:
        admin.autocommit = True
        with admin.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}"')
            try:
                who = f"{quote(server['USER'], safe='')}:{quote(server['PASSWORD'], safe='')}"
                return build(surroundings(folder, f"postgres://{who}@{host}:{port}/{name}"))
            finally:
                cursor.execute(f'DROP DATABASE "{name}"')


# What there is


def test_a_second_run_says_so_and_changes_nothing(demo):
    assert demo.said["empty"][:2] == [0, "empty 空库\n"]
    assert demo.said["second"][0] == 0
    assert "没有改变任何内容" in demo.said["second"][1]
    assert demo.said["size"][1] == demo.said["size_after"][1] != ""
    assert demo.said["check"][:2] == [3, "demo 示例库\n"]


def test_the_accounts_are_listed_with_the_one_password(demo):
    code, table, _ = demo.said["accounts"]
    assert code == 0
    assert table.splitlines()[0].split() == ["用户名", "职务", "机构", "角色"]
    for row in rows("people"):
        assert f"{row['用户名']} " in table
    assert "共同密码：" in table


def test_the_district_is_there_with_its_clinics_and_its_neighbour(demo):
    # 周村区 with its neighbour and city; a street's district, 二七区, 中卫市 with two counties and a district.
    assert demo.institutions["bureau"] == 3 + 2 + 4
    assert demo.institutions["street"] == 7 + 1
    assert demo.institutions["station"] == 5
    assert all(10 <= n <= 16 for n in demo.clinics_by_centre.values())
    assert len(demo.clinics_by_centre) == 6
    assert 250_000 < demo.people_2023 < 350_000


def test_every_passage_of_the_papers_became_something_or_needs_nothing(demo):
    assert demo.unlinked_passages == []


@pytest.mark.parametrize(
    ("paper", "kept"),
    [
        ("2023", "ZC 2023"),
        ("2021", "ZC 2021"),
        ("street", "SJ 2018"),
        ("erqi", "EQ 2018"),
        ("zhongwei", "ZW 2019"),
    ],
)
def test_the_passages_are_the_whole_paper_word_for_word(demo, paper, kept):
    """The papers as issued, with posts in the place of persons; blanks and the width of brackets do not matter."""
    printed = (GOLDEN.parent / "papers" / f"{paper}.txt").read_text(encoding="utf-8")
    first, _, rest = printed.partition("\n")
    # The letterhead names the office, which the portal knows.
    assert bare("".join(demo.papers[kept])) == bare(rest if first.endswith("文件") else printed)


def bare(text: str) -> str:
    return re.sub(r"\s", "", text).replace("（", "(").replace("）", ")")


def test_what_the_older_papers_ask_has_been_done_and_taken(demo):
    assert demo.reports_left == []


def test_the_self_check_went_from_the_city_to_the_centres_and_back(demo):
    assert set(demo.passed_on) == {"ZW-SPT", "ZW-ZN", "ZW-HY"}
    for status, sums in demo.passed_on.values():
        assert status == "accepted"
        assert sums["units"] == sums["checked"] == sum(sums["levels"].values()) == 2


def test_every_state_can_be_seen(demo):
    assert {"open", "submitted", "returned", "accepted"} <= set(demo.reports)
    assert {"assigned", "signed", "applied", "returned", "closed"} <= set(demo.rectifications)
    assert {"planned", "submitted", "confirmed"} <= set(demo.visits)
    assert set(demo.sheets_q4) == {"filling", "submitted", "returned", "verified"}
    assert {"open", "submitted", "returned", "accepted"} <= set(demo.breakthroughs)
    assert {"open", "final"} <= set(demo.evaluations)
    assert demo.phases == ["confirmed", "open", "open"]
    assert demo.overdue > 0


def test_no_account_bears_the_name_of_a_person(demo):
    assert demo.names == []


def test_all_sums_equal_their_lines(demo):
    assert demo.wrong_sums == []
    assert demo.lines_over_full == 0


def test_the_trail_holds_and_runs_with_the_days(demo):
    assert demo.breaks == []
    assert demo.events > 2000
    assert demo.events_in_time
    assert demo.after_the_day == 0
    assert demo.files_missing == []


def test_every_page_that_a_role_is_led_to_answers(demo):
    wrong = {
        f"{name} {path}": status
        for name, seen in demo.pages.items()
        for path, status in seen.items()
        if status != (302 if path == "/login/" else 200)
    }
    assert wrong == {}
    assert all(len(seen) > 10 for seen in demo.pages.values())


def test_the_year_end_tables_are_the_same_bytes_on_every_database(demo):
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert demo.year_end == golden, json.dumps(demo.year_end, indent=2)


def test_the_check_refuses_a_demo_that_others_could_reach(demo):
    code, _, errors = demo.said["served_elsewhere"]
    assert code == 1
    assert "demo.E001" in errors


# Where it must not go


def test_a_database_with_other_data_is_refused(world, capsys):
    before = Event.objects.count(), User._default_manager.count()
    with pytest.raises(CommandError, match=ONE_LINE_IN_BOTH_LANGUAGES):
        call_command("demo")
    with pytest.raises(SystemExit) as ended:
        call_command("demo", check=True)
    assert ended.value.code == 1
    call_command("demo", accounts=True)
    assert "不是示例库" in capsys.readouterr().out
    assert (Event.objects.count(), User._default_manager.count()) == before
    assert not Installation.is_demo()


@pytest.mark.django_db
def test_a_demo_is_served_to_this_machine_alone(settings):
    elsewhere = ["127.0.0.1", "portal.example"]
    settings.ALLOWED_HOSTS = elsewhere
    guard.before_serving()
    Installation.mark_demo()
    with pytest.raises(ImproperlyConfigured, match="只能在本机使用"):
        guard.before_serving()
    assert [error.id for error in guard.demo_stays_on_this_machine()] == ["demo.E001"]
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
    guard.before_serving()
    assert guard.demo_stays_on_this_machine() == []
    assert state.beyond_loopback(["*"]) == ["*"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("host", "address", "status"),
    [
        ("localhost:8000", "127.0.0.1", 200),
        ("127.0.0.1", "127.0.0.1", 200),
        ("testserver", "127.0.0.1", 403),
        ("localhost", "192.0.2.7", 403),
    ],
)
def test_a_demo_logs_in_this_machine_alone(client, host, address, status):
    Installation.mark_demo()
    answer = client.get("/login/", HTTP_HOST=host, REMOTE_ADDR=address)
    assert answer.status_code == status
    if status == 403:
        assert "只能在本机使用" in answer.content.decode()


@pytest.mark.django_db
def test_a_real_database_logs_in_from_anywhere(client):
    assert client.get("/login/", REMOTE_ADDR="192.0.2.7").status_code == 200


# What it is made of


def test_what_looks_random_depends_on_its_words_alone():
    assert chance.draw("a", 1) == chance.draw("a", 1) != chance.draw("a", 2)
    assert {chance.between(1, 3, n) for n in range(50)} == {1, 2, 3}
    assert chance.some_of("abcdef", 3, "x") == sorted(chance.some_of("abcdef", 3, "x"))


def test_deeds_fall_on_working_days():
    from datetime import date

    assert workday(date(2023, 3, 4)) == date(2023, 3, 6)
    assert workday(date(2023, 10, 1)) == date(2023, 10, 7)  # 国庆, then a Saturday that is worked


@pytest.mark.parametrize("kind", ["photo", "paper"])
def test_its_evidence_passes_the_portals_own_gate(kind):
    assert papers._checked(kind).size > 500
