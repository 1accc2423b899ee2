from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.forms.boundfield import BoundField

from campaigns.models import Campaign, Standard
from campaigns.rules import Method
from institutions import clock
from institutions.forms import (
    DateInput,
    FilesField,
    FilesFormMixin,
    ScopedFilterSet,
    ScopedFormMixin,
)
from institutions.models import Institution, Kind, Post
from institutions.policy import text_of
from institutions.rounding import NumberRefused, parse_number, plain_text
from scoring import rules
from scoring.models import Adjustment, Evaluation, ScoreLine, ScoreSection, ScoreSheet

QUARTERS = [(1, "第1季度"), (2, "第2季度"), (3, "第3季度"), (4, "第4季度"), (0, "不分季度")]
MAX_COUNT = 1_000_000
WEEK = timedelta(days=7)


class FigureField(forms.Field):
    """A figure as people type it, full width accepted; kept blank when it is left blank."""

    def __init__(self, *, places: int, **kwargs: Any) -> None:
        mode = "decimal" if places else "numeric"
        widget = forms.TextInput(attrs={"inputmode": mode, "autocomplete": "off", "maxlength": 20})
        super().__init__(widget=widget, required=False, **kwargs)
        self.places = places

    def to_python(self, value: Any) -> Decimal | int | None:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            number = parse_number(text, places=self.places)
        except NumberRefused as refused:
            raise ValidationError(str(refused)) from refused
        if self.places:
            return number
        if number > MAX_COUNT:
            raise ValidationError(f"最多填写 {MAX_COUNT}")
        return int(number)

    def prepare_value(self, value: Any) -> Any:
        return plain_text(value) if isinstance(value, Decimal) else value


class LineForm(forms.Form):
    """One side of one score line: the fields that its method reads, 不适用, and the words beside it."""

    def __init__(
        self, line: ScoreLine, side: Mapping[str, str], *, verified: bool, **kwargs: Any
    ) -> None:
        super().__init__(
            auto_id=f"l{line.pk}_%s",
            initial={name: getattr(line, field) for name, field in side.items()},
            **kwargs,
        )
        self.line = line
        for name, field in figure_fields(line).items():
            self.fields[name] = field
            if isinstance(field, forms.TypedChoiceField) and self.initial[name] is not None:
                self.initial[name] = str(int(self.initial[name]))
        self.fields["na"] = forms.BooleanField(label="不适用", required=False)
        self.fields["note"] = forms.CharField(
            label="扣分理由" if verified else "说明",
            max_length=300,
            required=False,
            widget=forms.TextInput(
                attrs={"placeholder": "扣分或不适用时必填" if verified else "不适用时必填"}
            ),
        )

    @property
    def figure_fields(self) -> list[BoundField]:
        return [self[name] for name in self.fields if name not in ("na", "note")]

    @property
    def word_fields(self) -> list[BoundField]:
        return [self["na"], self["note"]]

    @property
    def has_words(self) -> bool:
        """Whether 不适用 or the words beside it are in use, so that they are not folded away."""
        return any(field.value() or field.errors for field in self.word_fields)

    def clean_grade(self) -> str:
        return self.cleaned_data["grade"] or ""


def figure_fields(line: ScoreLine) -> dict[str, forms.Field]:
    """Return the fields that the clause's method reads, named and in units as in the paper."""
    clause, rule = line.clause, line.clause.rule
    above = clause.numerator_name or "分子"
    below = clause.denominator_name or "分母"
    match rule.method:
        case Method.YES_NO:
            label = clause.numerator_name or "是否做到"
            return {"numerator": _choice(label, [("1", "是"), ("0", "否")])}
        case Method.DEDUCT:
            return {"deductions": _unit(FigureField(places=0, label="扣分次数"), "次")}
        case Method.MANUAL:
            return {"entered": _unit(FigureField(places=2, label="得分"), "分")}
        case Method.GRADE:
            return {"grade": _choice("等级", [(letter, letter) for letter in "ABCD"])}
        case Method.SAMPLE:
            return {
                "denominator": _unit(
                    FigureField(places=2, label=clause.denominator_name or "抽查份数"), "份"
                ),
                "numerator": _unit(
                    FigureField(places=2, label=clause.numerator_name or "规范份数"), "份"
                ),
                "checked": _unit(FigureField(places=0, label="核实份数"), "份"),
                "genuine": _unit(FigureField(places=0, label="真实份数"), "份"),
            }
    fields: dict[str, forms.Field] = {
        "numerator": _unit(FigureField(places=2, label=above), clause.unit)
    }
    if rule.uses_rate:
        fields["denominator"] = _unit(FigureField(places=2, label=below), clause.unit)
    return fields


