"""The settings of a test run, fixed before Django reads them: a local `.env` changes nothing.

Loaded by pytest as a plugin (pyproject.toml). DATABASE_URL is the one value taken from outside:
the same suite runs on SQLite and on PostgreSQL.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

SCRATCH = Path(tempfile.mkdtemp(prefix="portal-tests-"))

os.environ.setdefault("DATABASE_URL", f"sqlite:///{SCRATCH / 'db.sqlite3'}")
os.environ.update(
    SECRET_KEY="for-the-tests-only-0123456789-abcdefghijklmnopqrstuvwxyz",
    AUDIT_KEY="for-the-tests-only-zyxwvutsrqponmlkjihgfedcba-9876543210",
    DEBUG="off",
    PORTAL_HTTPS="off",  # Django's test client and the live server speak plain HTTP
    PORTAL_TODAY="",
    PORTAL_FILES=str(SCRATCH / "files"),
    STATIC_ROOT=str(SCRATCH / "static"),
    TOTP_REQUIRED="on",
    ALLOWED_HOSTS="127.0.0.1,localhost,testserver",
)
(SCRATCH / "static").mkdir()


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Serve static files by their plain names: nothing has been collected in a clean checkout."""
    from django.conf import settings

    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take the run's own folder away."""
    shutil.rmtree(SCRATCH, ignore_errors=True)
