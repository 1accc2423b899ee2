"""The asking side of a capability review: the county reviews every clause, the city checks drawn ones again, the province confirms.

严格活动标准，规范开展核查，不盲目追求数量: what a check finds worse takes the level down, and the explanation names the clause.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F

from institutions import audit, clock
from institutions.models import Post
from institutions.notifying import notify, posts_at
from institutions.workflow import Side, StaleState
from scoring.capability import Standing, lower, stand_of
from scoring.capability_filling import RECHECKED, REVIEWED, hold, lines_of, note_step, put
from scoring.models import (
    CapabilityDraw,
    CapabilityLine,
    CapabilityReview,
    CapabilityRound,
    ReviewLevel,
)
from scoring.models.capability import FILL, REVIEW, Grade
from supervision import drawing, recusing
from supervision.lots import PROFESSIONS
from supervision.models import Expert

Status = CapabilityReview.Status
# On which side of the lines a state is judged.
SIDES: dict[str, Mapping[str, str]] = {Status.APPLIED: REVIEWED, Status.CHECKING: RECHECKED}
RANK = {"A": 0, "B": 1, "C": 2, "D": 3, "N": 3}


def may_judge(review: CapabilityReview, post: Post) -> bool:
    """Say whether `post` grades clauses of this review now."""
    return (
        review.status in SIDES
        and review.round.is_open
        and post.has_perm(REVIEW)
        and review.stands_on(Side.ASKS, post)
    )


def to_judge(review: CapabilityReview, lines: Sequence[CapabilityLine]) -> list[CapabilityLine]:
    """Return the clauses that are up: all of them for the county, the drawn ones for the city."""
    return [x for x in lines if x.drawn] if review.status == Status.CHECKING else list(lines)


def worse(grade: str, than: str) -> bool:
    """Say whether one grade is worse than another; 不适用 against a grade counts as worse, both ways."""
    if not grade or not than or grade == than:
        return False
    return Grade.NONE in (grade, than) or RANK[grade] > RANK[than]


def judge_line(
    line: CapabilityLine, values: Mapping[str, Any], *, by: Post, version: int
) -> Standing:
    """Save the reviewer's grade of one clause; a worse one than stood there needs its reason.

    Raises PermissionDenied, ValidationError, StaleState (moved on, or somebody was quicker).
    """
    if not (by.has_perm(REVIEW) and line.review.stands_on(Side.ASKS, by)):
        raise PermissionDenied("条款由审核方评定")
    with transaction.atomic():
        held = hold(line.review_id, frozenset(SIDES))
        side = SIDES[held.status]
        if side is RECHECKED and not line.drawn:
            raise ValidationError("这一条没有抽中复核")
        before = line.grade if side is REVIEWED else line.review_grade
        if worse(values["grade"], before) and not values["note"].strip():
            raise ValidationError(f"与原来的等级（{before}）不同，请写明理由")
        put(line, {side[name]: value for name, value in values.items()}, version=version)
        return stand_of(held, lines_of(held), "review_grade" if side is REVIEWED else "reviewed")


def adopt(review: CapabilityReview, *, by: Post, version: int) -> int:
    """Take the unit's own grade over for every clause the county has not graded yet; returns how many."""
    if not (by.has_perm(REVIEW) and review.stands_on(Side.ASKS, by)):
        raise PermissionDenied("条款由审核方评定")
    with transaction.atomic():
        held = hold(review.pk, frozenset({Status.APPLIED}))
        if held.version != version:
            raise StaleState(held, version)
        open_lines = held.lines.filter(review_grade="").exclude(grade="")
        return open_lines.update(review_grade=F("grade"), version=F("version") + 1)


# --- The county ------------------------------------------------------------------------------------


