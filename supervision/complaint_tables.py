"""The table `complaints`: what the hotline and letters brought; each new one is handed to its institution.

One that is already known by its number stays as its work has made it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.exceptions import ValidationError

from institutions import clock, sheets
from institutions.models import Institution, Kind
from institutions.tables import BATCH, PLACE, Change, Column, Row, Table, code_of
from supervision import complaining
from supervision.columns import chosen
from supervision.models import Complaint
from supervision.models.complaint import refuse_identity

SATISFIED = {str(s.label): s.value for s in Complaint.Satisfied}


class ComplaintTable(Table):
    """Complaints of a subtree. New ones are handed out, answered or closed as the file says; known ones are left alone."""

    kind = "complaints"
    label = "投诉办理"
    purpose = "12345 热线和来信来访反映的问题；导入后交办给机构答复，已有的工单不变。不导入居民的姓名和电话。"
    keyed = ("number",)
    columns = (
        Column("工单编号", "number", sheets.text(40), required=True, example="2023-015"),
        PLACE,
        Column("收到日期", "received_on", sheets.date, required=True, example="2023-03-20"),
        chosen("渠道", "channel", Complaint.Channel, example="12345热线"),
        chosen("类型", "kind", Complaint.Kind, example="投诉"),
        Column("问题类别", "category", sheets.text(40), blank="", example="健康体检"),
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
            "反映内容",
            "text",
            sheets.text(1000),
            required=True,
            help="不写来电居民的姓名、电话、住址、身份证号",
        ),
        Column("办理时限", "due", sheets.date, required=True, help="含当日", example="2023-03-27"),
        Column("承办岗位", "handler", sheets.text(40), blank="", example="公卫科"),
        Column("答复", "answer", sheets.text(1000), blank=""),
        Column("首次答复日期", "answered_on", sheets.date, help="写了答复的要填"),
        Column(
            "回访",
            "satisfied",
            sheets.choice(SATISFIED),
            blank="unknown",
            show=lambda value: str(Complaint.Satisfied(value).label),
            help="、".join(SATISFIED),
        ),
        Column("办结日期", "closed_on", sheets.date, help="已办结的填写"),
    )
    import_perms = (complaining.ADD,)
    export_perm = "supervision.view_complaint"

    def title(self, row: Row) -> str:
        return f"{row['number']} {row['institution']}"

    def resolve(self, row: Row) -> None:
        if row["institution"].kind in (Kind.BUREAU, Kind.STREET):
            self.bad(row, "机构代码", "投诉交给医疗卫生机构办理")
        self._check_days(row)
        for header, name in (("反映内容", "text"), ("答复", "answer")):
            try:
                refuse_identity(row[name])
            except ValidationError as refused:
                self.bad(row, header, refused.messages[0])

    def _check_days(self, row: Row) -> None:
        received, answered, closed = row["received_on"], row["answered_on"], row["closed_on"]
        if received > clock.today():
            self.bad(row, "收到日期", "不能晚于今天")
        if row["due"] < received:
            self.bad(row, "办理时限", "不能早于收到日期")
        if bool(row["answer"]) != bool(answered):
            header = "首次答复日期" if row["answer"] else "答复"
            self.bad(row, header, "答复和首次答复日期要一起填")
        elif closed and not answered:
            self.bad(row, "办结日期", "没有答复的不能办结")
        if answered and not received <= answered <= clock.today():
            self.bad(row, "首次答复日期", "应在收到日期和今天之间")
        if closed and answered and not answered <= closed <= clock.today():
            self.bad(row, "办结日期", "应在首次答复日期和今天之间")

    def compare(self, rows: list[Row]) -> Iterator[Change]:
        known = self._known(rows)
        for row in rows:
            if row["number"] not in known:
                diffs = [(c.header, "", c.text(row[c.name])) for c in self.columns]
                yield Change(row, "new", self.title(row), [diff for diff in diffs if diff[2]])
                continue
            if known[row["number"]] != row["institution"].pk:
                self.bad(row, "工单编号", "这个工单编号已经登记给别的机构")
            yield Change(row, "unchanged", self.title(row))

    def _known(self, rows: list[Row]) -> dict[str, int]:
        """The numbers that are taken in the bureaus of the file, with their institutions."""
        bureaus = {row["institution"].bureau_id for row in rows}
        numbers = sorted({row["number"] for row in rows})
        found: dict[str, int] = {}
        for start in range(0, len(numbers), BATCH):
            part = Complaint.objects.filter(
                bureau__in=bureaus, number__in=numbers[start : start + BATCH]
            )
            found.update(part.order_by().values_list("number", "institution"))
        return found

    def write(self, changes: list[Change]) -> None:
        wanted = sorted({change.row["institution"].pk for change in changes})
        places: dict[int, Institution] = {}
        for start in range(0, len(wanted), BATCH):
            places.update(Institution.objects.in_bulk(wanted[start : start + BATCH]))
        names = [c.name for c in self.columns if c.name != "institution"]
        complaining.hand_out(
            [
                Complaint(
                    institution=places[change.row["institution"].pk],
                    status=_status(change.row),
                    **{name: change.row[name] for name in names},
                )
                for change in changes
            ],
            by=self.scope.actor if self.scope.post is None else self.scope.post,
            unit=self.scope.unit,
        )

    def export(self, year: int | None) -> Iterator[Sequence[Any]]:
        rows = self.scope.limit(Complaint.objects.all()).select_related("institution", "item")
        rows = rows.exclude(status=Complaint.Status.WITHDRAWN)
        if year is not None:
            rows = rows.filter(received_on__year=year)
        for obj in rows.order_by("received_on", "pk").iterator(chunk_size=2000):
            yield [
                None if (value := getattr(obj, c.name)) is None else c.show(value)
                for c in self.columns
            ]


def _status(row: Row) -> str:
    if row["closed_on"]:
        return Complaint.Status.CLOSED
    return Complaint.Status.ANSWERED if row["answered_on"] else Complaint.Status.HANDED
