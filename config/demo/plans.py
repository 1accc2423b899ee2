"""Plans that units handed in, the work log of the year (meetings, trainings, publicity, cases), and working groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from campaigns import grouping, planning, work_logging
from campaigns.models import (
    Group,
    Member,
    Plan,
    PlanCall,
    PlanKind,
    PlanLine,
    Task,
    WorkLog,
)
from config.demo import chance
from config.demo.campaign import CampaignStory
from config.demo.cast import CENTRES, PROFESSIONAL, Cast
from config.demo.days import Year
from config.demo.papers import Papers
from institutions import clock
from institutions.models import Institution, Post, Region

K = WorkLog.Kind
CALLED = date(2023, 3, 1)
# kind, name, who, due, requirement
CALLS = (
    (PlanKind.PROMOTION, "2023年工作推进计划", "全部", date(2023, 3, 10),
     "每项工作具体落实到班子成员、科室、具体责任人。"),
    (PlanKind.TRAINING, "2023年度培训督导计划", "专业", date(2023, 3, 20),
     "加强对项目的指导，写明培训和督导的内容、对象、时间。"),
    (PlanKind.CREDIT, "2023年健康积分工作方案", "中心", date(2023, 3, 31),
     "完善健康积分的获取、兑换办法，加大宣传力度。"),
    (PlanKind.QUALITY, "2023年质控计划", "中心", date(2023, 3, 31),
     "定期对各项目工作进行质控，发现问题及时整改。"),
    (PlanKind.ASSESSMENT, "2024年绩效考核方案", "中心", date(2023, 11, 30),
     "根据本单位情况制定，审核后严格落实。"),
)  # fmt: skip
TEXTS = {
    PlanKind.PROMOTION: "各项工作按活动任务逐项分解，责任人见下表，每月由班子会调度一次（示例）。",
    PlanKind.TRAINING: "每季度对基层机构开展一次业务培训，每半年全覆盖督导一次（示例）。",
    PlanKind.CREDIT: "签约居民参加健康讲座、规范随访可获积分，积分兑换健康用品（示例）。",
    PlanKind.QUALITY: "每月抽查档案和随访记录，问题当月反馈、次月复核（示例）。",
    PlanKind.ASSESSMENT: "按工作数量、质量、群众满意度考核，结果与绩效工资挂钩（示例）。",
}
BACK = {("quality", "ZC-JKQ"), ("credit", "ZC-BJ")}
STILL_BACK = {("quality", "ZC-NJ")}
NEVER = {("credit", "ZC-JKQ")}
HANDED_IN_EARLY = {"ZC-QNL", "ZC-WC"}
WHY_BACK = "缺少责任人和时间安排，请补充后重新上报。"
REVISED = ("promotion", "ZC-WC")


@dataclass(frozen=True)
class Entry:
    """One entry of the log: on a day, by a unit's code, with what its kind asks."""

    day: date
    code: str
    kind: str
    subject: str
    text: str
    more: dict[str, object]
    units: Sequence[str] = ()
    photo: bool = False


BUREAU_LOG = (
    Entry(date(2023, 3, 2), "ZC", K.DISPATCH, "质量提升年活动动员部署会", "部署三个阶段工作（示例）。",
          {"host": "局长", "place": "局会议室", "participants": 46,
           "decisions": "各单位3月10日前上报工作推进计划。", "follow_up_due": date(2023, 3, 10)}, CENTRES),
    Entry(date(2023, 3, 29), "ZC", K.DISPATCH, "整改落实阶段调度会", "逐家通报问题整改进度（示例）。",
          {"host": "分管副局长", "participants": 24,
           "decisions": "未销号问题逐条说明原因。", "follow_up_due": date(2023, 4, 7)}, CENTRES),
    Entry(date(2023, 4, 18), "ZC", K.TRAINING, "国家基本公共卫生服务规范培训", "讲解规范要点，现场测试（示例）。",
          {"host": "基妇科科长", "participants": 62, "tested": 60, "passed": 57,
           "targets": "公卫人员、乡村医生、中医机构"}, (*CENTRES, "ZC-SZYY", "ZC-RMYY")),
    Entry(date(2023, 6, 15), "ZC", K.FIELD, "一线调研慢性病随访", "到中心和村卫生室查看随访记录（示例）。",
          {"host": "分管副局长", "decisions": "面访率低的村卫生室每月复核。",
           "follow_up_due": date(2023, 7, 31)}, ("ZC-WC", "ZC-NJ")),
    Entry(date(2023, 10, 20), "ZC", K.DISPATCH, "四季度重点工作调度会", "调度年底重点指标（示例）。",
          {"host": "局长", "participants": 30, "decisions": "老年人体检未完成的单位制定补检计划。",
           "follow_up_due": date(2023, 11, 10)}, CENTRES),
    Entry(date(2023, 5, 16), "ZC-CDC", K.TRAINING, "高血压、糖尿病管理培训", "规范随访和分级干预（示例）。",
          {"host": "公共卫生科科长", "participants": 40, "tested": 40, "passed": 38,
           "targets": "公卫人员、家庭医生团队"}),
    Entry(date(2023, 6, 8), "ZC-CDC", K.GUIDANCE, "慢病管理现场技术指导", "指导随访记录和用药评估（示例）。",
          {"host": "公共卫生科科长", "targets": "公卫人员"}),
)  # fmt: skip


