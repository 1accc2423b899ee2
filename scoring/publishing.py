"""Publishing an evaluation: ranks within each 排名组, then everybody may see; and closing it for good."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from institutions import clock
from institutions.models import Institution, Kind, Post
from institutions.models.holidays import work_calendar
from institutions.notifying import notify, posts_at
from scoring.models import Evaluation, ScoreSheet
from scoring.policies import written_rows
from scoring.rules import (
    POLICY_KEYS,
    Group,
    Standing,
    parse_policy_value,
    rank,
    ranking_group,
)


def group_of(institution: Institution, unit: Institution) -> Group:
    """Return the 排名组 of an institution in a table of `unit`."""
    return ranking_group(
        Kind(institution.kind).label,
        [Kind(kind).label for kind in institution.also_kinds],
        bureau=unit.bureau.code if unit.bureau else unit.code,
        parent=unit.code,
    )


def store_ranks(sheets: Iterable[ScoreSheet], unit: Institution) -> None:
    """Rank verified sheets of one evaluation (institution fetched with them) and store rank and group."""
    by_code = {sheet.institution.code: sheet for sheet in sheets}
    placed = rank(
        Standing(code, group_of(sheet.institution, unit), sheet.score or Decimal(0))
        for code, sheet in by_code.items()
    )
    for one in placed:
        sheet = by_code[one.standing.code]
        sheet.rank, sheet.group = one.rank, one.standing.group.label
    ScoreSheet._base_manager.bulk_update(by_code.values(), ["rank", "group"], batch_size=200)


def appeal_deadline(day: date, unit: Institution, year: int) -> date:
    """Return the last day to object: as many working days after `day` as the unit's policy of the year says."""
    text = written_rows(unit, year).get("申诉期") or POLICY_KEYS["申诉期"].default
    return work_calendar(day).add_workdays(day, parse_policy_value("申诉期", text or ""))


def publish(evaluation: Evaluation, *, by: Post, version: int) -> None:
    """Rank, publish and tell every institution; every sheet must be verified (a need of the move)."""
    until = appeal_deadline(clock.today(), evaluation.supervisor, evaluation.year)
    with transaction.atomic():
        evaluation.publish(by=by, version=version, appeal_until=until)
        # Held, and looked at again: a sheet may have been reopened since the page was made.
        held = evaluation.sheets.select_for_update(of=("self",)).select_related("institution")
        sheets = list(held)
        if any(sheet.status != ScoreSheet.Status.VERIFIED for sheet in sheets):
            raise ValidationError("还有机构的评分没有核定")
        if any(sheet.read_at is None for sheet in sheets) and evaluation.needs_reader:
            raise ValidationError("还有机构的评分没有经第二人复核")
        store_ranks(sheets, evaluation.supervisor)
        notify(
            posts_at([sheet.institution_id for sheet in sheets], "scoring.fill_sheet"),
            f"评价结果已公布：{evaluation.name}，{until:%Y年%-m月%-d日}前可提出异议",
            url=evaluation.get_absolute_url(),
        )


def finalise(evaluation: Evaluation, *, by: Post, version: int) -> None:
    """Close the evaluation: from now on its sheets count in the year."""
    with transaction.atomic():
        evaluation.finalise(by=by, version=version)
