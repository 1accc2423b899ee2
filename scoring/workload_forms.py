"""Forms of the workload: the call, the grid of declared numbers, the verification, the mapping of another system's export."""

import hashlib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import forms

from institutions import clock, sheets
from institutions.forms import DateInput
from institutions.rounding import NumberRefused, parse_number, plain_text
from scoring import converting
from scoring.declaring import Line
from scoring.models import ColumnMapping, WorkUnit

QUARTERS = [(1, "第1季度"), (2, "第2季度"), (3, "第3季度"), (4, "第4季度")]
Layout = ColumnMapping.Layout


class QuantityField(forms.CharField):
    """A number of services as people type it: not negative, two places, full width accepted; blank is none."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        super().__init__(
            widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            max_length=16,
            **kwargs,
        )

    def clean(self, value: Any) -> Decimal | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return parse_number(text, places=2)
        except NumberRefused as refused:
            raise forms.ValidationError(str(refused)) from refused

    def prepare_value(self, value: Any) -> Any:
        return plain_text(value) if isinstance(value, Decimal) else value


class PeriodForm(forms.Form):
    year = forms.IntegerField(label="年度", min_value=2009, max_value=2100)
    quarter = forms.TypedChoiceField(label="季度", choices=QUARTERS, coerce=int)


class CallForm(PeriodForm):
    due = forms.DateField(label="申报截止（含当日）", widget=DateInput)

    def clean_due(self):
        due = self.cleaned_data["due"]
        if due < clock.today():
            raise forms.ValidationError("截止日期不能早于今天")
        return due


class DeclareForm(forms.Form):
    """One number for each service of the year."""

    def __init__(
        self, *args: Any, units: list[WorkUnit], numbers: Mapping[int, Decimal], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.units = units
        for unit in units:
            self.fields[f"n{unit.pk}"] = QuantityField(
                label=f"{unit.name}（{unit.unit or '单位'}）",
                initial=numbers.get(unit.pk),
                help_text=f"{unit.code}，{unit.item.short_name}",
            )

    @property
    def numbers(self) -> dict[int, Decimal | None]:
        return {unit.pk: self.cleaned_data.get(f"n{unit.pk}") for unit in self.units}


class JudgeForm(forms.Form):
    """The verified number of each service, the suggestion filled in, and the reason where it differs."""

    def __init__(self, *args: Any, lines: list[Line], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = lines
        for line in lines:
            row, name = line.row, line.row.work_unit.name
            self.fields[f"a{row.pk}"] = QuantityField(
                label=f"{name}核定数量",
                required=True,
                initial=line.suggested if row.approved is None else row.approved,
            )
            self.fields[f"r{row.pk}"] = forms.CharField(
                label=f"{name}核定说明",
                max_length=200,
                required=False,
                initial=row.reason,
                widget=forms.TextInput(attrs={"placeholder": "与建议不同时必填"}),
            )

    def clean(self):
        cleaned = super().clean() or self.cleaned_data
        for line in self.lines:
            approved = cleaned.get(f"a{line.row.pk}")
            reason = (cleaned.get(f"r{line.row.pk}") or "").strip()
            if approved is not None and approved != line.suggested and not reason:
                self.add_error(f"r{line.row.pk}", "与建议数量不同，请写明理由")
        return cleaned

    @property
    def answers(self) -> dict[int, tuple[Decimal, str]]:
        return {
            line.row.pk: (
                self.cleaned_data[f"a{line.row.pk}"],
                self.cleaned_data[f"r{line.row.pk}"].strip(),
            )
            for line in self.lines
        }

    @property
    def pairs(self) -> Iterable[tuple[Line, Any, Any]]:
        """Each line with its two fields."""
        return [(line, self[f"a{line.row.pk}"], self[f"r{line.row.pk}"]) for line in self.lines]


class ExportForm(forms.Form):
    """Another system's export: the file, its layout, and the period it is about."""

    layout = forms.ChoiceField(label="版式", choices=Layout.choices)
    year = forms.IntegerField(label="年度", min_value=2009, max_value=2100)
    quarter = forms.TypedChoiceField(
        label="季度",
        choices=[("", "文件里有季度列"), *QUARTERS],
        coerce=int,
        empty_value=None,
        required=False,
    )
    file = forms.FileField(
        label="文件",
        help_text="上级系统导出的 XLSX 或 CSV，第一行为表头，不超过 2 万行",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.xlsx"}),
    )

    def clean_file(self):
        upload = self.cleaned_data["file"]
        if (upload.name or "").rpartition(".")[2].lower() not in ("csv", "xlsx"):
            raise forms.ValidationError("请选择 .xlsx 或 .csv 文件；其他格式请先另存为 .xlsx。")
        if upload.size > sheets.MAX_BYTES:
            raise forms.ValidationError("文件太大，请拆分后再导入。")
        return upload


