"""抽查复核 of a centre's evaluation of its clinics: sheets drawn by lot, clauses scored again, the deviation told.

The lots are those of `supervision.drawing`: the order follows from SHA-256 over the seed and the institution's code, so
that anybody can draw again. What was found never edits a sheet; the bureau may order a correction (`scoring.correcting`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from institutions import audit, clock
from institutions.models import Post
from institutions.notifying import notify, posts_at
from institutions.rounding import half_up
from scoring import correcting
from scoring.models import (
    Correction,
    Evaluation,
    Recheck,
    RecheckLine,
    ScoreLine,
    ScoreSheet,
)
from supervision import drawing
from supervision.lots import new_seed

RECHECK = "scoring.recheck_evaluation"
LABEL = "sheet"
ZERO = Decimal("0.00")


def may_recheck(evaluation: Evaluation, post: Post) -> bool:
    """Say whether `post` rechecks this evaluation: the bureau above the centre that evaluated."""
    unit = evaluation.supervisor
    return post.has_perm(RECHECK) and not unit.is_bureau and unit.parent_id == post.institution_id


def draw(evaluation: Evaluation, number: int, *, by: Post, seed: str = "") -> Recheck:
    """Draw so many sheets of a centre's published evaluation; the centre is told.

    Raises PermissionDenied, ValidationError (not published yet, not so many sheets).
    """
    if not may_recheck(evaluation, by):
        raise PermissionDenied("抽查复核由上级局进行")
    if not evaluation.is_shown:
        raise ValidationError("中心公布评价结果以后才能抽查复核")
    with transaction.atomic():
        sheets = {
            sheet.institution.code: sheet
            for sheet in evaluation.sheets.filter(status=ScoreSheet.Status.VERIFIED).select_related(
                "institution"
            )
        }
        if not 1 <= number <= len(sheets):
            raise ValidationError(
                f"这次评价有 {len(sheets)} 份已核定的评分表，请填 1 到 {len(sheets)}"
            )
        seed = seed or new_seed()
        order = drawing.in_order(seed, LABEL, sheets)[:number]
        row = Recheck.objects.create(
            bureau_id=evaluation.bureau_id,
            institution=evaluation.supervisor,
            evaluation=evaluation,
            seed=seed,
            pool=sorted(sheets),
            drawn=order,
            author=by,
        )
        row.sheets.set([sheets[code] for code in order])
        _tell_trail("draw", "抽取复核评分表", row, by, note="、".join(order))
        notify(
            posts_at([row.institution_id], "scoring.verify_sheet"),
            f"上级抽查复核：{evaluation.name}，抽中 {number} 份",
            url=row.get_absolute_url(),
        )
    return row


def replays(row: Recheck) -> bool:
    """Say whether drawing again from the record gives the same sheets."""
    return drawing.in_order(row.seed, LABEL, row.pool)[: len(row.drawn)] == row.drawn


def note_line(
    row: Recheck, line: ScoreLine, points: Decimal, *, by: Post, reason: str
) -> RecheckLine:
    """Keep what the bureau found for one clause; entered again it is replaced until a correction was ordered.

    Raises PermissionDenied, ValidationError: a sheet that was not drawn, points out of range, no words, corrected already.
    """
    _refuse_others(row, by)
    if not row.sheets.filter(pk=line.sheet_id).exists():
        raise ValidationError("这份评分表没有抽中")
    if line.points is None or line.full <= 0:
        raise ValidationError("不适用的条款不能复核得分")
    low = -line.full if line.clause.below_zero else ZERO
    if not low <= points <= line.full:
        raise ValidationError(f"复核得分应在 {low} 到 {line.full} 之间")
    if not reason.strip():
        raise ValidationError("请写明复核情况")
    with transaction.atomic():
        held = RecheckLine.objects.select_for_update().filter(recheck=row, line=line).first()
        if held is not None and held.correction_id:
            raise ValidationError("这一条已经责成更正，不能再改")
        found, _ = RecheckLine.objects.update_or_create(
            recheck=row,
            line=line,
            defaults={
                "points_before": correcting.points_now(line),
                "points": points,
                "reason": reason.strip(),
                "author": by,
                "at": clock.now(),
            },
        )
        _tell_trail(
            "note", "复核条款", row, by, note=f"{line.clause.code}：{line.points} / {points}"
        )
    return found


def feed_back(row: Recheck, *, by: Post) -> None:
    """Tell the centre what was found, once there is something; may be told again when more is found."""
    _refuse_others(row, by)
    with transaction.atomic():
        if not row.lines.exists():
            raise ValidationError("还没有复核任何条款")
        Recheck.objects.filter(pk=row.pk).update(told_at=clock.now())
        _tell_trail("feedback", "反馈复核结果", row, by, note=f"{row.lines.count()} 条")
        notify(
            posts_at([row.institution_id], "scoring.verify_sheet"),
            f"抽查复核结果已反馈：{row.evaluation.name}",
            url=row.get_absolute_url(),
        )


def order_correction(found: RecheckLine, *, by: Post) -> Correction:
    """Make the recheck's points count: a correction of the final sheet, with where it is from.

    Raises PermissionDenied, ValidationError (no difference, ordered already, not final, the year is frozen).
    """
    _refuse_others(found.recheck, by)
    with transaction.atomic():
        held = RecheckLine.objects.select_for_update().get(pk=found.pk)
        if held.correction_id:
            raise ValidationError("这一条已经责成更正")
        if not held.difference:
            raise ValidationError("复核得分与中心核定相同，不需要更正")
        made = correcting.correct(
            found.line,
            held.points,
            by=by,
            reason=f"抽查复核：{held.reason}"[:300],
            seen=held.points_before,
            origin=Correction.Origin.RECHECK,
            ordered=True,
        )
        RecheckLine.objects.filter(pk=held.pk).update(correction=made)
        notify(
            posts_at([found.recheck.institution_id], "scoring.verify_sheet"),
            f"上级责成更正：{found.line.clause.code} {held.points_before} → {held.points} 分",
            url=found.recheck.get_absolute_url(),
        )
    return made


def _refuse_others(row: Recheck, by: Post) -> None:
    if not may_recheck(row.evaluation, by):
        raise PermissionDenied("抽查复核由上级局进行")


def _tell_trail(verb: str, label: str, row: Recheck, by: Post, note: str) -> None:
    audit.record(
        f"scoring.recheck.{verb}",
        label,
        by=by,
        bureau=row.bureau_id,
        on=row,
        institution=row.institution,
        note=note[:500],
        data={"evaluation": row.evaluation_id, "seed": row.seed, "drawn": row.drawn},
    )


# --- Deviation --------------------------------------------------------------------------------------


@dataclass
class SheetDeviation:
    """One drawn sheet: the clauses looked at, and how far the centre's points lie above, in points and per cent."""

    sheet: ScoreSheet
    lines: list[RecheckLine] = field(default_factory=list)

    @property
    def before(self) -> Decimal:
        return sum((one.points_before for one in self.lines), ZERO)

    @property
    def found(self) -> Decimal:
        return sum((one.points for one in self.lines), ZERO)

    @property
    def full(self) -> Decimal:
        return sum((one.line.full for one in self.lines), ZERO)

    @property
    def difference(self) -> Decimal:
        return self.before - self.found

    @property
    def rate(self) -> Decimal | None:
        """The deviation in percentage points of the full marks looked at; None where nothing was."""
        return half_up(self.difference * 100 / self.full, 2) if self.full else None


def deviations(
    sheets: Sequence[ScoreSheet], lines: Sequence[RecheckLine]
) -> tuple[list[SheetDeviation], SheetDeviation | None]:
    """Return the deviation by sheet in the order given, and that of the centre as a whole (None: nothing yet)."""
    by_sheet = {sheet.pk: SheetDeviation(sheet) for sheet in sheets}
    for line in lines:
        by_sheet[line.line.sheet_id].lines.append(line)
    found = list(by_sheet.values())
    whole = SheetDeviation(sheets[0], list(lines)) if sheets and lines else None
    return found, whole
