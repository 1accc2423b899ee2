from typing import ClassVar

from django.db import models
from django.db.models import Q

from institutions import clock
from institutions.models import Post, StoredFile
from supervision.models.visit import OfVisitQuerySet, Visit


class VisitSignature(models.Model):
    """督导反馈签字: one side's signature under the feedback of a visit, drawn on a screen or given by account.

    `digest` is the sha256 of the feedback as it was signed, so that paper and record can be held together.
    """

    class Party(models.TextChoices):
        TEAM = "team", "督导组"
        UNIT = "unit", "被督导机构"

    class Means(models.TextChoices):
        DRAWN = "drawn", "手写签名"
        ACCOUNT = "account", "账号确认"

    visit = models.ForeignKey(Visit, models.PROTECT, related_name="signatures")
    party = models.CharField("签字方", max_length=4, choices=Party)
    means = models.CharField("方式", max_length=8, choices=Means)
    title = models.CharField("签字人", max_length=60)
    file = models.ForeignKey(
        StoredFile, models.PROTECT, null=True, verbose_name="签名", related_name="signatures"
    )
    post = models.ForeignKey(Post, models.PROTECT, verbose_name="经办", related_name="+")
    digest = models.CharField("内容校验码", max_length=64)
    signed_at = models.DateTimeField("签字时间", default=clock.now)

    objects = OfVisitQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "督导反馈签字"
        ordering: ClassVar = ["visit", "party"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["visit", "party"], name="signature_once_a_side"),
            models.CheckConstraint(
                condition=Q(party__in=["team", "unit"]), name="signature_party_known"
            ),
            models.CheckConstraint(
                condition=Q(means="drawn", file__isnull=False)
                | Q(means="account", file__isnull=True),
                name="signature_drawn_has_picture",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_party_display()}：{self.title}"

    def pictures(self) -> models.QuerySet[StoredFile]:
        """The drawn signature, as a set to be served from."""
        return StoredFile.objects.filter(signatures=self)
