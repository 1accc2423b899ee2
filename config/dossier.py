"""迎检资料包: the evidence of an institution, an item or a campaign as one zip: folders by clause, index, what is missing.

Everything starts from what the post who asked may see, when the job runs. The zip is written to disk piece by piece.
"""

import re
import uuid
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from campaigns.campaign_paper import campaign_paper
from campaigns.models import Campaign, Clause, Contribution, Report
from institutions import audit, clock, files, official, sheets
from institutions.jobs import Outcome, Progress
from institutions.models import Institution, Job, Post, ServiceItem, StoredFile
from institutions.official import Annex, Paper, blocks, one_line
from institutions.sheets import Refusal
from scoring.models import Evaluation, ScoreLine
from supervision.models import Notice, Rectification, VisitLine

KIND = "dossier"
PERM = "institutions.pack_evidence"
MOST_BYTES = 2_000_000_000
LISTED = 500  # rows of the Word index; the XLSX holds all
PACKED = frozenset({"jpg", "jpeg", "png", "pdf", "docx", "xlsx", "zip"})  # not packed a second time
INDEX = ("序号", "服务项目", "条款或事项", "机构", "材料", "文件")
GAPS = ("序号", "服务项目", "条款或事项", "机构", "缺少什么")
Scope = Literal["institution", "item", "campaign"]
_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]+')


@dataclass(frozen=True)
class Proof:
    """One piece of evidence, or the place where it is missing (`file` is None, `what` says what)."""

    item: str
    matter: str
    institution: str
    what: str
    file: StoredFile | None = None


@dataclass(frozen=True)
class Subject:
    """Whose or what's evidence is asked for, and in which year (a campaign has its own)."""

    scope: Scope
    row: Any
    year: int

    @property
    def label(self) -> str:
        if self.scope == "campaign":
            return self.row.name
        name = self.row.short_name if self.scope == "item" else self.row.known_as
        return f"{name}{self.year}年度"


def subject(scope: str, pk: int, year: int, post: Post) -> Subject | None:
    """Return what is asked for if `post` may see it, else None."""
    row: Any = None
    match scope:
        case "institution":
            row = Institution.objects.visible_to(post).filter(pk=pk).first()
        case "item":
            row = ServiceItem.objects.filter(pk=pk).first()
            if row and post.item_ids is not None and row.pk not in post.item_ids:
                row = None
        case "campaign":
            row = (
                Campaign.objects.visible_to(post)
                .select_related("institution")
                .filter(pk=pk)
                .first()
            )
            year = row.year if row else year
        case _:
            return None
    return Subject(scope, row, year) if row else None


# --- What there is, and what is missing -------------------------------------------------------------


def proofs(asked: Subject, post: Post) -> Iterator[Proof]:
    """Yield the evidence of all floors, upward: asked, seen, worth."""
    yield from _reports(asked, post)
    yield from _contributions(asked, post)
    yield from _visit_lines(asked, post)
    yield from _rectifications(asked, post)
    yield from _notices(asked, post)
    yield from _score_lines(asked, post)


def _item(item: ServiceItem | None) -> str:
    return f"{item.code} {item.short_name}" if item else "00 综合管理"


def _clause(clause: Clause | None) -> str:
    return f"{clause.code} {clause.name}" if clause else ""


def _of_item(asked: Subject, path: str) -> Q:
    return Q(**{path: asked.row.pk}) | Q(**{f"{path}__parent": asked.row.pk})


