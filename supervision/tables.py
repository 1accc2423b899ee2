"""The table `problems`: findings of a level above or of one's own rounds; each becomes a duty of its institution.

A problem that is already known (same institution, source, year, item and words) stays as its work has made it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from campaigns.models import Clause
from campaigns.tables import in_force
from institutions import clock, sheets
from institutions.models import Institution, Kind
from institutions.tables import BATCH, PLACE, YEAR, Change, Column, Row, Table, code_of
from supervision.columns import chosen
from supervision.complaint_tables import ComplaintTable
from supervision.expert_tables import ExpertTable
from supervision.handing_out import NewProblem, hand_out
from supervision.ledger_tables import RectificationTable
from supervision.models import Problem, Severity, Source


class ProblemTable(Table):
    """Problems of a subtree. New ones are handed out (交办); known ones are left alone."""

    kind = "problems"
    label = "问题清单"
    purpose = "国家、省、市、区反馈和督导发现的问题；确认导入后即交办给机构整改，已有的问题不变。"
    keyed = ("institution", "source", "year", "item", "text")
    columns = (
        chosen("来源", "source", Source, example="省级"),
        YEAR,
        PLACE,
        Column(
            "服务项目",
            "item",
            sheets.text(60),
            lookup="find_item",
            show=code_of,
            help="代码 01 至 12、07a、07b，或名称",
            example="06",
        ),
        Column(
            "条款代码",
            "clause",
            sheets.code(32),
            show=lambda v: v if isinstance(v, str) else v.code,
            help="当年已发布标准里的条款",
        ),
        Column("问题类别", "category", sheets.text(40), blank="", example="档案不规范"),
        chosen("严重程度", "severity", Severity, example="一般"),
        Column("问题描述", "text", sheets.text(1000), required=True),
        Column("发现日期", "found_on", sheets.date, required=True, example="2023-03-31"),
        Column("整改时限", "due", sheets.date, required=True, help="含当日", example="2023-04-30"),
        Column("责任人", "person", sheets.text(40), blank=""),
    )
    import_perms = ("supervision.add_problem",)
    export_perm = "supervision.view_problem"

    def title(self, row: Row) -> str:
        return f"{row['institution']}：{row['text'][:40]}"

    def resolve(self, row: Row) -> None:
        if row["found_on"] > clock.today():
            self.bad(row, "发现日期", "不能晚于今天")
        if row["due"] < row["found_on"]:
            self.bad(row, "整改时限", "不能早于发现日期")
        if row["institution"].kind == Kind.BUREAU:
            self.bad(row, "机构代码", "问题交办给机构，不能交办给卫生健康行政部门")

    def check_all(self, rows: list[Row]) -> None:
        """Find the clauses in the standards published for the year and the kind of institution."""
        unit, cited = self.scope.unit, [row for row in rows if row["clause"]]
        if not cited or unit is None:
            return
        standards = {s.pk: s for s in in_force(unit).values()}
        found: dict[tuple[int, str], list[Clause]] = defaultdict(list)
        for clause in Clause.objects.filter(standard__in=standards):
            found[standards[clause.standard_id].year, clause.code].append(clause)
        for row in cited:
            fitting = [
                clause
                for clause in found[row["year"], row["clause"]]
                if set(standards[clause.standard_id].kinds) & set(row["institution"].kinds)
            ]
            if len(fitting) == 1:
                row.values["clause"] = fitting[0]
            elif fitting:
                self.bad(row, "条款代码", "当年有几个标准都有这个条款，无法确定是哪一个")
            else:
                self.bad(row, "条款代码", "当年适用于该机构的已发布标准里没有这个条款")

    def key(self, row: Row) -> Any:
        item = row["item"].pk if row["item"] else None
        return (row["institution"].pk, row["source"], row["year"], item, row["text"])

    def compare(self, rows: list[Row]) -> Iterator[Change]:
        known = set(self._known(rows))
        for row in rows:
            if self.key(row) in known:
                yield Change(row, "unchanged", self.title(row))
            else:
                diffs = [(c.header, "", c.text(row[c.name])) for c in self.columns]
                yield Change(row, "new", self.title(row), [diff for diff in diffs if diff[2]])

    def _known(self, rows: list[Row]) -> Iterator[tuple]:
        places = sorted({row["institution"].pk for row in rows})
        years = {row["year"] for row in rows}
        for start in range(0, len(places), BATCH):
            yield from (
                Problem.objects.filter(
                    institution__in=places[start : start + BATCH], year__in=years
                )
                .order_by()
                .values_list("institution", "source", "year", "item", "text")
            )

    def write(self, changes: list[Change]) -> None:
        rows = [change.row for change in changes]
        wanted = sorted({row["institution"].pk for row in rows})
        places: dict[int, Institution] = {}
        for start in range(0, len(wanted), BATCH):
            places.update(Institution.objects.in_bulk(wanted[start : start + BATCH]))
        names = ("source", "year", "item", "clause", "category", "severity", "text")
        hand_out(
            [
                NewProblem(
                    institution=places[row["institution"].pk],
                    found_on=row["found_on"],
                    due=row["due"],
                    person=row["person"],
                    found_by=self.scope.post,
                    **{name: row[name] for name in names},
                )
                for row in rows
            ],
            by=self.scope.actor if self.scope.post is None else self.scope.post,
            unit=self.scope.unit,
        )

    def export(self, year: int | None) -> Iterator[Sequence[Any]]:
        rows = self.scope.limit(Problem.objects.all())
        rows = rows.select_related("institution", "item", "clause", "rectification")
        if year is not None:
            rows = rows.filter(year=year)
        for problem in rows.order_by("pk").iterator(chunk_size=2000):
            duty = getattr(problem, "rectification", None)
            yield [
                str(Source(problem.source).label),
                problem.year,
                problem.institution.code,
                problem.item.code if problem.item else None,
                problem.clause.code if problem.clause else None,
                problem.category,
                str(Severity(problem.severity).label),
                problem.text,
                problem.found_on,
                duty.due if duty else None,
                duty.person if duty else None,
            ]


TABLES: tuple[type[Table], ...] = (
    ProblemTable,
    RectificationTable,
    ExpertTable,
    ComplaintTable,
)
