"""A backup that has not been restored is a hope: the drill, by the commands an operator types."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from config import backups

ROOT = Path(__file__).resolve().parents[2]
# Rows, a chained event and a file, made by the portal's own functions.
FILL = """
import django; django.setup()
from institutions import audit, files
from institutions.models import Holiday
from django.db import transaction
Holiday.objects.create(day="2023-10-01", name="国庆节")
row = files.keep(b"\\x00\\xff" * 5000, name="整改照片.jpg", kind="jpg",
                 content_type="image/jpeg", by=None)
with transaction.atomic():
    audit.record("drill", "演练", by=None, bureau=None, on=row)
"""


# --- The drill, on the database server the suite runs on --------------------------------------------
@pytest.fixture
def new_database(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Return a function that makes an empty database beside the suite's own and gives its URL."""
    if connection.vendor == "sqlite":
        yield lambda name: f"sqlite:///{tmp_path / name}.sqlite3"
        return
    server = connection.settings_dict
    address = {"host": server["HOST"], "port": server["PORT"]}
    address |= {"user": server["USER"], "password": server["PASSWORD"]}
    made: list[str] = []

    def execute(statement: str) -> None:
        with closing(psycopg2.connect(dbname="postgres", **address)) as maintenance:
            maintenance.autocommit = True
            maintenance.cursor().execute(statement)

    def make(name: str) -> str:
        made.append(f"portal_{name}_{os.getpid()}")
        execute(f"CREATE DATABASE {made[-1]}")
        place = "{user}:{password}@{host}:{port}".format(**address)
        return f"postgres://{place}/{made[-1]}"

    yield make
    for name in made:
        execute(f"DROP DATABASE {name} WITH (FORCE)")


