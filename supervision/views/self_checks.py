from collections.abc import Sequence

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from institutions.http import Request
from institutions.models import Event, Post
from institutions.moves import AskForm, moves_for_template, press
from supervision import spreading
from supervision.lists import ProblemList, severity_tag
from supervision.models import Problem, SelfCheck, Spread
from supervision.self_check_forms import AnswersForm, SpreadForm
from supervision.self_check_lists import SelfCheckList, SpreadCheckList, state_tag
from supervision.views.problems import problems

PAGE = 50
CRUMBS = [("对照自查", reverse_lazy("supervision:self_check_list"))]


def self_checks(post: Post):
    return SelfCheck.objects.visible_to(post).select_related(
        "institution__region", "supervisor", "item", "spread__clause", "problem__rectification"
    )


@require_safe
@permission_required("supervision.view_problem", raise_exception=True)
def self_check_list(request: Request) -> HttpResponse:
    listing = SelfCheckList(request, self_checks(request.post))
    overdue = request.GET.get("when") == "overdue"
    reminder = listing.reminder if overdue and not request.GET.get("format") else ""
    return listing.response(
        "supervision/self_check_list.html", {"reminder": reminder, "overdue": overdue}
    )


@require_safe
@permission_required("supervision.view_problem", raise_exception=True)
def self_check_detail(request: Request, pk: int) -> HttpResponse:
    return _check_page(request, get_object_or_404(self_checks(request.post), pk=pk))


@require_POST
@permission_required(spreading.SPREAD, raise_exception=True)
def self_check_send_back(request: Request, pk: int) -> HttpResponse:
    """Return a careless answer; the institution looks again."""
    check = get_object_or_404(self_checks(request.post), pk=pk)
    form = press(
        request,
        check,
        "send_back",
        deed=lambda **given: spreading.send_back(check, **given),
        done="已退回，机构会收到通知",
    )
    return redirect(check) if form is None else _check_page(request, check, pressed=form)


def _check_page(
    request: Request, check: SelfCheck, *, pressed: AskForm | None = None
) -> HttpResponse:
    asked = check.status == SelfCheck.Status.ASKED and check.may("answer", request.post)
    moves = moves_for_template(
        check,
        request.post,
        url=lambda name: reverse("supervision:self_check_send_back", args=[check.pk]),
        pressed=pressed,
    )
    return render(
        request,
        "supervision/self_check_detail.html",
        {
            "check": check,
            "spread": check.spread,
            "tag": state_tag(check),
            "severity": severity_tag(check.spread),
            "form": AnswersForm(checks=[check]) if asked else None,
            # Answering has a form of its own.
            "moves": [move for move in moves if move.name == "send_back"],
            "spread_url": _spread_url(check.spread, request.post),
            "history": Event.objects.of(check).order_by("-seq"),
            "crumbs": CRUMBS,
        },
        status=422 if pressed is not None else 200,
    )


