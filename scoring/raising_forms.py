"""The form by which lost points become problems."""

from datetime import timedelta
from typing import Any

from django import forms

from institutions import clock
from institutions.forms import DateInput
from institutions.templatetags.portal import points
from scoring.models import ScoreSheet
from scoring.raising import lost_lines
from supervision.models import Severity
from supervision.recording import DUE_DAYS


class RaiseForm(forms.Form):
    """Which clauses, how grave, until when."""

    lines = forms.MultipleChoiceField(
        label="扣分条款",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "请至少选择一个条款"},
    )
    severity = forms.ChoiceField(label="严重程度", choices=Severity.choices)
    due = forms.DateField(label="整改时限（含当日）", widget=DateInput)

    def __init__(self, *args: Any, sheet: ScoreSheet, **kwargs: Any) -> None:
        due = clock.today() + timedelta(days=DUE_DAYS)
        super().__init__(*args, initial={"due": due}, **kwargs)
        self.fields["lines"].choices = [
            (
                line.pk,
                f"{line.clause.code} {line.clause.name}（{points(line.points)} / "
                f"{points(line.full)}）{line.reason}",
            )
            for line in lost_lines(sheet)
        ]
