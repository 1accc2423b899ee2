"""The tables of this floor: adjustments, funds, policy, work units, workload, and the year-end table going out.

`scores` is in scoring/score_table.py. Nobody speaks of his own institution here: what is verified, added or paid is said
by who supervises it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import Sum

from institutions import sheets
from institutions.models import Institution, Kind, PolicyEntry
from institutions.sheets import Refusal
from institutions.tables import (
    BATCH,
    PLACE,
    YEAR,
    Change,
    Column,
    ModelTable,
    Place,
    Row,
    Table,
    code_of,
)
from scoring import rules
from scoring.models import (
    Adjustment,
    MoneyEntry,
    PlannedWork,
    Prepayment,
    Workload,
    WorkloadReport,
    WorkUnit,
    YearResult,
)
from scoring.policies import graded
from scoring.score_table import ScoreTable
from scoring.year_end import HEADERS, export_rows

ADJUSTMENT_KINDS = {str(kind.label): kind.value for kind in Adjustment.Kind}
OWN = "不能为本机构填写，由督导方导入"
SETTLES_NOTHING = frozenset({Kind.CLINIC, Kind.STATION, Kind.STREET})


class YearTable(ModelTable):
    """Rows of one institution and year; refused once the year of the institution is frozen."""

    def check_all(self, rows: list[Row]) -> None:
        self.frozen = self._frozen(rows)
        for row in rows:
            if self.scope.unit is not None and row["institution"].pk == self.scope.unit.pk:
                self.bad(row, "机构代码", OWN)

    def _frozen(self, rows: list[Row]) -> set[tuple[int, int]]:
        path = self.scope.unit.path if self.scope.unit else "-"
        found = YearResult.objects.filter(
            institution__path__startswith=path,
            year__in={row["year"] for row in rows},
            frozen_at__isnull=False,
        )
        return set(found.values_list("institution", "year"))

    def compare(self, rows: list[Row]) -> Iterator[Change]:
        for change in super().compare(rows):
            row = change.row
            if change.state != "unchanged" and (row["institution"].pk, row["year"]) in self.frozen:
                self.bad(row, "年度", "该机构年终结果已定稿，不能再改")
            yield change

    def attributes(self, change: Change) -> dict[str, Any]:
        place: Place = change.row["institution"]
        return {**super().attributes(change), "bureau_id": place.bureau_id}


class AdjustmentTable(YearTable):
    """加分, 扣分, 一票否决: one row a reason."""

    kind = "adjustments"
    label = "加减分"
    purpose = "年终得分以外的加分、扣分（都写正数）和一票否决，每行一个事由。"
    model = Adjustment
    keyed = ("institution", "year", "kind", "reason")
    columns = (
        PLACE,
        YEAR,
        Column(
            "类别",
            "kind",
            sheets.choice(ADJUSTMENT_KINDS),
            required=True,
            show=lambda v: str(Adjustment.Kind(v).label),
            help="、".join(ADJUSTMENT_KINDS),
            example="加分",
        ),
        Column(
            "分值",
            "points",
            sheets.decimal(2, 0, 100),
            blank=Decimal("0.00"),
            numeric=True,
            help="扣分也写正数；一票否决不填",
            example="2",
        ),
        Column("事由", "reason", sheets.text(200), required=True, example="市级现场会做典型发言"),
        Column("依据", "basis", sheets.text(200), blank=""),
    )
    import_perms = ("scoring.settle_year",)
    export_perm = "scoring.view_yearresult"

    def resolve(self, row: Row) -> None:
        if row["kind"] == Adjustment.Kind.VETO:
            if row["points"]:
                self.bad(row, "分值", "一票否决不填分值")
        elif not row["points"]:
            self.bad(row, "分值", "请填写大于 0 的分值")


class FundTable(YearTable):
    """What was paid in advance; one row an institution and year."""

    kind = "funds"
    label = "预拨金额"
    purpose = "各机构当年已预拨的金额（元），结算时从核定金额中减去。"
    model = Prepayment
    keyed = ("institution", "year")
    columns = (
        PLACE,
        YEAR,
        Column(
            "预拨金额",
            "amount",
            sheets.decimal(2, 0, 10**12),
            required=True,
            numeric=True,
            help="元，最多两位小数",
            example="1200000.00",
        ),
    )
    import_perms = ("scoring.settle_year",)
    export_perm = "scoring.view_yearresult"

    def compare(self, rows: list[Row]) -> Iterator[Change]:
        """The year's sum may not fall below what is already entered day by day (经费年度)."""
        dated = {
            (entry["institution"], entry["year"]): entry["whole"]
            for entry in MoneyEntry.objects.filter(
                kind=MoneyEntry.Kind.PREPAID,
                institution__in={row["institution"].pk for row in rows},
                year__in={row["year"] for row in rows},
            )
            .order_by()
            .values("institution", "year")
            .annotate(whole=Sum("amount"))
        }
        for change in super().compare(rows):
            row = change.row
            entered = dated.get((row["institution"].pk, row["year"]), Decimal(0))
            if change.state != "unchanged" and row["amount"] < entered:
                self.bad(row, "预拨金额", f"小于分笔登记的预拨合计 {entered}")
            yield change


