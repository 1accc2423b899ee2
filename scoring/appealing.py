"""Objections to a published evaluation: clause by clause, within the window, decided with a reason.

An upheld appeal judges its line anew; section, sheet and score follow, and the whole group is ranked again, all in one
transaction. After 定稿 nothing of a sheet changes any more: what is still found wrong is a dated entry of its own (加减分).
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from campaigns.rules import RuleError, score
from institutions import audit, clock
from institutions.models import Post, StoredFile
from institutions.notifying import notify, posts_at
from scoring.filling import VERIFIED, put, stored_fields
from scoring.models import Appeal, Evaluation, ScoreLine, ScoreSheet
from scoring.policies import grade_shares
from scoring.publishing import store_ranks
from scoring.sums import add_up, hold_sheet
from scoring.verifying import tell_scores

WRITE = "scoring.write_appeal"


def may_appeal(sheet: ScoreSheet, post: Post) -> bool:
    """Say whether `post` may object to lines of this sheet today; the last day is inclusive."""
    evaluation = sheet.evaluation
    return (
        post.has_perm(WRITE)
        and post.acts_for(sheet.institution_id)
        and evaluation.status == Evaluation.Status.PUBLISHED
        and evaluation.appeal_until is not None
        and clock.today() <= evaluation.appeal_until
    )


def appeal(line: ScoreLine, *, by: Post, reason: str, files: Sequence[StoredFile] = ()) -> Appeal:
    """Object to one clause; raises PermissionDenied, ValidationError (window over, already objected to)."""
    sheet = line.sheet
    if not (by.has_perm(WRITE) and by.acts_for(sheet.institution_id)):
        raise PermissionDenied("申诉由被评价机构的负责人提出")
    if not may_appeal(sheet, by):
        raise ValidationError("不在申诉期内：结果公布后、申诉截止日（含当日）前可以提出")
    row = Appeal(
        institution=sheet.institution,
        supervisor=sheet.supervisor,
        author=by,
        line=line,
        evaluation=sheet.evaluation,
        item=line.section.item,
        reason=reason,
        points_before=line.points,
    )
    try:
        with transaction.atomic():
            row.save()
            row.files.add(*files)
            audit.record(
                "scoring.appeal.submit",
                "提出申诉",
                by=by,
                bureau=row.bureau_id,
                on=row,
                institution=row.institution,
                after=row.status,
                note=reason,
                data={"clause": line.clause.code, "files": [[f.name, f.sha256] for f in files]},
            )
            notify(
                posts_at([sheet.supervisor_id], "scoring.decide_appeal"),
                f"{row.institution.known_as}对 {line.clause.code} {line.clause.name}提出申诉",
                url=row.get_absolute_url(),
            )
    except IntegrityError as error:
        raise ValidationError("这一条已经提出过申诉") from error
    return row


def uphold(
    row: Appeal, *, by: Post, version: int, note: str, values: Mapping[str, Any]
) -> Decimal | None:
    """Accept an appeal and judge its line by the new figures; returns the line's points.

    Raises PermissionDenied, StaleState, and ValidationError: figures that contradict themselves, or points that would fall.
    """
    with transaction.atomic():
        sheet = hold_sheet(row.line.sheet_id, statuses=[ScoreSheet.Status.VERIFIED], row=row)
        line = ScoreLine.objects.select_related("clause", "section__sheet").get(pk=row.line_id)
        before = line.points
        put(line, VERIFIED, values, shares=grade_shares(sheet.supervisor, sheet.year))
        if line.loses and not line.reason:
            raise ValidationError("改后仍有扣分，请填写扣分理由")
        if before is not None and line.full > 0 and (line.points is None or line.points < before):
            raise ValidationError(f"采纳申诉后得分不能低于原得分 {before}")
        row.uphold(by=by, version=version, note=note, points_after=line.points)
        line.save(update_fields=stored_fields(VERIFIED))
        tell_scores("申诉改分", line.section, [(line, before)], by)
        sums = add_up(sheet.pk, line.section_id)
        try:
            worth = score(sums["points"], sums["full"])
        except RuleError as error:
            raise ValidationError(error.reason) from error
        ScoreSheet._base_manager.filter(pk=sheet.pk).update(score=worth)
        group = sheet.evaluation.sheets.select_for_update(of=("self",))
        store_ranks(group.select_related("institution"), sheet.supervisor)
        _answer(row, f"申诉已采纳，得分由 {before} 改为 {line.points}")
    return line.points


def reject(row: Appeal, *, by: Post, version: int, note: str) -> None:
    """Answer an appeal with the reason why nothing changes."""
    with transaction.atomic():
        row.reject(by=by, version=version, note=note)
        _answer(row, "申诉未予采纳，请看答复意见")


def _answer(row: Appeal, text: str) -> None:
    posts = posts_at([row.institution_id], WRITE)
    notify(posts, f"{row.line.clause.code}：{text}", url=row.get_absolute_url())
