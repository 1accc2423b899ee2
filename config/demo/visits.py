"""Problems of the year before, rounds of supervision in each quarter, and what the teams found."""

from datetime import date, timedelta

from campaigns.models import Campaign, Clause, Standard
from config.demo import chance
from config.demo.campaign import WEAK
from config.demo.cast import CENTRES, Cast, is_clinic
from config.demo.days import Year, workday
from config.demo.onsite import OnsiteStory
from config.demo.papers import Papers
from config.demo.people import PAIRED
from config.demo.rectifying import Rectifying, Sort, sorts
from institutions import clock
from institutions.models import Institution, Kind, Post
from institutions.roles import Role
from supervision import assigning, handing_out, recording, signing, submitting
from supervision.handing_out import NewProblem
from supervision.models import PlannedRound, Source, SupervisionRound, Visit

PROBLEMS_2022 = 120
SOURCES = (
    (Source.PROVINCE, date(2022, 11, 18), 20),
    (Source.CITY, date(2022, 12, 9), 35),
    (Source.COUNTY, date(2022, 12, 28), 65),
)
# What is still open of the list of 2022: so the phase of rectification cannot be confirmed yet.
OPEN_2022 = {11: "returned", 47: "returned", 83: "reapplied"}
ROUNDS = {
    1: (date(2023, 3, 13), date(2023, 3, 24)),
    2: (date(2023, 6, 5), date(2023, 6, 21)),
    3: (date(2023, 9, 4), date(2023, 9, 20)),
    4: (date(2023, 10, 30), date(2023, 11, 29)),
}
# The centres go to their clinics a day later; in the last quarter a week.
CLINICS = {quarter: starts + timedelta(days=1) for quarter, (starts, _) in ROUNDS.items()}
CLINICS[4] = date(2023, 11, 7)
WORDS = "一二三四"
# Which teams there are: the lead, the members, and the institutions they visit in this order.
TEAMS = (
    ("jifu", ("zhuanjia3", "jikong", "jingfang"), ("ZC-WC", "ZC-NJ", "ZC-BJ")),
    ("jifukz", ("zhuanjia2", "xieguan", "qingniangw"), ("ZC-JKQ", "ZC-RMYY", "ZC-FY")),
    ("jifu", ("zhuanjia1", "zhuanjia2", "xieguan"), ("ZC-QNL", "ZC-JSB")),
    ("jifukz", ("jikong", "fuyou"), ("ZC-SZYY", "ZC-148")),
    ("jifukz", ("zhuanjia3",), ("ZC-CDC", "ZC-JD")),
)
SPARED = {"ZC-148": {"zhuanjia2"}, "ZC-SZYY": {"zhuanjia1"}, "ZC-RMYY": {"zhuanjia3"}}
GOOD = ("查阅资料和系统，符合要求。", "抽查记录完整、真实。", "现场查看，制度落实到位。")
METHODS = ("papers", "report", "phone", "site", "home")


