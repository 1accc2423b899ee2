"""The lists of this floor: evaluations, score sheets, adjustments."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse

from institutions.listing import Column, Listing, Tag
from scoring.forms import AdjustmentFilters, EvaluationFilters, SheetFilters
from scoring.models import Adjustment, Evaluation, ScoreSheet

EVALUATION_TONES = {
    Evaluation.Status.DRAFT: "muted",
    Evaluation.Status.OPEN: "info",
    Evaluation.Status.PUBLISHED: "warn",
    Evaluation.Status.FINAL: "ok",
}
SHEET_TONES = {
    ScoreSheet.Status.FILLING: "info",
    ScoreSheet.Status.SUBMITTED: "warn",
    ScoreSheet.Status.RETURNED: "bad",
    ScoreSheet.Status.VERIFIED: "ok",
}


def evaluation_tag(row: Evaluation) -> Tag:
    return Tag(row.get_status_display(), EVALUATION_TONES[Evaluation.Status(row.status)])


def sheet_tag(row: ScoreSheet) -> Tag:
    return Tag(row.get_status_display(), SHEET_TONES[ScoreSheet.Status(row.status)])


def period(row: Any) -> str:
    return f"{row.year}年第{row.quarter}季度" if row.quarter else f"{row.year}年"


class EvaluationList(Listing):
    title = "评价"
    columns: Sequence[Column] = (
        Column("评价", "name"),
        Column("期间", period, sort=("year", "quarter")),
        Column("督导方", "supervisor.known_as"),
        Column("自评截止", "self_due", sort=("self_due",)),
        Column("核定截止", "verify_due", sort=("verify_due",)),
        Column("状态", evaluation_tag),
    )
    search = ("name", "supervisor__search")
    filters = EvaluationFilters
    order = ("-year", "-quarter", "-pk")


class SheetList(Listing):
    """Score and rank are shown only to whom they are public; nothing sorts or filters by them."""

    title = "评分表"
    search = ("institution__search", "evaluation__name")
    filters = SheetFilters
    order = ("-year", "-quarter", "-pk")

    @property
    def columns(self) -> Sequence[Column]:  # type: ignore[override]
        post = self.request.post

        def shown(field: str):
            return lambda row: getattr(row, field) if row.shows_verified_to(post) else None

        return (
            Column("机构", "institution.known_as"),
            Column("机构代码", "institution.code", shown=False),
            Column("评价", "evaluation.name"),
            Column("期间", period, sort=("year", "quarter")),
            Column("自评得分", "self_points", numeric=True),
            Column("得分率", shown("score"), numeric=True),
            Column("名次", shown("rank"), numeric=True),
            Column("状态", sheet_tag),
        )


class AdjustmentList(Listing):
    title = "加减分"
    columns: Sequence[Column] = (
        Column(
            "机构",
            "institution.known_as",
            url=lambda row: reverse("institution_detail", args=[row.institution_id]),
        ),
        Column("机构代码", "institution.code", shown=False),
        Column("年度", "year", sort=("year",), numeric=True),
        Column(
            "类别",
            lambda row: Tag(
                row.get_kind_display(),
                {"bonus": "ok", "deduction": "warn", "veto": "bad"}[row.kind],
            ),
        ),
        Column(
            "分值",
            lambda row: None if row.kind == Adjustment.Kind.VETO else row.points,
            numeric=True,
        ),
        Column("事由", "reason"),
        Column("依据", "basis"),
    )
    search = ("institution__search", "reason", "basis")
    filters = AdjustmentFilters
    order = ("-year", "-pk")
