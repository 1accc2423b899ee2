"""优质服务基层行 in 中卫市, 2018 to 2019: one centre all the way, others on the way, one below, one that has not begun (示例).

The plan of 2019 builds on the region's notice of 2018 (宁卫办发〔2018〕74号): the self-evaluation began in October 2018, so
that six months are over before 4月30日. All grades are made up.
"""

from datetime import date

from django.db.models import F

from campaigns.models import Campaign, Group, Standard
from config.demo.cast import Cast
from config.demo.days import Year
from config.demo.papers import Papers
from institutions.models import Institution, Post
from scoring import capability_filling as filling
from scoring import capability_register as register
from scoring import capability_reviewing as reviewing
from scoring import capability_using as using
from scoring.models import CapabilityLine, CapabilityReview, CapabilityRound
from scoring.models.capability import default_dates
from supervision import rectifying
from supervision.models import Problem, Rectification

SET_UP, TIED = date(2018, 10, 8), date(2019, 1, 23)
REPORTED, RECHECKED, HANDED_UP = date(2019, 4, 26), date(2019, 5, 9), date(2019, 5, 17)
CERTIFIED, DECIDED = date(2019, 6, 28), date(2019, 7, 4)
# When each begins, and how good it is: so many A, the rest B but for so many C and D at the end.
CENTRES = {
    "ZW-BH": (date(2018, 10, 9), 8, 4, 0),
    "ZW-SPT-A": (date(2018, 10, 11), 6, 5, 1),
    "ZW-SPT-B": (date(2018, 10, 12), 5, 6, 0),
    "ZW-ZN-A": (date(2018, 10, 15), 7, 3, 2),
    "ZW-ZN-B": (date(2018, 10, 17), 6, 8, 3),
    "ZW-HY-A": (date(2018, 10, 16), 6, 4, 1),
    # 海原示例二院 has not begun.
}
# What the city finds worse on the spot: this one falls below.
FOUND_WORSE = {"ZW-ZN-B": {"1.1.1": "D"}}
SHARE = 15


