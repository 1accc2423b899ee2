"""优质服务基层行: the list, one unit's review from self-evaluation to consequence, and the moves of both sides."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from institutions import clock
from institutions.http import Request, posted_version
from institutions.models import Event
from institutions.moves import AskForm, moves_for_template, press
from scoring import capability_filling as filling
from scoring import capability_register as register
from scoring import capability_reviewing as reviewing
from scoring import capability_using as using
from scoring.capability import REFERS_TO, required_ids, stand_of
from scoring.capability_forms import ApplyForm, CertifyForm, DrawForm, PutRightForm, UseForm
from scoring.capability_lists import ReviewList, level_tag, review_tag
from scoring.models import (
    CapabilityDraw,
    CapabilityLine,
    CapabilityReport,
    CapabilityReview,
    CapabilityRound,
    CapabilityStep,
    CapabilityUse,
    ReviewLevel,
)
from scoring.models.capability import APPLY, CHANGE, FILL, REVIEW
from scoring.views.capability_lines import line_view
from supervision.drawing import ALGORITHM
from supervision.lists import status_tag
from supervision.lots import PROFESSIONS, new_seed
from supervision.models import Sanction

VIEW = "scoring.view_capability"
GET_POST = ["GET", "HEAD", "POST"]
CRUMBS = [("优质服务基层行", reverse_lazy("scoring:capability_list"))]
# These have forms of their own on the page; the hand-up is done with the whole list.
ELSEWHERE = {"apply", "hand_up", "draw", "spot_check", "decline", "certify"}


def reviews(request: Request):
    return CapabilityReview.objects.visible_to(request.post).select_related(
        "institution__region",
        "institution__bureau",
        "supervisor__bureau",
        "bureau",
        "author__user",
        "standard",
        "round__institution",
        "round__group",
    )


def lines_in_sight(request: Request, review: CapabilityReview) -> list[CapabilityLine]:
    rows = CapabilityLine.objects.visible_to(request.post).filter(review=review)
    return list(
        rows.select_related("clause__item", "problem__rectification")
        .prefetch_related("files")
        .order_by("clause__position")
    )


@require_safe
@permission_required(VIEW, raise_exception=True)
def capability_list(request: Request) -> HttpResponse:
    post = request.post
    open_rounds = list(
        CapabilityRound.objects.visible_to(post).open().select_related("institution")[:5]
    )
    begun = {
        review.round_id: review
        for review in CapabilityReview.objects.visible_to(post).filter(
            institution=post.institution_id, round__in=open_rounds
        )
    }
    reported = register.reported_by(open_rounds)
    return ReviewList(request, reviews(request)).response(
        "scoring/capability_list.html",
        {
            "rounds": [
                {
                    "round": round,
                    "may_start": round.pk not in begun and filling.may_start(round, post),
                    "required": post.institution_id in required_ids(round),
                    "met": register.deadlines_met(
                        round, post, reported[round.pk], begun.get(round.pk)
                    ),
                }
                for round in open_rounds
            ],
            "past": CapabilityRound.objects.visible_to(post).exclude(
                pk__in=[round.pk for round in open_rounds]
            )[:10],
            "may_create": post.has_perm(CHANGE) and post.institution.is_bureau,
        },
    )


# --- One review -------------------------------------------------------------------------------------


def review_named(request: Request, pk: int) -> CapabilityReview:
    return get_object_or_404(reviews(request), pk=pk)


@require_safe
@permission_required(VIEW, raise_exception=True)
def capability_detail(request: Request, pk: int) -> HttpResponse:
    return _detail(request, review_named(request, pk))


def _detail(
    request: Request,
    review: CapabilityReview,
    *,
    pressed: AskForm | None = None,
    apply_form: ApplyForm | None = None,
    status: int = 200,
) -> HttpResponse:
    post = request.post
    lines = lines_in_sight(request, review)
    shown = review.shows_reviews_to(post)
    own = stand_of(review, lines)
    applies = filling.may_apply(review, post) and review.status in review.MOVES["apply"].sources
    candidates = filling.to_put_right(lines)
    moves = [
        move
        for move in moves_for_template(
            review,
            post,
            url=lambda name: (
                "" if name in ELSEWHERE else reverse(f"scoring:capability_{name}", args=[review.pk])
            ),
            pressed=pressed,
        )
        if move.name not in ELSEWHERE
    ]
    asks = review.round.is_open and reviewing.may_judge(review, post)
    owner = post.acts_for(review.round.institution_id) and post.has_perm(REVIEW)
    uses = CapabilityUse.objects.visible_to(post).filter(review=review)
    return render(
        request,
        "scoring/capability_detail.html",
        {
            "review": review,
            "round": review.round,
            "tag": review_tag(review),
            "level_tag": level_tag(review.level, review.get_level_display()),
            "lines": [line_view(line, shown=shown) for line in lines],
            "shown": shown,
            "own": own,
            "levels": [
                (ReviewLevel(level).label, missing) for level, missing in own.missing.items()
            ],
            "done": len(lines) - own.open,
            "total": len(lines),
            "differences": _differences(lines) if shown else [],
            "earliest": filling.earliest(review),
            "too_early": filling.earliest(review) > clock.today(),
            "may_fill": filling.may_fill(review, post),
            "apply_form": (apply_form or ApplyForm(initial={"level": _wish(own.level)}))
            if applies
            else None,
            "hindrances": filling.why_not(review, own, _wish(own.level)) if applies else [],
            "candidates": candidates,
            "may_put_right": bool(candidates)
            and post.has_perm(FILL)
            and post.acts_for(review.institution_id),
            "problems": [
                (line, status_tag(line.problem.rectification)) for line in lines if line.problem
            ],
            "may_judge": asks,
            "may_draw": review.round.is_open
            and owner
            and (review.may("draw", post) and review.status == "reported"),
            "may_spot": review.round.is_open
            and owner
            and review.status in review.MOVES["spot_check"].sources,
            "may_certify": owner and review.status == "confirmed",
            "moves": moves if review.round.is_open else [],
            "steps": CapabilityStep.objects.visible_to(post)
            .filter(review=review)
            .select_related("by__institution")
            .order_by("pk"),
            "draws": CapabilityDraw.objects.visible_to(post).filter(review=review),
            "uses": uses.select_related("decided_by__institution", "sanction").order_by("pk"),
            "ledger": set(
                Sanction.objects.visible_to(post)
                .filter(institution=review.institution_id, pk__in=uses.values("sanction"))
                .values_list("pk", flat=True)
            ),
            "may_use": using.may_decide(review, post) and bool(using.due_kinds(review)),
            "report": CapabilityReport.objects.visible_to(post)
            .filter(round=review.round, institution=review.institution.bureau_id)
            .order_by("-number")
            .first(),
            "refers": review.institution.kind in REFERS_TO,
            "history": Event.objects.of(review).order_by("-seq"),
            "crumbs": [*CRUMBS, (review.round.name, review.round.get_absolute_url())],
        },
        status=status,
    )


def _wish(level: str) -> str:
    """The level one would apply for: the one reached, at least 基本标准."""
    return ReviewLevel.RECOMMENDED if level == ReviewLevel.RECOMMENDED else ReviewLevel.BASIC


def _differences(lines: list[CapabilityLine]) -> list[CapabilityLine]:
    """The clauses on which the sides disagree."""
    return [
        line
        for line in lines
        if (line.review_grade and line.review_grade != line.grade)
        or (line.recheck_grade and line.recheck_grade != line.review_grade)
    ]


@require_POST
@permission_required(FILL, raise_exception=True)
def capability_complete(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "complete", filling.complete, "自查已完成")


@require_POST
@permission_required(FILL, raise_exception=True)
def capability_resume(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "resume", filling.resume, "请继续自评，改好后再次完成自查")


@require_POST
@permission_required(APPLY, raise_exception=True)
def capability_apply(request: Request, pk: int) -> HttpResponse:
    review = review_named(request, pk)
    if not review.may("apply", request.post):
        raise PermissionDenied("申请由机构负责人提出")
    form = ApplyForm(request.POST)
    if form.is_valid():
        try:
            filling.apply(
                review,
                level=form.cleaned_data["level"],
                note=form.cleaned_data["note"],
                by=request.post,
                version=posted_version(request),
            )
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, f"已申请，等待{review.supervisor.known_as}审核")
            return redirect(review)
    return _detail(request, review, apply_form=form, status=422)


@require_POST
@permission_required(REVIEW, raise_exception=True)
def capability_pass_on(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "pass_on", reviewing.pass_on, "审核通过")


@require_POST
@permission_required(REVIEW, raise_exception=True)
def capability_send_back(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "send_back", reviewing.send_back, "已退回，机构会收到通知")


@require_POST
@permission_required(REVIEW, raise_exception=True)
def capability_fail(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "fail", reviewing.fail, "已认定未达标")


@require_POST
@permission_required(REVIEW, raise_exception=True)
def capability_reopen(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "reopen", reviewing.reopen, "已重新受理")


@require_POST
@permission_required(REVIEW, raise_exception=True)
def capability_confirm(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "confirm", reviewing.finish_recheck, "复核已完成，等次已认定")


def _press(
    request: Request, pk: int, name: str, deed: Callable[..., Any], done: str
) -> HttpResponse:
    review = review_named(request, pk)
    form = press(request, review, name, deed=partial(deed, review), done=done)
    return redirect(review) if form is None else _detail(request, review, pressed=form, status=422)


# --- Deeds with a page of their own ------------------------------------------------------------------


@require_http_methods(GET_POST)
@permission_required(FILL, raise_exception=True)
def capability_put_right(request: Request, pk: int) -> HttpResponse:
    """Choose which weak clauses go into rectification."""
    review = review_named(request, pk)
    if not request.post.acts_for(review.institution_id):
        raise PermissionDenied("自查发现的问题由本机构列入整改")
    candidates = filling.to_put_right(lines_in_sight(request, review))
    form = PutRightForm(request.POST or None, candidates=candidates)
    if request.method == "POST" and form.is_valid():
        try:
            made = filling.put_right(
                review, form.chosen, due=form.cleaned_data["due"], by=request.post
            )
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, f"已列入整改 {len(made)} 个问题，请在整改台账签收办理")
            return redirect(review)
    return _form_page(
        request,
        review,
        form,
        title="自查问题列入整改",
        lead="自评为 D 的和已标记的条款已选好，C 的可以加选。每条立为一个自查问题，进入整改台账。",
        submit="列入整改",
    )


@require_http_methods(GET_POST)
@permission_required(REVIEW, raise_exception=True)
def capability_draw_lots(request: Request, pk: int) -> HttpResponse:
    """Draw the clauses of the recheck, or of a spot check afterwards."""
    review = review_named(request, pk)
    spot = review.status in CapabilityReview.MOVES["spot_check"].sources
    name = "spot_check" if spot else "draw"
    if not review.may(name, request.post):
        raise PermissionDenied("复核由组织活动的行政部门进行")
    form = DrawForm(request.POST or None, review=review, spot=spot)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            reviewing.draw_clauses(
                review,
                seed=new_seed(),
                share=given["share"],
                size=given["size"] or 0,
                professions=given["professions"],
                note=given.get("note", ""),
                by=request.post,
                version=posted_version(request),
            )
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, "已抽取，请逐条复核")
            return redirect("scoring:capability_judge", review.pk)
    return _form_page(
        request,
        review,
        form,
        title="抽查复核" if spot else "抽取复核条款",
        lead="由系统按随机种子抽取，种子、范围和结果留存，可以重放核验。",
        submit="抽取",
        group=review.round.group,
    )


@require_http_methods(GET_POST)
@permission_required(REVIEW, raise_exception=True)
def capability_certify(request: Request, pk: int) -> HttpResponse:
    review = review_named(request, pk)
    if not review.may("certify", request.post):
        raise PermissionDenied("省级结果由组织活动的行政部门登记")
    form = CertifyForm(request.POST or None, review=review)
    if request.method == "POST" and form.is_valid():
        try:
            reviewing.certify(
                review, by=request.post, version=posted_version(request), **form.cleaned_data
            )
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, "省级结果已登记")
            return redirect(review)
    return _form_page(
        request,
        review,
        form,
        title="登记省级结果",
        lead="按省级通报登记认定等次、日期和意见；等次有调整的，写明原因。",
        submit="登记",
    )


@require_http_methods(GET_POST)
@permission_required(using.DECIDE, raise_exception=True)
def capability_use(request: Request, pk: int) -> HttpResponse:
    """A leader decides what the level brings."""
    review = review_named(request, pk)
    if not using.may_decide(review, request.post):
        raise PermissionDenied("结果运用由组织活动的行政部门领导决定")
    kinds = using.due_kinds(review)
    form = UseForm(request.POST or None, kinds=kinds)
    if request.method == "POST" and form.is_valid():
        try:
            using.decide(
                review, measures=form.measures, note=form.cleaned_data["note"], by=request.post
            )
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, "结果运用已决定，机构会收到通知")
            return redirect(review)
    level = using.level_for(review)
    label = ReviewLevel(level).label if level else "还没有认定等次"
    return _form_page(
        request,
        review,
        form,
        title="决定结果运用",
        lead=f"认定等次：{label}。按文件规定的类别选择措施；通报表扬和不推荐评优同时记入奖惩台账。",
        submit="决定",
    )


def _form_page(
    request: Request, review: CapabilityReview, form: Any, *, title: str, lead: str, **more: Any
) -> HttpResponse:
    return render(
        request,
        "scoring/capability_form.html",
        {
            "review": review,
            "form": form,
            "title": title,
            "lead": lead,
            "version": review.version,
            "back": review.get_absolute_url(),
            "crumbs": [*CRUMBS, (review, review.get_absolute_url())],
            **more,
        },
        status=422 if form.is_bound else 200,
    )


@require_safe
@permission_required(VIEW, raise_exception=True)
def capability_draw(request: Request, pk: int) -> HttpResponse:
    """One drawing of lots, and whether drawing again gives the same."""
    rows = CapabilityDraw.objects.visible_to(request.post).select_related(
        "round__institution", "review__institution", "author__institution"
    )
    row = get_object_or_404(rows, pk=pk)
    names = {unit["code"]: unit["name"] for unit in row.pools["units"]}
    people = {person["code"]: person for person in row.pools["people"]}
    members = [people[c] for team in row.result["teams"] for c in team["members"]]
    held = {profession for person in members for profession in person["professions"]}
    replayed = request.GET.get("replay") == "1"
    return render(
        request,
        "scoring/capability_draw.html",
        {
            "draw": row,
            "algorithm": ALGORITHM,
            "fixed": row.pools["fixed"],
            "strata": [
                {
                    "name": stratum["name"],
                    "pool": stratum["pool"],
                    "drawn": [f"{code} {names[code]}" for code in stratum["drawn"]],
                }
                for stratum in row.result["strata"]
            ],
            "members": [
                {**p, "words": "、".join(PROFESSIONS.get(x, x) for x in p["professions"])}
                for p in members
            ],
            "lacking": [w for value, w in PROFESSIONS.items() if value not in held]
            if members
            else [],
            "replayed": replayed,
            "fault": reviewing.check_draw(row) if replayed else "",
            "crumbs": [*CRUMBS, (row.round.name, row.round.get_absolute_url())],
        },
    )
