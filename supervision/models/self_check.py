from datetime import date
from typing import ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from campaigns.models import Clause
from institutions import clock
from institutions.models import Institution, Post, ServiceItem
from institutions.models.scoping import WorkQuerySet
from institutions.workflow import NOTE, Move, Need, Side, Workflow
from supervision.models.problem import Problem
from supervision.models.visit import Severity


class Spread(models.Model):
    """举一反三: one confirmed problem, put to other institutions to look for at home (对号入座).

    `institution` is who asks. The text is a copy without the name of the place where it was found: whom it was found at
    is not the affair of those who are asked.
    """

    bureau = models.ForeignKey(Institution, models.PROTECT, related_name="+", editable=False)
    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="下发单位", related_name="spreads"
    )
    problem = models.ForeignKey(
        Problem, models.PROTECT, verbose_name="源问题", related_name="spreads"
    )
    item = models.ForeignKey(
        ServiceItem, models.PROTECT, null=True, blank=True, verbose_name="服务项目"
    )
    clause = models.ForeignKey(Clause, models.PROTECT, null=True, blank=True, verbose_name="条款")
    category = models.CharField("问题类别", max_length=40, blank=True)
    severity = models.CharField("严重程度", max_length=8, choices=Severity)
    text = models.TextField("问题描述")
    demand = models.TextField("自查要求", blank=True)
    due = models.DateField("自查截止（含当日）")
    put_right_by = models.DateField("整改时限（含当日）")
    similar_counts = models.BooleanField("“类似”也立为问题整改", default=True)
    author = models.ForeignKey(
        Post, models.PROTECT, verbose_name="下发人", related_name="+", editable=False
    )
    created_at = models.DateTimeField("下发时间", default=clock.now, editable=False)

    objects = WorkQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "举一反三"
        ordering: ClassVar = ["-created_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(put_right_by__gte=F("due")),
                name="spread_put_right_after_check",
                violation_error_message="整改时限不能早于自查截止",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["bureau", "-created_at"], name="spread_list")]

    def __str__(self) -> str:
        return self.text[:40]

    def get_absolute_url(self) -> str:
        return reverse("supervision:spread_detail", args=[self.pk])

    def save(self, *args, **kwargs):
        if self._state.adding and self.bureau_id is None:
            self.bureau_id = self.institution.bureau_id
        super().save(*args, **kwargs)


class SelfCheckQuerySet(WorkQuerySet):
    def open(self) -> Self:
        return self.filter(status=SelfCheck.Status.ASKED)

    def overdue(self) -> Self:
        return self.open().filter(due__lt=clock.today())


class SelfCheck(Workflow):
    """对照自查: one institution looks whether a problem found elsewhere is there too: 有, 无 or 类似.

    `problem` is the one opened by 有 (and by 类似 where that counts); `belied_by` is what supervisors found here after
    the answer 无 (自查不实).
    """

    class Status(models.TextChoices):
        ASKED = "asked", "待自查"
        ANSWERED = "answered", "已自查"

    class Answer(models.TextChoices):
        FOUND = "found", "有"
        NONE = "none", "无"
        SIMILAR = "similar", "类似"

    OPEN: ClassVar[frozenset[str]] = frozenset({Status.ASKED})

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.ASKED)
    spread = models.ForeignKey(
        Spread, models.PROTECT, verbose_name="举一反三", related_name="checks"
    )
    item = models.ForeignKey(
        ServiceItem, models.PROTECT, null=True, blank=True, verbose_name="服务项目"
    )
    due = models.DateField("自查截止（含当日）")
    answer = models.CharField("自查结果", max_length=8, choices=Answer, blank=True, editable=False)
    note = models.TextField("自查说明", blank=True, editable=False)
    answered_at = models.DateTimeField("自查时间", null=True, editable=False)
    returned = models.TextField("退回理由", blank=True, editable=False)
    problem = models.OneToOneField(
        Problem,
        models.PROTECT,
        null=True,
        verbose_name="所立问题",
        related_name="self_check",
        editable=False,
    )
    belied_by = models.ForeignKey(
        Problem,
        models.PROTECT,
        null=True,
        verbose_name="自查不实",
        related_name="belies",
        editable=False,
    )

    objects: ClassVar = SelfCheckQuerySet.as_manager()

    MOVES = {
        "answer": Move(
            "提交自查结果",
            frozenset({Status.ASKED}),
            Status.ANSWERED,
            "supervision.answer_rectification",
            Side.ANSWERS,
            tone="primary",
        ),
        "send_back": Move(
            "退回重查",
            frozenset({Status.ANSWERED}),
            Status.ASKED,
            "supervision.verify_rectification",
            Side.ASKS,
            needs=(
                Need("已据此立项整改，不能退回", holds=lambda c: c.problem_id is None),
                Need("已认定自查不实，不能退回", holds=lambda c: c.belied_by_id is None),
                NOTE,
                Need("请填写新的自查截止日期", field="due"),
            ),
            tone="danger",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "对照自查"
        ordering: ClassVar = ["due", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=["asked", "answered"]), name="self_check_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status="asked", answer="", answered_at__isnull=True)
                | Q(
                    status="answered",
                    answer__in=["found", "none", "similar"],
                    answered_at__isnull=False,
                ),
                name="self_check_answered_has_answer",
            ),
            models.CheckConstraint(
                condition=Q(belied_by__isnull=True) | Q(answer="none"),
                name="self_check_belied_said_none",
            ),
            models.UniqueConstraint(fields=["spread", "institution"], name="self_check_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["bureau", "status", "due"], name="self_check_list"),
            models.Index(fields=["institution", "status", "due"], name="self_check_of_unit"),
        ]

    def __str__(self) -> str:
        return f"{self.institution.known_as}：{self.spread}"

    def get_absolute_url(self) -> str:
        return reverse("supervision:self_check_detail", args=[self.pk])

    @property
    def is_overdue(self) -> bool:
        return self.status == self.Status.ASKED and self.due < clock.today()

    @property
    def answered_on(self) -> date:
        """The day of the answer in Shanghai; asked of answered ones only."""
        if self.answered_at is None:
            raise ValueError("not answered yet")
        return self.answered_at.astimezone(clock.SHANGHAI).date()

    @property
    def opens(self) -> bool:
        """Whether the answer opens a rectification."""
        return self.answer == self.Answer.FOUND or (
            self.answer == self.Answer.SIMILAR and self.spread.similar_counts
        )

    def check_answer(self, answer: str, note: str) -> None:
        """Raise ValidationError for an answer that says too little."""
        if answer not in self.Answer.values:
            raise ValidationError("请选择有、无或类似")
        if answer != self.Answer.NONE and not note.strip():
            raise ValidationError("选“有”或“类似”的，请写明本单位的情况")
