"""Lots are drawn the same way from the same seed, nobody visits where he is barred, and what can be done is done.

Straight at the pure module; the oracle below knows nothing of it but the question.
"""

import itertools
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from supervision import drawing
from supervision.drawing import Ask, Impossible, Person, Unit, draw

PROFESSIONS = ("medicine", "tcm", "public_health")


@st.composite
def pools(draw_, most_units=5, most_people=6):
    units = [
        Unit(f"U{i}", f"机构{i}", draw_(st.sampled_from(["医院", "乡镇卫生院"])))
        for i in range(draw_(st.integers(1, most_units)))
    ]
    people = [
        Person(
            f"E{i}",
            f"专家{i}",
            tuple(sorted(draw_(st.sets(st.sampled_from(PROFESSIONS), min_size=1)))),
            {unit.code: "回避" for unit in units if draw_(st.integers(0, 3)) == 0},
        )
        for i in range(draw_(st.integers(0, most_people)))
    ]
    ask = Ask(
        teams=draw_(st.integers(1, 3)),
        size=draw_(st.integers(1, 3)),
        professions=tuple(sorted(draw_(st.sets(st.sampled_from(PROFESSIONS), max_size=2)))),
    )
    return units, people, ask


def feasible(units, people, ask) -> bool:
    """Try every even partition of the institutions and every choice of members: the brute-force oracle."""
    if len(units) < ask.teams:
        return False
    low, more = divmod(len(units), ask.teams)
    for owner in itertools.product(range(ask.teams), repeat=len(units)):
        sizes = sorted(owner.count(team) for team in range(ask.teams))
        if sizes != sorted([low] * (ask.teams - more) + [low + 1] * more):
            continue
        visited = [
            {unit.code for unit, team in zip(units, owner, strict=True) if team == number}
            for number in range(ask.teams)
        ]
        if _staffed(visited, people, ask):
            return True
    return False


def _staffed(visited, people, ask) -> bool:
    if not visited:
        return True
    for team in itertools.combinations(people, ask.size):
        if any(person.barred.keys() & visited[0] for person in team):
            continue
        if set(ask.professions) <= {p for person in team for p in person.professions}:
            left = [person for person in people if person not in team]
            if _staffed(visited[1:], left, ask):
                return True
    return False


def assert_sound(drawn, units, people, ask):
    known = {person.code: person for person in people}
    assert sorted(code for team in drawn.teams for code in team.units) == sorted(drawn.units)
    assert len(drawn.teams) == ask.teams
    sizes = [len(team.units) for team in drawn.teams]
    assert max(sizes) - min(sizes) <= 1
    members = [code for team in drawn.teams for code in team.members]
    assert len(members) == len(set(members)) == ask.teams * ask.size
    for team in drawn.teams:
        people_there = [known[code] for code in team.members]
        assert not any(p.barred.keys() & set(team.units) for p in people_there)
        assert set(ask.professions) <= {x for p in people_there for x in p.professions}


@pytest.mark.row("E33")
@settings(max_examples=1000, deadline=None)
@given(pools(), st.text("0123456789abcdef", min_size=1, max_size=8))
def test_teams_are_found_exactly_when_there_are_any_and_break_no_rule(pool, seed):
    units, people, ask = pool
    possible = feasible(units, people, ask)
    try:
        drawn = draw(seed, units, people, ask)
    except Impossible:
        drawn = None
    assert (drawn is not None) == possible
    if drawn:
        assert_sound(drawn, units, people, ask)


@pytest.mark.row("E31", "E32")
@settings(max_examples=300, deadline=None)
@given(pools(), st.randoms(use_true_random=False))
def test_the_same_seed_gives_the_same_result_whatever_the_order_of_rows(pool, shuffler):
    units, people, ask = pool
    possible = feasible(units, people, ask)
    first = draw("42", units, people, ask) if possible else None
    shuffler.shuffle(units)
    shuffler.shuffle(people)
    state = random.getstate()
    if not possible:
        with pytest.raises(Impossible):
            draw("42", units, people, ask)
        return
    assert draw("42", units, people, ask) == first
    assert random.getstate() == state, "the draw has a source of chance of its own"
    stored = drawing.pools_of(units, people)
    assert drawing.replay("42", stored, drawing.ask_of(ask)) == drawing.result_of(first)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["医院", "乡镇卫生院", "村卫生室"]), min_size=1, max_size=40),
    st.integers(1, 100),
    st.text("0123456789", min_size=1, max_size=6),
)
@example(kinds=["医院"] * 3, percent=34, seed="1")
def test_each_stratum_gives_its_share_rounded_up(kinds, percent, seed):
    units = [Unit(f"U{i}", f"机构{i}", kind) for i, kind in enumerate(kinds)]
    drawn = draw(seed, units, [], Ask(strata="kind", mode="share", amount=percent))
    for stratum in drawn.strata:
        there = kinds.count(stratum.name)
        assert stratum.pool == there and len(set(stratum.drawn)) == len(stratum.drawn)
        assert (len(stratum.drawn) - 1) * 100 < there * percent <= len(stratum.drawn) * 100
        assert all(kinds[int(code[1:])] == stratum.name for code in stratum.drawn)


