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

# Forms of what is still a draft or in hand: no row of the access matrix shows them. The other walks open most of them,
# at a desk and on a phone.
ELSEWHERE = {
    "campaigns:breakthrough_item_create",
    "campaigns:breakthrough_item_edit",
    "campaigns:breakthrough_review",
    "campaigns:breakthrough_round_create",
    "campaigns:breakthrough_round_edit",
    "campaigns:campaign_difference",
    "campaigns:campaign_edit",
    "campaigns:campaign_text",
    "campaigns:clause_create",
    "campaigns:clause_edit",
    "campaigns:focus_create",
    "campaigns:focus_edit",
    "campaigns:phase_edit",
    "campaigns:standard_edit",
    "campaigns:standard_head",
    "campaigns:standard_levels",
    "campaigns:task_edit",
    "scoring:appeal_create",
    "scoring:capability_fill",
    "scoring:evaluation_edit",
    "scoring:sheet_fill",
    "supervision:draw_create",
    "supervision:notice_edit",
}


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
    faults = []
    for persona, addresses in pages["walk"].items():
        person = Person(browser, server.url, persona, screen=PHONE)
        for address in addresses:
            person.go(address)
        faults += person.faults
        person.context.close()
    assert faults == []
    assert sorted(set(pages["without"]) - ELSEWHERE) == []