class PolicyTable(ModelTable):
    """The policy of a unit for a year, key by key; a later file overrides key by key."""

    kind = "policy"
    label = "绩效政策"
    purpose = "各项权重、分数线和资金规定；机构代码填写结算方（局或中心），没有写的项按默认值。"
    model = PolicyEntry
    keyed = ("institution", "year", "key")
    columns = (
        PLACE,
        YEAR,
        Column(
            "项",
            "key",
            sheets.choice({key: key for key in rules.POLICY_KEYS}),
            required=True,
            help="、".join(rules.POLICY_KEYS),
            example="季度权重",
        ),
        Column("值", "value", sheets.text(60), required=True, example="25%;25%;25%;25%"),
    )
    import_perms = ("scoring.change_policy",)
    export_perm = "scoring.view_yearresult"

    def resolve(self, row: Row) -> None:
        if row["institution"].kind in SETTLES_NOTHING:
            self.bad(row, "机构代码", "应为结算方：卫生健康行政部门或有下级机构的中心、医院")
        try:
            rules.parse_policy_value(row["key"], row["value"])
        except rules.ScoringError as error:
            self.bad(row, "值", error.reason)

    def check_all(self, rows: list[Row]) -> None:
        """Each unit's policy must hold together with what is there: its bureau's rows, its own, the file's."""
        groups: dict[tuple[int, int], list[Row]] = {}
        for row in rows:
            groups.setdefault((row["institution"].pk, row["year"]), []).append(row)
        years = {year for _, year in groups}
        there: dict[tuple[int, int], dict[str, str]] = {}
        owners = {row["institution"].pk for row in rows}
        owners |= {row["institution"].bureau_id for row in rows}
        entries = PolicyEntry.objects.filter(institution__in=owners, year__in=years)
        for owner, year, key, value in entries.values_list("institution", "year", "key", "value"):
            there.setdefault((owner, year), {})[key] = value
        file = {pair: {row["key"]: row["value"] for row in own} for pair, own in groups.items()}
        for (owner, year), own in groups.items():
            bureau = (own[0]["institution"].bureau_id, year)
            whole: dict[str, str] = {}
            for pair in dict.fromkeys((bureau, (owner, year))):
                whole |= {**there.get(pair, {}), **file.get(pair, {})}
            if "人均标准" not in whole and year not in rules.PER_CAPITA:
                whole["人均标准"] = "1"
            try:
                rules.policy_from(whole, year)
            except rules.ScoringError as error:
                self.bad(own[0], "值", error.reason)

    def compare(self, rows: list[Row]) -> Iterator[Change]:
        below = YearResult.objects.filter(
            unit__path__startswith=self.scope.unit.path if self.scope.unit else "-",
            year__in={row["year"] for row in rows},
            frozen_at__isnull=False,
        )
        frozen = set(below.values_list("unit__path", "year"))
        for change in super().compare(rows):
            row = change.row
            if change.state != "unchanged":
                under = row["institution"].path
                if any(path.startswith(under) and year == row["year"] for path, year in frozen):
                    self.bad(row, "年度", "年终表已定稿，政策不能再改")
                elif row["key"] == "等级分" and graded(
                    Institution.objects.get(pk=row["institution"].pk), row["year"]
                ):
                    self.bad(row, "项", "当年已有按等级评分的评分表，不能再改")
            yield change

    def attributes(self, change: Change) -> dict[str, Any]:
        place: Place = change.row["institution"]
        return {**super().attributes(change), "bureau_id": place.bureau_id}


