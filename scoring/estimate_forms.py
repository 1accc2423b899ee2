"""Forms of the estimate: costs of services, task numbers, the split to the villages."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, F, OuterRef, Q

from institutions import clock
from institutions.forms import ScopedFilterSet
from institutions.models import Institution, Kind, Post, ServiceItem
from institutions.models.institution import code_validator
from scoring.models import WorkUnit


class ServiceForm(forms.ModelForm):
    """A service with its cost; of one that is there only cost and price may change."""

    class Meta:
        model = WorkUnit
        fields = ["year", "code", "name", "item", "unit", "cost", "price"]
        help_texts = {
            "code": "和工作当量用同一套代码",
            "unit": "如：人次、份、人",
            "cost": "完成一个单位的服务需要多少钱，元，最多两位小数",
            "price": "单价法按它拨付：每个单位的服务付多少钱，元；不用单价法可不填",
        }

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.post = post
        self.fields["cost"].required = True
        self.fields["cost"].min_value = 0
        self.fields["code"].validators.append(code_validator)
        self.fields["item"].queryset = ServiceItem.objects.all()
        if self.instance.pk:
            for name in ("year", "code", "name", "item", "unit"):
                self.fields[name].disabled = True

    def clean_cost(self):
        cost = self.cleaned_data["cost"]
        if cost is not None and cost < 0:
            raise forms.ValidationError("成本不能为负")
        return cost

    def clean_price(self):
        price = self.cleaned_data["price"]
        if price is not None and price < 0:
            raise forms.ValidationError("单价不能为负")
        return price

    def clean(self):
        cleaned = super().clean()
        year = cleaned.get("year")
        if year and not 2009 <= year <= 2100:
            self.add_error("year", "请填写四位年度")
        same = WorkUnit.objects.filter(
            institution=self.post.institution_id, year=year, code=cleaned.get("code", "")
        )
        if same.exclude(pk=self.instance.pk).exists():
            self.add_error("code", "这一年已经有这个服务代码")
        return cleaned


class NumbersForm(forms.Form):
    """One whole number for each service of the year."""

    def __init__(
        self, *args: Any, units: list[WorkUnit], numbers: dict[int, int], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.units = units
        for unit in units:
            cost = "未核定成本" if unit.cost is None else f"每{unit.unit or '单位'} {unit.cost} 元"
            self.fields[f"n{unit.pk}"] = forms.IntegerField(
                label=f"{unit.name}（{unit.unit or '单位'}）",
                required=False,
                min_value=0,
                max_value=2_000_000_000,
                initial=numbers.get(unit.pk),
                help_text=f"{unit.code}，{cost}",
            )

    @property
    def given(self) -> dict[int, int]:
        return {unit.pk: self.cleaned_data.get(f"n{unit.pk}") or 0 for unit in self.units}


class SplitForm(forms.Form):
    percent = forms.IntegerField(
        label="分解到村的比例（%）",
        min_value=1,
        max_value=100,
        initial=100,
        help_text="按各村卫生室（站）的服务人口分，覆盖原来的分解",
    )


class YearFilter(ScopedFilterSet):
    year = django_filters.NumberFilter(label="年度", method="skip", max_value=2100)

    class Meta:
        model = Institution
        fields: list[str] = []


class EstimateFilter(YearFilter):
    kind = django_filters.ChoiceFilter(choices=Kind.choices, label="机构类别")
    state = django_filters.ChoiceFilter(
        choices=[("none", "没有任务数"), ("left", "未全部分解到村")],
        label="分解",
        method="by_state",
    )

    def by_state(self, queryset, name, value):
        if value == "none":
            return queryset.filter(money__isnull=True)
        # A centre with clinics whose shares do not add up to its own.
        below = Institution.objects.filter(parent=OuterRef("pk"))
        short = Q(below_money__isnull=True) | Q(below_money__lt=F("money"))
        return queryset.filter(Exists(below), short, money__isnull=False)


class ServiceFilter(ScopedFilterSet):
    year = django_filters.NumberFilter(label="年度", max_value=2100)
    item = django_filters.ModelChoiceFilter(queryset=ServiceItem.objects.all(), label="服务项目")
    state = django_filters.ChoiceFilter(
        choices=[("none", "未核定成本"), ("set", "已核定成本")], label="成本", method="by_state"
    )

    class Meta:
        model = WorkUnit
        fields: list[str] = []

    def by_state(self, queryset, name, value):
        return queryset.filter(cost__isnull=value == "none")


def year_of(text: str) -> int:
    """Return the year asked for, else this one."""
    usable = text.isascii() and text.isdigit() and len(text) == 4 and 2009 <= int(text) <= 2100
    return int(text) if usable else clock.today().year