def _choice(label: str, choices: list[tuple[str, str]]) -> forms.Field:
    if choices[0][0] == "1":
        return forms.TypedChoiceField(
            label=label,
            choices=choices,
            required=False,
            widget=forms.RadioSelect,
            coerce=Decimal,
            empty_value=None,
        )
    return forms.ChoiceField(label=label, choices=choices, required=False, widget=forms.RadioSelect)


def _unit(field: forms.Field, unit: str) -> forms.Field:
    if unit:
        field.unit = unit  # type: ignore[attr-defined]
    return field


class LineFilesForm(FilesFormMixin, forms.Form):
    files = FilesField(label="佐证材料", required=True)

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.post = post


class EvaluationForm(ScopedFormMixin, forms.ModelForm):
    """An evaluation in draft: the standard, the period, the dates, the institutions."""

    quarter = forms.TypedChoiceField(label="季度", choices=QUARTERS, coerce=int)
    institutions = forms.ModelMultipleChoiceField(
        Institution.objects.all(),
        label="被评价机构",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="不选表示评价标准适用的全部下级机构",
    )

    class Meta:
        model = Evaluation
        fields: ClassVar = [
            "standard",
            "year",
            "quarter",
            "name",
            "starts",
            "self_due",
            "verify_due",
            "campaign",
        ]
        widgets: ClassVar = {
            "starts": DateInput,
            "self_due": DateInput,
            "verify_due": DateInput,
        }

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, post=post, **kwargs)
        self.fields["standard"].queryset = (
            Standard.objects.visible_to(post)
            .filter(status=Standard.Status.PUBLISHED)
            .exclude(purpose=Standard.Purpose.CHECKLIST)
        )
        self.fields["campaign"].queryset = Campaign.objects.visible_to(post)
        self.fields["institutions"].queryset = Institution.objects.supervised_by(
            post.institution
        ).open_on(clock.today())
        self.fields["name"].required = False
        self.fields["name"].help_text = "不填时按年度、季度和标准名称生成"
        if self.instance.pk:
            self.fields["institutions"].initial = list(
                self.instance.sheets.values_list("institution", flat=True)
            )
        else:
            self.fields["year"].initial = clock.today().year
            self.fields["quarter"].initial = (clock.today().month + 2) // 3

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        standard = cleaned.get("standard")
        if standard and not cleaned.get("name"):
            quarter = cleaned.get("quarter")
            period = f"第{quarter}季度" if quarter else ""
            cleaned["name"] = f"{cleaned.get('year')}年{period}评价：{standard.name}"[:80]
        return cleaned


class EvaluationFilters(ScopedFilterSet):
    year = django_filters.NumberFilter(label="年度")
    quarter = django_filters.ChoiceFilter(label="季度", choices=QUARTERS)
    status = django_filters.ChoiceFilter(label="状态", choices=Evaluation.Status.choices)
    when = django_filters.ChoiceFilter(
        label="待办",
        choices=[("ready", "可以公布"), ("closing", "申诉期满待定稿")],
        method="by_work",
    )

    def by_work(self, queryset, name, value):
        own = queryset.filter(supervisor=self.request.post.institution_id)
        if value == "closing":
            return own.filter(status=Evaluation.Status.PUBLISHED, appeal_until__lt=clock.today())
        unfinished = ScoreSheet.objects.exclude(status=ScoreSheet.Status.VERIFIED)
        return own.filter(status=Evaluation.Status.OPEN).exclude(
            pk__in=unfinished.order_by().values("evaluation")
        )

    class Meta:
        model = Evaluation
        fields: ClassVar = ["year", "quarter", "status"]


