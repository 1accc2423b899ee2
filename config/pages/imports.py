"""Tables in and out on the screen: choose, upload, see every error or every change, confirm once."""

import io
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO
from urllib.parse import quote

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from config.tables import KINDS, exportable, importable
from institutions import audit, clock, files, jobs, sheets
from institutions.http import Request
from institutions.lists import job_state
from institutions.middleware import client_address
from institutions.models import Job, Post
from institutions.tables import Scope, Table
from institutions.tables.template import write_template
from institutions.uploads import clean_name

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CONTENT_TYPES = {"csv": "text/csv", "xlsx": XLSX}
AT_ONCE_BYTES = 200_000  # about two thousand rows
STATES = {"new": "新增", "changed": "修改"}


class ImportForm(forms.Form):
    """What to import: one of the kinds that the post may import, and a file."""

    kind = forms.ChoiceField(label="导入什么")
    file = forms.FileField(
        label="文件",
        help_text="XLSX 或 CSV，第一行为表头。不超过 50 MB、20 万行。",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.xlsx"}),
    )

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(table.kind, table.label) for table in importable(post)]
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]

    def clean_file(self):
        upload = self.cleaned_data["file"]
        suffix = (upload.name or "").rpartition(".")[2].lower()
        if suffix not in CONTENT_TYPES:
            raise forms.ValidationError("请选择 .xlsx 或 .csv 文件；其他格式请先另存为 .xlsx。")
        if upload.size > sheets.MAX_BYTES:
            limit = sheets.MAX_BYTES // 1_000_000
            raise forms.ValidationError(f"文件超过 {limit} MB，请拆分后再导入。")
        return upload


@require_safe
@permission_required("institutions.import_table", raise_exception=True)
def import_start(request: Request) -> HttpResponse:
    return _start(request, ImportForm(post=request.post, initial={"kind": request.GET.get("kind")}))


def _start(request: Request, form: ImportForm) -> HttpResponse:
    own = Job.objects.visible_to(request.post).filter(kind="import")
    waiting = own.filter(state=Job.State.STAGED, created_at__gt=_since()).order_by("-pk")
    exports = {table.kind for table in exportable(request.post)}
    context = {
        "form": form,
        "tables": importable(request.post),
        "others": [t for t in exportable(request.post) if not t.may_import(request.post)],
        "exports": exports,
        "waiting": waiting[:10],
        "unit": request.post.institution,
    }
    return render(request, "config/import_start.html", context)


@require_POST
@permission_required("institutions.import_table", raise_exception=True)
def import_stage(request: Request) -> HttpResponse:
    """Keep the file as it came and check it; large ones are checked by the worker."""
    form = ImportForm(request.POST, request.FILES, post=request.post)
    if not form.is_valid():
        return _start(request, form)
    jobs.expire()
    upload, table = form.cleaned_data["file"], KINDS[form.cleaned_data["kind"]]
    name = clean_name(upload.name)
    suffix = name.rpartition(".")[2].lower()
    source = files.keep(
        upload.read(), name=name, kind=suffix, content_type=CONTENT_TYPES[suffix], by=request.post
    )
    job = jobs.queue(
        "import",
        f"导入{table.label}：{name}",
        by=request.post,
        source=source,
        params={"kind": table.kind, "file": name, "address": client_address(request)},
    )
    jobs.start(job, rows=0 if upload.size <= AT_ONCE_BYTES else jobs.AT_ONCE + 1)
    return redirect("import_detail", job.pk)


def _since():
    return clock.now() - jobs.STAGED_FOR


def _own(request: Request, pk: int) -> Job:
    """A file of this very post; anybody else's is not there."""
    rows = Job.objects.visible_to(request.post).filter(kind="import")
    return get_object_or_404(rows.select_related("unit", "result"), pk=pk)


@require_safe
@permission_required("institutions.import_table", raise_exception=True)
def import_detail(request: Request, pk: int) -> HttpResponse:
    """Every error, or every change; then what came of it."""
    job = _own(request, pk)
    report = job.report
    context = {
        "job": job,
        "tag": job_state(job),
        "table": KINDS[job.params["kind"]],
        "running": job.state in (Job.State.QUEUED, Job.State.RUNNING),
        "staged": job.state == Job.State.STAGED and job.created_at > _since(),
        "expired": job.state == Job.State.STAGED and job.created_at <= _since(),
        "done": job.state == Job.State.DONE,
        "report": report,
        "summary": report.get("结果", ""),
        "number": report.get("编号", ""),
        "new": report.get("新增", 0),
        "changed": report.get("修改", 0),
        "unchanged": report.get("没有变化", 0),
        "error_count": report.get("错误", 0),
        "changes": [
            (row, STATES[state], name, d) for row, state, name, d in report.get("changes", [])
        ],
        "crumbs": [("导入", reverse("import_start"))],
    }
    return render(request, "config/import_detail.html", context)


