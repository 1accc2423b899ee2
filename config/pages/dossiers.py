"""迎检资料包 on the screen: choose what, start the job; its page shows progress and the result."""

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from config import dossier
from config.dossier_forms import DossierForm
from institutions import clock, jobs
from institutions.http import Request, client_address
from institutions.models import Job


@require_safe
@permission_required(dossier.PERM, raise_exception=True)
def dossier_start(request: Request) -> HttpResponse:
    initial = {"scope": "institution", "year": clock.today().year}
    if not request.post.institution.is_bureau:
        initial["institution"] = request.post.institution_id
    return _start(request, DossierForm(post=request.post, initial=initial))


def _start(request: Request, form: DossierForm) -> HttpResponse:
    made = Job.objects.visible_to(request.post).filter(kind=dossier.KIND).order_by("-pk")[:10]
    return render(request, "config/dossier_start.html", {"form": form, "made": made})


@require_POST
@permission_required(dossier.PERM, raise_exception=True)
def dossier_make(request: Request) -> HttpResponse:
    """Start the job; the pages of an institution and a campaign post here as well."""
    data = request.POST.copy()
    data.setdefault("year", str(clock.today().year))
    form = DossierForm(data, post=request.post)
    if not form.is_valid():
        return _start(request, form)
    chosen = form.cleaned_data
    asked = dossier.subject(chosen["scope"], form.chosen, chosen["year"], request.post)
    if asked is None:
        raise Http404
    job = jobs.queue(
        dossier.KIND,
        f"迎检资料包：{asked.label}",
        by=request.post,
        params={
            "scope": asked.scope,
            "pk": asked.row.pk,
            "year": asked.year,
            "address": client_address(request),
        },
    )
    # How much it is is known only when it is done: always the worker's.
    jobs.start(job, rows=jobs.AT_ONCE + 1)
    return redirect(job)
