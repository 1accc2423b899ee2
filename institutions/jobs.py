"""Long work: a job has an owner, a state, progress and a result; it can be left and found again.

A floor registers what a kind of job does in its own `jobs.py`:

    @jobs.runner("settle")
    def settle(job: Job, progress: Progress) -> Outcome: ...

`start` runs a small job at once and hands a large one to the worker. What fails says why in Chinese (`Refusal`,
`ValidationError`), or leaves a number to quote beside the log entry; the person never sees a trace.
"""

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.module_loading import autodiscover_modules
from django_tasks import task

from institutions import clock
from institutions.models import Job, Post, StoredFile
from institutions.sheets import Refusal

logger = logging.getLogger("portal.jobs")

AT_ONCE = 2_000  # rows; above that the worker does it
STAGED_FOR = timedelta(days=1)
LOST_AFTER = timedelta(hours=6)
# Packages of files are large, and can be made again.
BULKY = ("dossier",)
BULKY_KEPT = timedelta(days=14)

Progress = Callable[[int], None]


@dataclass
class Outcome:
    """How a job ended: its state, what to tell on its page, how many rows it was about."""

    state: str = Job.State.DONE
    report: dict[str, Any] = field(default_factory=dict)
    total: int = 0
    result: StoredFile | None = None


Runner = Callable[[Job, Progress], Outcome]
_runners: dict[str, Runner] = {}


def runner(kind: str) -> Callable[[Runner], Runner]:
    """Register the function that does jobs of this kind."""

    def register(function: Runner) -> Runner:
        _runners[kind] = function
        return function

    return register


def queue(
    kind: str, title: str, *, by: Post, params: dict[str, Any], source: StoredFile | None = None
) -> Job:
    """Make a job of a post, on behalf of its institution; `start` it next."""
    return Job.objects.create(
        kind=kind,
        title=title[:120],
        owner=by,
        unit=by.institution,
        params=params,
        source=source,
        created_at=clock.now(),
    )


def start(job: Job, *, rows: int) -> None:
    """Do a queued job now if it is small, else leave it to the worker. Call outside a transaction."""
    if rows > AT_ONCE:
        run.enqueue(job.pk)
    else:
        perform(job.pk)
    job.refresh_from_db()


@task()
def run(job_id: int) -> None:
    """Do a queued job; called by the worker."""
    perform(job_id)


def perform(job_id: int) -> None:
    """Do a queued job once: of two that try, one finds it queued."""
    queued = Job.objects.filter(pk=job_id, state=Job.State.QUEUED)
    if not queued.update(state=Job.State.RUNNING, done=0):
        return
    autodiscover_modules("jobs")
    job = Job.objects.select_related("owner__institution", "owner__user", "unit", "source").get(
        pk=job_id
    )
    outcome = _outcome(job)
    finished = None if outcome.state == Job.State.STAGED else clock.now()
    Job.objects.filter(pk=job_id, state=Job.State.RUNNING).update(
        state=outcome.state,
        report=outcome.report,
        result=outcome.result,
        total=outcome.total,
        done=outcome.total if outcome.state == Job.State.DONE else 0,
        finished_at=finished,
    )


def _outcome(job: Job) -> Outcome:
    try:
        return _runners[job.kind](job, _progress(job))
    except (Refusal, ValidationError) as refused:
        reasons = getattr(refused, "messages", None) or [str(refused)]
        return Outcome(Job.State.FAILED, {"errors": reasons}, job.total)
    except Exception:
        number = secrets.token_hex(4).upper()
        logger.exception("job %s failed with number %s", job.pk, number)
        told = "处理时出错，什么也没有写入。请把编号告诉系统管理员。"
        return Outcome(Job.State.FAILED, {"编号": number, "errors": [told]}, job.total)


def _progress(job: Job) -> Progress:
    """Tell how far a job is, at most once a second."""
    told = time.monotonic()

    def tell(done: int) -> None:
        nonlocal told
        if time.monotonic() - told >= 1:
            told = time.monotonic()
            Job.objects.filter(pk=job.pk).update(done=done)

    return tell


def expire() -> int:
    """Drop what was staged a day ago and not confirmed, fail what a killed worker left; returns how many."""
    now = clock.now()
    old = Job.objects.filter(state=Job.State.STAGED, created_at__lt=now - STAGED_FOR)
    dropped = old.update(
        state=Job.State.DROPPED, source=None, result=None, report={}, finished_at=now
    )
    # The bytes of a refused upload are not kept either.
    Job.objects.filter(state=Job.State.FAILED, created_at__lt=now - STAGED_FOR).update(source=None)
    bulky = Job.objects.filter(kind__in=BULKY, state=Job.State.DONE)
    bulky.filter(finished_at__lt=now - BULKY_KEPT).update(result=None)
    lost = Job.objects.filter(state=Job.State.RUNNING, created_at__lt=now - LOST_AFTER)
    return dropped + lost.update(
        state=Job.State.FAILED,
        report={"errors": ["处理中断，什么也没有写入，请重新发起"]},
        finished_at=now,
    )
