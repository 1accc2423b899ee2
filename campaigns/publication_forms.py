"""Forms of what is shown to everybody, and of what everybody may say about it."""

from typing import Any
from uuid import uuid4

import django_filters
from django import forms
from django.core.exceptions import ValidationError

from campaigns.disclosing import refuse_personal
from campaigns.models import Campaign, Objection, Publication
from institutions.forms import FilesField, FilesFormMixin, ScopedFilterSet, ScopedFormMixin

PERIOD = 5  # working days of a 公示 as a rule


class PublicationForm(ScopedFormMixin, FilesFormMixin, forms.ModelForm):
    files = FilesField(
        label="附件",
        help_text="发布后任何人都能下载；先确认里面没有个人姓名、电话、身份证号。可选多个，每个不超过 20 MB",
    )

    class Meta:
        model = Publication
        fields = ["kind", "title", "text", "campaign", "workdays"]
        widgets = {"text": forms.Textarea(attrs={"rows": 12})}
        help_texts = {
            "text": "任何人都能看到：不写个人姓名、手机号码、身份证号；金额只写在资金公示里",
            "workdays": "发布次日起算，期内任何人可以提意见。评价结果、资金公示、其他公示必须填；不填的不接收意见",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        campaigns = self.fields["campaign"].queryset.filter(institution=self.post.institution_id)
        self.fields["campaign"].queryset = campaigns.exclude(status=Campaign.Status.DRAFT)
        self.fields["campaign"].empty_label = "（不属于某一活动）"
        self.fields["kind"].choices = [("", "请选择"), *Publication.Kind.choices]
        if self.instance.pk is None:
            self.initial["workdays"] = PERIOD

    def clean_title(self) -> str:
        refuse_personal(self.cleaned_data["title"])
        return self.cleaned_data["title"]

    def clean_text(self) -> str:
        refuse_personal(self.cleaned_data["text"])
        return self.cleaned_data["text"]

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("kind") in Publication.TIMED and not cleaned.get("workdays"):
            self.add_error("workdays", "这一类别要有公示期")
        return cleaned


class ReplyForm(forms.Form):
    answer = forms.CharField(
        label="答复",
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="凭回执号可以看到全文；不写个人姓名、电话、身份证号。答复后不能再改",
    )

    def clean_answer(self) -> str:
        refuse_personal(self.cleaned_data["answer"])
        return self.cleaned_data["answer"]


class ObjectionForm(forms.ModelForm):
    """What anybody may say: the words are needed, who says them is not."""

    key = forms.UUIDField(widget=forms.HiddenInput)

    class Meta:
        model = Objection
        fields = ["text", "name", "phone"]
        widgets = {
            "text": forms.Textarea(attrs={"rows": 6, "maxlength": 2000}),
            "phone": forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"}),
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
        }
        labels = {"text": "您的意见", "name": "怎样称呼您（可不填）", "phone": "联系电话（可不填）"}
        help_texts = {
            "text": "写清对哪一项、哪一家有意见和事实依据；不要写他人的电话、身份证号。最多 2000 字",
            "phone": "需要时用来核实，只有答复人员能看到，到期自动清除",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].max_length = 2000
        self.fields["text"].validators.append(_at_most)
        self.fields["key"].initial = uuid4
        for field in ("name", "phone"):
            self.fields[field].required = False

    def clean_text(self) -> str:
        refuse_personal(self.cleaned_data["text"])
        return self.cleaned_data["text"]

    def clean_phone(self) -> str:
        phone = self.cleaned_data["phone"].strip()
        if phone and not all(
            sign.isascii() and (sign.isdigit() or sign in "+- ") for sign in phone
        ):
            raise ValidationError("电话只写数字")
        return phone


def _at_most(text: str) -> None:
    if len(text) > 2000:
        raise ValidationError("最多 2000 字")


class ReceiptForm(forms.Form):
    receipt = forms.CharField(
        label="回执号",
        max_length=20,
        help_text="提意见时显示的 10 位字母和数字",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )


class PublicationFilter(ScopedFilterSet):
    kind = django_filters.ChoiceFilter(label="类别", choices=Publication.Kind.choices)
    status = django_filters.ChoiceFilter(
        label="状态",
        choices=[("returned", "退回给我修改"), *Publication.Status.choices],
        method="in_status",
    )
    campaign = django_filters.ModelChoiceFilter(label="活动", queryset=Campaign.objects.all())

    class Meta:
        model = Publication
        fields: list[str] = []

    def in_status(self, queryset, name, value):
        if value != "returned":
            return queryset.filter(status=value)
        own = queryset.filter(status=Publication.Status.DRAFT, author=self.request.post)
        return own.exclude(opinion="")


class ObjectionFilter(ScopedFilterSet):
    state = django_filters.ChoiceFilter(
        label="状态",
        choices=[
            ("owed", "待答复"),
            ("overdue", "逾期未答复"),
            ("later", "未到期"),
            ("answered", "已答复"),
        ],
        method="in_state",
    )
    publication = django_filters.ModelChoiceFilter(
        label="公开内容", queryset=Publication.objects.all()
    )

    class Meta:
        model = Objection
        fields: list[str] = []

    def __init__(self, data=None, queryset=None, *, request, **kwargs):
        super().__init__(data, queryset, request=request, **kwargs)
        field = self.form.fields["publication"]
        field.queryset = field.queryset.filter(published_on__isnull=False)

    def in_state(self, queryset, name, value):
        match value:
            case "answered":
                return queryset.filter(status=Objection.Status.ANSWERED)
            case "overdue":
                return queryset.overdue()
            case "later":
                return queryset.owed().exclude(pk__in=queryset.overdue().values("pk"))
        return queryset.owed()
