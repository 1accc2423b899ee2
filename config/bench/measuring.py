"""Taking the measure of a deed: seconds of two ways in turn, statements, peak memory, and counters that noise cannot touch."""

import json
import resource
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, cast

from django.db import connection, transaction

WRITES = ("INSERT", "UPDATE", "DELETE", "COPY")


@dataclass
class Measured:
    """One pair: what the portal needs and what its limit needs for the same rows, in seconds of each round."""

    name: str
    rows: int
    ours: list[float]
    limit: list[float] = field(default_factory=list)
    # A reference measured on fewer rows stands for as many as `rows`: "(x)" in the report.
    limit_rows: int = 0
    statements: int = 0
    peak: float = 0.0  # MB above the process before the deed
    equal: bool | None = None  # both ways left the same figures
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return median(self.ours)

    @property
    def limit_seconds(self) -> float:
        return median(self.limit) * (self.rows / (self.limit_rows or self.rows))

    @property
    def ratio(self) -> float:
        return self.seconds / self.limit_seconds

    @property
    def ratios(self) -> list[float]:
        scaled = self.rows / (self.limit_rows or self.rows)
        return [a / (b * scaled) for a, b in zip(self.ours, self.limit, strict=False)]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@contextmanager
def undone() -> Iterator[None]:
    """Run in a transaction that is rolled back: every round finds the same data."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class Statements:
    """Counts what is sent to the database; a batch of executemany counts once."""

    def __init__(self) -> None:
        self.count = self.writes = 0
        self.texts: list[tuple[str, Any]] = []

    def __call__(self, execute: Callable, sql: str, params: Any, many: bool, context: dict) -> Any:
        if "SAVEPOINT" in sql:
            return execute(sql, params, many, context)
        self.count += 1
        self.writes += sql.lstrip().upper().startswith(WRITES)
        if len(self.texts) < 200:
            self.texts.append((sql, params))
        return execute(sql, params, many, context)


@contextmanager
def statements() -> Iterator[Statements]:
    """Count the statements of a block, savepoints left out."""
    counted = Statements()
    with connection.execute_wrapper(counted):
        yield counted


class Peak:
    """How far the memory of this process rose, in MB."""

    def __enter__(self) -> "Peak":
        _forget_peak()
        self.before = _memory("VmRSS")
        self.megabytes = 0.0
        return self

    def __exit__(self, *exc: object) -> None:
        self.megabytes = max(0.0, (_memory("VmHWM") - self.before) / 1024)


def _forget_peak() -> None:
    """Linux forgets the high-water mark when asked; elsewhere the mark of the whole process stands."""
    mark = Path("/proc/self/clear_refs")
    if mark.exists():
        mark.write_text("5")


def _memory(name: str) -> int:
    """A line of /proc/self/status in KB, or the process's high-water mark."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def timed(deed: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    made = deed()
    return time.perf_counter() - began, made


def compare(
    name: str,
    rows: int,
    ours: Callable[[], Any],
    limit: Callable[[], Any],
    *,
    check: Callable[[], Any] | None = None,
    repeat: int = 3,
    limit_rows: int = 0,
) -> Measured:
    """Measure both ways in turn, A B B A, each undone; `check` gives what must be equal after either.

    Ours goes first once more, unmeasured by the clock: it warms the caches, and its statements and memory are taken.
    """
    measured = Measured(name, rows, [], [], limit_rows=limit_rows)
    left: set[str] = set()

    def run(deed: Callable[[], Any]) -> float:
        with undone():
            seconds, _ = timed(deed)
            if check is not None:
                left.add(json.dumps(check(), default=str))
        return seconds

    with statements() as counted, Peak() as peak, undone():
        ours()
    measured.statements, measured.peak = counted.count, peak.megabytes
    measured.more["writes"] = counted.writes
    for number in range(repeat):
        for deed in (ours, limit) if number % 2 == 0 else (limit, ours):
            (measured.ours if deed is ours else measured.limit).append(run(deed))
    if check is not None:
        measured.equal = len(left) == 1
        measured.more["digest"] = min(left)
    return measured


# --- Counters that noise cannot touch ---------------------------------------------------------------


def effort(texts: Sequence[tuple[str, Any]]) -> int:
    """What the database does for these queries: shared blocks touched (PostgreSQL), VM steps in hundreds (SQLite)."""
    return sum(_effort(sql, params) for sql, params in texts if _reads(sql))


def _reads(sql: str) -> bool:
    return sql.lstrip().upper().startswith(("SELECT", "WITH", "("))


def _effort(sql: str, params: Any) -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
            told = cursor.fetchone()[0]
            plan = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]
            return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        with vm_steps() as steps:
            cursor.execute(sql, params)
            cursor.fetchall()
    return steps.hundreds


class VmSteps:
    hundreds = 0

    def __call__(self) -> int:
        self.hundreds += 1
        return 0


@contextmanager
def vm_steps() -> Iterator[VmSteps]:
    """Count SQLite's virtual machine steps of a block, in hundreds."""
    counted = VmSteps()
    connection.ensure_connection()
    raw = cast(sqlite3.Connection, connection.connection)
    raw.set_progress_handler(counted, 100)
    try:
        yield counted
    finally:
        raw.set_progress_handler(None, 0)
