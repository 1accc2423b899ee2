"""The table `scores`: figures for sheets that are open, and whole final sheets where a quarter has none.

An open evaluation: the sides the importer may write are filled in, no status moves. One that is closed is refused, unless
the file says what is there already. Where the institution has no sheet of that standard and quarter, a final one marked
导入 is made (history, or a county that scores on paper): then every leaf clause needs 核定 or 不适用.

扣分次数, 真实份数 and 核实份数 are the verified side's; the self side takes them where only that side is written, or where
it has figures of its own and its method needs them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db.models import F, Field

from campaigns.models import Clause, Standard
from campaigns.rules import Method, score
from institutions import clock, sheets
from institutions.models import Institution
from institutions.tables import BATCH, PLACE, YEAR, Change, Column, Place, Row, Table
from scoring.filling import SELF, VERIFIED, put, stored_fields
from scoring.models import Evaluation, ScoreLine, ScoreSection, ScoreSheet
from scoring.opening import Part, parts_of
from scoring.policies import grade_shares
from scoring.publishing import store_ranks
from scoring.sums import add_up_all

ZERO = Decimal("0.00")
FIGURE = sheets.decimal(2, 0, 10**12)
POINTS = sheets.decimal(2, None, 10**6)
COUNT = sheets.integer(max=1_000_000)
GRADE = sheets.choice(
    {letter: letter for letter in "ABCD"} | dict(zip("ＡＢＣＤ", "ABCD", strict=True))
)
SELF_COLUMNS = ("self_numerator", "self_denominator", "self_points", "self_grade", "self_na")
OWN_COLUMNS = ("numerator", "denominator", "points", "grade", "na")
SHARED = ("deductions", "genuine", "checked", "both_na")


def _number(header: str, name: str, **more: Any) -> Column:
    return Column(header, name, more.pop("parse", FIGURE), numeric=True, **more)


@dataclass
class Target:
    """Where the rows of one institution, standard and quarter go: a sheet that is there, or one to be made."""

    place: Place
    standard: Standard
    year: int
    quarter: int
    sheet: ScoreSheet | None
    rows: list[Row] = field(default_factory=list)
    lines: dict[str, ScoreLine] = field(default_factory=dict)
    # What the rows of a sheet to be made come to, and the shares of the grades they were scored by.
    changes: list[Change] = field(default_factory=list)
    shares: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def is_closed(self) -> bool:
        return self.sheet is not None and (
            self.sheet.evaluation.status != Evaluation.Status.OPEN
            or self.sheet.status == ScoreSheet.Status.VERIFIED
        )


class ScoreTable(Table):
    kind = "scores"
    label = "评分"
    purpose = (
        "进行中的评价：填入自评或核定数据，不改变状态。该季度没有评分表的：生成导入的定稿评分表，"
        "这时每个末级条款都要有核定或不适用。"
    )
    keyed = ("institution", "year", "quarter", "standard", "clause")
    columns = (
        PLACE,
        YEAR,
        Column("季度", "quarter", sheets.quarter, required=True, example="1"),
        Column("标准代码", "standard", sheets.code(32), required=True, example="ZC2023"),
        Column("条款代码", "clause", sheets.code(32), required=True, example="C01-1"),
        _number("自评分子", "self_numerator"),
        _number("自评分母", "self_denominator"),
        _number("自评得分", "self_points", parse=POINTS),
        _number("核定分子", "numerator", example="850"),
        _number("核定分母", "denominator", example="1000"),
        _number("核定得分", "points", parse=POINTS, help="填写的要与算出的一致"),
        _number("扣分次数", "deductions", parse=COUNT),
        Column("自评等级", "self_grade", GRADE, help="A、B、C、D"),
        Column("核定等级", "grade", GRADE, help="A、B、C、D"),
        _number("真实份数", "genuine", parse=COUNT),
        _number("核实份数", "checked", parse=COUNT),
        Column("自评不适用", "self_na", sheets.boolean, help="是或否"),
        Column("核定不适用", "na", sheets.boolean, help="是或否"),
        Column("不适用", "both_na", sheets.boolean, help="是：自评和核定都不适用"),
        Column("说明", "note", sheets.text(300), blank=""),
    )
    import_perms = ("scoring.verify_sheet", "scoring.fill_sheet")
    export_perm = "scoring.view_sheet"

    def title(self, row: Row) -> str:
        return f"{row['institution']} {row['year']}年第{row['quarter']}季度 {row['clause']}"

    # --- Finding what the rows speak of -----------------------------------------------------------

    def check_all(self, rows: list[Row]) -> None:
        self.targets: dict[tuple, Target] = {}
        self.parts: dict[int, list[Part]] = {}
        self.faulty = {self._group(row) for row in self.broken}
        if not rows:
            return
        standards = self._standards({row["standard"] for row in rows})
        found = self._sheets(rows)
        clauses: dict[int, dict[str, Clause]] = {}
        for row in rows:
            key = self._group(row)
            target = self.targets.get(key)
            if target is None:
                target = self._target(row, standards, found)
                if target is None:
                    continue
                self.targets[key] = target
            target.rows.append(row)
            if target.standard.pk not in clauses:
                clauses[target.standard.pk] = {
                    clause.code: clause for clause in target.standard.clauses.all()
                }
            clause = clauses[target.standard.pk].get(row["clause"])
            if clause is None:
                self.bad(row, "条款代码", f"标准“{target.standard.code}”里没有这个条款")
            elif not clause.is_leaf:
                self.bad(row, "条款代码", "不是末级条款，得分由下级条款合计")
        self._check_new(clauses)

    def _group(self, row: Row) -> tuple:
        place = row.values.get("institution")
        return (
            place.pk if place else None,
            row.values.get("year"),
            row.values.get("quarter"),
            row.values.get("standard"),
        )

    def _standards(self, codes: set[str]) -> dict[str, list[Standard]]:
        """Return published editions by code, newest first, with those who own them."""
        found: dict[str, list[Standard]] = defaultdict(list)
        standards = Standard.objects.filter(code__in=codes).exclude(status=Standard.Status.DRAFT)
        for one in standards.select_related("bureau").order_by("-edition"):
            found[one.code].append(one)
        return found

    def _sheets(self, rows: list[Row]) -> dict[tuple, ScoreSheet]:
        """Return the sheets of the institutions and periods of the file, by institution, period and standard."""
        found = ScoreSheet.objects.filter(
            year__in={row["year"] for row in rows}, quarter__in={row["quarter"] for row in rows}
        ).exclude(evaluation__status=Evaluation.Status.DRAFT)
        places = sorted({row["institution"].pk for row in rows})
        shared: dict[int, Evaluation] = {}
        self.quarterly: dict[tuple, ScoreSheet] = {}
        by_key = {}
        for ids in _batches(places):
            sheets_ = found.filter(institution__in=ids).select_related("evaluation__standard")
            for sheet in sheets_.select_related("evaluation__supervisor").order_by("pk"):
                # One object an evaluation, not one a sheet.
                sheet.evaluation = shared.setdefault(sheet.evaluation_id, sheet.evaluation)
                if sheet.supervisor_id == sheet.evaluation.supervisor_id:
                    sheet.supervisor = sheet.evaluation.supervisor
                standard = sheet.evaluation.standard
                by_key[sheet.institution_id, sheet.year, sheet.quarter, standard.code] = sheet
                if standard.purpose == Standard.Purpose.QUARTERLY:
                    self.quarterly[sheet.institution_id, sheet.year, sheet.quarter] = sheet
        return by_key

    def _target(
        self, row: Row, standards: Mapping[str, list[Standard]], found: Mapping[tuple, ScoreSheet]
    ) -> Target | None:
        place: Place = row["institution"]
        sheet = found.get(self._group(row))
        if sheet is not None:
            return Target(place, sheet.evaluation.standard, row["year"], row["quarter"], sheet)
        known = standards.get(row["standard"], ())
        usable = [
            one
            for one in known
            if place.path.startswith(one.bureau.path) and one.status == Standard.Status.PUBLISHED
        ]
        if not usable:
            self.bad(row, "标准代码", "没有这个已发布的评价标准")
            return None
        return self._new_target(row, place, max(usable, key=lambda s: len(s.bureau.path)))

    def _new_target(self, row: Row, place: Place, standard: Standard) -> Target | None:
        """Refuse a sheet that may not be made; else return where its rows go."""
        unit, post = self.scope.unit, self.scope.post
        other = self.quarterly.get((place.pk, row["year"], row["quarter"]))
        reason = ""
        if unit is None or place.pk == unit.pk or place.parent_id is None:
            reason = "该季度没有进行中的评价；本机构的定稿评分由督导方导入"
        elif post is not None and not post.has_perm("scoring.publish_evaluation"):
            reason = "该季度没有进行中的评价，本岗位不能生成定稿评分表"
        elif not set(standard.kinds).intersection(place.kinds):
            reason = "评价标准不适用于这类机构"
        elif standard.purpose == Standard.Purpose.CHECKLIST:
            reason = "检查表不能用来评分"
        elif other is not None and standard.purpose == Standard.Purpose.QUARTERLY:
            reason = f"本季度已按标准“{other.evaluation.standard.code}”评价"
        if reason:
            self.bad(row, "标准代码", reason)
            return None
        return Target(place, standard, row["year"], row["quarter"], None)

    def _check_new(self, clauses: Mapping[int, Mapping[str, Clause]]) -> None:
        """A sheet to be made is whole: every leaf is there; one sheet of 季度评价 a quarter."""
        quarters: dict[tuple, str] = {}
        for key, target in self.targets.items():
            if target.sheet is not None:
                continue
            if target.standard.purpose == Standard.Purpose.QUARTERLY:
                period = (target.place.pk, target.year, target.quarter)
                first = quarters.setdefault(period, target.standard.code)
                if first != target.standard.code:
                    self.bad(target.rows[0], "标准代码", f"本季度已按标准“{first}”评价")
            given = {row["clause"] for row in target.rows}
            leaves = [c for c in clauses[target.standard.pk].values() if c.is_leaf]
            absent = [c.code for c in leaves if c.code not in given]
            if absent and key not in self.faulty:
                names = "、".join(absent[:10]) + ("…" if len(absent) > 10 else "")
                self.bad(target.rows[0], "条款代码", f"缺少条款 {names} 的核定得分或不适用")

    # --- What a row would do ----------------------------------------------------------------------

    def compare(self, rows: list[Row]) -> Iterator[Change]:
        """Compute both sides of each line beside what is there; contradictions are errors of their row."""
        self._load_lines()
        shares: dict[tuple[int | None, int], Mapping[str, Decimal]] = {}
        unit = self.scope.unit
        for target in self.targets.values():
            owner = target.sheet.supervisor if target.sheet else None
            owner_pk = owner.pk if owner else target.place.parent_id
            if (owner_pk, target.year) not in shares:
                above = Institution.objects.filter(pk=owner_pk)  # type: ignore[misc]  # None finds none
                supervisor = owner or above.first() or unit
                shares[owner_pk, target.year] = (
                    grade_shares(supervisor, target.year) if supervisor else {}
                )
            own_shares = shares[owner_pk, target.year]
            if target.sheet is not None:
                yield from self._changes(target, own_shares)
                continue
            if not target.changes or target.shares != own_shares:
                self._make_lines(target)
                target.changes, target.shares = [*self._changes(target, own_shares)], own_shares
            yield from target.changes
            if not any(line.full for line in target.lines.values()):
                self.bad(target.rows[0], "不适用", "没有适用的条款，不能计算得分率")

    def _changes(self, target: Target, shares: Mapping[str, Decimal]) -> Iterator[Change]:
        """Put the rows of one sheet on its lines (unsaved), and yield what each would do."""
        for row in target.rows:
            line = target.lines.get(row["clause"])
            if line is None:
                continue
            before = _stored(line)
            if not self._apply(row, target, line, shares):
                continue
            changed = {
                name: (before[name], value)
                for name, value in _stored(line).items()
                if before[name] != value
            }
            if changed and target.is_closed:
                self.bad(row, "条款代码", "评价已公布、已定稿或已核定，不能再导入")
                continue
            own, others = (
                not changed.keys().isdisjoint(_OWN),
                not changed.keys().isdisjoint(_THEIRS),
            )
            if not self._may_write(row, target, own, others):
                continue
            state = "new" if target.sheet is None else "changed" if changed else "unchanged"
            diffs = [
                (_LABELS[name], _shown(old), _shown(new)) for name, (old, new) in changed.items()
            ]
            yield Change(row, state, self.title(row), diffs, old=(target, line))

    def _load_lines(self) -> None:
        """Fetch the lines of the sheets that are there, as they are now."""
        there = {t.sheet.pk: t for t in self.targets.values() if t.sheet is not None}
        for target in there.values():
            target.lines = {}
        clauses = {
            clause.pk: clause
            for target in {t.standard.pk: t for t in there.values()}.values()
            for clause in target.standard.clauses.all()
        }
        sections: dict[int, ScoreSection] = {}
        for ids in _batches(sorted(there)):
            sections |= ScoreSection.objects.filter(sheet__in=ids).in_bulk()
            for line in ScoreLine.objects.filter(sheet__in=ids).order_by():
                # One object a clause and a section, not one a line.
                line.clause, line.section = clauses[line.clause_id], sections[line.section_id]
                there[line.sheet_id].lines[line.clause.code] = line

    def _make_lines(self, target: Target) -> None:
        """Make the blank lines of a sheet that is not there yet."""
        standard = target.standard
        if standard.pk not in self.parts:
            self.parts[standard.pk] = parts_of(standard)
        target.lines = {
            clause.code: ScoreLine(
                clause=clause, self_full=clause.full_marks, full=clause.full_marks
            )
            for part in self.parts[standard.pk]
            for clause in part.clauses
        }

    def _apply(
        self, row: Row, target: Target, line: ScoreLine, shares: Mapping[str, Decimal]
    ) -> bool:
        """Put a row's figures on its line (unsaved); say why not at the cell and return False."""
        own, others = self._sides(row, target, line)
        try:
            if others:
                self._put_verified(row, line, shares)
            if own:
                self._put_self(row, line, shares, alone=not others)
        except ValidationError as refused:
            side = "核定得分" if others else "自评得分"
            self.bad(row, side, "；".join(refused.messages))
            return False
        if target.sheet is None and not line.is_judged:
            self.bad(row, "核定得分", "没有核定：要有核定数据、核定得分或不适用")
            return False
        return True

    def _sides(self, row: Row, target: Target, line: ScoreLine) -> tuple[bool, bool]:
        """Return which sides the row speaks of: self, verified."""
        own = any(_said(row[name]) for name in SELF_COLUMNS)
        others = any(_said(row[name]) for name in OWN_COLUMNS)
        shared = any(_said(row[name]) for name in SHARED)
        mine = self.scope.post is not None and self.scope.post.acts_for(target.place.pk)
        if shared and mine:
            own = True
        elif shared:
            others = True
            own = own or bool(row["both_na"])
        if target.sheet is None:
            others = True
        return own, others

    def _may_write(self, row: Row, target: Target, own: bool, others: bool) -> bool:
        """A side that the importer does not write may only be said as it is."""
        sheet, post = target.sheet, self.scope.post
        if sheet is None or target.is_closed:
            return True
        if (
            post is not None
            and own
            and not (post.acts_for(sheet.institution_id) and post.has_perm("scoring.fill_sheet"))
        ):
            self.bad(row, "自评得分", "自评由本机构填写")
            return False
        if others and not self._judges(target, post):
            self.bad(row, "核定得分", "核定由督导方或牵头单位填写")
            return False
        if own and sheet.status not in ScoreSheet.EDITABLE:
            self.bad(row, "自评得分", "自评已提交，不能再改")
            return False
        line = target.lines[row["clause"]]
        if others and line.section.status != ScoreSection.Status.OPEN:
            self.bad(row, "核定得分", "本项已核定完毕，不能再改")
            return False
        return True

    def _judges(self, target: Target, post: Any) -> bool:
        unit = self.scope.unit
        if unit is None or unit.pk == target.place.pk:
            return False
        if post is None:
            return True
        return post.has_perm("scoring.verify_sheet") and post.acts_for(
            target.sheet.supervisor_id if target.sheet else 0
        )

    def _put_verified(self, row: Row, line: ScoreLine, shares: Mapping[str, Decimal]) -> None:
        na = bool(row["na"] or row["both_na"])
        values = {
            "numerator": row["numerator"],
            "denominator": row["denominator"],
            "entered": row["points"],
            "deductions": row["deductions"],
            "grade": row["grade"] or "",
            "genuine": row["genuine"],
            "checked": row["checked"],
            "na": na,
            "note": row["note"],
        }
        put(line, VERIFIED, values, shares=shares)
        _forget_computed(line, "entered")

    def _put_self(
        self, row: Row, line: ScoreLine, shares: Mapping[str, Decimal], *, alone: bool
    ) -> None:
        method = line.clause.rule.method
        has_figures = alone or any(
            row[name] is not None for name in ("self_numerator", "self_denominator")
        )
        counted = method is Method.SAMPLE and has_figures
        values = {
            "numerator": row["self_numerator"],
            "denominator": row["self_denominator"],
            "entered": row["self_points"],
            "deductions": row["deductions"] if method is Method.DEDUCT and alone else None,
            "grade": row["self_grade"] or "",
            "genuine": row["genuine"] if counted else None,
            "checked": row["checked"] if counted else None,
            "na": bool(row["self_na"] or row["both_na"]),
            "note": row["note"] if alone or row["self_na"] else line.self_note,
        }
        claimed = row["self_points"]
        figures = [v for k, v in values.items() if k not in ("entered", "na", "note")]
        if (
            method is not Method.MANUAL
            and claimed is not None
            and not any(value not in (None, "") for value in figures)
        ):
            # A claim without its figures, as old papers have it: kept as claimed, and it counts for nothing.
            if not 0 <= claimed <= line.clause.full_marks:
                raise ValidationError(f"自评得分 {claimed} 不在 0 到满分之间")
            put(line, SELF, {**values, "entered": None}, shares=shares)
            line.self_entered, line.self_points = claimed, claimed
            return
        put(line, SELF, values, shares=shares)
        _forget_computed(line, "self_entered")

    # --- Writing ----------------------------------------------------------------------------------

    def write(self, changes: list[Change]) -> None:
        made: dict[tuple, Target] = {}
        changed: list[ScoreLine] = []
        for change in changes:
            target, line = change.old
            if target.sheet is None:
                made[self._group(change.row)] = target
            else:
                changed.append(line)
        if changed:
            self._write_open(changed)
        if made:
            self._write_new(list(made.values()))

    def _write_open(self, lines: list[ScoreLine]) -> None:
        # An upsert by key writes a thousand rows in the time in which bulk_update's CASE writes thirty.
        ScoreLine.objects.bulk_create(
            lines,
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["pk"],
            update_fields=[*stored_fields(SELF), *stored_fields(VERIFIED)],
        )
        sections = {line.section_id for line in lines}
        ScoreSection.objects.filter(pk__in=sections).update(version=F("version") + 1)
        add_up_all(sorted({line.sheet_id for line in lines}))

    def _write_new(self, targets: list[Target]) -> None:
        """Make one closed evaluation for each supervisor, standard and quarter; all in sets."""
        now = clock.now()
        groups: dict[tuple, list[Target]] = defaultdict(list)
        for target in targets:
            key = (target.place.parent_id, target.standard.pk, target.year, target.quarter)
            groups[key].append(target)
        owners = Institution.objects.select_related("bureau").in_bulk({key[0] for key in groups})
        evaluations = Evaluation.objects.bulk_create(
            [
                _evaluation(owners[key[0]], own[0], self.scope.post, now)
                for key, own in groups.items()
            ],
            batch_size=BATCH,
        )
        pairs = [
            (evaluation, target)
            for evaluation, own in zip(evaluations, groups.values(), strict=True)
            for target in own
        ]
        made = ScoreSheet.objects.bulk_create(
            [self._sheet(evaluation, target, now) for evaluation, target in pairs],
            batch_size=BATCH,
        )
        self._write_parts(made, [target for _, target in pairs], now)
        institutions = Institution.objects.select_related("bureau").in_bulk(
            {sheet.institution_id for sheet in made}
        )
        by_evaluation: dict[int, list[ScoreSheet]] = defaultdict(list)
        for sheet in made:
            sheet.institution = institutions[sheet.institution_id]
            by_evaluation[sheet.evaluation_id].append(sheet)
        for evaluation in evaluations:
            store_ranks(by_evaluation[evaluation.pk], owners[evaluation.supervisor_id])

    def _sheet(self, evaluation: Evaluation, target: Target, now: Any) -> ScoreSheet:
        lines = target.lines.values()
        points = max(sum((line.points or ZERO for line in lines), ZERO), ZERO)
        full = sum((line.full for line in lines), ZERO)
        return ScoreSheet(
            evaluation=evaluation,
            bureau_id=cast(int, target.place.bureau_id),
            institution_id=target.place.pk,
            supervisor_id=evaluation.supervisor_id,
            author=self.scope.post,
            year=target.year,
            quarter=target.quarter,
            imported=True,
            status=ScoreSheet.Status.VERIFIED,
            submitted_at=now,
            verified_at=now,
            self_points=max(sum((line.self_points or ZERO for line in lines), ZERO), ZERO),
            self_full=sum((line.self_full for line in lines), ZERO),
            points=points,
            full=full,
            score=score(points, full),
        )

    def _write_parts(self, made: list[ScoreSheet], targets: list[Target], now: Any) -> None:
        sections, owned = [], []
        for sheet, target in zip(made, targets, strict=True):
            for position, part in enumerate(self.parts[target.standard.pk], start=1):
                own = [target.lines[clause.code] for clause in part.clauses]
                sections.append(
                    ScoreSection(
                        sheet=sheet,
                        bureau_id=sheet.bureau_id,
                        institution_id=sheet.institution_id,
                        supervisor_id=sheet.supervisor_id,
                        item_id=part.item_id,
                        title=part.title,
                        position=position,
                        status=ScoreSection.Status.DONE,
                        verifier=self.scope.post,
                        verified_at=now,
                        self_points=sum((line.self_points or ZERO for line in own), ZERO),
                        self_full=sum((line.self_full for line in own), ZERO),
                        points=sum((line.points or ZERO for line in own), ZERO),
                        full=sum((line.full for line in own), ZERO),
                    )
                )
                owned.append(own)
        sections = ScoreSection.objects.bulk_create(sections, batch_size=BATCH)
        lines = []
        for section, own in zip(sections, owned, strict=True):
            for line in own:
                line.sheet_id, line.section = section.sheet_id, section
                lines.append(line)
        ScoreLine.objects.bulk_create(lines, batch_size=2000)

    # --- Going out --------------------------------------------------------------------------------

    def export(self, year: int | None) -> Iterator[Sequence[Any]]:
        """Yield the lines in reach; what was verified stays out until the reader may see it."""
        lines = self.scope.limit(ScoreLine.objects.all(), "section__institution")
        if year is not None:
            lines = lines.filter(sheet__year=year)
        lines = lines.order_by(
            "section__institution__code",
            "sheet__year",
            "sheet__quarter",
            "sheet_id",
            "clause__position",
        )
        post = self.scope.post
        # Plain values: a model a line would take five times the time.
        for row in lines.values_list(*EXPORTED, *SHOWN_BY).iterator(chunk_size=2000):
            *values, status, supervisor = row
            shown = (
                post is None
                or post.institution.is_bureau
                or post.institution_id == supervisor
                or status in Evaluation.SHOWN
            )
            yield _exported(values, shown=shown)


