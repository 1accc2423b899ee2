"""The table `rectifications`: the 整改台账 with its eighteen columns, out as the page exports it, and in again.

In it carries what an institution writes (measures, responsible leader and person, progress) into the duties it is
working on, and takes over a ledger kept elsewhere: rows not yet known are handed out. It moves no status and no
deadline: those columns are read back only to be compared or passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from institutions import clock, sheets, staffing
from institutions.models import Institution, Kind
from institutions.tables import (
    BATCH,
    UNKNOWN_INSTITUTION,
    Change,
    Column,
    Place,
    Row,
    Table,
)
from supervision import rectifying
from supervision.columns import chosen
from supervision.handing_out import NewProblem, hand_out
from supervision.lists import RectificationList, latest_note
from supervision.models import ProgressNote, Rectification, Severity, Source

STATES = {str(status.label): status.value for status in Rectification.Status}
WRITTEN = ("measures", "leader", "person")
PASSED_OVER = "只供查看，导入时不用"


def _passed_over(header: str, name: str, size: int = 2000) -> Column:
    return Column(header, name, sheets.text(size), blank="", help=PASSED_OVER)


class RectificationTable(Table):
    """整改台账. A row is known by institution, source, day of finding, item and text."""

    kind = "rectifications"
    label = "整改台账"
    purpose = (
        "机构成批填写措施、责任领导、责任人和进展；督导方把别处的台账整表录入（新问题随即交办）。"
        "状态和时限不随导入改变。"
    )
    keyed = ("institution", "source", "found_on", "item", "text")
    columns = (
        _passed_over("序号", "number", 20),
        chosen("问题来源", "source", Source, example="省级"),
        Column("发现日期", "found_on", sheets.date, required=True, example="2023-03-31"),
        Column(
            "机构",
            "institution",
            sheets.text(120),
            required=True,
            lookup="find_unit",
            show=str,
            help="名称、简称或机构代码",
            example="青年路社区卫生服务中心",
        ),
        Column(
            "项目",
            "item",
            sheets.text(60),
            lookup="find_item",
            show=lambda v: v.short_name,
            help="代码 01 至 12、07a、07b，或名称；综合管理的留空",
            example="老年人",
        ),
        Column("问题描述", "text", sheets.text(2000), required=True),
        chosen("问题性质", "severity", Severity, example="一般"),
        Column("整改措施", "measures", sheets.text(4000), blank=""),
        Column("责任领导", "leader", sheets.text(40), blank=""),
        Column("责任人", "person", sheets.text(40), blank=""),
        Column("整改时限", "due", sheets.date, required=True, help="含当日", example="2023-04-30"),
        Column(
            "整改进展", "progress", sheets.text(2000), blank="", help="与最近一次不同时记为新进展"
        ),
        _passed_over("完成日期", "done_on", 20),
        _passed_over("佐证材料", "evidence"),
        _passed_over("复核人", "verifier", 200),
        _passed_over("复核意见", "opinion"),
        Column("销号状态", "status", sheets.choice(STATES), blank="", help=PASSED_OVER),
        _passed_over("是否反弹", "recurs", 4),
    )
    import_perms = ("supervision.add_problem", "supervision.answer_rectification")
    export_perm = "supervision.view_rectification"

    def prepare(self) -> None:
        """Learn what the institutions in scope are called; a name that several bear is nobody's."""
        self._called: dict[str, str | None] = {}
        self._untrained: dict[tuple[int, str], list[str]] = {}
        names = self.scope.institutions().values_list("code", "name", "short_name", "other_names")
        for code, name, short, others in names.order_by("code").iterator(chunk_size=2000):
            for word in {name, short, *others} - {""}:
                self._called[word] = None if word in self._called else code

    def find_unit(self, text: str) -> Place:
        if text in self.scope.places:
            return self.scope.places[text]
        if text not in self._called:
            raise ValueError(UNKNOWN_INSTITUTION)
        if (code := self._called[text]) is None:
            raise ValueError("有几个机构都叫这个名称，请改填机构代码")
        return self.scope.places[code]

    def title(self, row: Row) -> str:
        return f"{row['institution']}：{row['text'][:40]}"

    def key(self, row: Row) -> Any:
        item = row["item"].pk if row["item"] else None
        return (row["institution"].pk, row["source"], row["found_on"], item, row["text"])

    def resolve(self, row: Row) -> None:
        if row["found_on"] > clock.today():
            self.bad(row, "发现日期", "不能晚于今天")
        if row["due"] < row["found_on"]:
            self.bad(row, "整改时限", "不能早于发现日期")
        if row["institution"].kind == Kind.BUREAU:
            self.bad(row, "机构", "问题交办给机构，不能交办给卫生健康行政部门")

    def compare(self, rows: list[Row]) -> Iterator[Change]:
        known = self._known(rows)
        for row in rows:
            duty = known.get(self.key(row))
            yield self._new(row) if duty is None else self._update(row, duty)

    def _new(self, row: Row) -> Change:
        post = self.scope.post
        if post is not None and not post.has_perm("supervision.add_problem"):
            self.bad(row, "问题描述", "台账里没有这个问题，本岗位不能登记新问题")
        if row["status"] in (Rectification.Status.CLOSED, Rectification.Status.WITHDRAWN):
            self.bad(row, "销号状态", "没有在本系统办理过的问题不能作为已办结的导入")
        diffs = [(c.header, "", c.text(row[c.name])) for c in self.columns]
        return Change(row, "new", self.title(row), [diff for diff in diffs if diff[2]])

    def _update(self, row: Row, duty: Rectification) -> Change:
        diffs = []
        for name in WRITTEN:
            column = self.column(name)
            if column.header in self.given and row[name] and row[name] != getattr(duty, name):
                diffs.append((column.header, getattr(duty, name), row[name]))
        latest = latest_note(duty)
        if row["progress"] and row["progress"] != latest:
            diffs.append(("整改进展", latest, row["progress"]))
        if row["person"] and row["person"] != duty.person:
            self._check_person(row)
        if row["due"] != duty.due:
            self.bad(row, "整改时限", f"现在是{duty.due}，只能由延期或退回改变")
        if diffs and not self._may_write(duty):
            self.bad(row, diffs[0][0], "只有被督导机构在签收后、申请销号前可以填写")
        return Change(row, "changed" if diffs else "unchanged", self.title(row), diffs, duty)

    def _check_person(self, row: Row) -> None:
        """Nobody is named who still lacks the training before start, as on the page itself; asked once a person."""
        key = (row["institution"].pk, row["person"])
        if key not in self._untrained:
            self._untrained[key] = staffing.untrained_named(key[0], [key[1]])
        if blocked := self._untrained[key]:
            self.bad(row, "责任人", staffing.refusal(blocked))

    def _may_write(self, duty: Rectification) -> bool:
        post, unit = self.scope.post, self.scope.unit
        if post is not None:
            return rectifying.may_write(duty, post)
        at_home = unit is not None and unit.pk == duty.institution_id
        return at_home and duty.status in Rectification.EDITABLE

    def _known(self, rows: list[Row]) -> dict[Any, Rectification]:
        places = sorted({row["institution"].pk for row in rows})
        days = {row["found_on"] for row in rows}
        found: dict[Any, Rectification] = {}
        for start in range(0, len(places), BATCH):
            duties = self.scope.limit(Rectification.objects.all()).filter(
                institution__in=places[start : start + BATCH], problem__found_on__in=days
            )
            for duty in duties.select_related("problem", "institution").prefetch_related(
                "progress"
            ):
                problem = duty.problem
                found[
                    duty.institution_id,
                    problem.source,
                    problem.found_on,
                    problem.item_id,
                    problem.text,
                ] = duty
        return found

    def write(self, changes: list[Change]) -> None:
        self._hold([change.old for change in changes if change.old is not None])
        fresh = [change.row for change in changes if change.old is None]
        duties = self._hand_out(fresh) if fresh else []
        told = [(duty, row) for duty, row in zip(duties, fresh, strict=True)]
        told += [(change.old, change.row) for change in changes if change.old is not None]
        for duty, row in told:
            for name in WRITTEN:
                if row[name]:
                    setattr(duty, name, row[name])
            duty.version += 1
        Rectification.objects.bulk_update(
            [duty for duty, _ in told], [*WRITTEN, "version"], batch_size=BATCH
        )
        post = self.scope.post
        if post is not None:
            ProgressNote.objects.bulk_create(
                (
                    ProgressNote(
                        rectification=duty, text=row["progress"], author=post, at=clock.now()
                    )
                    for duty, row in told
                    if row["progress"] and row["progress"] != latest_note(duty)
                ),
                batch_size=BATCH,
            )

    def _hold(self, duties: list[Rectification]) -> None:
        """Keep the duties as they were compared until the end; somebody who moved one meanwhile goes first."""
        held = Rectification.objects.select_for_update().filter(pk__in=[d.pk for d in duties])
        versions = dict(held.values_list("pk", "version"))
        if any(versions.get(duty.pk) != duty.version for duty in duties):
            raise sheets.Refusal("数据刚刚有了变化，什么也没有写入，请重新核对后再导入。")

    def _hand_out(self, found: list[Row]) -> list[Rectification]:
        places = Institution.objects.in_bulk({row["institution"].pk for row in found})
        made = hand_out(
            [
                NewProblem(
                    institution=places[row["institution"].pk],
                    source=row["source"],
                    year=row["found_on"].year,
                    text=row["text"],
                    found_on=row["found_on"],
                    due=row["due"],
                    severity=row["severity"],
                    item=row["item"],
                    person=row["person"],
                    found_by=self.scope.post,
                    origin="整改台账导入",
                )
                for row in found
            ],
            by=self.scope.actor if self.scope.post is None else self.scope.post,
            unit=self.scope.unit,
        )
        rows = Rectification.objects.filter(problem__in=[problem.pk for problem in made])
        duties = {duty.problem_id: duty for duty in rows}
        return [duties[problem.pk] for problem in made]

    def export(self, year: int | None) -> Iterator[Sequence[Any]]:
        rows = self.scope.limit(Rectification.objects.all())
        rows = rows.select_related("institution", "item", "problem", "verifier__institution")
        if year is not None:
            rows = rows.filter(problem__year=year)
        for number, duty in enumerate(
            rows.order_by("pk").prefetch_related("files", "progress").iterator(chunk_size=500), 1
        ):
            cells = [
                RectificationList.exported(column, duty) for column in RectificationList.columns
            ]
            yield [number, *cells[1:]]
