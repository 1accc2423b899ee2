"""Forms of the head of a campaign: its paper, phases, table of 督导重点; and what every filter of this floor says alike.

Every choice starts from what the post may see.
"""

from datetime import timedelta
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.forms import modelformset_factory

from campaigns.models import Campaign, Phase, Recipient, SupervisionFocus
from campaigns.passages import normal_number
from institutions.forms import (
    DateInput,
    FilesField,
    FilesFormMixin,
    ScopedFilterSet,
    ScopedFormMixin,
)
from institutions.models import Institution

WEEK = timedelta(days=7)
MOST = 10**9  # above any id; longer numbers overflow SQLite
WHEN = [("overdue", "已逾期"), ("week", "七日内到期"), ("later", "七日以后")]


class CampaignForm(ScopedFormMixin, FilesFormMixin, forms.ModelForm):
    """The head of the paper. `paper`, on registering, is the whole text to be read."""

    paper = forms.CharField(
        label="粘贴文件全文",
        required=False,
        max_length=60000,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="从 Word、WPS 复制全文（含附件表格）粘贴到这里，点“读取文件”，文号、标题、主送和日期会自动填好，"
        "正文会按一、（一）1. 拆成条文，下一步可以逐条核对。没有电子版也可以空着。",
    )
    files = FilesField(label="附件")

    class Meta:
        model = Campaign
        fields = [*Campaign.HEAD, "parent"]
        widgets = {
            "issued_on": DateInput,
            "guideline": forms.Textarea(attrs={"rows": 3}),
            "basis": forms.Textarea(attrs={"rows": 3}),
            "goals": forms.Textarea(attrs={"rows": 4}),
        }
        help_texts = {
            "name": "平时怎么称呼这项活动，如：质量提升年活动",
            "number": "如 周卫健字〔2023〕13号；文件没有文号的，空着",
            "issuer": "本单位的文件空着；登记乡镇、街道等其他机关的文件，写它的名称",
            "guideline": "如：以“补短板、强弱项，抓基础、促提升”为主线",
            "signer": "只写职务，如：局长",
            "salutation": "照文件写，如：各有关医疗机构：",
            "basis": "依据的上级文件、规划、反馈清单，一行一份",
            "goals": "活动要达到的目标，含群众满意度目标",
            "parent": "本活动落实的是哪一个上级活动（没有可不选）",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        codes = [code for code in self.post.institution.path.split("/") if code]
        self.fields["parent"].queryset = (
            Campaign.objects.visible_to(self.post)
            .filter(institution__code__in=codes)
            .exclude(pk=self.instance.pk)
        )
        self.fields["parent"].empty_label = "（没有）"
        if self.instance.pk:
            del self.fields["paper"]
        else:
            # First what can save typing: the paper itself.
            self.order_fields(["paper"])

    def clean_number(self) -> str:
        if not self.cleaned_data["number"]:
            return ""
        try:
            number = normal_number(self.cleaned_data["number"])
        except ValueError as error:
            raise ValidationError(str(error)) from error
        same = Campaign.objects.filter(bureau=self.post.institution.bureau_id, number=number)
        if same.exclude(pk=self.instance.pk).exists():
            raise ValidationError("这个文号已经登记过")
        return number


class PhaseForm(forms.ModelForm):
    class Meta:
        model = Phase
        fields = ["name", "starts", "ends", "text"]
        widgets = {
            "starts": DateInput,
            "ends": DateInput,
            "text": forms.Textarea(attrs={"rows": 2}),
        }
        help_texts = {"starts": "文件没有写开始日期的，空着"}

    def clean(self):
        cleaned = super().clean()
        starts, ends = cleaned.get("starts"), cleaned.get("ends")
        if starts and ends and ends < starts:
            self.add_error("ends", "截止日期不能早于开始日期")
        return cleaned


def phase_formset(extra: int) -> type[forms.BaseModelFormSet]:
    return modelformset_factory(Phase, form=PhaseForm, extra=extra, can_delete=True, max_num=12)


class FocusForm(ScopedFormMixin, forms.ModelForm):
    class Meta:
        model = SupervisionFocus
        fields = ["names", "institutions", "items", "text"]
        widgets = {
            "institutions": forms.CheckboxSelectMultiple,
            "items": forms.CheckboxSelectMultiple,
            "text": forms.Textarea(attrs={"rows": 4}),
        }
        help_texts = {
            "names": "照文件表格里的写法，一格里可以有几个机构",
            "institutions": "这一格说的是系统里的哪些机构",
            "items": "不选表示不限项目",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        campaign = self.instance.campaign
        near = Q(parent=campaign.institution_id) | Q(
            pk__in=Recipient.objects.filter(campaign=campaign).units().values("institution")
        )
        if self.instance.pk:
            near |= Q(pk__in=list(self.instance.institutions.values_list("pk", flat=True)))
        self.fields["institutions"].queryset = Institution.objects.visible_to(self.post).filter(
            near
        )


class CampaignFilter(ScopedFilterSet):
    year = django_filters.NumberFilter(label="年度", max_value=9999)
    status = django_filters.ChoiceFilter(choices=Campaign.Status.choices, label="状态")

    class Meta:
        model = Campaign
        fields: list[str] = []
