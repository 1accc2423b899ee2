"""The portal's settings for a bench on this machine, with two pages more for the server under load; never deployed."""

from config.settings import *  # noqa: F403
from config.settings import STORAGES as DEPLOYED

ROOT_URLCONF = "config.bench.urls"
# Nothing has been collected in a checkout.
STORAGES = {
    **DEPLOYED,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
