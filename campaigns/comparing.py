"""What differs between two editions or years of a standard, and between a campaign and the one it was copied from."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, cast

from django.db import models

from campaigns.models import Campaign, Clause, Standard
from institutions.rounding import plain_text

LABELS = {"added": "新增", "removed": "删去", "changed": "修改"}
TONES = {"added": "ok", "removed": "bad", "changed": "warn"}


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it was: `fields` are label, old and new value as shown."""

    state: str
    title: str
    fields: Sequence[tuple[str, str, str]] = ()

    @property
    def label(self) -> str:
        return LABELS[self.state]

    @property
    def tone(self) -> str:
        return TONES[self.state]


@dataclass(frozen=True)
class Section:
    """The differences of one sort, and how many rows are the same."""

    title: str
    differences: Sequence[Difference]
    same: int

    @property
    def counts(self) -> dict[str, int]:
        return {
            label: sum(d.state == state for d in self.differences)
            for state, label in LABELS.items()
        }


@dataclass(frozen=True)
class _Row:
    title: str
    values: dict[str, str]


def compare_standards(old: Standard, new: Standard) -> list[Section]:
    """Compare head, levels and clauses; clauses belong together by their code. Four queries."""
    heads = _pair([(_standard(old), _standard(new))])
    before, after = ({c.code: _clause(c) for c in _clauses(s)} for s in (old, new))
    pairs: list[tuple[_Row | None, _Row | None]] = []
    pairs += [(before.get(code), row) for code, row in after.items()]
    pairs += [(row, None) for code, row in before.items() if code not in after]
    return [_section("标准信息", heads), _section("条款", _pair(pairs))]


def _clauses(standard: Standard) -> Iterable[Clause]:
    return standard.clauses.select_related("parent", "item").order_by("position")


def _standard(standard: Standard) -> _Row:
    names = ("name", "year", "purpose", "reason")
    values = {_label(Standard, name): _shown(standard, name) for name in names}
    # A draft says what its clauses are to add up to; a published standard has added up.
    marks = standard.wanted_marks if standard.is_draft else standard.full_marks
    values["总分"] = plain_text(marks) if marks is not None else ""
    values["适用机构类别"] = "、".join(standard.kind_labels)
    for level in standard.levels:
        shares = "，".join(f"{grade} 及以上 {share}%" for grade, share in level["shares"].items())
        values[level["name"]] = shares + (
            f"，核心条款至少 {level['core']}" if level["core"] else ""
        )
    return _Row("标准信息", values)


def _clause(clause: Clause) -> _Row:
    names = ("name", "method", *Clause.DETAILS)
    values = {_label(Clause, name): _shown(clause, name) for name in names}
    values["上级条款"] = clause.parent.code if clause.parent else ""
    values["服务项目"] = clause.item.short_name if clause.item else ""
    return _Row(f"{clause.code} {clause.name}", values)


def _label(model: type[models.Model], name: str) -> str:
    return str(cast(models.Field, model._meta.get_field(name)).verbose_name)


def _shown(row: models.Model, name: str) -> str:
    """Return a field's value as a reader knows it."""
    display = getattr(row, f"get_{name}_display", None)
    value: Any = display() if display else getattr(row, name)
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if hasattr(value, "as_tuple"):
        return plain_text(value)
    if hasattr(value, "isoformat"):
        return f"{value.year}年{value.month}月{value.day}日"
    return str(value)


def _pair(pairs: Iterable[tuple[_Row | None, _Row | None]]) -> tuple[list[Difference], int]:
    found, same = [], 0
    for old, new in pairs:
        if new is None and old is not None:
            found.append(Difference("removed", old.title, _fields(old.values, {})))
        elif old is None and new is not None:
            found.append(Difference("added", new.title, _fields({}, new.values)))
        elif old is not None and new is not None and old.values != new.values:
            found.append(Difference("changed", new.title, _fields(old.values, new.values)))
        else:
            same += 1
    return found, same


