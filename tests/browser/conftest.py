"""A county on a real server, Chromium, and people who log in once and come back in every step of a walk."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from config.run import children
from tests.browser.person import DESKTOP, PHONE, People, Person

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
TODAY = "2023-03-20"  # in the second phase of the campaign, in the first quarter
SECONDS_TO_ANSWER = 90


@pytest.fixture(autouse=True)
def _surroundings() -> None:
    """Nothing of Django runs in this process: the server has its own settings."""


class Server:
    """The portal on a port of its own, as `make serve` serves it; it can be started again on another day."""

    def __init__(self, folder: Path, *, today: str = TODAY) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        self.environment = {
            **os.environ,
            "SECRET_KEY": "for-the-walks-only-0123456789-abcdefghijklmnopqrstuvwxyz",
            "AUDIT_KEY": "for-the-walks-only-zyxwvutsrqponmlkjihgfedcba-9876543210",
            "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
            "PORTAL_FILES": str(folder / "files"),
            "STATIC_ROOT": str(folder / "static"),
            "PORTAL_TODAY": today,
            "PORTAL_HTTPS": "off",
            "TOTP_REQUIRED": "off",
            "DEBUG": "off",
            "ALLOWED_HOSTS": "127.0.0.1",
            "BIND": f"127.0.0.1:{self.port}",
        }
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, *command: str) -> None:
        subprocess.run([sys.executable, *command], cwd=ROOT, env=self.environment, check=True)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = children.start(
                [sys.executable, "-m", "config.run.serve"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        end = time.monotonic() + SECONDS_TO_ANSWER
        while time.monotonic() < end and self.process.poll() is None:
            try:
                answer = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                answer.request("GET", "/login/")
                answer.getresponse()
                return
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)
        said = self.log.read_text(encoding="utf-8")[-3000:]
        pytest.fail(f"The server does not answer:\n{said}")

    def stop(self) -> None:
        if self.process is not None:
            children.stop(self.process)

    def move_to(self, day: str) -> None:
        """Go on living on another day."""
        self.stop()
        self.environment["PORTAL_TODAY"] = day
        self.start()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Build the county and serve it; end the server by its own process id."""
    server = Server(tmp_path_factory.mktemp("portal"))
    server.run("manage.py", "migrate", "--verbosity=0")
    server.run("-m", "tests.browser.county")
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def base_url(server: Server) -> str:
    return server.url


def free_port() -> int:
    """A port that is free on the loopback address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=SWITCHES,
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def _rooms(browser: Browser, base_url: str) -> Iterator[dict[tuple, Person]]:
    rooms: dict[tuple, Person] = {}
    yield rooms
    for person in rooms.values():
        person.context.close()


@pytest.fixture
def people(browser: Browser, base_url: str, _rooms: dict[tuple, Person]) -> Iterator[People]:
    """Return a function `people(username, phone=False)`: the same person in the same browser window each time."""
    met: list[Person] = []

    def meet(username: str, *, phone: bool = False) -> Person:
        key = (username, phone)
        if key not in _rooms:
            screen = PHONE if phone else DESKTOP
            _rooms[key] = Person(browser, base_url, username, screen=screen)
        if _rooms[key] not in met:
            met.append(_rooms[key])
        return _rooms[key]

    yield meet
    faults = [fault for person in met for fault in person.faults]
    for person in met:
        person.faults = []
    assert not faults, "\n".join(dict.fromkeys(faults))


@pytest.fixture
def stranger(browser: Browser, base_url: str) -> Iterator[People]:
    """Return a function that opens a fresh window with any screen, colours, with or without script."""
    met: list[Person] = []

    def meet(username: str = "", **options) -> Person:
        met.append(Person(browser, base_url, username, **options))
        return met[-1]

    yield meet
    faults = [fault for person in met for fault in person.faults]
    for person in met:
        person.context.close()
    assert not faults, "\n".join(dict.fromkeys(faults))


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what people attach: a sign-in sheet and photos."""
    from PIL import Image
    from pypdf import PdfWriter

    folder = tmp_path_factory.mktemp("papers")
    pdf = PdfWriter()
    pdf.add_blank_page(width=595, height=842)
    pdf.write(folder / "动员会签到表.pdf")
    for name, colour in (("整改前", "firebrick"), ("整改后", "seagreen"), ("现场", "steelblue")):
        Image.new("RGB", (2400, 1600), colour).save(folder / f"{name}.jpg")
    return folder
