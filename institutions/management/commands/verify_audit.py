"""`manage.py verify_audit [--heads FILE]`: has anything in the record of events been changed?"""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from institutions import audit


class Command(BaseCommand):
    help = "逐条校验操作记录链。全部相符时退出码为 0；有不符之处逐条列在标准错误，退出码为 1。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--heads", type=Path, help="以往导出的链头文件（export_heads、daily）")

    def handle(self, *, heads: Path | None = None, **options: Any) -> None:
        broken = 0
        for found in audit.verify(read_heads(heads) if heads else None):
            self.stderr.write(str(found))
            broken += 1
        if broken:
            raise CommandError(f"操作记录有 {broken} 处不符", returncode=1)
        self.stdout.write("操作记录全部相符。")


def read_heads(path: Path) -> dict[int, tuple[int, str]]:
    """Return key → (seq, mac) from a file of exported heads; raises CommandError when it is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["heads"]
        return {int(key): (int(seq), str(mac)) for key, (seq, mac) in found.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CommandError(f"读不出链头文件 {path}：{error}") from error
