"""Sending teams: planning visits of a round, issuing it, and the reach that a team holds while it is under way."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import cast

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse

from institutions import audit, clock
from institutions.models import Institution, Mandate, Post, ServiceItem
from institutions.notifying import notify
from institutions.roles import Role
from institutions.workflow import Side, touch
from supervision.bodies import leads, led_items, outside_mandate, supervises
from supervision.models import PlannedRound, SupervisionRound, Visit
from supervision.recusing import conflict, declared

# Days after the planned end in which the team may still write up what it saw.
RECORDING_DAYS = 30
ROUND_FIELDS = ("name", "type", "year", "quarter", "starts", "ends", "standard", "campaign")
PLANNABLE = frozenset({SupervisionRound.Status.DRAFT, SupervisionRound.Status.ISSUED})


def refuse_conflicts(
    posts: Iterable[Post],
    institutions: Iterable[Institution],
    supervisor: Institution,
    on: date | None = None,
) -> None:
    """Raise ValidationError with every pair of post and institution that recusal forbids on that day."""
    team, units = list(posts), list(institutions)
    reasons = [r for p in team for i in units if (r := conflict(p, i, supervisor))]
    reasons += declared(team, units, on)
    if reasons:
        raise ValidationError(reasons)


def store_round(
    round: SupervisionRound,
    *,
    items: Iterable[ServiceItem],
    by: Post,
    version: int = 0,
    institutions: Iterable[Institution] = (),
    note: str = "",
) -> SupervisionRound:
    """Save a new round of the post's own institution, or a changed draft under the version its author saw.

    `institutions` are those chosen beforehand for a new round, `note` says how. A lead agency's round is for items
    that it leads. Raises PermissionDenied (supervises nobody, not the supervisor's), ValidationError (not its items),
    StaleState (issued or changed meanwhile).
    """
    new = round.pk is None
    items = list(items)
    if leads(by) and not (
        items and {i.pk for i in items} <= set(led_items(by).values_list("pk", flat=True))
    ):
        raise ValidationError("请选择本单位牵头的服务项目")
    if new:
        if not supervises(by):
            raise PermissionDenied("督导轮次由有下级机构的单位或牵头单位组织")
        round.institution = round.supervisor = by.institution
        round.author = by
    else:
        _refuse_stranger(round, by)
    with transaction.atomic():
        if new:
            round.save()
        else:
            touch(round, version=version, editable=frozenset({SupervisionRound.Status.DRAFT}))
            round.save(update_fields=ROUND_FIELDS)
        round.items.set(items)
        if new:
            round.institutions.set(institutions)
        audit.record(
            f"supervision.supervisionround.{'add' if new else 'change'}",
            "拟定督导轮次" if new else "修改督导轮次",
            by=by,
            bureau=round.bureau_id,
            on=round,
            institution=round.institution,
            note=note,
        )
    return round


def start_planned(entry: PlannedRound, *, by: Post) -> SupervisionRound:
    """Make the round that a year plan provides for, as a draft with its items, standard and institutions.

    Raises PermissionDenied when the plan is another body's.
    """
    plan = entry.plan
    if not plan.stands_on(Side.ASKS, by):
        raise PermissionDenied("计划由本单位组织实施")
    round = SupervisionRound(
        name=entry.name,
        type=entry.type,
        year=plan.year,
        quarter=entry.quarter,
        standard=entry.standard,
        starts=entry.starts,
        ends=entry.ends,
        planned=entry,
    )
    return store_round(
        round,
        items=entry.items.all(),
        institutions=entry.institutions.all(),
        by=by,
        note=f"按{plan}",
    )


def plan_visits(
    round: SupervisionRound,
    *,
    institutions: Sequence[Institution],
    lead: Post,
    members: Sequence[Post] = (),
    items: Sequence[ServiceItem] = (),
    starts: date,
    ends: date,
    by: Post,
    version: int,
) -> list[Visit]:
    """Plan one visit to each institution by one team; in an issued round the team's reach begins with it.

    Raises PermissionDenied (not the supervisor's), ValidationError (recusal, already planned), StaleState.
    """
    _refuse_stranger(round, by)
    team = [lead, *(m for m in members if m.pk != lead.pk)]
    refuse_conflicts(team, institutions, round.supervisor, starts)
    if strangers := outside_mandate(by, institutions, items or list(round.items.all())):
        raise ValidationError(f"不在本单位牵头授权范围内：{'、'.join(strangers)}")
    with transaction.atomic():
        touch(round, version=version, editable=PLANNABLE)
        planned = set(
            round.visits.exclude(status=Visit.Status.CANCELLED).values_list(
                "institution", flat=True
            )
        )
        if twice := [i.known_as for i in institutions if i.pk in planned]:
            raise ValidationError(f"本轮已安排过：{'、'.join(twice)}")
        visits = Visit.objects.bulk_create(
            Visit(
                bureau_id=cast(int, unit.bureau_id),
                institution=unit,
                supervisor=round.supervisor,
                round=round,
                author=by,
                lead=lead,
                starts=starts,
                ends=ends,
            )
            for unit in institutions
        )
        for visit in visits:
            visit.members.set(team[1:])
            visit.items.set(items)
        _record(round, "plan", "安排督导", visits, by=by)
        if round.status == SupervisionRound.Status.ISSUED:
            _send(round, visits)
    return visits


def change_visit(
    visit: Visit,
    *,
    lead: Post,
    members: Sequence[Post],
    items: Sequence[ServiceItem],
    starts: date,
    ends: date,
    by: Post,
    version: int,
) -> None:
    """Give a planned visit another team, items or dates; the reach of an issued round follows."""
    _refuse_stranger(visit.round, by)
    team = [lead, *(m for m in members if m.pk != lead.pk)]
    refuse_conflicts(team, [visit.institution], visit.supervisor, starts)
    if outside_mandate(by, [visit.institution], items or list(visit.round.items.all())):
        raise ValidationError("不在本单位牵头授权范围内")
    with transaction.atomic():
        touch(visit, version=version, editable=Visit.EDITABLE)
        before = set(visit.members.values_list("pk", flat=True)) | {visit.lead_id}
        Visit.objects.filter(pk=visit.pk).update(lead=lead, starts=starts, ends=ends)
        visit.lead, visit.starts, visit.ends = lead, starts, ends
        visit.members.set(team[1:])
        visit.items.set(items)
        _record(visit.round, "plan", "调整督导安排", [visit], by=by)
        if visit.round.status == SupervisionRound.Status.ISSUED:
            _take_back([visit])
            _send(visit.round, [visit], tell={p.pk for p in team} - before)


def issue_round(round: SupervisionRound, *, by: Post, version: int) -> int:
    """Issue the round: from now on the teams see their visits and, on the planned days, the institutions' records.

    Returns the number of visits. The reach is written as mandates over each institution and the visit's items, from
    the planned start to `RECORDING_DAYS` after the planned end. Raises as `Workflow._move`, and ValidationError when
    somebody has meanwhile come to work where he was to visit.
    """
    with transaction.atomic():
        visits = list(round.visits.filter(status=Visit.Status.PLANNED))
        rows = _with_teams(visits)
        round.issue(by=by, version=version, data=_told(rows))
        for visit in rows:
            refuse_conflicts(_team(visit), [visit.institution], round.supervisor, visit.starts)
        _send(round, rows)
    return len(rows)


def reschedule_visit(visit: Visit, *, by: Post, version: int, note: str, date: date) -> None:
    """Move a planned visit to another day; the team's reach follows, and the team is told why.

    Raises as `Workflow._move`, and ValidationError for a day that is over or on which a member must recuse himself.
    """
    if date < clock.today():
        raise ValidationError("新的日期不能早于今天")
    with transaction.atomic():
        visit.reschedule(by=by, version=version, note=note, to=date)
        refuse_conflicts(_team(visit), [visit.institution], visit.supervisor, date)
        if visit.round.status == SupervisionRound.Status.ISSUED:
            _take_back([visit])
            _send(visit.round, [visit], tell=set())
            notify(
                _team(visit),
                f"{visit.institution.known_as}的督导改到{date.month}月{date.day}日：{note}",
                url=visit.get_absolute_url(),
            )


def cancel_visit(visit: Visit, *, by: Post, version: int, note: str) -> None:
    """Cancel a planned visit, take the team's reach back and tell it why."""
    with transaction.atomic():
        visit.cancel(by=by, version=version, note=note)
        _take_back([visit])
        if visit.round.status == SupervisionRound.Status.ISSUED:
            notify(
                _team(visit),
                f"{visit.institution.known_as}的督导已取消：{note}",
                url=visit.get_absolute_url(),
            )


def mandate_source(visit: Visit) -> str:
    """Return what the mandates of a visit name as their basis."""
    return f"{visit.round.name}（督导 {visit.pk}）"


def _refuse_stranger(round: SupervisionRound, post: Post) -> None:
    if not post.has_perm("supervision.change_round") or not round.stands_on(Side.ASKS, post):
        raise PermissionDenied("督导由组织本轮督导的单位安排")


def _team(visit: Visit) -> list[Post]:
    return [visit.lead, *visit.members.all()]


def _with_teams(visits: Sequence[Visit]) -> list[Visit]:
    return list(
        Visit.objects.filter(pk__in=[v.pk for v in visits])
        .select_related("round", "institution", "supervisor", "lead__institution")
        .prefetch_related("members__institution", "items", "round__items")
        .order_by("pk")
    )


def _send(
    round: SupervisionRound, visits: Sequence[Visit], *, tell: set[int] | None = None
) -> None:
    """Write the mandates of the teams and tell their members (`tell`: only these)."""
    rows = _with_teams(visits)
    round_items = list(round.items.all())
    mandates, items = [], []
    for visit in rows:
        over = list(visit.items.all()) or round_items
        for post in _team(visit):
            near = visit.institution.path.startswith(post.institution.path)
            if near and post.role != Role.EXPERT:
                continue  # in reach by office
            mandates.append(
                Mandate(
                    post=post,
                    institution=visit.institution,
                    all_items=not over,
                    starts=visit.starts,
                    ends=visit.ends + timedelta(days=RECORDING_DAYS),
                    source=mandate_source(visit),
                )
            )
            items.append(over)
    Mandate.objects.bulk_create(mandates)
    Mandate.items.through.objects.bulk_create(
        Mandate.items.through(mandate=mandate, serviceitem=item)
        for mandate, over in zip(mandates, items, strict=True)
        for item in over
    )
    posts = {post.pk for visit in rows for post in _team(visit)}
    notify(
        posts if tell is None else posts & tell,
        f"您已编入“{round.name}”督导组，请按计划日期到现场督导",
        url=reverse("supervision:visit_list") + f"?round={round.pk}",
    )


def _take_back(visits: Sequence[Visit]) -> None:
    Mandate.objects.filter(source__in=[mandate_source(v) for v in visits]).delete()


def _told(visits: Sequence[Visit]) -> dict:
    return {
        "count": len(visits),
        "digest": audit.digest(
            [v.institution_id, v.lead_id, [m.pk for m in v.members.all()], v.starts, v.ends]
            for v in visits
        ),
    }


def _record(
    round: SupervisionRound, verb: str, label: str, visits: Sequence[Visit], *, by: Post
) -> None:
    rows = _with_teams(visits)
    audit.record(
        f"supervision.supervisionround.{verb}",
        label,
        by=by,
        bureau=round.bureau_id,
        on=round,
        institution=rows[0].institution if len(rows) == 1 else None,
        note="、".join(v.institution.known_as for v in rows)[:500],
        data=_told(rows),
    )
