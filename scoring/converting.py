"""Another system's export of workload as a table of ours: its columns and services are mapped once, then remembered.

Long: a row is one service of one institution. Wide: a row is an institution, each service a column. What comes out is the
table `workload` (docs/formats.md), handed to the import page, which shows every change before anything is written.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, BinaryIO

from institutions import files, jobs, sheets
from institutions.models import Institution, Job, Post, StoredFile
from institutions.rounding import NumberRefused, parse_number, plain_text
from institutions.sheets import BadCell, Refusal, SheetRow
from institutions.tables import Scope
from scoring.models import ColumnMapping, WorkUnit
from scoring.tables import WorkloadTable

KIND = "workload_map"
Layout = ColumnMapping.Layout
HEADERS = ["机构代码", "年度", "季度", "服务代码", "申报数量"]
PARTS = {"place": "机构", "service": "服务", "quantity": "数量", "quarter": "季度"}
QUARTERS = {
    word: quarter
    for quarter, words in {
        1: ("1", "一", "第一季度", "第1季度", "一季度", "1季度", "Q1"),
        2: ("2", "二", "第二季度", "第2季度", "二季度", "2季度", "Q2"),
        3: ("3", "三", "第三季度", "第3季度", "三季度", "3季度", "Q3"),
        4: ("4", "四", "第四季度", "第4季度", "四季度", "4季度", "Q4"),
    }.items()
    for word in words
}
# What the columns are often called, to begin with.
GUESSES = {
    "place": ("机构代码", "机构编码", "组织机构代码", "机构名称", "单位名称", "机构"),
    "service": ("服务代码", "服务名称", "服务项目", "项目名称", "项目", "指标名称"),
    "quantity": ("数量", "服务数量", "完成数", "完成量", "工作量", "服务人次"),
    "quarter": ("季度", "统计季度", "期别"),
}
MOST_SERVICES = 200


@dataclass
class Upload:
    """What was uploaded: its headers and rows as text."""

    headers: list[str]
    rows: list[SheetRow]

    def values(self, header: str) -> list[str]:
        """The different values of a column, in their order."""
        found = dict.fromkeys(row.cells.get(header, "").strip() for row in self.rows)
        return [value for value in found if value]


def read(stream: BinaryIO, name: str) -> Upload:
    """Read the whole upload. Raises `Refusal`."""
    sheet = sheets.read_sheet(stream, name, max_rows=20_000)
    headers = [header for header in sheet.headers if header]
    if len(set(headers)) < len(headers):
        raise Refusal("表头有重复的列，请先改名。")
    rows = list(sheet.rows)
    if not rows:
        raise Refusal("文件没有数据。")
    return Upload(headers, rows)


def stage(
    content: bytes, name: str, *, by: Post, layout: str, year: int, quarter: int | None
) -> Job:
    """Keep an upload for its owner until its columns are mapped; forgotten after a day like any staged import."""
    suffix = name.rpartition(".")[2].lower()
    source = files.keep(
        content, name=name, kind=suffix, content_type="application/octet-stream", by=by
    )
    job = jobs.queue(
        KIND,
        f"工作量列对应：{name}",
        by=by,
        source=source,
        params={
            "layout": layout,
            "year": year,
            "quarter": quarter,
            "file": name,
            "page": "scoring:workload_map",
        },
    )
    Job.objects.filter(pk=job.pk).update(state=Job.State.STAGED)
    return job


def load(source: StoredFile) -> Upload:
    with source.path.open("rb") as stream:
        return read(stream, source.name)


def remembered(post: Post, layout: str) -> ColumnMapping | None:
    return ColumnMapping.objects.visible_to(post).filter(layout=layout).first()


def guess(headers: Sequence[str], saved: ColumnMapping | None) -> dict[str, str]:
    """Return part → header to begin with: what was saved, else what columns are often called."""
    known = saved.columns if saved else {}
    found = {}
    for part, names in GUESSES.items():
        first = known.get(part, "")
        found[part] = next((n for n in (first, *names) if n and n in headers), "")
    return found


def guess_service(text: str, units: Iterable[WorkUnit], saved: ColumnMapping | None) -> str | None:
    """Return our code for a service of the export: as saved ("" leaves it out), by code, by name; None: unknown."""
    if saved and text in saved.services:
        return saved.services[text]
    for unit in units:
        if text in (unit.code, unit.name):
            return unit.code
    return None


@dataclass
class Converted:
    """The rows of our table, or every cell that cannot be taken; row numbers are those of the upload."""

    rows: list[list[Any]] = field(default_factory=list)
    errors: list[BadCell] = field(default_factory=list)
    skipped: int = 0


def convert(
    upload: Upload,
    *,
    layout: str,
    columns: Mapping[str, str],
    services: Mapping[str, str],
    year: int,
    quarter: int | None,
    scope: Scope,
) -> Converted:
    """Turn an upload into rows of `workload`: empty cells are left out, what repeats a key is added up.

    An institution is found by its code, its name or another of its names; 0 is a number, an empty cell is none.
    """
    found = Converted()
    places = _places(scope)
    sums: dict[tuple[str, int, str], Decimal] = {}
    for row in upload.rows:
        cells = {header: text.strip() for header, text in row.cells.items()}
        code = _place(row, cells, columns["place"], places, found)
        period = _quarter(row, cells, columns.get("quarter", ""), quarter, found)
        for header, service in _services(row, cells, layout, columns, services, found):
            text = cells.get(header, "")
            if not service or not text:
                found.skipped += 1
                continue
            try:
                number = parse_number(text.replace(",", ""), places=2)
            except NumberRefused as refused:
                found.errors.append(BadCell(row.number, header, text, str(refused)))
                continue
            if code and period:
                key = (code, period, service)
                sums[key] = sums.get(key, Decimal(0)) + number
    found.rows = [
        [code, year, period, service, number] for (code, period, service), number in sums.items()
    ]
    return found


def _places(scope: Scope) -> dict[str, str]:
    """Return code by everything an institution in scope is called; a name of two is nobody's."""
    called: dict[str, set[str]] = {}
    rows = scope.institutions().values_list("code", "name", "short_name", "other_names")
    for code, name, short, others in rows:
        for word in {code, name, short, *others} - {""}:
            called.setdefault(word, set()).add(code)
    return {word: codes.pop() for word, codes in called.items() if len(codes) == 1}


