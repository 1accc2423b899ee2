"""What closes the loop in the demo: lists matched item by item, a problem spread, later deadlines, effect checks."""

from collections.abc import Sequence
from datetime import date, timedelta

from config.demo import chance
from config.demo.campaign import WEAK
from config.demo.cast import CENTRES, Cast
from config.demo.days import Year
from config.demo.rectifying import Rectifying
from institutions import clock
from institutions.models import Institution
from supervision import checking_effect, extending, spreading
from supervision.models import (
    EffectCheck,
    Extension,
    Problem,
    Rectification,
    SelfCheck,
    Source,
    Spread,
)

LISTED = 6  # problems of the city's list that every centre holds against its own work
REASONS = {
    "ask": "需逐户入户核实，外出务工人员较多，申请延长整改时间。",
    "again": "补检设备正在维修，预计两周后恢复。",
}
WORDS = {
    "found": "本院抽查10份，发现同类问题1份，已列入整改。",
    "similar": "抽查10份，未见同样情况，有1份记录不完整，一并整改。",
    "none": "抽查10份，未发现同类问题。",
}


class LoopStory:
    """Plans the acts of the bureau and the answers of the centres."""

    def __init__(self, cast: Cast, year: Year, rectifying: Rectifying) -> None:
        self.cast, self.year, self.rectifying = cast, year, rectifying

    def plan(self) -> None:
        self.year.on(date(2023, 3, 7), self.match_list, hour=10)
        self.year.on(date(2023, 3, 23), lambda: self.ask("ask"), hour=9)
        self.year.on(date(2023, 4, 13), lambda: self.spread(date(2023, 4, 28)), hour=10)
        self.year.on(date(2023, 6, 15), lambda: self.look_back("first"), hour=14)
        self.year.on(date(2023, 10, 12), lambda: self.look_back("second"), hour=14)
        self.year.on(date(2023, 11, 8), lambda: self.spread(date(2023, 11, 24)), hour=10)
        self.year.on(date(2023, 11, 14), lambda: self.ask("again"), hour=9)

    # 对号入座, 举一反三

    def match_list(self) -> None:
        """Put part of the city's list to all centres: each goes through it item by item."""
        rows = self._problems(source=Source.CITY).exclude(category="").order_by("pk")
        self._put(list(rows[:LISTED]), due=date(2023, 3, 17))

    def spread(self, due: date) -> None:
        """Put the latest grave problem of a centre to all the others."""
        rows = self._problems(severity="major", institution__code__in=CENTRES, spreads=None)
        self._put([rows.order_by("-found_on", "pk")[0]], due=due)

    def _problems(self, **given: object):
        return (
            Problem.objects.filter(**given)
            .exclude(rectification__status="withdrawn")
            .select_related("institution__region", "rectification", "item", "clause")
        )

    def _put(self, problems: Sequence[Problem], *, due: date) -> None:
        made = spreading.spread(
            problems,
            institutions=[self.cast.unit(code) for code in CENTRES],
            due=due,
            put_right_by=due + timedelta(days=20),
            demand="各抽查10份，逐份核对；有的写明份数和原因。",
            by=self.cast.post("jifu"),
        )
        late = due > date(2023, 11, 1)
        for code in CENTRES:
            # The weak one has not looked yet when the demo is opened.
            if not (late and code == WEAK):
                days = chance.between(2, 6, "look", code, due)
                self.year.after(days, lambda c=code: self.answer(self.cast.unit(c), made))

    def answer(self, unit: Institution, spreads: Sequence[Spread]) -> None:
        checks = SelfCheck.objects.open().filter(institution=unit, spread__in=spreads)
        said = []
        for check in checks.order_by("pk"):
            found = chance.happens(18, "there", unit.code, check.spread_id)
            alike = chance.happens(15, "alike", unit.code, check.spread_id)
            word = "found" if found else "similar" if alike else "none"
            said.append(spreading.Answer(check.pk, check.version, word, WORDS[word]))
        if said:
            for problem in spreading.answer(said, by=self.cast.worker(unit)):
                self.rectifying.plan(problem)

    # 延期

    def ask(self, which: str) -> None:
        """Ask for more time; the spring's request is granted, the one of November still waits."""
        row = (
            Rectification.objects.filter(
                status__in=Rectification.EDITABLE,
                institution__code__in=CENTRES,
                due__gte=clock.today(),
                extensions=None,
            )
            .select_related("institution__region", "supervisor", "item", "problem", "author")
            .order_by("-due", "pk")[0]
        )
        asked = extending.ask(
            row,
            reason=REASONS[which],
            wished=row.due + timedelta(days=15),
            by=self.rectifying.worker(row),
            version=row.version,
        )
        if which == "ask":
            self.year.after(1, lambda: self.grant(asked.pk))

    def grant(self, pk: int) -> None:
        asked = Extension.objects.select_related(
            "rectification__institution__region",
            "rectification__supervisor",
            "rectification__item",
            "rectification__problem",
        ).get(pk=pk)
        row = asked.rectification
        if asked.status == "asked":
            extending.grant(
                asked,
                due=row.due + timedelta(days=10),
                note="同意延长十天，每周报一次进展。",
                by=self.rectifying.verifier(row),
                version=row.version,
            )

    # 问效

    def look_back(self, which: str) -> None:
        """Go back to some that were closed a month ago or earlier; of those in spring one has come back."""
        rows = Rectification.objects.filter(
            status="closed",
            institution__code__in=CENTRES,
            closed_at__lt=clock.now() - checking_effect.WAIT,
            effect_checks=None,
        ).select_related(
            "institution__region",
            "supervisor",
            "item",
            "problem__item",
            "problem__clause",
            "author",
        )
        for place, row in enumerate(rows.order_by("closed_at", "pk")[:8]):
            back = which == "first" and place == 5
            checking_effect.check_effect(
                row,
                on=clock.today(),
                result=EffectCheck.Result.BACK if back else EffectCheck.Result.HOLDS,
                note="回访抽查5份，又有1份同类问题。"
                if back
                else "回访抽查5份，整改成效保持良好。",
                due=clock.today() + timedelta(days=20) if back else None,
                by=self.rectifying.verifier(row),
                version=row.version,
            )
            if back:
                self.rectifying.plan(row.problem.recurrences.latest("pk"))
