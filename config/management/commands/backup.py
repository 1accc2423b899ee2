"""`manage.py backup DIR`: database and stored files, with a manifest of hashes."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import backups


class Command(BaseCommand):
    help = "把数据库和全部文件备份到一个新目录，并写出清单。"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dir", type=Path, help="尚不存在的目录")

    def handle(self, *, dir: Path, **options: Any) -> None:
        try:
            manifest = backups.back_up(dir)
        except (backups.BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        size = sum(entry.size for entry in manifest.entries())
        self.stdout.write(f"已备份到 {dir}：文件 {len(manifest.files)} 个，共 {size} 字节。")