def pass_on(review: CapabilityReview, *, by: Post, version: int, note: str) -> None:
    """The county lets it through with the level its own grades reach, at most the one applied for.

    Raises ValidationError with what is missing when they do not reach 基本标准.
    """
    with transaction.atomic():
        standing = stand_of(review, lines_of(review), "review_grade")
        level = lower(review.applied_level or ReviewLevel.BELOW, standing.level)
        if level == ReviewLevel.BELOW and review.may("pass_on", by) and not _ungraded(review):
            missing = "；".join(standing.missing.get(ReviewLevel.BASIC, []))
            raise ValidationError(f"按审核等级未达到基本标准，不能通过，还差：{missing}")
        explained = "" if level == review.applied_level else _lost(review.applied_level, standing)
        review._move(
            "pass_on",
            by=by,
            version=version,
            note=note,
            review_level=level,
            explanation=explained,
            data={"level": level},
        )
        note_step(review, "审核通过", by=by, level=level, opinion=_joined(note, explained))
        _tell(review, f"审核通过：{ReviewLevel(level).label}")
        if review.supervisor_id == review.round.institution_id:
            # 市属单位同进度开展: who runs the round reviewed it itself, and has nobody to report it to before its recheck.
            review._move("hand_up", by=by, version=review.version)


def _ungraded(review: CapabilityReview) -> bool:
    return review.lines.filter(review_grade="").exists()


def send_back(review: CapabilityReview, *, by: Post, version: int, note: str) -> None:
    with transaction.atomic():
        review._move("send_back", by=by, version=version, note=note)
        note_step(review, "退回机构", by=by, opinion=note)
        _tell(review, "申请被退回，请按意见修改后重新申请")


def fail(review: CapabilityReview, *, by: Post, version: int, note: str) -> None:
    """The county finds the unit below 基本标准; only where its grades say so."""
    with transaction.atomic():
        standing = stand_of(review, lines_of(review), "review_grade")
        if standing.reaches(ReviewLevel.BASIC) and review.may("fail", by):
            raise ValidationError("按审核等级已达到基本标准，请审核通过或退回")
        explained = _lost(ReviewLevel.BASIC, standing)
        review._move(
            "fail",
            by=by,
            version=version,
            note=note,
            review_level=ReviewLevel.BELOW,
            level=ReviewLevel.BELOW,
            level_on=clock.today(),
            explanation=explained,
        )
        note_step(
            review,
            "认定未达标",
            by=by,
            level=ReviewLevel.BELOW,
            opinion=_joined(note, explained),
        )
        _tell(review, "认定为未达到基本标准")


def reopen(review: CapabilityReview, *, by: Post, version: int, note: str) -> None:
    """Take a unit that was found below up again: it puts right what is missing and applies anew."""
    if not review.round.is_open:
        raise ValidationError("本年度活动已经结束")
    with transaction.atomic():
        review._move(
            "reopen",
            by=by,
            version=version,
            note=note,
            level="",
            level_on=None,
            supervisor=review.institution.bureau,
        )
        note_step(review, "重新受理", by=by, opinion=note)
        _tell(review, "已重新受理，请补齐后再次申请")


def _lost(level: str, standing: Standing) -> str:
    missing = "；".join(standing.missing.get(ReviewLevel(level), []))
    return f"未达到{ReviewLevel(level).label}：{missing}" if missing else ""


def _joined(*words: str) -> str:
    return "\n".join(word for word in words if word)


def _tell(review: CapabilityReview, text: str) -> None:
    notify(
        posts_at([review.institution_id], FILL),
        f"{review.round.year}年能力评审{text}",
        url=review.get_absolute_url(),
    )


# --- Lots ------------------------------------------------------------------------------------------


