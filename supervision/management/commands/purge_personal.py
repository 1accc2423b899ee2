from typing import Any

from django.core.management.base import BaseCommand

from supervision import retention


class Command(BaseCommand):
    help = "清除到期的抽查档案编号和电话、居民问卷电话、异议的称呼和电话（每日执行，可重复执行）。"

    def handle(self, **options: Any) -> None:
        done = retention.purge()
        self.stdout.write(
            f"清除抽查档案 {done.records} 份、居民问卷 {done.surveys} 份、"
            f"异议 {done.objections} 条的个人信息。"
        )
