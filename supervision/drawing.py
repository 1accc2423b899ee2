"""Drawing lots: institutions by strata, teams of experts with their professions, replayable from a seed.

Pure: no database, no clock, no source of chance of its own. The order of everything follows from SHA-256 over the seed,
a label and a code (`order_key`), so that neither the order of rows nor the version of Python changes a result. The
algorithm is described in docs/drawing.md; changing it here breaks the replay of every draw on record.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

ALGORITHM = "sha256-strata-teams-1"
# How many choices are tried, over all ways of dealing institutions to teams, before the draw is given up.
STEPS = 20_000
STRATA = {"": "不分层", "kind": "按机构类别", "region": "按所在镇街", "kind_region": "按类别和镇街"}
MODES = {"all": "全部机构", "number": "每层抽取家数", "share": "每层抽取比例（%）"}


@dataclass(frozen=True)
class Unit:
    """An institution that may be drawn; `kind` and `region` are the words by which it is put into a stratum."""

    code: str
    name: str
    kind: str = ""
    region: str = ""

    def stratum(self, strata: str) -> str:
        words = {"kind": (self.kind,), "region": (self.region,)}
        return " ".join({**words, "kind_region": (self.kind, self.region)}.get(strata, ()))


@dataclass(frozen=True)
class Person:
    """An expert who may be drawn. `barred` maps the code of an institution to why he must not visit it (回避)."""

    code: str
    name: str
    professions: tuple[str, ...]
    barred: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ask:
    """What is asked of a draw: institutions (`mode`, `amount` per stratum) and `teams` of `size` (0: no teams).

    Every team must hold each of `professions`; one member may stand for several of them.
    """

    strata: str = ""
    mode: str = "all"
    amount: int = 0
    teams: int = 0
    size: int = 0
    professions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stratum:
    name: str
    pool: int
    drawn: tuple[str, ...]


@dataclass(frozen=True)
class Team:
    """Codes of the institutions it visits and of its members, in the order drawn; the first member leads."""

    units: tuple[str, ...]
    members: tuple[str, ...]


@dataclass(frozen=True)
class Drawn:
    """The result: institutions by stratum, and the teams."""

    strata: tuple[Stratum, ...]
    teams: tuple[Team, ...] = ()

    @property
    def units(self) -> tuple[str, ...]:
        return tuple(code for stratum in self.strata for code in stratum.drawn)


class Impossible(Exception):
    """The draw cannot be made; `reasons` say in Chinese what is missing."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("；".join(reasons))
        self.reasons = list(reasons)


def order_key(seed: str, label: str, code: str) -> str:
    """Return the place of `code` in the order of lots: the SHA-256 of seed, label and code, as hexadecimal text."""
    return hashlib.sha256(f"{seed}\n{label}\n{code}".encode()).hexdigest()


def in_order(seed: str, label: str, codes: Iterable[str]) -> list[str]:
    """Return the codes in the order in which their lots come up."""
    return sorted(codes, key=lambda code: order_key(seed, label, code))


def draw(
    seed: str,
    units: Sequence[Unit],
    people: Sequence[Person],
    ask: Ask,
    *,
    words: Mapping[str, str] | None = None,
) -> Drawn:
    """Draw institutions and teams. `words` name the professions in refusals. Raises `Impossible`."""
    _refuse_doubles(units, people)
    strata = draw_units(seed, units, ask)
    if not ask.teams:
        return Drawn(strata)
    chosen = {code for stratum in strata for code in stratum.drawn}
    visited = [unit for unit in units if unit.code in chosen]
    return Drawn(strata, draw_teams(seed, visited, people, ask, words=words))


