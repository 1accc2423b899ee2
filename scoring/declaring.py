"""The workload of a quarter: called for, declared, handed in, verified from record checks.

The suggestion is declared × 真实率 of the records of that service item checked on site in the quarter; the verifier decides and
says why where he differs (二七卫计〔2018〕29号: 按照服务数量和质量拨付).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from institutions import audit, clock
from institutions.models import Institution, Kind, Post, ServiceItem
from institutions.notifying import notify, posts_at
from institutions.rounding import half_up, plain_text
from institutions.workflow import touch
from scoring.models import Workload, WorkloadReport, WorkUnit, YearResult
from supervision import sampling
from supervision.models import RecordSample

DECLARE = "scoring.declare_workload"
VERIFY = "scoring.verify_workload"
# Offices and professional bodies that count no services of their own.
OFFICES = (Kind.BUREAU, Kind.STREET, Kind.CDC, Kind.INSPECTION)
NOT_CHECKED = "本季度没有抽查这项服务的档案，建议按申报数量"


def may_call(post: Post) -> bool:
    return post.has_perm(VERIFY) and Institution.objects.supervised_by(post.institution).exists()


def call(*, by: Post, year: int, quarter: int, due: date | None) -> int:
    """Ask the institutions one supervises for their workload of a quarter; return how many are newly asked."""
    unit = by.institution
    if not by.has_perm(VERIFY):
        raise PermissionDenied("工作量申报由上级布置")
    units = list(
        Institution.objects.supervised_by(unit)
        .open_on(clock.today())
        .exclude(kind__in=OFFICES)
        .order_by("code")
    )
    with transaction.atomic():
        Institution.objects.select_for_update().get(pk=unit.pk)
        known = WorkloadReport.objects.filter(institution__in=units, year=year, quarter=quarter)
        there = set(known.values_list("institution", flat=True))
        new = [one for one in units if one.pk not in there]
        WorkloadReport.objects.bulk_create(
            WorkloadReport(
                bureau_id=one.bureau_id or one.pk,
                institution=one,
                supervisor=unit,
                year=year,
                quarter=quarter,
                due=due,
            )
            for one in new
        )
        if due:
            known.filter(status__in=WorkloadReport.EDITABLE).update(due=due)
        audit.record(
            "scoring.workload.call",
            "布置工作量申报",
            by=by,
            bureau=unit.bureau_id,
            on=unit,
            institution=unit,
            note=f"{year} 年第 {quarter} 季度，{len(new)} 家",
            data={"year": year, "quarter": quarter, "count": len(new)},
        )
        notify(
            posts_at(new, DECLARE),
            f"请申报{year}年第{quarter}季度工作量",
            url=f"/scoring/workload/?year={year}&quarter={quarter}",
        )
    return len(new)


def start(*, by: Post, year: int, quarter: int) -> WorkloadReport:
    """Begin one's own report of a quarter without being asked; the one that is there is returned."""
    unit = by.institution
    if not by.has_perm(DECLARE) or unit.parent is None or unit.kind in OFFICES:
        raise PermissionDenied("工作量由服务机构申报")
    found = WorkloadReport.objects.filter(institution=unit, year=year, quarter=quarter).first()
    if found:
        return found
    try:
        with transaction.atomic():
            return WorkloadReport.objects.create(
                institution=unit, supervisor=unit.parent, year=year, quarter=quarter, author=by
            )
    except IntegrityError:
        return WorkloadReport.objects.get(institution=unit, year=year, quarter=quarter)


def services(report: WorkloadReport) -> list[WorkUnit]:
    rows = WorkUnit.objects.filter(institution=report.bureau_id, year=report.year)
    return list(rows.select_related("item").order_by("code"))


def declare(
    report: WorkloadReport, numbers: Mapping[int, Decimal | None], *, by: Post, version: int
) -> None:
    """Save what was done, by service id; None takes a service away. Raises StaleState, ValidationError."""
    if not report.may("submit", by):
        raise PermissionDenied("工作量由本机构申报")
    with transaction.atomic():
        touch(report, version=version, editable=WorkloadReport.EDITABLE)
        _refuse_frozen(report)
        known = {unit.pk for unit in services(report)}
        Workload.objects.bulk_create(
            [
                Workload(
                    bureau_id=report.bureau_id,
                    institution_id=report.institution_id,
                    year=report.year,
                    quarter=report.quarter,
                    work_unit_id=pk,
                    declared=number,
                )
                for pk, number in numbers.items()
                if number is not None and pk in known
            ],
            update_conflicts=True,
            unique_fields=["institution", "work_unit", "quarter"],
            update_fields=["declared"],
        )
        gone = [pk for pk, number in numbers.items() if number is None]
        report.rows.filter(work_unit__in=gone).delete()
        _record("declare", "填写工作量", report, by)


def submit(report: WorkloadReport, *, by: Post, version: int) -> None:
    with transaction.atomic():
        _refuse_frozen(report)
        # A returned report is judged anew.
        report.rows.update(approved=None, suggested=None, basis="", reason="")
        report.submit(by=by, version=version)
        notify(
            posts_at([report.supervisor_id], VERIFY),
            f"{report.institution.known_as}提交了{report.year}年第{report.quarter}季度工作量",
            url=report.get_absolute_url(),
        )


