"""Breakthrough items 突破事项: setting the round up, handing it out, writing, judging and following the items."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Max
from django.urls import reverse

from campaigns.models import (
    BreakthroughItem,
    BreakthroughQuota,
    BreakthroughRound,
    BreakthroughSubmission,
)
from campaigns.models.breakthrough import CRITERIA, writers_of
from institutions import audit, clock
from institutions.models import Department, Institution, Kind, Post, StoredFile
from institutions.notifying import notify, posts_at
from institutions.workflow import Side, touch

DRAFT = frozenset({BreakthroughRound.Status.DRAFT})
SUBMITTED = frozenset({BreakthroughSubmission.Status.SUBMITTED})
ACCEPTED = frozenset({BreakthroughSubmission.Status.ACCEPTED})


@dataclass(frozen=True)
class Quota:
    """How many items those of one sort hand in; `institutions` or `departments` where they are named."""

    sort: str
    least: int
    most: int
    institutions: Sequence[Institution] = field(default_factory=tuple)
    departments: Sequence[Department] = field(default_factory=tuple)


def set_up(
    round_: BreakthroughRound, quotas: Iterable[Quota], *, by: Post, version: int = 0
) -> BreakthroughRound:
    """Save a round that is not handed out yet, new or changed, with its quotas.

    Raises PermissionDenied for a campaign of another bureau, StaleState for another version or one handed out already.
    """
    campaign = round_.campaign
    if not by.has_perm("campaigns.change_campaign") or not by.acts_for(campaign.institution_id):
        raise PermissionDenied("由活动的拟稿单位设置")
    new = round_.pk is None
    with transaction.atomic():
        if new:
            round_.institution = round_.supervisor = by.institution
            round_.author = by
        else:
            touch(round_, version=version, editable=DRAFT)
        round_.save()
        round_.quotas.all().delete()
        for quota in quotas:
            row = BreakthroughQuota.objects.create(
                round=round_, sort=quota.sort, least=quota.least, most=quota.most
            )
            row.institutions.set(quota.institutions)
            row.departments.set(quota.departments)
        audit.record(
            "campaigns.breakthroughround.set_up",
            "设置突破事项填报" if new else "修改突破事项填报",
            by=by,
            bureau=round_.bureau_id,
            on=round_,
            institution=round_.institution,
        )
    return round_


def issue(round_: BreakthroughRound, *, by: Post, version: int) -> list[BreakthroughSubmission]:
    """Hand the round out: a submission for each recipient of the paper and each department, and a note to them.

    What each has to hand in is kept with it. Raises what `Workflow._move` raises, and ValidationError when it would
    reach nobody.
    """
    owed = _owed(round_)
    if not owed:
        raise ValidationError("没有要填报的单位或科室，请先选择主送机构和科室")
    with transaction.atomic():
        round_._move(
            "issue",
            by=by,
            version=version,
            data={
                "submissions": len(owed),
                "sha256": audit.digest(
                    [s.institution_id, s.department_id, s.least, s.most] for s in owed
                ),
            },
        )
        for row in owed:
            row.author = by
        made = BreakthroughSubmission.objects.bulk_create(owed)
        _tell(round_, made)
    return made


def _owed(round_: BreakthroughRound) -> list[BreakthroughSubmission]:
    quotas = {quota.sort: quota for quota in round_.quotas.all()}
    sorts = BreakthroughQuota.Sort
    named, others = quotas.get(sorts.NAMED), quotas.get(sorts.OTHERS)
    chosen = set(named.institutions.values_list("pk", flat=True)) if named else set()
    owed = []
    recipients = round_.campaign.recipients.units().select_related("institution__bureau")
    for recipient in recipients.exclude(institution__kind=Kind.STREET).order_by("institution"):
        unit = recipient.institution
        quota = named if unit.pk in chosen else others
        if quota:
            owed.append(_submission(round_, quota, unit, None))
    departments = quotas.get(sorts.DEPARTMENTS)
    if departments:
        for department in departments.departments.order_by("name"):
            owed.append(_submission(round_, departments, round_.institution, department))
    return owed


def _submission(
    round_: BreakthroughRound,
    quota: BreakthroughQuota,
    unit: Institution,
    department: Department | None,
) -> BreakthroughSubmission:
    return BreakthroughSubmission(
        bureau_id=cast(int, unit.bureau_id),
        institution=unit,
        supervisor_id=round_.institution_id,
        round=round_,
        department=department,
        least=quota.least,
        most=quota.most,
    )


def _tell(round_: BreakthroughRound, made: Iterable[BreakthroughSubmission]) -> None:
    """Tell those who write it in each unit and department."""
    text = f"请在{round_.due.month}月{round_.due.day}日前填报突破事项：{round_.name}"
    url = f"{reverse('campaigns:breakthrough_list')}?round={round_.pk}&scope=own"
    units = [row.institution_id for row in made if row.department_id is None]
    posts = set(posts_at(units, "campaigns.write_breakthrough"))
    for row in made:
        if row.department_id:
            posts.update(writers_of(row.institution_id, row.department_id))
    notify(posts, text, url=url)


# --- Writing ----------------------------------------------------------------------------------------


def _claim(
    submission: BreakthroughSubmission, *, by: Post, version: int, states: frozenset[str]
) -> None:
    if not by.has_perm("campaigns.write_breakthrough") or not submission.stands_on(
        Side.ANSWERS, by
    ):
        raise PermissionDenied("由填报单位、科室填写")
    touch(submission, version=version, editable=states)


def save_item(item: BreakthroughItem, *, by: Post, version: int) -> None:
    """Save an item, new or changed, of what is not handed in; a changed one is to be judged anew."""
    submission = item.submission
    with transaction.atomic():
        _claim(submission, by=by, version=version, states=BreakthroughSubmission.EDITABLE)
        if item.pk is None:
            last = submission.items.aggregate(n=Max("position"))["n"] or 0
            item.position = last + 1
        item.specific = item.workable = item.ahead = None
        item.save()


def delete_item(item: BreakthroughItem, *, by: Post, version: int) -> None:
    """Take an item out of what is not handed in; the trail keeps its name."""
    submission = item.submission
    with transaction.atomic():
        _claim(submission, by=by, version=version, states=BreakthroughSubmission.EDITABLE)
        audit.record(
            "campaigns.breakthroughsubmission.delete_item",
            "删除突破事项",
            by=by,
            bureau=submission.bureau_id,
            on=submission,
            institution=submission.institution,
            note=item.name,
        )
        item.delete()


# --- Judging ----------------------------------------------------------------------------------------


def judge(
    submission: BreakthroughSubmission,
    verdicts: Mapping[int, Mapping[str, Any]],
    *,
    by: Post,
    version: int,
) -> None:
    """Keep for each item (by id) whether it meets the three criteria, and the opinion on it.

    A criterion that is not met needs an opinion: ValidationError. StaleState when the submission has moved on.
    """
    if not by.has_perm("campaigns.review_breakthrough") or not submission.stands_on(Side.ASKS, by):
        raise PermissionDenied("由审核单位办理，本科室的事项由其他科室审核")
    with transaction.atomic():
        touch(submission, version=version, editable=SUBMITTED)
        for item in submission.items.all():
            said = verdicts.get(item.pk)
            if said is None:
                continue
            for name in (*CRITERIA, "opinion"):
                setattr(item, name, said[name])
            if not item.opinion and any(said[name] is False for name in CRITERIA):
                raise ValidationError(f"“{item.name}”有不符合的标准，请写明意见")
            item.save(update_fields=[*CRITERIA, "opinion"])


# --- Following --------------------------------------------------------------------------------------


def save_progress(
    item: BreakthroughItem,
    *,
    by: Post,
    version: int,
    progress: str,
    text: str,
    delay_reason: str = "",
    files: Sequence[StoredFile] = (),
) -> None:
    """Say how far an accepted item is; past its deadline with the reason of the delay.

    Each report stays in the trail. ValidationError without a reason once the day has passed.
    """
    submission = item.submission
    today = clock.today()
    if needs_reason(item, today) and not delay_reason.strip():
        raise ValidationError({"delay_reason": "已超过完成时限，请写明逾期原因"})
    with transaction.atomic():
        _claim(submission, by=by, version=version, states=ACCEPTED)
        item.progress, item.progress_text, item.delay_reason = progress, text, delay_reason
        item.progressed_on = today
        item.save(update_fields=["progress", "progress_text", "delay_reason", "progressed_on"])
        item.files.add(*files)
        reason = f"逾期原因：{delay_reason}" if delay_reason else ""
        audit.record(
            "campaigns.breakthroughsubmission.progress",
            "更新突破事项进展",
            by=by,
            bureau=submission.bureau_id,
            on=submission,
            institution=submission.institution,
            note=f"{item.name}（{item.get_progress_display()}）：{text}{reason}",
        )


def needs_reason(item: BreakthroughItem, today: date) -> bool:
    """Whether what is told of the item today is told too late; one that was done in time needs no reason later."""
    done_in_time = (
        item.progress == BreakthroughItem.Progress.DONE
        and item.progressed_on is not None
        and item.progressed_on <= item.due
    )
    return item.due < today and not done_in_time
