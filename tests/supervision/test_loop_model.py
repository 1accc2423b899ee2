"""The loop lived through at random by three sides, against a model of a few lines: no rule is ever broken.

The real rows are moved by the real deeds; the model says beforehand whether a deed goes through, and what it leaves.
One world for all runs, each run rolled back: 250 runs of 40 steps are 10,000.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from institutions import clock, files
from institutions.models import Event, Installation
from institutions.workflow import StaleState
from supervision import checking_effect, extending, rectifying
from supervision.handing_out import hand_out
from supervision.models import Rectification
from tests.builders import picture
from tests.supervision.making import fresh, new_problem

RUNS, STEPS = 250, 40
START = date(2023, 3, 1)
REFUSED = (PermissionDenied, ValidationError, StaleState)

# Who acts, and on which side of the centre's duty he stands; the last two on none.
SIDES = {
    "head": "answers",
    "staff": "answers",
    "officer": "asks",
    "second_officer": "asks",
    "lead": "asks",
    "doctor": "",
    "other_head": "",
}
CAN_ASK = {"officer", "second_officer", "lead"}
actors = st.sampled_from(sorted(SIDES))
days = st.integers(-3, 25)


@dataclass
class Duty:
    """What the model knows of one rectification."""

    status: str
    due: date
    original: date
    written: bool = False
    author: str = ""
    asked: date | None = None  # the wished date of the open request
    decided: int = 0
    effects: int = 0
    events: int = 0
    closed_by: str = ""
    history: list[str] = field(default_factory=list)


class Loop(RuleBasedStateMachine):
    """One centre's duty under an item that a lead agency looks after too."""

    world: SimpleNamespace
    evidence: object

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.today = START

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @initialize(length=st.integers(1, 20))
    def hand_out(self, length: int) -> None:
        due = self.today + timedelta(days=length)
        with clock.at(self.today):
            made = hand_out(
                [new_problem(self.world.centre, "问题", code="09", found_on=self.today, due=due)],
                by=self.world.posts.officer,
            )
        self.pk = Rectification.objects.get(problem=made[0]).pk
        self.duty = Duty("assigned", due, due)

    # --- What time and people do ------------------------------------------------------------------

    @rule(number=st.integers(1, 12))
    def days_pass(self, number: int) -> None:
        self.today += timedelta(days=number)

    @rule(actor=actors)
    def sign(self, actor: str) -> None:
        with self.tried(self.answers(actor) and self.duty.status == "assigned"):
            self.row().sign(by=self.post(actor), version=self.seen)
            self.moved("signed")

    @rule(actor=actors)
    def write(self, actor: str) -> None:
        editable = self.duty.status in ("signed", "returned")
        with self.tried(self.answers(actor) and editable):
            rectifying.save_measures(
                self.row(),
                measures="补做体检",
                leader="分管副主任",
                person="经办人",
                files=[self.evidence],
                by=self.post(actor),
                version=self.seen,
            )
            self.duty.written = True
            self.duty.events += 1

    @rule(actor=actors)
    def apply(self, actor: str) -> None:
        editable = self.duty.status in ("signed", "returned")
        with self.tried(self.answers(actor) and editable and self.duty.written):
            self.row().apply(by=self.post(actor), version=self.seen)
            self.duty.author, self.duty.asked = actor, None
            self.moved("applied")

    @rule(actor=actors)
    def close(self, actor: str) -> None:
        with self.tried(actor in CAN_ASK and self.duty.status == "applied"):
            self.row().close(by=self.post(actor), version=self.seen)
            self.duty.closed_by = actor
            self.moved("closed")

    @rule(actor=actors, later=days)
    def send_back(self, actor: str, later: int) -> None:
        due = self.today + timedelta(days=later)
        right = actor in CAN_ASK and self.duty.status == "applied"
        with self.tried(right and due >= self.today):
            self.row().send_back(by=self.post(actor), version=self.seen, note="还差", due=due)
            self.duty.due = due
            self.moved("returned")

    @rule(actor=actors)
    def withdraw(self, actor: str) -> None:
        in_hand = self.duty.status in ("assigned", "signed", "returned")
        with self.tried(actor in CAN_ASK and in_hand):
            self.row().withdraw(by=self.post(actor), version=self.seen, note="重复")
            self.duty.asked = None
            self.moved("withdrawn")

    @rule(actor=actors, later=days)
    def ask_for_more_time(self, actor: str, later: int) -> None:
        wished = self.duty.due + timedelta(days=later)
        possible = (
            self.duty.status in ("signed", "returned")
            and self.duty.asked is None
            and self.duty.decided < 2
            and wished > self.duty.due
            and wished >= self.today
        )
        with self.tried(self.answers(actor) and possible):
            extending.ask(
                self.row(), reason="未到货", wished=wished, by=self.post(actor), version=self.seen
            )
            self.duty.asked = wished
            self.duty.events += 1

    @rule(actor=actors, granted=st.booleans(), later=days)
    def decide(self, actor: str, granted: bool, later: int) -> None:
        row = self.row()
        asked = row.extensions.order_by("-pk").first()
        if asked is None:
            return
        asked.rectification = row
        due = asked.due_before + timedelta(days=later)
        fits = not granted or (later > 0 and due >= self.today)
        with self.tried(actor in CAN_ASK and self.duty.asked is not None and fits):
            if granted:
                extending.grant(asked, due=due, by=self.post(actor), version=self.seen)
                self.duty.due = due
            else:
                extending.refuse(asked, note="不必", by=self.post(actor), version=self.seen)
            self.duty.asked = None
            self.duty.decided += 1
            self.duty.events += 1

    @rule(actor=actors)
    def look_at_the_effect(self, actor: str) -> None:
        with self.tried(actor in CAN_ASK and self.duty.status == "closed"):
            checking_effect.check_effect(
                self.row(),
                on=self.today,
                result="holds",
                note="未反弹",
                by=self.post(actor),
                version=self.seen,
            )
            self.duty.effects += 1
            self.duty.events += 1

    @rule(actor=st.sampled_from(["head", "officer"]))
    def press_an_old_page(self, actor: str) -> None:
        """Of whatever can be done now, nothing is done from the version before."""
        row = self.row()
        name = {"head": ("sign", "apply"), "officer": ("withdraw", "close")}[actor]
        for verb in name:
            asks = {"note": "x"} if verb == "withdraw" else {}
            with self.tried(False):
                getattr(row, verb)(by=self.post(actor), version=self.seen - 1, **asks)

    # --- What always holds ------------------------------------------------------------------------

    @invariant()
    def the_model_and_the_row_agree(self) -> None:
        if not hasattr(self, "pk"):
            return
        row = Rectification.objects.get(pk=self.pk)
        duty = self.duty
        assert (row.status, row.due, row.original_due) == (duty.status, duty.due, duty.original)
        extensions = list(row.extensions.all())
        assert sum(e.status in ("granted", "refused") for e in extensions) == duty.decided <= 2
        assert sum(e.status == "asked" for e in extensions) == (duty.asked is not None)
        if row.status == "closed":
            assert row.verifier.institution_id != row.institution_id
            assert row.verifier_id != row.author_id and row.files.exists()
        # Every transition, and every deed, has left exactly one event.
        events = list(Event.objects.of(row).order_by("seq"))
        moves = [e.after for e in events if e.action.split(".")[-1] in Rectification.MOVES]
        assert moves == duty.history
        handed_out = 0
        assert len(events) == duty.events + handed_out
        with clock.at(self.today):
            late = row.status in ("assigned", "signed", "returned") and row.due < self.today
            assert row.is_overdue is late

    # --- How ----------------------------------------------------------------------------------------

    @property
    def seen(self) -> int:
        return self.version

    def row(self) -> Rectification:
        row = Rectification.objects.select_related(
            "institution__region", "supervisor", "author", "problem"
        ).get(pk=self.pk)
        self.version = row.version
        return row

    def post(self, actor: str):
        return getattr(self.world.posts, actor)

    @staticmethod
    def answers(actor: str) -> bool:
        return SIDES[actor] == "answers"

    @contextmanager
    def tried(self, goes_through: bool) -> Iterator[None]:
        """Do what is inside on today's date; it goes through exactly when the model says so."""
        with clock.at(self.today):
            try:
                with transaction.atomic():
                    yield
            except REFUSED:
                assert not goes_through
            else:
                assert goes_through

    def moved(self, status: str) -> None:
        self.duty.status = status
        self.duty.history.append(status)
        self.duty.events += 1


@pytest.mark.row("A33")
def test_no_rule_of_the_loop_is_broken_in_ten_thousand_steps(world):
    Installation.mark_demo()  # the clock moves only there
    posts = SimpleNamespace(**{name: fresh(getattr(world.posts, name)) for name in SIDES})
    for post in vars(posts).values():
        _ = post.reach, post.item_ids
    Loop.world = SimpleNamespace(centre=world.centre, posts=posts)
    Loop.evidence = files.store(picture(), by=posts.head)
    run_state_machine_as_test(
        Loop,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )
