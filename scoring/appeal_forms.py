"""The words of an appeal and of its answer."""

from typing import Any

from django import forms

from institutions.forms import FilesField, FilesFormMixin
from institutions.models import Post


class AppealForm(FilesFormMixin, forms.Form):
    reason = forms.CharField(
        label="申诉理由",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="写明认为有误的数据和正确的数据，并上传佐证材料",
    )
    files = FilesField(label="佐证材料")

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.post = post


class AnswerForm(forms.Form):
    opinion = forms.CharField(
        label="答复意见", max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )
