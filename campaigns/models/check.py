from decimal import Decimal
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from institutions import clock
from institutions.fields import FixedField
from institutions.models import Department, Institution, Post, ServiceItem, StoredFile
from institutions.models.scoping import PublishedByBureauQuerySet, WorkQuerySet


class SuperiorCheckQuerySet(PublishedByBureauQuerySet):
    def coming(self) -> Self:
        """Return those whose day is not over."""
        return self.filter(day__gte=clock.today())


class SuperiorCheck(models.Model):
    """上级检查: what a level above will look at and when; everybody who works under the bureau knows of it."""

    class Level(models.TextChoices):
        NATION = "nation", "国家"
        PROVINCE = "province", "省级"
        CITY = "city", "市级"

    bureau = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="卫生健康行政部门", related_name="+"
    )
    level = models.CharField("级别", max_length=8, choices=Level, default=Level.PROVINCE)
    name = models.CharField("检查名称", max_length=80)
    day = models.DateField("检查日期")
    about = models.BooleanField("大约在这一天", default=False)
    text = models.TextField("检查内容和要求", blank=True)
    items = models.ManyToManyField(ServiceItem, blank=True, verbose_name="涉及项目")
    institutions = models.ManyToManyField(
        Institution, blank=True, verbose_name="迎检机构", related_name="superior_checks"
    )
    score = FixedField("得分", null=True, blank=True)
    full = FixedField("满分", null=True, blank=True)
    result = models.TextField("检查结果", blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = SuperiorCheckQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "上级检查"
        ordering: ClassVar = ["-day", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(level__in=["nation", "province", "city"]),
                name="superior_check_level_known",
            ),
            models.CheckConstraint(
                condition=Q(score__isnull=True)
                | Q(score__gte=Decimal(0), full__gte=models.F("score")),
                name="superior_check_score_within_full",
                violation_error_message="得分不能大于满分",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["bureau", "day"], name="superior_check_list")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("campaigns:check_detail", args=[self.pk])

    @property
    def day_text(self) -> str:
        """The day as the papers say it: 2023年3月10日左右."""
        text = f"{self.day.year}年{self.day.month}月{self.day.day}日"
        return f"{text}左右" if self.about else text

    @property
    def days_left(self) -> int:
        return clock.days_left(self.day)

    @property
    def is_over(self) -> bool:
        return self.days_left < 0


class PreparationQuerySet(WorkQuerySet):
    item_path = None

    def to_do(self) -> Self:
        return self.filter(done_on__isnull=True)

    def overdue(self) -> Self:
        return self.to_do().filter(due__lt=clock.today())

    def of(self, post: Post) -> Self:
        """Return what falls to the post: its unit's, without what another department of it prepares."""
        place = Q(department__isnull=True)
        if post.department_id:
            place |= Q(department=post.department_id)
        return self.filter(place, institution=post.institution_id)


class Preparation(models.Model):
    """迎检准备: one thing to have ready for a check, who prepares it and until when."""

    bureau = models.ForeignKey(Institution, models.PROTECT, related_name="+", editable=False)
    superior_check = models.ForeignKey(
        SuperiorCheck, models.CASCADE, verbose_name="上级检查", related_name="preparations"
    )
    text = models.CharField("准备什么", max_length=160)
    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="责任单位", related_name="preparations"
    )
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, verbose_name="责任科室"
    )
    duty = models.CharField("责任岗位", max_length=40, blank=True)
    due = models.DateField("完成时限（含当日）")
    done_on = models.DateField("完成日期", null=True, blank=True)
    done_by = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="办理人", related_name="+", editable=False
    )
    note = models.TextField("完成情况", blank=True)
    files = models.ManyToManyField(StoredFile, blank=True, verbose_name="佐证材料")
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = PreparationQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "迎检准备"
        ordering: ClassVar = ["due", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(done_on__isnull=True, done_by__isnull=True)
                | Q(done_on__isnull=False, done_by__isnull=False),
                name="preparation_done_by_somebody",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["institution", "due"], name="preparation_of_institution")
        ]

    def __str__(self) -> str:
        return self.text

    def get_absolute_url(self) -> str:
        return reverse("campaigns:preparation_detail", args=[self.pk])

    def save(self, *args, **kwargs):
        if self._state.adding and self.bureau_id is None:
            self.bureau_id = self.institution.bureau_id
        super().save(*args, **kwargs)

    @property
    def is_overdue(self) -> bool:
        return self.done_on is None and self.due < clock.today()

    @property
    def who(self) -> str:
        """Who prepares it, as short as can be said."""
        parts = [self.department.name if self.department else "", self.duty]
        return "，".join(part for part in parts if part) or self.institution.known_as