class WorkUnitTable(ModelTable):
    """The bureau's list of services with their coefficients (当量系数)."""

    kind = "work_units"
    label = "工作当量"
    purpose = "当量法用的服务清单和当量系数，由卫生健康行政部门规定。"
    model = WorkUnit
    keyed = ("year", "code")
    columns: ClassVar[Sequence[Column]] = (
        YEAR,
        Column("服务代码", "code", sheets.code(32), required=True, example="07-1"),
        Column("服务名称", "name", sheets.text(120), required=True, example="高血压随访"),
        Column(
            "服务项目",
            "item",
            sheets.text(60),
            required=True,
            lookup="find_item",
            show=code_of,
            example="07a",
        ),
        Column(
            "当量系数",
            "coefficient",
            sheets.decimal(4, 0, 100_000),
            required=True,
            numeric=True,
            example="1.0",
        ),
        Column("单位", "unit", sheets.text(10), blank="", example="人次"),
    )
    import_perms = ("scoring.change_policy",)
    export_perm = "scoring.view_yearresult"

    def prepare(self) -> None:
        if self.scope.unit is None or not self.scope.unit.is_bureau:
            raise Refusal("工作当量由卫生健康行政部门导入。")

    def in_scope(self):
        owner = self.scope.unit.bureau_id if self.scope.unit else None
        return WorkUnit.objects.filter(institution=owner).select_related("item")

    def attributes(self, change: Change) -> dict[str, Any]:
        owner = self.scope.unit.pk if self.scope.unit else None
        return {**super().attributes(change), "institution_id": owner, "bureau_id": owner}

    def write(self, changes: list[Change]) -> None:
        WorkUnit.objects.bulk_create(
            [WorkUnit(**self.attributes(change)) for change in changes],
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["institution", "year", "code"],
            update_fields=["name", "item", "coefficient", "unit"],
        )


