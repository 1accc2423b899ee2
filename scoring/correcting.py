"""Corrections after 定稿: a dated entry on one line that changes what the year counts, never the sheet itself."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Sum

from campaigns.rules import score
from institutions import audit
from institutions.models import Post
from institutions.notifying import notify, posts_at
from institutions.rounding import half_up
from scoring.models import Correction, Evaluation, ScoreLine, ScoreSection, ScoreSheet, YearResult
from scoring.sums import hold_sheet

CORRECT = "scoring.publish_evaluation"
ZERO = Decimal("0.00")


def may_correct(sheet: ScoreSheet, post: Post) -> bool:
    """Say whether `post` corrects final sheets of this supervisor: who publishes there."""
    return sheet.is_final and post.has_perm(CORRECT) and post.acts_for(sheet.supervisor_id)


def points_now(line: ScoreLine) -> Decimal:
    """Return what a line counts after its corrections."""
    last = Correction.objects.filter(line=line).order_by("-pk").first()
    return last.points_after if last else line.points or ZERO


def correct(
    line: ScoreLine,
    points: Decimal,
    *,
    by: Post,
    reason: str,
    seen: Decimal,
    origin: str = Correction.Origin.FOUND,
    ordered: bool = False,
) -> Correction:
    """Enter what a line of a final sheet counts from now on.

    `seen` is what it counted when the form was made; `ordered`: the body above the supervisor has already been found to
    have the right (`scoring.rechecking`). Raises PermissionDenied, and ValidationError: not final, the year
    is frozen, the person verified the line, points out of range, nothing changed, changed by another meanwhile.
    """
    sheet, points = line.sheet, half_up(points, 2)
    if not ordered and not (by.has_perm(CORRECT) and by.acts_for(sheet.supervisor_id)):
        raise PermissionDenied("定稿后的更正由督导方作出")
    with transaction.atomic():
        held = hold_sheet(sheet.pk, statuses=[ScoreSheet.Status.VERIFIED], row=sheet)
        if held.evaluation.status != Evaluation.Status.FINAL:
            raise ValidationError("评价还没有定稿，请在申诉期内按申诉办理，或重新核定")
        _refuse(line, points, by, reason)
        before = points_now(line)
        if before != seen:
            raise ValidationError(f"本条刚被更正为 {before} 分，请核对后再更正")
        if before == points:
            raise ValidationError("更正后的得分与现在相同")
        row = Correction.objects.create(
            bureau_id=held.bureau_id,
            institution=held.institution,
            item=line.section.item,
            line=line,
            origin=origin,
            points_before=before,
            points_after=points,
            reason=reason.strip(),
            author=by,
        )
        audit.record(
            "scoring.scoresheet.correct",
            row.get_origin_display(),
            by=by,
            bureau=held.bureau_id,
            on=held,
            institution=held.institution,
            before=str(before),
            after=str(points),
            note=f"{line.clause.code}：{reason.strip()}"[:500],
            data={"clause": line.clause.code, "origin": origin},
        )
        notify(
            posts_at([held.institution_id], "scoring.fill_sheet"),
            f"{held.evaluation.name} {line.clause.code} 定稿后更正：{before} → {points} 分",
            url=held.get_absolute_url(),
        )
    return row


def _refuse(line: ScoreLine, points: Decimal, by: Post, reason: str) -> None:
    if not reason.strip():
        raise ValidationError("请写明更正的理由")
    if line.points is None or line.full <= 0:
        raise ValidationError("不适用的条款没有得分可以更正")
    low = ZERO if not line.clause.below_zero else -line.full
    if not low <= points <= line.full:
        raise ValidationError(f"得分应在 {low} 到 {line.full} 之间")
    verifier = line.section.verifier
    if verifier and (verifier.pk == by.pk or (by.user_id and verifier.user_id == by.user_id)):
        raise ValidationError("本条由您核定，更正应由另一人作出")
    sheet = line.sheet
    frozen = YearResult.objects.filter(
        institution=sheet.institution_id, year=sheet.year, frozen_at__isnull=False
    )
    if frozen.exists():
        raise ValidationError(f"{sheet.year} 年终结果已定稿，评分不能再更正")


def shifts(sheets: Iterable[ScoreSheet]) -> tuple[dict[int, Decimal], dict[int, Decimal]]:
    """Return by how much corrections move sheets and sections, by id; one statement.

    Asked for by supervisor and year, since a whole province's sheets are too many to be named.
    """
    wanted = {sheet.pk: sheet for sheet in sheets}
    by_sheet: dict[int, Decimal] = {}
    by_section: dict[int, Decimal] = {}
    if not wanted:
        return by_sheet, by_section
    rows = (
        Correction.objects.filter(
            line__sheet__supervisor__in={sheet.supervisor_id for sheet in wanted.values()},
            line__sheet__year__in={sheet.year for sheet in wanted.values()},
        )
        .order_by()
        .values_list("line__sheet", "line__section")
        .annotate(before=Sum("points_before"), after=Sum("points_after"))
    )
    for sheet, section, before, after in rows:
        if sheet in wanted:
            by_sheet[sheet] = by_sheet.get(sheet, ZERO) + after - before
            by_section[section] = after - before
    return by_sheet, by_section


def correct_in_memory(sheets: Sequence[ScoreSheet]) -> dict[int, Decimal]:
    """Set points and score of final sheets to what they count; nothing is saved. Returns the shifts by section id."""
    by_sheet, by_section = shifts(sheets)
    if not by_sheet:
        return by_section
    # From the sections, since a sheet's own points were already kept from falling below 0.
    sections = ScoreSection.objects.filter(sheet__in=by_sheet).order_by()
    raw = dict(sections.values_list("sheet").annotate(Sum("points")))
    for sheet in sheets:
        if sheet.pk in by_sheet:
            sheet.points = max(raw.get(sheet.pk, ZERO) + by_sheet[sheet.pk], ZERO)
            sheet.score = score(sheet.points, sheet.full)
    return by_section


def corrections_of(sheet: ScoreSheet, post: Post) -> Iterable[Correction]:
    """Return the corrections of a sheet in sight, oldest first."""
    rows = Correction.objects.visible_to(post).filter(line__sheet=sheet)
    return rows.select_related("line__clause", "author__institution").order_by("pk")


def points_shifted(lines: Iterable[ScoreLine]) -> dict[int, Decimal]:
    """Return by id what lines count after their corrections; one statement."""
    now = {line.pk: line.points or ZERO for line in lines}
    rows = Correction.objects.filter(line__in=list(now)).order_by("pk")
    now.update(rows.values_list("line", "points_after"))
    return now
