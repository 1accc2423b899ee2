from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from institutions import clock, files
from institutions.http import Request
from institutions.models import Event, Post
from institutions.moves import AskForm, moves_for_template, press
from supervision import sanctioning
from supervision.models import Sanction
from supervision.sanction_forms import SanctionForm
from supervision.sanction_lists import SanctionList, sanction_tag
from supervision.views.problems import _asked

CRUMBS = [("奖惩台账", reverse_lazy("supervision:sanction_list"))]
# These take something from the year-end: the floor above books it with the decision.
BOOKING = {"decide": "scoring:sanction_decide", "revoke": "scoring:sanction_revoke"}


def sanctions(post: Post):
    return Sanction.objects.visible_to(post).select_related(
        "institution", "supervisor", "author__institution", "decided_by__institution", "problem"
    )


@require_safe
@permission_required("supervision.view_sanction", raise_exception=True)
def sanction_list(request: Request) -> HttpResponse:
    listing = SanctionList(request, sanctions(request.post))
    return listing.response("supervision/sanction_list.html")


@require_safe
@permission_required("supervision.view_sanction", raise_exception=True)
def sanction_detail(request: Request, pk: int) -> HttpResponse:
    return detail(request, get_object_or_404(sanctions(request.post), pk=pk))


@require_safe
@permission_required("supervision.view_sanction", raise_exception=True)
def sanction_file(request: Request, pk: int, key: UUID) -> FileResponse:
    row = get_object_or_404(Sanction.objects.visible_to(request.post), pk=pk)
    return files.serve(row.files, str(key))


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("supervision.propose_sanction", raise_exception=True)
def sanction_create(request: Request) -> HttpResponse:
    form = SanctionForm(
        request.POST or None,
        request.FILES or None,
        post=request.post,
        initial={
            "institution": _asked(request),
            "kind": request.GET.get("kind", ""),
            "year": clock.today().year,
            # A page that proposes a sanction names what it is for.
            **{
                name: request.GET[name][:1000]
                for name in ("year", "grounds", "person", "reason")
                if name in request.GET
            },
        },
    )
    if request.method == "POST" and form.is_valid():
        given = {**form.cleaned_data, "files": form.stored}
        try:
            row = sanctioning.propose(given.pop("institution"), by=request.post, **given)
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, "已提出，等待决定")
            return redirect(row)
    status = 422 if form.is_bound else 200
    context = {"form": form, "crumbs": CRUMBS}
    return render(request, "supervision/sanction_form.html", context, status=status)


@require_POST
@permission_required("supervision.decide_sanction", raise_exception=True)
def sanction_reject(request: Request, pk: int) -> HttpResponse:
    row = get_object_or_404(sanctions(request.post), pk=pk)
    form = press(request, row, "reject")
    return redirect(row) if form is None else detail(request, row, pressed=form)


def detail(request: Request, row: Sanction, *, pressed: AskForm | None = None) -> HttpResponse:
    """Answer with the page of one sanction; `pressed` is a refused move."""

    def url(name: str) -> str:
        return reverse(BOOKING.get(name, f"supervision:sanction_{name}"), args=[row.pk])

    steps = []
    if row.kind in Sanction.LADDER:
        in_force = {one.kind: one for one in sanctioning.ladder_of(row.institution)}
        steps = [(kind.label, in_force.get(kind), kind == row.kind) for kind in Sanction.LADDER]
    return render(
        request,
        "supervision/sanction_detail.html",
        {
            "row": row,
            "status": sanction_tag(row),
            "steps": steps,
            "files": [
                {
                    "name": file.name,
                    "size": file.size,
                    "url": reverse("supervision:sanction_file", args=[row.pk, file.key]),
                }
                for file in row.files.all()
            ],
            "moves": moves_for_template(row, request.post, url=url, pressed=pressed),
            "history": Event.objects.of(row).order_by("-seq"),
            "crumbs": CRUMBS,
        },
    )
