"""Targets of 2023 and what the units bring to them: some reached, some on the way, one returned. All made up (示例)."""

from datetime import date
from decimal import Decimal

from campaigns import pursuing
from campaigns.models import Contribution, Target
from config.demo import chance
from config.demo.cast import CENTRES, Cast
from config.demo.days import Year
from institutions.models import Institution
from institutions.models.institution import CLINIC_KINDS

STARTED = date(2023, 3, 7)
HOSPITALS = ("ZC-SZYY", "ZC-148", "ZC-RMYY", "ZC-FY")
TARGETS = (
    (
        "建成专业质量控制中心13个",
        {"kind": "count", "goal": 13, "unit": "个", "measured": "已运行的质控中心"},
        HOSPITALS,
        {"ZC-SZYY": 4, "ZC-148": 3, "ZC-RMYY": 4},
    ),
    (
        "急救类中心通过市级考核验收2个",
        {"kind": "count", "goal": 2, "unit": "个", "measured": "通过验收的中心"},
        ("ZC-148", "ZC-RMYY"),
        {"ZC-RMYY": 1, "ZC-148": 1},
    ),
    (
        "卫生监督员人均办案不少于6件",
        {
            "kind": "ratio",
            "goal": 6,
            "unit": "件",
            "measured": "办结案件",
            "per": "监督员人数",
        },
        ("ZC-JD",),
        {"ZC-JD": 64},
    ),
    (
        "中心（卫生院）中医药服务全覆盖",
        {"kind": "coverage", "unit": "家", "level": "能提供六类以上中医药服务"},
        CENTRES,
        {code: date(2023, 5, 10) for code in CENTRES[:5]},
    ),
    (
        "创建示范中心（卫生院）占比60%",
        {"kind": "share", "goal": 60, "unit": "家", "level": "示范中心（卫生院）创建标准"},
        CENTRES,
        {"ZC-QNL": date(2022, 8, 12), "ZC-WC": date(2021, 11, 5), "ZC-NJ": date(2023, 9, 8)},
    ),
)
# Reported, and not yet confirmed.
WAITING = {("中心（卫生院）中医药服务全覆盖", CENTRES[4])}


class TargetStory:
    """Sets the targets, lets the units report and the bureau confirm."""

    def __init__(self, cast: Cast, year: Year) -> None:
        self.cast, self.year = cast, year

    def plan(self) -> None:
        self.year.on(STARTED, self.set, hour=9)

    def set(self) -> None:
        by = self.cast.post("jifu")
        for name, how, codes, brought in TARGETS:
            goal = how.get("goal")
            target = Target(
                bureau=self.cast.unit("ZC"),
                name=name,
                starts=date(2021, 1, 1) if how["kind"] == "share" else date(2023, 1, 1),
                due=date(2023, 12, 31),
                **{**how, "goal": None if goal is None else Decimal(goal)},
            )
            units = [self.cast.unit(code) for code in codes]
            pursuing.save_target(target, by=by, institutions=units)
            for code, what in brought.items():
                day = what if isinstance(what, date) and what > STARTED else date(2023, 6, 15)
                unit = self.cast.unit(code)
                self.year.on(day, lambda t=target, u=unit, w=what: self.report(t, u, w))
        self._stations(by)

    def _stations(self, by) -> None:
        """The stations and clinics of one centre, managed as one with it."""
        below = [u for u in self.cast.below("ZC-QNL") if u.kind in CLINIC_KINDS]
        target = Target(
            bureau=self.cast.unit("ZC"),
            name="青年路中心、站一体化管理全覆盖",
            kind="coverage",
            unit="家",
            level="中心、站一体化管理",
            starts=date(2023, 1, 1),
            due=date(2023, 12, 31),
        )
        pursuing.save_target(target, by=by, institutions=below)

    def report(self, target: Target, unit: Institution, what: date | int) -> None:
        row = Contribution.objects.select_related("target", "institution", "supervisor").get(
            target=target, institution=unit
        )
        by = self.cast.worker(unit)
        day = what if isinstance(what, date) else None
        heads = Decimal(chance.between(9, 11, unit.code, "heads")) if target.per else None
        pursuing.save(
            row,
            by=by,
            version=row.version,
            value=None if day else Decimal(what),
            per=heads,
            reached_on=day,
            text="已按要求完成，佐证材料存档备查。",
        )
        row.report(by=by, version=row.version)
        if (target.name, unit.code) not in WAITING:
            self.year.after(2, lambda: self.confirm(row))

    def confirm(self, row: Contribution) -> None:
        row.confirm(by=self.cast.post("jifu"), version=row.version)
