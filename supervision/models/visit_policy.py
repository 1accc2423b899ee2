from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from institutions.models import Institution
from institutions.models.scoping import ScopedQuerySet


class VisitPolicyQuerySet(ScopedQuerySet):
    institution_path = "institution"
    item_path = None


class VisitPolicy(models.Model):
    """现场核查设置: how many records and residents a supervisor checks at a visit, and how long it keeps their numbers.

    The quota is that of the provincial handbook for a village clinic: 10 residents, of them 4 with a chronic disease,
    2 pregnant or after birth, 2 parents, 2 elderly. `keep_days` counts from the day of the draw or the survey.
    """

    institution = models.OneToOneField(
        Institution, models.PROTECT, verbose_name="督导单位", related_name="visit_policy"
    )
    chronic = models.PositiveSmallIntegerField("慢性病患者（人）", default=4)
    maternal = models.PositiveSmallIntegerField("孕产妇（人）", default=2)
    parent = models.PositiveSmallIntegerField("儿童家长（人）", default=2)
    elderly = models.PositiveSmallIntegerField("老年人（人）", default=2)
    records = models.PositiveSmallIntegerField(
        "每个项目抽查档案（份）",
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(200)],
    )
    keep_days = models.PositiveSmallIntegerField(
        "档案编号和电话保存（天）",
        default=180,
        validators=[MinValueValidator(30), MaxValueValidator(730)],
        help_text="到期由每日任务清除，只留下统计结果；30 至 730 天",
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = VisitPolicyQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "现场核查设置"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(keep_days__gte=30, keep_days__lte=730), name="visit_policy_keep_days"
            ),
            models.CheckConstraint(
                condition=Q(records__gte=1, records__lte=200), name="visit_policy_records"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.institution.known_as}现场核查设置"

    @property
    def quotas(self) -> dict[str, int]:
        """Residents to ask, by group."""
        return {
            group: getattr(self, group) for group in ("chronic", "maternal", "parent", "elderly")
        }
