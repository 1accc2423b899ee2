"""Forms of plans: what is asked of units, what a unit writes, how its list is filtered."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Q
from django.forms import modelformset_factory

from campaigns.forms import MOST, WEEK, WHEN
from campaigns.models import Campaign, Plan, PlanCall, PlanKind, PlanLine
from institutions import clock
from institutions.forms import (
    DateInput,
    FilesField,
    FilesFormMixin,
    ScopedFilterSet,
    ScopedFormMixin,
)
from institutions.models import Institution, Kind, Post

SCOPE = [("own", "本单位上报的"), ("asked", "本单位审核的")]


class PlanCallForm(ScopedFormMixin, forms.ModelForm):
    """What units are to hand in; on changing, `institutions` offers those that are not asked yet."""

    kinds = forms.MultipleChoiceField(
        label="按类别全选机构", required=False, widget=forms.CheckboxSelectMultiple
    )
    institutions = forms.ModelMultipleChoiceField(
        Institution.objects.none(),
        label="要求上报的机构",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = PlanCall
        fields = ["kind", "name", "campaign", "year", "due", "text"]
        widgets = {"due": DateInput, "text": forms.Textarea(attrs={"rows": 4})}
        help_texts = {
            "kind": "“工作推进计划”“实施方案”逐项落实到班子成员、科室、具体责任人，三项齐全才能上报",
            "name": "如：2023年质控计划",
            "campaign": "依据哪项活动；逐项落实的方案会自动列出该活动下达给各机构的任务",
            "text": "要写明什么，如：工作目标、责任人、具体措施",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        here = self.post.institution_id
        campaign = self.fields["campaign"]
        campaign.queryset = campaign.queryset.filter(
            institution=here, status=Campaign.Status.ISSUED
        )
        campaign.empty_label = "（不限活动）"
        offered = (
            Institution.objects.visible_to(self.post)
            .open_on(clock.today())
            .filter(parent=here)
            .exclude(kind=Kind.STREET)
        )
        if self.instance.pk:
            # Its plans are under way: what they are cannot become something else.
            del self.fields["kind"], self.fields["campaign"]
            offered = offered.exclude(pk__in=self.instance.plans.values("institution"))
            self.fields["institutions"].label = "增加上报的机构"
        self.offered = offered
        self.fields["institutions"].queryset = offered
        present = set(offered.order_by().values_list("kind", flat=True))
        self.fields["kinds"].choices = [
            (value, f"全部{label}") for value, label in Kind.choices if value in present
        ]
        if not present:
            del self.fields["kinds"], self.fields["institutions"]

    def clean(self):
        cleaned = super().clean()
        here = self.post.institution_id
        same = PlanCall.objects.filter(
            institution=here, year=cleaned.get("year"), name=cleaned.get("name", "")
        )
        if same.exclude(pk=self.instance.pk).exists():
            self.add_error("name", "本年度已经有这个名称的计划方案要求")
        chosen = Q(pk__in=[row.pk for row in cleaned.get("institutions") or []])
        if cleaned.get("kinds"):
            chosen |= Q(kind__in=cleaned["kinds"])
        self.chosen = list(self.offered.filter(chosen))
        if not self.chosen and not self.instance.pk:
            self.add_error("institutions" if "institutions" in self.fields else None, "请选择机构")
        return cleaned


class PlanForm(FilesFormMixin, forms.ModelForm):
    """What the unit writes; kept as a draft until it is handed in."""

    files = FilesField(label="上传计划方案文件")

    class Meta:
        model = Plan
        fields = ["text"]
        widgets = {"text": forms.Textarea(attrs={"rows": 8})}
        help_texts = {"text": "可以直接填写，也可以只写要点并上传文件；写明目标、措施和责任人"}

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.post = post


class PlanLineForm(forms.ModelForm):
    class Meta:
        model = PlanLine
        fields = ["text", "leader", "department", "person"]


PlanLineFormSet = modelformset_factory(
    PlanLine, form=PlanLineForm, extra=2, can_delete=True, max_num=100
)


class PlanFilter(ScopedFilterSet):
    call = django_filters.NumberFilter(label="计划方案", widget=forms.HiddenInput, max_value=MOST)
    kind = django_filters.ChoiceFilter(
        field_name="call__kind", choices=PlanKind.choices, label="类型"
    )
    year = django_filters.NumberFilter(field_name="call__year", label="年度", max_value=9999)
    campaign = django_filters.ModelChoiceFilter(
        field_name="call__campaign", queryset=Campaign.objects.all(), label="活动"
    )
    status = django_filters.ChoiceFilter(choices=Plan.Status.choices, label="状态")
    when = django_filters.ChoiceFilter(
        choices=[*WHEN, ("late", "逾期上报")], label="时限", method="by_time"
    )
    scope = django_filters.ChoiceFilter(choices=SCOPE, label="范围", method="by_side")
    institution = django_filters.NumberFilter(widget=forms.HiddenInput, max_value=MOST)

    class Meta:
        model = Plan
        fields: list[str] = []

    def __init__(self, data=None, queryset=None, *, request, **kwargs):
        super().__init__(data, queryset, request=request, **kwargs)
        self.post = request.post

    def by_time(self, queryset, name, value):
        today = clock.today()
        owed = queryset.filter(status__in=Plan.OWED)
        match value:
            case "overdue":
                return queryset.overdue()
            case "week":
                return owed.filter(due__range=(today, today + WEEK))
            case "later":
                return owed.filter(due__gt=today + WEEK)
            case "late":
                return queryset.late()
        return queryset

    def by_side(self, queryset, name, value):
        side = "institution" if value == "own" else "supervisor"
        return queryset.filter(**{side: self.post.institution_id})
