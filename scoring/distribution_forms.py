"""Forms of the distribution inside an institution."""

from decimal import Decimal
from typing import Any

from django import forms

from institutions.models import Post
from scoring.models import Distribution, StaffShare, WorkUnit
from scoring.money_forms import AmountField
from scoring.workload_forms import QuantityField


class DistributionForm(forms.Form):
    year = forms.IntegerField(label="年度", min_value=2009, max_value=2100)
    quarter = forms.TypedChoiceField(
        label="期间",
        choices=Distribution._meta.get_field("quarter").choices,
        coerce=int,
    )
    pool = AmountField(label="分配总额（元）")
    basis = forms.CharField(
        label="依据", max_length=200, help_text="如：院务会决定，结算款的60%用于绩效"
    )


class ShareForm(forms.Form):
    """One person's quality and work; a number for each service of the year."""

    post = forms.ModelChoiceField(
        label="对应账号任职",
        queryset=Post.objects.none(),
        required=False,
        empty_label="（没有账号）",
        help_text="选了以后，本人登录可以看到自己的一行，看不到别人的",
    )
    quality = forms.DecimalField(
        label="质量系数",
        min_value=Decimal(0),
        max_value=Decimal(2),
        max_digits=5,
        decimal_places=4,
        help_text="1 为正常；做得好的高于 1，有差错的低于 1（优劳优酬）",
    )

    def __init__(self, *args: Any, share: StaffShare, units: list[WorkUnit], **kwargs: Any) -> None:
        done = {work.work_unit_id: work.quantity for work in share.works.all()}
        super().__init__(*args, initial={"post": share.post_id, "quality": share.quality}, **kwargs)
        self.units = units
        self.fields["post"].queryset = (
            Post.objects.held()
            .filter(institution=share.distribution.institution_id)
            .select_related("institution")
            .order_by("pk")
        )
        for unit in units:
            self.fields[f"n{unit.pk}"] = QuantityField(
                label=f"{unit.name}（{unit.unit or '单位'}）",
                initial=done.get(unit.pk),
                help_text=f"当量系数 {unit.coefficient.normalize():f}",
            )

    @property
    def numbers(self) -> dict[int, Decimal | None]:
        return {unit.pk: self.cleaned_data.get(f"n{unit.pk}") for unit in self.units}

    @property
    def number_fields(self) -> list[Any]:
        return [self[f"n{unit.pk}"] for unit in self.units]
