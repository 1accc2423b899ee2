"""The unit's side of a capability review: to begin, to grade clause by clause, to complete, to apply, to put right."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, cast

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F

from campaigns.models import Standard
from institutions import audit, clock
from institutions.models import Institution, Post, StoredFile
from institutions.notifying import notify, posts_at
from institutions.workflow import StaleState
from scoring.capability import (
    Standing,
    earliest_application,
    referred_kinds,
    required_ids,
    stand_of,
)
from scoring.models import (
    CapabilityLine,
    CapabilityReview,
    CapabilityRound,
    CapabilityStep,
    ReviewLevel,
)
from scoring.models.capability import FILL, REVIEW, Grade
from supervision import handing_out
from supervision.models import Problem
from supervision.models.problem import Source

# What a side of a line keeps: the name on the form → the model's field.
SELF = {"grade": "grade", "note": "note", "flagged": "flagged"}
REVIEWED = {"grade": "review_grade", "note": "review_note"}
RECHECKED = {"grade": "recheck_grade", "note": "recheck_note"}


def standard_for(round: CapabilityRound, institution: Institution) -> Standard | None:
    """Return the edition that a unit is measured by: of its kind, or of the kind it refers to."""
    kinds = referred_kinds(institution)
    for standard in round.standards.order_by("code"):
        if kinds & set(standard.kinds):
            return standard
    return None


def may_start(round: CapabilityRound, post: Post) -> bool:
    """Say whether `post` may begin for its unit: below who runs the round, with a standard, not begun yet."""
    unit = post.institution
    return (
        round.is_open
        and post.has_perm(FILL)
        and not unit.is_bureau
        and unit.path.startswith(round.institution.path)
        and unit.open_on(clock.today())
        and standard_for(round, unit) is not None
        and not CapabilityReview.objects.filter(round=round, institution=unit).exists()
    )


def start(round: CapabilityRound, *, by: Post) -> CapabilityReview:
    """Begin the self-evaluation today: the date is the system's. Raises PermissionDenied, ValidationError."""
    unit = by.institution
    if not by.has_perm(FILL) or not unit.path.startswith(round.institution.path):
        raise PermissionDenied("自评由参加活动的机构开展")
    if not round.is_open:
        raise ValidationError("本年度活动已经结束")
    standard = standard_for(round, unit)
    if standard is None or unit.is_bureau:
        raise ValidationError("本年度活动没有适用于本机构类别的能力标准")
    try:
        with transaction.atomic():
            review = CapabilityReview(
                round=round,
                institution=unit,
                supervisor_id=cast(int, unit.bureau_id),
                author=by,
                standard=standard,
                optional=unit.pk not in required_ids(round),
                started_on=clock.today(),
            )
            review.save()
            CapabilityLine.objects.bulk_create(
                CapabilityLine(review=review, clause=clause)
                for clause in standard.clauses.leaves().order_by("position")
            )
            audit.record(
                "scoring.capabilityreview.start",
                "开始自评",
                by=by,
                bureau=review.bureau_id,
                on=review,
                institution=unit,
                after=review.status,
                data={"standard": standard.code, "edition": standard.edition},
            )
    except IntegrityError as error:
        raise ValidationError("本机构已经开始自评") from error
    return review


def may_fill(review: CapabilityReview, post: Post) -> bool:
    return (
        post.has_perm(FILL)
        and post.acts_for(review.institution_id)
        and review.status in CapabilityReview.EDITABLE
        and review.round.is_open
    )


def hold(review_id: int, statuses: frozenset[str]) -> CapabilityReview:
    """Lock a review for writing to its lines; StaleState when it has moved on meanwhile."""
    held = (
        CapabilityReview.objects.select_for_update(of=("self",))
        .select_related("institution", "supervisor", "round", "standard")
        .get(pk=review_id)
    )
    if held.status not in statuses or not held.round.is_open:
        raise StaleState(held)
    return held


