"""The pairs: each a deed of the portal, by its public function, beside the limit or the stock way for the same rows."""

import hashlib
import io
import itertools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import tablib
from django.db.models import Count, Prefetch, Sum

from config.bench import data, limits, stock
from config.bench.measuring import (
    Measured,
    compare,
    timed,
    undone,
)
from institutions.audit import Actor
from institutions.models import Institution, PolicyEntry, Region
from institutions.resources import InstitutionResource, SheetCSV
from institutions.rounding import half_up
from institutions.tables import InstitutionTable, Scope
from scoring import opening, rules, year_end
from scoring.models import Evaluation, ScoreLine, ScoreSheet, YearResult
from scoring.score_table import ScoreTable
from scoring.tables import YearEndTable

BY = Actor(None, "bench")
POOL = Decimal("123456789.01")


SIDES = ("points", "full", "self_full")


class Nowhere(io.RawIOBase):
    """A file that keeps nothing but its length, and when the first bytes came."""

    def __init__(self) -> None:
        self.length = 0

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self.length += len(piece)
        return len(piece)


def unit() -> Institution:
    return Institution.objects.select_related("bureau").get(code=data.BUREAU)


def scope() -> Scope:
    return Scope(unit(), BY)


# --- Opening a quarter --------------------------------------------------------------------------------


def opening_a_quarter(size: int, repeat: int) -> Measured:
    def by_hand() -> None:
        row = data.evaluation(data.DRAFTED)
        Evaluation.objects.filter(pk=row.pk).update(status=Evaluation.Status.OPEN)
        data.add_sections(row)
        data.add_blank_lines(row)

    return compare(
        "opening",
        size * data.CLAUSES,
        lambda: open_quarter(data.DRAFTED),
        by_hand,
        check=lambda: sums_of(data.DRAFTED),
        repeat=repeat,
    )


def open_quarter(quarter: int) -> None:
    row = data.evaluation(quarter)
    opening.open_evaluation(row, by=data.the_post(), version=row.version)


def sums_of(quarter: int, year: int = data.NEXT) -> list[Any]:
    """Count and mix the lines of a quarter, so that two ways can be compared: exact, in the database."""
    lines = ScoreLine.objects.filter(sheet__year=year, sheet__quarter=quarter).order_by()
    names = ("points", "full", "self_points", "self_full", "numerator", "denominator", "entered")
    whole = lines.aggregate(Count("pk"), **{f"sum_{name}": Sum(name) for name in names})
    by_clause = lines.values("clause__code", "section__position").annotate(
        number=Count("pk"), gained=Sum("points"), own=Sum("self_points"), marks=Sum("full")
    )
    by_unit = lines.values("section__institution__code").annotate(gained=Sum("points"))
    rows = [
        *by_clause.order_by("clause__code").values_list(
            "clause__code", "section__position", "number", "gained", "own", "marks"
        ),
        *by_unit.order_by("section__institution__code").values_list(
            "section__institution__code", "gained"
        ),
    ]
    return [*map(str, whole.values()), digest(rows)]


def digest(rows: Any) -> str:
    sha = hashlib.sha256()
    for row in rows:
        sha.update("|".join("" if v is None else str(v) for v in row).encode() + b"\n")
    return sha.hexdigest()


# --- Scores coming in ---------------------------------------------------------------------------------


def bring(table: Any, file: io.BytesIO, name: str = "scores.csv", *, dry: bool = False) -> Any:
    plan = table.plan(file, name)
    if not plan.ok:
        raise RuntimeError("\n".join(map(str, plan.errors[:5])))
    if not dry:
        table.commit(plan)
    return plan


def scores_new(size: int, repeat: int) -> Measured:
    """A file for a quarter without sheets: whole final sheets are made. The limit loads the lines alone."""
    size = min(size, data.IN_A_FILE)
    content = data.score_file(size, data.ABSENT).getvalue()
    load = limits.lines_load(size, data.ABSENT, data.evaluation(data.PREPARED))
    made: list[int] = []

    def ours() -> None:
        bring(ScoreTable(scope()), io.BytesIO(content))
        made[:] = [data.ABSENT]

    def by_hand() -> None:
        load.run()
        made[:] = [data.PREPARED]

    return compare(
        "scores_new",
        size * data.CLAUSES,
        ours,
        by_hand,
        check=lambda: sums_of(made[0]),
        repeat=repeat,
    )


