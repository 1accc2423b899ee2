"""Handing out problems: each becomes a duty of its institution, in sets, with one event and one note per institution."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse

from campaigns.models import Campaign, Clause, Phase
from institutions import audit
from institutions.models import Institution, Post, ServiceItem, StoredFile
from institutions.notifying import notify, posts_at
from supervision.models import Problem, Rectification, Severity, VisitLine

BATCH = 500


@dataclass(frozen=True, kw_only=True)
class NewProblem:
    """A problem as it is found, and until when it is to be put right. `person` is the 责任人 if already known."""

    institution: Institution
    source: str
    year: int
    text: str
    found_on: date
    due: date
    severity: str = Severity.MINOR
    item: ServiceItem | None = None
    clause: Clause | None = None
    category: str = ""
    objective: str = ""
    person: str = ""
    campaign: Campaign | None = None
    phase: Phase | None = None
    found_by: Post | None = None
    visit_line: VisitLine | None = None
    origin: str = ""
    files: tuple[StoredFile, ...] = ()

    @property
    def key(self) -> tuple:
        """What makes two rows of a list the same problem."""
        item = self.item.pk if self.item else None
        return (self.institution.pk, self.source, self.year, item, self.text)


@dataclass(frozen=True)
class HandedOut:
    """What became of a list: the new problems, and how many were there already."""

    new: list[Problem]
    unchanged: int = 0


def problems_from(
    rows: Iterable[NewProblem],
    *,
    by: Post | audit.Actor | None,
    unit: Institution | None = None,
) -> HandedOut:
    """Hand out a list of problems; those already known (same institution, source, year, item and text) stay as they are.

    For imports on behalf of `unit` (default: the institution of `by`); the caller has checked that every institution is
    within its scope. Who supervises the rectification is always the institution's `parent`: that is the unit itself for
    what stands directly below it, and the centre for a clinic of which a bureau imports a problem. A row without a
    `parent` is refused. Raises ValidationError.
    """
    unique = {row.key: row for row in rows}
    with transaction.atomic():
        speaker = unit or (by.institution if isinstance(by, Post) else None)
        if speaker is not None:
            # Two imports of the same list at once: the second waits, and finds the first one's problems.
            Institution.objects.select_for_update().filter(pk=speaker.pk).first()
        known = set(_known({key[0] for key in unique}, {key[2] for key in unique}))
        fresh = [row for key, row in unique.items() if key not in known]
        new = hand_out(fresh, by=by, unit=unit) if fresh else []
    return HandedOut(new, len(unique) - len(fresh))


def hand_out(
    problems: Sequence[NewProblem],
    *,
    by: Post | audit.Actor | None,
    unit: Institution | None = None,
) -> list[Problem]:
    """Create problems and their rectifications (交办) in sets: one event with count and digest, one note an institution.

    Rows carry the institution's bureau and its parent as supervisor. Raises ValidationError when there is nobody to
    supervise, a deadline lies before the finding, or the phase it belongs to has been confirmed.
    """
    _refuse(problems)
    with transaction.atomic():
        _refuse_confirmed({row.phase.pk for row in problems if row.phase})
        made = Problem.objects.bulk_create((_problem(row) for row in problems), batch_size=BATCH)
        Rectification.objects.bulk_create(
            (
                Rectification(
                    bureau_id=problem.bureau_id,
                    institution_id=problem.institution_id,
                    supervisor_id=problem.supervisor_id,
                    problem=problem,
                    item_id=problem.item_id,
                    due=row.due,
                    person=row.person,
                )
                for problem, row in zip(made, problems, strict=True)
            ),
            batch_size=BATCH,
        )
        Problem.files.through.objects.bulk_create(
            Problem.files.through(problem=problem, storedfile=file)
            for problem, row in zip(made, problems, strict=True)
            for file in row.files
        )
        _record(made, problems, by=by, unit=unit)
        _tell(problems)
    return made


def _problem(row: NewProblem) -> Problem:
    return Problem(
        bureau_id=cast(int, row.institution.bureau_id),
        institution=row.institution,
        supervisor_id=cast(int, row.institution.parent_id),
        source=row.source,
        year=row.year,
        item=row.item,
        clause=row.clause,
        category=row.category,
        objective=row.objective,
        severity=row.severity,
        text=row.text,
        found_on=row.found_on,
        found_by=row.found_by,
        campaign=row.campaign or (row.phase.campaign if row.phase else None),
        phase=row.phase,
        visit_line=row.visit_line,
        origin=row.origin,
    )


def _refuse(problems: Sequence[NewProblem]) -> None:
    reasons = []
    for row in problems:
        if row.institution.parent_id is None or row.institution.is_bureau:
            reasons.append(f"{row.institution.known_as}没有上级督导机构，不能交办问题")
        if row.due < row.found_on:
            reasons.append(f"整改时限不能早于发现日期：{row.text[:20]}")
    if reasons:
        raise ValidationError(reasons)


def _refuse_confirmed(phases: set[int]) -> None:
    """Lock the phases, so that none is confirmed while problems are being added to it."""
    for phase in Phase.objects.select_for_update().filter(pk__in=phases):
        if phase.status == Phase.Status.CONFIRMED:
            raise ValidationError(f"阶段“{phase}”已确认完成，不能再加入问题")


def _known(institutions: set[int], years: set[int]) -> Iterator[tuple]:
    units = sorted(institutions)
    for start in range(0, len(units), BATCH):
        yield from Problem.objects.filter(
            institution__in=units[start : start + BATCH], year__in=years
        ).values_list("institution", "source", "year", "item", "text")


def _record(
    made: Sequence[Problem],
    problems: Sequence[NewProblem],
    *,
    by: Post | audit.Actor | None,
    unit: Institution | None,
) -> None:
    single = len(made) == 1
    post = by if isinstance(by, Post) else None
    bureau = unit or (post.institution if post else made[0].institution)
    audit.record(
        "supervision.problem.hand_out",
        "交办问题",
        by=by,
        bureau=bureau.bureau_id,
        on=made[0] if single else None,
        institution=made[0].institution if single else None,
        note="" if single else f"共 {len(made)} 个问题",
        data={
            "count": len(made),
            "digest": audit.digest(
                [p.pk, p.institution_id, p.source, p.year, p.item_id, p.text, row.due]
                for p, row in zip(made, problems, strict=True)
            ),
        },
    )


def _tell(problems: Sequence[NewProblem]) -> None:
    """One note to each institution; institutions with as many problems share the wording, so they are told in one go."""
    counts: dict[int, int] = defaultdict(int)
    for row in problems:
        counts[row.institution.pk] += 1
    units: dict[int, list[int]] = defaultdict(list)
    for pk, count in counts.items():
        units[count].append(pk)
    url = reverse("supervision:rectification_list") + "?status=assigned&scope=own"
    for count, institutions in sorted(units.items()):
        notify(
            posts_at(institutions, "supervision.answer_rectification"),
            f"收到交办问题 {count} 个，请签收并按时限整改",
            url=url,
        )
