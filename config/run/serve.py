"""Serve the portal with gunicorn and WhiteNoise, as on a server: `make serve`."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BEHIND = "The database needs `manage.py migrate` first. 请先执行 manage.py migrate。"


def main() -> None:
    """Check what a server needs, collect static files, then become gunicorn."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured

    try:
        django.setup()
    except ImproperlyConfigured as error:
        sys.exit(f"{error} (docs/deploy.md)")
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    from config.demo import state
    from config.run import static

    try:
        call_command("migrate", check_unapplied=True, verbosity=0)
    except SystemExit:
        sys.exit(BEHIND)
    if reason := state.refusal(settings.ALLOWED_HOSTS):
        sys.exit(reason)
    connections.close_all()
    static.collect()
    os.chdir(ROOT)
    command = [sys.executable, "-m", "gunicorn", "--config=config/run/gunicorn.py"]
    os.execv(sys.executable, command)


if __name__ == "__main__":
    main()