class SheetFilters(ScopedFilterSet):
    year = django_filters.NumberFilter(label="年度")
    quarter = django_filters.ChoiceFilter(label="季度", choices=QUARTERS)
    status = django_filters.ChoiceFilter(label="状态", choices=ScoreSheet.Status.choices)
    mine = django_filters.ChoiceFilter(
        label="范围",
        choices=[
            ("own", "本机构的"),
            ("below", "由我方核定的"),
            ("items", "有牵头项目待核定的"),
            ("read", "待我复核的"),
        ],
        method="side",
    )
    when = django_filters.ChoiceFilter(
        label="办理期限",
        choices=[
            ("open", "正在自评"),
            ("week", "自评七日内到期"),
            ("overdue", "自评已逾期"),
            ("late", "核定已逾期"),
        ],
        method="by_date",
    )

    class Meta:
        model = ScoreSheet
        fields: ClassVar = ["year", "quarter", "status"]

    def side(self, queryset, name, value):
        post = self.request.post
        if value == "own":
            return queryset.filter(institution=post.institution_id)
        others = queryset.exclude(institution=post.institution_id)
        if value == "read":
            return to_read(others, post)
        if value == "below":
            return others.filter(supervisor=post.institution_id)
        waiting = ScoreSection.objects.visible_to(post).filter(
            status=ScoreSection.Status.OPEN, supervisor__kind=Kind.BUREAU
        )
        return others.filter(
            evaluation__status=Evaluation.Status.OPEN, pk__in=waiting.order_by().values("sheet")
        )

    def by_date(self, queryset, name, value):
        today = clock.today()
        running = queryset.filter(evaluation__status=Evaluation.Status.OPEN)
        if value == "late":
            return running.filter(
                status=ScoreSheet.Status.SUBMITTED, evaluation__verify_due__lt=today
            )
        filling = running.filter(status__in=ScoreSheet.EDITABLE)
        if value == "open":
            return filling
        if value == "week":
            return filling.filter(evaluation__self_due__range=(today, today + WEEK))
        return filling.filter(evaluation__self_due__lt=today)


def to_read(sheets, post):
    """Return the sheets that wait for `post` as their second reader; whether one is wanted is the policy's."""
    waiting = sheets.filter(
        supervisor=post.institution_id,
        status=ScoreSheet.Status.VERIFIED,
        read_at=None,
        evaluation__status=Evaluation.Status.OPEN,
    )
    mine = Q(verifier=post)
    if post.user_id:
        mine |= Q(verifier__user=post.user_id)
    judged = ScoreSection.objects.filter(mine).order_by().values("sheet")
    wanted = [
        year
        for year in waiting.order_by().values_list("year", flat=True).distinct()
        if text_of(post.institution, year, "第二人复核") == "是"
    ]
    return waiting.filter(year__in=wanted).exclude(pk__in=judged)


class AdjustmentFilters(ScopedFilterSet):
    year = django_filters.NumberFilter(label="年度")
    kind = django_filters.ChoiceFilter(label="类别", choices=Adjustment.Kind.choices)

    class Meta:
        model = Adjustment
        fields: ClassVar = ["year", "kind"]


class AdjustmentForm(ScopedFormMixin, forms.ModelForm):
    """A bonus or a deduction for an institution one supervises; a veto is proposed and decided as a sanction."""

    points = FigureField(places=2, label="分值", help_text="加分、扣分都写正数")

    class Meta:
        model = Adjustment
        fields: ClassVar = ["institution", "year", "kind", "points", "reason", "basis"]

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, post=post, **kwargs)
        self.fields["institution"].queryset = Institution.objects.supervised_by(post.institution)
        self.initial.setdefault("year", clock.today().year)
        self.fields["points"].unit = "分"
        kind = self.fields["kind"]
        kind.choices = [c for c in kind.choices if c[0] != Adjustment.Kind.VETO]
        kind.help_text = "一票否决、扣减经费在奖惩台账提出，由领导决定"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        points = cleaned.get("points")
        if "points" in self.errors:
            return cleaned
        if not points:
            self.add_error("points", "请填写大于 0 的分值")
        elif points > 100:
            self.add_error("points", "分值不能超过 100")
        return cleaned


class PolicyForm(forms.Form):
    """One key of the policy; empty goes back to what holds without it."""

    value = forms.CharField(label="值", max_length=60, required=False)
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, key: str, own: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, initial={"value": own, "seen": own}, **kwargs)
        entry = rules.POLICY_KEYS[key]
        self.fields["value"].label = key
        self.fields["value"].help_text = f"{entry.hint}。留空表示不单独规定。"
