from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from campaigns.models.campaign import Campaign
from campaigns.periods import Frequency, Period
from institutions import clock
from institutions.fields import FixedField
from institutions.models import Institution, Post, ServiceItem
from institutions.models.institution import code_validator
from institutions.models.scoping import PublishedByBureauQuerySet, ScopedQuerySet
from institutions.rounding import half_up, plain_text


class SeriesQuerySet(PublishedByBureauQuerySet):
    def missing_at(self, institution: Institution) -> Self:
        """Return the series for which the institution owes the figure of the last period that is over."""
        today = clock.today()
        filled = SeriesValue.objects.filter(series=OuterRef("pk"), institution=institution)
        rows = Q()
        for frequency in Frequency.values:
            period = Period.last(frequency, today)
            done = Exists(filled.filter(**period.key))
            rows |= Q(~done, frequency=frequency, starts__lte=period.ends)
        through = Series.institutions.through.objects.filter(institution=institution)
        return self.filter(rows, pk__in=through.values("series"))


class Series(models.Model):
    """监测指标: a figure that a paper wants followed and nobody scores."""

    class Kind(models.TextChoices):
        COUNT = "count", "数量"
        SHARE = "share", "比率"
        RATIO = "ratio", "平均数"

    class Direction(models.TextChoices):
        UP = "up", "越高越好"
        DOWN = "down", "越低越好"

    bureau = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="卫生健康行政部门", related_name="+"
    )
    code = models.CharField("指标代码", max_length=32, validators=[code_validator])
    name = models.CharField("指标名称", max_length=60)
    family = models.CharField("组别", max_length=40)
    position = models.PositiveSmallIntegerField("序号", default=0)
    kind = models.CharField("类型", max_length=6, choices=Kind, default=Kind.SHARE)
    unit = models.CharField("单位", max_length=10, help_text="如：人、人次、户、份")
    numerator_name = models.CharField("填报数（分子）", max_length=60)
    denominator_name = models.CharField("分母", max_length=60, blank=True)
    frequency = models.CharField(
        "统计频率", max_length=8, choices=Frequency, default=Frequency.MONTH
    )
    direction = models.CharField("方向", max_length=4, choices=Direction, default=Direction.UP)
    target = FixedField("目标值", null=True, blank=True)
    target_on = models.DateField("达到日期", null=True, blank=True)
    starts = models.DateField("从哪天起统计")
    item = models.ForeignKey(
        ServiceItem, models.PROTECT, null=True, blank=True, verbose_name="服务项目"
    )
    basis = models.CharField("文件依据", max_length=200, blank=True)
    campaign = models.ForeignKey(
        Campaign,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="衡量哪个活动的目标",
        related_name="figures",
    )
    institutions = models.ManyToManyField(
        Institution, blank=True, verbose_name="填报机构", related_name="figures"
    )

    objects = SeriesQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "监测指标"
        ordering: ClassVar = ["family", "position", "code", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bureau", "code"], name="series_code_once"),
            models.CheckConstraint(
                condition=Q(kind="count", denominator_name="")
                | (Q(kind__in=["share", "ratio"]) & ~Q(denominator_name="")),
                name="series_denominator_named",
                violation_error_message="比率和平均数要写明分母，数量不要分母",
            ),
            models.CheckConstraint(
                condition=Q(frequency__in=["month", "quarter", "year"]),
                name="series_frequency_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("campaigns:series_detail", args=[self.pk])

    @property
    def measure(self) -> str:
        """The unit of its value: per cent for a share."""
        return "%" if self.kind == self.Kind.SHARE else self.unit

    @property
    def has_denominator(self) -> bool:
        return self.kind != self.Kind.COUNT

    @property
    def target_text(self) -> str:
        if self.target is None:
            return "—"
        sign = "≥" if self.direction == self.Direction.UP else "≤"
        return f"{sign}{plain_text(self.target)}{self.measure}"

    def value_of(self, numerator: Decimal | None, denominator: Decimal | None) -> Decimal | None:
        """Return the figure of a numerator and a denominator, per cent for a share; None where there is none."""
        if numerator is None or not self.has_denominator:
            return numerator
        if not denominator:
            return None
        factor = 100 if self.kind == self.Kind.SHARE else 1
        return half_up(Fraction(numerator) * factor / Fraction(denominator), 2)

    def text_of(self, value: Decimal | None) -> str:
        return "—" if value is None else f"{plain_text(value)}{self.measure}"

    def gap_text(self, gap: Decimal) -> str:
        """Return a difference of two values as people say it: 2.5个百分点."""
        unit = "个百分点" if self.kind == self.Kind.SHARE else self.unit
        return f"{plain_text(abs(gap))}{unit}"

    def meets(self, value: Decimal | None) -> bool | None:
        """Say whether a value reaches the target; None where either is missing."""
        if value is None or self.target is None:
            return None
        return value >= self.target if self.direction == "up" else value <= self.target


class SeriesValueQuerySet(ScopedQuerySet):
    institution_path = "institution"
    item_path = "series__item"


class SeriesValue(models.Model):
    """What one institution reports for one figure and period; 0 stands for "no quarter" and "no month"."""

    series = models.ForeignKey(
        Series, models.PROTECT, verbose_name="监测指标", related_name="values"
    )
    institution = models.ForeignKey(Institution, models.PROTECT, verbose_name="机构")
    year = models.PositiveSmallIntegerField("年度")
    quarter = models.PositiveSmallIntegerField("季度", default=0)
    month = models.PositiveSmallIntegerField("月份", default=0)
    numerator = FixedField("分子")
    denominator = FixedField("分母", null=True, blank=True)
    entered_by = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="填报人", related_name="+"
    )
    entered_at = models.DateTimeField("填报时间", default=clock.now)

    objects = SeriesValueQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "监测指标数值"
        ordering: ClassVar = ["year", "quarter", "month", "institution"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["series", "institution", "year", "quarter", "month"],
                name="series_value_once",
            ),
            models.CheckConstraint(
                condition=Q(quarter=0, month__lte=12) | Q(month=0, quarter__lte=4),
                name="series_value_period_known",
            ),
            models.CheckConstraint(
                condition=Q(numerator__gte=0)
                & (Q(denominator__isnull=True) | Q(denominator__gte=0)),
                name="series_value_not_negative",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["institution", "year", "quarter", "month"], name="series_value_of_unit"
            )
        ]

    def __str__(self) -> str:
        return f"{self.series}（{self.period}）"

    @property
    def period(self) -> Period:
        return Period(self.year, self.quarter, self.month)

    @property
    def value(self) -> Decimal | None:
        return self.series.value_of(self.numerator, self.denominator)
