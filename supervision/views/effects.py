from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from institutions import files
from institutions.http import Request, posted_version
from institutions.moves import refusals_said
from institutions.workflow import StaleState
from supervision import checking_effect
from supervision.models import EffectCheck
from supervision.rectification_forms import EffectForm
from supervision.views.rectifications import detail_page, rectifications


@require_POST
@permission_required("supervision.verify_rectification", raise_exception=True)
def rectification_effect(request: Request, pk: int) -> HttpResponse:
    """Write down whether a closed duty has held; 反复 hands it out anew."""
    row = get_object_or_404(rectifications(request.post), pk=pk)
    if not checking_effect.may_check(row, request.post):
        raise PermissionDenied("问效由督导方进行")
    version = posted_version(request)
    if row.status not in checking_effect.CLOSED or row.version != version:
        raise StaleState(row, version)
    form = EffectForm(request.POST, request.FILES, row=row, post=request.post)
    if not form.is_valid():
        return detail_page(request, row, effect=form)
    given = form.cleaned_data
    with refusals_said(request):
        checking_effect.check_effect(
            row,
            on=given["on"],
            result=given["result"],
            note=given["note"],
            due=given["due"],
            files=form.stored,
            by=request.post,
            version=version,
        )
        back = given["result"] == EffectCheck.Result.BACK
        messages.success(request, "已登记问效结果" + ("，问题已重新交办" if back else ""))
    return redirect(row)


@require_safe
@permission_required("supervision.view_rectification", raise_exception=True)
def effect_file(request: Request, pk: int, key: UUID) -> FileResponse:
    check = get_object_or_404(EffectCheck.objects.visible_to(request.post), pk=pk)
    return files.serve(check.files, str(key))
