"""The 通报 of an evaluation: ranking, average, weak items and problems by item, and what the score counts for.

Scores are known on this floor; the text and tables go down to the notice as what they are printed as.
Source: 督导结果将进行通报，并与年底绩效评价挂钩，实现奖惩兑现 (周卫健字〔2023〕13号).
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

from django.core.exceptions import ValidationError

from institutions.models import Post
from institutions.official import Annex
from institutions.rounding import half_up, plain_text
from scoring import policies
from scoring.models import Evaluation, ScoreSection, ScoreSheet
from scoring.rules import ScoringError
from supervision.composing import (
    NUMERALS,
    demands,
    numeral,
    problem_annex,
    problems_by_item,
    reply_due,
    span_text,
)
from supervision.models import Notice, Problem
from supervision.noticing import Draft

WEAK = 3  # items named as the weakest
NAMED = 3  # institutions named in front of each group


def evaluation_bulletin(evaluation: Evaluation, *, by: Post) -> Draft:
    """Compose the 通报 of a published evaluation. Raises ValidationError before publication."""
    if not evaluation.is_shown:
        raise ValidationError("评价结果公布后才能拟写通报")
    sheets = list(
        ScoreSheet.objects.visible_to(by)
        .filter(evaluation=evaluation, status=ScoreSheet.Status.VERIFIED)
        .select_related("institution")
        .order_by("group", "rank", "institution__code")
    )
    if not sheets:
        raise ValidationError("这次评价没有核定的评分表")
    sections = list(
        ScoreSection.objects.visible_to(by)
        .filter(sheet__in=[sheet.pk for sheet in sheets])
        .select_related("item")
        .order_by("position")
    )
    problems = _problems(evaluation, sheets, by)
    due = reply_due()
    parts = [
        f"根据国家基本公共卫生服务项目绩效评价工作安排，{evaluation.supervisor.name}组织开展了{evaluation.name}，"
        "现将有关情况通报如下。",
        f"一、基本情况\n本次评价依据《{evaluation.standard.name}》，{span_text(evaluation.starts, evaluation.verify_due)}"
        f"通过机构自评、现场督导和逐项核定进行，共评价{len(sheets)}家机构。",
        f"二、评价结果\n{_results(sheets)}",
        f"三、存在的主要问题\n{_weak_items(sections)}"
        + (f"\n{problems_by_item(problems)}" if problems else ""),
        demands(due, 4),
        f"五、结果运用\n{_carried(evaluation)}",
    ]
    annexes = [_score_annex(evaluation, sheets, sections)]
    if problems:
        annexes.append(problem_annex(problems))
    return Draft(
        kind=Notice.Kind.BULLETIN,
        title=f"关于{evaluation.name}情况的通报",
        addressee="各有关医疗卫生机构：",
        body="\n".join(parts),
        annexes=annexes,
        recipients=[sheet.institution for sheet in sheets],
        due=due,
        origin=evaluation.name,
        campaign=evaluation.campaign,
    )


def quarter_span(evaluation: Evaluation) -> tuple[date, date]:
    """Return the first and last day of what is evaluated: a quarter, or the year."""
    year, quarter = evaluation.year, evaluation.quarter
    if not quarter:
        return date(year, 1, 1), date(year, 12, 31)
    last = {1: 31, 2: 30, 3: 30, 4: 31}[quarter]
    return date(year, 3 * quarter - 2, 1), date(year, 3 * quarter, last)


def _problems(evaluation: Evaluation, sheets: Sequence[ScoreSheet], by: Post) -> list[Problem]:
    """The problems that the evaluating unit found at these institutions in the period."""
    first, last = quarter_span(evaluation)
    return list(
        Problem.objects.visible_to(by)
        .filter(
            institution__in=[sheet.institution_id for sheet in sheets],
            supervisor=evaluation.supervisor_id,
            found_on__range=(first, last),
            rectification__isnull=False,
        )
        .select_related("institution", "item", "rectification")
        .order_by("item__code", "institution__code", "pk")
    )


def _marks(value: Decimal) -> str:
    """Points and shares as papers print them: with two decimals."""
    return f"{value:.2f}"


def _groups(sheets: Sequence[ScoreSheet]) -> dict[str, list[ScoreSheet]]:
    groups: dict[str, list[ScoreSheet]] = {}
    for sheet in sheets:
        groups.setdefault(sheet.group, []).append(sheet)
    return groups


def _results(sheets: Sequence[ScoreSheet]) -> str:
    """One paragraph per 排名组: average, highest, lowest, and who stands in front."""
    lines = []
    groups = _groups(sheets)
    for number, (name, own) in enumerate(groups.items(), 1):
        scores = [sheet.score or Decimal(0) for sheet in own]
        mean = half_up(Fraction(sum(scores)) / len(scores), 2)
        head = f"（{numeral(number)}）{name or '被评价机构'}。" if len(groups) > 1 else ""
        if len(own) == 1:
            lines.append(f"{head}{own[0].institution.known_as}得分率{_marks(scores[0])}%。")
            continue
        first = "、".join(
            f"{sheet.institution.known_as}（{_marks(sheet.score or Decimal(0))}%）"
            for sheet in own[:NAMED]
        )
        lines.append(
            f"{head}共{len(own)}家，平均得分率{_marks(mean)}%，最高{_marks(max(scores))}%，"
            f"最低{_marks(min(scores))}%。排名靠前的依次为{first}；排名最后的为{own[-1].institution.known_as}。"
        )
    return "\n".join(lines)


def _name(section: ScoreSection) -> str:
    return section.item.short_name if section.item else section.title


def _weak_items(sections: Sequence[ScoreSection]) -> str:
    """The items with the lowest share of points over all institutions."""
    totals: dict[str, list[Decimal]] = {}
    for section in sections:
        total = totals.setdefault(_name(section), [Decimal(0), Decimal(0)])
        total[0] += section.points
        total[1] += section.full
    shares = [
        (Fraction(points) / Fraction(full), name) for name, (points, full) in totals.items() if full
    ]
    weakest = sorted(shares, key=lambda one: one[0])[:WEAK]
    if not weakest:
        return "各项目得分情况见附件。"
    told = "、".join(f"{name}（{_marks(half_up(share * 100, 2))}%）" for share, name in weakest)
    return f"从项目看，得分率较低的是{told}，各机构分项得分见附件。"


def _carried(evaluation: Evaluation) -> str:
    """What the score counts for in the year, by the policy in force."""
    year, quarter = evaluation.year, evaluation.quarter
    text = f"本次评价得分纳入{year}年度绩效评价，作为年终经费结算和奖惩的依据。"
    try:
        policy = policies.policy_of(evaluation.supervisor, year)
    except ScoringError:
        return text
    weights = list(policy.quarter_weights)
    if not 1 <= quarter <= len(weights):
        return text
    weight = plain_text(half_up(Fraction(weights[quarter - 1]) * 100, 2))
    formula = " + ".join(
        f"第{NUMERALS[n]}季度得分×{plain_text(half_up(Fraction(w) * 100, 2))}%"
        for n, w in enumerate(weights, 1)
    )
    return (
        f"本季度得分按{weight}%计入年终得分（年终季度分 = {formula}），"
        f"作为{year}年度经费结算和奖惩的依据。"
    )


def _score_annex(
    evaluation: Evaluation, sheets: Sequence[ScoreSheet], sections: Sequence[ScoreSection]
) -> Annex:
    """机构 × 项目: one column per item, so a page across where there are many."""
    names: dict[str, None] = dict.fromkeys(_name(section) for section in sections)
    points: dict[tuple[int, str], Decimal] = {}
    for section in sections:
        key = (section.sheet_id, _name(section))
        points[key] = points.get(key, Decimal(0)) + section.points
    rows = [
        (
            str(number),
            sheet.institution.known_as,
            *(_marks(points[sheet.pk, n]) if (sheet.pk, n) in points else "—" for n in names),
            _marks(sheet.points),
            _marks(sheet.score or Decimal(0)),
            str(sheet.rank or "—"),
        )
        for number, sheet in enumerate(sheets, 1)
    ]
    columns = ("序号", "机构", *names, "合计", "得分率（%）", "名次")
    widths = (2, 6, *(2.5 for _ in names), 3, 3, 2)
    ranked = "名次在同类机构中排列" if len(_groups(sheets)) > 1 else ""
    return Annex(f"{evaluation.name}得分汇总表", columns, rows, widths, ranked)
