"""The appeals, for both sides."""

from collections.abc import Sequence
from typing import Any

import django_filters

from institutions.forms import ScopedFilterSet
from institutions.listing import Column, Listing, Tag
from institutions.models import Institution
from scoring.models import Appeal, Evaluation

TONES = {"submitted": "warn", "upheld": "ok", "rejected": "muted", "withdrawn": "muted"}


def appeal_tag(row: Appeal) -> Tag:
    return Tag(row.get_status_display(), TONES[row.status])


class AppealFilters(ScopedFilterSet):
    status = django_filters.ChoiceFilter(label="状态", choices=Appeal.Status.choices)
    evaluation = django_filters.ModelChoiceFilter(label="评价", queryset=Evaluation.objects.all())
    institution = django_filters.ModelChoiceFilter(label="机构", queryset=Institution.objects.all())
    side = django_filters.ChoiceFilter(
        label="范围", choices=[("own", "本机构的"), ("asked", "由我方答复的")], method="by_side"
    )

    class Meta:
        model = Appeal
        fields = ("status", "evaluation", "institution", "side")

    def __init__(self, data: Any = None, queryset: Any = None, *, request: Any, **kwargs: Any):
        super().__init__(data, queryset, request=request, **kwargs)
        self.post = request.post
        # Those that have one, so that the choice stays short in a province.
        have = Appeal.objects.visible_to(self.post).order_by()
        for name in ("evaluation", "institution"):
            field = self.form.fields[name]
            field.queryset = field.queryset.filter(pk__in=have.values(name))

    def by_side(self, queryset: Any, name: str, value: str) -> Any:
        column = "institution" if value == "own" else "supervisor"
        return queryset.filter(**{column: self.post.institution_id})


class AppealList(Listing):
    title = "申诉"
    search = ("institution__search", "line__clause__name", "line__clause__code", "reason")
    filters = AppealFilters
    order = ("-submitted_at", "-pk")
    columns: Sequence[Column] = (
        Column("条款", lambda a: f"{a.line.clause.code} {a.line.clause.name}"),
        Column("机构", "institution.known_as", sort=("institution__code",)),
        Column("评价", "evaluation.name"),
        Column("申诉理由", lambda a: a.reason[:40]),
        Column("原得分", "points_before", numeric=True),
        Column("改后得分", "points_after", numeric=True),
        Column("提出时间", lambda a: f"{a.submitted_at:%Y-%m-%d}", sort=("submitted_at",)),
        Column("答复意见", "opinion", shown=False),
        Column("状态", appeal_tag, sort=("status",)),
    )