class MappingForm(forms.Form):
    """Which column is what, and which of our services each of theirs is.

    Long: the services are known once their column is chosen, so they are asked for on the second look (`ready` is
    False until then). Wide: every column that is not taken may be a service.
    """

    def __init__(
        self,
        *args: Any,
        upload: converting.Upload,
        layout: str,
        fixed_quarter: int | None,
        units: list[WorkUnit],
        saved: ColumnMapping | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.upload, self.layout, self.units, self.saved = upload, layout, units, saved
        self.fixed_quarter = fixed_quarter
        parts = ["place", "service", "quantity"] if layout == Layout.LONG else ["place"]
        if fixed_quarter is None:
            parts.append("quarter")
        self.parts = parts
        first = converting.guess(upload.headers, saved)
        choices = [("", "请选择"), *((header, header) for header in upload.headers)]
        for part in parts:
            self.fields[part] = forms.ChoiceField(
                label=f"{converting.PARTS[part]}在哪一列", choices=choices, initial=first[part]
            )
        self.texts = self._texts(first)
        guesses = {
            text: converting.guess_service(text, units, saved)
            for text in self.texts
            if text not in first.values() or layout == Layout.LONG
        }
        if self.is_bound:
            # Services that show only now that their column is chosen: those that are known are filled in.
            self.data = self.data.copy()
            for text, code in guesses.items():
                if code is not None:
                    self.data.setdefault(_key(text), code or "-")
        ours = [("-", "不导入"), *((unit.code, f"{unit.code} {unit.name}") for unit in units)]
        for text in self.texts:
            known = guesses.get(text)
            self.fields[_key(text)] = forms.ChoiceField(
                label=text,
                choices=[("", "请选择"), *ours],
                initial="-" if known == "" else known or "",
                required=layout == Layout.LONG,
            )

    def _texts(self, first: Mapping[str, str]) -> list[str]:
        """The services of the file, as it calls them: the values of their column, or for wide every header."""
        if self.layout == Layout.WIDE:
            return self.upload.headers
        header = (self.data.get("service") if self.is_bound else first["service"]) or ""
        if header not in self.upload.headers:
            return []
        return self.upload.values(header)[: converting.MOST_SERVICES]

    def clean(self):
        cleaned = super().clean() or self.cleaned_data
        chosen = [cleaned[part] for part in self.parts if cleaned.get(part)]
        if len(set(chosen)) < len(chosen):
            raise forms.ValidationError("同一列选了两次")
        if self.layout == Layout.WIDE and not self.errors and not any(self.services.values()):
            raise forms.ValidationError("至少对应一项服务")
        return cleaned

    @property
    def columns(self) -> dict[str, str]:
        return {part: self.cleaned_data.get(part, "") for part in self.parts}

    @property
    def services(self) -> dict[str, str]:
        """Their name → our code; "" is left out of the import."""
        taken = set(self.columns.values()) if self.layout == Layout.WIDE else set()
        given = {}
        for text in self.texts:
            code = self.cleaned_data.get(_key(text)) or "-"
            if text not in taken:
                given[text] = "" if code == "-" else code
        return given

    @property
    def column_fields(self) -> list[Any]:
        return [self[part] for part in self.parts]

    @property
    def service_fields(self) -> list[Any]:
        return [self[_key(text)] for text in self.texts]


def _key(text: str) -> str:
    """The field of a service: the same for the same words, whichever column they were found in."""
    return f"s{hashlib.sha256(text.encode()).hexdigest()[:12]}"
