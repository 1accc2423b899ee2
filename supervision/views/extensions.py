from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from institutions.http import Request, posted_version
from institutions.moves import refusals_said
from institutions.workflow import Side, StaleState
from supervision import extending
from supervision.models import Extension, Rectification
from supervision.rectification_forms import ExtensionForm, GrantForm, RefuseForm
from supervision.views.rectifications import detail_page, rectifications


@require_POST
@permission_required(extending.ANSWER, raise_exception=True)
def extension_ask(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(rectifications(request.post), pk=pk)
    if not row.stands_on(Side.ANSWERS, request.post):
        raise PermissionDenied("延期由被督导机构申请")
    version = _version(request, row)
    form = ExtensionForm(request.POST, row=row)
    if not form.is_valid():
        return detail_page(request, row, extension=form)
    given = form.cleaned_data
    with refusals_said(request):
        extending.ask(
            row, reason=given["reason"], wished=given["wished"], by=request.post, version=version
        )
        messages.success(request, f"已申请延期，等待{row.supervisor.known_as}审批")
    return redirect(row)


@require_POST
@permission_required(extending.DECIDE, raise_exception=True)
def extension_grant(request: Request, pk: int) -> HttpResponse:
    row, version, asked = _asked(request, pk)
    form = GrantForm(request.POST, row=row)
    if not form.is_valid():
        return detail_page(request, row, grant=form)
    given = form.cleaned_data
    with refusals_said(request):
        extending.grant(
            asked, due=given["due"], note=given["note"], by=request.post, version=version
        )
        messages.success(request, "已同意延期")
    return redirect(row)


@require_POST
@permission_required(extending.DECIDE, raise_exception=True)
def extension_refuse(request: Request, pk: int) -> HttpResponse:
    row, version, asked = _asked(request, pk)
    form = RefuseForm(request.POST)
    if not form.is_valid():
        return detail_page(request, row, refuse=form)
    with refusals_said(request):
        extending.refuse(asked, note=form.cleaned_data["note"], by=request.post, version=version)
        messages.success(request, "已答复：不同意延期")
    return redirect(row)


def _version(request: Request, row: Rectification) -> int:
    version = posted_version(request)
    if row.status not in Rectification.EDITABLE or row.version != version:
        raise StaleState(row, version)
    return version


def _asked(request: Request, pk: int) -> tuple[Rectification, int, Extension]:
    """Return the row, the version seen, and the request that waits for an answer."""
    row = get_object_or_404(rectifications(request.post), pk=pk)
    if not extending.may_decide(row, request.post):
        raise PermissionDenied("延期由督导方审批")
    version = _version(request, row)
    asked = row.extensions.filter(status=Extension.Status.ASKED).first()
    if asked is None:
        raise StaleState(row, version)
    asked.rectification = row
    return row, version, asked
