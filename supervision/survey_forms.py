"""Forms of the resident surveys: one resident's answers, the settings of a supervisor, and the filter of the list."""

from typing import Any

import django_filters
from django import forms

from supervision.lists import HiddenFilter, UnitFilterSet
from supervision.models import ResidentSurvey, SupervisionRound, Visit, VisitPolicy
from supervision.models.survey import Group
from supervision.surveying import QUESTIONS, questions_for

_YES_NO = [("", "没有问"), ("yes", "是"), ("no", "否")]


class SurveyForm(forms.Form):
    """One resident: what is not ticked counts as not known; questions for another group are passed over."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    group = forms.ChoiceField(label="人群", choices=Group.choices, widget=forms.RadioSelect)
    channel = forms.ChoiceField(
        label="调查方式", choices=ResidentSurvey.Channel.choices, widget=forms.RadioSelect
    )
    phone = forms.RegexField(
        r"^[0-9+ -]{5,20}$",
        label="电话",
        required=False,
        help_text="电话调查的填写，便于复核；页面上隐去中间几位，到期自动清除。不要填写姓名、身份证号。",
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
        error_messages={"invalid": "请填写电话号码"},
    )
    known = forms.MultipleChoiceField(
        label="知道的打勾（由本人回答，不得代答）",
        choices=[(question.code, question.text) for question in QUESTIONS],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="只统计与所选人群有关的题目",
    )
    faced = forms.ChoiceField(
        label="近一年是否面对面随访过", choices=_YES_NO, required=False, widget=forms.RadioSelect
    )
    called_at_home = forms.ChoiceField(
        label="近一年是否上门服务过", choices=_YES_NO, required=False, widget=forms.RadioSelect
    )
    satisfaction = forms.ChoiceField(
        label="对服务是否满意",
        choices=ResidentSurvey.Satisfaction.choices,
        widget=forms.RadioSelect,
    )
    remark = forms.CharField(label="意见建议", max_length=200, required=False)

    @property
    def answers(self) -> dict[str, Any]:
        """The answers as `supervision.surveying.enter` takes them."""
        given = dict(self.cleaned_data)
        known = set(given.pop("known"))
        given["answers"] = {q.code: q.code in known for q in questions_for(given["group"])}
        for name in ("faced", "called_at_home"):
            given[name] = {"yes": True, "no": False}.get(given[name])
        return given


class VisitPolicyForm(forms.ModelForm):
    class Meta:
        model = VisitPolicy
        fields = ("chronic", "maternal", "parent", "elderly", "records", "keep_days")


class SurveyFilter(UnitFilterSet):
    year = django_filters.NumberFilter(label="年度", field_name="round__year")
    round = HiddenFilter(queryset=SupervisionRound.objects.all())

    class Meta:
        model = Visit
        fields = ("unit", "year", "round", "institution", "scope")
