"""The register of a year's activity: who takes part, who has not begun, the lists reported up, the targets, the end of the year."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q

from campaigns.models import Contribution, Standard, Target
from institutions import audit, clock
from institutions.models import Institution, Post
from institutions.notifying import notify, posts_at
from scoring.capability import level_of, required_ids
from scoring.capability_filling import standard_for
from scoring.models import (
    CapabilityReport,
    CapabilityReview,
    CapabilityRound,
    ReviewLevel,
)
from scoring.models.capability import CHANGE, FILL, REVIEW

Status = CapabilityReview.Status
REACHED = (ReviewLevel.BASIC, ReviewLevel.RECOMMENDED)
REPORT = "scoring.report_capability"
COLUMNS = (
    "机构代码",
    "机构名称",
    "机构类别",
    "自评开始",
    "自查完成",
    "自评等次",
    "列入整改问题数",
    "申请等次",
    "审核等次",
    "认定等次",
    "状态",
)


# --- Setting up -------------------------------------------------------------------------------------


def save_round(round: CapabilityRound, standards: Sequence[Standard], *, by: Post) -> None:
    """Set up or change a year's activity; new dates are reminded of anew. Raises PermissionDenied, ValidationError."""
    if not by.has_perm(CHANGE) or not by.institution.is_bureau:
        raise PermissionDenied("活动由卫生健康行政部门组织")
    new = round.pk is None
    if not new and not by.acts_for(round.institution_id):
        raise PermissionDenied("活动由组织它的行政部门维护")
    if not new and not round.is_open:
        raise ValidationError("本年度活动已经结束，不能再改")
    kinds = [kind for standard in standards for kind in standard.kinds]
    if len(set(kinds)) != len(kinds):
        raise ValidationError("同一机构类别只能选一个标准")
    try:
        with transaction.atomic():
            if new:
                round.institution = round.supervisor = by.institution
                round.author = by
            elif _used_standards(round) - {standard.pk for standard in standards}:
                raise ValidationError("已有机构按原标准自评，不能换掉")
            round.save()
            round.standards.set(standards)
            audit.record(
                "scoring.capabilityround.save",
                "建立活动年度" if new else "修改活动年度",
                by=by,
                bureau=round.bureau_id,
                on=round,
                institution=round.institution,
                data={
                    "self_due": str(round.self_due),
                    "recheck_due": str(round.recheck_due),
                    "standards": [standard.code for standard in standards],
                },
            )
            if new:
                notify(
                    posts_at(required_ids(round), FILL),
                    f"请参加{round.name}，开始自评",
                    url=round.get_absolute_url(),
                )
    except IntegrityError as error:
        raise ValidationError("本单位这一年度的活动已经建立") from error


def _used_standards(round: CapabilityRound) -> set[int]:
    return set(round.reviews.order_by().values_list("standard", flat=True))


def close(round: CapabilityRound, *, by: Post, version: int) -> int:
    """End the year; returns how many are found below because they have no level by now.

    Whoever had to take part and neither has a confirmed level now nor had one before is below (对未达到基本标准及以上的…).
    Raises ValidationError while a review is still with the county or the city.
    """
    waiting = round.reviews.filter(
        status__in=(Status.APPLIED, Status.PASSED, Status.REPORTED, Status.CHECKING)
    ).select_related("institution")
    if names := [review.institution.known_as for review in waiting[:20]]:
        raise ValidationError(f"还有评审没有办结：{'、'.join(names)}")
    with transaction.atomic():
        required = required_ids(round)
        levels = level_of(required, round.year)
        below = {pk for pk in required if levels.get(pk) not in REACHED}
        settled: dict[str, Any] = {
            "status": Status.BELOW,
            "level": ReviewLevel.BELOW,
            "level_on": clock.today(),
            "explanation": f"{round.name}结束时没有达到基本标准",
        }
        open_reviews = round.reviews.exclude(status__in=CapabilityReview.SETTLED)
        changed = open_reviews.filter(institution__in=below).update(
            **settled, version=F("version") + 1
        )
        there = set(round.reviews.values_list("institution", flat=True))
        missing = [
            CapabilityReview(
                round=round,
                institution=unit,
                bureau_id=cast(int, unit.bureau_id),
                supervisor=round.institution,
                author=by,
                standard=standard,
                **settled,
            )
            for unit in Institution.objects.filter(pk__in=below - there).order_by("code")
            if (standard := standard_for(round, unit)) is not None
        ]
        CapabilityReview.objects.bulk_create(missing, batch_size=500)
        count = changed + len(missing)
        round._move(
            "close",
            by=by,
            version=version,
            data={"below": count, "digest": audit.digest(sorted(below))},
        )
    return count


