"""Writing a standard in the browser: its head, its tree of clauses, a new edition, next year's.

Every deed claims the draft under the version its author saw, so that two people cannot overwrite each other.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from campaigns.capability import Level, check_levels
from campaigns.models import Clause, Standard
from institutions import audit
from institutions.models import Post
from institutions.workflow import touch

PERM = "campaigns.change_standard"
DRAFT = frozenset({Standard.Status.DRAFT})
# What only a clause that is scored has.
RULE = {
    "method": "",
    "target": "",
    "floor": "",
    "steps": "",
    "deduct_unit": None,
    "below_zero": False,
    "numerator_name": "",
    "denominator_name": "",
    "unit": "",
}
TEXTS = ("code", "name", "full_marks", "core", "check_method", "scoring_note", "item_id")
COPIED = (*TEXTS, *RULE, "position", "depth", "is_leaf")


def may_write(post: Post) -> bool:
    """Say whether a post makes standards: an officer of a bureau."""
    return post.has_perm(PERM) and post.institution.is_bureau


def claim(standard: Standard, what: str, *, by: Post, version: int, **data: Any) -> None:
    """Take the draft for one change of `what`, in the caller's transaction, and record it.

    Raises PermissionDenied for another bureau's post, StaleState for another version or a published standard.
    """
    if not by.has_perm(PERM) or not by.acts_for(standard.bureau_id):
        raise PermissionDenied("评价标准由制定单位修改")
    touch(standard, version=version, editable=DRAFT)
    _record("edit", f"修改{what}", standard, by, data)


def _record(verb: str, label: str, standard: Standard, by: Post, data: dict[str, Any]) -> None:
    audit.record(
        f"campaigns.standard.{verb}",
        label,
        by=by,
        bureau=standard.bureau_id,
        on=standard,
        institution=standard.bureau,
        after=standard.status,
        note=standard.reason if verb in ("edition", "roll_over") else "",
        data=data or None,
    )


def create(standard: Standard, *, by: Post) -> Standard:
    """Save a new draft of the post's own bureau; its clauses come next."""
    if not may_write(by):
        raise PermissionDenied("评价标准由卫生健康行政部门制定")
    standard.bureau = by.institution
    with transaction.atomic():
        standard.save()
        _record("create", "新建标准", standard, by, {})
    return standard


def save_head(standard: Standard, *, by: Post, version: int) -> None:
    """Save the fields of the head, already set on `standard`."""
    with transaction.atomic():
        claim(standard, "标准信息", by=by, version=version)
        standard.save()


def save_levels(standard: Standard, levels: Sequence[Level], *, by: Post, version: int) -> None:
    """Save the table of levels of a capability standard. Raises ValidationError with all reasons."""
    stored = [level.stored() for level in levels]
    reasons = check_levels(stored)
    if reasons:
        raise ValidationError(reasons)
    with transaction.atomic():
        claim(standard, "达标规则", by=by, version=version, levels=stored)
        standard.levels = stored
        standard.save(update_fields=["levels"])


# --- Clauses ----------------------------------------------------------------------------------------


def save_clause(clause: Clause, *, by: Post, version: int) -> None:
    """Save a clause, a new one as the last below its parent; a clause without an item has its parent's.

    Raises ValidationError for a parent that is the clause itself or stands below it.
    """
    standard = clause.standard
    with transaction.atomic():
        claim(standard, f"条款 {clause.code}", by=by, version=version, clause=clause.code)
        moved = clause.pk is None or clause.parent_id != _parent_of(clause)
        if clause.pk and clause.parent_id in _family(standard, clause):
            raise ValidationError("上级条款不能是它自己或它的下级条款")
        if clause.item_id is None and clause.parent is not None:
            clause.item_id = clause.parent.item_id
        if moved:
            last = standard.clauses.order_by("-position").values_list("position", flat=True).first()
            clause.position = (last or 0) + 1
        clause.save()
        _arrange(standard)


def _parent_of(clause: Clause) -> int | None:
    return Clause.objects.filter(pk=clause.pk).values_list("parent", flat=True).first()


def move_clause(clause: Clause, *, up: bool, by: Post, version: int) -> bool:
    """Change places with the clause above or below under the same parent; False where there is none."""
    standard = clause.standard
    beside = standard.clauses.filter(parent=clause.parent_id)
    other = (
        beside.filter(position__lt=clause.position).last()
        if up
        else beside.filter(position__gt=clause.position).first()
    )
    if other is None:
        return False
    with transaction.atomic():
        claim(standard, f"条款 {clause.code} 的顺序", by=by, version=version, clause=clause.code)
        # Queries, not saves: only the order is meant to change.
        standard.clauses.filter(pk=clause.pk).update(position=other.position)
        standard.clauses.filter(pk=other.pk).update(position=clause.position)
        _arrange(standard)
    return True


