from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
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
from supervision.models import Problem
from supervision.recording import DUE_DAYS

CRUMBS = [("问题清单", reverse_lazy("supervision:problem_list"))]


def problems(post: Post):
    return Problem.objects.visible_to(post).select_related(
        "institution",
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
            "history": Event.objects.of(problem).order_by("-seq"),
            "crumbs": CRUMBS,
        },
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
            category=given["category"],
            objective=given["objective"],
            severity=given["severity"],
            text=given["text"],
            found_on=given["found_on"],
            due=given["due"],
            phase=given.get("phase"),
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
            return redirect(done.new[0])
    return render(request, "supervision/problem_form.html", {"form": form, "crumbs": CRUMBS})


def _asked(request: Request) -> int | None:
    """Return the institution that a link proposes; the form accepts it only if it is in sight."""
    text = request.POST.get("institution") or request.GET.get("institution", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
