"""Forms of the followed figures: what is followed, and what is reported for a period."""

from decimal import Decimal
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q

from campaigns.following import Pair, families
from campaigns.models import Campaign, Series, SeriesValue
from campaigns.periods import Frequency, Period
from institutions import clock
from institutions.forms import DateInput, ScopedFilterSet, ScopedFormMixin
from institutions.models import Institution, Kind, Post
from institutions.rounding import plain_text

MIDWIFERY = ("midwifery", "全部助产机构")
STATES = [("missing", "本单位上一期未填")]


class UnitsFormMixin(ScopedFormMixin):
    """Chooses institutions one by one (those directly below) or by kind (the whole area)."""

    left_out: tuple[str, ...] = (Kind.BUREAU, Kind.STREET)

    def offer_units(self, post: Post, chosen: Any = ()) -> None:
        office = post.institution
        below = (
            Institution.objects.visible_to(post)
            .filter(path__startswith=office.path)
            .exclude(kind__in=self.left_out)
        )
        self.below = below
        self.fields["institutions"].queryset = below.filter(
            Q(parent=office.pk) | Q(pk__in=[unit.pk for unit in chosen])
        )
        present = set(below.order_by().values_list("kind", flat=True))
        self.fields["kinds"].choices = [
            (value, f"全部{label}") for value, label in Kind.choices if value in present
        ]
        if below.filter(midwifery=True).exists():
            self.fields["kinds"].choices = [*self.fields["kinds"].choices, MIDWIFERY]

    def clean(self):
        cleaned = super().clean() or self.cleaned_data
        kinds = cleaned.get("kinds") or []
        chosen = Q(kind__in=kinds)
        if MIDWIFERY[0] in kinds:
            chosen |= Q(midwifery=True)
        named = [unit.pk for unit in cleaned.get("institutions") or []]
        cleaned["units"] = list(self.below.filter(chosen | Q(pk__in=named)).order_by("code"))
        if not cleaned["units"] and "institutions" not in self.errors:
            self.add_error("institutions", "请选择机构，或按类别全选")
        return cleaned


def _kinds() -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label="按类别全选机构（含下级）", required=False, widget=forms.CheckboxSelectMultiple
    )


