"""The scenarios tried, newest first."""

from collections.abc import Sequence

from institutions.listing import Column, Listing, Tag
from scoring.models import Scenario
from scoring.scenario_forms import ScenarioFilters


def scenario_tag(row: Scenario) -> Tag:
    return Tag("已采用", "ok") if row.adopted_at else Tag("未采用", "muted")


class ScenarioList(Listing):
    title = "测算方案"
    columns: Sequence[Column] = (
        Column("方案", "name"),
        Column("结算方", "institution.known_as"),
        Column("年度", "year", sort=("year",), numeric=True),
        Column("改动", lambda row: "；".join(f"{key} {value}" for key, value in row.changed)),
        Column("测算人", lambda row: str(row.author)),
        Column("保存时间", lambda row: f"{row.at:%Y-%m-%d}", sort=("at",)),
        Column("状态", scenario_tag),
    )
    search = ("name", "institution__search")
    filters = ScenarioFilters
    order = ("-at", "-pk")