def _spread_url(spread: Spread, post: Post) -> str:
    """Return where all answers to it stand, for those who may look at all of them."""
    seen = Spread.objects.visible_to(post).filter(pk=spread.pk).exists()
    return spread.get_absolute_url() if seen else ""


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("supervision.answer_rectification", raise_exception=True)
def self_check_answer(request: Request) -> HttpResponse:
    """Go through what is asked of one's institution item by item; each answer stands by itself, what is open stays open."""
    own = self_checks(request.post).open().filter(institution=request.post.institution_id)
    rows = own.order_by("due", "item__code", "pk")
    if request.method == "POST":
        named = [
            int(pk)
            for key in request.POST
            if key.startswith("answer-") and (pk := key[7:]).isascii() and pk.isdigit()
        ]
        # What somebody answered meanwhile is no longer open: the deed says so.
        named_rows = self_checks(request.post).filter(pk__in=named[: spreading.MOST_ANSWERS])
        form = AnswersForm(request.POST, checks=named_rows)
        if form.is_valid():
            made = spreading.answer(form.answers, by=request.post)
            opened = f"，其中 {len(made)} 项已立为问题，请在整改台账签收" if made else ""
            messages.success(request, f"已提交 {len(form.answers)} 项自查结果{opened}")
            return redirect("supervision:self_check_answer")
        typed = {check.pk for check in form.checks}
        form = AnswersForm(
            request.POST,
            checks=[*form.checks, *(row for row in rows[:PAGE] if row.pk not in typed)],
        )
        form.is_valid()
    else:
        form = AnswersForm(checks=rows[:PAGE])
    return render(
        request,
        "supervision/self_check_answer.html",
        {"form": form, "count": rows.count(), "page": PAGE, "crumbs": CRUMBS},
        status=422 if form.is_bound else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(spreading.SPREAD, raise_exception=True)
def spread_create(request: Request, pk: int) -> HttpResponse:
    """Put one problem to others."""
    problem = get_object_or_404(_spreadable(request), pk=pk)
    if not spreading.may_spread(problem, request.post):
        raise PermissionDenied("举一反三由督导方下发")
    return _spread(
        request, [problem], title=f"举一反三：{problem}", back=problem.get_absolute_url()
    )


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(spreading.SPREAD, raise_exception=True)
def spread_list(request: Request) -> HttpResponse:
    """Put a whole feedback list, as the list of problems shows it, to institutions (对号入座)."""
    listing = ProblemList(request, _spreadable(request))
    found = listing.found.exclude(rectification__status="withdrawn")[: spreading.MOST_PROBLEMS + 1]
    chosen = [problem for problem in found if spreading.may_spread(problem, request.post)]
    back = f"{reverse('supervision:problem_list')}?{request.GET.urlencode()}"
    return _spread(request, chosen, title="下发清单，逐项对号入座", back=back)


def _spreadable(request: Request):
    return problems(request.post).select_related("institution__region", "supervisor")


def _spread(request: Request, chosen: Sequence[Problem], *, title: str, back: str) -> HttpResponse:
    form = SpreadForm(request.POST or None, post=request.post, problems=chosen)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = spreading.spread(
                chosen,
                institutions=list(form.asked.values()),
                text=given.get("text", ""),
                demand=given["demand"],
                due=given["due"],
                put_right_by=given["put_right_by"],
                similar_counts=given["similar_counts"],
                by=request.post,
            )
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(request, f"已下发 {len(made)} 个问题，机构将逐项对照自查")
            if len(made) == 1:
                return redirect(made[0])
            return redirect(f"{reverse('supervision:self_check_list')}?scope=asked")
    return render(
        request,
        "supervision/spread_form.html",
        {
            "form": form,
            "title": title,
            "problems": chosen,
            "too_many": len(chosen) > spreading.MOST_PROBLEMS,
            "most": spreading.MOST_PROBLEMS,
            "back": back,
            "crumbs": [("问题清单", reverse("supervision:problem_list"))],
        },
    )


@require_safe
@permission_required("supervision.view_problem", raise_exception=True)
def spread_detail(request: Request, pk: int) -> HttpResponse:
    """Who has looked, and what they found."""
    rows = Spread.objects.visible_to(request.post).select_related(
        "institution", "item", "clause", "author__institution"
    )
    spread = get_object_or_404(rows, pk=pk)
    checks = self_checks(request.post).filter(spread=spread)
    counts = checks.order_by().aggregate(
        total=Count("pk"),
        found=Count("pk", filter=Q(answer="found")),
        similar=Count("pk", filter=Q(answer="similar")),
        none=Count("pk", filter=Q(answer="none")),
        belied=Count("pk", filter=Q(belied_by__isnull=False)),
    )
    source = Problem.objects.visible_to(request.post).filter(pk=spread.problem_id).first()
    return SpreadCheckList(request, checks).response(
        "supervision/spread_detail.html",
        {
            "spread": spread,
            "severity": severity_tag(spread),
            "counts": counts,
            "answered": counts["found"] + counts["similar"] + counts["none"],
            "source": source,
            "crumbs": CRUMBS,
        },
    )
