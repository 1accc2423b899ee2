"""Reminding of the two deadlines of a year's activity, by the steps of supervision/deadlines.py; safe to run twice.

The units that have not completed their self-check hear of 4月30日, from the day itself on so do their counties; who runs the
round hears of 5月20日 while it has not reported. What was missed is made up for, since a step's day follows from the date.
"""

from datetime import date

from django.db import transaction
from django.urls import reverse

from institutions import clock
from institutions.models import Institution
from institutions.models.holidays import work_calendar
from institutions.notifying import notify, posts_at
from scoring.capability import required_ids
from scoring.models import CapabilityReview, CapabilityRound
from scoring.models.capability import FILL, REVIEW
from supervision import deadlines


def remind() -> int:
    """Send the steps that have fallen and were not sent; returns how many."""
    sent = 0
    for pk in CapabilityRound.objects.open().order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            round = (
                CapabilityRound.objects.select_for_update(of=("self",))
                .select_related("institution")
                .get(pk=pk)
            )
            sent += _remind(round)
    return sent


def _remind(round: CapabilityRound) -> int:
    today, known, fallen = clock.today(), set(round.reminded), []
    for name, due in (("self", round.self_due), ("recheck", round.recheck_due)):
        calendar = work_calendar(due, today)
        for step in deadlines.STEPS:
            code = f"{name}:{due}:{step.code}"
            if code not in known and step.day(due, calendar) <= today:
                fallen.append((name, due, step, code))
    # One note a deadline, however many steps were missed: the latest.
    latest = {name: (due, step) for name, due, step, _ in fallen}
    for name, (due, step) in latest.items():
        (_tell_units if name == "self" else _tell_owner)(round, due, step)
    if fallen:
        codes = [*round.reminded, *(code for *_, code in fallen)]
        CapabilityRound.objects.filter(pk=round.pk).update(reminded=codes)
    return len(fallen)


def _tell_units(round: CapabilityRound, due: date, step: deadlines.Step) -> None:
    done = round.reviews.filter(done_on__isnull=False).values_list("institution", flat=True)
    late = required_ids(round) - set(done)
    if not late:
        return
    text = f"{round.name}自查（{step.label}）：{due:%Y-%m-%d}前完成自查"
    notify(posts_at(late, FILL), text, url=_url(round))
    if step.offset >= 0:
        reported = round.reports.values_list("institution", flat=True)
        counties = (
            Institution.objects.filter(pk__in=late)
            .exclude(bureau__in=list(reported))
            .order_by()
            .values_list("bureau", flat=True)
        )
        notify(
            posts_at({pk for pk in counties if pk}, REVIEW),
            f"{text}并上报，还有机构没有完成",
            url=_url(round),
        )


def _tell_owner(round: CapabilityRound, due: date, step: deadlines.Step) -> None:
    if round.reports.filter(institution=round.institution_id).exists():
        return
    open_ = round.reviews.exclude(status__in=CapabilityReview.SETTLED).exists()
    rest = "，还有机构没有复核" if open_ else ""
    notify(
        posts_at([round.institution_id], REVIEW),
        f"{round.name}复核（{step.label}）：{due:%Y-%m-%d}前完成复核并上报{rest}",
        url=_url(round),
    )


def _url(round: CapabilityRound) -> str:
    return reverse("scoring:capability_round", args=[round.pk])
