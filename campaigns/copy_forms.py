"""The form that copies a campaign into a new year."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from campaigns.models import Campaign
from campaigns.passages import normal_number
from institutions.forms import DateInput


class CopyCampaignForm(forms.Form):
    """What the copy of a campaign cannot know: its year, number and day."""

    year = forms.IntegerField(label="新年度", min_value=2000, max_value=2100)
    number = forms.CharField(label="文号", max_length=40, help_text="如 周卫健字〔2024〕13号")
    issued_on = forms.DateField(label="印发日期", widget=DateInput)

    def __init__(self, *args: Any, source: Campaign, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.source = source

    def clean_year(self) -> int:
        if self.cleaned_data["year"] == self.source.year:
            raise ValidationError("请填写另一个年度")
        return self.cleaned_data["year"]

    def clean_number(self) -> str:
        try:
            number = normal_number(self.cleaned_data["number"])
        except ValueError as error:
            raise ValidationError(str(error)) from error
        if Campaign.objects.filter(bureau=self.source.bureau_id, number=number).exists():
            raise ValidationError("这个文号已经登记过")
        return number
