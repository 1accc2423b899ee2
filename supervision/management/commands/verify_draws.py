import sys

from django.core.management.base import BaseCommand

from supervision import lots
from supervision.models import Draw


class Command(BaseCommand):
    help = "Draw every recorded lot again from its seed; exit 1 when one does not come out as recorded."

    def handle(self, *args, **options):
        count = wrong = 0
        for row in Draw.objects.select_related("round").order_by("pk").iterator(chunk_size=200):
            count += 1
            if fault := lots.check(row):
                wrong += 1
                self.stderr.write(f"{row}（{row.pk}）：{fault}")
        self.stdout.write(f"重放 {count} 次抽取，{wrong} 次不符")
        if wrong:
            sys.exit(1)
