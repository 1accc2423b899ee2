"""Building the clauses of a draft standard from the rows of its file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from django.db import transaction
from django.db.models import Field

from campaigns.models import Clause, PublishedError, Standard
from campaigns.rules import Method, RuleError, read_rule
from institutions.models import Institution, ServiceItem
from institutions.rounding import NumberRefused, parse_number

# Columns of the file (formats.md, kind `standard`) that describe one clause.
COLUMNS = (
    "条款代码",
    "上级条款代码",
    "服务项目",
    "条款名称",
    "评分方法",
    "满分",
    "目标值",
    "下限值",
    "分档",
    "扣分单位",
    "允许倒扣",
    "核心条款",
    "分子名称",
    "分母名称",
    "单位",
    "考核方式",
    "评分办法",
)
_TEXTS = {
    "name": "条款名称",
    "numerator_name": "分子名称",
    "denominator_name": "分母名称",
    "unit": "单位",
    "check_method": "考核方式",
    "scoring_note": "评分办法",
    "target": "目标值",
    "floor": "下限值",
    "steps": "分档",
}


@dataclass(frozen=True)
class BadClause:
    """Why one row cannot be taken; `row` counts from 1."""

    row: int
    column: str
    value: str
    reason: str

    def __str__(self) -> str:
        return f"第 {self.row} 行 {self.column}「{self.value}」：{self.reason}"


class StandardRefused(ValueError):
    """The rows contradict themselves; `errors` lists every reason, and nothing was written."""

    def __init__(self, errors: Sequence[BadClause]) -> None:
        super().__init__("；".join(str(error) for error in errors))
        self.errors = list(errors)


def draft_of(bureau: Institution, code: str, **fields) -> Standard:
    """Return the open draft of a standard's code, or a new one: edition 1, or the next after the published one.

    `fields` (year, name, purpose, kinds) are set on it and saved.
    """
    editions = Standard.objects.filter(bureau=bureau, code=code).order_by("-edition")
    last = editions.first()
    if last is None or not last.is_draft:
        last = Standard(bureau=bureau, code=code, edition=last.edition + 1 if last else 1)
    for name, value in fields.items():
        setattr(last, name, value)
    last.save()
    return last


def build(standard: Standard, rows: Sequence[Mapping[str, str]]) -> list[Clause]:
    """Replace the clauses of a draft by those of `rows`, whose keys are the columns of the file, values text.

    A row that others name as 上级条款代码 only heads them; every other is a leaf with a rule. Parents stand before
    their children; a clause without 服务项目 has its parent's. Raises StandardRefused with all errors, PublishedError for a published standard.
    """
    if not standard.is_draft:
        raise PublishedError(f"{standard} is published: make a new edition")
    texts = [{name: (row.get(name) or "").strip() for name in COLUMNS} for row in rows]
    items = _items()
    parents = {text["上级条款代码"] for text in texts} - {""}
    built: dict[str, Clause] = {}
    errors: list[BadClause] = []
    for number, text in enumerate(texts, start=1):
        reader = _Reader(standard, number, text, items, parents, built)
        clause = reader.clause()
        errors += reader.errors
        if clause.code:
            built.setdefault(clause.code, clause)
    if errors or not built:
        raise StandardRefused(errors or [BadClause(1, "条款代码", "", "没有任何条款")])
    with transaction.atomic():
        if not Standard.objects.select_for_update().get(pk=standard.pk).is_draft:
            raise PublishedError(f"{standard} is published: make a new edition")
        standard.clauses.all().delete()
        _save_by_depth(list(built.values()))
    return list(built.values())


def _save_by_depth(clauses: Sequence[Clause]) -> None:
    """Write level by level, a handful of statements: a child needs its parent's id."""
    for depth in range(1, max(clause.depth for clause in clauses) + 1):
        Clause.objects.bulk_create(clause for clause in clauses if clause.depth == depth)


def _items() -> dict[str, ServiceItem]:
    """Return the service items by code, name, edition's name and alias."""
    known: dict[str, ServiceItem] = {}
    for item in ServiceItem.objects.all():
        words = [item.code, item.name, item.short_name, *item.aliases, *item.names.values()]
        for word in words:
            known.setdefault(word, item)
    return known


class _Reader:
    """Reads one row into an unsaved clause and collects what is wrong with it."""

    def __init__(self, standard, number, text, items, parents, built) -> None:
        self.standard, self.number, self.text = standard, number, text
        self.items, self.parents, self.built = items, parents, built
        self.errors: list[BadClause] = []

    def refuse(self, column: str, reason: str) -> None:
        self.errors.append(BadClause(self.number, column, self.text[column][:40], reason))

    def clause(self) -> Clause:
        code = self.text["条款代码"]
        if not code:
            self.refuse("条款代码", "没有填写")
        elif code in self.built:
            self.refuse("条款代码", "重复")
        parent = self.parent()
        clause = Clause(
            standard=self.standard,
            code=code,
            parent=parent,
            depth=parent.depth + 1 if parent else 1,
            position=self.number,
            is_leaf=code not in self.parents,
            item=self.item() or (parent.item if parent else None),
            full_marks=self.marks(),
            core=self.yes("核心条款"),
            below_zero=self.yes("允许倒扣"),
            **{field: self.words(field) for field in _TEXTS},
        )
        if clause.is_leaf:
            self.read_rule(clause)
        if not clause.name:
            self.refuse("条款名称", "没有填写")
        return clause

    def words(self, field: str) -> str:
        column = _TEXTS[field]
        limit = cast(Field, Clause._meta.get_field(field)).max_length
        if limit and len(self.text[column]) > limit:
            self.refuse(column, f"超过 {limit} 字")
        return self.text[column]

    def parent(self) -> Clause | None:
        code = self.text["上级条款代码"]
        if not code:
            return None
        if code not in self.built:
            self.refuse("上级条款代码", "没有这个条款，或者它排在本行之后")
        return self.built.get(code)

    def item(self) -> ServiceItem | None:
        word = self.text["服务项目"]
        if word and word not in self.items:
            self.refuse("服务项目", "不是 12 项服务之一")
        return self.items.get(word)

    def marks(self) -> Decimal:
        try:
            return parse_number(self.text["满分"], places=2)
        except NumberRefused as refused:
            # A leaf's rule says it again, together with its other faults.
            if self.text["条款代码"] in self.parents:
                self.refuse("满分", str(refused))
            return Decimal(0)

    def yes(self, column: str) -> bool:
        if self.text[column] not in ("", "是", "否"):
            self.refuse(column, "只能填是或否")
        return self.text[column] == "是"

    def read_rule(self, clause: Clause) -> None:
        try:
            rule = read_rule(self.text)
        except RuleError as error:
            self.refuse("评分方法", error.reason)
            return
        clause.method = Method(rule.method).name.lower()
        clause.deduct_unit = rule.deduct_unit
