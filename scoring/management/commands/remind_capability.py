"""`manage.py remind_capability`: the deadlines of 优质服务基层行; run once a day, safe to run twice."""

from typing import Any

from django.core.management.base import BaseCommand

from scoring.capability_reminding import remind


class Command(BaseCommand):
    help = "提醒优质服务基层行自查和复核的截止日期。可重复执行，漏跑的日子自动补上。"

    def handle(self, **options: Any) -> None:
        self.stdout.write(f"优质服务基层行提醒 {remind()} 步。")
