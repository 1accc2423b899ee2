"""Take the README's pictures from the demo, as the officer sees it: `python -m tests.browser.screenshots`."""

import io
import os
import tempfile
from pathlib import Path

import django

FOLDER = Path(__file__).resolve().parents[2] / "docs/images"
PAGES = {  # the picture, its page, what stands at its top
    "home": ("/", "body"),
    "rectifications": ("/supervision/rectifications/", "body"),
    "year": ("/scoring/year/?year=2022", "section.wide"),
}
COLOURS = 128  # a page has few; the pictures stay well under 300 kB


def main() -> None:
    from PIL import Image
    from playwright.sync_api import sync_playwright

    from config.demo.cast import PASSWORD
    from tests.browser.conftest import CHROMIUM, SWITCHES, Server
    from tests.browser.person import DESKTOP, Person

    with tempfile.TemporaryDirectory(prefix="portal-pictures-") as folder, sync_playwright() as web:
        server = Server(Path(folder), today="2023-11-20")
        for command in (["migrate", "--verbosity=0"], ["load_reference"], ["demo"]):
            server.run("manage.py", *command)
        server.start()
        browser = web.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        try:
            officer = Person(browser, server.url, "jifu", screen=DESKTOP, password=PASSWORD)
            for name, (path, top) in PAGES.items():
                officer.go(path)
                officer.page.locator(top).first.evaluate("(e) => scrollTo(0, e.offsetTop - 24)")
                raw = officer.page.screenshot()
                picture = Image.open(io.BytesIO(raw)).convert("RGB").quantize(COLOURS)
                picture.save(FOLDER / f"{name}.png", optimize=True)
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault(
        "SECRET_KEY", "for-the-pictures-only-0123456789-abcdefghijklmnopqrstuvwxyz"
    )
    os.environ.setdefault("AUDIT_KEY", "for-the-pictures-only")
    django.setup()
    FOLDER.mkdir(parents=True, exist_ok=True)
    main()
