"""Forms of 举一反三: whom to ask about what until when, and the answers of one institution."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError

from institutions import clock
from institutions.forms import DateInput
from institutions.models import Institution, Kind, Post, ServiceItem
from supervision.lists import HiddenFilter, UnitFilterSet
from supervision.models import Problem, SelfCheck, Spread
from supervision.spreading import NOBODY, Answer, askable

DAYS_TO_LOOK = 10
DAYS_TO_PUT_RIGHT = 30
KINDS = [(kind.value, kind.label) for kind in Kind if kind not in NOBODY]


class SpreadForm(forms.Form):
    """Whole kinds of institutions, chosen ones, or both. The wording is asked for only where there is one problem."""

    text = forms.CharField(
        label="问题描述",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="发给其他机构的文字，不含问题所在机构的名称",
    )
    demand = forms.CharField(
        label="自查要求",
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="查什么、怎么查，例如抽查多少份",
    )
    kinds = forms.MultipleChoiceField(
        label="按类别全选机构",
        choices=KINDS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    institutions = forms.ModelMultipleChoiceField(
        label="另选机构",
        queryset=Institution.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    due = forms.DateField(label="自查截止（含当日）", widget=DateInput)
    put_right_by = forms.DateField(label="查出问题的整改时限（含当日）", widget=DateInput)
    similar_counts = forms.BooleanField(
        label="“类似”的也立为问题整改", required=False, initial=True
    )

    def __init__(self, *args: Any, post: Post, problems: Sequence[Problem], **kwargs: Any) -> None:
        today = clock.today()
        initial = {
            "due": today + timedelta(days=DAYS_TO_LOOK),
            "put_right_by": today + timedelta(days=DAYS_TO_PUT_RIGHT),
        }
        if len(problems) == 1:
            initial |= {"text": problems[0].text, "kinds": [problems[0].institution.kind]}
        super().__init__(*args, initial=initial, **kwargs)
        self.post = post
        near = askable(post).filter(parent=post.institution_id)
        if not near.exists():
            near = askable(post).filter(parent=post.institution.bureau_id)
        self.fields["institutions"].queryset = near
        if len(problems) != 1:
            del self.fields["text"]

    def clean(self):
        cleaned = super().clean()
        due, until = cleaned.get("due"), cleaned.get("put_right_by")
        if due and due < clock.today():
            self.add_error("due", "自查截止不能早于今天")
        if due and until and until < due:
            self.add_error("put_right_by", "整改时限不能早于自查截止")
        kinds, chosen = cleaned.get("kinds"), cleaned.get("institutions")
        if not kinds and not chosen:
            self.add_error("kinds", "请选择类别，或另选机构")
        self.asked = {unit.pk: unit for unit in chosen or ()}
        if kinds:
            units = [u for u in askable(self.post) if set(u.kinds) & set(kinds)]
            self.asked |= {unit.pk: unit for unit in units}
            if not self.asked and not self.errors:
                self.add_error("kinds", "没有这些类别的下级机构")
        return cleaned


class SelfCheckFilter(UnitFilterSet):
    status = django_filters.ChoiceFilter(label="状态", choices=SelfCheck.Status.choices)
    when = django_filters.ChoiceFilter(
        label="时限", choices=[("overdue", "已逾期")], method="by_time"
    )
    answer = django_filters.ChoiceFilter(label="结果", choices=SelfCheck.Answer.choices)
    belied = django_filters.BooleanFilter(
        label="只看自查不实的", method="was_belied", widget=forms.CheckboxInput
    )
    item = django_filters.ModelChoiceFilter(label="服务项目", queryset=ServiceItem.objects.all())
    spread = HiddenFilter(queryset=Spread.objects.all())

    class Meta:
        model = SelfCheck
        fields = (
            "status",
            "when",
            "answer",
            "item",
            "unit",
            "scope",
            "belied",
            "spread",
            "institution",
        )

    def by_time(self, queryset, name, value):
        return queryset.overdue()

    def was_belied(self, queryset, name, value):
        return queryset.filter(belied_by__isnull=False) if value else queryset


class AnswersForm(forms.Form):
    """The answers of one page of self-checks: `answer-PK`, `note-PK`, `version-PK`; what is left open stays open."""

    def __init__(self, *args: Any, checks: Sequence[SelfCheck], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.checks = list(checks)
        for check in self.checks:
            self.fields[f"answer-{check.pk}"] = forms.ChoiceField(
                label="自查结果",
                choices=SelfCheck.Answer.choices,
                required=False,
                widget=forms.RadioSelect,
            )
            self.fields[f"note-{check.pk}"] = forms.CharField(
                label="情况说明", max_length=1000, required=False
            )
            self.fields[f"version-{check.pk}"] = forms.IntegerField(
                widget=forms.HiddenInput, initial=check.version, min_value=0, required=False
            )

    def clean(self):
        cleaned = super().clean()
        self.answers = []
        for check in self.checks:
            said = cleaned.get(f"answer-{check.pk}")
            if not said:
                continue
            note = cleaned.get(f"note-{check.pk}") or ""
            try:
                check.check_answer(said, note)
            except ValidationError as refused:
                self.add_error(f"note-{check.pk}", refused)
            seen = cleaned.get(f"version-{check.pk}") or 0
            self.answers.append(Answer(check.pk, seen, said, note))
        if not self.answers and not self.errors:
            raise ValidationError("请至少选择一项的自查结果")
        return cleaned

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The checks with their bound fields, for the template."""
        return [
            {
                "check": check,
                "answer": self[f"answer-{check.pk}"],
                "note": self[f"note-{check.pk}"],
                "version": self[f"version-{check.pk}"],
            }
            for check in self.checks
        ]
