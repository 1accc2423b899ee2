"""A sheet as a page shows it: each line with its clause in words, its points, and how they came about."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.urls import reverse

from campaigns.models import Clause
from campaigns.rules import Method, Outcome
from institutions.models import Post
from institutions.rounding import plain_text
from scoring.filling import outcome
from scoring.models import ScoreLine, ScoreSection, ScoreSheet
from scoring.pictures import share
from scoring.verifying import may_verify


@dataclass(frozen=True)
class LineView:
    """One line for a template; `form` where it can be filled in."""

    line: ScoreLine
    clause: Clause
    rule: str
    self_outcome: Outcome
    outcome: Outcome | None
    self_figures: list[tuple[str, str]]
    figures: list[tuple[str, str]]
    files: list[dict[str, Any]]
    form: Any = None
    files_error: str = ""
    before: ScoreLine | None = None

    @property
    def change(self) -> Decimal | None:
        """How the points differ from those of the same clause on the sheet before."""
        if self.before is None or self.before.points is None or self.line.points is None:
            return None
        return self.line.points - self.before.points

    @property
    def rates(self) -> tuple[Decimal | None, Decimal | None]:
        """得分率 of this clause then and now, in per cent."""
        then = share(self.before.points, self.before.full) if self.before else None
        return then, share(self.line.points, self.line.full)


@dataclass(frozen=True)
class SectionView:
    section: ScoreSection
    lines: list[LineView]
    shown: bool
    may_verify: bool
    change: Decimal | None = None
    url: str = field(default="")


def rule_text(clause: Clause) -> str:
    """Return how a clause is scored, in one line: method, target, floor, steps, unit of deduction."""
    words = [clause.rule.method.value]
    if clause.target:
        words.append(f"目标 {clause.target}")
    if clause.floor:
        words.append(f"下限 {clause.floor}")
    if clause.steps:
        words.append("；".join(str(step) for step in clause.rule.steps))
    if clause.deduct_unit is not None:
        below = "，可以倒扣" if clause.below_zero else "，扣完为止"
        words.append(f"每次扣 {plain_text(clause.deduct_unit)} 分{below}")
    return "，".join(words)


def figures_text(line: ScoreLine, *, verified: bool) -> list[tuple[str, str]]:
    """Return the figures of one side by their names, blanks left out."""
    clause = line.clause
    kept = line.figures if verified else line.self_figures
    method = clause.rule.method
    if kept.not_applicable:
        return [("不适用", "是")]
    if method is Method.YES_NO:
        if kept.numerator is None:
            return []
        return [(clause.numerator_name or "是否做到", "是" if kept.numerator else "否")]
    sample = method is Method.SAMPLE
    pairs = [
        (clause.numerator_name or ("规范份数" if sample else "分子"), kept.numerator),
        (clause.denominator_name or ("抽查份数" if sample else "分母"), kept.denominator),
        ("得分", kept.points),
        ("扣分次数", kept.deductions),
        ("等级", kept.grade),
        ("真实份数", kept.genuine),
        ("核实份数", kept.verified),
    ]
    return [
        (name, plain_text(value) if isinstance(value, Decimal) else str(value))
        for name, value in pairs
        if value is not None
    ]


def line_view(
    line: ScoreLine,
    shares: Mapping[str, Decimal],
    *,
    shown: bool = True,
    form: Any = None,
    files_error: str = "",
    before: ScoreLine | None = None,
) -> LineView:
    """Return one line for a template; what was verified is left out unless `shown`."""
    return LineView(
        line=line,
        clause=line.clause,
        rule=rule_text(line.clause),
        self_outcome=outcome(line, verified=False, shares=shares),
        outcome=outcome(line, verified=True, shares=shares) if shown else None,
        self_figures=figures_text(line, verified=False),
        figures=figures_text(line, verified=True) if shown else [],
        files=[
            {
                "name": stored.name,
                "size": stored.size,
                "key": stored.key,
                "url": reverse("scoring:line_file", args=[line.pk, stored.key]),
            }
            for stored in line.files.all()
        ],
        form=form,
        files_error=files_error,
        before=before if shown else None,
    )


def section_view(
    section: ScoreSection,
    lines: Iterable[ScoreLine],
    shares: Mapping[str, Decimal],
    post: Post,
    *,
    shown: bool,
    change: Decimal | None = None,
    before: Mapping[str, ScoreLine] | None = None,
) -> SectionView:
    """Return one section of a sheet for a template."""
    verify = may_verify(section, post) and section.sheet.status in (
        ScoreSheet.Status.SUBMITTED,
        ScoreSheet.Status.VERIFIED,
    )
    return SectionView(
        section=section,
        lines=[
            line_view(line, shares, shown=shown, before=(before or {}).get(line.clause.code))
            for line in lines
        ],
        shown=shown,
        may_verify=verify,
        change=change,
        url=reverse("scoring:section_verify", args=[section.pk]),
    )


def sheet_progress(lines: Mapping[int, list[ScoreLine]]) -> dict[str, int]:
    """Return how many lines of a sheet are filled and judged, of how many."""
    every = [line for own in lines.values() for line in own]
    return {
        "filled": sum(line.is_filled for line in every),
        "judged": sum(line.is_judged for line in every),
        "total": len(every),
    }