class VisitStory:
    """Hands out the list of 2022, then sends teams each quarter; the centres do the same to their clinics."""

    def __init__(self, cast: Cast, year: Year, papers: Papers) -> None:
        self.cast, self.year, self.papers = cast, year, papers
        self.rectifying = Rectifying(cast, year, papers)
        self.onsite = OnsiteStory(cast, year)
        self.sorts = sorts()

    def plan(self) -> None:
        self.year.on(date(2023, 3, 6), self.hand_out_2022, hour=9)
        for quarter, (starts, _) in ROUNDS.items():
            self.year.on(starts - timedelta(days=5), lambda q=quarter: self.send_teams(q), hour=10)
            for code in CENTRES:
                self.year.on(
                    CLINICS[quarter],
                    lambda q=quarter, c=code: self.send_to_clinics(c, q),
                    hour=11,
                )
        for turn, month in enumerate((5, 10, 11)):
            day = date(2023, month, 16)
            self.year.on(day, lambda t=turn: self.send_leaders(t), hour=9)
        self.onsite.plan()
        self.year.on(date(2023, 8, 9), self.find_daily)
        self.year.on(date(2023, 11, 2), self.find_daily)

    # The list of the year before

    def hand_out_2022(self) -> None:
        phase = Campaign.objects.get(year=2023).phases.get(position=2)
        listed = []
        number = 0
        for source, found_on, count in SOURCES:
            for _ in range(count):
                sort = chance.one_of(self.sorts, "2022", number)
                unit = self._unit_for(sort, number)
                listed.append(
                    NewProblem(
                        institution=unit,
                        source=source,
                        year=2022,
                        text=sort.worded(2022, number),
                        found_on=found_on,
                        due=date(2023, 3, 31),
                        severity=sort.severity,
                        item=self.cast.items.get(sort.item),
                        category=sort.category,
                        phase=phase,
                        origin=f"2022年度{source.label}问题反馈清单",
                    )
                )
                number += 1
        handed = handing_out.problems_from(listed, by=self.cast.post("jifu"))
        for place, problem in enumerate(handed.new):
            end = OPEN_2022.get(place, "close")
            self.rectifying.plan(problem, end=end)

    def _unit_for(self, sort: Sort, number: int) -> Institution:
        """Return whose problem it is: mostly the centres', the weak one's more often, maternal ones the hospitals' too."""
        codes = [*CENTRES, *CENTRES, WEAK]
        if sort.item == "05":
            codes += ["ZC-SZYY", "ZC-148", "ZC-RMYY"]
        return self.cast.unit(chance.one_of(codes, "unit", number))

    # The bureau's rounds

    def send_teams(self, quarter: int) -> None:
        _, ends = ROUNDS[quarter]
        by = self.cast.post("jifu")
        bureau = by.institution
        supervised = assigning.start_planned(planned(bureau, quarter), by=by)
        # Published only after the plan was made.
        supervised.standard = self.standard("ZC2023")
        supervised.campaign = Campaign.objects.get(year=2023)
        supervised.save(update_fields=["standard", "campaign"])
        for lead, names, codes in TEAMS:
            for code in codes:
                members = [self._expert(name) for name in names if name not in SPARED.get(code, ())]
                day = self._visit_day(quarter, code)
                assigning.plan_visits(
                    supervised,
                    institutions=[self.cast.unit(code)],
                    lead=self.cast.post(lead),
                    members=[m for m in members if m.institution.code != code],
                    starts=day,
                    ends=day,
                    by=by,
                    version=supervised.version,
                )
                supervised.refresh_from_db()
        assigning.issue_round(supervised, by=by, version=supervised.version)
        for visit in supervised.visits.select_related("institution"):
            if quarter == 4 and visit.starts > date(2023, 11, 17):
                continue
            self.year.on(visit.starts, lambda v=visit: self.make_visit(v), hour=15)
        if quarter < 4:
            self.year.on(ends + timedelta(days=9), lambda: self.close_round(supervised))

    def standard(self, code: str) -> Standard | None:
        return Standard.objects.filter(code=code, status="published").first()

    def _visit_day(self, quarter: int, code: str) -> date:
        """Spread the visits over the round; in the last quarter some are still to come."""
        starts, _ = ROUNDS[quarter]
        codes = [code for _, _, codes in TEAMS for code in codes]
        return workday(starts, codes.index(code) if quarter < 4 else codes.index(code) * 7 // 4)

    def _expert(self, name: str) -> Post:
        role = Role.EXPERT if name == "qingniangw" else ""
        return self.cast.post(name, role)

    def make_visit(self, visit: Visit) -> None:
        """Record on site, line by line by the members, then submit; the institution answers some days later."""
        visit = Visit.objects.select_related(
            "round__standard", "institution__region", "supervisor", "lead__user"
        ).get(pk=visit.pk)
        code, quarter = visit.institution.code, visit.round.quarter
        team = [self._post(visit.lead)]
        team += [self._post(member) for member in visit.members.select_related("user")]
        clauses = self._clauses(visit)
        wrong = self._findings(visit)
        self.onsite.look_again(visit, team)
        self.onsite.check(visit, team)
        for place, clause in enumerate(clauses):
            sort = wrong.get(clause.code)
            self._line(visit, clause, sort, team[place % len(team)])
        on_paper = {clause.code for clause in clauses}
        for code_of_clause, sort in wrong.items():
            if code_of_clause not in on_paper:
                self._line(visit, None, sort, team[0])
        if not clauses:
            self._line(visit, None, None, team[-1])
        visit.refresh_from_db()
        problems = submitting.submit_visit(
            visit,
            by=team[0],
            version=visit.version,
            visited_on=clock.today(),
            summary=f"共督导 {max(len(clauses), 1)} 条，发现问题 {len(wrong)} 个，已当面反馈。",
        )
        self.onsite.sign(visit, team[0])
        for place, problem in enumerate(problems):
            self.rectifying.plan(problem, end=self._end(code, quarter, problem.text, place))
        if quarter == 4 and (code in ("ZC-NJ", "ZC-BJ") or is_example(visit.institution)):
            return
        self.year.after(chance.between(1, 3, code, quarter, "agree"), lambda: self.answer(visit))

    def _post(self, member: Post) -> Post:
        return self.cast.post(member.user.username, member.role)

    def _clauses(self, visit: Visit) -> list[Clause]:
        """Return the clauses looked at this time; none where the standard is not made for the institution."""
        standard = visit.round.standard
        if standard is None or not standard.applies_to(visit.institution):
            return []
        leaves = list(standard.clauses.leaves().select_related("item").order_by("position"))
        wanted = {sort.clause for sort in self._findings(visit).values()}
        some = chance.some_of(
            leaves,
            9 if visit.supervisor.is_bureau else 6,
            visit.institution.code,
            visit.round.quarter,
        )
        return [clause for clause in leaves if clause in some or clause.code in wanted]

    def _findings(self, visit: Visit) -> dict[str, Sort]:
        """Return what is wrong here this time, by the code of its clause."""
        unit, quarter = visit.institution, visit.round.quarter
        fitting = self.sorts
        if unit.kind in (Kind.HOSPITAL, Kind.CDC, Kind.INSPECTION, Kind.MENTAL):
            items = {
                Kind.HOSPITAL: {"05"},
                Kind.CDC: {"02", "10"},
                Kind.INSPECTION: {"12"},
                Kind.MENTAL: {"08"},
            }[Kind(unit.kind)]
            fitting = [sort for sort in self.sorts if sort.item in items]
        elif is_clinic(unit):
            fitting = [sort for sort in self.sorts if sort.item and sort.item not in ("03", "10")]
        most = 1 if is_clinic(unit) or len(fitting) < 9 else 4 if unit.code == WEAK else 3
        if quarter == 4 and is_example(unit):
            return {sort.clause: sort for sort in chance.some_of(fitting, 2, unit.code, "sort")}
        count = chance.between(0 if is_clinic(unit) else 1, most, unit.code, quarter, "count")
        return {
            sort.clause: sort for sort in chance.some_of(fitting, count, unit.code, quarter, "sort")
        }

    def _line(self, visit: Visit, clause: Clause | None, sort: Sort | None, by: Post) -> None:
        key = (visit.institution.code, visit.round.quarter, clause.code if clause else "")
        values: dict[str, object] = {
            "found": "good",
            "text": chance.one_of(GOOD, *key),
            "method": chance.one_of(METHODS, *key),
        }
        if sort is not None:
            values |= {
                "found": "problem",
                "text": sort.worded(*key),
                "category": sort.category,
                "severity": sort.severity,
                "due": clock.today() + timedelta(days=self._days(visit, sort)),
            }
        item = self.cast.items.get(sort.item) if sort else None
        line = recording.save_line(
            visit,
            by=by,
            version=0,
            values=values,
            clause=clause,
            item=clause.item if clause else item,
        )
        if sort is not None and sort.severity == "major":
            recording.add_photos(line, files=[self.papers.seen(by)], by=by)

    def _days(self, visit: Visit, sort: Sort) -> int:
        if sort.severity == "major":
            return 14
        return 15 if is_clinic(visit.institution) else 20

    def _end(self, code: str, quarter: int, text: str, place: int) -> str:
        """Say how far a problem gets by the day on which the demo stands."""
        if quarter < 3:
            return "close"
        if quarter == 4 and is_example(self.cast.unit(code)):
            return ("assigned", "signed")[place % 2]
        if quarter == 3:
            if code == WEAK and chance.happens(60, code, text):
                return "signed"
            return "signed" if chance.happens(7, code, text) else "close"
        ends = ("assigned", "signed", "signed", "applied", "applied", "returned", "close")
        return chance.one_of(ends, code, quarter, text)

    def answer(self, visit: Visit) -> None:
        visit.refresh_from_db()
        by = self.cast.head(self.cast.unit(visit.institution.code))
        if visit.institution.code == "ZC-JKQ" and visit.round.quarter == 2:
            note = "有一份档案当日已补录，请核对系统记录。"
            signing.object_to(visit, by=by, version=visit.version, note=note)
            self.year.after(2, lambda: self.settle(visit))
        else:
            signing.agree(visit, by=by, version=visit.version)

    def settle(self, visit: Visit) -> None:
        visit.refresh_from_db()
        visit.settle(
            by=self.cast.post("jifukz"),
            version=visit.version,
            note="已核对系统日志：补录在督导之后，问题成立。",
        )

    def close_round(self, supervised: SupervisionRound) -> None:
        supervised.refresh_from_db()
        supervised.close(by=self.cast.post("jifu"), version=supervised.version)

    # The leaders, each to an institution linked to him

    def send_leaders(self, turn: int) -> None:
        by = self.cast.post("jifu")
        first = clock.today()
        supervised = SupervisionRound(
            name=f"2023年{first.month}月局领导挂包督导",
            type=SupervisionRound.Type.SURVEY,
            year=2023,
            institution=by.institution,
            supervisor=by.institution,
            author=by,
            campaign=Campaign.objects.get(year=2023),
            standard=self.standard("ZC2023"),
            starts=first,
            ends=first + timedelta(days=10),
        )
        supervised.save()
        for place, (name, codes) in enumerate(reversed(PAIRED.items())):
            day = workday(first + timedelta(days=1), place)
            assigning.plan_visits(
                supervised,
                institutions=[self.cast.unit(codes[turn % len(codes)])],
                lead=self.cast.post(name),
                members=[self.cast.post("jifukz")],
                starts=day,
                ends=day,
                by=by,
                version=supervised.version,
            )
            supervised.refresh_from_db()
        assigning.issue_round(supervised, by=by, version=supervised.version)
        for visit in supervised.visits.select_related("institution"):
            self.year.on(visit.starts, lambda v=visit: self.make_visit(v), hour=15)
        self.year.on(first + timedelta(days=20), lambda: self.close_round(supervised))

    # The centres' rounds

    def send_to_clinics(self, code: str, quarter: int) -> None:
        centre = self.cast.unit(code)
        head, worker = self.cast.head(centre), self.cast.worker(centre)
        starts = CLINICS[quarter]
        supervised = assigning.start_planned(planned(centre, quarter), by=head)
        supervised.standard = self.standard("ZC2023V")
        supervised.save(update_fields=["standard"])
        clinics = self.cast.below(code)
        chosen = chance.some_of(clinics[1:], 3, code, quarter, "clinics")
        chosen = [clinics[0], *chosen] if quarter == 4 else chosen
        for place, clinic in enumerate(chosen):
            day = workday(starts + timedelta(days=1), place)
            assigning.plan_visits(
                supervised,
                institutions=[clinic],
                lead=head,
                members=[worker],
                starts=day,
                ends=day,
                by=head,
                version=supervised.version,
            )
            supervised.refresh_from_db()
        assigning.issue_round(supervised, by=head, version=supervised.version)
        for visit in supervised.visits.select_related("institution"):
            self.year.on(visit.starts, lambda v=visit: self.make_visit(v))
        if quarter < 4:
            end = starts + timedelta(days=24)
            self.year.on(end, lambda: self.close_round_of(supervised, head))

    def close_round_of(self, supervised: SupervisionRound, head: Post) -> None:
        supervised.refresh_from_db()
        supervised.close(by=self.cast.post(head.user.username), version=supervised.version)

    # What a lead agency finds on a day of its own

    def find_daily(self) -> None:
        """The lead agencies enter what they met with on the way."""
        for name, items in (("jikong", ("02", "03")), ("xieguan", ("12",)), ("jingfang", ("08",))):
            by = self.cast.post(name)
            sort = chance.one_of([s for s in self.sorts if s.item in items], name, clock.today())
            unit = self.cast.unit(chance.one_of(CENTRES, name, clock.today()))
            (problem,) = handing_out.hand_out(
                [
                    NewProblem(
                        institution=unit,
                        source=Source.DAILY,
                        year=2023,
                        text=sort.worded(name, clock.today()),
                        found_on=clock.today(),
                        due=clock.today() + timedelta(days=15),
                        severity=sort.severity,
                        item=self.cast.items[sort.item],
                        category=sort.category,
                        found_by=by,
                        origin="专业机构日常督导",
                    )
                ],
                by=by,
                unit=unit.parent,
            )
            self.rectifying.plan(problem, end="close" if clock.today().month == 8 else "signed")


def planned(body: Institution, quarter: int) -> PlannedRound:
    """Return what the body's plan provides for a quarter."""
    return PlannedRound.objects.select_related("plan__institution").get(
        plan__institution=body, plan__year=2023, plan__led=False, quarter=quarter
    )


def is_example(unit: Institution) -> bool:
    """Say whether it is the first clinic of a centre: whoever tries the demo as its doctor finds work to do."""
    return is_clinic(unit) and unit.code.endswith("-01")
