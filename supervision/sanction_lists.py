"""The ledger of penalties and rewards."""

from collections.abc import Sequence
from typing import Any

import django_filters
from django.db.models import Q

from institutions.listing import Column, Listing, Tag
from supervision.lists import UnitFilterSet, date_text
from supervision.models import Sanction

TONES = {"proposed": "warn", "decided": "info", "rejected": "muted", "revoked": "muted"}


def sanction_tag(row: Sanction) -> Tag:
    return Tag(row.get_status_display(), TONES[row.status])


class SanctionFilter(UnitFilterSet):
    sort = django_filters.ChoiceFilter(
        label="奖或惩", choices=[("reward", "表彰奖励"), ("penalty", "处理")], method="by_sort"
    )
    kind = django_filters.ChoiceFilter(label="类别", choices=Sanction.Kind.choices)
    status = django_filters.ChoiceFilter(label="状态", choices=Sanction.Status.choices)
    year = django_filters.NumberFilter(label="年度")

    class Meta:
        model = Sanction
        fields = ("sort", "kind", "status", "year", "unit", "institution", "scope")

    def by_sort(self, queryset: Any, name: str, value: str) -> Any:
        rewards = Q(kind__in=Sanction.REWARDS)
        return queryset.filter(rewards if value == "reward" else ~rewards)


class SanctionList(Listing):
    title = "奖惩台账"
    search = ("institution__search", "reason", "person")
    filters = SanctionFilter
    order = ("-proposed_at", "-pk")
    columns: Sequence[Column] = (
        Column("类别", "get_kind_display", sort=("kind",)),
        Column("机构", "institution.known_as", sort=("institution__code",)),
        Column("年度", "year", sort=("year",)),
        Column("情形", "grounds"),
        Column("事实和理由", lambda s: s.reason[:40]),
        Column("责任人", "person", shown=False),
        Column("扣分", "points", numeric=True, shown=False),
        Column("金额", "amount", numeric=True, shown=False),
        Column("限期", lambda s: date_text(s.due), shown=False),
        Column("提出", lambda s: date_text(s.proposed_at), sort=("proposed_at",)),
        Column("决定", lambda s: date_text(s.decided_at)),
        Column("决定人", lambda s: str(s.decided_by) if s.decided_by else "", shown=False),
        Column("决定意见", "opinion", shown=False),
        Column("状态", sanction_tag, sort=("status",)),
    )