def _reports(asked: Subject, post: Post) -> Iterator[Proof]:
    rows = Report.objects.visible_to(post).select_related("task__item", "institution")
    match asked.scope:
        case "institution":
            rows = rows.filter(institution=asked.row, task__campaign__year=asked.year)
        case "item":
            rows = rows.filter(_of_item(asked, "task__item"), task__campaign__year=asked.year)
        case "campaign":
            rows = rows.filter(task__campaign=asked.row)
    ordered = rows.order_by("task__position", "institution__code").prefetch_related("files")
    for row in ordered.iterator(chunk_size=500):
        place = (_item(row.task.item), f"任务 {row.task.name}", row.institution.known_as)
        yield from _all(place, "任务佐证", row.files.all())
        if row.status != Report.Status.ACCEPTED:
            yield Proof(*place, f"任务报送{row.get_status_display()}")
        elif row.task.done_by == "file" and not row.files.all():
            yield Proof(*place, "没有佐证材料")


def _contributions(asked: Subject, post: Post) -> Iterator[Proof]:
    rows = Contribution.objects.visible_to(post).select_related("target", "institution")
    match asked.scope:
        case "institution":
            rows = rows.filter(institution=asked.row, target__due__year=asked.year)
        case "item":
            return
        case "campaign":
            rows = rows.filter(target__campaign=asked.row)
    for row in rows.order_by("target", "institution__code").prefetch_related("files"):
        place = (_item(None), f"目标任务 {row.target.name}", row.institution.known_as)
        yield from _all(place, "目标佐证", row.files.all())
        if not row.is_confirmed:
            yield Proof(*place, f"目标任务{row.get_status_display()}")


def _visit_lines(asked: Subject, post: Post) -> Iterator[Proof]:
    rows = VisitLine.objects.visible_to(post).exclude(visit__status__in=("planned", "cancelled"))
    match asked.scope:
        case "institution":
            rows = rows.filter(visit__institution=asked.row, visit__round__year=asked.year)
        case "item":
            rows = rows.filter(_of_item(asked, "item"), visit__round__year=asked.year)
        case "campaign":
            rows = rows.filter(visit__round__campaign=asked.row)
    rows = rows.filter(files__isnull=False).distinct()
    rows = rows.select_related("item", "clause", "visit__institution", "visit__round")
    for row in rows.order_by("visit", "pk").prefetch_related("files"):
        matter = _clause(row.clause) or "督导记录"
        place = (_item(row.item), matter, row.visit.institution.known_as)
        yield from _all(place, f"{row.visit.round.name}现场照片", row.files.all())


def _rectifications(asked: Subject, post: Post) -> Iterator[Proof]:
    rows = Rectification.objects.visible_to(post).exclude(status=Rectification.Status.WITHDRAWN)
    of_year = Q(problem__year=asked.year) | Q(assigned_at__year=asked.year)
    match asked.scope:
        case "institution":
            rows = rows.filter(of_year, institution=asked.row)
        case "item":
            rows = rows.filter(of_year & _of_item(asked, "item"))
        case "campaign":
            rows = rows.filter(problem__campaign=asked.row)
    rows = rows.select_related("item", "institution", "problem__clause")
    rows = rows.prefetch_related("files", "problem__files")
    for row in rows.order_by("institution__code", "pk").iterator(chunk_size=500):
        matter = _clause(row.problem.clause) or "问题整改"
        text = one_line(row.problem.text)[:40]
        place = (_item(row.item), matter, row.institution.known_as)
        yield from _all(place, f"问题佐证 {text}", row.problem.files.all())
        yield from _all(place, f"整改佐证 {text}", row.files.all())
        if row.status != Rectification.Status.CLOSED:
            late = "，已超过时限" if row.is_overdue else ""
            yield Proof(*place, f"整改{row.get_status_display()}{late}：{text}")
        elif not row.files.all():
            yield Proof(*place, f"已销号但没有整改佐证：{text}")


def _notices(asked: Subject, post: Post) -> Iterator[Proof]:
    rows = Notice.objects.visible_to(post).filter(status__in=Notice.SHOWN)
    match asked.scope:
        case "institution":
            rows = rows.filter(recipients__institution=asked.row, year=asked.year)
        case "item":
            return
        case "campaign":
            rows = rows.filter(campaign=asked.row)
    for row in rows.distinct().select_related("paper", "institution").order_by("pk"):
        if row.paper is not None:
            office = row.institution.known_as
            yield Proof(_item(None), "通报通知", office, row.number_text, row.paper)


