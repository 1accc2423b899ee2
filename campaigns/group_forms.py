"""Forms of working groups and their members."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Q

from campaigns.models import Campaign, Group, Member
from institutions.forms import (
    DateInput,
    FilesField,
    FilesFormMixin,
    ScopedFilterSet,
    ScopedFormMixin,
)
from institutions.models import Post, Region


class GroupForm(ScopedFormMixin, FilesFormMixin, forms.ModelForm):
    files = FilesField(label="成立文件")

    class Meta:
        model = Group
        fields = ["kind", "name", "set_up_on", "campaign", "office", "region", "text"]
        widgets = {"set_up_on": DateInput, "text": forms.Textarea(attrs={"rows": 4})}
        help_texts = {
            "name": "如：质量提升年活动领导小组",
            "office": "如：局办公室",
            "region": "大队（网格）负责哪个镇、街道或管区；其他类型不选",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        campaign = self.fields["campaign"]
        campaign.queryset = campaign.queryset.exclude(status=Campaign.Status.DRAFT)
        campaign.empty_label = "（不选）"
        area = self.post.region or self.post.institution.region
        path = area.path if area else "-"
        self.fields["region"].queryset = Region.objects.filter(
            path__startswith=path, level__in=[Region.Level.TOWN, Region.Level.DISTRICT]
        )
        self.fields["region"].empty_label = "（不选）"

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("kind") == Group.Kind.TEAM and not cleaned.get("region"):
            self.add_error("region", "请选择大队负责的区域")
        return cleaned


class MemberForm(forms.ModelForm):
    """One member: a post of one's own unit or of those directly below, or a title written as the paper has it."""

    class Meta:
        model = Member
        fields = ["duty", "post", "title", "profession", "region", "text"]
        help_texts = {
            "post": "在系统中有任职的，从这里选",
            "title": "系统中没有的写在这里，只写单位和职务；选了任职可以空着",
        }

    def __init__(self, *args: Any, group: Group, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        here = group.institution_id
        self.fields["post"].queryset = (
            Post.objects.visible_to(post)
            .in_office()
            .filter(Q(institution=here) | Q(institution__parent=here))
            .select_related("institution")
        )
        self.fields["title"].required = False
        for name in ("post", "region"):
            self.fields[name].empty_label = "（不选）"
        if group.kind == Group.Kind.TEAM:
            del self.fields["profession"]
            self.fields["region"].queryset = group.areas()
        else:
            del self.fields["region"]
        if group.kind != Group.Kind.GUIDANCE:
            self.fields.pop("profession", None)
        else:
            self.fields["profession"].required = True

    def clean(self):
        cleaned = super().clean()
        if not cleaned.get("post") and not cleaned.get("title"):
            self.add_error("title", "请选择任职，或写明单位和职务")
        if cleaned.get("duty") in Member.VILLAGE_DUTIES and not cleaned.get("region"):
            self.add_error("region" if "region" in self.fields else "duty", "请选择所包村（居）")
        if cleaned.get("duty") in Member.AREA_DUTIES and not cleaned.get("region"):
            self.add_error(
                "region" if "region" in self.fields else "duty", "请选择负责的管区或村（居）"
            )
        return cleaned


class GroupFilter(ScopedFilterSet):
    kind = django_filters.ChoiceFilter(choices=Group.Kind.choices, label="类型")
    campaign = django_filters.ModelChoiceFilter(queryset=Campaign.objects.all(), label="活动")
    status = django_filters.ChoiceFilter(choices=Group.Status.choices, label="状态")

    class Meta:
        model = Group
        fields: list[str] = []
