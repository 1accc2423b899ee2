"""A person in front of the screen: finds things by the words on them, and tells when a page is broken.

After every page load the person notes console errors, violations of the content security policy, server errors and a
page that is wider than the screen; once per kind of page and width, axe-core looks at it.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from openpyxl import Workbook
from playwright.sync_api import Browser, Locator, Page, Request, expect

from tests.builders import PASSWORD

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
AXE = {
    "resultTypes": ["violations"],
    "preload": False,  # it writes an inline style, which our own policy refuses
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
}
PATIENCE = 15_000  # milliseconds; a busy machine is no fault of a page
LISTEN = """
addEventListener("securitypolicyviolation", (event) =>
  console.error("CSP", event.effectiveDirective, event.blockedURI));
"""
# What the browser says of an answer that the test asked for; everything else is a fault.
EXPECTED = re.compile(r"Failed to load resource: the server responded with a status of (4\d\d)")

_axe = Axe()
_seen: set[tuple[str, int, str]] = set()


def kind_of(url: str) -> str:
    """The kind of page an address belongs to: its path without numbers and keys."""
    path = re.sub(r"/[0-9a-f]{8}-[0-9a-f-]{27}/", "/KEY/", urlsplit(url).path)
    return re.sub(r"/\d+/", "/N/", path)


def _labelled(words: str) -> re.Pattern[str]:
    """A label may go on with a unit, a star or a remark in brackets."""
    return re.compile(rf"^\s*{re.escape(words)}\s*(（.*）)?\s*\*?\s*$")


class Person:
    """One post at one screen. `faults` gathers what is wrong; the fixture that brought the person fails the test with it."""

    def __init__(
        self,
        browser: Browser,
        base_url: str,
        username: str = "",
        *,
        screen: dict[str, int] = DESKTOP,
        dark: bool = False,
        script: bool = True,
        password: str = PASSWORD,
    ) -> None:
        self.username, self.screen, self.dark, self.script = username, screen, dark, script
        self.password = password
        self.faults: list[str] = []
        self.expected: set[str] = set()
        self.context = browser.new_context(
            base_url=base_url,
            viewport=screen,
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            has_touch=screen is PHONE,
        )
        self.context.set_default_timeout(PATIENCE)
        self.page: Page = self.context.new_page()
        if script:
            self.page.add_init_script(LISTEN)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self._fault(f"script error: {error}"))
        self.page.on("response", self._answered)
        self.page.on("requestfailed", self._failed)
        if username:
            self.log_in()

    # --- What a person does -----------------------------------------------------------------------

    def log_in(self) -> None:
        self.go("/login/")
        self.fill("用户名", self.username)
        self.fill("密码", self.password)
        self.press("登录")
        assert "/login/" not in self.page.url, f"{self.username} could not log in"

    def renew_password(self) -> None:
        """On the page that asks for it: the old one, the new one twice."""
        old, self.password = self.password, f"Neu-{self.password}"
        self.fill("当前密码", old)
        self.fill("新密码", self.password)
        self.fill("再次输入新密码", self.password)
        self.press("修改密码")
        self.see("密码已修改")

    def go(self, path: str) -> None:
        """Open an address: a bookmark, or the link in a message."""
        self.page.goto(path)
        self._arrived()

    def menu(self, group: str, entry: str = "") -> None:
        """Open a page by the menu: on a desktop a drop-down, on a phone behind one button."""
        if self.screen is PHONE:
            self.page.locator("summary").get_by_text("菜单", exact=True).click()
            menu = self.page.locator(".menu-small")
        else:
            menu = self.page.locator("nav.menu")
            if entry:
                menu.locator("summary").get_by_text(group, exact=True).click()
        link = menu.get_by_role("link", name=re.compile(f"^{re.escape(entry or group)}"))
        with self.loading():
            link.first.click()

    def open(self, words: str, *, inside: Locator | None = None, exact: bool = False) -> None:
        """Follow the first link that carries the words."""
        scope = inside or self.page.locator("main")
        link = scope.get_by_role("link", name=words, exact=exact).first
        if not link.count():
            there = " ".join(scope.get_by_role("link").all_inner_texts())[:400]
            raise AssertionError(f"no link “{words}” on {self.page.url}: {there}")
        with self.loading():
            link.click()

    def open_row(self, *words: str) -> None:
        """Follow the first link of the table row that carries all the words."""
        row = self.page.locator("main tbody tr")
        for text in words:
            row = row.filter(has_text=text)
        with self.loading():
            row.first.get_by_role("link").first.click()

    def press(self, words: str, *, inside: Locator | None = None) -> None:
        """Press a button that leads to a new page; a question is answered with 确定."""
        button = (inside or self.page).get_by_role("button", name=words, exact=True)
        with self.loading():
            self._push(button)

    def push(self, words: str, *, inside: Locator | None = None) -> None:
        """Press a button that stays on the page."""
        self._push((inside or self.page).get_by_role("button", name=words, exact=True))

    def unfold(self, words: str, *, inside: Locator | None = None) -> Locator:
        """Open what is folded away under the words and return it."""
        scope = inside or self.page.locator("main")
        folded = scope.locator("details").filter(has=self.page.locator("summary", has_text=words))
        folded.last.locator("summary").click()
        return folded.last

    def move(self, name: str, **answers: str | Path | list[Path]) -> None:
        """Make a move of a row: its button, or what it asks for and then the confirmation."""
        moves = self.page.locator(".moves")
        if not answers:
            self.press(name, inside=moves)
            return
        asked = self.unfold(name, inside=moves)
        for label, value in answers.items():
            self.fill(label, value, inside=asked)
        self.press(f"确认{name}", inside=asked)

    def fill(
        self, label: str, value: str | Path | list[Path], *, inside: Locator | None = None
    ) -> None:
        """Type into, choose in or attach to the field with this label."""
        field = self.field(label, inside=inside)
        kind = field.evaluate("(e) => e.localName === 'select' ? 'select' : e.type || ''")
        if kind == "file":
            field.set_input_files(value)  # type: ignore[arg-type]
        elif kind == "select":
            choices = field.locator("option").filter(has_text=str(value))
            field.select_option(choices.first.get_attribute("value"))
        else:
            field.fill(str(value))

    def field(self, label: str, *, inside: Locator | None = None) -> Locator:
        """The control with this label."""
        scope = inside or self.page.locator("main")
        field = scope.get_by_label(_labelled(label)).first
        if not field.count():
            there = " ".join(scope.locator("label").all_inner_texts())
            raise AssertionError(f"no field “{label}” on {self.page.url}: {there}")
        return field

    def tick(self, *labels: str, group: str = "", inside: Locator | None = None) -> None:
        """Tick the boxes (or the radio button) with these labels, in a group if one is named."""
        scope = inside or self.page.locator("main")
        if group:
            legend = self.page.locator("legend").filter(has_text=_labelled(group))
            scope = scope.locator("fieldset").filter(has=legend)
        for label in labels:
            scope.get_by_label(label, exact=True).last.check()

    def card(self, heading: str) -> Locator:
        """The section under a heading."""
        title = self.page.get_by_role("heading", name=heading)
        return self.page.locator("main section, main article, main .card").filter(has=title).last

    def row(self, words: str) -> Locator:
        """The table row that carries the words."""
        return self.page.locator("main tbody tr").filter(has_text=words).first

    def resize(self, screen: dict[str, int]) -> None:
        self.screen = screen
        self.page.set_viewport_size(screen)

    # --- What a person sees -----------------------------------------------------------------------

    def see(self, *words: str, inside: Locator | None = None) -> None:
        """The words are on the page, whatever blanks and line breaks the layout puts between them."""
        for text in words:
            loose = re.compile(r"\s*".join(map(re.escape, text)))
            try:
                expect(inside or self.page.locator("body")).to_contain_text(loose, timeout=PATIENCE)
            except AssertionError:
                raise AssertionError(f"no “{text}” on {self.page.url}: {self._said()}") from None

    def not_see(self, *words: str) -> None:
        for text in words:
            expect(self.page.locator("main")).not_to_contain_text(text)

    def _said(self) -> str:
        """What the page itself says is wrong."""
        told = self.page.locator("[role=alert], .errorlist, .note, [aria-label^=错误清单] tbody tr")
        return " / ".join(" ".join(text.split()) for text in told.all_inner_texts()[:8])

    def title(self) -> str:
        return self.page.locator("h1").inner_text()

    def download(self, words: str, to: Path, *, inside: Locator | None = None) -> Path:
        """Follow a link that answers with a file and keep it."""
        link = (inside or self.page.locator("main")).get_by_role("link", name=words)
        with self.page.expect_download() as coming:
            link.first.click()
        path = to / coming.value.suggested_filename
        coming.value.save_as(path)
        return path

    # --- What is wrong ----------------------------------------------------------------------------

    @contextmanager
    def expecting(self, *statuses: int) -> Iterator[None]:
        """Answers of these kinds (422 for a refused form) are meant here."""
        self.expected = {str(status) for status in statuses}
        yield
        self.expected = set()

    def _push(self, button: Locator) -> None:
        asks = self.script and button.first.get_attribute("data-confirm")
        button.first.click()
        if asks:
            self.page.locator("dialog.confirm").get_by_role("button", name="确定").click()

    @contextmanager
    def loading(self) -> Iterator[None]:
        """What is done here leads to a new page, which is looked at."""
        before = self.page.url
        try:
            with self.page.expect_navigation(timeout=2 * PATIENCE):
                yield
        except Exception as error:
            said = self._said() or error
            raise AssertionError(f"{self.username} stays at {before}: {said}") from error
        self._arrived()

    def _arrived(self) -> None:
        if not self.script:
            return
        where = f"{self.username or 'nobody'} {self.screen['width']} px {self.page.url}"
        wide = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            self._fault(f"{wide} px wider than the screen: {self._widest()}")
        key = (kind_of(self.page.url), self.screen["width"], self._state())
        if key not in _seen:
            _seen.add(key)
            self._look(where)

    def _state(self) -> str:
        """Pages of one kind differ by side and state: what may be done on them."""
        buttons = self.page.locator("main button, main summary").all_inner_texts()
        return " ".join(sorted(set(buttons)))[:400] + (" dark" if self.dark else "")

    def _look(self, where: str) -> None:
        for found in _axe.run(self.page, options=AXE).response["violations"]:
            for node in found["nodes"][:3]:
                why = " ".join(node["failureSummary"].split())[:300]
                self.faults.append(f"axe {found['id']} at {where}: {node['html'][:200]} ({why})")

    def _widest(self) -> str:
        return self.page.evaluate(
            """() => {
              let widest = null, right = innerWidth;
              for (const e of document.querySelectorAll("main *, header *, footer *")) {
                if (e.closest(".scroll") && !e.matches(".scroll")) continue;
                const edge = e.getBoundingClientRect().right + scrollX;
                if (edge > right + 0.5) { right = edge; widest = e; }
              }
              return widest ? widest.outerHTML.slice(0, 200) : "";
            }"""
        )

    def _fault(self, text: str) -> None:
        self.faults.append(
            f"{self.username or 'nobody'} {self.screen['width']} px {self.page.url}: {text}"
        )

    def _heard(self, message) -> None:
        if message.type == "error":
            status = EXPECTED.match(message.text)
            if not (status and status[1] in self.expected):
                self._fault(f"console: {message.text} {message.location.get('url', '')}")

    def _answered(self, response) -> None:
        if response.status >= 500:
            self._fault(f"{response.status} {response.request.method} {response.url}")

    def _failed(self, request: Request) -> None:
        # A download ends the navigation that began it.
        if request.failure and "ERR_ABORTED" not in request.failure:
            self._fault(f"{request.failure} {request.url}")


People = Callable[..., Person]


def workbook(path: Path, rows: list[list[str]]) -> Path:
    """Write what a person has typed into a sheet."""
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path
