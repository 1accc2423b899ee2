from typing import ClassVar

from django.db import models
from django.urls import reverse

from institutions import clock
from institutions.models import Post
from scoring.models.year import YearQuerySet, YearRow


class Scenario(YearRow):
    """测算方案: a unit's year under other policy values, kept with its author; nothing of the year changes by it.

    `institution` is the unit that settles. `changes` maps 项 to 值; `inputs` is the hash of the year's inputs when it
    was saved, `adopted_at` says when its values became the policy.
    """

    name = models.CharField("方案名称", max_length=60)
    changes = models.JSONField("改动的政策", default=dict)
    inputs = models.CharField("输入摘要", max_length=64)
    author = models.ForeignKey(
        Post, models.PROTECT, verbose_name="测算人", related_name="+", editable=False
    )
    at = models.DateTimeField("保存时间", default=clock.now, editable=False)
    adopted_at = models.DateTimeField("采用时间", null=True, editable=False)
    adopted_by = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="采用人", related_name="+", editable=False
    )

    objects: ClassVar = YearQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "测算方案"
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["institution", "year", "name"],
                name="scenario_name_once",
                violation_error_message="本年度已有同名方案",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("scoring:scenario_detail", args=[self.pk])

    @property
    def changed(self) -> list[tuple[str, str]]:
        """What is changed, as 项 and 值, in a fixed order."""
        return sorted(self.changes.items())
