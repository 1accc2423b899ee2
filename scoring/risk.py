"""What the risk of an institution takes from this floor: its last verified score, and how far its self-check was off."""

from collections.abc import Sequence
from decimal import Decimal

from django.db.models import Q

from institutions.models import Institution, Post
from institutions.rounding import half_up
from scoring.models import Evaluation, ScoreSheet
from scoring.pictures import share
from supervision.suggesting import Score

# Sheets older than this many years tell nothing of today.
YEARS = 2


def last_scores(units: Sequence[Institution], post: Post, year: int) -> dict[int, Score]:
    """Return by institution the last verified score that `post` may see; one statement.

    The gap is self-assessed minus verified 得分率, in percentage points to one decimal; None without a self-assessment.
    """
    sheets = ScoreSheet.objects.visible_to(post).filter(
        institution__in=[unit.pk for unit in units],
        status=ScoreSheet.Status.VERIFIED,
        year__range=(year - YEARS, year),
    )
    if not post.institution.is_bureau:
        public = [Evaluation.Status.PUBLISHED, Evaluation.Status.FINAL]
        sheets = sheets.filter(Q(evaluation__status__in=public) | Q(supervisor=post.institution_id))
    found: dict[int, Score] = {}
    rows = sheets.order_by("year", "quarter", "pk").values_list(
        "institution", "score", "self_points", "self_full", "points", "full"
    )
    for institution, score, self_points, self_full, points, full in rows:
        found[institution] = Score(score, _gap(share(self_points, self_full), share(points, full)))
    return found


def _gap(claimed: Decimal | None, verified: Decimal | None) -> Decimal | None:
    return None if claimed is None or verified is None else half_up(claimed - verified, 1)
