from decimal import Decimal
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q, Sum
from django.urls import reverse

from institutions import clock
from institutions.fields import FixedField
from institutions.models import Post, StaffMember
from institutions.models.scoping import ScopedQuerySet, WorkQuerySet
from institutions.workflow import NOTE, Move, Need, Side, Workflow
from scoring.models.year import WorkUnit

KEEP = "scoring.distribute"


class DistributionQuerySet(WorkQuerySet):
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        """The head sees his own in any state; offices above see totals once confirmed; staff where they have a line."""
        rows = super().visible_to(post)
        if post is None:
            return rows
        shown = ~Q(status=Distribution.Status.DRAFT)
        if post.has_perm(KEEP):
            return rows.filter(Q(institution=post.institution_id) | shown)
        if post.institution.is_bureau:
            return rows.filter(shown)
        own = StaffShare.objects.filter(post=post).values("distribution")
        return rows.filter(shown, pk__in=own)


class Distribution(Workflow):
    """绩效分配: inside one institution, money given to its staff by equivalents and quality (多劳多得、优劳优酬).

    A draft is the head's alone; confirmed, each staff member with an account sees his own line; frozen, nothing changes.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "草案"
        CONFIRMED = "confirmed", "已确认"
        FROZEN = "frozen", "已冻结"

    OPEN = frozenset({Status.DRAFT, Status.CONFIRMED})

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.DRAFT)
    year = models.PositiveSmallIntegerField("年度")
    quarter = models.PositiveSmallIntegerField(
        "季度",
        choices=[(1, "第1季度"), (2, "第2季度"), (3, "第3季度"), (4, "第4季度"), (0, "全年")],
    )
    pool = FixedField("分配总额（元）")
    basis = models.CharField("依据", max_length=200)
    confirmed_at = models.DateTimeField("确认时间", null=True, editable=False)
    frozen_at = models.DateTimeField("冻结时间", null=True, editable=False)

    objects: ClassVar = DistributionQuerySet.as_manager()

    MOVES = {
        "confirm": Move(
            "确认",
            frozenset({Status.DRAFT}),
            Status.CONFIRMED,
            KEEP,
            Side.ANSWERS,
            needs=(
                Need("各人之和与分配总额不符，请先填写工作量", holds=lambda d: d.difference == 0),
            ),
            tone="primary",
            confirm="确认后每位有账号的人员可以看到自己的一行。",
        ),
        "reopen": Move(
            "退回草案",
            frozenset({Status.CONFIRMED}),
            Status.DRAFT,
            KEEP,
            Side.ANSWERS,
            needs=(NOTE,),
        ),
        "freeze": Move(
            "冻结",
            frozenset({Status.CONFIRMED}),
            Status.FROZEN,
            KEEP,
            Side.ANSWERS,
            tone="primary",
            confirm="冻结后不能再改。",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "绩效分配"
        ordering: ClassVar = ["-year", "-quarter", "institution"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=["draft", "confirmed", "frozen"]),
                name="distribution_status_known",
            ),
            models.CheckConstraint(
                condition=Q(quarter__gte=0, quarter__lte=4), name="distribution_quarter_0_to_4"
            ),
            models.CheckConstraint(condition=Q(pool__gt=0), name="distribution_has_a_pool"),
            models.UniqueConstraint(
                fields=["institution", "year", "quarter"], name="distribution_once_a_quarter"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["bureau", "year"], name="distribution_list")]

    def __str__(self) -> str:
        return f"{self.institution.known_as}{self.year}年{self.get_quarter_display()}绩效分配"

    def get_absolute_url(self) -> str:
        return reverse("scoring:distribution_detail", args=[self.pk])

    @property
    def difference(self) -> Decimal:
        """Σ shares − total, 0.00 when it adds up."""
        return (self.shares.aggregate(whole=Sum("amount"))["whole"] or Decimal(0)) - self.pool

    def confirm(self, *, by: Post, version: int) -> None:
        self._move("confirm", by=by, version=version, confirmed_at=clock.now(), data=self._facts())

    def reopen(self, *, by: Post, version: int, note: str) -> None:
        self._move("reopen", by=by, version=version, note=note, confirmed_at=None)

    def freeze(self, *, by: Post, version: int) -> None:
        self._move("freeze", by=by, version=version, frozen_at=clock.now(), data=self._facts())

    def _facts(self) -> dict[str, str | int]:
        return {"pool": str(self.pool), "count": self.shares.count()}


class StaffShareQuerySet(ScopedQuerySet):
    institution_path = "distribution__institution"
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        """The head sees the lines of his institution, anybody else his own once confirmed; no office sees persons."""
        if post is None or post.role in self.hidden_from:
            return self.none()
        own = Q(post=post) & ~Q(distribution__status=Distribution.Status.DRAFT)
        if post.has_perm(KEEP):
            own |= Q(distribution__institution=post.institution_id)
        return self.filter(own)


class StaffShare(models.Model):
    """One staff member's line: work × coefficient × quality, and the money it comes to."""

    distribution = models.ForeignKey(Distribution, models.CASCADE, related_name="shares")
    member = models.ForeignKey(
        StaffMember, models.PROTECT, verbose_name="人员", related_name="shares"
    )
    post = models.ForeignKey(
        Post,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="对应账号任职",
        related_name="pay_lines",
        help_text="选了以后，本人登录可以看到自己的一行",
    )
    quality = FixedField("质量系数", places=4, default=Decimal(1))
    weight = models.CharField("有效当量", max_length=40, default="0")
    amount = FixedField("金额（元）", default=Decimal(0))

    objects: ClassVar = StaffShareQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "人员分配"
        ordering: ClassVar = ["distribution", "member__name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["distribution", "member"], name="staff_share_once"),
            models.CheckConstraint(
                condition=Q(quality__gte=0, quality__lte=2), name="staff_share_quality_0_to_2"
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="staff_share_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.member} {self.amount}"

    def get_absolute_url(self) -> str:
        return reverse("scoring:share_edit", args=[self.pk])


class StaffWorkQuerySet(ScopedQuerySet):
    institution_path = "share__distribution__institution"
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        return self.filter(share__in=StaffShare.objects.visible_to(post))


class StaffWork(models.Model):
    """How much of one service a staff member did."""

    share = models.ForeignKey(StaffShare, models.CASCADE, related_name="works")
    work_unit = models.ForeignKey(WorkUnit, models.PROTECT, verbose_name="服务", related_name="+")
    quantity = FixedField("数量")

    objects: ClassVar = StaffWorkQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "人员工作量"
        ordering: ClassVar = ["share", "work_unit__code"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["share", "work_unit"], name="staff_work_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="staff_work_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.work_unit} {self.quantity}"
