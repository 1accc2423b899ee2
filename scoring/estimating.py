"""The estimate: task numbers by institution and year times the cost of each service, exact to the cent.

The list of services is the bureau's (`WorkUnit`, shared with the equivalents); a centre's numbers are its whole area's,
its clinics' are shares of them. Numbers are whole and costs have two places, so nothing is ever rounded.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import ExpressionWrapper, F, OuterRef, QuerySet, Subquery, Sum
from django.utils.crypto import salted_hmac

from institutions import audit, clock
from institutions.fields import FixedField
from institutions.models import Institution, Kind, Population, Post
from institutions.rounding import half_up, split
from scoring.models import PlannedWork, WorkUnit

PERM = "scoring.change_policy"
OFFICES = (Kind.BUREAU, Kind.STREET)
MONEY = ExpressionWrapper(F("number") * F("work_unit__cost"), output_field=FixedField())


@dataclass(frozen=True)
class Line:
    """One service of one institution: its number, what its clinics have of it, and the money; None: no cost given."""

    unit: WorkUnit
    number: int
    below: int

    @property
    def money(self) -> Decimal | None:
        return None if self.unit.cost is None else self.number * self.unit.cost

    @property
    def left(self) -> int:
        """What is not given to the clinics."""
        return self.number - self.below


def services(institution: Institution, year: int) -> list[WorkUnit]:
    """Return the list of the institution's bureau for the year."""
    rows = WorkUnit.objects.filter(institution=institution.bureau_id, year=year)
    return list(rows.select_related("item").order_by("code"))


def numbers_of(institution: Institution, year: int) -> dict[int, int]:
    """Return the task numbers of one institution by service id."""
    rows = PlannedWork.objects.filter(institution=institution, year=year)
    return dict(rows.values_list("work_unit", "number"))


def lines_of(institution: Institution, year: int) -> list[Line]:
    """Return the estimate of one institution, service by service; three queries."""
    own = numbers_of(institution, year)
    below = dict(
        PlannedWork.objects.filter(institution__parent=institution, year=year)
        .order_by()
        .values_list("work_unit")
        .annotate(n=Sum("number"))
    )
    return [
        Line(unit, own.get(unit.pk, 0), below.get(unit.pk, 0))
        for unit in services(institution, year)
    ]


def total(lines: Iterable[Line]) -> Decimal:
    """Return the money of all lines that have a cost, in yuan."""
    return sum((line.money for line in lines if line.money is not None), Decimal("0.00"))


def with_money(units: QuerySet[Institution], year: int) -> QuerySet[Institution]:
    """Annotate `money` (of its own numbers) and `below_money` (of its clinics'), None where there is nothing."""
    planned = PlannedWork.objects.filter(year=year).order_by()
    own = planned.filter(institution=OuterRef("pk")).values("institution")
    below = planned.filter(institution__parent=OuterRef("pk")).values("institution__parent")
    return units.annotate(
        money=Subquery(own.annotate(n=Sum(MONEY)).values("n"), output_field=FixedField()),
        below_money=Subquery(below.annotate(n=Sum(MONEY)).values("n"), output_field=FixedField()),
    )


def seen(numbers: Mapping[int, int]) -> str:
    """Return a mark of the numbers a form was made from."""
    text = ",".join(f"{pk}:{number}" for pk, number in sorted(numbers.items()))
    return salted_hmac("scoring.estimate", text).hexdigest()[:16]


def may_plan(institution: Institution, post: Post) -> bool:
    """Say whether the post gives this institution its numbers: its own, its centre's or its bureau's."""
    near = (institution.pk, institution.parent_id, institution.bureau_id)
    return post.has_perm(PERM) and post.institution_id in near and institution.kind not in OFFICES


def plan(
    institution: Institution, year: int, numbers: Mapping[int, int], *, by: Post, mark: str
) -> None:
    """Write the task numbers of one institution by service id; 0 takes a line away.

    Raises ValidationError when somebody else has changed them since the form was made.
    """
    _claim(institution, by)
    with transaction.atomic():
        # The institution's row stands for its numbers: two writers come one after the other.
        Institution.objects.select_for_update().get(pk=institution.pk)
        if seen(numbers_of(institution, year)) != mark:
            raise ValidationError("任务数已被他人修改，请核对后再保存")
        _write({institution.pk: numbers}, [institution], year)
        _record("任务数", institution, year, by, len(numbers))


