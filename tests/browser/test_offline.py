"""On site without a network: what is typed and photographed survives a reload, a killed tab and a session that is over."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Server
from tests.browser.person import PATIENCE, PHONE, Person

pytestmark = pytest.mark.browser

TEXTS = [f"现场第{number}条：抽查记录完整" for number in range(1, 9)]
FREE = ["公示栏没有更新", "健康教育宣传栏内容陈旧"]
# What a browser says when there is no network; nothing else may be wrong.
EXPECTED = ("ERR_INTERNET_DISCONNECTED", "ERR_CONNECTION_REFUSED", "ERR_FAILED")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of these walks alone, since it is taken away and comes back."""
    server = Server(tmp_path_factory.mktemp("offline"))
    server.run("manage.py", "migrate", "--verbosity=0")
    server.run("-m", "tests.browser.county")
    server.run("-m", "tests.browser.visiting", "start")
    try:
        server.start()
        yield server
    finally:
        server.stop()


def told(server: Server) -> dict:
    """What has arrived at the server."""
    command = [sys.executable, "-m", "tests.browser.visiting", "told"]
    answer = subprocess.run(
        command, cwd=ROOT, env=server.environment, check=True, capture_output=True, text=True
    )
    return json.loads(answer.stdout.splitlines()[-1])


def ready_for_offline(page: Page) -> None:
    """Wait until the page has prepared itself: the worker is there, the shell and its files are kept."""
    ready = """async () => {
      const kept = await caches.open("portal-visit");
      const shell = (await kept.keys()).some((asked) => asked.url.endsWith("/visits/offline/"));
      return shell && navigator.serviceWorker.controller !== null;
    }"""
    # Asked again and again: the policy of the page does not let Playwright's own waiting be evaluated in it.
    end = time.monotonic() + PATIENCE / 1000
    while not page.evaluate(ready):
        assert time.monotonic() < end, "the page has not prepared itself"
        page.wait_for_timeout(200)


def kept(page: Page, name: str) -> list[dict]:
    """The rows of a store of the device."""
    return page.evaluate(
        """async (name) => {
          const user = await portalDrafts.who();
          return (await portalDrafts.of(name, user)).map((row) => ({...row, blob: undefined}));
        }""",
        name,
    )


def record(page: Page, photo: Path) -> None:
    """Ten lines, of them two findings of one's own, and two photos."""
    lines = page.locator("article[id^=clause-]")
    for place, text in enumerate(TEXTS):
        line = lines.nth(place)
        line.get_by_text("符合", exact=True).click()
        line.get_by_label("情况").fill(text)
    for text in FREE:
        folded = page.locator("details").filter(has_text="补充其他发现").first
        if folded.get_attribute("open") is None:
            folded.locator("summary").first.click()
        blank = folded.locator("article")
        blank.get_by_text("有问题", exact=True).click()
        blank.get_by_label("情况").fill(text)
        blank.get_by_role("button", name="保存这条发现").click()
    for line in (lines.nth(0), page.locator("article[id^=key-]").first):
        line.locator("[data-photos] summary").click()
        line.get_by_label("添加照片").set_input_files(photo)
        expect(line.locator("[data-waiting] li")).to_have_count(1, timeout=PATIENCE)


def there(page: Page) -> None:
    """All that was typed is on the page."""
    lines = page.locator("article[id^=clause-]")
    for place, text in enumerate(TEXTS):
        expect(lines.nth(place).get_by_label("情况")).to_have_value(text, timeout=PATIENCE)
    free = page.locator("article[id^=key-]").get_by_label("情况")
    assert sorted(field.input_value() for field in free.all()) == sorted(FREE)
    expect(page.locator("[data-waiting] li")).to_have_count(2, timeout=PATIENCE)


