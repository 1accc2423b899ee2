"""What a 迎检资料包 is asked for: one institution, one item or one campaign, all in sight."""

from typing import Any

from django import forms

from campaigns.models import Campaign
from config import dossier
from institutions.models import Institution, Post, ServiceItem

SCOPES = [
    ("institution", "一家机构一个年度"),
    ("item", "一个服务项目一个年度"),
    ("campaign", "一个活动"),
]


class DossierForm(forms.Form):
    """What the package is about: one of three."""

    scope = forms.ChoiceField(label="整理什么", choices=SCOPES)
    institution = forms.ModelChoiceField(
        label="机构",
        queryset=Institution.objects.none(),
        required=False,
        empty_label="（不选）",
        help_text="整理一家机构时选",
    )
    item = forms.ModelChoiceField(
        label="服务项目",
        queryset=ServiceItem.objects.none(),
        required=False,
        empty_label="（不选）",
        help_text="整理一个服务项目时选",
    )
    campaign = forms.ModelChoiceField(
        label="活动",
        queryset=Campaign.objects.none(),
        required=False,
        empty_label="（不选）",
        help_text="整理一个活动时选，不看年度",
    )
    year = forms.TypedChoiceField(label="年度", coerce=int)

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["year"].choices = [(year, f"{year}年") for year in dossier.years()]
        self.fields["institution"].queryset = Institution.objects.visible_to(post).order_by("code")
        items = ServiceItem.objects.order_by("code")
        self.fields["item"].queryset = (
            items if post.item_ids is None else items.filter(pk__in=post.item_ids)
        )
        self.fields["campaign"].queryset = Campaign.objects.visible_to(post)

    def clean(self):
        cleaned = super().clean()
        scope = cleaned.get("scope")
        if scope and not cleaned.get(scope) and scope not in self.errors:
            self.add_error(scope, "请选择")
        return cleaned

    @property
    def chosen(self) -> int:
        return self.cleaned_data[self.cleaned_data["scope"]].pk