def draw_clauses(
    review: CapabilityReview,
    *,
    seed: str,
    share: int,
    by: Post,
    version: int,
    size: int = 0,
    professions: Sequence[str] = (),
    note: str = "",
) -> CapabilityDraw:
    """Draw the clauses to check again: every core clause, and of each chapter's others `share` per cent by lot (E31).

    After a level has been confirmed this is a spot check (E32) and needs its occasion (`note`). With `size` a team of so
    many experts is drawn as well, holding `professions`, without those who must not visit the unit (E33). Raises
    PermissionDenied, StaleState, ValidationError (what is missing).
    """
    if not review.round.is_open:
        raise ValidationError("本年度活动已经结束")
    spot = review.status in CapabilityReview.MOVES["spot_check"].sources
    with transaction.atomic():
        review._move(
            "spot_check" if spot else "draw",
            by=by,
            version=version,
            note=note,
            data={"seed": seed, "share": share},
        )
        lines = [x for x in lines_of(review) if x.review_grade != Grade.NONE]
        core = sorted(line.clause.code for line in lines if line.clause.core)
        units = [
            drawing.Unit(x.clause.code, x.clause.name, x.clause.code.partition(".")[0])
            for x in lines
            if not x.clause.core
        ]
        ask = drawing.Ask(strata="kind", mode="share", amount=share)
        row = _keep(
            review.round,
            CapabilityDraw.Kind.CLAUSES,
            review=review,
            seed=seed,
            units=units,
            ask=ask,
            by=by,
            note=note,
            fixed=core,
        )
        taken = set(core) | set(drawn_codes(row))
        review.lines.update(drawn=False)
        review.lines.filter(clause__code__in=taken).update(
            drawn=True, recheck_grade="", recheck_note="", version=F("version") + 1
        )
        if size:
            _draw_team(review, seed=seed, size=size, professions=professions, by=by)
        label = "抽查复核" if spot else "抽取复核条款"
        note_step(review, label, by=by, opinion=_joined(note, f"共 {len(taken)} 条"))
    return row


def _draw_team(
    review: CapabilityReview, *, seed: str, size: int, professions: Sequence[str], by: Post
) -> CapabilityDraw:
    bureau = review.round.institution
    experts = list(
        Expert.objects.filter(bureau=bureau, active=True)
        .select_related("employer", "post__institution", "post__user")
        .order_by("code")
    )
    barred = recusing.barred(experts, [review.institution], bureau, clock.today())
    people = [
        drawing.Person(x.code, x.title, tuple(x.profession_list), barred[x.code]) for x in experts
    ]
    unit = drawing.Unit(review.institution.code, review.institution.known_as)
    ask = drawing.Ask(teams=1, size=size, professions=tuple(professions))
    return _keep(
        review.round,
        CapabilityDraw.Kind.TEAM,
        review=review,
        seed=seed,
        units=[unit],
        people=people,
        ask=ask,
        by=by,
    )


def draw_units(
    round: CapabilityRound, *, seed: str, amount: int, by: Post, note: str
) -> list[CapabilityReview]:
    """Draw `amount` units of those confirmed for a spot check; their clauses are drawn with the same seed (E32)."""
    if not by.has_perm(REVIEW) or not by.acts_for(round.institution_id):
        raise PermissionDenied("抽查复核由组织活动的行政部门进行")
    if not note.strip():
        raise ValidationError("请写明抽查的事由")
    with transaction.atomic():
        reviews = {
            review.institution.code: review
            for review in round.reviews.filter(status__in=(Status.CONFIRMED, Status.FINAL))
            .select_related("institution", "supervisor", "round__institution", "standard")
            .order_by("institution__code")
        }
        units = [
            drawing.Unit(code, review.institution.known_as) for code, review in reviews.items()
        ]
        row = _keep(
            round,
            CapabilityDraw.Kind.UNITS,
            seed=seed,
            units=units,
            ask=drawing.Ask(mode="number", amount=amount),
            by=by,
            note=note,
        )
        drawn = [reviews[code] for code in drawn_codes(row)]
        for review in drawn:
            draw_clauses(
                review, seed=seed, share=round.share, by=by, version=review.version, note=note
            )
        audit.record(
            "scoring.capabilityround.draw",
            "抽取抽查机构",
            by=by,
            bureau=round.bureau_id,
            on=round,
            institution=round.institution,
            note=note,
            data={"seed": seed, "digest": row.digest, "units": len(drawn)},
        )
    return drawn


def _keep(
    round: CapabilityRound,
    kind: str,
    *,
    seed: str,
    units: Sequence[drawing.Unit],
    ask: drawing.Ask,
    by: Post,
    people: Sequence[drawing.Person] = (),
    review: CapabilityReview | None = None,
    note: str = "",
    fixed: Sequence[str] = (),
) -> CapabilityDraw:
    """Draw and keep all that is needed to draw again."""
    try:
        drawn = drawing.draw(seed, units, people, ask, words=PROFESSIONS)
    except drawing.Impossible as impossible:
        raise ValidationError(impossible.reasons[:8]) from impossible
    pools = {**drawing.pools_of(units, people), "fixed": list(fixed)}
    asked, result = drawing.ask_of(ask), drawing.result_of(drawn)
    before = CapabilityDraw.objects.filter(round=round, review=review, kind=kind).count()
    return CapabilityDraw.objects.create(
        round=round,
        review=review,
        kind=kind,
        number=before + 1,
        seed=seed,
        pools=pools,
        ask=asked,
        result=result,
        digest=drawing.digest_of(seed, pools, asked, result),
        reason=note[:300],
        author=by,
    )


