"""The parts of a year beside its quarters (年终构成): 年度专项, 日常 and 群众满意度, read in sets.

年度专项 is the mean of the final sheets of evaluations of purpose 专项 without a quarter; 日常 is 100 minus the policy's
points for each problem of the year; 群众满意度 is the share of satisfied residents among those who had used the services.
An institution whose 排名组 had a special check and who has no final sheet of it is 缺考 there; what was not held for its
group, and a survey nobody was asked in, is left out and its share goes to the other parts, with a warning.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import Count, Q

from campaigns.models import Standard
from institutions import clock
from institutions.models import Institution
from institutions.rounding import half_up
from scoring import rules
from scoring.correcting import correct_in_memory
from scoring.models import Evaluation, ScoreSheet
from scoring.publishing import group_of
from supervision.models import Problem, Rectification, ResidentSurvey, Severity

USED = ("yes", "fairly", "no")
SATISFIED = ("yes", "fairly")


@dataclass
class Parts:
    """What the parts of a unit's year are made of, by institution code."""

    specials: dict[str, list[ScoreSheet]] = field(default_factory=dict)
    special_groups: set[Any] = field(default_factory=set)
    daily: dict[str, dict[str, int]] = field(default_factory=dict)
    surveys: dict[str, tuple[int, int]] = field(default_factory=dict)

    def facts(self, code: str) -> dict[str, Any]:
        """Return what enters the hash of the inputs for one institution."""
        return {
            "special": [
                [sheet.evaluation.name, str(sheet.score)] for sheet in self.specials.get(code, [])
            ],
            "daily": self.daily.get(code, {}),
            "surveys": list(self.surveys.get(code, ())),
        }

    def scores(
        self, code: str, group: Any, quarterly: Decimal, policy: rules.Policy
    ) -> dict[str, Decimal | None]:
        """Return the part scores of one institution as `rules.combine` takes them."""
        found: dict[str, Decimal | None] = {rules.QUARTERLY: quarterly}
        own = self.specials.get(code, [])
        if own:
            found[rules.SPECIAL] = mean([sheet.score or Decimal(0) for sheet in own])
        elif group in self.special_groups:
            found[rules.SPECIAL] = None
        found[rules.DAILY] = rules.daily_score(self.daily.get(code, {}), policy.daily_points)
        used, satisfied = self.surveys.get(code, (0, 0))
        if used:
            found[rules.SATISFACTION] = half_up(Fraction(satisfied * 100, used), 2)
        return {name: found[name] for name in policy.composition if name in found}

    def told(self, code: str, policy: rules.Policy) -> dict[str, str]:
        """Return in words what each part was made of."""
        words = {}
        own = self.specials.get(code, [])
        if own:
            words[rules.SPECIAL] = "；".join(f"{s.evaluation.name} {s.score}" for s in own)
        counts = self.daily.get(code, {})
        taken = [
            f"{word} {counts[word]} × {policy.daily_points[word]}"
            for word in rules.DAILY_WORDS
            if counts.get(word)
        ]
        words[rules.DAILY] = "100" + "".join(f" − {one}" for one in taken)
        used, satisfied = self.surveys.get(code, (0, 0))
        if used:
            words[rules.SATISFACTION] = f"满意和基本满意 {satisfied} 人 ÷ 接受过服务的 {used} 人"
        return words


def mean(scores: list[Decimal]) -> Decimal:
    return half_up(sum((Fraction(one) for one in scores), Fraction(0)) / len(scores), 2)


def read_parts(
    unit: Institution, year: int, institutions: Mapping[str, Institution], policy: rules.Policy
) -> Parts:
    """Read only the parts that the policy names: a fixed number of statements."""
    parts = Parts()
    if rules.SPECIAL in policy.composition:
        _read_specials(parts, unit, year, institutions)
    if rules.DAILY in policy.composition:
        _read_daily(parts, unit, year, institutions)
    if rules.SATISFACTION in policy.composition:
        _read_surveys(parts, unit, year, institutions)
    return parts


def _read_specials(
    parts: Parts, unit: Institution, year: int, institutions: Mapping[str, Institution]
) -> None:
    sheets = ScoreSheet.objects.filter(
        supervisor=unit,
        institution__parent=unit,
        year=year,
        quarter=0,
        evaluation__status=Evaluation.Status.FINAL,
        evaluation__standard__purpose=Standard.Purpose.SPECIAL,
    )
    found = list(
        sheets.select_related("institution", "evaluation").order_by(
            "institution__code", "evaluation__name", "pk"
        )
    )
    correct_in_memory(found)
    for sheet in found:
        parts.special_groups.add(group_of(sheet.institution, unit))
        if sheet.institution.code in institutions:
            parts.specials.setdefault(sheet.institution.code, []).append(sheet)


def last_day(year: int) -> date:
    """Return the day on which a year's problems are looked at: its last, or today while it lasts."""
    return min(date(year, 12, 31), clock.today())


def _read_daily(
    parts: Parts, unit: Institution, year: int, institutions: Mapping[str, Institution]
) -> None:
    """Count the problems found in the year, as they stood on its last day; withdrawn ones do not count."""
    day = last_day(year)
    problems = (
        Problem.objects.filter(
            supervisor=unit,
            institution__in=[one.pk for one in institutions.values()],
            found_on__range=(date(year, 1, 1), day),
        )
        .exclude(rectification__status=Rectification.Status.WITHDRAWN)
        .order_by()
        .values_list(
            "institution__code",
            "severity",
            "recurs_from",
            "rectification__due",
            "rectification__closed_at",
        )
    )
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for code, severity, recurs, due, closed_at in problems:
        own = counts[code]
        own["严重"] += severity != Severity.MINOR
        own["反弹"] += recurs is not None
        closed = None if closed_at is None else closed_at.astimezone(clock.SHANGHAI).date()
        if due is None:
            continue
        late = min(closed or day, day) > due
        own["逾期"] += late
        own["未销号"] += not late and (closed is None or closed > day)
    parts.daily = {
        code: {word: own[word] for word in rules.DAILY_WORDS if own[word]}
        for code, own in counts.items()
    }


def _read_surveys(
    parts: Parts, unit: Institution, year: int, institutions: Mapping[str, Institution]
) -> None:
    rows = (
        ResidentSurvey.objects.filter(
            visit__supervisor=unit,
            visit__institution__in=[one.pk for one in institutions.values()],
            visit__visited_on__year=year,
            visit__status__in=("submitted", "objected", "confirmed"),
        )
        .order_by()
        .values("visit__institution__code")
        .annotate(
            used=Count("pk", filter=Q(satisfaction__in=USED)),
            satisfied=Count("pk", filter=Q(satisfaction__in=SATISFIED)),
        )
    )
    parts.surveys = {
        row["visit__institution__code"]: (row["used"], row["satisfied"]) for row in rows
    }
