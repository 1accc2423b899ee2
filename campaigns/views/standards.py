"""Standards: the list, the tree of clauses, publication."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from campaigns import publishing
from campaigns.lists import StandardList, standard_tag
from campaigns.models import Standard
from institutions.http import Request
from institutions.models import Event

CHANGE = "campaigns.change_standard"


def _standard(request: Request, pk: int) -> Standard:
    rows = Standard.objects.visible_to(request.post).select_related("bureau")
    return get_object_or_404(rows, pk=pk)


@require_safe
@permission_required("campaigns.view_standard", raise_exception=True)
def standard_list(request: Request) -> HttpResponse:
    rows = Standard.objects.visible_to(request.post).select_related("bureau")
    return StandardList(request, rows).response("campaigns/standard_list.html")


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
        "faults": publishing.faults(standard) if owns and standard.is_draft else [],
        "editions": others.exclude(pk=standard.pk).order_by("-edition"),
        "history": Event.objects.of(standard),
        "crumbs": [("评价标准", reverse("campaigns:standard_list"))],
    }
    return render(request, "campaigns/standard_detail.html", context)


@require_POST
@permission_required(CHANGE, raise_exception=True)
def standard_publish(request: Request, pk: int) -> HttpResponse:
    standard = _standard(request, pk)
    try:
        publishing.publish(standard, by=request.post)
    except ValidationError as refused:
        for reason in refused.messages:
            messages.error(request, reason)
    else:
        messages.success(request, "已发布，从现在起不能再改；更正请导入新的版次")
    return redirect(standard)
