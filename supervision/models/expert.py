from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from campaigns.models.group import Profession
from institutions import clock
from institutions.models import Institution, Post
from institutions.models.institution import code_validator
from institutions.models.scoping import ScopedQuerySet

if TYPE_CHECKING:
    from datetime import date


class ExpertQuerySet(ScopedQuerySet):
    institution_path = "bureau"
    item_path = None
    bureau_path = "bureau"

    def available(self) -> Self:
        """Return who can be drawn now: in the pool, and with a post that somebody holds."""
        return self.filter(active=True, post__in=Post.objects.held())


class Expert(models.Model):
    """督导专家: one of a bureau's pool, with professions (E33), employer and, to record visits, a post.

    `code` is the lot by which the expert is drawn, so it is never changed. `employer` is one of the institutions known
    here; one from outside stands in `outside` as words.
    """

    bureau = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="建库单位", related_name="experts", editable=False
    )
    code = models.CharField("专家编号", max_length=20, validators=[code_validator])
    title = models.CharField("专家", max_length=60, help_text="职务或姓名，如：督导专家（妇产）")
    professions = models.CharField("专业", max_length=160)
    employer = models.ForeignKey(
        Institution,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="所在单位",
        related_name="employed_experts",
    )
    outside = models.CharField("区外单位", max_length=80, blank=True)
    post = models.ForeignKey(
        Post, models.PROTECT, null=True, blank=True, verbose_name="任职", related_name="expertise"
    )
    active = models.BooleanField("在库", default=True)
    note = models.CharField("备注", max_length=200, blank=True)

    objects: ClassVar = ExpertQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "督导专家"
        ordering: ClassVar = ["bureau", "code"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["bureau", "code"],
                name="expert_code_once",
                violation_error_message="这个专家编号已经用过",
            ),
            models.UniqueConstraint(
                fields=["bureau", "post"],
                name="expert_post_once",
                violation_error_message="这个任职已经在专家库里",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("supervision:expert_detail", args=[self.pk])

    @property
    def profession_list(self) -> list[str]:
        return [value for value in self.professions.split(",") if value]

    @property
    def profession_words(self) -> str:
        return "、".join(str(Profession(value).label) for value in self.profession_list)

    @property
    def works_at(self) -> str:
        return self.employer.known_as if self.employer else self.outside


class TieQuerySet(ScopedQuerySet):
    institution_path = "expert__bureau"
    item_path = None
    bureau_path = "expert__bureau"

    def in_force(self, day: "date | None" = None) -> Self:
        day = day or clock.today()
        return self.filter(
            Q(starts__isnull=True) | Q(starts__lte=day), Q(ends__isnull=True) | Q(ends__gte=day)
        )


class ExpertTie(models.Model):
    """回避关系: a declared tie of an expert to an institution (and what belongs to it); the employer's is derived."""

    expert = models.ForeignKey(Expert, models.CASCADE, related_name="ties")
    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="回避机构", related_name="+"
    )
    reason = models.CharField("原因", max_length=120)
    starts = models.DateField("起", null=True, blank=True)
    ends = models.DateField("止", null=True, blank=True)

    objects: ClassVar = TieQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "回避关系"
        ordering: ClassVar = ["expert", "institution", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(starts__isnull=True) | Q(ends__isnull=True) | Q(ends__gte=F("starts")),
                name="tie_ends_after_start",
                violation_error_message="止不能早于起",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.expert} 回避 {self.institution.known_as}"
