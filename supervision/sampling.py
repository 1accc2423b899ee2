"""Drawing records at a visit and checking them: by a seed that is kept, so that anybody with the list can draw again.

The draw is a sort: each number gets the sha256 of `seed:number` in UTF-8, written in hexadecimal, and the first `size`
in that order are drawn. Nothing depends on the order of the list, and no number can be chosen by whoever made it.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO, cast

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet

from institutions import audit, clock, sheets
from institutions.models import Post, ServiceItem
from institutions.sheets import Refusal
from institutions.workflow import Side, StaleState
from supervision.models import RecordCheck, RecordSample, Visit
from supervision.recording import lock

NUMBER = ("档案编号", "档案号", "编号", "健康档案编号")
PHONE = ("电话", "联系电话", "手机号", "手机号码", "本人电话")
LONGEST = 60
MOST = 200  # records of one sample
WIDEST = 1_000_000  # numbers of a range


@dataclass(frozen=True)
class Listed:
    """A record on the list that is drawn from."""

    number: str
    phone: str = ""


def draw(numbers: Iterable[str], seed: str, size: int) -> list[str]:
    """Return the `size` numbers that come first when sorted by the sha256 of `seed:number`; the same ones every time."""

    def place(number: str) -> tuple[str, str]:
        return hashlib.sha256(f"{seed}:{number}".encode()).hexdigest(), number

    return sorted(set(numbers), key=place)[:size]


def digest(numbers: Iterable[str]) -> str:
    """Return the sha256 of a list of numbers, whatever their order: one number a line, sorted."""
    return hashlib.sha256("\n".join(sorted(set(numbers))).encode()).hexdigest()


def read_list(stream: BinaryIO, name: str) -> list[Listed]:
    """Read the numbers, and the phones if there are any, of a CSV or XLSX list; all other columns are passed over.

    Raises `Refusal` with a Chinese reason: no such column, nothing in it, a number twice or too long.
    """
    sheet = sheets.read_sheet(stream, name)
    headers = [header for header in sheet.headers if header]
    numbers = next((h for h in NUMBER if h in headers), headers[0] if len(headers) == 1 else "")
    if not numbers:
        raise Refusal(f"找不到编号列，表头应有“{NUMBER[0]}”（可另有“{PHONE[0]}”）。")
    phones = next((h for h in PHONE if h in headers), "")
    found: dict[str, Listed] = {}
    for row in sheet.rows:
        number = row.cells.get(numbers, "").strip()
        if not number:
            continue
        if len(number) > LONGEST:
            raise Refusal(f"第 {row.number} 行的编号超过 {LONGEST} 个字。")
        if number in found:
            raise Refusal(f"第 {row.number} 行的编号与前面重复。")
        phone = re.sub(r"[\s-]", "", row.cells.get(phones, "")) if phones else ""
        found[number] = Listed(number, phone[:20])
    if not found:
        raise Refusal(f"“{numbers}”一列没有内容。")
    return list(found.values())


def draw_sample(
    visit: Visit,
    *,
    by: Post,
    item: ServiceItem,
    size: int,
    listed: Sequence[Listed] = (),
    first: int | None = None,
    last: int | None = None,
    seed: str = "",
) -> RecordSample:
    """Draw the records to check of one item, from a list or from the numbers `first` to `last`, once for a visit.

    Nobody chooses the `seed`: it is drawn here, except for the demo, which is the same each time. Raises
    PermissionDenied, StaleState, and ValidationError (drawn already, more than there are).
    """
    if not visit.may_record(by):
        raise PermissionDenied("档案由督导组抽取")
    if first is not None and last is not None:
        if last - first >= WIDEST:
            raise ValidationError(f"编号范围不能超过 {WIDEST} 个")
        listed = [Listed(str(number)) for number in range(first, last + 1)]
    if not 1 <= size <= min(len(listed), MOST):
        raise ValidationError(
            f"共 {len(listed)} 份，抽取份数应在 1 至 {min(len(listed), MOST)} 之间"
        )
    phones = {row.number: row.phone for row in listed}
    seed = seed or secrets.token_hex(16)
    with transaction.atomic():
        lock(visit)
        if visit.samples.filter(item=item).exists():
            raise ValidationError(f"“{item.short_name}”已抽取过，不能重新抽取")
        sample = RecordSample.objects.create(
            visit=visit,
            item=item,
            origin=RecordSample.Origin.LIST if first is None else RecordSample.Origin.RANGE,
            first=first,
            last=last,
            population=len(phones),
            size=size,
            seed=seed,
            digest=digest(phones),
            drawn_by=by,
        )
        RecordCheck.objects.bulk_create(
            RecordCheck(sample=sample, position=place, number=number, phone=phones[number])
            for place, number in enumerate(draw(phones, seed, size), start=1)
        )
        audit.record(
            "supervision.recordsample.draw",
            "抽取档案",
            by=by,
            bureau=visit.bureau_id,
            on=sample,
            institution=visit.institution,
            data={
                "seed": seed,
                "population": len(phones),
                "size": size,
                "digest": sample.digest,
            },
        )
    return sample


def mark(check: RecordCheck, *, by: Post, version: int, values: dict[str, Any]) -> RecordCheck:
    """Write what the check of one record found. Raises PermissionDenied and StaleState."""
    visit = check.visit
    if visit.status not in Visit.EDITABLE:
        raise StaleState(visit, version)
    if not visit.may_record(by):
        raise PermissionDenied("抽查结果由督导组填写")
    with transaction.atomic():
        lock(visit)
        rows = RecordCheck.objects.filter(pk=check.pk, version=version)
        if not rows.update(
            **values, checked_by=by, checked_at=clock.now(), version=F("version") + 1
        ):
            raise StaleState(visit, version)
    check.refresh_from_db()
    return check


def on_team_side(visit: Visit, post: Post) -> bool:
    """Say whether a post is of the team or of who sent it."""
    return post.has_perm("supervision.record_visit") and visit.stands_on(Side.ASKS, post)


def may_reveal(visit: Visit, post: Post) -> bool:
    """Say who may see numbers and phones in full: the team and its sender; the institution once the record is submitted."""
    return on_team_side(visit, post) or (
        post.has_perm("supervision.answer_visit")
        and visit.stands_on(Side.ANSWERS, post)
        and visit.status not in (Visit.Status.PLANNED, Visit.Status.CANCELLED)
    )


def reveal(sample: RecordSample, *, by: Post) -> list[RecordCheck]:
    """Return the records with number and phone; that they were looked at is written down. Raises PermissionDenied."""
    if not may_reveal(sample.visit, by):
        raise PermissionDenied("档案编号和电话只由督导组和被督导机构查看")
    checks = list(sample.checks.select_related("checked_by"))
    with transaction.atomic():
        audit.record(
            "supervision.recordsample.reveal",
            "查看抽查档案编号和电话",
            by=by,
            bureau=sample.visit.bureau_id,
            on=sample,
            institution=sample.visit.institution,
            data={"count": len(checks)},
        )
    return checks


# --- Rates -----------------------------------------------------------------------------------------


@dataclass
class Tally:
    """How many drawn records came out how; 真实率 = 真实 ÷ 核实, 规范率 = 规范 ÷ 抽查 (formats.md, method 抽查).

    核实 are those that could be verified (reached or seen), 真实 the real ones among them, complete or not. 规范 are
    the real and complete ones; a record that could not be verified counts in 抽查 and is not 规范.
    """

    checked: int = 0  # 抽查份数: records with a result
    real: int = 0
    incomplete: int = 0
    unreal: int = 0
    unreached: int = 0

    @property
    def verified(self) -> int:
        return self.real + self.incomplete + self.unreal

    @property
    def genuine(self) -> int:
        return self.real + self.incomplete

    @property
    def truth(self) -> Fraction | None:
        """真实率, None when nothing could be verified."""
        return Fraction(self.genuine, self.verified) if self.verified else None

    @property
    def conformity(self) -> Fraction | None:
        """规范率, None when nothing was checked."""
        return Fraction(self.real, self.checked) if self.checked else None

    def add(self, other: "Tally") -> None:
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))


COUNTS = ("checked", "real", "incomplete", "unreal", "unreached")


def tally(checks: Iterable[RecordCheck]) -> Tally:
    """Return how the records came out; those without a result are passed over."""
    found = Tally()
    for check in checks:
        if check.result:
            found.checked += 1
            setattr(found, check.result, getattr(found, check.result) + 1)
    return found


def table(samples: QuerySet[RecordSample]) -> dict[tuple[int, int], Tally]:
    """Return the tallies by institution and item; one query."""
    results = COUNTS[1:]
    sums = (
        RecordCheck.objects.filter(sample__in=samples.order_by())
        .exclude(result="")
        .order_by()
        .values("sample__visit__institution", "sample__item")
        .annotate(checked=Count("pk"), **{r: Count("pk", filter=Q(result=r)) for r in results})
    )
    return {
        (row["sample__visit__institution"], row["sample__item"]): Tally(
            **{name: row[name] for name in COUNTS}
        )
        for row in cast(Iterable[dict[str, int]], sums)
    }


def items_of(tallies: Iterable[tuple[int, int]]) -> list[ServiceItem]:
    """Return the items that a `table` speaks of, by code."""
    return list(ServiceItem.objects.filter(pk__in={item for _, item in tallies}).order_by("code"))