class SeriesForm(UnitsFormMixin, forms.ModelForm):
    """One figure. What it counts is fixed once somebody has reported it."""

    FIXED = ("code", "kind", "numerator_name", "denominator_name", "frequency", "unit")
    kinds = _kinds()

    class Meta:
        model = Series
        fields = [
            "code",
            "name",
            "family",
            "kind",
            "unit",
            "numerator_name",
            "denominator_name",
            "frequency",
            "direction",
            "target",
            "target_on",
            "starts",
            "item",
            "basis",
            "campaign",
            "institutions",
        ]
        widgets = {
            "target_on": DateInput,
            "starts": DateInput,
            "institutions": forms.CheckboxSelectMultiple,
        }
        help_texts = {
            "code": "导入表格时用，如 QY-LN",
            "family": "同组的指标排在一起、互相比较",
            "denominator_name": "数量不填；比率、平均数必填",
            "target": "比率填百分数，如 60 表示 60%；没有可不填",
            "starts": "这一天所在的统计期起，未填的才算缺报",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.instance.institutions.all() if self.instance.pk else ()
        self.offer_units(self.post, chosen)
        self.fields["institutions"].required = False
        self.fields["item"].empty_label = "（不选）"
        own = Campaign.objects.visible_to(self.post).filter(institution=self.instance.bureau_id)
        self.fields["campaign"].queryset = own
        self.fields["campaign"].empty_label = "（不选）"
        if self.instance.pk and self.instance.values.exists():
            for name in self.FIXED:
                self.fields[name].disabled = True
        self.order_fields([*self.Meta.fields[:-1], "kinds", "institutions"])

    def clean_code(self) -> str:
        code = self.cleaned_data["code"]
        same = Series.objects.filter(bureau=self.instance.bureau_id, code=code)
        if same.exclude(pk=self.instance.pk).exists():
            raise ValidationError("这个指标代码已经用过")
        return code

    def clean(self):
        cleaned = super().clean()
        kind, below = cleaned.get("kind"), cleaned.get("denominator_name")
        if kind == Series.Kind.COUNT and below:
            self.add_error("denominator_name", "数量不要分母，或把类型改为比率、平均数")
        if kind and kind != Series.Kind.COUNT and not below:
            self.add_error("denominator_name", "请写明分母是什么")
        return cleaned


class AdoptForm(UnitsFormMixin, forms.Form):
    """Choose groups of the library, who reports them, and from when."""

    families = forms.MultipleChoiceField(label="指标组", widget=forms.CheckboxSelectMultiple)
    starts = forms.DateField(label="从哪天起统计", widget=DateInput)
    kinds = _kinds()
    institutions = forms.ModelMultipleChoiceField(
        label="填报机构",
        queryset=Institution.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_units(self.post)
        self.fields["families"].choices = [(name, name) for name in families()]
        self.fields["starts"].initial = clock.today().replace(month=1, day=1)


class FillForm(forms.Form):
    """All figures of one institution and period: two numbers, or one, for each."""

    def __init__(
        self,
        *args: Any,
        series: list[Series],
        values: dict[int, SeriesValue],
        before: dict[int, SeriesValue],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.series, self.values, self.before = series, values, before
        for row in series:
            stored = values.get(row.pk)
            self.fields[f"n{row.pk}"] = _number(
                row.numerator_name, stored and stored.numerator, row
            )
            if row.has_denominator:
                self.fields[f"d{row.pk}"] = _number(
                    row.denominator_name, stored and stored.denominator, row
                )

    @property
    def blocks(self) -> list[dict[str, Any]]:
        """The figures by family, each with its bound fields and what was reported the period before."""
        families: dict[str, list[dict[str, Any]]] = {}
        for row in self.series:
            old, stored = self.before.get(row.pk), self.values.get(row.pk)
            names = [f"n{row.pk}", *([f"d{row.pk}"] if row.has_denominator else [])]
            families.setdefault(row.family, []).append(
                {
                    "series": row,
                    "fields": [self[name] for name in names],
                    "before": row.text_of(old.value) if old else "",
                    "now": row.text_of(stored.value) if stored else "",
                }
            )
        return [{"family": family, "rows": rows} for family, rows in families.items()]

    def clean(self):
        cleaned = super().clean()
        for row in self.series:
            self._check(row, cleaned.get(f"n{row.pk}"), cleaned.get(f"d{row.pk}"))
        return cleaned

    def _check(self, row: Series, above: Decimal | None, below: Decimal | None) -> None:
        if not row.has_denominator or {f"n{row.pk}", f"d{row.pk}"} & set(self.errors):
            return
        if (above is None) != (below is None):
            name = f"d{row.pk}" if below is None else f"n{row.pk}"
            self.add_error(name, f"“{row.name}”的分子、分母要一起填")
        elif row.kind == Series.Kind.SHARE and above is not None and above > below:
            self.add_error(f"n{row.pk}", f"“{row.name}”的分子不能大于分母")

    @property
    def given(self) -> dict[int, Pair | None]:
        """What was typed, by series id; None where nothing stands any more."""
        pairs: dict[int, Pair | None] = {}
        for row in self.series:
            above = self.cleaned_data.get(f"n{row.pk}")
            pairs[row.pk] = None if above is None else (above, self.cleaned_data.get(f"d{row.pk}"))
        return pairs


def _number(label: str, stored: Decimal | None, row: Series) -> forms.DecimalField:
    unit = row.unit if row.kind != Series.Kind.RATIO else ""
    return forms.DecimalField(
        label=f"{label}（{unit}）" if unit else label,
        required=False,
        min_value=0,
        max_digits=14,
        decimal_places=2,
        initial=None if stored is None else plain_text(stored),
        localize=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


class SeriesFilter(ScopedFilterSet):
    family = django_filters.ChoiceFilter(label="组别")
    frequency = django_filters.ChoiceFilter(choices=Frequency.choices, label="频率")
    state = django_filters.ChoiceFilter(choices=STATES, label="填报", method="by_state")

    class Meta:
        model = Series
        fields: list[str] = []

    def __init__(self, data=None, queryset=None, *, request, **kwargs):
        super().__init__(data, queryset, request=request, **kwargs)
        self.post = request.post
        found = Series.objects.visible_to(self.post).order_by("family")
        names = list(found.values_list("family", flat=True).distinct())
        self.form.fields["family"].choices = [("", "全部"), *((n, n) for n in names)]

    def by_state(self, queryset, name, value):
        return queryset.missing_at(self.post.institution)


class PeriodForm(forms.Form):
    """Chooses one of the periods offered; anything else falls back to the default."""

    period = forms.ChoiceField(label="统计期", required=False)

    def __init__(self, data: Any, offered: list[Period], default: Period) -> None:
        codes = {period.code: period for period in offered}
        self.chosen = codes.get((data or {}).get("period", ""), default)
        super().__init__({"period": self.chosen.code})
        self.fields["period"].choices = [(p.code, str(p)) for p in reversed(offered)]
