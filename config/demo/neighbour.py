"""A little of the neighbouring county's year, so that the city sees two counties and neither sees the other."""

from datetime import date, timedelta

from campaigns.models import Standard
from config.demo import chance
from config.demo.cast import Cast
from config.demo.days import Year
from config.demo.rectifying import Rectifying, sorts
from config.demo.sheets import CALENDAR, CENTRE_FILE, WORDS, SheetStory, publish_standard
from institutions import clock
from scoring.models import Evaluation
from supervision import handing_out
from supervision.handing_out import NewProblem
from supervision.models import Source

CENTRES = ("ZL-A", "ZL-B")


class NeighbourStory:
    """Evaluates the neighbour's two centres twice, and hands out a few problems to them."""

    def __init__(self, cast: Cast, year: Year, sheets: SheetStory, rectifying: Rectifying) -> None:
        self.cast, self.year, self.sheets, self.rectifying = cast, year, sheets, rectifying
        self.standard = Standard()

    def plan(self) -> None:
        self.year.on(date(2023, 3, 22), self.publish_standard)
        for quarter in (2, 3):
            self.year.on(CALENDAR[quarter][0], lambda q=quarter: self.open(q), hour=11)
        for day in (date(2023, 5, 18), date(2023, 10, 24)):
            self.year.on(day, self.find)

    def publish_standard(self) -> None:
        self.standard = publish_standard(CENTRE_FILE, by=self.cast.post("linqu"))

    def open(self, quarter: int) -> None:
        evaluation = self.sheets.evaluation(
            self.cast.post("linqu"),
            self.standard,
            quarter,
            f"示例邻区2023年第{WORDS[quarter - 1]}季度基本公共卫生服务项目绩效评价",
            [self.cast.unit(code) for code in CENTRES],
        )
        _, self_due, _, published = CALENDAR[quarter]
        for sheet in evaluation.sheets.select_related("institution", "supervisor", "evaluation"):
            self.year.on(self_due, lambda s=sheet: self.sheets.hand_in(s))
        self.year.on(published, lambda: self.publish(evaluation))

    def publish(self, evaluation: Evaluation) -> None:
        self.sheets.publish(evaluation, by="linqu")

    def find(self) -> None:
        by = self.cast.post("linqu")
        for code in CENTRES:
            sort = chance.one_of(sorts(), code, clock.today())
            (problem,) = handing_out.hand_out(
                [
                    NewProblem(
                        institution=self.cast.unit(code),
                        source=Source.COUNTY,
                        year=2023,
                        text=sort.worded(code, clock.today()),
                        found_on=clock.today(),
                        due=clock.today() + timedelta(days=20),
                        severity=sort.severity,
                        item=self.cast.items.get(sort.item),
                        category=sort.category,
                        found_by=by,
                    )
                ],
                by=by,
            )
            self.rectifying.plan(problem)
