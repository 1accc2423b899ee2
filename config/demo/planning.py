"""The year plans of the demo, its pool of experts, and the rounds whose institutions and teams are drawn or suggested."""

from datetime import date, timedelta

from campaigns.models import Campaign
from config.demo.cast import CENTRES, YEAR, Cast
from config.demo.days import Year, workday
from config.demo.visits import CLINICS, ROUNDS, WORDS, VisitStory
from institutions import clock
from institutions.models import Institution, Post
from institutions.roles import Role
from scoring.risk import last_scores
from supervision import assigning, bodies, drawing, experts, lots, suggesting, year_planning
from supervision.models import Expert, ExpertTie, PlannedRound, SupervisionRound, YearPlan

Type = SupervisionRound.Type
# Code, user name, role where he has several posts, professions.
EXPERTS = (
    ("ZJ01", "zhuanjia1", "", "medicine,nursing"),
    ("ZJ02", "zhuanjia2", "", "medicine,infection"),
    ("ZJ03", "zhuanjia3", "", "medicine,tcm"),
    ("ZJ04", "qingniangw", Role.EXPERT, "public_health,information"),
    ("ZJ05", "jikong", "", "public_health"),
    ("ZJ06", "fuyou", "", "public_health,management"),
    ("ZJ07", "jingfang", "", "medicine,public_health"),
    ("ZJ08", "xieguan", "", "inspection"),
)
SPECIAL = (date(2023, 5, 8), date(2023, 5, 26))
SURPRISE = (date(2023, 9, 25), date(2023, 10, 20))
DAILY = (date(2023, 10, 9), date(2023, 10, 27))
NEXT = (date(2023, 12, 4), date(2023, 12, 22))


