"""A campaign's paper as an official document: its passages, its phases where the text does not tell them, the annex."""

import re

from campaigns.models import Campaign, Passage, Phase, SupervisionFocus
from institutions.models import Post
from institutions.official import Annex, Block, Level, Paper, blocks

FOCUS_WIDTHS = (12, 23)
PHASE_WIDTHS = (3, 9, 12, 14)
FOCUS_TITLE = "督导重点内容"
_NUMERALS = "一二三四五六七八九十"
# A heading that opens a chapter and its first part in one: 二、活动内容（一）动员部署阶段
_TWO_LEVELS = re.compile(rf"^([{_NUMERALS}]+、[^（(。]+)([（(][{_NUMERALS}]+[）)].*)$")
_ANNEX = re.compile(r"^附件\s*[:：]\s*(?:\d+\s*[.．、]\s*)?(.+)$")


def campaign_paper(campaign: Campaign, post: Post) -> Paper:
    """Return the paper as far as `post` may see it (all parts are seen by whoever sees the campaign)."""
    passages = list(
        Passage.objects.visible_to(post).filter(campaign=campaign).prefetch_related("phases")
    )
    body: list[Block] = []
    heading = ""
    for passage in passages:
        body += _passage(passage, heading)
        heading = passage.heading or heading
    titles = _without_closing(body, campaign)
    return Paper(
        office=campaign.signed_by,
        mark=f"{campaign.signed_by}文件",
        number=campaign.number,
        signer=campaign.signer,
        title=campaign.title,
        addressee=campaign.salutation,
        day=campaign.issued_on,
        body=body,
        annexes=[*_focuses(campaign, post, titles), *_phases(campaign, passages, post)],
    )


def _passage(passage: Passage, before: str) -> list[Block]:
    """One passage; a heading that only repeats the one before it is not printed twice."""
    if passage.is_run_in:
        return blocks(passage.heading + passage.text)
    if not passage.heading or before.endswith(passage.heading) or _opens(before, passage.heading):
        return blocks(passage.text)
    return [*_heading(passage.heading), *blocks(passage.text)]


def _opens(before: str, heading: str) -> bool:
    """Say whether the heading before is this one with its dates: （二）整改落实阶段（3月4日—3月31日）."""
    second = _TWO_LEVELS.match(before)
    return (second.group(2) if second else before).startswith(heading)


def _heading(heading: str) -> list[Block]:
    both = _TWO_LEVELS.match(heading)
    if both:
        return [*blocks(both.group(1)), *blocks(both.group(2))]
    read = blocks(heading)
    return [Block(Level.FIRST, heading)] if read and read[0].level is Level.TEXT else read


def _without_closing(body: list[Block], campaign: Campaign) -> list[str]:
    """Take the closing lines (annexes, office, day) off the text, since the layout sets them; return the annexes named."""
    day = campaign.issued_on
    closing = f"{campaign.signed_by}{day.year}年{day.month}月{day.day}日"
    titles: list[str] = []
    while body:
        said = "".join((body[-1].head + body[-1].text).split())
        annex = _ANNEX.match(said)
        if annex:
            titles.insert(0, annex.group(1))
        elif not said or said not in closing:
            break
        body.pop()
    return titles


def _focuses(campaign: Campaign, post: Post, titles: list[str]) -> list[Annex]:
    title = titles[0] if len(titles) == 1 else FOCUS_TITLE
    rows = SupervisionFocus.objects.visible_to(post).filter(campaign=campaign)
    cells = [(row.names, row.text) for row in rows]
    return [Annex(title, ("机构名称", "督导重点"), cells, FOCUS_WIDTHS)] if cells else []


def _phases(campaign: Campaign, passages: list[Passage], post: Post) -> list[Annex]:
    """The phases as a table, unless the text itself names every one of them."""
    phases = list(Phase.objects.visible_to(post).filter(campaign=campaign))
    text = "\n".join(f"{passage.heading}\n{passage.text}" for passage in passages)
    linked = {phase.pk for passage in passages for phase in passage.phases.all()}
    if all(phase.pk in linked or phase.name in text for phase in phases):
        return []
    cells = [(str(n), p.name, p.span, p.text) for n, p in enumerate(phases, 1)]
    return [Annex("阶段安排", ("序号", "阶段", "时间", "要求"), cells, PHASE_WIDTHS)]
