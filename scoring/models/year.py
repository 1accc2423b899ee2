from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from institutions.fields import FixedField
from institutions.models import Institution, Post, ServiceItem
from institutions.models.scoping import WorkQuerySet


class YearQuerySet(WorkQuerySet):
    """Money and year-end rows know no items: a lead agency sees every sheet of its items, and no settlement."""

    item_path = None


class YearRow(models.Model):
    """What concerns one institution in one year."""

    bureau = models.ForeignKey(Institution, models.PROTECT, related_name="+", editable=False)
    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="机构", related_name="%(class)ss"
    )
    year = models.PositiveSmallIntegerField("年度")

    objects = YearQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args, **kwargs):
        if self._state.adding and self.bureau_id is None:
            self.bureau_id = self.institution.bureau_id
        super().save(*args, **kwargs)


class Adjustment(YearRow):
    """加减分: a bonus, a deduction or a veto, with its reason and basis."""

    class Kind(models.TextChoices):
        BONUS = "bonus", "加分"
        DEDUCTION = "deduction", "扣分"
        VETO = "veto", "一票否决"

    kind = models.CharField("类别", max_length=10, choices=Kind)
    points = FixedField("分值", default=0, help_text="扣分也写正数")
    reason = models.CharField("事由", max_length=200)
    basis = models.CharField("依据", max_length=200, blank=True)
    sanction = models.OneToOneField(
        "supervision.Sanction",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="奖惩决定",
        related_name="adjustment",
        editable=False,
    )

    class Meta:
        verbose_name = verbose_name_plural = "加减分"
        ordering: ClassVar = ["-year", "institution", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(points__gte=0), name="adjustment_points_not_negative"
            ),
            models.UniqueConstraint(
                fields=["institution", "year", "kind", "reason"], name="adjustment_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.year} {self.get_kind_display()} {self.points}"


class Prepayment(YearRow):
    """预拨: what was paid in advance, in yuan."""

    amount = FixedField("预拨金额")

    class Meta:
        verbose_name = verbose_name_plural = "预拨"
        ordering: ClassVar = ["-year", "institution"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["institution", "year"], name="prepayment_once_a_year"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="prepayment_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.year} {self.amount}"


class YearResult(YearRow):
    """年终结果: one row of the year-end table of one unit, as computed; frozen with a hash of its inputs."""

    unit = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="结算方", related_name="year_tables"
    )
    position = models.PositiveIntegerField("序号")
    population = models.PositiveIntegerField("服务人口", null=True)
    quarter1 = FixedField("第一季度", null=True)
    quarter2 = FixedField("第二季度", null=True)
    quarter3 = FixedField("第三季度", null=True)
    quarter4 = FixedField("第四季度", null=True)
    quarters = FixedField("季度得分")
    bonus = FixedField("加分")
    deduction = FixedField("扣分")
    score = FixedField("年终得分")
    rank = models.PositiveIntegerField("名次")
    group = models.CharField("排名组", max_length=60)
    grade = models.CharField("等次", max_length=6)
    vetoed = models.BooleanField("一票否决", default=False)
    per_capita = FixedField("人均标准", null=True)
    due_amount = FixedField("应拨金额")
    ratio = models.CharField("拨付比例", max_length=10, blank=True)
    approved_amount = FixedField("核定金额")
    top_up = FixedField("财政补齐")
    prepaid = FixedField("已预拨")
    balance = FixedField("应补退")
    details = models.JSONField("计算过程", default=dict)
    inputs = models.CharField("输入摘要", max_length=64)
    settled_at = models.DateTimeField("计算时间", null=True, editable=False)
    settled_by = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="计算人", related_name="+", editable=False
    )
    confirmed_at = models.DateTimeField("复核时间", null=True, editable=False)
    confirmed_by = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="复核人", related_name="+", editable=False
    )
    frozen_at = models.DateTimeField("定稿时间", null=True)
    frozen_by = models.ForeignKey(Post, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = "年终结果"
        ordering: ClassVar = ["-year", "unit", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["unit", "institution", "year"], name="year_result_once"
            ),
            models.CheckConstraint(
                condition=Q(score__gte=0, score__lte=100), name="year_score_0_to_100"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["bureau", "year"], name="year_result_list")]

    def __str__(self) -> str:
        return f"{self.institution} {self.year}年终"

    def get_absolute_url(self) -> str:
        return reverse("scoring:year_detail", args=[self.pk])

    @property
    def is_frozen(self) -> bool:
        return self.frozen_at is not None


class WorkUnitQuerySet(YearQuerySet):
    def visible_to(self, post: Post | None) -> Self:
        """Return the units of one's own bureau as well: the coefficients are known to whom they pay."""
        if post is None or post.role in self.hidden_from or post.item_ids is not None:
            return self.none()
        return self.filter(
            Q(pk__in=super().visible_to(post).values("pk")) | Q(bureau=post.institution.bureau_id)
        )


class WorkUnit(YearRow):
    """工作当量: one service of the bureau's list for the year, with its coefficient; quality comes by its item."""

    code = models.CharField("服务代码", max_length=32)
    name = models.CharField("服务名称", max_length=120)
    item = models.ForeignKey(ServiceItem, models.PROTECT, verbose_name="服务项目")
    coefficient = FixedField("当量系数", places=4, default=0)
    cost = FixedField("单位成本（元）", null=True, blank=True)
    price = FixedField("单价（元）", null=True, blank=True)
    unit = models.CharField("单位", max_length=10, blank=True)

    objects: ClassVar = WorkUnitQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "工作当量"
        ordering: ClassVar = ["-year", "code"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["institution", "year", "code"], name="work_unit_once_a_year"
            ),
            models.CheckConstraint(
                condition=Q(coefficient__gte=0), name="work_unit_coefficient_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(cost__isnull=True) | Q(cost__gte=0), name="work_unit_cost_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(price__isnull=True) | Q(price__gte=0),
                name="work_unit_price_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Workload(YearRow):
    """工作量: how much of a service one institution declared for a quarter, and how much was verified."""

    quarter = models.PositiveSmallIntegerField("季度")
    work_unit = models.ForeignKey(WorkUnit, models.PROTECT, verbose_name="服务")
    declared = FixedField("申报数量")
    approved = FixedField("核定数量", null=True, blank=True)
    # What the record checks suggested when it was verified, how that was computed, and why the verifier differed.
    suggested = FixedField("建议数量", null=True, blank=True, editable=False)
    basis = models.CharField("建议依据", max_length=200, blank=True, editable=False)
    reason = models.CharField("核定说明", max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "工作量"
        ordering: ClassVar = ["-year", "quarter", "institution"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["institution", "work_unit", "quarter"], name="workload_once_a_quarter"
            ),
            models.CheckConstraint(
                condition=Q(quarter__gte=1, quarter__lte=4), name="workload_quarter_1_to_4"
            ),
            models.CheckConstraint(
                condition=Q(declared__gte=0) & (Q(approved__isnull=True) | Q(approved__gte=0)),
                name="workload_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.year}年第{self.quarter}季度 {self.work_unit}"


class PlannedWork(YearRow):
    """任务分解: how much of a service one institution is to do in a year; a clinic's is a share of its centre's."""

    work_unit = models.ForeignKey(
        WorkUnit, models.PROTECT, verbose_name="服务", related_name="planned"
    )
    number = models.PositiveIntegerField("任务数")

    class Meta:
        verbose_name = verbose_name_plural = "任务分解"
        ordering: ClassVar = ["-year", "institution", "work_unit"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["institution", "work_unit"], name="planned_work_once")
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.year}年 {self.work_unit}"
