"""The campaign of 2023: the paper, its phases, tasks and 督导重点, its issue and receipts, and what was reported."""

from datetime import date, timedelta

from campaigns import drafting, issuing, reporting
from campaigns.models import Campaign, Phase, Report, SupervisionFocus, Task
from config.demo import chance, passages
from config.demo.cast import CENTRES, MIDWIFERY, PROFESSIONAL, Cast, many, rows
from config.demo.days import Year
from config.demo.papers import Papers
from institutions import clock
from institutions.models import Department, Institution, Kind, Post
from supervision.phases import confirm_phase

NUMBER = "周卫健字〔2023〕13号"
ISSUED = date(2023, 2, 28)
PHASES = (
    ("动员部署阶段", None, date(2023, 3, 3), "制定活动实施方案，召开专题会议动员部署。"),
    (
        "整改落实阶段",
        date(2023, 3, 4),
        date(2023, 3, 31),
        "对照2022年度省市区问题反馈清单逐项整改，复核信息系统档案，做实家庭医生签约。",
    ),
    (
        "质量提升阶段",
        date(2023, 4, 1),
        date(2023, 11, 30),
        "提高重点人群健康管理率和管理质量，推广健康积分，优化流程，每季度评价村卫生室（站）。",
    ),
)
TASK_KINDS = {label: value for value, label in Task.Kind.choices}
OBJECTIVES = {label: value for value, label in Task.Objective.choices}
DONE_BY = {label: value for value, label in Task.DoneBy.choices}
# The unit that is late and is sent back more than others.
WEAK = "ZC-JKQ"
RETURNED = {
    (6, "ZC-JKQ"),
    (9, "ZC-BJ"),
    (12, "ZC-JD"),
    (14, "ZC-NJ"),
    (16, "ZC-148"),
    (18, "ZC-JKQ"),
}
STILL_RETURNED = {(7, "ZC-JKQ")}
WAITING = {(7, "ZC-WC"), (7, "ZC-QNL"), (8, "ZC-NJ"), (13, "ZC-SZYY"), (19, "ZC-CDC")}
STILL_OPEN = {
    (7, "ZC-FY"),
    (7, "ZC-BJ"),
    (7, "ZC-NJ"),
    (8, "ZC-JKQ"),
    (8, "ZC-BJ"),
    (8, "ZC-WC"),
    (11, "ZC-JKQ"),
    (13, "ZC-148"),
    (13, "ZC-RMYY"),
}
WHY_RETURNED = "材料与要求不符：缺少责任人和完成时限，请补充后重新报送。"


