"""Opening an evaluation: which institutions, then a sheet, its sections and its lines for each, made in sets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from campaigns.models import Campaign, Clause, Standard
from institutions import audit
from institutions.inserting import insert_from
from institutions.models import Institution, Post
from institutions.notifying import notify, posts_at
from institutions.workflow import touch
from scoring.models import Evaluation, ScoreLine, ScoreSection, ScoreSheet

BATCH = 2000
ZERO = Decimal("0.00")
DATES = ("starts", "self_due", "verify_due")


@dataclass(frozen=True)
class Part:
    """One section as the standard makes it: an item, or a first-level clause without one, and its leaves."""

    title: str
    item_id: int | None
    clauses: tuple[Clause, ...]

    @property
    def full_marks(self) -> Decimal:
        return sum((clause.full_marks for clause in self.clauses), ZERO)


def candidates(unit: Institution, standard: Standard, day: date) -> list[Institution]:
    """Return the institutions that `unit` supervises itself, of the standard's kinds, open on that day."""
    below = Institution.objects.supervised_by(unit).open_on(day).order_by("code")
    return [one for one in below if standard.applies_to(one)]


def parts_of(standard: Standard) -> list[Part]:
    """Return the sections of a standard in its order; two statements whatever its size."""
    clauses = list(standard.clauses.select_related("item").order_by("position", "pk"))
    by_id = {clause.pk: clause for clause in clauses}
    grouped: dict[tuple[str, int], list[Clause]] = {}
    for clause in clauses:
        if clause.is_leaf:
            # Where there is no item, the first-level clause above it names the section.
            top = clause
            while top.parent_id:
                top = by_id[top.parent_id]
            key = ("item", clause.item_id) if clause.item_id else ("clause", top.pk)
            grouped.setdefault(key, []).append(clause)
    return [
        Part(
            leaves[0].item.name if kind == "item" and leaves[0].item else by_id[pk].name[:80],
            pk if kind == "item" else None,
            tuple(leaves),
        )
        for (kind, pk), leaves in grouped.items()
    ]


def create(
    *,
    by: Post,
    standard: Standard,
    year: int,
    quarter: int,
    name: str,
    starts: date,
    self_due: date,
    verify_due: date,
    institutions: Iterable[Institution],
    campaign: Campaign | None = None,
) -> Evaluation:
    """Draft an evaluation run by the institution of `by` over institutions it supervises.

    Raises ValidationError (Chinese reasons) for a standard or institutions that do not fit.
    """
    unit = by.institution
    chosen = sorted(institutions, key=lambda one: one.code)
    check(unit, standard, year, quarter, chosen)
    with transaction.atomic():
        evaluation = Evaluation(
            name=name,
            institution=unit,
            supervisor=unit,
            author=by,
            standard=standard,
            year=year,
            quarter=quarter,
            starts=starts,
            self_due=self_due,
            verify_due=verify_due,
            campaign=campaign,
        )
        evaluation.full_clean(exclude=["bureau"])
        evaluation.save()
        add_sheets(evaluation, chosen)
        _tell("create", "拟定评价", evaluation, chosen, by)
    return evaluation


def change(
    evaluation: Evaluation,
    *,
    by: Post,
    version: int,
    institutions: Iterable[Institution],
    **fields: Any,
) -> None:
    """Change a draft: its fields, and the set of institutions."""
    _only_its_own(evaluation, by)
    chosen = sorted(institutions, key=lambda one: one.code)
    with transaction.atomic():
        touch(evaluation, version=version, editable=frozenset({Evaluation.Status.DRAFT}))
        for field, value in fields.items():
            setattr(evaluation, field, value)
        check(
            evaluation.supervisor,
            evaluation.standard,
            evaluation.year,
            evaluation.quarter,
            chosen,
            but=evaluation,
        )
        evaluation.full_clean(exclude=["bureau"])
        evaluation.save(update_fields=list(fields))
        evaluation.sheets.all().delete()
        add_sheets(evaluation, chosen)
        _tell("change", "修改评价", evaluation, chosen, by)


def check(
    unit: Institution,
    standard: Standard,
    year: int,
    quarter: int,
    chosen: list[Institution],
    *,
    but: Evaluation | None = None,
) -> None:
    """Refuse what cannot be evaluated so; raises one ValidationError with every reason.

    One institution has at most one sheet of 季度评价 a quarter, since the year counts one score a quarter.
    """
    reasons = []
    if standard.status != Standard.Status.PUBLISHED:
        reasons.append(f"评价标准「{standard.name}」还没有发布或已被替代")
    if standard.purpose == Standard.Purpose.CHECKLIST:
        reasons.append(f"「{standard.name}」是检查表，不能用来评分")
    if standard.purpose == Standard.Purpose.QUARTERLY and not 1 <= quarter <= 4:
        reasons.append("季度评价要选择第 1～4 季度")
    for one in chosen:
        if one.parent_id != unit.pk:
            reasons.append(f"{one.name}不由{unit.name}督导")
        elif not standard.applies_to(one):
            reasons.append(f"评价标准不适用于{one.name}（{one.get_kind_display()}）")
    if standard.purpose == Standard.Purpose.QUARTERLY:
        others = ScoreSheet._base_manager.filter(
            institution__in=chosen,
            year=year,
            quarter=quarter,
            evaluation__standard__purpose=Standard.Purpose.QUARTERLY,
        ).exclude(evaluation=but)
        for sheet in others.select_related("institution", "evaluation"):
            reasons.append(f"{sheet.institution.name}本季度已在「{sheet.evaluation}」中评价")
    if reasons:
        raise ValidationError(reasons)


