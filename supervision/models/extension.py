from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from institutions import clock
from institutions.models import Post
from supervision.models.problem import Rectification, UnderRectification


class Extension(models.Model):
    """延期: a later deadline that the institution asks for with its reason, and the supervisor decides; at most two.

    `due_before` is the deadline at the time of asking: with `Rectification.original_due` every date that ever held
    stays readable. Deeds: supervision/extending.py.
    """

    class Status(models.TextChoices):
        ASKED = "asked", "待审批"
        GRANTED = "granted", "已同意"
        REFUSED = "refused", "未同意"
        LAPSED = "lapsed", "已失效"

    MOST = 2

    rectification = models.ForeignKey(
        Rectification, models.PROTECT, verbose_name="整改", related_name="extensions"
    )
    number = models.PositiveSmallIntegerField("第几次")
    status = models.CharField("状态", max_length=8, choices=Status, default=Status.ASKED)
    reason = models.TextField("延期理由")
    due_before = models.DateField("原时限")
    wished = models.DateField("申请延至")
    asked_by = models.ForeignKey(Post, models.PROTECT, verbose_name="申请人", related_name="+")
    asked_at = models.DateTimeField("申请时间", default=clock.now)
    due = models.DateField("同意延至", null=True)
    opinion = models.TextField("审批意见", blank=True)
    decided_by = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="审批人", related_name="+"
    )
    decided_at = models.DateTimeField("审批时间", null=True)

    objects = UnderRectification.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "延期申请"
        ordering: ClassVar = ["rectification", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rectification"],
                condition=Q(status="asked"),
                name="extension_one_open",
            ),
            models.UniqueConstraint(
                fields=["rectification", "number"],
                condition=~Q(status="lapsed"),
                name="extension_number_once",
            ),
            models.CheckConstraint(
                condition=Q(number__gte=1, number__lte=2), name="extension_at_most_two"
            ),
            models.CheckConstraint(
                condition=Q(wished__gt=F("due_before")), name="extension_wished_is_later"
            ),
            models.CheckConstraint(
                condition=Q(status="asked", decided_at__isnull=True, due__isnull=True)
                | Q(status="lapsed", decided_at__isnull=False, due__isnull=True)
                | Q(status="refused", decided_by__isnull=False, due__isnull=True)
                | Q(
                    status="granted",
                    decided_by__isnull=False,
                    due__isnull=False,
                    due__gt=F("due_before"),
                ),
                name="extension_decided_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"第{self.number}次延期（{self.get_status_display()}）"
