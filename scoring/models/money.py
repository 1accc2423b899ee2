from typing import ClassVar

from django.db import models
from django.db.models import Q

from institutions import clock
from institutions.fields import FixedField
from institutions.models import Institution, Post
from scoring.models.settlement import Settlement
from scoring.models.year import YearQuerySet, YearRow
from supervision.models import Sanction


class DatedEntry(YearRow):
    """One movement of money on one day with its voucher. Entries are only added: a mistake is a negative one."""

    day = models.DateField("日期")
    amount = FixedField("金额（元）")
    voucher = models.CharField("凭证号", max_length=40)
    note = models.CharField("说明", max_length=200, blank=True)
    author = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="登记人", related_name="+", editable=False
    )
    entered_at = models.DateTimeField("登记时间", default=clock.now, editable=False)

    class Meta:
        abstract = True


class MoneyEntry(DatedEntry):
    """经费分笔登记: a prepayment on its day, or what a finance office paid in for the 财政补齐 of a year."""

    class Kind(models.TextChoices):
        PREPAID = "prepaid", "预拨"
        TOP_UP = "top_up", "财政补齐到账"

    class Payer(models.TextChoices):
        COUNTY = "county", "区财政"
        TOWN = "town", "镇财政"

    kind = models.CharField("类别", max_length=8, choices=Kind)
    payer = models.CharField("付款方", max_length=8, choices=Payer, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "经费分笔登记"
        ordering: ClassVar = ["-day", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind="prepaid", payer="")
                | Q(kind="top_up", payer__in=["county", "town"]),
                name="money_entry_names_its_payer",
            ),
            models.CheckConstraint(condition=~Q(amount=0), name="money_entry_not_nothing"),
            models.CheckConstraint(
                condition=Q(amount__gt=0) | ~Q(note=""), name="money_entry_correction_says_why"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["bureau", "year"], name="money_entry_list")]

    def __str__(self) -> str:
        return f"{self.institution} {self.day} {self.get_kind_display()} {self.amount}"


class Payment(DatedEntry):
    """拨付: money that went to an institution (negative: came back) for a settlement sheet or a decided award."""

    settlement = models.ForeignKey(
        Settlement, models.PROTECT, null=True, verbose_name="结算单", related_name="payments"
    )
    award = models.ForeignKey(
        Sanction, models.PROTECT, null=True, verbose_name="奖励决定", related_name="payments"
    )

    class Meta:
        verbose_name = verbose_name_plural = "拨付"
        ordering: ClassVar = ["-day", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(settlement__isnull=False, award__isnull=True)
                | Q(settlement__isnull=True, award__isnull=False),
                name="payment_for_one_thing",
            ),
            models.CheckConstraint(condition=~Q(amount=0), name="payment_not_nothing"),
        ]
        indexes: ClassVar = [models.Index(fields=["bureau", "year"], name="payment_list")]

    def __str__(self) -> str:
        return f"{self.institution} {self.day} 拨付 {self.amount}"


class AwardRate(models.Model):
    """奖励标准: what a bureau gives for one kind of award in a year; without a row the paper's own amount holds."""

    class Kind(models.TextChoices):
        NATIONAL = "national", "国家优秀社区卫生服务中心"
        PROVINCIAL = "provincial", "省优秀社区卫生服务中心"
        NUMBER = "number", "服务数量突出"
        QUALITY = "quality", "服务质量突出"
        SATISFACTION = "satisfaction", "群众满意度突出"

    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="卫生健康行政部门", related_name="award_rates"
    )
    bureau = models.ForeignKey(Institution, models.PROTECT, related_name="+", editable=False)
    year = models.PositiveSmallIntegerField("年度")
    kind = models.CharField("奖励种类", max_length=12, choices=Kind)
    amount = FixedField("金额（元）")
    basis = models.CharField("依据", max_length=200)

    objects = YearQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "奖励标准"
        ordering: ClassVar = ["-year", "kind"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["institution", "year", "kind"], name="award_rate_once_a_year"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="award_rate_positive"),
            models.CheckConstraint(
                condition=Q(
                    kind__in=["national", "provincial", "number", "quality", "satisfaction"]
                ),
                name="award_rate_kind_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year} {self.get_kind_display()}"
