"""Forms of the targets: what is to be reached by whom, and what one institution brings to it."""

from typing import Any

import django_filters
from django import forms

from campaigns.models import Campaign, Contribution, Target
from campaigns.series_forms import UnitsFormMixin
from institutions import clock
from institutions.forms import DateInput, FilesField, FilesFormMixin, ScopedFilterSet
from institutions.models import Institution, Kind

SCOPE = [("own", "要本单位完成的"), ("asked", "本单位下达的")]


class TargetForm(UnitsFormMixin, forms.ModelForm):
    # Street and town offices have targets too: 国家卫生镇.
    left_out = (Kind.BUREAU,)
    kinds = forms.MultipleChoiceField(
        label="按类别全选单位（含下级）", required=False, widget=forms.CheckboxSelectMultiple
    )
    institutions = forms.ModelMultipleChoiceField(
        label="完成单位",
        queryset=Institution.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Target
        fields = [
            "name",
            "text",
            "campaign",
            "kind",
            "goal",
            "unit",
            "measured",
            "per",
            "level",
            "starts",
            "due",
            "basis",
        ]
        widgets = {
            "text": forms.Textarea(attrs={"rows": 3}),
            "starts": DateInput,
            "due": DateInput,
        }
        help_texts = {
            "kind": "合计数量：各单位的数相加；各单位平均数：每家数量除以人数都要达到；"
            "达标单位数、占比、全覆盖：按达到的单位计",
            "goal": "占比填百分数，如 60；全覆盖不填",
            "measured": "合计数量、平均数填写，如：办结案件",
            "per": "平均数填写，如：监督员人数",
            "level": "达标类填写，如：国家基本标准",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen: Any = ()
        if self.instance.pk:
            chosen = Institution.objects.filter(contributions__target=self.instance)
            self.fields["institutions"].initial = [unit.pk for unit in chosen]
            self.fields["kind"].disabled = True
        self.offer_units(self.post, chosen)
        self.fields["campaign"].empty_label = "（不选）"
        self.areas = list(
            Institution.objects.visible_to(self.post).filter(
                kind=Kind.BUREAU, parent=self.post.institution_id
            )
        )
        stored = (
            {part.bureau_id: part.goal for part in self.instance.parts.all()}
            if self.instance.pk
            else {}
        )
        for area in self.areas:
            self.fields[f"part{area.pk}"] = forms.IntegerField(
                label=f"其中{area.known_as}至少",
                required=False,
                min_value=1,
                max_value=9999,
                initial=stored.get(area.pk),
            )
        parts = [f"part{area.pk}" for area in self.areas]
        self.order_fields([*self.Meta.fields, *parts, "kinds", "institutions"])

    def clean(self):
        cleaned = super().clean()
        kind, goal = cleaned.get("kind"), cleaned.get("goal")
        if kind == Target.Kind.COVERAGE:
            cleaned["goal"] = None
        elif kind and goal is None and "goal" not in self.errors:
            self.add_error("goal", "请填写目标值")
        elif kind == Target.Kind.SHARE and goal is not None and goal > 100:
            self.add_error("goal", "占比不能超过 100")
        if kind == Target.Kind.RATIO and not cleaned.get("per"):
            self.add_error("per", "请写明按什么平均")
        if kind not in (Target.Kind.COUNT, Target.Kind.LEVEL):
            for area in self.areas:
                if cleaned.get(f"part{area.pk}"):
                    self.add_error(f"part{area.pk}", "只有合计数量、达标单位数可以分到各区域")
        starts, due = cleaned.get("starts"), cleaned.get("due")
        if starts and due and due < starts:
            self.add_error("due", "完成时限不能早于开始日期")
        return cleaned

    @property
    def parts(self) -> dict[int, int | None]:
        return {area.pk: self.cleaned_data.get(f"part{area.pk}") for area in self.areas}


class ContributionForm(FilesFormMixin, forms.ModelForm):
    """What the kind of the target asks for: a number, a number and heads, or the day it was reached."""

    files = FilesField(label="佐证材料")

    class Meta:
        model = Contribution
        fields = ["value", "per", "reached_on", "text"]
        widgets = {"reached_on": DateInput, "text": forms.Textarea(attrs={"rows": 4})}

    def __init__(self, *args: Any, post: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.post = post
        target = self.instance.target
        if target.counts_units:
            del self.fields["value"], self.fields["per"]
            self.fields["reached_on"].label = f"达到{target.level or '目标'}的日期"
            return
        del self.fields["reached_on"]
        self.fields["value"].label = f"{target.measured or '完成数量'}（{target.unit}）"
        self.fields["value"].min_value = 0
        if target.kind != Target.Kind.RATIO:
            del self.fields["per"]
        else:
            self.fields["per"].label = target.per

    def clean(self):
        cleaned = super().clean()
        for name in ("value", "per"):
            if cleaned.get(name) is not None and cleaned[name] < 0:
                self.add_error(name, "不能为负数")
        day = cleaned.get("reached_on")
        if day and day > clock.today():
            self.add_error("reached_on", "不能在今天之后")
        return cleaned

    @property
    def given(self) -> dict[str, Any]:
        names = ("value", "per", "reached_on", "text")
        return {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}


class TargetFilter(ScopedFilterSet):
    campaign = django_filters.ModelChoiceFilter(queryset=Campaign.objects.all(), label="活动")
    kind = django_filters.ChoiceFilter(choices=Target.Kind.choices, label="怎样合计")
    scope = django_filters.ChoiceFilter(choices=SCOPE, label="范围", method="by_side")

    class Meta:
        model = Target
        fields: list[str] = []

    def __init__(self, data=None, queryset=None, *, request, **kwargs):
        super().__init__(data, queryset, request=request, **kwargs)
        self.post = request.post

    def by_side(self, queryset, name, value):
        if value == "asked":
            return queryset.filter(bureau=self.post.institution_id)
        own = Contribution.objects.filter(institution=self.post.institution_id)
        return queryset.filter(pk__in=own.values("target"))


class ContributionFilter(ScopedFilterSet):
    status = django_filters.ChoiceFilter(choices=Contribution.Status.choices, label="状态")

    class Meta:
        model = Contribution
        fields: list[str] = []
