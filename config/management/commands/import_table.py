"""python manage.py import_table KIND FILE [--unit CODE] [--as USERNAME] [--dry-run]: docs/formats.md."""

import io
import sys
from pathlib import Path

from django.core.management import call_command
from django.core.management.base import BaseCommand

from config.tables import command_scope, kind_named
from institutions.models import Region, ServiceItem
from institutions.sheets import Refusal


class Command(BaseCommand):
    help = "Import a table (CSV or XLSX) whole, or say on standard error why not (exit 1)."

    def add_arguments(self, parser):
        parser.add_argument("kind", metavar="KIND", help="institutions, population, users, …")
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--unit", default="", metavar="CODE", help="on whose behalf")
        parser.add_argument("--as", dest="username", default="", metavar="USERNAME")
        parser.add_argument("--dry-run", action="store_true", help="check, and write nothing")

    def handle(self, *args, **options):
        try:
            self.bring(**options)
        except Refusal as refusal:
            self.stderr.write(str(refusal))
            sys.exit(1)
        except OSError as error:
            self.stderr.write(f"文件“{options['file']}”打不开：{error.strerror}")
            sys.exit(1)

    def bring(self, *, kind, file, unit, username, dry_run, **options):
        table_class = kind_named(kind)
        with file.open("rb") as stream:
            if not (ServiceItem.objects.exists() and Region.objects.exists()):
                call_command("load_reference", stdout=io.StringIO())  # every table is checked by it
            table = table_class(command_scope(table_class, unit, username))
            plan = table.plan(stream, file.name)
        for note in plan.notes:
            self.stdout.write(f"提示：{note}")
        if not plan.ok:
            for error in plan.errors:
                self.stderr.write(str(error))
            more = plan.error_count - len(plan.errors)
            self.stderr.write(f"{plan}" + (f"（另有 {more} 处未列出）" if more else ""))
            sys.exit(1)
        if not dry_run:
            table.commit(plan)
        tail = "（试运行，没有写入）" if dry_run else ""
        self.stdout.write(f"{table.label}：{plan}{tail}")