# --- Who takes part ---------------------------------------------------------------------------------


@dataclass
class Area:
    """One county of the register, or the units that stand directly below who runs it."""

    bureau: Institution
    required: int = 0
    begun: int = 0
    done: int = 0
    applied: int = 0
    reached: int = 0
    missing: list[Institution] = field(default_factory=list)
    report: CapabilityReport | None = None


def areas(round: CapabilityRound, post: Post, required: Collection[int]) -> list[Area]:
    """Return the register by county as far as `post` sees it, each with who has not begun; three queries.

    `required` are the ids of who must take part.
    """
    units = (
        Institution.objects.visible_to(post)
        .filter(pk__in=required)
        .select_related("bureau")
        .order_by("code")
    )
    reviews = {
        review.institution_id: review
        for review in CapabilityReview.objects.visible_to(post).filter(round=round)
    }
    reports: dict[int, CapabilityReport] = {}
    for report in CapabilityReport.objects.visible_to(post).filter(round=round).order_by("number"):
        reports[report.institution_id] = report
    found: dict[int, Area] = {}
    for unit in units:
        bureau = unit.bureau
        if bureau is None:
            continue
        area = found.setdefault(bureau.pk, Area(bureau, report=reports.get(bureau.pk)))
        area.required += 1
        review = reviews.get(unit.pk)
        if review is None:
            area.missing.append(unit)
            continue
        area.begun += 1
        area.done += review.done_on is not None
        area.applied += review.applied_on is not None
        area.reached += review.is_settled and review.level in REACHED
    return sorted(found.values(), key=lambda area: area.bureau.path)


# --- Reporting up -----------------------------------------------------------------------------------


def may_report(round: CapabilityRound, post: Post) -> bool:
    """Say whether the post's bureau has a list to hand up: its county's, or that of who runs the round."""
    return (
        post.has_perm(REPORT)
        and post.institution.is_bureau
        and post.institution.path.startswith(round.institution.path)
        and round.is_open
    )


def reported_by(rounds: Sequence[CapabilityRound]) -> dict[int, set[int]]:
    """Return for each round (by id) the bureaus that have handed a list up; one query."""
    found: dict[int, set[int]] = {round.pk: set() for round in rounds}
    rows = CapabilityReport.objects.filter(round__in=list(found)).values_list(
        "round", "institution"
    )
    for round, bureau in rows:
        found[round].add(bureau)
    return found


def deadlines_met(
    round: CapabilityRound, post: Post, reported: set[int], own: CapabilityReview | None
) -> tuple[bool, bool]:
    """Say whether the two deadlines are met as far as they are the post's: by the unit's own self-check or a list handed up."""
    over = round.institution_id in reported
    done = own is not None and own.done_on is not None
    return done or over or post.institution.bureau_id in reported, over


def reported_units(round: CapabilityRound, bureau: Institution) -> list[list[Any]]:
    """Return the table of a list: who must take part below `bureau`, and who does so freely; who has not begun is there too."""
    reviews = {
        review.institution_id: review
        for review in round.reviews.filter(institution__path__startswith=bureau.path)
        .select_related("institution")
        .annotate(problems=Count("lines", filter=Q(lines__problem__isnull=False)))
    }
    units = Institution.objects.filter(path__startswith=bureau.path).filter(
        pk__in=required_ids(round) | set(reviews)
    )
    return [_row(unit, reviews.get(unit.pk)) for unit in units.order_by("code")]


