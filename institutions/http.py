"""What our views may count on in a request, and the few answers they share."""

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails

from institutions.models import Post, User


class Request(HttpRequest):
    """A request that has passed our middleware: someone is logged in and acts in a post."""

    user: User
    post: Post
    htmx: HtmxDetails


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
