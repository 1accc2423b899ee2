"""The pages that anybody may read without a login: what was decided to be shown there, and nothing else."""

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_safe

from campaigns import disclosing
from campaigns.models import Objection, Publication
from campaigns.publication_forms import ObjectionForm, ReceiptForm
from campaigns.publication_lists import period_text
from institutions import files
from institutions.http import client_address

GET_POST = ["GET", "HEAD", "POST"]
PAGE = 20


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The bureaus that show something."""
    return render(request, "public/home.html", {"bureaus": disclosing.showing_bureaus()})


@login_not_required
@require_safe
def bureau(request: HttpRequest, code: str) -> HttpResponse:
    """What one bureau shows; a bureau that shows nothing is not found, as one that does not exist."""
    unit = get_object_or_404(disclosing.showing_bureaus(), code=code)
    kind = request.GET.get("kind", "")
    rows = disclosing.shown_by(code)
    there = set(rows.order_by().values_list("kind", flat=True).distinct())
    kinds = [(value, label) for value, label in Publication.Kind.choices if value in there]
    if kind:
        rows = rows.filter(kind=kind)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {"unit": unit, "page": page, "kinds": kinds, "kind": kind}
    return render(request, "public/bureau.html", context)


@login_not_required
@require_safe
def publication(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """One publication; of one that is gone only the day, and why or what took its place."""
    row = get_object_or_404(disclosing.decided(code), pk=pk)
    if not row.is_shown:
        context = {"row": row, "follower": disclosing.successor(row)}
        return render(request, "public/gone.html", context, status=410)
    return render(
        request,
        "public/publication.html",
        {"row": row, "period": period_text(row), "files": row.files.all()},
    )


@login_not_required
@require_safe
def file(request: HttpRequest, code: str, pk: int, key: str) -> HttpResponse:
    """An attachment, as long as its publication is shown."""
    row = get_object_or_404(disclosing.shown_by(code), pk=pk)
    return files.serve(row.files, key)


@login_not_required
@require_http_methods(GET_POST)
def object_to(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """Object within the period; the receipt number is on the answer to this POST and nowhere else."""
    row = get_object_or_404(disclosing.shown_by(code), pk=pk)
    form = ObjectionForm(request.POST or None)
    status = 200
    if form.is_bound and form.is_valid():
        try:
            received = disclosing.receive(row, address=client_address(request), **form.cleaned_data)
        except disclosing.TooMany:
            form.add_error(None, "提交得太多了。请过一小时再试，或改用电话、书面方式反映")
            status = 429
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            context = {"row": row, "received": received}
            return render(request, "public/received.html", context)
    if form.errors and status == 200:
        status = 422
    context = {"row": row, "form": form, "period": period_text(row)}
    response = render(request, "public/object.html", context, status=status)
    if status == 429:
        response["Retry-After"] = "3600"
    return response


@login_not_required
@require_http_methods(GET_POST)
def receipt(request: HttpRequest) -> HttpResponse:
    """The answer to an objection, for whoever has its receipt number; posted, so that it stays out of logs."""
    form = ReceiptForm(request.POST or None)
    found: Objection | None = None
    status = 200
    if form.is_bound and form.is_valid():
        try:
            found = disclosing.look_up(
                form.cleaned_data["receipt"], address=client_address(request)
            )
        except disclosing.TooMany:
            form.add_error(None, "查询得太多了，请过一小时再试")
            status = 429
        else:
            if found is None:
                form.add_error("receipt", "没有这个回执号，请核对字母和数字")
    if form.errors and status == 200:
        status = 422
    response = render(request, "public/receipt.html", {"form": form, "found": found}, status=status)
    if status == 429:
        response["Retry-After"] = "3600"
    return response
