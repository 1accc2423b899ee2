from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.urls import reverse

from institutions import clock
from institutions.fields import FixedField
from institutions.models import Post, ServiceItem, StoredFile
from institutions.models.scoping import WorkQuerySet
from institutions.workflow import NOTE, Move, Need, Side, Workflow
from scoring.models.evaluation import Evaluation, ScoreLine


class AppealQuerySet(WorkQuerySet):
    pass


class Appeal(Workflow):
    """申诉: an institution objects to one clause of its published sheet; decided clause by clause, with the reason.

    What is upheld changes the verified figures, the score and the ranks of the whole group (`scoring.appealing`).
    """

    class Status(models.TextChoices):
        SUBMITTED = "submitted", "待答复"
        UPHELD = "upheld", "采纳"
        REJECTED = "rejected", "不予采纳"
        WITHDRAWN = "withdrawn", "已撤回"

    OPEN = frozenset({Status.SUBMITTED})

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.SUBMITTED)
    line = models.ForeignKey(
        ScoreLine, models.PROTECT, verbose_name="条款", related_name="appeals", editable=False
    )
    evaluation = models.ForeignKey(
        Evaluation, models.PROTECT, verbose_name="评价", related_name="appeals", editable=False
    )
    item = models.ForeignKey(
        ServiceItem, models.PROTECT, null=True, verbose_name="服务项目", editable=False
    )
    reason = models.TextField("申诉理由")
    files = models.ManyToManyField(StoredFile, blank=True, verbose_name="佐证材料")
    submitted_at = models.DateTimeField("提出时间", default=clock.now, editable=False)
    points_before = FixedField("原得分", null=True, editable=False)
    points_after = FixedField("改后得分", null=True, editable=False)
    decided_at = models.DateTimeField("答复时间", null=True, editable=False)
    decided_by = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="答复人", related_name="+", editable=False
    )
    opinion = models.TextField("答复意见", blank=True, editable=False)

    objects: ClassVar = AppealQuerySet.as_manager()

    MOVES = {
        "withdraw": Move(
            "撤回申诉",
            OPEN,
            Status.WITHDRAWN,
            "scoring.write_appeal",
            Side.ANSWERS,
        ),
        "uphold": Move(
            "采纳，改分",
            OPEN,
            Status.UPHELD,
            "scoring.decide_appeal",
            Side.SECOND,
            needs=(
                NOTE,
                Need(
                    "评价已经定稿",
                    holds=lambda a: a.evaluation.status == Evaluation.Status.PUBLISHED,
                ),
            ),
            tone="primary",
        ),
        "reject": Move(
            "不予采纳",
            OPEN,
            Status.REJECTED,
            "scoring.decide_appeal",
            Side.SECOND,
            needs=(NOTE,),
            tone="danger",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "申诉"
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=["submitted", "upheld", "rejected", "withdrawn"]),
                name="appeal_status_known",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["upheld", "rejected"])
                | (Q(decided_at__isnull=False, decided_by__isnull=False) & ~Q(opinion="")),
                name="appeal_decided_with_reason",
            ),
            models.UniqueConstraint(
                fields=["line"],
                condition=Q(status__in=["submitted", "upheld", "rejected"]),
                name="appeal_once_a_line",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["bureau", "status"], name="appeal_list")]

    def __str__(self) -> str:
        return f"{self.institution.known_as} {self.line.clause.code}"

    def get_absolute_url(self) -> str:
        return reverse("scoring:appeal_detail", args=[self.pk])

    def withdraw(self, *, by: Post, version: int) -> None:
        self._move("withdraw", by=by, version=version)

    def uphold(self, *, by: Post, version: int, note: str, **points) -> None:
        """Accept it; `scoring.appealing.uphold` judges the line anew in the same transaction."""
        self._decide("uphold", by=by, version=version, note=note, **points)

    def reject(self, *, by: Post, version: int, note: str) -> None:
        self._decide("reject", by=by, version=version, note=note)
