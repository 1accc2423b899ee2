"""Tables of results for the public page: published ranking, a frozen year, its money, the commended institutions.

Scores are known on this floor; the table goes down to the publication as the words it is shown with, so that what was
decided stays what it was. Names are those of institutions, never of persons.
"""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError

from campaigns.models import Publication, frozen_table
from institutions.models import Institution, Post
from institutions.templatetags.portal import date_cn, money, points
from scoring.models import Evaluation, ScoreSheet, YearResult
from supervision.models import Sanction

SHOWN = (Evaluation.Status.PUBLISHED, Evaluation.Status.FINAL)


def sources(publication: Publication, post: Post) -> list[tuple[str, str]]:
    """Return what a draft's table can be taken from, as choices: only what the bureau itself published or froze."""
    unit = publication.institution
    choices = [
        (f"evaluation-{row.pk}", f"{row.name}（{row.get_status_display()}）：名次和得分率")
        for row in _evaluations(unit, post)
    ]
    years = _years(unit, post).order_by("-year").values_list("year", flat=True).distinct()
    for year in years:
        choices.append((f"year-{year}", f"{year}年度结果（已定稿）：名次和等次"))
        if publication.kind == Publication.Kind.FUNDS:
            choices.append((f"funds-{year}", f"{year}年度经费（已定稿）：核定金额"))
    praised = _rewards(unit, post).order_by("-year").values_list("year", flat=True).distinct()
    choices += [(f"rewards-{year}", f"{year}年通报表扬的机构") for year in praised]
    return choices


def take_table(publication: Publication, source: str, *, by: Post) -> dict[str, Any]:
    """Return the frozen table of one of `sources`. Raises ValidationError for any other."""
    if source not in dict(sources(publication, by)):
        raise ValidationError("请选择一个数据来源")
    kind, _, number = source.partition("-")
    make: dict[str, Callable[[Institution, Post, int], dict[str, Any]]] = {
        "evaluation": _ranking,
        "year": _year,
        "funds": _funds,
        "rewards": _praise,
    }
    return make[kind](publication.institution, by, int(number))


def _evaluations(unit: Institution, post: Post):
    rows = Evaluation.objects.visible_to(post).filter(supervisor=unit, status__in=SHOWN)
    return rows.order_by("-year", "-quarter", "-pk")


def _years(unit: Institution, post: Post):
    return YearResult.objects.visible_to(post).filter(unit=unit, frozen_at__isnull=False)


def _rewards(unit: Institution, post: Post):
    """Commendations in force, of institutions as a whole."""
    return Sanction.objects.visible_to(post).filter(
        supervisor=unit,
        kind=Sanction.Kind.COMMENDATION,
        status=Sanction.Status.DECIDED,
        person="",
    )


def _ranking(unit: Institution, post: Post, pk: int) -> dict[str, Any]:
    evaluation = _evaluations(unit, post).get(pk=pk)
    sheets = list(
        ScoreSheet.objects.visible_to(post)
        .filter(evaluation=evaluation, status=ScoreSheet.Status.VERIFIED)
        .select_related("institution")
        .order_by("group", "rank", "institution__code")
    )
    grouped = len({sheet.group for sheet in sheets}) > 1
    headers = ["名次", "机构", "得分率（%）"]
    rows = [[str(s.rank or "—"), s.institution.name, points(s.score)] for s in sheets]
    if grouped:
        headers.insert(0, "组别")
        for row, sheet in zip(rows, sheets, strict=True):
            row.insert(0, sheet.group)
    state = "已定稿" if evaluation.status == Evaluation.Status.FINAL else "申诉期内，尚未定稿"
    return frozen_table(
        f"{evaluation.name}结果",
        headers,
        rows,
        source=f"取自{evaluation.name}，{date_cn(evaluation.published_at)}公布，{state}",
    )


def _year(unit: Institution, post: Post, year: int) -> dict[str, Any]:
    results = _results(unit, post, year)
    return frozen_table(
        f"{year}年度绩效评价结果",
        ["组别", "名次", "机构", "年终得分", "等次"],
        [[r.group, str(r.rank), r.institution.name, points(r.score), r.grade] for r in results],
        source=f"取自{year}年终表，{date_cn(results[0].frozen_at)}定稿",
    )


def _funds(unit: Institution, post: Post, year: int) -> dict[str, Any]:
    results = _results(unit, post, year)
    return frozen_table(
        f"{year}年度经费分配",
        ["机构", "等次", "应拨金额（元）", "核定金额（元）", "已预拨（元）", "应补退（元）"],
        [
            [
                r.institution.name,
                r.grade,
                *(money(v) for v in (r.due_amount, r.approved_amount, r.prepaid, r.balance)),
            ]
            for r in results
        ],
        source=f"取自{year}年终表，{date_cn(results[0].frozen_at)}定稿",
        money=True,
    )


def _results(unit: Institution, post: Post, year: int) -> list[YearResult]:
    rows = _years(unit, post).filter(year=year).select_related("institution")
    return list(rows.order_by("group", "rank", "position"))


def _praise(unit: Institution, post: Post, year: int) -> dict[str, Any]:
    rows = _rewards(unit, post).filter(year=year).select_related("institution")
    return frozen_table(
        f"{year}年通报表扬的机构",
        ["机构", "情形", "决定日期"],
        [
            [row.institution.name, row.grounds or "—", date_cn(row.decided_at)]
            for row in rows.order_by("institution__code", "pk")
        ],
        source=f"取自{year}年奖惩台账",
    )
