"""Forms of the record checks: drawing a sample, the result of one record, and the filter of the list."""

from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError

from institutions.models import ServiceItem
from institutions.sheets import Refusal
from supervision.lists import HiddenFilter, UnitFilterSet
from supervision.models import RecordCheck, RecordSample, SupervisionRound, Visit
from supervision.recording import visit_items
from supervision.sampling import MOST, Listed, read_list
from supervision.surveying import policy_of


class SampleForm(forms.Form):
    """From a list (a file is given) or from a range of numbers."""

    item = forms.ModelChoiceField(
        label="服务项目", queryset=ServiceItem.objects.none(), empty_label="请选择"
    )
    size = forms.IntegerField(label="抽取份数", min_value=1, max_value=MOST)
    list = forms.FileField(
        label="档案名单",
        required=False,
        help_text="CSV 或 XLSX，表头有“档案编号”，可有“电话”。名单本身不保存，只保存抽中的编号。",
    )
    first = forms.IntegerField(label="或编号从", required=False, min_value=1)
    last = forms.IntegerField(label="到（含）", required=False, min_value=1)

    def __init__(self, *args: Any, visit: Visit, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"size": policy_of(visit.supervisor).records})
        super().__init__(*args, auto_id="id_draw_%s", **kwargs)
        drawn = visit.samples.values("item")
        items = visit_items(visit)
        choices = ServiceItem.objects.filter(parent=None)
        if items:
            choices = ServiceItem.objects.filter(pk__in=[item.pk for item in items])
        self.fields["item"].queryset = choices.exclude(pk__in=drawn)
        self.listed: list[Listed] = []

    def clean(self):
        cleaned = super().clean()
        first, last, upload = cleaned.get("first"), cleaned.get("last"), cleaned.get("list")
        if upload is None:
            if not {"list", "first", "last"} & set(self.errors) and not (first and last):
                raise ValidationError("请上传档案名单，或填写起止编号")
            if first and last and last < first:
                self.add_error("last", "截止编号不能小于起始编号")
        elif first or last:
            raise ValidationError("名单和编号范围只选一种")
        else:
            try:
                self.listed = read_list(upload, upload.name)
            except Refusal as refused:
                self.add_error("list", str(refused))
        return cleaned


class CheckForm(forms.Form):
    """What the check of one record found."""

    result = forms.ChoiceField(
        label="结果",
        choices=RecordCheck.Result.choices,
        error_messages={"required": "请选择结果", "invalid_choice": "请选择结果"},
    )
    cause = forms.ChoiceField(
        label="未核实原因", choices=[("", "—"), *RecordCheck.Cause.choices], required=False
    )
    call = forms.ChoiceField(
        label="电话结果", choices=[("", "—"), *RecordCheck.Call.choices], required=False
    )
    reason = forms.CharField(label="说明", max_length=200, required=False)

    def clean(self):
        cleaned = super().clean()
        result = cleaned.get("result")
        if result == RecordCheck.Result.UNREACHED:
            if not cleaned.get("cause"):
                self.add_error("cause", "请选择未核实到的原因")
        else:
            cleaned["cause"] = ""
        if result in ("incomplete", "unreal") and not cleaned.get("reason"):
            self.add_error("reason", "请写明哪里不真实、不规范")
        return cleaned


class SampleFilter(UnitFilterSet):
    item = django_filters.ModelChoiceFilter(label="服务项目", queryset=ServiceItem.objects.all())
    year = django_filters.NumberFilter(label="年度", field_name="visit__round__year")
    round = HiddenFilter(field_name="visit__round", queryset=SupervisionRound.objects.all())

    class Meta:
        model = RecordSample
        fields = ("item", "year", "round")

    def __init__(self, data=None, queryset=None, *, request, **kwargs):
        super().__init__(data, queryset, request=request, **kwargs)
        for name in ("scope", "institution"):
            self.form.fields.pop(name, None)

    def under(self, queryset, name, value):
        return queryset.filter(visit__institution__path__startswith=value.path)
