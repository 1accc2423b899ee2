"""All kinds of tables of all floors, in the order of docs/formats.md, and on whose behalf a command speaks."""

import getpass

from campaigns.tables import TABLES as CAMPAIGNS
from institutions.audit import Actor, actor
from institutions.models import Institution, Kind, Post
from institutions.sheets import Refusal
from institutions.tables import TABLES as INSTITUTIONS
from institutions.tables import Scope, Table
from scoring.tables import TABLES as SCORING
from supervision.tables import TABLES as SUPERVISION

ORDER = [
    "institutions",
    "population",
    "users",
    "staff",
    "capacity",
    "standard",
    "series_values",
    "scores",
    "problems",
    "experts",
    "complaints",
    "adjustments",
    "work_units",
    "workload",
    "service_costs",
    "planned_work",
    "funds",
    "policy",
    "year_end",
]
KINDS: dict[str, type[Table]] = {
    table.kind: table
    for table in sorted(
        (*INSTITUTIONS, *CAMPAIGNS, *SUPERVISION, *SCORING),
        key=lambda table: ORDER.index(table.kind),
    )
}


def kind_named(kind: str) -> type[Table]:
    """Return a kind of table by its name in docs/formats.md. Raises `Refusal`."""
    if kind not in KINDS:
        raise Refusal(f"没有“{kind[:40]}”这种表，可用：{' '.join(KINDS)}")
    return KINDS[kind]


def importable(post: Post) -> list[type[Table]]:
    return [table for table in KINDS.values() if table.may_import(post)]


def exportable(post: Post) -> list[type[Table]]:
    return [table for table in KINDS.values() if table.may_export(post)]


def command_scope(table: type[Table], unit_code: str, username: str) -> Scope:
    """Return the scope of a command: `--unit`, or the only top bureau; `--as`, or the command line itself.

    An empty database has no unit yet: only the table of institutions may begin there. Raises `Refusal`.
    """
    unit = _unit(unit_code)
    if unit is None and table.kind != "institutions":
        raise Refusal("还没有任何机构，请先导入 institutions。")
    if not username:
        return Scope(unit, Actor(None, f"命令行 {getpass.getuser()}"[:120]))
    posts = Post.objects.held().filter(user__username__iexact=username, institution=unit)
    for post in posts.select_related("institution__bureau", "user").order_by("pk"):
        if table.may_import(post):
            return Scope(unit, actor(post))
    where = unit.name if unit else "本库"
    raise Refusal(f"用户“{username[:40]}”在{where}没有可以导入“{table.label}”的任职。")


def _unit(code: str) -> Institution | None:
    units = Institution.objects.select_related("bureau", "parent")
    if code:
        unit = units.filter(code=code).first()
        if unit is None:
            raise Refusal(f"没有机构代码为“{code[:40]}”的机构。")
        return unit
    if not units.exists():
        return None
    tops = list(units.filter(parent=None, kind=Kind.BUREAU)[:2])
    if len(tops) != 1:
        raise Refusal("请用 --unit 写明代表哪个机构（机构代码）。")
    return tops[0]
