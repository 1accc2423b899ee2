from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from campaigns.models.campaign import Campaign
from institutions.fields import FixedField
from institutions.models import Institution, Post, StoredFile
from institutions.models.scoping import PublishedByBureauQuerySet, WorkQuerySet
from institutions.notifying import notify, posts_at
from institutions.rounding import half_up, plain_text
from institutions.workflow import NOTE, Move, Need, Side, Workflow


class Target(models.Model):
    """目标任务: what several institutions are to reach together, or each of them, by a day."""

    class Kind(models.TextChoices):
        COUNT = "count", "合计数量"
        RATIO = "ratio", "各单位平均数"
        LEVEL = "level", "达标单位数"
        SHARE = "share", "达标单位占比"
        COVERAGE = "coverage", "全覆盖"

    bureau = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="卫生健康行政部门", related_name="+"
    )
    campaign = models.ForeignKey(
        Campaign, models.PROTECT, null=True, blank=True, verbose_name="所属活动"
    )
    name = models.CharField("目标任务", max_length=80)
    text = models.TextField("要求", blank=True)
    kind = models.CharField("怎样合计", max_length=8, choices=Kind, default=Kind.COUNT)
    goal = FixedField("目标值", null=True, blank=True)
    unit = models.CharField("单位", max_length=10, default="个")
    measured = models.CharField("填报什么", max_length=60, blank=True)
    per = models.CharField("按什么平均", max_length=60, blank=True)
    level = models.CharField("达到什么标准", max_length=60, blank=True)
    starts = models.DateField("开始日期")
    due = models.DateField("完成时限（含当日）")
    basis = models.CharField("文件依据", max_length=200, blank=True)

    objects = PublishedByBureauQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "目标任务"
        ordering: ClassVar = ["-due", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind="coverage", goal__isnull=True)
                | (~Q(kind="coverage") & Q(goal__gt=0)),
                name="target_goal_known",
                violation_error_message="全覆盖不填目标值，其他的要填",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("campaigns:target_detail", args=[self.pk])

    @property
    def counts_units(self) -> bool:
        """Say whether institutions are counted (each has reached it or not), rather than numbers added."""
        return self.kind in (self.Kind.LEVEL, self.Kind.SHARE, self.Kind.COVERAGE)

    @property
    def goal_text(self) -> str:
        if self.goal is None:
            return "全部单位"
        sign = "%" if self.kind == self.Kind.SHARE else self.unit
        return f"≥{plain_text(self.goal)}{sign}"


class PartQuerySet(PublishedByBureauQuerySet):
    def visible_to(self, post: Post | None) -> Self:
        return self.filter(target__in=Target.objects.visible_to(post))


class TargetPart(models.Model):
    """The part of a target that falls on one bureau's area: of four centres at least two here."""

    target = models.ForeignKey(Target, models.CASCADE, related_name="parts")
    bureau = models.ForeignKey(Institution, models.PROTECT, related_name="+")
    goal = models.PositiveIntegerField("至少")

    objects = PartQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "分区目标"
        ordering: ClassVar = ["bureau__code"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["target", "bureau"], name="target_part_once")
        ]

    def __str__(self) -> str:
        return f"{self.bureau.known_as} {self.goal}"


class ContributionQuerySet(WorkQuerySet):
    item_path = None


def _reached(row: "Contribution") -> bool:
    return not row.target.counts_units or row.reached_on is not None


def _counted(row: "Contribution") -> bool:
    return row.target.counts_units or row.value is not None


def _divided(row: "Contribution") -> bool:
    return row.target.kind != Target.Kind.RATIO or bool(row.per)


