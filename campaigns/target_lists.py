"""The lists of the targets."""

from decimal import Decimal

from django.db.models import QuerySet

from campaigns import pursuing
from campaigns.models import Contribution, Target
from campaigns.target_forms import ContributionFilter, TargetFilter
from institutions.http import Request
from institutions.listing import Column, Listing, Tag
from institutions.templatetags.portal import date_cn, time_cn

TONES = {"open": "info", "reported": "warn", "returned": "bad", "confirmed": "ok"}

NOBODY = pursuing.Progress(done=Decimal(0), goal=None, met=False, text="—")


def contribution_tag(row: Contribution) -> Tag:
    return Tag(row.get_status_display(), TONES[row.status])


class TargetList(Listing):
    """Each target with what is confirmed of it in sight."""

    title = "目标任务"
    search = ("name", "level", "measured")
    filters = TargetFilter
    order = ("-due", "-pk")

    def __init__(self, request: Request, rows: QuerySet[Target]) -> None:
        super().__init__(request, rows)
        found: dict[Target, list[Contribution]] = {}
        seen = Contribution.objects.visible_to(request.post).filter(target__in=rows)
        seen = seen.select_related("institution__region", "bureau", "target")
        for row in seen.prefetch_related("target__parts"):
            found.setdefault(row.target, []).append(row)
        self.progress = {target.pk: pursuing.progress(target, own) for target, own in found.items()}
        self.columns = (
            Column("目标任务", "name", sort=("name",)),
            Column("下达单位", "bureau.known_as", shown=False),
            Column("怎样合计", "get_kind_display", sort=("kind",)),
            Column("目标", "goal_text", numeric=True),
            Column("已确认", lambda t: self._of(t).text, numeric=True),
            Column("待确认", lambda t: self._of(t).waiting, numeric=True),
            Column("未完成单位", lambda t: len(self._of(t).missing), numeric=True),
            Column("完成时限", lambda t: date_cn(t.due), sort=("due",)),
            Column("达标", self._met),
        )

    def _of(self, target: Target) -> pursuing.Progress:
        """Nobody in sight has a part in a target that is not found."""
        return self.progress.get(target.pk, NOBODY)

    def _met(self, target: Target) -> Tag | str:
        if target.pk not in self.progress:
            return "—"
        return Tag("已达到", "ok") if self._of(target).met else Tag("未达到", "warn")


class ContributionList(Listing):
    """One target, institution by institution."""

    title = "目标完成情况"
    search = ("institution__search",)
    filters = ContributionFilter
    order = ("institution__code", "pk")
    columns = (
        Column("单位", "institution.name", sort=("institution__code",)),
        Column("所属", "bureau.known_as", shown=False),
        Column("完成", "amount_text", numeric=True),
        Column("达到日期", lambda r: date_cn(r.reached_on)),
        Column("状态", contribution_tag, sort=("status",)),
        Column("确认时间", lambda r: time_cn(r.decided_at)),
        Column("完成情况", "text", shown=False),
    )
