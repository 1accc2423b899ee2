"""Error pages: Chinese, with a number to quote, never a trace."""

import logging
import secrets

from django.shortcuts import render

logger = logging.getLogger("portal.errors")


def _page(request, status: int, template: str, **context):
    return render(request, template, context, status=status)


def bad_request(request, exception=None):
    return _page(request, 400, "400.html")


def forbidden(request, exception=None):
    return _page(request, 403, "403.html", reason=str(exception or "")[:120])


def not_found(request, exception=None):
    return _page(request, 404, "404.html")


def server_error(request):
    number = secrets.token_hex(4).upper()
    logger.error("error page %s at %s", number, request.path)
    return _page(request, 500, "500.html", number=number)


def csrf_failure(request, reason=""):
    return _page(request, 403, "csrf_failure.html")