def put(line: CapabilityLine, fields: Mapping[str, Any], *, version: int) -> None:
    """Write a line under the version its author saw; StaleState when somebody was quicker."""
    seen = CapabilityLine.objects.filter(pk=line.pk, version=version)
    if not seen.update(**fields, version=F("version") + 1):
        raise StaleState(line, version)
    line.version = version + 1
    for name, value in fields.items():
        setattr(line, name, value)


def _refuse_stranger(line: CapabilityLine, by: Post) -> None:
    if not (by.has_perm(FILL) and by.acts_for(line.review.institution_id)):
        raise PermissionDenied("自评由本机构填写")


def fill_line(
    line: CapabilityLine, values: Mapping[str, Any], *, by: Post, version: int
) -> Standing:
    """Save the unit's grade of one clause; returns what all of them come to now.

    Raises PermissionDenied, ValidationError (不适用 without its reason), StaleState.
    """
    _refuse_stranger(line, by)
    if values["grade"] == Grade.NONE and not values["note"].strip():
        raise ValidationError("不适用的请在说明中写明原因")
    with transaction.atomic():
        held = hold(line.review_id, CapabilityReview.EDITABLE)
        put(line, {SELF[name]: value for name, value in values.items()}, version=version)
        return stand_of(held, lines_of(held))


def attach(line: CapabilityLine, stored: Sequence[StoredFile], *, by: Post, version: int) -> None:
    """Add evidence to a clause while the self-evaluation is open."""
    _refuse_stranger(line, by)
    with transaction.atomic():
        hold(line.review_id, CapabilityReview.EDITABLE)
        put(line, {}, version=version)
        line.files.add(*stored)


def detach(line: CapabilityLine, key: Any, *, by: Post, version: int) -> None:
    """Take one piece of evidence off a clause."""
    _refuse_stranger(line, by)
    with transaction.atomic():
        hold(line.review_id, CapabilityReview.EDITABLE)
        put(line, {}, version=version)
        line.files.remove(*line.files.filter(key=key))


def lines_of(review: CapabilityReview) -> list[CapabilityLine]:
    rows = CapabilityLine.objects.filter(review=review).select_related("clause__item")
    return list(rows.order_by("clause__position"))


# --- To complete and to apply ----------------------------------------------------------------------


def complete(review: CapabilityReview, *, by: Post, version: int) -> None:
    """The self-check is done: its date and level stand in the county's report to the city."""
    with transaction.atomic():
        standing = stand_of(review, lines_of(review))
        review._move(
            "complete",
            by=by,
            version=version,
            done_on=clock.today(),
            self_level=standing.level,
            data={"level": standing.level},
        )
        note_step(review, "完成自查", by=by, level=standing.level)


def resume(review: CapabilityReview, *, by: Post, version: int) -> None:
    review._move("resume", by=by, version=version, done_on=None, self_level="")


def may_apply(review: CapabilityReview, post: Post) -> bool:
    return review.round.is_open and review.may("apply", post)


def earliest(review: CapabilityReview) -> date:
    """Return the first day on which the review may apply; who never began would begin today."""
    started = review.started_on or clock.today()
    return earliest_application(started, review.round.months)


def why_not(review: CapabilityReview, standing: Standing, level: str) -> list[str]:
    """Return in Chinese what stands in the way of applying for a level today; nothing when it may be applied for."""
    reasons = []
    if not review.round.is_open:
        reasons.append("本年度活动已经结束")
    if (day := earliest(review)) > clock.today():
        reasons.append(
            f"自评须不少于{review.round.months}个月，{said(review.started_on or clock.today())}开始，"
            f"最早可申请日期：{said(day)}"
        )
    if standing.open:
        reasons.append(f"还有 {standing.open} 条没有评定等级")
    elif not standing.reaches(level):
        missing = "；".join(_all_missing(standing, level))
        reasons.append(f"自评未达到{ReviewLevel(level).label}，还差：{missing}")
    return reasons


def _all_missing(standing: Standing, level: str) -> list[str]:
    below = [ReviewLevel.BASIC] if level == ReviewLevel.RECOMMENDED else []
    rows = [what for one in [*below, level] for what in standing.missing.get(ReviewLevel(one), [])]
    return list(dict.fromkeys(rows)) or ["标准没有这一等次的达标规则"]


