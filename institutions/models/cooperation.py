from datetime import date
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q

from institutions.models.institution import Institution, PlaceQuerySet


class CooperationQuerySet(PlaceQuerySet):
    def in_force(self, day: date) -> Self:
        return self.filter(Q(ends__isnull=True) | Q(ends__gte=day), starts__lte=day)


class Cooperation(models.Model):
    """协作: what an institution does with a higher one: a partner hospital, a 业务院长, a 名医工作站（室）."""

    class Kind(models.TextChoices):
        PARTNER = "partner", "合作医院"
        DEAN = "dean", "业务院长"
        STUDIO = "studio", "基层名医工作站（室）"

    class Level(models.TextChoices):
        THIRD = "third", "三级"
        SECOND = "second", "二级"
        OTHER = "other", "其他"

    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="机构", related_name="cooperations"
    )
    kind = models.CharField("类别", max_length=8, choices=Kind)
    partner = models.CharField("合作或派出单位", max_length=80)
    level = models.CharField("单位等级", max_length=8, choices=Level)
    title = models.CharField("业务院长或工作站（室）名称", max_length=80, blank=True)
    starts = models.DateField("协议起始日期")
    ends = models.DateField("协议截止日期", null=True, blank=True)
    services = models.CharField("新增医疗服务项目", max_length=200, blank=True)
    rules = models.CharField("规范管理情况", max_length=200, blank=True)

    objects: ClassVar = CooperationQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "协作"
        ordering: ClassVar = ["institution", "kind", "-starts"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ends__isnull=True) | Q(ends__gte=F("starts")),
                name="cooperation_ends_after_start",
                violation_error_message="截止日期不能早于起始日期",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["partner", "dean", "studio"]), name="cooperation_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.partner
