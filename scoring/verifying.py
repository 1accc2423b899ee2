"""The supervisor's side of a sheet: line by line, section by section, then the sheet as a whole."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F

from campaigns.rules import RuleError, score
from institutions import audit
from institutions.models import Post
from institutions.notifying import notify, posts_at
from institutions.workflow import Side, touch
from scoring.filling import SELF, VERIFIED, Saved, put, stored_fields
from scoring.models import ScoreLine, ScoreSection, ScoreSheet
from scoring.policies import grade_shares
from scoring.sums import add_up, hold_sheet

SUBMITTED = frozenset({ScoreSheet.Status.SUBMITTED})
OPEN = frozenset({ScoreSection.Status.OPEN})


def may_verify(section: ScoreSection, post: Post) -> bool:
    """Say whether `post` stands on the asking side of this section, whatever its state."""
    return post.has_perm("scoring.verify_sheet") and section.stands_on(Side.ASKS, post)


def judge_line(line: ScoreLine, values: Mapping[str, Any], *, by: Post, version: int) -> Saved:
    """Save the verified side of one line under the section's version; returns its points and the sums.

    A reason that is still owed does not stop the save, so that figures typed first are kept; `finish` asks for it.
    Raises PermissionDenied, ValidationError, StaleState.
    """
    section = line.section
    _claimed_by(section, by)
    shares = grade_shares(section.supervisor, section.sheet.year)
    with transaction.atomic():
        hold_sheet(line.sheet_id, statuses=SUBMITTED, row=section)
        touch(section, version=version, editable=OPEN)
        before = line.points
        scored = put(line, VERIFIED, values, shares=shares)
        line.save(update_fields=stored_fields(VERIFIED))
        tell_scores("核定条款", section, [(line, before)], by)
        totals = add_up(line.sheet_id, section.pk)
    section.refresh_from_db(fields=["self_points", "self_full", "points", "full"])
    return Saved(scored, section.version, section, totals)


def adopt(
    section: ScoreSection, *, by: Post, version: int, line_ids: Iterable[int] | None = None
) -> int:
    """Take over the self figures (照自评) of the lines named, or of all lines not judged yet; returns how many."""
    _claimed_by(section, by)
    shares = grade_shares(section.supervisor, section.sheet.year)
    with transaction.atomic():
        hold_sheet(section.sheet_id, statuses=SUBMITTED, row=section)
        touch(section, version=version, editable=OPEN)
        lines = ScoreLine.objects.filter(section=section).select_related("clause")
        chosen = list(lines.unjudged() if line_ids is None else lines.filter(pk__in=list(line_ids)))
        changed: list[tuple[ScoreLine, Decimal | None]] = []
        for line in chosen:
            values = {name: getattr(line, field) for name, field in SELF.items() if name != "note"}
            note = line.self_note if line.self_na else line.reason
            changed.append((line, line.points))
            put(line, VERIFIED, {**values, "note": note}, shares=shares)
        ScoreLine.objects.bulk_update(chosen, stored_fields(VERIFIED))
        tell_scores("照自评核定", section, changed, by)
        add_up(section.sheet_id, section.pk)
    return len(chosen)


def tell_scores(
    label: str, section: ScoreSection, changed: list[tuple[ScoreLine, Decimal | None]], by: Post
) -> None:
    """Leave what each verified score was and what it is now: one event for the deed, nothing where nothing changed."""
    rows = [
        [
            line.clause.code,
            "" if old is None else str(old),
            "" if line.points is None else str(line.points),
        ]
        for line, old in changed
        if old != line.points
    ]
    if not rows:
        return
    _, old, new = rows[0]
    audit.record(
        "scoring.scoresheet.judge",
        label,
        by=by,
        bureau=section.bureau_id,
        on=section.sheet,
        institution=section.institution,
        before=old if len(rows) == 1 else "",
        after=new if len(rows) == 1 else "",
        note="、".join(row[0] for row in rows)[:500],
        data={"section": section.title, "lines": rows, "digest": audit.digest(rows)},
    )


def finish(section: ScoreSection, *, by: Post, version: int) -> None:
    """Close a section; raises ValidationError naming lines without a judgement or without a reason."""
    _claimed_by(section, by)
    with transaction.atomic():
        hold_sheet(section.sheet_id, statuses=SUBMITTED, row=section)
        _refuse_open(section)
        section.finish(by=by, version=version)


def resume(section: ScoreSection, *, by: Post, version: int) -> None:
    """Open a section again while its sheet is not verified."""
    _claimed_by(section, by)
    with transaction.atomic():
        hold_sheet(section.sheet_id, statuses=SUBMITTED, row=section)
        section.resume(by=by, version=version)


def verify(sheet: ScoreSheet, *, by: Post, version: int) -> None:
    """Close a sheet with its total, full marks and score; every section must be done and every line judged.

    Raises ValidationError, also for a sheet without any applicable clause.
    """
    with transaction.atomic():
        hold_sheet(sheet.pk, statuses=ScoreSheet.Status.values, row=sheet)
        if sheet.may("verify", by):
            _refuse_unfinished(sheet)
        sums = add_up(sheet.pk)
        try:
            worth = score(sums["points"], sums["full"])
        except RuleError as error:
            raise ValidationError(error.reason) from error
        sheet.verify(by=by, version=version, score=worth)


def send_back(sheet: ScoreSheet, *, by: Post, version: int, note: str) -> None:
    """Return the self-assessment with the reason; sections that were done are judged again afterwards."""
    with transaction.atomic():
        hold_sheet(sheet.pk, statuses=ScoreSheet.Status.values, row=sheet)
        sheet.send_back(by=by, version=version, note=note)
        done = sheet.sections.filter(status=ScoreSection.Status.DONE)
        titles = list(done.values_list("title", flat=True))
        done.update(
            status=ScoreSection.Status.OPEN,
            verifier=None,
            verified_at=None,
            version=F("version") + 1,
        )
        if titles:
            audit.record(
                "scoring.scoresheet.sections_opened",
                "分项重新核定",
                by=by,
                bureau=sheet.bureau_id,
                on=sheet,
                institution=sheet.institution,
                note="、".join(titles),
                data={"count": len(titles), "digest": audit.digest(titles)},
            )
        notify(
            posts_at([sheet.institution_id], "scoring.fill_sheet"),
            f"自评被退回：{sheet.evaluation.name}",
            url=sheet.get_absolute_url(),
        )


def read(sheet: ScoreSheet, *, by: Post, version: int) -> None:
    """Confirm a verified sheet as its second reader, before publication."""
    with transaction.atomic():
        hold_sheet(sheet.pk, statuses=ScoreSheet.Status.values, row=sheet)
        sheet.read(by=by, version=version)


def reopen(sheet: ScoreSheet, *, by: Post, version: int, note: str) -> None:
    """Take a verified sheet back for another look, before publication."""
    with transaction.atomic():
        hold_sheet(sheet.pk, statuses=ScoreSheet.Status.values, row=sheet)
        sheet.evaluation.refresh_from_db(fields=["status"])  # published in the meantime?
        sheet.reopen(by=by, version=version, note=note)


def _claimed_by(section: ScoreSection, by: Post) -> None:
    if not may_verify(section, by):
        raise PermissionDenied("本项由督导方或牵头单位核定")


def _refuse_open(section: ScoreSection) -> None:
    lines = ScoreLine.objects.filter(section=section).select_related("clause")
    reasons = [f"{ln.clause.code} {ln.clause.name}：还没有核定" for ln in lines.unjudged()]
    reasons += [
        f"{ln.clause.code} {ln.clause.name}：请填写扣分理由" for ln in lines.without_reason()
    ]
    if reasons:
        raise ValidationError(reasons)


def _refuse_unfinished(sheet: ScoreSheet) -> None:
    titles = sheet.sections.filter(status=ScoreSection.Status.OPEN).values_list("title", flat=True)
    lines = ScoreLine.objects.filter(sheet=sheet).unjudged().select_related("clause")
    reasons = [f"{title}：本项还没有核定完毕" for title in titles]
    reasons = reasons or [f"{ln.clause.code} {ln.clause.name}：还没有核定" for ln in lines]
    if reasons:
        raise ValidationError(reasons)