def test_ten_lines_and_two_photos_taken_offline_arrive_once(own: Server, browser, papers: Path):
    person = Person(browser, own.url, "expert", screen=PHONE)
    try:
        person.go("/supervision/visits/")
        person.open("青年路")
        person.open("去记录")
        address = person.page.url
        ready_for_offline(person.page)

        # The network goes, for the page and for its worker.
        own.stop()
        person.context.set_offline(True)
        record(person.page, papers / "现场.jpg")
        expect(person.page.locator("[data-unsent-text]")).to_contain_text("记录 10 条，照片 2 张")

        person.page.reload()
        person.see("没有网络，显示的是本机保存的记录页")
        there(person.page)
        person._arrived()  # as wide as the screen, and nothing for axe to find

        person.page.close()  # the tab is killed
        person.page = person.context.new_page()
        person.page.goto(address)
        there(person.page)

        # Back at the office, past the idle limit.
        own.run("-m", "tests.browser.visiting", "idle")
        own.start()
        # With the network there the shell asks for its page again by itself.
        with person.page.expect_navigation():
            person.context.set_offline(False)
        assert "/login/" in person.page.url
        person.log_in()
        person.see("本机还有 10 条督导记录、2 张照片没有发送")
        person.open("去发送")
        expect(person.page.locator("[data-unsent]")).to_be_hidden(timeout=2 * PATIENCE)

        arrived = told(own)
        assert sorted(arrived["texts"]) == sorted([*TEXTS, *FREE])
        assert arrived["photos"] == arrived["keys"] == 2
        assert set(arrived["versions"]) == {1}

        # Nothing is sent again, and nothing stays behind.
        person.page.reload()
        expect(person.page.locator("[data-total=recorded]")).to_have_text("10")
        assert told(own) == arrived
        assert kept(person.page, "photos") == []
        faults = [f for f in person.faults if not any(word in f for word in EXPECTED)]
        assert not faults, "\n".join(faults)
    finally:
        person.context.close()


def test_a_line_that_a_colleague_changed_is_shown_with_both_texts(own: Server, browser):
    mine = Person(browser, own.url, "expert", screen=PHONE)
    try:
        mine.go("/supervision/visits/")
        mine.open("青年路")
        mine.open("去记录")
        line = mine.page.locator("article[id^=clause-]").nth(9)
        clause = (line.get_attribute("id") or "").removeprefix("clause-")
        own.run("-m", "tests.browser.visiting", "colleague", clause)
        with mine.expecting(409):
            line.get_by_text("符合", exact=True).click()
            line.get_by_label("情况").fill("我看到的")
            box = line.locator("[data-conflict]")
            expect(box).to_contain_text("【有问题】同事看到的", timeout=PATIENCE)
            expect(box).to_contain_text("【符合】我看到的", timeout=PATIENCE)
            box.get_by_role("button", name="用我的").click()
            expect(line.locator("[data-state]")).to_have_text("已保存", timeout=PATIENCE)
        assert "我看到的" in told(own)["texts"] and "同事看到的" not in told(own)["texts"]

        # What is older than 14 days goes by itself, the rest with the log-out.
        put = """async (days) => {
          const user = await portalDrafts.who();
          const at = Date.now() - days * 24 * 3600 * 1000;
          await portalDrafts.put("drafts", {id: `old-${days}`, user, visit: "1", anchor: "x", values: {}, state: "waiting", at});
        }"""
        mine.page.evaluate(put, 15)
        mine.page.evaluate(put, 13)
        mine.go("/")
        mine.see("本机还有 1 条督导记录")
        asked: list[str] = []
        mine.page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.accept()))
        mine.page.locator("summary").filter(has=mine.page.locator(".top-text")).first.click()
        mine.press("退出登录")
        assert "1 条督导记录没有发送" in asked[0]
        left = mine.page.evaluate(
            """() => new Promise((done) => {
              const opening = indexedDB.open("portal-visits");
              opening.onsuccess = () => {
                const rows = opening.result.transaction(["drafts", "pages", "who"]);
                const counts = ["drafts", "pages", "who"].map((name) => rows.objectStore(name).count());
                rows.oncomplete = () => done(counts.map((count) => count.result));
              };
            })"""
        )
        assert left == [0, 0, 0]
        assert not mine.faults, "\n".join(mine.faults)
    finally:
        mine.context.close()
