"""The table `standard`: a whole standard, one row a clause, parents anywhere in the file. What is imported is published.

A clause with others below it is a heading: its method is 手工, its full marks are the sum of theirs, and it is not scored.
A clause without 服务项目 has that of the heading above it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Q

from campaigns.models import Clause, Standard
from campaigns.rules import Method, RuleError, read_rule
from campaigns.series_tables import SeriesValueTable
from institutions import clock, sheets
from institutions.models import Institution, Kind
from institutions.rounding import plain_text
from institutions.tables import BATCH, YEAR, Change, Column, Row, Table, code_of, joined

KINDS = {str(kind.label): kind.value for kind in Kind}
PURPOSES = {str(p.label): p.value for p in Standard.Purpose}
METHODS = {method.value: method.name.lower() for method in Method}
RULE = ("评分方法", "满分", "目标值", "下限值", "分档", "扣分单位", "允许倒扣")
HEAD = ("year", "title", "purpose", "kinds")


def in_force(unit: Institution) -> dict[str, Standard]:
    """Return the published standards of `unit` and of those above it by code; the nearest goes first."""
    owners = unit.path.strip("/").split("/")
    found = Standard.objects.filter(
        bureau__code__in=owners, status=Standard.Status.PUBLISHED
    ).select_related("bureau")
    return {s.code: s for s in sorted(found, key=lambda s: (len(s.bureau.path), s.edition))}


def _words(header: str, name: str, length: int, **more: Any) -> Column:
    return Column(header, name, sheets.text(length), blank="", **more)


class StandardTable(Table):
    """Standards of a unit: new ones, and drafts to be filled. A published one is never changed."""

    kind = "standard"
    label = "评价标准"
    purpose = (
        "每行一个条款；有下级的条款写“手工”，满分等于下级合计。确认导入后即发布，发布后不能修改。"
    )
    keyed = ("standard", "code")
    columns = (
        Column("标准代码", "standard", sheets.code(32), required=True, example="ZC2023"),
        YEAR,
        Column("标准名称", "title", sheets.text(120), required=True),
        Column(
            "用途",
            "purpose",
            sheets.choice(PURPOSES),
            blank=Standard.Purpose.QUARTERLY.value,
            show=lambda v: str(Standard.Purpose(v).label),
            help="季度评价（默认）、专项、能力、检查表",
        ),
        Column(
            "适用机构类别",
            "kinds",
            sheets.many(sheets.choice(KINDS)),
            required=True,
            show=lambda v: joined(str(Kind(k).label) for k in v),
            help="多个用“；”隔开",
            example="乡镇卫生院;社区卫生服务中心",
        ),
        Column("条款代码", "code", sheets.code(32), required=True, example="C01-1"),
        Column("上级条款代码", "parent", sheets.code(32), blank="", example="C01"),
        Column(
            "服务项目",
            "item",
            sheets.text(60),
            lookup="find_item",
            show=code_of,
            help="代码 01 至 12、07a、07b，或名称；不填随上级条款",
            example="01",
        ),
        Column("条款名称", "name", sheets.text(200), required=True),
        Column(
            "评分方法",
            "method",
            sheets.choice({m.value: m.value for m in Method}),
            required=True,
            help="、".join(METHODS),
            example="达标折算",
        ),
        Column(
            "满分",
            "full_marks",
            sheets.decimal(2, 0, 100_000),
            required=True,
            numeric=True,
            show=lambda v: Decimal(plain_text(v)),
            example="5",
        ),
        _words("目标值", "target", 20, help="比率写 90%，数量写 12", example="90%"),
        _words("下限值", "floor", 20, help="与目标值同为比率或数量"),
        _words("分档", "steps", 200, help="从左到右，如 ≥90%:5;≥80%:3"),
        Column(
            "扣分单位",
            "deduct_unit",
            sheets.decimal(2, 0, 100_000),
            numeric=True,
            show=lambda v: Decimal(plain_text(v)),
        ),
        Column("允许倒扣", "below_zero", sheets.boolean, blank=False, help="是或否"),
        Column("核心条款", "core", sheets.boolean, blank=False, help="是或否"),
        _words("分子名称", "numerator_name", 80),
        _words("分母名称", "denominator_name", 80),
        _words("单位", "unit", 10),
        _words("考核方式", "check_method", 80),
        _words("评分办法", "scoring_note", 1000),
    )
    import_perms = ("campaigns.change_standard",)
    export_perm = "campaigns.view_standard"
    # One standard alone, of any state, when its page is exported; it has been found in sight.
    only: int | None = None

    def title(self, row: Row) -> str:
        return f"{row['standard']} {row['code']} {row['name']}"

    # --- Checks -------------------------------------------------------------------------------------

    def check_all(self, rows: list[Row]) -> None:
        """Each standard of the file: one head, a tree, marks that add up, rules that can score."""
        groups: dict[str, list[Row]] = defaultdict(list)
        damaged = {row.values.get("standard") for row in self.broken}
        stubs: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            groups[row["standard"]].append(row)
        for row in self.broken:
            stubs[row.values.get("standard", "")].append(row)
        self.trees = {}
        for code, group in groups.items():
            tree = _Tree(group, stubs[code])
            self.trees[code] = tree
            self._check_head(group)
            if self._check_tree(group, tree):
                self._inherit_items(group, tree)
            for row in group:
                self._check_rule(row, tree)
            if code not in damaged and None not in damaged:
                self._check_sums(group, tree)

    def _check_head(self, group: list[Row]) -> None:
        first = group[0]
        for row in group[1:]:
            for name in HEAD:
                same = set(row[name]) == set(first[name]) if name == "kinds" else False
                if not same and row[name] != first[name]:
                    header = self.column(name).header
                    self.bad(row, header, f"与第{first.number}行同一标准的{header}不同")

    def _check_tree(self, group: list[Row], tree: _Tree) -> bool:
        sound = True
        for row in group:
            if row["parent"] and row["parent"] not in tree.codes:
                self.bad(row, "上级条款代码", "本文件的这个标准里没有这个条款")
                sound = False
            elif tree.depth(row["code"]) == 0:
                self.bad(row, "上级条款代码", "上级关系首尾相接成了环")
                sound = False
        return sound

    def _inherit_items(self, group: list[Row], tree: _Tree) -> None:
        for row in sorted(group, key=lambda r: tree.depth(r["code"])):
            above = tree.rows.get(row["parent"])
            if row["item"] is None and above is not None:
                row.values["item"] = above.values.get("item")

    def _check_rule(self, row: Row, tree: _Tree) -> None:
        if row["code"] in tree.headings and row["method"] != Method.MANUAL:
            self.bad(row, "评分方法", "有下级条款，应写“手工”，由下级条款合计")
            return
        cells = {header: self._cell(row, header) for header in RULE}
        try:
            read_rule(cells)
        except RuleError as error:
            for reason in error.reason.split("；"):
                self.bad(row, next((h for h in RULE if h in reason), "评分方法"), reason)

    def _cell(self, row: Row, header: str) -> str:
        column = next(c for c in self.columns if c.header == header)
        return column.text(row[column.name])

    def _check_sums(self, group: list[Row], tree: _Tree) -> None:
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for row in group:
            sums[row["parent"]] += row["full_marks"]
        for row in group:
            if row["code"] in tree.headings and sums[row["code"]] != row["full_marks"]:
                own, below = row["full_marks"], sums[row["code"]]
                shown = [plain_text(number) for number in (own, below, abs(own - below))]
                self.bad(row, "满分", "满分 {}，下级条款合计 {}，相差 {}".format(*shown))

    # --- Comparing ------------------------------------------------------------------------------------

    def compare(self, rows: list[Row]) -> Iterator[Change]:
        if not rows or self.scope.unit is None:
            return
        groups: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            groups[row["standard"]].append(row)
        self._load(list(groups))
        for code, group in groups.items():
            yield from self._compare_one(group, self.known[code])

    def _load(self, codes: list[str]) -> None:
        """The standards of these codes that the unit or those above it have, with their clauses."""
        unit = self.scope.unit
        owners = unit.path.strip("/").split("/") if unit else []
        self.known: dict[str, list[Standard]] = defaultdict(list)
        found = Standard.objects.filter(bureau__code__in=owners, code__in=codes)
        for standard in found.prefetch_related("clauses__parent", "clauses__item").order_by("pk"):
            self.known[standard.code].append(standard)

    def _compare_one(self, group: list[Row], known: list[Standard]) -> Iterator[Change]:
        published = [s for s in known if s.status == Standard.Status.PUBLISHED]
        own = [s for s in known if self.scope.unit and s.bureau_id == self.scope.unit.pk]
        draft = next((s for s in own if s.is_draft), None)
        if any(self._same(group, standard) for standard in published):
            for row in group:
                yield Change(row, "unchanged", self.title(row))
        elif draft is not None:
            yield from self._compare_draft(group, draft)
        elif known:
            self._refuse_published(group, published or known)
        else:
            for row in group:
                yield Change(row, "new", self.title(row), self._diffs(row, None, None))

    def _refuse_published(self, group: list[Row], published: list[Standard]) -> None:
        """Name each row in which the file differs from the edition that may not be changed."""
        latest = max(published, key=lambda s: s.edition)
        clauses = {clause.code: clause for clause in latest.clauses.all()}
        hint = f"“{latest.code}”已发布，不能修改；如需修改，请先在它的页面点“新版次”，再导入，或换一个标准代码"
        rows = [row for row in group if self._diffs(row, latest, clauses.get(row["code"]))]
        for row in rows or group[:1]:
            self.bad(row, "标准代码", hint)

    def _same(self, group: list[Row], standard: Standard) -> bool:
        clauses = {clause.code: clause for clause in standard.clauses.all()}
        return clauses.keys() == {row["code"] for row in group} and not any(
            self._diffs(row, standard, clauses[row["code"]]) for row in group
        )

    def _compare_draft(self, group: list[Row], draft: Standard) -> Iterator[Change]:
        clauses = {clause.code: clause for clause in draft.clauses.all()}
        gone = clauses.keys() - {row["code"] for row in group}
        if gone:
            self.notes.append(f"草稿“{draft.name}”里的条款 {'、'.join(sorted(gone))} 将被删除。")
        for number, row in enumerate(group):
            clause = clauses.get(row["code"])
            diffs = self._diffs(row, draft, clause)
            if not number:
                diffs.append(("状态", "草稿", "已发布"))
            # Every row is written, since the whole tree is: a draft is filled anew.
            state = "new" if clause is None else "changed"
            yield Change(row, state, self.title(row), diffs, draft)

    def _diffs(
        self, row: Row, standard: Standard | None, clause: Clause | None
    ) -> list[tuple[str, str, str]]:
        diffs = []
        for column in self.columns:
            if column.name in self.keyed:
                continue
            before = column.blank
            if column.name in HEAD:
                if standard is not None:
                    before = _stored_head(standard, column.name)
            elif clause is not None:
                before = _stored(clause, column.name)
            now = sorted(row[column.name]) if column.name == "kinds" else row[column.name]
            if now != (sorted(before) if column.name == "kinds" and before else before):
                diffs.append((column.header, column.text(before), column.text(row[column.name])))
        return diffs

    # --- Writing --------------------------------------------------------------------------------------

    def write(self, changes: list[Change]) -> None:
        groups: dict[str, list[Change]] = defaultdict(list)
        for change in changes:
            groups[change.row["standard"]].append(change)
        for code, group in groups.items():
            self._write_one(code, [change.row for change in group], group[0].old)

    def _write_one(self, code: str, rows: list[Row], draft: Standard | None) -> None:
        """Fill the draft, or a new standard, level by level; then publish it."""
        unit, tree, head = self.scope.unit, self.trees[code], rows[0]
        if draft is None:
            draft = Standard(bureau=unit, code=code)
        else:
            Clause.objects.filter(standard=draft).delete()
        draft.name = head["title"]
        draft.year, draft.purpose, draft.kinds = head["year"], head["purpose"], head["kinds"]
        draft.in_force_from = draft.in_force_from or clock.today()
        draft.save()
        made: dict[str, Clause] = {}
        levels: dict[int, list[Clause]] = defaultdict(list)
        for position, row in enumerate(rows, start=1):
            made[row["code"]] = clause = _clause(row, tree, draft, position)
            levels[clause.depth].append(clause)
        for depth in sorted(levels):
            for clause in levels[depth]:
                clause.parent = made.get(tree.rows[clause.code]["parent"])
            Clause.objects.bulk_create(levels[depth], batch_size=BATCH)
        total = sum((clause.full_marks for clause in levels[1]), Decimal(0))
        replaced = Standard.objects.filter(
            bureau=unit, code=code, status=Standard.Status.PUBLISHED
        ).exclude(pk=draft.pk)
        replaced.update(status=Standard.Status.REPLACED)
        Standard.objects.filter(pk=draft.pk, status=Standard.Status.DRAFT).update(
            status=Standard.Status.PUBLISHED, published_at=clock.now(), full_marks=total
        )

    # --- Out ------------------------------------------------------------------------------------------

    def export(self, year: int | None) -> Iterator[Sequence[Any]]:
        """The published standards that the unit works by, those of the bureaus above it included."""
        if self.scope.unit is None:
            return
        if self.only is None:
            standards = in_force(self.scope.unit).values()
            chosen = [s.pk for s in standards if year is None or s.year == year]
        else:
            chosen = [self.only]
        clauses = Clause.objects.filter(Q(standard__in=chosen))
        clauses = clauses.select_related("standard", "parent", "item")
        for clause in clauses.order_by("standard__code", "position").iterator(chunk_size=2000):
            values = [
                _stored_head(clause.standard, column.name)
                if column.name in HEAD
                else clause.standard.code
                if column.name == "standard"
                else _stored(clause, column.name)
                for column in self.columns
            ]
            yield [
                None if value is None else column.show(value)
                for column, value in zip(self.columns, values, strict=True)
            ]


class _Tree:
    """The clauses of one standard in a file; `depth` is 0 for one that never reaches the top."""

    def __init__(self, rows: list[Row], broken: list[Row]) -> None:
        self.rows = {row["code"]: row for row in rows}
        everything = [*rows, *broken]
        self.parent = {
            row.values["code"]: row.values.get("parent") or ""
            for row in everything
            if "code" in row.values
        }
        self.codes = self.parent.keys()
        self.headings = {row.values.get("parent") for row in everything} - {"", None}
        self._depths: dict[str, int] = {"": 0}

    def depth(self, code: str) -> int:
        way: list[str] = []
        while code not in self._depths:
            if code in way:
                self._depths.update(dict.fromkeys(way, 0))
                return 0
            way.append(code)
            code = self.parent.get(code, "")
        ringed = code != "" and self._depths[code] == 0
        for step in reversed(way):
            self._depths[step] = 0 if ringed else self._depths[self.parent.get(step, "")] + 1
        return self._depths[way[0]] if way else self._depths[code]


def _clause(row: Row, tree: _Tree, standard: Standard, position: int) -> Clause:
    leaf = row["code"] not in tree.headings
    return Clause(
        standard=standard,
        code=row["code"],
        position=position,
        depth=tree.depth(row["code"]),
        is_leaf=leaf,
        item=row["item"],
        name=row["name"],
        method=METHODS[row["method"]] if leaf else "",
        **{name: row[name] for name in Clause.DETAILS},
    )


def _stored_head(standard: Standard, name: str) -> Any:
    return standard.name if name == "title" else getattr(standard, name)


def _stored(clause: Clause, name: str) -> Any:
    """The value of a column in a clause; a heading is written 手工."""
    if name == "parent":
        return clause.parent.code if clause.parent else ""
    if name == "method":
        return Method[clause.method.upper()].value if clause.method else Method.MANUAL.value
    return getattr(clause, name)


TABLES: tuple[type[Table], ...] = (StandardTable, SeriesValueTable)
