"""Forms of the money pages: dated entries, objections and their answers, payments, awards, allocations."""

from decimal import Decimal
from typing import Any

from django import forms

from institutions import clock
from institutions.forms import DateInput, FilesField, FilesFormMixin
from institutions.models import Institution, Post
from scoring.models import AwardRate, MoneyEntry

QUARTERS = [(1, "第1季度"), (2, "第2季度"), (3, "第3季度"), (4, "第4季度")]


class AmountField(forms.DecimalField):
    """Yuan with two places; `signed` takes corrections."""

    def __init__(self, *, signed: bool = False, **kwargs: Any) -> None:
        least = None if signed else Decimal("0.01")
        super().__init__(max_digits=14, decimal_places=2, min_value=least, **kwargs)

    def clean(self, value: Any) -> Any:
        amount = super().clean(value)
        if amount == 0 and self.required:
            raise forms.ValidationError("金额不能为 0")
        return amount


class DatedForm(forms.Form):
    """A day, an amount, a voucher; a negative amount corrects and says why."""

    day = forms.DateField(label="日期", widget=DateInput)
    amount = AmountField(
        label="金额（元）", signed=True, help_text="登记错了不删除，另登一笔负数更正"
    )
    voucher = forms.CharField(label="凭证号", max_length=40)
    note = forms.CharField(
        label="说明", max_length=200, required=False, help_text="更正（负数）时必填"
    )

    def clean_day(self):
        day = self.cleaned_data["day"]
        if day > clock.today():
            raise forms.ValidationError("日期不能晚于今天")
        return day

    def clean(self):
        cleaned = super().clean() or self.cleaned_data
        amount = cleaned.get("amount")
        if amount is not None and amount < 0 and not cleaned.get("note"):
            self.add_error("note", "更正（负数）请写明原因")
        return cleaned


class EntryForm(DatedForm):
    """A prepayment, or what a finance office paid in."""

    field_order = (
        "institution",
        "year",
        "kind",
        "payer",
        "day",
        "amount",
        "voucher",
        "in_total",
        "note",
    )
    institution = forms.ModelChoiceField(label="机构", queryset=Institution.objects.none())
    year = forms.IntegerField(label="经费年度", min_value=2009, max_value=2100)
    kind = forms.ChoiceField(label="类别", choices=MoneyEntry.Kind.choices)
    payer = forms.ChoiceField(
        label="付款方",
        choices=[("", "（不选）"), *MoneyEntry.Payer.choices],
        required=False,
        help_text="财政补齐到账时选择",
    )
    in_total = forms.BooleanField(
        label="属于已导入的预拨合计（只补日期，不增加合计）", required=False
    )

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["institution"].queryset = Institution.objects.visible_to(post).filter(
            parent=post.institution
        )
        self.order_fields(self.field_order)

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("kind") == MoneyEntry.Kind.TOP_UP and not cleaned.get("payer"):
            self.add_error("payer", "请选择区财政或镇财政")
        return cleaned


class PaymentForm(DatedForm):
    """One payment of a sheet or an award."""

    def __init__(self, *args: Any, left: Decimal, back: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        word = "收回" if back else "拨付"
        self.fields["amount"].label = f"{word}金额（元）"
        self.fields["amount"].help_text = f"还应{word} {left} 元，可以分次；更正填负数"


class ObjectionForm(FilesFormMixin, forms.Form):
    reason = forms.CharField(
        label="异议和理由",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="写明哪个数字有误、应为多少、依据是什么",
    )
    files = FilesField(label="佐证材料")

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.post = post


class UpholdForm(forms.Form):
    """The answer to an objection that is right: by how much the sheet changes, and why."""

    correction = AmountField(
        label="更正金额（元）", signed=True, help_text="增加填正数，减少填负数"
    )
    opinion = forms.CharField(
        label="答复意见", max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )


class RateForm(forms.Form):
    amount = AmountField(label="奖励金额（元）")
    basis = forms.CharField(label="依据文件", max_length=200)


class AwardForm(FilesFormMixin, forms.Form):
    """An award by the rate table; the leaders decide."""

    institution = forms.ModelChoiceField(label="机构", queryset=Institution.objects.none())
    year = forms.IntegerField(label="年度", min_value=2009, max_value=2100)
    kind = forms.ChoiceField(
        label="奖励种类", choices=AwardRate.Kind.choices, help_text="金额按当年奖励标准"
    )
    reason = forms.CharField(
        label="事由和依据文件",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="如：某年某月被评为国家优秀社区卫生服务中心，文号",
    )
    files = FilesField(label="依据材料")

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.post = post
        self.fields["institution"].queryset = Institution.objects.visible_to(post).filter(
            parent=post.institution
        )


class AllocationForm(forms.Form):
    year = forms.IntegerField(label="年度", min_value=2009, max_value=2100)
    quarter = forms.TypedChoiceField(label="季度", choices=QUARTERS, coerce=int)
    pool = AmountField(label="本季度资金池（元）")
    basis = forms.CharField(
        label="资金来源", max_length=200, help_text="如：局预拨第三季度村级部分（40%）"
    )


class PoolForm(forms.Form):
    """A changed pool of a draft."""

    pool = AmountField(label="金额（元）")
    basis = forms.CharField(label="依据或来源", max_length=200)
