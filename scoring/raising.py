"""Points lost become problems: each is handed out once to the institution that lost them."""

from collections.abc import Collection
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F, Q, QuerySet

from institutions import clock
from institutions.models import Post
from institutions.workflow import Side
from scoring.models import ScoreLine, ScoreSheet
from supervision.handing_out import NewProblem, hand_out
from supervision.models import Problem, Source


def may_raise(sheet: ScoreSheet, post: Post) -> bool:
    """Say whether this post turns lost points into problems: it asks, and may enter problems."""
    return post.has_perm("supervision.add_problem") and sheet.stands_on(Side.ASKS, post)


def lost_lines(sheet: ScoreSheet) -> QuerySet[ScoreLine]:
    """Return the verified lines that lost points and are not a problem yet, in the order of the standard."""
    return (
        ScoreLine.objects.filter(
            Q(points__lt=F("full")), sheet=sheet, problem=None, na=False, full__gt=0
        )
        .select_related("clause__item", "section__item")
        .order_by("section__position", "clause__position")
    )


def raise_problems(
    sheet: ScoreSheet, *, lines: Collection[int], severity: str, due: date, by: Post
) -> list[Problem]:
    """Hand out the chosen lines as problems (季度督导), worded by clause and reason; the line points at its problem.

    Only once the result is public: until then the institution does not know of it. Raises PermissionDenied,
    ValidationError (not public yet, nothing chosen, a line that lost nothing or is a problem already, a past date).
    """
    if not may_raise(sheet, by):
        raise PermissionDenied("扣分由督导方转为问题")
    if not sheet.evaluation.is_shown:
        raise ValidationError("评价结果公布后，才能把扣分转为问题")
    if due < clock.today():
        raise ValidationError("整改时限不能早于今天")
    with transaction.atomic():
        # Two who press at once: the second waits here, and finds the lines taken.
        ScoreSheet.objects.select_for_update().get(pk=sheet.pk)
        chosen = list(lost_lines(sheet).filter(pk__in=lines))
        if not chosen or len(chosen) != len(set(lines)):
            raise ValidationError("请选择扣了分、还没有转为问题的条款")
        problems = hand_out(
            [
                NewProblem(
                    institution=sheet.institution,
                    source=Source.QUARTERLY,
                    year=sheet.year,
                    item=line.clause.item or line.section.item,
                    clause=line.clause,
                    severity=severity,
                    text=_worded(line),
                    found_on=clock.today(),
                    due=due,
                    found_by=by,
                    origin=sheet.evaluation.name[:120],
                )
                for line in chosen
            ],
            by=by,
            unit=sheet.supervisor,
        )
        for line, problem in zip(chosen, problems, strict=True):
            line.problem = problem
        ScoreLine.objects.bulk_update(chosen, ["problem"])
    return problems


def _worded(line: ScoreLine) -> str:
    lost = (line.full or 0) - (line.points or 0)
    reason = line.reason.strip().rstrip("。") or "未达到要求"
    return f"{line.clause.name}：{reason}（扣{lost:f}分）"