# kind, name, office, members: duty, title, profession
GROUPS = (
    ("ZC", "leading", "质量提升年活动领导小组", "局办公室",
     (("head", "党组书记、局长", ""), ("deputy", "分管副局长", ""), ("deputy", "副局长（医政）", ""),
      ("member", "区人民医院院长", ""), ("member", "区妇幼保健院院长", ""),
      ("member", "区疾控中心主任", ""), ("office", "局办公室主任", ""))),
    ("ZC", "guidance", "基本公共卫生技术指导组", "",
     (("head", "分管副局长", "management"), ("member", "区人民医院内科主任", "medicine"),
      ("member", "市中医医院治未病科主任", "tcm"), ("member", "区人民医院护理部主任", "nursing"),
      ("member", "区人民医院院感科主任", "infection"), ("member", "疾控公卫科科长", "public_health"),
      ("member", "监督执法大队协管科科长", "inspection"), ("member", "局财务科科长", "finance"))),
)  # fmt: skip
TASKFORCE = (("head", "主要负责人", ""), ("deputy", "分管领导", ""), ("member", "公卫科经办人", ""))
WITHOUT_TASKFORCE = "ZC-JKQ"
TOWN, TOWN_OFFICE, VILLAGES = "370306103", "ZC-J05", 6
UNGUIDED = 5


