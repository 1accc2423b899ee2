from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from institutions import clock
from institutions.codes import mask_phone
from institutions.models import Post, ServiceItem
from supervision.models.visit import OfVisitQuerySet, Visit


class RecordSample(models.Model):
    """抽查样本: the records of one item drawn at one visit, by a seed that is kept; drawn once and never again.

    The list that was drawn from is not kept, only its size and the sha256 of its numbers: whoever has the list can
    draw again from the same seed and must come to the same records (`supervision.sampling.draw`).
    """

    class Origin(models.TextChoices):
        LIST = "list", "按名单"
        RANGE = "range", "按编号范围"

    visit = models.ForeignKey(Visit, models.PROTECT, related_name="samples")
    item = models.ForeignKey(ServiceItem, models.PROTECT, verbose_name="服务项目")
    origin = models.CharField("抽取方式", max_length=6, choices=Origin)
    first = models.PositiveIntegerField("起始编号", null=True, blank=True)
    last = models.PositiveIntegerField("截止编号", null=True, blank=True)
    population = models.PositiveIntegerField("档案总数")
    size = models.PositiveSmallIntegerField("抽取份数")
    seed = models.CharField("随机种子", max_length=32)
    digest = models.CharField("名单校验码", max_length=64)
    drawn_by = models.ForeignKey(Post, models.PROTECT, verbose_name="抽取人", related_name="+")
    drawn_at = models.DateTimeField("抽取时间", default=clock.now)
    purged_at = models.DateTimeField("清除时间", null=True, editable=False)

    objects = OfVisitQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "抽查样本"
        ordering: ClassVar = ["-drawn_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["visit", "item"], name="sample_once_an_item"),
            models.CheckConstraint(
                condition=Q(size__gte=1, size__lte=F("population")), name="sample_size_in_range"
            ),
            models.CheckConstraint(
                condition=Q(origin="list", first__isnull=True, last__isnull=True)
                | Q(origin="range", first__gte=1, last__gte=F("first")),
                name="sample_origin_fits",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["drawn_at"], condition=Q(purged_at__isnull=True), name="sample_to_purge"
            )
        ]

    def __str__(self) -> str:
        return f"{self.visit.institution.known_as}：{self.item.short_name}抽查档案"

    def get_absolute_url(self) -> str:
        return reverse("supervision:sample_detail", args=[self.pk])


class RecordCheckQuerySet(OfVisitQuerySet):
    visit_path = "sample__visit"
    institution_path = "sample__visit__institution"
    bureau_path = "sample__visit__bureau"


class RecordCheck(models.Model):
    """抽查档案: one drawn record and what the check found. Number and phone are personal: see `supervision.retention`."""

    class Result(models.TextChoices):
        REAL = "real", "真实规范"
        INCOMPLETE = "incomplete", "不规范"
        UNREAL = "unreal", "不真实"
        UNREACHED = "unreached", "未核实到"

    class Cause(models.TextChoices):
        """Why a resident was not reached (the reasons in use on county forms)."""

        WRONG = "wrong", "空号、错号"
        STOPPED = "stopped", "停机"
        SILENT = "silent", "无人接听"
        REFUSED = "refused", "拒访"
        AWAY = "away", "外出"
        DEAD = "dead", "死亡"
        MOVED = "moved", "迁出"

    class Call(models.TextChoices):
        AGREES = "agrees", "接通，相符"
        DIFFERS = "differs", "接通，不符"
        MISSED = "missed", "未接通"

    sample = models.ForeignKey(RecordSample, models.CASCADE, related_name="checks")
    position = models.PositiveSmallIntegerField("序号")
    number = models.CharField("档案编号", max_length=60, blank=True)
    phone = models.CharField("电话", max_length=20, blank=True)
    result = models.CharField("结果", max_length=10, choices=Result, blank=True)
    cause = models.CharField("未核实原因", max_length=8, choices=Cause, blank=True)
    call = models.CharField("电话结果", max_length=8, choices=Call, blank=True)
    reason = models.CharField("说明", max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    checked_by = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="核查人", related_name="+", editable=False
    )
    checked_at = models.DateTimeField("核查时间", null=True, editable=False)

    objects = RecordCheckQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "抽查档案"
        ordering: ClassVar = ["sample", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sample", "position"], name="check_position_once"),
            models.UniqueConstraint(
                fields=["sample", "number"], condition=~Q(number=""), name="check_number_once"
            ),
            models.CheckConstraint(
                condition=Q(result="", checked_at__isnull=True)
                | Q(
                    result__in=["real", "incomplete", "unreal", "unreached"],
                    checked_at__isnull=False,
                ),
                name="check_result_known",
            ),
            models.CheckConstraint(
                condition=~Q(result__in=["incomplete", "unreal"]) | ~Q(reason=""),
                name="check_fault_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(
                    result="unreached",
                    cause__in=["wrong", "stopped", "silent", "refused", "away", "dead", "moved"],
                )
                | (~Q(result="unreached") & Q(cause="")),
                name="check_unreached_has_cause",
            ),
            models.CheckConstraint(
                condition=Q(call__in=["", "agrees", "differs", "missed"]), name="check_call_known"
            ),
        ]

    def __str__(self) -> str:
        return f"第 {self.position} 份"

    @property
    def visit(self) -> Visit:
        return self.sample.visit

    @property
    def masked_number(self) -> str:
        """The number with all but its last two characters hidden."""
        shown = self.number[-2:] if len(self.number) > 4 else ""
        return "•" * (len(self.number) - len(shown)) + shown

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.phone) if self.phone else ""