def _evaluation(owner: Institution, target: Target, post: Any, now: Any) -> Evaluation:
    first = date(target.year, 3 * target.quarter - 2, 1)
    last = (first + timedelta(days=100)).replace(day=1) - timedelta(days=1)
    standard = target.standard
    return Evaluation(
        name=f"{target.year}年第{target.quarter}季度（导入）：{standard.name}"[:80],
        institution=owner,
        supervisor=owner,
        bureau_id=cast(int, owner.bureau_id),
        author=post,
        standard=standard,
        year=target.year,
        quarter=target.quarter,
        starts=first,
        self_due=last,
        verify_due=last,
        status=Evaluation.Status.FINAL,
        published_at=now,
    )


def _said(value: Any) -> bool:
    """Whether a cell says something; 0 does, 否 does not."""
    return value is not None and value is not False


def _forget_computed(line: ScoreLine, name: str) -> None:
    """Points given beside the figures of a computed method were compared with them, and are not kept twice."""
    if line.clause.rule.method is not Method.MANUAL:
        setattr(line, name, None)


_OWN, _THEIRS = stored_fields(SELF), stored_fields(VERIFIED)
_STORED = (*_OWN, *_THEIRS)
_LABELS = {name: str(cast(Field, ScoreLine._meta.get_field(name)).verbose_name) for name in _STORED}