def apply(review: CapabilityReview, *, level: str, by: Post, version: int, note: str = "") -> None:
    """Apply for a level (E22). ValidationError names all that stands in the way, the earliest day above all (E20)."""
    if level not in (ReviewLevel.BASIC, ReviewLevel.RECOMMENDED):
        raise ValidationError("请选择申请的等次")
    if not review.may("apply", by):
        raise PermissionDenied("申请由机构负责人提出")
    with transaction.atomic():
        held = hold(review.pk, frozenset(CapabilityReview.Status.values))
        if held.status not in CapabilityReview.MOVES["apply"].sources or held.version != version:
            raise StaleState(held, version)
        standing = stand_of(held, lines_of(held))
        if reasons := why_not(held, standing, level):
            raise ValidationError(reasons)
        today = clock.today()
        held._move(
            "apply",
            by=by,
            version=version,
            note=note,
            author=by,
            applied_level=level,
            applied_on=today,
            self_level=standing.level,
            done_on=held.done_on or today,
            review_level="",
            explanation="",
            data={"level": level},
        )
        # A new application is looked at anew, on top of what was graded the last time.
        held.lines.update(drawn=False, recheck_grade="", recheck_note="")
        note_step(held, f"申请{ReviewLevel(level).label}", by=by, level=level, opinion=note)
        notify(
            posts_at([held.supervisor_id], REVIEW),
            f"{held.institution.known_as}申请{ReviewLevel(level).label}，请审核",
            url=held.get_absolute_url(),
        )


def note_step(
    review: CapabilityReview,
    label: str,
    *,
    by: Post,
    level: str = "",
    opinion: str = "",
    on: date | None = None,
) -> None:
    """Keep who judged what and when, in the transaction of the move."""
    CapabilityStep.objects.create(
        review=review, label=label, by=by, level=level, opinion=opinion, on=on or clock.today()
    )


def said(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


# --- To put right ----------------------------------------------------------------------------------


def to_put_right(lines: Sequence[CapabilityLine]) -> list[CapabilityLine]:
    """Return the clauses that may go into rectification: C, D or marked, and not there yet."""
    return [x for x in lines if not x.problem_id and (x.grade in ("C", "D") or x.flagged)]


def put_right(
    review: CapabilityReview, lines: Sequence[CapabilityLine], *, due: date, by: Post
) -> list[Problem]:
    """Hand out what was found in the self-evaluation as problems of the unit's own (自查), clause by clause, in one deed (E21).

    Raises PermissionDenied, ValidationError.
    """
    if not (by.has_perm(FILL) and by.acts_for(review.institution_id)):
        raise PermissionDenied("自查发现的问题由本机构列入整改")
    if due < clock.today():
        raise ValidationError("整改时限不能早于今天")
    with transaction.atomic():
        held = hold(review.pk, frozenset(CapabilityReview.Status.values))
        wanted = {line.pk for line in lines}
        chosen = [line for line in to_put_right(lines_of(held)) if line.pk in wanted]
        if not chosen:
            raise ValidationError("请选择要列入整改的条款")
        made = handing_out.hand_out(
            [_problem(held, line, due=due, by=by) for line in chosen], by=by
        )
        for line, problem in zip(chosen, made, strict=True):
            CapabilityLine.objects.filter(pk=line.pk).update(
                problem=problem, version=F("version") + 1
            )
    return made


def _problem(
    review: CapabilityReview, line: CapabilityLine, *, due: date, by: Post
) -> handing_out.NewProblem:
    graded = f"自评 {line.grade}" if line.grade else "自评发现薄弱环节"
    told = f"：{line.note}" if line.note else ""
    return handing_out.NewProblem(
        institution=review.institution,
        source=Source.SELF,
        year=review.round.year,
        text=f"{line.clause.code} {line.clause.name}（{graded}）{told}",
        found_on=clock.today(),
        due=due,
        item=line.clause.item,
        clause=line.clause,
        campaign=review.round.campaign,
        found_by=by,
        origin=f"能力标准自评 {review.round.year}年",
    )