class WorkloadTable(YearTable):
    """How much was declared and verified, by service and quarter."""

    kind = "workload"
    label = "工作量"
    purpose = "各机构各季度的服务数量；当量法按核定数量计算。"
    model = Workload
    keyed = ("institution", "year", "quarter", "work_unit")
    columns = (
        PLACE,
        YEAR,
        Column("季度", "quarter", sheets.quarter, required=True, example="1"),
        Column(
            "服务代码",
            "work_unit",
            sheets.code(32),
            required=True,
            show=lambda v: v if isinstance(v, str) else v.code,
            example="07-1",
        ),
        Column(
            "申报数量",
            "declared",
            sheets.decimal(2, 0, 10**10),
            required=True,
            numeric=True,
            example="1000",
        ),
        Column("核定数量", "approved", sheets.decimal(2, 0, 10**10), numeric=True, example="980"),
    )
    import_perms = ("scoring.settle_year", "scoring.fill_sheet")
    export_perm = "scoring.view_yearresult"

    def check_all(self, rows: list[Row]) -> None:
        """Find the services in the bureau's list; an institution declares, its supervisor verifies."""
        self.frozen = self._frozen(rows)
        units = {
            (unit.institution_id, unit.year, unit.code): unit
            for unit in WorkUnit.objects.filter(
                institution__in={row["institution"].bureau_id for row in rows},
                year__in={row["year"] for row in rows},
            )
        }
        own = self.scope.unit.pk if self.scope.unit else None
        for row in rows:
            place = row["institution"]
            unit = units.get((place.bureau_id, row["year"], row["work_unit"]))
            if unit is None:
                self.bad(row, "服务代码", "当年的工作当量表里没有这个服务")
            else:
                row.values["work_unit"] = unit
            if place.pk == own and row["approved"] is not None:
                self.bad(row, "核定数量", OWN)

    def compare(self, rows: list[Row]) -> Iterator[Change]:
        """What an institution has handed in it no longer changes itself, by a file as little as on the page."""
        own = self.scope.unit.pk if self.scope.unit else None
        locked = set(
            WorkloadReport.objects.filter(institution=own, status__in=WorkloadReport.LOCKED)
            .order_by()
            .values_list("year", "quarter")
        )
        for change in super().compare(rows):
            row = change.row
            quarter = (row["year"], row["quarter"])
            if change.state != "unchanged" and row["institution"].pk == own and quarter in locked:
                self.bad(row, "季度", "这个季度的工作量已经提交，不能再改")
            yield change

    def key(self, row: Row) -> Any:
        unit = row["work_unit"]
        code = unit if isinstance(unit, str) else unit.code
        return (row["institution"].pk, row["year"], row["quarter"], code)

    def stored_key(self, obj: Any) -> Any:
        return (obj.institution_id, obj.year, obj.quarter, obj.work_unit.code)

    def in_scope(self):
        return super().in_scope().select_related("work_unit")

    def write(self, changes: list[Change]) -> None:
        Workload.objects.bulk_create(
            [Workload(**self.attributes(change)) for change in changes],
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["institution", "work_unit", "quarter"],
            update_fields=["declared", "approved"],
        )

    def export(self, year: int | None) -> Iterator[Sequence[Any]]:
        rows = self.in_scope().select_related("institution", "work_unit")
        if year is not None:
            rows = rows.filter(year=year)
        order = ("institution__code", "year", "quarter", "work_unit__code")
        for row in rows.order_by(*order).iterator(chunk_size=2000):
            yield [
                row.institution.code,
                row.year,
                row.quarter,
                row.work_unit.code,
                row.declared,
                row.approved,
            ]


class ServiceCostTable(WorkUnitTable):
    """The same list of services with what one unit of each costs; the coefficients stay as they are."""

    kind = "service_costs"
    label = "服务成本"
    purpose = "经费测算用的服务清单和单位成本，由卫生健康行政部门核定；和工作当量是同一份清单。"
    columns = (
        *WorkUnitTable.columns[:4],
        Column("单位", "unit", sheets.text(10), blank="", example="人次"),
        Column(
            "单位成本（元）",
            "cost",
            sheets.decimal(2, 0, 10**9),
            required=True,
            numeric=True,
            example="12.50",
        ),
        Column(
            "单价（元）",
            "price",
            sheets.decimal(2, 0, 10**9),
            numeric=True,
            help="单价法用；可不填",
            example="15.00",
        ),
    )

    def prepare(self) -> None:
        if self.scope.unit is None or not self.scope.unit.is_bureau:
            raise Refusal("服务成本由卫生健康行政部门导入。")

    def write(self, changes: list[Change]) -> None:
        WorkUnit.objects.bulk_create(
            [WorkUnit(**self.attributes(change)) for change in changes],
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["institution", "year", "code"],
            update_fields=["name", "item", "unit", "cost", "price"],
        )