def send_back(report: WorkloadReport, *, by: Post, version: int, note: str) -> None:
    with transaction.atomic():
        report.send_back(by=by, version=version, note=note)
        notify(
            posts_at([report.institution_id], DECLARE),
            f"{report.year}年第{report.quarter}季度工作量被退回",
            url=report.get_absolute_url(),
        )


# --- Verifying ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One service to verify: what was declared, what the checks suggest, and how that was computed."""

    row: Workload
    suggested: Decimal
    basis: str


def lines(report: WorkloadReport) -> list[Line]:
    """Return the services of a report with their suggestions; three queries."""
    rows = report.rows.select_related("work_unit__item").order_by("work_unit__code")
    truths = _truths(report)
    return [Line(row, *suggestion(row.declared, truths, row.work_unit.item)) for row in rows]


def suggestion(
    declared: Decimal, truths: Mapping[int, sampling.Tally], item: ServiceItem
) -> tuple[Decimal, str]:
    """Return the suggested number, rounded to 0.01, and its calculation; a part (07a) falls back on its whole (07)."""
    found = truths.get(item.pk) or truths.get(item.parent_id or 0)
    if found is None or found.truth is None:
        return declared, NOT_CHECKED
    value = half_up(Fraction(declared) * found.truth, 2)
    shown = f"{plain_text(declared)} × {found.genuine} ÷ {found.verified} = {value}"
    return value, f"抽查核实 {found.verified} 份，真实 {found.genuine} 份；{shown}"


def _truths(report: WorkloadReport) -> dict[int, sampling.Tally]:
    """Return by item what the record checks of the quarter found at the institution; a whole also holds its parts."""
    first = date(report.year, 3 * report.quarter - 2, 1)
    after = (
        date(report.year + 1, 1, 1)
        if report.quarter == 4
        else date(report.year, 3 * report.quarter + 1, 1)
    )
    samples = RecordSample.objects.filter(
        visit__institution=report.institution_id,
        visit__visited_on__gte=first,
        visit__visited_on__lt=after,
    )
    found = {item: tally for (_, item), tally in sampling.table(samples).items()}
    parents = dict(
        ServiceItem.objects.filter(pk__in=found, parent__isnull=False).values_list("pk", "parent")
    )
    whole: dict[int, sampling.Tally] = {}
    for item, tally in found.items():
        for pk in {item, parents.get(item) or item}:
            whole.setdefault(pk, sampling.Tally()).add(tally)
    return whole


def judge(
    report: WorkloadReport,
    answers: Mapping[int, tuple[Decimal, str]],
    *,
    by: Post,
    version: int,
) -> None:
    """Save the verified numbers by row id with the reason where they differ from the suggestion."""
    if not report.may("verify", by):
        raise PermissionDenied("工作量由上级核定")
    with transaction.atomic():
        touch(report, version=version, editable=frozenset({WorkloadReport.Status.SUBMITTED}))
        _refuse_frozen(report)
        rows = []
        for line in lines(report):
            if line.row.pk not in answers:
                continue
            approved, reason = answers[line.row.pk]
            if approved != line.suggested and not reason:
                raise ValidationError(f"{line.row.work_unit.name}：与建议数量不同，请写明理由")
            row = line.row
            row.approved, row.suggested, row.basis = approved, line.suggested, line.basis
            row.reason = reason
            rows.append(row)
        Workload.objects.bulk_update(rows, ["approved", "suggested", "basis", "reason"])
        _record("judge", "核定工作量", report, by)


def verify(report: WorkloadReport, *, by: Post, version: int) -> None:
    """Close the verification; the numbers now count in the year-end."""
    with transaction.atomic():
        report._move(
            "verify",
            by=by,
            version=version,
            verified_at=clock.now(),
            verified_by=by,
            data=_facts(report),
        )
        notify(
            posts_at([report.institution_id], DECLARE),
            f"{report.year}年第{report.quarter}季度工作量已核定",
            url=report.get_absolute_url(),
        )


def reopen(report: WorkloadReport, *, by: Post, version: int, note: str) -> None:
    with transaction.atomic():
        _refuse_frozen(report)
        report._move(
            "reopen", by=by, version=version, note=note, verified_at=None, verified_by=None
        )


def _refuse_frozen(report: WorkloadReport) -> None:
    frozen = YearResult.objects.filter(
        institution=report.institution_id, year=report.year, frozen_at__isnull=False
    )
    if frozen.exists():
        raise ValidationError(f"{report.year} 年终结果已定稿，工作量不能再改")


def _facts(report: WorkloadReport) -> dict[str, str | int]:
    rows: Iterable[tuple] = report.rows.order_by("work_unit__code").values_list(
        "work_unit__code", "declared", "approved"
    )
    told = [[code, str(declared), str(approved)] for code, declared, approved in rows]
    return {"count": len(told), "digest": audit.digest(told)}


def _record(verb: str, label: str, report: WorkloadReport, by: Post) -> None:
    audit.record(
        f"scoring.workload.{verb}",
        label,
        by=by,
        bureau=report.bureau_id,
        on=report,
        institution=report.institution,
        data=_facts(report),
    )
