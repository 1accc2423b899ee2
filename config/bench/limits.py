"""The limits: the same deeds by hand, as close to the database as one can get, with every reference resolved before.

`COPY` on PostgreSQL, `executemany` and cursor → csv on SQLite, and SQL written for the one purpose. None of it checks,
records, explains or scopes anything; it is what the figures cost, not a way to run a bureau.
"""

import csv
import io
import itertools
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO, cast

from django.db import connection

from config.bench import data
from scoring.models import Evaluation, ScoreLine

IS_POSTGRES = connection.vendor == "postgresql"


class Load:
    """Rows ready to be loaded: prepared outside the measured time, written by `run`."""

    def __init__(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        self.table, self.columns = table, columns
        self.rows: list[Sequence[Any]] = []
        self.text = ""
        if IS_POSTGRES:
            buffer = io.StringIO()
            csv.writer(buffer).writerows(
                ["" if value is None else value for value in row] for row in rows
            )
            self.text = buffer.getvalue()
        else:
            self.rows = [tuple(row) for row in rows]

    def run(self) -> None:
        names = ", ".join(f'"{column}"' for column in self.columns)
        with connection.cursor() as cursor:
            if IS_POSTGRES:
                # A blank cell of a column in FORCE_NOT_NULL is an empty text, elsewhere NULL.
                texts = ", ".join(f'"{c}"' for c in self.columns if c in TEXTS)
                forced = f", FORCE_NOT_NULL ({texts})" if texts else ""
                sql = f"COPY {self.table} ({names}) FROM STDIN (FORMAT csv{forced})"
                cursor.cursor.copy_expert(sql, io.StringIO(self.text))
            else:
                marks = ", ".join(["?"] * len(self.columns))
                connection.connection.executemany(
                    f"INSERT INTO {self.table} ({names}) VALUES ({marks})",  # noqa: S608
                    self.rows,
                )


TEXTS = {
    "grade", "self_grade", "reason", "self_note",
    "short_name", "uscc", "licence", "affiliation", "name", "search",
}  # fmt: skip
LINE = (
    "sheet_id", "section_id", "clause_id",
    "numerator", "denominator", "entered", "points", "full",
    "self_numerator", "self_denominator", "self_entered", "self_points", "self_full",
    "na", "self_na", "grade", "self_grade", "reason", "self_note",
)  # fmt: skip


def line_figures(size: int, quarter: int) -> Iterable[tuple[int, int, tuple[Any, ...]]]:
    """Yield institution number, clause position and the stored figures (hundredths) of one side."""
    for number in range(1, size + 1):
        for position in range(1, data.CLAUSES + 1):
            share, people = data.figures(number, position, quarter)
            full = data.marks(position)
            if position % 3 == 0:
                gained = (full * share + 50) // 100
                yield number, position, (None, None, gained, gained, full)
            else:
                reached = people * share // 100
                gained = min(full, (20 * full * reached + 9 * people) // (18 * people))
                yield number, position, (reached * 100, people * 100, None, gained, full)


def lines_load(size: int, quarter: int, evaluation: Evaluation) -> Load:
    """The lines of a quarter for sheets and sections that are there already."""
    sections, clauses = _keys(evaluation)
    rows = (
        (
            *sections[number, (position + 4) // 5],
            clauses[position],
            *figures,
            *figures,
            False,
            False,
            "",
            "",
            "",
            "",
        )
        for number, position, figures in line_figures(size, quarter)
    )
    return Load("scoring_scoreline", LINE, rows)


def resolved(
    size: int, quarter: int, evaluation: Evaluation
) -> Iterable[tuple[tuple[int, int, int], tuple[str, ...]]]:
    """Yield the keys of sheet, section and clause of a line, and its points and full marks as text, for a stock import."""
    sections, clauses = _keys(evaluation)
    for number, position, (*_, gained, full) in line_figures(size, quarter):
        keys = (*sections[number, (position + 4) // 5], clauses[position])
        yield keys, (_text(gained), _text(full), _text(full))


def _text(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def _keys(
    evaluation: Evaluation,
) -> tuple[dict[tuple[int, int], tuple[int, int]], dict[int, int]]:
    sections = {
        (int(code[1:]), position): (sheet, section)
        for code, position, sheet, section in evaluation.sheets.values_list(
            "institution__code", "sections__position", "pk", "sections__pk"
        )
    }
    return sections, dict(evaluation.standard.clauses.values_list("position", "pk"))


SIDE = ("numerator", "denominator", "entered", "points", "full")


class FillOpen:
    """The figures of a quarter into lines that are there: loaded beside them, then one UPDATE … FROM."""

    def __init__(self, size: int, quarter: int, evaluation: Evaluation) -> None:
        keys = {
            (int(code[1:]), position): pk
            for code, position, pk in ScoreLine.objects.filter(sheet__evaluation=evaluation)
            .order_by()
            .values_list("section__institution__code", "clause__position", "pk")
        }
        self.load = Load(
            "bench_figures",
            ("line", *SIDE),
            (
                (keys[number, position], *figures)
                for number, position, figures in line_figures(size, quarter)
            ),
        )

    def run(self) -> None:
        columns = ", ".join(f'"{name}" BIGINT' for name in SIDE)
        sides = [f'"{p}{name}" = f."{name}"' for p in ("", "self_") for name in SIDE]
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TEMPORARY TABLE bench_figures (line BIGINT, {columns})")
            self.load.run()
            if IS_POSTGRES:
                cursor.execute("ANALYZE bench_figures")
            cursor.execute(
                f"UPDATE scoring_scoreline SET {', '.join(sides)}"  # noqa: S608
                " FROM bench_figures f WHERE f.line = scoring_scoreline.id"
            )


# --- The year ---------------------------------------------------------------------------------------

# One score a quarter, in hundredths: from the lines themselves, or from what the sheets have stored.
FROM_LINES = """
    SELECT sheet.institution_id, sheet.quarter,
           (20000 * CAST(SUM(line.points) AS BIGINT) + CAST(SUM(line."full") AS BIGINT))
           / (2 * CAST(SUM(line."full") AS BIGINT)) AS score
      FROM scoring_scoreline line JOIN scoring_scoresheet sheet ON sheet.id = line.sheet_id
     WHERE sheet.supervisor_id = {unit} AND sheet.year = 2023
     GROUP BY sheet.institution_id, sheet.quarter, sheet.id"""
FROM_TOTALS = """
    SELECT sheet.institution_id, sheet.quarter, sheet.score FROM scoring_scoresheet sheet
     WHERE sheet.supervisor_id = {unit} AND sheet.year = 2023"""
YEAR = """
WITH quarters AS ({quarters}),
weighed AS (
    SELECT institution_id,
           (2 * CAST(SUM(score) AS BIGINT) + 4) / 8 AS quarters,
           MAX(CASE quarter WHEN 1 THEN score END) AS q1, MAX(CASE quarter WHEN 2 THEN score END) AS q2,
           MAX(CASE quarter WHEN 3 THEN score END) AS q3, MAX(CASE quarter WHEN 4 THEN score END) AS q4
      FROM quarters GROUP BY institution_id),
more AS (
    SELECT institution_id, SUM(CASE kind WHEN 'bonus' THEN points ELSE 0 END) AS bonus,
           SUM(CASE kind WHEN 'deduction' THEN points ELSE 0 END) AS deduction
      FROM scoring_adjustment WHERE year = 2023 GROUP BY institution_id),
scored AS (
    SELECT weighed.*, COALESCE(more.bonus, 0) AS bonus, COALESCE(more.deduction, 0) AS deduction,
           CAST(quarters + COALESCE(more.bonus, 0) - COALESCE(more.deduction, 0) AS BIGINT) AS plain
      FROM weighed LEFT JOIN more ON more.institution_id = weighed.institution_id),
within AS (
    SELECT scored.*, CASE WHEN plain > 10000 THEN 10000 WHEN plain < 0 THEN 0 ELSE plain END AS score
      FROM scored),
paid AS (
    SELECT within.*, people.residents, people.residents * {per_capita} AS due, advance.amount AS prepaid
      FROM within JOIN institutions_population people
           ON people.institution_id = within.institution_id AND people.year = 2023
      JOIN scoring_prepayment advance
           ON advance.institution_id = within.institution_id AND advance.year = 2023),
approved AS (
    SELECT paid.*, CASE WHEN score >= 9000 THEN due WHEN score < 6000 THEN 0
                        ELSE (2 * due * score + 10000) / 20000 END AS approved,
           RANK() OVER (ORDER BY score DESC) AS place
      FROM paid)
INSERT INTO scoring_yearresult
    (bureau_id, institution_id, unit_id, year, position, population, quarter1, quarter2, quarter3, quarter4,
     quarters, bonus, deduction, score, rank, "group", grade, vetoed, per_capita, due_amount, ratio,
     approved_amount, top_up, prepaid, balance, details, inputs)
SELECT {unit}, a.institution_id, {unit}, 2023,
       ROW_NUMBER() OVER (ORDER BY a.place, i.code), a.residents, a.q1, a.q2, a.q3, a.q4,
       a.quarters, a.bonus, a.deduction, a.score, a.place, '乡镇卫生院、社区卫生服务中心',
       CASE WHEN a.score >= 9000 THEN '优秀' WHEN a.score >= 8000 THEN '良好'
            WHEN a.score >= 6000 THEN '合格' ELSE '不合格' END,
       {false}, {per_capita}, a.due, '', a.approved, a.due - a.approved, a.prepaid,
       a.approved - a.prepaid, '{{}}', ''
  FROM approved a JOIN institutions_institution i ON i.id = a.institution_id
"""


def year_by_sql(unit: int, per_capita: int, *, from_lines: bool) -> None:
    """Settle 2023 by 比例法 in one statement; `per_capita` in fen. Explains nothing, hashes nothing."""
    quarters = (FROM_LINES if from_lines else FROM_TOTALS).format(unit=int(unit))
    false = "FALSE" if IS_POSTGRES else "0"
    sql = YEAR.format(unit=int(unit), quarters=quarters, per_capita=int(per_capita), false=false)
    with connection.cursor() as cursor:
        cursor.execute(sql)


EQUIVALENTS = """
SELECT i.code, SUM(w.approved * u.coefficient * (CASE WHEN part.points >= part."full" THEN 10000
       ELSE (20000 * part.points + part."full") / (2 * part."full") END))
  FROM scoring_workload w
  JOIN scoring_workunit u ON u.id = w.work_unit_id
  JOIN institutions_institution i ON i.id = w.institution_id
  JOIN scoring_scoresheet sheet ON sheet.institution_id = w.institution_id AND sheet.year = w.year
       AND sheet.quarter = w.quarter AND sheet.supervisor_id = {unit}
  JOIN scoring_scoresection part ON part.sheet_id = sheet.id AND part.item_id = u.item_id
 WHERE w.year = 2023 GROUP BY i.code"""


def pool_by_sql(unit: int, pool: int) -> dict[str, int]:
    """Split a pool (fen) by effective equivalents: summed by the database, largest remainder in whole numbers."""
    with connection.cursor() as cursor:
        cursor.execute(EQUIVALENTS.format(unit=int(unit)))
        weights = {code: int(weight) for code, weight in cursor.fetchall()}
    whole = sum(weights.values())
    parts = {code: divmod(pool * weight, whole) for code, weight in weights.items()}
    left = pool - sum(part for part, _ in parts.values())
    lucky = sorted(parts, key=lambda code: (-parts[code][1], code))[:left]
    return {code: part for code, (part, _) in parts.items()} | {
        code: parts[code][0] + 1 for code in lucky
    }


# --- Going out --------------------------------------------------------------------------------------

YEAR_OUT = """
SELECT r.position, i.code, i.name, i.kind, r.population, r.quarter1, r.quarter2, r.quarter3, r.quarter4,
       r.quarters, r.bonus, r.deduction, r.score, r.rank, r."group", r.grade, r.vetoed, r.per_capita,
       r.due_amount, r.ratio, r.approved_amount, r.top_up, r.prepaid, r.balance
  FROM scoring_yearresult r JOIN institutions_institution i ON i.id = r.institution_id
 WHERE r.unit_id = {unit} AND r.year = 2023 ORDER BY r.position"""
LINES_OUT = """
SELECT i.code, sheet.year, sheet.quarter, standard.code, clause.code, l.self_numerator, l.self_denominator,
       l.self_entered, l.numerator, l.denominator, l.points, l.deductions, l.self_grade, l.grade, l.genuine,
       l.checked, l.self_na, l.na, NULL, l.reason
  FROM scoring_scoreline l
  JOIN scoring_scoresheet sheet ON sheet.id = l.sheet_id
  JOIN scoring_evaluation evaluation ON evaluation.id = sheet.evaluation_id
  JOIN campaigns_standard standard ON standard.id = evaluation.standard_id
  JOIN campaigns_clause clause ON clause.id = l.clause_id
  JOIN institutions_institution i ON i.id = sheet.institution_id
 WHERE sheet.supervisor_id = {unit} AND sheet.year = 2023
 ORDER BY i.code, sheet.year, sheet.quarter, l.sheet_id, clause.position"""


def out(query: str, unit: int, stream: io.RawIOBase) -> None:
    """Write the rows of a query as CSV: `COPY … TO`, or cursor → csv."""
    sql = query.format(unit=int(unit))
    with connection.cursor() as cursor:
        if IS_POSTGRES:
            cursor.cursor.copy_expert(f"COPY ({sql}) TO STDOUT (FORMAT csv)", stream)
            return
        raw = connection.connection.execute(sql)
        text = io.TextIOWrapper(
            cast(BinaryIO, stream), encoding="utf-8", newline="", write_through=False
        )
        writer = csv.writer(text)
        while rows := list(itertools.islice(raw, 2000)):
            writer.writerows(rows)
        text.flush()
        text.detach()
