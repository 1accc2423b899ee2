from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from institutions import clock
from institutions.http import Request, posted_version
from institutions.models import Event, Institution, Post
from institutions.moves import AskForm, moves_for_template, press
from institutions.roles import Role
from institutions.workflow import Side
from supervision import assigning
from supervision.bodies import supervises
from supervision.forms import RoundForm, TeamForm
from supervision.lists import RoundList, TeamList, status_tag
from supervision.models import Draw, SupervisionRound, Visit
from supervision.views.visits import visit_rows

CRUMBS = [("督导轮次", reverse_lazy("supervision:round_list"))]


def rounds(post: Post):
    return SupervisionRound.objects.visible_to(post).select_related(
        "supervisor", "institution", "standard", "campaign", "author", "planned__plan__institution"
    )


def _counted(post: Post, **only):
    """Count the visits of the outer round that this post may see."""
    seen = Visit.objects.visible_to(post).filter(round=OuterRef("pk"), **only)
    counted = seen.exclude(status="cancelled").order_by().values("round").annotate(n=Count("pk"))
    return Coalesce(Subquery(counted.values("n"), output_field=IntegerField()), 0)


@require_safe
@permission_required("supervision.view_round", raise_exception=True)
def round_list(request: Request) -> HttpResponse:
    rows = rounds(request.post).annotate(
        visit_count=_counted(request.post),
        done_count=_counted(request.post, status="confirmed"),
    )
    return RoundList(request, rows).response(
        "supervision/round_list.html", {"may_create": supervises(request.post)}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("supervision.change_round", raise_exception=True)
def round_create(request: Request) -> HttpResponse:
    if not supervises(request.post):
        raise PermissionDenied("督导轮次由有下级机构的单位或牵头单位组织")
    today = clock.today()
    initial = {"year": today.year, "quarter": (today.month + 2) // 3, "starts": today}
    form = RoundForm(request.POST or None, post=request.post, initial=initial)
    if request.method == "POST" and form.is_valid():
        round = assigning.store_round(
            form.instance, items=form.cleaned_data["items"], by=request.post
        )
        messages.success(request, "已拟定。下一步：安排督导组和督导机构")
        return redirect(round)
    return render(
        request, "supervision/round_form.html", {"form": form, "crumbs": CRUMBS, "version": ""}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("supervision.change_round", raise_exception=True)
def round_edit(request: Request, pk: int) -> HttpResponse:
    round = get_object_or_404(rounds(request.post), pk=pk)
    _refuse_stranger(round, request.post)
    version = posted_version(request) if request.method == "POST" else round.version
    form = RoundForm(request.POST or None, instance=round, post=request.post)
    if request.method == "POST" and form.is_valid():
        assigning.store_round(
            form.instance, items=form.cleaned_data["items"], by=request.post, version=version
        )
        messages.success(request, "已保存")
        return redirect(round)
    crumbs = [*CRUMBS, (round.name, round.get_absolute_url())]
    return render(
        request,
        "supervision/round_form.html",
        {"form": form, "crumbs": crumbs, "round": round, "version": version},
    )


@require_safe
@permission_required("supervision.view_round", raise_exception=True)
def round_detail(request: Request, pk: int) -> HttpResponse:
    return _detail(request, get_object_or_404(rounds(request.post), pk=pk))


@require_POST
@permission_required("supervision.change_round", raise_exception=True)
def round_issue(request: Request, pk: int) -> HttpResponse:
    round = get_object_or_404(rounds(request.post), pk=pk)
    return _pressed(
        request, round, "issue", deed=_issue(round), done="已下达，督导组成员已收到通知"
    )


@require_POST
@permission_required("supervision.change_round", raise_exception=True)
def round_close(request: Request, pk: int) -> HttpResponse:
    return _pressed(request, get_object_or_404(rounds(request.post), pk=pk), "close")


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("supervision.change_round", raise_exception=True)
def visit_create(request: Request, pk: int) -> HttpResponse:
    """Send one team to several institutions at once."""
    round = get_object_or_404(rounds(request.post), pk=pk)
    _refuse_stranger(round, request.post)
    if round.status not in assigning.PLANNABLE:
        raise PermissionDenied("本轮督导已结束")
    units = Institution.objects.visible_to(request.post)
    asked = request.GET.get("under", "")
    under = units.filter(pk=asked).first() if asked.isascii() and asked.isdigit() else None
    version = posted_version(request) if request.method == "POST" else round.version
    form = TeamForm(
        request.POST or None,
        post=request.post,
        round=round,
        under=under,
        initial={"starts": round.starts, "ends": round.ends},
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            visits = assigning.plan_visits(round, by=request.post, version=version, **given)
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(request, f"已安排 {len(visits)} 个机构")
            return redirect(round)
    # The units that supervise others: their clinics can be chosen as well.
    parents = units.filter(parent=round.supervisor, children__isnull=False).distinct()
    return render(
        request,
        "supervision/visit_form.html",
        {
            "form": form,
            "round": round,
            "version": version,
            "under": under,
            "parents": parents,
            "crumbs": [*CRUMBS, (round.name, round.get_absolute_url())],
        },
    )


def _refuse_stranger(round: SupervisionRound, post: Post) -> None:
    if not round.stands_on(Side.ASKS, post):
        raise PermissionDenied("督导由组织本轮督导的单位安排")


def _issue(round: SupervisionRound):
    def deed(*, by: Post, version: int) -> None:
        assigning.issue_round(round, by=by, version=version)

    return deed


def _pressed(request: Request, round: SupervisionRound, name: str, **how) -> HttpResponse:
    form = press(request, round, name, **how)
    return redirect(round) if form is None else _detail(request, round, pressed=form)


def _detail(
    request: Request, round: SupervisionRound, *, pressed: AskForm | None = None
) -> HttpResponse:
    post = request.post
    runs = post.has_perm("supervision.change_round") and round.stands_on(Side.ASKS, post)
    inside = post.role != Role.EXPERT and round.supervisor.path.startswith(post.institution.path)
    return TeamList(request, visit_rows(post).filter(round=round)).response(
        "supervision/round_detail.html",
        {
            "round": round,
            "status": status_tag(round),
            "items": list(round.items.all()),
            "may_edit": runs and round.status == SupervisionRound.Status.DRAFT,
            "may_draw": runs and round.status == SupervisionRound.Status.DRAFT,
            "draws": list(Draw.objects.visible_to(post).filter(round=round).order_by("number")),
            # What was chosen before the teams is told to those who chose, not to the chosen.
            "chosen": list(round.institutions.order_by("code")) if runs else [],
            "plan": round.planned.plan if round.planned and runs else None,
            "may_plan": runs and round.status in assigning.PLANNABLE,
            "moves": moves_for_template(
                round,
                post,
                url=lambda name: reverse(f"supervision:round_{name}", args=[round.pk]),
                pressed=pressed,
            ),
            # The trail names institutions that a member of one team has no business to know beforehand.
            "history": Event.objects.of(round).order_by("-seq") if inside else [],
            "crumbs": CRUMBS,
        },
    )
