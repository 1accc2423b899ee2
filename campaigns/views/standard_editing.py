"""Writing a standard: its head, its tree of clauses, levels, a new edition, the next year's."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns import capability, publishing, revising
from campaigns.models import Clause, Standard
from campaigns.standard_forms import (
    USED,
    ClauseForm,
    EditionForm,
    LevelFormSet,
    NextYearForm,
    StandardHeadForm,
)
from institutions import clock
from institutions.http import Request, posted_version
from institutions.moves import refusals_said

CHANGE = "campaigns.change_standard"
GET_POST = ["GET", "HEAD", "POST"]


def own_standard(request: Request, pk: int, *, draft: bool = True) -> Standard:
    """Return a standard in sight that the post's bureau writes; a posted change of a published one meets a 409 later."""
    rows = Standard.objects.visible_to(request.post).select_related("bureau", "previous")
    standard = get_object_or_404(rows, pk=pk)
    if not request.post.acts_for(standard.bureau_id):
        raise PermissionDenied("评价标准由制定单位修改")
    if draft and not standard.is_draft and request.method != "POST":
        raise PermissionDenied("已发布的标准不能再改，更正请出新的版次")
    return standard


def own_clause(request: Request, pk: int) -> Clause:
    clause = get_object_or_404(Clause.objects.visible_to(request.post), pk=pk)
    clause.standard = own_standard(request, clause.standard_id)
    return clause


def frame(standard: Standard, **more: Any) -> dict[str, Any]:
    """What every page of the editor shows: the standard, its version, the way back to the tree."""
    edit = reverse("campaigns:standard_edit", args=[standard.pk])
    crumbs = [
        ("评价标准", reverse("campaigns:standard_list")),
        (standard, standard.get_absolute_url()),
    ]
    return {"standard": standard, "crumbs": crumbs, "cancel_url": edit, **more}


# --- The head and the tree ---------------------------------------------------------------------------


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def standard_create(request: Request) -> HttpResponse:
    if not revising.may_write(request.post):
        raise PermissionDenied("评价标准由卫生健康行政部门制定")
    standard = Standard(bureau=request.post.institution)
    form = StandardHeadForm(
        request.POST or None, instance=standard, initial={"year": clock.today().year}
    )
    if form.is_bound and form.is_valid():
        revising.create(form.save(commit=False), by=request.post)
        messages.success(request, "已建立草稿，请增加条款，或从“导入”导入条款")
        return redirect("campaigns:standard_edit", standard.pk)
    crumbs = [("评价标准", reverse("campaigns:standard_list"))]
    context = {"form": form, "crumbs": crumbs, "cancel_url": reverse("campaigns:standard_list")}
    return render(request, "campaigns/standard_form.html", context)


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def standard_head(request: Request, pk: int) -> HttpResponse:
    standard = own_standard(request, pk)
    form = StandardHeadForm(request.POST or None, instance=standard)
    if form.is_bound and form.is_valid():
        revising.save_head(
            form.save(commit=False), by=request.post, version=posted_version(request)
        )
        messages.success(request, "已保存")
        return redirect("campaigns:standard_edit", standard.pk)
    return render(request, "campaigns/standard_form.html", frame(standard, form=form))


@require_safe
@permission_required(CHANGE, raise_exception=True)
def standard_edit(request: Request, pk: int) -> HttpResponse:
    """The tree of a draft, with the sums below each heading and all that keeps it from being published."""
    standard = own_standard(request, pk)
    clauses = list(standard.clauses.select_related("item"))
    sums = publishing.sums_below(clauses)
    total = publishing.total_of(clauses)
    wanted = standard.wanted_marks
    faults = publishing.found_faults(standard, clauses)
    wrong = {fault.clause.pk for fault in faults if fault.clause}
    rows = [
        {
            "clause": clause,
            "indent": "　" * (clause.depth - 1),
            "below": sums[clause.pk] if not clause.is_leaf else None,
            "gap": sums[clause.pk] - clause.full_marks if not clause.is_leaf else 0,
            "wrong": clause.pk in wrong,
        }
        for clause in clauses
    ]
    context = frame(
        standard,
        rows=rows,
        total=total,
        gap=total - wanted if wanted is not None else 0,
        leaves=sum(clause.is_leaf for clause in clauses),
        faults=faults,
        levels=standard.levels,
    )
    context["cancel_url"] = standard.get_absolute_url()
    return render(request, "campaigns/standard_edit.html", context)


# --- One clause ---------------------------------------------------------------------------------------


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def clause_create(request: Request, pk: int) -> HttpResponse:
    """A new clause, the last below `?parent=`, or the last of all."""
    standard = own_standard(request, pk)
    return _clause_page(request, Clause(standard=standard, method="attain"))


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def clause_edit(request: Request, pk: int) -> HttpResponse:
    return _clause_page(request, own_clause(request, pk))


