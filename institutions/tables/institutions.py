"""The table `institutions`: the tree of who supervises whom. Parents may stand anywhere in the same file."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F

from institutions import codes, sheets
from institutions.models import Affiliation, Institution, Kind, Post, Region
from institutions.models.institution import CLINIC_KINDS, code_validator, search_text
from institutions.models.people import role_refused
from institutions.tables.table import (
    BATCH,
    UNKNOWN_INSTITUTION,
    Change,
    Column,
    ModelTable,
    Row,
    joined,
)

KINDS = {str(kind.label): kind.value for kind in Kind}
AFFILIATIONS = {str(a.label): a.value for a in Affiliation}
CHILDLESS = CLINIC_KINDS | {Kind.STREET}
MAX_PATH = 255


def institution_code(text: str) -> str:
    value = sheets.code(32)(text)
    try:
        code_validator(value)
    except ValidationError as error:
        raise ValueError(error.messages[0]) from error
    return value


def region_code(text: str) -> str:
    value = sheets.code(12)(text)
    if not re.fullmatch("[0-9]{6}|[0-9]{9}|[0-9]{12}", value):
        raise ValueError("行政区划代码应为 6、9 或 12 位数字")
    return value


def _code(region: Region | str) -> str:
    return region if isinstance(region, str) else region.code


class InstitutionTable(ModelTable):
    """Institutions of a subtree. A moved parent takes what stands below it along."""

    kind = "institutions"
    label = "机构"
    purpose = "机构名单和督导关系。上级可以在同一个文件里，顺序不限。"
    model = Institution
    keyed = ("code",)
    columns = (
        Column(
            "机构代码",
            "code",
            institution_code,
            required=True,
            help="不重复；字母、数字、“-”和“_”",
            example="ZC-QNL",
        ),
        Column("机构名称", "name", sheets.text(80), required=True, example="示例社区卫生服务中心"),
        Column(
            "机构类别",
            "kind",
            sheets.choice(KINDS),
            required=True,
            show=lambda v: str(Kind(v).label),
            help="、".join(KINDS),
            example="社区卫生服务中心",
        ),
        Column(
            "上级机构代码",
            "parent",
            institution_code,
            help="公共卫生工作由谁督导；只有最上级（本单位）可以为空",
            example="ZC",
        ),
        Column(
            "行政区划代码",
            "region",
            region_code,
            required=True,
            show=_code,
            help="6 位县区代码，或已登记的 9、12 位镇街、村居代码",
            example="370306",
        ),
        Column("统一社会信用代码", "uscc", codes.check_uscc, blank="", help="18 位"),
        Column(
            "医疗机构登记号", "licence", codes.check_registration, blank="", help="没有的填“暂无”"
        ),
        Column(
            "其他名称",
            "other_names",
            sheets.many(sheets.text(80)),
            blank=[],
            show=joined,
            help="多个用“；”隔开",
        ),
        Column(
            "兼任类别",
            "also_kinds",
            sheets.many(sheets.choice(KINDS)),
            blank=[],
            show=lambda v: joined(str(Kind(k).label) for k in v),
            help="同时承担的机构类别，多个用“；”隔开",
        ),
        Column(
            "隶属",
            "affiliation",
            sheets.choice(AFFILIATIONS),
            blank="",
            show=lambda v: str(Affiliation(v).label) if v else "",
            help="、".join(AFFILIATIONS),
        ),
        Column("助产机构", "midwifery", sheets.boolean, blank=False, help="是或否"),
        Column("启用日期", "opened", sheets.date, example="2015-01-01"),
        Column("停用日期", "closed", sheets.date),
    )
    import_perms = ("institutions.manage_reference",)
    export_perm = "institutions.view_institution"

    # --- Checks -------------------------------------------------------------------------------------

    def prepare(self) -> None:
        self.places = self.scope.places
        self.code_of = {place.pk: place.code for place in self.places.values()}

    def resolve(self, row: Row) -> None:
        if row["opened"] and row["closed"] and row["closed"] < row["opened"]:
            self.bad(row, "停用日期", "停用日期不能早于启用日期")
        if row["kind"] in row["also_kinds"]:
            self.bad(row, "兼任类别", "与机构类别相同")
        if {Kind.BUREAU, Kind.STREET} & set(row["also_kinds"]):
            self.bad(row, "兼任类别", "卫生健康行政部门、街道办事处不能兼任")

    def check_all(self, rows: list[Row]) -> None:
        everything = [*rows, *self.broken]
        self._find_regions(everything)
        self._check_parents(rows, {row.values.get("code") for row in everything})
        self._check_cycles(rows)
        self._check_kinds(rows)
        self._check_taken(rows)

    def _find_regions(self, rows: list[Row]) -> None:
        wanted = sorted({row.values["region"] for row in rows if "region" in row.values})
        found: dict[str, Region] = {}
        for start in range(0, len(wanted), BATCH):
            batch = Region.objects.filter(code__in=wanted[start : start + BATCH])
            found.update((region.code, region) for region in batch)
        for row in rows:
            if (text := row.values.get("region")) is None:
                continue
            if text in found:
                row.values["region"] = found[text]
            elif len(text) == 6:
                self.bad(row, "行政区划代码", "没有这个行政区划（GB/T 2260）")
            else:
                hint = f"没有登记这个镇街或村居，请先在基础数据里登记，或填县区代码 {text[:6]}"
                self.bad(row, "行政区划代码", hint)

    def _is_unit(self, row: Row) -> bool:
        return self.scope.unit is not None and row["code"] == self.scope.unit.code

    def _check_parents(self, rows: list[Row], in_file: set[Any]) -> None:
        for row in rows:
            parent, known = row["parent"], self.places.get(row["code"])
            if self._is_unit(row):
                unit = self.scope.unit
                current = unit.parent.code if unit and unit.parent else None
                if parent not in (None, current):
                    self.bad(row, "上级机构代码", "本单位的上级不在这里调整")
                row.values["parent"] = current
            elif "上级机构代码" not in self.given and known:
                row.values["parent"] = self.code_of.get(known.parent_id or 0)
            elif parent is None and self.scope.unit is not None:
                self.bad(row, "上级机构代码", "不能为空，只有本单位自己可以为空")
            elif parent is None and row["kind"] != Kind.BUREAU:
                self.bad(row, "上级机构代码", "不能为空，只有最上级的卫生健康行政部门可以为空")
            elif parent == row["code"]:
                self.bad(row, "上级机构代码", "上级机构不能是本机构")
            elif parent is not None and parent not in self.places and parent not in in_file:
                self.bad(row, "上级机构代码", UNKNOWN_INSTITUTION + "，本文件里也没有")

    def _check_cycles(self, rows: list[Row]) -> None:
        """Follow each row upwards over the tree as it will be; a row that meets itself again is refused."""
        self.above: dict[str, str | None] = {
            place.code: self.code_of.get(place.parent_id or 0) for place in self.places.values()
        }
        self.above.update({row["code"]: row["parent"] for row in rows})
        if self.scope.unit is not None:
            self.above[self.scope.unit.code] = None
        clear: set[str | None] = {None}
        ringed: set[str] = set()
        for row in rows:
            way: dict[str, None] = {}
            at: str | None = row["code"]
            while at not in clear and at is not None and at not in way:
                way[at] = None
                at = self.above.get(at)
            if at is not None and at in way:
                steps = list(way)
                ringed.update(steps[steps.index(at) :])
            clear.update(way)
        for row in rows:
            if row["code"] in ringed and row["parent"] != row["code"]:
                self.bad(row, "上级机构代码", "上级关系首尾相接成了环")
        if not ringed:
            self._check_depth(rows)

    def _check_depth(self, rows: list[Row]) -> None:
        base = self.scope.unit.path if self.scope.unit else ""
        for row in rows:
            length, at = 0, row["code"]
            while at is not None:
                length, at = length + len(at) + 1, self.above.get(at)
            if len(base) + length > MAX_PATH:
                self.bad(row, "上级机构代码", "层级过深，从最上级起的代码合计过长")

    def _check_kinds(self, rows: list[Row]) -> None:
        kinds = {place.code: place.kind for place in self.places.values()}
        before = dict(kinds)
        kinds.update({row["code"]: row["kind"] for row in rows})
        parents = {parent for parent in self.above.values() if parent}
        for row in rows:
            code, above = row["code"], kinds.get(row["parent"] or "")
            if above in CHILDLESS:
                self.bad(row, "上级机构代码", f"{Kind(above).label}不能是上级机构")
            if row["kind"] == Kind.BUREAU and above not in (None, Kind.BUREAU):
                self.bad(row, "上级机构代码", "卫生健康行政部门的上级也应是卫生健康行政部门")
            if row["kind"] != Kind.BUREAU and self._is_unit(row) and row["parent"] is None:
                self.bad(row, "机构类别", "最上级机构应是卫生健康行政部门")
            if (
                row["kind"] in CHILDLESS
                and before.get(code, row["kind"]) != row["kind"]
                and code in parents
            ):
                self.bad(row, "机构类别", f"已有下级机构，不能改为{Kind(row['kind']).label}")
        self._check_posts([r for r in rows if before.get(r["code"], r["kind"]) != r["kind"]])

    def _check_posts(self, rows: list[Row]) -> None:
        """A kind is not changed under the people whose roles it would no longer allow."""
        if not rows:
            return
        row_of = {self.places[row["code"]].pk: row for row in rows}
        held = Post.objects.in_office().filter(institution__in=list(row_of)).order_by("pk")
        for institution, role in held.values_list("institution", "role").distinct():
            row = row_of[institution]
            if reason := role_refused(role, row["kind"]):
                self.bad(row, "机构类别", f"现有任职不符：{reason}")

    def _check_taken(self, rows: list[Row]) -> None:
        """Codes are unique in the whole country's database; nothing more is said of a foreign one."""
        new = {row["code"]: row for row in rows if row["code"] not in self.places}
        wanted = list(new)
        for start in range(0, len(wanted), BATCH):
            taken = Institution.objects.filter(code__in=wanted[start : start + BATCH])
            for code in taken.values_list("code", flat=True):
                self.bad(new[code], "机构代码", "这个机构代码不能使用，请换一个")

    # --- Comparing and writing ------------------------------------------------------------------------

    def existing(self, rows: list[Row]) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        wanted = [row["code"] for row in rows if row["code"] in self.places]
        for start in range(0, len(wanted), BATCH):
            batch = self.in_scope().filter(code__in=wanted[start : start + BATCH])
            found.update(((obj.code,), obj) for obj in batch.select_related("region", "parent"))
        return found

    def in_scope(self) -> models.QuerySet:
        return self.scope.institutions()

    def stored(self, obj: Any, name: str) -> Any:
        if name == "parent":
            return obj.parent.code if obj.parent else None
        return getattr(obj, name)

    def title(self, row: Row) -> str:
        return f"{row['code']} {row['name']}"

    def write(self, changes: list[Change]) -> None:
        stands = {p.code: (p.pk, p.path, p.bureau_id) for p in self.places.values()}
        self._create([c for c in changes if c.state == "new"], stands)
        changed = [c for c in changes if c.state == "changed"]
        rows = []
        for change in changed:
            obj = change.old
            for name, value in self.attributes(change).items():
                if name != "parent":
                    setattr(obj, name, value)
            if not self._is_unit(change.row):
                obj.parent_id = stands[change.row["parent"]][0]
            obj.search = search_text(obj.code, obj.name, obj.short_name, *obj.other_names)
            rows.append(obj)
        names = [c.name for c in self.columns if c.name != "code"]
        Institution.objects.bulk_update(rows, [*names, "search"], batch_size=200)
        if any(header in ("上级机构代码", "机构类别") for c in changed for header, *_ in c.diffs):
            self._carry_along()

    def _create(
        self, changes: list[Change], stands: dict[str, tuple[int, str, int | None]]
    ) -> None:
        """Insert level by level, so that each row finds its parent's key, path and bureau."""
        coming = {change.row["code"] for change in changes}
        levels: dict[int, list[Change]] = defaultdict(list)
        for change in changes:
            depth, at = 0, change.row["parent"]
            while at is not None and at in coming:
                depth, at = depth + 1, self.above[at]
            levels[depth].append(change)
        for depth in sorted(levels):
            rows = []
            for change in levels[depth]:
                fields = self.attributes(change)
                parent = stands.get(fields.pop("parent") or "", (None, "", None))
                row = Institution(**fields, parent_id=parent[0], bureau_id=parent[2])
                row.path = f"{parent[1]}{row.code}/"
                row.search = search_text(row.code, row.name, *row.other_names)
                rows.append(row)
            Institution.objects.bulk_create(rows, batch_size=BATCH)
            self._own_bureaus([row for row in rows if row.is_bureau])
            if depth == 0 and self.scope.unit is None:
                self.founded = rows[0]
            stands.update((row.code, (row.pk, row.path, row.bureau_id)) for row in rows)

    def _own_bureaus(self, rows: list[Institution]) -> None:
        for start in range(0, len(rows), BATCH):
            keys = [row.pk for row in rows[start : start + BATCH]]
            Institution.objects.filter(pk__in=keys).update(bureau=F("pk"))
        for row in rows:
            row.bureau_id = row.pk

    def _carry_along(self) -> None:
        """Derive path and bureau of the whole subtree anew; rows made under the old bureau keep theirs."""
        unit = self.scope.unit
        if unit is None:
            return
        names = ("pk", "code", "parent_id", "kind", "path", "bureau_id")
        tree = {row[0]: row for row in Institution.objects.under(unit).values_list(*names)}
        below: dict[int | None, list[int]] = defaultdict(list)
        for pk, _, parent, *_ in tree.values():
            below[parent].append(pk)
        above = unit.parent
        waiting = [(unit.pk, above.path if above else "", above.bureau_id if above else None)]
        rows = []
        while waiting:
            pk, path, bureau = waiting.pop()
            _, code, _, kind, old_path, old_bureau = tree[pk]
            path, bureau = f"{path}{code}/", pk if kind == Kind.BUREAU else bureau
            if (path, bureau) != (old_path, old_bureau):
                rows.append(Institution(pk=pk, path=path, bureau_id=bureau))
            waiting += [(child, path, bureau) for child in below[pk]]
        Institution.objects.bulk_update(rows, ["path", "bureau"], batch_size=200)

    def export(self, year: int | None) -> Iterator[Sequence[Any]]:
        rows = self.in_scope().select_related("region", "parent").order_by("code")
        for obj in rows.iterator(chunk_size=2000):
            yield [
                None if (value := self.stored(obj, c.name)) is None else c.show(value)
                for c in self.columns
            ]