def split_to_villages(institution: Institution, year: int, percent: int, *, by: Post) -> int:
    """Give `percent` of every number of a centre to its clinics by their residents; return how many clinics.

    The shares of a service add up exactly (largest remainder). Raises ValidationError without clinics or residents.
    """
    _claim(institution, by)
    if not 1 <= percent <= 100:
        raise ValidationError("比例应在 1% 至 100% 之间")
    clinics = list(
        Institution.objects.supervised_by(institution)
        .open_on(clock.today())
        .exclude(kind__in=OFFICES)
    )
    if not clinics:
        raise ValidationError("没有下级村卫生室（站）")
    weights = _residents(clinics, year)
    lacking = [clinic.known_as for clinic in clinics if not weights.get(clinic.code)]
    if lacking:
        raise ValidationError(f"缺服务人口：{'、'.join(lacking[:10])}")
    with transaction.atomic():
        Institution.objects.select_for_update().get(pk=institution.pk)
        given: dict[int, dict[int, int]] = {clinic.pk: {} for clinic in clinics}
        for unit_id, number in numbers_of(institution, year).items():
            part = half_up(Decimal(number * percent) / 100, 0)
            shares = split(part, weights, places=0)
            for clinic in clinics:
                given[clinic.pk][unit_id] = int(shares[clinic.code])
        _write(given, clinics, year)
        _record(f"按人口分解{percent}%到村", institution, year, by, len(clinics))
    return len(clinics)


def _residents(clinics: list[Institution], year: int) -> dict[str, int]:
    """Return the residents of each clinic in the latest year that is not after `year`."""
    rows = Population.objects.filter(institution__in=clinics, year__lte=year).order_by("year")
    return dict(rows.values_list("institution__code", "residents"))


def _claim(institution: Institution, by: Post) -> None:
    if not may_plan(institution, by):
        raise PermissionDenied("任务数由本机构或其上级分解")


def _write(given: Mapping[int, Mapping[int, int]], units: list[Institution], year: int) -> None:
    known = set(
        WorkUnit.objects.filter(institution=units[0].bureau_id, year=year).values_list(
            "pk", flat=True
        )
    )
    bureau = {unit.pk: cast(int, unit.bureau_id) for unit in units}
    PlannedWork.objects.bulk_create(
        [
            PlannedWork(
                bureau_id=bureau[pk],
                institution_id=pk,
                year=year,
                work_unit_id=unit_id,
                number=number,
            )
            for pk, numbers in given.items()
            for unit_id, number in numbers.items()
            if number and unit_id in known
        ],
        batch_size=500,
        update_conflicts=True,
        unique_fields=["institution", "work_unit"],
        update_fields=["number"],
    )
    for pk, numbers in given.items():
        gone = [unit_id for unit_id, number in numbers.items() if not number]
        PlannedWork.objects.filter(institution=pk, year=year, work_unit__in=gone).delete()


def _record(what: str, institution: Institution, year: int, by: Post, count: int) -> None:
    audit.record(
        "scoring.estimate.plan",
        "分解任务数",
        by=by,
        bureau=institution.bureau_id,
        on=institution,
        institution=institution,
        note=f"{year} 年，{what}",
        data={"year": year, "count": count},
    )


def save_service(unit: WorkUnit, *, by: Post) -> None:
    """Save a service of the bureau's list with its cost; the coefficient is left to the policy."""
    if (
        not by.has_perm(PERM)
        or not by.institution.is_bureau
        or unit.institution_id
        not in (
            None,
            by.institution_id,
        )
    ):
        raise PermissionDenied("服务清单和成本由卫生健康行政部门维护")
    unit.institution_id = unit.bureau_id = by.institution_id
    with transaction.atomic():
        unit.save()
        audit.record(
            "scoring.workunit.keep",
            "核定服务成本",
            by=by,
            bureau=unit.bureau_id,
            on=unit,
            institution=by.institution,
            note=f"{unit.year} 年，成本 {unit.cost} 元"
            + ("" if unit.price is None else f"，单价 {unit.price} 元"),
        )