def _clause_page(request: Request, clause: Clause) -> HttpResponse:
    standard = clause.standard
    clauses = list(standard.clauses.all())
    parent = next((c for c in clauses if str(c.pk) == request.GET.get("parent")), None)
    is_new, is_heading = clause.pk is None, bool(clause.pk and not clause.is_leaf)
    method = clause.method
    if request.method == "POST" and request.POST.get("method") in USED:
        method = request.POST["method"]
    data = request.POST if request.method == "POST" else None
    if data is not None and data.get("action") == "method":
        # Only the method was changed: show its fields with what has been typed, save nothing.
        typed = {name: value for name, value in data.items() if name != "action"}
        form = _clause_form(None, clause, clauses, is_heading, method, initial=typed)
    else:
        initial = {"parent": parent} if parent else {}
        form = _clause_form(data, clause, clauses, is_heading, method, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            saved = form.save(commit=False)
            revising.save_clause(saved, by=request.post, version=posted_version(request))
        except ValidationError as refused:
            form.add_error("parent", refused)
        else:
            messages.success(request, f"已保存条款 {clause.code}")
            return _after_clause(request, clause)
    context = frame(
        standard,
        form=form,
        clause=clause,
        is_new=is_new,
        is_heading=is_heading,
        kin=[c for c in clauses if c.parent_id == clause.pk] if is_heading else [],
    )
    return render(request, "campaigns/clause_form.html", context)


def _clause_form(data, clause, clauses, is_heading, method, *, initial):
    return ClauseForm(
        data,
        instance=clause,
        clauses=clauses,
        is_heading=is_heading,
        method=method,
        initial={**initial, "method": method},
    )


def _after_clause(request: Request, clause: Clause) -> HttpResponse:
    if request.POST.get("then") == "next":
        address = reverse("campaigns:clause_create", args=[clause.standard_id])
        below = f"?parent={clause.parent_id}" if clause.parent_id else ""
        return redirect(f"{address}{below}")
    address = reverse("campaigns:standard_edit", args=[clause.standard_id])
    return redirect(f"{address}#clause-{clause.pk}")


@require_POST
@permission_required(CHANGE, raise_exception=True)
def clause_move(request: Request, pk: int) -> HttpResponse:
    """Up or down among the clauses under the same heading."""
    clause = own_clause(request, pk)
    up = request.POST.get("way") == "up"
    if not revising.move_clause(clause, up=up, by=request.post, version=posted_version(request)):
        messages.info(request, "已经是同级的第一条" if up else "已经是同级的最后一条")
    address = reverse("campaigns:standard_edit", args=[clause.standard_id])
    return redirect(f"{address}#clause-{clause.pk}")


@require_POST
@permission_required(CHANGE, raise_exception=True)
def clause_delete(request: Request, pk: int) -> HttpResponse:
    clause = own_clause(request, pk)
    removed = revising.remove_clause(clause, by=request.post, version=posted_version(request))
    messages.success(request, f"已删除 {removed} 个条款")
    return redirect("campaigns:standard_edit", clause.standard_id)


# --- Levels of a capability standard --------------------------------------------------------------------


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def standard_levels(request: Request, pk: int) -> HttpResponse:
    """The shares of A, B, C that make 基本标准 and 推荐标准."""
    standard = own_standard(request, pk)
    formset = LevelFormSet(request.POST or None, initial=_levels(standard))
    if formset.is_bound and formset.is_valid():
        kept = [form for form in formset if not form.cleaned_data.get("DELETE")]
        with refusals_said(request):
            revising.save_levels(
                standard,
                [form.level() for form in kept],
                by=request.post,
                version=posted_version(request),
            )
            messages.success(request, "已保存达标规则")
            return redirect("campaigns:standard_edit", standard.pk)
    return render(request, "campaigns/level_form.html", frame(standard, formset=formset))


def _levels(standard: Standard) -> list[dict[str, Any]]:
    if not standard.levels:
        return [{"name": name} for name in capability.NAMES]
    return [
        {"name": level.name, "core": level.core}
        | {grade.lower(): level.shares[grade] for grade in capability.SHARES}
        for level in capability.read_levels(standard.levels)
    ]


# --- Copies ---------------------------------------------------------------------------------------------


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def standard_edition(request: Request, pk: int) -> HttpResponse:
    """A new edition inside the year, with its reason and the day from which it is in force."""
    standard = _published(request, pk)
    form = EditionForm(request.POST or None, initial={"in_force_from": clock.today()})
    if form.is_bound and form.is_valid():
        try:
            copy = revising.new_edition(standard, by=request.post, **form.cleaned_data)
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(request, f"已生成第 {copy.edition} 版的草稿，改好后发布")
            return redirect("campaigns:standard_edit", copy.pk)
    context = frame(standard, form=form, cancel_url=standard.get_absolute_url())
    return render(request, "campaigns/standard_edition.html", context)


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def standard_next_year(request: Request, pk: int) -> HttpResponse:
    """Next year's standard after this one: the same clauses under the same codes, to be changed."""
    standard = _published(request, pk)
    year, next_year = str(standard.year), str(standard.year + 1)
    code = standard.code.replace(year, next_year)
    initial = {
        "year": standard.year + 1,
        "code": code if code != standard.code else f"{standard.code}-{next_year}"[:32],
        "name": standard.name.replace(year, next_year),
    }
    form = NextYearForm(request.POST or None, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            copy = revising.roll_over(standard, by=request.post, **form.cleaned_data)
        except ValidationError as refused:
            form.add_error("code", refused)
        else:
            messages.success(request, "已生成新年度的草稿，条款代码沿用不变")
            return redirect("campaigns:standard_edit", copy.pk)
    context = frame(standard, form=form, cancel_url=standard.get_absolute_url())
    return render(request, "campaigns/standard_next_year.html", context)


def _published(request: Request, pk: int) -> Standard:
    standard = own_standard(request, pk, draft=False)
    if standard.is_draft:
        raise PermissionDenied("草稿还没有发布，直接修改即可")
    return standard