def draw_units(seed: str, units: Sequence[Unit], ask: Ask) -> tuple[Stratum, ...]:
    """Draw institutions stratum by stratum: all, so many of each, or a share of each rounded up."""
    groups: dict[str, list[str]] = {}
    for unit in units:
        groups.setdefault(unit.stratum(ask.strata), []).append(unit.code)
    if not groups:
        raise Impossible(["没有可以抽取的机构"])
    drawn, short = [], []
    for name in sorted(groups, key=lambda name: name.encode()):
        codes = groups[name]
        take = {"all": len(codes), "share": -(-len(codes) * ask.amount // 100)}.get(
            ask.mode, ask.amount
        )
        if take > len(codes):
            short.append(f"{name or '全部机构'}只有 {len(codes)} 家，不够抽 {take} 家")
        drawn.append(Stratum(name, len(codes), tuple(in_order(seed, "unit", codes)[:take])))
    if short:
        raise Impossible(short)
    return tuple(drawn)


def draw_teams(
    seed: str,
    units: Sequence[Unit],
    people: Sequence[Person],
    ask: Ask,
    *,
    words: Mapping[str, str] | None = None,
) -> tuple[Team, ...]:
    """Deal the institutions to teams as evenly as can be, and find members for each team.

    Ways of dealing are tried in a fixed order, the first being one institution to each team in turn. For each, members
    are found so that all professions are there and nobody visits where he is barred; nobody is in two teams. When any
    way exists it is found, within `STEPS` choices. Raises `Impossible`.
    """
    missing = what_is_missing(units, people, ask, words or {})
    if missing:
        raise Impossible(missing)
    order = in_order(seed, "deal", [unit.code for unit in units])
    known = {person.code: person for person in people}
    queue = [known[code] for code in in_order(seed, "person", known)]
    steps = _Steps(STEPS)
    try:
        for dealt in _dealings(order, ask.teams):
            steps.take()
            found = _Search(queue, dealt, ask, steps).run()
            if found is not None:
                return tuple(
                    Team(tuple(codes), tuple(p.code for p in queue if p.code in members))
                    for codes, members in zip(dealt, found, strict=True)
                )
    except _OutOfSteps:
        raise Impossible(
            [f"试了 {STEPS} 次还没有排开：请增加专家、减少组数或每组人数，或少要求几个专业"]
        ) from None
    raise Impossible(
        [
            "人数和各专业单独看都够，但回避和专业合在一起排不开：请增加专家、减少组数或每组人数，或少要求几个专业"
        ]
    )


def what_is_missing(
    units: Sequence[Unit], people: Sequence[Person], ask: Ask, words: Mapping[str, str]
) -> list[str]:
    """Return in Chinese what every way of drawing would lack; nothing says only that a search is worth while."""
    found = []
    if len(units) < ask.teams:
        found.append(f"抽中的机构只有 {len(units)} 家，不够 {ask.teams} 个组各去一家")
    if ask.size < 1:
        found.append("每组至少 1 人")
    if (need := ask.teams * ask.size) > len(people):
        found.append(
            f"{ask.teams} 个组每组 {ask.size} 人，需要专家 {need} 人，"
            f"可用 {len(people)} 人，还缺 {need - len(people)} 人"
        )
    for profession in ask.professions:
        have = sum(profession in person.professions for person in people)
        if have < ask.teams:
            found.append(
                f"“{words.get(profession, profession)}”专业需要 {ask.teams} 人（每组 1 人），"
                f"可用 {have} 人，还缺 {ask.teams - have} 人"
            )
    for unit in sorted(units, key=lambda unit: unit.code):
        free = [person for person in people if unit.code not in person.barred]
        if len(free) < ask.size:
            found.append(f"{unit.name}：除去回避，可用专家 {len(free)} 人，不够每组 {ask.size} 人")
        for profession in ask.professions:
            held = any(profession in person.professions for person in people)
            if held and not any(profession in person.professions for person in free):
                word = words.get(profession, profession)
                found.append(f"{unit.name}：除去回避，没有“{word}”专业的专家")
    return found


def _refuse_doubles(units: Sequence[Unit], people: Sequence[Person]) -> None:
    for rows in (units, people):
        if len({row.code for row in rows}) < len(rows):
            raise ValueError("two lots bear the same code")


# --- Dealing institutions to teams -----------------------------------------------------------------


def _dealings(order: Sequence[str], teams: int) -> Iterator[list[list[str]]]:
    """Yield every even way to deal, lazily: the i-th institution first to team i mod teams, then to the next ones."""
    low, more = divmod(len(order), teams)
    dealt: list[list[str]] = [[] for _ in range(teams)]

    def place(number: int) -> Iterator[list[list[str]]]:
        if number == len(order):
            yield [list(codes) for codes in dealt]
            return
        large = sum(len(codes) > low for codes in dealt)
        for step in range(teams):
            codes = dealt[(number + step) % teams]
            if len(codes) < low or (len(codes) == low and large < more):
                codes.append(order[number])
                yield from place(number + 1)
                codes.pop()

    yield from place(0)


# --- Members for one way of dealing ----------------------------------------------------------------


class _OutOfSteps(Exception):
    pass


class _Steps:
    def __init__(self, left: int) -> None:
        self.left = left

    def take(self) -> None:
        if self.left <= 0:
            raise _OutOfSteps
        self.left -= 1


class _Search:
    """Members for teams whose institutions are given: professions by trying, the remaining places by matching."""

    def __init__(
        self, queue: Sequence[Person], dealt: Sequence[Sequence[str]], ask: Ask, steps: _Steps
    ) -> None:
        self.ask, self.steps = ask, steps
        self.free = [[p for p in queue if not p.barred.keys() & set(codes)] for codes in dealt]
        self.teams: list[list[Person]] = [[] for _ in dealt]
        self.used: set[str] = set()

    def run(self) -> list[set[str]] | None:
        """Return the codes of each team's members, or None when this way of dealing cannot be served."""
        wanted = self._scarcest()
        if wanted is None:
            return self._fill()
        number, candidates = wanted
        for person in candidates:
            self.steps.take()
            self.teams[number].append(person)
            self.used.add(person.code)
            if (found := self.run()) is not None:
                return found
            self.teams[number].pop()
            self.used.discard(person.code)
        return None

    def _scarcest(self) -> tuple[int, list[Person]] | None:
        """Return the team, and who may serve it, for the profession still missing that the fewest can stand for."""
        best: tuple[int, list[Person]] | None = None
        for number, team in enumerate(self.teams):
            there = {profession for person in team for profession in person.professions}
            for profession in self.ask.professions:
                if profession in there:
                    continue
                candidates = [
                    person
                    for person in (self.free[number] if len(team) < self.ask.size else ())
                    if person.code not in self.used and profession in person.professions
                ]
                if best is None or len(candidates) < len(best[1]):
                    best = number, candidates
        return best

    def _fill(self) -> list[set[str]] | None:
        """Give the places left to whoever comes next, moving others along where needed (augmenting paths)."""
        places = [
            number
            for turn in range(self.ask.size)
            for number, team in enumerate(self.teams)
            if turn < self.ask.size - len(team)
        ]
        holder: dict[str, int] = {}

        def seat(place: int, seen: set[str]) -> bool:
            for person in self.free[places[place]]:
                if person.code in self.used or person.code in seen:
                    continue
                seen.add(person.code)
                if person.code not in holder or seat(holder[person.code], seen):
                    holder[person.code] = place
                    return True
            return False

        if not all(seat(place, set()) for place in range(len(places))):
            return None
        members = [{person.code for person in team} for team in self.teams]
        for code, place in holder.items():
            members[places[place]].add(code)
        return members


# --- What is put on record -------------------------------------------------------------------------


def pools_of(units: Sequence[Unit], people: Sequence[Person]) -> dict[str, Any]:
    """Return the pools as they are stored: sorted by code, so that the order of rows does not count."""
    return {
        "units": [asdict(unit) for unit in sorted(units, key=lambda row: row.code)],
        "people": [
            {
                "code": person.code,
                "name": person.name,
                "professions": sorted(person.professions),
                "barred": dict(sorted(person.barred.items())),
            }
            for person in sorted(people, key=lambda row: row.code)
        ],
    }


def ask_of(ask: Ask) -> dict[str, Any]:
    return {**asdict(ask), "professions": list(ask.professions)}


def result_of(drawn: Drawn) -> dict[str, Any]:
    return {
        "strata": [{"name": s.name, "pool": s.pool, "drawn": list(s.drawn)} for s in drawn.strata],
        "teams": [{"units": list(t.units), "members": list(t.members)} for t in drawn.teams],
    }


def digest_of(
    seed: str, pools: Mapping[str, Any], ask: Mapping[str, Any], result: Mapping[str, Any]
) -> str:
    """Return the SHA-256 over algorithm, seed, pools, what was asked and the result, as hexadecimal text."""
    text = json.dumps(
        [ALGORITHM, seed, pools, ask, result],
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(text.encode()).hexdigest()


def replay(seed: str, pools: Mapping[str, Any], ask: Mapping[str, Any]) -> dict[str, Any]:
    """Draw again from what is on record. Raises `Impossible`, and KeyError or TypeError for a damaged record."""
    units = [Unit(**row) for row in pools["units"]]
    people = [
        Person(row["code"], row["name"], tuple(row["professions"]), row["barred"])
        for row in pools["people"]
    ]
    asked = Ask(**{**ask, "professions": tuple(ask["professions"])})
    return result_of(draw(seed, units, people, asked))