def _stored(line: ScoreLine) -> dict[str, Any]:
    return {name: getattr(line, name) for name in _STORED}


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return ("是" if value else "否") if isinstance(value, bool) else str(value)


EXPORTED = (
    "section__institution__code",
    "sheet__year",
    "sheet__quarter",
    "sheet__evaluation__standard__code",
    "clause__code",
    "clause__method",
    "self_numerator",
    "self_denominator",
    "self_points",
    "self_entered",
    "numerator",
    "denominator",
    "points",
    "deductions",
    "self_grade",
    "grade",
    "genuine",
    "checked",
    "self_na",
    "na",
    "reason",
)
SHOWN_BY = ("sheet__evaluation__status", "sheet__supervisor_id")
MANUAL = Method.MANUAL.name.lower()


def _exported(values: Sequence[Any], *, shown: bool) -> list[Any]:
    """The cells of a line from its EXPORTED values; what was verified is left out unless `shown`."""
    (
        code,
        year,
        quarter,
        standard,
        clause,
        method,
        self_numerator,
        self_denominator,
        own,
        entered,
        *verified,
    ) = values
    if not shown:
        verified = [None] * 3 + [None, verified[4]] + [None] * 3 + [verified[8]] + [None] * 2
    (
        numerator,
        denominator,
        points,
        deductions,
        self_grade,
        grade,
        genuine,
        checked,
        self_na,
        na,
        reason,
    ) = verified
    if entered is not None:
        own = entered
    elif method != MANUAL:
        own = None
    return [
        code,
        year,
        quarter or None,
        standard,
        clause,
        self_numerator,
        self_denominator,
        own,
        numerator,
        denominator,
        points,
        deductions,
        self_grade or None,
        grade or None,
        genuine,
        checked,
        self_na or None,
        na or None,
        None,
        reason or None,
    ]


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), 2000):
        yield ids[start : start + 2000]
