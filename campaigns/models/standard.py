from decimal import Decimal
from functools import lru_cache
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from campaigns.rules import Method, Rule, parse_steps, parse_target
from institutions.fields import FixedField
from institutions.models import Institution, Kind, Post, ServiceItem
from institutions.models.scoping import PublishedByBureauQuerySet


class PublishedError(TypeError):
    """Raised on any attempt to change a published standard: a correction is a new edition."""


class StandardQuerySet(PublishedByBureauQuerySet):
    published = ~Q(status="draft")


class Standard(models.Model):
    """评价标准: one edition of one year's tree of clauses. Once published it is never changed."""

    class Purpose(models.TextChoices):
        QUARTERLY = "quarterly", "季度评价"
        SPECIAL = "special", "专项"
        CAPABILITY = "capability", "能力"
        CHECKLIST = "checklist", "检查表"

    class Status(models.TextChoices):
        DRAFT = "draft", "草稿"
        PUBLISHED = "published", "已发布"
        REPLACED = "replaced", "已替代"

    bureau = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="卫生健康行政部门", related_name="standards"
    )
    code = models.CharField("标准代码", max_length=32)
    year = models.PositiveSmallIntegerField("年度")
    edition = models.PositiveSmallIntegerField("版次", default=1)
    name = models.CharField("标准名称", max_length=120)
    purpose = models.CharField("用途", max_length=10, choices=Purpose, default=Purpose.QUARTERLY)
    kinds = models.JSONField("适用机构类别", default=list)
    status = models.CharField("状态", max_length=10, choices=Status, default=Status.DRAFT)
    published_at = models.DateTimeField("发布时间", null=True, editable=False)
    full_marks = FixedField("总分", default=0, editable=False)
    wanted_marks = FixedField("应有总分", null=True, blank=True)
    previous = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="沿用自",
        related_name="later",
        editable=False,
    )
    reason = models.CharField("修订理由", max_length=300, blank=True)
    in_force_from = models.DateField("施行日期", null=True, blank=True)
    # Which shares of grades make 基本标准 and 推荐标准; read by campaigns/capability.py.
    levels = models.JSONField("达标规则", default=list, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = StandardQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "评价标准"
        ordering: ClassVar = ["-year", "code", "-edition"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["bureau", "code", "edition"], name="standard_edition_once"
            ),
            models.CheckConstraint(
                condition=Q(status="draft", published_at__isnull=True)
                | Q(status__in=["published", "replaced"], published_at__isnull=False),
                name="standard_published_has_time",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("campaigns:standard_detail", args=[self.pk])

    @property
    def is_draft(self) -> bool:
        return self.status == self.Status.DRAFT

    @property
    def is_capability(self) -> bool:
        return self.purpose == self.Purpose.CAPABILITY

    @property
    def kind_labels(self) -> list[str]:
        return [Kind(kind).label for kind in self.kinds]

    def applies_to(self, institution: Institution) -> bool:
        return bool(set(self.kinds).intersection(institution.kinds))

    def save(self, *args, **kwargs):
        if self.pk:
            stored = Standard.objects.filter(pk=self.pk).values_list("status", flat=True).first()
            if stored and stored != self.Status.DRAFT:
                raise PublishedError(f"{self} is published: make a new edition")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        if not self.is_draft:
            raise PublishedError(f"{self} is published")
        return super().delete(*args, **kwargs)


class ClauseQuerySet(models.QuerySet):
    def visible_to(self, post: Post | None) -> Self:
        return self.filter(standard__in=Standard.objects.visible_to(post))

    def leaves(self) -> Self:
        return self.filter(is_leaf=True)


class Clause(models.Model):
    """条款: a node of the standard's tree; a leaf carries the rule by which it is scored (campaigns/rules.py).

    Target, floor and steps are kept as written in the paper (`90%`, `12`, `≥90%:5;≥80%:3`).
    """

    # What a clause says besides its place, name and method, in the order of the printed table.
    DETAILS: ClassVar = (
        "full_marks",
        "target",
        "floor",
        "steps",
        "deduct_unit",
        "below_zero",
        "core",
        "numerator_name",
        "denominator_name",
        "unit",
        "check_method",
        "scoring_note",
    )

    standard = models.ForeignKey(Standard, models.CASCADE, related_name="clauses")
    code = models.CharField("条款代码", max_length=32)
    parent = models.ForeignKey(
        "self",
        models.CASCADE,
        null=True,
        blank=True,
        verbose_name="上级条款",
        related_name="children",
    )
    position = models.PositiveSmallIntegerField("顺序")
    depth = models.PositiveSmallIntegerField("层级", default=1)
    is_leaf = models.BooleanField("末级", default=True)
    item = models.ForeignKey(
        ServiceItem, models.PROTECT, null=True, blank=True, verbose_name="服务项目"
    )
    name = models.CharField("条款名称", max_length=200)
    method = models.CharField(
        "评分方法", max_length=10, choices=[(m.name.lower(), m.value) for m in Method], blank=True
    )
    full_marks = FixedField("满分")
    target = models.CharField("目标值", max_length=20, blank=True)
    floor = models.CharField("下限值", max_length=20, blank=True)
    steps = models.CharField("分档", max_length=200, blank=True)
    deduct_unit = FixedField("扣分单位", null=True, blank=True)
    below_zero = models.BooleanField("允许倒扣", default=False)
    core = models.BooleanField("核心条款", default=False)
    numerator_name = models.CharField("分子名称", max_length=80, blank=True)
    denominator_name = models.CharField("分母名称", max_length=80, blank=True)
    unit = models.CharField("单位", max_length=10, blank=True)
    check_method = models.CharField("考核方式", max_length=80, blank=True)
    scoring_note = models.TextField("评分办法", blank=True)

    objects = ClauseQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "条款"
        ordering: ClassVar = ["standard", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["standard", "code"], name="clause_code_once"),
            models.CheckConstraint(
                condition=Q(full_marks__gte=0), name="clause_marks_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def rule(self) -> Rule:
        """The scoring rule of a leaf, ready for `campaigns.rules.points`."""
        return _rule(
            self.method,
            self.full_marks,
            self.target,
            self.floor,
            self.steps,
            self.deduct_unit,
            self.below_zero,
        )

    def save(self, *args, **kwargs):
        self._refuse_when_published()
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        self._refuse_when_published()
        return super().delete(*args, **kwargs)

    def _refuse_when_published(self) -> None:
        if not self.standard.is_draft:
            raise PublishedError(f"{self.standard} is published: make a new edition")


@lru_cache(maxsize=4096)
def _rule(
    method: str,
    full_marks: Decimal,
    target: str,
    floor: str,
    steps: str,
    deduct_unit: Decimal | None,
    below_zero: bool,
) -> Rule:
    """Read a rule once, not once a line: an import scores a clause thousands of times."""
    goal, is_rate = parse_target(target) if target else (None, False)
    return Rule(
        method=Method[method.upper()],
        full_marks=full_marks,
        target=goal,
        target_is_rate=is_rate,
        floor=parse_target(floor)[0] if floor else None,
        steps=parse_steps(steps, full_marks) if steps else (),
        deduct_unit=deduct_unit,
        below_zero=below_zero,
    )
