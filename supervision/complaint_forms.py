from datetime import timedelta
from typing import Any

import django_filters
from django import forms
from django.db.models import Q

from institutions import clock
from institutions.forms import DateInput, FilesField, FilesFormMixin, ScopedFormMixin
from institutions.models import Institution, Post, ServiceItem
from supervision.forms import VISITED_KINDS, SuggestInput
from supervision.lists import HiddenFilter, UnitFilterSet
from supervision.models import Complaint
from supervision.models.complaint import CATEGORIES, refuse_identity

SOON = timedelta(days=3)
WARNING = "只写反映的事情，不写来电居民的姓名、电话、住址、身份证号"


class ComplaintForm(ScopedFormMixin, FilesFormMixin, forms.ModelForm):
    files = FilesField(label="材料", help_text="不要上传有居民姓名、电话的工单原件")

    class Meta:
        model = Complaint
        fields = [
            "number",
            "received_on",
            "channel",
            "kind",
            "institution",
            "category",
            "item",
            "text",
            "due",
            "handler",
        ]
        widgets = {
            "received_on": DateInput,
            "due": DateInput,
            "text": forms.Textarea(attrs={"rows": 4}),
            "category": SuggestInput(CATEGORIES),
        }
        help_texts = {
            "number": "热线工单的编号；没有编号的自编，如 2023-015",
            "text": WARNING,
            "handler": "由谁承办，只写岗位、职务；可由机构答复时填写",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        here = self.post.institution_id
        units = self.fields["institution"].queryset.filter(kind__in=VISITED_KINDS)
        units = units.open_on(clock.today()).filter(Q(parent=here) | Q(pk=here)).order_by("path")
        self.fields["institution"].queryset = units
        self.fields["institution"].empty_label = "请选择"
        self.fields["item"].empty_label = "（不属于某一项目）"

    def clean_text(self) -> str:
        text = self.cleaned_data["text"]
        refuse_identity(text)
        return text

    def clean(self):
        cleaned = super().clean()
        received, due = cleaned.get("received_on"), cleaned.get("due")
        if received and received > clock.today():
            self.add_error("received_on", "收到日期不能晚于今天")
        if received and due and due < received:
            self.add_error("due", "办理时限不能早于收到日期")
        unit, number = cleaned.get("institution"), cleaned.get("number")
        if unit and Complaint.objects.filter(bureau=unit.bureau_id, number=number).exists():
            self.add_error("number", "这个工单编号已经登记过")
        return cleaned


class ReplyForm(FilesFormMixin, forms.Form):
    """What the institution did and answered."""

    answer = forms.CharField(
        label="办理情况和答复",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=WARNING,
    )
    handler = forms.CharField(label="承办岗位", max_length=40, help_text="只写岗位、职务")
    files = FilesField(label="材料")

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="id_reply_%s", **kwargs)
        self.post = post

    def clean_answer(self) -> str:
        answer = self.cleaned_data["answer"]
        refuse_identity(answer)
        return answer


class CloseForm(forms.Form):
    """What the call-back said."""

    satisfied = forms.ChoiceField(
        label="回访是否满意", choices=Complaint.Satisfied.choices, widget=forms.RadioSelect
    )
    note = forms.CharField(
        label="审核意见",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="id_close_%s", **kwargs)


class ComplaintFilter(UnitFilterSet):
    status = django_filters.ChoiceFilter(
        label="状态", choices=[("owed", "未答复"), *Complaint.Status.choices], method="in_status"
    )
    when = django_filters.ChoiceFilter(
        label="时限",
        choices=[
            ("overdue", "逾期未答复"),
            ("soon", "三日内到期"),
            ("later", "三日后到期"),
            ("late", "答复逾期"),
        ],
        method="by_time",
    )
    channel = django_filters.ChoiceFilter(label="渠道", choices=Complaint.Channel.choices)
    kind = django_filters.ChoiceFilter(label="类型", choices=Complaint.Kind.choices)
    item = django_filters.ModelChoiceFilter(label="服务项目", queryset=ServiceItem.objects.all())
    satisfied = django_filters.ChoiceFilter(label="回访", choices=Complaint.Satisfied.choices)
    since = django_filters.DateFilter(
        field_name="received_on", lookup_expr="gte", label="起", widget=DateInput
    )
    until = django_filters.DateFilter(
        field_name="received_on", lookup_expr="lte", label="止", widget=DateInput
    )
    institution = HiddenFilter(queryset=Institution.objects.all())

    class Meta:
        model = Complaint
        fields: list[str] = []

    def in_status(self, queryset, name, value):
        return queryset.owed() if value == "owed" else queryset.filter(status=value)

    def by_time(self, queryset, name, value):
        return queryset.filter(time_q(value)) if value != "late" else queryset.late()


def time_q(when: str) -> Q:
    """Return the condition on complaints that are still to be answered: overdue, due within three days, or later."""
    today = clock.today()
    soon = today + SOON
    due = {
        "overdue": Q(due__lt=today),
        "soon": Q(due__range=(today, soon)),
        "later": Q(due__gt=soon),
    }
    return Q(status__in=Complaint.OWED) & due[when]