def _score_lines(asked: Subject, post: Post) -> Iterator[Proof]:
    rows = ScoreLine.objects.visible_to(post).exclude(
        sheet__evaluation__status=Evaluation.Status.DRAFT
    )
    match asked.scope:
        case "institution":
            rows = rows.filter(sheet__institution=asked.row, sheet__year=asked.year)
        case "item":
            rows = rows.filter(_of_item(asked, "section__item"), sheet__year=asked.year)
        case "campaign":
            rows = rows.filter(sheet__evaluation__campaign=asked.row)
    rows = rows.select_related("section__item", "clause", "sheet__institution", "sheet")
    rows = rows.prefetch_related("files").order_by("sheet__institution__code", "sheet", "pk")
    for row in rows.iterator(chunk_size=1000):
        when = f"第{'一二三四'[row.sheet.quarter - 1]}季度" if row.sheet.quarter else "年度"
        place = (_item(row.section.item), _clause(row.clause), row.sheet.institution.known_as)
        yield from _all(place, f"{when}自评佐证", row.files.all())
        # What was imported from paper never had files here.
        if row.self_full and not row.files.all() and not row.sheet.imported:
            yield Proof(*place, f"{when}自评没有佐证材料")


def _all(place: tuple[str, str, str], what: str, stored: Iterable[StoredFile]) -> Iterator[Proof]:
    for file in stored:
        yield Proof(*place, what, file)


# --- The package --------------------------------------------------------------------------------------


def build(job: Job, progress: Progress) -> Outcome:
    """Make the package of a job for the post that asked. Raises `Refusal` with a Chinese reason."""
    post = job.owner
    held = Post.objects.held().filter(pk=post.pk).exists()
    if not held or not post.has_perm(PERM) or job.unit_id != post.institution_id:
        raise Refusal("这个任职不能生成资料包。")
    asked = subject(job.params["scope"], job.params["pk"], job.params["year"], post)
    if asked is None:
        raise Refusal("要整理的机构、项目或活动不在可见范围内。")
    there, missing = _sorted(proofs(asked, post))
    if sum(proof.file.size for proof in there if proof.file) > MOST_BYTES:
        raise Refusal("材料超过 2 GB，请按项目或机构分开生成。")
    Job.objects.filter(pk=job.pk).update(total=len(there))
    made = settings.FILES_ROOT / f"{uuid.uuid4().hex}.making"
    made.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        lost = _write(made, asked, post, there, missing, progress)
        name = f"迎检资料包 {_safe(asked.label, 60)} {clock.today():%Y%m%d}.zip"
        result = files.adopt(made, name=name, kind="zip", content_type="application/zip", by=post)
    finally:
        made.unlink(missing_ok=True)
    _record(job, asked, post, len(there), result)
    report = {
        "资料包": asked.label,
        "材料": f"{len(there) - len(lost)} 份",
        "缺少": f"{len(missing) + len(lost)} 项",
        "sha256": result.sha256,
    }
    return Outcome(report=report, total=len(there), result=result)


def _sorted(found: Iterable[Proof]) -> tuple[list[Proof], list[Proof]]:
    there: list[Proof] = []
    missing: list[Proof] = []
    for proof in found:
        (missing if proof.file is None else there).append(proof)

    def order(proof: Proof) -> tuple[str, str, str]:
        return proof.item, proof.matter, proof.institution

    return sorted(there, key=order), sorted(missing, key=order)