class PlanStory:
    """Calls for plans the day after the paper; units hand them in; all keep their log."""

    def __init__(self, cast: Cast, year: Year, papers: Papers, story: CampaignStory) -> None:
        self.cast, self.year, self.papers, self.story = cast, year, papers, story

    def plan(self) -> None:
        self.year.on(CALLED, self.call, hour=10)
        self.year.on(date(2023, 3, 2), self.set_up_groups, hour=15)
        self.year.on(date(2023, 3, 8), self.set_up_team, hour=10)
        for entry in (*BUREAU_LOG, *self._of_centres()):
            self.year.on(entry.day, lambda entry=entry: self.enter(entry))

    # Plans

    def call(self) -> None:
        by = self.cast.post("jifu")
        sets = {
            "全部": self.story.recipients(),
            "中心": [self.cast.unit(code) for code in CENTRES],
            "专业": [self.cast.unit(code) for code in PROFESSIONAL],
        }
        for kind, name, who, due, text in CALLS:
            call = PlanCall(
                kind=kind,
                name=name,
                campaign=None if kind == PlanKind.ASSESSMENT else self.story.campaign,
                year=2024 if kind == PlanKind.ASSESSMENT else 2023,
                due=due,
                text=text,
            )
            for plan in planning.ask(call, sets[who], by=by):
                self._await(plan)

    def _await(self, plan: Plan) -> None:
        kind, code = plan.call.kind, plan.institution.code
        if (kind, code) in NEVER:
            return
        if kind == PlanKind.ASSESSMENT:
            if code in HANDED_IN_EARLY:
                self.year.on(date(2023, 11, 15), lambda: self.hand_in(plan))
            return
        late = code == "ZC-JKQ"
        days = chance.between(1, 4, kind, code)
        day = plan.due + timedelta(days=days if late else -days)
        self.year.on(day, lambda: self.hand_in(plan))

    def hand_in(self, plan: Plan, *, again: bool = False) -> None:
        plan.refresh_from_db()
        unit = self.cast.unit(plan.institution.code)
        by = self.cast.worker(unit)
        text = TEXTS[PlanKind(plan.call.kind)]
        planning.save(
            plan,
            by=by,
            version=plan.version,
            text=f"{text}已补充责任人和时间安排。" if again else text,
            files=[self.papers.paper(unit, plan.call.name)],
            lines=self._answerable(plan),
        )
        plan.submit(by=by, version=plan.version)
        key = (plan.call.kind, unit.code)
        if plan.call.kind == PlanKind.ASSESSMENT and unit.code == "ZC-WC":
            return
        if key in BACK | STILL_BACK and not again:
            self.year.after(2, lambda: self.send_back(plan, for_good=key in STILL_BACK))
        else:
            self.year.after(2, lambda: self.accept(plan))

    def _answerable(self, plan: Plan) -> list[PlanLine]:
        lines = list(plan.lines.all())
        if plan.call.has_lines and not lines:
            lines = [PlanLine(text="落实本单位承担的项目指导任务")]
        for line in lines:
            line.leader, line.department, line.person = "分管领导", "公卫科", "公卫科经办人"
        return lines

    def send_back(self, plan: Plan, *, for_good: bool) -> None:
        plan.refresh_from_db()
        plan.send_back(by=self.cast.post("jifu"), version=plan.version, note=WHY_BACK)
        if not for_good:
            self.year.after(2, lambda: self.hand_in(plan, again=True))

    def accept(self, plan: Plan) -> None:
        plan.refresh_from_db()
        plan.accept(by=self.cast.post("jifu"), version=plan.version)
        if (plan.call.kind, plan.institution.code) == REVISED and plan.edition == 1:
            self.year.on(date(2023, 7, 3), lambda: self.revise(plan))

    def revise(self, plan: Plan) -> None:
        plan.refresh_from_db()
        plan.revise(by=self.cast.worker(plan.institution), version=plan.version)
        self.hand_in(plan, again=True)

    # Groups

    def set_up_groups(self) -> None:
        for _, kind, name, office, members in GROUPS:
            group = Group(kind=kind, name=name, office=office, set_up_on=date(2023, 3, 1))
            self._set_up(group, self.cast.post("jifu"), members)
        for unit in self.story.recipients():
            if unit.code != WITHOUT_TASKFORCE:
                name = f"{unit.known_as}质量提升年工作专班"
                group = Group(kind="taskforce", name=name, set_up_on=date(2023, 3, 2))
                self._set_up(group, self.cast.worker(unit), TASKFORCE)

    def _set_up(self, group: Group, by: Post, members: Sequence[tuple[str, str, str]]) -> None:
        group.campaign = self.story.campaign
        grouping.set_up(group, by=by)
        for duty, title, profession in members:
            member = Member(duty=duty, title=title, profession=profession)
            grouping.add_member(group, member, by=by, version=group.version)

    def set_up_team(self) -> None:
        """A town's team of the grid, with one village that nobody guides from the centre yet."""
        town = self.cast.regions[TOWN]
        by = self.cast.post("wangcunzf")
        name = f"{town.name}第一大队"
        group = Group(kind="team", name=name, region=town, set_up_on=clock.today())
        self._set_up(
            group, by, (("captain", "镇卫计办副主任", ""), ("technical", "卫生院院长", ""))
        )
        for number in range(1, VILLAGES + 1):
            village = Region.objects.create(
                code=f"{TOWN}{990 + number}",
                name=f"示例第{number}村",
                level=Region.Level.VILLAGE,
                parent=town,
            )
            said = [
                ("bureau_side", "镇卫计办包村人员"),
                ("doctor", "乡村医生"),
                ("worker", "卫计专干"),
            ]
            if number != UNGUIDED:
                said.append(("centre_side", "卫生院包村人员"))
            for duty, title in said:
                member = Member(duty=duty, title=title, region=village)
                grouping.add_member(group, member, by=by, version=group.version)

    # Work log

    def _of_centres(self) -> list[Entry]:
        """Each centre meets monthly, trains its clinics and makes things known; one lags behind."""
        entries = []
        for code in CENTRES:
            months = (4, 7) if code == "ZC-JKQ" else (3, 4, 5, 6, 7, 8, 9, 10, 11)
            for month in months:
                entries.append(self._meeting(code, date(2023, month, 6)))
            if code == "ZC-JKQ":
                continue
            entries += [self._training(code), *self._publicity(code), self._quality(code)]
        case = {"aspect": "流动服务、随访", "targets": "家庭医生团队、居民群众"}
        for code in ("ZC-WC", "ZC-QNL"):
            entries.append(
                Entry(
                    date(2023, 8, 22), code, K.INNOVATION, "流动体检车进村随访",
                    "每月定期进村，把体检、随访、签约放在一起做（示例）。", case, (), True,
                )
            )  # fmt: skip
        entries.append(
            Entry(
                date(2023, 9, 12), "ZC-NJ", K.OBSTACLE, "慢病用药目录不全",
                "部分慢病常用药基层不能配备，患者要到上级医院开药（示例）。",
                {"aspect": "药物目录", "decisions": "建议扩大基层慢病用药目录。",
                 "follow_up_due": date(2023, 12, 20)},
            )
        )  # fmt: skip
        entries.append(
            Entry(
                date(2023, 7, 20), "ZC-BJ", K.REENGINEERING, "老年人体检一站式流程",
                "登记、检查、建档、反馈集中在一层，减少往返（示例）。", {"aspect": "体检流程"},
            )
        )  # fmt: skip
        return entries

    def _meeting(self, code: str, day: date) -> Entry:
        more = {"host": "分管领导", "participants": chance.between(12, 30, code, day)}
        more |= {"targets": "公卫人员、首席公卫医师团队、乡村医生"}
        text = "通报上月进度，安排本月随访和档案更新（示例）。"
        return Entry(day, code, K.MEETING, f"{day.month}月公卫例会", text, more)

    def _training(self, code: str) -> Entry:
        people = chance.between(14, 28, code, "training")
        passed = people - chance.between(0, 3, code, "passed")
        more = {"participants": people, "tested": people, "passed": passed, "host": "公卫科科长"}
        more |= {"targets": "乡村医生、新进人员"}
        below = [unit.code for unit in self.cast.below(code)]
        text = "讲解随访记录、档案更新要求，现场测试（示例）。"
        return Entry(date(2023, 4, 25), code, K.TRAINING, "村卫生室规范培训", text, more, below)

    def _publicity(self, code: str) -> list[Entry]:
        shown = {"channel": "board", "labelled": True, "place": "中心大厅"}
        posted = {"channel": "poster", "labelled": code != "ZC-NJ", "place": "门诊显著位置"}
        three = {"channel": "three", "labelled": True, "participants": 120, "place": "村居"}
        text = "介绍免费服务内容和健康积分办法（示例）。"
        return [
            Entry(date(2023, 3, 15), code, K.PUBLICITY, "更新宣传栏", text, shown, (), True),
            Entry(date(2023, 3, 22), code, K.PUBLICITY, "张贴统一宣传壁报", text, posted, (), True),
            Entry(date(2023, 9, 5), code, K.PUBLICITY, "健康知识三进活动", text, three, (), True),
        ]

    def _quality(self, code: str) -> Entry:
        more = {"aspect": "居民健康档案、慢病随访", "decisions": "抽查发现的漏项一周内补齐。"}
        more |= {"follow_up_due": date(2023, 6, 30)}
        text = "抽查档案20份、随访记录20份（示例）。"
        return Entry(date(2023, 6, 20), code, K.QUALITY, "二季度项目质控", text, more)

    def enter(self, entry: Entry) -> None:
        unit = self.cast.unit(entry.code)
        by = self.cast.post("jifu") if entry.code == "ZC" else self.cast.worker(unit)
        log = work_logging.enter(
            WorkLog(
                kind=entry.kind,
                day=clock.today(),
                subject=entry.subject,
                text=entry.text,
                campaign=self.story.campaign,
                task=self._task(entry),
                **entry.more,
            ),
            by=by,
            units=[self.cast.unit(code) for code in entry.units],
            files=[self.papers.photo(unit, "工作")] if entry.photo else [],
        )
        if log.follow_up_due and entry.day < date(2023, 9, 1):
            self.year.on(
                log.follow_up_due - timedelta(days=1), lambda: self.follow_up(log, entry.code)
            )
        if log.is_case and entry.code == "ZC-WC":
            self.year.after(5, lambda: self.select(log))

    def _task(self, entry: Entry) -> Task | None:
        if entry.kind != K.DISPATCH:
            return None
        return self.story.campaign.tasks.filter(kind=Task.Kind.ORGANISATION).first()

    def follow_up(self, log: WorkLog, code: str) -> None:
        log.refresh_from_db()
        unit: Institution = self.cast.unit(code)
        by = self.cast.post("jifu") if code == "ZC" else self.cast.worker(unit)
        work_logging.follow_up(
            log, by=by, version=log.version, on=clock.today(), text="已按要求落实（示例）。"
        )

    def select(self, log: WorkLog) -> None:
        by = self.cast.post("jifu")
        log.refresh_from_db()
        log.select(by=by, version=log.version)
        log.recommend(by=by, version=log.version, note="有示范意义，推荐市卫生健康委宣传。")
