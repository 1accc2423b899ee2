"""`manage.py daily`: what is done once a day; doing it twice does no harm.

Checks the heads exported last, exports today's, drops imports nobody confirmed for a day, removes files nobody owns and
sessions that are over.
"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from institutions import clock, files, jobs
from institutions.management.commands.export_heads import heads_text
from institutions.management.commands.verify_audit import read_heads
from institutions.models import Event
from institutions.sessions import SessionStore


class Command(BaseCommand):
    help = "每日例行工作：核对并导出链头，清理过期的暂存导入、无主文件和会话。可重复执行。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--heads-dir", type=Path, help="链头文件的目录，默认与附件目录并列的 heads"
        )

    def handle(self, *, heads_dir: Path | None = None, **options: Any) -> None:
        folder = heads_dir or settings.FILES_ROOT.parent / "heads"
        missing = self._missing(folder)
        written = self._export(folder) if not missing else None
        dropped = jobs.expire()
        purged = files.purge_orphans()
        SessionStore.clear_expired()
        self.stdout.write(
            f"放弃过期的暂存导入和中断任务 {dropped} 个，清理无主文件 {purged} 个，过期会话已清理。"
        )
        if missing:
            for line in missing:
                self.stderr.write(line)
            raise CommandError("操作记录与以往导出的链头不符，未覆盖导出；请执行 verify_audit 查明")
        self.stdout.write(f"链头已导出：{written}")

    def _missing(self, folder: Path) -> list[str]:
        """Return the heads exported last that are no longer there; a few index look-ups, whatever the length."""
        newest = max(folder.glob("heads-*.json"), default=None)
        if newest is None:
            return []
        return [
            f"{newest.name}：记录链 {key} 第 {seq} 条已不存在或已改变"
            for key, (seq, mac) in read_heads(newest).items()
            if seq and not Event.objects.filter(bureau=key or None, seq=seq, mac=mac).exists()
        ]

    def _export(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"heads-{clock.today():%Y%m%d}.json"
        partial = path.with_suffix(".part")
        partial.write_text(heads_text(), encoding="utf-8")
        partial.rename(path)
        return path