class CapabilityStory:
    """The city sets the year up; centres evaluate themselves and apply; counties review, the city checks, the province confirms."""

    def __init__(self, cast: Cast, year: Year, papers: Papers) -> None:
        self.cast, self.year, self.papers = cast, year, papers
        self.round = CapabilityRound()

    def plan(self) -> None:
        on = self.year.on
        on(SET_UP, self.set_up, hour=9)
        on(TIED, self.tie, hour=17)
        for code, (day, good, fair, bad) in CENTRES.items():
            on(day, lambda c=code, g=good, f=fair, b=bad: self.evaluate(c, g, f, b), hour=10)
            on(date(2019, 4, 11 + len(code)), lambda c=code: self.complete(c), hour=9)
            on(date(2019, 4, 22), lambda c=code: self.apply(c), hour=10)
            on(date(2019, 4, 24), lambda c=code: self.review(c), hour=14)
            on(RECHECKED, lambda c=code: self.recheck(c), hour=10)
        for county in ("shapotou", "zhongning", "haiyuan"):
            on(REPORTED, lambda c=county: self.report(c, "已审核，同意上报（示例）。"), hour=15)
        on(HANDED_UP, lambda: self.report("zhongwei", "复核完毕，报自治区卫生健康委（示例）。"))
        on(CERTIFIED, lambda: self.certify("ZW-BH"), hour=11)
        on(DECIDED, lambda: self.use("ZW-BH", ("basic", "commendation")), hour=10)
        on(DECIDED, lambda: self.use("ZW-ZN-B", ("exclusion",)), hour=11)

    @property
    def city(self) -> Post:
        return self.cast.post("zhongwei")

    def set_up(self) -> None:
        standards = Standard.objects.filter(bureau__code="ZW", purpose="capability")
        self.round = CapabilityRound(
            name="2019年“优质服务基层行”活动", year=2019, share=SHARE, **default_dates(2019)
        )
        register.save_round(self.round, list(standards), by=self.city)

    def tie(self) -> None:
        """The plan of the city is out: the year belongs to its campaign, and rechecks to its guidance group."""
        self.round = CapabilityRound.objects.get(pk=self.round.pk)
        self.round.campaign = Campaign.objects.get(bureau__code="ZW", parent=None)
        self.round.group = Group.objects.filter(
            institution__code="ZW", kind=Group.Kind.GUIDANCE
        ).first()
        register.save_round(self.round, list(self.round.standards.all()), by=self.city)

    def _review(self, code: str) -> CapabilityReview:
        rows = CapabilityReview.objects.select_related(
            "institution__bureau",
            "institution__region",
            "supervisor",
            "round__institution",
            "standard",
        )
        return rows.get(round=self.round, institution__code=code)

    def _head(self, code: str) -> Post:
        return self.cast.worker(self.cast.unit(code))

    def _asker(self, unit: Institution) -> Post:
        names = {"ZW": "zhongwei", "ZW-SPT": "shapotou", "ZW-ZN": "zhongning", "ZW-HY": "haiyuan"}
        return self.cast.post(names[unit.code])

    # The unit

    def evaluate(self, code: str, good: int, fair: int, bad: int) -> None:
        by = self._head(code)
        review = filling.start(self.round, by=by)
        lines = sorted(filling.lines_of(review), key=lambda x: (not x.clause.core, x.pk))
        letters = ["A"] * good + ["B"] * (len(lines) - good - fair - bad) + ["C"] * fair
        for line, letter in zip(lines, [*letters, *["D"] * bad], strict=True):
            line.grade, line.version = letter, 2
            line.note = {"D": "制度未落实，列入整改（示例）", "C": "记录不全（示例）"}.get(
                letter, ""
            )
        # In one go, as the deed would leave each of them.
        CapabilityLine.objects.bulk_update(lines, ["grade", "note", "version"])
        filling.attach(
            lines[0],
            [self.papers.paper(self.cast.unit(code), "能力自评佐证")],
            by=by,
            version=lines[0].version,
        )
        weak = [line for line in filling.lines_of(review) if line.grade == "D"]
        if weak:
            for problem in filling.put_right(review, weak, due=date(2019, 3, 29), by=by):
                self.year.after(1, lambda p=problem: self.work(p))
                self.year.on(date(2019, 2, 20), lambda p=problem: self.close(p))

    def work(self, problem: Problem) -> None:
        row, by = problem.rectification, self._head(problem.institution.code)
        row.sign(by=by, version=row.version)
        rectifying.save_measures(
            row,
            measures="完善制度，明确责任人，按月检查（示例）。",
            leader=by.title,
            person=by.title,
            files=[self.papers.paper(self.cast.unit(problem.institution.code), "整改佐证")],
            by=by,
            version=row.version,
        )
        row.apply(by=by, version=row.version)

    def close(self, problem: Problem) -> None:
        row = Rectification.objects.select_related("institution", "supervisor").get(problem=problem)
        row.close(by=self._asker(row.supervisor), version=row.version, note="已整改到位（示例）。")

    def complete(self, code: str) -> None:
        review = self._review(code)
        filling.complete(review, by=self._head(code), version=review.version)

    def apply(self, code: str) -> None:
        review = self._review(code)
        filling.apply(
            review,
            level="basic",
            note="自评达到基本标准，申请审核（示例）。",
            by=self._head(code),
            version=review.version,
        )

    # The county, the city, the province

    def review(self, code: str) -> None:
        review = self._review(code)
        by = self._asker(review.supervisor)
        reviewing.adopt(review, by=by, version=review.version)
        reviewing.pass_on(
            review, by=by, version=review.version, note="查阅资料、现场核对，情况属实（示例）。"
        )

    def report(self, name: str, opinion: str) -> None:
        register.report_up(self.round, by=self.cast.post(name), opinion=opinion)

    def recheck(self, code: str) -> None:
        review, by = self._review(code), self.city
        reviewing.draw_clauses(
            review, seed=f"示例-2019-{code}", share=SHARE, by=by, version=review.version
        )
        drawn = CapabilityLine.objects.filter(review=review, drawn=True)
        worse = FOUND_WORSE.get(code, {})
        drawn.exclude(clause__code__in=worse).update(
            recheck_grade=F("review_grade"), version=F("version") + 1
        )
        for found, letter in worse.items():
            line = drawn.select_related(
                "clause", "review__institution", "review__supervisor", "review__round"
            ).get(clause__code=found)
            values = {"grade": letter, "note": "现场抽查与资料不符（示例）"}
            reviewing.judge_line(line, values, by=by, version=line.version)
        reviewing.finish_recheck(
            review, by=by, version=review.version, note="按抽中条款现场复核（示例）。"
        )

    def certify(self, code: str) -> None:
        review = self._review(code)
        reviewing.certify(
            review,
            level="basic",
            on=CERTIFIED,
            note="自治区卫生健康委公布达到基本标准名单（示例）。",
            by=self.city,
            version=review.version,
        )

    def use(self, code: str, kinds: tuple[str, ...]) -> None:
        measures = {kind: list(using.CONSEQUENCES[kind].measures) for kind in kinds}
        using.decide(
            self._review(code),
            measures=measures,
            note="同意，按活动方案执行（示例）。",
            by=self.cast.post("zhongweizr"),
        )
