"""The service worker, at the root of the portal: a worker may act only on addresses below its own."""

from pathlib import Path

from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe


@login_not_required
@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """Serve `portal/worker.js` under its plain name; it holds nothing of anybody."""
    path = finders.find("portal/worker.js")
    if not path:
        raise Http404
    response = HttpResponse(Path(path).read_bytes(), content_type="text/javascript; charset=utf-8")
    # The narrowest scope that covers the record page; the page asks for exactly this one.
    response["Service-Worker-Allowed"] = "/supervision/visits/"
    return response
