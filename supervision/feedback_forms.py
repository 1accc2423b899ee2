"""The form under the feedback of a visit: a signature drawn on the screen, or one's own account."""

import base64
import binascii
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from institutions import files, uploads
from institutions.models import Post, StoredFile
from supervision.models import VisitSignature

PREFIX = "data:image/png;base64,"
LARGEST = 400_000  # characters of the drawn picture in base64


class SignForm(forms.Form):
    """`drawing` is what the canvas gives: a PNG as a data address. It goes through the gate of every uploaded picture."""

    party = forms.ChoiceField(choices=VisitSignature.Party.choices, widget=forms.HiddenInput)
    title = forms.CharField(
        label="签字人（职务）",
        max_length=60,
        required=False,
        help_text="在屏幕上签名的填写，如：院长",
    )
    drawing = forms.CharField(required=False, max_length=LARGEST, widget=forms.HiddenInput)

    def __init__(self, *args: Any, post: Post, party: str = "", **kwargs: Any) -> None:
        super().__init__(*args, auto_id=f"id_{party}_%s", **kwargs)
        self.post = post
        self.picture: StoredFile | None = None

    def clean(self):
        cleaned = super().clean()
        drawing = cleaned.get("drawing")
        if drawing and not cleaned.get("title"):
            self.add_error("title", "请填写签字人的职务")
        elif drawing and not self.errors:
            self.picture = self._stored(drawing)
        return cleaned

    def _stored(self, drawing: str) -> StoredFile:
        try:
            if not drawing.startswith(PREFIX):
                raise ValueError
            content = base64.b64decode(drawing.removeprefix(PREFIX), validate=True)
            upload = SimpleUploadedFile("签名.png", content, "image/png")
            return files.store(upload, by=self.post, allow=uploads.PHOTOS)
        except (ValueError, binascii.Error, uploads.UploadRefused) as error:
            raise ValidationError("签名没有保存成功，请重新签名") from error