def drawn_codes(row: CapabilityDraw) -> list[str]:
    return [code for stratum in row.result["strata"] for code in stratum["drawn"]]


def check_draw(row: CapabilityDraw) -> str:
    """Draw again from the record and return what does not agree, in Chinese; nothing when all of it does."""
    if drawing.digest_of(row.seed, row.pools, row.ask, row.result) != row.digest:
        return "记录内容与摘要不符：保存后被改动过"
    try:
        again = drawing.replay(row.seed, row.pools, row.ask)
    except (drawing.Impossible, KeyError, TypeError, ValueError):
        return "按记录的种子和范围无法重新抽取"
    return "" if again == row.result else "按同一种子重新抽取，结果与记录不同"


# --- The city and the province -----------------------------------------------------------------------


def finish_recheck(review: CapabilityReview, *, by: Post, version: int, note: str) -> None:
    """The recheck is over: the level that all grades reach now, at most the county's; lost levels are explained by clause (E31)."""
    with transaction.atomic():
        lines = lines_of(review)
        standing = stand_of(review, lines, "reviewed")
        before = review.level or review.review_level or ReviewLevel.BELOW
        level = lower(before, standing.level)
        explained = "" if level == before else explain_loss(before, level, standing, lines)
        name = "decline" if level == ReviewLevel.BELOW else "confirm"
        review._move(
            name,
            by=by,
            version=version,
            note=note,
            level=level,
            level_on=clock.today(),
            handed_up_on=None,
            explanation=explained,
            data={"level": level, "before": before},
        )
        note_step(review, "市级复核", by=by, level=level, opinion=_joined(note, explained))
        _tell(review, f"复核结果：{ReviewLevel(level).label}")


def explain_loss(
    before: str, level: str, standing: Standing, lines: Sequence[CapabilityLine]
) -> str:
    """Say by which clauses a level was lost: what the check graded worse, and what the level lacks since."""
    found = [
        f"{x.clause.code} {x.clause.name}（审核 {x.review_grade}，复核 {x.recheck_grade}）"
        for x in lines
        if worse(x.recheck_grade, x.review_grade)
    ]
    missing = standing.missing.get(ReviewLevel(before), [])
    if before == ReviewLevel.RECOMMENDED and level == ReviewLevel.BELOW:
        missing = standing.missing.get(ReviewLevel.BASIC, [])
    parts = [f"由{ReviewLevel(before).label}改为{ReviewLevel(level).label}"]
    if found:
        parts.append(f"复核降级的条款：{'、'.join(found)}")
    if missing:
        parts.append(f"还差：{'；'.join(missing)}")
    return "。".join(parts)


def certify(
    review: CapabilityReview, *, level: str, on: date, by: Post, version: int, note: str
) -> None:
    """Enter what the province decided, with its day and opinion; it may take the level down."""
    if level not in ReviewLevel.values:
        raise ValidationError("请选择省级认定的等次")
    if on > clock.today() or (review.handed_up_on and on < review.handed_up_on):
        raise ValidationError("省级认定日期应在上报之后、今天以前")
    with transaction.atomic():
        explained = review.explanation
        if level != review.level:
            was, now = ReviewLevel(review.level or ReviewLevel.BELOW), ReviewLevel(level)
            explained = f"省级认定由{was.label}改为{now.label}：{note}"
        review._move(
            "certify",
            by=by,
            version=version,
            note=note,
            level=level,
            level_on=on,
            explanation=explained,
            data={"level": level},
        )
        note_step(review, "省级认定", by=by, level=level, opinion=note, on=on)
        _tell(review, f"省级认定：{ReviewLevel(level).label}")
