import getpass
import sys

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand

from institutions.audit import Actor
from institutions.models import Institution, Post
from scoring.year_end import YearRefused, may_freeze, may_settle, settle


class Command(BaseCommand):
    help = "Compute the year-end table of a bureau or a centre: scores, ranks, grades, money."

    def add_arguments(self, parser):
        parser.add_argument("year", type=int, metavar="YEAR")
        parser.add_argument(
            "--unit", required=True, metavar="CODE", help="机构代码 of the bureau or centre"
        )
        parser.add_argument(
            "--as", dest="username", default="", metavar="USERNAME", help="who does it"
        )
        parser.add_argument("--freeze", action="store_true", help="close the table for good")

    def handle(self, *args, **options):
        try:
            unit = self._unit(options["unit"])
            by = self._actor(options["username"], unit, freeze=options["freeze"])
            rows = settle(unit, options["year"], by=by, freeze=options["freeze"])
        except (YearRefused, PermissionDenied) as refused:
            for reason in getattr(refused, "reasons", [str(refused)]):
                self.stderr.write(reason)
            sys.exit(1)
        state = "已定稿" if options["freeze"] else "未定稿"
        self.stdout.write(f"{unit.name} {options['year']} 年终表：{len(rows)} 家机构，{state}")
        for row in rows:
            for warning in row.details["warnings"]:
                self.stdout.write(f"提示：{row.institution.name}：{warning}")

    def _unit(self, code: str) -> Institution:
        unit = Institution.objects.select_related("bureau").filter(code=code).first()
        if unit is None:
            raise YearRefused([f"没有机构代码为「{code[:32]}」的机构"])
        return unit

    def _actor(self, username: str, unit: Institution, *, freeze: bool) -> Post | Actor:
        if not username:
            return Actor(None, f"命令行 {getpass.getuser()}"[:120])
        posts = Post.objects.held().filter(user__username=username, institution=unit)
        for post in posts.select_related("institution", "user"):
            if may_settle(unit, post) and (not freeze or may_freeze(unit, post)):
                return post
        wanted = "计算并定稿" if freeze else "计算"
        raise YearRefused([f"用户「{username[:40]}」没有在{unit.name}{wanted}年终结果的任职"])
