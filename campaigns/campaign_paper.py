"""A campaign's paper as an official document: its passages, its phases where the text does not tell them, the annex."""

from campaigns.models import Campaign, Passage, Phase, SupervisionFocus
from institutions.models import Post
from institutions.official import Annex, Block, Level, Paper, blocks

FOCUS_WIDTHS = (13, 24)
PHASE_WIDTHS = (4, 12, 12, 10)


def campaign_paper(campaign: Campaign, post: Post) -> Paper:
    """Return the paper as far as `post` may see it (all parts are seen by whoever sees the campaign)."""
    passages = list(
        Passage.objects.visible_to(post).filter(campaign=campaign).prefetch_related("phases")
    )
    body = [block for passage in passages for block in _passage(passage)]
    return Paper(
        office=campaign.institution.name,
        mark=f"{campaign.institution.name}文件",
        number=campaign.number,
        signer=campaign.signer,
        title=campaign.title,
        addressee=campaign.salutation,
        day=campaign.issued_on,
        body=body,
        annexes=[*_focuses(campaign, post), *_phases(campaign, passages, post)],
    )


def _passage(passage: Passage) -> list[Block]:
    if passage.is_run_in:
        return blocks(passage.heading + passage.text)
    head = blocks(passage.heading)
    if head and head[0].level is Level.TEXT:
        head = [Block(Level.FIRST, passage.heading)]
    return head + blocks(passage.text)


def _focuses(campaign: Campaign, post: Post) -> list[Annex]:
    rows = SupervisionFocus.objects.visible_to(post).filter(campaign=campaign)
    cells = [(row.names, row.text) for row in rows]
    return [Annex("督导重点内容", ("机构名称", "督导重点"), cells, FOCUS_WIDTHS)] if cells else []


def _phases(campaign: Campaign, passages: list[Passage], post: Post) -> list[Annex]:
    """The phases as a table, unless the text itself names every one of them."""
    phases = list(Phase.objects.visible_to(post).filter(campaign=campaign))
    text = "\n".join(f"{passage.heading}\n{passage.text}" for passage in passages)
    linked = {phase.pk for passage in passages for phase in passage.phases.all()}
    if all(phase.pk in linked or phase.name in text for phase in phases):
        return []
    cells = [(str(n), p.name, p.span, p.text) for n, p in enumerate(phases, 1)]
    return [Annex("阶段安排", ("序号", "阶段", "时间", "要求"), cells, PHASE_WIDTHS)]
