"""People and means in 2023: gaps with a three-year plan, partners and studios, secondments, the estimate. All made up (示例)."""

from datetime import date
from decimal import Decimal

from campaigns import gapping, seconding
from campaigns.models import Gap, Secondment
from config.demo import chance
from config.demo.cast import CENTRES, Cast
from config.demo.days import Year
from config.demo.papers import Papers
from institutions import staffing
from institutions.models import Cooperation, Institution, StaffMember
from scoring import estimating
from scoring.models import WorkUnit

STARTED = date(2023, 3, 21)
ESTIMATED = date(2023, 11, 7)
# The unit that has not looked for its gaps yet.
LATE = "ZC-JKQ"
# aspect, gap, measure, year planned, post that answers
GAPS = (
    ("buildings", "预防接种门诊面积不足", "改造一楼西侧用房，增加留观区", 2023, "副院长"),
    ("devices", "没有全自动生化分析仪", "列入年度采购，配备并培训操作人员", 2024, "检验科主任"),
    ("departments", "康复室没有独立设置", "调整科室布局，设独立康复室", 2024, "中医科主任"),
    ("flow", "老年人体检往返多、等候长", "实行分时段预约和一站式体检", 2023, "公卫科主任"),
    ("surroundings", "院内无障碍通道不完善", "增设坡道、扶手和标识", 2022, "办公室主任"),
    ("systems", "公卫系统和门诊系统不互通", "对接接口，体检结果自动归档", 2024, "信息管理员"),
)
# Closed and confirmed by autumn, or reported and waiting.
FINISHED = {"flow", "buildings"}
WAITING = ("ZC-BJ", "buildings")
COOPERATIONS = (
    ("ZC-QNL", "partner", "示例市中心医院", "third", "", "心电远程诊断、慢阻肺筛查"),
    ("ZC-WC", "partner", "示例区人民医院", "second", "", "数字影像远程诊断"),
    ("ZC-NJ", "partner", "示例区人民医院", "second", "", "口腔门诊"),
    ("ZC-QNL", "dean", "示例市中心医院", "third", "业务院长（示例）", ""),
    ("ZC-BJ", "studio", "示例市中医医院", "third", "基层名中医工作室（示例）", "针灸、推拿"),
)
# unit, host, subject, from, to
SECONDMENTS = (
    ("ZC-WC", "郑州大学第五附属医院", "全科医学", date(2023, 5, 4), date(2023, 8, 3)),
    ("ZC-NJ", "郑州大学第五附属医院", "康复医学", date(2023, 10, 9), date(2024, 1, 8)),
    ("ZC-BJ", "郑州大学第五附属医院", "中医适宜技术", date(2023, 12, 4), date(2024, 3, 3)),
)
COSTS = {
    "DA-01": "6.50",
    "DA-02": "2.40",
    "ET-01": "18.60",
    "YC-01": "26.00",
    "LN-01": "118.50",
    "GX-01": "8.75",
    "TN-01": "9.20",
    "JS-01": "15.80",
    "ZY-01": "7.30",
    "XG-01": "22.00",
}
# How many of a service a year asks for: of whom, and per thousand of them.
ASKED = {
    "DA-01": ("residents", 40),
    "DA-02": ("residents", 300),
    "ET-01": ("children", 1400),
    "YC-01": ("pregnant", 500),
    "LN-01": ("elderly", 700),
    "GX-01": ("hypertension", 3200),
    "TN-01": ("diabetes", 3100),
    "JS-01": ("mental", 3600),
    "ZY-01": ("elderly", 700),
    "XG-01": ("residents", 2),
}


