"""`manage.py restore DIR [--force]`: put a verified backup in place."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import backups


class Command(BaseCommand):
    help = "核对备份后恢复数据库和全部文件；已有数据时须加 --force。"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dir", type=Path, help="备份目录")
        parser.add_argument("--force", action="store_true", help="覆盖现有的数据库和文件")

    def handle(self, *, dir: Path, force: bool, **options: Any) -> None:
        try:
            manifest = backups.restore(dir, force=force)
        except (backups.BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"已恢复 {manifest.made_at} 的备份：版本 {manifest.version}，"
            f"文件 {len(manifest.files)} 个。请执行 manage.py migrate。"
        )
