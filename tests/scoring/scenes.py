"""Scenes of scoring for tests: a small standard, an evaluation at any stage, a settled county."""

from datetime import date, timedelta
from decimal import Decimal

from django.utils import timezone

from campaigns.models import Clause, Standard
from institutions import clock
from institutions.models import Institution, Kind, Population, Post, ServiceItem
from scoring import opening, publishing, verifying
from scoring.filling import fill_line, submit
from scoring.models import Evaluation, ScoreLine, ScoreSection, ScoreSheet

# code, parent, item, name, method, full, then target, floor, steps, unit of deduction, below zero
CLAUSES = [
    ("A", "", "", "组织管理", "manual", 10, "", "", "", None, False),
    ("A1", "A", "", "工作组织", "yes_no", 4, "", "", "", None, False),
    ("A2", "A", "", "工作计划", "manual", 6, "", "", "", None, False),
    ("B", "", "", "项目执行", "manual", 40, "", "", "", None, False),
    ("B1", "B", "02", "健康讲座", "attain", 10, "90%", "", "", None, False),
    ("B2", "B", "02", "宣传栏", "deduct", 5, "", "", "", Decimal(1), True),
    ("B3", "B", "07a", "高血压规范管理率", "steps", 5, "", "", "≥90%:5;≥80%:3", None, False),
    ("B4", "B", "07a", "档案真实规范", "sample", 10, "", "", "", None, False),
    ("B5", "B", "01", "重复档案率", "reverse", 5, "1%", "5%", "", None, False),
    ("B6", "B", "01", "档案质量等级", "grade", 5, "", "", "", None, False),
]


def standard(
    bureau: Institution,
    *,
    code: str = "S1",
    kinds=(Kind.TOWNSHIP, Kind.COMMUNITY),
    clauses=CLAUSES,
    year: int = 2023,
    purpose: str = Standard.Purpose.QUARTERLY,
) -> Standard:
    """A published standard, scored by every method; 50 points."""
    row = Standard.objects.create(
        bureau=bureau,
        code=code,
        year=year,
        name=f"评价标准{code}",
        kinds=list(kinds),
        full_marks=Decimal(50),
        purpose=purpose,
    )
    items = {item.code: item for item in ServiceItem.objects.all()}
    made: dict[str, Clause] = {}
    parents = {parent for _, parent, *_ in clauses}
    for position, clause in enumerate(clauses, start=1):
        code, parent, item, name, method, full, target, floor, steps, unit, below = clause
        made[code] = Clause.objects.create(
            standard=row,
            code=code,
            parent=made.get(parent),
            position=position,
            depth=2 if parent else 1,
            is_leaf=code not in parents,
            item=items.get(item),
            name=name,
            method=method,
            full_marks=Decimal(full),
            target=target,
            floor=floor,
            steps=steps,
            deduct_unit=unit,
            below_zero=below,
        )
    Standard.objects.filter(pk=row.pk).update(
        status=Standard.Status.PUBLISHED, published_at=timezone.now()
    )
    row.refresh_from_db()
    return row


MANUAL = [("M", "", "", "综合", "manual", 100, "", "", "", None, False)]


def drafted(
    officer: Post, over: Standard, institutions, *, quarter: int = 1, year: int = 2023
) -> Evaluation:
    return opening.create(
        by=officer,
        standard=over,
        year=year,
        quarter=quarter,
        name=f"{year}年第{quarter}季度评价",
        starts=date(year, 3, 1),
        self_due=date(year, 3, 20),
        verify_due=date(year, 3, 31),
        institutions=institutions,
    )


def opened(officer: Post, over: Standard, institutions, **more) -> Evaluation:
    evaluation = drafted(officer, over, institutions, **more)
    opening.open_evaluation(evaluation, by=officer, version=evaluation.version)
    return evaluation


