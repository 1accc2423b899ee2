"""The `.env` of a checkout: written once with random keys, never overwritten."""

import os
import secrets
from pathlib import Path

LOCAL = """\
# Settings of this checkout, made by `make run`. docs/deploy.md lists them all.
SECRET_KEY={secret}
# Keep this one apart from the database: whoever has both can forge the audit trail.
AUDIT_KEY={audit}
# For this machine alone: plain HTTP on the loopback address, no second factor.
PORTAL_HTTPS=off
TOTP_REQUIRED=off
ALLOWED_HOSTS=127.0.0.1,localhost
# The day on which the demo stands; it has no effect on any other database.
PORTAL_TODAY=2023-11-20
"""


def ensure(path: Path) -> bool:
    """Write `path` (mode 0600) with random keys unless it is there; True if it was written."""
    text = LOCAL.format(secret=secrets.token_urlsafe(48), audit=secrets.token_urlsafe(48))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return True
