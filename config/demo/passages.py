"""The words of a paper as numbered passages, and what each became: data/passages-<paper>.csv."""

from collections.abc import Iterator
from typing import Any

from campaigns import drafting
from campaigns.models import (
    BreakthroughRound,
    Campaign,
    Group,
    Passage,
    PlanCall,
    Series,
    Standard,
    Target,
)
from config.demo.cast import many, rows
from institutions.models import Post

PAPERS = ("2023", "2021", "street", "erqi", "zhongwei")
PARTS = {"phases": "阶段", "tasks": "任务", "focuses": "督导重点"}


def words(paper: str) -> list[drafting.Line]:
    """Return the paper cut into its passages."""
    return [drafting.Line(row["标题"], row["正文"]) for row in rows(f"passages-{paper}")]


def link(campaign: Campaign, paper: str, *, by: Post) -> None:
    """Say of every passage what it became; all of that is there by now."""
    campaign = Campaign.objects.get(pk=campaign.pk)
    known = _known(campaign)
    passages = {passage.position: passage for passage in campaign.passages.all()}
    said: dict[Passage, dict[str, Any]] = {
        passages[int(row["序号"])]: dict(_became(row, known)) for row in rows(f"passages-{paper}")
    }
    drafting.link_passages(campaign, said, by=by, version=campaign.version)


def _known(campaign: Campaign) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return for each relation its column, and the rows by what stands in the column's cells."""
    own: dict[str, Any] = {"campaign": campaign}
    bureau: dict[str, Any] = {"bureau": campaign.bureau_id}
    known: dict[str, tuple[str, dict[str, Any]]] = {
        name: (column, {str(row.position): row for row in getattr(campaign, name).all()})
        for name, column in PARTS.items()
    }
    known["plan_calls"] = ("计划方案", {r.name: r for r in PlanCall.objects.filter(**own)})
    known["targets"] = ("目标任务", {r.name: r for r in Target.objects.filter(**bureau)})
    known["series"] = ("监测指标", {r.code: r for r in Series.objects.filter(**bureau)})
    known["groups"] = ("工作组织", {r.name: r for r in Group.objects.filter(**own)})
    known["rounds"] = (
        "突破事项",
        dict(zip(["1"], BreakthroughRound.objects.filter(**own), strict=False)),
    )
    known["standards"] = ("标准", {r.code: r for r in Standard.objects.filter(**bureau)})
    return known


def _became(
    row: dict[str, str], known: dict[str, tuple[str, dict[str, Any]]]
) -> Iterator[tuple[str, Any]]:
    for name, (column, there) in known.items():
        yield name, [there[cell] for cell in many(row[column])]
    yield "became", row["形成的其他内容"]
    yield "nothing", row["无需落实的理由"]
