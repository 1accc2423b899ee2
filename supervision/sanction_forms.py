"""The proposal of a penalty or a reward."""

from typing import Any

from django import forms

from institutions import clock
from institutions.forms import DateInput, FilesField, FilesFormMixin, ScopedFormMixin
from institutions.models import Institution, Post
from supervision.models import Problem, Sanction, Severity

Kind = Sanction.Kind


class SanctionForm(FilesFormMixin, ScopedFormMixin, forms.Form):
    """One proposal; what each kind needs beyond the facts is asked for by `clean`."""

    institution = forms.ModelChoiceField(label="机构", queryset=Institution.objects.all())
    kind = forms.ChoiceField(label="类别", choices=Kind.choices)
    year = forms.IntegerField(label="年度", min_value=2009, max_value=2100)
    grounds = forms.ChoiceField(label="情形", required=False)
    reason = forms.CharField(
        label="事实和理由", max_length=4000, widget=forms.Textarea(attrs={"rows": 5})
    )
    person = forms.CharField(
        label="责任人（职务）",
        max_length=40,
        required=False,
        help_text="追责问责、移送纪检时填写职务",
    )
    problem = forms.ModelChoiceField(
        label="所依据的问题",
        queryset=Problem.objects.all(),
        required=False,
        empty_label="（不选）",
    )
    due = forms.DateField(
        label="限期（含当日）", widget=DateInput, required=False, help_text="限期整改时填写"
    )
    points = forms.DecimalField(
        label="扣分",
        max_digits=5,
        decimal_places=2,
        required=False,
        help_text="扣减经费时填写：从年终得分中扣，按政策折成经费",
    )
    amount = forms.DecimalField(
        label="金额",
        max_digits=12,
        decimal_places=2,
        required=False,
        help_text="元。专项奖励：奖励的金额；扣减经费：扣分以外另从结算单扣减的金额，可不填",
    )
    files = FilesField(label="依据材料")

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, post=post, **kwargs)
        self.fields["institution"].queryset = Institution.objects.supervised_by(post.institution)
        problems = self.fields["problem"].queryset
        self.fields["problem"].queryset = problems.exclude(severity=Severity.MINOR).order_by(
            "-found_on"
        )[:50]
        every = dict.fromkeys(word for words in Sanction.GROUNDS.values() for word in words)
        self.fields["grounds"].choices = [("", "（不选）"), *((word, word) for word in every)]
        if not post.institution.is_bureau:
            kinds = [c for c in Kind.choices if c[0] not in Sanction.RESTRICTED]
            self.fields["kind"].choices = kinds

    def clean(self):
        cleaned = super().clean() or self.cleaned_data
        kind, given = cleaned.get("kind"), cleaned.get
        grounds = Sanction.GROUNDS.get(kind, ())
        if given("grounds") and given("grounds") not in grounds:
            fitting = "、".join(grounds) or "不选"
            self.add_error("grounds", f"与类别不符，可选：{fitting}")
        if kind in (Kind.ACCOUNTABILITY, Kind.VETO) and not given("grounds"):
            self.add_error("grounds", "请选择情形")
        if kind in Sanction.RESTRICTED and not given("person"):
            self.add_error("person", "请填写责任人的职务")
        if kind == Kind.DEADLINE:
            if not given("due"):
                self.add_error("due", "请填写整改期限")
            elif given("due") <= clock.today():
                self.add_error("due", "期限须晚于今天")
        points, amount = given("points"), given("amount")
        if kind == Kind.CUT and (points is None or not 0 < points <= 100):
            self.add_error("points", "请填写大于0、不超过100的分值")
        if amount is not None and amount <= 0:
            self.add_error("amount", "请填写大于0的金额")
        if kind not in Sanction.REWARDS and not given("files"):
            self.add_error("files", "请上传依据材料")
        problem, unit = given("problem"), given("institution")
        if problem and unit and problem.institution_id != unit.pk:
            self.add_error("problem", "这个问题不是该机构的")
        return cleaned