class Contribution(Workflow):
    """目标完成: what one institution brings to a target, with evidence; counted once the bureau has confirmed it."""

    class Status(models.TextChoices):
        OPEN = "open", "待上报"
        REPORTED = "reported", "待确认"
        RETURNED = "returned", "已退回"
        CONFIRMED = "confirmed", "已确认"

    OPEN = frozenset({Status.OPEN, Status.RETURNED})
    EDITABLE = OPEN

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.OPEN)
    target = models.ForeignKey(
        Target, models.PROTECT, verbose_name="目标任务", related_name="contributions"
    )
    value = FixedField("数量", null=True, blank=True)
    per = FixedField("人数", null=True, blank=True)
    reached_on = models.DateField("达到日期", null=True, blank=True)
    text = models.TextField("完成情况", blank=True)
    files = models.ManyToManyField(StoredFile, blank=True, verbose_name="佐证材料")
    opinion = models.TextField("意见", blank=True, editable=False)
    decided_at = models.DateTimeField("确认时间", null=True, editable=False)

    objects: ClassVar = ContributionQuerySet.as_manager()

    MOVES = {
        "report": Move(
            "上报",
            OPEN,
            Status.REPORTED,
            "campaigns.fill_target",
            Side.ANSWERS,
            needs=(
                Need("请先填写达到日期", holds=_reached),
                Need("请先填写数量", holds=_counted),
                Need("请先填写人数（大于 0）", holds=_divided),
            ),
            tone="primary",
        ),
        "recall": Move(
            "撤回修改",
            frozenset({Status.REPORTED}),
            Status.OPEN,
            "campaigns.fill_target",
            Side.ANSWERS,
        ),
        "confirm": Move(
            "确认",
            frozenset({Status.REPORTED}),
            Status.CONFIRMED,
            "campaigns.confirm_target",
            Side.ASKS,
            tone="primary",
        ),
        "send_back": Move(
            "退回",
            frozenset({Status.REPORTED}),
            Status.RETURNED,
            "campaigns.confirm_target",
            Side.ASKS,
            needs=(NOTE,),
            tone="danger",
        ),
        "renew": Move(
            "更新数据",
            frozenset({Status.CONFIRMED}),
            Status.OPEN,
            "campaigns.fill_target",
            Side.ANSWERS,
            confirm="更新后要重新上报、确认，期间不计入合计。",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "目标完成情况"
        ordering: ClassVar = ["target", "institution"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["target", "institution"], name="contribution_once"),
            models.CheckConstraint(
                condition=Q(status__in=["open", "reported", "returned", "confirmed"]),
                name="contribution_status_known",
            ),
            models.CheckConstraint(
                condition=(Q(value__isnull=True) | Q(value__gte=0))
                & (Q(per__isnull=True) | Q(per__gte=0)),
                name="contribution_not_negative",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["institution", "status"], name="contribution_of_unit")
        ]

    def __str__(self) -> str:
        return f"{self.institution.known_as}：{self.target}"

    def get_absolute_url(self) -> str:
        return reverse("campaigns:contribution_detail", args=[self.pk])

    @property
    def is_confirmed(self) -> bool:
        return self.status == self.Status.CONFIRMED

    @property
    def amount(self) -> Decimal | None:
        """What it comes to: the number, or the number per head, rounded half up to two places."""
        if self.target.kind == Target.Kind.RATIO:
            if self.value is None or not self.per:
                return None
            return half_up(Fraction(self.value) / Fraction(self.per), 2)
        return self.value

    @property
    def amount_text(self) -> str:
        if self.target.counts_units:
            return "已达到" if self.reached_on else "未达到"
        return "—" if self.amount is None else f"{plain_text(self.amount)}{self.target.unit}"

    def reached_by(self, day: date) -> bool:
        return self.is_confirmed and self.reached_on is not None and self.reached_on <= day

    def report(self, *, by: Post, version: int) -> None:
        self._move("report", by=by, version=version)

    def recall(self, *, by: Post, version: int) -> None:
        self._move("recall", by=by, version=version)

    def confirm(self, *, by: Post, version: int) -> None:
        self._decide("confirm", by=by, version=version)

    def send_back(self, *, by: Post, version: int, note: str) -> None:
        """Return it with what is missing; its institution is told."""
        self._move("send_back", by=by, version=version, note=note, opinion=note)
        writers = posts_at([self.institution_id], "campaigns.fill_target")
        notify(writers, f"目标任务被退回：{self.target}", url=self.get_absolute_url())

    def renew(self, *, by: Post, version: int) -> None:
        self._move("renew", by=by, version=version)
