from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from institutions import clock
from institutions.fields import FixedField
from institutions.models import Institution, Post, ServiceItem
from institutions.models.scoping import WorkQuerySet
from scoring.models.evaluation import ScoreLine


class Correction(models.Model):
    """更正: what a line of a final sheet counts from now on, with the reason; the sheet itself stays as it was.

    Several may follow one another on a line: each starts where the one before ended.
    """

    class Origin(models.TextChoices):
        FOUND = "found", "定稿后更正"
        RECHECK = "recheck", "抽查复核更正"

    bureau = models.ForeignKey(Institution, models.PROTECT, related_name="+", editable=False)
    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="机构", related_name="corrections"
    )
    item = models.ForeignKey(ServiceItem, models.PROTECT, null=True, verbose_name="服务项目")
    line = models.ForeignKey(
        ScoreLine, models.PROTECT, verbose_name="条款", related_name="corrections"
    )
    origin = models.CharField("来源", max_length=8, choices=Origin, default=Origin.FOUND)
    points_before = FixedField("原得分")
    points_after = FixedField("更正后得分")
    reason = models.CharField("更正理由", max_length=300)
    at = models.DateTimeField("更正时间", default=clock.now, editable=False)
    author = models.ForeignKey(
        Post, models.PROTECT, verbose_name="更正人", related_name="+", editable=False
    )

    objects: ClassVar = WorkQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "更正"
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(origin__in=["found", "recheck"]), name="correction_origin_known"
            ),
            models.CheckConstraint(
                condition=~Q(points_after=F("points_before")), name="correction_changes_points"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="correction_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.line.clause.code} {self.points_before} → {self.points_after}"

    def get_absolute_url(self) -> str:
        return reverse("scoring:sheet_detail", args=[self.line.sheet_id])
