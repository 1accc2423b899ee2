"""Forms of the calendar of checks from above and of what is prepared for them."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Q

from campaigns.forms import WEEK
from campaigns.models import Preparation, SuperiorCheck
from institutions import clock
from institutions.forms import (
    DateInput,
    FilesField,
    FilesFormMixin,
    ScopedFilterSet,
    ScopedFormMixin,
)
from institutions.models import Department, Institution, Kind, ServiceItem


class CheckForm(ScopedFormMixin, forms.ModelForm):
    like = forms.ModelChoiceField(
        label="沿用准备清单",
        queryset=SuperiorCheck.objects.all(),
        required=False,
        empty_label="（不沿用）",
        help_text="把以前一次检查的准备清单抄过来，时限按检查日期顺延",
    )

    class Meta:
        model = SuperiorCheck
        fields = ["level", "name", "day", "about", "text", "items", "institutions"]
        widgets = {
            "day": DateInput,
            "text": forms.Textarea(attrs={"rows": 4}),
            "items": forms.CheckboxSelectMultiple,
            "institutions": forms.CheckboxSelectMultiple,
        }
        help_texts = {
            "about": "还没有确切日期的，按估计的日期填写并勾选",
            "items": "不选表示全部项目",
            "institutions": "还不知道检查哪些机构的可以不选",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["items"].queryset = ServiceItem.objects.filter(parent=None)
        self.fields["institutions"].queryset = below(self.fields["institutions"].queryset, self)
        if self.instance.pk:
            del self.fields["like"]
        else:
            own = self.fields["like"].queryset.filter(bureau=self.post.institution_id)
            self.fields["like"].queryset = own.filter(preparations__isnull=False).distinct()


def below(units: Any, form: Any) -> Any:
    """Return the open units directly below the form's bureau, street offices left out."""
    here = form.post.institution_id
    return units.open_on(clock.today()).filter(parent=here).exclude(kind=Kind.STREET)


class PreparationForm(ScopedFormMixin, forms.ModelForm):
    class Meta:
        model = Preparation
        fields = ["text", "institution", "department", "duty", "due"]
        widgets = {"due": DateInput}
        help_texts = {
            "text": "一行写一件，如：补齐二季度随访记录，准备资金支出凭证",
            "department": "责任单位是本局时选科室；不选表示整个单位",
            "duty": "只写岗位、职务，不写姓名",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        here = self.post.institution_id
        units = self.fields["institution"].queryset.open_on(clock.today())
        self.fields["institution"].queryset = units.filter(Q(parent=here) | Q(pk=here)).order_by(
            "path"
        )
        self.fields["institution"].empty_label = "请选择"
        self.fields["department"].queryset = Department.objects.filter(institution=here)
        self.fields["department"].empty_label = "（不选）"

    def clean(self):
        cleaned = super().clean()
        unit, office = cleaned.get("institution"), cleaned.get("department")
        if unit and office and office.institution_id != unit.pk:
            self.add_error("department", "科室不属于所选的责任单位")
        due = cleaned.get("due")
        if due and due > self.instance.superior_check.day:
            self.add_error("due", "完成时限不能晚于检查日期")
        return cleaned


class FinishForm(FilesFormMixin, forms.Form):
    """What is said when something is ready."""

    on = forms.DateField(label="完成日期", widget=DateInput)
    note = forms.CharField(
        label="完成情况",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    files = FilesField(label="佐证材料")

    def __init__(self, *args: Any, post: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.post = post

    def clean_on(self):
        on = self.cleaned_data["on"]
        if on > clock.today():
            raise forms.ValidationError("完成日期不能晚于今天")
        return on


class ResultForm(forms.ModelForm):
    class Meta:
        model = SuperiorCheck
        fields = ["score", "full", "result"]
        widgets = {"result": forms.Textarea(attrs={"rows": 4})}
        help_texts = {
            "full": "填了得分就要填满分",
            "result": "名次、等次、指出的主要问题；问题逐条在“导入”里导入问题清单",
        }

    def clean(self):
        cleaned = super().clean()
        score, full = cleaned.get("score"), cleaned.get("full")
        if score is not None and full is None and "full" not in self.errors:
            self.add_error("full", "请填写满分")
        elif score is not None and (score < 0 or (full is not None and score > full)):
            self.add_error("score", "得分应在 0 和满分之间")
        return cleaned


class CheckFilter(ScopedFilterSet):
    level = django_filters.ChoiceFilter(choices=SuperiorCheck.Level.choices, label="级别")
    year = django_filters.NumberFilter(field_name="day", lookup_expr="year", label="年度")
    when = django_filters.ChoiceFilter(
        choices=[("coming", "还没到"), ("over", "已经过去")], label="时间", method="by_time"
    )

    class Meta:
        model = SuperiorCheck
        fields: list[str] = []

    def by_time(self, queryset, name, value):
        coming = queryset.coming()
        return coming if value == "coming" else queryset.exclude(pk__in=coming.values("pk"))


class PreparationFilter(ScopedFilterSet):
    scope = django_filters.ChoiceFilter(
        choices=[("own", "本单位（科室）的")], label="范围", method="by_side"
    )
    state = django_filters.ChoiceFilter(
        choices=[
            ("open", "未完成"),
            ("overdue", "逾期未完成"),
            ("week", "七日内到期"),
            ("later", "七日后到期"),
            ("done", "已完成"),
        ],
        label="情况",
        method="by_state",
    )
    superior_check = django_filters.ModelChoiceFilter(
        queryset=SuperiorCheck.objects.all(), label="上级检查"
    )
    institution = django_filters.ModelChoiceFilter(
        queryset=Institution.objects.all(), label="责任单位"
    )

    class Meta:
        model = Preparation
        fields: list[str] = []

    def __init__(self, data=None, queryset=None, *, request, **kwargs):
        super().__init__(data, queryset, request=request, **kwargs)
        self.post = request.post
        here = self.post.institution_id
        field = self.form.fields["institution"]
        field.queryset = field.queryset.filter(Q(parent=here) | Q(pk=here))

    def by_side(self, queryset, name, value):
        return queryset.of(self.post)

    def by_state(self, queryset, name, value):
        return queryset.filter(state_q(value))


def state_q(state: str) -> Q:
    """Return the condition on preparations: open, overdue, week (due within seven days), later, or done."""
    today = clock.today()
    week = today + WEEK
    if state == "done":
        return Q(done_on__isnull=False)
    due = {
        "overdue": Q(due__lt=today),
        "week": Q(due__range=(today, week)),
        "later": Q(due__gt=week),
    }
    return Q(done_on__isnull=True) & due.get(state, Q())
