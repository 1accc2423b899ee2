"""自评核定偏差: how far self-assessments lie above what was verified, by institution and service item, over the year.

The gap is the self-assessed 得分率 minus the verified one, in percentage points to two decimals, over the sheets chosen;
a sheet without a self side (imported history) tells nothing. It feeds the risk suggestion (`scoring.risk`), and where the
policy has 自评偏差线 and 自评偏差扣分 it proposes a deduction, which somebody decides: nothing is deducted by itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet, Sum

from institutions.listing import Tag
from institutions.models import Institution, Post
from institutions.rounding import half_up
from scoring import policies, rules
from scoring.models import Adjustment, Evaluation, ScoreSection, ScoreSheet
from scoring.pictures import share

# From here on a gap is called 偏高 (or 偏低), and 明显偏高; percentage points.
NOTABLE = Decimal(2)
LARGE = Decimal(5)
MOVED = Decimal(1)
REASON = "自评偏差"


@dataclass
class Gaps:
    """The gaps of some institutions: by item id (None: clauses without an item), as a whole, by quarter."""

    by_item: dict[tuple[int, int | None], Decimal | None] = field(default_factory=dict)
    whole: dict[int, Decimal | None] = field(default_factory=dict)
    by_quarter: dict[int, list[tuple[int, Decimal]]] = field(default_factory=dict)

    def trend(self, institution: int) -> str:
        """Say how the gap moved from the first to the last quarter that has one."""
        quarters = self.by_quarter.get(institution, [])
        if len(quarters) < 2:
            return "—"
        first, last = quarters[0], quarters[-1]
        moved = abs(last[1]) - abs(first[1])
        word = "扩大" if moved >= MOVED else "收窄" if moved <= -MOVED else "持平"
        return f"{word}（{first[0]}季 {signed(first[1])}，{last[0]}季 {signed(last[1])}）"


def signed(gap: Decimal) -> str:
    return f"{gap:+.2f}"


def gap_tag(gap: Decimal | None) -> Tag:
    """Return a gap as word and number; the word stands first, so that it is no formula in a table."""
    if gap is None:
        return Tag("无数据", "muted")
    if gap >= LARGE:
        return Tag(f"明显偏高 {signed(gap)}", "bad")
    if gap >= NOTABLE:
        return Tag(f"偏高 {signed(gap)}", "warn")
    if gap <= -NOTABLE:
        return Tag(f"偏低 {signed(gap)}", "info")
    return Tag(f"相符 {signed(gap)}", "ok")


def sections_shown(post: Post, year: int, quarter: int | None = None) -> QuerySet[ScoreSection]:
    """Return the verified sections of a year's quarters whose result `post` may see."""
    sections = ScoreSection.objects.visible_to(post).filter(
        sheet__status=ScoreSheet.Status.VERIFIED,
        sheet__year=year,
        sheet__quarter__gte=1,
        self_full__gt=0,
        full__gt=0,
    )
    if quarter:
        sections = sections.filter(sheet__quarter=quarter)
    if not post.institution.is_bureau:
        public = [Evaluation.Status.PUBLISHED, Evaluation.Status.FINAL]
        sections = sections.filter(
            Q(sheet__evaluation__status__in=public) | Q(supervisor=post.institution_id)
        )
    return sections


def _gap(row: dict[str, Any]) -> Decimal | None:
    claimed, verified = share(row["own"], row["own_full"]), share(row["got"], row["got_full"])
    return None if claimed is None or verified is None else half_up(claimed - verified, 2)


SUMS = {
    "own": Sum("self_points"),
    "own_full": Sum("self_full"),
    "got": Sum("points"),
    "got_full": Sum("full"),
}


def gaps_of(sections: QuerySet[ScoreSection], institutions: Iterable[Any]) -> Gaps:
    """Return the gaps of the institutions named, from the sections given; one statement."""
    chosen = sections.filter(institution__in=institutions).order_by()
    by_item: dict[Any, dict[str, Decimal]] = {}
    by_quarter: dict[Any, dict[str, Decimal]] = {}
    whole: dict[Any, dict[str, Decimal]] = {}
    rows: Iterable[Any] = chosen.values("institution", "item", "sheet__quarter").annotate(**SUMS)
    for row in rows:
        pk, quarter = row["institution"], row["sheet__quarter"]
        for sums, key in ((by_item, (pk, row["item"])), (by_quarter, (pk, quarter)), (whole, pk)):
            own = sums.setdefault(key, dict.fromkeys(SUMS, Decimal(0)))
            for name in SUMS:
                own[name] += row[name]
    found = Gaps(
        {key: _gap(sums) for key, sums in by_item.items()},
        {pk: _gap(sums) for pk, sums in whole.items()},
    )
    for pk, quarter in sorted(by_quarter):
        gap = _gap(by_quarter[pk, quarter])
        if gap is not None:
            found.by_quarter.setdefault(pk, []).append((quarter, gap))
    return found


@dataclass(frozen=True)
class Proposal:
    """A deduction that the policy suggests for an institution, and whether it was entered already."""

    institution: Institution
    gap: Decimal
    points: Decimal
    reason: str
    entered: bool


def proposals(
    unit: Institution, year: int, post: Post
) -> tuple[rules.Policy | None, list[Proposal]]:
    """Return the deductions that a unit's policy proposes for the year; none without both keys."""
    try:
        policy = policies.policy_of(unit, year)
    except rules.ScoringError:
        return None, []
    if policy.gap_line is None or policy.gap_points is None:
        return policy, []
    sections = sections_shown(post, year).filter(supervisor=unit, institution__parent=unit)
    rows: Iterable[Any] = sections.order_by().values("institution").annotate(**SUMS)
    over = {
        row["institution"]: gap
        for row in rows
        if (gap := _gap(row)) is not None and gap > policy.gap_line
    }
    entered = set(
        Adjustment.objects.filter(
            institution__in=over, year=year, reason__startswith=REASON
        ).values_list("institution", flat=True)
    )
    found = []
    for one in Institution.objects.filter(pk__in=over).order_by("code"):
        reason = f"{REASON}：{year}年自评比核定高 {over[one.pk]} 个百分点"
        found.append(Proposal(one, over[one.pk], policy.gap_points, reason, one.pk in entered))
    return policy, found


def last_year(post: Post) -> int | None:
    """Return the last year with verified sheets in sight."""
    sheets = ScoreSheet.objects.visible_to(post).filter(
        status=ScoreSheet.Status.VERIFIED, quarter__gte=1
    )
    return sheets.order_by("-year").values_list("year", flat=True).first()