# Good figures for every clause of CLAUSES, by code: worth 4 5 9.44 5 3 8 2.5 4 points.
FIGURES = {
    "A1": {"numerator": Decimal(1)},
    "A2": {"entered": Decimal(5)},
    "B1": {"numerator": Decimal(85), "denominator": Decimal(100)},
    "B2": {"deductions": 0},
    "B3": {"numerator": Decimal(85), "denominator": Decimal(100)},
    "B4": {
        "numerator": Decimal(8),
        "denominator": Decimal(10),
        "checked": 10,
        "genuine": 10,
    },
    "B5": {"numerator": Decimal(2), "denominator": Decimal(100)},
    "B6": {"grade": "B"},
    "M": {"entered": Decimal(90)},
}
TOTAL = Decimal("40.94")
# What the browser posts for the same.
POSTED = {
    "A1": {"numerator": "1"},
    "A2": {"entered": "5"},
    "B1": {"numerator": "85", "denominator": "100"},
    "B2": {"deductions": "0"},
    "B3": {"numerator": "85", "denominator": "100"},
    "B4": {"numerator": "8", "denominator": "10", "checked": "10", "genuine": "10"},
    "B5": {"numerator": "2", "denominator": "100"},
    "B6": {"grade": "B"},
}


def lines(sheet: ScoreSheet) -> dict[str, ScoreLine]:
    """The lines of a sheet by clause code, fetched anew."""
    rows = ScoreLine.objects.filter(sheet=sheet).select_related(
        "clause",
        "section__supervisor",
        "section__institution",
        "section__sheet__evaluation",
        "section__author",
    )
    return {row.clause.code: row for row in rows}


def fill(sheet: ScoreSheet, by: Post, figures=FIGURES) -> None:
    for code, line in lines(sheet).items():
        section = ScoreSection.objects.get(pk=line.section_id)
        fill_line(line, figures[code], by=by, version=section.version)


def hand_in(sheet: ScoreSheet, by: Post, figures=FIGURES) -> None:
    fill(sheet, by, figures)
    sheet.refresh_from_db()
    submit(sheet, by=by, version=sheet.version)


def sections(sheet: ScoreSheet) -> list[ScoreSection]:
    rows = ScoreSection.objects.filter(sheet=sheet).select_related(
        "institution__region", "supervisor", "sheet__evaluation", "author"
    )
    return list(rows.order_by("position"))


def judge(sheet: ScoreSheet, by: Post) -> None:
    """Take over the self figures, give reasons, finish every section."""
    for section in sections(sheet):
        verifying.adopt(section, by=by, version=section.version)
        ScoreLine.objects.filter(section=section).without_reason().update(reason="现场核对")
        section.refresh_from_db()
        verifying.finish(section, by=by, version=section.version)


def verified(sheet: ScoreSheet, *, filler: Post, verifier: Post, figures=FIGURES) -> ScoreSheet:
    hand_in(sheet, filler, figures)
    judge(sheet, verifier)
    sheet.refresh_from_db()
    verifying.verify(sheet, by=verifier, version=sheet.version)
    sheet.refresh_from_db()
    return sheet


def published(evaluation: Evaluation, by: Post) -> Evaluation:
    evaluation.refresh_from_db()
    publishing.publish(evaluation, by=by, version=evaluation.version)
    return evaluation


def window_over(evaluation: Evaluation) -> None:
    """The last day to object was yesterday."""
    day = clock.today() - timedelta(days=1)
    Evaluation.objects.filter(pk=evaluation.pk).update(appeal_until=day)


def final_sheets(
    officer: Post, over: Standard, scores: dict[Institution, str], *, quarter: int, year: int = 2023
) -> Evaluation:
    """A closed evaluation with these scores, written straight as an import would leave it."""
    evaluation = opened(officer, over, list(scores), quarter=quarter, year=year)
    now = timezone.now()
    for institution, score in scores.items():
        points = Decimal(score)
        sheet = ScoreSheet.objects.get(evaluation=evaluation, institution=institution)
        ScoreLine.objects.filter(sheet=sheet).update(entered=points, points=points)
        ScoreSection.objects.filter(sheet=sheet).update(
            points=points, status="done", verifier=officer, verified_at=now
        )
        ScoreSheet.objects.filter(pk=sheet.pk).update(
            status="verified",
            points=points,
            full=Decimal(100),
            score=points,
            submitted_at=now,
            verified_at=now,
        )
    Evaluation.objects.filter(pk=evaluation.pk).update(
        status="final", published_at=now, appeal_until=date(year, 4, 10)
    )
    evaluation.refresh_from_db()
    return evaluation


def people(institutions, residents: int = 30_000, year: int = 2023) -> None:
    Population.objects.bulk_create(
        Population(institution=one, year=year, residents=residents) for one in institutions
    )
