"""What our views may count on in a request, and the few answers they share."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.middleware import HtmxDetails

from institutions.models import Post, User


class Request(HttpRequest):
    """A request that has passed our middleware: someone is logged in and acts in a post."""

    user: User
    post: Post
    posts: list[Post]
    htmx: HtmxDetails


def client_address(request: HttpRequest) -> str:
    """Return the address of the browser: the forwarded one only when a trusted proxy passes it on."""
    direct = request.META.get("REMOTE_ADDR", "")
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if forwarded and direct in settings.TRUSTED_PROXIES:
        return forwarded.split(",")[-1].strip()[:45]
    return direct


def local_url(url: str, default: str = "") -> str:
    """Return `url` if it stays on this site (a path of ours), else `default`."""
    path = url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)
    return url if path else default


def wants_fragment(request: Request) -> bool:
    """Say whether to send part of a page; boosted links and the back button need all of it."""
    htmx = request.htmx
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def vary_on_htmx(response: HttpResponse) -> HttpResponse:
    patch_vary_headers(response, ["HX-Request"])
    return response


def posted_version(request: HttpRequest) -> int:
    """Return the version of the row that the form was made from; 0, which never matches, when it is missing."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
