"""Backups of the whole portal, database and stored files, that can be verified and restored.

A backup is a folder: `manifest.json`, the database (`database.sqlite3`, a consistent copy by
SQLite's online backup API, or `database.dump`, pg_dump's custom format) and `files/`. The manifest
holds the size in bytes and the SHA-256 of each. The database is taken first: files are written
once and never changed, so every file it speaks of is there when the files are copied.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

MANIFEST = "manifest.json"
FILES = "files"
DATABASES = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
CHUNK = 1 << 20
# Django's name of a connection option → libpq's environment variable.
LIBPQ = {"NAME": "PGDATABASE", "HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER"}
LIBPQ |= {"PASSWORD": "PGPASSWORD"}
LIBPQ_OPTIONS = {
    "service": "PGSERVICE",
    "passfile": "PGPASSFILE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}


class BackupError(Exception):
    """A backup that was refused or is damaged; `reasons` holds one Chinese line each."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True)
class Entry:
    """One file of a backup: its path below the backup's folder, bytes, SHA-256 in hex."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a backup holds, and of which version of the portal, when (ISO 8601, UTC)."""

    made_at: str
    version: str
    engine: str
    database: Entry
    files: tuple[Entry, ...]

    def entries(self) -> tuple[Entry, ...]:
        """Return the database and the stored files."""
        return (self.database, *self.files)

    def to_json(self) -> str:
        """Return the text of manifest.json."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Manifest":
        """Read manifest.json; BackupError if it is not one."""
        try:
            data = json.loads(text)
            data["database"] = Entry(**data["database"])
            data["files"] = tuple(Entry(**entry) for entry in data["files"])
            manifest = cls(**data)
        except (ValueError, TypeError, KeyError) as error:
            raise BackupError(f"{MANIFEST} 无法读取：{error}") from error
        if manifest.database.path != DATABASES.get(manifest.engine):
            raise BackupError(f"{MANIFEST} 无法读取：数据库类型 {manifest.engine}")
        return manifest


def back_up(target: Path) -> Manifest:
    """Write a backup to `target`, which must not exist yet, and return its manifest.

    The folder gets its name only when it is complete. BackupError if it exists or a step fails.
    """
    if target.exists():
        raise BackupError(f"{target} 已存在，请换一个目录")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        dump = partial / DATABASES[connection.vendor]
        with private_files():
            DUMPS[connection.vendor](dump)
            manifest = Manifest(
                made_at=datetime.now(UTC).isoformat(timespec="seconds"),
                version=settings.VERSION,
                engine=connection.vendor,
                database=entry(partial, dump),
                files=tuple(copy_files(settings.FILES_ROOT, partial)),
            )
            (partial / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
        flush_to_disk(partial)
        partial.rename(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return manifest


def verify(source: Path) -> Manifest:
    """Hash everything in a backup again and let the database's own tools read it.

    BackupError names every file that is missing, changed or unknown.
    """
    try:
        manifest = Manifest.from_json((source / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BackupError(f"{source} 不是备份目录：{error}") from error
    found = {path.relative_to(source).as_posix() for path in regular_files(source)} - {MANIFEST}
    known = {item.path: item for item in manifest.entries()}
    reasons = [f"清单之外的文件：{path}" for path in sorted(found - set(known))]
    for path, item in known.items():
        if path not in found:
            reasons.append(f"缺少文件：{path}")
        elif entry(source, source / path) != item:
            reasons.append(f"文件已损坏：{path}")
    if not reasons:
        reasons += CHECKS[manifest.engine](source / manifest.database.path)
    if reasons:
        raise BackupError(*reasons)
    return manifest


def restore(source: Path, *, force: bool = False) -> Manifest:
    """Put a verified backup in the place of the database and of FILES_ROOT.

    Refuses to write over a database with tables or over stored files, unless `force`; then both
    are replaced by what the backup holds. The database changes in one transaction.
    """
    manifest = verify(source)
    if manifest.engine != connection.vendor:
        raise BackupError(f"备份来自 {manifest.engine}，当前数据库为 {connection.vendor}")
    root = settings.FILES_ROOT
    if not force and connection.introspection.table_names():
        raise BackupError("数据库不是空的；确认覆盖请加 --force")
    if not force and any(regular_files(root)):
        raise BackupError(f"{root} 不是空的；确认覆盖请加 --force")
    with private_files():
        restore_files(source, manifest, root)
        LOADS[manifest.engine](source / manifest.database.path)
        remove_other_files(manifest, root)
    return manifest


# --- Files ----------------------------------------------------------------------------------------
class private_files:
    """A context in which new files are readable by this user alone."""

    def __enter__(self) -> None:
        self.before = os.umask(0o077)

    def __exit__(self, *_: object) -> None:
        os.umask(self.before)


def regular_files(root: Path) -> Iterator[Path]:
    """Yield the files below a folder in a fixed order, following no symbolic link."""
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path


def entry(root: Path, path: Path) -> Entry:
    """Describe one file below `root`."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Entry(path.relative_to(root).as_posix(), path.stat().st_size, digest)