def remove_clause(clause: Clause, *, by: Post, version: int) -> int:
    """Remove a clause with all that stands below it; returns how many. An empty heading is a clause again."""
    standard = clause.standard
    with transaction.atomic():
        family = _family(standard, clause)
        claim(
            standard,
            f"条款（删除 {clause.code}）",
            by=by,
            version=version,
            clause=clause.code,
            removed=len(family),
        )
        standard.clauses.filter(pk__in=family).delete()
        _arrange(standard)
    return len(family)


def _family(standard: Standard, clause: Clause) -> set[int]:
    """Return the ids of a clause and of all that stands below it. One query."""
    below = defaultdict(list)
    for pk, parent in standard.clauses.values_list("pk", "parent"):
        below[parent].append(pk)
    found, todo = {clause.pk}, [clause.pk]
    while todo:
        children = below[todo.pop()]
        found.update(children)
        todo += children
    return found


def _arrange(standard: Standard) -> None:
    """Number the tree from top to bottom and say who is a heading; a heading keeps no rule of its own."""
    below = defaultdict(list)
    for clause in standard.clauses.order_by("position", "pk"):
        below[clause.parent_id].append(clause)
    todo = [(clause, 1) for clause in reversed(below[None])]
    changed, place = [], 0
    while todo:
        clause, depth = todo.pop()
        place += 1
        children = below[clause.pk]
        wanted: dict[str, Any] = {"position": place, "depth": depth, "is_leaf": not children}
        if children:
            wanted |= RULE
        if any(getattr(clause, name) != value for name, value in wanted.items()):
            for name, value in wanted.items():
                setattr(clause, name, value)
            changed.append(clause)
        todo += [(child, depth + 1) for child in reversed(children)]
    Clause.objects.bulk_update(changed, ["position", "depth", "is_leaf", *RULE], batch_size=50)


# --- Copies ----------------------------------------------------------------------------------------


def new_edition(standard: Standard, *, reason: str, in_force_from: date, by: Post) -> Standard:
    """Draft the next edition of a published standard; published, it replaces this one.

    What has been opened by the old edition keeps it. Raises ValidationError while another draft of the code is open.
    """
    drafts = Standard.objects.filter(
        bureau=standard.bureau_id, code=standard.code, status=Standard.Status.DRAFT
    )
    if drafts.exists():
        raise ValidationError("这个标准已有一个新版次的草稿，请先发布它")
    last = Standard.objects.filter(bureau=standard.bureau_id, code=standard.code)
    number = max(last.values_list("edition", flat=True)) + 1
    copy = Standard(code=standard.code, year=standard.year, name=standard.name, edition=number)
    copy.reason, copy.in_force_from = reason, in_force_from
    return _copy(standard, copy, "edition", "新建版次", by)


def roll_over(standard: Standard, *, code: str, year: int, name: str, by: Post) -> Standard:
    """Draft another year's standard after this one: the same clauses under the same clause codes.

    Raises ValidationError for a standard's code that is in use.
    """
    if Standard.objects.filter(bureau=standard.bureau_id, code=code).exists():
        raise ValidationError("这个标准代码已经用过，请换一个，例如带上新的年度")
    copy = Standard(code=code, year=year, name=name)
    copy.in_force_from = date(year, 1, 1)
    return _copy(standard, copy, "roll_over", "沿用到新年度", by)


def _copy(standard: Standard, copy: Standard, verb: str, label: str, by: Post) -> Standard:
    if not by.has_perm(PERM) or not by.acts_for(standard.bureau_id):
        raise PermissionDenied("评价标准由制定单位修改")
    if standard.is_draft:
        raise ValidationError("草稿还没有发布，直接修改即可")
    copy.bureau, copy.previous = standard.bureau, standard
    for name in ("purpose", "kinds", "levels"):
        setattr(copy, name, getattr(standard, name))
    copy.wanted_marks = standard.full_marks
    with transaction.atomic():
        copy.save()
        _copy_clauses(standard, copy)
        _record(verb, label, copy, by, {"from": standard.pk, "edition": copy.edition})
    return copy


def _copy_clauses(standard: Standard, copy: Standard) -> None:
    """Copy the tree level by level: a child needs its parent's new id."""
    levels: dict[int, list[Clause]] = defaultdict(list)
    for clause in standard.clauses.all():
        levels[clause.depth].append(clause)
    made: dict[int | None, Clause | None] = {None: None}
    for depth in sorted(levels):
        new = [
            Clause(
                standard=copy,
                parent=made[clause.parent_id],
                **{name: getattr(clause, name) for name in COPIED},
            )
            for clause in levels[depth]
        ]
        Clause.objects.bulk_create(new, batch_size=500)
        made.update(zip((clause.pk for clause in levels[depth]), new, strict=True))
