from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from institutions import clock
from institutions.codes import mask_phone
from institutions.models import Post
from supervision.models.visit import OfVisitQuerySet, Visit


class Group(models.TextChoices):
    """Whom a survey asks: the groups of the quota."""

    CHRONIC = "chronic", "慢性病患者"
    MATERNAL = "maternal", "孕产妇"
    PARENT = "parent", "儿童家长"
    ELDERLY = "elderly", "老年人"
    OTHER = "other", "其他居民"


class ResidentSurvey(models.Model):
    """居民问卷: what one resident knows of the services and how satisfied he is. No name is asked for.

    `answers` maps the code of each question of `supervision.surveying.QUESTIONS` that was asked to yes or no; `asked`
    and `right` count those of awareness. `key` names the entry before it is saved, so that sending it twice makes one.
    """

    class Channel(models.TextChoices):
        HOME = "home", "入户"
        PHONE = "phone", "电话"
        STREET = "street", "现场拦访"

    class Satisfaction(models.TextChoices):
        YES = "yes", "满意"
        FAIRLY = "fairly", "基本满意"
        NO = "no", "不满意"
        UNUSED = "unused", "没有接受过服务"

    visit = models.ForeignKey(Visit, models.PROTECT, related_name="surveys")
    group = models.CharField("人群", max_length=8, choices=Group)
    channel = models.CharField("方式", max_length=6, choices=Channel)
    phone = models.CharField("电话", max_length=20, blank=True)
    answers = models.JSONField("回答", default=dict)
    asked = models.PositiveSmallIntegerField("知晓题数")
    right = models.PositiveSmallIntegerField("答对题数")
    faced = models.BooleanField("近一年面对面随访过", null=True)
    called_at_home = models.BooleanField("近一年上门服务过", null=True)
    satisfaction = models.CharField("满意度", max_length=6, choices=Satisfaction)
    remark = models.CharField("意见建议", max_length=200, blank=True)
    key = models.UUIDField(unique=True, editable=False)
    author = models.ForeignKey(Post, models.PROTECT, verbose_name="调查人", related_name="+")
    at = models.DateTimeField("调查时间", default=clock.now)
    purged_at = models.DateTimeField("清除时间", null=True, editable=False)

    objects = OfVisitQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "居民问卷"
        ordering: ClassVar = ["visit", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(asked__gte=1, right__lte=F("asked")), name="survey_right_of_asked"
            ),
            models.CheckConstraint(
                condition=Q(group__in=["chronic", "maternal", "parent", "elderly", "other"]),
                name="survey_group_known",
            ),
            models.CheckConstraint(
                condition=Q(satisfaction__in=["yes", "fairly", "no", "unused"]),
                name="survey_satisfaction_known",
            ),
            models.CheckConstraint(
                condition=Q(channel__in=["home", "phone", "street"]), name="survey_channel_known"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["at"], condition=Q(purged_at__isnull=True), name="survey_to_purge")
        ]

    def __str__(self) -> str:
        return f"{self.get_group_display()}问卷"

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.phone) if self.phone else ""
