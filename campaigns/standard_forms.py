"""Forms of standards: the head, one clause with what its method uses, editions, years, levels, the filter of the list."""

from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.forms import formset_factory

from campaigns.capability import SHARES, Level
from campaigns.models import Clause, Standard
from campaigns.revising import RULE
from campaigns.rules import Method, RuleError, read_rule
from institutions.forms import DateInput, ScopedFilterSet
from institutions.models import Kind, ServiceItem
from institutions.rounding import plain_text

# What each method reads of a clause, besides its full marks.
USED: dict[str, tuple[str, ...]] = {
    "": (),
    "attain": ("target", "floor", "numerator_name", "denominator_name", "unit"),
    "reverse": ("target", "floor", "numerator_name", "denominator_name", "unit"),
    "yes_no": ("numerator_name",),
    "steps": ("steps", "numerator_name", "denominator_name", "unit"),
    "deduct": ("deduct_unit", "below_zero"),
    "manual": (),
    "grade": (),
    "sample": ("numerator_name", "denominator_name"),
}
EXPLAINED = {
    "": "标题不单独评分，满分等于下级条款合计。",
    "attain": "达到目标得满分，没有达到按比例得分；低于下限不得分。",
    "reverse": "不高于目标得满分，超过按比例扣减；高于下限不得分。",
    "yes_no": "是得满分，否得 0 分。",
    "steps": "从左到右，符合哪一档得哪一档的分。",
    "deduct": "每发现一次扣一个扣分单位，扣完为止；允许倒扣的可以为负。",
    "manual": "由评价人直接填得分，不超过满分。",
    "grade": "评定 A、B、C、D，按绩效政策的比例折算得分。",
    "sample": "满分 × 真实份数÷核实份数 × 规范份数÷抽查份数。",
}
# The columns of read_rule and the fields they are typed in.
CELLS = {
    "满分": "full_marks",
    "目标值": "target",
    "下限值": "floor",
    "分档": "steps",
    "扣分单位": "deduct_unit",
    "允许倒扣": "below_zero",
}


