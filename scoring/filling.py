"""The institution's side of a sheet: one line saved at a time, evidence, and the hand-in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from campaigns.rules import Outcome, RuleError, points
from institutions.models import Post, StoredFile
from institutions.notifying import notify, posts_at
from institutions.workflow import touch
from scoring.models import ScoreLine, ScoreSection, ScoreSheet
from scoring.policies import grade_shares
from scoring.sums import add_up, hold_sheet

# What a side of a line keeps: the name on the form → the model's field on either side.
SELF = {
    "numerator": "self_numerator",
    "denominator": "self_denominator",
    "entered": "self_entered",
    "deductions": "self_deductions",
    "grade": "self_grade",
    "genuine": "self_genuine",
    "checked": "self_checked",
    "na": "self_na",
    "note": "self_note",
}
VERIFIED = {
    "numerator": "numerator",
    "denominator": "denominator",
    "entered": "entered",
    "deductions": "deductions",
    "grade": "grade",
    "genuine": "genuine",
    "checked": "checked",
    "na": "na",
    "note": "reason",
}
BLANK = {"grade": "", "na": False, "note": ""}


@dataclass(frozen=True)
class Saved:
    """What a saved line answers: its outcome, and the sums of section and sheet."""

    outcome: Outcome
    version: int
    section: ScoreSection
    totals: Mapping[str, Decimal]


def outcome(
    line: ScoreLine, *, verified: bool, shares: Mapping[str, Decimal], strict: bool = False
) -> Outcome:
    """Score one side of a line by its clause; a contradiction in what is kept reads as 未评 unless `strict`."""
    clause = line.clause
    try:
        return points(
            clause.rule,
            line.figures if verified else line.self_figures,
            grade_shares=shares,
            numerator_name=clause.numerator_name or "分子",
            denominator_name=clause.denominator_name or "分母",
        )
    except RuleError as error:
        if strict:
            raise
        return Outcome(None, clause.full_marks, True, f"未评：{error.reason}")


def put(
    line: ScoreLine,
    side: Mapping[str, str],
    values: Mapping[str, Any],
    *,
    shares: Mapping[str, Decimal],
) -> Outcome:
    """Set one side of a line (unsaved) and score it; raises ValidationError with the Chinese reason."""
    for name, field in side.items():
        value = values.get(name)
        setattr(line, field, BLANK.get(name) if value is None else value)
    verified = side is VERIFIED
    try:
        scored = outcome(line, verified=verified, shares=shares, strict=True)
    except RuleError as error:
        raise ValidationError(error.reason) from error
    prefix = "" if verified else "self_"
    setattr(line, f"{prefix}points", scored.points)
    setattr(line, f"{prefix}full", scored.full_marks if scored.applicable else Decimal("0.00"))
    return scored


def stored_fields(side: Mapping[str, str]) -> list[str]:
    prefix = "" if side is VERIFIED else "self_"
    return [*side.values(), f"{prefix}points", f"{prefix}full"]


def may_fill(sheet: ScoreSheet, post: Post) -> bool:
    """Say whether `post` fills in this sheet now."""
    return (
        post.has_perm("scoring.fill_sheet")
        and post.acts_for(sheet.institution_id)
        and sheet.status in ScoreSheet.EDITABLE
        and sheet.evaluation.status == sheet.evaluation.Status.OPEN
    )


def fill_line(line: ScoreLine, values: Mapping[str, Any], *, by: Post, version: int) -> Saved:
    """Save the self side of one line under the section's version; returns its points and the sums.

    Raises PermissionDenied, ValidationError (what was typed contradicts itself), StaleState.
    """
    section = line.section
    if not (by.has_perm("scoring.fill_sheet") and by.acts_for(section.institution_id)):
        raise PermissionDenied("自评由本机构填写")
    shares = grade_shares(section.supervisor, section.sheet.year)
    with transaction.atomic():
        hold_sheet(line.sheet_id, statuses=ScoreSheet.EDITABLE, row=section)
        touch(section, version=version, editable=frozenset(ScoreSection.Status.values))
        scored = put(line, SELF, values, shares=shares)
        line.save(update_fields=stored_fields(SELF))
        totals = add_up(line.sheet_id, section.pk)
    section.refresh_from_db(fields=["self_points", "self_full", "points", "full"])
    return Saved(scored, section.version, section, totals)


def attach(line: ScoreLine, stored: Sequence[StoredFile], *, by: Post, version: int) -> None:
    """Add evidence to a line of an editable sheet."""
    _change_files(line, by=by, version=version, add=stored)


def detach(line: ScoreLine, key: str, *, by: Post, version: int) -> None:
    """Take one piece of evidence off a line of an editable sheet."""
    _change_files(line, by=by, version=version, remove=list(line.files.filter(key=key)))


def _change_files(
    line: ScoreLine,
    *,
    by: Post,
    version: int,
    add: Sequence[StoredFile] = (),
    remove: Sequence[StoredFile] = (),
) -> None:
    section = line.section
    if not (by.has_perm("scoring.fill_sheet") and by.acts_for(section.institution_id)):
        raise PermissionDenied("佐证材料由本机构上传")
    with transaction.atomic():
        hold_sheet(line.sheet_id, statuses=ScoreSheet.EDITABLE, row=section)
        touch(section, version=version, editable=frozenset(ScoreSection.Status.values))
        line.files.add(*add)
        line.files.remove(*remove)


def _lines(sheet: ScoreSheet) -> list[ScoreLine]:
    lines = ScoreLine.objects.filter(sheet=sheet).select_related("clause")
    return list(lines.order_by("section__position", "clause__position"))


def _named(what: str, lines: Sequence[ScoreLine]) -> str:
    names = "；".join(f"{line.clause.code} {line.clause.name}" for line in lines[:20])
    more = f" 等 {len(lines)} 条" if len(lines) > 20 else ""
    return f"{what.format(n=len(lines))}：{names}{more}"


def submit(sheet: ScoreSheet, *, by: Post, version: int) -> None:
    """Hand in the self-assessment; raises ValidationError naming every line that is still open."""
    with transaction.atomic():
        held = hold_sheet(sheet.pk, statuses=ScoreSheet.Status.values, row=sheet)
        open_lines = [line for line in _lines(held) if not line.is_filled]
        if open_lines and sheet.may("submit", by):
            raise ValidationError(_named("还有 {n} 条没有填写", open_lines))
        unsaid = [line for line in _lines(held) if line.self_na and not line.self_note]
        if unsaid and sheet.may("submit", by):
            raise ValidationError(_named("{n} 条不适用没有写明原因", unsaid))
        sheet.submit(by=by, version=version)
        notify(
            posts_at([sheet.supervisor_id], "scoring.verify_sheet"),
            f"{sheet.institution.known_as}已提交自评：{sheet.evaluation.name}",
            url=sheet.get_absolute_url(),
        )
