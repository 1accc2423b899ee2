from collections.abc import Callable

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from institutions.http import Request
from institutions.moves import press
from scoring import booking
from supervision.views.sanctions import detail, sanctions


@require_POST
@permission_required("supervision.decide_sanction", raise_exception=True)
def sanction_decide(request: Request, pk: int) -> HttpResponse:
    return _pressed(request, pk, "decide", booking.decide, done="已决定，机构已收到通知")


@require_POST
@permission_required("supervision.decide_sanction", raise_exception=True)
def sanction_revoke(request: Request, pk: int) -> HttpResponse:
    return _pressed(request, pk, "revoke", booking.revoke, done="决定已撤销")


def _pressed(
    request: Request, pk: int, name: str, deed: Callable[..., None], *, done: str
) -> HttpResponse:
    row = get_object_or_404(sanctions(request.post), pk=pk)

    def act(**given: object) -> None:
        deed(row, **given)

    form = press(request, row, name, deed=act, done=done)
    return redirect(row) if form is None else detail(request, row, pressed=form)
