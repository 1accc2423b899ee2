"""The form of a leader's links."""

from typing import Any

from django import forms
from django.db.models import Q

from institutions import clock
from institutions.forms import DateInput
from institutions.models import Institution, Kind, Post


class PairingForm(forms.Form):
    """The institutions directly below the bureau, and those linked already."""

    institutions = forms.ModelMultipleChoiceField(
        Institution.objects.none(),
        label="联系机构",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="勾选由这位领导挂包联系的机构；去掉勾选的，联系到昨天为止",
    )
    starts = forms.DateField(label="新增机构从哪天起", widget=DateInput)

    def __init__(self, *args: Any, leader: Post, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        linked = leader.pairings.in_force().values("institution")
        near = Q(parent=leader.institution_id) & ~Q(kind__in=[Kind.BUREAU, Kind.STREET])
        offered = Institution.objects.visible_to(post).open_on(clock.today()).filter(near)
        known = Institution.objects.visible_to(post).filter(pk__in=linked)
        field = self.fields["institutions"]
        field.queryset = offered | known  # type: ignore[attr-defined]
