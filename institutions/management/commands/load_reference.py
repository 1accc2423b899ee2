import csv
from datetime import date
from importlib import resources

from django.core.management.base import BaseCommand
from django.db import transaction

from institutions import codes
from institutions.models import Region, ServiceItem


class Command(BaseCommand):
    help = "Load the regions of GB/T 2260 down to the county and the 12 service items; safe to run again."

    @transaction.atomic
    def handle(self, *args, **options):
        self.stdout.write(f"行政区划 {load_regions()}，服务项目 {load_items()}")


LEVELS = {"省": Region.Level.PROVINCE, "市": Region.Level.CITY, "县": Region.Level.COUNTY}


def load_regions() -> int:
    """Add the provinces, cities and counties that are missing; names that people corrected are kept."""
    known = {r.code: r for r in Region.objects.all()}
    named = list(codes.regions())
    for word, level in LEVELS.items():
        new = []
        for region in named:
            if region.level != word or region.code in known:
                continue
            parent = known.get(region.parent_code)
            row = Region(code=region.code, name=region.name, level=level, parent=parent)
            row.path = f"{parent.path if parent else ''}{row.code}/"
            row.valid_from = date(region.since, 1, 1) if region.since else None
            new.append(row)
        Region.objects.bulk_create(new, batch_size=500)
        known.update({r.code: r for r in new})
    return len(known)


def load_items() -> int:
    text = resources.files("institutions").joinpath("data/items.csv").read_text("utf-8-sig")
    known: dict[str, ServiceItem] = {}
    for row in csv.DictReader(text.splitlines()):
        aliases = [a for a in row["别名"].split(";") if a]
        known[row["项目代码"]], _ = ServiceItem.objects.update_or_create(
            code=row["项目代码"],
            defaults={
                "name": row["名称2023"],
                "short_name": row["简称"],
                "parent": known.get(row["上级项目代码"]),
                "aliases": aliases,
                "names": {"2017": row["名称2017"], "2023": row["名称2023"]},
                "key_group": row["重点人群"] == "是",
            },
        )
    return len(known)
