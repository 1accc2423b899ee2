"""The correction of a line after 定稿."""

from decimal import Decimal

from django import forms

from institutions.rounding import plain_text
from scoring.forms import FigureField


class CorrectionForm(forms.Form):
    """What the line counts from now on, and why; `seen` is what it counts now."""

    points = FigureField(places=2, label="更正后得分")
    reason = forms.CharField(
        label="更正理由",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="写明依据：文件、复核记录或核对结果",
    )
    seen = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, now: Decimal, full: Decimal, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.initial["seen"] = str(now)
        self.fields["points"].help_text = f"现为 {plain_text(now)} 分，满分 {plain_text(full)} 分"
        self.fields["points"].required = True

    def clean_seen(self) -> Decimal:
        try:
            return Decimal(self.cleaned_data["seen"])
        except ArithmeticError as error:
            raise forms.ValidationError("请刷新页面后再更正") from error
