"""Every page there is, opened once on a phone by somebody who may: none is wider than the screen, none has a fault."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import ROOT, Server
from tests.browser.person import PHONE, Person

pytestmark = pytest.mark.browser

# Pages that only a state shows which no row of the access matrix is in; the walks of the year open them.
ELSEWHERE: set[str] = set()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, dict]]:
    """A server with a row for every route, and who opens which page."""
    server = Server(tmp_path_factory.mktemp("pages"))
    server.run("manage.py", "migrate", "--verbosity=0")
    made = subprocess.run(
        [sys.executable, "-m", "tests.browser.pages"],
        cwd=ROOT,
        env=server.environment,
        check=True,
        stdout=subprocess.PIPE,
    )
    try:
        server.start()
        yield server, json.loads(made.stdout.splitlines()[-1])
    finally:
        server.stop()


def test_every_page_fits_a_phone(own: tuple[Server, dict], browser: Browser):
    server, pages = own
    assert set(pages["without"]) <= ELSEWHERE
    faults = []
    for persona, addresses in pages["walk"].items():
        person = Person(browser, server.url, persona, screen=PHONE)
        for address in addresses:
            person.go(address)
        faults += person.faults
        person.context.close()
    assert faults == []
