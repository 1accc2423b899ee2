"""Forms of passages: pasting a paper, cutting and merging its passages, saying what each became."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Model, Q
from django.forms import formset_factory

from campaigns.models import Campaign, Passage
from institutions.forms import ScopedFilterSet
from institutions.models import Post

SPLIT = "---"


class PassageForm(forms.Form):
    """One passage in the preview. A line `---` in its text cuts it in two."""

    pk = forms.IntegerField(required=False, widget=forms.HiddenInput)
    heading = forms.CharField(label="标题", max_length=120, required=False)
    text = forms.CharField(
        label="正文", max_length=5000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    merge = forms.BooleanField(label="并入上一条", required=False)


PassageFormSet = formset_factory(PassageForm, extra=1, can_delete=True, max_num=300)


class PasteForm(forms.Form):
    paper = forms.CharField(
        label="文件全文", max_length=60000, widget=forms.Textarea(attrs={"rows": 12})
    )


def _of_paper(model: type[Model], campaign: Campaign) -> Q:
    """What a passage of the campaign may become: its own parts, and what its bureau keeps beside campaigns."""
    fields = {field.name: field for field in model._meta.get_fields()}
    keeper = "institution" if "institution" in fields else "bureau"
    kept = Q(**{keeper: campaign.institution_id})
    if "campaign" not in fields:
        return kept
    own = Q(campaign=campaign)
    if fields["campaign"].null:
        own |= kept & Q(campaign__isnull=True)
    return own


class PassageLinkForm(forms.ModelForm):
    """What a passage became: rows of the nouns it may become, or something else in words."""

    class Meta:
        model = Passage
        fields = [*Passage.LINKS, "became", "nothing"]
        widgets = dict.fromkeys(Passage.LINKS, forms.CheckboxSelectMultiple)
        help_texts = {"nothing": "如：背景说明、标题"}

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        campaign = self.instance.campaign
        for name in Passage.LINKS:
            field = self.fields[name]
            rows = field.queryset.model.objects.visible_to(post)
            field.queryset = rows.filter(_of_paper(field.queryset.model, campaign))

    def clean(self):
        cleaned = super().clean()
        became = [name for name in self.Meta.fields[:-1] if cleaned.get(name)]
        if cleaned.get("nothing") and became:
            self.add_error("nothing", "已经选了形成的内容，这里应当空着")
        return cleaned


class PassageFilter(ScopedFilterSet):
    campaign = django_filters.ModelChoiceFilter(queryset=Campaign.objects.all(), label="活动")

    class Meta:
        model = Passage
        fields: list[str] = []
