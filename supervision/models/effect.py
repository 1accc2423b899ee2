from typing import ClassVar

from django.db import models
from django.db.models import Q

from institutions import clock
from institutions.models import Post, StoredFile
from supervision.models.problem import Rectification, UnderRectification


class EffectCheck(models.Model):
    """问效: some time after closing, whether what was put right has held ("问效有机制")."""

    class Result(models.TextChoices):
        HOLDS = "holds", "有效"
        BACK = "back", "反复"

    rectification = models.ForeignKey(
        Rectification, models.PROTECT, verbose_name="整改", related_name="effect_checks"
    )
    checked_on = models.DateField("回访日期")
    result = models.CharField("结果", max_length=8, choices=Result)
    note = models.TextField("回访情况")
    files = models.ManyToManyField(StoredFile, blank=True, verbose_name="佐证材料")
    author = models.ForeignKey(Post, models.PROTECT, verbose_name="回访人", related_name="+")
    at = models.DateTimeField("登记时间", default=clock.now)

    objects = UnderRectification.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "问效"
        ordering: ClassVar = ["rectification", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(result__in=["holds", "back"]), name="effect_result_known"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_result_display()}：{self.note}"[:60]
