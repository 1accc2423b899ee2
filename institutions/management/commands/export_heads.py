"""`manage.py export_heads [FILE]`: the ends of all chains, to be kept where the database's keeper cannot write."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from institutions import audit, clock


class Command(BaseCommand):
    help = "导出各记录链的链头（JSON）。请保存到数据库管理员不能改写的地方，供 verify_audit --heads 核对。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", help="文件名；不填写到标准输出")

    def handle(self, *, file: Path | None = None, **options: Any) -> None:
        if file is None:
            self.stdout.write(heads_text())
        else:
            file.write_text(heads_text(), encoding="utf-8")


def heads_text() -> str:
    """Return the heads as JSON: {"at": moment, "heads": {key: [seq, mac]}}."""
    heads = {str(key): list(head) for key, head in audit.heads().items()}
    told = {"at": clock.now().isoformat(timespec="seconds"), "heads": heads}
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"
