"""Drawing lots for a round: who may be drawn, the draw itself with its record, and drawing it again to check."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F, Max

from campaigns.models.group import Profession
from institutions import audit, clock
from institutions.models import Holiday, Institution, Post, ServiceItem
from institutions.roles import ROLE_PERMISSIONS
from institutions.workdays import WorkCalendar
from institutions.workflow import Side, touch
from supervision import assigning, bodies, drawing, recusing
from supervision.models import Draw, Expert, SupervisionRound, Visit

DRAFT = frozenset({SupervisionRound.Status.DRAFT})
RECORD = "supervision.record_visit"
PROFESSIONS: dict[str, str] = {value: str(label) for value, label in Profession.choices}


def new_seed() -> str:
    """Return a seed that nobody can foresee: 16 random bytes as hexadecimal text."""
    return secrets.token_hex(16)


def units_pool(round: SupervisionRound, post: Post) -> list[Institution]:
    """Return the institutions that may be drawn, sorted by code: all that the round's body supervises.

    A centre's are its clinics; a lead agency's those at which it has a mandate for every item of the round.
    """
    units = bodies.units_of(post, round.supervisor).select_related("region", "bureau")
    if round.planned and (listed := list(round.planned.institutions.values_list("pk", flat=True))):
        units = units.filter(pk__in=listed)
    found = list(units.order_by("code"))
    if not bodies.leads(post):
        return found
    items = list(round.items.all())
    return [unit for unit in found if not bodies.outside_mandate(post, [unit], items)]


@dataclass(frozen=True)
class Pools:
    """The lots of a round with the rows behind them; `posts` by the code of the lot."""

    institutions: dict[str, Institution]
    posts: dict[str, Post]
    units: list[drawing.Unit]
    people: list[drawing.Person]


def pools(round: SupervisionRound, post: Post) -> Pools:
    """Return who may be drawn for the round, with the reasons for recusal on its first day."""
    institutions = units_pool(round, post)
    posts, people = (
        _experts(round, institutions)
        if round.supervisor.is_bureau
        else _own_people(round, institutions)
    )
    return Pools(
        {unit.code: unit for unit in institutions},
        posts,
        [
            drawing.Unit(
                unit.code,
                unit.known_as,
                str(unit.get_kind_display()),
                unit.region.name if unit.region else "",
            )
            for unit in institutions
        ],
        people,
    )


def _experts(
    round: SupervisionRound, institutions: Sequence[Institution]
) -> tuple[dict[str, Post], list[drawing.Person]]:
    """The experts of the bureau's pool who can be drawn now."""
    experts = list(
        Expert.objects.available()
        .filter(bureau=round.supervisor_id)
        .select_related("employer", "post__institution", "post__user")
        .order_by("code")
    )
    barred = recusing.barred(experts, institutions, round.supervisor, round.starts)
    return {expert.code: expert.post for expert in experts if expert.post}, [
        drawing.Person(
            expert.code, expert.title, tuple(expert.profession_list), barred[expert.code]
        )
        for expert in experts
    ]


def _own_people(
    round: SupervisionRound, institutions: Sequence[Institution]
) -> tuple[dict[str, Post], list[drawing.Person]]:
    """The posts of a centre or lead agency itself that record visits; their lot is the number of the post.

    They visit by office, so that only declared ties bar them; professions are those they bear in an expert pool.
    """
    roles = [role for role, perms in ROLE_PERMISSIONS.items() if RECORD in perms]
    held = Post.objects.held().filter(institution=round.supervisor_id, role__in=roles)
    posts = {f"P{post.pk}": post for post in held.select_related("institution", "user")}
    professions: dict[int, set[str]] = {}
    for expert in Expert.objects.filter(active=True, post__in=list(posts.values())):
        professions.setdefault(expert.post_id, set()).update(expert.profession_list)  # type: ignore[arg-type]
    barred = recusing.barred_by_ties(list(posts.values()), institutions, round.starts)
    return posts, [
        drawing.Person(
            code, post.title, tuple(sorted(professions.get(post.pk, ()))), barred.get(post.pk, {})
        )
        for code, post in sorted(posts.items())
    ]


