"""Forms of the re-check of records."""

from typing import Any

import django_filters
from django import forms

from campaigns.models import Campaign, Census
from campaigns.models.census import FAULTS
from campaigns.rechecking import NUMBERS
from campaigns.series_forms import UnitsFormMixin
from institutions import clock
from institutions.forms import DateInput, ScopedFilterSet
from institutions.models import ServiceItem

LABELS = {
    "total": "档案总数",
    "checked": "已复核",
    "faulty": "其中有问题",
    "corrected": "问题中已改正",
}


class CensusForm(UnitsFormMixin, forms.ModelForm):
    kinds = forms.MultipleChoiceField(
        label="按类别全选机构（含下级）", required=False, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Census
        fields = ["name", "campaign", "text", "starts", "due", "items", "institutions"]
        widgets = {
            "starts": DateInput,
            "due": DateInput,
            "text": forms.Textarea(attrs={"rows": 3}),
            "items": forms.CheckboxSelectMultiple,
            "institutions": forms.CheckboxSelectMultiple,
        }
        help_texts = {"name": "如：2023年健康档案拉网式复核"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.instance.institutions.all() if self.instance.pk else ()
        self.offer_units(self.post, chosen)
        self.fields["institutions"].required = False
        self.fields["campaign"].empty_label = "（不选）"
        self.fields["items"].queryset = ServiceItem.objects.all()
        self.order_fields([*self.Meta.fields[:-1], "kinds", "institutions"])


class CountForm(forms.Form):
    """How far one item is on a day: four numbers, each at most the one before, and the faults by category."""

    on = forms.DateField(label="截至日期", widget=DateInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in NUMBERS:
            self.fields[name] = _count(LABELS[name], required=True)
        for number, fault in enumerate(FAULTS):
            self.fields[f"fault{number}"] = _count(fault)
        self.fields["on"].initial = clock.today()

    @property
    def number_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in NUMBERS]

    @property
    def fault_fields(self) -> list[forms.BoundField]:
        return [self[f"fault{number}"] for number in range(len(FAULTS))]

    def clean(self):
        cleaned = super().clean()
        for above, below in (("total", "checked"), ("checked", "faulty"), ("faulty", "corrected")):
            if above in cleaned and below in cleaned and cleaned[below] > cleaned[above]:
                self.add_error(below, f"不能大于“{LABELS[above]}”{cleaned[above]}")
        named = sum(self.faults.values())
        if "faulty" in cleaned and named != cleaned["faulty"]:
            self.add_error(
                "faulty", f"问题分类合计 {named}，与有问题的档案数 {cleaned['faulty']} 不一致"
            )
        return cleaned

    @property
    def faults(self) -> dict[str, int]:
        return {
            fault: self.cleaned_data.get(f"fault{number}") or 0
            for number, fault in enumerate(FAULTS)
        }


def _count(label: str, *, required: bool = False) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=required,
        min_value=0,
        max_value=10**9,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )


class CensusFilter(ScopedFilterSet):
    campaign = django_filters.ModelChoiceFilter(queryset=Campaign.objects.all(), label="活动")
    state = django_filters.ChoiceFilter(
        choices=[("running", "正在进行"), ("over", "已过时限")], label="时间", method="by_state"
    )

    class Meta:
        model = Census
        fields: list[str] = []

    def by_state(self, queryset, name, value):
        today = clock.today()
        if value == "over":
            return queryset.filter(due__lt=today)
        return queryset.filter(starts__lte=today, due__gte=today)
