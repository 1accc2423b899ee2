"""Run a command with DATABASE_URL naming a PostgreSQL server: `make test-postgres`.

A server named by DATABASE_URL is used as it is. Otherwise a cluster is made from the installed
binaries in a temporary folder, on the loopback address, and is gone afterwards, whatever happens.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from config.run import children

NO_BINARIES = "No PostgreSQL server binaries: apt install postgresql. 未找到 PostgreSQL，请先安装 postgresql。"
NO_USER = "As root an unprivileged user is needed for PostgreSQL: postgres or nobody. 缺少可用的普通用户。"
BROKEN = "PostgreSQL did not start: {0} PostgreSQL 未能启动。"
SECONDS_TO_START = 60
# The data live for one run only: nothing has to survive a power cut.
FAST = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_wal_size=2GB"]


def binaries() -> Path | None:
    """Find the folder of initdb and postgres: on PATH, or the newest one of Debian's."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    debian = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(debian, key=lambda path: float(path.parent.name), default=None)


def unprivileged() -> dict[str, Any]:
    """Say as whom to run the server: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    sys.exit(NO_USER)


@contextmanager
def throwaway_cluster() -> Iterator[str]:
    """Give the URL of a fresh server with one database and role, both `portal`."""
    folder = Path(tempfile.mkdtemp(prefix="portal-postgres-"))
    server = None
    try:
        bin_folder = binaries()
        if bin_folder is None:
            sys.exit(NO_BINARIES)
        password, port, who = secrets.token_urlsafe(24), free_port(), unprivileged()
        data = initialise(bin_folder, folder, password, who)
        settings = [*FAST, f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories="]
        with (folder / "log").open("wb") as log:
            server = children.start(
                [str(bin_folder / "postgres"), "-D", str(data)]
                + [part for setting in settings for part in ("-c", setting)],
                cwd="/",
                stdout=log,
                stderr=log,
                **who,
            )
        create_database(server, port, password, folder / "log")
        yield f"postgres://portal:{password}@127.0.0.1:{port}/portal"
    finally:
        if server is not None:
            children.stop(server, by=signal.SIGINT)  # "fast": does not wait for clients
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """Ask the system for a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def initialise(bin_folder: Path, folder: Path, password: str, who: dict[str, Any]) -> Path:
    """Make the cluster's folder, owned by whoever will run the server."""
    secret = folder / "password"
    secret.touch(mode=0o600)
    secret.write_text(password, encoding="ascii")
    if who:
        for path in (folder, secret):
            os.chown(path, who["user"], who["group"])
    command = [str(bin_folder / "initdb"), "--username=portal", f"--pwfile={secret}"]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    done = subprocess.run(
        [*command, f"--pgdata={folder / 'data'}"],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        **who,
    )
    if done.returncode != 0:
        sys.exit(BROKEN.format(done.stderr.strip()))
    return folder / "data"


def create_database(server: "subprocess.Popen[bytes]", port: int, password: str, log: Path) -> None:
    """Wait for the server and create the database; exit with its log if it does not come up."""
    import psycopg2

    last = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            connection = psycopg2.connect(
                host="127.0.0.1", port=port, user="portal", password=password, dbname="postgres"
            )
            break
        except psycopg2.OperationalError:
            if server.poll() is not None or time.monotonic() > last:
                sys.exit(BROKEN.format(log.read_text(errors="replace").strip()))
            time.sleep(0.1)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE portal")
    finally:
        connection.close()


def run(command: list[str]) -> int:
    """Run the command against the named server or a throw-away one; return its exit status."""
    named = os.environ.get("DATABASE_URL", "")
    if named.startswith(("postgres://", "postgresql://")):
        return subprocess.run(command, check=False).returncode
    with throwaway_cluster() as url:
        process = children.start(command, env={**os.environ, "DATABASE_URL": url})
        try:
            return process.wait()
        finally:
            children.stop(process)


if __name__ == "__main__":
    try:
        with children.stopping_on_signals():
            status = run(sys.argv[1:])
    except children.Stopped:
        status = 130
    sys.exit(status)
