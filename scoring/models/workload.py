from typing import ClassVar, Self

from django.db import models
from django.db.models import Q, QuerySet
from django.urls import reverse

from institutions import clock
from institutions.models import Institution, Post
from institutions.models.scoping import ScopedQuerySet, WorkQuerySet
from institutions.workflow import NOTE, Move, Need, Side, Workflow
from scoring.models.year import Workload


class ReportQuerySet(WorkQuerySet):
    item_path = None


class WorkloadReport(Workflow):
    """工作量申报: an institution's declared services of one quarter, handed in and then verified by its supervisor.

    The numbers themselves are rows of `Workload`, the same that files bring and 当量法 and 单价法 read.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "待申报"
        SUBMITTED = "submitted", "待核定"
        RETURNED = "returned", "已退回"
        VERIFIED = "verified", "已核定"

    EDITABLE = frozenset({Status.DRAFT, Status.RETURNED})
    LOCKED = frozenset({Status.SUBMITTED, Status.VERIFIED})
    OPEN = frozenset({Status.DRAFT, Status.RETURNED, Status.SUBMITTED})

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.DRAFT)
    year = models.PositiveSmallIntegerField("年度")
    quarter = models.PositiveSmallIntegerField("季度")
    due = models.DateField("申报截止（含当日）", null=True, blank=True)
    submitted_at = models.DateTimeField("提交时间", null=True, editable=False)
    verified_at = models.DateTimeField("核定时间", null=True, editable=False)
    verified_by = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="核定人", related_name="+", editable=False
    )

    objects: ClassVar = ReportQuerySet.as_manager()

    MOVES = {
        "submit": Move(
            "提交申报",
            EDITABLE,
            Status.SUBMITTED,
            "scoring.declare_workload",
            Side.ANSWERS,
            needs=(Need("还没有填写任何数量", holds=lambda r: r.rows.exists()),),
            tone="primary",
            confirm="提交后不能再改，由上级核定。",
        ),
        "send_back": Move(
            "退回",
            frozenset({Status.SUBMITTED}),
            Status.RETURNED,
            "scoring.verify_workload",
            Side.ASKS,
            needs=(NOTE,),
            tone="danger",
        ),
        "verify": Move(
            "核定完成",
            frozenset({Status.SUBMITTED}),
            Status.VERIFIED,
            "scoring.verify_workload",
            Side.SECOND,
            needs=(
                Need(
                    "还有服务没有核定数量",
                    holds=lambda r: not r.rows.filter(approved__isnull=True).exists(),
                ),
            ),
            tone="primary",
        ),
        "reopen": Move(
            "重新核定",
            frozenset({Status.VERIFIED}),
            Status.SUBMITTED,
            "scoring.verify_workload",
            Side.ASKS,
            needs=(NOTE,),
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "工作量申报"
        ordering: ClassVar = ["-year", "-quarter", "institution"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=["draft", "submitted", "returned", "verified"]),
                name="workload_report_status_known",
            ),
            models.CheckConstraint(
                condition=Q(quarter__gte=1, quarter__lte=4), name="workload_report_quarter_1_to_4"
            ),
            models.UniqueConstraint(
                fields=["institution", "year", "quarter"], name="workload_report_once_a_quarter"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["bureau", "year", "quarter"], name="workload_report_list")
        ]

    def __str__(self) -> str:
        return f"{self.institution.known_as}{self.year}年第{self.quarter}季度工作量"

    def get_absolute_url(self) -> str:
        return reverse("scoring:workload_detail", args=[self.pk])

    @property
    def rows(self) -> QuerySet[Workload]:
        """The numbers of this quarter, by service."""
        return Workload.objects.filter(
            institution=self.institution_id, year=self.year, quarter=self.quarter
        )

    def submit(self, *, by: Post, version: int) -> None:
        self._move("submit", by=by, version=version, submitted_at=clock.now(), author=by)

    def send_back(self, *, by: Post, version: int, note: str) -> None:
        self._move("send_back", by=by, version=version, note=note)


class MappingQuerySet(ScopedQuerySet):
    institution_path = "institution"
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        """Return the mappings of the bureau one works under: everybody there reads the same provincial export."""
        if post is None or post.role in self.hidden_from:
            return self.none()
        return self.filter(institution=post.institution.bureau_id)


class ColumnMapping(models.Model):
    """列对应: how the columns (and the names of services) of another system's export stand for ours; one a bureau and layout."""

    class Layout(models.TextChoices):
        LONG = "long", "长表：一行一个机构的一项服务"
        WIDE = "wide", "宽表：一行一个机构，每项服务一列"

    institution = models.ForeignKey(
        Institution,
        models.CASCADE,
        verbose_name="卫生健康行政部门",
        related_name="column_mappings",
    )
    layout = models.CharField("版式", max_length=4, choices=Layout)
    # long: place, service, quantity, quarter → header; wide: place, quarter → header.
    columns = models.JSONField("列", default=dict)
    # name of a service in the export (a cell, or a header) → our service code, "" for one that is not taken
    services = models.JSONField("服务", default=dict)
    saved_by = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="保存人", related_name="+", editable=False
    )

    objects: ClassVar = MappingQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "列对应"
        ordering: ClassVar = ["institution", "layout"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["institution", "layout"], name="column_mapping_once"),
            models.CheckConstraint(
                condition=Q(layout__in=["long", "wide"]), name="column_mapping_layout_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.get_layout_display()}"
