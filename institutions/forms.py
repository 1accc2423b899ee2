"""What forms of all floors share: choices that start from what is in sight, files, filters."""

from collections.abc import Sequence
from typing import Any

import django_filters
from django import forms

from institutions import files, uploads
from institutions.models import Post, StoredFile


def in_sight(rows: Any, post: Post | None) -> Any:
    """Return the rows a post may see, where the model knows (regions and items are common to all)."""
    return rows.visible_to(post) if hasattr(rows, "visible_to") else rows


class ScopedFormMixin:
    """Offer, and accept, only the related rows this post may see."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.post = post
        for field in self.fields.values():
            if isinstance(field, forms.ModelChoiceField):
                field.queryset = in_sight(field.queryset, post)


class ScopedFilterSet(django_filters.FilterSet):
    """A filter form whose choices are in sight, with a search box in front."""

    q = django_filters.CharFilter(label="搜索", method="skip")

    def skip(self, queryset, name, value):
        """The words are looked for by the listing, in the fields it names."""
        return queryset

    def __init__(self, data=None, queryset=None, *, request, **kwargs):
        super().__init__(data, queryset, request=request, **kwargs)
        for field in self.form.fields.values():
            if isinstance(field, forms.ModelChoiceField):
                field.queryset = in_sight(field.queryset, request.post)
        search = self.form.fields.pop("q")
        search.widget.attrs.update(placeholder="名称、内容或拼音首字母", type="search")
        self.form.fields = {"q": search, **self.form.fields}


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self, attrs=None):
        super().__init__(attrs, format="%Y-%m-%d")


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files at once, each checked; the cleaned value is a list of uploads."""

    widget = ManyFilesInput

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        kwargs.setdefault(
            "help_text", "可选多个：照片（JPG、PNG）、PDF、Word、Excel，每个不超过 20 MB"
        )
        super().__init__(*args, **kwargs)
        self.widget.attrs.setdefault("data-shrink", "")

    def clean(self, data, initial=None):
        given = data if isinstance(data, list | tuple) else [data]
        return [super(FilesField, self).clean(one, initial) for one in given if one] or (
            [super().clean(None, initial)] if self.required else []
        )


class FilesFormMixin(forms.BaseForm):
    """Keep the uploads of the form's `files` field; a refused one is an error at the field."""

    cleaned_data: dict[str, Any]
    post: Post
    stored: Sequence[StoredFile] = ()

    def clean(self):
        cleaned = super().clean() or self.cleaned_data
        stored = []
        for upload in cleaned.get("files") or []:
            try:
                stored.append(files.store(upload, by=self.post))
            except uploads.UploadRefused as refused:
                self.add_error("files", f"{upload.name}：{refused}")
        self.stored = stored
        return cleaned
