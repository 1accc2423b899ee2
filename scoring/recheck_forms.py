"""Drawing sheets for a recheck, and what was found for a clause."""

from typing import Any

from django import forms

from scoring.forms import FigureField
from scoring.models import ScoreLine


class DrawForm(forms.Form):
    number = forms.IntegerField(label="抽查份数", min_value=1, max_value=500, initial=3)


class ClauseChoice(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return (
            f"{obj.sheet.institution.known_as}　{obj.clause.code} {obj.clause.name}"
            f"（中心核定 {obj.points} / {obj.full}）"
        )


class RecheckLineForm(forms.Form):
    """One clause of a drawn sheet; only clauses that were scored."""

    line = ClauseChoice(label="条款", queryset=ScoreLine.objects.none())
    fields: dict[str, Any]
    points = FigureField(places=2, label="复核得分")
    reason = forms.CharField(
        label="复核情况", max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, lines: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["line"].queryset = lines
        self.fields["points"].required = True