class PlanningStory:
    """Plans at the beginning of March; a special round in May by lot; a flight check and one by risk in autumn."""

    def __init__(self, cast: Cast, year: Year, visits: VisitStory) -> None:
        self.cast, self.year, self.visits = cast, year, visits

    def plan(self) -> None:
        self.year.on(date(2023, 3, 1), self.keep_experts, hour=9)
        self.year.on(date(2023, 3, 2), self.plan_bureau, hour=9)
        self.year.on(date(2023, 3, 3), self.plan_lead_agency, hour=9)
        for code in CENTRES:
            self.year.on(date(2023, 3, 6), lambda c=code: self.plan_centre(c), hour=8)
        self.year.on(date(2023, 4, 27), self.draw_special, hour=10)
        self.year.on(date(2023, 9, 21), self.draw_surprise, hour=16)
        self.year.on(date(2023, 9, 27), self.choose_by_risk, hour=11)

    def keep_experts(self) -> None:
        by = self.cast.post("jifu")
        for code, name, role, professions in EXPERTS:
            post = self.cast.post(name, role)
            expert = Expert(
                code=code,
                title=post.title if role else f"{post.institution.known_as}{post.title}",
                professions=professions,
                employer=post.institution,
                post=post,
            )
            experts.store(expert, by=by)
        outside = Expert(
            code="ZJ09", title="市级财务专家", professions="finance", outside="淄博市卫生健康委员会"
        )
        experts.store(outside, by=by)
        experts.declare(
            ExpertTie(
                expert=Expert.objects.get(code="ZJ05"),
                institution=self.cast.unit("ZC-JKQ"),
                reason="近亲属在该院任职",
                starts=date(2023, 1, 1),
            ),
            by=by,
        )

    # The plans

    def plan_bureau(self) -> None:
        by = self.cast.post("jifu")
        plan = year_planning.make_plan(YearPlan(year=YEAR), by=by)
        for quarter, (starts, ends) in ROUNDS.items():
            name = f"2023年第{WORDS[quarter - 1]}季度国家基本公共卫生服务项目质控督导"
            self._entry(plan, name, Type.QUARTERLY, starts, ends, by, quarter=quarter)
        self._entry(
            plan,
            "2023年国家基本公共卫生服务项目专项督导",
            Type.SPECIAL,
            *SPECIAL,
            by,
            note="按机构类别抽取，督导组从专家库抽取",
        )
        self._entry(plan, "2023年秋季飞行检查", Type.SURPRISE, *SURPRISE, by)
        self._entry(plan, "2023年重点机构日常督导", Type.DAILY, *DAILY, by)
        self._entry(plan, "2023年年底飞行检查", Type.SURPRISE, *NEXT, by)
        plan.issue(by=by, version=plan.version)

    def plan_lead_agency(self) -> None:
        """The disease control centre plans for the items that it leads; its first round is still to be made."""
        by = self.cast.post("jikong")
        plan = year_planning.make_plan(YearPlan(year=YEAR), by=by)
        plan.least_comprehensive, plan.least_special = 0, 1
        year_planning.change_policy(plan, by=by, version=plan.version)
        self._entry(
            plan,
            "2023年预防接种和传染病报告专项督导",
            Type.SPECIAL,
            *NEXT,
            by,
            items=("02", "03"),
        )
        plan.issue(by=by, version=plan.version)

    def plan_centre(self, code: str) -> None:
        by = self.cast.head(self.cast.unit(code))
        plan = year_planning.make_plan(YearPlan(year=YEAR), by=by)
        for quarter, starts in CLINICS.items():
            self._entry(
                plan,
                f"{by.institution.known_as}2023年第{WORDS[quarter - 1]}季度村卫生室督导",
                Type.QUARTERLY,
                starts,
                starts + timedelta(days=20),
                by,
                quarter=quarter,
            )
        plan.issue(by=by, version=plan.version)

    def _entry(
        self,
        plan: YearPlan,
        name: str,
        type_: str,
        starts: date,
        ends: date,
        by: Post,
        *,
        items: tuple[str, ...] = (),
        **more: object,
    ) -> None:
        entry = PlannedRound(plan=plan, name=name, type=type_, starts=starts, ends=ends, **more)
        year_planning.store_entry(
            entry,
            items=[self.cast.items[code] for code in items],
            institutions=[],
            by=by,
            version=plan.version,
        )

    # Rounds by lot and by risk

    def draw_special(self) -> None:
        """One of each kind of institution and two teams; drawn once more, since a member fell ill."""
        by = self.cast.post("jifu")
        round = self._start("2023年国家基本公共卫生服务项目专项督导", by)
        ask = drawing.Ask("kind", "number", 1, teams=2, size=3, professions=("public_health",))
        lots.draw_lots(round, ask, seed="zc-2023-0427-1", by=by, version=round.version)
        lots.draw_lots(
            round,
            ask,
            seed="zc-2023-0427-2",
            reason="首次抽中的专家因病不能参加",
            by=by,
            version=round.version,
        )
        self._send(round, by)

    def draw_surprise(self) -> None:
        by = self.cast.post("jifu")
        round = self._start("2023年秋季飞行检查", by)
        ask = drawing.Ask(
            "", "number", 3, teams=1, size=3, professions=("public_health", "medicine")
        )
        lots.draw_lots(round, ask, seed="zc-2023-0921", by=by, version=round.version)
        self._send(round, by)

    def choose_by_risk(self) -> None:
        """The three riskiest, one of them exchanged for a reason; the department goes by itself."""
        by = self.cast.post("jifu")
        plan = YearPlan.objects.get(institution=by.institution, year=YEAR)
        entry = plan.entries.get(type=Type.DAILY)
        units = list(bodies.units_of(by).select_related("bureau").order_by("code"))
        rows = suggesting.suggest(plan, units, by, scores=last_scores(units, by, YEAR), count=3)
        chosen = [row.institution for row in rows[:2]] + [rows[3].institution]
        round = suggesting.make_round(
            plan,
            suggesting.Chosen(chosen, rows, "该机构九月更换公卫科负责人，先去看看"),
            name=entry.name,
            type=entry.type,
            starts=entry.starts,
            ends=entry.ends,
            entry=entry,
            by=by,
        )
        self._into_campaign(round)
        for place, unit in enumerate(chosen):
            self._visit(round, unit, workday(entry.starts, 2 * place + 1), by)
        self._send(round, by)

    def _visit(self, round: SupervisionRound, unit: Institution, day: date, by: Post) -> None:
        assigning.plan_visits(
            round,
            institutions=[unit],
            lead=self.cast.post("jifukz"),
            members=[by],
            starts=day,
            ends=day,
            by=by,
            version=round.version,
        )

    def _start(self, name: str, by: Post) -> SupervisionRound:
        entry = PlannedRound.objects.get(name=name, plan__institution=by.institution)
        round = assigning.start_planned(entry, by=by)
        self._into_campaign(round)
        return round

    def _into_campaign(self, round: SupervisionRound) -> None:
        round.standard = self.visits.standard("ZC2023")
        round.campaign = Campaign.objects.get(year=YEAR)
        round.save(update_fields=["standard", "campaign"])

    def _send(self, round: SupervisionRound, by: Post) -> None:
        assigning.issue_round(round, by=by, version=round.version)
        for visit in round.visits.filter(status="planned").select_related("institution"):
            self.year.on(visit.starts, lambda v=visit: self.visits.make_visit(v), hour=15)
        # Everybody has answered by then; a round that is not over on the day of the demo stays open.
        self.year.on(
            max(round.ends, clock.today()) + timedelta(days=9),
            lambda: self.visits.close_round(round),
        )
