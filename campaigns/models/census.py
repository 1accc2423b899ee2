from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from campaigns.models.campaign import Campaign
from institutions import clock
from institutions.models import Institution, Post, ServiceItem
from institutions.models.scoping import PublishedByBureauQuerySet, ScopedQuerySet

FAULTS = ("迁出", "死亡", "重复", "空项", "身份证错误", "逻辑错误", "档案不真实", "其他")


class Census(models.Model):
    """档案复核: a drive in which all records of an institution and item are checked and put right."""

    bureau = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="卫生健康行政部门", related_name="+"
    )
    campaign = models.ForeignKey(
        Campaign, models.PROTECT, null=True, blank=True, verbose_name="所属活动"
    )
    name = models.CharField("复核名称", max_length=60)
    text = models.TextField("要求", blank=True)
    starts = models.DateField("开始日期")
    due = models.DateField("完成时限（含当日）")
    items = models.ManyToManyField(ServiceItem, verbose_name="服务项目")
    institutions = models.ManyToManyField(
        Institution, verbose_name="复核机构", related_name="censuses"
    )

    objects = PublishedByBureauQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "档案复核"
        ordering: ClassVar = ["-starts", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(due__gte=F("starts")),
                name="census_ends_after_start",
                violation_error_message="完成时限不能早于开始日期",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("campaigns:census_detail", args=[self.pk])


class CensusCountQuerySet(ScopedQuerySet):
    institution_path = "institution"
    item_path = "item"


class CensusCount(models.Model):
    """How far an institution is with the records of one item on one day; the latest one stands."""

    census = models.ForeignKey(
        Census, models.PROTECT, verbose_name="档案复核", related_name="counts"
    )
    institution = models.ForeignKey(Institution, models.PROTECT, verbose_name="机构")
    item = models.ForeignKey(ServiceItem, models.PROTECT, verbose_name="服务项目")
    on = models.DateField("截至日期")
    total = models.PositiveIntegerField("档案总数")
    checked = models.PositiveIntegerField("已复核")
    faulty = models.PositiveIntegerField("有问题")
    corrected = models.PositiveIntegerField("已改正")
    faults = models.JSONField("问题分类", default=dict, blank=True)
    entered_by = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="填报人", related_name="+"
    )
    entered_at = models.DateTimeField("填报时间", default=clock.now)

    objects = CensusCountQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "档案复核进度"
        ordering: ClassVar = ["on", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["census", "institution", "item", "on"], name="census_count_once"
            ),
            models.CheckConstraint(
                condition=Q(checked__lte=F("total"))
                & Q(faulty__lte=F("checked"))
                & Q(corrected__lte=F("faulty")),
                name="census_count_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.institution.known_as}：{self.item.short_name}，{self.on:%Y-%m-%d}"

    @property
    def is_complete(self) -> bool:
        """Say whether all records are checked and all faults put right."""
        return self.checked == self.total and self.corrected == self.faulty
