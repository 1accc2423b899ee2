"""An empty database beside the one of the suite, on the same engine, for tests that need processes of their own."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
from django.conf import settings
from django.db import connection
from psycopg2 import sql


@contextmanager
def database(folder: Path) -> Iterator[str]:
    """Yield the DATABASE_URL of an empty database; it is gone afterwards."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{folder / 'scratch.sqlite3'}"
        return
    server = settings.DATABASES["default"]
    name = f"scratch_{secrets.token_hex(6)}"
    where = {
        "host": server["HOST"],
        "port": server["PORT"] or None,
        "user": server["USER"],
        "password": server["PASSWORD"],
    }
    with_postgres = psycopg2.connect(dbname="postgres", **where)
    with_postgres.autocommit = True
    cursor = with_postgres.cursor()
    cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        credentials = (
            f"{server['USER']}:{server['PASSWORD']}" if server["PASSWORD"] else server["USER"]
        )
        host = server["HOST"].replace("/", "%2F")
        port = f":{server['PORT']}" if server["PORT"] else ""
        yield f"postgres://{credentials}@{host}{port}/{name}"
    finally:
        cursor.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        with_postgres.close()


def run(*command: str, url: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run `python …` in the checkout against that database."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": url, "PORTAL_FILES": str(folder / "files"), **env},
        capture_output=True,
        text=True,
        check=False,
    )
