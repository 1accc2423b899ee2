from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from institutions import clock
from institutions.models import Post, StaffMember
from institutions.models.scoping import WorkQuerySet
from institutions.notifying import notify, posts_at
from institutions.workflow import NOTE, Move, Side, Workflow


class SecondmentQuerySet(WorkQuerySet):
    item_path = None

    def to_report(self) -> Self:
        """Return the approved ones that are over and whose result is not said yet."""
        return self.filter(status=Secondment.Status.APPROVED, ends__lt=clock.today())


class Secondment(Workflow):
    """进修选派: a unit asks to send one of its staff to a hospital for a time; its bureau approves."""

    class Status(models.TextChoices):
        APPLIED = "applied", "待审批"
        RETURNED = "returned", "已退回"
        APPROVED = "approved", "已批准"
        WITHDRAWN = "withdrawn", "已撤回"
        FINISHED = "finished", "已结束"

    EDITABLE = frozenset({Status.APPLIED, Status.RETURNED})

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.APPLIED)
    member = models.ForeignKey(
        StaffMember, models.PROTECT, verbose_name="选派人员", related_name="secondments"
    )
    host = models.CharField("接收医院", max_length=80)
    subject = models.CharField("进修专业或科室", max_length=60)
    starts = models.DateField("起始日期")
    ends = models.DateField("截止日期")
    reason = models.TextField("申请理由")
    opinion = models.TextField("审批意见", blank=True, editable=False)
    result = models.TextField("学习成效", blank=True, editable=False)

    objects: ClassVar = SecondmentQuerySet.as_manager()

    MOVES = {
        "approve": Move(
            "批准",
            frozenset({Status.APPLIED}),
            Status.APPROVED,
            "campaigns.review_plan",
            Side.ASKS,
            tone="primary",
        ),
        "send_back": Move(
            "退回",
            frozenset({Status.APPLIED}),
            Status.RETURNED,
            "campaigns.review_plan",
            Side.ASKS,
            needs=(NOTE,),
            tone="danger",
        ),
        "reapply": Move(
            "再次申请",
            frozenset({Status.RETURNED}),
            Status.APPLIED,
            "campaigns.write_plan",
            Side.ANSWERS,
            tone="primary",
        ),
        "withdraw": Move(
            "撤回申请",
            frozenset({Status.APPLIED, Status.RETURNED}),
            Status.WITHDRAWN,
            "campaigns.write_plan",
            Side.ANSWERS,
            confirm="撤回后不再审批，需要时另行申请。",
        ),
        "finish": Move(
            "登记学习成效",
            frozenset({Status.APPROVED}),
            Status.FINISHED,
            "campaigns.write_plan",
            Side.ANSWERS,
            needs=(NOTE,),
            tone="primary",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "进修选派"
        ordering: ClassVar = ["-starts", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    status__in=["applied", "returned", "approved", "withdrawn", "finished"]
                ),
                name="secondment_status_known",
            ),
            models.CheckConstraint(
                condition=Q(ends__gte=F("starts")),
                name="secondment_ends_after_start",
                violation_error_message="截止日期不能早于起始日期",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["bureau", "status", "-starts"], name="secondment_list"),
        ]

    def __str__(self) -> str:
        return f"{self.member}赴{self.host}"

    def get_absolute_url(self) -> str:
        return reverse("campaigns:secondment_detail", args=[self.pk])

    def approve(self, *, by: Post, version: int) -> None:
        self._move("approve", by=by, version=version)
        self._tell("进修申请已批准")

    def send_back(self, *, by: Post, version: int, note: str) -> None:
        self._move("send_back", by=by, version=version, note=note, opinion=note)
        self._tell("进修申请被退回")

    def reapply(self, *, by: Post, version: int) -> None:
        """Apply again; the bureau is told."""
        self._move("reapply", by=by, version=version)
        officers = posts_at([self.supervisor_id], "campaigns.review_plan")
        notify(officers, f"再次申请进修：{self}"[:200], url=self.get_absolute_url())

    def withdraw(self, *, by: Post, version: int) -> None:
        self._move("withdraw", by=by, version=version)

    def finish(self, *, by: Post, version: int, note: str) -> None:
        """Say what was learnt and what the unit can do now."""
        self._move("finish", by=by, version=version, note=note, result=note)

    def _tell(self, what: str) -> None:
        writers = posts_at([self.institution_id], "campaigns.write_plan")
        notify(writers, f"{what}：{self}"[:200], url=self.get_absolute_url())
