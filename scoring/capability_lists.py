"""Lists of the capability review: all reviews in sight, and the register of one year with who has not begun."""

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from institutions.http import Request
from institutions.listing import Column, Listing, Tag
from institutions.models import Institution
from scoring.capability_forms import RegisterFilters, ReviewFilters
from scoring.models import CapabilityReview, CapabilityRound

TONES = {
    "self": "info",
    "done": "info",
    "applied": "warn",
    "returned": "bad",
    "passed": "warn",
    "reported": "warn",
    "checking": "warn",
    "confirmed": "ok",
    "final": "ok",
    "below": "bad",
}
LEVEL_TONES = {"below": "bad", "basic": "ok", "recommended": "ok"}


def review_tag(row: CapabilityReview | None) -> Tag:
    if row is None:
        return Tag("未开始", "bad")
    return Tag(str(row.get_status_display()), TONES[row.status])


def level_tag(level: str, label: Any) -> Any:
    return Tag(str(label), LEVEL_TONES[level]) if level else "—"


class ReviewList(Listing):
    title = "优质服务基层行评审"
    search = ("institution__search",)
    filters = ReviewFilters
    order = ("-round__year", "institution__code", "pk")
    columns: Sequence[Column] = (
        Column("机构", "institution.known_as", sort=("institution__code",)),
        Column("年度", "round.year", sort=("round__year",), numeric=True),
        Column("类别", lambda r: str(r.institution.get_kind_display())),
        Column("县（区）", "bureau.known_as", sort=("bureau__code",)),
        Column("自评开始", lambda r: r.started_on or "—"),
        Column("自查完成", lambda r: r.done_on or "—"),
        Column("自评等次", lambda r: r.get_self_level_display() or "—"),
        Column("申请等次", lambda r: r.get_applied_level_display() or "—"),
        Column("审核等次", lambda r: r.get_review_level_display() or "—", shown=False),
        Column("认定等次", lambda r: level_tag(r.level, r.get_level_display())),
        Column("认定日期", lambda r: r.level_on or "—"),
        Column("认定说明", "explanation", shown=False),
        Column("状态", review_tag, sort=("status",)),
    )


def _of(name: str, empty: Any = "—") -> Any:
    def value(unit: Any) -> Any:
        row = unit.own[0] if unit.own else None
        found = getattr(row, name) if row is not None else None
        return (found() if callable(found) else found) or empty

    return value


def _level(unit: Any) -> Any:
    row = unit.own[0] if unit.own else None
    return level_tag(row.level, row.get_level_display()) if row else "—"


class RegisterList(Listing):
    """The units of one round, whether they have begun or not (E04)."""

    title = "优质服务基层行参加名册"
    search = ("search",)
    filters = RegisterFilters
    order = ("bureau__path", "code", "pk")
    columns: Sequence[Column] = (
        Column("机构", "known_as", sort=("code",), url=lambda u: _url(u)),
        Column("机构代码", "code", shown=False),
        Column("类别", lambda u: str(u.get_kind_display()), sort=("kind",)),
        Column("县（区）", "bureau.known_as", sort=("bureau__code",)),
        Column("参加", lambda u: "自愿" if u.own and u.own[0].optional else "必须"),
        Column("自评开始", _of("started_on")),
        Column("自查完成", _of("done_on")),
        Column("自评等次", _of("get_self_level_display")),
        Column("申请等次", _of("get_applied_level_display")),
        Column("审核等次", _of("get_review_level_display"), shown=False),
        Column("认定等次", _level),
        Column("状态", lambda u: review_tag(u.own[0] if u.own else None)),
    )

    def __init__(self, request: Request, round: CapabilityRound, required: Collection[int]) -> None:
        super().__init__(request, register_rows(request, round, required))
        self.round = round

    @cached_property
    def filterset(self) -> RegisterFilters:
        return RegisterFilters(
            self.query or None, queryset=self.all_rows, request=self.request, round=self.round
        )

    def row_url(self, row: Any) -> str:
        return _url(row)


def _url(unit: Any) -> str:
    return unit.own[0].get_absolute_url() if unit.own else unit.get_absolute_url()


def register_rows(
    request: Request, round: CapabilityRound, required: Collection[int]
) -> QuerySet[Institution]:
    """Return the units of the register in sight, each with its review as `own` (a list of one or none)."""
    reviews = CapabilityReview.objects.visible_to(request.post).filter(round=round)
    units = Institution.objects.visible_to(request.post).filter(
        Q(pk__in=required) | Q(pk__in=reviews.values("institution"))
    )
    return units.select_related("bureau").prefetch_related(
        Prefetch("capabilityreviews", queryset=reviews, to_attr="own")
    )
