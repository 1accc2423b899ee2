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
    write_all(unit, year, {key: value}, by=by, seen={key: seen})


def write_all(
    unit: Institution,
    year: int,
    values: Mapping[str, str],
    *,
    by: Post,
    seen: Mapping[str, str],
) -> None:
    """Write several keys at once, judged as one policy, each with its own event; see `write`."""
    if not may_write(unit, by):
        raise PermissionDenied("绩效政策由本单位有权限的岗位修改")
    given = {key: value.strip() for key, value in values.items()}
    with transaction.atomic():
        # The unit's row stands for its policy: two writers come one after the other.
        Institution.objects.select_for_update().get(pk=unit.pk)
        before = own_rows(unit, year)
        for key in given:
            if before.get(key, "") != seen.get(key, ""):
                raise ValidationError(
                    f"「{key}」已被他人改为「{before.get(key, '默认值')}」，请核对"
                )
        if is_frozen(unit, year):
            raise ValidationError(f"{year} 年终表已定稿，政策不能再改")
        if "等级分" in given and graded(unit, year):
            raise ValidationError(f"{year} 年已有按等级评分的评分表，「等级分」不能再改")
        _refuse_unfit(unit, year, given)
        for key, value in given.items():
            _put(unit, year, key, value, before.get(key, ""), by)


def is_frozen(unit: Institution, year: int) -> bool:
    """Say whether a table that this unit's policy decides is settled for good."""
    return YearResult.objects.filter(
        unit__path__startswith=unit.path, year=year, frozen_at__isnull=False
    ).exists()


def _refuse_unfit(unit: Institution, year: int, given: Mapping[str, str]) -> None:
    above = own_rows(unit.bureau, year) if unit.bureau and unit.pk != unit.bureau_id else {}
    rows = written_rows(unit, year)
    try:
        for key, value in given.items():
            rows.pop(key, None)
            if value:
                rules.parse_policy_value(key, value)
                rows[key] = value
            elif key in above:
                rows[key] = above[key]
        if "人均标准" in rows or year in rules.PER_CAPITA:
            rules.policy_from(rows, year)
    except rules.ScoringError as error:
        raise ValidationError(error.reason) from error


def _put(unit: Institution, year: int, key: str, value: str, before: str, by: Post) -> None:
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
        before=(before or "默认")[:40],
        after=(value or "默认")[:40],
        data={"year": year, "key": key},
    )


def graded(unit: Institution, year: int) -> bool:
    """Whether points were already made from grades: they would no longer be what their sheet says."""
    lines = ScoreLine.objects.filter(
        sheet__supervisor__path__startswith=unit.path, sheet__year=year
    )
    return lines.exclude(grade="", self_grade="").exists()