class ResourceStory:
    """Lets the centres list their gaps, work with hospitals, send staff away and plan the money of the year."""

    def __init__(self, cast: Cast, year: Year, papers: Papers) -> None:
        self.cast, self.year, self.papers = cast, year, papers

    def plan(self) -> None:
        self.year.on(STARTED, self.begin, hour=9)
        self.year.on(date(2023, 9, 12), self.finish, hour=10)
        self.year.on(date(2023, 9, 15), self.confirm, hour=10)
        self.year.on(date(2023, 10, 30), self.second_later, hour=11)
        self.year.on(ESTIMATED, self.estimate, hour=15)

    def begin(self) -> None:
        for code in CENTRES:
            if code == LATE:
                continue
            by = self.cast.worker(self.cast.unit(code))
            for aspect, text, measure, year, person in GAPS:
                if chance.between(0, 9, code, aspect, "gap") < 2:
                    continue
                gap = Gap(
                    aspect=aspect,
                    text=text,
                    basis="服务能力标准（示例）",
                    measure=measure,
                    first_year=2022,
                    year=year,
                    person=person,
                )
                gapping.enter(gap, by=by)
        for code, kind, partner, level, title, services in COOPERATIONS:
            unit = self.cast.unit(code)
            row = Cooperation(
                institution=unit,
                kind=kind,
                partner=partner,
                level=level,
                title=title,
                starts=date(2023, 1, 1),
                ends=date(2023, 12, 31) if kind == "partner" else None,
                services=services,
                rules="有制度、有排班，每周坐诊两天（示例）" if title else "",
            )
            staffing.save_cooperation(row, by=self.cast.head(unit))
        self.apply(*SECONDMENTS[0])

    def finish(self) -> None:
        for gap in self._gaps("planned").filter(aspect__in=FINISHED):
            by = self.cast.worker(gap.institution)
            photo = self.papers.photo(gap.institution, "补短板")
            gapping.change(gap, by=by, version=gap.version, files=[photo])
            gap.finish(by=by, version=gap.version, note="已完成改造并投入使用，照片存档（示例）。")
        row = Secondment.objects.select_related("institution", "supervisor").get(
            institution=self.cast.unit(SECONDMENTS[0][0])
        )
        by = self.cast.worker(row.institution)
        row.finish(by=by, version=row.version, note="掌握慢病规范管理，开设全科门诊（示例）。")

    def confirm(self) -> None:
        by = self.cast.post("jifu")
        for gap in self._gaps("done"):
            if (gap.institution.code, gap.aspect) != WAITING:
                gap.confirm(by=by, version=gap.version)
        self.apply(*SECONDMENTS[1])

    def second_later(self) -> None:
        self.apply(*SECONDMENTS[2], approved=False)

    def _gaps(self, status: str):
        rows = Gap.objects.filter(status=status).order_by("institution__code", "pk")
        return rows.select_related("institution", "supervisor", "author")

    def apply(
        self, code: str, host: str, subject: str, starts: date, ends: date, approved: bool = True
    ) -> None:
        unit = self.cast.unit(code)
        member = StaffMember.objects.filter(institution=unit).in_service().order_by("pk").first()
        row = Secondment(
            member=member,
            host=host,
            subject=subject,
            starts=starts,
            ends=ends,
            reason=f"本院缺少{subject}骨干，学成后开展相应服务（示例）。",
        )
        seconding.apply(row, by=self.cast.worker(unit))
        if approved:
            row.approve(by=self.cast.post("jifu"), version=row.version)

    # --- The estimate -------------------------------------------------------------------------------

    def estimate(self) -> None:
        """The bureau sets what each service costs; the centres' numbers are planned, one centre's to its villages."""
        by = self.cast.post("jifu")
        units = {u.code: u for u in WorkUnit.objects.filter(institution=by.institution, year=2023)}
        for code, cost in COSTS.items():
            units[code].cost = Decimal(cost)
            estimating.save_service(units[code], by=by)
        for code in CENTRES[:-1]:
            centre = self.cast.unit(code)
            numbers = self._numbers(centre, units)
            estimating.plan(centre, 2023, numbers, by=by, mark=estimating.seen({}))
        wangcun = self.cast.unit("ZC-WC")
        estimating.split_to_villages(wangcun, 2023, 40, by=self.cast.head(wangcun))

    def _numbers(self, centre: Institution, units: dict[str, WorkUnit]) -> dict[int, int]:
        people = centre.populations.get(year=2023)
        return {
            units[code].pk: (getattr(people, group) or 0) * per_mille // 1000
            for code, (group, per_mille) in ASKED.items()
        }
