"""After each publication two centres object: one is answered with the reason, one is upheld where points were given by hand."""

from decimal import Decimal

from config.demo.cast import Cast
from config.demo.days import Year
from config.demo.papers import Papers
from scoring import appealing
from scoring.models import Appeal, Evaluation, ScoreLine

REFUSED, UPHELD = "ZC-NJ", "ZC-BJ"


class AppealStory:
    """Appeals on the second working day after publication, answers on the fourth."""

    def __init__(self, cast: Cast, year: Year, papers: Papers) -> None:
        self.cast, self.year, self.papers = cast, year, papers

    def follow(self, evaluation: Evaluation) -> None:
        for code in (REFUSED, UPHELD):
            self.year.after(2, lambda c=code: self._appeal(evaluation, c))

    def _appeal(self, evaluation: Evaluation, code: str) -> None:
        unit = self.cast.unit(code)
        lines = ScoreLine.objects.filter(
            sheet__evaluation=evaluation, sheet__institution=unit, na=False
        ).select_related(
            "clause",
            "section__item",
            "sheet__evaluation",
            "sheet__institution",
            "sheet__supervisor__bureau",
        )
        lost = [line for line in lines.order_by("clause__position") if line.loses]
        if code == UPHELD:
            lost = [line for line in lost if line.clause.method == "manual"]
        if not lost:
            return
        row = appealing.appeal(
            lost[0],
            by=self.cast.head(unit),
            reason="核定时部分材料未调阅，补充提供原始记录，请复核（示例）。",
            files=[self.papers.paper(unit, "申诉")],
        )
        self.year.after(2, lambda: self._answer(row, code))

    def _answer(self, row: Appeal, code: str) -> None:
        row = Appeal.objects.select_related("line__clause", "evaluation", "institution").get(
            pk=row.pk
        )
        by = {"by": self.cast.post("jifukz"), "version": row.version}
        if code == REFUSED:
            appealing.reject(row, note="补充材料形成于评价期之后，维持原核定（示例）。", **by)
            return
        line = row.line
        more = min(line.full, (line.entered or Decimal(0)) + Decimal("0.50"))
        appealing.uphold(
            row,
            note="经调阅原始记录，部分理由成立（示例）。",
            values={"entered": more, "note": line.reason},
            **by,
        )
