"""The feedback at the end of a visit: to read, to print, to sign by both sides."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from institutions import files
from institutions.http import Request
from institutions.moves import refusals_said
from institutions.workflow import Side
from supervision import recording, sampling, signing, surveying
from supervision.feedback_forms import SignForm
from supervision.models import RecordSample, ResidentSurvey, Visit, VisitSignature
from supervision.sample_lists import rate
from supervision.views.visits import visit_rows

VIEW = "supervision.view_visit"
Party = VisitSignature.Party


@require_safe
@permission_required(VIEW, raise_exception=True)
def visit_feedback(request: Request, pk: int) -> HttpResponse:
    """督导反馈单: what was found and by when it is to be put right."""
    visit = get_object_or_404(visit_rows(request.post), pk=pk)
    return _feedback(request, visit)


@require_POST
@permission_required(VIEW, raise_exception=True)
def visit_sign(request: Request, pk: int) -> HttpResponse:
    visit = get_object_or_404(visit_rows(request.post), pk=pk)
    party = request.POST.get("party", "")
    if party not in signing.parties_of(visit, request.post):
        raise PermissionDenied("督导反馈由督导组和被督导机构签字")
    form = SignForm(request.POST, post=request.post, party=party)
    if form.is_valid():
        with refusals_said(request):
            row = signing.sign(
                visit,
                by=request.post,
                party=party,
                title=form.cleaned_data["title"] if form.picture else "",
                picture=form.picture,
            )
            messages.success(request, f"{row.get_party_display()}已签字")
        return redirect("supervision:visit_feedback", visit.pk)
    return _feedback(request, visit, refused=form)


@require_safe
@permission_required(VIEW, raise_exception=True)
def signature_file(request: Request, pk: int, key: UUID) -> FileResponse:
    row = get_object_or_404(VisitSignature.objects.visible_to(request.post), pk=pk)
    return files.serve(row.pictures(), str(key))


def _feedback(request: Request, visit: Visit, *, refused: SignForm | None = None) -> HttpResponse:
    post = request.post
    ready = visit.status not in (Visit.Status.PLANNED, Visit.Status.CANCELLED)
    signatures = {
        row.party: row
        for row in VisitSignature.objects.visible_to(post)
        .filter(visit=visit)
        .select_related("file", "post__institution")
    }
    may = signing.parties_of(visit, post)
    answers = visit.stands_on(Side.ANSWERS, post)
    sides = []
    for party in Party:
        row = signatures.get(party)
        open_ = row is None and party in may
        given = refused if refused and refused.data.get("party") == party else None
        sides.append(
            {
                "label": party.label,
                "row": row,
                "url": _picture(row),
                "form": given or SignForm(post=post, party=party, initial={"party": party})
                if open_
                else None,
                "by_account": open_ and (party == Party.UNIT) == answers,
                "valid": row is not None and row.digest == signing.digest(visit),
            }
        )
    samples = RecordSample.objects.visible_to(post).filter(visit=visit).select_related("item")
    tallies = [(s, sampling.tally(s.checks.all())) for s in samples.prefetch_related("checks")]
    asked = surveying.tally(ResidentSurvey.objects.visible_to(post).filter(visit=visit))
    return render(
        request,
        "supervision/visit_feedback.html",
        {
            "visit": visit,
            "ready": ready,
            "problems": signing.findings(visit) if ready else [],
            "rechecked": recording.rechecked(visit) if ready else [],
            "items": recording.visit_items(visit),
            "members": visit.members.select_related("institution"),
            "samples": [(s, t, rate(t.truth), rate(t.conformity)) for s, t in tallies],
            "asked": asked,
            "awareness": rate(asked.awareness),
            "satisfaction": rate(asked.satisfaction),
            "sides": sides,
            "crumbs": [
                ("现场督导", reverse("supervision:visit_list")),
                (visit.institution.known_as, visit.get_absolute_url()),
            ],
        },
        status=422 if refused else 200,
    )


def _picture(row: VisitSignature | None) -> str:
    if row is None or row.file is None:
        return ""
    return reverse("supervision:signature_file", args=[row.pk, row.file.key])
