"""Submitting a visit: the record becomes final, and its findings become duties, in one deed."""

from collections.abc import Sequence
from datetime import date
from typing import cast

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet

from institutions import audit, clock
from institutions.models import Post, StoredFile
from institutions.notifying import notify, posts_at
from supervision.handing_out import NewProblem, hand_out
from supervision.models import (
    Problem,
    RecordCheck,
    Severity,
    Source,
    SupervisionRound,
    Visit,
    VisitLine,
)
from supervision.recording import lock


def submit_visit(
    visit: Visit,
    *,
    by: Post,
    version: int,
    visited_on: date,
    summary: str = "",
    files: Sequence[StoredFile] = (),
) -> list[Problem]:
    """Submit the record: the institution sees it from now on, and each finding 有问题 is handed out to it.

    Problems of a quarterly round have the source 季度督导, all others 日常督导. Returns the problems.
    Raises PermissionDenied, StaleState, and ValidationError (no lines, no date, a date still to come, a drawn record
    without a result).
    """
    if visited_on > clock.today():
        raise ValidationError("督导日期不能晚于今天")
    if not visit.may("submit", by):
        raise PermissionDenied("督导记录由组长提交")
    unmarked = RecordCheck.objects.filter(sample__visit=visit, result="").count()
    if unmarked:
        raise ValidationError(f"还有 {unmarked} 份抽查档案没有记录结果")
    with transaction.atomic():
        if visit.status in Visit.EDITABLE and visit.version == version:
            lock(visit)  # no line is saved between reading them and submitting
        visit.visited_on, visit.summary = visited_on, summary
        lines = list(
            visit.lines.select_related("item", "clause", "author").prefetch_related("files")
        )
        visit.submit(by=by, version=version, data=_told(lines))
        visit.files.add(*files)
        problems = _hand_out(visit, list(_to_hand_out(visit)), by=by)
        notify(
            posts_at([visit.institution_id], "supervision.answer_visit"),
            f"{visit.round.name}督导记录已提交，请确认",
            url=visit.get_absolute_url(),
        )
    return problems


def _to_hand_out(visit: Visit) -> QuerySet[VisitLine]:
    return (
        visit.lines.all()
        .to_hand_out()
        .select_related("item", "clause", "author", "earlier__clause")
        .prefetch_related("files")
    )


def _hand_out(visit: Visit, lines: list[VisitLine], *, by: Post) -> list[Problem]:
    if not lines:
        return []
    round = visit.round
    quarterly = round.type == SupervisionRound.Type.QUARTERLY
    return hand_out(
        [
            NewProblem(
                institution=visit.institution,
                source=Source.QUARTERLY if quarterly else Source.DAILY,
                year=round.year,
                item=line.item,
                clause=line.clause or (line.earlier.clause if line.earlier else None),
                category=line.category,
                severity=line.severity or Severity.MINOR,
                text=line.text,
                found_on=cast(date, visit.visited_on),
                due=cast(date, line.due),
                campaign=round.campaign,
                found_by=line.author,
                visit_line=line,
                origin=round.name,
                files=tuple(line.files.all()),
            )
            for line in lines
        ],
        by=by,
        unit=visit.supervisor,
    )


def _told(lines: list[VisitLine]) -> dict:
    return {
        "count": len(lines),
        "problems": sum(line.found == "problem" for line in lines),
        "digest": audit.digest(
            [
                line.pk,
                line.clause_id,
                line.earlier_id,
                line.item_id,
                line.found,
                line.follow,
                line.text,
                line.author_id,
                line.due,
            ]
            for line in lines
        ),
    }
