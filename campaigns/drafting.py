"""Writing a campaign before it is issued: its paper, phases, table of 督导重点, tasks, recipients.

Every deed claims the campaign under the version its author saw, so that two people cannot overwrite each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F

from campaigns import passages
from campaigns.models import Campaign, Passage, Phase, Recipient, SupervisionFocus, Task
from institutions import audit
from institutions.models import Institution, Post, ServiceItem, StoredFile
from institutions.workflow import touch

DRAFT = frozenset({Campaign.Status.DRAFT})
RUNNING = frozenset({Campaign.Status.DRAFT, Campaign.Status.ISSUED})
TITLE_ONLY = "标题，无具体要求"


@dataclass(frozen=True)
class Line:
    """One passage as written; `pk` is the passage it continues, 0 for a new one."""

    heading: str
    text: str
    pk: int = 0


def claim(
    campaign: Campaign,
    what: str,
    *,
    by: Post,
    version: int,
    states: frozenset[str] = DRAFT,
    perm: str = "campaigns.change_campaign",
    data: dict[str, Any] | None = None,
) -> None:
    """Take the campaign for one change of `what`, in the caller's transaction, and record it.

    Raises PermissionDenied for another bureau's post and StaleState for another version or state.
    """
    if not by.has_perm(perm) or not by.acts_for(campaign.institution_id):
        raise PermissionDenied("只有拟稿单位可以修改")
    touch(campaign, version=version, editable=states)
    audit.record(
        "campaigns.campaign.edit",
        f"修改{what}",
        by=by,
        bureau=campaign.bureau_id,
        on=campaign,
        institution=campaign.institution,
        data=data,
    )


def register(
    campaign: Campaign, *, by: Post, paper: str = "", files: Sequence[StoredFile] = ()
) -> Campaign:
    """Save a new draft of the post's own bureau, with the passages and the table read from its pasted paper."""
    if not by.has_perm("campaigns.change_campaign") or not by.institution.is_bureau:
        raise PermissionDenied("活动由卫生健康行政部门登记")
    campaign.institution = campaign.supervisor = by.institution
    campaign.author = by
    with transaction.atomic():
        campaign.save()
        campaign.files.add(*files)
        audit.record(
            "campaigns.campaign.register",
            "登记活动",
            by=by,
            bureau=campaign.bureau_id,
            on=campaign,
            institution=campaign.institution,
            after=campaign.status,
        )
        if paper.strip():
            _take_in(campaign, passages.read_paper(paper), by)
    return campaign


def _take_in(campaign: Campaign, paper: passages.Paper, by: Post) -> None:
    _replace_passages(campaign, [Line(part.heading, part.text) for part in paper.parts])
    known, words = known_names(by), item_words()
    for place, (names, text) in enumerate(paper.focuses, start=1):
        row = SupervisionFocus.objects.create(
            campaign=campaign, position=place, names=names, text=text
        )
        row.institutions.set(passages.named_in(names, known))
        row.items.set(passages.items_in(text, words))


def known_names(post: Post) -> dict[str, int]:
    """Return every name of the institutions in sight that a paper may use, with its id.

    A district's paper says 区疾病预防控制中心 of what is registered with the district's name before it.
    """
    region = post.institution.region
    place = region.name[:-1] if region else ""
    known: dict[str, int] = {}
    for row in Institution.objects.visible_to(post):
        for name in (row.name, row.short_name, row.name.removeprefix(place), *row.other_names):
            if name:
                known.setdefault(name, row.pk)
    return known


def item_words() -> dict[str, tuple[int, ...]]:
    """Return the words by which papers call the service items, each with the ids it means."""
    words: dict[str, tuple[int, ...]] = {}
    by_code: dict[str, int] = {}
    for item in ServiceItem.objects.all():
        by_code[item.code] = item.pk
        for word in (item.name, item.short_name, *item.aliases, *item.names.values()):
            words.setdefault(word, (item.pk,))
    words["妇幼"] = tuple(by_code[code] for code in ("04", "05") if code in by_code)
    return words


def save_head(
    campaign: Campaign, *, by: Post, version: int, files: Sequence[StoredFile] = ()
) -> None:
    """Save the fields of the paper's head, already set on `campaign`."""
    with transaction.atomic():
        claim(campaign, "文件信息", by=by, version=version)
        campaign.save()
        campaign.files.add(*files)


def remove_file(campaign: Campaign, file: StoredFile, *, by: Post, version: int) -> None:
    with transaction.atomic():
        claim(campaign, f"附件（删除“{file.name}”）", by=by, version=version)
        campaign.files.remove(file)


def write_passages(campaign: Campaign, lines: Sequence[Line], *, by: Post, version: int) -> None:
    """Replace the passages by `lines`, keeping what each kept passage became."""
    with transaction.atomic():
        claim(campaign, "正文", by=by, version=version, data={"passages": len(lines)})
        _replace_passages(campaign, lines)


def matched(campaign: Campaign, parts: Iterable[passages.Part]) -> list[Line]:
    """Return the parts of a paper pasted anew, each with the passage of the same words that it continues."""
    old = {(row.heading, row.text): row.pk for row in campaign.passages.all()}
    return [Line(p.heading, p.text, old.pop((p.heading, p.text), 0)) for p in parts]