def _write(
    made: Path,
    asked: Subject,
    post: Post,
    there: list[Proof],
    missing: list[Proof],
    progress: Progress,
) -> list[Proof]:
    """Write files, then the index; returns what is registered but no longer on disk."""
    index: list[tuple[Any, ...]] = []
    lost: list[Proof] = []
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as package:
        if asked.scope == "campaign":
            content = official.write(campaign_paper(asked.row, post))
            package.writestr(f"{_safe(f'{asked.row.number} {asked.row.title}')}.docx", content)
        for number, proof in enumerate(there, 1):
            path = _path(number, proof)
            if not _add(package, proof, path):
                gone = Proof(proof.item, proof.matter, proof.institution, f"文件丢失：{proof.what}")
                lost.append(gone)
                continue
            words = (proof.item, proof.matter, proof.institution, proof.what)
            index.append((number, *words, path))
            progress(number)
        gaps = [
            (number, gap.item, gap.matter, gap.institution, gap.what)
            for number, gap in enumerate([*missing, *lost], 1)
        ]
        for name, headers, rows in (("索引", INDEX, index), ("缺少的材料", GAPS, gaps)):
            with package.open(f"{name}.xlsx", "w") as stream:
                sheets.write_xlsx(rows, headers, stream, title=name)  # type: ignore[arg-type]
        package.writestr("索引.docx", official.write(_index_paper(asked, post, index, gaps)))
    return lost


def _add(package: zipfile.ZipFile, proof: Proof, path: str) -> bool:
    file = proof.file
    if file is None or not file.path.exists():
        return False
    stored = zipfile.ZIP_STORED if file.kind in PACKED else zipfile.ZIP_DEFLATED
    package.write(file.path, path, compress_type=stored)
    return True


def _path(number: int, proof: Proof) -> str:
    """A readable path: item / clause / number, institution, what it is, its own name."""
    file = proof.file
    own = file.name if file else ""
    stem, _, suffix = own.rpartition(".")
    name = _safe(f"{number:04d} {proof.institution} {proof.what} {stem or own}", 90)
    ending = f".{suffix}" if stem and suffix.isascii() and suffix.isalnum() else ""
    return f"{_safe(proof.item, 30)}/{_safe(proof.matter, 40)}/{name}{ending}"


def _safe(text: str, length: int = 80) -> str:
    """A name that Windows, too, can unpack."""
    return _UNSAFE.sub(" ", one_line(text))[:length].strip(" .") or "未命名"


def _index_paper(asked: Subject, post: Post, index: list[Any], gaps: list[Any]) -> Paper:
    def cells(rows: list[Any], columns: int) -> list[list[str]]:
        return [[str(cell) for cell in row[:columns]] for row in rows[:LISTED]]

    more = f"只列前{LISTED}项，全部见同名 XLSX 文件" if max(len(index), len(gaps)) > LISTED else ""
    annexes = [Annex("材料索引", INDEX, cells(index, 6), (3, 6, 8, 7, 9, 18), more)]
    if gaps:
        annexes.append(Annex("缺少的材料", GAPS, cells(gaps, 5), (3, 6, 10, 7, 20), more))
    text = (
        f"本资料包由系统按{post.title}的查看权限整理，共有材料{len(index)}份，按服务项目、条款分文件夹存放；"
        f"缺少材料{len(gaps)}项，列在附件中，请在迎检前补齐。"
    )
    return Paper(
        office=post.institution.name,
        title=f"{asked.label}迎检资料索引",
        day=clock.today(),
        body=blocks(text),
        annexes=annexes,
    )


def _record(job: Job, asked: Subject, post: Post, count: int, result: StoredFile) -> None:
    with transaction.atomic():
        audit.record(
            "portal.dossier",
            "生成迎检资料包",
            by=audit.actor(post, address=job.params.get("address", "")),
            bureau=job.unit.bureau_id,
            institution=job.unit,
            note=f"{asked.label}，材料 {count} 份"[:500],
            data={"scope": asked.scope, "pk": asked.row.pk, "sha256": result.sha256},
        )


def years() -> list[int]:
    this: date = clock.today()
    return [this.year - back for back in range(4)]
