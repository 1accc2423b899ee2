"""What a scenario tries: one field for each policy value that makes a difference to the table."""

from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError

from institutions.forms import ScopedFilterSet
from scoring import rules, trying
from scoring.models import Scenario


class ScenarioForm(forms.Form):
    """The name, and the values tried; a field left as it is changes nothing."""

    name = forms.CharField(label="方案名称", max_length=60, help_text="例如 全额线提高到 92")

    def __init__(self, now: dict[str, str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now
        for number, key in enumerate(trying.tried_keys()):
            entry = rules.POLICY_KEYS[key]
            value = now.get(key) or entry.default or ""
            self.fields[f"key{number}"] = forms.CharField(
                label=key,
                max_length=60,
                required=False,
                initial=value,
                help_text=f"{entry.hint}。现为 {value or '未填写'}",
            )

    @property
    def changes(self) -> dict[str, str]:
        """The values that differ from those in force; an emptied field goes back to what is in force."""
        tried = {}
        for number, key in enumerate(trying.tried_keys()):
            value = self.cleaned_data.get(f"key{number}", "").strip()
            now = self.now.get(key) or rules.POLICY_KEYS[key].default or ""
            if value and value != now:
                tried[key] = value
        return tried

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for number, key in enumerate(trying.tried_keys()):
            value = (cleaned.get(f"key{number}") or "").strip()
            if value:
                try:
                    rules.parse_policy_value(key, value)
                except rules.ScoringError as error:
                    self.add_error(f"key{number}", ValidationError(error.reason))
        return cleaned


class ScenarioFilters(ScopedFilterSet):
    year = django_filters.NumberFilter(label="年度")
    state = django_filters.ChoiceFilter(
        label="状态", choices=[("open", "未采用"), ("adopted", "已采用")], method="by_state"
    )

    class Meta:
        model = Scenario
        fields = ("year",)

    def by_state(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(adopted_at__isnull=value == "open")
