from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_http_methods, require_safe

from institutions import clock, files
from institutions.http import Request
from institutions.models import Event, Post
from supervision.forms import ProblemForm
from supervision.handing_out import NewProblem, problems_from
from supervision.lists import ProblemList, severity_tag, status_tag
from supervision.models import Problem, SelfCheck, Spread
from supervision.recording import DUE_DAYS
from supervision.spreading import may_spread

CHAIN = 20  # earlier findings named on the page
CRUMBS = [("问题清单", reverse_lazy("supervision:problem_list"))]


def problems(post: Post):
    return Problem.objects.visible_to(post).select_related(
        "institution__region",
        "supervisor",
        "item",
        "clause",
        "rectification",
        "found_by__institution",
        "visit_line__visit",
        "campaign",
        "phase",
    )


@require_safe
@permission_required("supervision.view_problem", raise_exception=True)
def problem_list(request: Request) -> HttpResponse:
    return ProblemList(request, problems(request.post)).response("supervision/problem_list.html")


@require_safe
@permission_required("supervision.view_problem", raise_exception=True)
def problem_detail(request: Request, pk: int) -> HttpResponse:
    problem = get_object_or_404(problems(request.post), pk=pk)
    rectification = getattr(problem, "rectification", None)
    return render(
        request,
        "supervision/problem_detail.html",
        {
            "problem": problem,
            "severity": severity_tag(problem),
            "rectification": rectification,
            "status": status_tag(rectification) if rectification else None,
            "files": problem_files(problem),
            "chain": chain(problem, request.post),
            "spreads": _spreads(problem, request.post),
            "belies": SelfCheck.objects.visible_to(request.post)
            .filter(belied_by=problem)
            .select_related("spread"),
            "may_spread": rectification is not None
            and rectification.status != "withdrawn"
            and may_spread(problem, request.post),
            "history": Event.objects.of(problem).order_by("-seq"),
            "crumbs": CRUMBS,
        },
    )


def chain(problem: Problem, post: Post) -> list[Problem]:
    """Return the findings of the same sort at the same place, the oldest first; nothing where there is only this one."""
    if problem.recurs_from_id is None and not problem.recurrences.exists():
        return []
    same = Q(pk__in=[problem.pk, problem.recurs_from_id]) | Q(recurs_from=problem)
    if problem.category:
        same |= Q(item=problem.item_id, category=problem.category)
    if problem.clause_id:
        same |= Q(clause=problem.clause_id)
    rows = Problem.objects.visible_to(post).filter(same, institution=problem.institution_id)
    return list(rows.select_related("rectification").order_by("found_on", "pk")[:CHAIN])


def _spreads(problem: Problem, post: Post) -> list[Spread]:
    """Return by which acts it was put to others, with how many have answered."""
    rows = Spread.objects.visible_to(post).filter(problem=problem)
    return list(
        rows.annotate(
            asked=Count("checks"),
            answered=Count("checks", filter=Q(checks__status="answered")),
            found=Count("checks", filter=Q(checks__answer__in=["found", "similar"])),
        )
    )


def problem_files(problem: Problem) -> list[dict]:
    return [
        {
            "name": file.name,
            "size": file.size,
            "url": reverse("supervision:problem_file", args=[problem.pk, file.key]),
        }
        for file in problem.files.all()
    ]


@require_safe
@permission_required("supervision.view_problem", raise_exception=True)
def problem_file(request: Request, pk: int, key: UUID) -> FileResponse:
    problem = get_object_or_404(Problem.objects.visible_to(request.post), pk=pk)
    return files.serve(problem.files, str(key))


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("supervision.add_problem", raise_exception=True)
def problem_create(request: Request) -> HttpResponse:
    """Write down what was found in daily work, or by oneself, and hand it out at once."""
    today = clock.today()
    form = ProblemForm(
        request.POST or None,
        request.FILES or None,
        post=request.post,
        initial={
            "institution": _asked(request),
            "source": "daily",
            "found_on": today,
            "due": today + timedelta(days=DUE_DAYS),
        },
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        row = NewProblem(
            institution=given["institution"],
            source=given["source"],
            year=given["found_on"].year,
            item=given["item"],
            clause=given["clause"],
            category=given["category"],
            objective=given["objective"],
            severity=given["severity"],
            text=given["text"],
            found_on=given["found_on"],
            due=given["due"],
            phase=given.get("phase"),
            groups=tuple(given["groups"]) or None,
            aspects=tuple(given["aspects"]),
            found_by=request.post,
            files=tuple(form.stored),
        )
        try:
            done = problems_from([row], by=request.post)
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            if not done.new:
                messages.warning(request, "已有同一来源、内容相同的问题，没有重复登记")
                return redirect("supervision:problem_list")
            messages.success(request, "已登记并交办整改")
            if done.new[0].recurs_from_id:
                messages.warning(request, f"反弹：同类问题第 {done.new[0].occurrence} 次出现")
            return redirect(done.new[0])
    return render(request, "supervision/problem_form.html", {"form": form, "crumbs": CRUMBS})


def _asked(request: Request) -> int | None:
    """Return the institution that a link proposes; the form accepts it only if it is in sight."""
    text = request.POST.get("institution") or request.GET.get("institution", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
