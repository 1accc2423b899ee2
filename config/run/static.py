"""Collect the static files when, and only when, one has changed since the last time."""

import json
import os
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def is_current(manifest: Path) -> bool:
    """Tell whether the manifest names every static file and is newer than all of them."""
    try:
        listed = set(json.loads(manifest.read_text(encoding="utf-8"))["paths"])
        collected_at = manifest.stat().st_mtime
    except (OSError, ValueError, KeyError):
        return False
    found: dict[str, str] = {}
    for finder in get_finders():
        for name, storage in finder.list(None):
            found.setdefault(os.path.normpath(name), storage.path(name))
    return set(found) == listed and all(
        Path(path).stat().st_mtime <= collected_at for path in found.values()
    )


def collect() -> bool:
    """Bring STATIC_ROOT up to date; True if there was anything to do."""
    if is_current(Path(settings.STATIC_ROOT) / "staticfiles.json"):
        return False
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    return True
