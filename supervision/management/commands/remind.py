"""`manage.py remind`: 催办 of rectifications; run once a day, safe to run twice, makes up for missed days."""

from typing import Any

from django.core.management.base import BaseCommand

from supervision.reminding import remind


class Command(BaseCommand):
    help = "催办整改：到期前、到期当日和逾期各步写入记录并通知有关岗位。可重复执行，漏跑的日子自动补上。"

    def handle(self, **options: Any) -> None:
        sent = remind()
        self.stdout.write(f"催办 {sent.steps} 步，通知 {sent.posts} 个岗位。")
