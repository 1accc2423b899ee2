"""Forms of a rectification beyond measures and notes: a later deadline, the effect afterwards, many at once."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from institutions import clock
from institutions.forms import DateInput, FilesField, FilesFormMixin
from institutions.models import Post
from supervision.models import EffectCheck, Rectification
from supervision.verifying import MOST


class ExtensionForm(forms.Form):
    """What the institution says when it asks for a later deadline."""

    wished = forms.DateField(label="申请延至（含当日）", widget=DateInput)
    reason = forms.CharField(
        label="延期理由", max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, row: Rectification, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="id_extend_%s", **kwargs)
        self.row = row

    def clean_wished(self):
        day = self.cleaned_data["wished"]
        if day <= self.row.due or day < clock.today():
            raise ValidationError("要晚于现在的整改时限，也不能早于今天")
        return day


class GrantForm(forms.Form):
    due = forms.DateField(label="同意延至（含当日）", widget=DateInput)
    note = forms.CharField(
        label="审批意见",
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, row: Rectification, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="id_grant_%s", **kwargs)
        self.row = row

    def clean_due(self):
        day = self.cleaned_data["due"]
        if day <= self.row.due or day < clock.today():
            raise ValidationError("要晚于现在的整改时限，也不能早于今天")
        return day


class RefuseForm(forms.Form):
    note = forms.CharField(
        label="不同意的理由", max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="id_refuse_%s", **kwargs)


class EffectForm(FilesFormMixin, forms.Form):
    """Whether what was closed has held; 反复 asks for a new deadline."""

    on = forms.DateField(label="回访日期", widget=DateInput)
    result = forms.ChoiceField(
        label="结果", choices=EffectCheck.Result.choices, widget=forms.RadioSelect
    )
    note = forms.CharField(
        label="回访情况", max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )
    due = forms.DateField(
        label="重新整改的时限",
        widget=DateInput,
        required=False,
        help_text="结果为“反复”时填写：问题随即重新交办，并记为反弹",
    )
    files = FilesField(label="佐证材料")

    def __init__(self, *args: Any, row: Rectification, post: Post, **kwargs: Any) -> None:
        super().__init__(
            *args,
            auto_id="id_effect_%s",
            initial={"on": clock.today(), "result": "holds"},
            **kwargs,
        )
        self.post, self.row = post, row

    def clean_on(self):
        day, closed = self.cleaned_data["on"], self.row.closed_at
        if day > clock.today():
            raise ValidationError("回访日期不能晚于今天")
        if closed and day < closed.astimezone(clock.SHANGHAI).date():
            raise ValidationError("回访日期不能早于销号日期")
        return day

    def clean(self):
        cleaned = super().clean()
        due = cleaned.get("due")
        if cleaned.get("result") == EffectCheck.Result.BACK and (not due or due < clock.today()):
            self.add_error("due", "反复的问题要重新交办，请填写今天以后的整改时限")
        return cleaned


class ManyForm(forms.Form):
    """Which rows of a list, each with the version it was seen in (`pk:version`), and one opinion for all."""

    rows = forms.CharField(required=False, widget=forms.HiddenInput)
    note = forms.CharField(
        label="复核意见",
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="记入每一项",
    )

    def seen(self) -> dict[int, int]:
        """Return the rows and versions that were ticked. Raises ValidationError for what no page of ours sends."""
        found: dict[int, int] = {}
        for text in self.data.getlist("rows")[: MOST + 1]:
            pk, _, version = text.partition(":")
            if not (pk.isascii() and pk.isdigit() and version.isascii() and version.isdigit()):
                raise ValidationError("所选整改不对，请刷新页面")
            found[int(pk)] = int(version)
        return found
