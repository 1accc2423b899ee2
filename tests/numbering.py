"""Race processes for the numbers of one register: `python -m tests.numbering ROUNDS WORKERS`.

In each round every worker issues a draft of its own, one that all of them want, and one that is refused after its
number was taken. Prints one JSON object: the numbers given, the register's last, the errors. DATABASE_URL names an
empty database.
"""

import json
import multiprocessing
import os
import sys
from collections import Counter
from contextlib import suppress

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

WORD = "示卫健督"


def race(barrier, rounds, post_id, results):
    from django.core.exceptions import ValidationError
    from django.db import OperationalError, connection

    from institutions.models import Post
    from institutions.workflow import StaleState
    from supervision import noticing
    from supervision.models import Notice

    post = Post.objects.select_related("institution", "user").get(pk=post_id)

    def issue(notice):
        """Press again where a slow machine kept the one write lock of SQLite longer than is waited for."""
        while True:
            with suppress(OperationalError):
                return noticing.issue(notice, by=post, version=1)

    refused: Counter[str] = Counter()
    for drafts in rounds:
        barrier.wait()
        for pk in drafts:
            notice = Notice.objects.select_related("institution").get(pk=pk)
            try:
                issue(notice)
            except (StaleState, ValidationError) as error:
                refused[type(error).__name__] += 1
            except Exception as error:  # counted and reported: the race must end without any
                refused[f"unexpected {type(error).__name__}"] += 1
    results.put(dict(refused))
    connection.close()


def main(rounds: int, workers: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    from institutions import audit
    from supervision import noticing
    from supervision.models import Notice, NoticeRegister
    from tests import builders

    call_command("migrate", verbosity=0)
    builders.load_reference()
    world = builders.two_counties()

    def draft(recipients) -> int:
        content = noticing.Draft("bulletin", "示例通报", "正文", recipients=recipients)
        notice = noticing.draft(content, by=world.posts.officer)
        Notice.objects.filter(pk=notice.pk).update(word=WORD, signer=world.posts.leader)
        return notice.pk

    plans: list[list[tuple[int, int, int]]] = [[] for _ in range(workers)]
    for _ in range(rounds):
        wanted = draft([world.centre])
        for plan in plans:
            plan.append((draft([world.centre]), wanted, draft([])))
    connections.close_all()

    fork = multiprocessing.get_context("fork")
    barrier, results = fork.Barrier(workers), fork.Queue()
    crowd = [
        fork.Process(target=race, args=(barrier, plan, world.posts.leader.pk, results))
        for plan in plans
    ]
    for process in crowd:
        process.start()
    refused: Counter[str] = Counter()
    for _ in crowd:
        refused.update(results.get(timeout=300))
    for process in crowd:
        process.join()
    numbers = Notice.objects.filter(number__isnull=False).values_list("number", flat=True)
    print(  # noqa: T201 - the answer of this program
        json.dumps(
            {
                "numbers": sorted(numbers),
                "last": NoticeRegister.objects.get().last,
                "refused": refused,
                "breaks": [str(b) for b in audit.verify()],
            }
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