def draw_lots(
    round: SupervisionRound,
    ask: drawing.Ask,
    *,
    seed: str,
    reason: str = "",
    items: Sequence[ServiceItem] = (),
    by: Post,
    version: int,
) -> Draw:
    """Draw institutions, and teams where asked, for a draft round; the teams' visits are planned at once.

    A redraw needs a reason; the draw before it stays on record, its visits are cancelled. Raises PermissionDenied (not
    the supervisor's), ValidationError (what is missing, no reason), StaleState (changed meanwhile, issued).
    """
    if not by.has_perm("supervision.change_round") or not round.stands_on(Side.ASKS, by):
        raise PermissionDenied("抽取由组织本轮督导的单位进行")
    with transaction.atomic():
        touch(round, version=version, editable=DRAFT)
        number = (round.draws.aggregate(n=Max("number"))["n"] or 0) + 1
        if number > 1 and not reason.strip():
            raise ValidationError({"reason": "本轮已经抽取过，重新抽取请写明理由"})
        if number == 1 and round.visits.exclude(status=Visit.Status.CANCELLED).exists():
            raise ValidationError("本轮已经安排督导，不能再抽取；请先取消已安排的督导")
        lots = pools(round, by)
        try:
            drawn = drawing.draw(seed, lots.units, lots.people, ask, words=PROFESSIONS)
        except drawing.Impossible as impossible:
            raise ValidationError(impossible.reasons[:8]) from impossible
        stored = drawing.pools_of(lots.units, lots.people if ask.teams else [])
        asked, result = drawing.ask_of(ask), drawing.result_of(drawn)
        row = Draw.objects.create(
            round=round,
            number=number,
            seed=seed,
            pools=stored,
            ask=asked,
            result=result,
            digest=drawing.digest_of(seed, stored, asked, result),
            reason=reason.strip(),
            author=by,
        )
        cancelled = _call_off(round) if number > 1 else 0
        round.institutions.set([lots.institutions[code] for code in drawn.units])
        _record(row, cancelled, by)
        _send_teams(round, drawn, lots, items=items, by=by)
    return row


def check(row: Draw) -> str:
    """Draw again from the record and return what does not agree, in Chinese; nothing when all of it does."""
    sealed = drawing.digest_of(row.seed, row.pools, row.ask, row.result)
    if sealed != row.digest:
        return "记录内容与摘要不符：保存后被改动过"
    try:
        again = drawing.replay(row.seed, row.pools, row.ask)
    except (drawing.Impossible, KeyError, TypeError, ValueError):
        return "按记录的种子和范围无法重新抽取"
    return "" if again == row.result else "按同一种子重新抽取，结果与记录不同"


def _call_off(round: SupervisionRound) -> int:
    """Cancel the visits planned from the draw before; returns how many. A draft's visits are known to nobody yet."""
    return round.visits.filter(
        status=Visit.Status.PLANNED, institution__in=round.institutions.all()
    ).update(status=Visit.Status.CANCELLED, version=F("version") + 1)


def _send_teams(
    round: SupervisionRound,
    drawn: drawing.Drawn,
    lots: Pools,
    *,
    items: Sequence[ServiceItem],
    by: Post,
) -> None:
    """Plan the visits of each team, one institution a working day as long as the round lasts."""
    calendar = WorkCalendar(dict(Holiday.objects.values_list("day", "workday")))
    for team in drawn.teams:
        posts = [lots.posts[code] for code in team.members]
        day: date | None = None
        for code in team.units:
            day = _next_day(calendar, round, day)
            assigning.plan_visits(
                round,
                institutions=[lots.institutions[code]],
                lead=posts[0],
                members=posts[1:],
                items=items,
                starts=day,
                ends=day,
                by=by,
                version=round.version,
            )


def _next_day(calendar: WorkCalendar, round: SupervisionRound, before: date | None) -> date:
    if before is None:
        day = round.starts
        while not calendar.is_workday(day) and day < round.ends:
            day = date.fromordinal(day.toordinal() + 1)
        return day
    return min(calendar.add_workdays(before, 1), round.ends)


def _record(row: Draw, cancelled: int, by: Post) -> None:
    round = row.round
    taken = sum(len(stratum["drawn"]) for stratum in row.result["strata"])
    audit.record(
        "supervision.supervisionround.draw",
        "随机抽取" if row.number == 1 else f"重新抽取（第{row.number}次）",
        by=by,
        bureau=round.bureau_id,
        on=round,
        institution=round.institution,
        note=row.reason,
        data={
            "seed": row.seed,
            "digest": row.digest,
            "units": taken,
            "teams": len(row.result["teams"]),
            "cancelled": cancelled,
            "on": str(clock.today()),
        },
    )
