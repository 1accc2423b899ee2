from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from institutions.http import Request
from supervision import verifying
from supervision.lists import RectificationList
from supervision.models import Rectification
from supervision.rectification_forms import ManyForm
from supervision.views.rectifications import CRUMBS


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("supervision.verify_rectification", raise_exception=True)
def rectification_close_many(request: Request) -> HttpResponse:
    """Verify and close what the list has found, all or none."""

    def close(seen: dict[int, int], note: str) -> int:
        return verifying.close_many(seen, note=note, by=request.post)

    return _many(request, "close", close, "批量销号", "已销号 {} 项")


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("supervision.answer_rectification", raise_exception=True)
def rectification_sign_many(request: Request) -> HttpResponse:
    """Sign for everything that was handed out to one's institution."""

    def sign(seen: dict[int, int], note: str) -> int:
        return verifying.sign_many(seen, by=request.post)

    return _many(request, "sign", sign, "一并签收", "已签收 {} 项，请逐项填写整改措施和责任人")


def _many(
    request: Request, name: str, deed: Callable[[dict[int, int], str], int], title: str, done: str
) -> HttpResponse:
    """Show the rows in the state of the move that the address's filters find, and move the ticked ones."""
    move, post = Rectification.MOVES[name], request.post
    side = "asked" if name == "close" else "own"
    form = ManyForm(request.POST or None)
    reasons: list[str] = []
    if request.method == "POST" and form.is_valid():
        try:
            count = deed(form.seen(), form.cleaned_data["note"])
        except ValidationError as refused:
            reasons = refused.messages
        else:
            messages.success(request, done.format(count))
            return redirect(f"{reverse('supervision:rectification_list')}?scope={side}")
    visible = Rectification.objects.visible_to(post).select_related(
        "institution__region", "item", "problem", "supervisor", "author"
    )
    listing = RectificationList(request, visible)
    found = listing.found.filter(status__in=move.sources)[: verifying.MOST + 1]
    rows = [row for row in found if row.may(name, post)]
    return render(
        request,
        "supervision/rectification_many.html",
        {
            "title": title,
            "move": move,
            "name": name,
            "rows": rows[: verifying.MOST],
            "more": len(rows) > verifying.MOST,
            "most": verifying.MOST,
            "form": form,
            "reasons": reasons,
            "crumbs": CRUMBS,
            "back": reverse("supervision:rectification_list"),
        },
    )
