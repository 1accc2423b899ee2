"""`make bench`: run the steps at each scale on each database, and write what they say of the goals.

SCALE=county,prefecture,province,growth (or a number of institutions), DATABASE=sqlite,postgres, REPEAT=3, STOCK_ROWS=1000,
ONLY=opening_a_quarter,lists, OUT=var/bench-<date>: a run adds to what is there of the same machine. Each step is a process
of its own on a database of its own, gone afterwards.
"""

import json
import os
import platform
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from config.bench import report
from config.bench.measuring import Measured
from config.run import children, postgres

ROOT = Path(__file__).resolve().parents[2]
SCALES = {"county": 250, "prefecture": 2_000, "province": 21_000, "growth": 50_000}
STEPS = (
    "opening_a_quarter",
    "scores_new",
    "scores_open",
    "scores_preview",
    "scores_again",
    "scores_stock",
    "institutions_new",
    "institutions_interface",
    "institutions_again",
    "institutions_xlsx",
    "year_from_lines",
    "year_from_totals",
    "year_by_orm",
    "year_by_pool",
    "year_out",
    "year_out_xlsx",
    "lines_out",
    "lines_out_stock",
    "lists",
    "served",
    "save_a_sheet",
    "writers",
)
# Institutions of an imported file: ten times the scale, at most what the study took.
FILE = {"institutions_new", "institutions_interface", "institutions_again", "institutions_xlsx"}
MOST = 50_000


class Failed(Exception):
    """A step ended with an error."""


def child(step: str, size: int, repeat: int, sample: int, url: str, files: Path) -> dict[str, Any]:
    """Run one step in a process of its own."""
    env = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "config.bench.settings",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "AUDIT_KEY": "for-the-bench-only",
        "DEBUG": "off",
        "PORTAL_HTTPS": "off",
        "PORTAL_TODAY": "",
        "PORTAL_FILES": str(files),
        "TOTP_REQUIRED": "off",
        "ALLOWED_HOSTS": "127.0.0.1,localhost,testserver",
        "PYTHONWARNINGS": "ignore",
    }
    command = [
        sys.executable,
        "-m",
        "config.bench.child",
        step,
        str(size),
        str(repeat),
        str(sample),
    ]
    process = children.start(command, env=env, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        told, _ = process.communicate()
    finally:
        children.stop(process)
    if process.returncode:
        raise Failed(f"{step}: exit {process.returncode}")
    return json.loads(told.splitlines()[-1]) if told.strip() else {}


@contextmanager
def server(database: str, folder: Path) -> Iterator[str]:
    """Give the URL of an empty database with the portal's tables; copies of it are made for each scale."""
    if database == "sqlite":
        yield f"sqlite:///{folder / 'empty.sqlite3'}"
        return
    with postgres.throwaway_cluster() as url:
        yield url


@contextmanager
def copied(url: str) -> Iterator[str]:
    """Give the URL of a copy of the empty database; it is gone afterwards."""
    if url.startswith("sqlite"):
        empty = Path(url.removeprefix("sqlite:///"))
        copy = empty.with_name("scale.sqlite3")
        with sqlite3.connect(empty) as source:
            source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copyfile(empty, copy)
        try:
            yield f"sqlite:///{copy}"
        finally:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{copy}{suffix}").unlink(missing_ok=True)
        return
    import psycopg2

    name = f"bench_{secrets.token_hex(4)}"
    with_postgres = psycopg2.connect(url.rpartition("/")[0] + "/postgres")
    with_postgres.autocommit = True
    try:
        with with_postgres.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name} TEMPLATE portal")
        yield f"{url.rpartition('/')[0]}/{name}"
        with with_postgres.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        with_postgres.close()


def measure(
    url: str, size: int, steps: list[str], repeat: int, sample: int, files: Path
) -> dict[str, Measured]:
    """Fill a copy of the empty database and run the steps on it; failed ones are told and left out."""
    found: dict[str, Measured] = {}
    with copied(url) as own:
        filled = child("fill", size, 1, 0, own, files)
        say(f"  filled in {filled['seconds']:.1f} s")
        for step in steps:
            if step == "writers" and not own.startswith("sqlite"):
                continue
            rows = min(MOST, size * 10) if step in FILE else size
            began = time.perf_counter()
            try:
                told = child(step, rows, repeat, min(sample, rows), own, files)
            except Failed as failed:
                say(f"  {failed}")
                found[f"failed {step}"] = Measured(step, rows, [0.0])
                continue
            measured = Measured(**told)
            found[measured.name] = measured
            beside = f", {measured.ratio:.2f} of its reference" if measured.limit else ""
            took = time.perf_counter() - began
            say(f"  {step}: {measured.seconds:.3f} s{beside} (step {took:.0f} s)")
    return found


def say(line: str) -> None:
    print(line, flush=True)


def asked(name: str, default: str) -> list[str]:
    return list(os.environ.get(name, "").replace(",", " ").split() or default.split())


def machine() -> dict[str, str]:
    """What the figures were made on, read from the machine."""
    cpu = next(
        (
            line.split(":", 1)[1].strip()
            for line in _lines("/proc/cpuinfo")
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    memory = next((line.split()[1] for line in _lines("/proc/meminfo")), "0")
    import django

    return {
        "cpu": f"{os.cpu_count()} × {cpu}",
        "memory": f"{int(memory) // 2**20} GiB",
        "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        "python": platform.python_version(),
        "django": django.get_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []


def main() -> int:
    scales = asked("SCALE", "county prefecture")
    databases = asked("DATABASE", "sqlite postgres")
    repeat, sample = int(asked("REPEAT", "3")[0]), int(asked("STOCK_ROWS", "1000")[0])
    steps = asked("ONLY", " ".join(STEPS))
    sizes = sorted(SCALES.get(scale) or int(scale) for scale in scales)
    out = Path(os.environ.get("OUT") or ROOT / "var" / f"bench-{time.strftime('%Y-%m-%d')}")
    out.parent.mkdir(parents=True, exist_ok=True)
    here = machine()
    loads, runs = report.earlier(out, here)
    loads = [*loads, f"{os.getloadavg()[0]:.1f}"]
    failed: list[str] = []
    for database in databases:
        folder = Path(tempfile.mkdtemp(prefix="portal-bench-"))
        try:
            with server(database, folder) as url:
                child("migrate", 0, 1, 0, url, folder)
                for size in sizes:
                    say(f"{database}, {size:,} institutions")
                    found = measure(url, size, steps, repeat, sample, folder)
                    failed += [name for name in found if name.startswith("failed ")]
                    kept = runs.setdefault(database, {}).setdefault(size, {})
                    for step in steps:
                        kept.pop(f"failed {step}", None)
                    kept.update(found)
                    # After each scale, so that a long run that ends early has told what it knew.
                    report.write(out, here, loads, runs)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    say(f"Written: {out.with_suffix('.md')} and {out.with_suffix('.json')}")
    return int(bool(failed))


if __name__ == "__main__":
    try:
        with children.stopping_on_signals():
            status = main()
    except children.Stopped:
        status = 130
    sys.exit(status)
