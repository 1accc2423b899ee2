"""Gap lists with a three-year plan: what a unit enters, and how far the area is by aspect and year."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Q

from campaigns.models import Gap
from campaigns.models.gap import YEARS
from institutions import audit, clock
from institutions.models import Institution, Post, StoredFile
from institutions.models.institution import CENTRE_KINDS
from institutions.workflow import touch

PERM = "campaigns.write_plan"


def enter(gap: Gap, *, by: Post, files: Sequence[StoredFile] = ()) -> Gap:
    """Enter one gap of the post's own unit; its bureau follows and confirms."""
    if not by.has_perm(PERM) or by.institution.is_bureau:
        raise PermissionDenied("短板由各机构自己查找登记")
    gap.institution, gap.author = by.institution, by
    gap.supervisor_id = by.institution.bureau_id or by.institution_id
    with transaction.atomic():
        gap.save()
        gap.files.set(files)
        _record(gap, "登记短板", by)
    return gap


def change(gap: Gap, *, by: Post, version: int, files: Sequence[StoredFile] = ()) -> None:
    """Save a changed gap, or more evidence. StaleState once it waits for confirmation."""
    with transaction.atomic():
        _claim(gap, by, version)
        gap.save()
        gap.files.add(*files)
        _record(gap, "修改短板", by)


def remove_file(gap: Gap, file: StoredFile, *, by: Post, version: int) -> None:
    """Take evidence away; the trail keeps its name and digest."""
    with transaction.atomic():
        _claim(gap, by, version)
        gap.files.remove(file)
        _record(gap, "删除材料", by, note=file.name, sha256=file.sha256)


def _claim(gap: Gap, by: Post, version: int) -> None:
    if not by.has_perm(PERM) or not by.acts_for(gap.institution_id):
        raise PermissionDenied("由本机构办理")
    touch(gap, version=version, editable=Gap.EDITABLE)


def _record(gap: Gap, label: str, by: Post, *, note: str = "", **data: str) -> None:
    audit.record(
        "campaigns.gap.keep",
        label,
        by=by,
        bureau=gap.bureau_id,
        on=gap,
        institution=gap.institution,
        note=note,
        data=data,
    )


# --- How far it is ----------------------------------------------------------------------------------


@dataclass
class Cell:
    total: int = 0
    confirmed: int = 0

    @property
    def text(self) -> str:
        return f"{self.confirmed}/{self.total}" if self.total else "—"

    @property
    def done(self) -> bool:
        return self.total > 0 and self.total == self.confirmed


@dataclass
class Progress:
    """One plan by aspect and year; `missing` are the centres that have entered nothing."""

    first_year: int
    rows: list[tuple[str, str, list[Cell], Cell]] = field(default_factory=list)
    totals: list[Cell] = field(default_factory=list)
    whole: Cell = field(default_factory=Cell)
    missing: list[Institution] = field(default_factory=list)

    @property
    def years(self) -> list[int]:
        return [self.first_year + n for n in range(YEARS)]


def plans_in_sight(post: Post) -> list[int]:
    """Return the first years of the plans in sight, the latest first."""
    rows = Gap.objects.visible_to(post).order_by("-first_year")
    return list(rows.values_list("first_year", flat=True).distinct())


def progress(post: Post, first_year: int) -> Progress:
    """Return the plan's progress as far as `post` sees; two queries."""
    found = Progress(first_year)
    counted = (
        Gap.objects.visible_to(post)
        .filter(first_year=first_year)
        .order_by()
        .values("aspect", "year")
        .annotate(n=Count("pk"), ok=Count("pk", filter=Q(status=Gap.Status.CONFIRMED)))
    )
    cells = {(row["aspect"], row["year"]): Cell(row["n"], row["ok"]) for row in counted}
    for aspect, label in Gap.Aspect.choices:
        line = [cells.get((aspect, year), Cell()) for year in found.years]
        found.rows.append((aspect, str(label), line, _sum(line)))
    found.totals = [_sum([row[2][n] for row in found.rows]) for n in range(YEARS)]
    found.whole = _sum(found.totals)
    entered = Gap.objects.visible_to(post).filter(first_year=first_year).order_by()
    found.missing = list(
        Institution.objects.visible_to(post)
        .open_on(clock.today())
        .filter(kind__in=CENTRE_KINDS)
        .exclude(pk__in=entered.values("institution"))
        .order_by("code")
    )
    return found


def _sum(cells: Sequence[Cell]) -> Cell:
    return Cell(sum(c.total for c in cells), sum(c.confirmed for c in cells))


def summary_for(institution: Institution, post: Post) -> dict[str, int]:
    """Return the counts of an institution's latest plan for its page; two queries, empty without a plan."""
    rows = Gap.objects.visible_to(post).filter(institution=institution)
    first = rows.order_by("-first_year").values_list("first_year", flat=True).first()
    if first is None:
        return {}
    counts = rows.filter(first_year=first).aggregate(
        total=Count("pk"),
        confirmed=Count("pk", filter=Q(status=Gap.Status.CONFIRMED)),
        overdue=Count("pk", filter=Q(status=Gap.Status.PLANNED, year__lt=clock.today().year)),
    )
    return {**counts, "first_year": first, "last_year": first + YEARS - 1}
