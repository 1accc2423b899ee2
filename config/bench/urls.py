from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, path
from django.views.decorators.http import require_safe

from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as portal
from institutions.http import Request
from scoring.lists import SheetList
from scoring.models import ScoreSheet


@require_safe
def bare(request: Request) -> HttpResponse:
    """Nothing but the login and the middleware."""
    return HttpResponse("ok")


@require_safe
def rows(request: Request) -> HttpResponseBase:
    """The list of sheets without its joins: a query for every row and relation."""
    sheets = ScoreSheet.objects.visible_to(request.post)
    return SheetList(request, sheets).response("scoring/sheet_list.html")


urlpatterns: list[URLPattern | URLResolver] = [
    *portal,
    path("bench/bare/", bare),  # /bench/bare/
    path("bench/rows/", rows),  # /bench/rows/
]

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]
