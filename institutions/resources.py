"""django-import-export in the admin: a thin adapter over our tables, so that both ways obey the same checks.

Reading is `sheets.read_sheet` (the zip is checked before any parser opens it), checking and writing is the `Table`,
formulas are guarded by `sheets.write_csv` and `write_xlsx`. There is no hidden `id` column and no other format.
In the admin, 导入 leads to the portal's own import page, where an upload belongs to the post that sent it.
"""

import io
from typing import Any, ClassVar

import tablib
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.shortcuts import redirect
from django.urls import reverse
from import_export.admin import ImportExportMixin
from import_export.formats.base_formats import Format
from import_export.resources import Resource
from import_export.results import Error, Result, RowResult

from institutions import audit
from institutions.models import Post
from institutions.sheets import Refusal, read_sheet, write_csv, write_xlsx
from institutions.tables import InstitutionTable, PopulationTable, Scope, Table, UserTable


class SheetFormat(Format):
    """A format of ours; the dataset it makes keeps the bytes it was made from."""

    suffix: ClassVar[str]
    content_type: ClassVar[str]

    def __init__(self, encoding: str | None = None) -> None:
        self.encoding = encoding

    def get_title(self) -> str:
        return self.suffix

    def get_extension(self) -> str:
        return self.suffix

    def get_content_type(self) -> str:
        return self.content_type

    def can_import(self) -> bool:
        return True

    def can_export(self) -> bool:
        return True

    def create_dataset(self, in_stream: bytes) -> tablib.Dataset:
        """Read a file; raises `ValueError` with the reason for a file that is refused."""
        try:
            sheet = read_sheet(io.BytesIO(in_stream), f"file.{self.suffix}")
            rows = [[row.cells.get(header, "") for header in sheet.headers] for row in sheet.rows]
        except Refusal as refusal:
            raise ValueError(str(refusal)) from refusal
        dataset = tablib.Dataset(*rows, headers=sheet.headers)
        dataset.source = (in_stream, f"file.{self.suffix}")
        return dataset


class SheetCSV(SheetFormat):
    suffix = "csv"
    content_type = "text/csv; charset=utf-8"

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> bytes:
        return b"".join(write_csv(dataset, dataset.headers))


class SheetXLSX(SheetFormat):
    suffix = "xlsx"
    content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> bytes:
        content = io.BytesIO()
        write_xlsx(dataset, dataset.headers, content)
        return content.getvalue()


FORMATS = [SheetCSV, SheetXLSX]
TYPES = {
    "new": RowResult.IMPORT_TYPE_NEW,
    "changed": RowResult.IMPORT_TYPE_UPDATE,
}


class TableResource(Resource):
    """A table for django-import-export, on behalf of a post."""

    table: ClassVar[type[Table]]

    class Meta:
        use_transactions = True
        clean_model_instances = True
        skip_unchanged = True

    def __init__(self, *, post: Post, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.post = post

    def export(self, queryset=None, **kwargs: Any) -> tablib.Dataset:
        """All rows that the post sees; `queryset` says nothing that the scope does not say better."""
        table = self.table(Scope.of(self.post, reading=True))
        return tablib.Dataset(*table.export(None), headers=table.headers())

    def import_data(self, dataset: tablib.Dataset, dry_run: bool = False, **kwargs: Any) -> Result:
        """Check a file made by one of our formats, and write it unless `dry_run`; whole or not at all."""
        result = Result()
        result.diff_headers = ["行", "对象", "内容"]
        if not self.table.may_import(self.post):
            raise PermissionDenied(f"本岗位不能导入“{self.table.label}”")
        content, name = dataset.source
        table = self.table(Scope.of(self.post))
        try:
            plan = table.plan(io.BytesIO(content), name)
            if plan.ok and not dry_run:
                table.commit(plan)
        except Refusal as refusal:
            result.append_base_error(Error(refusal))
            return result
        for fault in plan.errors:
            bad = RowResult()
            bad.import_type = RowResult.IMPORT_TYPE_ERROR
            bad.errors = [Error(ValueError(str(fault)), {}, fault.row)]
            result.append_row_result(bad)
            result.increment_row_result_total(bad)
        for change in plan.changes:
            row = RowResult()
            row.import_type = TYPES[change.state]
            shown = "；".join(f"{header} {old} → {new}" for header, old, new in change.diffs)
            row.diff = [change.number, change.name, shown]
            result.append_row_result(row)
            result.increment_row_result_total(row)
        result.totals[RowResult.IMPORT_TYPE_SKIP] += plan.unchanged
        result.total_rows = len(plan.rows)
        return result


class InstitutionResource(TableResource):
    table = InstitutionTable


class PopulationResource(TableResource):
    table = PopulationTable


class UserResource(TableResource):
    table = UserTable


class TableAdminMixin(ImportExportMixin):
    """导入 and 导出 above a list of the admin. Set `resource_classes` to one `TableResource`."""

    import_formats = export_formats = FORMATS
    skip_export_form = True

    @property
    def _table(self) -> type[Table]:
        return self.resource_classes[0].table

    def get_resource_kwargs(self, request, *args, **kwargs):
        return {"post": request.post}

    def get_export_formats(self):
        return FORMATS

    def has_import_permission(self, request) -> bool:
        return self._table.may_import(request.post)

    def has_export_permission(self, request) -> bool:
        return self._table.may_export(request.post)

    def import_action(self, request, **kwargs):
        """The one page where files come in."""
        return redirect(f"{reverse('import_start')}?kind={self._table.kind}")

    def process_import(self, request, **kwargs):
        return self.import_action(request)

    def export_action(self, request):
        if not self.has_export_permission(request):
            raise PermissionDenied
        with transaction.atomic():
            audit.record(
                "portal.export",
                f"导出{self._table.label}",
                by=request.post,
                bureau=request.post.institution.bureau_id,
            )
        chosen = SheetXLSX if request.GET.get("format") == "xlsx" else SheetCSV
        return self._do_file_export(chosen(), request, self.model._default_manager.none())