class PlannedWorkTable(ModelTable):
    """Task numbers by institution, year and service."""

    kind = "planned_work"
    label = "任务分解"
    purpose = "各机构全年的任务数，乘以服务成本就是测算经费；中心填全辖区，村卫生室填所承担的部分。"
    model = PlannedWork
    keyed = ("institution", "year", "work_unit")
    columns = (
        PLACE,
        YEAR,
        Column(
            "服务代码",
            "work_unit",
            sheets.code(32),
            required=True,
            show=lambda v: v if isinstance(v, str) else v.code,
            example="07-1",
        ),
        Column(
            "任务数",
            "number",
            sheets.integer(max=2_000_000_000),
            required=True,
            numeric=True,
            example="1200",
        ),
    )
    import_perms = ("scoring.change_policy",)
    export_perm = "scoring.view_yearresult"

    def check_all(self, rows: list[Row]) -> None:
        """Find the services in the list of each institution's bureau."""
        units = {
            (unit.institution_id, unit.year, unit.code): unit
            for unit in WorkUnit.objects.filter(
                institution__in={row["institution"].bureau_id for row in rows},
                year__in={row["year"] for row in rows},
            )
        }
        for row in rows:
            place = row["institution"]
            unit = units.get((place.bureau_id, row["year"], row["work_unit"]))
            if unit is None:
                self.bad(row, "服务代码", "当年的服务清单里没有这个服务")
            else:
                row.values["work_unit"] = unit
            if place.kind in ("bureau", "street"):
                self.bad(row, "机构代码", "应为承担任务的医疗卫生机构")

    def key(self, row: Row) -> Any:
        unit = row["work_unit"]
        code = unit if isinstance(unit, str) else unit.code
        return (row["institution"].pk, row["year"], code)

    def stored_key(self, obj: Any) -> Any:
        return (obj.institution_id, obj.year, obj.work_unit.code)

    def in_scope(self):
        return super().in_scope().select_related("work_unit")

    def attributes(self, change: Change) -> dict[str, Any]:
        place: Place = change.row["institution"]
        return {**super().attributes(change), "bureau_id": place.bureau_id}

    def write(self, changes: list[Change]) -> None:
        PlannedWork.objects.bulk_create(
            [PlannedWork(**self.attributes(change)) for change in changes],
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["institution", "work_unit"],
            update_fields=["number"],
        )

    def export(self, year: int | None) -> Iterator[Sequence[Any]]:
        rows = self.in_scope().select_related("institution", "work_unit")
        if year is not None:
            rows = rows.filter(year=year)
        order = ("institution__code", "year", "work_unit__code")
        for row in rows.order_by(*order).iterator(chunk_size=2000):
            yield [row.institution.code, row.year, row.work_unit.code, row.number]


class YearEndTable(Table):
    """The year-end table of a unit as it was computed; it only goes out."""

    kind = "year_end"
    label = "年终表"
    purpose = "结算方当年的年终得分、名次、等次和金额。"
    columns = tuple(Column(header, header, sheets.text()) for header in HEADERS)
    importable = False
    export_perm = "scoring.view_yearresult"

    def compare(self, rows: list[Row]) -> Iterator[Change]:
        """Nothing comes in."""
        return iter(())

    def write(self, changes: list[Change]) -> None:
        """Nothing comes in."""

    def export(self, year: int | None) -> Iterator[Sequence[Any]]:
        rows = self.scope.limit(YearResult.objects.filter(unit=self.scope.unit))
        if year is None:
            year = rows.order_by("-year").values_list("year", flat=True).first()
        if year is None or not rows.filter(year=year).exists():
            raise Refusal("还没有计算这一年的年终结果。")
        found = rows.filter(year=year).select_related("institution").order_by("position")
        return export_rows(found.iterator(chunk_size=2000))


TABLES: tuple[type[Table], ...] = (
    ScoreTable,
    AdjustmentTable,
    WorkUnitTable,
    WorkloadTable,
    ServiceCostTable,
    PlannedWorkTable,
    FundTable,
    PolicyTable,
    YearEndTable,
)
