from typing import ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from campaigns.models import Standard
from institutions.models import Institution, Post, ServiceItem
from institutions.models.scoping import ScopedQuerySet, WorkQuerySet
from institutions.roles import Role
from institutions.workflow import Move, Need, Side, Workflow
from supervision import risk
from supervision.models.visit import SupervisionRound

LEAST_COMPREHENSIVE = 4
LEAST_SPECIAL = 1


class YearPlanQuerySet(WorkQuerySet):
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        """Return the plans of one's own unit and those below, and the issued one of whoever supervises it."""
        if post is None or post.role in self.hidden_from:
            return self.none()
        own = (
            super()
            .visible_to(post)
            .filter(
                Q(institution__path__startswith=post.institution.path)
                | ~Q(status=YearPlan.Status.DRAFT)
            )
        )
        above = Q(pk__in=own.order_by().values("pk"))
        if post.role != Role.EXPERT:
            above |= Q(status=YearPlan.Status.ISSUED, institution=post.institution.parent_id)
        return self.filter(above)


class YearPlan(Workflow):
    """年度督导计划: what one supervising body intends in a year, and by which numbers it measures itself.

    `led` is the plan of a lead agency (条线牵头) for its items at the institutions of its bureau; otherwise it is that of a
    bureau or a centre for what stands directly below it. The least counts and the weights are the body's policy of that
    year; each change is an event. `institution` and `supervisor` are both the body.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "拟定"
        ISSUED = "issued", "已印发"

    EDITABLE = frozenset({Status.DRAFT, Status.ISSUED})

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.DRAFT)
    year = models.PositiveSmallIntegerField("年度")
    led = models.BooleanField("条线牵头", default=False, editable=False)
    least_comprehensive = models.PositiveSmallIntegerField(
        "每个机构综合督导至少（次）", default=LEAST_COMPREHENSIVE
    )
    least_special = models.PositiveSmallIntegerField(
        "每个机构专项督导至少（次）", default=LEAST_SPECIAL
    )
    weight_score = models.PositiveSmallIntegerField("上次得分", default=risk.DEFAULTS["score"])
    weight_overdue = models.PositiveSmallIntegerField("逾期整改", default=risk.DEFAULTS["overdue"])
    weight_recurring = models.PositiveSmallIntegerField(
        "反弹问题", default=risk.DEFAULTS["recurring"]
    )
    weight_gap = models.PositiveSmallIntegerField("自评虚高", default=risk.DEFAULTS["gap"])
    weight_days = models.PositiveSmallIntegerField("距上次督导", default=risk.DEFAULTS["days"])
    weight_volume = models.PositiveSmallIntegerField("服务人口", default=risk.DEFAULTS["volume"])

    objects: ClassVar = YearPlanQuerySet.as_manager()

    MOVES = {
        "issue": Move(
            "印发计划",
            frozenset({Status.DRAFT}),
            Status.ISSUED,
            "supervision.change_round",
            Side.ASKS,
            needs=(Need("还没有安排轮次", holds=lambda p: p.entries.exists()),),
            tone="primary",
            confirm="印发后下级机构可以看到计划，四不两直除外。印发后仍可调整，调整留有记录。",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "年度督导计划"
        ordering: ClassVar = ["-year", "institution", "led"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["institution", "year", "led"], name="year_plan_once_a_year"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "issued"]), name="year_plan_status_known"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["bureau", "-year"], name="year_plan_list")]

    def __str__(self) -> str:
        return f"{self.institution.known_as}{self.year}年{'条线' if self.led else ''}督导计划"

    def get_absolute_url(self) -> str:
        return reverse("supervision:year_plan_detail", args=[self.pk])

    @property
    def weights(self) -> dict[str, int]:
        return {kind.name: getattr(self, f"weight_{kind.name}") for kind in risk.KINDS}

    def stands_on(self, side: Side, post: Post) -> bool:
        """The plan is made by the body itself: the led one by its lead posts, the other by all others."""
        return (
            post.acts_for(self.institution_id)
            and post.item_ids is None
            and (post.role == Role.LEAD) == self.led
        )

    def shows_work_to(self, post: Post) -> bool:
        """Say whether `post` may see how far the plan is, which tells of visits that are not announced."""
        return self.institution.path.startswith(post.institution.path)

    def issue(self, *, by: Post, version: int) -> None:
        self._move("issue", by=by, version=version)


class PlannedRoundQuerySet(ScopedQuerySet):
    institution_path = "plan__institution"
    item_path = None
    bureau_path = "plan__bureau"

    def visible_to(self, post: Post | None) -> Self:
        """Return the entries of the plans in sight; an unannounced one only to the body and whoever is above it."""
        plans = YearPlan.objects.visible_to(post)
        if post is None:
            return self.none()
        return self.filter(plan__in=plans).filter(
            ~Q(type__in=SupervisionRound.UNANNOUNCED)
            | Q(plan__institution__path__startswith=post.institution.path)
        )


class PlannedRound(models.Model):
    """计划轮次: one round that a year plan provides for; `rounds` are those made from it."""

    plan = models.ForeignKey(YearPlan, models.CASCADE, related_name="entries")
    name = models.CharField("名称", max_length=80)
    type = models.CharField(
        "类型",
        max_length=10,
        choices=SupervisionRound.Type,
        default=SupervisionRound.Type.QUARTERLY,
    )
    quarter = models.PositiveSmallIntegerField("季度", default=0)
    items = models.ManyToManyField(
        ServiceItem, blank=True, verbose_name="督导项目", related_name="+"
    )
    standard = models.ForeignKey(
        Standard, models.PROTECT, null=True, blank=True, verbose_name="依据标准", related_name="+"
    )
    starts = models.DateField("开始")
    ends = models.DateField("截止（含当日）")
    institutions = models.ManyToManyField(
        Institution, blank=True, verbose_name="督导机构", related_name="+"
    )
    note = models.CharField("说明", max_length=200, blank=True)

    objects = PlannedRoundQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "计划轮次"
        ordering: ClassVar = ["plan", "starts", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(quarter__lte=4), name="planned_quarter_0_to_4"),
            models.CheckConstraint(
                condition=Q(ends__gte=F("starts")),
                name="planned_ends_after_start",
                violation_error_message="截止日期不能早于开始日期",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.starts and self.ends and self.ends < self.starts:
            raise ValidationError({"ends": "截止日期不能早于开始日期"})

    @property
    def unannounced(self) -> bool:
        return self.type in SupervisionRound.UNANNOUNCED