def scores_open(size: int, repeat: int) -> Measured:
    """A file for a quarter that is open: the lines that are there are filled in on both sides."""
    size = min(size, data.IN_A_FILE)
    content = data.score_file(size, data.OPENED).getvalue()
    fill = limits.FillOpen(size, data.OPENED, data.evaluation(data.OPENED))
    return compare(
        "scores_open",
        size * data.CLAUSES,
        lambda: bring(ScoreTable(scope()), io.BytesIO(content)),
        fill.run,
        check=lambda: sums_of(data.OPENED),
        repeat=repeat,
    )


def scores_stock(size: int, repeat: int, sample: int) -> Measured:
    """The same file beside a stock Resource that finds sheet and clause by key, on a sample of the lines."""
    size = min(size, data.IN_A_FILE)
    content = data.score_file(size, data.ABSENT).getvalue()
    prepared = data.evaluation(data.PREPARED)
    few = min(size, -(-sample // data.CLAUSES))
    dataset = tablib.Dataset(headers=["sheet", "section", "clause", *SIDES])
    for keys, points in limits.resolved(few, data.ABSENT, prepared):
        dataset.append([*keys, *points])
    return compare(
        "scores_stock",
        size * data.CLAUSES,
        lambda: bring(ScoreTable(scope()), io.BytesIO(content)),
        lambda: import_stock(dataset, stock.StockScores()),
        repeat=1,
        limit_rows=few * data.CLAUSES,
    )


def scores_preview(size: int, repeat: int) -> Measured:
    size = min(size, data.IN_A_FILE)
    content = data.score_file(size, data.ABSENT).getvalue()
    return compare(
        "scores_preview",
        size * data.CLAUSES,
        lambda: bring(ScoreTable(scope()), io.BytesIO(content), dry=True),
        lambda: bring(ScoreTable(scope()), io.BytesIO(content)),
        repeat=repeat,
    )


def scores_again(size: int, repeat: int) -> Measured:
    """The file of the open quarter once more, one row of a hundred changed: only those are written."""
    size = min(size, data.IN_A_FILE)
    content = data.score_file(size, data.OPENED).getvalue()
    rows = content.decode("utf-8-sig").split("\r\n")
    # Every hundredth row whose clause is scored by hand: its denominator is empty.
    manual = [n for n, row in enumerate(rows) if n and row.split(",")[5] == ""]
    changed = manual[:: max(1, len(manual) * 100 // len(rows))]
    for n in changed:
        cells = rows[n].split(",")
        cells[7] = cells[10] = "0.50"
        rows[n] = ",".join(cells)
    again = "\r\n".join(rows).encode("utf-8-sig")
    measured = Measured("scores_again", size * data.CLAUSES, [], [])
    with undone():
        bring(ScoreTable(scope()), io.BytesIO(content))
        for _ in range(repeat):
            with undone():
                measured.ours.append(
                    timed(lambda: bring(ScoreTable(scope()), io.BytesIO(again)))[0]
                )
        plan = ScoreTable(scope()).plan(io.BytesIO(again), "scores.csv")
    measured.more = {"changed": len(changed), "written": len(plan.changes)}
    measured.equal = len(changed) == len(plan.changes)
    return measured


# --- Institutions coming in, and the stock way ----------------------------------------------------------

INSTITUTION_HEAD = "机构代码,机构名称,机构类别,上级机构代码,行政区划代码"


def institutions_file(size: int, *, changed: int = 0) -> bytes:
    """A file of new institutions under the bureau; one of every `changed` has another name."""
    rows = [INSTITUTION_HEAD]
    for number in range(1, size + 1):
        name = "改名卫生室" if changed and number % changed == 0 else "示例卫生室"
        rows.append(f"N{number:06d},{name}{number},村卫生室,{data.BUREAU},370306")
    return "\r\n".join(rows).encode("utf-8-sig")


def institutions_stock(size: int) -> tablib.Dataset:
    rows = [
        (f"N{number:06d}", f"示例卫生室{number}", "clinic", data.BUREAU, "370306")
        for number in range(1, size + 1)
    ]
    return tablib.Dataset(*rows, headers=["code", "name", "kind", "parent", "region"])


def import_stock(dataset: tablib.Dataset, resource: Any) -> None:
    result = resource.import_data(dataset, raise_errors=True)
    if result.has_errors():
        raise RuntimeError("the stock import failed")


def _new_institutions() -> list[Any]:
    rows = Institution.objects.filter(code__startswith="N").order_by("code")
    return [rows.count(), digest(rows.values_list("code", "name", "kind", "parent__code"))]


def institutions_new(size: int, repeat: int) -> Measured:
    """New institutions by the command's way, beside COPY or executemany of resolved rows."""
    content = institutions_file(size)
    bureau, region = unit(), Region.objects.get(code="370306")
    load = limits.Load(
        "institutions_institution",
        ("code", "name", "short_name", "kind", "parent_id", "region_id", "uscc", "licence", "other_names",
         "also_kinds", "affiliation", "midwifery", "path", "bureau_id", "search"),
        (
            (f"N{n:06d}", f"示例卫生室{n}", "", "clinic", bureau.pk, region.pk, "", "", "[]",
             "[]", "", False, f"{data.BUREAU}/N{n:06d}/", bureau.pk, f"n{n:06d} 示例卫生室{n} slwss{n}")
            for n in range(1, size + 1)
        ),
    )  # fmt: skip
    return compare(
        "institutions_new",
        size,
        lambda: bring(InstitutionTable(scope()), io.BytesIO(content), "institutions.csv"),
        load.run,
        check=_new_institutions,
        repeat=repeat,
    )


def institutions_interface(size: int, repeat: int, sample: int) -> Measured:
    """The same through import-export's classes, beside a stock ModelResource on `sample` rows."""
    content, post = institutions_file(size), data.the_post("bench-system")
    dataset = institutions_stock(sample)

    def ours() -> None:
        made = SheetCSV().create_dataset(content)
        result = InstitutionResource(post=post).import_data(made)
        if result.has_errors() or result.base_errors:
            raise RuntimeError("the import was refused")

    return compare(
        "institutions_interface",
        size,
        ours,
        lambda: import_stock(dataset, stock.StockInstitutions()),
        repeat=repeat,
        limit_rows=sample,
    )


def institutions_again(size: int, repeat: int, sample: int) -> Measured:
    """The file once more with one row of a hundred changed, beside the stock `skip_unchanged`."""
    content, again = institutions_file(size), institutions_file(size, changed=100)
    dataset = institutions_stock(sample)
    with undone():
        bring(InstitutionTable(scope()), io.BytesIO(content), "institutions.csv")
        measured = compare(
            "institutions_again",
            size,
            lambda: bring(InstitutionTable(scope()), io.BytesIO(again), "institutions.csv"),
            lambda: import_stock(dataset, stock.StockUnchanged()),
            repeat=repeat,
            limit_rows=sample,
        )
        plan = InstitutionTable(scope()).plan(io.BytesIO(again), "institutions.csv")
    measured.more |= {"changed": size // 100, "written": len(plan.changes)}
    return measured


def institutions_xlsx(size: int, repeat: int) -> Measured:
    """A workbook of the same rows, beside openpyxl reading it without a thought."""
    from openpyxl import Workbook, load_workbook

    book, buffer = Workbook(write_only=True), io.BytesIO()
    sheet = book.create_sheet("机构")
    for row in institutions_file(size).decode("utf-8-sig").split("\r\n"):
        sheet.append(row.split(","))
    book.save(buffer)
    content = buffer.getvalue()

    def parse() -> None:
        rows = load_workbook(io.BytesIO(content), read_only=True).active
        for _ in rows.iter_rows(values_only=True):
            pass

    return compare(
        "institutions_xlsx",
        size,
        lambda: bring(InstitutionTable(scope()), io.BytesIO(content), "institutions.xlsx"),
        parse,
        repeat=repeat,
    )


# --- The year -----------------------------------------------------------------------------------------

FIGURES = (
    "institution__code", "quarter1", "quarter2", "quarter3", "quarter4", "quarters", "bonus", "deduction",
    "score", "rank", "grade", "due_amount", "approved_amount", "top_up", "prepaid", "balance",
)  # fmt: skip


def year_figures() -> list[Any]:
    rows = YearResult.objects.filter(unit__code=data.BUREAU, year=data.YEAR)
    return [rows.count(), digest(rows.order_by("institution__code").values_list(*FIGURES))]


def settle() -> None:
    year_end.settle(unit(), data.YEAR, by=BY)


def _by_sql(*, from_lines: bool) -> None:
    YearResult.objects.filter(unit__code=data.BUREAU, year=data.YEAR).delete()
    fen = int(rules.PER_CAPITA[data.YEAR] * 100)
    limits.year_by_sql(unit().pk, fen, from_lines=from_lines)


def year_from_lines(size: int, repeat: int) -> Measured:
    """The year-end, beside one hand-written statement that adds up every line of the year again."""
    return compare(
        "year_from_lines",
        size,
        settle,
        lambda: _by_sql(from_lines=True),
        check=year_figures,
        repeat=repeat,
    )


def year_from_totals(size: int, repeat: int) -> Measured:
    """The year-end, beside one hand-written statement over the stored scores of the sheets."""
    return compare(
        "year_from_totals",
        size,
        settle,
        lambda: _by_sql(from_lines=False),
        check=year_figures,
        repeat=repeat,
    )


def year_by_orm(size: int, repeat: int, sample: int) -> Measured:
    """The year-end, beside rows fetched as models with their lines and added up as Decimals, on a sample."""
    return compare(
        "year_by_orm",
        size,
        settle,
        lambda: orm_scores(sample),
        repeat=repeat,
        limit_rows=sample,
    )


def orm_scores(sample: int) -> list[tuple[str, Decimal]]:
    """Score institutions from their lines in Decimals: also the oracle of the exactness test."""
    lines = Prefetch("lines", ScoreLine.objects.order_by(), to_attr="own")
    found = []
    codes = list(
        Institution.objects.filter(parent__code=data.BUREAU)
        .order_by("code")
        .values_list("code", flat=True)[:sample]
    )
    for start in range(0, len(codes), 100):
        sheets = ScoreSheet.objects.filter(
            institution__code__in=codes[start : start + 100], year=data.YEAR
        )
        scores: dict[str, list[Decimal]] = {}
        for sheet in sheets.select_related("institution").prefetch_related(lines):
            points = sum((line.points or Decimal(0) for line in sheet.own), Decimal(0))
            full = sum((line.full for line in sheet.own), Decimal(0))
            scores.setdefault(sheet.institution.code, []).append(half_up(points / full * 100, 2))
        found += [
            (code, half_up(sum(own, Decimal(0)) / 4, 2)) for code, own in sorted(scores.items())
        ]
    return found


def year_by_pool(size: int, repeat: int) -> Measured:
    """The year-end by 当量法: the pool split to the cent, beside sums by SQL and whole numbers."""
    fen = int(POOL * 100)
    bureau = unit()
    PolicyEntry.objects.filter(institution=bureau, year=data.YEAR).delete()
    split: dict[str, int] = {}

    def ours() -> None:
        PolicyEntry.objects.bulk_create(
            PolicyEntry(bureau=bureau, institution=bureau, year=data.YEAR, key=key, value=value)
            for key, value in (("结算方式", "当量法"), ("资金池", f"{POOL}"))
        )
        settle()
        rows = YearResult.objects.filter(unit=bureau, year=data.YEAR)
        split.clear()
        split.update(
            (code, int(due * 100))
            for code, due in rows.values_list("institution__code", "due_amount")
        )

    def by_hand() -> None:
        split.clear()
        split.update(limits.pool_by_sql(bureau.pk, fen))

    def check() -> list[Any]:
        return [sum(split.values()) == fen, digest(sorted(split.items()))]

    return compare("year_by_pool", size, ours, by_hand, check=check, repeat=repeat)


# --- Going out ------------------------------------------------------------------------------------------


def _first_byte(pieces: Callable[[], Any]) -> float:
    def begin() -> None:
        # The byte order mark comes before any row does.
        for _ in itertools.islice(pieces(), 2):
            pass

    return timed(begin)[0]


def year_out(size: int, repeat: int) -> Measured:
    with undone():
        settle()
        measured = compare(
            "year_out",
            size,
            lambda: Nowhere().writelines(YearEndTable(scope()).write_csv(data.YEAR)),
            lambda: limits.out(limits.YEAR_OUT, unit().pk, Nowhere()),
            repeat=repeat,
        )
        measured.more["first"] = _first_byte(lambda: YearEndTable(scope()).write_csv(data.YEAR))
    return measured


def lines_out(size: int, repeat: int) -> Measured:
    """Every clause of the year in its long form: 180 rows an institution."""
    with undone():
        measured = compare(
            "lines_out",
            size * data.CLAUSES * 4,
            lambda: Nowhere().writelines(ScoreTable(scope()).write_csv(data.YEAR)),
            lambda: limits.out(limits.LINES_OUT, unit().pk, Nowhere()),
            repeat=repeat,
        )
        measured.more["first"] = _first_byte(lambda: ScoreTable(scope()).write_csv(data.YEAR))
    return measured


def lines_out_stock(size: int, repeat: int, sample: int) -> Measured:
    """The same beside a stock Resource with select_related on a sample."""
    related = ("section__institution", "sheet__evaluation__standard", "clause")
    rows = ScoreLine.objects.filter(sheet__year=data.YEAR).select_related(*related)
    sample = min(sample * 10, size * data.CLAUSES * 4)

    def by_stock() -> None:
        dataset = stock.StockLines().export(rows.order_by("pk")[:sample])
        if not dataset.csv:
            raise RuntimeError("nothing came out")

    with undone():
        return compare(
            "lines_out_stock",
            size * data.CLAUSES * 4,
            lambda: Nowhere().writelines(ScoreTable(scope()).write_csv(data.YEAR)),
            by_stock,
            repeat=1,
            limit_rows=sample,
        )


def year_out_xlsx(size: int, repeat: int, sample: int) -> Measured:
    with undone():
        settle()
        found = YearResult.objects.filter(year=data.YEAR).select_related("institution")
        rows = found.order_by("position")[:sample]
        return compare(
            "year_out_xlsx",
            size,
            lambda: YearEndTable(scope()).write_xlsx(data.YEAR, io.BytesIO()),
            lambda: stock.StockYear().export(rows).export("xlsx"),
            repeat=repeat,
            limit_rows=min(sample, size),
        )


# --- One clerk's save -----------------------------------------------------------------------------------


def save_a_sheet(size: int, repeat: int) -> Measured:
    """Forty-five lines saved one by one as the page does, beside update_or_create in a loop."""
    from scoring.filling import SELF, put
    from scoring.policies import grade_shares

    sheet = data.evaluation(data.OPENED).sheets.order_by("pk").first()
    if sheet is None:
        raise RuntimeError("no sheet is open")
    shares = grade_shares(sheet.supervisor, data.NEXT)

    def values(line: ScoreLine) -> dict[str, Decimal]:
        if line.clause.method == "manual":
            return {"entered": Decimal("1.00")}
        return {"numerator": Decimal(80), "denominator": Decimal(100)}

    def lines() -> list[ScoreLine]:
        found = ScoreLine.objects.filter(sheet=sheet).select_related("clause", "section__sheet")
        return list(found.order_by("clause__position"))

    def ours() -> None:
        from django.db.models import F

        from scoring.models import ScoreSection
        from scoring.sums import add_up, hold_sheet

        # What `filling.fill_line` does in its transaction, without asking for the post of each institution.
        for line in lines():
            hold_sheet(sheet.pk, statuses=ScoreSheet.EDITABLE, row=line.section)
            ScoreSection.objects.filter(pk=line.section_id).update(version=F("version") + 1)
            put(line, SELF, values(line), shares=shares)
            line.save()
            add_up(sheet.pk, line.section_id)

    def by_hand() -> None:
        for line in lines():
            put(line, SELF, values(line), shares=shares)
            ScoreLine.objects.update_or_create(
                sheet=sheet,
                clause=line.clause,
                defaults={
                    "section": line.section,
                    "self_points": line.self_points,
                    "self_full": line.self_full,
                    "full": line.full,
                },
            )

    return compare("save_a_sheet", data.CLAUSES, ours, by_hand, repeat=repeat)