def _row(unit: Institution, review: Any) -> list[Any]:
    head = [unit.code, unit.name, str(unit.get_kind_display())]
    if review is None:
        return [*head, "", "", "", 0, "", "", "", "未开始"]
    return [
        *head,
        str(review.started_on or ""),
        str(review.done_on or ""),
        str(review.get_self_level_display()),
        review.problems,
        str(review.get_applied_level_display()),
        str(review.get_review_level_display()),
        str(review.get_level_display()),
        str(review.get_status_display()),
    ]


def hindrances(round: CapabilityRound, bureau: Institution) -> list[str]:
    """Return what must be finished before `bureau` reports: a county its reviews, who runs the round its rechecks."""
    owner = bureau.pk == round.institution_id
    wanted = {Status.APPLIED: "还没有审核"}
    if owner:
        wanted |= {
            Status.PASSED: "县级审核通过后还没有上报",
            Status.REPORTED: "还没有复核",
            Status.CHECKING: "复核还没有完成",
        }
    rows = round.reviews.filter(
        status__in=list(wanted), institution__path__startswith=bureau.path
    ).select_related("institution")
    return [
        f"{review.institution.known_as}：{wanted[Status(review.status)]}"
        for review in rows.order_by("institution__code")
    ]


def report_up(round: CapabilityRound, *, by: Post, opinion: str) -> CapabilityReport:
    """Hand a dated list up (E23): a county to who runs the round (E29), that one to the province (E30).

    What a county has passed is with the city from then on; what the city has confirmed waits for the province. Raises
    PermissionDenied, ValidationError naming what is unfinished.
    """
    if not may_report(round, by):
        raise PermissionDenied("名单由县（区）和组织活动的行政部门上报")
    bureau = by.institution
    owner = bureau.pk == round.institution_id
    if left := hindrances(round, bureau):
        raise ValidationError(["不能上报，请先办结：", *left[:20]])
    with transaction.atomic():
        today = clock.today()
        below = round.reviews.select_related("institution", "supervisor", "round__institution")
        if owner:
            below.filter(status=Status.CONFIRMED).update(handed_up_on=today)
        else:
            for review in below.filter(status=Status.PASSED, supervisor=bureau):
                review._move("hand_up", by=by, version=review.version, supervisor=round.institution)
        rows = reported_units(round, bureau)
        report = CapabilityReport.objects.create(
            round=round,
            institution=bureau,
            number=round.reports.filter(institution=bureau).count() + 1,
            reported_on=today,
            author=by,
            opinion=opinion,
            rows=rows,
            digest=audit.digest(rows),
        )
        audit.record(
            "scoring.capabilityround.report",
            "上报名单",
            by=by,
            bureau=bureau.bureau_id,
            on=report,
            institution=bureau,
            note=opinion,
            data={"rows": len(rows), "digest": report.digest},
        )
        if not owner:
            notify(
                posts_at([round.institution_id], REVIEW),
                f"{bureau.known_as}已上报自查情况和达标名单",
                url=report.get_absolute_url(),
            )
    return report


# --- Targets ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Aim:
    """A year's target beside what reviews have confirmed: in all, and by county where the paper names them."""

    target: Target
    reached: int
    parts: list[tuple[str, int, int]]  # county, at least, reached

    @property
    def met(self) -> bool:
        goal = self.target.goal or 0
        return self.reached >= goal and all(there >= least for _, least, there in self.parts)


def aims(round: CapabilityRound, post: Post) -> list[Aim]:
    """Return the targets of the round's campaign that count units, with the levels that have been confirmed (E07)."""
    if round.campaign_id is None:
        return []
    targets = (
        Target.objects.visible_to(post)
        .filter(campaign=round.campaign_id, kind__in=(Target.Kind.LEVEL, Target.Kind.COVERAGE))
        .prefetch_related("parts__bureau")
        .order_by("pk")
    )
    found = []
    for target in targets:
        units = list(
            Contribution.objects.filter(target=target).values_list("institution", "bureau")
        )
        levels = level_of((pk for pk, _ in units), round.year)
        wanted = REACHED if "推荐" not in target.level else (ReviewLevel.RECOMMENDED,)
        there = [bureau for pk, bureau in units if levels.get(pk) in wanted]
        parts = [
            (part.bureau.known_as, part.goal, there.count(part.bureau_id))
            for part in target.parts.all()
        ]
        found.append(Aim(target, len(there), parts))
    return found
