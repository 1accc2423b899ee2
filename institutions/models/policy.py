from typing import ClassVar

from django.db import models

from institutions.models.institution import Institution
from institutions.models.scoping import WorkQuerySet


class PolicyQuerySet(WorkQuerySet):
    item_path = None


class PolicyEntry(models.Model):
    """政策项: one key of a bureau's (or a centre's own) policy for the year.

    Keys, defaults and how they are read: scoring/rules.py. It lies on this floor because the floors below scoring go by
    some of them: what counts as 反弹, how soon a duty is signed for (institutions/policy.py).
    """

    bureau = models.ForeignKey(Institution, models.PROTECT, related_name="+", editable=False)
    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="机构", related_name="policy_entries"
    )
    year = models.PositiveSmallIntegerField("年度")
    key = models.CharField("项", max_length=20)
    value = models.CharField("值", max_length=60)

    objects = PolicyQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "绩效政策"
        ordering: ClassVar = ["-year", "institution", "key"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["institution", "year", "key"], name="policy_key_once_a_year"
            )
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.year} {self.key}"

    def save(self, *args, **kwargs):
        if self._state.adding and self.bureau_id is None:
            self.bureau_id = self.institution.bureau_id
        super().save(*args, **kwargs)
