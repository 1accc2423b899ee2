"""What the pages of this floor draw: the items of a sheet, quarters in a row, institutions side by side."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Q, Sum
from django.urls import reverse
from django.utils.safestring import SafeString

from institutions import charts
from institutions.models import Institution, Post
from institutions.rounding import half_up
from scoring.models import Evaluation, ScoreSection, ScoreSheet

QUARTERS_BACK = 8


def share(points: Decimal | None, full: Decimal | None) -> Decimal | None:
    """Return points as a percentage of full marks, or None where nothing applies."""
    if points is None or not full:
        return None
    return half_up(max(points, Decimal(0)) / full * 100, 2)


def short(section: ScoreSection) -> str:
    return section.item.short_name if section.item else section.title


def shown_sheets(institution: Institution | int, post: Post) -> Any:
    """Return the verified sheets of an institution whose result `post` may see, oldest first."""
    sheets = ScoreSheet.objects.visible_to(post).filter(
        institution=institution, status=ScoreSheet.Status.VERIFIED
    )
    if not post.institution.is_bureau:
        public = [Evaluation.Status.PUBLISHED, Evaluation.Status.FINAL]
        sheets = sheets.filter(Q(evaluation__status__in=public) | Q(supervisor=post.institution_id))
    return sheets.select_related("evaluation__standard", "institution").order_by(
        "year", "quarter", "pk"
    )


def radar_of(sheet: ScoreSheet, sections: Sequence[ScoreSection]) -> SafeString | None:
    """Draw the items of one sheet against the average of its group in the same evaluation."""
    if len(sections) < 3:
        return None
    others = ScoreSection.objects.filter(
        sheet__evaluation=sheet.evaluation_id,
        sheet__group=sheet.group,
        sheet__status=ScoreSheet.Status.VERIFIED,
    )
    rows = others.order_by().values("position").annotate(gained=Sum("points"), whole=Sum("full"))
    average = {row["position"]: share(row["gained"], row["whole"]) for row in rows}
    return charts.radar(
        "radar",
        "各项得分率（%）：本机构与同组平均",
        [short(section) for section in sections],
        [
            charts.Series("本机构", [share(s.points, s.full) for s in sections]),
            charts.Series("同组平均", [average.get(s.position) for s in sections]),
        ],
    )


def trend_of(sheets: Sequence[ScoreSheet]) -> SafeString | None:
    """Draw the scores of one institution over its quarters; None with fewer than two."""
    quarterly = [sheet for sheet in sheets if sheet.quarter][-QUARTERS_BACK:]
    if len(quarterly) < 2:
        return None
    return charts.trend(
        "trend",
        "各季度得分",
        [f"{sheet.year}年{sheet.quarter}季" for sheet in quarterly],
        [charts.Series("得分", [sheet.score for sheet in quarterly])],
        "分",
    )


def changes_from(
    previous: ScoreSheet | None, sections: Sequence[ScoreSection]
) -> Mapping[int, Decimal]:
    """Return by section id how its 得分率 differs from the sheet before (percentage points)."""
    if previous is None:
        return {}
    before = {
        (section.item_id, "" if section.item_id else section.title): share(
            section.points, section.full
        )
        for section in ScoreSection.objects.filter(sheet=previous)
    }
    changes = {}
    for section in sections:
        now = share(section.points, section.full)
        then = before.get((section.item_id, "" if section.item_id else section.title))
        if now is not None and then is not None:
            changes[section.pk] = now - then
    return changes


def heat_of(evaluation: Evaluation, sheets: Sequence[ScoreSheet]) -> Mapping[str, Any] | None:
    """Return the heatmap institution × item of the verified sheets given; one statement."""
    verified = [sheet for sheet in sheets if sheet.status == ScoreSheet.Status.VERIFIED]
    if not verified:
        return None
    sections = ScoreSection.objects.filter(sheet__in=[s.pk for s in verified])
    values: dict[int, dict[int, Decimal | None]] = {}
    names: dict[int, str] = {}
    for section in sections.select_related("item").order_by("position"):
        values.setdefault(section.sheet_id, {})[section.position] = share(
            section.points, section.full
        )
        names[section.position] = short(section)
    places = sorted(names)
    return charts.heatmap(
        f"heat-{evaluation.pk}",
        "各机构各项得分率（%）",
        [names[place] for place in places],
        [
            charts.HeatRow(
                sheet.institution.known_as,
                [values.get(sheet.pk, {}).get(place) for place in places],
                sheet.get_absolute_url(),
                [
                    f"{reverse('scoring:sheet_detail', args=[sheet.pk])}#s{place}"
                    for place in places
                ],
            )
            for sheet in verified
        ],
    )


def rankings_of(sheets: Sequence[ScoreSheet], post: Post) -> list[SafeString]:
    """Draw one ranking for each 排名组 of the ranked sheets given."""
    groups: dict[str, list[ScoreSheet]] = {}
    for sheet in sheets:
        if sheet.rank is not None:
            groups.setdefault(sheet.group, []).append(sheet)
    return [
        charts.ranking(
            group,
            [
                charts.Bar(
                    sheet.rank or "",
                    sheet.institution.known_as,
                    sheet.score,
                    sheet.get_absolute_url(),
                    sheet.institution_id == post.institution_id,
                )
                for sheet in sorted(members, key=lambda s: (s.rank or 0, s.institution.code))
            ],
            value_label="得分",
        )
        for group, members in sorted(
            groups.items(), key=lambda pair: min(s.institution.code for s in pair[1])
        )
    ]
