"""The policy of a unit for a year: the bureau's rows, overridden key by key by a centre's own."""

from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from institutions import audit
from institutions.models import Institution, PolicyEntry, Post
from scoring import rules
from scoring.models import ScoreLine, YearResult


def own_rows(unit: Institution, year: int) -> dict[str, str]:
    """Return what the unit itself has written, key → text."""
    return dict(PolicyEntry.objects.filter(institution=unit, year=year).values_list("key", "value"))


def written_rows(unit: Institution, year: int) -> dict[str, str]:
    """Return the texts in force for a unit: its bureau's, then its own over them; one statement."""
    own: dict[str, str] = {}
    bureau: dict[str, str] = {}
    entries = PolicyEntry.objects.filter(institution__in={unit.pk, unit.bureau_id}, year=year)
    for owner, key, value in entries.values_list("institution", "key", "value"):
        (own if owner == unit.pk else bureau)[key] = value
    return {**bureau, **own}


def policy_of(unit: Institution, year: int) -> rules.Policy:
    """Return the policy in force; raises `rules.ScoringError` with a Chinese reason."""
    return rules.policy_from(written_rows(unit, year), year)


def grade_shares(unit: Institution, year: int) -> Mapping[str, Decimal]:
    """Return what A, B, C and D are worth of full marks in a unit's evaluations of the year."""
    text = written_rows(unit, year).get("等级分") or rules.POLICY_KEYS["等级分"].default
    return rules.parse_policy_value("等级分", text or "")


def may_write(unit: Institution, post: Post) -> bool:
    return post.has_perm("scoring.change_policy") and post.acts_for(unit.pk)


def write(unit: Institution, year: int, key: str, value: str, *, by: Post, seen: str) -> None:
    """Write one key of a unit's policy; an empty value goes back to the default.

    `seen` is the own value the form was made from: another one by now is refused. Raises ValidationError when the
    value, or the policy as a whole, cannot be taken, or the year is settled for good.
    """
    if not may_write(unit, by):
        raise PermissionDenied("绩效政策由本单位有权限的岗位修改")
    value = value.strip()
    with transaction.atomic():
        # The unit's row stands for its policy: two writers come one after the other.
        Institution.objects.select_for_update().get(pk=unit.pk)
        before = own_rows(unit, year)
        if before.get(key, "") != seen:
            raise ValidationError(f"「{key}」已被他人改为「{before.get(key, '默认值')}」，请核对")
        if YearResult.objects.filter(
            unit__path__startswith=unit.path, year=year, frozen_at__isnull=False
        ).exists():
            raise ValidationError(f"{year} 年终表已定稿，政策不能再改")
        if key == "等级分" and graded(unit, year):
            raise ValidationError(f"{year} 年已有按等级评分的评分表，「等级分」不能再改")
        try:
            if value:
                rules.parse_policy_value(key, value)
            rows = {**written_rows(unit, year), key: value}
            if not value:
                rows.pop(key)
                if unit.bureau and unit.pk != unit.bureau_id:
                    rows.update({k: v for k, v in own_rows(unit.bureau, year).items() if k == key})
            if "人均标准" in rows or year in rules.PER_CAPITA:
                rules.policy_from(rows, year)
        except rules.ScoringError as error:
            raise ValidationError(error.reason) from error
        if value:
            PolicyEntry.objects.update_or_create(
                institution=unit,
                year=year,
                key=key,
                defaults={"value": value, "bureau_id": cast(int, unit.bureau_id)},
            )
        else:
            PolicyEntry.objects.filter(institution=unit, year=year, key=key).delete()
        audit.record(
            "scoring.policy",
            f"{year} 年政策：{key}",
            by=by,
            bureau=unit.bureau_id,
            on=unit,
            institution=unit,
            before=before.get(key, "默认")[:40],
            after=(value or "默认")[:40],
            data={"year": year, "key": key},
        )


def graded(unit: Institution, year: int) -> bool:
    """Whether points were already made from grades: they would no longer be what their sheet says."""
    lines = ScoreLine.objects.filter(
        sheet__supervisor__path__startswith=unit.path, sheet__year=year
    )
    return lines.exclude(grade="", self_grade="").exists()
