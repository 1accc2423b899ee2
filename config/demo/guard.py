"""Keep a demo on its own machine: its accounts share one public password."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from config.demo.state import LOOPBACK, refusal
from institutions.models import Installation


@register(Tags.database)
def demo_stays_on_this_machine(**kwargs: Any) -> list[CheckMessage]:
    """`manage.py check --database default`, and before every migration."""
    reason = refusal(settings.ALLOWED_HOSTS)
    return [Error(reason, id="demo.E001")] if reason else []


def before_serving() -> None:
    """Refuse to start: called where every server begins (config/wsgi.py)."""
    if reason := refusal(settings.ALLOWED_HOSTS):
        raise ImproperlyConfigured(reason)


def is_loopback(request: HttpRequest) -> bool:
    """Say whether the page was asked for by a name of this machine, from this machine."""
    host = request.get_host()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    address = request.META.get("REMOTE_ADDR", "")
    return name in LOOPBACK and (address in ("", "::1") or address.startswith("127."))


class DemoLoginMiddleware:
    """On a demo, the login answers this machine alone, whatever the settings and the proxy say."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        at_login = request.path in (reverse("login"), reverse("admin:login"))
        if at_login and Installation.is_demo() and not is_loopback(request):
            return render(request, "config/demo_elsewhere.html", status=403)
        return self.get_response(request)
