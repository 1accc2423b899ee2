"""Forms of gap lists and secondments."""

from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q

from campaigns.models import Gap, Secondment
from campaigns.models.gap import YEARS
from institutions import clock, staffing
from institutions.forms import (
    DateInput,
    FilesField,
    FilesFormMixin,
    ScopedFilterSet,
    ScopedFormMixin,
)
from institutions.models import Institution, Kind, StaffMember

SCOPE = [("own", "本单位的"), ("asked", "本单位督导的")]


class GapForm(FilesFormMixin, forms.ModelForm):
    files = FilesField(label="佐证材料（补齐后上传）")

    class Meta:
        model = Gap
        fields = ["aspect", "text", "basis", "measure", "first_year", "year", "person"]
        help_texts = {
            "text": "对照标准还差什么，如：没有独立的预检分诊区",
            "basis": "如：乡镇卫生院服务能力标准（2022年版）",
            "measure": "怎样补齐，需要什么条件",
            "first_year": f"三年计划从哪一年开始，共 {YEARS} 年",
            "person": "只写岗位或职务；没有岗前培训的人员不能承担",
        }

    def __init__(self, *args: Any, post: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.post = post

    def clean_person(self) -> str:
        person = self.cleaned_data["person"]
        unit = self.instance.institution_id or self.post.institution_id
        if blocked := staffing.untrained_named(unit, [person]):
            raise ValidationError(staffing.refusal(blocked))
        return person

    def clean(self):
        cleaned = super().clean()
        first, year = cleaned.get("first_year"), cleaned.get("year")
        if first and not 2009 <= first <= 2100:
            self.add_error("first_year", "请填写四位年度")
        elif first and year and not first <= year < first + YEARS:
            self.add_error("year", f"应在 {first} 年至 {first + YEARS - 1} 年之间")
        return cleaned


class GapFilter(ScopedFilterSet):
    plan = django_filters.ChoiceFilter(label="三年计划", method="skip", empty_label=None)
    aspect = django_filters.ChoiceFilter(choices=Gap.Aspect.choices, label="方面")
    year = django_filters.NumberFilter(label="计划年度", max_value=2100)
    status = django_filters.ChoiceFilter(choices=Gap.Status.choices, label="状态")
    when = django_filters.ChoiceFilter(
        choices=[("overdue", "过期未补齐"), ("now", "今年应补齐")], label="进度", method="by_time"
    )
    institution = django_filters.ModelChoiceFilter(queryset=Institution.objects.all(), label="机构")
    unit = django_filters.NumberFilter(
        field_name="institution", widget=forms.HiddenInput, max_value=2**62
    )
    scope = django_filters.ChoiceFilter(choices=SCOPE, label="范围", method="by_side")

    class Meta:
        model = Gap
        fields: list[str] = []

    def __init__(self, data=None, queryset=None, *, request, **kwargs):
        super().__init__(data, queryset, request=request, **kwargs)
        self.post = request.post
        field = self.form.fields["institution"]
        here = request.post.institution_id
        field.queryset = field.queryset.filter(Q(parent=here) | Q(pk=here)).exclude(
            kind__in=[Kind.STREET, Kind.BUREAU]
        )
        rows = Gap.objects.visible_to(request.post).order_by("-first_year")
        years = list(rows.values_list("first_year", flat=True).distinct()) or [clock.today().year]
        self.form.fields["plan"].choices = [(y, f"{y}—{y + YEARS - 1}年") for y in years]

    def by_time(self, queryset, name, value):
        return queryset.overdue() if value == "overdue" else queryset.this_year()

    def by_side(self, queryset, name, value):
        side = "institution" if value == "own" else "supervisor"
        return queryset.filter(**{side: self.post.institution_id})


class SecondmentForm(ScopedFormMixin, forms.ModelForm):
    class Meta:
        model = Secondment
        fields = ["member", "host", "subject", "starts", "ends", "reason"]
        widgets = {
            "starts": DateInput,
            "ends": DateInput,
            "reason": forms.Textarea(attrs={"rows": 4}),
        }
        help_texts = {
            "member": "从本机构人员名册中选；没有的先在人员名册登记",
            "host": "如：郑州大学第五附属医院",
            "reason": "本机构缺什么、学成后开展什么服务",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        unit = self.instance.institution_id or self.post.institution_id
        field = self.fields["member"]
        field.queryset = StaffMember.objects.filter(institution=unit).in_service()
        field.label_from_instance = lambda member: f"{member.name}（{member.title}）"
        field.empty_label = "请选择"

    def clean(self):
        cleaned = super().clean()
        starts, ends, member = (cleaned.get(name) for name in ("starts", "ends", "member"))
        if starts and ends and ends < starts:
            self.add_error("ends", "截止日期不能早于起始日期")
        elif starts and ends and member:
            same = Secondment.objects.filter(
                member=member,
                starts__lte=ends,
                ends__gte=starts,
                status__in=[Secondment.Status.APPLIED, Secondment.Status.APPROVED],
            ).exclude(pk=self.instance.pk)
            if same.exists():
                self.add_error("member", "这个时段已经有进修申请")
        return cleaned


class SecondmentFilter(ScopedFilterSet):
    status = django_filters.ChoiceFilter(choices=Secondment.Status.choices, label="状态")
    when = django_filters.ChoiceFilter(
        choices=[("now", "正在进修"), ("over", "已结束未登记成效")], label="进度", method="by_time"
    )
    scope = django_filters.ChoiceFilter(choices=SCOPE, label="范围", method="by_side")

    class Meta:
        model = Secondment
        fields: list[str] = []

    def __init__(self, data=None, queryset=None, *, request, **kwargs):
        super().__init__(data, queryset, request=request, **kwargs)
        self.post = request.post

    def by_time(self, queryset, name, value):
        today = clock.today()
        if value == "over":
            return queryset.to_report()
        return queryset.filter(status="approved", starts__lte=today, ends__gte=today)

    def by_side(self, queryset, name, value):
        side = "institution" if value == "own" else "supervisor"
        return queryset.filter(**{side: self.post.institution_id})