def test_the_algorithm_is_the_one_that_is_documented():
    """A golden draw: changing the algorithm breaks every record, so it must be seen here first."""
    units = [Unit(f"U{i}", f"机构{i}", "医院" if i < 3 else "乡镇卫生院") for i in range(8)]
    people = [
        Person(f"E{i}", f"专家{i}", (PROFESSIONS[i % 3],), {f"U{i}": "回避"}) for i in range(6)
    ]
    ask = Ask("kind", "number", 2, teams=2, size=2, professions=("tcm",))
    result = drawing.result_of(draw("2023", units, people, ask))
    assert result == {
        "strata": [
            {"name": "乡镇卫生院", "pool": 5, "drawn": ["U6", "U4"]},
            {"name": "医院", "pool": 3, "drawn": ["U1", "U2"]},
        ],
        "teams": [
            {"units": ["U4", "U2"], "members": ["E0", "E1"]},
            {"units": ["U6", "U1"], "members": ["E2", "E4"]},
        ],
    }
    assert drawing.order_key("2023", "unit", "U1") == (
        "4a362e467d3f355b8234c9ef0e8800960a07e453b8eb89b37d1238810d88905d"
    )


def test_what_is_missing_is_named():
    units = [Unit("A", "甲院"), Unit("B", "乙院")]
    people = [
        Person("E1", "专家一", ("tcm",), {"A": "回避"}),
        Person("E2", "专家二", ("medicine",)),
    ]
    words = {"tcm": "中医药", "finance": "财务管理"}

    def said(ask):
        with pytest.raises(Impossible) as refused:
            draw("1", units, people, ask, words=words)
        return str(refused.value)

    assert "还缺 1 人" in said(Ask(teams=1, size=3))
    assert "不够 3 个组" in said(Ask(teams=3, size=1))
    assert "“财务管理”专业需要 1 人（每组 1 人），可用 0 人" in said(
        Ask(teams=1, size=1, professions=("finance",))
    )
    assert "甲院：除去回避，没有“中医药”专业的专家" in said(
        Ask(teams=1, size=2, professions=("tcm",))
    )
    assert "甲院：除去回避，可用专家 1 人，不够每组 2 人" in said(Ask(teams=1, size=2))
    assert "只有 2 家，不够抽 3 家" in said(Ask(mode="number", amount=3))
    with pytest.raises(Impossible, match="没有可以抽取的机构"):
        draw("1", [], people, Ask())


def test_what_fits_one_by_one_but_not_together_is_said_so():
    """Each profession and each institution could be served, yet no one is left for the second team."""
    units = [Unit("A", "甲院"), Unit("B", "乙院")]
    both = Person("E1", "专家一", ("tcm", "medicine"))
    people = [both, Person("E2", "专家二", ("tcm",)), Person("E3", "专家三", ("medicine",))]
    people.append(Person("E4", "专家四", ("nursing",)))
    ask = Ask(teams=2, size=1, professions=("tcm", "medicine"))
    with pytest.raises(Impossible, match="合在一起排不开"):
        draw("1", units, people, ask)
    assert not feasible(units, people, ask)
    assert (
        len(draw("1", units, people, Ask(teams=2, size=2, professions=ask.professions)).teams) == 2
    )


def test_a_county_s_pool_is_drawn_within_the_steps():
    """Sixty institutions, sixty experts employed by them, ten teams of five with all they need."""
    nine = [f"p{i}" for i in range(9)]
    units = [Unit(f"U{i}", f"机构{i}", "卫生院") for i in range(60)]
    people = [
        Person(f"E{i}", f"专家{i}", (nine[i % 9], nine[i * 7 % 9]), {f"U{i}": "回避"})
        for i in range(60)
    ]
    ask = Ask(teams=6, size=6, professions=("p0", "p3", "p5"))
    assert_sound(draw("县", units, people, ask), units, people, ask)
