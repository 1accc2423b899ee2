"""Targets that add up across institutions: set by a bureau, reported with evidence, confirmed, added up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import cast

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from campaigns.models import Contribution, Target, TargetPart
from institutions import audit, clock
from institutions.models import Institution, Post, StoredFile
from institutions.notifying import notify, posts_at
from institutions.rounding import half_up, plain_text
from institutions.workflow import touch

CHANGE = "campaigns.change_target"
FILL = "campaigns.fill_target"
YEARS = 6


def save_target(
    target: Target,
    *,
    by: Post,
    institutions: Sequence[Institution],
    parts: Mapping[int, int | None] | None = None,
) -> None:
    """Set or change a target: each institution gets its contribution, those left out lose one not yet reported.

    `parts` maps the bureaus below to their share of the goal. Raises ValidationError for an institution that is left
    out though it has reported.
    """
    if not by.has_perm(CHANGE) or not by.acts_for(target.bureau_id):
        raise PermissionDenied("目标任务由下达的行政部门维护")
    with transaction.atomic():
        new = target.pk is None
        target.save()
        wanted = {unit.pk: unit for unit in institutions}
        has = {row.institution_id: row for row in Contribution.objects.filter(target=target)}
        gone = [row for pk, row in has.items() if pk not in wanted]
        if any(row.status != Contribution.Status.OPEN for row in gone):
            raise ValidationError("已经上报的单位不能取消")
        Contribution.objects.filter(pk__in=[row.pk for row in gone]).delete()
        fresh = [unit for pk, unit in wanted.items() if pk not in has]
        Contribution.objects.bulk_create(
            Contribution(
                target=target,
                institution=unit,
                supervisor=target.bureau,
                bureau_id=cast(int, unit.bureau_id),
                author=by,
            )
            for unit in fresh
        )
        target.parts.all().delete()
        TargetPart.objects.bulk_create(
            TargetPart(target=target, bureau_id=pk, goal=goal)
            for pk, goal in (parts or {}).items()
            if goal
        )
        audit.record(
            "campaigns.target.save",
            "下达目标任务" if new else "修改目标任务",
            by=by,
            bureau=target.bureau.bureau_id,
            on=target,
            data={
                "goal": str(target.goal),
                "institutions": len(wanted),
                "digest": audit.digest(sorted(unit.code for unit in institutions)),
            },
        )
        notify(
            posts_at([unit.pk for unit in fresh], FILL),
            f"新的目标任务：{target.name}",
            url=target.get_absolute_url(),
        )


def save(
    row: Contribution,
    *,
    by: Post,
    version: int,
    value: Decimal | None = None,
    per: Decimal | None = None,
    reached_on: date | None = None,
    text: str = "",
    files: Sequence[StoredFile] = (),
) -> None:
    """Keep what the institution has written so far. StaleState when it is no longer as `by` saw it."""
    if not by.has_perm(FILL) or not by.acts_for(row.institution_id):
        raise PermissionDenied("由填报单位填写")
    if reached_on is not None and reached_on > clock.today():
        raise ValidationError("达到日期不能在今天之后")
    with transaction.atomic():
        touch(row, version=version, editable=Contribution.EDITABLE)
        row.value, row.per, row.reached_on, row.text = value, per, reached_on, text
        row.save(update_fields=["value", "per", "reached_on", "text"])
        row.files.add(*files)


# --- Adding up ------------------------------------------------------------------------------------


@dataclass
class Group:
    """One area (a bureau's, where there are several, else a region): how much of its part is confirmed."""

    label: str
    done: Decimal
    goal: Decimal | None
    units: int

    @property
    def met(self) -> bool | None:
        return None if self.goal is None else self.done >= self.goal


@dataclass
class Progress:
    """How far a target is; only what is confirmed counts, `waiting` are reported and not yet confirmed."""

    done: Decimal
    goal: Decimal | None
    met: bool
    text: str
    groups: list[Group] = field(default_factory=list)
    missing: list[Contribution] = field(default_factory=list)
    waiting: int = 0
    years: list[tuple[int, int, int, str]] = field(default_factory=list)


def progress(target: Target, rows: Sequence[Contribution]) -> Progress:
    """Add up the contributions of a target (each with institution, its region and bureau)."""
    day = min(clock.today(), target.due)
    rows = [row for row in rows if row.institution.open_on(day)]
    groups = _groups(target, rows, day)
    done, goal = _amount(target, rows, day), target.goal
    if target.kind == Target.Kind.COVERAGE:
        goal = Decimal(len(rows))
    met = goal is not None and done >= goal and bool(rows)
    if target.kind == Target.Kind.RATIO:
        # The paper asks it of each: a strong unit does not make up for a weak one.
        met = bool(rows) and not _missing(target, rows, day)
    met = met and all(group.met is not False for group in groups)
    return Progress(
        done=done,
        goal=goal,
        met=met,
        text=_text(target, done, rows, day),
        groups=groups,
        missing=_missing(target, rows, day),
        waiting=sum(row.status == Contribution.Status.REPORTED for row in rows),
        years=_years(target, rows) if target.kind == Target.Kind.SHARE else [],
    )


def _reached(rows: Sequence[Contribution], day: date) -> int:
    return sum(row.reached_by(day) for row in rows)


def _amount(target: Target, rows: Sequence[Contribution], day: date) -> Decimal:
    """What the rows come to in the measure of the goal."""
    if target.kind == Target.Kind.SHARE:
        return half_up(Fraction(100 * _reached(rows, day), len(rows)), 2) if rows else Decimal(0)
    if target.counts_units:
        return Decimal(_reached(rows, day))
    confirmed = [row for row in rows if row.is_confirmed]
    value = sum((row.value or Decimal(0) for row in confirmed), Decimal(0))
    if target.kind == Target.Kind.COUNT:
        return value
    heads = sum((row.per or Decimal(0) for row in confirmed), Decimal(0))
    return half_up(Fraction(value) / Fraction(heads), 2) if heads else Decimal(0)


def _text(target: Target, done: Decimal, rows: Sequence[Contribution], day: date) -> str:
    if target.kind == Target.Kind.SHARE:
        return f"{plain_text(done)}%（{_reached(rows, day)}/{len(rows)}）"
    if target.kind == Target.Kind.COVERAGE:
        return f"{_reached(rows, day)}/{len(rows)}"
    return f"{plain_text(done)}{target.unit}"


def _missing(target: Target, rows: Sequence[Contribution], day: date) -> list[Contribution]:
    """Return the institutions that have not done their part yet."""
    if target.counts_units:
        return [row for row in rows if not row.reached_by(day)]
    if target.kind == Target.Kind.RATIO:
        return [
            row
            for row in rows
            if not row.is_confirmed or row.amount is None or row.amount < (target.goal or 0)
        ]
    return [row for row in rows if not row.is_confirmed]


def _groups(target: Target, rows: Sequence[Contribution], day: date) -> list[Group]:
    parts = {part.bureau_id: Decimal(part.goal) for part in target.parts.all()}
    by_bureau = bool(parts) or len({row.bureau_id for row in rows}) > 1
    found: dict[int | None, list[Contribution]] = {}
    for row in rows:
        key = row.bureau_id if by_bureau else row.institution.region_id
        found.setdefault(key, []).append(row)
    groups = []
    for key, members in found.items():
        first = members[0]
        place = first.institution.region
        label = first.bureau.known_as if by_bureau else place.name if place else "其他"
        goal = parts.get(key) if by_bureau and key is not None else None
        groups.append(Group(label, _amount(target, members, day), goal, len(members)))
    return groups


def _years(target: Target, rows: Sequence[Contribution]) -> list[tuple[int, int, int, str]]:
    """Return for each year to the deadline: reached by its end, open at its end, the share; denominators change."""
    years = range(max(target.starts.year, target.due.year - YEARS + 1), target.due.year + 1)
    found = []
    for year in years:
        if year > clock.today().year:
            break
        end = date(year, 12, 31)
        there = [row for row in rows if row.institution.open_on(end)]
        done = _reached(there, end)
        share = half_up(Fraction(100 * done, len(there)), 2) if there else None
        found.append((year, done, len(there), "—" if share is None else f"{plain_text(share)}%"))
    return found