@require_POST
@permission_required("institutions.import_table", raise_exception=True)
def import_confirm(request: Request, pk: int) -> HttpResponse:
    """Write a checked file, once: of two confirmations, one finds it still staged."""
    job = _own(request, pk)
    if job.report.get("修改") and not request.POST.get("overwrite"):
        messages.error(request, "这份文件会修改已有数据，请先勾选“同意修改”。")
        return redirect("import_detail", job.pk)
    params = {**job.params, "confirmed": (job.report.get("plan") or [""])[0]}
    staged = Job.objects.visible_to(request.post).filter(
        pk=job.pk, state=Job.State.STAGED, created_at__gt=_since()
    )
    if not staged.update(state=Job.State.QUEUED, params=params):
        messages.warning(request, "这份文件已经处理过或已过期，没有重复导入。")
        return redirect("import_detail", job.pk)
    job.refresh_from_db()
    jobs.start(job, rows=job.total)
    if job.state == Job.State.DONE:
        messages.success(request, f"导入完成：{job.report['结果']}。")
    return redirect("import_detail", job.pk)


@require_POST
@permission_required("institutions.import_table", raise_exception=True)
def import_drop(request: Request, pk: int) -> HttpResponse:
    """Put a checked file aside; the upload is forgotten."""
    job = _own(request, pk)
    staged = Job.objects.visible_to(request.post).filter(pk=job.pk, state=Job.State.STAGED)
    if staged.update(state=Job.State.DROPPED, source=None, report={}, finished_at=clock.now()):
        messages.success(request, "已放弃这次导入，什么也没有写入。")
    return redirect("import_start")


@require_safe
@permission_required("institutions.import_table", raise_exception=True)
def import_errors(request: Request, pk: int) -> FileResponse:
    """All errors of a refused file, to work through in Excel."""
    job = _own(request, pk)
    return files.serve(job.results, job.result.key if job.result else "")


@require_safe
@permission_required("institutions.import_table", raise_exception=True)
def import_template(request: Request, kind: str) -> HttpResponse:
    """An empty workbook of a kind, with what each column means on its second sheet."""
    table = _kind(kind)
    if not table.may_import(request.post):
        raise PermissionDenied(f"本岗位不能导入“{table.label}”")
    content = io.BytesIO()
    write_template(table, content)
    response = HttpResponse(content.getvalue(), content_type=XLSX)
    return _attached(response, f"{table.label}-模板.xlsx")


@require_safe
@permission_required("institutions.export_table", raise_exception=True)
def table_export(request: Request, kind: str) -> HttpResponse:
    """A table as this post sees it, as CSV or XLSX; `?year=2023` narrows it to a year."""
    table_class = _kind(kind)
    if not table_class.may_export(request.post):
        raise PermissionDenied(f"本岗位不能导出“{table_class.label}”")
    year = _year(request.GET.get("year", ""))
    suffix = "xlsx" if request.GET.get("format") == "xlsx" else "csv"
    table = table_class(Scope.of(request.post, reading=True))
    with transaction.atomic():
        audit.record(
            "portal.export",
            f"导出{table.label}",
            by=request.post,
            bureau=request.post.institution.bureau_id,
            note=f"年度 {year}" if year else "",
        )
    name = f"{table.label}-{clock.today():%Y%m%d}.{suffix}"
    if suffix == "csv":
        answer = StreamingHttpResponse(
            table.write_csv(year), content_type="text/csv; charset=utf-8"
        )
        return _attached(answer, name)
    content = _spooled()
    table.write_xlsx(year, content)
    content.seek(0)
    return _attached(StreamingHttpResponse(_pieces(content), content_type=XLSX), name)


def _kind(kind: str) -> type[Table]:
    if kind not in KINDS:
        raise Http404
    return KINDS[kind]


def _year(text: str) -> int | None:
    try:
        return sheets.year(text) if text else None
    except ValueError as error:
        raise Http404 from error


def _spooled() -> BinaryIO:
    return SpooledTemporaryFile(max_size=5_000_000)  # type: ignore[return-value]


def _pieces(content: BinaryIO) -> Iterator[bytes]:
    with content:
        while piece := content.read(1 << 16):
            yield piece


def _attached(response: Any, name: str) -> Any:
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return response
