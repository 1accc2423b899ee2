from typing import ClassVar

from django.db import models
from django.urls import reverse

from institutions import clock
from institutions.models import Post
from institutions.models.scoping import ScopedQuerySet
from supervision.models.visit import SupervisionRound


class DrawQuerySet(ScopedQuerySet):
    """Seen by who holds the round and whoever is above; never by the drawn, who learn of a visit by the visit."""

    institution_path = "round__institution"
    item_path = None
    bureau_path = "round__bureau"

    def visible_to(self, post: Post | None):
        if post is None:
            return self.none()
        rows = super().visible_to(post)
        return rows.filter(round__institution__path__startswith=post.institution.path)


class Draw(models.Model):
    """随机抽取: one drawing of lots for a round, with all that is needed to draw it again; never changed.

    A redraw is another row with its reason; the one before it stays. `digest` seals seed, pools, what was asked and the
    result; the event of the draw names it too, in the sealed trail.
    """

    round = models.ForeignKey(SupervisionRound, models.PROTECT, related_name="draws")
    number = models.PositiveSmallIntegerField("第几次")
    seed = models.CharField("种子", max_length=64)
    pools = models.JSONField("抽取范围")
    ask = models.JSONField("抽取要求")
    result = models.JSONField("结果")
    digest = models.CharField("摘要", max_length=64)
    reason = models.CharField("重抽理由", max_length=300, blank=True)
    author = models.ForeignKey(Post, models.PROTECT, verbose_name="抽取人", related_name="+")
    drawn_at = models.DateTimeField("抽取时间", default=clock.now)

    objects = DrawQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "随机抽取"
        ordering: ClassVar = ["round", "-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["round", "number"], name="draw_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.round} 第{self.number}次抽取"

    def get_absolute_url(self) -> str:
        return reverse("supervision:draw_detail", args=[self.pk])