def add_sheets(evaluation: Evaluation, institutions: Iterable[Institution]) -> list[ScoreSheet]:
    """Add an empty sheet for each institution."""
    return ScoreSheet._base_manager.bulk_create(
        (
            ScoreSheet(
                evaluation=evaluation,
                bureau_id=evaluation.bureau_id,
                institution=one,
                supervisor_id=evaluation.supervisor_id,
                author_id=evaluation.author_id,
                year=evaluation.year,
                quarter=evaluation.quarter,
            )
            for one in institutions
        ),
        batch_size=BATCH,
    )


def add_lines(evaluation: Evaluation) -> None:
    """Give each sheet its sections and lines by the standard: three statements, however many sheets."""
    parts = parts_of(evaluation.standard)
    if not parts:
        return
    told = [
        (position, part.item_id or 0, part.title, _stored(part.full_marks))
        for position, part in enumerate(parts, start=1)
    ]
    insert_from(
        ScoreSection,
        {
            "sheet_id": "sheet.id",
            "bureau_id": "sheet.bureau_id",
            "institution_id": "sheet.institution_id",
            "supervisor_id": "sheet.supervisor_id",
            "position": "part.column1",
            "item_id": "NULLIF(part.column2, 0)",
            "title": "part.column3",
            "self_full": "part.column4",
            "full": "part.column4",
        },
        f"FROM scoring_scoresheet sheet CROSS JOIN (VALUES {_places(told)}) part"
        " WHERE sheet.evaluation_id = %s ORDER BY sheet.id, part.column1",
        [*chain.from_iterable(told), evaluation.pk],
    )
    leaves = [
        (position, order, clause.pk, _stored(clause.full_marks))
        for position, part in enumerate(parts, start=1)
        for order, clause in enumerate(part.clauses)
    ]
    insert_from(
        ScoreLine,
        {
            "sheet_id": "section.sheet_id",
            "section_id": "section.id",
            "clause_id": "leaf.column3",
            "self_full": "leaf.column4",
            "full": "leaf.column4",
        },
        "FROM scoring_scoresection section"
        " JOIN scoring_scoresheet sheet ON sheet.id = section.sheet_id"
        f" JOIN (VALUES {_places(leaves)}) leaf ON leaf.column1 = section.position"
        # A sheet's lines lie side by side: a page of it reads few blocks.
        " WHERE sheet.evaluation_id = %s ORDER BY section.sheet_id, section.position, leaf.column2",
        [*chain.from_iterable(leaves), evaluation.pk],
    )
    whole = sum((part.full_marks for part in parts), ZERO)
    evaluation.sheets.update(self_full=whole, full=whole)


def _stored(marks: Decimal) -> int:
    """Marks as the database keeps them: hundredths."""
    return int(marks.scaleb(2))


def _places(rows: Sequence[tuple]) -> str:
    """The placeholders of a VALUES list."""
    row = f"({', '.join(['%s'] * len(rows[0]))})"
    return ", ".join([row] * len(rows))


def open_evaluation(evaluation: Evaluation, *, by: Post, version: int) -> None:
    """Start the evaluation: every sheet gets its lines, every institution is told."""
    with transaction.atomic():
        evaluation.open(by=by, version=version)
        sheets = list(evaluation.sheets.select_related("institution").order_by("institution__code"))
        chosen = [sheet.institution for sheet in sheets]
        check(
            evaluation.supervisor,
            evaluation.standard,
            evaluation.year,
            evaluation.quarter,
            chosen,
            but=evaluation,
        )
        add_lines(evaluation)
        _tell("lines", "生成评分表", evaluation, chosen, by)
        due = f"{evaluation.self_due:%Y年%-m月%-d日}"
        notify(
            posts_at(chosen, "scoring.fill_sheet"),
            f"请于{due}前完成自评：{evaluation.name}",
            url=evaluation.get_absolute_url(),
        )


def _only_its_own(evaluation: Evaluation, by: Post) -> None:
    if not evaluation.may("open", by):
        raise PermissionDenied("评价由督导方修改")


def _tell(
    verb: str, label: str, evaluation: Evaluation, chosen: list[Institution], by: Post
) -> None:
    codes = [one.code for one in chosen]
    data: Mapping[str, Any] = {"count": len(codes), "digest": audit.digest(codes)}
    audit.record(
        f"scoring.evaluation.{verb}",
        label,
        by=by,
        bureau=evaluation.bureau_id,
        on=evaluation,
        institution=evaluation.supervisor,
        note=f"机构 {len(codes)} 家",
        data=dict(data),
    )
