"""`manage.py create_admin --unit CODE --username NAME`: the first system administrator of a bureau.

There is no default account and no initial password: the activation code is printed once, here.
"""

import getpass
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from institutions import accounts, audit
from institutions.models import Institution, Kind, Post, Region, User
from institutions.roles import Role


class Command(BaseCommand):
    help = "建立一个卫生健康行政部门的系统管理员，显示一次激活码。空库时可同时建立该部门。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--unit", required=True, help="卫生健康行政部门的机构代码")
        parser.add_argument("--username", required=True, help="用户名")
        parser.add_argument("--person", default="系统管理员", help="姓名，默认“系统管理员”")
        parser.add_argument("--name", help="机构名称：库中还没有机构时，以此建立")
        parser.add_argument("--region", help="行政区划代码：同上")
        parser.add_argument("--another", action="store_true", help="已有系统管理员时仍再建一个")

    def handle(self, *, unit: str, username: str, person: str, **options: Any) -> None:
        try:
            with transaction.atomic():
                bureau = self._bureau(unit, options["name"], options["region"])
                user = User(username=User.normalize_username(username).lower(), name=person)
                code = self._administrator(bureau, user, another=options["another"])
        except ValidationError as error:
            raise CommandError("；".join(error.messages)) from error
        self.stdout.write(f"已建立 {bureau.name} 的系统管理员，用户名 {user.username}")
        self.stdout.write(f"激活码（只显示这一次，{accounts.CODE_DAYS} 日内有效）：{code}")
        self.stdout.write("请打开门户的 /activate/ 页面设置密码。")

    def _bureau(self, unit: str, name: str | None, region: str | None) -> Institution:
        bureau = Institution.objects.filter(code=unit).first()
        if bureau is not None:
            if not bureau.is_bureau:
                raise CommandError(f"{bureau.name}不是卫生健康行政部门")
            return bureau
        if Institution.objects.exists():
            raise CommandError(f"没有代码为 {unit} 的机构")
        if not name:
            raise CommandError("库中还没有机构：请用 --name 和 --region 说明要建立的部门")
        area = Region.objects.filter(code=region).first() if region else None
        if area is None:
            raise CommandError(
                f"没有这个行政区划代码：{region or '未填写'}（先执行 load_reference）"
            )
        bureau = Institution(code=unit, name=name, kind=Kind.BUREAU, region=area)
        bureau.full_clean(exclude=["bureau"])
        bureau.save()
        return bureau

    def _administrator(self, bureau: Institution, user: User, *, another: bool) -> str:
        if (
            not another
            and Post.objects.held().filter(institution=bureau, role=Role.SYSTEM).exists()
        ):
            raise CommandError(f"{bureau.name}已有系统管理员；确需再建，请加 --another")
        operator = audit.Actor(None, _operator())
        code = accounts.open_login(user, by=operator, institution=bureau)
        post = Post(institution=bureau, role=Role.SYSTEM, title="系统管理员", user=user)
        post.full_clean()
        post.save()
        audit.record(
            "post.opened",
            "新建任职",
            by=operator,
            bureau=bureau.bureau_id,
            on=post,
            institution=bureau,
            after=Role.SYSTEM.label,
            note=f"任职人：{user}",
        )
        return code


def _operator() -> str:
    """Return who runs the command, as the operating system knows him."""
    try:
        return f"命令行（{getpass.getuser()}）"
    except (KeyError, OSError):
        return "命令行"
