"""Forms of 突破事项: the round with its quotas, one item, the review of a submission, the progress of an item."""

from collections.abc import Iterable
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError

from campaigns.breakthrough import Quota
from campaigns.models import (
    BreakthroughItem,
    BreakthroughQuota,
    BreakthroughRound,
    BreakthroughSubmission,
)
from campaigns.models.breakthrough import CRITERIA
from institutions import clock
from institutions.forms import DateInput, FilesField, FilesFormMixin, ScopedFilterSet
from institutions.models import Department, Institution, Kind, Post

Sort = BreakthroughQuota.Sort
# How many, by sort: as the annex sets them, to be changed where another paper says otherwise.
USUAL = {Sort.NAMED: (2, 3), Sort.DEPARTMENTS: (1, 2), Sort.OTHERS: (1, 2)}


def _number(label: str) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=1, max_value=20)


class RoundForm(forms.ModelForm):
    """The round of one campaign: day, receiver, and the quota of each sort of units."""

    institutions = forms.ModelMultipleChoiceField(
        label="指定单位",
        queryset=Institution.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="项数与其他单位不同的，如区人民医院、区妇幼保健院、区疾控中心",
    )
    named_least = _number("指定单位最少")
    named_most = _number("指定单位最多")
    departments = forms.ModelMultipleChoiceField(
        label="局机关科室",
        queryset=Department.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="也要填报的科室，由该科室的岗位填写",
    )
    departments_least = _number("科室最少")
    departments_most = _number("科室最多")
    others_least = _number("其他单位最少")
    others_most = _number("其他单位最多")

    class Meta:
        model = BreakthroughRound
        fields = ["name", "due", "receiver"]
        widgets = {"due": DateInput}
        help_texts = {"receiver": "照文件写，如：局办公室公务邮箱"}

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        campaign = self.instance.campaign
        units = Institution.objects.visible_to(post).filter(received_campaigns__campaign=campaign)
        self.fields["institutions"].queryset = units.exclude(kind=Kind.STREET)
        self.fields["departments"].queryset = Department.objects.visible_to(post).filter(
            institution=post.institution
        )
        known = {q.sort: q for q in self.instance.quotas.all()} if self.instance.pk else {}
        for sort, (least, most) in USUAL.items():
            quota = known.get(sort)
            self.initial[f"{sort.value}_least"] = quota.least if quota else least
            self.initial[f"{sort.value}_most"] = quota.most if quota else most
        if Sort.NAMED in known:
            self.initial["institutions"] = known[Sort.NAMED].institutions.all()
        if Sort.DEPARTMENTS in known:
            self.initial["departments"] = known[Sort.DEPARTMENTS].departments.all()
        elif not self.instance.pk:
            self.initial["departments"] = self.fields["departments"].queryset

    def clean(self):
        cleaned = super().clean()
        for sort in USUAL:
            least, most = cleaned.get(f"{sort.value}_least"), cleaned.get(f"{sort.value}_most")
            if least and most and most < least:
                self.add_error(f"{sort.value}_most", "最多项数不能少于最少项数")
        return cleaned

    @property
    def quotas(self) -> list[Quota]:
        """The quotas as cleaned; a sort of which nobody is named has none."""
        given = self.cleaned_data
        made = []
        for sort in USUAL:
            units = list(given["institutions"]) if sort is Sort.NAMED else []
            departments = list(given["departments"]) if sort is Sort.DEPARTMENTS else []
            if units or departments or sort is Sort.OTHERS:
                least, most = given[f"{sort.value}_least"], given[f"{sort.value}_most"]
                made.append(Quota(sort, least, most, units, departments))
        return made


class ItemForm(forms.ModelForm):
    """One line of the annex."""

    class Meta:
        model = BreakthroughItem
        fields = ["name", "content", "measures", "due", "person", "office"]
        widgets = {
            "due": DateInput,
            "content": forms.Textarea(attrs={"rows": 4}),
            "measures": forms.Textarea(attrs={"rows": 4}),
        }
        help_texts = {
            "content": "内容要具体，与其他单位或先进区县相比有明显突破",
            "measures": "可操作的步骤，一步一行",
            "person": "分管这一事项的负责人",
        }


