"""What `make` calls: set-up in one go, clear words when it cannot be, nothing left running."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from config.run import children, environment, forget, install, postgres, start

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ["requirements/app.txt", "requirements/dev.txt"]


def pins(lock: str) -> set[str]:
    """Return the `name==version` lines of a lock."""
    return set(re.findall(r"^\S+==\S+", (ROOT / lock).read_text(encoding="utf-8"), re.M))


def alive(pid: int) -> bool:
    """Tell whether a process runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def gone(pid: int, seconds: float = 10) -> bool:
    """Wait for a process to end."""
    last = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < last:
        time.sleep(0.05)
    return not alive(pid)


@pytest.mark.parametrize("lock", LOCKS)
def test_each_package_of_a_lock_has_a_hash(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    packages = re.split(r"\n(?=\S)", text.strip())
    assert len(packages) == len(pins(lock)) > 20
    assert all("--hash=sha256:" in package for package in packages)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "index" not in text


def test_what_is_tested_is_pinned_as_what_is_run():
    assert pins(LOCKS[0]) <= pins(LOCKS[1])


def test_an_old_python_is_refused_in_one_line_of_both_languages():
    reason = install.obstacle((3, 10, 4), has_venv=True)
    assert "3.11" in reason
    assert "3.10" in reason
    assert "需要 Python" in reason
    assert "\n" not in reason


def test_a_missing_venv_module_is_named_with_its_package():
    reason = install.obstacle((3, 11, 0), has_venv=False)
    assert "apt install python3-venv" in reason
    assert "请先安装" in reason


def test_a_fit_python_is_accepted():
    assert install.obstacle(sys.version_info, install.has_venv()) == ""


def test_the_installer_parses_on_the_pythons_it_turns_away():
    compile((ROOT / "config/run/install.py").read_text(encoding="utf-8"), "install.py", "exec")
    import ast

    ast.parse((ROOT / "config/run/install.py").read_text(encoding="utf-8"), feature_version=(3, 6))


def test_the_environment_is_written_once_and_for_its_owner_alone(tmp_path):
    path = tmp_path / ".env"
    assert environment.ensure(path) is True
    first = path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o777 == 0o600
    assert environment.ensure(path) is False
    assert path.read_text(encoding="utf-8") == first


def test_every_checkout_gets_keys_of_its_own(tmp_path):
    texts = []
    for name in ("one", "two"):
        environment.ensure(tmp_path / name)
        texts.append((tmp_path / name).read_text(encoding="utf-8"))
    keys = [key for text in texts for key in re.findall(r"^\w+_KEY=(.{50,})$", text, re.M)]
    assert len(set(keys)) == 4


def test_a_taken_port_is_one_line_of_both_languages():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "config.run.start"],
            cwd=ROOT,
            env={**os.environ, "PORT": port},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"Port {port} is taken" in done.stderr
    assert f"端口 {port} 已被占用" in done.stderr


@pytest.mark.parametrize("text", ["", "80a", "0", "65536", "-1", "８０００"])
def test_a_port_that_is_none_is_refused(text):
    with pytest.raises(SystemExit, match="不是端口号"):
        start.free_port(text)


def test_a_stop_reaches_both_children(tmp_path):
    script = (
        "import sys, time\n"
        "from config.run import children\n"
        "run = []\n"
        "try:\n"
        "    with children.stopping_on_signals():\n"
        "        run = [children.start([sys.executable, '-c', 'import time; time.sleep(99)'])\n"
        "               for _ in range(2)]\n"
        "        print(*(process.pid for process in run), flush=True)\n"
        "        time.sleep(99)\n"
        "except children.Stopped:\n"
        "    for process in run: children.stop(process)\n"
    )
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
        with subprocess.Popen(
            [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as parent:
            assert parent.stdout is not None
            pids = [int(pid) for pid in parent.stdout.readline().split()]
            assert len(pids) == 2
            assert all(alive(pid) for pid in pids)
            parent.send_signal(number)
            parent.wait(20)
        assert all(gone(pid) for pid in pids), number


def test_a_child_that_does_not_listen_is_killed():
    deaf = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(99)"
    )
    process = children.start([sys.executable, "-c", deaf], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    children.stop(process, seconds=0.2)
    process.stdout.close()
    assert process.returncode == -signal.SIGKILL


def test_a_child_that_ends_by_itself_is_named():
    process = children.start([sys.executable, "-c", "raise SystemExit(7)"])
    process.wait()
    with pytest.raises(SystemExit, match=r"worker.*7"):
        start.check({"worker": process})


def test_forgetting_touches_only_the_data_of_the_checkout(tmp_path):
    for name in ("db.sqlite3", "db.sqlite3-wal", "kept"):
        (tmp_path / name).touch()
    (tmp_path / "files").mkdir()
    with pytest.raises(SystemExit, match="SQLite"):
        forget.forget(tmp_path, "portal", tmp_path / "files")
    with pytest.raises(SystemExit, match="SQLite"):
        forget.forget(tmp_path, str(tmp_path / "db.sqlite3"), tmp_path / "elsewhere")
    assert (tmp_path / "db.sqlite3").exists()
    forget.forget(tmp_path, str(tmp_path / "db.sqlite3"), tmp_path / "files")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.fixture
def server_binaries():
    if postgres.binaries() is None:
        pytest.skip("no PostgreSQL server on this machine")


@pytest.mark.usefixtures("server_binaries")
def test_the_throw_away_cluster_is_gone_even_after_a_failure():
    before = set(Path(tempfile.gettempdir()).glob("portal-postgres-*"))
    urls = []

    def use_and_fail():
        with postgres.throwaway_cluster() as url:
            urls.append(url)
            with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
                cursor.execute("SELECT current_user, current_database()")
                assert cursor.fetchone() == ("portal", "portal")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use_and_fail()
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(urls[0], connect_timeout=2)
    assert set(Path(tempfile.gettempdir()).glob("portal-postgres-*")) == before


def test_a_named_server_is_used_as_it_is(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://portal@192.0.2.1/portal")
    monkeypatch.setattr(postgres, "throwaway_cluster", lambda: pytest.fail("made a cluster"))
    assert postgres.run([sys.executable, "-c", "raise SystemExit(5)"]) == 5


def test_make_alone_lists_the_commands():
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("run", "serve", "test", "test-postgres", "test-browser", "lock"):
        assert f"make {target} " in done.stdout
