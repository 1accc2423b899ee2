"""Start the portal on this machine, with demo data: `make run`.

Everything needed is made on the first start and kept; Ctrl-C ends the server and the worker.
"""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from config.run import children, environment

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
SECONDS_TO_ANSWER = 60
NOT_A_PORT = "PORT={0} is not a port number. PORT={0} 不是端口号。"
TAKEN = "Port {0} is taken; try PORT=8001 make run. 端口 {0} 已被占用，可改用 PORT=8001 make run。"
SILENT = "The server does not answer. 服务没有响应。"
ENDED = "The {0} has ended by itself (exit {1}). 进程 {0} 意外退出（{1}）。"
READY = """
公卫督导 is running. 公卫督导已启动。

    http://{host}:{port}/

{accounts}
Ctrl-C stops it. 按 Ctrl-C 停止。"""


def main() -> None:
    """Prepare the checkout, serve until somebody stops it."""
    port = free_port(os.environ.get("PORT") or "8000")
    os.umask(0o077)  # database and files are this user's alone
    environment.ensure(ROOT / ".env")
    try:
        with children.stopping_on_signals():
            serve(port, prepare())
    except children.Stopped:
        print("\nStopped. 已停止。")


def free_port(text: str) -> int:
    """Read a port number that is free on the loopback address; exit with one line otherwise."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        sys.exit(NOT_A_PORT.format(text))
    port = int(text)
    with socket.socket() as probe:
        # As the server does: a socket that still waits after the last run is not in the way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen()
        except OSError:
            sys.exit(TAKEN.format(port))
    return port


def prepare() -> str:
    """Bring database, reference data and static files up to date; return the demo accounts."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from io import StringIO

    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connections

    from config.run import static

    print("Preparing the database. 正在准备数据库。", flush=True)
    call_command("migrate", interactive=False, verbosity=0)
    call_command("load_reference")
    if not get_user_model()._default_manager.exists():
        print("Making the demo data. 正在生成演示数据。", flush=True)
        call_command("demo")
    static.collect()
    accounts = StringIO()
    call_command("demo", accounts=True, stdout=accounts)
    connections.close_all()
    return accounts.getvalue()


def serve(port: int, accounts: str) -> None:
    """Run the web server and the worker until one of them ends or we are stopped."""
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        running["server"] = child("gunicorn", "--config=config/run/gunicorn.py", port=port)
        running["worker"] = child("manage.py", "db_worker", "--verbosity=0", port=port)
        wait_until_it_answers(port, running)
        print(READY.format(host=HOST, port=port, accounts=accounts), flush=True)
        while True:
            check(running)
            time.sleep(0.5)
    finally:
        for process in running.values():
            children.stop(process)


def child(program: str, *arguments: str, port: int) -> subprocess.Popen[bytes]:
    """Start one of the two processes with this interpreter, in the checkout."""
    run: Sequence[str] = [program] if program.endswith(".py") else ["-m", program]
    return children.start(
        [sys.executable, *run, *arguments],
        cwd=ROOT,
        env={**os.environ, "BIND": f"{HOST}:{port}"},
    )


def check(running: dict[str, subprocess.Popen[bytes]]) -> None:
    """Exit when a process has ended that nobody stopped."""
    for name, process in running.items():
        if process.poll() is not None:
            sys.exit(ENDED.format(name, process.returncode))


def wait_until_it_answers(port: int, running: dict[str, subprocess.Popen[bytes]]) -> None:
    """Return when the portal answers a request; exit when it ends or stays silent.

    A connection alone says nothing: gunicorn listens before the portal is loaded.
    """
    last = time.monotonic() + SECONDS_TO_ANSWER
    while time.monotonic() < last:
        check(running)
        request = http.client.HTTPConnection(HOST, port, timeout=5)
        try:
            request.request("GET", "/")
            request.getresponse()
            return
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
        finally:
            request.close()
    sys.exit(SILENT)


if __name__ == "__main__":
    main()
