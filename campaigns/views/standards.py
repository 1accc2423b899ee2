"""Standards: the list, the tree of clauses, publication."""

from io import BytesIO

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db import transaction
from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST, require_safe

from campaigns import publishing, revising
from campaigns.comparing import compare_standards
from campaigns.lists import StandardList, standard_tag
from campaigns.models import Standard
from campaigns.tables import StandardTable
from institutions import audit
from institutions.http import Request
from institutions.models import Event
from institutions.moves import refusals_said
from institutions.tables import Scope

CHANGE = "campaigns.change_standard"


def _standard(request: Request, pk: int) -> Standard:
    rows = Standard.objects.visible_to(request.post).select_related("bureau", "previous")
    return get_object_or_404(rows, pk=pk)


@require_safe
@permission_required("campaigns.view_standard", raise_exception=True)
def standard_list(request: Request) -> HttpResponse:
    rows = Standard.objects.visible_to(request.post).select_related("bureau")
    context = {"may_write": revising.may_write(request.post)}
    return StandardList(request, rows).response("campaigns/standard_list.html", context)


@require_safe
@permission_required("campaigns.view_standard", raise_exception=True)
def standard_detail(request: Request, pk: int) -> HttpResponse:
    standard = _standard(request, pk)
    clauses = list(standard.clauses.select_related("item"))
    owns = request.post.acts_for(standard.bureau_id) and request.post.has_perm(CHANGE)
    others = Standard.objects.visible_to(request.post).filter(
        bureau=standard.bureau_id, code=standard.code
    )
    context = {
        "standard": standard,
        "tag": standard_tag(standard),
        "clauses": clauses,
        "leaves": sum(clause.is_leaf for clause in clauses),
        "total": sum(clause.full_marks for clause in clauses if clause.parent_id is None),
        "may_publish": owns and standard.is_draft,
        "may_copy": owns and not standard.is_draft,
        "editions_url": reverse("campaigns:standard_difference", args=[standard.pk]),
        "faults": publishing.found_faults(standard, clauses) if owns and standard.is_draft else [],
        "editions": others.exclude(pk=standard.pk).order_by("-edition"),
        "history": Event.objects.of(standard),
        "crumbs": [("评价标准", reverse("campaigns:standard_list"))],
    }
    return render(request, "campaigns/standard_detail.html", context)


@require_POST
@permission_required(CHANGE, raise_exception=True)
def standard_publish(request: Request, pk: int) -> HttpResponse:
    standard = _standard(request, pk)
    with refusals_said(request):
        publishing.publish(standard, by=request.post)
        messages.success(request, "已发布，从现在起不能再改；更正请出新的版次")
    return redirect(standard)


@require_safe
@permission_required("campaigns.view_standard", raise_exception=True)
def standard_difference(request: Request, pk: int) -> HttpResponse:
    """Compare a standard with another of its bureau, clause by clause; with the one it follows if none is named."""
    standard = _standard(request, pk)
    others = Standard.objects.visible_to(request.post).filter(bureau=standard.bureau_id)
    others = others.exclude(pk=standard.pk).order_by("-year", "code", "-edition")
    chosen = request.GET.get("with", "")
    if chosen and not (chosen.isascii() and chosen.isdigit() and len(chosen) < 10):
        raise Http404
    key = int(chosen) if chosen else standard.previous_id
    other = get_object_or_404(others, pk=key) if key else others.filter(code=standard.code).first()
    context = {
        "standard": standard,
        "other": other,
        "others": others,
        "sections": compare_standards(other, standard) if other else [],
        "crumbs": [
            ("评价标准", reverse("campaigns:standard_list")),
            (standard, standard.get_absolute_url()),
        ],
    }
    return render(request, "campaigns/standard_difference.html", context)


@require_safe
@permission_required("campaigns.view_standard", raise_exception=True)
@permission_required("institutions.export_table", raise_exception=True)
def standard_export(request: Request, pk: int) -> HttpResponse:
    """The clauses of one standard in the form in which they are imported: CSV, or XLSX by `?format=xlsx`."""
    standard = _standard(request, pk)
    table = StandardTable(Scope.of(request.post, reading=True))
    table.only = standard.pk
    with transaction.atomic():
        audit.record(
            "portal.export",
            "导出评价标准",
            by=request.post,
            bureau=request.post.institution.bureau_id,
            on=standard,
        )
    name = f"{standard.code}-第{standard.edition}版"
    if request.GET.get("format") != "xlsx":
        answer = StreamingHttpResponse(
            table.write_csv(None), content_type="text/csv; charset=utf-8"
        )
        answer["Content-Disposition"] = content_disposition_header(True, f"{name}.csv")
        return answer
    content = BytesIO()
    table.write_xlsx(None, content)
    content.seek(0)
    return FileResponse(content, as_attachment=True, filename=f"{name}.xlsx")
