"""Print the portal's own routes, `name address` a line, with <pk> for a number: `python -m tests.browser.routes`."""

import os
import re
import sys
from collections.abc import Iterator

import django
from django.urls import URLPattern, get_resolver

# Addresses with another part than a row's number are reached by links, or serve files.
NUMBER = re.compile(r"<int:\w+>")


def routes() -> Iterator[str]:
    """Yield each route below the root, without the admin's and without those that take more than a number."""

    def walk(resolver, path: str) -> Iterator[str]:
        for entry in resolver.url_patterns:
            here = path + str(entry.pattern)
            if not isinstance(entry, URLPattern):
                if entry.namespace != "admin":
                    yield from walk(entry, here)
                continue
            address = NUMBER.sub("<pk>", here)
            if "<" not in address.replace("<pk>", "") and entry.name:
                yield f"{entry.name} {address}"

    yield from walk(get_resolver(), "/")


if __name__ == "__main__":
    import tests.environment  # noqa: F401

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    sys.stdout.write("\n".join(sorted(routes())))
