from django.contrib.auth.decorators import permission_required
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from institutions import files
from institutions.http import Request, vary_on_htmx, wants_fragment
from institutions.lists import JobList, job_state
from institutions.models import Job


@require_safe
@permission_required("institutions.view_job", raise_exception=True)
def job_list(request: Request) -> HttpResponseBase:
    """The long works my post started: imports, exports, settlements."""
    rows = Job.objects.visible_to(request.post).select_related("unit")
    return JobList(request, rows).response("institutions/job_list.html")


@require_safe
@permission_required("institutions.view_job", raise_exception=True)
def job_detail(request: Request, pk: int) -> HttpResponse:
    """How far one is and what came of it; asked again every two seconds while it runs."""
    job = get_object_or_404(Job.objects.visible_to(request.post).select_related("unit"), pk=pk)
    template = (
        "institutions/_job.html" if wants_fragment(request) else "institutions/job_detail.html"
    )
    context = {
        "job": job,
        "tag": job_state(job),
        "running": job.state in (Job.State.QUEUED, Job.State.RUNNING),
        "facts": _facts(job.report),
        "errors": _errors(job.report),
        "crumbs": [("后台任务", reverse("institutions:job_list"))],
    }
    return vary_on_htmx(render(request, template, context))


def _facts(report: dict) -> list[tuple[str, object]]:
    """Return the plain figures and texts of a report, as they are named there."""
    return [
        (k, v) for k, v in report.items() if k != "errors" and isinstance(v, int | str) and v != ""
    ]


def _errors(report: dict) -> list[object]:
    found = report.get("errors")
    return found[:200] if isinstance(found, list) else []


@require_safe
@permission_required("institutions.view_job", raise_exception=True)
def job_file(request: Request, pk: int) -> FileResponse:
    job = get_object_or_404(Job.objects.visible_to(request.post).select_related("result"), pk=pk)
    if job.result is None:
        raise Http404
    return files.serve(job.results, job.result.key)
