"""`manage.py verify DIR`: is every byte of a backup still what it was?"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import backups


class Command(BaseCommand):
    help = "逐一核对备份目录中的数据库和文件。"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dir", type=Path, help="备份目录")

    def handle(self, *, dir: Path, **options: Any) -> None:
        try:
            manifest = backups.verify(dir)
        except (backups.BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"备份完好：{manifest.made_at}，版本 {manifest.version}，文件 {len(manifest.files)} 个。"
        )
