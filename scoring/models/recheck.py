from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.urls import reverse

from institutions import clock
from institutions.fields import FixedField
from institutions.models import Institution, Post
from institutions.models.scoping import ScopedQuerySet, WorkQuerySet
from scoring.models.correction import Correction
from scoring.models.evaluation import Evaluation, ScoreLine, ScoreSheet


class RecheckQuerySet(WorkQuerySet):
    item_path = None


class Recheck(models.Model):
    """抽查复核: the bureau looks again at a lot of sheets that a centre verified over its clinics.

    `institution` is the centre; `drawn` are the sheets in the order of the lots, drawn from `pool` (codes) by `seed`.
    """

    bureau = models.ForeignKey(Institution, models.PROTECT, related_name="+", editable=False)
    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="中心", related_name="rechecks"
    )
    evaluation = models.ForeignKey(
        Evaluation, models.PROTECT, verbose_name="评价", related_name="rechecks"
    )
    sheets = models.ManyToManyField(ScoreSheet, related_name="rechecks")
    seed = models.CharField("种子", max_length=64)
    pool = models.JSONField("抽取范围", default=list)
    drawn = models.JSONField("抽中机构", default=list)
    author = models.ForeignKey(
        Post, models.PROTECT, verbose_name="抽查人", related_name="+", editable=False
    )
    at = models.DateTimeField("抽取时间", default=clock.now, editable=False)
    told_at = models.DateTimeField("反馈时间", null=True, editable=False)

    objects: ClassVar = RecheckQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "抽查复核"
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"抽查复核：{self.evaluation.name}"

    def get_absolute_url(self) -> str:
        return reverse("scoring:recheck_detail", args=[self.pk])


class RecheckLineQuerySet(ScopedQuerySet):
    institution_path = "recheck__institution"
    item_path = None
    bureau_path = "recheck__bureau"


class RecheckLine(models.Model):
    """复核条款: what the bureau found for one clause of a drawn sheet, beside what the centre verified."""

    recheck = models.ForeignKey(Recheck, models.CASCADE, related_name="lines")
    line = models.ForeignKey(ScoreLine, models.PROTECT, verbose_name="条款", related_name="+")
    points_before = FixedField("中心核定得分")
    points = FixedField("复核得分")
    reason = models.CharField("复核情况", max_length=300)
    author = models.ForeignKey(
        Post, models.PROTECT, verbose_name="复核人", related_name="+", editable=False
    )
    at = models.DateTimeField("复核时间", default=clock.now, editable=False)
    correction = models.OneToOneField(
        Correction, models.PROTECT, null=True, editable=False, related_name="recheck_line"
    )

    objects: ClassVar = RecheckLineQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "复核条款"
        ordering: ClassVar = ["recheck", "line__sheet", "line__clause__position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["recheck", "line"], name="recheck_line_once"),
            models.CheckConstraint(condition=~Q(reason=""), name="recheck_line_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.line.clause.code} {self.points_before} / {self.points}"

    @property
    def difference(self) -> Decimal:
        """How much the centre gave too much, in points."""
        return self.points_before - self.points