def copy_files(root: Path, partial: Path) -> Iterator[Entry]:
    """Copy the stored files into a backup and describe each copy."""
    for path in regular_files(root):
        copy = partial / FILES / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(path, copy)
        except FileNotFoundError:  # purged since the folder was read: nothing refers to it
            copy.unlink(missing_ok=True)
            continue
        yield entry(partial, copy)


def restore_files(source: Path, manifest: Manifest, root: Path) -> None:
    """Copy the files of a backup to where they are stored, each one whole or not at all."""
    root.mkdir(parents=True, exist_ok=True)
    for item in manifest.files:
        place = root / Path(item.path).relative_to(FILES)
        place.parent.mkdir(parents=True, exist_ok=True)
        copy = place.with_name(f".{place.name}.restoring")
        shutil.copyfile(source / item.path, copy)
        copy.replace(place)


def remove_other_files(manifest: Manifest, root: Path) -> None:
    """Delete stored files that the restored database knows nothing of."""
    kept = {root / Path(item.path).relative_to(FILES) for item in manifest.files}
    for path in list(regular_files(root)):
        if path not in kept:
            path.unlink()


def flush_to_disk(folder: Path) -> None:
    """Wait until every file of a backup has reached the disk."""
    for path in regular_files(folder):
        with path.open("rb") as file:
            os.fsync(file.fileno())


# --- SQLite ---------------------------------------------------------------------------------------
def dump_sqlite(target: Path) -> None:
    """Copy the live database by the online backup API: copying its file is not a backup."""
    connection.ensure_connection()
    with closing(sqlite3.connect(target)) as copy:
        connection.connection.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, without -wal and -shm


def check_sqlite(dump: Path) -> list[str]:
    """Return what `PRAGMA integrity_check` and the foreign keys say against a copy."""
    try:
        with closing(sqlite3.connect(f"{dump.resolve().as_uri()}?mode=ro", uri=True)) as copy:
            rows = [row[0] for row in copy.execute("PRAGMA integrity_check(10)")]
            broken = copy.execute("PRAGMA foreign_key_check").fetchmany(10)
    except sqlite3.DatabaseError as error:
        return [f"数据库无法读取：{error}"]
    reasons = [f"数据库已损坏：{row}" for row in rows if row != "ok"]
    return reasons + [f"数据库外键失效：{row[0]} 第 {row[1]} 行" for row in broken]


def load_sqlite(dump: Path) -> None:
    """Replace the database by the copy, page by page, in one transaction of SQLite's own."""
    connection.ensure_connection()
    with closing(sqlite3.connect(f"{dump.resolve().as_uri()}?mode=ro", uri=True)) as copy:
        copy.backup(connection.connection)
    connection.close()


# --- PostgreSQL -----------------------------------------------------------------------------------
def dump_postgresql(target: Path) -> None:
    """Write pg_dump's custom format, without owners and grants: those belong to the server."""
    run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")


def check_postgresql(dump: Path) -> list[str]:
    """Return what pg_restore says against a dump when it reads all of it."""
    try:
        run("pg_restore", "--list", str(dump))
        run("pg_restore", f"--file={os.devnull}", str(dump))
    except BackupError as error:
        return list(error.reasons)
    return []


def load_postgresql(dump: Path) -> None:
    """Replace the schema `public` by the dump's in one transaction."""
    connection.close()
    with tempfile.TemporaryDirectory(dir=settings.FILES_ROOT) as folder:
        script = Path(folder, "restore.sql")
        run("pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(dump))
        run(
            "psql",
            "--no-psqlrc",
            "--quiet",
            "--single-transaction",
            "--set=ON_ERROR_STOP=1",
            "--output=" + os.devnull,
            "--command=DROP SCHEMA public CASCADE; CREATE SCHEMA public;",
            f"--file={script}",
        )


def run(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's tools on our database; BackupError with what it says if it fails.

    Name and password travel in the environment: a command line is there for all to see.
    """
    try:
        done = subprocess.run(
            [program, *arguments],
            env={**os.environ, **libpq(connection.settings_dict)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except FileNotFoundError as error:
        raise BackupError(f"未找到 {program}，请安装 postgresql-client") from error
    if done.returncode != 0:
        raise BackupError(f"{program} 失败：{done.stderr.strip()}")


def libpq(database: Mapping[str, Any]) -> dict[str, str]:
    """Translate Django's settings of a connection to the variables that libpq reads."""
    options = database.get("OPTIONS") or {}
    named = {variable: database.get(key) for key, variable in LIBPQ.items()}
    named |= {variable: options.get(key) for key, variable in LIBPQ_OPTIONS.items()}
    return {variable: str(value) for variable, value in named.items() if value}


DUMPS = {"sqlite": dump_sqlite, "postgresql": dump_postgresql}
CHECKS = {"sqlite": check_sqlite, "postgresql": check_postgresql}
LOADS = {"sqlite": load_sqlite, "postgresql": load_postgresql}
