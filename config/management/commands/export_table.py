"""python manage.py export_table KIND FILE [--unit CODE] [--year YEAR]: docs/formats.md."""

import os
import sys
from pathlib import Path

from django.core.management.base import BaseCommand
from django.db import transaction

from config.tables import command_scope, kind_named
from institutions import audit
from institutions.sheets import Refusal


class Command(BaseCommand):
    help = "Write a table of what a unit has to a CSV or XLSX file, by the file's ending."

    def add_arguments(self, parser):
        parser.add_argument("kind", metavar="KIND", help="institutions, population, …, year_end")
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--unit", default="", metavar="CODE", help="whose data")
        parser.add_argument("--year", type=int, metavar="YEAR")

    def handle(self, *args, **options):
        try:
            self.write(**options)
        except Refusal as refusal:
            self.stderr.write(str(refusal))
            sys.exit(1)
        except OSError as error:
            self.stderr.write(f"文件“{options['file']}”写不了：{error.strerror}")
            sys.exit(1)

    def write(self, *, kind, file, unit, year, **options):
        suffix = file.suffix.lower()
        if suffix not in (".csv", ".xlsx"):
            raise Refusal("文件名应以 .csv 或 .xlsx 结尾。")
        table_class = kind_named(kind)
        scope = command_scope(table_class, unit, "")
        table = table_class(scope)
        # Written beside and renamed: a failure leaves no half file under the asked name.
        partial = file.with_name(f".{file.name}.part")
        try:
            with partial.open("wb") as stream:
                if suffix == ".csv":
                    stream.writelines(table.write_csv(year))
                else:
                    table.write_xlsx(year, stream)
            os.replace(partial, file)
        finally:
            partial.unlink(missing_ok=True)
        with transaction.atomic():
            audit.record(
                "portal.export",
                f"导出{table.label}",
                by=scope.actor,
                bureau=scope.unit.bureau_id if scope.unit else None,
                institution=scope.unit,
                note=f"年度 {year}" if year else "",
            )
        self.stdout.write(f"{table.label}：已写入 {file}")
