"""`manage.py demo`: fill an empty database with the demo; `--accounts` and `--check` tell of it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.demo import state

IN_USE = (
    "The database already holds other data; the demo goes only into an empty one."
    " 数据库中已有其他数据，示例数据只能装入空库。"
)
CHECKED = {
    state.State.EMPTY: (0, "empty 空库"),
    state.State.DEMO: (3, "demo 示例库"),
    state.State.IN_USE: (1, "in use 已有其他数据"),
}


class Command(BaseCommand):
    help = "在空库中生成一年的示例数据；再次执行不会改变任何内容。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--accounts", action="store_true", help="列出示例账号和密码")
        which.add_argument(
            "--check", action="store_true", help="退出码：0 空库，3 示例库，1 已有其他数据"
        )

    def handle(self, *, accounts: bool, check: bool, **options: Any) -> None:
        held = state.of_database()
        if check:
            code, words = CHECKED[held]
            self.stdout.write(words)
            if code:
                raise SystemExit(code)
        elif accounts:
            self._accounts(held)
        elif held is state.State.IN_USE:
            raise CommandError(IN_USE)
        elif held is state.State.DEMO:
            self.stdout.write("示例数据已在库中，没有改变任何内容。The demo is already there.")
        else:
            self._build()

    def _build(self) -> None:
        from config.demo import building

        for line in building.build():
            self.stdout.write(line)

    def _accounts(self, held: state.State) -> None:
        from config.demo import accounts

        if held is state.State.DEMO:
            self.stdout.write(accounts.table())
        else:
            self.stdout.write("这不是示例库，没有示例账号。Not a demo: no demo accounts.")
