"""The papers of 2018, 2019 and 2021: issued, planned, reported on and taken, each by its own office.

The opinion of a street (2018) is put on file by the bureau of its district; the plans of 二七区 (2018) and 中卫市 (2019) and
the paper of 周村区 (2021) are their bureaux' own. Everything but the words of the papers is made up (示例).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from campaigns import (
    drafting,
    following,
    grouping,
    issuing,
    passing_on,
    planning,
    pursuing,
    reporting,
    work_logging,
)
from campaigns.models import (
    Campaign,
    Contribution,
    Group,
    Member,
    Phase,
    Plan,
    PlanCall,
    PlanKind,
    PlanLine,
    Profession,
    Report,
    Target,
    Task,
    WorkLog,
)
from config.demo import chance, passages
from config.demo.cast import HEADS, Cast, many, rows
from config.demo.days import Year
from config.demo.papers import Papers
from config.demo.sheets import CAPABILITY_FILES, CAPABILITY_LEVELS, publish_standard
from institutions import clock
from institutions.models import Department, Institution, Kind, Post, Region
from institutions.models.institution import CENTRE_KINDS, CLINIC_KINDS
from institutions.roles import Role
from supervision.phases import confirm_phase

TASK_KINDS = {label: value for value, label in Task.Kind.choices}
DONE_BY = {label: value for value, label in Task.DoneBy.choices}
PLAN_KINDS = {label: value for value, label in PlanKind.choices}
GROUP_KINDS = {label: value for value, label in Group.Kind.choices}
DUTIES = {label: value for value, label in Member.Duty.choices}
PROFESSIONS = {label: value for value, label in Profession.choices}
TARGET_KINDS = {label: value for value, label in Target.Kind.choices}
# Smaller numbers are the paper's own (7 towns) and are reached as they stand.
ROUGH = 20
# Who confirms for a department, and for the villages of the street.
WORKING = (Role.OFFICER, Role.FINANCE)
STREET_OFFICE = "shilijd"
# The counties issue the city's self-check on, the centres are through, the counties report the sum.
STANDARDS_OUT = date(2018, 9, 28)
PASSED_ON, CHECKED, SUMMED_UP = date(2019, 1, 25), date(2019, 4, 19), date(2019, 4, 26)
FORWARDED = "现将《{title}》转发给你们，请对照服务能力标准完成自查，4月19日前报送自查等次和问题数。"


@dataclass(frozen=True)
class Paper:
    """What one paper brings: its head, its office, its days, whom it goes to, which figures it follows."""

    key: str
    bureau: str
    by: str
    chief: str
    drafted: date
    issued: date
    head: dict[str, Any]
    phases: tuple[tuple[str, date | None, date], ...]
    confirmed: tuple[date, ...]
    families: tuple[str, ...] = ()
    departments: bool = False
    regions: str = ""
    logs: tuple[dict[str, Any], ...] = field(default=())


STREET = Paper(
    key="street",
    bureau="SJ",
    by="shiliqu",
    chief="shiliju",
    drafted=date(2018, 2, 22),
    issued=date(2018, 2, 26),
    head={
        "name": "街道进一步加强国家基本公共卫生服务项目工作",
        "title": "关于进一步加强国家基本公共卫生服务项目工作的意见",
        "issuer": "示例街道党工委、示例街道办事处",
        "salutation": "各管区、各村（居）、各有关部门：",
        "guideline": "把有限的资源应用到与居民健康关系最密切的问题上，落实国家“预防为主”的工作方针。",
        "basis": "《国家基本公共卫生服务规范（第三版）》\n"
        "《国家基本公共卫生服务规范（山东2017年版）》\n"
        "《关于开展2017年度国家基本公共卫生服务项目绩效评价（考核）的通知》\n"
        "《基层高血压防治管理指南》",
        "goals": "确保群众受益、考核过关、工作一流。",
    },
    phases=(("全年落实", None, date(2018, 12, 14)),),
    confirmed=(date(2018, 12, 14),),
    families=(
        "家庭医生签约",
        "老年人健康管理",
        "老年人查体经费来源",
        "健康档案应用",
        "信息互联互通",
        "服务覆盖",
    ),
    regions="370399001",
    departments=True,
    logs=(
        {
            "day": date(2018, 4, 18),
            "code": "SJ-ZX",
            "kind": WorkLog.Kind.TRAINING,
            "subject": "服务规范（山东2017年版）培训",
            "text": "逐章解读新版规范，训后测试（示例）。",
            "participants": 46,
            "tested": 46,
            "passed": 44,
            "targets": "公卫人员、乡村医生",
        },
    ),
)
ERQI = Paper(
    key="erqi",
    bureau="EQ",
    by="erqi",
    chief="erqizr",
    drafted=date(2018, 3, 16),
    issued=date(2018, 3, 20),
    head={
        "name": "抓医疗助公卫、巩固提升家庭医生签约成果活动",
        "title": "二七区卫生和计划生育委员会关于印发《二七区开展抓医疗助公卫 巩固提升 家庭医生签约成果"
        "全面提升基层卫生服务能力 活动方案》的通知",
        "number": "二七卫计〔2018〕29号",
        "salutation": "各社区卫生服务中心（站）、乡镇卫生院、村卫生所：",
        "guideline": "坚持以人为本、以人民群众健康为核心，实现人人享有基本公共卫生保健服务。",
        "basis": "省、市卫生与健康大会精神\n《国家基本公共卫生服务规范（第三版）》\n"
        "《郑州市社区卫生服务中心建设五年规划》\n财社〔2015〕255号、财社〔2016〕229号",
        "goals": "优化服务流程，改善就医环境，完善便民措施，规范医疗管理，提升医疗质量，保证医疗安全。",
    },
    phases=(("2018年推进", date(2018, 3, 20), date(2018, 12, 14)),),
    confirmed=(date(2018, 12, 14),),
    families=(
        "重点人群签约",
        "个性化签约试点",
        "突破病种",
        "健康档案应用",
        "双向转诊和远程服务",
        "中医药服务",
    ),
    logs=(
        {
            "day": date(2018, 3, 21),
            "code": "EQ",
            "kind": WorkLog.Kind.DISPATCH,
            "subject": "传达省卫计委3月6日“家医平台”视频会议",
            "text": "2018年3月6日省卫计委召开视频会议，部署国家“家医平台建设”（示例）。",
            "host": "卫计委主任",
            "decisions": "各单位5月底前完成平台培训，启动智能化签约服务。",
            "follow_up_due": date(2018, 5, 31),
            "task": "家医平台启动和培训",
        },
    ),
)
ZHONGWEI = Paper(
    key="zhongwei",
    bureau="ZW",
    by="zhongwei",
    chief="zhongweizr",
    drafted=date(2019, 1, 17),
    issued=date(2019, 1, 21),
    head={
        "name": "中卫市“优质服务基层行”活动",
        "title": "中卫市开展“优质服务基层行”活动实施方案",
        "guideline": "坚持新时期党的卫生与健康工作方针，使广大群众能够就近享有安全、有效、方便、经济的基本医疗卫生服务。",
        "basis": "《“健康中卫”2030规划纲要》\n国家基层函〔2018〕195号\n宁卫办发〔2018〕74号",
        "goals": "全市2019年度达到国家基本标准要求的乡镇卫生院至少4家（沙坡头区至少2家，中宁、海原县各至少1家），"
        "滨河社区卫生服务中心达到国家基本标准要求。",
    },
    phases=(
        ("县区自查上报", None, date(2019, 4, 30)),
        ("市级复核上报", date(2019, 5, 1), date(2019, 5, 20)),
    ),
    confirmed=(date(2019, 5, 9), date(2019, 5, 29)),
    families=("签约服务平台", "家庭医生签约", "双向转诊和远程服务", "中医药服务"),
    logs=(
        {
            "day": date(2019, 3, 14),
            "code": "ZW",
            "kind": WorkLog.Kind.GUIDANCE,
            "subject": "技术指导组现场指导",
            "text": "到滨河中心和沙坡头区示例一院现场指导自查（示例）。",
            "host": "市卫生健康委员会副调研员",
            "decisions": "院感、档案两项列入专项整改。",
            "follow_up_due": date(2019, 4, 12),
        },
    ),
)
ZHOUCUN = Paper(
    key="2021",
    bureau="ZC",
    by="bangong",
    chief="juzhang",
    drafted=date(2021, 2, 24),
    issued=date(2021, 2, 26),
    head={
        "name": "医疗卫生服务建设推进年活动",
        "title": "关于印发《周村区医疗卫生服务建设推进年活动实施方案》的通知",
        "number": "周卫健字〔2021〕20号",
        "signer": "局长",
        "salutation": "系统各单位，局机关相关科室：",
        "guideline": "聚焦“十二大攻坚行动”，以“补短板、强弱项，抓基础、促提升”为主线。",
        "basis": "全区落实突破年各项任务要求",
        "goals": "着力提升全区医疗卫生服务能力和水平，巩固疫情防控成果，推动全区卫生健康事业高质量现代化发展。",
    },
    phases=(("全年推进", date(2021, 2, 26), date(2021, 12, 31)),),
    confirmed=(date(2021, 12, 30),),
    departments=True,
)


class PaperStory:
    """Issues one paper, gives out its tasks, plans, targets and figures, and follows them until they are taken."""

    def __init__(
        self, cast: Cast, year: Year, papers: Papers, paper: Paper, *, units: Iterable[str] = ()
    ) -> None:
        self.cast, self.year, self.papers, self.paper = cast, year, papers, paper
        self.named = tuple(units)
        self.campaign = Campaign()
        self.then: list[Callable[[Campaign], None]] = []

    def plan(self) -> None:
        self.year.on(self.paper.drafted, self.draft, hour=9)
        self.year.on(self.paper.issued, self.issue, hour=10)

    # Whom it goes to

    @property
    def units(self) -> list[Institution]:
        """The named units, else all that lie below the bureau."""
        if self.named:
            return [self.cast.unit(code) for code in self.named]
        path = self.cast.unit(self.paper.bureau).path
        return [
            u
            for _, u in sorted(self.cast.units.items())
            if u.path.startswith(path) and u.path != path
        ]

    def chosen(self, cell: str) -> list[Institution]:
        """Return the units of a cell: words for sets of them, or codes."""
        sets: dict[str, Callable[[Institution], bool]] = {
            "全部": lambda u: u.kind != Kind.STREET,
            "中心": lambda u: bool(set(u.kinds) & CENTRE_KINDS),
            "村": lambda u: u.kind in CLINIC_KINDS,
            "县区": lambda u: u.is_bureau,
        }
        found: list[Institution] = []
        for word in many(cell):
            there = [u for u in self.units if sets[word](u)] if word in sets else []
            found += there or [self.cast.unit(word)]
        return found

    @property
    def by(self) -> Post:
        return self.cast.post(self.paper.by)

    # The paper

    def draft(self) -> None:
        paper, by = self.paper, self.by
        campaign = drafting.register(
            Campaign(year=paper.issued.year, issued_on=paper.issued, **paper.head), by=by
        )
        lines = passages.words(paper.key)
        drafting.write_passages(campaign, lines, by=by, version=campaign.version)
        phases = [Phase(name=n, starts=s, ends=e) for n, s, e in paper.phases]
        drafting.save_phases(campaign, phases, [], by=by, version=campaign.version)
        below = Region.objects.filter(path__contains=f"/{paper.regions}/", level__gte=5)
        issuing.address(
            campaign,
            [unit for unit in self.units if unit.kind != Kind.STREET],
            by=by,
            version=campaign.version,
            departments=Department.objects.filter(institution=by.institution)
            if paper.departments
            else (),
            regions=below if paper.regions else (),
        )
        self.campaign = campaign
        saved = {str(phase.position): phase for phase in campaign.phases.all()}
        for row in rows(f"tasks-{paper.key}"):
            self._task(row, saved)
        for deed in self.then:
            deed(campaign)

    def _task(self, row: dict[str, str], phases: dict[str, Phase]) -> None:
        by = self.by
        drafting.save_task(
            Task(
                campaign=self.campaign,
                phase=phases[row["阶段"]],
                name=row["任务"],
                text=row["要求"],
                area=row["领域"],
                kind=TASK_KINDS[row["类型"]],
                done_by=DONE_BY[row["完成方式"]],
                item=self.cast.items.get(row["服务项目"]),
                due=date.fromisoformat(row["完成时限"]),
                covers=many(row["覆盖对象"]),
                goal=Decimal(row["目标值"]) if row["目标值"] else None,
                unit=row["计量单位"],
            ),
            by=by,
            version=self.campaign.version,
            institutions=self.chosen(row["责任单位"]),
            departments=Department.objects.filter(
                institution=by.institution, name__in=many(row["牵头科室"])
            ),
            leaders=[self.cast.post(name) for name in many(row["责任领导"])],
        )

    def issue(self) -> None:
        campaign = Campaign.objects.get(pk=self.campaign.pk)
        chief = self.cast.post(self.paper.chief)
        reports = issuing.issue(campaign, by=chief, version=campaign.version)
        self.campaign = campaign
        self._received(campaign)
        told = {int(row["序号"]): row for row in rows(f"tasks-{self.paper.key}")}
        for report in reports:
            early = chance.between(2, 9, self.paper.key, report.task.position, report.institution)
            day = max(report.due - timedelta(days=early), self.paper.issued + timedelta(days=3))
            row = told[report.task.position]
            if report.institution.is_bureau and report.task.done_by == Task.DoneBy.CHECK:
                self.year.on(PASSED_ON, lambda r=report, w=row: self.pass_on(r, w), hour=9)
                continue
            self.year.on(min(day, report.due), lambda r=report, w=row: self.report(r, w))
        self._call()
        self._pursue()
        if self.paper.families:
            self._follow()
        self.year.on(self.paper.issued + timedelta(days=1), self._set_up, hour=15)
        for entry in self.paper.logs:
            self.year.on(entry["day"], lambda e=entry: self.enter(e))
        for place, day in enumerate(self.paper.confirmed, start=1):
            self.year.on(day, lambda p=place: self.confirm(p), hour=16)

    def _received(self, campaign: Campaign) -> None:
        """The units confirm on the day; so does a post of each department, and the street for its villages."""
        posts: dict[str, str] = {}
        if self.paper.departments:
            held = Post.objects.filter(institution=campaign.institution, role__in=WORKING)
            of_department = held.exclude(department=None).order_by("-pk")
            posts = dict(of_department.values_list("department__name", "user__username"))
        if self.paper.regions:
            posts["街道"] = STREET_OFFICE
        for unit in self.units:
            if unit.kind != Kind.STREET:
                self.year.on(
                    self.paper.issued,
                    lambda u=unit: issuing.receive(campaign, by=self.cast.worker(u)),
                    hour=chance.between(11, 16, unit.code, self.paper.key),
                )
        for name in posts.values():
            self.year.on(
                self.paper.issued,
                lambda n=name: issuing.receive(campaign, by=self.cast.post(n)),
                hour=16,
            )

    def link(self) -> None:
        passages.link(self.campaign, self.paper.key, by=self.by)

    def confirm(self, position: int) -> None:
        phase = Phase.objects.get(campaign=self.campaign, position=position)
        confirm_phase(phase, by=self.by, version=phase.version)

    # Reports

    def report(self, report: Report, row: dict[str, str], *, taken_by: str = "") -> None:
        """Fill the report in as the form does, hand it in, and let the bureau take it two days later."""
        reader = taken_by or self.paper.by
        unit = self.cast.unit(report.institution.code)
        task, by = report.task, self.cast.worker(unit)
        number = None
        if row["完成数量"]:
            number = int(row["完成数量"])
            if number >= ROUGH:
                number = number * chance.between(70, 130, unit.code, row["序号"]) // 100
        needs_file = task.done_by == Task.DoneBy.FILE
        more: dict[str, Any] = {}
        if task.done_by == Task.DoneBy.COVERAGE:
            more["covered"] = task.covers
        if task.done_by == Task.DoneBy.PERCENT:
            more["denominator"] = 200
            more["numerator"] = chance.between(164, 190, unit.code, task.name)
        if task.done_by == Task.DoneBy.CHECK:
            good = chance.happens(70, unit.code, "level")
            more["level"] = Report.Level.BASIC if good else Report.Level.BELOW
            more["problems"] = chance.between(4, 15, unit.code, "problems")
        if task.kind == Task.Kind.CONSTRUCTION:
            more["stage"] = Report.Stage.STARTED if "开工" in task.name else Report.Stage.FINISHED
        reporting.save(
            report,
            by=by,
            version=report.version,
            text=row["完成情况"],
            number=number,
            held_on=clock.today(),
            files=[self.papers.paper(unit, task.area)] if needs_file else [],
            **more,
        )
        report.submit(by=by, version=report.version)
        self.year.after(2, lambda: report.accept(by=self.cast.post(reader), version=report.version))

    # Passed on by a bureau below

    def pass_on(self, report: Report, row: dict[str, str]) -> None:
        """A county issues what it received on to its own centres, in a campaign below the city's."""
        county = self.cast.unit(report.institution.code)
        by = self.cast.post(HEADS[county.code])
        centres = self.cast.below(county.code)
        campaign = drafting.register(
            Campaign(
                name=f"{county.region}“优质服务基层行”活动",
                title=f"关于转发《{self.campaign.title}》的通知",
                year=PASSED_ON.year,
                issued_on=PASSED_ON,
                salutation="各乡镇卫生院：",
                basis=self.campaign.title,
                parent=self.campaign,
            ),
            by=by,
        )
        words = [drafting.Line("", FORWARDED.format(title=self.campaign.title))]
        drafting.write_passages(campaign, words, by=by, version=campaign.version)
        phase = Phase(name="自查上报", ends=CHECKED)
        drafting.save_phases(campaign, [phase], [], by=by, version=campaign.version)
        issuing.address(campaign, centres, by=by, version=campaign.version)
        task = passing_on.start(campaign, report, by)
        task.phase, task.due = phase, CHECKED
        drafting.save_task(task, by=by, version=campaign.version, institutions=centres)
        drafting.link_passage(
            campaign.passages.get(), by=by, version=campaign.version, tasks=[task], phases=[phase]
        )
        for below in issuing.issue(campaign, by=by, version=campaign.version):
            unit = self.cast.unit(below.institution.code)
            self.year.on(
                PASSED_ON,
                lambda u=unit: issuing.receive(campaign, by=self.cast.worker(u)),
                hour=chance.between(13, 16, unit.code, "passed on"),
            )
            day = CHECKED - timedelta(days=chance.between(1, 6, unit.code, "checked"))
            self.year.on(day, lambda r=below: self.report(r, row, taken_by=by.user.username))
        self.year.on(SUMMED_UP, lambda: self.sum_up(report, row))

    def sum_up(self, report: Report, row: dict[str, str]) -> None:
        """The county takes its centres' self-checks over into its own report and hands that in."""
        by = self.cast.post(HEADS[report.institution.code])
        passing_on.take_over(report, by=by, version=report.version)
        reporting.save(
            report, by=by, version=report.version, text=row["完成情况"], held_on=clock.today()
        )
        report.submit(by=by, version=report.version)
        self.year.after(2, lambda: report.accept(by=self.by, version=report.version))

    # Plans

    def _call(self) -> None:
        for row in rows("plan-calls"):
            if row["文件"] != self.paper.key:
                continue
            call = PlanCall(
                kind=PLAN_KINDS[row["类型"]],
                name=row["名称"],
                campaign=self.campaign,
                year=int(row["年度"]),
                due=date.fromisoformat(row["上报时限"]),
                text=row["要求"],
            )
            for plan in planning.ask(call, self.chosen(row["上报单位"]), by=self.by):
                day = plan.due - timedelta(days=chance.between(1, 5, call.name, plan.institution))
                self.year.on(day, lambda p=plan, r=row: self.hand_in(p, r["内容"]))

    def hand_in(self, plan: Plan, text: str) -> None:
        by = self.cast.worker(self.cast.unit(plan.institution.code))
        lines = list(plan.lines.all())
        if plan.call.has_lines and not lines:
            lines = [PlanLine(text="落实文件的各项要求")]
        for line in lines:
            line.leader, line.department, line.person = "分管领导", "公卫科", "公卫科经办人"
        planning.save(plan, by=by, version=plan.version, text=text, lines=lines)
        plan.submit(by=by, version=plan.version)
        self.year.after(2, lambda: plan.accept(by=self.by, version=plan.version))

    # Groups

    def _set_up(self) -> None:
        for row in rows("groups"):
            if row["文件"] != self.paper.key:
                continue
            by = self.cast.post(row["建立人"])
            group = grouping.set_up(
                Group(
                    kind=GROUP_KINDS[row["类型"]],
                    name=row["名称"],
                    campaign=self.campaign,
                    office=row["办公室"],
                    region=self.cast.regions.get(row["区划代码"]),
                    set_up_on=clock.today(),
                ),
                by=by,
            )
            for word in many(row["成员"]):
                grouping.add_member(group, self._member(word), by=by, version=group.version)

    def _member(self, word: str) -> Member:
        """Read 职务@村:称谓#专业; village and profession may be missing."""
        place, _, title = word.partition(":")
        duty, _, village = place.partition("@")
        title, _, profession = title.partition("#")
        return Member(
            duty=DUTIES[duty],
            title=title,
            region=self.cast.regions.get(village),
            profession=PROFESSIONS.get(profession, ""),
        )

    # Targets and figures

    def _pursue(self) -> None:
        for row in rows("targets"):
            if row["文件"] != self.paper.key:
                continue
            target = Target(
                bureau=self.cast.unit(self.paper.bureau),
                campaign=self.campaign,
                name=row["目标任务"],
                text=row["要求"],
                kind=TARGET_KINDS[row["怎样合计"]],
                goal=Decimal(row["目标值"]),
                unit=row["单位"],
                measured=row["填报什么"],
                level=row["达到什么标准"],
                starts=date.fromisoformat(row["开始日期"]),
                due=date.fromisoformat(row["完成时限"]),
            )
            parts = dict(cell.split(":") for cell in many(row["分区目标"]))
            pursuing.save_target(
                target,
                by=self.by,
                institutions=self.chosen(row["单位名单"]),
                parts={self.cast.unit(code).pk: int(goal) for code, goal in parts.items()},
            )
            for cell in many(row["完成情况"]):
                code, _, what = cell.partition(":")
                day = date.fromisoformat(what) if "-" in what else date(target.starts.year, 11, 20)
                self.year.on(day, lambda t=target, c=code, w=what: self.bring(t, c, w))

    def bring(self, target: Target, code: str, what: str) -> None:
        unit = self.cast.unit(code)
        found = Contribution.objects.select_related("target", "institution", "supervisor")
        row = found.get(target=target, institution=unit)
        by = self.cast.worker(unit)
        reached = target.counts_units
        pursuing.save(
            row,
            by=by,
            version=row.version,
            value=None if reached else Decimal(what),
            reached_on=clock.today() if reached else None,
            text="已按要求完成，佐证材料存档备查（示例）。",
        )
        row.report(by=by, version=row.version)
        self.year.after(2, lambda: row.confirm(by=self.by, version=row.version))

    def _follow(self) -> None:
        following.adopt(
            self.paper.families,
            by=self.by,
            starts=date(self.paper.issued.year, 1, 1),
            institutions=self.chosen("中心"),
        )

    # Work log

    def enter(self, entry: dict[str, Any]) -> None:
        known = {key: value for key, value in entry.items() if key not in ("code", "task")}
        unit = self.cast.unit(entry["code"])
        by = self.by if unit.code == self.paper.bureau else self.cast.worker(unit)
        task = None
        if "task" in entry:
            task = self.campaign.tasks.get(name=entry["task"])
        log = work_logging.enter(WorkLog(campaign=self.campaign, task=task, **known), by=by)
        if log.follow_up_due:
            self.year.on(log.follow_up_due - timedelta(days=1), lambda: self.follow_up(log, by))

    def follow_up(self, log: WorkLog, by: Post) -> None:
        by = self.cast.post(by.user.username) if by.user else by
        log.refresh_from_db()
        work_logging.follow_up(
            log, by=by, version=log.version, on=clock.today(), text="已按要求落实（示例）。"
        )


class OtherBureaux:
    """The three papers of other bureaux, and what their centres report of their figures by now."""

    def __init__(self, cast: Cast, year: Year, papers: Papers) -> None:
        self.year = year
        self.stories = [PaperStory(cast, year, papers, p) for p in (STREET, ERQI, ZHONGWEI)]

    def plan(self) -> None:
        for story in self.stories:
            story.plan()
            self.year.on(story.paper.issued + timedelta(days=1), story.link, hour=17)
        zhongwei = self.stories[-1]
        # Published with the region's notice of 2018, before the self-evaluation begins (config/demo/capability.py).
        self.year.on(STANDARDS_OUT, lambda: _publish(zhongwei), hour=9)

    @property
    def centres(self) -> list[str]:
        return [unit.code for story in self.stories for unit in story.chosen("中心")]


def _publish(story: PaperStory) -> None:
    for name in CAPABILITY_FILES:
        publish_standard(name, by=story.by, year=2019, levels=CAPABILITY_LEVELS)
