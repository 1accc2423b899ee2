"""The pool of experts of a bureau."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from institutions import clock
from institutions.http import Request
from institutions.models import Event
from supervision import experts
from supervision.models import Expert, ExpertTie
from supervision.planning_forms import ExpertForm, TieForm
from supervision.planning_lists import ExpertList, active_tag

GET_POST = ["GET", "HEAD", "POST"]
VIEW = "supervision.view_expert"
CRUMBS = [("督导专家库", reverse_lazy("supervision:expert_list"))]


def _rows(request: Request):
    return Expert.objects.visible_to(request.post).select_related(
        "bureau", "employer", "post__institution"
    )


def _own(request: Request, pk: int) -> Expert:
    expert = get_object_or_404(_rows(request), pk=pk)
    if not experts.may_keep(expert.bureau, request.post):
        raise PermissionDenied("专家库由建库的卫生健康行政部门维护")
    return expert


@require_safe
@permission_required(VIEW, raise_exception=True)
def expert_list(request: Request) -> HttpResponse:
    rows = _rows(request).annotate(tie_count=Count("ties"))
    return ExpertList(request, rows).response(
        "supervision/expert_list.html",
        {"may_keep": experts.may_keep(request.post.institution, request.post)},
    )


@require_http_methods(GET_POST)
@permission_required(experts.PERM, raise_exception=True)
def expert_create(request: Request) -> HttpResponse:
    if not experts.may_keep(request.post.institution, request.post):
        raise PermissionDenied("专家库由卫生健康行政部门建立")
    return _form(request, Expert(bureau=request.post.institution), list(CRUMBS))


@require_http_methods(GET_POST)
@permission_required(experts.PERM, raise_exception=True)
def expert_edit(request: Request, pk: int) -> HttpResponse:
    expert = _own(request, pk)
    return _form(request, expert, [*CRUMBS, (expert.title, expert.get_absolute_url())])


def _form(request: Request, expert: Expert, crumbs: list) -> HttpResponse:
    form = ExpertForm(request.POST or None, instance=expert, post=request.post)
    if request.method == "POST" and form.is_valid():
        experts.store(form.instance, by=request.post)
        messages.success(request, "已保存")
        return redirect(form.instance)
    context = {"form": form, "expert": expert, "crumbs": crumbs, "cancel_url": crumbs[-1][1]}
    return render(request, "supervision/expert_form.html", context)


@require_http_methods(GET_POST)
@permission_required(VIEW, raise_exception=True)
def expert_detail(request: Request, pk: int) -> HttpResponse:
    """The expert with the declared ties; a new tie is declared here."""
    expert = get_object_or_404(_rows(request), pk=pk)
    may = experts.may_keep(expert.bureau, request.post)
    form = None
    if request.method == "POST":
        form = TieForm(
            request.POST, instance=ExpertTie(expert=_own(request, pk)), post=request.post
        )
        if form.is_valid():
            experts.declare(form.instance, by=request.post)
            messages.success(request, "已登记，抽取和安排督导时自动回避")
            return redirect(expert)
    elif may:
        form = TieForm(post=request.post)
    return render(
        request,
        "supervision/expert_detail.html",
        {
            "expert": expert,
            "status": active_tag(expert),
            "ties": expert.ties.select_related("institution").order_by("pk"),
            "today": clock.today(),
            "may": may,
            "form": form,
            "history": Event.objects.of(expert).order_by("-seq"),
            "crumbs": CRUMBS,
        },
    )


@require_POST
@permission_required(experts.PERM, raise_exception=True)
def tie_withdraw(request: Request, pk: int) -> HttpResponse:
    rows = ExpertTie.objects.visible_to(request.post).select_related(
        "expert__bureau", "expert__employer", "institution"
    )
    tie = get_object_or_404(rows, pk=pk)
    experts.withdraw(tie, by=request.post)
    messages.success(request, "已撤销")
    return redirect(tie.expert)
