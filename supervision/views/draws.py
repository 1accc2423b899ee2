"""Drawing lots for a round, and the record of a draw."""

from collections import Counter
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from institutions.http import Request, posted_version
from institutions.workflow import Side
from supervision import bodies, drawing, lots
from supervision.models import Draw, SupervisionRound
from supervision.planning_forms import DrawForm
from supervision.views.rounds import CRUMBS, rounds


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("supervision.change_round", raise_exception=True)
def draw_create(request: Request, pk: int) -> HttpResponse:
    round = get_object_or_404(rounds(request.post), pk=pk)
    if not round.stands_on(Side.ASKS, request.post):
        raise PermissionDenied("抽取由组织本轮督导的单位进行")
    if round.status != SupervisionRound.Status.DRAFT:
        raise PermissionDenied("本轮督导已下达，不能再抽取")
    version = posted_version(request) if request.method == "POST" else round.version
    pools = lots.pools(round, request.post)
    again = round.draws.exists()
    form = DrawForm(
        request.POST or None,
        round=round,
        pools=pools,
        again=again,
        initial={"mode": "all", "teams": 0, "size": 3},
    )
    if request.method == "POST" and form.is_valid():
        try:
            row = lots.draw_lots(
                round,
                form.ask,
                seed=form.cleaned_data["seed"],
                reason=form.cleaned_data.get("reason", ""),
                by=request.post,
                version=version,
            )
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        else:
            messages.success(request, "已抽取，结果和种子已留存")
            return redirect(row)
    return render(
        request,
        "supervision/draw_form.html",
        {
            "form": form,
            "round": round,
            "again": again,
            "version": version,
            "units": len(pools.units),
            "by_kind": sorted(Counter(unit.kind for unit in pools.units).items()),
            "experts": len(pools.people),
            "own": not round.supervisor.is_bureau,
            "leads": bodies.leads(request.post),
            "crumbs": [*CRUMBS, (round.name, round.get_absolute_url())],
        },
    )


@require_safe
@permission_required("supervision.view_round", raise_exception=True)
def draw_detail(request: Request, pk: int) -> HttpResponse:
    """The protocol of a draw, to be printed and signed; `?replay=1` draws again and says whether it agrees."""
    rows = Draw.objects.visible_to(request.post).select_related(
        "round__supervisor", "author__institution"
    )
    row = get_object_or_404(rows, pk=pk)
    fault = lots.check(row) if request.GET.get("replay") else None
    return render(
        request,
        "supervision/draw_detail.html",
        {
            "draw": row,
            "round": row.round,
            "algorithm": drawing.ALGORITHM,
            "asked": _asked(row.ask),
            "strata": _strata(row),
            "teams": _teams(row),
            "people": _people(row),
            "replayed": fault is not None,
            "fault": fault,
            "others": row.round.draws.exclude(pk=row.pk).order_by("number"),
            "crumbs": [*CRUMBS, (row.round.name, row.round.get_absolute_url())],
        },
    )


def _asked(ask: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what was asked in words."""
    amount = {
        "all": "全部",
        "number": f"每层 {ask['amount']} 家",
        "share": f"每层 {ask['amount']}%（向上取整）",
    }
    said = [
        ("机构", amount[ask["mode"]]),
        ("分层", drawing.STRATA[ask["strata"]]),
    ]
    if ask["teams"]:
        words = "、".join(lots.PROFESSIONS.get(p, p) for p in ask["professions"])
        said.append(("督导组", f"{ask['teams']} 个组，每组 {ask['size']} 人"))
        said.append(("每组须有", words or "不限"))
    return said


def _strata(row: Draw) -> list[dict[str, Any]]:
    names = {unit["code"]: unit["name"] for unit in row.pools["units"]}
    return [
        {
            "name": stratum["name"] or "全部机构",
            "pool": stratum["pool"],
            "drawn": [names[code] for code in stratum["drawn"]],
        }
        for stratum in row.result["strata"]
    ]


def _teams(row: Draw) -> list[dict[str, Any]]:
    names = {unit["code"]: unit["name"] for unit in row.pools["units"]}
    people = {person["code"]: person for person in row.pools["people"]}
    return [
        {
            "number": number,
            "members": [_member(people[code]) for code in team["members"]],
            "units": [names[code] for code in team["units"]],
        }
        for number, team in enumerate(row.result["teams"], start=1)
    ]


def _member(person: dict[str, Any]) -> str:
    words = "、".join(lots.PROFESSIONS.get(p, p) for p in person["professions"])
    return f"{person['name']}（{words}）"


def _people(row: Draw) -> list[dict[str, Any]]:
    """Return the pool of experts with professions and reasons for recusal."""
    return [
        {
            "code": person["code"],
            "name": person["name"],
            "professions": "、".join(lots.PROFESSIONS.get(p, p) for p in person["professions"]),
            "barred": list(person["barred"].values()),
        }
        for person in row.pools["people"]
    ]
