"""Forms of the capability review: the year's activity, one clause, the application, the lots, the use of results."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

import django_filters
from django import forms
from django.forms.boundfield import BoundField

from campaigns.capability import check_levels
from campaigns.models import Campaign, Group, Profession, Standard
from institutions import clock
from institutions.forms import DateInput, FilesField, FilesFormMixin, ScopedFilterSet
from institutions.models import Institution, Kind, Post
from scoring.capability_filling import SELF
from scoring.capability_using import CONSEQUENCES
from scoring.models import (
    CapabilityLine,
    CapabilityReview,
    CapabilityRound,
    CapabilityUse,
    ReviewLevel,
)
from scoring.models.capability import Grade, default_dates

LEVELS = [(x.value, x.label) for x in (ReviewLevel.BASIC, ReviewLevel.RECOMMENDED)]
WORDS = {"rows": 3}


class RoundForm(forms.ModelForm):
    class Meta:
        model = CapabilityRound
        fields: ClassVar = [
            "name",
            "year",
            "campaign",
            "standards",
            "group",
            "months",
            "self_due",
            "recheck_due",
            "share",
        ]
        widgets: ClassVar = {
            "standards": forms.CheckboxSelectMultiple,
            "self_due": DateInput,
            "recheck_due": DateInput,
        }
        help_texts: ClassVar = {
            "standards": "每个机构类别选一个已发布的标准；村卫生室、社区卫生服务站参照乡镇卫生院、社区卫生服务中心的标准",
            "months": "从机构开始自评之日起，满这些月才能申请",
            "self_due": "县（区）完成自查并上报的日期，文件为4月30日",
            "recheck_due": "完成复核并上报自治区（省）的日期，文件为5月20日",
            "share": "核心条款全部复核，其余条款按章抽取这一比例",
            "group": "复核人员从技术指导组选派",
        }

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        year = clock.today().year
        if kwargs.get("instance") is None:
            kwargs["initial"] = {
                "name": f"{year}年“优质服务基层行”活动",
                "year": year,
                **default_dates(year),
                **(kwargs.get("initial") or {}),
            }
        super().__init__(*args, **kwargs)
        standards = Standard.objects.visible_to(post).filter(
            purpose=Standard.Purpose.CAPABILITY, status=Standard.Status.PUBLISHED
        )
        self.fields["standards"].queryset = standards.order_by("-year", "code")
        mine = {"institution": post.institution_id}
        self.fields["campaign"].queryset = Campaign.objects.visible_to(post).filter(**mine)
        self.fields["group"].queryset = Group.objects.visible_to(post).filter(
            kind=Group.Kind.GUIDANCE, **mine
        )
        for name in ("campaign", "group"):
            self.fields[name].empty_label = "（不选）"

    def clean_standards(self) -> Any:
        chosen = self.cleaned_data["standards"]
        for standard in chosen:
            if not standard.levels or check_levels(standard.levels):
                raise forms.ValidationError(f"{standard.name}没有达标规则")
        return chosen


class GradeForm(forms.Form):
    """One clause on one side: the grade, the words beside it, and for the unit whether it goes into rectification."""

    grade = forms.ChoiceField(label="等级", choices=[("", "未评"), *Grade.choices], required=False)
    note = forms.CharField(
        label="说明",
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "不适用时必填"}),
    )
    flagged = forms.BooleanField(label="列入整改", required=False)

    def __init__(self, line: CapabilityLine, side: Mapping[str, str], **kwargs: Any) -> None:
        initial = {name: getattr(line, column) for name, column in side.items()}
        super().__init__(auto_id=f"l{line.pk}_%s", initial=initial, **kwargs)
        self.line = line
        if side is not SELF:
            del self.fields["flagged"]
            self.fields["note"].widget.attrs["placeholder"] = "等级低于原来的必填"


class FilesForm(FilesFormMixin, forms.Form):
    files = FilesField(label="佐证材料", required=True)

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.post = post


class ApplyForm(forms.Form):
    level = forms.ChoiceField(label="申请等次", choices=LEVELS, widget=forms.RadioSelect)
    note = forms.CharField(
        label="申请说明", max_length=300, required=False, widget=forms.Textarea(attrs=WORDS)
    )


class PutRightForm(forms.Form):
    """The clauses that go into rectification, with one deadline: D and marked ones are chosen already."""

    lines = forms.MultipleChoiceField(
        label="条款",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "请选择要列入整改的条款"},
    )
    due = forms.DateField(label="整改时限（含当日）", widget=DateInput)

    def __init__(self, *args: Any, candidates: Sequence[CapabilityLine], **kwargs: Any) -> None:
        chosen = [str(x.pk) for x in candidates if x.grade == "D" or x.flagged]
        kwargs["initial"] = {"lines": chosen, "due": clock.today() + timedelta(days=30)}
        super().__init__(*args, **kwargs)
        self.candidates = {str(line.pk): line for line in candidates}
        self.fields["lines"].choices = [
            (pk, f"{x.clause.code} {x.clause.name}（自评 {x.grade or '未评'}）")
            for pk, x in self.candidates.items()
        ]

    @property
    def chosen(self) -> list[CapabilityLine]:
        return [self.candidates[pk] for pk in self.cleaned_data["lines"]]


class DrawForm(forms.Form):
    """The lots of a recheck; `note` is asked for a spot check only."""

    share = forms.IntegerField(
        label="抽查条款比例（%）",
        min_value=1,
        max_value=100,
        help_text="核心条款全部复核，其余条款按章抽取这一比例（不足一条按一条）",
    )
    size = forms.IntegerField(
        label="复核组人数",
        min_value=0,
        max_value=20,
        required=False,
        help_text="从督导专家库抽取，自动回避；0 表示由技术指导组派人",
    )
    professions = forms.MultipleChoiceField(
        label="复核组须有的专业",
        choices=Profession.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    note = forms.CharField(label="抽查事由", max_length=300, widget=forms.Textarea(attrs=WORDS))

    def __init__(self, *args: Any, review: CapabilityReview, spot: bool, **kwargs: Any) -> None:
        kwargs["initial"] = {"share": review.round.share, "size": 0}
        super().__init__(*args, **kwargs)
        if not spot:
            del self.fields["note"]


class SpotForm(forms.Form):
    amount = forms.IntegerField(label="抽查家数", min_value=1, max_value=200)
    note = forms.CharField(label="抽查事由", max_length=300, widget=forms.Textarea(attrs=WORDS))

    def __init__(self, *args: Any, most: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"].help_text = f"从已认定的 {most} 家中抽取，条款按本年度的比例抽取"


class CertifyForm(forms.Form):
    level = forms.ChoiceField(
        label="省级认定等次", choices=ReviewLevel.choices, widget=forms.RadioSelect
    )
    on = forms.DateField(label="省级认定日期", widget=DateInput)
    note = forms.CharField(label="省级意见", max_length=2000, widget=forms.Textarea(attrs=WORDS))

    def __init__(self, *args: Any, review: CapabilityReview, **kwargs: Any) -> None:
        kwargs["initial"] = {"level": review.level, "on": clock.today()}
        super().__init__(*args, **kwargs)


class ReportForm(forms.Form):
    opinion = forms.CharField(
        label="上报意见", max_length=2000, widget=forms.Textarea(attrs={"rows": 4})
    )


class UseForm(forms.Form):
    """The classes that a level has: measures of each, all of them chosen but for the commendation, which is not for everybody."""

    note = forms.CharField(label="决定意见", max_length=300, widget=forms.Textarea(attrs=WORDS))

    def __init__(self, *args: Any, kinds: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kinds = kinds
        for kind in kinds:
            rule = CONSEQUENCES[kind]
            chosen = [] if kind == "commendation" else list(rule.measures)
            self.fields[kind] = forms.MultipleChoiceField(
                label=str(CapabilityUse.Kind(kind).label),
                choices=[(x, x) for x in rule.measures],
                initial=chosen,
                required=False,
                widget=forms.CheckboxSelectMultiple,
                help_text=rule.text,
            )
        self.order_fields([*kinds, "note"])

    @property
    def measures(self) -> dict[str, list[str]]:
        return {k: chosen for k in self.kinds if (chosen := self.cleaned_data.get(k))}

    @property
    def class_fields(self) -> list[BoundField]:
        return [self[kind] for kind in self.kinds]


# --- Filters ----------------------------------------------------------------------------------------

NOT_BEGUN = "none"


class ReviewFilters(ScopedFilterSet):
    year = django_filters.NumberFilter(label="年度", field_name="round__year")
    status = django_filters.ChoiceFilter(label="状态", choices=CapabilityReview.Status.choices)
    level = django_filters.ChoiceFilter(label="认定等次", choices=ReviewLevel.choices)
    bureau = django_filters.ModelChoiceFilter(
        label="县（区）", queryset=Institution.objects.filter(kind=Kind.BUREAU)
    )
    side = django_filters.ChoiceFilter(
        label="范围",
        choices=[
            ("own", "本机构的"),
            ("asked", "由我方办理的"),
            ("undecided", "还没有决定结果运用的"),
        ],
        method="by_side",
    )

    class Meta:
        model = CapabilityReview
        fields = ("year", "status", "level", "bureau", "side")

    def __init__(self, data: Any = None, queryset: Any = None, *, request: Any, **kwargs: Any):
        super().__init__(data, queryset, request=request, **kwargs)
        self.post = request.post

    def by_side(self, queryset: Any, name: str, value: str) -> Any:
        mine = self.post.institution_id
        if value == "undecided":
            return queryset.filter(
                round__institution=mine,
                status__in=CapabilityReview.SETTLED,
                uses__isnull=True,
            )
        if value == "own":
            return queryset.filter(institution=mine)
        return queryset.filter(supervisor=mine, round__status=CapabilityRound.Status.OPEN)


class RegisterFilters(ScopedFilterSet):
    state = django_filters.ChoiceFilter(
        label="状态",
        choices=[(NOT_BEGUN, "未开始"), *CapabilityReview.Status.choices],
        method="by_state",
    )
    bureau = django_filters.ModelChoiceFilter(
        label="县（区）", queryset=Institution.objects.filter(kind=Kind.BUREAU)
    )
    kind = django_filters.ChoiceFilter(label="类别", choices=Kind.choices)

    class Meta:
        model = Institution
        fields = ("state", "bureau", "kind")

    def __init__(
        self,
        data: Any = None,
        queryset: Any = None,
        *,
        request: Any,
        round: CapabilityRound,
        **kwargs: Any,
    ):
        super().__init__(data, queryset, request=request, **kwargs)
        self.round = round
        self.form.fields["bureau"].queryset = (
            self.form.fields["bureau"]
            .queryset.filter(path__startswith=self.round.institution.path)
            .order_by("code")
        )

    def by_state(self, queryset: Any, name: str, value: str) -> Any:
        there = self.round.reviews.order_by()
        if value == NOT_BEGUN:
            return queryset.exclude(pk__in=there.values("institution"))
        return queryset.filter(pk__in=there.filter(status=value).values("institution"))
