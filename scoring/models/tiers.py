from typing import ClassVar, Self

from django.db import models
from django.db.models import Q, Sum
from django.urls import reverse

from institutions import clock
from institutions.fields import FixedField
from institutions.models import Post
from institutions.models.scoping import WorkQuerySet
from institutions.workflow import Move, Need, Side, Workflow
from scoring.models.year import YearQuerySet, YearRow


class AllocationQuerySet(WorkQuerySet):
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        """Return those in reach, and the final ones in which the post's own institution has a part."""
        reached = super().visible_to(post)
        if post is None or post.role in self.hidden_from or post.item_ids is not None:
            return reached
        parts = AllocationPart.objects.filter(institution=post.institution_id)
        own = Q(pk__in=parts.values("allocation"), status=Allocation.Status.FINAL)
        return self.filter(Q(pk__in=reached.values("pk")) | own)


class Allocation(Workflow):
    """季度分配: a centre's money of a quarter, split over its clinics by verified work and quality; the parts are the pool.

    二七卫计〔2018〕29号: 每季度对所辖的村卫生室（站）进行绩效评价，严格按照服务数量、质量进行测算和结算. `institution` is the centre.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "草案"
        FINAL = "final", "已定"

    OPEN = frozenset({Status.DRAFT})

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.DRAFT)
    year = models.PositiveSmallIntegerField("年度")
    quarter = models.PositiveSmallIntegerField("季度")
    pool = FixedField("资金池（元）")
    basis = models.CharField("资金来源", max_length=200)
    finalised_at = models.DateTimeField("定稿时间", null=True, editable=False)
    finalised_by = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="定稿人", related_name="+", editable=False
    )

    objects: ClassVar = AllocationQuerySet.as_manager()

    MOVES = {
        "finalise": Move(
            "定稿",
            OPEN,
            Status.FINAL,
            "scoring.settle_year",
            Side.ASKS,
            needs=(Need("各部分之和与资金池不符，请重新计算", holds=lambda a: a.difference == 0),),
            tone="primary",
            confirm="定稿后各卫生室可以看到自己的一份，不能再改。",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "季度分配"
        ordering: ClassVar = ["-year", "-quarter", "institution"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=["draft", "final"]), name="allocation_status_known"
            ),
            models.CheckConstraint(
                condition=Q(quarter__gte=1, quarter__lte=4), name="allocation_quarter_1_to_4"
            ),
            models.CheckConstraint(condition=Q(pool__gt=0), name="allocation_has_a_pool"),
            models.UniqueConstraint(
                fields=["institution", "year", "quarter"], name="allocation_once_a_quarter"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.institution.known_as}{self.year}年第{self.quarter}季度分配"

    def get_absolute_url(self) -> str:
        return reverse("scoring:allocation_detail", args=[self.pk])

    @property
    def difference(self):
        """Σ parts − pool, 0.00 when it adds up."""
        return (self.parts.aggregate(whole=Sum("amount"))["whole"] or 0) - self.pool

    def finalise(self, *, by: Post, version: int) -> None:
        self._move(
            "finalise",
            by=by,
            version=version,
            finalised_at=clock.now(),
            finalised_by=by,
            data={"pool": str(self.pool), "parts": self.parts.count()},
        )


class AllocationPart(YearRow):
    """One clinic's part of a quarter's pool; `weight` is its effective equivalents, exact."""

    allocation = models.ForeignKey(Allocation, models.CASCADE, related_name="parts")
    weight = models.CharField("有效当量", max_length=40)
    amount = FixedField("金额（元）")
    told = models.JSONField("计算过程", default=list)

    objects: ClassVar = YearQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "季度分配份额"
        ordering: ClassVar = ["allocation", "institution"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["allocation", "institution"], name="allocation_part_once"
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="allocation_part_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.institution.known_as} {self.amount}"