def _fields(old: dict[str, str], new: dict[str, str]) -> list[tuple[str, str, str]]:
    labels = list(new) + [label for label in old if label not in new]
    pairs = ((label, old.get(label, ""), new.get(label, "")) for label in labels)
    return [(label, before, after) for label, before, after in pairs if before != after]


def _section(title: str, paired: tuple[list[Difference], int]) -> Section:
    return Section(title, *paired)


# --- Campaigns ---------------------------------------------------------------------------------------


def compare_campaigns(old: Campaign, new: Campaign) -> list[Section]:
    """Compare two papers part by part. Rows belong together by their words, years and days left out."""
    return [
        _section("文件信息", _pair([(_head(old), _head(new))])),
        _section("阶段", _align(_phases(old), _phases(new))),
        _section("任务", _align(_tasks(old), _tasks(new))),
        _section("督导重点", _align(_focuses(old), _focuses(new))),
        _section("主送机构", _sets(_recipients(old), _recipients(new))),
        _section("正文", _align(_passages(old), _passages(new))),
    ]


def _head(row: Campaign) -> _Row:
    return _Row("文件信息", {_label(Campaign, name): _shown(row, name) for name in Campaign.HEAD})


def _phases(row: Campaign) -> list[_Row]:
    return [
        _Row(p.name, {_label(type(p), n): _shown(p, n) for n in ("name", "starts", "ends", "text")})
        for p in row.phases.all()
    ]


def _tasks(row: Campaign) -> list[_Row]:
    listed = []
    related = ("institutions", "unit_departments", "departments", "leaders__institution")
    names = ["name", "text", "area", "kind", "done_by", "item", "due", "phase", "goal", "unit"]
    names += ["programme", "receiver"]
    rows = row.tasks.select_related("phase", "item", "receiver")
    for task in rows.prefetch_related(*related):
        values = {_label(type(task), name): _shown(task, name) for name in names}
        values["责任科室单位"] = "、".join(sorted(task.unit_names))
        values["目标类别"] = "、".join(task.objective_labels)
        values["覆盖对象"] = "、".join(task.covers)
        values["牵头科室"] = "、".join(sorted(d.name for d in task.departments.all()))
        values["责任领导"] = "、".join(sorted(p.title for p in task.leaders.all()))
        listed.append(_Row(task.name, values))
    return listed


def _focuses(row: Campaign) -> list[_Row]:
    listed = []
    for focus in row.focuses.prefetch_related("institutions", "items"):
        values = {"机构名称": focus.names, "督导重点": focus.text}
        values["对应机构"] = "、".join(sorted(u.known_as for u in focus.institutions.all()))
        values["服务项目"] = "、".join(i.short_name for i in focus.items.all())
        listed.append(_Row(focus.names, values))
    return listed


def _recipients(row: Campaign) -> dict[str, str]:
    sent = row.recipients.select_related("institution", "department", "region")
    return {f"{r.sort}{r.name}": r.name for r in sent.order_by("institution__code", "pk")}


def _passages(row: Campaign) -> list[_Row]:
    return [
        _Row(f"第 {p.position} 条 {p.heading or p.text[:20]}", {"标题": p.heading, "正文": p.text})
        for p in row.passages.all()
    ]


def _sets(old: dict[str, str], new: dict[str, str]) -> tuple[list[Difference], int]:
    found = [Difference("added", name) for code, name in new.items() if code not in old]
    found += [Difference("removed", name) for code, name in old.items() if code not in new]
    return found, len(old.keys() & new.keys())


def _align(old: list[_Row], new: list[_Row]) -> tuple[list[Difference], int]:
    """Lay two lists side by side by their words, then row by row where both go on differently."""
    before, after = ([_words(row) for row in rows] for rows in (old, new))
    pairs: list[tuple[_Row | None, _Row | None]] = []
    for _, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        left, right = old[a:b], new[c:d]
        longest = max(len(left), len(right))
        for place in range(longest):
            pairs.append(
                (
                    left[place] if place < len(left) else None,
                    right[place] if place < len(right) else None,
                )
            )
    return _pair(pairs)


def _words(row: _Row) -> str:
    return re.sub(r"\d+", "#", "".join(row.values.values()))
