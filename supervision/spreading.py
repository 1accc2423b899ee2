"""举一反三: a confirmed problem is put to other institutions, each looks for it at home, and what is there is put right."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F, QuerySet
from django.urls import reverse

from institutions import audit, clock
from institutions.models import Institution, Kind, Post
from institutions.notifying import notify, posts_at
from institutions.workflow import StaleState
from supervision.handing_out import NewProblem, hand_out
from supervision.models import Problem, SelfCheck, Source, Spread

BATCH = 500
MOST_PROBLEMS = 100
MOST_ANSWERS = 100
SPREAD = "supervision.verify_rectification"
ANSWER = "supervision.answer_rectification"
NOBODY = (Kind.BUREAU, Kind.STREET)


def may_spread(problem: Problem, post: Post) -> bool:
    """Say whether this post puts the problem to others: it supervises the place where it was found."""
    return (
        post.has_perm(SPREAD)
        and post.institution_id != problem.institution_id
        and post.asks_of(problem.institution, problem.supervisor_id, problem.item_id)
    )


def askable(by: Post) -> QuerySet[Institution]:
    """Return the open institutions that `by` may ask: below its own, or within its mandates."""
    return (
        Institution.objects.visible_to(by)
        .open_on(clock.today())
        .exclude(kind__in=NOBODY)
        .exclude(pk=by.institution_id)
        .exclude(parent=None)
        .order_by("path")
    )


def spread(
    problems: Sequence[Problem],
    *,
    institutions: Sequence[Institution],
    due: date,
    put_right_by: date,
    text: str = "",
    demand: str = "",
    similar_counts: bool = True,
    by: Post,
) -> list[Spread]:
    """Put problems to institutions, each a dated self-check (有, 无, 类似); in sets, one event, one note an institution.

    `text` replaces the wording of a single problem. Nobody is asked about his own problem, nor twice about the same.
    Problems come with institution and `rectification`. Raises PermissionDenied, ValidationError.
    """
    _refuse(problems, institutions, due=due, put_right_by=put_right_by, by=by)
    with transaction.atomic():
        asked_before = set(
            SelfCheck.objects.filter(
                spread__problem__in=[problem.pk for problem in problems]
            ).values_list("spread__problem", "institution")
        )
        pairs = [
            (problem, unit)
            for problem in problems
            for unit in institutions
            if unit.pk != problem.institution_id and (problem.pk, unit.pk) not in asked_before
        ]
        if not pairs:
            raise ValidationError("所选机构都已经对照自查过这些问题")
        wanted = {problem.pk: problem for problem, _ in pairs}
        made = Spread.objects.bulk_create(
            (
                Spread(
                    bureau_id=by.institution.bureau_id or by.institution_id,
                    institution=by.institution,
                    problem=problem,
                    item_id=problem.item_id,
                    clause_id=problem.clause_id,
                    category=problem.category,
                    severity=problem.severity,
                    text=nameless(text or problem.text, problem.institution),
                    demand=demand,
                    due=due,
                    put_right_by=put_right_by,
                    similar_counts=similar_counts,
                    author=by,
                )
                for problem in wanted.values()
            ),
            batch_size=BATCH,
        )
        of = {row.problem_id: row for row in made}
        SelfCheck.objects.bulk_create(
            (
                SelfCheck(
                    bureau_id=cast(int, unit.bureau_id),
                    institution=unit,
                    supervisor=by.institution,
                    author=by,
                    spread=of[problem.pk],
                    item_id=problem.item_id,
                    due=due,
                )
                for problem, unit in pairs
            ),
            batch_size=BATCH,
        )
        _record_spread(made, pairs, by=by)
        _tell(pairs, due)
    return made


def nameless(text: str, institution: Institution) -> str:
    """Return the text without the name of the place where it was found."""
    for name in (institution.name, institution.short_name, *institution.other_names):
        if name:
            text = text.replace(name, "某机构")
    return text


def _refuse(
    problems: Sequence[Problem],
    institutions: Sequence[Institution],
    *,
    due: date,
    put_right_by: date,
    by: Post,
) -> None:
    if any(not may_spread(problem, by) for problem in problems):
        raise PermissionDenied("举一反三由督导方下发")
    if not problems or not institutions:
        raise ValidationError("请选择问题和机构")
    if len(problems) > MOST_PROBLEMS:
        raise ValidationError(f"一次最多下发 {MOST_PROBLEMS} 个问题，请先筛选")
    if any(problem.rectification.status == "withdrawn" for problem in problems):
        raise ValidationError("已撤回的问题不能举一反三")
    if due < clock.today():
        raise ValidationError("自查截止不能早于今天")
    if put_right_by < due:
        raise ValidationError("整改时限不能早于自查截止")


def _record_spread(
    made: Sequence[Spread], pairs: Sequence[tuple[Problem, Institution]], *, by: Post
) -> None:
    single = made[0].problem if len(made) == 1 else None
    audit.record(
        "supervision.problem.spread",
        "举一反三",
        by=by,
        bureau=by.institution.bureau_id,
        on=single,
        note=f"{len(made)} 个问题，机构 {len({unit.pk for _, unit in pairs})} 家",
        data={
            "count": len(pairs),
            "digest": audit.digest([problem.pk, unit.pk] for problem, unit in pairs),
        },
    )


def _tell(pairs: Sequence[tuple[Problem, Institution]], due: date) -> None:
    url = reverse("supervision:self_check_answer")
    notify(
        posts_at({unit.pk for _, unit in pairs}, ANSWER),
        f"请在{due:%Y年%-m月%-d日}前对照问题清单逐项自查（举一反三）",
        url=url,
    )


@dataclass(frozen=True)
class Answer:
    """What an institution says to one self-check; `version` is that of the row as it was seen."""

    pk: int
    version: int
    answer: str
    note: str = ""


def answer(answers: Sequence[Answer], *, by: Post) -> list[Problem]:
    """Save answers of one's own institution, all or none, with one event; what is there becomes a duty at once.

    Returns the problems opened. Raises PermissionDenied, StaleState, ValidationError.
    """
    given = {row.pk: row for row in answers}
    if not given:
        raise ValidationError("请至少选择一项的自查结果")
    if len(given) > MOST_ANSWERS:
        raise ValidationError(f"一次最多提交 {MOST_ANSWERS} 项")
    with transaction.atomic():
        checks = _claim(given, by=by)
        now = clock.now()
        for check in checks:
            said = given[check.pk]
            check.check_answer(said.answer, said.note)
            check.status, check.answer = SelfCheck.Status.ANSWERED, said.answer
            check.note, check.answered_at, check.author = said.note.strip(), now, by
            check.returned = ""
        SelfCheck.objects.bulk_update(
            checks,
            ["status", "answer", "note", "answered_at", "author", "returned"],
            batch_size=BATCH,
        )
        SelfCheck.objects.filter(pk__in=given).update(version=F("version") + 1)
        _record_answers(checks, by=by)
        return _open(checks, by=by)


def send_back(check: SelfCheck, *, by: Post, version: int, note: str, due: date) -> None:
    """Return a careless answer with a reason and a new day; what had been said stays in the trail.

    Only while nothing was opened from it. Raises PermissionDenied, StaleState, ValidationError.
    """
    if due < clock.today():
        raise ValidationError("新的自查截止不能早于今天")
    said = {"answer": check.answer, "note": check.note}
    with transaction.atomic():
        check._move(
            "send_back",
            by=by,
            version=version,
            note=note,
            data=said,
            due=due,
            answer="",
            answered_at=None,
            returned=note,
        )
        SelfCheck.objects.filter(pk=check.pk).update(note="")
        notify(
            posts_at([check.institution_id], ANSWER),
            f"自查被退回，请在{due:%Y年%-m月%-d日}前重新自查：{note}",
            url=check.get_absolute_url(),
        )


def _claim(given: dict[int, Answer], *, by: Post) -> list[SelfCheck]:
    """Hold the rows as they were seen; refuse rows of others and rows that have changed."""
    rows = (
        SelfCheck.objects.select_for_update(of=("self",))
        .filter(pk__in=given)
        .select_related(
            "institution__region", "spread__problem", "spread__clause__item", "item", "supervisor"
        )
        .order_by("pk")
    )
    checks = list(rows)
    if len(checks) != len(given):
        raise ValidationError("有的自查项已不存在，请刷新页面")
    for check in checks:
        if not check.may("answer", by):
            raise PermissionDenied("对照自查由本机构填写")
        if check.status != SelfCheck.Status.ASKED or check.version != given[check.pk].version:
            raise StaleState(check, given[check.pk].version)
    return checks


def _record_answers(checks: Sequence[SelfCheck], *, by: Post) -> None:
    single = checks[0] if len(checks) == 1 else None
    counts = [
        f"{label} {number}"
        for value, label in SelfCheck.Answer.choices
        if (number := sum(check.answer == value for check in checks))
    ]
    audit.record(
        "supervision.selfcheck.answer",
        "提交自查结果",
        by=by,
        bureau=checks[0].bureau_id,
        on=single,
        institution=checks[0].institution,
        before=SelfCheck.Status.ASKED,
        after=SelfCheck.Status.ANSWERED,
        note=single.note if single and single.note else "，".join(counts),
        data={
            "count": len(checks),
            "digest": audit.digest([c.pk, c.answer, c.note] for c in checks),
        },
    )


def _open(checks: Sequence[SelfCheck], *, by: Post) -> list[Problem]:
    """Hand out what was found at home, to be put right by the date of the spread (or today, where that is past)."""
    today = clock.today()
    opening = [check for check in checks if check.opens]
    if not opening:
        return []
    made = hand_out(
        [
            NewProblem(
                institution=check.institution,
                source=Source.SELF,
                year=today.year,
                item=check.item,
                clause=check.spread.clause,
                category=check.spread.category,
                severity=check.spread.severity,
                text=check.note or check.spread.text,
                found_on=today,
                due=max(check.spread.put_right_by, today),
                found_by=by,
                origin="举一反三自查",
                spreads_from=check.spread.problem,
                groups=check.spread.problem.groups,
            )
            for check in opening
        ],
        by=by,
    )
    for check, problem in zip(opening, made, strict=True):
        check.problem = problem
    SelfCheck.objects.bulk_update(opening, ["problem"], batch_size=BATCH)
    return made
