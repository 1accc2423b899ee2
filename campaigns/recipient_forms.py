"""Forms of recipients: whom a paper is sent to, and how the list of receipts is filtered."""

from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from campaigns.models import Campaign, Recipient, SupervisionFocus
from institutions import clock
from institutions.forms import ScopedFilterSet
from institutions.models import Department, Institution, Kind, Post, Region


class AddRecipientsForm(forms.Form):
    """Whom to send the paper to: whole kinds, those of the table, or single institutions found by a search."""

    FOUND = 60

    kinds = forms.MultipleChoiceField(
        label="按类别全部加入", required=False, widget=forms.CheckboxSelectMultiple
    )
    from_table = forms.BooleanField(label="督导重点表中的机构全部加入", required=False)
    institutions = forms.ModelMultipleChoiceField(
        Institution.objects.none(),
        label="单独选择",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    departments = forms.ModelMultipleChoiceField(
        Department.objects.none(),
        label="局机关科室",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="由科室的任职签收",
    )
    levels = forms.MultipleChoiceField(
        label="镇街、管区、村（居）全部加入",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="由辖区街道办签收；系统中没有街道办的，由本局代为登记",
    )
    regions = forms.ModelMultipleChoiceField(
        Region.objects.none(),
        label="单独选择镇街、管区、村（居）",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(
        self, *args: Any, campaign: Campaign, post: Post, search: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.campaign = campaign
        self._offer_others(search)
        self.candidates = candidates(campaign, post)
        counts: dict[str, int] = {}
        for kind in self.candidates.order_by().values_list("kind", flat=True):
            counts[kind] = counts.get(kind, 0) + 1
        self.fields["kinds"].choices = [
            (value, f"{label}（{counts[value]}家）")
            for value, label in Kind.choices
            if value in counts
        ]
        field = self.fields["institutions"]
        field.queryset = self.candidates
        shown = self.candidates
        for word in search.lower().split():
            shown = shown.filter(search__contains=word)
        if not self.is_bound:
            field.choices = [(row.pk, row.name) for row in shown[: self.FOUND]]
        self.is_cut = shown.count() > self.FOUND

    def _offer_others(self, search: str) -> None:
        """Offer the bureau's departments, and the area below its own region, as far as not addressed yet."""
        sent, bureau = self.campaign.recipients, self.campaign.institution
        known = sent.filter(department__isnull=False).values("department")
        departments = Department.objects.filter(institution=bureau).exclude(pk__in=known)
        below = Region.objects.filter(level__gte=Region.Level.TOWN)
        if bureau.region is None:
            below = below.none()
        else:
            below = below.filter(path__startswith=bureau.region.path)
        self.areas = below.exclude(
            pk__in=sent.filter(region__isnull=False).values("region")
        ).order_by("path")
        counts: dict[int, int] = {}
        for level in self.areas.order_by().values_list("level", flat=True):
            counts[level] = counts.get(level, 0) + 1
        self.fields["levels"].choices = [
            (str(value), f"{label}（{counts[value]}个）")
            for value, label in Region.Level.choices
            if value in counts
        ]
        if search:
            departments = departments.filter(name__icontains=search)
        self.fields["departments"].queryset = departments
        field = self.fields["regions"]
        field.queryset = self.areas
        if not self.is_bound:
            shown = self.areas.filter(name__icontains=search) if search else self.areas
            field.choices = [(row.pk, row.name) for row in shown[: self.FOUND]]

    def clean(self):
        cleaned = super().clean()
        levels = [int(level) for level in cleaned.get("levels") or []]
        picked = [row.pk for row in cleaned.get("regions") or []]
        self.regions = list(self.areas.filter(Q(level__in=levels) | Q(pk__in=picked)))
        self.departments = list(cleaned.get("departments") or [])
        chosen = Q(pk__in=[row.pk for row in cleaned.get("institutions") or []])
        if cleaned.get("kinds"):
            chosen |= Q(kind__in=cleaned["kinds"])
        if cleaned.get("from_table"):
            table = SupervisionFocus.institutions.through.objects.filter(
                supervisionfocus__campaign=self.campaign
            )
            chosen |= Q(pk__in=table.values("institution"))
        self.chosen = list(self.candidates.filter(chosen))
        if not (self.chosen or self.departments or self.regions) and not self.errors:
            raise ValidationError("请选择要加入的类别、机构、科室或村居")
        return cleaned


def candidates(campaign: Campaign, post: Post) -> QuerySet[Institution]:
    """Return the open institutions in sight that the paper does not go to yet."""
    return (
        Institution.objects.visible_to(post)
        .open_on(clock.today())
        .exclude(pk=campaign.institution_id)
        .exclude(pk__in=Recipient.objects.filter(campaign=campaign).units().values("institution"))
    )


class RemoveRecipientsForm(forms.Form):
    """Whom to take off the list: institutions, and departments, villages and streets by their row."""

    institutions = forms.ModelMultipleChoiceField(Institution.objects.none(), required=False)
    others = forms.ModelMultipleChoiceField(Recipient.objects.none(), required=False)

    def __init__(self, *args: Any, campaign: Campaign, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["institutions"].queryset = Institution.objects.visible_to(post).filter(
            pk__in=Recipient.objects.filter(campaign=campaign).units().values("institution")
        )
        sent = Recipient.objects.visible_to(post).filter(campaign=campaign)
        self.fields["others"].queryset = sent.exclude(department__isnull=True, region__isnull=True)

    def clean(self):
        cleaned = super().clean()
        if not cleaned.get("institutions") and not cleaned.get("others") and not self.errors:
            raise ValidationError("请先勾选要去掉的机构、科室或村居")
        return cleaned


class ReceiptFilter(ScopedFilterSet):
    campaign = django_filters.ModelChoiceFilter(queryset=Campaign.objects.all(), label="活动")
    state = django_filters.ChoiceFilter(
        choices=[("waiting", "未签收"), ("done", "已签收")], label="签收", method="by_state"
    )
    scope = django_filters.ChoiceFilter(
        choices=[("own", "由本岗位签收的"), ("asked", "本单位发出的")],
        label="范围",
        method="by_side",
    )
    sort = django_filters.ChoiceFilter(
        choices=Recipient.Sort.choices, label="对象", method="by_sort"
    )

    class Meta:
        model = Recipient
        fields: list[str] = []

    def __init__(self, data=None, queryset=None, *, request, **kwargs):
        super().__init__(data, queryset, request=request, **kwargs)
        self.post = request.post

    def by_state(self, queryset, name, value):
        done = queryset.filter(received_at__isnull=False)
        return queryset.waiting() if value == "waiting" else done

    def by_sort(self, queryset, name, value):
        return queryset.of_sort(value)

    def by_side(self, queryset, name, value):
        own = value == "own"
        return queryset.confirmed_by(self.post) if own else queryset.asked_by(self.post)