class CampaignStory:
    """Drafts and issues the campaign, then lets every institution receive it and report."""

    def __init__(self, cast: Cast, year: Year, papers: Papers) -> None:
        self.cast, self.year, self.papers = cast, year, papers
        self.campaign = Campaign()

    def plan(self) -> None:
        self.year.on(date(2023, 2, 24), self.draft, hour=9)
        self.year.on(ISSUED, self.issue, hour=10)

    @property
    def phases(self) -> dict[int, Phase]:
        return {phase.position: phase for phase in self.campaign.phases.all()}

    def draft(self) -> None:
        by = self.cast.post("jifu")
        written = passages.words("2023")
        self.campaign = drafting.register(
            Campaign(
                name="国家基本公共卫生服务项目质量提升年活动",
                title="周村区2023年国家基本公共卫生服务项目质量提升年活动实施方案",
                number=NUMBER,
                year=2023,
                issued_on=ISSUED,
                signer="局长",
                salutation="各有关医疗机构：",
                basis="市、区“三提三争”活动要求；市卫生健康委工作部署",
                goals=written[1].text,
            ),
            by=by,
        )
        drafting.write_passages(self.campaign, written, by=by, version=self.campaign.version)
        phases = [Phase(name=n, starts=s, ends=e, text=t) for n, s, e, t in PHASES]
        drafting.save_phases(self.campaign, phases, [], by=by, version=self.campaign.version)
        for row in rows("focuses"):
            drafting.save_focus(
                SupervisionFocus(
                    campaign=self.campaign, names=row["机构名称"], text=row["督导重点"]
                ),
                by=by,
                version=self.campaign.version,
                institutions=[self.cast.unit(code) for code in many(row["机构代码"])],
                items=[self.cast.items[code] for code in many(row["服务项目"])],
            )
        issuing.address(self.campaign, self.recipients(), by=by, version=self.campaign.version)
        for row in rows("tasks"):
            self._task(row)

    def recipients(self) -> list[Institution]:
        """Return all medical institutions of the district that the bureau supervises."""
        bureau = self.cast.unit("ZC")
        return [
            unit
            for _, unit in sorted(self.cast.units.items())
            if unit.parent_id == bureau.pk and unit.kind != Kind.STREET
        ]

    def _task(self, row: dict[str, str]) -> None:
        owners = {"全部": [u.code for u in self.recipients()], "中心": CENTRES}
        owners |= {"专业": PROFESSIONAL, "助产": MIDWIFERY}
        codes = [code for word in many(row["责任单位"]) for code in owners.get(word, [word])]
        by = self.cast.post("jifu")
        drafting.save_task(
            Task(
                campaign=self.campaign,
                phase=self.phases[int(row["阶段"])],
                name=row["任务"],
                text=row["要求"],
                area=row["领域"],
                kind=TASK_KINDS[row["类型"]],
                done_by=DONE_BY[row["完成方式"]],
                item=self.cast.items.get(row["服务项目"]),
                due=date.fromisoformat(row["完成时限"]),
                receiver=self.cast.unit(row["报送至"]) if row["报送至"] else None,
                programme=row["所属工程"],
                objectives=" ".join(OBJECTIVES[word] for word in many(row["目标类别"])),
            ),
            by=by,
            version=self.campaign.version,
            institutions=[self.cast.unit(code) for code in codes],
            departments=Department.objects.filter(
                institution=self.cast.unit("ZC"), name=row["牵头科室"]
            ),
            leaders=[self.cast.post(row["责任领导"])],
        )

    def link(self) -> None:
        """Say of every passage what it became; the standards, plans and figures are there by now."""
        passages.link(self.campaign, "2023", by=self.cast.post("jifu"))

    def issue(self) -> None:
        self.campaign.refresh_from_db()
        reports = issuing.issue(
            self.campaign, by=self.cast.post("juzhang"), version=self.campaign.version
        )
        for unit in self.recipients():
            late = unit.code == WEAK
            self.year.on(
                ISSUED + timedelta(days=chance.between(2, 3, unit.code) if late else 0),
                lambda unit=unit: issuing.receive(self.campaign, by=self.cast.worker(unit)),
                hour=chance.between(11, 17, unit.code, "receive"),
            )
        told = {int(row["序号"]): row for row in rows("tasks")}
        for report in reports:
            self._plan_report(report, told[report.task.position])
        self.year.on(date(2023, 3, 20), self.link, hour=9)
        self.year.on(date(2023, 3, 17), lambda: self.confirm(1), hour=16)

    def _plan_report(self, report: Report, row: dict[str, str]) -> None:
        code = report.institution.code
        key = (report.task.position, code)
        if key in STILL_OPEN:
            return
        early = chance.between(1, 6, "report", *key)
        late = code == WEAK and chance.happens(55, "late", *key)
        day = report.due + timedelta(days=chance.between(1, 4, *key) if late else -early)
        if key in WAITING or key in STILL_RETURNED:
            day = date(2023, 11, 8) + timedelta(days=chance.between(0, 8, *key))
        self.year.on(max(day, date(2023, 3, 1)), lambda: self.report(report, row))

    def _what_follows(self, report: Report, *, again: bool = False) -> None:
        """The bureau reads what was handed in some days later: it takes it, or sends it back once."""
        key = (report.task.position, report.institution.code)
        if key in WAITING:
            return
        days = chance.between(1, 4, "read", *key)
        if not again and key in RETURNED | STILL_RETURNED:
            self.year.after(days, lambda: self.send_back(report, for_good=key in STILL_RETURNED))
        else:
            self.year.after(days, lambda: self.accept(report))

    def report(self, report: Report, row: dict[str, str]) -> None:
        """Fill the report in as the form does, then hand it in."""
        unit = self.cast.unit(report.institution.code)
        by = self.cast.worker(unit)
        number = None
        if row["完成数量"]:
            number = int(row["完成数量"]) * chance.between(70, 130, unit.code, row["序号"]) // 100
        evidence = []
        if report.task.done_by == Task.DoneBy.FILE:
            evidence = [self.papers.paper(unit, report.task.area)]
        reporting.save(
            report,
            by=by,
            version=report.version,
            text=row["完成情况"],
            number=number,
            held_on=clock.today(),
            files=evidence,
        )
        self.submit(report)

    def submit(self, report: Report, *, again: bool = False) -> None:
        report.refresh_from_db()
        report.submit(
            by=self.cast.worker(self.cast.unit(report.institution.code)), version=report.version
        )
        self._what_follows(report, again=again)

    def send_back(self, report: Report, *, for_good: bool) -> None:
        report.refresh_from_db()
        report.send_back(by=self.judge(report), version=report.version, note=WHY_RETURNED)
        if not for_good:
            self.year.after(2, lambda: self.submit(report, again=True))

    def accept(self, report: Report) -> None:
        report.refresh_from_db()
        report.accept(by=self.judge(report), version=report.version)

    def judge(self, report: Report) -> Post:
        """Return who reads a report: the bureau's officer, or the head of the unit that collects it."""
        bureau = report.supervisor_id == report.bureau_id
        return self.cast.post("jifu" if bureau else "jikongzr")

    def confirm(self, position: int) -> None:
        phase = self.phases[position]
        confirm_phase(phase, by=self.cast.post("jifukz"), version=phase.version)