class ReviewForm(forms.ModelForm):
    """Whether one item meets each criterion, and what is missing."""

    class Meta:
        model = BreakthroughItem
        fields = [*CRITERIA, "opinion"]
        widgets = {"opinion": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in CRITERIA.items():
            self.fields[name] = forms.TypedChoiceField(
                label=label,
                choices=[("yes", "符合"), ("no", "不符合")],
                coerce=lambda answer: answer == "yes",
                empty_value=None,
                required=False,
                widget=forms.RadioSelect,
            )
            verdict = getattr(self.instance, name)
            self.initial[name] = "" if verdict is None else "yes" if verdict else "no"

    def clean(self):
        cleaned = super().clean()
        refused = any(cleaned.get(name) is False for name in CRITERIA)
        if refused and not cleaned.get("opinion", "").strip():
            raise ValidationError({"opinion": "有不符合的标准，请写明意见"})
        return cleaned


class DecisionForm(forms.Form):
    """The opinion on the whole, needed to return it."""

    note = forms.CharField(
        label="总的意见（退回时必填）",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ProgressForm(FilesFormMixin, forms.ModelForm):
    """How far an accepted item has come; the reason once its day has passed."""

    files = FilesField(label="佐证材料")

    class Meta:
        model = BreakthroughItem
        fields = ["progress", "progress_text", "delay_reason"]
        widgets = {
            "progress_text": forms.Textarea(attrs={"rows": 4}),
            "delay_reason": forms.Textarea(attrs={"rows": 3}),
        }
        help_texts = {"progress_text": "做到哪一步、取得什么成效、下一步怎么做"}

    def __init__(self, *args: Any, post: Post, needs_reason: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.post = post
        self.fields["progress_text"].required = True
        if needs_reason:
            self.fields["delay_reason"].required = True
            self.fields["delay_reason"].error_messages["required"] = (
                "已超过完成时限，请写明逾期原因"
            )
        else:
            del self.fields["delay_reason"]


WHEN = [
    ("overdue", "逾期未报"),
    ("due", "未到期待报"),
    ("late", "逾期报送"),
    ("delayed", "有事项逾期未完成"),
]
SCOPE = [("own", "本单位、科室填报的"), ("asked", "本单位审核的")]


class UnitFilter(ScopedFilterSet):
    """Filters of the submissions of one round."""

    status = django_filters.ChoiceFilter(
        choices=BreakthroughSubmission.Status.choices, label="状态"
    )
    when = django_filters.ChoiceFilter(choices=WHEN, label="时限", method="by_time")
    scope = django_filters.ChoiceFilter(choices=SCOPE, label="范围", method="by_side")

    class Meta:
        model = BreakthroughSubmission
        fields: list[str] = []

    def __init__(self, data=None, queryset=None, *, request, **kwargs):
        super().__init__(data, queryset, request=request, **kwargs)
        self.post = request.post

    def by_time(self, queryset, name, value):
        match value:
            case "overdue":
                return queryset.overdue()
            case "due":
                return queryset.open().filter(round__due__gte=clock.today())
            case "late":
                return queryset.late()
            case _:
                return queryset.delayed()

    def by_side(self, queryset, name, value):
        return queryset.own(self.post) if value == "own" else queryset.asked(self.post)


class SubmissionFilter(UnitFilter):
    """Filters of the list of all submissions."""

    round = django_filters.ModelChoiceFilter(
        queryset=BreakthroughRound.objects.all(), label="填报", empty_label="全部"
    )


def review_forms(items: Iterable[BreakthroughItem], data: Any = None) -> list[ReviewForm]:
    return [ReviewForm(data, instance=item, prefix=f"item{item.pk}") for item in items]


def verdicts_of(forms_: Iterable[ReviewForm]) -> dict[int, dict[str, Any]]:
    """Return what was said of each item, by its id, as `breakthrough.judge` takes it."""
    return {form.instance.pk: form.cleaned_data for form in forms_}
