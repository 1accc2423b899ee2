from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from institutions import clock
from institutions.models import Post, StoredFile
from institutions.models.scoping import WorkQuerySet
from institutions.notifying import notify, posts_at
from institutions.workflow import NOTE, Move, Need, Side, Workflow

YEARS = 3


class GapQuerySet(WorkQuerySet):
    item_path = None

    def overdue(self) -> Self:
        """Return those that are not closed though their year is over."""
        return self.filter(status=Gap.Status.PLANNED, year__lt=clock.today().year)

    def this_year(self) -> Self:
        return self.filter(status=Gap.Status.PLANNED, year=clock.today().year)


class Gap(Workflow):
    """短板: one line of a unit's gap list, planned into one of three years beginning with `first_year`."""

    class Aspect(models.TextChoices):
        BUILDINGS = "buildings", "基础设施"
        DEVICES = "devices", "基本设备"
        DEPARTMENTS = "departments", "科室设置"
        FLOW = "flow", "服务流程"
        SURROUNDINGS = "surroundings", "内外环境"
        SYSTEMS = "systems", "信息系统"

    class Status(models.TextChoices):
        PLANNED = "planned", "补齐中"
        DONE = "done", "待确认"
        CONFIRMED = "confirmed", "已补齐"

    EDITABLE = frozenset({Status.PLANNED})

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.PLANNED)
    aspect = models.CharField("方面", max_length=12, choices=Aspect)
    text = models.CharField("差距（短板）", max_length=200)
    basis = models.CharField("对照的标准", max_length=80, blank=True)
    measure = models.CharField("补齐措施", max_length=300)
    first_year = models.PositiveSmallIntegerField("三年计划首年")
    year = models.PositiveSmallIntegerField("计划完成年度")
    person = models.CharField("责任岗位", max_length=40)
    result = models.TextField("完成情况", blank=True, editable=False)
    finished_on = models.DateField("完成日期", null=True, editable=False)
    files = models.ManyToManyField(
        StoredFile, blank=True, verbose_name="佐证材料", related_name="gaps"
    )

    objects: ClassVar = GapQuerySet.as_manager()

    MOVES = {
        "finish": Move(
            "已补齐，请确认",
            frozenset({Status.PLANNED}),
            Status.DONE,
            "campaigns.write_plan",
            Side.ANSWERS,
            needs=(
                Need("请先上传佐证材料（照片、验收单等）", holds=lambda gap: gap.files.exists()),
                NOTE,
            ),
            tone="primary",
        ),
        "confirm": Move(
            "确认补齐",
            frozenset({Status.DONE}),
            Status.CONFIRMED,
            "campaigns.review_plan",
            Side.ASKS,
            tone="primary",
        ),
        "send_back": Move(
            "退回",
            frozenset({Status.DONE}),
            Status.PLANNED,
            "campaigns.review_plan",
            Side.ASKS,
            needs=(NOTE,),
            tone="danger",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "短板清单"
        ordering: ClassVar = ["first_year", "institution", "aspect", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=["planned", "done", "confirmed"]), name="gap_status_known"
            ),
            models.CheckConstraint(
                condition=Q(year__gte=F("first_year"), year__lt=F("first_year") + YEARS),
                name="gap_within_three_years",
                violation_error_message="计划完成年度应在三年计划之内",
            ),
            models.CheckConstraint(
                condition=Q(status="planned") | Q(finished_on__isnull=False),
                name="gap_done_has_day",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["bureau", "first_year", "aspect"], name="gap_list"),
            models.Index(fields=["institution", "first_year"], name="gap_of_institution"),
        ]

    def __str__(self) -> str:
        return self.text

    def get_absolute_url(self) -> str:
        return reverse("campaigns:gap_detail", args=[self.pk])

    @property
    def is_overdue(self) -> bool:
        return self.status == self.Status.PLANNED and self.year < clock.today().year

    def finish(self, *, by: Post, version: int, note: str) -> None:
        """Say how the gap was closed; its bureau confirms."""
        today = clock.today()
        self._move("finish", by=by, version=version, note=note, result=note, finished_on=today)

    def confirm(self, *, by: Post, version: int) -> None:
        self._move("confirm", by=by, version=version)
        self._tell("短板已确认补齐")

    def send_back(self, *, by: Post, version: int, note: str) -> None:
        self._move("send_back", by=by, version=version, note=note, finished_on=None)
        self._tell("短板补齐情况被退回")

    def _tell(self, what: str) -> None:
        writers = posts_at([self.institution_id], "campaigns.write_plan")
        notify(writers, f"{what}：{self.text}"[:200], url=self.get_absolute_url())