def _replace_passages(campaign: Campaign, lines: Sequence[Line]) -> None:
    rows = {row.pk: row for row in campaign.passages.all()}
    campaign.passages.exclude(pk__in=[line.pk for line in lines]).delete()
    # Out of the way first: positions are unique at every moment, also within the renumbering.
    campaign.passages.update(position=F("position") + 10000)
    for place, line in enumerate(lines, start=1):
        row = rows.get(line.pk) or Passage(campaign=campaign)
        row.position, row.heading, row.text = place, line.heading, line.text
        # The heading of a phase asks for one, though nothing stands below it.
        title_only = bool(line.heading) and not line.text and not passages.period(line.heading)
        if row.pk is None and title_only:
            row.nothing = TITLE_ONLY
        elif row.nothing == TITLE_ONLY and not title_only:
            row.nothing = ""
        row.save()


def save_phases(
    campaign: Campaign, phases: Sequence[Phase], removed: Sequence[Phase], *, by: Post, version: int
) -> None:
    """Save the phases in their order; a passage that is headed by one's name is linked to it.

    Raises ValidationError for a removed phase that still has tasks.
    """
    with transaction.atomic():
        claim(campaign, "阶段", by=by, version=version, data={"phases": len(phases)})
        for phase in removed:
            if phase.tasks.exists():
                raise ValidationError(f"阶段“{phase.name}”下还有任务，请先调整任务")
            phase.delete()
        campaign.phases.update(position=F("position") + 10000)
        for place, phase in enumerate(phases, start=1):
            phase.campaign, phase.position = campaign, place
            phase.institution = phase.supervisor = campaign.institution
            phase.author = phase.author or by
            phase.save()
            for passage in campaign.passages.unlinked().filter(heading__contains=phase.name):
                passage.phases.add(phase)


def save_focus(focus: SupervisionFocus, *, by: Post, version: int, institutions, items) -> None:
    """Save one row of the table of 督导重点, a new one at its end."""
    with transaction.atomic():
        claim(focus.campaign, "督导重点", by=by, version=version, data={"names": focus.names})
        if focus.pk is None:
            focus.position = _next(focus.campaign.focuses)
        focus.save()
        focus.institutions.set(institutions)
        focus.items.set(items)


def delete_focus(focus: SupervisionFocus, *, by: Post, version: int) -> None:
    with transaction.atomic():
        claim(focus.campaign, "督导重点", by=by, version=version, data={"deleted": focus.names})
        focus.delete()


def save_task(task: Task, *, by: Post, version: int, **chosen: Iterable[Any]) -> None:
    """Save one task of a draft with its institutions, departments and leaders."""
    with transaction.atomic():
        claim(
            task.campaign,
            "任务",
            by=by,
            version=version,
            perm="campaigns.change_task",
            data={"task": task.name},
        )
        place_task(task, **chosen)


def place_task(task: Task, **chosen: Iterable[Any]) -> None:
    """Write a task, a new one at the end of its campaign, in the caller's transaction."""
    if task.pk is None:
        task.position = _next(task.campaign.tasks)
    task.save()
    for name, rows in chosen.items():
        getattr(task, name).set(rows)


def delete_task(task: Task, *, by: Post, version: int) -> None:
    with transaction.atomic():
        claim(
            task.campaign,
            "任务",
            by=by,
            version=version,
            perm="campaigns.change_task",
            data={"deleted": task.name},
        )
        task.delete()


def remove_recipients(
    campaign: Campaign,
    institutions: Iterable[Institution],
    *,
    by: Post,
    version: int,
    others: Iterable[Recipient] = (),
) -> int:
    """Take institutions, and departments, villages and streets (`others`), off the draft's list; returns how many.

    Institutions with a task stay: ValidationError.
    """
    chosen = [row.pk for row in institutions]
    busy = Task.institutions.through.objects.filter(
        task__campaign=campaign, institution__in=chosen
    ).select_related("institution", "task")
    first = busy.first()
    if first is not None:
        raise ValidationError(
            f"{first.institution}是任务“{first.task}”的责任单位，请先在任务中去掉"
        )
    rows = campaign.recipients.units().filter(institution__in=chosen).values_list("pk", flat=True)
    removed = [*rows, *(row.pk for row in others)]
    with transaction.atomic():
        claim(campaign, "主送机构", by=by, version=version, data={"removed": len(removed)})
        return campaign.recipients.filter(pk__in=removed).delete()[0]


def link_passage(passage: Passage, *, by: Post, version: int, **chosen: Any) -> None:
    """Say what a passage became, or why it needs nothing. The words of the paper are not touched, so also later."""
    link_passages(passage.campaign, {passage: chosen}, by=by, version=version)


def link_passages(
    campaign: Campaign, said: Mapping[Passage, Mapping[str, Any]], *, by: Post, version: int
) -> None:
    """Say of several passages of a campaign what they became: `became`, `nothing`, and rows by the names of LINKS.

    What is left out of a passage's own mapping is taken away from it. In sets: some twenty queries for a whole paper.
    """
    places = [passage.position for passage in said]
    with transaction.atomic():
        claim(
            campaign,
            "条文落实",
            by=by,
            version=version,
            states=RUNNING,
            data={"passage": places[0]} if len(places) == 1 else {"passages": len(places)},
        )
        for passage, chosen in said.items():
            passage.became = chosen.get("became", "")
            passage.nothing = chosen.get("nothing", "")
        Passage.objects.bulk_update(said, ["became", "nothing"], batch_size=200)
        for name in Passage.LINKS:
            through: Any = getattr(Passage, name).through
            through.objects.filter(passage__in=[passage.pk for passage in said]).delete()
            other = next(
                f.attname for f in through._meta.fields if f.attname not in ("id", "passage_id")
            )
            through.objects.bulk_create(
                through(passage_id=passage.pk, **{other: row.pk})
                for passage, chosen in said.items()
                for row in chosen.get(name, ())
            )


def _next(rows) -> int:
    last = rows.order_by("-position").values_list("position", flat=True).first()
    return (last or 0) + 1
