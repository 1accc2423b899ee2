"""Race processes for one move on a database of their own: `python -m tests.racing ROUNDS WORKERS [--without-guard]`.

Prints one JSON object: how often a move was won per round, how many events each row has, and breaks of the chain.
DATABASE_URL names an empty database. With `--without-guard` the compare-and-swap is taken out: the control that shows
that the race can be lost.
"""

import json
import multiprocessing
import os
import sys
import time
from collections import Counter

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def unguarded(self, name, *, by, version, note="", data=None, **changes):
    """What many programs do: look at the state in memory, then save."""
    from django.db import transaction

    from institutions import audit
    from institutions.workflow import StaleState

    move = self.MOVES[name]
    with transaction.atomic():
        fresh = type(self)._base_manager.get(pk=self.pk)
        if fresh.status not in move.sources:
            raise StaleState(self, version)
    time.sleep(0.1)  # long enough for the others to look as well, however slow the machine
    with transaction.atomic():
        type(self)._base_manager.filter(pk=self.pk).update(status=move.target, **changes)
        audit.record("race", move.label, by=by, bureau=self.bureau_id, on=self)


def race(number, barrier, rows, post_id, without_guard, results):
    from django.db import connection

    from institutions.models import Post
    from institutions.workflow import StaleState, Workflow
    from supervision.models import Rectification

    if without_guard:
        Workflow._move = unguarded
    post = Post.objects.select_related("institution", "user").get(pk=post_id)
    won, errors = Counter(), Counter()
    for pk in rows:
        row = Rectification.objects.select_related("institution").get(pk=pk)
        barrier.wait()
        try:
            row.sign(by=post, version=1)
            won[pk] += 1
        except StaleState:
            pass
        except Exception as error:  # counted and reported: the race must end without any
            errors[type(error).__name__] += 1
    results.put((dict(won), dict(errors)))
    connection.close()


def main(rounds: int, workers: int, without_guard: bool) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    from institutions import audit
    from institutions.models import Event
    from supervision.models import Problem, Rectification
    from tests import builders

    call_command("migrate", verbosity=0)
    builders.load_reference()
    world = builders.two_counties()
    rows = []
    for number in range(rounds):
        problem = Problem.objects.create(
            institution=world.centre,
            supervisor=world.county,
            source="county",
            year=2023,
            text=f"示例问题{number}",
            found_on="2023-03-01",
        )
        row = Rectification.objects.create(
            problem=problem, institution=world.centre, supervisor=world.county, due="2023-03-31"
        )
        rows.append(row.pk)
    posts = [world.posts.head.pk, world.posts.staff.pk]
    connections.close_all()

    fork = multiprocessing.get_context("fork")
    barrier, results = fork.Barrier(workers), fork.Queue()
    crowd = [
        fork.Process(target=race, args=(n, barrier, rows, posts[n % 2], without_guard, results))
        for n in range(workers)
    ]
    for process in crowd:
        process.start()
    wins, errors = Counter(), Counter()
    for _ in crowd:
        won, failed = results.get(timeout=300)
        wins.update(won)
        errors.update(failed)
    for process in crowd:
        process.join()
    events = Counter(
        Event.objects.filter(subject="supervision.rectification").values_list(
            "subject_id", flat=True
        )
    )
    print(  # noqa: T201 - the answer of this program
        json.dumps(
            {
                "wins": [wins[pk] for pk in rows],
                "events": [events[pk] for pk in rows],
                "errors": errors,
                "breaks": [str(b) for b in audit.verify()],
            }
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), "--without-guard" in sys.argv)
