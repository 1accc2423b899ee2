"""The tables `staff` (人员名册) and `capacity` (服务能力)."""

from collections.abc import Iterator, Sequence
from typing import Any

from institutions import sheets
from institutions.models import Capacity, StaffMember
from institutions.staff_forms import read_equipment
from institutions.staffing import FILL_CAPACITY, KEEP_STAFF
from institutions.tables.table import (
    BATCH,
    PLACE,
    YEAR,
    Change,
    Column,
    ModelTable,
    Row,
    code_of,
)

SKILLS = {label: name for name, label in StaffMember.SKILLS.items()}
FIELDS = (
    "title",
    "item",
    "joined",
    "trained",
    "left",
    "gp_route",
    "gp_qualified",
    "gp_registered",
    *StaffMember.SKILLS,
)


def _words(words: tuple[str, ...]) -> Any:
    read = sheets.many(sheets.choice({word: word for word in words}))
    return lambda text: "、".join(read(text))


def _label(choices: Any) -> Any:
    return lambda value: str(choices(value).label) if value else None


def _choice(choices: Any) -> Any:
    return sheets.choice({str(c.label): c.value for c in choices})


class StaffTable(ModelTable):
    """The roster: one row a member, known by institution and name."""

    kind = "staff"
    label = "人员名册"
    purpose = "各机构基本公共卫生工作人员：岗位、到岗和岗前培训、全科注册、骨干能力。"
    model = StaffMember
    keyed = ("institution", "name")
    columns = (
        PLACE,
        Column(
            "姓名", "name", sheets.text(40), required=True, help="同名的加编号", example="公卫护士1"
        ),
        Column("岗位", "title", sheets.text(40), required=True, example="慢病随访岗"),
        Column(
            "服务项目",
            "item",
            sheets.text(60),
            lookup="find_item",
            show=code_of,
            help="主要负责的项目，代码或名称",
            example="07",
        ),
        Column("到岗日期", "joined", sheets.date, required=True, example="2023-03-01"),
        Column("岗前培训日期", "trained", sheets.date, help="没有培训的空着", example="2023-02-20"),
        Column("离岗日期", "left", sheets.date, help="在岗的空着"),
        Column(
            "骨干能力",
            "skills",
            sheets.many(sheets.choice(SKILLS)),
            blank=[],
            show=lambda names: "、".join(StaffMember.SKILLS[n] for n in names) or None,
            help="、".join(SKILLS),
            example="数据分析",
        ),
        Column(
            "全科医师培训",
            "gp_route",
            _choice(StaffMember.Route),
            blank="",
            show=_label(StaffMember.Route),
            help="转岗培训合格或规培结业",
        ),
        Column("合格或结业日期", "gp_qualified", sheets.date),
        Column("注册日期", "gp_registered", sheets.date, help="加注或注册全科医学专业的日期"),
    )
    import_perms = (KEEP_STAFF, "institutions.manage_reference")
    export_perm = "institutions.view_staffmember"

    def resolve(self, row: Row) -> None:
        if bool(row["gp_route"]) != (row["gp_qualified"] is not None):
            self.bad(row, "合格或结业日期", "要和“全科医师培训”一起填")
        if row["gp_registered"] and (
            row["gp_qualified"] is None or row["gp_registered"] < row["gp_qualified"]
        ):
            self.bad(row, "注册日期", "不能早于合格或结业日期")
        if row["left"] and row["left"] < row["joined"]:
            self.bad(row, "离岗日期", "不能早于到岗日期")

    def stored(self, obj: Any, name: str) -> Any:
        if name == "skills":
            return [skill for skill in StaffMember.SKILLS if getattr(obj, skill)]
        return super().stored(obj, name)

    def attributes(self, change: Change) -> dict[str, Any]:
        fields = super().attributes(change)
        chosen = fields.pop("skills")
        return {**fields, **{name: name in chosen for name in StaffMember.SKILLS}}

    def in_scope(self):
        return super().in_scope().select_related("item")

    def write(self, changes: list[Change]) -> None:
        StaffMember.objects.bulk_create(
            [StaffMember(**self.attributes(change)) for change in changes],
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["institution", "name"],
            update_fields=list(FIELDS),
        )

    def export(self, year: int | None) -> Iterator[Sequence[Any]]:
        return super().export(None)


def _count(header: str, name: str, **more: Any) -> Column:
    return Column(header, name, sheets.integer(max=2_000_000_000), numeric=True, **more)


class CapacityTable(ModelTable):
    """服务能力: one row an institution and year."""

    kind = "capacity"
    label = "服务能力"
    purpose = "各机构当年的功能任务、服务半径、床位、人员编制、设备、能开展的服务、中医馆、房屋产权和补助。"
    model = Capacity
    keyed = ("institution", "year")
    columns = (
        PLACE,
        YEAR,
        Column(
            "功能任务",
            "functions",
            _words(Capacity.FUNCTIONS),
            blank="",
            help="、".join(Capacity.FUNCTIONS),
            example="常见病诊疗、健康管理",
        ),
        Column("地理位置", "location", sheets.text(80), blank=""),
        Column("交通条件", "traffic", sheets.text(120), blank=""),
        _count("服务半径（米）", "radius", example="3000"),
        _count("床位数", "beds", example="40"),
        _count("主要设备数", "devices"),
        Column(
            "主要设备",
            "equipment",
            read_equipment,
            blank=[],
            show=lambda rows: "、".join(f"{name} {number}" for name, number in rows) or None,
            help="名称和数量，用顿号分开",
            example="彩超 2、心电图机 1",
        ),
        _count("编制数", "posts"),
        _count("岗位设置数", "positions"),
        _count("在岗人数", "staffed"),
        Column(
            "能开展的服务",
            "capabilities",
            _words(Capacity.CAPABILITIES),
            blank="",
            help="、".join(Capacity.CAPABILITIES),
            example="门诊、住院",
        ),
        Column(
            "中医馆（国医堂）",
            "traditional",
            _choice(Capacity.Traditional),
            blank="",
            show=_label(Capacity.Traditional),
            help="未建、在建或已建成",
        ),
        Column("中医馆建成日期", "traditional_on", sheets.date),
        Column(
            "房屋产权",
            "premises",
            _choice(Capacity.Premises),
            blank="",
            show=_label(Capacity.Premises),
            help="产权公有、个人所有或租用",
        ),
        Column("财政补助经费（元）", "subsidy", sheets.decimal(2, 0, 10**11), numeric=True),
        Column("绩效工资政策落实", "pay", sheets.text(160), blank=""),
    )
    import_perms = (FILL_CAPACITY, "institutions.manage_reference")
    export_perm = "institutions.view_capacity"

    def resolve(self, row: Row) -> None:
        if row["traditional_on"] and row["traditional"] != Capacity.Traditional.BUILT:
            self.bad(row, "中医馆建成日期", "填了日期，“中医馆（国医堂）”应为已建成")
