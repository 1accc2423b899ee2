"""What the teams do on site besides the record: look again at old problems, draw records, ask residents, sign."""

from datetime import date
from uuid import UUID

from campaigns.models import Clause, Standard
from config.demo import chance
from config.demo.cast import CENTRES, Cast
from config.demo.days import Year
from config.demo.sheets import publish_standard
from institutions import clock
from institutions.models import Post
from supervision import assigning, recording, retention, sampling, signing, submitting, surveying
from supervision.models import Rectification, SupervisionRound, Visit

CHECKLIST = "checklist-vaccination.csv"
CHECKED = ("ZC-WC", "ZC-NJ", "ZC-BJ")  # whose vaccine chain is checked
RECORDS = 5
ITEMS = ("01", "08")
OLD = 3  # old problems looked at again at one visit
CAUSES = ("silent", "wrong", "away")
REASONS = {"unreal": "本人称未接受过这次随访", "incomplete": "随访表有空项"}
GROUPS = ("chronic",) * 4 + ("maternal",) * 2 + ("parent",) * 2 + ("elderly",) * 2


class OnsiteStory:
    """Called by the visits of the year; adds the check of the vaccine chain and the daily purge."""

    def __init__(self, cast: Cast, year: Year) -> None:
        self.cast, self.year = cast, year

    def plan(self) -> None:
        self.year.on(date(2023, 7, 17), self.check_chain, hour=9)
        self.year.on(date(2023, 11, 15), retention.purge, hour=6)

    def look_again(self, visit: Visit, team: list[Post]) -> None:
        """Tick off the old problems that are solved, and those that are not."""
        for place, problem in enumerate(recording.previous_problems(visit, team[0])[:OLD]):
            row = problem.rectification
            solved = row.status in (Rectification.Status.CLOSED, Rectification.Status.APPLIED)
            values: dict[str, object] = {"found": "good", "follow": "closed", "text": ""}
            if not solved:
                values = {
                    "found": "problem",
                    "follow": "still",
                    "text": problem.text,
                    "category": problem.category,
                    "severity": problem.severity,
                    "due": row.due,
                }
            recording.save_line(
                visit,
                by=team[place % len(team)],
                version=0,
                values={"method": "papers", **values},
                earlier=problem,
            )

    def check(self, visit: Visit, team: list[Post]) -> None:
        """Draw records at a centre and ask residents, in the two quarters between."""
        code, quarter = visit.institution.code, visit.round.quarter
        if code not in CENTRES or not visit.supervisor.is_bureau:
            return
        for number, item in enumerate(ITEMS):
            self._records(visit, team[number % len(team)], item)
        if quarter in (2, 3):
            for number, group in enumerate(GROUPS):
                self._resident(visit, team[-1], group, number)

    def _records(self, visit: Visit, by: Post, item: str) -> None:
        key = (visit.institution.code, visit.round.quarter, visit.round.type, item)
        # Made-up numbers; no mobile number begins with 10.
        listed = [
            sampling.Listed(f"370306{item}{number:06}", f"10{chance.draw(*key, number) % 10**9:09}")
            for number in range(1, 61)
        ]
        sample = sampling.draw_sample(
            visit,
            by=by,
            item=self.cast.items[item],
            size=RECORDS,
            listed=listed,
            seed=f"{chance.draw(*key):032x}",
        )
        for check in sample.checks.select_related(
            "sample__visit__round", "sample__visit__institution", "sample__visit__supervisor"
        ):
            luck = chance.between(1, 100, *key, check.position)
            result = "real"
            if luck > 82:
                result = ("incomplete", "unreached", "unreal")[luck % 3 if luck > 88 else 0]
            values = {"result": result, "cause": "", "call": "agrees", "reason": ""}
            if result == "unreached":
                values |= {"cause": chance.one_of(CAUSES, *key, check.position), "call": "missed"}
            elif result != "real":
                values |= {"reason": REASONS[result], "call": "differs"}
            sampling.mark(check, by=by, version=check.version, values=values)

    def _resident(self, visit: Visit, by: Post, group: str, number: int) -> None:
        key = (visit.institution.code, visit.round.quarter, visit.round.type, number)
        asked = surveying.questions_for(group)
        satisfied = chance.between(1, 10, *key, "satisfied")
        surveying.enter(
            visit,
            by=by,
            key=UUID(int=chance.draw("survey", *key)),
            group=group,
            channel=chance.one_of(("home", "phone"), *key),
            answers={q.code: chance.happens(84, *key, q.code) for q in asked},
            satisfaction="no" if satisfied == 1 else "fairly" if satisfied < 5 else "yes",
            phone=f"10{chance.draw('phone', *key) % 10**9:09}",
            faced=chance.happens(88, *key, "faced"),
            called_at_home=chance.happens(45, *key, "home"),
        )

    def sign(self, visit: Visit, lead: Post) -> None:
        signing.sign(visit, by=lead, party="team")

    # The check of the vaccine chain: a checklist of three links

    def check_chain(self) -> None:
        by, lead = self.cast.post("jifu"), self.cast.post("jikong")
        checklist = publish_standard(CHECKLIST, by=by)
        supervised = SupervisionRound(
            name="2023年疫苗运输、储存、接种安全检查",
            type=SupervisionRound.Type.SPECIAL,
            year=2023,
            institution=by.institution,
            supervisor=by.institution,
            author=by,
            standard=checklist,
            starts=clock.today(),
            ends=date(2023, 7, 31),
        )
        supervised.save()
        supervised.items.set([self.cast.items["03"]])
        assigning.plan_visits(
            supervised,
            institutions=[self.cast.unit(code) for code in CHECKED],
            lead=lead,
            members=[],
            starts=date(2023, 7, 19),
            ends=date(2023, 7, 21),
            by=by,
            version=supervised.version,
        )
        supervised.refresh_from_db()
        assigning.issue_round(supervised, by=by, version=supervised.version)
        for visit in supervised.visits.order_by("pk"):
            self.year.on(visit.starts, lambda v=visit: self._chain_at(v, checklist))

    def _chain_at(self, visit: Visit, checklist: Standard) -> None:
        visit = Visit.objects.select_related("round__standard", "institution", "supervisor").get(
            pk=visit.pk
        )
        lead = self.cast.post("jikong")
        for clause in checklist.clauses.leaves().select_related("item").order_by("position"):
            recording.save_line(visit, by=lead, version=0, values=_fine(clause), clause=clause)
        visit.refresh_from_db()
        submitting.submit_visit(
            visit,
            by=lead,
            version=visit.version,
            visited_on=clock.today(),
            summary="疫苗运输、储存、接种三个环节符合要求。",
        )
        self.sign(visit, lead)
        self.year.after(1, lambda: self._agree(visit))

    def _agree(self, visit: Visit) -> None:
        visit.refresh_from_db()
        by = self.cast.head(self.cast.unit(visit.institution.code))
        signing.agree(visit, by=by, version=visit.version)


def _fine(clause: Clause) -> dict[str, object]:
    """Full marks: all of a rate, or yes."""
    values: dict[str, object] = {"found": "good", "method": "site", "text": "现场核查，符合要求。"}
    if clause.method == "attain":
        values |= {"numerator": 20, "denominator": 20}
    return {**values, "points": clause.full_marks}