class Portal:
    """A portal of its own: database, stored files, and the commands that work on them."""

    def __init__(self, url: str, files: Path) -> None:
        self.url = url
        self.files = files

    def python(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "config.settings",
                "DATABASE_URL": self.url,
                "PORTAL_FILES": str(self.files),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def command(self, *arguments: str) -> str:
        done = self.python("manage.py", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refusal(self, *arguments: str) -> str:
        done = self.python("manage.py", *arguments)
        assert done.returncode == 1, done.stdout
        return done.stderr

    def open(self) -> Any:
        if self.url.startswith("sqlite"):
            return sqlite3.connect(self.url.removeprefix("sqlite:///"))
        return psycopg2.connect(self.url)

    def tables(self) -> dict[str, list[str]]:
        """Return every row of every table as text, sorted, by the driver alone."""
        catalogue = (
            "SELECT name FROM sqlite_master WHERE type = 'table'"
            if self.url.startswith("sqlite")
            else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
        with closing(self.open()) as database:
            cursor = database.cursor()
            cursor.execute(catalogue)
            names = [row[0] for row in cursor.fetchall()]
            rows = {}
            for name in names:
                cursor.execute(f'SELECT * FROM "{name}"')  # noqa: S608
                rows[name] = sorted(map(repr, cursor.fetchall()))
        return rows

    def stored(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.files).as_posix(): path.read_bytes()
            for path in backups.regular_files(self.files)
        }


def test_the_drill_back_up_damage_notice_restore_compare(new_database, tmp_path):
    live = Portal(new_database("live"), tmp_path / "live-files")
    live.command("migrate", "-v0", "--skip-checks")
    done = live.python("-c", FILL)
    assert done.returncode == 0, done.stderr
    tables, stored = live.tables(), live.stored()
    assert len(tables["institutions_event"]) == len(stored) == 1

    copy = tmp_path / "backups" / "2023-11-20"
    assert "文件 1 个" in live.command("backup", str(copy))
    assert backups.verify(copy).files[0].size == 10_000
    assert copy.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in backups.regular_files(copy))
    with pytest.raises(CommandError, match="已存在"):
        call_command("backup", str(copy))

    # Damage in the dump alone, and in the stored file alone, is noticed and never restored.
    fresh = Portal(new_database("fresh"), tmp_path / "fresh-files")
    for victim in (f"database.{'sqlite3' if 'sqlite' in live.url else 'dump'}", "files"):
        damaged = tmp_path / f"damaged-{victim}"
        shutil.copytree(copy, damaged)
        path = next(backups.regular_files(damaged / victim), damaged / victim)
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        with pytest.raises(CommandError, match="文件已损坏"):
            call_command("verify", str(damaged))
    assert "文件已损坏" in fresh.refusal("restore", str(damaged))
    assert fresh.tables() == {}
    assert fresh.stored() == {}

    assert "已恢复" in fresh.command("restore", str(copy))
    assert fresh.tables() == tables
    assert fresh.stored() == stored

    # Later work in the fresh portal is not overwritten by accident, and wholly on demand.
    fresh.python("-c", FILL.replace("10-01", "10-02"))
    assert len(fresh.stored()) == 2
    assert "--force" in fresh.refusal("restore", str(copy))
    assert len(fresh.tables()["institutions_event"]) == 2
    fresh.command("restore", str(copy), "--force")
    assert fresh.tables() == tables
    assert fresh.stored() == stored
    fresh.command("migrate", "--check", "--skip-checks")

    # What protects the trail came back with it.
    with closing(fresh.open()) as database, pytest.raises((sqlite3.IntegrityError, psycopg2.Error)):
        database.cursor().execute("DELETE FROM institutions_event")


# --- What verify notices ------------------------------------------------------------------------------
@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A small sound backup of a SQLite database with one parent, one child and two files."""
    folder = tmp_path / "backup"
    (folder / "files" / "ab").mkdir(parents=True)
    (folder / "files" / "ab" / "abc").write_bytes(b"photo")
    (folder / "files" / "ab" / "abd").write_bytes(b"")
    with closing(sqlite3.connect(folder / "database.sqlite3")) as database:
        database.executescript(
            "CREATE TABLE parent (id INTEGER PRIMARY KEY);"
            "CREATE TABLE child (parent REFERENCES parent); INSERT INTO parent VALUES (1);"
            "INSERT INTO child VALUES (1)"
        )
    write_manifest(folder)
    return folder


def write_manifest(folder: Path) -> None:
    """Describe what is in a backup's folder as it is now."""
    entries = [backups.entry(folder, path) for path in backups.regular_files(folder)]
    manifest = backups.Manifest(
        made_at="2023-11-20T00:00:00+00:00",
        version="0.1.0",
        engine="sqlite",
        database=next(entry for entry in entries if entry.path == "database.sqlite3"),
        files=tuple(entry for entry in entries if entry.path.startswith("files/")),
    )
    (folder / backups.MANIFEST).write_text(manifest.to_json(), encoding="utf-8")


def test_a_sound_backup_is_called_sound(backup):
    manifest = backups.verify(backup)
    assert [entry.path for entry in manifest.files] == ["files/ab/abc", "files/ab/abd"]


def test_every_damage_is_named_at_once(backup):
    (backup / "files" / "ab" / "abc").write_bytes(b"phota")
    (backup / "files" / "ab" / "abd").unlink()
    (backup / "files" / "new").touch()
    with pytest.raises(backups.BackupError) as refused:
        backups.verify(backup)
    assert refused.value.reasons == (
        "清单之外的文件：files/new",
        "文件已损坏：files/ab/abc",
        "缺少文件：files/ab/abd",
    )


def test_a_file_replaced_by_a_link_is_missing(backup):
    path = backup / "files" / "ab" / "abc"
    path.rename(backup.parent / "elsewhere")
    path.symlink_to(backup.parent / "elsewhere")
    with pytest.raises(backups.BackupError, match="缺少文件：files/ab/abc"):
        backups.verify(backup)


def test_a_manifest_cannot_point_outside_the_backup(backup):
    path = backup / backups.MANIFEST
    (backup.parent / "outside").write_bytes(b"photo")
    path.write_text(path.read_text().replace("files/ab/abc", "files/../../outside"))
    with pytest.raises(backups.BackupError, match="缺少文件"):
        backups.verify(backup)


def test_a_database_that_was_damaged_before_it_was_hashed_is_noticed(backup):
    database = backup / "database.sqlite3"
    content = bytearray(database.read_bytes())
    content[4096:4196] = b"\x00" * 100  # the head of the second page
    database.write_bytes(content)
    write_manifest(backup)
    with pytest.raises(backups.BackupError, match="数据库"):
        backups.verify(backup)


def test_a_row_without_its_parent_is_noticed(backup):
    with closing(sqlite3.connect(backup / "database.sqlite3")) as database:
        database.execute("DELETE FROM parent")
        database.commit()
    write_manifest(backup)
    with pytest.raises(backups.BackupError, match="数据库外键失效：child"):
        backups.verify(backup)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"files": 1}', "\x00", '{"database": {"path": "x"}, "files": []}']
)
def test_a_manifest_that_is_none_is_refused(backup, text):
    (backup / backups.MANIFEST).write_text(text)
    with pytest.raises(backups.BackupError, match="无法读取"):
        backups.verify(backup)


def test_a_manifest_cannot_name_another_file_as_the_database(backup):
    path = backup / backups.MANIFEST
    data = json.loads(path.read_text())
    data["database"]["path"] = "files/ab/abc"
    path.write_text(json.dumps(data))
    with pytest.raises(backups.BackupError, match="无法读取"):
        backups.verify(backup)


def test_a_folder_that_is_no_backup_is_refused_with_a_reason(tmp_path):
    with pytest.raises(CommandError, match="不是备份目录"):
        call_command("verify", str(tmp_path))


# --- How PostgreSQL's tools are called ------------------------------------------------------------------
def test_the_password_travels_in_the_environment():
    database = {
        "NAME": "portal",
        "HOST": "db",
        "PORT": 5432,
        "USER": "owner",
        "PASSWORD": "geheim",
        "OPTIONS": {"sslmode": "verify-full"},
    }
    assert backups.libpq(database) == {
        "PGDATABASE": "portal",
        "PGHOST": "db",
        "PGPORT": "5432",
        "PGUSER": "owner",
        "PGPASSWORD": "geheim",
        "PGSSLMODE": "verify-full",
    }


def test_a_missing_tool_is_named_with_its_package(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(backups.BackupError, match="postgresql-client"):
        backups.run("pg_dump")