def _place(
    row: SheetRow, cells: Mapping[str, str], header: str, places: Mapping[str, str], to: Converted
) -> str:
    text = cells.get(header, "")
    if text in places:
        return places[text]
    reason = "没有这个机构，或不在本单位管辖范围内" if text else "不能为空"
    to.errors.append(BadCell(row.number, header, text, reason))
    return ""


def _quarter(
    row: SheetRow, cells: Mapping[str, str], header: str, fixed: int | None, to: Converted
) -> int:
    if not header:
        return fixed or 0
    text = cells.get(header, "")
    if text in QUARTERS:
        return QUARTERS[text]
    to.errors.append(BadCell(row.number, header, text, "应为 1 至 4，或“第一季度”"))
    return 0


def _services(
    row: SheetRow,
    cells: Mapping[str, str],
    layout: str,
    columns: Mapping[str, str],
    services: Mapping[str, str],
    to: Converted,
) -> Iterable[tuple[str, str]]:
    """Yield the column of each number of a row and our code for its service."""
    if layout == Layout.WIDE:
        yield from services.items()
        return
    header = columns["service"]
    text = cells.get(header, "")
    if text in services:
        yield columns["quantity"], services[text]
    else:
        reason = "这项服务没有对应" if text else "不能为空"
        to.errors.append(BadCell(row.number, header, text, reason))


def remember(
    post: Post, layout: str, columns: Mapping[str, str], services: Mapping[str, str]
) -> None:
    """Keep the mapping for the bureau; only its own posts write it, those below read it."""
    if not post.institution.is_bureau:
        return
    saved = remembered(post, layout)
    known = saved.services if saved else {}
    ColumnMapping.objects.update_or_create(
        institution=post.institution,
        layout=layout,
        defaults={
            "columns": dict(columns),
            "services": {**known, **services},
            "saved_by": post,
        },
    )


def hand_over(job: Job, converted: Converted, *, by: Post, address: str) -> Job:
    """Put the converted table on the import page, as if it had been uploaded there."""
    rows = ([*row[:4], plain_text(row[4])] for row in converted.rows)
    content = b"".join(sheets.write_csv(rows, HEADERS))
    name = f"{job.params['file'].rpartition('.')[0][:80]}-转换.csv"
    source = files.keep(content, name=name, kind="csv", content_type="text/csv", by=by)
    made = jobs.queue(
        "import",
        f"导入工作量：{name}",
        by=by,
        source=source,
        params={"kind": "workload", "file": name, "address": address},
    )
    jobs.start(made, rows=len(converted.rows))
    Job.objects.filter(pk=job.pk, state=Job.State.STAGED).update(
        state=Job.State.DONE, source=None, report={"结果": f"转换 {len(converted.rows)} 行"}
    )
    return made


def may_convert(post: Post) -> bool:
    """Say whether the post may bring a workload table at all."""
    return WorkloadTable.may_import(post)


def home_units(institution: Institution, year: int) -> list[WorkUnit]:
    """Return the services of the institution's bureau for the year."""
    rows = WorkUnit.objects.filter(institution=institution.bureau_id, year=year)
    return list(rows.select_related("item").order_by("code"))
