"""What becomes of a problem: signed for, worked on, applied for, and closed by somebody else, or sent back."""

from dataclasses import dataclass
from datetime import date, timedelta

from config.demo import chance
from config.demo.cast import Cast, rows
from config.demo.days import Year
from config.demo.papers import Papers
from config.demo.sheets import VERIFIERS
from institutions import clock
from institutions.models import Institution, Post
from supervision import rectifying
from supervision.models import Problem, Rectification

# What was sent back in spring is applied for once more before the campaign ends.
LOOKED_AT_AGAIN = date(2023, 11, 8)
WHY_RETURNED = "佐证材料只有照片，没有复核记录；请补充名单和逐项核对结果。"


@dataclass(frozen=True)
class Sort:
    """One sort of problem as the demo words it: text with figures, measures, and how it went on."""

    code: str
    item: str
    clause: str
    category: str
    severity: str
    text: str
    measures: str
    progress: str

    def worded(self, *key: object) -> str:
        """Return the text with figures drawn for this very case."""
        n = chance.between(10, 20, self.code, "n", *key)
        return self.text.format(
            n=n,
            m=chance.between(1, 4, self.code, "m", *key),
            k=chance.between(6, 48, self.code, "k", *key),
            q=(q := chance.between(3, 4, self.code, "q", *key)),
            r=q - chance.between(1, 2, self.code, "r", *key),
        )


def sorts() -> list[Sort]:
    return [
        Sort(
            row["代码"],
            row["服务项目"],
            row["条款"],
            row["问题类别"],
            {"一般": "minor", "严重": "major"}[row["严重程度"]],
            row["问题描述"],
            row["整改措施"],
            row["进展"],
        )
        for row in rows("problems")
    ]


class Rectifying:
    """Plans the life of every problem that is handed out, by what its institution is like."""

    def __init__(self, cast: Cast, year: Year, papers: Papers) -> None:
        self.cast, self.year, self.papers = cast, year, papers
        self.by_category = {(sort.item, sort.category): sort for sort in sorts()}

    def plan(self, problem: Problem, *, end: str = "close") -> None:
        """Plan until `end`: assigned, signed, applied, returned, reapplied (in autumn) or close."""
        if end == "assigned":
            return
        wait = chance.between(1, 3, "sign", problem.text, problem.institution_id, problem.found_on)
        self.year.after(wait, lambda: self.sign(problem, end))

    def row(self, problem: Problem) -> Rectification:
        return Rectification.objects.select_related(
            "institution__region", "supervisor", "problem", "author"
        ).get(problem=problem)

    def sign(self, problem: Problem, end: str) -> None:
        row = self.row(problem)
        row.sign(by=self.worker(row), version=row.version)
        days = chance.between(2, 6, "work", problem.text, row.institution.code)
        if end != "signed" or chance.happens(60, problem.text, row.institution.code):
            self.year.after(days, lambda: self.work(problem, end))

    def work(self, problem: Problem, end: str) -> None:
        """Write the measures and, most of the time, what has been done so far; then apply."""
        row = self.row(problem)
        sort = self.by_category.get((problem.item.code if problem.item else "", problem.category))
        by = self.worker(row)
        rectifying.save_measures(
            row,
            measures=sort.measures if sort else "对照规范逐项整改，举一反三自查同类问题。",
            leader=self.cast.head(self._unit(row)).title,
            person=by.title,
            files=[self.papers.photo(self._unit(row))],
            by=by,
            version=row.version,
        )
        row.refresh_from_db()
        if sort and chance.happens(65, "note", problem.text, row.institution.code):
            rectifying.add_note(row, text=sort.progress, by=by, version=row.version)
        if end != "signed":
            days = chance.between(1, 4, "apply", problem.text, row.institution.code)
            self.year.after(days, lambda: self.apply(problem, end))

    def apply(self, problem: Problem, end: str, *, again: bool = False) -> None:
        row = self.row(problem)
        row.apply(by=self.worker(row), version=row.version)
        if end == "applied":
            return
        days = chance.between(1, 5, "verify", problem.text, row.institution.code)
        back = end in ("returned", "reapplied") or (
            not again and chance.happens(9, "back", problem.text, row.institution.code)
        )
        if back:
            self.year.after(days, lambda: self.send_back(problem, end))
        else:
            self.year.after(days, lambda: self.close(problem))

    def send_back(self, problem: Problem, end: str) -> None:
        row = self.row(problem)
        row.send_back(
            by=self.verifier(row),
            version=row.version,
            note=WHY_RETURNED,
            due=clock.today() + timedelta(days=14),
        )
        if end not in ("returned", "reapplied"):
            self.year.after(4, lambda: self.apply(problem, end, again=True))
        elif clock.today() < LOOKED_AT_AGAIN:
            then = "applied" if end == "reapplied" else end
            self.year.on(LOOKED_AT_AGAIN, lambda: self.apply(problem, then, again=True))

    def close(self, problem: Problem) -> None:
        row = self.row(problem)
        row.close(by=self.verifier(row), version=row.version, note="现场和系统复核，已整改到位。")

    def _unit(self, row: Rectification) -> Institution:
        return self.cast.unit(row.institution.code)

    def worker(self, row: Rectification) -> Post:
        return self.cast.worker(self._unit(row))

    def verifier(self, row: Rectification) -> Post:
        """Return who verifies: the lead agency of the item or the bureau's office; a centre for its clinics."""
        supervisor = self.cast.unit(row.supervisor.code)
        if not supervisor.is_bureau:
            return self.cast.head(supervisor)
        if supervisor.code == "ZL":
            return self.cast.post("linqu")
        name = VERIFIERS.get(row.item.code if row.item else "", "jifu")
        post = self.cast.post(name)
        return self.cast.post("jifu") if post.institution_id == row.institution_id else post
