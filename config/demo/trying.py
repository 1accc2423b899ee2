"""A year tried under another policy, and a recheck of a centre's sheets. All made up (示例)."""

from datetime import date
from decimal import Decimal

from config.demo.cast import Cast
from config.demo.days import Year
from scoring import rechecking, trying
from scoring.models import Evaluation, ScoreLine

SCENARIO = ("全额线提高到 92、基数按 95", {"全额线": "92", "比例基数": "95"})
# Fixed, so that the demo is the same on every run.
SEED = "demo-recheck-2023"
FOUND = (
    "抽查 10 份随访记录，2 份电话核实不一致（示例）",
    "与系统数据核对一致（示例）",
    "台账缺 1 次签名（示例）",
)
TAKEN = (Decimal("0.50"), Decimal(0), Decimal("0.20"))


class TryingStory:
    """Officer and centre in November: what if, and looking again at what the centre verified."""

    def __init__(self, cast: Cast, year: Year) -> None:
        self.cast, self.year = cast, year

    def plan(self) -> None:
        self.year.on(date(2023, 11, 9), self.recheck, hour=10)
        self.year.on(date(2023, 11, 17), self.try_policy, hour=18)

    def try_policy(self) -> None:
        by = self.cast.post("jifu")
        name, changes = SCENARIO
        trying.save(by.institution, 2023, name, changes, by=by)

    def recheck(self) -> None:
        """Three of the centre's last published sheets, one clause of each that the clinic did well in."""
        by, centre = self.cast.post("jifu"), self.cast.unit("ZC-WC")
        evaluation = (
            Evaluation.objects.filter(
                supervisor=centre, year=2023, status__in=("published", "final")
            )
            .select_related("supervisor")
            .order_by("-quarter", "-pk")
            .first()
        )
        if evaluation is None:
            raise RuntimeError("the centre's evaluation is published before it is rechecked")
        row = rechecking.draw(evaluation, len(FOUND), by=by, seed=SEED)
        for code, words, taken in zip(row.drawn, FOUND, TAKEN, strict=True):
            line = (
                ScoreLine.objects.filter(
                    sheet__evaluation=evaluation, sheet__institution__code=code, points__gte=1
                )
                .select_related("clause", "section__item", "sheet__evaluation")
                .order_by("section__position", "clause__position")
                .first()
            )
            if line is not None and line.points is not None:
                rechecking.note_line(row, line, line.points - taken, by=by, reason=words)
        rechecking.feed_back(row, by=by)
