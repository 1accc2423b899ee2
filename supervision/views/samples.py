"""Record checks at a visit: drawing, marking, looking at the numbers, and what it adds up to."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from institutions import charts
from institutions.http import Request, posted_version
from institutions.models import Institution, Post
from institutions.rounding import half_up
from institutions.workflow import StaleState
from supervision import sampling
from supervision.models import RecordCheck, RecordSample, SupervisionRound, Visit
from supervision.sample_forms import CheckForm, SampleForm
from supervision.sample_lists import SampleList, rate
from supervision.views.visits import visit_rows

VIEW = "supervision.view_visit"
RECORD = "supervision.record_visit"
CRUMBS = [("抽查档案", reverse_lazy("supervision:sample_list"))]
CUTS = (60, 80, 90, 95)
WIDEST = 200  # institutions on the page of rates


def _samples(post: Post):
    return RecordSample.objects.visible_to(post).select_related(
        "item",
        "drawn_by__institution",
        "visit__institution",
        "visit__supervisor",
        "visit__author",
        "visit__lead",
        "visit__round__standard",
    )


@require_safe
@permission_required(VIEW, raise_exception=True)
def sample_list(request: Request) -> HttpResponse:
    rows = RecordSample.objects.visible_to(request.post)
    return SampleList(request, rows).response("supervision/sample_list.html")


@require_safe
@permission_required(VIEW, raise_exception=True)
def sample_rates(request: Request) -> HttpResponse:
    """真实率 and 规范率 by institution and item, of one round or of everything in sight."""
    post = request.post
    samples = RecordSample.objects.visible_to(post)
    rounds = SupervisionRound.objects.visible_to(post).filter(visits__samples__in=samples)
    rounds = rounds.distinct().order_by("-starts", "-pk")[:WIDEST]
    asked = request.GET.get("round", "")
    chosen = next((r for r in rounds if str(r.pk) == asked), None)
    if chosen is not None:
        samples = samples.filter(visit__round=chosen)
    tallies = sampling.table(samples)
    units = list(
        Institution.objects.visible_to(post)
        .filter(pk__in={unit for unit, _ in tallies})
        .order_by("code")[:WIDEST]
    )
    items = sampling.items_of(tallies)
    heats, sums = [], []
    for name, label in (("truth", "真实率"), ("conformity", "规范率")):
        lines = [
            charts.HeatRow(
                unit.known_as,
                [_percent(tallies.get((unit.pk, item.pk)), name) for item in items],
            )
            for unit in units
        ]
        names = [item.short_name for item in items]
        heats.append(charts.heatmap(name, f"{label}（%）：机构与服务项目", names, lines, CUTS))
    for unit in units:
        whole = sampling.Tally()
        for item in items:
            whole.add(tallies.get((unit.pk, item.pk), sampling.Tally()))
        sums.append((unit, whole, rate(whole.truth), rate(whole.conformity)))
    return render(
        request,
        "supervision/sample_rates.html",
        {"heats": heats if units else [], "sums": sums, "rounds": rounds, "chosen": chosen}
        | {"crumbs": CRUMBS},
    )


def _percent(tally: sampling.Tally | None, name: str):
    value = getattr(tally, name) if tally else None
    return half_up(value * 100, 2) if value is not None else None


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(VIEW, raise_exception=True)
def visit_samples(request: Request, pk: int) -> HttpResponse:
    """The samples of a visit, and drawing another one."""
    visit = get_object_or_404(visit_rows(request.post), pk=pk)
    may_draw = visit.may_record(request.post)
    form = None
    if may_draw:
        data = (request.POST, request.FILES) if request.method == "POST" else ()
        form = SampleForm(*data, visit=visit)
    elif request.method == "POST":
        _refuse(visit, request.post)
    if form is not None and form.is_bound and form.is_valid():
        given = form.cleaned_data
        try:
            sample = sampling.draw_sample(
                visit,
                by=request.post,
                item=given["item"],
                size=given["size"],
                listed=form.listed,
                first=given["first"],
                last=given["last"],
            )
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(request, f"已抽取 {sample.size} 份，可以开始核查")
            return redirect(sample)
    samples = _samples(request.post).filter(visit=visit).prefetch_related("checks")
    rows = [(sample, sampling.tally(sample.checks.all())) for sample in samples.order_by("item")]
    return render(
        request,
        "supervision/visit_samples.html",
        {
            "visit": visit,
            "form": form,
            "all_drawn": form is not None and not form.fields["item"].queryset.exists(),
            "rows": [(s, t, rate(t.truth), rate(t.conformity)) for s, t in rows],
            "crumbs": _visit_crumbs(visit),
        },
        status=422 if form is not None and form.errors else 200,
    )


def _visit_crumbs(visit: Visit):
    return [
        ("现场督导", reverse("supervision:visit_list")),
        (visit.institution.known_as, visit.get_absolute_url()),
    ]


def _refuse(visit: Visit, post: Post) -> None:
    if visit.status not in Visit.EDITABLE:
        raise StaleState(visit, visit.version)
    raise PermissionDenied("档案由督导组抽取")


@require_safe
@permission_required(VIEW, raise_exception=True)
def sample_detail(request: Request, pk: int) -> HttpResponse:
    sample = get_object_or_404(_samples(request.post), pk=pk)
    return _sample(request, sample, list(sample.checks.select_related("checked_by__institution")))


@require_POST
@permission_required(VIEW, raise_exception=True)
def sample_reveal(request: Request, pk: int) -> HttpResponse:
    """Show numbers and phones in full, once: the page answers this POST and is nowhere to be found again."""
    sample = get_object_or_404(_samples(request.post), pk=pk)
    checks = sampling.reveal(sample, by=request.post)
    return _sample(request, sample, checks, shown=True)


def _sample(
    request: Request,
    sample: RecordSample,
    checks: list[RecordCheck],
    *,
    shown: bool = False,
    refused: tuple[int, CheckForm] | None = None,
) -> HttpResponse:
    found = sampling.tally(checks)
    visit = sample.visit
    lines = []
    for check in checks:
        typed = refused[1] if refused and refused[0] == check.pk else None
        names = ("result", "cause", "call", "reason")
        values = {n: (typed.data.get(n, "") if typed else getattr(check, n)) for n in names}
        lines.append((check, values, typed.errors if typed else {}))
    return render(
        request,
        "supervision/sample_detail.html",
        {
            "sample": sample,
            "visit": visit,
            "lines": lines,
            "left": sum(not check.result for check in checks),
            "tally": found,
            "truth": rate(found.truth),
            "conformity": rate(found.conformity),
            "shown": shown,
            "may_mark": visit.may_record(request.post),
            "may_reveal": sampling.may_reveal(visit, request.post) and not sample.purged_at,
            "results": RecordCheck.Result.choices,
            "causes": RecordCheck.Cause.choices,
            "calls": RecordCheck.Call.choices,
            "crumbs": [
                *_visit_crumbs(visit),
                ("抽查档案", reverse("supervision:visit_samples", args=[visit.pk])),
            ],
        },
        status=422 if refused else 200,
    )


@require_POST
@permission_required(RECORD, raise_exception=True)
def check_save(request: Request, pk: int) -> HttpResponse:
    """Save the result of one record; answers the script with JSON and a plain form with the page."""
    rows = RecordCheck.objects.visible_to(request.post).select_related(
        "sample__item",
        "sample__visit__institution",
        "sample__visit__supervisor",
        "sample__visit__author",
        "sample__visit__lead",
        "sample__visit__round__standard",
    )
    check = get_object_or_404(rows, pk=pk)
    json = request.headers.get("Accept", "").startswith("application/json")
    version = posted_version(request)
    if not check.visit.may_record(request.post):
        _refuse(check.visit, request.post)
    form = CheckForm(request.POST)
    if not form.is_valid():
        if json:
            return JsonResponse({"errors": form.errors}, status=400)
        checks = list(check.sample.checks.select_related("checked_by__institution"))
        return _sample(request, check.sample, checks, refused=(check.pk, form))
    try:
        sampling.mark(check, by=request.post, version=version, values=form.cleaned_data)
    except StaleState:
        if json:
            text = "未保存：他人已填写这一份，或记录已提交，请刷新页面"
            return JsonResponse({"message": text}, status=409)
        raise
    found = sampling.tally(check.sample.checks.all())
    if json:
        totals = {
            "checked": found.checked,
            "truth": rate(found.truth),
            "conformity": rate(found.conformity),
        }
        told = {"by": f"{check.checked_by}核查"}
        return JsonResponse({"version": check.version, "line": told, "totals": totals})
    messages.success(request, f"第 {check.position} 份已保存")
    return redirect(f"{check.sample.get_absolute_url()}#check-{check.pk}")