class StandardHeadForm(forms.ModelForm):
    """The head of a draft. The code is settled once other editions stand beside it."""

    kinds = forms.MultipleChoiceField(
        label="适用机构类别", choices=Kind.choices, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Standard
        fields = [
            "code",
            "year",
            "name",
            "purpose",
            "kinds",
            "wanted_marks",
            "reason",
            "in_force_from",
        ]
        widgets = {"in_force_from": DateInput}
        help_texts = {
            "code": "字母和数字，如 ZC2024；同一代码的新版次沿用",
            "wanted_marks": "如 100、300、1000；填写后，条款合计不等就不能发布",
            "reason": "修订的依据和主要内容",
            "in_force_from": "不填则从发布当日起施行",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.edition > 1:
            self.fields["code"].disabled = self.fields["year"].disabled = True
            self.fields["reason"].required = True
        else:
            del self.fields["reason"]

    def clean_code(self) -> str:
        code = self.cleaned_data["code"].strip()
        same = Standard.objects.filter(
            bureau=self.instance.bureau_id, code=code, edition=self.instance.edition
        )
        if same.exclude(pk=self.instance.pk).exists():
            raise ValidationError(
                "这个标准代码已经用过；要修改已发布的标准，请在它的页面点“新版次”"
            )
        return code

    def clean_year(self) -> int:
        year = self.cleaned_data["year"]
        if not 2000 <= year <= 2100:
            raise ValidationError("年度应在 2000 到 2100 之间")
        return year


class ParentField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Clause) -> str:
        return f"{'　' * (obj.depth - 1)}{obj.code} {obj.name}"[:60]


class ClauseForm(forms.ModelForm):
    """One clause: the fields of its method, and no others. `method` says which, before anything is saved."""

    parent = ParentField(
        Clause.objects.none(), label="上级条款", required=False, empty_label="（最上一级）"
    )

    class Meta:
        model = Clause
        fields = ["parent", "code", "name", "item", "full_marks", "method", *list(RULE)[1:]]
        fields += ["core", "check_method", "scoring_note"]
        widgets = {"scoring_note": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "item": "不选则随上级条款",
            "target": "比率写 90%，数量写 12",
            "floor": "与目标值同为比率或数量，可以不填",
            "steps": "从左到右，如 ≥90%:5;≥80%:3",
            "deduct_unit": "每发现一次扣多少分",
            "check_method": "如：查阅资料、现场查看、电话核实",
        }

    def __init__(
        self, *args: Any, clauses: list[Clause], is_heading: bool, method: str, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.is_heading = is_heading
        self.method = "" if is_heading else method
        field = self.fields["parent"]
        standard = self.instance.standard
        field.queryset = standard.clauses.exclude(pk=self.instance.pk)
        field.choices = [("", field.empty_label)] + [
            (row.pk, field.label_from_instance(row))
            for row in clauses
            if row.pk != self.instance.pk
        ]
        items = ServiceItem.objects.all()
        self.fields["item"].queryset = items
        self.fields["item"].empty_label = "（随上级条款）"
        choices = [("", "标题（下面还有条款）"), *((m.name.lower(), m.value) for m in Method)]
        self.fields["method"].choices = choices
        self.fields["method"].help_text = EXPLAINED[self.method]
        self.fields["method"].widget.attrs = {
            "hx-post": "",
            "hx-trigger": "change",
            "hx-vals": '{"action": "method"}',
            "hx-target": "#clause",
            "hx-select": "#clause",
            "hx-swap": "outerHTML",
        }
        for name in list(RULE)[1:]:
            if name not in USED[self.method]:
                del self.fields[name]
        if self.method == "":
            del self.fields["core"]
        if is_heading:
            del self.fields["method"]
        for name in ("target", "steps", "deduct_unit"):
            if name in self.fields:
                self.fields[name].required = True

    def clean_code(self) -> str:
        code = self.cleaned_data["code"].strip()
        others = self.instance.standard.clauses.filter(code=code).exclude(pk=self.instance.pk)
        if others.exists():
            raise ValidationError("这个标准里已有同样代码的条款")
        return code

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.method and not self.errors:
            self._check_rule(cleaned)
        return cleaned

    def _check_rule(self, cleaned: dict[str, Any]) -> None:
        cells = {"评分方法": Method[self.method.upper()].value}
        for column, name in CELLS.items():
            cells[column] = _text(cleaned.get(name))
        try:
            read_rule(cells)
        except RuleError as error:
            for reason in error.reason.split("；"):
                name = next((n for c, n in CELLS.items() if c in reason), None)
                self.add_error(name if name in self.fields else None, reason)

    def save(self, commit: bool = True) -> Clause:
        """Give back the clause as typed; what another method used is emptied."""
        clause = super().save(commit=False)
        clause.method = self.method
        for name, empty in list(RULE.items())[1:]:
            if name not in USED[self.method]:
                setattr(clause, name, empty)
        if not self.method:
            clause.core = False
        return clause


def _text(value: Any) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return "是"
    return value if isinstance(value, str) else plain_text(value)


class EditionForm(forms.Form):
    """Why a published standard is changed within its year, and from when on."""

    reason = forms.CharField(
        label="修订理由", max_length=300, widget=forms.Textarea(attrs={"rows": 3})
    )
    in_force_from = forms.DateField(label="施行日期", widget=DateInput)


class NextYearForm(forms.Form):
    """The head of next year's standard."""

    year = forms.IntegerField(label="新年度", min_value=2000, max_value=2100)
    code = forms.CharField(label="标准代码", max_length=32)
    name = forms.CharField(label="标准名称", max_length=120)


class LevelForm(forms.Form):
    """One level of a capability standard: the least shares, and what core clauses need."""

    name = forms.CharField(label="名称", max_length=20)
    c = forms.DecimalField(label="C 及以上占比（%）", min_value=0, max_value=100, decimal_places=2)
    b = forms.DecimalField(label="B 及以上占比（%）", min_value=0, max_value=100, decimal_places=2)
    a = forms.DecimalField(label="A 占比（%）", min_value=0, max_value=100, decimal_places=2)
    core = forms.ChoiceField(
        label="核心条款至少", required=False, choices=[("", "不要求"), *((g, g) for g in SHARES)]
    )

    def level(self) -> Level:
        given = self.cleaned_data
        return Level(given["name"], {g: given[g.lower()] for g in SHARES}, given["core"])


LevelFormSet = formset_factory(LevelForm, extra=0, can_delete=True, max_num=6)


class StandardFilter(ScopedFilterSet):
    year = django_filters.NumberFilter(label="年度", max_value=9999)
    purpose = django_filters.ChoiceFilter(choices=Standard.Purpose.choices, label="用途")
    status = django_filters.ChoiceFilter(choices=Standard.Status.choices, label="状态")

    class Meta:
        model = Standard
        fields: list[str] = []
