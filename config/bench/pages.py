"""The pages: what a list costs the database on its first and on its last page, and how many a server answers."""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any
from urllib.parse import quote

from django.db import connection
from django.test import Client
from django.urls import reverse

from config.bench import data
from config.bench.measuring import (
    Measured,
    effort,
    statements,
    timed,
)
from config.run import children, postgres
from scoring.models import ScoreSheet

BY_HAND = (
    "SELECT s.id, s.status, s.self_points, s.score, s.rank, i.name, e.name FROM scoring_scoresheet s"
    " JOIN institutions_institution i ON i.id = s.institution_id"
    " JOIN scoring_evaluation e ON e.id = s.evaluation_id"
    " WHERE s.bureau_id = %s ORDER BY s.year DESC, s.quarter DESC, s.id DESC LIMIT 26"
)
SECONDS = 5
CLIENTS = 8


def logged_in() -> Client:
    client = Client(SERVER_NAME="127.0.0.1")
    user = data.the_post().user
    if user is None:
        raise RuntimeError("the post is vacant")
    client.force_login(user, backend="institutions.backends.RoleBackend")
    return client


@dataclass(frozen=True)
class Cost:
    """A page: its statements, what they make the database do, the part of that for the rows, and seconds."""

    statements: int
    effort: int
    rows: int
    seconds: float


def cost_of(client: Client, url: str) -> Cost:
    client.get(url)
    with statements() as counted:
        seconds, answer = timed(lambda: client.get(url))
    if answer.status_code != 200:
        raise RuntimeError(f"{url} answered {answer.status_code}")
    rows = [
        (sql, params)
        for sql, params in counted.texts
        if "scoring_scoresheet" in sql and " LIMIT " in sql and "COUNT(" not in sql
    ]
    return Cost(counted.count, effort(counted.texts), effort(rows), seconds)


def last_page() -> str:
    """The address of the last page of the list: 25 rows are left after its key."""
    bureau = data.the_post().institution_id
    rows = ScoreSheet.objects.filter(bureau=bureau).order_by("year", "quarter", "pk")
    key = json.dumps(rows.values_list("year", "quarter", "pk")[25], separators=(",", ":"))
    return f"{reverse('scoring:sheet_list')}?after={quote(key)}"


def lists(size: int, repeat: int) -> Measured:
    """The list of score sheets: first page, last page by key, by hand, and by OFFSET."""
    client = logged_in()
    page = reverse("scoring:sheet_list")
    first, last = cost_of(client, page), cost_of(client, last_page())
    home = cost_of(client, "/")
    bureau = data.the_post().institution_id
    skipped = max(0, ScoreSheet.objects.count() * 99 // 100)
    by_offset = BY_HAND.replace("LIMIT 26", f"LIMIT 26 OFFSET {skipped}")
    measured = Measured("lists", 25, [], [], statements=first.statements)
    for _ in range(repeat):
        measured.ours.append(timed(lambda: client.get(page))[0])
        measured.limit.append(timed(lambda: _run(BY_HAND, [bureau]))[0])
    measured.more = {
        "first": first.rows,
        "last": last.rows,
        "page": first.effort,
        "by_hand": effort([(BY_HAND, [bureau])]),
        "offset": effort([(by_offset, [bureau])]),
        "first_seconds": first.seconds,
        "last_seconds": last.seconds,
        "home_statements": home.statements,
        "home": home.effort,
        "home_seconds": home.seconds,
        "recount": effort([(RECOUNT, [bureau])]),
    }
    return measured


RECOUNT = (
    "SELECT quarter, status, COUNT(*), SUM(points), SUM(self_points) FROM scoring_scoreline l"
    " JOIN (SELECT id AS sheet, quarter, status FROM scoring_scoresheet WHERE bureau_id = %s) s"
    " ON s.sheet = l.sheet_id GROUP BY quarter, status"
)


def _run(sql: str, params: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


# --- A server under load --------------------------------------------------------------------------------


def served(size: int, repeat: int) -> Measured:
    """Requests a second of the list, of a bare view behind the login, and of the list with a query a row."""
    session = logged_in().cookies["session"].value
    port = postgres.free_port()
    connection.close()
    server = children.start(
        [sys.executable, "-m", "gunicorn", "-c", "python:config.run.gunicorn"],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.bench.settings",
            "BIND": f"127.0.0.1:{port}",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port)
        urls = {
            "list": reverse("scoring:sheet_list"),
            "bare": "/bench/bare/",
            "rows": "/bench/rows/",
        }
        for url in urls.values():  # templates are compiled once a process
            _load(port, url, session)
        answered = {name: _load(port, url, session) for name, url in urls.items()}
    finally:
        children.stop(server)
    more = {f"{name}_per_second": len(times) / SECONDS for name, times in answered.items()}
    times = answered["list"]
    more["p50"], more["p95"] = median(times), quantiles(times, n=20)[-1]
    return Measured("served", 25, [median(times)], [median(answered["bare"])], more=more)


def _wait(port: int) -> None:
    for _ in range(100):
        try:
            http.client.HTTPConnection("127.0.0.1", port, timeout=5).connect()
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the server did not start")


def _load(port: int, url: str, session: str) -> list[float]:
    """Ask for a page from a few clients at once for some seconds; return the seconds of each answer."""
    until = time.perf_counter() + SECONDS
    times: list[float] = []

    def ask() -> None:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while time.perf_counter() < until:
            began = time.perf_counter()
            line.request("GET", url, headers={"Cookie": f"session={session}"})
            answer = line.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{url} answered {answer.status}")
            times.append(time.perf_counter() - began)

    threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


# --- Several at once --------------------------------------------------------------------------------------


def writers(size: int, repeat: int) -> Measured:
    """Four processes save lines of four sheets for six seconds: refused ones, and the longest wait."""
    told = [
        children.start(
            [sys.executable, "-m", "config.bench.child", "write", str(number), "1", "0"],
            stdout=subprocess.PIPE,
        )
        for number in range(4)
    ]
    answers = [json.loads(process.communicate(timeout=60)[0]) for process in told]
    return Measured(
        "writers",
        sum(one["saves"] for one in answers),
        [max(one["worst"] for one in answers)],
        more={
            "errors": sum(one["errors"] for one in answers),
            "worst": max(one["worst"] for one in answers),
        },
    )


def write(number: int) -> dict[str, Any]:
    """One of the writers."""
    from decimal import Decimal

    from django.db import OperationalError, transaction

    from scoring.filling import SELF, put
    from scoring.models import ScoreLine
    from scoring.policies import grade_shares
    from scoring.sums import add_up, hold_sheet

    sheet = data.evaluation(data.OPENED).sheets.order_by("pk")[number]
    shares = grade_shares(sheet.supervisor, data.NEXT)
    lines = ScoreLine.objects.filter(sheet=sheet, clause__method="manual")
    found = list(lines.select_related("clause", "section"))
    saves, errors, worst = 0, 0, 0.0
    until = time.perf_counter() + 6
    while time.perf_counter() < until:
        line = found[saves % len(found)]
        began = time.perf_counter()
        try:
            with transaction.atomic():
                hold_sheet(sheet.pk, statuses=ScoreSheet.EDITABLE, row=line.section)
                put(line, SELF, {"entered": Decimal(saves % 3 * 50).scaleb(-2)}, shares=shares)
                line.save()
                add_up(sheet.pk, line.section_id)
        except OperationalError:
            errors += 1
        worst = max(worst, time.perf_counter() - began)
        saves += 1
    return {"saves": saves, "errors": errors, "worst": worst}
